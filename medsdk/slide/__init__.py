"""One slide, field by field: a running total that survives a power cut, and a report at the end."""

from medsdk.slide.report import write_csv, write_html, write_json
from medsdk.slide.session import Field, Slide, open_slide

__all__ = ["Field", "Slide", "open_slide", "write_csv", "write_html", "write_json"]
