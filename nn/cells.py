"""The columns of a table, whose cells are numbers, words, or missing.

Numbers may be written in any of the usual ways: `-1.5e3`, `1,234.5`, `1.234,5`, `1 234`, `12%`,
`$0.80`. Some texts, such as `1,234`, are one number if a point marks the decimals and another one
if a comma does. `reading` gives both, and `resolve` chooses one for each column of a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from math import inf, isinf, isnan, nan
from typing import NamedTuple

MISSING = frozenset(("", "na", "n/a", "n.a.", "#n/a", "nan", "null", "?", "-", "."))
"""Texts, in lower case, that stand for a missing value."""
LARGEST = 1e150
"""Larger numbers are refused, since their squares are infinite."""

POINT, COMMA = "point", "comma"
_MARKS = {POINT: ".", COMMA: ","}
_OTHER = {POINT: COMMA, COMMA: POINT}
_CURRENCIES = "$€£¥₹"
_NUMBER = re.compile(
    rf"([-+]?)([{_CURRENCIES}]?)\s?([-+]?)((?:\d[\d.,'’\s]*)?\d[.,]?|[.,]\d+)([eE][-+]?\d+)?"
    rf"\s*([%‰{_CURRENCIES}]?)"
)
_SIMPLE = re.compile(r"[-+]?(?:\d+\.(?:\d{1,2}|\d{4,})|0\.\d+)")  # most numbers are written so
_DIGITS = {  # by the mark of the decimals; the other mark separates thousands, as in group 1
    decimal: re.compile(
        rf"(?:[1-9]\d{{0,2}}(?:['’\s]\d{{3}})+|[1-9]\d{{0,2}}((?:\{thousands}\d{{3}})+)|\d*)"
        rf"(?:\{_MARKS[decimal]}\d*)?"
    )
    for decimal, thousands in ((POINT, ","), (COMMA, "."))
}


def quoted(cell: str) -> str:
    """Return a cell as a message shows it: in quotes, escaped, and cut after 60 characters."""
    return repr(cell if len(cell) <= 60 else f"{cell[:60]}…")


def listed(names: Sequence[str], most: int = 20) -> str:
    """Return names as a message lists them: quoted, and only the first `most` of them."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(quoted, names[:most])) + more


class Reading(NamedTuple):
    """A number in two readings: a point or a comma marks its decimals. None is an impossible one.

    `unit` is the sign before or after the number, such as `%` or `$`.
    """

    point: float | None
    comma: float | None
    unit: str = ""

    @property
    def decimal(self) -> str:
        """The mark, `POINT` or `COMMA`, if only one reading is possible; "" if both are."""
        return COMMA if self.point is None else POINT if self.comma is None else ""

    @property
    def doubtful(self) -> str:
        """The mark that may separate thousands or mark decimals, if there is one; else ""."""
        if self.point is None or self.comma is None or self.point == self.comma:
            return ""
        return COMMA if abs(self.comma) < abs(self.point) else POINT


def reading(text: str) -> Reading | None:
    """Read a cell as a number.

    Returns:
        Both readings of the number, or None if the cell is not a number.
    """
    if text.isdecimal():  # in a quarter of the time, as the next
        return Reading(float(text), float(text))
    if _SIMPLE.fullmatch(text):
        return Reading(float(text), None)
    found = _NUMBER.fullmatch(text.replace("\N{MINUS SIGN}", "-"))
    if found is None:
        return Reading(inf, inf) if re.fullmatch("[-+]?inf(inity)?", text, re.I) else None
    sign, before, inner, digits, exponent, after = found.groups(default="")
    if (sign and inner) or (before and after):
        return None
    point, comma = (_number(sign + inner, digits, exponent, decimal) for decimal in (POINT, COMMA))
    return None if point is None and comma is None else Reading(point, comma, before or after)


def _number(sign: str, digits: str, exponent: str, decimal: str) -> float | None:
    found = _DIGITS[decimal].fullmatch(digits)
    if found is None or (found[1] and exponent):  # thousands are not grouped before an exponent
        return None
    ungrouped = re.sub(rf"['’\s{_MARKS[_OTHER[decimal]]}]", "", digits)
    return float(sign + ungrouped.replace(",", ".") + exponent)


