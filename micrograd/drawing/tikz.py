r"""A picture as a LaTeX document that draws it with TikZ.

What a user wrote reaches TeX as letters, digits and `\symbol{…}` only, so no character of it can
be a command. XeLaTeX shows every script for which it finds a font, pdfLaTeX the Latin one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from unicodedata import category, east_asian_width

from micrograd.drawing.picture import PLACE, Arrow, Box, Picture
from micrograd.drawing.placement import Placement, Point, place
from micrograd.drawing.themes import Theme
from micrograd.notation.labels import width

SIZE = 8.0  # points of the letters
GAP = 22.0  # points between columns
LONGEST = 12_000.0  # TeX knows no longer distance than 16,384 points

# The sides where arrows leave and arrive, and the reading as a vector.
_DIRECTIONS = {
    "LR": ("east", "west", 1, 0),
    "RL": ("west", "east", -1, 0),
    "TB": ("south", "north", 0, -1),
    "BT": ("north", "south", 0, 1),
}

_PREAMBLE = r"""\documentclass[tikz,border=4pt]{standalone}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[utf8]{inputenc}
  \newcommand\graphwide{}
  \newcommand\graphother{}
  \IfFileExists{lmodern.sty}{
    \usepackage[T1]{fontenc}
    \usepackage{lmodern}
    \newcommand\graphchar[1]{\symbol{##1}}
    \newcommand\graphquote{\textquotesingle}
    \newcommand\graphgrave{\textasciigrave}
  }{ % the fonts of 1980 have all of ASCII among the typewriter's letters only
    \newcommand\graphchar[1]{{\ttfamily\symbol{##1}}}
    \newcommand\graphquote{\graphchar{13}}
    \newcommand\graphgrave{\graphchar{18}}
  }
\else
  \usepackage{fontspec}
  \setsansfont{lmsans10-regular.otf}[BoldFont=lmsans10-bold.otf,Ligatures=TeXOff]
  \newcommand\graphchar[1]{\symbol{#1}}
  \newcommand\graphquote{\textquotesingle}
  \newcommand\graphgrave{\textasciigrave}
  \newcommand\graphfont[2]{%
    \ifdefined#1\else\IfFontExistsTF{#2}{\newfontfamily#1{#2}}{}\fi}
  \graphfont\graphwide{Noto Sans CJK SC}
  \graphfont\graphwide{Source Han Sans SC}
  \graphfont\graphwide{WenQuanYi Micro Hei}
  \graphfont\graphwide{PingFang SC}
  \graphfont\graphwide{Microsoft YaHei}
  \graphfont\graphwide{FandolHei}
  \graphfont\graphother{DejaVu Sans}
  \graphfont\graphother{Noto Sans}
  \graphfont\graphother{Arial Unicode MS}
  \providecommand\graphwide{}
  \providecommand\graphother{}
\fi
\newcommand\graphunseen{\rule{0.4em}{1.4ex}}
\newcommand\graphplace{\begingroup\fboxsep=0pt\framebox[1.3ex]{\rule{0pt}{1.3ex}}\endgroup}
\newcommand\graphquantity[3]{{\color{faint}#1}\ {\color{#2}#3}}
"""


def document(picture: Picture, theme: Theme) -> str:
    """The whole document."""
    return "".join(f"{line}\n" for line in _lines(picture, theme))


def _lines(picture: Picture, theme: Theme) -> Iterator[str]:
    writer = _Writer(picture, theme)
    marks = [mark for value, mark in _MARKS.items() if value is None or writer.has_paths]
    yield _PREAMBLE + "\n".join(_colors(theme, marks))
    if theme.paper.lower() != "#ffffff":
        yield r"\pagecolor{paper}"
    yield r"\begin{document}"
    yield r"\begin{tikzpicture}[x=1pt,y=1pt,"
    yield ",\n".join(f"  {style}" for style in _styles(marks)) + ","
    yield rf"  every node/.style={{scale={writer.scale:.5f},font=\sffamily\scriptsize,align=left,"
    yield "    inner sep=3pt}]"
    for box in picture.boxes:
        yield from writer.nodes(box)
    for arrow, head in picture.arrows():
        yield writer.edge(arrow, head)
    yield r"\end{tikzpicture}"
    yield r"\end{document}"


# ------------------------------------------------------------------------------------------ styles

_MARKS = {None: "", True: " path", False: " aside"}
_COLORS = {"neuron": "unit", "layer": "unit", "operation": "step"}


def _styles(marks: Iterable[str]) -> Iterator[str]:
    yield ">=latex"
    yield r"note/.style={pos=0.5,font=\sffamily\tiny,inner sep=1pt,fill=paper}"
    for mark in marks:
        pen = "1.2pt" if mark == " path" else "0.4pt"
        for kind in ("leaf", "value", "neuron", "layer", "operation"):
            color = _COLORS.get(kind, kind)
            round_ = ",rounded corners=6pt" if kind == "operation" else ""
            yield (
                f"{kind} box{mark}/.style={{draw={color}line{mark},fill={color}fill{mark},"
                f"text=ink{mark},line width={pen}{round_}}}"
            )
        yield f"omitted box{mark}/.style={{draw=line{mark},text=faint{mark},dashed}}"
        yield (f"an arrow{mark}/.style={{->,draw=line{mark},text=backward{mark},line width={pen}}}")


def _colors(theme: Theme, marks: Iterable[str]) -> Iterator[str]:
    palettes = {"": theme, " path": theme.highlighted(), " aside": theme.subdued()}
    for mark in marks:
        for name, color in palettes[mark]._asdict().items():
            yield rf"\definecolor{{{name.replace('_', '')}{mark}}}{{HTML}}{{{color[1:].upper()}}}"


# ------------------------------------------------------------------------------------------- nodes


class _Writer:
    def __init__(self, picture: Picture, theme: Theme) -> None:
        self.picture, self.theme = picture, theme
        self.dense = picture.is_dense
        self.has_paths = any(box.on_path is not None for box in picture.boxes)
        self.across = picture.direction in ("TB", "BT")
        self.placement = self._placed()
        points = [
            *self.placement.centres.values(),
            *(each for bends in self.placement.bends.values() for each in bends),
        ]
        spans = (max(axis) - min(axis) for axis in zip(*points, strict=True))
        self.scale = min(1.0, LONGEST / max([*spans, 1.0]))
        weights = (abs(arrow.weight) for arrow, _ in picture.arrows() if arrow.weight is not None)
        self.heaviest = max((each for each in weights if each < float("inf")), default=0.0)

    def _placed(self) -> Placement:
        sizes: dict[str, Point] = {}
        for box in self.picture.boxes:
            if box.step is not None and box.has_operation:
                sizes[box.step.name] = self._size([box.step.text], 6.0)
            sizes[box.name] = self._size(_texts(self.picture, box), 8.0)
        arrows = [
            (arrow.name, arrow.tail, head, self._room(self._text(arrow)))
            for arrow, head in self.picture.arrows()
        ]
        return place(sizes, arrows, GAP)

    def _size(self, lines: list[str], margin: float) -> Point:
        """Along the reading, and across."""
        size = (
            max(width(line, SIZE) for line in lines) + margin,
            1.25 * SIZE * len(lines) + margin,
        )
        return size[::-1] if self.across else size

    def _text(self, arrow: Arrow) -> str:
        return "" if self.dense and arrow.weight is not None else arrow.text

    def _room(self, text: str) -> float:
        if not text:
            return 0.0
        return 1.2 * SIZE if self.across else float(width(text, SIZE - 1))

    def _point(self, place: Point) -> str:
        along, across = place
        x, y = {
            "LR": (along, -across),
            "RL": (-along, -across),
            "TB": (across, -along),
            "BT": (across, along),
        }[self.picture.direction]
        return f"({self.scale * x + 0.0:.2f},{self.scale * y + 0.0:.2f})"

    def nodes(self, box: Box) -> Iterator[str]:
        """A box and its operation."""
        centres, step = self.placement.centres, box.step
        if step is not None and box.has_operation:
            yield (
                rf"\node[operation box{_MARKS[step.on_path]}] ({step.name}) at "
                rf"{self._point(centres[step.name])} {{{tex(step.text)}}};"
            )
        style = f"{box.kind} box{_MARKS[box.on_path]}"
        lines = r"\\".join(_content(self.picture, box))
        yield rf"\node[{style}] ({box.name}) at {self._point(centres[box.name])} {{{lines}}};"

    def edge(self, arrow: Arrow, head: str) -> str:
        """An arrow, through its bends."""
        out, arrive, x, y = _DIRECTIONS[self.picture.direction]
        # TikZ's own curves (`to[out=…]`) fail beyond a few thousand points.
        reach = 0.5 * GAP * self.scale
        ahead, back = (f"+({z * x + 0.0:.2f},{z * y + 0.0:.2f})" for z in (reach, -reach))
        curve = f".. controls {ahead} and {back} .."
        options = f"an arrow{_MARKS[arrow.on_path]}"
        if arrow.weight is not None:
            color = "negative" if arrow.weight < 0 else "positive"
            dash = ",dashed" if arrow.weight < 0 else ""
            share = min(abs(arrow.weight) / self.heaviest, 1.0) if self.heaviest else 0.0
            pen = 0.3 + 1.9 * (share if share == share else 0.0)
            color += _MARKS[arrow.on_path]
            options += f",draw={color},text={color},line width={pen:.2f}pt{dash}"
        elif arrow.omitted:
            options += ",dashed"
        label = ""
        if text := self._text(arrow):
            text = r"\\".join(map(tex, text.split("\n")))
            label = rf" node[note] {{{text}}}"
        bends = self.placement.bends.get(arrow.name, [])
        through = "".join(f" {self._point(each)} {curve}" for each in bends)
        return rf"\draw[{options}] ({arrow.tail}.{out}) {curve}{through}{label} ({head}.{arrive});"


def _content(picture: Picture, box: Box) -> Iterator[str]:
    mark = _MARKS[box.on_path]
    for line in box.label.split("\n") if box.label else ():
        yield tex(line) if box.kind == "omitted" else rf"\textbf{{{tex(line)}}}"
    if box.kind == "leaf" and box.group:
        yield rf"{{\color{{faint{mark}}}{tex(picture.place(box))}}}"
    if box.step is not None and box.step.text and not box.has_operation:
        yield rf"\textit{{{tex(box.step.text)}}}"
    for row in box.rows:
        numbers = _numbers(row.data, row.grad, mark)
        yield rf"\graphquantity{{{tex(row.label)}}}{{ink{mark}}}{{{numbers}}}"
    if box.more:
        yield tex(box.more)
    if box.numbers is not None:
        yield _numbers(box.data, box.grad, mark)


def _numbers(data: str, grad: str, mark: str) -> str:
    return (
        rf"\graphquantity{{data}}{{ink{mark}}}{{{tex(data)}}}\ \ "
        rf"\graphquantity{{grad}}{{backward{mark}}}{{{tex(grad)}}}"
    )


def _texts(picture: Picture, box: Box) -> list[str]:
    """What the box shows, line by line, for its size."""
    lines = box.label.split("\n") if box.label else []
    if box.kind == "leaf" and box.group:
        lines.append(picture.place(box))
    if box.step is not None and box.step.text and not box.has_operation:
        lines.append(box.step.text)
    lines += [f"{row.label} data {row.data}  grad {row.grad}" for row in box.rows]
    if box.more:
        lines.append(box.more)
    if box.numbers is not None:
        lines.append(f"data {box.data}  grad {box.grad}")
    return lines


# -------------------------------------------------------------------------------------------- text

_NAMED = {
    "'": r"\graphquote{}",
    "`": r"\graphgrave{}",
    " ": r"\ ",
    "-": "-{}",  # which forms no dash with the next
    "·": r"\ensuremath{\cdot}",
    PLACE: r"\graphplace{}",
    **{sign: sign for sign in ".,+=()/:"},
}


def tex(text: str) -> str:
    """Text that TeX shows literally, in a font that has its letters."""
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
