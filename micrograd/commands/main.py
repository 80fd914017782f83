"""`main`, which carries out a command line.

The exit status is 0 if all is well, 1 if a check found a difference, 2 if the command cannot be
carried out or its output cannot be written, and 3 if `check` is undecided.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import micrograd
from micrograd.commands import (
    check,
    completion,
    demo,
    doctor,
    draw,
    explain,
    export,
    live,
    playground,
    predict,
    rules,
    train,
)
from micrograd.commands.options import CommandError, add_language
from micrograd.commands.parsing import Parser, language_of, translate
from micrograd.commands.terminal import Output, printable
from micrograd.writing.messages import message

COMMANDS = (
    *(demo, check, explain, draw, live, export),
    *(playground, rules, train, predict, doctor, completion),
)
"""The modules of the commands, in the order of the help."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line, by default that of this process, and return the exit status."""
    output, errors = Output(sys.stdout), sys.stderr or StringIO()
    if isinstance(output.stream, TextIOWrapper):
        output.stream.reconfigure(errors="replace")  # a terminal may lack some characters
    leaving: SystemExit | None = None
    words = [*map(_shielded, sys.argv[1:] if argv is None else argv)]
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            code = _carry_out(words)
        except SystemExit as exit_:  # argparse has printed its help or a complaint
            leaving = exit_
        failure = output.close()
        if failure is not None:
            reason = f"cannot write to standard output: {failure.strerror or failure}"
            _complain(reason, language_of(words))
            return 2
    if leaving is not None:
        raise leaving
    return code


def _carry_out(words: list[str]) -> int:
    reading = parser(language_of(words))
    options = reading.parse_args(words)
    if not doctor.is_whole() and options.command is not doctor.doctor:
        _complain(
            "files of this package were replaced or removed, as by another distribution called "
            "micrograd: `micrograd doctor` says what to do",
            options.lang,
        )
        return 2
    if options.version:
        print(f"micrograd-engine {micrograd.__version__}")
        return 0
    if options.command is None:
        reading.print_help()
        return 0
    for name, value in vars(options).items():
        setattr(options, name, _unshielded(value))
    try:
        code: int | None = options.command(options)
        return code or 0
    except CommandError as error:
        reason = str(error)
    except OSError as error:  # for example, a file name is too long
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    _complain(reason, options.lang)
    return 2


def _complain(reason: str, lang: str) -> None:
    said = "\n".join(message(line, lang) for line in reason.split("\n"))
    with suppress(OSError):
        print(printable(message("micrograd: ", lang) + said), file=sys.stderr)


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


def parser(lang: str = "en") -> Parser:
    """Return the parser of command lines, with its help in a language."""
    made = Parser(
        prog="micrograd",
        description="A scalar automatic-differentiation engine with a computational graph.",
        epilog="micrograd COMMAND --help describes a command and its options. To begin with:\n"
        '  micrograd explain "(sigmoid(w*x + b) - t)**2" --wrt w\n'
        '  micrograd draw "tanh(x * w + b)" x=2 w=-3 b=6.5 --compact -o neuron.svg\n'
        '  micrograd live "(tanh(w*x + b) - y)**2" w=1 x=2 b=0 y=1 -o live.html\n'
        "  micrograd demo --out out",
    )
    made.add_argument("--version", action="store_true", help="print the version and exit")
    add_language(made, "language of the help")
    made.set_defaults(command=None)
    commands = made.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        name = command.__name__.rpartition(".")[2]
        added = commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION)
        command.add_options(added)
        add_language(added)
        added.set_defaults(command=getattr(command, name))
    translate(made, lang)
    return made
