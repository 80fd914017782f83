"""The command line: `python -m micrograd`, or `micrograd` where the package is installed.

Exit codes: 0, all is well; 1, a number differs; 2, the command could not be carried out, or its
output could not be written.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from io import StringIO, TextIOWrapper
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from micrograd.commands import training
from micrograd.commands.expressions import CommandError, add_to
from micrograd.commands.terminal import Output, printable

EXAMPLES = "micrograd.examples"


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line (by default that of this process) and return its exit code."""
    output, errors = Output(sys.stdout), sys.stderr or StringIO()
    if isinstance(output.stream, TextIOWrapper):
        output.stream.reconfigure(errors="replace")  # a terminal may lack some character
    leaving: SystemExit | None = None
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            code = _carried_out([*map(_shielded, sys.argv[1:] if argv is None else argv)])
        except SystemExit as exit_:  # of argparse, after help or a complaint
            leaving = exit_
        failure = output.close()
        if failure is not None:
            _complain(f"cannot write to standard output: {failure.strerror or failure}")
            return 2
    if leaving is not None:
        raise leaving
    return code


def _carried_out(words: list[str]) -> int:
    parser = _parser()
    options = parser.parse_args(words)
    if options.version:
        print(f"micrograd-engine {version()}")
        return 0
    if options.command is None:
        parser.error(f"a command is missing: {parser.prog} demo, for one")
    for name, value in vars(options).items():
        setattr(options, name, _unshielded(value))
    try:
        code: int = options.command(options)
    except CommandError as error:
        _complain(str(error))
        return 2
    except OSError as error:  # of a name that is too long, for one
        _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return 2
    return code


def _complain(message: str) -> None:
    with suppress(OSError):
        print(printable(f"micrograd: {message}"), file=sys.stderr)


def _shielded(word: str) -> str:
    """Put a space before an expression or a file name that begins with a minus.

    So argparse does not take it for an option; `_unshielded` takes the space away.
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
    """A parser whose messages show what was typed, without control characters and that space."""

    def error(self, message: str) -> NoReturn:
        super().error(re.sub(r"(?<=[' ]) -", "-", message))

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(printable(message), file)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="micrograd",
        description="A scalar automatic-differentiation engine with a computational graph.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    demo_options = commands.add_parser(
        "demo",
        help="recompute every number of the five articles",
        description="Recompute every number of the five articles and compare. The exit status is 1 "
        "if any number differs.",
    )
    demo_options.add_argument(
        "--out", type=Path, metavar="DIR", help="write the computation graphs and plots there"
    )
    demo_options.set_defaults(command=demo)

    add_to(commands)
    training.add_to(commands)
    return parser


def version() -> str:
    """The version of the installed distribution, or `unknown` if the package was only copied."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("micrograd-engine")
    except PackageNotFoundError:
        return "unknown"


# ---------------------------------------------------------------------------------------- the demo


def demo(options: argparse.Namespace) -> int:
    """Run the five programs, print one table of their numbers, write and say what was asked for."""
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
        print("no files written: give --out DIR for the derivations, computation graphs and plots")
    else:
        print(f"wrote {_index(examples, reports, out)}")
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
            raise _unwritable(out, error) from error


def _index(examples: ModuleType, reports: Sequence[Any], out: Path) -> Any:
    index = import_module(f"{examples.__name__}._index")
    try:
        return index.write_index(reports, out)
    except OSError as error:
        raise _unwritable(out, error) from error


def _unwritable(out: Path | None, error: OSError) -> CommandError:
    return CommandError(f"cannot write to {error.filename or out}: {error.strerror or error}")


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
