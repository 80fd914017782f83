"""What the command `train` learns from: a table or a built-in data set, as arrays."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.commands.options import CommandError, reported
from micrograd.commands.tables import read_table

if TYPE_CHECKING:
    from nn.columns import Encoder
    from nn.tables import Table

SETS = ("moons", "circles", "spiral", "xor", "blobs", "digits", "iris")
MOST_CLASSES = 10
"""Whole numbers are taken for classes if there are at most so many distinct ones."""
LEAST = 3
"""The fewest rows that a network can be trained and measured with."""
MOST_NAMED = 30
"""The most ignored columns that are named."""


class Data(NamedTuple):
    """Unscaled samples and their targets: class numbers, or numbers if `classes` is None.

    The notes say what was decided about a file.
    """

    X: Any
    y: Any
    classes: list[str] | None
    columns: Encoder
    notes: Sequence[str] = ()


def data(options: argparse.Namespace) -> Data:
    """Return the data that the options ask for. Raises CommandError."""
    if options.data in SETS:
        for name, default in options.for_files.items():
            if getattr(options, name) != default:
                raise CommandError(f"--{name} is for a CSV file, not for {options.data}")
        if options.task == "regression":
            raise CommandError(f"{options.data} is a data set for classification")
        return _built_in(options.data, options.seed)
    path = Path(options.data)
    try:
        path.stat()
    except FileNotFoundError:
        raise CommandError(
            f"--data {path}: there is no such file, nor a built-in data set of that name; the "
            f"built-in ones are {', '.join(SETS)}"
        ) from None
    named = [*options.ignore, *options.keep, *([options.target] if options.target else [])]
    with reported():
        return _from_table(read_table(path, options, named), options)


def _built_in(name: str, seed: int) -> Data:
    from nn import datasets
    from nn.columns import Encoder

    made = {
        "moons": lambda: datasets.make_moons(300, noise=0.1, random_state=seed),
        "circles": lambda: datasets.make_circles(300, noise=0.05, factor=0.5, random_state=seed),
        # With the article's noise, 0.2, the arms overlap, and no more than 91 % can be right.
        "spiral": lambda: datasets.spiral(200, noise=0.05, random_state=seed),
        "xor": lambda: datasets.xor(300, noise=0.1, random_state=seed),
        "blobs": lambda: datasets.make_blobs(300, random_state=seed),
        "digits": datasets.load_digits,
        "iris": datasets.load_iris,
    }
    with reported(ImportError):
        X, y = made[name]()
    columns = Encoder.of_numbers([f"x{i}" for i in range(1, X.shape[1] + 1)], "class")
    return Data(X, y, [str(k) for k in range(int(y.max()) + 1)], columns)


def _from_table(table: Table, options: argparse.Namespace) -> Data:
    import numpy as np

    from nn.columns import Encoder, labels, left_out
    from nn.tables import TableError

    target = table.names[-1] if options.target is None else options.target
    column = table.checked(target, "choose another --target")
    if column.is_empty:
        raise TableError(f"{table.path}: the target {target!r} is empty: choose another --target")
    if options.missing == "error":
        table.complete(target, "fill it in, or leave such rows out: --missing drop")
    reasons = left_out(table, target, options.ignore, options.keep)
    try:
        columns = Encoder.of(table, target, reasons, options.missing)
    except TableError as error:
        raise TableError("\n".join([str(error), *_ignored(table, reasons)])) from None
    gaps = _gaps(table, columns)
    X = columns.encode(table)
    known = ~np.isnan(columns.standardized(X)).any(axis=1)
    known[column.missing] = False
    rows = np.flatnonzero(known).tolist()
    if len(rows) < len(X):
        gaps.append(f"{len(X) - len(rows)} of {len(X)} rows left out")
    notes = ["; ".join(table.notes), *_ignored(table, reasons), ", ".join(gaps)]
    y, classes = labels(column, rows)
    of_classes = _is_classification(table, target, len(y), classes, options.task)
    if not of_classes:
        y = np.array(column.numbers)[rows]
    return Data(X[rows], y, classes if of_classes else None, columns, [n for n in notes if n])


def _is_classification(
    table: Table, target: str, count: int, classes: Sequence[str], task: str
) -> bool:
    """Whether the target of so many rows is a class. Raises TableError if nothing is learnable."""
    from nn.tables import TableError

    numbers = table[target].numbers
    if task == "auto":
        are_whole = numbers is not None and not any(number % 1 > 0 for number in numbers)
        few = numbers is None or (are_whole and len(classes) <= MOST_CLASSES)
        task = "classification" if few else "regression"
    complaint = ""
    if len(classes) == 1:
        complaint = f"{target!r} is {classes[0]!r} everywhere"
    elif count < LEAST:
        complaint = (
            f"{count} rows can be learned from, and at least {LEAST} are needed: some to learn "
            "from, the others to measure with"
        )
    elif task == "regression" and numbers is None:
        complaint = (
            f"{target!r} has words, such as {classes[0]!r}, which are classes: they cannot be "
            "predicted with --task regression"
        )
    elif task == "classification" and len(classes) > count // 2:
        complaint = (
            f"{target!r} has {len(classes)} different values in {count} rows, which are too many "
            "for classes: choose another --target"
        )
    if complaint:
        raise TableError(f"{table.path}: {complaint}")
    return task == "classification"


def _gaps(table: Table, columns: Encoder) -> list[str]:
    """Return what to say of missing values. Raises TableError if they are errors."""
    gaps = {name: table[name].missing for name in columns.names if table[name].missing}
    count, gone = sum(map(len, gaps.values())), {row for rows in gaps.values() for row in rows}
    if count and columns.missing == "error":
        name = next(iter(gaps))
        table.complete(
            name,
            f"fill it in, or leave the column out with --ignore {name!r}, or choose for all "
            f"{count} missing values: --missing drop (without {len(gone)} of {len(table.lines)} "
            "rows), fill (with the mean or the most frequent word) or category (as a value of its "
            "own)",
        )
    done = {"drop": "dropped", "fill": "filled in", "category": "taken as a category"}
    said = [f"{count} {done[columns.missing]} ({', '.join(gaps)})"] if count else []
    without = len(table[columns.target].missing)  # nothing is learned from such rows
    if without:
        said.append(f"{without} without a target ({columns.target})")
    return [f"missing values: {', '.join(said)}"] if said else []


def _ignored(table: Table, reasons: Mapping[str, str]) -> list[str]:
    """Return which columns are left out, and why."""
    from nn.columns import is_learnable

    if not reasons:
        return []
    names = list(reasons)[:MOST_NAMED]
    more = f" and {len(reasons) - len(names)} more" if len(reasons) > len(names) else ""
    chosen = [name for name in names if reasons[name] != "as asked"]
    said = [f"{name!r} {reasons[name]}" for name in chosen]
    keepable = [name for name in chosen if is_learnable(table[name])]
    if keepable:
        which = "COLUMN" if keepable == chosen else repr(keepable[0])
        said.append(f"--keep {which} learns from it anyway")
    return [f"ignored: {', '.join(names)}{more}", *([f"  ({'; '.join(said)})"] if said else [])]
