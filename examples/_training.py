"""What the demonstrations share: their result, their command line, their files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from micrograd.files import write

WIDTH = 4.4  # of a plot, in inches: letters of 10 points have 11 pixels where it is 350 pixels wide


class Result(NamedTuple):
    """The result of a program: numbers by name, lines to print, and whether its claim holds."""

    numbers: dict[str, float]
    lines: list[str]
    holds: bool


def save(axes: Any, path: Path) -> None:
    """Write a plot whose letters can be read on a phone, without the empty space around it."""
    content, (width, height) = BytesIO(), axes.figure.get_size_inches()
    axes.figure.set_size_inches(WIDTH, height * WIDTH / width)
    axes.figure.savefig(content, format=path.suffix[1:], dpi=200, bbox_inches="tight")
    write(path, content.getvalue())
    print(f"wrote {path}")


def main(run: Callable[[int, Path | None], Result], epochs: int) -> int:
    """Run one program; return 0 if its claim holds, 1 if not, 2 if it cannot run."""
    parser = argparse.ArgumentParser(
        description=sys.modules[run.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--epochs", type=_epochs, default=epochs, metavar="N")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write pictures there")
    options = parser.parse_args()
    try:
        if options.out is not None:
            _prepare(options.out)
        result = run(options.epochs, options.out)
    except ImportError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        parser.error(f"cannot write to {options.out}: {error.strerror or error}")
    return report(result)


def report(result: Result) -> int:
    """Print what a program has found; 0 if its claim holds, 1 if not."""
    print(*result.lines, sep="\n")
    return 0 if result.holds else 1


def _epochs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _prepare(out: Path) -> None:
    """Fail before the training, not after it, if pictures cannot be drawn or written."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(f"--out needs Matplotlib: pip install matplotlib ({error})") from error
    out.mkdir(parents=True, exist_ok=True)
