"""The command `live`, which writes a page on which an expression follows sliders."""

from __future__ import annotations

import argparse
from pathlib import Path

from micrograd.commands.expression import add_arguments, graph
from micrograd.commands.options import add_output, add_valued, deliver, reported
from micrograd.commands.tables import add_reading, read_table

HELP = "write a page on which an expression follows sliders"
DESCRIPTION = (
    "Write one HTML file on which each name of an expression has a slider, and values, gradients "
    "and derivations follow.\n"
    '  micrograd live "(tanh(w*x + b) - y)**2" w=1 x=2 b=0 y=1 -o page.html'
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    option = parser.add_argument
    add_arguments(parser)
    add_output(parser, "output file; without it, the page is printed")
    option(
        "--learn",
        metavar="NAME[,NAME]",
        help="names that gradient descent changes (default: those of weights, such as w and b)",
    )
    option(
        "--data",
        type=Path,
        metavar="FILE",
        help="samples: a CSV file whose columns are called like names of the expression, which "
        "then need no value",
    )
    add_valued(parser, "--rate", 0.1, "learning rate")
    add_reading(parser.add_argument_group("options for CSV files"))


def live(options: argparse.Namespace) -> None:
    """Write the page into a file, or print it."""
    from micrograd.live.page import live_page

    data = None if options.data is None else _columns(options)
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


def _columns(options: argparse.Namespace) -> dict[str, list[float]]:
    """The columns of a table by their names."""
    table = read_table(options.data, options)
    with reported():
        for name in table.names:
            table.complete(name)  # raises an error for a missing value
        return {name: table.numbers(name) for name in table.names}
