"""The pages' gettext catalogues: extracts the texts, adds new ones to each .po, compiles each .mo.

python tests/web/catalogues.py      (needs Babel; what is new stands in the .po files without a translation)
"""

from __future__ import annotations

import io
from datetime import datetime, timezone
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import medsdk.web

ROOT = Path(medsdk.web.__file__).parent
LOCALE = ROOT / "locale"
LANGUAGES = ("es", "fr", "hi")

# Calls that take a text: Language.text, Language.count and the marks.
_KEYWORDS = {"_": None, "gettext": None, "text": None, "_mark": None, "count": (1, 2)}
_METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {"**/templates/**.html": {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "newstyle_gettext": "true"}}


def extracted() -> Catalog:
    """Every text of the pages."""
    found = Catalog(project="medsdk")
    for _, _, message, comments, context in extract_from_dir(
        str(ROOT), _METHODS, _OPTIONS, keywords=_KEYWORDS, strip_comment_tags=True
    ):
        if message:
            found.add(message, auto_comments=comments, context=context)
    return found


def path(code: str, ending: str) -> Path:
    return LOCALE / code / "LC_MESSAGES" / f"medsdk.{ending}"


def read(code: str) -> Catalog:
    with path(code, "po").open("rb") as file:
        return read_po(file, locale=code)


def compiled(catalogue: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def written(catalogue: Catalog) -> bytes:
    # No names and no dates: the history tells both, and a date would change with every run.
    catalogue.header_comment = "# The pages' texts; see tests/web/catalogues.py."
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = "medsdk"
    catalogue.creation_date = catalogue.revision_date = datetime(2025, 1, 1, tzinfo=timezone.utc)
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=100, no_location=True, sort_output=True, omit_header=False, ignore_obsolete=True)
    return buffer.getvalue()


def main() -> None:
    template = extracted()
    for code in LANGUAGES:
        catalogue = read(code)
        # Fuzzy guesses would be shown to patients' doctors as if somebody had translated them.
        catalogue.update(template, no_fuzzy_matching=True)
        path(code, "po").write_bytes(written(catalogue))
        path(code, "mo").write_bytes(compiled(catalogue))


if __name__ == "__main__":
    main()
