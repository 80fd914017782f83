"""How the columns of a table become the inputs and the target of a network.

`left_out` finds the columns that nothing can be learned from. `Encoder` makes numbers of the
others: numbers are scaled, and words become one column of zeros and ones for each word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from nn.cells import Column, listed, quoted
from nn.tables import Table, TableError, are_unnamed

MOST_WORDS = 50
"""The most distinct words that a column may have."""
POLICIES = ("error", "drop", "fill", "category")
"""What to do with missing values: see `Encoder`."""
LEAST_NUMBERED, LEAST_COUNTED = 4, 10
"""With fewer rows, the numbers 1, 2, 3, … and other consecutive numbers, respectively, are data."""
_IDENTIFIER = re.compile(
    r"#|no\.?|nr\.?|key|index|idx|row(s|[ _.]?(names?|numbers?|num|nr|id))?|uu?id|guid|"
    r"(.*[ _.-])?id|(?-i:.*[a-z]I[dD])|unnamed.*|序号|.*编号",
    re.IGNORECASE,
)


def left_out(
    table: Table, target: str, ignored: Collection[str] = (), kept: Collection[str] = ()
) -> dict[str, str]:
    """Find the columns that nothing is learned from.

    Returns:
        The reason for each, in words.

    Raises TableError for a name that the table does not have, and for a column that may contain row
    numbers.
    """
    for name in (target, *ignored, *kept):
        table[name]  # raises an error without such a column
    if target in ignored or target in kept:
        raise TableError(
            f"{target!r} is the target: remove it from --ignore and --keep, or choose another "
            "--target"
        )
    if both := {*ignored} & {*kept}:
        raise TableError(f"--ignore and --keep both name {min(both)!r}")
    decided = {target, *ignored, *kept}
    found = {name: _reason(table, name) for name in table.names if name not in decided}
    return dict.fromkeys(ignored, "as asked") | {name: why for name, why in found.items() if why}


def is_learnable(column: Column) -> bool:
    """Whether a column that was left out could be learned from after all."""
    few = column.numbers is not None or len(set(column.words)) <= MOST_WORDS
    return few and not column.is_empty


def _reason(table: Table, name: str) -> str:
    """Return why nothing can be learned from a column; "" if something can."""
    column = table[name]
    count, distinct = len(column.cells), len(set(column.cells))
    if column.is_empty:
        return "is empty"
    if distinct == 1:
        return "is the same in every row"
    if count < LEAST_NUMBERED or distinct < count or column.missing or column.fault is not None:
        return ""
    if column.numbers is None:
        return f"has {count} different texts, one in each row"
    if len(set(column.numbers)) < count or any(number % 1 for number in column.numbers):
        return ""
    low, high = min(column.numbers), max(column.numbers)
    is_name = _IDENTIFIER.fullmatch(name) is not None
    if are_unnamed([name]):  # row numbers often have no name, though the other columns have
        is_name = name == table.names[0] and not are_unnamed(table.names[-1:])
    if high - low == count - 1:
        if low in (0, 1):
            return "numbers the rows"
        are_years = low >= 1500 and high <= 2100
        if not is_name and not are_years and count >= LEAST_COUNTED:
            raise TableError(
                f"{table.path}: the column {name!r} has each number from {low:.0f} to {high:.0f} "
                f"once, as row numbers do: say --ignore {name!r}, or --keep {name!r} to learn from "
                "it"
            )
    return "identifies the rows" if is_name else ""


def has_form(value: Any, form: Any) -> bool:
    """Whether a value from a file has a form: a type, or a list with the form of its items.

    >>> has_form([["a"], []], [[str]]), has_form([True], [int])
    (True, False)
    """
    if isinstance(form, list):
        return isinstance(value, list) and all(has_form(each, form[0]) for each in value)
    return type(value) is form


class Encoder(NamedTuple):
    """How the columns of a table become numbers.

    Attributes:
        names: the columns that are learned from.
        words: the words of each, in order; none for a column of numbers.
        target: the column to predict.
        all: all columns of the table, in order.
        middle, scale: what is subtracted from each input, and what it is divided by then.
        missing: what to do with a missing value. "error": raise an error. "drop": leave its row
            out. "fill": replace it by the mean of the column or its most frequent word. "category":
            treat it as another word; or replace it by the mean, and set a further input to 1.
        units: the unit of each column of numbers, such as `%`.
        usual: the most frequent word of each column of words.
        flagged: whether a column of numbers has that further input.
    """

    names: list[str]
    words: list[list[str]]
    target: str
    all: list[str]
    middle: Any
    scale: Any
    missing: str
    units: list[str]
    usual: list[str]
    flagged: list[bool]

    @classmethod
    def of(
        cls, table: Table, target: str, without: Collection[str], missing: str = "error"
    ) -> Encoder:
        """Encode all columns except the target and those left out, without scaling them."""
        names = [name for name in table.names if name != target and name not in without]
        if not names:
            raise TableError(f"{table.path} has no column to learn from, beside {target!r}")
        columns = [table.checked(name, f"leave it out with --ignore {name!r}") for name in names]
        words: list[list[str]] = []
        usual: list[str] = []
        flagged: list[bool] = []
        for name, column in zip(names, columns, strict=True):
            if column.is_empty:
                raise TableError(
                    f"{table.path}: the column {name!r} is empty, and nothing can be learned from "
                    f"it: leave it out with --ignore {name!r}"
                )
            has_category = missing == "category" and bool(column.missing)
            counts = Counter(filter(None, column.words if column.numbers is None else ()))
            words.append(sorted([*counts, ""] if has_category and counts else counts))
            usual.append(counts.most_common(1)[0][0] if counts else "")
            flagged.append(has_category and not counts)
        many = [name for name, each in zip(names, words, strict=True) if len(each) > MOST_WORDS]
        if many:
            raise TableError(
                f"{table.path}: the column {many[0]!r} has {len(words[names.index(many[0])])} "
                f"different texts, and at most {MOST_WORDS} can be learned from: leave it out with "
                + " ".join(f"--ignore {each!r}" for each in many)
            )
        units = [column.unit for column in columns]
        return cls(names, words, target, table.names, 0.0, 1.0, missing, units, usual, flagged)

    @classmethod
    def of_numbers(cls, names: list[str], target: str) -> Encoder:
        """Encode columns of numbers that come from no file, without scaling them."""
        count = len(names)
        words: list[list[str]] = [[] for _ in names]
        units, flagged = [""] * count, [False] * count
        return cls(names, words, target, [*names, target], 0.0, 1.0, "error", units, units, flagged)

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Encoder:
        """Make an encoder of `_asdict()` from a file. Raises ValueError if something is odd."""
        count = len(state["names"])
        unset: dict[str, Any] = {  # in files of older versions
            "missing": "error", "units": [""] * count, "usual": [""] * count,
            "flagged": [False] * count,
        }  # fmt: skip
        made = cls(**unset | state)
        texts = [made.names, made.all, [made.target, made.missing], made.units, made.usual]
        lists = made.names, made.words, made.units, made.usual, made.flagged
        if not (
            has_form([*texts, *made.words], [[str]])
            and has_form(made.flagged, [bool])
            and all(len(each) == count for each in lists)
            and {*made.names, made.target} <= {*made.all}
            and all(len({*each}) == len(each) for each in (made.names, made.all, *made.words))
            and all(u in words for words, u in zip(made.words, made.usual, strict=True) if u)
            and made.missing in POLICIES
            and all(np.shape(each) == (made.width,) for each in (made.middle, made.scale))
            and np.isfinite([made.middle, made.scale]).all()
        ):
            raise ValueError("its columns do not fit together")
        return made

    @property
    def _starts(self) -> list[int]:
        """The place of each column's first input, and then the number of inputs."""
        sizes = [len(each) or 1 + flag for each, flag in zip(self.words, self.flagged, strict=True)]
        return [0, *accumulate(sizes)]

    @property
    def width(self) -> int:
        """The number of inputs."""
        return self._starts[-1]

    def with_scale(self, X: Any) -> Encoder:
        """Scale numbers so that they have mean 0 and standard deviation 1 in these samples."""
        numeric = np.zeros(self.width, dtype=bool)
        numeric[self._starts[:-1]] = [not words for words in self.words]
        known = np.ma.masked_invalid(X)
        mean, spread = known.mean(axis=0).filled(0.0), known.std(axis=0).filled(0.0)
        # A column that is constant up to rounding is not scaled.
        varies = spread > 1e-12 * np.abs(known).max(axis=0).filled(0.0)
        return self._replace(
            middle=np.where(numeric, mean, 0.0), scale=np.where(numeric & varies, spread, 1.0)
        )

    def standardized(self, X: Any) -> Any:
        """Scale encoded samples and fill them in; what may not be missing stays nan."""
        scaled = (X - self.middle) / self.scale
        fillable = np.full(self.width, self.missing == "fill")
        fillable[self._starts[:-1]] |= self.flagged
        return np.where(np.isnan(scaled) & fillable, 0.0, scaled)

    def encode(self, table: Table) -> Any:
        """Return the rows of a table as numbers that are not scaled, nan where they are unknown.

        Raises TableError for an unknown word, and for a missing value if that is an error.
        """
        X = np.zeros((len(table.lines), self.width))
        for i, (name, words, start) in enumerate(
            zip(self.names, self.words, self._starts, strict=False)
        ):
            if self.missing == "error":
                column = table.complete(
                    name, "fill it in, or train the model with --missing fill or category"
                )
            else:
                column = table.checked(name)
            if not words:
                X[:, start] = _numbers(table, name, self.units[i])
                if self.flagged[i]:
                    X[column.missing, start + 1] = 1.0
                continue
            places = {word: place for place, word in enumerate(words, start)}
            absent = self.usual[i] if self.missing == "fill" else ""
            for row, cell in enumerate(column.words):
                word = absent if cell is None else cell
                if word in places:
                    X[row, places[word]] = 1.0
                elif cell is None:
                    X[row, start : start + len(words)] = np.nan
                else:
                    raise TableError(
                        f"{table.place(row, name)}: {quoted(word)} is unknown; the known words are "
                        f"{listed(words)}"
                    )
        return X

    def matched(self, table: Table) -> Table:
        """Return a table with columns of these names, in any order.

        If the table has no names, or was trained on without names, the columns are taken by their
        position, with the target or without it. Raises TableError for missing or unknown columns.
        """
        if are_unnamed(table.names) or are_unnamed(self.all):
            table = self._by_position(table)
        known = {*self.all}
        lacking = [name for name in self.names if name not in table.columns]
        unknown = [name for name in table.names if name not in known]
        if lacking:
            raise TableError(
                f"{table.path} does not have {_columns(lacking)}, which the model was trained on; "
                f"it has {listed(table.names)} (say --header no if these are not names)"
            )
        if unknown:
            raise TableError(
                f"{table.path} has {_columns(unknown)}, which the model does not know: say "
                + " ".join(f"--ignore {name!r}" for name in unknown[:20])
            )
        return table

    def _by_position(self, table: Table) -> Table:
        """Give the columns of a table the names that fit their number."""
        used = {*self.names, self.target}
        known = [name for name in self.all if name in used]
        forms = {
            tuple(name for name in names if name not in without)
            for names in (self.all, known)
            for without in ([], [self.target])
        }
        fitting = [names for names in forms if len(names) == len(table.columns)]
        if len(fitting) != 1:
            what = " or ".join(sorted(map(listed, fitting or forms)))
            raise TableError(
                f"{table.path} has {len(table.columns)} columns that are taken by position, and "
                f"the model takes {what}: give the columns their names in the first line"
            )
        return replace(
            table,
            columns=dict(zip(fitting[0], table.columns.values(), strict=True)),
            notes=[*table.notes, f"the columns are taken by position: {listed(fitting[0])}"],
        )


