"""A hook of mkdocs: links that leave docs/ lead into the checkout, and on a page they become the file's name.

tests/docs/test_docs.py sees to it that each of them leads somewhere.
"""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+(?:benchmarks|converters|examples|medsdk|plugins|tests)[^)]*)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """[the example](../../examples/tally/README.md) → the example (`examples/tally/README.md`)."""
    return _OUTSIDE.sub(_named, markdown)


def _named(link: re.Match[str]) -> str:
    text, target = link[1], link[2].replace("../", "")
    return text if text.strip("`") == target else f"{text} (`{target}` in the repository)"
