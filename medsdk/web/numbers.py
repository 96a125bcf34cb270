"""Numbers as each language writes them. The forms are CLDR's; the tests hold them against Babel's."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NumberForm:
    """`groups` are the digits between separators from the right; the last repeats (3, 2 is Indian: 12,34,567)."""

    point: str
    separator: str
    groups: tuple[int, ...]
    percent: str

    def decimal(self, value: float, digits: int) -> str:
        """With exactly so many digits behind the point."""
        whole, _, fraction = f"{abs(value):.{digits}f}".partition(".")
        sign = "-" if value < 0 and float(f"{value:.{digits}f}") != 0 else ""
        return sign + self._grouped(whole) + (self.point + fraction if fraction else "")

    def share(self, value: float, digits: int = 1) -> str:
        """0..1 as a percentage."""
        return self.percent.format(self.decimal(100 * value, digits))

    def _grouped(self, whole: str) -> str:
        parts: list[str] = []
        sizes = list(self.groups)
        while whole:
            size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
            parts.insert(0, whole[-size:])
            whole = whole[:-size]
        return self.separator.join(parts)


_NO_BREAK, _NARROW_NO_BREAK = "\u00a0", "\u202f"

FORMS = {
    "en": NumberForm(".", ",", (3,), "{}%"),
    "hi": NumberForm(".", ",", (3, 2), "{}%"),
    "fr": NumberForm(",", _NARROW_NO_BREAK, (3,), "{}" + _NO_BREAK + "%"),
    "es": NumberForm(",", ".", (3,), "{}" + _NO_BREAK + "%"),
}
