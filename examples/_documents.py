"""The companions as files: a page of all, and each as Markdown, with images, and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from micrograd.files import write

from ._index import index
from ._latex import Latex
from ._markdown import Markdown, WithImages
from ._report import Report
from ._words import LANGUAGES

INDEX = "index.html"
WRITERS = {
    "Markdown": (Markdown, "md"),
    "Markdown with images": (WithImages, "images.md"),
    "LaTeX": (Latex, "tex"),
}


def write_documents(report: Report) -> None:
    """Write a companion as Markdown and LaTeX, in each language, beside its pictures."""
    if report.out is None:
        return
    for lang in LANGUAGES:
        report.documents[lang] = {}
        for kind, (writer, suffix) in WRITERS.items():
            path = report.out / f"article_{report.article.number}.{lang}.{suffix}"
            write(path, writer(report, lang).text())
            report.documents[lang][kind] = path
            report.files.append(path)


def write_index(reports: Sequence[Report], folder: Path) -> Path:
    """Write the page into `folder`, where the files of the reports are, and return its path."""
    path = folder / INDEX
    write(path, index(reports))
    return path
