"""What the command `train` learns from: a table or a built-in data set, as arrays."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.commands.expressions import CommandError

if TYPE_CHECKING:
    from nn.columns import Columns
    from nn.tables import Table

SETS = ("moons", "circles", "spiral", "xor", "blobs", "digits", "iris")
FOR_FILES: dict[str, Any] = {
    "target": None, "ignore": [], "keep": [], "missing": "error", "header": "auto",
    "encoding": None, "delimiter": None, "decimal": None, "skip": 0,
}  # fmt: skip
"""The options that are only for files, and what they are if they are not given."""
MOST_CLASSES = 10
"""A column of so many different whole numbers, or fewer, is taken for class numbers."""
LEAST = 3
"""The fewest rows that can be learned from and measured with."""
MOST_NAMED = 30
"""So many ignored columns are named."""


class Data(NamedTuple):
    """What is learned from: unscaled inputs; class numbers, or numbers if there are no classes.

    The notes tell what was decided about the file.
    """

    X: Any
    y: Any
    classes: list[str] | None
    columns: Columns
    notes: Sequence[str] = ()


def data(options: argparse.Namespace) -> Data:
    """What was asked for."""
    if options.data in SETS:
        for name, unset in FOR_FILES.items():
            if getattr(options, name) != unset:
                raise CommandError(f"--{name} is for a CSV file, not for {options.data}")
        if options.task == "regression":
            raise CommandError(f"{options.data} is data for classification, ready as it is")
        return _built_in(options.data, options.seed)
    named = [*options.ignore, *options.keep, *([options.target] if options.target else [])]
    try:
        table = read_table(Path(options.data), options, known=named)
    except FileNotFoundError:
        raise CommandError(
            f"--data {options.data}: there is no such file, nor built-in data of that name; "
            f"built in are {', '.join(SETS)}"
        ) from None
    return _from_table(table, options)


def _built_in(name: str, seed: int) -> Data:
    from nn import datasets
    from nn.columns import Columns

    made = {
        "moons": lambda: datasets.make_moons(300, noise=0.1, random_state=seed),
        "circles": lambda: datasets.make_circles(300, noise=0.05, factor=0.5, random_state=seed),
        # With the article's noise, 0.2, the arms overlap: nobody is right about more than 91 %.
        "spiral": lambda: datasets.spiral(200, noise=0.05, random_state=seed),
        "xor": lambda: datasets.xor(300, noise=0.1, random_state=seed),
        "blobs": lambda: datasets.make_blobs(300, random_state=seed),
        "digits": datasets.load_digits,
        "iris": datasets.load_iris,
    }
    try:
        X, y = made[name]()
    except ImportError as error:
        raise CommandError(str(error)) from None
    names = [f"x{i}" for i in range(1, X.shape[1] + 1)]
    columns = Columns.of_numbers(names, "class")
    return Data(X, y, [str(k) for k in range(int(y.max()) + 1)], columns)


def _from_table(table: Table, options: argparse.Namespace) -> Data:
    import numpy as np

    from nn.columns import Columns, labels, left_out
    from nn.tables import TableError

    target = table.names[-1] if options.target is None else options.target
    try:
        column = table.checked(target, "choose another --target")
        if len(column.missing) == len(column.cells):
            raise TableError(
                f"{table.path}: the target {target!r} is empty: choose another --target"
            )
        if options.missing == "error":
            table.complete(target, "fill it in, or leave such rows out: --missing drop")
        reasons = left_out(table, target, options.ignore, options.keep)
        try:
            columns = Columns.of(table, target, reasons, options.missing)
        except TableError as error:
            raise TableError("\n".join([str(error), *_ignored(table, reasons)])) from None
        gaps = _gaps(table, columns, options.missing)
        X = columns.array(table)
        known = ~np.isnan(columns.apply(X)).any(axis=1)
        known[column.missing] = False
        rows = np.flatnonzero(known).tolist()
        y, classes = labels(column, rows)
        is_classes = _is_classification(table, target, y, classes, options.task)
    except TableError as error:
        raise CommandError(str(error)) from None
    if len(rows) < len(X):
        gaps.append(f"{len(X) - len(rows)} of {len(X)} rows left out")
    notes = [
        each
        for each in ("; ".join(table.notes), *_ignored(table, reasons), ", ".join(gaps))
        if each
    ]
    if is_classes:
        return Data(X[rows], y, classes, columns, notes)
    return Data(X[rows], np.array(column.numbers)[rows], None, columns, notes)


def _is_classification(
    table: Table, target: str, y: Any, classes: Sequence[str], task: str
) -> bool:
    """Whether the target is to be taken for classes. Raises TableError."""
    from nn.tables import TableError

    numbers = table[target].numbers
    if task == "auto":
        counted = numbers is None or all(
            number.is_integer() for number in numbers if number == number
        )
        few = numbers is None or len(classes) <= MOST_CLASSES
        task = "classification" if counted and few else "regression"
    if len(classes) == 1:
        raise TableError(f"{table.path}: {target!r} is {classes[0]!r} everywhere")
    if len(y) < LEAST:
        raise TableError(
            f"{table.path}: {len(y)} rows can be learned from, and at least {LEAST} are needed, "
            "to learn from some and to measure with the others"
        )
    if task == "regression":
        if numbers is None:
            raise TableError(
                f"{table.path}: {target!r} has words, such as {classes[0]!r}: "
                "they are classes, not for --task regression"
            )
        return False
    if len(classes) > len(y) // 2:
        raise TableError(
            f"{table.path}: {target!r} has {len(classes)} different values in {len(y)} rows, "
            "which are no classes: choose another --target"
        )
    return True


def _gaps(table: Table, columns: Columns, policy: str) -> list[str]:
    """What is said of missing values, if there are some. Raises TableError if they are errors."""
    used = {name: table[name].missing for name in (*columns.names, columns.target)}
    count, gone = sum(map(len, used.values())), {row for rows in used.values() for row in rows}
    if not count:
        return []
    if policy == "error":
        name = next(name for name, rows in used.items() if rows)
        table.complete(
            name,
            f"fill it in, or leave the column out with --ignore {name!r}, or choose for all "
            f"{count} missing values: --missing drop (without {len(gone)} of {len(table.lines)} "
            "rows), fill (with the mean or the most frequent word) or category (as a value of its "
            "own)",
        )
    without = len(used.pop(columns.target))  # such rows teach nothing, whatever the policy
    said = [f"{without} without a target ({columns.target})"] if without else []
    named = ", ".join(name for name, rows in used.items() if rows)
    done = {"drop": "dropped", "fill": "filled in", "category": "taken as a category"}[policy]
    if count > without:
        said.insert(0, f"{count - without} {done} ({named})")
    return [f"missing values: {', '.join(said)}"]


def _ignored(table: Table, reasons: Mapping[str, str]) -> list[str]:
    """The columns that are left out, and why."""
    from nn.columns import is_learnable

    if not reasons:
        return []
    names, more = list(reasons), ""
    if len(names) > MOST_NAMED:
        names, more = names[:MOST_NAMED], f" and {len(reasons) - MOST_NAMED} more"
    lines = [f"ignored: {', '.join(names)}{more}"]
    chosen = [name for name in names if reasons[name] != "as asked"]
    told = [f"{name!r} {reasons[name]}" for name in chosen]
    keepable = [name for name in chosen if is_learnable(table[name])]
    if keepable:
        which = "COLUMN" if len(keepable) == len(chosen) else repr(keepable[0])
        told.append(f"--keep {which} learns from it anyway")
    return [*lines, f"  ({'; '.join(told)})"] if told else lines


def read_table(
    path: Path, options: argparse.Namespace, known: Sequence[str] = (), **more: Any
) -> Table:
    """The table in a file, read as the options say. Raises CommandError and FileNotFoundError."""
    from nn.tables import TableError, read

    if options.skip < 0:
        raise CommandError(f"--skip is a number of lines, got {options.skip}")
    try:
        return read(
            path,
            header={"auto": None, "yes": True, "no": False}[options.header],
            encoding=options.encoding,
            delimiter=options.delimiter,
            decimal=options.decimal,
            skip=options.skip,
            known=known,
            **more,
        )
    except TableError as error:
        raise CommandError(str(error)) from None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from None
