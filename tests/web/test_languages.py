"""The catalogues are complete and compiled, and numbers are written as CLDR says."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("babel", reason="Babel checks the catalogues")

import catalogues
from babel.messages.checkers import python_format
from babel.numbers import format_decimal, format_percent

from medsdk.web import languages
from medsdk.web.numbers import FORMS

CODES = catalogues.LANGUAGES


@pytest.mark.parametrize("code", CODES)
def test_every_text_is_translated_and_none_is_left_over(code: str) -> None:
    wanted = {message.id for message in catalogues.extracted() if message.id}
    found = {message.id: message for message in catalogues.read(code) if message.id}
    assert wanted == set(found), "run python tests/web/catalogues.py and translate what is new"
    for message in found.values():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), message.id
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("code", CODES)
def test_translations_keep_their_placeholders(code: str) -> None:
    catalogue = catalogues.read(code)
    for message in catalogue:
        if message.id and message.python_format:
            python_format(catalogue, message)
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for string in strings if message.id else ():
            assert sorted(re.findall(r"%\(\w+\)s", string)) == sorted(re.findall(r"%\(\w+\)s", ids[0])), ids


@pytest.mark.parametrize("code", CODES)
def test_the_compiled_catalogue_is_the_written_one(code: str) -> None:
    assert catalogues.path(code, "mo").read_bytes() == catalogues.compiled(catalogues.read(code))


@pytest.mark.parametrize("code", FORMS)
@pytest.mark.parametrize("value", [0, 0.5, 7, 999, 1000, 12345, 123456.75, 12345678, -1234.5])
def test_decimals_are_cldrs(code: str, value: float) -> None:
    expected = format_decimal(value, "#,##0.00" if code != "hi" else "#,##,##0.00", locale=code)
    assert FORMS[code].decimal(value, 2) == expected


@pytest.mark.parametrize("code", FORMS)
@pytest.mark.parametrize("value", [0, 0.004, 0.5, 0.9341, 1])
def test_shares_are_cldrs(code: str, value: float) -> None:
    expected = format_percent(value, "#,##0.0\u00a0%" if code in ("fr", "es") else "#,##0.0%", locale=code)
    assert FORMS[code].share(value) == expected
    # Where the sign stands is the locale's own pattern.
    assert FORMS[code].share(0.5, 0) == format_percent(0.5, locale=code).replace("\u202f%", "\u00a0%")


@pytest.mark.parametrize(
    ("code", "number", "expected"),
    [
        ("fr", 0, "0 image"),
        ("fr", 1, "1 image"),
        ("fr", 2, "2 images"),
        ("es", 0, "0 imágenes"),
        ("es", 1, "1 imagen"),
        ("hi", 1, "1 तस्वीर"),
        ("hi", 123456, "1,23,456 तस्वीरें"),
        ("en", 0, "0 pictures"),
        ("en", 1, "1 picture"),
    ],
)
def test_plural_forms(code: str, number: int, expected: str) -> None:
    assert languages.language(code).count("%(count)s picture", "%(count)s pictures", number) == expected


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("de, es;q=0.5", "es"),
        ("en;q=0.1, hi-IN", "hi"),
        ("fr;q=0", "en"),
        (";;;,q=,=", "en"),
        ("fr;q=x, es;q=0.2", "es"),
        ("FR-ca", "fr"),
    ],
)
def test_the_browsers_wish_is_understood(header: str, code: str) -> None:
    assert languages.accepted(header) == code
