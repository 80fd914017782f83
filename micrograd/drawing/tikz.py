r"""A picture as a LaTeX document that draws it with TikZ.

Text from the user reaches TeX as letters, digits and `\symbol{…}` only, so no character of it can
be a command. XeLaTeX shows every script for which it finds a font, pdfLaTeX only the Latin one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources
from itertools import groupby
from unicodedata import category, east_asian_width

from micrograd.drawing.picture import DIRECTIONS, PLACE, Arrow, Box, Picture
from micrograd.drawing.placement import Placement, arranged
from micrograd.drawing.styles import COLORS, Cell, Style, ink, is_dashed, stroke
from micrograd.drawing.svg_elements import Point
from micrograd.drawing.themes import Theme
from micrograd.writing.labels import width
from micrograd.writing.marks import ACCENTS, LETTERS, OPERATORS, latex
from micrograd.writing.names import read

SIZE = 8.0  # points of the letters
GAP = 22.0  # points between columns
LONGEST = 12_000.0  # points; the longest distance in TeX is 16,384 points


def document(picture: Picture, theme: Theme) -> str:
    """The whole document."""
    return "".join(f"{line}\n" for line in _lines(picture, theme))


def _lines(picture: Picture, theme: Theme) -> Iterator[str]:
    writer = _Writer(picture, theme)
    marks = [_MARKS[on_path] for on_path in writer.palettes]
    preamble = resources.files(__package__) / "assets" / "preamble.tex"
    yield preamble.read_text(encoding="utf-8") + "\n".join(_colors(writer))
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


def _styles(marks: Iterable[str]) -> Iterator[str]:
    yield ">=latex"
    yield r"note/.style={font=\sffamily\tiny,inner sep=1pt,fill=paper}"
    for mark in marks:
        pen = "1.2pt" if mark == " path" else "0.4pt"
        for kind in ("leaf", "value", "neuron", "layer", "operation"):
            line, _, fill = (name.replace("_", "") for name in COLORS[kind])
            round_ = ",rounded corners=6pt" if kind == "operation" else ""
            yield (
                f"{kind} box{mark}/.style={{draw={line}{mark},fill={fill}{mark},"
                f"text=ink{mark},line width={pen}{round_}}}"
            )
        yield f"omitted box{mark}/.style={{draw=line{mark},text=faint{mark},dashed}}"
        yield f"an arrow{mark}/.style={{->,draw=line{mark},text=backward{mark},line width={pen}}}"


def _colors(style: Style) -> Iterator[str]:
    for on_path, palette in style.palettes.items():
        for name, color in palette._asdict().items():
            name = f"{name.replace('_', '')}{_MARKS[on_path]}"
            yield rf"\definecolor{{{name}}}{{HTML}}{{{color[1:].upper()}}}"


# ------------------------------------------------------------------------------------------- nodes


class _Writer(Style):
    def __init__(self, picture: Picture, theme: Theme) -> None:
        super().__init__(picture, theme)
        self.placement = self._placed()
        points = [
            *self.placement.centres.values(),
            *(point for way in self.placement.ways.values() for point in way),
        ]
        spans = (max(axis) - min(axis) for axis in zip(*points, strict=True))
        self.scale = min(1.0, LONGEST / max([*spans, 1.0]))

    def _placed(self) -> Placement:
        sizes: dict[str, Point] = {}
        for box in self.picture.boxes:
            if box.oval is not None:
                sizes[box.oval.name] = _size(box.oval.text, 6.0)
            written = (" ".join(cell.text for cell in line) for line in self.lines(box))
            sizes[box.name] = _size("\n".join(written), 12.0)
        notes = {
            arrow.name: _size(self.note(arrow), 2.0)
            for arrow, _ in self.picture.arrows()
            if self.note(arrow)
        }
        return arranged(self.picture, sizes, notes, GAP)

    def _point(self, point: Point) -> str:
        x, y = point
        return f"({self.scale * x + 0.0:.2f},{-self.scale * y + 0.0:.2f})"

    def nodes(self, box: Box) -> Iterator[str]:
        """A box and its operation."""
        centres, oval = self.placement.centres, box.oval
        if oval is not None:
            yield (
                rf"\node[operation box{_MARKS[oval.on_path]}] ({oval.name}) at "
                rf"{self._point(centres[oval.name])} {{{tex(oval.text)}}};"
            )
        mark = _MARKS[box.on_path]
        text = r"\\".join(_written(line, mark) for line in self.lines(box))
        at = self._point(centres[box.name])
        yield rf"\node[{box.kind} box{mark}] ({box.name}) at {at} {{{text}}};"

    def edge(self, arrow: Arrow, head: str) -> str:
        """An arrow on its way, with its text."""
        x, y, out, arrive = DIRECTIONS[self.picture.direction]
        # TikZ's own curves (`to[out=…]`) fail beyond a few thousand points.
        reach = 0.5 * GAP * self.scale
        ahead, back = (f"+({z * x + 0.0:.2f},{-z * y + 0.0:.2f})" for z in (reach, -reach))
        curve = f".. controls {ahead} and {back} .."
        mark = _MARKS[arrow.on_path]
        options = f"an arrow{mark}"
        if arrow.weight is not None:
            pen = 0.3 + 1.9 * self.share(arrow)
            colors = f"draw={stroke(arrow)}{mark},text={ink(arrow)}{mark}"
            options += f",{colors},line width={pen:.2f}pt"
        if is_dashed(arrow):
            options += ",dashed"
        label = ""
        if note := self.note(arrow):
            text = r"\\".join(map(tex, note.split("\n")))
            at = self._point(self.placement.notes[arrow.name])
            label = rf" node[note] at {at} {{{text}}}"
        bends = self.placement.ways[arrow.name][1:-1]
        through = "".join(
            f" {self._point(start)} {f'-- {self._point(end)} ' * (start != end)}{curve}"
            for start, end in zip(bends[::2], bends[1::2], strict=True)
        )
        return rf"\draw[{options}] ({arrow.tail}.{out}) {curve}{through} ({head}.{arrive}){label};"


def _size(text: str, margin: float) -> Point:
    return width(text, SIZE) + margin, 1.25 * SIZE * (1 + text.count("\n")) + margin


def _written(line: list[Cell], mark: str) -> str:
    """A line of a box."""
    match line:
        case [cell] if cell.face and cell.is_name:
            return r"\\".join(_name(part) for part in cell.text.split("\n"))
        case [cell] if cell.face:
            font = {"bold": "textbf", "italic": "textit"}[cell.face]
            return r"\\".join(rf"\{font}{{{tex(part)}}}" for part in cell.text.split("\n"))
        case [cell]:
            return rf"{{\color{{{cell.color}{mark}}}{tex(cell.text)}}}"
        case [output, *numbers] if len(numbers) == 4:
            shown = _written(numbers, mark)
            name = _name(output.text) if output.is_name else tex(output.text)
            return rf"\graphquantity{{{name}}}{{ink{mark}}}{{{shown}}}"
    return r"\ \ ".join(
        rf"\graphquantity{{{tex(name.text)}}}{{{number.color}{mark}}}{{{tex(number.text)}}}"
        for name, number in zip(line[::2], line[1::2], strict=True)
    )


def _name(text: str) -> str:
    """A name, in math mode if all its letters exist there, otherwise in bold."""
    found = read(text)
    if found is None or not all(c.isascii() or c in _MATHEMATICAL for c in str(found.mark)):
        return rf"\textbf{{{tex(text)}}}"
    return rf"$\boldsymbol{{{latex(found.mark)}}}$"


_MATHEMATICAL = frozenset([*LETTERS.values(), *OPERATORS, *ACCENTS])


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
