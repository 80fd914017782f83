"""The index page, which collects what the programs computed and wrote.

The page has an English and a Chinese edition, and shows one of them. It loads nothing but the
pictures beside it: a content-security policy forbids everything else. All texts are escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from micrograd.derivation import rule_card
from micrograd.derivation.document import as_html
from micrograd.drawing.page import content_hash
from micrograd.engine.graph import operation
from micrograd.files import write
from micrograd.ops import TABLE
from micrograd.writing.languages import operation_name, words

from ._phrases import PHRASES
from ._report import Derivation, Picture, Report
from ._rows import Row
from ._words import LANGUAGES, Words

NAME = "index.html"

# In pixels. A picture wider than the text is centred on the page. One wider than the page is shrunk
# to at least _SMALLEST of its size, and scrolls if it is still wider.
_TEXT, _PAGE = 800, 1100
_SMALLEST = 0.85


def write_index(reports: Sequence[Report], folder: Path) -> Path:
    """Write the page into `folder`, where the files of the reports are, and return its path."""
    path = folder / NAME
    write(path, index(reports))
    return path


def index(reports: Sequence[Report]) -> str:
    """The text of the page."""
    style, script = _asset("index.css"), _asset("index.js")
    policy = (
        f"default-src 'none'; img-src 'self' file:; style-src '{content_hash(style)}'; "
        f"script-src '{content_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    editions = "\n".join(Edition(reports, lang).text() for lang in LANGUAGES)
    return _asset("index.html").format(
        policy=policy,
        title=escape(PHRASES["title"].en),
        style=style,
        editions=editions,
        script=script,
    )


def _asset(name: str) -> str:
    return (resources.files(__package__) / "assets" / name).read_text(encoding="utf-8")


class Edition:
    """The page in one language. The ids of its parts begin with the language: `zh-article-3`."""

    def __init__(self, reports: Sequence[Report], lang: str) -> None:
        self.reports, self.lang = reports, lang

    def text(self) -> str:
        """The whole edition."""
        parts = [
            self.opening(),
            self.contents(),
            *(self.article(report) for report in self.reports),
            self.rules(),
        ]
        hidden = "" if self.lang == LANGUAGES[0] else " hidden"
        title = escape(self.phrase("title"))
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
        """A text of a report in this language, escaped."""
        return escape(words.within(self.lang))

    def link(self, target: str, text: str, **attributes: str) -> str:
        """A link. The target and the attributes are escaped here; the text is HTML."""
        more = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
        return f'<a href="{escape(target)}"{more}>{text}</a>'

    # ---------------------------------------------------------------------------------- the parts

    def opening(self) -> str:
        """The title, the introduction, and links to the other languages."""
        others = [lang for lang in LANGUAGES if lang != self.lang]
        switches = (
            self.link(f"#{lang}", words(lang, "language")["name"], lang=tag, hreflang=tag)
            for lang, tag in zip(others, map(_tag, others), strict=True)
        )
        return (
            f'<header><nav class="switch">{" ".join(switches)}</nav>'
            f"<h1>{escape(self.phrase('title'))}</h1>"
            f'<p class="introduction">{escape(self.phrase("introduction"))}</p></header>'
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
            for each in report.derivations
        )
        inner = f"<ul>{parts}</ul>" if parts else ""
        return f"<li>{self.link(f'#{anchor}', self.say(report.article.title))}{inner}</li>"

    def _anchor(self, report: Report) -> str:
        return f"{self.lang}-article-{report.article.number}"

    def article(self, report: Report) -> str:
        """Everything about one article."""
        anchor, article = self._anchor(report), report.article
        number = self.phrase("article", number=article.number)
        title = self.say(article.title)
        parts = [
            f'<h2 id="{anchor}"><span class="number">{number}</span> {title}</h2>',
            f'<p class="claim">{self.say(article.claim)}</p>',
            *(self.derivation(each, anchor) for each in report.derivations),
            *self._plots(report, anchor),
            self.numbers(report),
            self._notes(report),
        ]
        return (
            f'<section aria-labelledby="{anchor}">' + "\n".join(filter(None, parts)) + "</section>"
        )

    def derivation(self, told: Derivation, anchor: str) -> str:
        """A derivation: the remark, the picture, links to its files, and the formulas."""
        blocks = told.explanation.blocks(self.lang, check=True, tables=True)
        count = len(told.explanation.blocks(self.lang, check=True, tables=False))
        place = f"{anchor}-{told.name}"
        links = (
            self.link(quote(told.graph.path.name), self.phrase("graph")),
            self.link(f"{quote(told.steps)}#{self.lang}", self.phrase("steps")),
            self.link(quote(told.markdown.within(self.lang)), "Markdown"),
        )
        return (
            f'<section class="derivation" aria-labelledby="{escape(place)}">'
            f'<h3 id="{escape(place)}">{self.say(told.title)}</h3>'
            f"<p>{self.say(told.remark)}</p>"
            f"{self.picture(told.graph, 'graph')}"
            f'<p class="links">{" · ".join(links)}</p>'
            f"{as_html(blocks[:count], level=4)}"
            f'<details class="tables"><summary>{self.phrase("tables")}</summary>'
            f"{as_html(blocks[count:], level=3)}</details>"
            f'<p class="operations">{self.phrase("operations")}{self._rule_links(told)}</p>'
            "</section>"
        )

    def _plots(self, report: Report, anchor: str) -> Iterator[str]:
        if report.plots:
            yield f'<h3 id="{anchor}-plots">{self.phrase("plots")}</h3>'
            yield from (self.picture(plot, "plot") for plot in report.plots)

    def picture(self, picture: Picture, kind: str) -> str:
        """A picture that links to its file, or the reason why it is missing."""
        caption = self.say(picture.caption)
        if picture.reason:
            reason = f'<span lang="en">{escape(picture.reason)}</span>'
            return f'<p class="missing">{self.phrase("missing", caption=caption)}{reason}</p>'
        width, height = picture.size
        shown = round(max(min(width, _PAGE), _SMALLEST * width))
        size = f'width="{shown}" height="{round(shown * height / max(width, 1))}"'
        wide = " broad wide" if shown > _PAGE else " broad" if shown > _TEXT else ""
        file = escape(quote(picture.path.name))
        alt, below = self.phrase("graph of", caption=caption), ""
        if kind == "plot":
            alt, below = caption, f"<figcaption>{caption}</figcaption>"
        return (
            f'<figure class="{kind}{wide}"><div class="scroll"><a href="{file}">'
            f'<img src="{file}" {size} alt="{alt}"></a></div>{below}</figure>'
        )

    def numbers(self, report: Report) -> str:
        """The table of numbers, collapsed."""
        summary = self._summary(report)
        heads = "".join(
            f'<th scope="col">{self.phrase(key)}</th>' for key in ("what", "expected", "got", "ok")
        )
        return (
            f'<details class="numbers"><summary>{summary}</summary><div class="scroll"><table>'
            f"<thead><tr>{heads}</tr></thead>"
            f"<tbody>{''.join(map(self._row, report.rows))}</tbody></table></div></details>"
        )

    def _summary(self, report: Report) -> str:
        """How many numbers agree, by where the expected number comes from."""
        rows = report.rows
        agreeing = sum(row.agrees for row in rows)
        if agreeing < len(rows):
            return self.phrase("numbers", agreeing=agreeing, all=len(rows))
        counts = Counter(row.source for row in rows)
        by_formula, own = counts["formula"], counts["own"]
        summary = self.phrase("all numbers", article=counts["article"])
        if by_formula and own:
            return summary + self.phrase("by formula and own", by_formula=by_formula, own=own)
        if by_formula:
            return summary + self.phrase("by formula", count=by_formula)
        return summary + (self.phrase("own", count=own) if own else "")

    def _row(self, row: Row) -> str:
        verdict = self.phrase("agrees" if row.agrees else "differs")
        kind = "" if row.agrees else ' class="differs"'
        cells = "".join(f"<td>{self.say(text)}</td>" for text in (row.expectation, row.result))
        return f'<tr{kind}><th scope="row">{self.say(row.what)}</th>{cells}<td>{verdict}</td></tr>'

    def _notes(self, report: Report) -> str:
        notes = "".join(f"<li>{self.say(note)}</li>" for note in report.notes)
        return f"<h3>{self.phrase('notes')}</h3><ul>{notes}</ul>" if notes else ""

    # ---------------------------------------------------------------------------------- the rules

    def operations(self) -> list[str]:
        """The operations in all derivations, in the order of the table."""
        used = {
            name for report in self.reports for each in report.derivations for name in uses(each)
        }
        return [name for name in TABLE if name in used]

    def _rule_links(self, told: Derivation) -> str:
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


def uses(told: Derivation) -> set[str]:
    """The names of the operations in a derivation's graph."""
    rows = map(operation, told.explanation.chain.nodes)
    return {row.name for row in rows if row is not None}
