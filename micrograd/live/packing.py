r"""A shorter form of a text that repeats itself: the script of a page, with the data of a graph.

What stood in the text before is written in one of two ways: as a tab and three digits, two for how
far back it is and one for how long; or, if it is short and not far back, as the end of a line and
two digits for both. A digit is one of 91 signs. `unpacked` in `assets/packing.js` gives the text
back.
"""

from __future__ import annotations

import re
from collections import defaultdict

_BASE = 91  # the signs from "#" to "~" without "<", which begins a tag
_LEAST, _MOST, _FAR = 5, 5 + _BASE - 1, _BASE**2 - 1  # lengths of what three digits stand for
_LENGTHS = 8
_SHORTEST, _SHORT, _NEAR = 4, 4 + _LENGTHS - 1, _BASE**2 // _LENGTHS - 1  # and two digits
_TRIED = 100  # places with the same beginning that are compared


def packed(text: str, before: str = "") -> str:
    r"""Return a shorter form of a text of one line without tabs, and with letters of one plane.

    Args:
        text: the text.
        before: what stands before it, packed by itself.

    >>> packed('["a long text","a long text"]').replace("\t", "|")
    '["a long text",|#1+]'
    >>> packed("a long text", "so long a text, a long text")
    "\n$'"
    """
    repeats = _repeats(text, before[-_FAR:])
    size = len(text)
    costs, parts = [0] * (size + 1), [(0, 1)] * size  # a distance of 0 is the sign itself
    for here in reversed(range(size)):
        cost, part = costs[here + 1] + len(text[here].encode()), (0, 1)
        for distance, length in repeats[here]:
            shorter = range(_SHORTEST, min(length, _SHORT) + 1) if distance <= _NEAR else ()
            for long in (*shorter, length) if length >= _LEAST else shorter:
                one = costs[here + long] + (3 if long <= _SHORT and distance <= _NEAR else 4)
                if one < cost:
                    cost, part = one, (distance, long)
        costs[here], parts[here] = cost, part
    found, here = [], 0
    while here < size:
        distance, long = parts[here]
        found.append(_written(distance, long) if distance else text[here])
        here += long
    return "".join(found)


def _repeats(text: str, before: str) -> list[list[tuple[int, int]]]:
    """For each place, the distance and length of its longest repeats: of all, and of near ones."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    start, text = len(before), before + text
    for here in range(start):
        places[text[here : here + _SHORTEST]].append(here)
    repeats = []
    for here in range(start, len(text)):
        earlier = places[text[here : here + _SHORTEST]]
        far = near = (0, 0)
        for place in reversed(earlier[-_TRIED:]):
            if here - place > _FAR:
                break
            most = min(_MOST, here - place, len(text) - here)  # they do not overlap
            while far[1] < most and text.startswith(text[here : here + far[1] + 1], place):
                far = (here - place, far[1] + 1)
            if here - place <= _NEAR:
                near = far
            if far[1] == _MOST:
                break
        repeats.append([each for each in (near, far) if each[1]])
        earlier.append(here)
    return repeats


def _written(distance: int, length: int) -> str:
    """A repeat in two digits if it is short and near, otherwise in three."""
    if length <= _SHORT and distance <= _NEAR:
        return f"\n{_digits(_LENGTHS * distance + length - _SHORTEST)}"
    return f"\t{_digits(distance)}{_digit(length - _LEAST)}"


def _digits(number: int) -> str:
    return "".join(map(_digit, divmod(number, _BASE)))


def _digit(number: int) -> str:
    return chr(ord("#") + number + (number > ord(";") - ord("#")))


def in_one_plane(text: str) -> str:
    r"""Write letters beyond the first plane, which a browser counts twice, as `\u` codes.

    >>> in_one_plane('"𝑥₁"')
    '"\\ud835\\udc65₁"'
    """
    return re.sub("[\U00010000-\U0010ffff]", _as_codes, text)


def _as_codes(letter: re.Match[str]) -> str:
    high, low = divmod(ord(letter[0]) - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
