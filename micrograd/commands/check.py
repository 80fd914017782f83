"""The command `check`, which checks the gradient of an expression."""

from __future__ import annotations

import argparse
import sys
from shutil import get_terminal_size

from micrograd.commands.expression import add_arguments, function_and_point
from micrograd.commands.options import CommandError, add_output, add_valued, deliver
from micrograd.commands.terminal import BAD, DOUBTFUL, GOOD, coloured

HELP = "check the gradient of an expression at a point"
DESCRIPTION = (
    "Check the gradient of an expression by several independent methods. The exit status is 0 if "
    "all confirm it, 1 if one disagrees, 2 if the command cannot be carried out, and 3 if no "
    "method disagrees but not everything is confirmed, for example because a value is infinite.\n"
    '  micrograd check "tanh(x * w + b)" x=2 w=-3 b=6.5'
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_arguments(parser)
    add_output(parser, "output file; without it, the report is printed")
    add_valued(parser, "--order", 1, "highest order of the derivatives to check, from 1 to 4")


def check(options: argparse.Namespace) -> int:
    """Print the report; return 0 if the gradient is confirmed, 1 if wrong, and 3 if undecided."""
    from micrograd.testing import check_gradients
    from micrograd.testing.options import order

    function, point = function_and_point(options)
    try:
        highest = order(options.order)
    except ValueError as error:
        raise CommandError(f"--{error}") from None
    report = check_gradients(function, *point, order=highest, raise_exception=False)
    code = 0 if report else 1 if report.is_wrong else 3
    on_terminal = options.out is None and sys.stdout.isatty()
    width = get_terminal_size().columns if on_terminal else None
    text = f"{report.text(options.lang, width)}\n"
    if options.out is None:
        verdict, line, rest = text.partition("\n")
        text = coloured(verdict, {0: GOOD, 1: BAD, 3: DOUBTFUL}[code]) + line + rest
    deliver(text, options.out, options.lang, ".txt")
    return code
