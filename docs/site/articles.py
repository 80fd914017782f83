"""The companions of the five articles, `examples/article_1_….py`, as pages of the site."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from docs.site.examples import MADE
from docs.site.languages import OTHER, WORDS
from examples._formulas import plain
from examples._index import Edition
from examples._story import Section
from micrograd.files import write

SHOWN = ("*.svg", "*.html")  # the files of a companion that a page shows


def write_companion(program: str, source: Path, out: Path) -> None:
    """Run the program of an article, and write its companion in each language.

    Args:
        program: the name of the program, one of `examples.ARTICLES`.
        source: the folder of the pages for Sphinx, which has one for each language.
        out: the folder of the site; pictures and pages go to the languages' folders in it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        report = import_module(f"examples.{program}").run(Path(temporary))
        for lang in WORDS:
            made = out / lang / MADE
            made.mkdir(parents=True, exist_ok=True)
            for pattern in SHOWN:
                for path in Path(temporary).glob(pattern):
                    if f".{OTHER[lang]}." not in path.name:
                        shutil.copy(path, made)
            page = "\n\n".join(blocks(Edition([report], lang)))
            name = f"article_{report.article.number}.md"
            write(source / lang / "tutorials" / name, f"{page}\n")


def blocks(edition: Edition) -> Iterator[str]:
    """The blocks of a page: headings, and pieces of HTML between them."""
    (report,), lang = edition.reports, edition.lang
    yield f"# {plain(report.article.title.within(lang))}"
    yield raw(f"<p>{edition.say(report.article.claim)}</p>", lang)
    for part in report.parts:
        if isinstance(part, Section):
            yield f"## {plain(part.title.within(lang))}"
        else:
            yield raw(edition.part(part, ""), lang)


def raw(text: str, lang: str) -> str:
    """HTML within Markdown, with the addresses of the site."""
    text = re.sub(r'(src|srcset|href)="article_', rf'\1="../{MADE}/article_', text)
    text = text.replace(f'href="#{lang}-rule-', 'href="../reference/cards.html#rule-')
    return f'```{{raw}} html\n<div class="made companion">\n{text}\n</div>\n```'
