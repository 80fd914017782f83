"""Tables of a person's own, from CSV files, as arrays that a network learns from.

`read` gives a Table of texts. `Columns` says how its columns become numbers: a number is scaled, a
text becomes a column of zeros and ones for each word. What cannot become a number is a TableError
that names the line, the column and the remedy.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

DELIMITERS = "\t;|,"  # a comma last, which may stand within numbers
MISSING = ("", "na", "n/a", "nan", "null", "?")
MOST_WORDS = 50
"""So many different texts may a column have."""
UNNAMED = r"column \d+"
_ROW_NUMBERS = re.compile(r"#|no\.?|id|index|row|unnamed.*|序号|编号", re.IGNORECASE)


class TableError(ValueError):
    """A table cannot be used, and the message says where and why."""


class Table(NamedTuple):
    """The cells of a file as texts; `lines` has the number of each row's line in it."""

    path: Path
    names: list[str]
    rows: list[list[str]]
    lines: list[int]
    decimal_comma: bool

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        if name not in self.names:
            raise TableError(
                f"{self.path} has no column {name!r}; its columns: {', '.join(self.names)}"
            )
        place = self.names.index(name)
        return [row[place] for row in self.rows]

    def place(self, row: int, name: str) -> str:
        """Where a cell is, in words."""
        return f"{self.path}, line {self.lines[row]}, column {name!r}"

    def number(self, text: str) -> float | None:
        """A text as a number; None if it is none."""
        if self.decimal_comma:
            text = text.replace(",", ".")
        try:
            return None if "_" in text else float(text)
        except ValueError:
            return None

    def numbers(self, name: str) -> list[float] | None:
        """A column as numbers, or None if it is one of words.

        Raises TableError for a cell that is missing, and for a text among numbers.
        """
        cells = self.column(name)
        for row, cell in enumerate(cells):
            if cell.lower() in MISSING:
                raise TableError(
                    f"{self.place(row, name)}: the value is missing ({cell!r}): "
                    f"fill it in, leave the line out, or leave the column out: --ignore {name!r}"
                )
        found = [self.number(cell) for cell in cells]
        known = [number for number in found if number is not None]
        if len(known) < len(cells):
            if 2 * len(known) <= len(cells):
                return None
            row = found.index(None)
            raise TableError(
                f"{self.place(row, name)}: {cells[row]!r} is no number, but most of the column is: "
                f"correct it, or leave the column out: --ignore {name!r}"
            )
        for row, number in enumerate(known):
            if not np.isfinite(number):
                raise TableError(f"{self.place(row, name)}: {cells[row]!r} is not finite")
        return known


def read(path: Path, *, header: bool | None = None, encoding: str | None = None) -> Table:
    """The table in a file, with commas, semicolons, tabs or bars between its cells.

    Whether the first line has the names of the columns is told from its cells, unless `header` says
    so; columns without a name are called `column 1` and so on. Raises TableError.
    """
    text = _text(path, encoding)
    hint = re.match(r"sep=(.)\r?\n", text)  # which spreadsheets write
    offset = 0
    if hint:
        text, offset = text[hint.end() :], 1
    delimiter = hint[1] if hint else _delimiter(text)
    rows, lines = [], []
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
                lines.append(reader.line_num + offset)
    except csv.Error as error:
        raise TableError(f"{path}, line {reader.line_num + offset}: {error}") from None
    if not rows:
        raise TableError(f"{path} is empty")
    for cells, line in zip(rows, lines, strict=True):
        if len(cells) != len(rows[0]):
            raise TableError(
                f"{path}, line {line} has {len(cells)} cells, but the first line has "
                f"{len(rows[0])}: put a cell with {delimiter!r} in it in quotes"
            )
    table = Table(path, [], rows, lines, decimal_comma=delimiter in ";\t")
    if header is None:
        header = _has_header(table)
    first = rows[0] if header else [""] * len(rows[0])
    names = [name or f"column {place}" for place, name in enumerate(first, 1)]
    for name in names:
        if names.count(name) > 1:
            raise TableError(
                f"{path} has two columns {name!r}: rename one, "
                "or say --header no if its first line has no names"
            )
    if header:
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise TableError(f"{path} has no rows below the names of its columns")
    return table._replace(names=names, rows=rows, lines=lines)


