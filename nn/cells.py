"""What the cells of a table say: a number, a word, or nothing.

A cell is a number if it is one as people write them: `-1.5e3`, `1,234.5`, `1.234,5`, `1 234`,
`12%`, `$0.80`. `scan` looks at each cell of a column once. `resolve` then reads the numbers, when
the whole table has told whether a comma or a point marks the decimals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import inf, nan
from typing import NamedTuple

MISSING = frozenset(("", "na", "n/a", "n.a.", "#n/a", "nan", "null", "?", "-", "."))
"""Texts, in lower case, that stand for a value that is missing."""
LARGEST = 1e150
"""Larger numbers are refused, since their squares are infinite."""

_LONGEST = 60  # characters of a cell that a message shows

POINT, COMMA = "point", "comma"
_MARKS = {".": POINT, ",": COMMA}
_OTHER = {POINT: COMMA, COMMA: POINT}
_CURRENCIES = "$€£¥₹"
_CELL = re.compile(
    rf"([-+]?)([{_CURRENCIES}]?)\s?([-+]?)(\d[\d.,'’\s]*|[.,]\d+)([eE][-+]?\d+)?\s?([%‰{_CURRENCIES}]?)"
)
_SIMPLE = re.compile(r"[-+]?(?:\d+\.(?:\d{1,2}|\d{4,})|0\.\d+)")  # which is most numbers
_SPACED = re.compile(r"[1-9]\d{0,2}(?:['’\s]\d{3})+(?:[.,]\d*)?")
_GROUPS = {mark: re.compile(rf"[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+") for mark in _MARKS}


def quoted(cell: str) -> str:
    """The cell as a message shows it: in quotes, escaped, and not too long."""
    return repr(cell if len(cell) <= _LONGEST else f"{cell[:_LONGEST]}…")


class Shape(NamedTuple):
    """How a number is written.

    `decimal` is the mark of its decimals, `POINT` or `COMMA`; "" if there are none. `group` is the
    mark in a number such as `1,234`, whose comma may mark decimals or thousands.
    """

    body: str
    unit: str = ""
    decimal: str = ""
    group: str = ""

    def number(self, decimal: str) -> float | None:
        """The number, if that marks the decimals; None if it is not written so."""
        if self.decimal == _OTHER[decimal]:
            return None
        comma = decimal == COMMA
        body = self.body.replace(".", "").replace(",", ".") if comma else self.body
        return float(body.replace(",", ""))


def shape(text: str) -> Shape | None:
    """How a cell is written as a number, or None if it is not a number."""
    if text.isdecimal():
        return Shape(text)
    if _SIMPLE.fullmatch(text):
        return Shape(text, decimal=POINT)
    text = text.replace("\N{MINUS SIGN}", "-")
    found = _CELL.fullmatch(text)
    if found is None:
        infinite = text.lower().lstrip("+-") in ("inf", "infinity")
        return Shape(text) if infinite else None
    sign, before, inner, body, exponent, after = found.groups(default="")
    body = body.rstrip()
    if re.search(r"['’\s]", body):
        if _SPACED.fullmatch(body) is None:
            return None
        body = re.sub(r"['’\s]", "", body)
    if (sign and inner) or (before and after):
        return None
    marks = {mark for mark in body if mark in _MARKS}
    decimal = group = ""
    if len(marks) == 2:
        last = max(marks, key=body.rindex)
        whole, _, _ = body.rpartition(last)
        (other,) = marks - {last}
        if _GROUPS[other].fullmatch(whole) is None:
            return None
        decimal = _MARKS[last]
    elif marks:
        (mark,) = marks
        if body.count(mark) > 1:
            if _GROUPS[mark].fullmatch(body) is None:
                return None
            decimal = _OTHER[_MARKS[mark]]
        elif not exponent and _GROUPS[mark].fullmatch(body):
            group = mark
        else:
            decimal = _MARKS[mark]
    return Shape(sign + inner + body + exponent, before or after, decimal, group)


class Scan(NamedTuple):
    """A column that was looked at: the shape of each cell, None where it is not a number."""

    name: str
    cells: list[str]
    shapes: list[Shape | None]
    missing: list[int]

    @property
    def decimals(self) -> list[str]:
        """The marks of decimals that its cells leave no doubt about."""
        found = (each.decimal for each in self.shapes if each is not None)
        return list(dict.fromkeys(mark for mark in found if mark))

    @property
    def is_numeric(self) -> bool:
        """Whether most of the cells that are there are numbers."""
        count = sum(each is not None for each in self.shapes)
        return 2 * count > len(self.cells) - len(self.missing)


def scan(name: str, cells: Sequence[str]) -> Scan:
    """Look at each cell of a column."""
    missing = [row for row, cell in enumerate(cells) if cell.lower() in MISSING]
    if "+" in cells:  # a minus is its opposite
        missing = [row for row in missing if cells[row] != "-"]
    return Scan(name, list(cells), [shape(cell) for cell in cells], missing)


class Column(NamedTuple):
    """A column: its cells, the rows where one is missing, and its numbers, None if it has words.

    A number is nan where it is missing. `fault` is a row, what is wrong there, and a remedy if
    leaving the column out is not one.
    """

    name: str
    cells: list[str]
    missing: list[int]
    numbers: list[float] | None = None
    unit: str = ""
    fault: tuple[int, str, str] | None = None

    @property
    def words(self) -> list[str | None]:
        """The cells, None where one is missing."""
        gone = set(self.missing)
        return [None if row in gone else cell for row, cell in enumerate(self.cells)]


def resolve(
    scans: Iterable[Scan], decimal: str | None, *, doubtful: str, doubtful_if_mixed: str = ""
) -> list[Column]:
    """The columns, whose decimals are marked as is told by `decimal` or by their own cells.

    Where the cells of a column leave it open, the other columns tell. Where these do not agree, a
    group after one of the marks in `doubtful` is a fault. So is one after those in
    `doubtful_if_mixed`, if the column has whole numbers too: decimals are mostly of one length.
    """
    scans = list(scans)
    numeric = [each.is_numeric for each in scans]
    told = {
        mark
        for each, is_numeric in zip(scans, numeric, strict=True)
        if is_numeric
        for mark in each.decimals
    }
    common = decimal or (told.pop() if len(told) == 1 else None)
    made = []
    for each, is_numeric in zip(scans, numeric, strict=True):
        own = decimal or next(iter(each.decimals), common)
        plain = Column(each.name, each.cells, each.missing)
        is_mixed = any(s and not s.decimal and not s.group for s in each.shapes)
        marks = doubtful + doubtful_if_mixed if is_mixed else doubtful
        made.append(_numbers(each, own, marks) if is_numeric else plain)
    return made


def _numbers(scanned: Scan, decimal: str | None, doubtful: str) -> Column:
    """A column of numbers; without `decimal` nothing in the table tells the mark of decimals."""
    name, cells, shapes, missing = scanned
    fault: tuple[int, str, str] | None = None
    groups = [row for row, each in enumerate(shapes) if each and each.group in tuple(doubtful)]
    if decimal is None and groups:
        cell, mark = cells[groups[0]], shapes[groups[0]].group  # type: ignore[union-attr]
        word = _MARKS[mark]
        remedy = (
            f"say --decimal {_OTHER[word]} if the {word} separates thousands, "
            f"or --decimal {word} if it marks decimals"
        )
        fault = groups[0], f"{quoted(cell)} may have a {word} for thousands or for decimals", remedy
    decimal = decimal or POINT
    numbers: list[float] = []
    unit = next((each.unit for each in shapes if each), "")
    gone = set(missing)
    for row, each in enumerate(shapes):
        number = None if each is None else each.number(decimal)
        numbers.append(nan if number is None else number)
        if fault is not None or row in gone:
            continue
        if number is None:
            fault = (
                row,
                f"{quoted(cells[row])} is no number, but most of the column is",
                "correct it",
            )
        elif each is not None and each.unit != unit:
            fault = (
                row,
                f"{quoted(cells[row])} is in another unit than the cells above",
                "correct it",
            )
        elif abs(number) == inf:
            fault = row, f"{quoted(cells[row])} is not finite", "correct it"
        elif abs(number) > LARGEST:
            fault = row, f"{quoted(cells[row])} is larger than {LARGEST:g}", "correct it"
    return Column(name, cells, missing, numbers, unit, fault)
