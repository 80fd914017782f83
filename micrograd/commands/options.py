"""What several commands share: options, errors, and the delivery of their output."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from micrograd.writing import languages
from micrograd.writing.messages import message


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


def tell(text: str, lang: str) -> None:
    """Print what a command says about its work, line by line in a language."""
    print(*(message(line, lang) for line in text.split("\n")), sep="\n", flush=True)
