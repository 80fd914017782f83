"""How commands read a table: the options that say how, and the reader."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd.commands.options import add_valued, reported

if TYPE_CHECKING:
    from nn.tables import Table

COLUMNS: dict[str, Any] = {"action": "append", "default": [], "metavar": "COLUMN"}
"""The settings of an option that names columns, one each time that it is given."""


def add_reading(parser: argparse._ActionsContainer) -> list[argparse.Action]:
    """Let a command take options that say how to read a table, and return them."""
    option = parser.add_argument
    return [
        option(
            "--header",
            choices=("auto", "yes", "no"),
            default="auto",
            help="whether the first line has the names of the columns (default: detect it)",
        ),
        option("--encoding", help="encoding of the file, such as gbk (default UTF-8)"),
        option(
            "--delimiter",
            metavar="CHARACTER",
            help="separator of the cells: comma, semicolon, tab, bar, space, or the character "
            "itself (default: detect it)",
        ),
        option(
            "--decimal",
            choices=("point", "comma"),
            help="decimal mark of the numbers (default: detect it)",
        ),
        add_valued(parser, "--skip", 0, "number of lines above the table", metavar="LINES"),
    ]


def read_table(
    path: Path, options: argparse.Namespace, known: Collection[str] = (), *, unnamed: bool = False
) -> Table:
    """Read the table in a file as the options say. Raises CommandError."""
    from nn.options import whole
    from nn.tables import read

    with reported(reading=path):
        return read(
            path,
            header={"auto": None, "yes": True, "no": False}[options.header],
            encoding=options.encoding,
            delimiter=options.delimiter,
            decimal=options.decimal,
            skip=whole(options.skip, "--skip", least=0),
            known=known,
            unnamed=unnamed,
        )
