"""How the columns of a table become the inputs and the target of a network.

`left_out` tells which columns nothing is learned from, and why. `Columns` makes numbers of the
others: a number is scaled, a text becomes a column of zeros and ones for each word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from nn.cells import Column, quoted
from nn.tables import UNNAMED, Table, TableError

MOST_WORDS = 50
"""The most distinct texts that a column may have."""
POLICIES = ("error", "drop", "fill", "category")
"""What becomes of a row where a value is missing: see `Columns`."""
LEAST_NUMBERED, LEAST_COUNTED = 4, 10
"""Rows from which on 1, 2, 3, … are row numbers, and consecutive numbers may be."""
_IDENTIFIER = re.compile(
    r"#|no\.?|nr\.?|key|index|idx|row(s|[ _.]?(names?|numbers?|num|nr|id))?|uu?id|guid|"
    r"(.*[ _.-])?id|(?-i:.*[a-z]I[dD])|unnamed.*|序号|.*编号",
    re.IGNORECASE,
)


def left_out(
    table: Table, target: str, ignored: Collection[str] = (), kept: Collection[str] = ()
) -> dict[str, str]:
    """The columns that nothing is learned from, each with the reason in words.

    Raises TableError for names that the table does not have, and for a column that may have row
    numbers or not.
    """
    for name in (target, *ignored, *kept):
        table[name]  # it must be there
    if target in ignored or target in kept:
        raise TableError(
            f"{target!r} is the target: take it from --ignore and --keep, or say another --target"
        )
    if both := {*ignored} & {*kept}:
        raise TableError(f"--ignore and --keep both name {min(both)!r}")
    reasons = dict.fromkeys(ignored, "as asked")
    for name, column in table.columns.items():
        if name != target and name not in reasons and name not in kept:
            reason = _reason(table, column)
            if reason:
                reasons[name] = reason
    return reasons


def is_learnable(column: Column) -> bool:
    """Whether a column that was left out could be learned from after all."""
    if len(column.missing) == len(column.cells):
        return False
    return column.numbers is not None or len(set(column.words)) <= MOST_WORDS


def _reason(table: Table, column: Column) -> str:
    """Why nothing can be learned from a column; "" if something can."""
    count, different = len(column.cells), len(set(column.cells))
    if len(column.missing) == count:
        return "is empty"
    if different == 1:
        return "is the same in every row"
    if count < LEAST_NUMBERED or different < count or column.missing or column.fault is not None:
        return ""
    if column.numbers is None:
        return f"has {count} different texts, one in each row"
    numbers = sorted(column.numbers)
    low, high = numbers[0], numbers[-1]
    if len(set(numbers)) < count or any(number % 1 for number in numbers):
        return ""
    if high - low == count - 1:
        if low in (0, 1):
            return "numbers the rows"
        is_years = low >= 1500 and high <= 2100
        if not _names_rows(table, column.name) and not is_years and count >= LEAST_COUNTED:
            raise TableError(
                f"{table.path}: the column {column.name!r} has each number from {low:.0f} to "
                f"{high:.0f} once, as row numbers do: say --ignore {column.name!r}, "
                f"or --keep {column.name!r} to learn from it"
            )
    return "identifies the rows" if _names_rows(table, column.name) else ""


def _names_rows(table: Table, name: str) -> bool:
    """Whether the name is one for row numbers, or lacks where other columns have names."""
    if re.fullmatch(UNNAMED, name):
        return name == table.names[0] and not re.fullmatch(UNNAMED, table.names[-1])
    return _IDENTIFIER.fullmatch(name) is not None


class Columns(NamedTuple):
    """How columns become numbers: the words of each, none for numbers; then middle and scale.

    `all` has the names of all columns of the table in order, `target` the one to be predicted.
    `units` are those of numbers, such as `%`. `missing` says what becomes of a missing value:
    "error", it is one; "drop", its row is left out; "fill", it becomes the mean of the column or
    its most frequent word, which is in `usual`; "category", it is a word of its own, and for the
    numbers that are `flagged` the mean, with a one in another column.
    """

    names: list[str]
    words: list[list[str]]
    target: str
    all: list[str]
    middle: Any
    scale: Any
    missing: str = "error"
    units: list[str] = []  # noqa: RUF012 (a tuple: nobody changes it)
    usual: list[str] = []  # noqa: RUF012
    flagged: list[bool] = []  # noqa: RUF012

    @classmethod
    def of(
        cls, table: Table, target: str, without: Collection[str], missing: str = "error"
    ) -> Columns:
        """All columns but the target and those left out; nothing is scaled yet."""
        names = [name for name in table.names if name != target and name not in without]
        if not names:
            raise TableError(f"{table.path} has no column to learn from, beside {target!r}")
        found = [table.checked(name, f"leave the column out: --ignore {name!r}") for name in names]
        for column in found:
            if len(column.missing) == len(column.cells):
                raise TableError(
                    f"{table.path}: the column {column.name!r} is empty, and nothing can be learned"
                    f" from it: leave it out with --ignore {column.name!r}"
                )
        words = [_words(column, missing) for column in found]
        many = {c.name: len(w) for c, w in zip(found, words, strict=True) if len(w) > MOST_WORDS}
        if many:
            name, count = next(iter(many.items()))
            raise TableError(
                f"{table.path}: the column {name!r} has {count} different texts, and up to "
                f"{MOST_WORDS} can be learned from: leave it out with "
                + " ".join(f"--ignore {each!r}" for each in many)
            )
        flagged = [
            missing == "category" and column.numbers is not None and bool(column.missing)
            for column in found
        ]
        usual = [
            Counter(filter(None, column.words)).most_common(1)[0][0] if each else ""
            for column, each in zip(found, words, strict=True)
        ]
        units = [column.unit for column in found]
        made = cls(names, words, target, table.names, 0, 1, missing, units, usual, flagged)
        return made._replace(middle=np.zeros(made.width), scale=np.ones(made.width))

    @classmethod
    def of_numbers(cls, names: list[str], target: str) -> Columns:
        """Columns of numbers, which come from no file."""
        words: list[list[str]] = [[] for _ in names]
        middle, scale = np.zeros(len(names)), np.ones(len(names))
        return cls(names, words, target, [*names, target], middle, scale)._completed()

    def _completed(self) -> Columns:
        """With a unit, a usual word and a flag for each column, also if an older model had none."""
        count = len(self.names)
        return self._replace(
            units=self.units or [""] * count,
            usual=self.usual or [""] * count,
            flagged=self.flagged or [False] * count,
        )

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Columns:
        """From `_asdict()`, as it came back from a file; ValueError if something is odd."""
        made = cls(**state)
        lists = [made.names, made.all, made.words, made.units, made.usual, made.flagged]
        if not all(isinstance(each, list) for each in [*lists, *made.words]):
            raise ValueError("its columns are not lists")
        made = made._completed()
        texts = [made.names, made.all, [made.target], made.units, made.usual, *made.words]
        count = len(made.names)
        if (
            any(not isinstance(text, str) for each in texts for text in each)
            or any(len(each) != count for each in (made.words, made.units, made.usual))
            or [type(each) for each in made.flagged] != [bool] * count
            or not {*made.names, made.target} <= set(made.all)
            or any(len(set(each)) < len(each) for each in [made.names, made.all, *made.words])
            or any(u not in words for words, u in zip(made.words, made.usual, strict=True) if u)
            or made.missing not in POLICIES
            or not all(
                np.shape(each) == (made.width,) and np.isfinite(each).all()
                for each in (made.middle, made.scale)
            )
        ):
            raise ValueError("its columns do not fit together")
        return made

    @property
    def sizes(self) -> list[int]:
        """How many inputs each column becomes."""
        pairs = zip(self.words, self.flagged, strict=True)
        return [len(words) or 1 + flag for words, flag in pairs]

    @property
    def width(self) -> int:
        """How many inputs there are."""
        return sum(self.sizes)

    def _firsts(self) -> Any:
        """The place of each column's first input."""
        return np.cumsum([0, *self.sizes])[:-1]

    def scaled(self, X: Any) -> Columns:
        """So that the columns of numbers have mean 0 and standard deviation 1 in these samples."""
        numeric = np.zeros(self.width, dtype=bool)
        numeric[self._firsts()] = [not words for words in self.words]
        there = ~np.isnan(X)
        count, filled = np.maximum(there.sum(axis=0), 1), np.where(there, X, 0.0)
        mean = filled.sum(axis=0) / count
        spread = np.sqrt((np.where(there, X - mean, 0.0) ** 2).sum(axis=0) / count)
        # A column that is constant up to rounding has nothing to scale.
        varies = spread > 1e-12 * np.abs(filled).max(axis=0)
        return self._replace(
            middle=np.where(numeric, mean, 0.0),
            scale=np.where(numeric & varies, spread, 1.0),
        )

    def apply(self, X: Any) -> Any:
        """Numbers scaled and, where that was asked for, filled in; else nan if one is missing."""
        scaled = (X - self.middle) / self.scale
        fillable = np.full(self.width, self.missing == "fill")
        fillable[self._firsts()] |= self.flagged
        return np.where(np.isnan(scaled) & fillable, 0.0, scaled)

    def array(self, table: Table) -> Any:
        """The table's rows as numbers that are not scaled yet, nan where they cannot be known.

        Raises TableError for a word that is not known, and for a missing value if it is an error.
        """
        X = np.zeros((len(table.lines), self.width))
        for name, words, unit, usual, flag, at in zip(
            self.names,
            self.words,
            self.units,
            self.usual,
            self.flagged,
            self._firsts(),
            strict=True,
        ):
            if self.missing == "error":
                column = table.complete(
                    name, "fill it in, or train the model with --missing fill or category"
                )
            else:
                column = table.checked(name)
            if words:
                stands = usual if self.missing == "fill" else "" if "" in words else None
                places = _places(table, column, words, stands)
                X[np.arange(len(X)), at + np.maximum(places, 0)] = 1.0
                X[places < 0, at : at + len(words)] = np.nan
            else:
                X[:, at] = _numbers(table, column, unit)
                if flag:
                    X[column.missing, at + 1] = 1.0
        return X

    def matched(self, table: Table) -> Table:
        """Another table with columns of these names, in any order.

        If none of its columns has a name, or none of these has, they are taken by their position,
        with the target or without. Raises TableError if one is missing, or is unknown.
        """
        nameless = [
            all(re.fullmatch(UNNAMED, name) for name in names) for names in (table.names, self.all)
        ]
        if any(nameless):
            table = self._by_position(table)
        missing = [name for name in self.names if name not in table.columns]
        known = {*self.all}
        unknown = [name for name in table.names if name not in known]
        if missing:
            raise TableError(
                f"{table.path} does not have {_columns(missing)}, which the model was trained on; "
                f"it has {_list(table.names)} (say --header no if these are not names)"
            )
        if unknown:
            raise TableError(
                f"{table.path} has {_columns(unknown)}, which the model does not know: say "
                + " ".join(f"--ignore {name!r}" for name in unknown[:20])
            )
        return table

    def _by_position(self, table: Table) -> Table:
        """The table with the names that its columns have by their number and order."""
        chosen = {*self.names}
        both = [name for name in self.all if name in chosen or name == self.target]
        without = [name for name in self.all if name != self.target]
        forms = {tuple(names) for names in (self.all, without, both, self.names)}
        fitting = [names for names in forms if len(names) == len(table.columns)]
        if len(fitting) != 1:
            what = " or ".join(sorted(_list(names) for names in fitting or forms))
            raise TableError(
                f"{table.path} has {len(table.columns)} columns that are taken by position, and "
                f"the model takes {what}: give the columns their names in the first line"
            )
        columns = zip(fitting[0], table.columns.values(), strict=True)
        return replace(
            table,
            columns={name: column._replace(name=name) for name, column in columns},
            notes=[*table.notes, f"the columns are taken by position: {_list(fitting[0])}"],
        )


