r"""A picture for LaTeX: a `tikzpicture` with the formulas and names in math mode.

A snippet is meant for `\input` in an article, which loads `tikz`, `amsmath` and `xcolor`; it is
made smaller where it is wider than a line or taller than a page. The document is complete. In it,
words of users reach TeX as letters, digits and `\symbol{…}` only, so no character of them can be a
command. XeLaTeX shows every script for which it finds a font, pdfLaTeX only the Latin one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from importlib import resources
from itertools import groupby
from unicodedata import category, east_asian_width

from micrograd.drawing.named.layout import Layout, note_name
from micrograd.drawing.picture import PLACE, Arrow, Box, Picture
from micrograd.drawing.spans import Line, math_mode
from micrograd.drawing.styles import Style, is_dashed, stroke
from micrograd.drawing.svg_elements import Point
from micrograd.drawing.themes import Theme
from micrograd.writing.marks import latex_text

_SCALE = 0.6  # points for each pixel: 700 pixels are 420 points, about a line of text
LONGEST = 12_000.0  # points; the longest distance in TeX is 16,384 points


def snippet(picture: Picture, theme: Theme) -> str:
    r"""A picture that has its layout, for `\input`."""
    colors, *drawn = _Writer(picture, theme, latex_text).picture_lines()
    low = r"\ifdim\height>0.9\textheight 0.9\textheight\else\height\fi"
    narrow = r"\ifdim\width>\linewidth\linewidth\else\width\fi"
    sizes = rf"\resizebox{{!}}{{{low}}}{{\resizebox{{{narrow}}}{{!}}{{%"
    lines = [r"\begingroup", colors, sizes, *drawn]
    return "".join(f"{line}\n" for line in [*lines[:-1], f"{lines[-1]}}}}}", r"\endgroup"])


def document(picture: Picture, theme: Theme) -> str:
    """A picture that has its layout, as a whole document."""
    preamble = resources.files(__package__) / "assets" / "preamble.tex"
    paper = []
    if theme.paper.lower() != "#ffffff":
        paper = [rf"\pagecolor[HTML]{{{theme.paper[1:].upper()}}}"]
    writer = _Writer(picture, theme, lambda text: rf"\text{{\sffamily {tex(text)}}}")
    lines = [r"\begin{document}", *paper, *writer.picture_lines(), r"\end{document}"]
    return preamble.read_text(encoding="utf-8") + "".join(f"{line}\n" for line in lines)


class _Writer(Style):
    def __init__(self, picture: Picture, theme: Theme, words: Callable[[str], str]) -> None:
        super().__init__(picture, theme)
        self.words, self.used = words, dict[str, str]()
        self.layout: Layout = picture.layout
        self.scale = min(_SCALE, LONGEST / max(self.layout.size))

    def picture_lines(self) -> Iterator[str]:
        """The colours, in one piece, and the lines of the `tikzpicture`."""
        ink = self._color("ink", None)
        drawn = [self._arrow(arrow) for arrow, _ in self.picture.arrows()]
        for box in self.picture.boxes:
            drawn.append(self._box(box))
            drawn += [self._note(arrow) for arrow in box.arrows if arrow.formula]
        yield "\n".join(
            rf"\definecolor{{{name}}}{{HTML}}{{{color}}}%"
            for name, color in sorted(self.used.items())
        )
        yield r"\begin{tikzpicture}[>=latex,every node/.style={align=center,inner sep=0pt,"
        yield rf"  font=\small,text={ink},scale={self.scale / _SCALE:.4f}}}]"
        yield from drawn
        yield r"\end{tikzpicture}"

    def _box(self, box: Box) -> str:
        line, fill = (self._color(name, box.on_path) for name in self.outline(box))
        wide, tall = (_SCALE * each for each in self.layout.sizes[box.name])
        pen = 0.9 if box.on_path or box.name in self.picture.roots else 0.5
        rows = [self._math(row, box.on_path) for row in self.layout.lines[box.name]]
        numbers = [(box.data, "ink"), (box.grad, "backward")]
        shown = [
            rf"\textcolor{{{self._color(color, box.on_path)}}}{{{_number(text)}}}"
            for text, color in numbers
            if text
        ]
        if shown:
            rows.append(r"\quad ".join(shown))
        options = (
            f"draw={line},fill={fill},line width={pen}pt,"
            f"rounded corners={6 if box.kind == 'operation' else 2}pt,"
            f"minimum width={wide:.1f}pt,minimum height={tall:.1f}pt"
        )
        options += ",dashed" if box.kind == "omitted" else ""
        at = self._point(self.layout.centres[box.name])
        return rf"\node[{options}] ({box.name}) at {at} {{{_rows(rows)}}};"

    def _arrow(self, arrow: Arrow) -> str:
        options = self._color(stroke(arrow), arrow.on_path)
        if arrow.weight is not None:
            options += f",line width={0.3 + 1.9 * self.share(arrow):.2f}pt"
        elif arrow.on_path:
            options += ",line width=1.2pt"
        options += ",dashed" if is_dashed(arrow) else ""
        wires = self.layout.wires
        drawn = rf"\draw[->,{options}] {self._curve(wires[arrow.name])};"
        if arrow.formula:
            drawn = rf"\draw[{options}] {self._curve(wires[f'{arrow.name}s'])};" + f"\n{drawn}"
        return drawn

    def _note(self, arrow: Arrow) -> str:
        name, paper = note_name(arrow.name), self._color("paper", None)
        rows = [self._math(row, arrow.on_path) for row in self.layout.lines[name]]
        at = self._point(self.layout.centres[name])
        return rf"\node[fill={paper},inner sep=1pt] at {at} {{{_rows(rows)}}};"

    def _math(self, line: Line, on_path: bool | None) -> str:
        written = math_mode(line, self.words, partial(self._colored, on_path))
        return f"${written or '{}'}$"

    def _colored(self, on_path: bool | None, role: str, text: str) -> str:
        if role == "ink" and on_path is not False:
            return text
        tinted = rf"\textcolor{{{self._color(role, on_path)}}}{{{text}}}"
        kind = _SIGNS.get(text)  # a sign keeps its space
        return f"{kind}{{{tinted}}}" if kind else tinted

    def _color(self, role: str, on_path: bool | None) -> str:
        """A name for a colour, unlikely to be used by anybody else."""
        name = f"graph{role.replace('_', '')}{_MARKS[on_path]}"
        self.used[name] = getattr(self.palettes[on_path], role)[1:].upper()
        return name

    def _point(self, point: Point) -> str:
        x, y = point
        return f"({self.scale * x:.2f}pt,{-self.scale * y + 0.0:.2f}pt)"

    def _curve(self, wire: list[Point]) -> str:
        start, *others = map(self._point, wire)
        pieces = zip(others[::3], others[1::3], others[2::3], strict=True)
        return start + "".join(f" .. controls {a} and {b} .. {end}" for a, b, end in pieces)


_MARKS = {None: "", True: "path", False: "aside"}
_SIGNS = dict.fromkeys(("+", "-", r"\cdot"), r"\mathbin") | {"=": r"\mathrel"}


def _rows(rows: list[str]) -> str:
    return r"\\".join(rows)


def _number(text: str) -> str:
    """A number, a dash or whatever was stored in place of a number, in math mode."""
    if found := re.fullmatch("(−?[0-9.]+)×10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", text):
        power = found[2].translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
        return rf"${found[1].replace('−', '-')}\times 10^{{{power}}}$"
    if re.fullmatch("−?[0-9.]+", text):
        return f"${text.replace('−', '-')}$"
    return {"—": "---", "∞": r"$\infty$", "−∞": r"$-\infty$"}.get(text) or f"${latex_text(text)}$"


# -------------------------------------------------------------------------------------------- text

_NAMED = {
    "'": r"\graphquote{}",
    "`": r"\graphgrave{}",
    " ": r"\ ",
    "-": "-{}",  # so that two do not form a dash
    "·": r"\ensuremath{\cdot}",
    PLACE: r"\graphplace{}",
    **{sign: sign for sign in ".,+=()/:"},
}


def tex(text: str) -> str:
    """The text for TeX, which shows it literally, in a font that has its letters."""
    written = []
    for font, run in groupby(text.replace("\n", " "), _font):
        letters = "".join(map(_letter, run))
        written.append(f"{{{font} {letters}}}" if font else letters)
    return "".join(written)


def _font(character: str) -> str:
    if character < "\u0250" or character in "—…□":
        return ""
    return r"\graphwide" if east_asian_width(character) in "WF" else r"\graphother"


def _letter(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character == "\ufffd":
        return r"\graphunseen{}"
    if character.isascii() and character.isprintable():
        return character if character.isalnum() else rf"\graphchar{{{ord(character)}}}"
    return r"\graphunseen{}" if category(character)[0] in "CZ" else character
