"""The command line of an article's program, and its report on a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from textwrap import wrap

from ._documents import write_documents
from ._formulas import plain
from ._report import Report
from ._rows import summary

HEADING = f"article {'number':<66} {'source':<8}{'expected':>16} {'got':>18}"


def lines(report: Report) -> Iterator[str]:
    """The rows as lines of the table whose heading is `HEADING`."""
    for row in report.rows:
        verdict = "ok" if row.agrees else "DIFFERS"
        numbers = f"{row.expectation.en:>16} {row.result.en:>18}"
        what, origin = plain(row.what.en), row.origin.en
        yield f"{report.article.number:<7} {what:<66} {origin:<8}{numbers}  {verdict}"


def outcome(reports: Iterable[Report]) -> Iterator[str]:
    """Lines about the files: how many were written, then those that were skipped and why."""
    skipped: dict[str, list[str]] = {}
    for report in reports:
        if report.out is not None:
            number = report.article.number
            yield f"article {number}: wrote {len(report.files)} files to {report.out}"
        for reason, names in report.skipped.items():
            skipped.setdefault(reason, []).extend(names)
    for reason, names in skipped.items():
        yield f"skipped {', '.join(names)}: {reason}"


def show(report: Report) -> None:
    """Print a report: the claim, the table, its summary, and the files."""
    article = report.article
    print(f"Article {article.number}. {article.title.en} ({article.title.zh})")
    print(
        *wrap(plain(article.claim.en), 100),
        "",
        HEADING,
        *lines(report),
        "",
        *summary(report.rows),
        "",
        sep="\n",
    )
    print(*outcome([report]), sep="\n")


def main(run: Callable[[Path | None], Report]) -> int:
    """Run one program; return 0 if all its numbers agree, 1 if not, 2 if it cannot write."""
    parser = argparse.ArgumentParser(
        description=sys.modules[run.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write derivations, graphs and plots there"
    )
    out = parser.parse_args().out
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # the terminal may not support Chinese
    try:
        report = run(out)
        write_documents(report)
    except OSError as error:
        parser.error(f"cannot write to {out}: {error.strerror or error}")
    show(report)
    return 0 if all(row.agrees for row in report.rows) else 1
