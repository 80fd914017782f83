"""The command `predict`, which applies a network from the command `train` to a table."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from micrograd.commands.options import CommandError, add_output, deliver, reported
from micrograd.commands.tables import COLUMNS, add_reading, read_table
from micrograd.commands.terminal import printable
from micrograd.commands.trained import Trained, load
from micrograd.writing.messages import message

if TYPE_CHECKING:
    from nn.columns import Encoder
    from nn.tables import Table


HELP = "predict a column of a CSV file with a trained network"
DESCRIPTION = (
    "Predict the target for each row of a CSV file. The file must have the columns that the "
    "network was trained on, in any order.\n"
    "  micrograd predict flowers.npz new.csv -o species.csv"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    option = parser.add_argument
    option("model", type=Path, metavar="MODEL.npz", help="network saved by train")
    option("file", type=Path, metavar="FILE.csv", help="table to predict")
    add_output(parser, "output file; without it, the predictions are printed")
    option("--ignore", help="leave this column out; may be repeated", **COLUMNS)
    add_reading(parser)


def predict(options: argparse.Namespace) -> None:
    """Predict the target for each row of a file, and print or write it."""
    made = load(options.model)
    with reported():
        table = _table(options, made.columns)
        cells, notes = _predicted(made, table)
    for note in [*table.notes, *notes]:
        print(printable(message(f"note: {note}", options.lang)), file=sys.stderr)
    text = _csv([made.columns.target, *cells])
    if options.out is None:
        try:
            text.encode(sys.stdout.encoding or "utf-8")
        except UnicodeEncodeError:
            raise CommandError(
                f"the output is in {sys.stdout.encoding}, which lacks some characters of the "
                "predictions: write them to a file with --out"
            ) from None
    deliver(text, options.out, options.lang, ".csv", ".tsv", ".txt")


def _table(options: argparse.Namespace, columns: Encoder) -> Table:
    """Read the table in the file, with the columns that the model knows."""
    from nn.tables import are_unnamed

    unnamed = are_unnamed(columns.all)
    known = [] if unnamed else [*columns.all, *options.ignore]
    table = read_table(options.file, options, known=known, unnamed=unnamed)
    for name in options.ignore:
        table[name]  # raises an error without such a column
        if name in columns.names:
            raise CommandError(f"--ignore {name!r}: the model was trained on this column")
    kept = {n: column for n, column in table.columns.items() if n not in options.ignore}
    return columns.matched(replace(table, columns=kept))


def _predicted(made: Trained, table: Table) -> tuple[list[str], list[str]]:
    """Return a cell for each row, empty where nothing can be predicted, and notes about that."""
    import numpy as np

    X = made.columns.standardized(made.columns.encode(table))
    known = ~np.isnan(X).any(axis=1)
    cells = [""] * len(X)
    if known.any():
        outputs = made.outputs(X[known])
        if not np.isfinite(outputs).all():
            raise CommandError("the network predicts numbers that are not finite for these rows")
        for row, output in zip(np.flatnonzero(known).tolist(), outputs, strict=True):
            cells[row] = made.classes[output.argmax()] if made.classes else f"{output:.10g}"
    lines = [table.lines[row] for row in np.flatnonzero(~known).tolist()]
    gaps = sum(len(table[name].missing) for name in made.columns.names)
    notes = []
    if lines:
        named = ", ".join(map(str, lines[:10])) + (", …" if len(lines) > 10 else "")
        notes.append(
            f"{len(lines)} of {len(X)} rows have missing values and are not predicted: their cells "
            f"are empty (line{'s' * (len(lines) > 1)} {named})"
        )
    elif gaps:
        notes.append(f"{gaps} missing values were filled in as in training")
    return cells, notes


def _csv(cells: Sequence[str]) -> str:
    """Return a column as CSV, one cell on a line."""
    file = StringIO()
    csv.writer(file, lineterminator="\n").writerows([_harmless(cell)] for cell in cells)
    return file.getvalue()


def _harmless(cell: str) -> str:
    """Return a cell that is not a formula in a spreadsheet, nor controls a terminal."""
    from nn.cells import reading

    formula = cell.lstrip()[:1] in tuple("=+-@＝＋－＠") and reading(cell) is None
    return printable(f"'{cell}" if formula else cell)
