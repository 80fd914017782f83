"""The report of a program: what its companion says, its numbers, and the files of its pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from micrograd import Value, explain, step_page
from micrograd.drawing import RenderingError, draw, draw_formula
from micrograd.drawing.svg_elements import SvgDrawing
from micrograd.files import write

from . import _story as story
from ._formulas import plain, read
from ._phrases import PHRASES
from ._rows import Row
from ._words import LANGUAGES, Words

NO_RESVG = "resvg is missing: pip install resvg-py"
WIDE, NARROW = 680, 362  # pixels: within the margins of an article, and of a phone
_COLUMNS = 76, 36  # of the lines of a derivation: on a wide screen, and on a phone
_SCALE = 1.5  # of PNG, for screens of high resolution


@dataclass(frozen=True)
class Article:
    """What an article is about."""

    number: int
    title: Words
    claim: Words


@dataclass
class Report:
    """What a companion says, and the files that were written into `out`, if a folder is given.

    The methods add parts in the order in which they are read. Without a folder nothing is drawn.
    What cannot be drawn is skipped; `skipped` lists it under the reason, which says what to
    install.
    """

    article: Article
    out: Path | None = None
    parts: list[story.Part] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    documents: dict[str, dict[str, Path]] = field(default_factory=dict)
    _formulas: int = 1  # the number of the next formula

    @property
    def rows(self) -> list[Row]:
        """All numbers."""
        return [row for part in self.parts if isinstance(part, story.Numbers) for row in part.rows]

    @property
    def derivations(self) -> list[story.Derivation]:
        """All derivations."""
        return [part for part in self.parts if isinstance(part, story.Derivation)]

    # ------------------------------------------------------------------------------- the parts

    def section(self, name: str, en: str, zh: str) -> None:
        """Begin a section, with its title in both languages."""
        self.parts.append(story.Section(name, Words(en, zh)))

    def say(self, en: str, zh: str) -> None:
        """Add a paragraph in both languages, which may have formulas between dollar signs."""
        self.parts.append(story.Prose(Words(en, zh)))

    def bullets(self, *items: Words) -> None:
        """Add a list."""
        self.parts.append(story.Bullets(items))

    def formula(self, *lines: str) -> None:
        """Add formulas in LaTeX one below another, aligned at their first signs of equality."""
        images: list[Path] = []
        for line in lines:
            images += self._formula(f"formula_{self._formulas}", read(line))
            self._formulas += 1
        self.parts.append(story.Display(lines, tuple(images)))

    def numbers(self, *rows: Row) -> None:
        """Add a table of numbers, which are compared and counted by their sources."""
        self.parts.append(story.Numbers(rows))

    def figure(
        self, name: str, drawn: Callable[..., Any], *, caption: Words, alt: Words | None = None
    ) -> None:
        """Draw a figure in both languages, for wide and for narrow screens, and as an image.

        Args:
            name: part of the names of its files.
            drawn: called with `lang`, `width` and `theme`, as the functions of `micrograd.drawing`
                are; returns a drawing.
            caption: what stands below the figure.
            alt: the alternative text; by default, that of the drawing.
        """
        if self.out is not None:
            self.parts.append(self._figure(self.out, name, drawn, caption, alt))

    def matrices(self, name: str, explanation: Any) -> None:
        """Add what `nn.explain_layers` returned."""
        documents = {lang: story.below_heading(explanation.blocks(lang)) for lang in LANGUAGES}
        self.parts.append(
            story.Matrices(name, documents, self._formula(f"{name}.formulas", explanation))
        )

    def derivation(
        self,
        name: str,
        output: Value,
        wrt: Value | Sequence[Value],
        *,
        title: Words,
        live: str = "",
        **options: Any,
    ) -> None:
        """Add a derivation of `output` with respect to `wrt`: graph, formulas, step page.

        `live` is the name of the live page that the step page links to, and `options` are those of
        `draw`.
        """
        if self.out is None:
            return

        graph = self._figure(self.out, name, partial(draw, output, **options), title, None)
        steps = self._path(self.out, f"{name}.steps.html")
        link = self._path(self.out, f"{live}.html").name if live else ""
        self._write(steps, step_page(output, title=title._asdict(), live=link))
        boards = [explain(output, wrt, style="board", width=each) for each in _COLUMNS]
        wide, narrow = (
            {lang: story.below_heading(each.blocks(lang, check=True)) for lang in LANGUAGES}
            for each in boards
        )
        images = self._formula(f"{name}.formulas", boards[0])
        self.parts.append(
            story.Derivation(name, title, boards[0], wide, narrow, graph, steps, images)
        )

    def page(
        self, name: str, written: Callable[..., str], *, title: Words, in_frame: bool = True
    ) -> None:
        """Add an interactive page, which both languages share.

        Args:
            name: part of the name of its file.
            written: called with `title`, as `live_page` and `nn.playground` are; returns a page.
            title: the title of the page, and the text of the link to it.
            in_frame: whether the index shows it.
        """
        if self.out is None:
            return
        path = self._path(self.out, f"{name}.html")
        self._write(path, written(title=title._asdict()))
        self.parts.append(story.Page(title, path, in_frame))

    # ------------------------------------------------------------------------------- the files

    def _figure(
        self, out: Path, name: str, drawn: Callable[..., Any], caption: Words, alt: Words | None
    ) -> story.Figure:
        wide, narrow, images, said = {}, {}, {}, {}
        for lang in LANGUAGES:
            drawing = drawn(lang=lang, width=WIDE, theme="auto")
            said[lang] = described(drawing, lang)
            text = svg_of(drawing)
            wide[lang] = self._svg(self._path(out, f"{name}.{lang}.svg"), text)
            small = svg_of(drawn(lang=lang, width=NARROW, theme="auto"))
            narrow[lang] = self._svg(self._path(out, f"{name}.{lang}.narrow.svg"), small)
            image = self._path(out, f"{name}.{lang}.png")
            if self._image(image, text):
                images[lang] = image
        told = alt or Words(*(said[lang] or plain(caption.within(lang)) for lang in LANGUAGES))
        return story.Figure(name, caption, told, wide, narrow, images)

    def _formula(self, name: str, what: Any) -> tuple[Path, ...]:
        """Formulas as PNG, the same in every language; empty if they cannot be drawn."""
        if self.out is None:
            return ()
        path = self._path(self.out, f"{name}.png")
        drawn = self._image(path, draw_formula(what, width=WIDE, theme="light").svg)
        return (path,) if drawn else ()

    def _svg(self, path: Path, text: str) -> story.Drawn:
        self._write(path, text)
        return story.Drawn(path, *size_of(text))

    def _image(self, path: Path, svg: str) -> bool:
        """Write a light PNG; False if there is nothing to draw it with."""
        try:
            write(path, SvgDrawing("a picture", svg).png(scale=_SCALE))
        except RenderingError as error:
            reason = str(error) if find_spec("resvg_py") else NO_RESVG
            self.skipped.setdefault(reason, []).append(path.name)
            return False
        self.files.append(path)
        return True

    def _path(self, out: Path, name: str) -> Path:
        out.mkdir(parents=True, exist_ok=True)
        return out / f"article_{self.article.number}_{name}"

    def _write(self, path: Path, text: str) -> None:
        write(path, text)
        self.files.append(path)


def svg_of(drawing: Any) -> str:
    """The text of a drawing, or of a graph, in SVG."""
    if hasattr(drawing, "svg"):
        return str(drawing.svg)
    return str(drawing.pipe("svg", encoding="utf-8"))


def described(drawing: Any, lang: str) -> str:
    """The alternative text of a drawing or a graph, for readers who cannot see it."""
    shown = getattr(drawing, "picture", drawing)
    parts = [getattr(shown, "title", ""), getattr(shown, "description", "")]
    return PHRASES["colon"].within(lang).join(part for part in parts if part)


def size_of(svg: str) -> tuple[int, int]:
    """The width and height of an SVG in pixels."""
    found = re.search(r'<svg\s[^>]*?\bwidth="([\d.]+)(pt)?"\s+height="([\d.]+)', svg)
    if found is None:
        return (0, 0)
    scale = 4 / 3 if found[2] else 1
    return round(float(found[1]) * scale), round(float(found[3]) * scale)
