"""Text that a user wrote: shortened, made harmless, and measured."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from unicodedata import category, combining, east_asian_width

LONGEST = 60  # characters of a label that are shown
MOST_LINES = 4

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that XML cannot hold."""

# Characters that change the direction of the text around them.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def shortened(text: str) -> str:
    """The text, or its beginning and `…`, without characters that XML cannot hold."""
    cut = len(text) > LONGEST
    text = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    lines = NOT_XML.sub("\ufffd", text).split("\n")
    cut = cut or len(lines) > MOST_LINES
    return "\n".join(lines[:MOST_LINES]) + "…" * cut


def one_line(label: str) -> str:
    """The label shortened to a single line that does not affect the text around it."""
    return on_one_line(shortened(label))


def on_one_line(text: str) -> str:
    """The text as a single line that does not affect the text around it."""
    text = NOT_XML.sub("\ufffd", text).replace("\n", "↵")
    return without_turns(re.sub("[\x7f-\x9f\u2028\u2029\t\r]", "\ufffd", text))


def without_turns(text: str) -> str:
    """The text with characters that change its direction written as their numbers."""
    return _TURNING.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


# ---------------------------------------------------------------------------------------- measures


def columns(text: str) -> int:
    """The columns that one line of text takes on a terminal: two for a Chinese character."""
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(c) or category(c) in _INVISIBLE else 1 + (east_asian_width(c) in "WF")
        for c in text
    )


_INVISIBLE = ("Mn", "Me", "Cf")


def in_columns(rows: Iterable[Sequence[str]], *, right: bool = False) -> list[str]:
    """The rows of a table as lines, whose cells are aligned at the left or at the right.

    A column that is empty in every row takes no room.
    """
    rows = list(rows)
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        gaps = [" " * (width - columns(x)) for x, width in zip(row, widths, strict=True)]
        cells = [gap + x if right else x + gap for x, gap in zip(row, gaps, strict=True)]
        lines.append("  ".join(filter(None, cells)).rstrip())
    return lines


def pieces(text: str) -> list[str]:
    """The parts of a text between which a line may break: words, and single Chinese characters."""
    return re.findall(r"\s*[\u2e80-\uffef]|\s*[^\s\u2e80-\uffef]+|\s+", text)


def filled(parts: Iterable[str], width: int) -> Iterator[str]:
    """Lines of at most `width` columns, if the parts allow it; none begins with a closing sign.

    >>> [*filled(pieces("one two three"), 8)]
    ['one two', 'three']
    """
    kept: list[str] = []
    for part in parts:
        if kept and part.strip() in _CLOSING:
            kept[-1] += part
        else:
            kept.append(part)
    line = ""
    for part in kept:
        if line and columns(line + part.rstrip()) > width:
            yield line.rstrip()
            line, part = "", part.lstrip()
        line += part
    yield line.rstrip()


_CLOSING = frozenset(",.;:!?)，。；：！？）、")
