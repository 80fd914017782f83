"""How numbers and names are written in a drawing."""

from __future__ import annotations

import html
import math
import re
from typing import Any
from unicodedata import category, east_asian_width

from micrograd.formulas import to_float

NO_GRADIENT = "—"

# ------------------------------------------------------------------------------------------ numbers


def number(x: Any) -> str:
    """A number in a few characters: four decimals, or four digits if it is small or large.

    Zeros at the end are dropped only where nothing was rounded: `0.5` is exact, `0.5000` is not.
    """
    try:
        x = to_float(x)
    except (TypeError, ValueError, OverflowError):
        return shortened(str(x))
    size = abs(x)
    if size == 0 or not math.isfinite(x):
        return f"{x:g}"
    if not 1e-3 <= size < 1e6:
        mantissa, exponent = _tidied(f"{x:.3e}", x).split("e")
        return f"{mantissa}e{int(exponent)}"
    return _tidied(f"{x:.4f}" if size >= 0.1 else f"{x:#.4g}", x)


def _tidied(text: str, x: float) -> str:
    if float(text) != x:
        return text
    digits, e, exponent = text.partition("e")
    return digits.rstrip("0").rstrip(".") + e + exponent


def gradient(grad: Any) -> str:
    """A gradient; `—` for the integer 0, which a value holds until a backward pass reaches it.

    `backward` leaves a float (1 at its root), also where the derivative is 0; `zero_grad` sets the
    integer again.
    """
    return NO_GRADIENT if type(grad) is int and grad == 0 else number(grad)


# -------------------------------------------------------------------------------------------- names

LONGEST = 60  # characters of a name that are shown
MOST_LINES = 4

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def shortened(text: str) -> str:
    """The text, or its beginning and `…`, as characters that XML can hold and lines."""
    cut = len(text) > LONGEST
    text = text[:LONGEST].replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    lines = _NOT_XML.sub("\ufffd", text).split("\n")
    cut = cut or len(lines) > MOST_LINES
    return "\n".join(lines[:MOST_LINES]) + "…" * cut


def html_text(text: str) -> str:
    r"""The text for an HTML-like label, which then shows it literally.

    Graphviz expands `\N` there even if the backslash is an entity, so it is doubled; and version 2
    stumbles over a cell that is only `]`.
    """
    return '<BR ALIGN="LEFT"/>'.join(
        html.escape(line).replace("]", "&#93;").replace("\\", "\\\\") or " "
        for line in text.split("\n")
    )


def width(text: str, size: float) -> int:
    """A good width in points for text in letters of that size.

    Renderers without the right font measure Chinese letters too narrow, and a reader's browser may
    have a wider font than theirs.
    """
    return math.ceil(max(sum(map(_ems, line)) for line in text.split("\n")) * size)


def _ems(character: str) -> float:
    if character.isascii():
        return 0.56
    kind, wide = category(character), east_asian_width(character)
    if kind in ("Mn", "Me", "Cf"):
        return 0.0
    return 1.0 if wide in "WF" or (wide == "A" and kind[0] != "L") else 0.6