def _numbers(table: Table, name: str, unit: str) -> Any:
    """Return the numbers of a column, which must have the unit that they had in training."""
    column = table[name]
    if column.is_empty:
        return np.nan
    numbers = table.numbers(name)
    if column.unit != unit:
        row = next(row for row, word in enumerate(column.words) if word is not None)
        raise TableError(
            f"{table.place(row, name)}: {column.example} is written "
            f"{f'with {column.unit!r}' if column.unit else 'without a unit'}, but the model was "
            f"trained on numbers {f'with {unit!r}' if unit else 'without one'}: write it as it was "
            "in training"
        )
    return np.array(numbers)


def labels(column: Column, rows: Iterable[int]) -> tuple[Any, list[str]]:
    """Return the cells in some rows as class numbers, and the names of the classes in order.

    Cells such as `1` and `1.0` are the same class. Codes such as `01` are compared as text, and so
    are whole numbers from 2**53 on, since several of them may be the same float.
    """
    cells = [column.cells[row] for row in rows]
    distinct: Any = np.array(cells, dtype=object)
    if column.numbers is not None and not any(re.match(r"0\d", cell) for cell in cells):
        numbers = np.array([column.numbers[row] for row in rows])
        distinct = distinct if (np.abs(numbers) >= 2**53).any() else numbers
    _, first, places = np.unique(distinct, return_index=True, return_inverse=True)
    return places, [cells[i] for i in first.tolist()]


def _columns(names: Sequence[str]) -> str:
    return f"the column{'s' * (len(names) > 1)} {listed(names)}"