def _text(path: Path, encoding: str | None) -> str:
    content = path.read_bytes()
    if encoding is None:
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        encoding = "utf-16" if wide else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except LookupError:
        raise TableError(f"there is no encoding {encoding!r}: try utf-8, gbk or latin-1") from None
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path} is no text in {encoding} (byte {error.start}): save it as CSV in UTF-8, or "
            "say its encoding, such as --encoding gbk"
        ) from None
    if "\0" in text:
        raise TableError(f"{path} is no text: save it as CSV")
    return text


def _delimiter(text: str) -> str:
    """The one that gives the most cells, as many in each of the first lines."""
    head = list(islice(StringIO(text, newline=""), 50))

    def cells(delimiter: str) -> int:
        try:
            widths = {len(row) for row in csv.reader(head, delimiter=delimiter) if row}
        except csv.Error:
            return 0
        width = widths.pop() if len(widths) == 1 else 1
        return width if width > 1 else 0

    # Where none is the same in all lines, the first line tells; the complaint names the other line.
    return max(DELIMITERS, key=lambda each: (cells(each), head[0].count(each) if head else 0))


def _has_header(table: Table) -> bool:
    """A name stands above numbers; or no cell of the first line is a number."""
    first, *rest = [[table.number(cell) for cell in row] for row in table.rows[:200]]
    above = (
        name is None and rest and all(number is not None for number in column)
        for name, *column in zip(first, *rest, strict=True)
    )
    return any(above) or all(number is None for number in first)


# ------------------------------------------------------------------------------------ into numbers


