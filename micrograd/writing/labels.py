"""What a user wrote as a label: shortened, and without characters that no document can hold."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from unicodedata import category, combining, east_asian_width

LONGEST = 60  # characters of a label that are shown
MOST_LINES = 4

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def shortened(text: str) -> str:
    """The text, or its beginning and `…`, as characters that XML can hold and lines."""
    cut = len(text) > LONGEST
    text = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    lines = _NOT_XML.sub("\ufffd", text).split("\n")
    cut = cut or len(lines) > MOST_LINES
    return "\n".join(lines[:MOST_LINES]) + "…" * cut


@lru_cache(4096)
def width(text: str, size: float) -> int:
    """A good width in points for text in letters of that size, of several lines that of the widest.

    Renderers without the right font measure Chinese letters too narrow, and a reader's browser may
    have a wider font than theirs.
    """
    return math.ceil(max(sum(map(_ems, line)) for line in text.split("\n")) * size)


def columns(text: str) -> int:
    """The columns that one line of text takes on a terminal: two for a Chinese character."""
    return sum(
        0 if combining(c) or category(c) in _INVISIBLE else 1 + (east_asian_width(c) in "WF")
        for c in text
    )


_INVISIBLE = ("Mn", "Me", "Cf")


def _ems(character: str) -> float:
    if character in _EMS:
        return _EMS[character]
    kind, wide = category(character), east_asian_width(character)
    if kind in _INVISIBLE:
        return 0.0
    if wide in "WF" or (wide == "A" and kind[0] != "L"):
        return 1.0
    return 0.8 if kind == "Lu" else 0.62


# The widths of ASCII letters in DejaVu Sans, which is the widest of the usual fonts, by groups.
_EMS = {
    letter: ems
    for letters, ems in (
        (" ijlI.,:;|'", 0.35),
        ("frt()[]/\\-!", 0.45),
        ('abcdeghknopqsuvxyz0123456789{}$_*?`"JL', 0.64),
        ("ABCEFKPRSTVXYZ", 0.73),
        ("DGHNOQUw&+=<>^~#", 0.84),
        ("mMW%@", 1.0),
    )
    for letter in letters
}
