"""The command `completion`, which lets a shell complete commands and options."""

from __future__ import annotations

import argparse

from micrograd.commands.options import CommandError

SHELLS = ("bash", "zsh", "tcsh")

HELP = "print a script that lets a shell complete commands and options"
DESCRIPTION = (
    "Print a script that lets a shell complete commands and options when the key Tab is pressed. "
    "The shell must load it at startup:\n"
    "  micrograd completion bash > ~/.local/share/bash-completion/completions/micrograd"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def completion(options: argparse.Namespace) -> None:
    """Print the script."""
    from micrograd.commands.main import parser

    try:
        from shtab import complete
    except ImportError:
        raise CommandError("completion needs shtab: pip install shtab") from None
    print(complete(parser(options.lang), options.shell))
