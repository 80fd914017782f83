"""The command line of an article's program, and its report on a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap

from micrograd.writing.labels import columns, filled, pieces

from ._documents import write_documents
from ._formulas import plain
from ._report import Report
from ._rows import summary
from ._words import Words

_HEADING = Words("article|number|source|expected|got", "文章|数|出处|应为|得到")
_WIDTHS = 7, 66, 7, 16, 18
_VERDICTS = Words("DIFFERS", "不符"), Words("ok", "一致")


_ROOM = 127
"""The columns that the table takes with the longest verdict."""


def heading(lang: str = "en") -> str:
    """The heading of the table of `lines` in a language; empty where the terminal is narrow."""
    return _line(_HEADING.within(lang).split("|")) if _room() >= _ROOM else ""


def lines(report: Report, lang: str = "en") -> Iterator[str]:
    """The rows of a report as lines of a table, in a language.

    On a terminal that has no room for the table, a row takes several lines.
    """
    room = _room()
    for row in report.rows:
        texts = row.what, row.origin, row.expectation, row.result, _VERDICTS[row.agrees]
        what, *others = (text.within(lang) for text in texts)
        cells = [str(report.article.number), plain(what), *others]
        yield _line(cells) if room >= _ROOM else _lines(cells, lang, room)


def _room() -> int:
    """How many columns the terminal has; elsewhere there is room for the table."""
    return get_terminal_size().columns if sys.stdout.isatty() else _ROOM


def _lines(cells: Sequence[str], lang: str, room: int) -> str:
    """A row on a narrow terminal: the words, and below them the numbers."""
    number, what, origin, *numbers, verdict = cells
    titles = _HEADING.within(lang).split("|")[3:]
    parts = [origin, *(f"{title} {n}" for title, n in zip(titles, numbers, strict=True)), verdict]
    inner = room - len(number) - 2
    below = "  ".join(parts)
    found = [*filled(pieces(what), inner), *([below] if columns(below) <= inner else parts)]
    return f"\n{' ' * len(number)}  ".join([f"{number}  {found[0]}", *found[1:]])


def _line(cells: Sequence[str]) -> str:
    """A line of the table: words to the left, numbers to the right, the verdict last."""
    padding = [" " * (w - columns(cell)) for cell, w in zip(cells, _WIDTHS, strict=False)]
    words = [cell + space for cell, space in zip(cells[:3], padding, strict=False)]
    numbers = [space + cell for cell, space in zip(cells[3:5], padding[3:], strict=True)]
    return " ".join([*words, *numbers, *(f" {verdict}" for verdict in cells[5:])])


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
        which = names[0] if len(names) == 1 else f"{len(names)} files, such as {names[0]}"
        yield f"skipped {which}: {reason}"


def show(report: Report) -> None:
    """Print a report: the claim, the table, its summary, and the files."""
    article = report.article
    print(f"Article {article.number}. {article.title.en} ({article.title.zh})")
    print(
        *wrap(plain(article.claim.en), 100),
        "",
        heading(),
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
        "-o", "--out", type=Path, metavar="DIR", help="write derivations, graphs and plots there"
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
