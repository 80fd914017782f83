"""Formulas that differ only in an index: x₁, x₂, x₃ and x₄ are xᵢ for i from 1 to 4.

>>> from micrograd.writing.notation import named
>>> names = {f"x{i}": named(f"x{i}") for i in range(1, 5)}
>>> found = general([Call("sin", (name,)) for name in names], names)
>>> found.names[found.tree.operands[0]].text, found.letter, found.first, found.last
('xᵢ', 'i', 1, 4)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, NamedTuple
from unicodedata import combining, digit

from micrograd.table.formulas import Call, Tree, variables
from micrograd.writing.marks import Mark, row
from micrograd.writing.names import subscript, superscript
from micrograd.writing.notation import Formula

_LETTERS = "ijk"
_DIGITS = "₀₁₂₃₄₅₆₇₈₉", "⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"
TO_DIGITS = str.maketrans(_DIGITS[0], _DIGITS[2])
_ABOVE = str.maketrans(_DIGITS[1], _DIGITS[2])
DIGITS = re.compile(r"([₀-₉]+|[⁰¹²³⁴⁵⁶⁷⁸⁹]+|[0-9]+)")


class General(NamedTuple):
    """What several formulas have in common: a formula with an index, and the range of the index.

    `names` has the names of the variables with the index; those of others are as before. If `last`
    is less than `first`, the index counts down.
    """

    tree: Tree
    names: dict[str, Formula]
    letter: str
    first: int
    last: int


def alike(trees: Iterable[Tree], names: Mapping[str, Formula], step: int | None = 1) -> int:
    """How many of the first formulas are cases of one; at least 1, if there are any.

    Args:
        trees: the formulas, in order of the index.
        names: the names of their variables.
        step: 1 for an index that counts up, -1 for one that counts down; None for either.
    """
    found: list[Tree] = []
    for tree in trees:
        if found and general([found[-1], tree], names, step) is None:
            break
        found.append(tree)
    while len(found) > 1 and general(found, names, step) is None:
        found.pop()
    return len(found)


class _DifferentError(Exception):
    """The formulas differ in more than an index."""


def general(
    trees: Sequence[Tree], names: Mapping[str, Formula], step: int | None = 1
) -> General | None:
    """The formula that all these are cases of; None if no formula is.

    Args:
        trees: the formulas, in order of the index.
        names: the names of their variables.
        step: 1 for an index that counts up, -1 for one that counts down; None for either.
    """
    if len(trees) < 2:
        return None
    used = {names[key].text for key in variables(trees[0]) if key in names}
    letter = next((each for each in _LETTERS if each not in names and each not in used), None)
    if letter is None:
        return None
    matching = _Matching(names, letter, step)
    try:
        tree = matching.matched(trees)
    except _DifferentError:
        return None
    numbers = matching.numbers
    if numbers is None:
        return None
    return General(tree, matching.found, letter, numbers[0], numbers[-1])


class _Matching:
    def __init__(self, names: Mapping[str, Formula], letter: str, step: int | None) -> None:
        self.names, self.letter, self.step = names, letter, step
        self.numbers: list[int] | None = None
        self.found: dict[str, Formula] = {}
        self.known: dict[tuple[str, ...], str] = {}  # the names with an index, by those without
        self.are_digits = True  # whether each digit of the names at hand is an index

    def matched(self, trees: Sequence[Tree]) -> Tree:
        first = trees[0]
        if all(tree == first for tree in trees):
            return first
        if all(isinstance(tree, str) for tree in trees):
            keys = tuple(map(str, trees))
            return self.known.get(keys) or self.known.setdefault(keys, self._indexed(keys))
        calls = [tree for tree in trees if isinstance(tree, Call)]
        if len(calls) < len(trees) or len({(call.name, len(call.operands)) for call in calls}) > 1:
            raise _DifferentError
        columns = zip(*(call.operands for call in calls), strict=True)
        return Call(calls[0].name, tuple(map(self.matched, columns)))

    def _indexed(self, keys: Sequence[str]) -> str:
        self.are_digits = True
        names = [self.names[key] for key in keys]
        text = self._text([name.text for name in names])
        mark = self._mark([name.mark for name in names])
        strengths = names[0].text_strength, names[0].mark_strength
        are_conditions = all(name.is_condition for name in names)
        self.found[text] = Formula(text, mark, *strengths, is_condition=are_conditions)
        return text

    def _offset(self, numbers: list[int]) -> int:
        """By how much these numbers are above the index, which is the first that was found."""
        if self.numbers is None:
            steps = {after - before for before, after in pairwise(numbers)}
            if len(steps) > 1 or not steps <= ({1, -1} if self.step is None else {self.step}):
                raise _DifferentError
            self.numbers = numbers
        offsets = {number - index for number, index in zip(numbers, self.numbers, strict=True)}
        if len(offsets) > 1:
            raise _DifferentError
        return offsets.pop()

    def _text(self, texts: Sequence[str]) -> str:
        pieces = [DIGITS.split(text) for text in texts]
        if len({len(each) for each in pieces}) > 1:
            raise _DifferentError
        shown, varying = [], 0
        for column in zip(*pieces, strict=True):
            if len(set(column)) == 1:
                shown.append(column[0])
                continue
            varying += 1
            plain = [each.translate(TO_DIGITS).translate(_ABOVE) for each in column]
            if varying > 1 or not all(each.isdecimal() for each in plain):
                raise _DifferentError
            before, after = self._around(shown[:1], column, plain)
            numbers = [int(each[before : len(each) - after]) for each in plain]
            offset = self._offset(numbers)
            if offset and (before or after):
                raise _DifferentError  # nobody reads w₁ᵢ₊₁ as w with 1 and i + 1
            letter = self._letter_for(column[0], offset)
            first = column[0]
            shown.append(first[:before] + letter + first[len(first) - after :])
        return "".join(shown)

    def _around(self, stem: list[str], digits: Sequence[str], plain: list[str]) -> tuple[int, int]:
        """The digits before and after the index, if the digits of such a name are indices each.

        They are in w₁₁ and w₁₂, unless there is also a w₁, a w₉ or a w₁₀₀.
        """
        around = _around(plain)
        if any(around) and stem:
            plain_stem = "".join(c for c in stem[0] if not combining(c))  # of v̄₁₂, which has a bar
            first = digits[0]
            signs = next(each for each in _DIGITS if first[0] in each)
            others = (start + sign for start in (first[:-2], first) for sign in signs)
            self.are_digits = not any(plain_stem + other in self.names for other in others)
        return around if self.are_digits else (0, 0)

    def _letter_for(self, digits: str, offset: int) -> str:
        """The index as high or as low as the digits."""
        index = self.letter + (f"{offset:+d}" if offset else "")
        if digits != digits.translate(TO_DIGITS):
            return subscript(index)
        return index if digits.isascii() else superscript(index)

    def _mark(self, marks: Sequence[Any]) -> Any:
        first = marks[0]
        if all(mark == first for mark in marks):
            return first
        if not all(isinstance(mark, tuple) and len(mark) == len(first) for mark in marks):
            raise _DifferentError
        if first[0] == "mn":
            return self._digits([mark[1] for mark in marks])
        return tuple(self._mark(column) for column in zip(*marks, strict=True))

    def _digits(self, texts: Sequence[str]) -> Mark:
        """The index in place of a number, or of one of several with commas between them."""
        columns = list(zip(*(text.split(",") for text in texts), strict=False))
        shown: list[Mark] = []
        for column in columns:
            if shown:
                shown.append(("mo", ","))
            if len(set(column)) == 1:
                shown.append(("mn", column[0]))
                continue
            if not all(each.isdecimal() for each in column):
                raise _DifferentError
            before, after = _around(column) if self.are_digits else (0, 0)
            first = column[0]
            offset = self._offset([int(each[before : len(each) - after]) for each in column])
            shown += [("mn", first[:before])] * (before > 0) + [("mi", self.letter)]
            if offset:
                shown += [("mo", "+" if offset > 0 else "-"), ("mn", str(abs(offset)))]
            shown += [("mn", first[len(first) - after :])] * (after > 0)
        return row(*shown)


def _around(numbers: Sequence[str]) -> tuple[int, int]:
    """How many digits before and after the index are the same in all, as in w₁₁, w₁₂, w₁₃.

    An index begins at 1: in w₁₀, w₁₁, w₁₂ the index has two digits.
    """
    if len({len(each) for each in numbers}) > 1:
        return 0, 0
    varying = [i for i, digits in enumerate(zip(*numbers, strict=True)) if len(set(digits)) > 1]
    if len(varying) != 1 or any(digits[varying[0]] == "0" for digits in numbers):
        return 0, 0
    return varying[0], len(numbers[0]) - varying[0] - 1


def _digits(tree: Tree) -> list[tuple[int, list[int]]]:
    """The numbers in a formula, such that 9 is before 10."""
    return [(len(x), [*map(digit, x)]) for x in DIGITS.findall(str(tree))]


def by_index(equations: Sequence[Tree]) -> list[Tree]:
    """Equations, where neighbours that differ only in digits are in the order of these.

    They stay as they are if one of them needs another.
    """
    found: list[Tree] = []
    for _, run in groupby(equations, lambda each: DIGITS.sub("", str(each))):
        group = [*run]
        sides = [each.operands for each in group if isinstance(each, Call)]
        used = {name for _, *right in sides for each in right for name in variables(each)}
        if used.isdisjoint(left for left, *_ in sides):
            group.sort(key=_digits)
        found += group
    return found
