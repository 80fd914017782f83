"""The index page, which collects what the programs computed and wrote.

The page has an English and a Chinese edition, and shows one of them. It loads nothing but the
pictures and pages beside it: a content-security policy forbids everything else. All texts are
escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources
from urllib.parse import quote

from micrograd.derivation import rule_card
from micrograd.derivation.document import Paragraph, as_html
from micrograd.drawing.frame import content_hash
from micrograd.engine.graph import operation
from micrograd.ops import TABLE
from micrograd.writing.languages import operation_name, words
from micrograd.writing.marks import MATH_STYLE, mathml

from . import _story as story
from ._formulas import pieces, plain, read, sides
from ._phrases import PHRASES
from ._report import Report
from ._rows import Row, summary
from ._words import LANGUAGES, Words

NARROWEST = 660
"""The widest screen, in pixels, that shows the narrow pictures."""
_OPEN_ROWS = 6  # of a table that is shown at once


def index(reports: Sequence[Report]) -> str:
    """The text of the page."""
    style, script = MATH_STYLE + _asset("index.css"), _asset("frames.js") + _asset("index.js")
    policy = (
        "default-src 'none'; img-src 'self' file:; frame-src 'self' file:; "
        f"style-src '{content_hash(style)}'; script-src '{content_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    editions = [Edition(reports, lang) for lang in LANGUAGES]
    return _asset("index.html").format(
        policy=policy,
        title=escape(editions[0].title),
        style=style,
        editions="\n".join(edition.text() for edition in editions),
        script=script,
    )


def _asset(name: str) -> str:
    return (resources.files(__package__) / "assets" / name).read_text(encoding="utf-8")


class Edition:
    """The page in one language. The ids of its parts begin with the language: `zh-article-3`."""

    def __init__(self, reports: Sequence[Report], lang: str) -> None:
        self.reports, self.lang = reports, lang
        counts = self.phrase("counts").split()
        self.title = self.phrase("title", count=counts[len(reports)])
        if len(reports) == 1:
            article = reports[0].article
            number = self.phrase("article", number=article.number)
            self.title = number + self.phrase("colon") + plain(article.title.within(lang))

    def text(self) -> str:
        """The whole edition."""
        parts = [
            self.opening(),
            self.contents(),
            *(self.article(report) for report in self.reports),
            self.rules(),
        ]
        hidden = "" if self.lang == LANGUAGES[0] else " hidden"
        title = escape(self.title)
        return (
            f'<main id="{self.lang}" lang="{_tag(self.lang)}" data-title="{title}"{hidden}>\n'
            + "\n".join(parts)
            + "\n</main>"
        )

    # ---------------------------------------------------------------------------------- the words

    def phrase(self, key: str, **parts: object) -> str:
        """A phrase of the page in this language, with parts in its places."""
        return PHRASES[key].within(self.lang).format(**parts)

    def say(self, words: Words) -> str:
        """A text of a report in this language as HTML."""
        paragraph = as_html([Paragraph(tuple(pieces(words.within(self.lang))))])
        return paragraph.removeprefix("<p>").removesuffix("</p>")

    def link(self, target: str, text: str, **attributes: str) -> str:
        """A link. The target and the attributes are escaped here; the text is HTML."""
        more = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
        return f'<a href="{escape(target)}"{more}>{text}</a>'

    # ---------------------------------------------------------------------------------- the parts

    def opening(self) -> str:
        """The title, the introduction, and links to the other languages."""
        others = [lang for lang in LANGUAGES if lang != self.lang]
        rows = [row for report in self.reports for row in report.rows]
        switches = (
            self.link(f"#{lang}", words(lang, "language")["name"], lang=tag, hreflang=tag)
            for lang, tag in zip(others, map(_tag, others), strict=True)
        )
        return (
            f'<header><nav class="switch">{" ".join(switches)}</nav>'
            f"<h1>{escape(self.title)}</h1>"
            f'<p class="introduction">{escape(self.phrase("introduction"))}</p>'
            f'<p class="tally">{self.say(summary(rows, articles=len(self.reports)))}'
            f"{self.phrase('stop')}</p></header>"
        )

    def contents(self) -> str:
        """The table of contents."""
        entries = [self._entry(report) for report in self.reports]
        if self.operations():
            entries.append(f"<li>{self.link(f'#{self.lang}-rules', self.phrase('rules'))}</li>")
        return (
            f'<nav class="contents" aria-labelledby="{self.lang}-contents">'
            f'<h2 id="{self.lang}-contents">{self.phrase("contents")}</h2>'
            f"<ol>{''.join(entries)}</ol></nav>"
        )

    def _entry(self, report: Report) -> str:
        anchor = self._anchor(report)
        parts = "".join(
            f"<li>{self.link(f'#{anchor}-{each.name}', self.say(each.title))}</li>"
            for each in report.parts
            if isinstance(each, story.Section)
        )
        inner = f"<ul>{parts}</ul>" if parts else ""
        return f"<li>{self.link(f'#{anchor}', self.say(report.article.title))}{inner}</li>"

    def _anchor(self, report: Report) -> str:
        return f"{self.lang}-article-{report.article.number}"

    def article(self, report: Report) -> str:
        """A whole companion."""
        anchor, article = self._anchor(report), report.article
        number = self.phrase("article", number=article.number)
        title = f'<span class="number">{number}</span> {self.say(article.title)}'
        parts = [
            f'<h2 id="{anchor}">{title}</h2>',
            f'<p class="claim">{self.say(article.claim)}</p>',
            f'<p class="tally">{self.say(summary(report.rows))}{self.phrase("stop")}</p>',
            *(self.part(each, anchor) for each in report.parts),
            *self._documents(report),
        ]
        return f'<section aria-labelledby="{anchor}">' + "\n".join(parts) + "</section>"

    def _documents(self, report: Report) -> Iterator[str]:
        """Links to the companion as Markdown and LaTeX."""
        if report.documents:
            links = (
                self.link(quote(path.name), self.phrase(kind))
                for kind, path in report.documents[self.lang].items()
            )
            yield f'<p class="links">{self.phrase("documents")}{" · ".join(links)}</p>'

    def part(self, part: story.Part, anchor: str) -> str:
        """One part of a companion."""
        match part:
            case story.Section(name, title):
                return f'<h3 id="{anchor}-{escape(name)}">{self.say(title)}</h3>'
            case story.Prose(words):
                return f"<p>{self.say(words)}</p>"
            case story.Bullets(items):
                return f"<ul>{''.join(f'<li>{self.say(item)}</li>' for item in items)}</ul>"
            case story.Display(lines):
                return display(lines)
            case story.Numbers(rows):
                return self.numbers(rows)
            case story.Figure():
                return self.figure(part)
            case story.Matrices():
                return f'<div class="matrices">{as_html(part.blocks(self.lang), level=3)}</div>'
            case story.Derivation():
                return self.derivation(part)
            case story.Page():
                return self.page(part)

    def derivation(self, told: story.Derivation) -> str:
        """A derivation: the picture, the formulas, and links to the steps and the rules."""
        steps = self.link(f"{quote(told.steps.name)}#{self.lang}", self.phrase("steps"))
        return (
            f'<div class="derivation">{self.figure(told.graph)}'
            f'<div class="wide">{as_html(told.blocks(self.lang), level=3)}</div>'
            f'<div class="narrow">{as_html(told.blocks(self.lang, narrow=True), level=3)}</div>'
            f'<p class="operations">{steps}{self.phrase("next")}'
            f"{self.phrase('operations')}{self._rule_links(told)}</p></div>"
        )

    def page(self, page: story.Page) -> str:
        """A link to an interactive page, below the page itself if it is shown in a frame."""
        target = f"{quote(page.path.name)}#lang={self.lang}"
        title = plain(page.title.within(self.lang))
        link = f'<p class="links">{self.link(target, self.say(page.title))}</p>'
        if not page.in_frame:
            return link
        return (
            f'<iframe src="{escape(target)}" title="{escape(title)}" loading="lazy"></iframe>{link}'
        )

    def figure(self, figure: story.Figure) -> str:
        """A picture for the width of the screen, which links to its file."""
        wide, narrow = figure.wide[self.lang], figure.narrow[self.lang]
        file, small = (escape(quote(each.path.name)) for each in (wide, narrow))
        alt = escape(figure.alt.within(self.lang))
        return (
            f'<figure><a href="{file}"><picture>'
            f'<source media="(max-width: {NARROWEST}px)" srcset="{small}" '
            f'width="{narrow.width}" height="{narrow.height}">'
            f'<img src="{file}" width="{wide.width}" height="{wide.height}" alt="{alt}">'
            f"</picture></a><figcaption>{self.say(figure.caption)}</figcaption></figure>"
        )

    def numbers(self, rows: Sequence[Row]) -> str:
        """A table of numbers; a long one is opened by the reader."""
        heads = ("what", "source", "expected", "got", "ok")
        head = "".join(f'<th scope="col">{self.phrase(key)}</th>' for key in heads)
        table = (
            f'<table class="numbers"><thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(map(self._row, rows))}</tbody></table>"
        )
        if len(rows) <= _OPEN_ROWS:
            return table
        said = self.phrase("numbers", count=len(rows))
        return f"<details><summary>{said}</summary>{table}</details>"

    def _row(self, row: Row) -> str:
        verdict = self.phrase("agrees" if row.agrees else "differs")
        kind = "" if row.agrees else ' class="differs"'
        what = self.say(row.what)
        if row.formula:
            what += f' <span class="formula"><math>{mathml(read(row.formula).mark)}</math></span>'
        cells = "".join(
            f'<td data-head="{self.phrase(key)}">{shown}</td>'
            for key, shown in (
                ("source", self.say(row.origin)),
                ("expected", self.say(row.expectation)),
                ("got", self.say(row.result)),
                ("ok", verdict),
            )
        )
        return f'<tr{kind}><th scope="row">{what}</th>{cells}</tr>'

    # ---------------------------------------------------------------------------------- the rules

    def operations(self) -> list[str]:
        """The operations in all derivations, in the order of the table."""
        used = {
            name for report in self.reports for each in report.derivations for name in uses(each)
        }
        return [name for name in TABLE if name in used]

    def _rule_links(self, told: story.Derivation) -> str:
        names = [name for name in TABLE if name in uses(told)]
        return self.phrase("next operation").join(
            self.link(f"#{self.lang}-rule-{name}", operation_name(name, self.lang))
            for name in names
        )

    def rules(self) -> str:
        """A card for each operation."""
        cards = [
            f'<div id="{self.lang}-rule-{escape(name)}">'
            f"{rule_card(name).html(self.lang, level=3)}</div>"
            for name in self.operations()
        ]
        if not cards:
            return ""
        anchor = f"{self.lang}-rules"
        return (
            f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{self.phrase("rules")}</h2>'
            f"<p>{escape(self.phrase('about the rules'))}</p>"
            f'<div class="cards">{"".join(cards)}</div></section>'
        )


def _tag(lang: str) -> str:
    return words(lang, "language")["tag"]


def display(lines: Iterable[str]) -> str:
    """Formulas one below another, aligned at their signs."""
    rows = []
    for line in lines:
        left, sign, right = sides(line)
        cells = (mathml(left), f"<mo>{escape(sign)}</mo>" if sign else "", mathml(right))
        rows.append(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in cells)}</mtr>")
    columns = 'class="aligned" columnalign="right center left"'
    table = f"<mtable {columns}>{''.join(rows)}</mtable>"
    return f'<div class="scroll"><math display="block">{table}</math></div>'


def uses(told: story.Derivation) -> set[str]:
    """The names of the operations in a derivation's graph."""
    rows = map(operation, told.explanation.chain.nodes)
    return {row.name for row in rows if row is not None}
