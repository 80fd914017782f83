"""The width of text in the pictures, from the widths of a real font.

`assets/widths.txt` lists the letters of DejaVu Sans by their width in thousandths of the size.
DejaVu Sans is the widest of the usual sans-serif fonts, so text that fits in it fits in all of
them.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from unicodedata import category, east_asian_width

BOLD = 1.12  # how much wider bold letters are on average
_OTHER = 0.84  # of letters that are not listed


@cache
def _widths() -> dict[str, float]:
    """The width of each letter as a share of the size."""
    listed = (resources.files(__package__) / "assets" / "widths.txt").read_text(encoding="utf-8")
    lines = (line.split(" ", 1) for line in listed.splitlines())
    return {letter: int(width) / 1000 for width, letters in lines for letter in letters} | {
        " ": 0.318,
        "\xa0": 0.318,
    }


@lru_cache(4096)
def text_width(text: str, size: float) -> float:
    """The width of one line of text in letters of that size.

    >>> text_width("w", 10), text_width("权重", 10)
    (8.18, 20.0)
    """
    return round(sum(map(_ems, text)) * size, 2)


@cache
def _ems(letter: str) -> float:
    if (known := _widths().get(letter)) is not None:
        return known
    if category(letter) in ("Mn", "Me", "Cf"):  # accents have no width of their own
        return 0.0
    return 1.0 if east_asian_width(letter) in "WFA" else _OTHER
