"""What the programs share: rows of numbers, the report, gradient descent, the weighted sum."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from io import TextIOWrapper
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd import Value

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# ----------------------------------------------------------------------------------- the numbers

# A sum of at most 32 terms below 10 is off by less than 32 * 10 / 2**53, which is 4e-14.
ROUNDING = 4e-14


@dataclass(frozen=True)
class Row:
    """One number: what it is, what the article says, what the engine computed."""

    what: str
    expected: float
    got: float
    tolerance: float = 0.0
    relation: str = "="  # or "<" or ">="

    @property
    def agrees(self) -> bool:
        """Whether the relation holds; never so for nan."""
        match self.relation:
            case "<":
                return self.got < self.expected
            case ">=":
                return self.got >= self.expected
        return abs(self.got - self.expected) <= self.tolerance

    @property
    def expectation(self) -> str:
        """What is expected, as text."""
        number = f"{self.expected + 0.0:.12g}"  # no minus before a zero
        return number if self.relation == "=" else f"{self.relation} {number}"


def exactly(what: str, expected: float, got: float) -> Row:
    """A number that arithmetic gives exactly, up to rounding."""
    return Row(what, expected, got, ROUNDING)


def printed(what: str, digits: str, got: float) -> Row:
    """A number as an article prints it: rounded to its last digit, or cut off there by a `…`."""
    cut = digits.endswith("…")
    digits = digits.rstrip("…")
    unit = 10.0 ** -len(digits.partition(".")[2])
    return Row(what, float(digits), got, unit if cut else unit / 2)


# ----------------------------------------------------------------------------------- the report


@dataclass(frozen=True)
class Article:
    """What an article is about."""

    number: int
    title: str
    chinese: str
    claim: str


@dataclass
class Report:
    """What a program found: its rows, and the files it wrote into `out`, if a folder is given.

    `notes` are sentences to print. Pictures whose library or renderer is missing are left out:
    `skipped` has their names by the reason, which says what to install.
    """

    article: Article
    out: Path | None = None
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def graph(self, name: str, root: Value | Sequence[Value], **options: Any) -> None:
        """Draw the graph below `root`, as SVG or, without a renderer, as DOT text.

        `options` are those of `draw_dot`.
        """
        if (path := self._path(f"{name}.svg")) is None:
            return
        from micrograd.drawing import RenderingError, draw_dot

        graph = draw_dot(root, **options)
        try:
            text = str(graph.pipe(format="svg", encoding="utf-8"))
        except RenderingError as error:
            self._skip(path, str(error))
            path, text = path.with_suffix(".gv"), graph.source
        path.write_text(text, encoding="utf-8", newline="\n")
        self.files.append(path)

    def plot(
        self, name: str, draw: Callable[[Figure], None], size: tuple[float, float] = (8, 3.6)
    ) -> None:
        """Let `draw` fill a figure of `size` inches with matplotlib, as PNG."""
        if (path := self._path(f"{name}.png")) is None:
            return
        try:
            from matplotlib.figure import Figure  # by itself it draws with Agg, without a display
        except ImportError:
            self._skip(path, "matplotlib is missing: pip install 'micrograd-engine[plot]'")
            return
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        figure.savefig(path, dpi=150)
        self.files.append(path)

    def _path(self, name: str) -> Path | None:
        if self.out is None:
            return None
        self.out.mkdir(parents=True, exist_ok=True)
        return self.out / f"article_{self.article.number}_{name}"

    def _skip(self, path: Path, reason: str) -> None:
        self.skipped.setdefault(reason, []).append(path.name)


HEADING = f"article {'number':<58} {'expected':>16} {'got':>18}"


def lines(report: Report) -> Iterator[str]:
    """The rows as lines of one table, which `HEADING` heads."""
    for row in report.rows:
        verdict = "ok" if row.agrees else "DIFFERS"
        numbers = f"{row.expectation:>16} {row.got + 0.0:>18.12g}"
        yield f"{report.article.number:<7} {row.what:<58} {numbers}  {verdict}"


def outcome(reports: Iterable[Report]) -> Iterator[str]:
    """What became of the files, as lines: those written, then those left out and why."""
    skipped: dict[str, list[str]] = {}
    for report in reports:
        yield from (f"wrote {path}" for path in report.files)
        for reason, names in report.skipped.items():
            skipped.setdefault(reason, []).extend(names)
    for reason, names in skipped.items():
        yield f"skipped {', '.join(names)}: {reason}"


def show(report: Report) -> None:
    """Print a report: the claim, the table, and what became of the files."""
    article = report.article
    print(f"Article {article.number}. {article.title} ({article.chinese})")
    print(article.claim, "", HEADING, *lines(report), "", sep="\n")
    for line in (*report.notes, *outcome([report])):
        print(line)


def main(run: Callable[[Path | None], Report]) -> int:
    """The command line of one program: 0 if all its numbers agree, 1 if not, 2 if it cannot run."""
    parser = argparse.ArgumentParser(
        description=sys.modules[run.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write graphs and plots there")
    out = parser.parse_args().out
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may know no Chinese
    try:
        report = run(out)
    except OSError as error:
        parser.error(f"cannot write to {out}: {error.strerror or error}")
    show(report)
    return 0 if all(row.agrees for row in report.rows) else 1


# ------------------------------------------------------------------------------ the mathematics


def dot(x: Iterable[Any], w: Iterable[Any]) -> Any:
    """The weighted sum `x1 * w1 + x2 * w2 + …`, of Values, numbers, or both."""
    return reduce(add, (xi * wi for xi, wi in zip(x, w, strict=True)))


def descent(
    parameters: Sequence[Value], loss: Callable[[], Value], *, step: float, iterations: int
) -> Iterator[float]:
    """Gradient descent; yields, after each step, the loss that it set out from."""
    for _ in range(iterations):
        cost = loss()
        for parameter in parameters:
            parameter.grad = 0
        cost.backward()
        for parameter in parameters:
            parameter.data -= step * parameter.grad
        yield cost.data
