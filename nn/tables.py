"""Tables of a person's own, from CSV files.

`read` gives a `Table`, whose cells are texts; what its columns say is in `nn.cells`, and how they
become the inputs of a network is in `nn.columns`. What cannot be read in one way only is a
TableError that names the line, the column and the remedy, such as an option of `read`, which has
the same name on the command line. What was decided is in the notes of the table.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from nn.cells import MISSING, POINT, Column, Scan, quoted, resolve, scan, shape

DELIMITERS = {"tab": "\t", "semicolon": ";", "bar": "|", "comma": ",", "space": " "}
"""By name; in a file the first one is taken that parts its lines alike."""
MOST_BYTES = 2**30
UNNAMED = r"column \d+"
_HEAD = 50  # lines that the delimiter is told from


class TableError(ValueError):
    """A table cannot be used, and the message says where and why."""


@dataclass(frozen=True)
class Table:
    """The columns of a file by name; `lines` has the number of each row's line in it."""

    path: Path
    columns: dict[str, Column]
    lines: list[int]
    notes: list[str]

    @property
    def names(self) -> list[str]:
        """Of the columns, in order."""
        return list(self.columns)

    def __getitem__(self, name: str) -> Column:
        """A column."""
        if name not in self.columns:
            known = ", ".join(self.names[:MOST_NAMES])
            more = f" and {len(self.names) - MOST_NAMES} more" if self.names[MOST_NAMES:] else ""
            raise TableError(f"{self.path} has no column {name!r}; its columns: {known}{more}")
        return self.columns[name]

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        return self[name].cells

    def place(self, row: int, name: str) -> str:
        """Where a cell is, in words."""
        return f"{self.path}, line {self.lines[row]}, column {name!r}"

    def checked(self, name: str, otherwise: str = "") -> Column:
        """A column that has no fault, though cells may be missing.

        Raises TableError, whose message may end with what to do otherwise.
        """
        column = self[name]
        if column.fault is not None:
            row, complaint, remedy = column.fault
            more = otherwise and f", or {otherwise}"
            raise TableError(f"{self.place(row, name)}: {complaint}: {remedy}{more}")
        return column

    def complete(self, name: str, remedy: str = "fill it in") -> Column:
        """A column that has neither a fault nor a missing cell. Raises TableError."""
        column = self.checked(name)
        if column.missing:
            row = column.missing[0]
            cell = column.cells[row]
            raise TableError(f"{self.place(row, name)}: the value is missing ({cell!r}): {remedy}")
        return column

    def numbers(self, name: str) -> list[float] | None:
        """A complete column as numbers, or None if it is one of words. Raises TableError."""
        return self.complete(name).numbers


