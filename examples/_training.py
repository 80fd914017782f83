"""What the programs that train a network share: their command line, and where pictures go."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Result(NamedTuple):
    """What a program has found: lines to print, and whether its claim holds."""

    lines: list[str]
    holds: bool


def save(axes: Any, out: Path | None, name: str) -> None:
    """Write a plot, if files are wanted."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        axes.figure.savefig(out / name, dpi=150)
        print(f"wrote {out / name}")


def main(run: Callable[..., Result], epochs: int) -> int:
    """The command line of one program: 0 if its claim holds, 1 if not, 2 if it cannot run."""
    parser = argparse.ArgumentParser(
        description=sys.modules[run.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write pictures there")
    options = parser.parse_args()
    try:
        result = run(options.epochs, options.out)
    except ImportError as error:
        print(error, file=sys.stderr)
        return 2
    print(*result.lines, sep="\n")
    return 0 if result.holds else 1
