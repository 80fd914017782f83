"""What several commands share: options, errors, and the delivery of their output."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd.writing import languages
from micrograd.writing.messages import message

if TYPE_CHECKING:
    from nn.tables import Table


class CommandError(Exception):
    """A command cannot be carried out; its message is printed, and the exit status is 2."""


@contextmanager
def reported(
    *errors: type[Exception], reading: Path | None = None, writing: Path | None = None
) -> Iterator[None]:
    """Turn errors that are not faults of the program into a CommandError.

    Args:
        *errors: the errors whose message is kept, besides ValueError.
        reading: the file that is read, for the message of an OSError.
        writing: the file that is written. If no file is given, an OSError passes.
    """
    try:
        yield
    except Exception as error:
        action = f"read {reading}" if writing is None else f"write to {writing}"
        if isinstance(error, OSError) and (reading or writing):
            raise CommandError(f"cannot {action}: {error.strerror or error}") from error
        if not isinstance(error, (ValueError, *errors)):
            raise
        raise CommandError(str(error)) from error


COLUMNS: dict[str, Any] = {"action": "append", "default": [], "metavar": "COLUMN"}
"""The settings of an option that names columns, one each time that it is given."""


def add_language(parser: argparse.ArgumentParser, what: str = "language of the output") -> None:
    """Let a command take the language of its output; `what` is the help of the option."""
    add_valued(parser, "--lang", "en", what, choices=languages.languages())


def add_output(parser: argparse.ArgumentParser, what: str) -> None:
    """Let a command take the file to write; `what` is the help of the option."""
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help=what)


def add_valued(
    parser: argparse._ActionsContainer, name: str, default: Any, what: str, **settings: Any
) -> argparse.Action:
    """Let a command take an option of the type of its default, which follows `what` in the help."""
    what += " (default %(default)s)"
    return parser.add_argument(name, type=type(default), default=default, help=what, **settings)


def add_theme(parser: argparse.ArgumentParser) -> None:
    """Let a command take the colours of its pictures."""
    what = "light, dark, print, or auto, which follows the reader's screen"
    add_valued(parser, "--theme", "light", what)


def deliver(text: str, path: Path | None, lang: str, *known: str) -> None:
    """Write the output of a command to a file and report it; without a file, print the output.

    If the name of the file has a suffix, it is one of those that are `known`, if there are any.
    """
    from micrograd.files import suffix, write

    with reported(writing=path):
        if path is None:
            print(text, end="")
            return
        if known and path.suffix:
            suffix(path, known)
        write(path, text)
    tell(f"wrote {path}", lang)


def page(title: str, body: str, lang: str, style: str = "") -> str:
    """Return a page of HTML with this title, which is text, and these elements."""
    from micrograd.drawing.frame import asset

    tag = languages.words(lang, "language")["tag"]
    return asset("page.html", __package__).format(
        tag=tag, title=escape(title), style=style, body=body
    )


def tell(text: str, lang: str) -> None:
    """Print what a command says about its work, line by line in a language."""
    print(*(message(line, lang) for line in text.split("\n")), sep="\n", flush=True)


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