class Columns(NamedTuple):
    """How columns become numbers: the words of each, none for numbers; then middle and scale.

    `all` has the names of all columns of the table in order, `target` the one to be predicted.
    """

    names: list[str]
    words: list[list[str]]
    target: str
    all: list[str]
    middle: Any
    scale: Any

    @classmethod
    def of(cls, table: Table, target: str, ignored: Sequence[str]) -> Columns:
        """All columns but the target and those that are ignored; nothing is scaled yet."""
        for name in [target, *ignored]:
            table.column(name)  # it must be there
        names = [name for name in table.names if name != target and name not in ignored]
        counting = [name for name in names if _numbers_the_rows(table, name)]
        if len(counting) < len(names):
            names = [name for name in names if name not in counting]
        if not names:
            raise TableError(f"{table.path} has no column to learn from, beside {target!r}")
        words = [_words(table, name) for name in names]
        width = sum(len(each) or 1 for each in words)
        return cls(names, words, target, table.names, np.zeros(width), np.ones(width))

    @classmethod
    def of_numbers(cls, names: list[str], target: str) -> Columns:
        """Columns of numbers, which come from no file."""
        width = len(names)
        words: list[list[str]] = [[] for _ in names]
        return cls(names, words, target, [*names, target], np.zeros(width), np.ones(width))

    @property
    def ignored(self) -> list[str]:
        """The columns that nothing is learned from."""
        return [name for name in self.all if name != self.target and name not in self.names]

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Columns:
        """From `_asdict()`, as it came back from a file; ValueError if something is odd."""
        made = cls(**state)
        texts = [made.names, made.all, [made.target], *made.words]
        width = sum(len(each) or 1 for each in made.words)
        if (
            any(not isinstance(text, str) for each in texts for text in each)
            or len(made.names) != len(made.words)
            or not {*made.names, made.target} <= set(made.all)
            or not all(np.shape(each) == (width,) for each in (made.middle, made.scale))
        ):
            raise ValueError("its columns do not fit together")
        return made

    def scaled(self, X: Any) -> Columns:
        """So that the columns of numbers have mean 0 and standard deviation 1 in these samples."""
        numeric = np.concatenate([[not each] * (len(each) or 1) for each in self.words])
        spread = X.std(axis=0)
        # A column that is constant up to rounding has nothing to scale.
        varies = spread > 1e-12 * np.abs(X).max(axis=0)
        return self._replace(
            middle=np.where(numeric, X.mean(axis=0), 0.0),
            scale=np.where(numeric & varies, spread, 1.0),
        )

    def apply(self, X: Any) -> Any:
        """Numbers scaled."""
        return (X - self.middle) / self.scale

    def array(self, table: Table) -> Any:
        """The table's rows as numbers, scaled. Raises TableError for a word that is not known."""
        parts = []
        for name, words in zip(self.names, self.words, strict=True):
            if words:
                parts.append(np.eye(len(words))[_places(table, name, words)])
                continue
            numbers = table.numbers(name)
            if numbers is None:
                raise TableError(f"{table.path}: the column {name!r} has words, not numbers")
            parts.append(np.array(numbers)[:, None])
        return self.apply(np.concatenate(parts, axis=1))

    def matched(self, table: Table) -> Table:
        """Another table with columns of these names, in any order.

        If none of its columns has a name, they are those that it was learned from, in that order,
        with the target or without. Raises TableError if one is missing, or is unknown.
        """
        if all(re.fullmatch(UNNAMED, name) for name in table.names):
            without = [name for name in self.all if name != self.target]
            for names in (self.all, without, self.names):
                if len(names) == len(table.names):
                    table = table._replace(names=names)
        missing = [name for name in self.names if name not in table.names]
        unknown = [name for name in table.names if name not in self.all]
        for names, complaint in (
            (missing, "does not have the column {0}, which the model was trained on"),
            (unknown, "has the column {0}, which the model does not know: leave it out"),
        ):
            if names:
                raise TableError(f"{table.path} {complaint.format(', '.join(map(repr, names)))}")
        return table


def _places(table: Table, name: str, words: Sequence[str]) -> list[int]:
    """The place of each cell among the words."""
    known = {word: place for place, word in enumerate(words)}
    places = []
    for row, cell in enumerate(table.column(name)):
        if cell not in known:
            raise TableError(
                f"{table.place(row, name)}: {cell!r} is unknown; known are {_list(words)}"
            )
        places.append(known[cell])
    return places


def _words(table: Table, name: str) -> list[str]:
    if table.numbers(name) is not None:
        return []
    words = sorted(set(table.column(name)))
    if len(words) > MOST_WORDS:
        raise TableError(
            f"{table.path}: the column {name!r} has {len(words)} different texts, such as "
            f"{words[0]!r}; up to {MOST_WORDS} can be learned from: "
            f"leave it out with --ignore {name!r}"
        )
    return words


def _numbers_the_rows(table: Table, name: str) -> bool:
    """Whether it counts the rows, by its name and its numbers: from it, nothing is learned."""
    unnamed = [bool(re.fullmatch(UNNAMED, each)) for each in table.names]
    if not _ROW_NUMBERS.fullmatch(name) and (all(unnamed) or not unnamed[table.names.index(name)]):
        return False
    numbers = [table.number(cell) for cell in table.column(name)]
    return any(numbers == [*range(start, start + len(numbers))] for start in (0, 1))


def labels(table: Table, name: str) -> tuple[Any, list[str]]:
    """A column as class numbers, and the names of the classes in order."""
    cells = table.column(name)
    numbers = table.numbers(name)
    if numbers is None:
        classes = sorted(set(cells))
        return np.array(_places(table, name, classes)), classes
    found, first, places = np.unique(numbers, return_index=True, return_inverse=True)
    return places, [cells[i] for i in first[: len(found)].tolist()]


def _list(words: Iterable[str]) -> str:
    return ", ".join(map(repr, words))
