r"""A shorter form of a text that repeats itself, such as the data of a large graph.

What stood in the text before is written in one of two ways: as a tab and three digits, two for how
far back it is and one for how long; or, if it is short and not far back, as the end of a line and
two digits for both. A digit is one of 91 signs. `unpacked` in `assets/packing.js` gives the text
back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

_BASE = 91  # the signs from "#" to "~" without "<", which begins a tag
_LEAST, _MOST, _FAR = 5, 5 + _BASE - 1, _BASE**2 - 1  # lengths of what three digits stand for
_LENGTHS = 8
_SHORTEST, _SHORT, _NEAR = 4, 4 + _LENGTHS - 1, _BASE**2 // _LENGTHS - 1  # and two digits
_TRIED = 100  # places with the same beginning that are compared


def packed(text: str) -> str:
    r"""Return a shorter form of a text of JSON, which has no tabs and no ends of lines.

    Letters beyond the first plane, which a browser counts twice, are written as `\u` codes.

    >>> packed('["a long text","a long text"]').replace("\t", "|")
    '["a long text",|#1+]'
    """
    text = re.sub("[\U00010000-\U0010ffff]", _as_codes, text)
    repeats = _repeats(text)
    costs, parts = [0] * (len(text) + 1), [("", 0)] * len(text)
    for here in reversed(range(len(text))):
        sign = text[here]
        costs[here], parts[here] = costs[here + 1] + len(sign.encode()), (sign, 1)
        for distance, length in repeats[here]:
            for written, long in _ways(distance, length):
                cost = costs[here + long] + len(written)
                if cost < costs[here]:
                    costs[here], parts[here] = cost, (written, long)
    found, here = [], 0
    while here < len(text):
        written, long = parts[here]
        found.append(written)
        here += long
    return "".join(found)


def _repeats(text: str) -> list[list[tuple[int, int]]]:
    """For each place, the distance and length of its longest repeats: of all, and of near ones."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    repeats = []
    for here in range(len(text)):
        earlier = places[text[here : here + _SHORTEST]]
        far = near = (0, 0)
        for place in reversed(earlier[-_TRIED:]):
            if here - place > _FAR:
                break
            if text.startswith(text[here : here + far[1] + 1], place):  # perhaps longer
                far = max(far, (here - place, _shared(text, place, here)), key=_length)
            if here - place <= _NEAR:
                near = far
        repeats.append([each for each in (near, far) if each[1]])
        earlier.append(here)
    return repeats


def _length(repeat: tuple[int, int]) -> int:
    return repeat[1]


def _shared(text: str, place: int, here: int) -> int:
    """How many signs from a place on are as those from here on; they do not overlap."""
    most = min(_MOST, here - place, len(text) - here)
    for length in range(most):
        if text[place + length] != text[here + length]:
            return length
    return max(most, 0)


def _ways(distance: int, length: int) -> Iterator[tuple[str, int]]:
    """The ways to write a repeat or its beginning, each with the number of signs it covers."""
    if distance <= _NEAR:
        for long in range(_SHORTEST, min(length, _SHORT) + 1):
            yield f"\n{_digits(_LENGTHS * distance + long - _SHORTEST)}", long
    if length >= _LEAST:
        yield f"\t{_digits(distance)}{_digit(length - _LEAST)}", length


def _digits(number: int) -> str:
    return "".join(map(_digit, divmod(number, _BASE)))


def _digit(number: int) -> str:
    return chr(ord("#") + number + (number > ord(";") - ord("#")))


def _as_codes(letter: re.Match[str]) -> str:
    high, low = divmod(ord(letter[0]) - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