class Column:
    """A column of a table.

    Attributes:
        cells: the texts, one for each row.
        readings: what `reading` gives for each cell.
        words: the cells, with None in place of those that stand for a missing value.
        missing: the rows of those cells.
        numbers: the numbers after `resolve`, nan where one is missing; None for a column of words.
        unit: the unit of the numbers.
        fault: the first row with a mistake, and what is wrong and what to do; None without one.
    """

    def __init__(
        self, cells: Sequence[str], readings: Sequence[Reading | None] | None = None
    ) -> None:
        self.cells = list(cells)
        self.readings = [reading(cell) for cell in cells] if readings is None else list(readings)
        tokens = MISSING - {"-"} if "+" in cells else MISSING  # beside a plus, a minus is a word
        self.words = [None if cell.lower() in tokens else cell for cell in cells]
        self.missing = [row for row, word in enumerate(self.words) if word is None]
        self.numbers: list[float] | None = None
        self.unit = ""
        self.fault: tuple[int, str] | None = None

    @cached_property
    def is_numeric(self) -> bool:
        """Whether most of the cells that are not missing are numbers."""
        count = sum(each is not None for each in self.readings)
        return 2 * count > len(self.cells) - len(self.missing)

    @property
    def is_empty(self) -> bool:
        """Whether every cell is missing."""
        return len(self.missing) == len(self.cells)

    @property
    def example(self) -> str:
        """The first cell that is not missing, as a message shows it."""
        return quoted(next(word for word in self.words if word is not None))

    @cached_property
    def decimals(self) -> list[str]:
        """The marks of decimals, as far as they follow from single cells."""
        return list(dict.fromkeys(each.decimal for each in self.readings if each and each.decimal))

    def read_numbers(self, decimal: str | None, separator: str) -> None:
        """Set `numbers`, `unit` and `fault`; see `resolve`.

        Without a `decimal`, a mark that may separate thousands or mark decimals is a mistake. A
        comma always may. A point may where semicolons separate the cells, since commas then often
        mark the decimals, or where whole numbers are in the column, too, since decimals mostly have
        one length; but hardly where commas separate the cells.
        """
        found = [getattr(each, decimal or POINT, None) for each in self.readings]
        self.numbers = [nan if number is None else number for number in found]
        self.unit = next((each.unit for each in self.readings if each), "")
        is_mixed = any(each and each.point == each.comma for each in self.readings)
        may_be_thousands = separator == ";" or (is_mixed and separator != ",")
        doubtful = () if decimal else (COMMA, POINT) if may_be_thousands else (COMMA,)
        known = zip(self.words, self.readings, self.numbers, strict=True)
        for row, (word, each, number) in enumerate(known):
            if word is None:
                continue
            cell, remedy = quoted(word), "correct it"
            if each is None or isnan(number):
                wrong = f"{cell} is not a number, but most cells of the column are"
            elif each.doubtful in doubtful:
                mark = each.doubtful
                wrong = f"the {mark} in {cell} may separate thousands or mark decimals"
                remedy = (
                    f"say --decimal {_OTHER[mark]} if it separates thousands, or --decimal {mark} "
                    "if it marks decimals"
                )
            elif each.unit != self.unit:
                wrong = f"{cell} is in another unit than the cells above"
            elif abs(number) > LARGEST:
                much = "not finite" if isinf(number) else f"larger than {LARGEST:g}"
                wrong = f"{cell} is {much}"
            else:
                continue
            self.fault = row, f"{wrong}: {remedy}"
            return

    def unusual(self) -> Iterable[tuple[object, str]]:
        """Yield the kind of each number that Python would read otherwise, and how it was read."""
        if self.fault is None and self.numbers is not None:
            for cell, each, number in zip(self.cells, self.readings, self.numbers, strict=True):
                if each and not _reads_as(cell, number):
                    kind = each.unit, each.decimal, each.doubtful
                    yield kind, f"{quoted(cell)} is read as {number:.10g}"


def _reads_as(cell: str, number: float) -> bool:
    """Whether Python reads the cell as this number."""
    try:
        return float(cell) == number
    except ValueError:
        return False


def resolve(columns: Iterable[Column], decimal: str | None, separator: str) -> None:
    """Read the numbers in each column that mostly has numbers.

    Args:
        columns: all columns of a table.
        decimal: what marks the decimals, `POINT` or `COMMA`. If None, it follows from the cells of
            each column, or else from those of the other columns if they agree. If it does not, a
            number with two readings becomes the fault of its column.
        separator: what separates the cells of a line.
    """
    numeric = [each for each in columns if each.is_numeric]
    told = {mark for each in numeric for mark in each.decimals}
    common = decimal or (told.pop() if len(told) == 1 else None)
    for each in numeric:
        each.read_numbers(decimal or next(iter(each.decimals), common), separator)
