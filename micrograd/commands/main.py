"""`main`, which carries out a command line.

The exit status is 0 if all is well, 1 if a check found a difference, 2 if the command cannot be
carried out or its output cannot be written, and 3 if `check` is undecided.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import micrograd
from micrograd.commands import (
    check,
    demo,
    draw,
    explain,
    export,
    live,
    playground,
    predict,
    rules,
    train,
)
from micrograd.commands.errors import CommandError
from micrograd.commands.terminal import Output, printable

COMMANDS = (demo, check, explain, draw, live, export, playground, rules, train, predict)
"""The modules of the commands, in the order of the help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line, by default that of this process, and return the exit status."""
    output, errors = Output(sys.stdout), sys.stderr or StringIO()
    if isinstance(output.stream, TextIOWrapper):
        output.stream.reconfigure(errors="replace")  # a terminal may lack some characters
    leaving: SystemExit | None = None
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            code = _carry_out([*map(_shielded, sys.argv[1:] if argv is None else argv)])
        except SystemExit as exit_:  # argparse has printed its help or a complaint
            leaving = exit_
        failure = output.close()
        if failure is not None:
            _complain(f"cannot write to standard output: {failure.strerror or failure}")
            return 2
    if leaving is not None:
        raise leaving
    return code


def _carry_out(words: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(words)
    if options.version:
        print(f"micrograd-engine {micrograd.__version__}")
        return 0
    if options.command is None:
        parser.print_help(sys.stderr)
        parser.exit(2, "\nmicrograd: a command is missing, such as micrograd demo\n")
    for name, value in vars(options).items():
        setattr(options, name, _unshielded(value))
    try:
        code: int = options.command(options)
    except CommandError as error:
        _complain(str(error))
        return 2
    except OSError as error:  # for example, a file name is too long
        _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return 2
    return code


def _complain(message: str) -> None:
    with suppress(OSError):
        print(printable(f"micrograd: {message}"), file=sys.stderr)


def _shielded(word: str) -> str:
    """Put a space before an expression or a file name that begins with a minus.

    Otherwise argparse would take it for an option. `_unshielded` removes the space.
    """
    is_option = re.fullmatch(r"-[oh]?|--([\w-]+(=.*)?)?", word, flags=re.DOTALL)
    return f" {word}" if re.match(" *-", word) and not is_option else word


def _unshielded(value: Any) -> Any:
    if isinstance(value, list):
        return [_unshielded(each) for each in value]
    if isinstance(value, str | Path) and re.match(" +-", str(value)):
        return type(value)(str(value)[1:])
    return value


class _Parser(argparse.ArgumentParser):
    """A parser whose messages show what was typed, without that space and control characters."""

    def error(self, message: str) -> NoReturn:
        super().error(re.sub(r"(?<=[' ]) -", "-", message))

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(printable(message), file)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="micrograd",
        description="A scalar automatic-differentiation engine with a computational graph.",
        epilog="micrograd COMMAND --help describes a command and its options.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return parser
