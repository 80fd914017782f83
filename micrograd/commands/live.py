"""The command `live`, which writes a page on which an expression follows sliders."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

from micrograd.commands.errors import CommandError, reported
from micrograd.commands.expression import add_arguments, graph
from micrograd.commands.options import add_language, add_output, deliver


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the options of the command."""
    parser = commands.add_parser(
        "live",
        help="write a page on which an expression follows sliders",
        description="Write one HTML file on which each name of an expression has a slider, and "
        "values, gradients and derivations follow.\n"
        '  micrograd live "(tanh(w*x + b) - y)**2" w=1 x=2 b=0 y=1 -o page.html',
    )
    add_arguments(parser)
    add_output(parser, "output file; without it, the page is printed")
    parser.add_argument(
        "--learn",
        metavar="NAME[,NAME]",
        help="names that gradient descent changes (default: those of weights, such as w and b)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="samples: a CSV file whose columns are called like names of the expression, which "
        "then need no value",
    )
    parser.add_argument(
        "--rate", type=float, default=0.1, help="learning rate (default %(default)s)"
    )
    add_language(parser)
    parser.set_defaults(command=live)


def live(options: argparse.Namespace) -> int:
    """Write the page into a file, or print it."""
    from micrograd.live.page import live_page

    data = None if options.data is None else _columns(options.data)
    given = {assignment.partition("=")[0].strip() for assignment in options.at}
    for name, column in (data or {}).items():
        if name not in given:
            options.at.append(f"{name}={column[0]}")
    output, _ = graph(options)
    learn = options.learn
    with reported(NotImplementedError, TypeError):
        page = live_page(
            output,
            learn=None if learn is None else [name.strip() for name in learn.split(",") if name],
            data=data,
            rate=options.rate,
            lang=options.lang,
            title=options.expression,
        )
    deliver(page, options.out, options.lang, ".html", ".htm")
    return 0


def _columns(path: Path) -> dict[str, list[float]]:
    """The columns of a CSV file by their names."""
    with reported(reading=path), path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    if len(rows) < 2:
        raise CommandError(f"{path} needs a line with names, and a line of numbers for each sample")
    names = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise CommandError(f"{path}: row {number} has {len(row)} cells, the first {len(names)}")
    try:
        return {
            name: [float(cell) for cell in column]
            for name, column in zip(names, zip(*rows[1:], strict=True), strict=True)
        }
    except ValueError as error:
        raise CommandError(f"{path}: {error}") from None
