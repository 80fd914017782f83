"""Tables in text files, such as CSV: `read` gives a `Table` of columns.

Nothing is guessed that could be read in more than one way: a TableError names the line, the column
and the remedy, such as an option of `read`, which has the same name on the command line. The notes
of the table say what was decided.

Lines are parsed by the standard library, since the reader of pandas fills up short lines, drops
stray quotes and does not keep the numbers of lines.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import islice, pairwise
from math import isclose
from pathlib import Path
from typing import Any

from micrograd.writing.messages import meant
from nn.cells import MISSING, Column, listed, resolve

DELIMITERS = {"tab": "\t", "semicolon": ";", "bar": "|", "comma": ",", "space": " "}
"""Separators by name; that of a file is the one that gives most lines equally many cells."""
MOST_BYTES = 2**30
_BYTE_ORDERS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF16_LE: "utf-16"}  # their marks
_HEAD = 50  # the number of lines that the separator is found from


class TableError(ValueError):
    """A table cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Table:
    """The columns of a file by name, the line on which each row begins, and what was decided."""

    path: Path
    columns: dict[str, Column]
    lines: list[int]
    notes: list[str]

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self.columns)

    def __getitem__(self, name: str) -> Column:
        if name not in self.columns:
            known = listed(self.names)
            raise TableError(
                f"{self.path} has no column {name!r}; its columns are {known}"
                f"{meant(name, self.columns)}"
            )
        return self.columns[name]

    def place(self, row: int, name: str) -> str:
        """Return where a cell is, in words."""
        return f"{self.path}, line {self.lines[row]}, column {name!r}"

    def checked(self, name: str, otherwise: str = "") -> Column:
        """Return a column without a mistake, in which cells may be missing.

        Raises TableError, whose message may end with what to do `otherwise`.
        """
        column = self[name]
        if column.fault is not None:
            row, complaint = column.fault
            more = otherwise and f", or {otherwise}"
            raise TableError(f"{self.place(row, name)}: {complaint}{more}")
        return column

    def complete(self, name: str, remedy: str = "fill it in") -> Column:
        """Return a column without a mistake or a missing cell. Raises TableError."""
        column = self.checked(name)
        for row in column.missing:
            cell = column.cells[row]
            raise TableError(f"{self.place(row, name)}: the value is missing ({cell!r}): {remedy}")
        return column

    def numbers(self, name: str) -> list[float]:
        """Return the numbers of a column, nan where one is missing. Raises TableError for words."""
        column = self.checked(name)
        if column.numbers is None:
            raise TableError(
                f"{self.path}: the column {name!r} has words, such as {column.example}, instead of "
                "numbers"
            )
        return column.numbers


def are_unnamed(names: Iterable[str]) -> bool:
    """Whether all names are those that `read` gives to columns without a name."""
    return all(re.fullmatch(r"column \d+", name) for name in names)


def read(
    path: Path,
    *,
    header: bool | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    skip: int = 0,
    known: Collection[str] = (),
    unnamed: bool = False,
) -> Table:
    """Read the table in a text file, which may be compressed by gzip.

    Args:
        path: the file.
        header: whether the first line has the names of the columns. If None, that is inferred from
            the cells. Columns without a name are called `column 1` and so on.
        encoding: the encoding of the text. If None, it is UTF-8, unless the file begins with the
            byte order mark of another one.
        delimiter: the separator of cells, a character or its name in `DELIMITERS`.
        decimal: "point" or "comma", whichever marks the decimals of numbers.
        skip: the number of lines above the table.
        known: names that are expected in a header.
        unnamed: whether no header is expected.

    Raises TableError, and OSError if the file cannot be read.
    """
    text = StringIO(_text(path, encoding), newline="")
    above = sum(1 for _ in islice(text, skip))
    rest = text.read()
    hint = re.match(r"sep=(.)\r?\n", rest)  # spreadsheets write it
    if hint:
        rest, above = rest[hint.end() :], above + 1
    mark, quote = _dialect(rest, known, hint[1] if hint and delimiter is None else delimiter)
    notes = ["spaces separate the cells"] * (mark == " ")
    notes += ["single quotes around cells are left off"] * (quote == "'")
    lines, rows = _rectangle(list(_rows(rest, mark, quote, path, above)), path, mark)

    columns = [Column(cells) for cells in zip(*rows, strict=True)]
    below = [Column(each.cells[1:], each.readings[1:]) for each in columns]
    if header is None:
        header = _has_header(columns, below, known, unnamed)
        if header is None:
            raise TableError(
                f"{path}, line {lines[0]} may have the names of the columns ({listed(rows[0], 4)}) "
                "or data: say --header yes or --header no"
            )
        words = not any(each.readings[0] for each in columns)
        if header and not (words and any(each.is_numeric for each in below)):
            notes.append("the first line has the names of the columns")
        elif not header and not unnamed:
            notes.append("the first line is data, and the columns have no names")
    names = [(header and name) or f"column {place}" for place, name in enumerate(rows[0], 1)]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise TableError(
            f"{path} has two columns {name!r}: rename one, or say --header no if its first line "
            "does not have the names"
        )
    if header:
        columns, lines = below, lines[1:]
    if not lines:
        raise TableError(f"{path} has no rows below the names of its columns")
    resolve(columns, decimal, mark)
    unusual: dict[object, str] = {}
    for column in columns:
        for kind, note in column.unusual():
            unusual.setdefault(kind, note)
    return Table(path, dict(zip(names, columns, strict=True)), lines, [*notes, *unusual.values()])