MOST_NAMES = 30
"""So many columns are named in a message."""


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
    """The table in a file, which may be compressed by gzip.

    header: whether the first line has the names of the columns; told from its cells by default.
        Columns without a name are called `column 1` and so on.
    delimiter: what stands between cells: a character, or its name in `DELIMITERS`.
    decimal: "point" or "comma", whichever marks the decimals of numbers.
    skip: how many lines stand above the table.
    known: names that are expected in a header.
    unnamed: whether no header is expected.

    Raises TableError, and OSError if the file cannot be read.
    """
    notes: list[str] = []
    mark, rows, lines = _parted(path, _text(path, encoding), delimiter, skip, known, notes)
    first, below = rows[0], list(zip(*rows[1:], strict=True)) or [()] * len(rows[0])
    scans = [scan("", cells) for cells in below]
    if header is None:
        header = _has_header(first, scans, known, unnamed, f"{path}, line {lines[0]}")
        is_plain = all(shape(cell) is None for cell in first) and any(s.is_numeric for s in scans)
        if header and not is_plain:
            notes.append("the first line has the names of the columns")
        elif not header and not unnamed:
            notes.append("the first line is data, and the columns have no names")
    names = [(header and name) or f"column {place}" for place, name in enumerate(first, 1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(
            f"{path} has two columns {twice[0]!r}: rename one, "
            "or say --header no if its first line has no names"
        )
    if header:
        lines = lines[1:]
    else:
        scans = [scan("", cells) for cells in zip(*rows, strict=True)]
    if not lines:
        raise TableError(f"{path} has no rows below the names of its columns")
    scans = [each._replace(name=name) for name, each in zip(names, scans, strict=True)]
    # A semicolon separates cells mostly where a comma marks decimals, and a point thousands; where
    # a comma separates cells, it hardly marks decimals.
    found = resolve(
        scans,
        decimal,
        doubtful=",." if mark == ";" else ",",
        doubtful_if_mixed="" if mark == "," else ".",
    )
    notes += _examples(scans, found)
    return Table(path, {column.name: column for column in found}, lines, notes)


def _parted(
    path: Path,
    text: str,
    delimiter: str | None,
    skip: int,
    known: Collection[str],
    notes: list[str],
) -> tuple[str, list[list[str]], list[int]]:
    """What separates the cells, the cells of each row, all equally many, and the rows' lines."""
    above = skip
    text = text[sum(map(len, islice(StringIO(text, newline=""), skip))) :]
    hint = re.match(r"sep=(.)\r?\n", text)  # which spreadsheets write
    if hint:
        text, above = text[hint.end() :], above + 1
    mark, quote = _dialect(text, known, hint[1] if hint and delimiter is None else delimiter)
    if mark == " ":
        notes.append("spaces separate the cells")
    if quote == "'":
        notes.append("single quotes around cells are left off")
    rows, lines = [], []
    for line, row in _rows(text, mark, quote, path, above):
        rows.append(row)
        lines.append(line)
    while rows and not any(rows[-1]) and len(rows[-1]) < 2:
        del rows[-1], lines[-1]
    if not rows:
        raise TableError(f"{path} is empty")
    _make_rectangular(rows, lines, path, mark)
    return mark, rows, lines


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
    if encoding is None:
        encoding = "utf-8-sig"
        for mark, wide in ((b"\xff\xfe\0\0", "utf-32"), (b"\xff\xfe", "utf-16")):
            if content.startswith((mark, mark[::-1])):
                encoding = wide
                break
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise TableError(f"there is no encoding {encoding!r}: try utf-8, gbk or latin-1") from None
    except UnicodeError as error:
        place = f" (byte {error.start})" if isinstance(error, UnicodeDecodeError) else ""
        raise TableError(
            f"{path} is no text in {encoding}{place}: save it as CSV in UTF-8, or "
            "say its encoding, such as --encoding gbk"
        ) from None
    if "\0" in text:
        raise TableError(
            f"{path} is no text: save it as CSV, or say its encoding, such as --encoding utf-16-le"
        )
    return text


# ------------------------------------------------------------------------------- lines into cells


def _dialect(text: str, known: Collection[str], delimiter: str | None) -> tuple[str, str]:
    """What stands between cells, and what around them."""
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
    quoted = f"(?:^|{between}) *'[^'\r\n]*' *(?={between}|\r|\n|$)"
    single = '"' not in start and len(re.findall(quoted, start, re.MULTILINE)) > 1
    return mark, "'" if single else '"'


def _regularity(head: Sequence[str], mark: str) -> float:
    """The share of lines that have the usual number of cells; 0 if that is one."""
    try:
        rows = _reader([line.strip() for line in head] if mark == " " else head, mark)
        widths = Counter(len(row) for row in rows if row)
    except csv.Error:
        return 0
    usual, count = max(widths.items(), key=lambda each: each[::-1], default=(1, 1))
    return count / sum(widths.values()) if usual > 1 else 0


def _reader(lines: Iterable[str], mark: str, quote: str = '"', *, strict: bool = False) -> Any:
    return csv.reader(lines, delimiter=mark, quotechar=quote, skipinitialspace=True, strict=strict)


def _rows(
    text: str, mark: str, quote: str, path: Path, above: int
) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, and its line. A blank line is a row only if rows have one cell."""
    if mark == " ":
        text = re.sub(r"[ \t]+(?=[\r\n]|$)", "", text.replace("\t", " "))
    reader = _reader(StringIO(text, newline=""), mark, quote, strict=True)
    begins, is_wide = 1, False
    while True:
        begins = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            line, complaint = reader.line_num, str(error)
            if "unexpected end" in complaint:
                line, complaint = begins, f"a quote ({quote}) opens here and is never closed"
            elif "expected after" in complaint:
                complaint = (
                    f"text follows the closing quote of a cell: write a quote in it as {2 * quote}"
                )
            raise TableError(f"{path}, line {line + above}: {complaint}") from None
        cells = [cell.strip() for cell in row]
        is_wide = is_wide or len(cells) > 1
        if any(cells) or len(cells) > 1 or not is_wide:
            yield begins + above, cells or [""]


def _make_rectangular(rows: list[list[str]], lines: list[int], path: Path, mark: str) -> None:
    """Take empty cells from the ends of lines; then all have the same number, or it is an error."""
    while len(rows) > 1 and not any(rows[0]):  # empty lines at the top
        del rows[0], lines[0]
    width = max(max((i for i, cell in enumerate(row, 1) if cell), default=1) for row in rows)
    if all(len(row) >= width for row in rows):
        for row in rows:
            del row[width:]
        return
    widths = [len(row) for row in rows]
    usual, _ = max(Counter(widths).items(), key=lambda each: each[::-1])
    start = widths.index(usual)
    if widths[0] < usual:
        what = "the line above has" if start == 1 else f"the {start} lines above have"
        title = f"say --skip {lines[start] - 1} if that is not part of the table"
        names = (
            f"; add the missing name to line {lines[0]} if it has the names of the columns; "
            f"or put a cell with {mark!r} in it in quotes"
            if usual - widths[0] == 1 == start
            else ""
        )
        raise TableError(
            f"{path}, line {lines[start]} has {usual} cells, but {what} fewer: {title}{names}"
        )
    wrong = next(i for i, each in enumerate(widths) if each != widths[0])
    remedy = (
        f"put a cell with {mark!r} in it in quotes"
        if widths[wrong] > widths[0]
        else f"add what is missing; a cell may be empty, but not the {mark!r} before it"
    )
    raise TableError(
        f"{path}, line {lines[wrong]} has {widths[wrong]} cells, but the first line has "
        f"{widths[0]}: {remedy}"
    )


# ------------------------------------------------------------------------------------- the header


def _has_header(
    first: Sequence[str], below: Sequence[Scan], known: Collection[str], unnamed: bool, place: str
) -> bool:
    """Whether the first line has names. Raises TableError if that may be so or not."""
    shapes = [shape(cell) for cell in first]
    above = any(
        each is None and cell.lower() not in MISSING and column.is_numeric and column.shapes
        for cell, each, column in zip(first, shapes, below, strict=True)
    )
    if not unnamed:
        if not {*known}.isdisjoint(first):
            return True
        if known and all(re.fullmatch(UNNAMED, name) for name in known):
            return False
        if above:
            return True
        if all(each is None for each in shapes):
            words = zip(first, below, strict=True)
            if not all(cell in set(column.cells) for cell, column in words):
                return True
            raise TableError(_doubt(first, place))
    numbers = [
        (each.number(POINT), column) for each, column in zip(shapes, below, strict=True) if each
    ]
    doubtful = above if unnamed else _may_be_names(numbers)
    if doubtful is None:
        return True
    if doubtful:
        raise TableError(_doubt(first, place))
    return False


def _doubt(first: Sequence[str], place: str) -> str:
    return (
        f"{place} may have the names of the columns ({', '.join(map(repr, first[:4]))}), or be "
        "data: say --header yes or --header no"
    )


def _may_be_names(numbers: list[tuple[float | None, Scan]]) -> bool | None:
    """Whether numbers in the first line may be names: True, False, or None if they must be.

    Names count the columns or are years, or are evenly spaced, such as wavelengths. They must be
    names if they would be strange among the cells below them.
    """
    values = [value for value, _ in numbers if value is not None]
    if not values or len(values) < len(numbers):
        return False
    steps = [b - a for a, b in pairwise(values)]
    are_years = all(1900 <= value <= 2100 and value % 1 == 0 for value in values)
    even = len(steps) > 1 and all(abs(step - steps[0]) <= 1e-9 * abs(steps[0]) for step in steps)
    counting = set(steps) == {1} and (are_years or values[0] in (0, 1))
    if not all(step > 0 for step in steps) or not (even or counting or are_years):
        return False
    if all(_is_usual(value, column) for value, (_, column) in zip(values, numbers, strict=True)):
        return counting or (even and len(values) > 3)
    return True if len(values) == 1 else None


def _is_usual(value: float, column: Scan) -> bool:
    """Whether a whole number may stand among the cells of a column."""
    found = [each for each in column.shapes if each]
    if not column.shapes:
        return True
    if all(each.decimal for each in found):
        return False  # no number is written as a whole one
    numbers = [n for n in (each.number(POINT) for each in found) if n is not None]
    spread = max(max(numbers) - min(numbers), 1) if numbers else 0
    return bool(numbers) and min(numbers) - spread <= value <= max(numbers) + spread


def _examples(scans: Sequence[Scan], columns: Sequence[Column]) -> list[str]:
    """One number of each kind that is not written as Python writes it, and how it was read."""
    found: dict[tuple[str, str, str], str] = {}
    for scanned, column in zip(scans, columns, strict=True):
        if column.numbers is None or column.fault is not None:
            continue
        for cell, each, number in zip(scanned.cells, scanned.shapes, column.numbers, strict=True):
            if each is None or _reads_as(cell, number):
                continue
            kind = (each.unit, each.decimal, each.group)
            if kind not in found:
                found[kind] = f"{quoted(cell)} is read as {number:.10g}"
    return list(found.values())


def _reads_as(cell: str, number: float) -> bool:
    """Whether Python reads the cell so, too."""
    try:
        return float(cell) == number
    except ValueError:
        return False
