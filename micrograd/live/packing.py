"""A shorter form of a text that repeats itself, such as the data of a large graph.

What stood in the text before is written as a tab and three signs: two for how far back it is, and
one for how long. `unpacked` in `assets/packing.js` gives the text back.
"""

from __future__ import annotations

import re
from collections import defaultdict

_DIGITS, _FIRST = 64, ord("?")  # the signs of the numbers, from "?" to "~"
_SIZE = 4  # signs for what stood before
_LEAST = _SIZE + 1  # signs that are worth it
_MOST = _LEAST + _DIGITS - 1
_FAR = _DIGITS**2 - 1
_TRIED = 100  # places with the same beginning that are compared


def packed(text: str) -> str:
    r"""Return a shorter form of a text of JSON, which therefore has no tabs.

    Letters beyond the first plane, which a browser counts twice, are written as `\u` codes.

    >>> packed('["a long text","a long text"]').replace("\t", "|")
    '["a long text",|?MG]'
    """
    text = re.sub("[\U00010000-\U0010ffff]", _as_codes, text)
    places: defaultdict[str, list[int]] = defaultdict(list)
    parts, here = [], 0
    while here < len(text):
        beginning = text[here : here + _LEAST]
        near = (p for p in places[beginning][-_TRIED:] if here - p <= _FAR)
        length, place = max(((_shared(text, p, here), p) for p in near), default=(0, 0))
        if length < _LEAST:
            length = 1
            parts.append(text[here])
        else:
            far, rest = divmod(here - place, _DIGITS)
            parts.append("\t" + "".join(chr(_FIRST + x) for x in (far, rest, length - _LEAST)))
        for p in range(here, here + length):
            places[text[p : p + _LEAST]].append(p)
        here += length
    return "".join(parts)


def _shared(text: str, place: int, here: int) -> int:
    """How many signs from a place on are as those from here on; they do not overlap."""
    most = min(_MOST, here - place, len(text) - here)
    for length in range(most):
        if text[place + length] != text[here + length]:
            return length
    return max(most, 0)


def _as_codes(letter: re.Match[str]) -> str:
    high, low = divmod(ord(letter[0]) - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
