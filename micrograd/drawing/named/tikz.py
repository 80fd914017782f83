r"""The compact picture for LaTeX: a `tikzpicture` with the formulas in math mode.

A snippet is meant for `\input` in an article, which loads `tikz`, `amsmath` and `xcolor`; it is
made smaller where it is wider than a line or taller than a page. The document is complete. Words of
users reach TeX as in all formulas, or as `tikz.tex` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import resources

from micrograd.drawing.named.layout import Layout, note_name
from micrograd.drawing.named.roles import ROLES
from micrograd.drawing.picture import Box, Picture
from micrograd.drawing.spans import Line, math_mode
from micrograd.drawing.svg_elements import Point
from micrograd.drawing.themes import Theme
from micrograd.drawing.tikz import LONGEST, tex
from micrograd.writing.marks import latex_text

_SCALE = 0.6  # points for each pixel: 700 pixels are 420 points, about a line of text


def snippet(picture: Picture, theme: Theme) -> str:
    r"""The picture for `\input`."""
    colors, *drawn = _Writer(picture, theme, latex_text).lines()
    low = r"\ifdim\height>0.9\textheight 0.9\textheight\else\height\fi"
    narrow = r"\ifdim\width>\linewidth\linewidth\else\width\fi"
    sizes = rf"\resizebox{{!}}{{{low}}}{{\resizebox{{{narrow}}}{{!}}{{%"
    lines = [r"\begingroup", colors, sizes, *drawn]
    return "".join(f"{line}\n" for line in [*lines[:-1], f"{lines[-1]}}}}}", r"\endgroup"])


def document(picture: Picture, theme: Theme) -> str:
    """The picture as a whole document."""
    preamble = resources.files("micrograd.drawing") / "assets" / "preamble.tex"
    paper = []
    if theme.paper.lower() != "#ffffff":
        paper = [rf"\pagecolor[HTML]{{{theme.paper[1:].upper()}}}"]
    writer = _Writer(picture, theme, lambda text: rf"\text{{{tex(text)}}}")
    lines = [r"\usepackage{amsmath}", r"\begin{document}", *paper, *writer.lines()]
    return "".join(
        (
            preamble.read_text(encoding="utf-8"),
            *(f"{line}\n" for line in lines),
            "\\end{document}\n",
        )
    )


class _Writer:
    def __init__(self, picture: Picture, theme: Theme, words: Callable[[str], str]) -> None:
        self.picture, self.theme, self.words = picture, theme, words
        self.layout: Layout = picture.layout
        self.scale = min(_SCALE, LONGEST / max(self.layout.size))

    def lines(self) -> Iterator[str]:
        """The colours, in one piece, and the lines of the `tikzpicture`."""
        used = {name for names in ROLES.values() for name in names}
        colors = {
            _color(name): getattr(self.theme, name)[1:].upper()
            for name in sorted(used | {"ink", "paper", "line", "backward"})
        }
        yield "\n".join(
            rf"\definecolor{{{name}}}{{HTML}}{{{color}}}%" for name, color in colors.items()
        )
        yield rf"\begin{{tikzpicture}}[x={self.scale:.4f}pt,y=-{self.scale:.4f}pt,>=latex,"
        yield r"  every node/.style={align=center,inner sep=0pt,font=\small,text=graphink}]"
        for name, wire in self.layout.wires.items():
            tip = "" if name.endswith("s") else "->,"
            yield rf"\draw[{tip}graphline] {self._curve(wire)};"
        for box in self.picture.boxes:
            yield self._box(box)
            for arrow in box.operation.arrows if box.operation else ():
                if arrow.formula:
                    name = note_name(arrow.name)
                    text = r"\\".join(map(self._math, self.layout.lines[name]))
                    at = _point(self.layout.centres[name])
                    yield rf"\node[fill=graphpaper,inner sep=1pt] at {at} {{{text}}};"
        yield r"\end{tikzpicture}"

    def _box(self, box: Box) -> str:
        line, fill, _ = map(_color, ROLES[box.role])
        wide, tall = (self.scale * each for each in self.layout.sizes[box.name])
        pen = 0.9 if box.name in self.picture.roots else 0.5
        rows = [self._math(row) for row in self.layout.lines[box.name]]
        numbers = [(box.data, "graphink"), (box.grad, "graphbackward")]
        shown = [rf"\textcolor{{{color}}}{{{_number(text)}}}" for text, color in numbers if text]
        if shown:
            rows.append(r"\quad ".join(shown))
        options = (
            f"draw={line},fill={fill},line width={pen}pt,rounded corners=2pt,"
            f"minimum width={wide:.1f}pt,minimum height={tall:.1f}pt"
        )
        at = _point(self.layout.centres[box.name])
        text = r"\\".join(rows)
        return rf"\node[{options}] ({box.name}) at {at} {{{text}}};"

    def _math(self, line: Line) -> str:
        return f"${math_mode(line, self.words, self._colored)}$"

    def _colored(self, role: str, text: str) -> str:
        if role == "ink":
            return text
        tinted = rf"\textcolor{{{_color(role)}}}{{{text}}}"
        kind = _SIGNS.get(text)  # a sign keeps its space
        return f"{kind}{{{tinted}}}" if kind else tinted

    def _curve(self, wire: list[Point]) -> str:
        start, *others = map(_point, wire)
        pieces = zip(others[::3], others[1::3], others[2::3], strict=True)
        return start + "".join(f" .. controls {a} and {b} .. {end}" for a, b, end in pieces)


_SIGNS = dict.fromkeys(("+", "-", r"\cdot"), r"\mathbin") | {"=": r"\mathrel"}


def _color(name: str) -> str:
    """A name for a colour, unlikely to be used by anybody else."""
    return f"graph{name.replace('_', '')}"


def _point(point: Point) -> str:
    return f"({point[0]:.1f},{point[1]:.1f})"


def _number(text: str) -> str:
    """A number, a dash or whatever was stored in place of a number, in math mode."""
    if found := re.fullmatch("(−?[0-9.]+)×10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", text):
        power = found[2].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
        return rf"${found[1].replace('−', '-')}\times 10^{{{power}}}$"
    if re.fullmatch("−?[0-9.]+", text):
        return f"${text.replace('−', '-')}$"
    return {"—": "---", "∞": r"$\infty$", "−∞": r"$-\infty$"}.get(text) or f"${latex_text(text)}$"