def _words(column: Column, missing: str) -> list[str]:
    """The words of a column, none if it has numbers."""
    if column.numbers is not None:
        return []
    found = {word for word in column.words if word is not None}
    return sorted(found | {""} if missing == "category" and column.missing else found)


def _places(table: Table, column: Column, words: Sequence[str], stands: str | None) -> Any:
    """The place of each cell among the words; -1 where one is missing for which nothing stands."""
    known = {word: place for place, word in enumerate(words)}
    places = []
    for row, cell in enumerate(column.words):
        word = stands if cell is None else cell
        if word is None:
            places.append(-1)
        elif word in known:
            places.append(known[word])
        else:
            raise TableError(
                f"{table.place(row, column.name)}: {quoted(word)} is unknown; "
                f"known are {_list(words)}"
            )
    return np.array(places)


def _numbers(table: Table, column: Column, unit: str) -> Any:
    """The numbers of a column, in the unit that they had in training."""
    if len(column.missing) == len(column.cells):
        return np.nan
    numbers = column.numbers
    there = [row for row, word in enumerate(column.words) if word is not None]
    if numbers is None:
        raise TableError(
            f"{table.path}: the column {column.name!r} has words, such as "
            f"{quoted(column.cells[there[0]])}, not numbers"
        )
    if column.unit != unit:
        raise TableError(
            f"{table.place(there[0], column.name)}: {quoted(column.cells[there[0]])} is written "
            f"{'with ' + repr(column.unit) if column.unit else 'without a unit'}, but the model "
            f"was trained on numbers {'with ' + repr(unit) if unit else 'without one'}: "
            "write it as it was in training"
        )
    return np.array(numbers)


def labels(column: Column, rows: Iterable[int]) -> tuple[Any, list[str]]:
    """The cells of some rows as class numbers, and the names of the classes in order."""
    cells = [column.cells[row] for row in rows]
    numbers = None if column.numbers is None else [column.numbers[row] for row in rows]
    # Whole numbers from 2**53 on may be the same float, though their texts differ; and so do codes.
    is_code = any(re.match(r"0\d", cell) for cell in cells)
    if numbers is None or is_code or max(map(abs, numbers), default=0) >= 2**53:
        classes, places = np.unique(np.array(cells, dtype=object), return_inverse=True)
        return places, classes.tolist()
    found, first, places = np.unique(numbers, return_index=True, return_inverse=True)
    return places, [cells[i] for i in first[: len(found)].tolist()]


def _columns(names: Sequence[str]) -> str:
    return f"the column{'s' * (len(names) > 1)} {_list(names)}"


def _list(words: Sequence[str]) -> str:
    more = f" and {len(words) - 20} more" if len(words) > 20 else ""
    return ", ".join(map(quoted, words[:20])) + more
