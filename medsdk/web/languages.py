"""The languages of the pages: gettext catalogues in locale/, one Jinja2 environment each."""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request

from medsdk.web.numbers import FORMS, NumberForm

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "medsdk"
COOKIE = "medsdk_language"

# Each in its own language, as a person looks for it.
NAMES = {"en": "English", "hi": "हिन्दी", "fr": "Français", "es": "Español"}
DEFAULT = "en"


class Translated(str):
    """A text in the page's language already: it is neither looked up nor marked as a foreign one again."""

    __slots__ = ()


@dataclass(frozen=True)
class Language:
    """Texts and numbers in one language. The texts of the source are English."""

    code: str
    texts: gettext.NullTranslations
    numbers: NumberForm
    templates: Environment

    def text(self, message: str, **values: object) -> str:
        """The message in this language, with %(name)s replaced. A card's text in no catalogue stays as it is."""
        found = self.texts.gettext(message) if message else message
        if found == message and not values and self.code != DEFAULT:
            return message
        return Translated(found % values if values else found)

    def count(self, one: str, many: str, number: int, **values: object) -> str:
        """The plural form for a number, which the text names as %(count)s."""
        found = self.texts.ngettext(one, many, number)
        return Translated(found % {"count": self.numbers.decimal(number, 0), **values})

    def render(self, template: str, **values: object) -> str:
        """A page; the language is there as `language`."""
        return self.templates.get_template(template).render(language=self, count=self.count, **values)

    def knows(self, message: str) -> bool:
        """False for a text that stays English on a page in another language, and must be marked so."""
        return self.code == DEFAULT or isinstance(message, Translated) or self.texts.gettext(message) != message


@lru_cache(maxsize=len(NAMES))
def language(code: str) -> Language:
    """One of NAMES."""
    texts = gettext.translation(DOMAIN, LOCALE, [code], fallback=code == DEFAULT)
    templates = Environment(
        loader=PackageLoader("medsdk.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    templates.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]  # the extension's own
    return Language(code, texts, FORMS[code], templates)


def choose(request: Request) -> Language:
    """The language asked for by ?lang=, else the one chosen before, else the browser's."""
    wanted = [request.query_params.get("lang", ""), request.cookies.get(COOKIE, "")]
    return language(next((code for code in wanted if code in NAMES), accepted(request.headers.get("accept-language", ""))))


def accepted(header: str) -> str:
    """The first of our languages in an Accept-Language header, by its weights."""
    weighted = []
    for place, item in enumerate(header.split(",")[:20]):
        tag, _, weight = item.partition(";")
        code = tag.strip().lower().partition("-")[0]
        if code in NAMES:
            weighted.append((-_weight(weight), place, code))
    return min(weighted)[2] if weighted and min(weighted)[0] < 0 else DEFAULT


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
