"""The command `completion`, which lets a shell complete commands and options."""

from __future__ import annotations

import argparse
from typing import Any

from micrograd.commands.errors import CommandError
from micrograd.commands.options import add_language

SHELLS = ("bash", "zsh", "tcsh")


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the options of the command."""
    parser = commands.add_parser(
        "completion",
        help="print a script that lets a shell complete commands and options",
        description="Print a script that lets a shell complete commands and options when the key "
        "Tab is pressed. The shell must load it at startup:\n"
        "  micrograd completion bash > ~/.local/share/bash-completion/completions/micrograd",
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")
    add_language(parser)
    parser.set_defaults(command=completion)


def completion(options: argparse.Namespace) -> int:
    """Print the script."""
    from micrograd.commands.main import parser

    try:
        from shtab import complete
    except ImportError:
        raise CommandError("completion needs shtab: pip install shtab") from None
    print(complete(parser(options.lang), options.shell))
    return 0