def _text(path: Path, encoding: str | None) -> str:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(BytesIO(content)) as packed:
                content = packed.read(MOST_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise TableError(f"{path} is a damaged gzip file: {error}") from None
    if len(content) > MOST_BYTES:
        raise TableError(f"{path} has more than {MOST_BYTES:,} bytes: take a part of it")
    marked = (name for mark, name in _BYTE_ORDERS.items() if content.startswith((mark, mark[::-1])))
    encoding, place = encoding or next(marked, "utf-8"), ""
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise TableError(f"there is no encoding {encoding!r}: try utf-8, gbk or latin-1") from None
    except UnicodeError as error:
        text, place = "\0", f" (byte {getattr(error, 'start', 0)})"
    if "\0" in text:
        raise TableError(
            f"{path} is not text in {encoding}{place}: save it as CSV in UTF-8, or say its "
            "encoding, such as --encoding gbk or --encoding utf-16-le"
        )
    return text


# ------------------------------------------------------------------------------- lines into cells


def _dialect(text: str, known: Collection[str], delimiter: str | None) -> tuple[str, str]:
    """Find what separates cells, and what quotes them."""
    head = list(islice(StringIO(text, newline=""), _HEAD))
    if delimiter is None:
        shares = {mark: _regularity(head, mark) for mark in DELIMITERS.values() if mark != " "}
        mark = max(shares, key=lambda each: shares[each])
        if not shares[mark]:
            is_name = not head or head[0].strip().strip("\"'") in known
            mark = " " if not is_name and _regularity(head, " ") == 1 else ","
    else:
        mark = DELIMITERS.get(delimiter, delimiter)
        if len(mark) != 1 or mark in "\r\n\"'":
            raise TableError(
                f"--delimiter is a character or one of {', '.join(DELIMITERS)}, got {delimiter!r}"
            )
    start, between = "".join(head), re.escape(mark)
    cell = f"(?:^|{between}) *'[^'\r\n]*' *(?={between}|\r|\n|$)"
    single = '"' not in start and len(re.findall(cell, start, re.MULTILINE)) > 1
    return mark, "'" if single else '"'


def _regularity(head: Sequence[str], mark: str) -> float:
    """Return the share of lines that have the usual number of cells, or 0 if that is one cell."""
    try:
        rows = _reader([line.strip() for line in head] if mark == " " else head, mark)
        widths = Counter(len(row) for row in rows if row)
    except csv.Error:
        return 0
    usual = _usual(widths)
    return widths[usual] / sum(widths.values()) if usual > 1 else 0


def _usual(widths: Counter[int]) -> int:
    """Return the most frequent width, and of several the largest."""
    return max(widths, key=lambda width: (widths[width], width), default=1)


def _reader(lines: Iterable[str], mark: str, quote: str = '"', *, strict: bool = False) -> Any:
    return csv.reader(lines, delimiter=mark, quotechar=quote, skipinitialspace=True, strict=strict)


def _rows(
    text: str, mark: str, quote: str, path: Path, above: int
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line and the cells of each row; a blank line has one empty cell."""
    if mark == " ":
        text = re.sub(r"[ \t]+(?=[\r\n]|$)", "", text.replace("\t", " "))
    reader = _reader(StringIO(text, newline=""), mark, quote, strict=True)
    line = above + 1
    try:
        for row in reader:
            yield line, [cell.strip() for cell in row] or [""]
            line = above + reader.line_num + 1
    except csv.Error as error:
        complaint = str(error)
        if "unexpected end" in complaint:
            complaint = f"a quote ({quote}) opens here and is never closed"
        else:
            line = above + reader.line_num
        if "expected after" in complaint:
            complaint = (
                f"text follows the closing quote of a cell: write a quote in it as {2 * quote}"
            )
        raise TableError(f"{path}, line {line}: {complaint}") from None


def _rectangle(
    found: list[tuple[int, list[str]]], path: Path, mark: str
) -> tuple[list[int], list[list[str]]]:
    """Return the lines and the cells of the rows, equally many in each, or raise TableError.

    Blank rows at the top and at the bottom are left out, and between if rows have several cells; so
    are empty cells at the ends of lines.
    """
    if any(len(row) > 1 for _, row in found):
        found = [(line, row) for line, row in found if row != [""]]
    while found and found[-1][1] == [""]:
        del found[-1]
    if not found:
        raise TableError(f"{path} is empty")
    while len(found) > 1 and not any(found[0][1]):
        del found[0]
    lines, rows = [line for line, _ in found], [row for _, row in found]
    width = max(max((i for i, cell in enumerate(row, 1) if cell), default=1) for row in rows)
    widths = [len(row) for row in rows]
    if min(widths) >= width:
        return lines, [row[:width] for row in rows]
    usual, first, quote = _usual(Counter(widths)), widths[0], f"quote a cell with {mark!r} in it"
    if first < usual:
        line, count = lines[widths.index(usual)], usual
        start = line - lines[0]
        above = "the line above has" if start == 1 else f"the {start} lines above have"
        but = f"{above} fewer: say --skip {line - 1} if that is not part of the table"
        if usual - first == 1 == start:
            but += f"; add the missing name to line {lines[0]} if it has the names; or {quote}"
    else:
        line, count = next(each for each in zip(lines, widths, strict=True) if each[1] != first)
        lacking = f"add what is missing; a cell may be empty, but not the {mark!r} before it"
        but = f"the first line has {first}: {quote if count > first else lacking}"
    raise TableError(f"{path}, line {line} has {count} cell{'s' * (count != 1)}, but {but}")


# ------------------------------------------------------------------------------------- the header


def _has_header(
    columns: Sequence[Column], below: Sequence[Column], known: Collection[str], unnamed: bool
) -> bool | None:
    """Whether the first line has the names of the columns; None if that is unclear."""
    first, found = [each.cells[0] for each in columns], [each.readings[0] for each in columns]
    above_numbers = any(
        word is None and cell.lower() not in MISSING and column.is_numeric
        for cell, word, column in zip(first, found, below, strict=True)
    )
    if unnamed:
        return None if above_numbers else False
    if known and ({*known} & {*first} or are_unnamed(known)):
        return not {*known}.isdisjoint(first)
    if above_numbers:
        return True
    if any(found):
        numbers = [(each.point, column) for each, column in zip(found, below, strict=True) if each]
        return _are_names(numbers)
    occur = all(cell in column.cells for cell, column in zip(first, below, strict=True))
    return None if occur else True


def _are_names(numbers: Sequence[tuple[float | None, Column]]) -> bool | None:
    """Whether numbers in the first line are names: yes, no, or None if they may be.

    Names count the columns, or they are years, or evenly spaced, such as wavelengths. They are
    certainly names if such numbers are not found in the cells below.
    """
    values = [value for value, _ in numbers if value is not None]
    if len(values) < len(numbers):
        return False
    steps = [b - a for a, b in pairwise(values)]
    are_years = all(1900 <= value <= 2100 and value % 1 == 0 for value in values)
    even = len(steps) > 1 and all(isclose(step, steps[0]) for step in steps)
    counting = set(steps) == {1} and (are_years or values[0] in (0, 1))
    if not all(step > 0 for step in steps) or not (even or counting or are_years):
        return False
    if all(_may_hold(column, value) for value, (_, column) in zip(values, numbers, strict=True)):
        return None if counting or (even and len(values) > 3) else False
    return None if len(values) == 1 else True


def _may_hold(column: Column, value: float) -> bool:
    """Whether a whole number would not be strange among the cells of a column."""
    if not column.cells:
        return True
    found = [each for each in column.readings if each]
    numbers = [each.point for each in found if each.point is not None]
    if not numbers or all(each.decimal for each in found):  # no number is written as a whole one
        return False
    spread = max(max(numbers) - min(numbers), 1)
    return min(numbers) - spread <= value <= max(numbers) + spread
