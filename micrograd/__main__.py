"""The command line: `python -m micrograd`, or `micrograd` where the package is installed.

Exit codes: 0, all is well; 1, a number differs; 2, the command could not be carried out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import Any

from micrograd.expressions import Expression
from micrograd.formulas import FormulaError

EXAMPLES = "micrograd.examples"


class CommandError(Exception):
    """A command cannot be carried out, and the message says why: exit code 2, no traceback."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line (by default that of this process) and return its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.version:
        print(f"micrograd-engine {version()}")
        return 0
    if options.command is None:
        parser.error(f"a command is missing: {parser.prog} demo, for one")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack some character
    try:
        code: int = options.command(options)
        sys.stdout.flush()
    except CommandError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="micrograd",
        description="A scalar automatic-differentiation engine with a computational graph.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    demo_options = commands.add_parser(
        "demo",
        help="recompute every number of the five articles",
        description="Recompute every number of the five articles and compare. Exits with 1 if one "
        "differs.",
    )
    demo_options.add_argument(
        "--out", type=Path, metavar="DIR", help="write the computation graphs and plots there"
    )
    demo_options.set_defaults(command=demo)

    check_options = commands.add_parser(
        "check",
        help="check the gradient of an expression at a point",
        description="Check the gradient of an expression against independent witnesses. Exits with "
        'a 1 if one disagrees. Example: micrograd check "tanh(x * w + b)" x=2 w=-3 b=6.5',
    )
    check_options.add_argument("expression", help="arithmetic and calls of operations")
    check_options.add_argument("at", nargs="*", metavar="NAME=NUMBER", help="where")
    check_options.add_argument("--order", type=int, default=1, help="of derivatives, 1 or more")
    check_options.set_defaults(command=check)
    return parser


def version() -> str:
    """The version of the installed distribution, or `unknown` if the package was only copied."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("micrograd-engine")
    except PackageNotFoundError:
        return "unknown"


# -------------------------------------------------------------------------------------- expressions


def check(options: argparse.Namespace) -> int:
    """Check the gradient of an expression typed by a person, and print the report."""
    from micrograd.testing import check_gradients

    function, point = _expression(options.expression, options.at)
    if options.order < 1:
        raise CommandError(f"--order is 1 or more, got {options.order}")
    report = check_gradients(function, *point, order=options.order, raise_exception=False)
    print(report)
    return 0 if report else 1


def _expression(text: str, assignments: Sequence[str]) -> tuple[Expression, list[float]]:
    """The expression as a function of its names, and their numbers. Raises CommandError."""
    names, point = [], []
    for assignment in assignments:
        name, equals, number = assignment.partition("=")
        try:
            point.append(float(number))
        except ValueError:
            raise CommandError(
                f"{assignment!r} is no NAME=NUMBER, such as x=0.5"
                if not equals
                else f"{assignment!r}: {number!r} is no number"
            ) from None
        names.append(name.strip())
    try:
        return Expression(text, names), point
    except FormulaError as error:
        raise CommandError(str(error)) from None


# ---------------------------------------------------------------------------------------- the demo


def demo(options: argparse.Namespace) -> int:
    """Run the five programs, print one table of their numbers, and say what was written."""
    out: Path | None = options.out
    examples = find_examples()
    layout = import_module(f"{examples.__name__}._common")
    reports = []
    print(layout.HEADING)
    for report in _reports(examples, out):
        print(*layout.lines(report), sep="\n", flush=True)
        reports.append(report)

    print()
    for line in layout.outcome(reports):
        print(line)
    if out is None:
        print("no files written: give --out DIR for the computation graphs and plots")
    rows = [row for report in reports for row in report.rows]
    different = sum(not row.agrees for row in rows)
    print(f"{len(rows) - different} of {len(rows)} numbers agree")
    return 1 if different else 0


def _reports(examples: ModuleType, out: Path | None) -> Iterator[Any]:
    for name in examples.ARTICLES:
        article = import_module(f"{examples.__name__}.{name}")
        try:
            yield article.run(out)
        except OSError as error:
            raise CommandError(
                f"cannot write to {error.filename or out}: {error.strerror or error}"
            ) from error


def find_examples() -> ModuleType:
    """The package of the articles' programs.

    A wheel holds it as `micrograd.examples`. In a checkout it lies beside `micrograd`; it is loaded
    from there under the same name, since `examples` may be anything on somebody's path.

    Raises CommandError if it is in neither place.
    """
    if EXAMPLES in sys.modules or find_spec(EXAMPLES) is not None:
        return import_module(EXAMPLES)
    beside = Path(__file__).resolve().parents[1] / "examples" / "__init__.py"
    spec: ModuleSpec | None = spec_from_file_location(EXAMPLES, beside)
    if not beside.is_file() or spec is None or spec.loader is None:
        raise CommandError(f"the examples are not installed, nor are they at {beside.parent}")
    examples = module_from_spec(spec)
    sys.modules[EXAMPLES] = examples
    spec.loader.exec_module(examples)
    return examples


if __name__ == "__main__":
    sys.exit(main())
