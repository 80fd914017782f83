"""The command `demo`, which recomputes every number of the five articles."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from itertools import repeat
from pathlib import Path
from types import ModuleType
from typing import Any

from micrograd.commands.options import CommandError, tell
from micrograd.commands.terminal import BAD, GOOD, coloured

EXAMPLES = "micrograd.examples"


HELP = "recompute the numbers of the five articles, and write their companions"
DESCRIPTION = (
    "Recompute the numbers of the five articles, say where each comes from, and compare them. The "
    "exit status is 1 if any number differs.\n"
    "  micrograd demo --out out"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "articles",
        type=_article,
        nargs="*",
        metavar="ARTICLE",
        help="the numbers of the articles, 1 to 5 (default: all)",
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="DIR",
        help="write the companions to this folder: a page, Markdown, LaTeX and pictures",
    )


def _article(text: str) -> int:
    if text.lstrip().startswith("-"):  # not an option here, since other commands accept such names
        raise argparse.ArgumentTypeError(f"unrecognized arguments: {text.strip()}")
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected the number of an article, got {text!r}"
        ) from None


def demo(options: argparse.Namespace) -> int:
    """Run the programs, print a table of their numbers, and write the companions."""
    out: Path | None = options.out
    examples = find_examples()
    layout = import_module(f"{examples.__name__}._common")
    programs = _chosen(examples.ARTICLES, options.articles)
    reports = []
    index = None
    lang = options.lang
    if out is not None and out.exists() and not out.is_dir():
        raise CommandError(f"cannot write to {out}: it is a file, and --out takes a folder")
    if title := layout.heading(lang):
        print(title)
    try:
        for report in _reports(programs, out):
            lines = zip(layout.lines(report, lang), report.rows, strict=True)
            signs = (coloured(line, GOOD if row.agrees else BAD) for line, row in lines)
            print(*signs, sep="\n", flush=True)
            reports.append(report)
        if out is not None:
            index = layout.write_index(reports, out)
    except OSError as error:
        place = error.filename or out
        raise CommandError(f"cannot write to {place}: {error.strerror or error}") from error

    no_files = "no files written: give --out DIR for the companions"
    files = [*layout.outcome(reports), no_files if index is None else f"wrote {index}"]
    tell("\n".join(["", *files]), lang)
    rows = [row for report in reports for row in report.rows]
    print(layout.summary(rows, articles=len(reports)).within(lang))
    return 0 if all(row.agrees for row in rows) else 1


def _reports(programs: Sequence[str], out: Path | None) -> Iterator[Any]:
    """The reports in order; companions are written side by side, one in each process."""
    workers = min(len(programs), os.cpu_count() or 1)
    if out is None or workers == 1 or sys.platform == "emscripten":
        yield from (_report(name, out) for name in programs)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # A process with threads, such as JAX starts, must not be forked.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(_report, programs, repeat(out))


def _report(name: str, out: Path | None) -> Any:
    """Run one program, and write its companion if there is a folder for it."""
    examples = find_examples()
    report = import_module(f"{examples.__name__}.{name}").run(out)
    import_module(f"{examples.__name__}._common").write_documents(report)
    return report


def _chosen(programs: Sequence[str], numbers: Sequence[int]) -> list[str]:
    """The programs of these articles in order, or all of them."""
    for number in numbers:
        if not 1 <= number <= len(programs):
            raise CommandError(f"there are articles 1 to {len(programs)}, got {number}")
    return [name for i, name in enumerate(programs, 1) if not numbers or i in numbers]


def find_examples() -> ModuleType:
    """Return the package of the articles' programs.

    A wheel contains it as `micrograd.examples`. In a checkout it is beside `micrograd`, and is
    loaded from there under the same name, since another package may be called `examples`.

    Raises CommandError if it is in neither place.
    """
    if EXAMPLES in sys.modules or find_spec(EXAMPLES) is not None:
        return import_module(EXAMPLES)
    beside = Path(__file__).resolve().parents[2] / "examples" / "__init__.py"
    spec = spec_from_file_location(EXAMPLES, beside)
    if not beside.is_file() or spec is None or spec.loader is None:
        raise CommandError(f"the examples are not installed, nor are they at {beside.parent}")
    examples = module_from_spec(spec)
    sys.modules[EXAMPLES] = examples
    spec.loader.exec_module(examples)
    return examples
