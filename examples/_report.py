"""The report of a program: its numbers, derivations and pictures, and the files of these."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd import Value, draw_dot, explain, step_page
from micrograd.drawing import RenderingError
from micrograd.files import write

from ._rows import Row
from ._words import LANGUAGES, Words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from micrograd.derivation import Explanation

NO_MATPLOTLIB = "matplotlib is missing: pip install 'micrograd-engine[plot]'"


@dataclass(frozen=True)
class Article:
    """What an article is about."""

    number: int
    title: Words
    claim: Words


@dataclass(frozen=True)
class Picture:
    """A picture: its file and size in pixels, or the `reason` why there is none."""

    caption: Words
    path: Path
    size: tuple[int, int] = (0, 0)
    reason: str = ""


@dataclass(frozen=True)
class Derivation:
    """The explanation of a derivative: in words, as a graph, and step by step."""

    name: str
    title: Words
    remark: Words
    explanation: Explanation
    graph: Picture
    markdown: Words  # the names of the files
    steps: str


@dataclass
class Report:
    """What a program computed, and the files that it wrote into the folder `out`, if one is given.

    `notes` are sentences to print. A picture whose library or renderer is missing is skipped;
    `skipped` lists such pictures under the reason, which says what to install.
    """

    article: Article
    out: Path | None = None
    rows: list[Row] = field(default_factory=list)
    notes: list[Words] = field(default_factory=list)
    derivations: list[Derivation] = field(default_factory=list)
    plots: list[Picture] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def derivation(
        self,
        name: str,
        output: Value,
        wrt: Value | Sequence[Value],
        *,
        title: Words,
        remark: Words,
        **options: Any,
    ) -> None:
        """Write a derivation of `output` with respect to `wrt`: Markdown, graph, step page.

        `options` are those of `draw_dot`. The graph shows the gradients of the last backward pass.
        """
        if self.out is None:
            return
        graph = self._graph(self.out, name, output, title, options)
        explanation = explain(output, wrt, style="board")
        names = Words(*(f"{self._stem(name)}.{lang}.md" for lang in LANGUAGES))
        steps = f"{self._stem(name)}.steps.html"
        told = Derivation(name, title, remark, explanation, graph, names, steps)
        for lang in LANGUAGES:
            self._write(self.out / names.within(lang), markdown(told, lang))
        self._write(self.out / steps, step_page(output, title=title._asdict()))
        self.derivations.append(told)

    def _graph(
        self, out: Path, name: str, root: Value, caption: Words, options: dict[str, Any]
    ) -> Picture:
        """The graph below `root` as SVG or, without a renderer, as DOT text."""
        path = self._path(out, f"{name}.svg")
        graph = draw_dot(root, **options)
        try:
            text = str(graph.pipe(format="svg", encoding="utf-8"))
        except RenderingError as error:
            path = self._skip(path, str(error)).with_suffix(".gv")
            self._write(path, graph.source)
            return Picture(caption, path, reason=str(error))
        self._write(path, text)
        return Picture(caption, path, size_of(text))

    def plot(
        self,
        name: str,
        draw: Callable[[Figure], None],
        size: tuple[float, float] = (8, 3.6),
        *,
        caption: Words,
    ) -> None:
        """Write a figure of `size` inches as PNG, after `draw` has filled it."""
        if self.out is None:
            return
        path = self._path(self.out, f"{name}.png")
        try:
            from matplotlib.figure import Figure  # used directly, it needs no display
        except ImportError:
            self._skip(path, NO_MATPLOTLIB)
            self.plots.append(Picture(caption, path, reason=NO_MATPLOTLIB))
            return
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        content = BytesIO()
        figure.savefig(content, dpi=150)
        write(path, content.getvalue())
        self.files.append(path)
        width, height = size
        self.plots.append(Picture(caption, path, (round(96 * width), round(96 * height))))

    def _stem(self, name: str) -> str:
        return f"article_{self.article.number}_{name}"

    def _path(self, out: Path, name: str) -> Path:
        out.mkdir(parents=True, exist_ok=True)
        return out / self._stem(name)

    def _write(self, path: Path, text: str) -> None:
        write(path, text)
        self.files.append(path)

    def _skip(self, path: Path, reason: str) -> Path:
        self.skipped.setdefault(reason, []).append(path.name)
        return path


def markdown(told: Derivation, lang: str) -> str:
    """A derivation as a separate document, checked by differences."""
    title, remark = told.title.within(lang), told.remark.within(lang)
    picture = "" if told.graph.reason else f"![{title}]({told.graph.path.name})\n\n"
    return f"# {title}\n\n{remark}\n\n{picture}{told.explanation.markdown(lang, check=True)}"


def size_of(svg: str) -> tuple[int, int]:
    """The width and height of an SVG in points, which the page takes as pixels."""
    found = re.search(r'<svg\s[^>]*?\bwidth="([\d.]+)(?:pt)?"\s+height="([\d.]+)', svg)
    return (round(float(found[1])), round(float(found[2]))) if found else (0, 0)
