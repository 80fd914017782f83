"""A picture as SVG, drawn without any other program.

Every box is a group with the id of its value, the class `node` and its role or kind; every arrow
is a group with its text. Ids, classes and the order of texts are the same as in Graphviz's SVG of
the DOT text, so programs can rely on them. Each line of text is one element, centred in its box, in
which scripts are shifted parts: it holds together in whatever font a reader has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from types import MappingProxyType

from micrograd.drawing.named.layout import (
    BESIDE,
    FORMULA,
    LEADING,
    NOTE,
    NUMBERS,
    STACKED,
    Layout,
    heading,
    leading,
    note_name,
)
from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.spans import DIVIDER, NARROW, Line, line_width, overhang, svg_spans
from micrograd.drawing.styles import Style, classes, is_dashed, stroke
from micrograd.drawing.svg_elements import Point, accessible, document, line_at, pair
from micrograd.drawing.themes import Theme

_TIP = 7.0
_BASE = 0.35  # from the middle of a line down to its base line, as a share of the size


def svg(
    picture: Picture,
    theme: Theme,
    *,
    faded: Collection[str] = (),
    marked: Mapping[str, str] = MappingProxyType({}),
    caption: Sequence[Line] = (),
    room: Point = (0.0, 0.0),
) -> str:
    """The whole text of a picture that has its layout.

    Boxes in `faded` are faint, and boxes and arrows in `marked` are drawn in the given colours. The
    `caption` stands below the picture, in a space of the size `room`.
    """
    layout: Layout = picture.layout
    drawing = _Drawing(picture, theme, faded, marked)
    content = ['<g id="graph0" class="graph">', *drawing.pieces(), "</g>"]
    wide, tall = max(layout.size[0], room[0]), layout.size[1]
    for i, line in enumerate(caption):
        content.append(
            _line((wide / 2, tall + LEADING * FORMULA * (i + 0.5)), line, FORMULA, theme)
        )
    more = ' xml:space="preserve"'
    text = document((wide, tall + room[1]), theme.paper, content, more)
    return accessible(text, picture.title, picture.description)


class _Drawing(Style):
    def __init__(
        self, picture: Picture, theme: Theme, faded: Collection[str], marked: Mapping[str, str]
    ) -> None:
        super().__init__(picture, theme)
        self.layout: Layout = picture.layout
        self.faded, self.marked = faded, marked

    def pieces(self) -> Iterator[str]:
        """All arrows, then all boxes and texts."""
        titles = {box.name: box.label or box.name for box in self.picture.boxes}
        for arrow, head in self.picture.arrows():
            yield self._arrow(arrow, f"{titles[arrow.tail]} → {titles[head]}")
        for box in self.picture.boxes:
            yield self._box(box, titles[box.name])

    def _box(self, box: Box, title: str) -> str:
        palette = self.palettes[box.on_path]
        line, fill = (getattr(palette, name) for name in self.outline(box))
        (x, y), (wide, tall) = self.layout.centres[box.name], self.layout.sizes[box.name]
        pen = 2 if box.on_path or box.name in self.picture.roots else 1.2
        if box.name in self.marked:
            line, pen = self.marked[box.name], 2.5
        more = ' stroke-dasharray="4 3"' if box.kind == "omitted" else ""
        faint = ' opacity="0.3"' if box.name in self.faded else ""
        kinds = classes(f"node {box.role or box.kind}", box.on_path)
        corner = 10 if box.kind == "operation" else 5 if self.picture.width else 0
        edge = f'stroke="{line}" stroke-width="{pen}"{more}'
        return (
            f'<g id="{box.name}" class="{kinds}"{faint}><title>{escape(title)}</title>'
            f'<rect x="{x - wide / 2:.1f}" y="{y - tall / 2:.1f}" width="{wide:.1f}" '
            f'height="{tall:.1f}" rx="{corner}" fill="{fill}" {edge}/>'
            f"{self._cells(box, edge)}{self._texts(box, palette)}</g>"
        )

    def _cells(self, box: Box, edge: str) -> str:
        """What divides a box of a single node: around its title, and between value and gradient."""
        lines, drawn = self.layout.lines[box.name], ""
        (x, y), (wide, tall) = self.layout.centres[box.name], self.layout.sizes[box.name]
        height = tall / len(lines)
        if box.headings:
            _, head, _ = self.colors(box.kind, box.on_path)
            drawn += (
                f'<rect x="{x - wide / 2:.1f}" y="{y - tall / 2:.1f}" width="{wide:.1f}" '
                f'height="{height * box.headings:.1f}" fill="{head}" {edge}/>'
            )
        if box.numbers and DIVIDER in lines[-1]:
            place = lines[-1].index(DIVIDER)  # a space that is wide enough in any font
            sides = (lines[-1][:place], lines[-1][place + 1 :])
            data, grad = (line_width(side, FORMULA) for side in sides)
            end = complex(x + NARROW * (data - grad) / 2, y + tall / 2)
            drawn += f'<path fill="none" {edge} d="M{pair(end)}L{pair(end - height * 1j)}"/>'
        return drawn

    def _arrow(self, arrow: Arrow, title: str) -> str:
        palette, written = self.palettes[arrow.on_path], ""
        color, pen = getattr(palette, stroke(arrow)), 2.0 if arrow.on_path else 1.0
        if arrow.weight is not None:
            pen *= 0.5 + (2.0 if self.dense else 3.0) * self.share(arrow)
        if arrow.name in self.marked:
            color, pen = self.marked[arrow.name], 2.5
        more = f' stroke-width="{pen:.3g}"' if pen != 1 else ""
        more += ' stroke-dasharray="5 3"' if is_dashed(arrow) else ""
        steps = [arrow.name]
        if arrow.formula:
            steps.insert(0, f"{arrow.name}s")
            written = self._note(note_name(arrow.name), palette)
        wires = [self.layout.wires[step] for step in steps]
        cuts = [0.0] * (len(steps) - 1) + [_TIP - 1]
        paths = "".join(
            f'<path fill="none" stroke="{color}"{more} d="{self._path(wire, cut)}"/>'
            for wire, cut in zip(wires, cuts, strict=True)
        )
        return (
            f'<g id="{arrow.name}" class="{classes("edge", arrow.on_path)}">'
            f"<title>{escape(title)}</title>{paths}{self._tip(wires[-1], color)}{written}</g>"
        )

    def _tip(self, wire: list[Point], color: str) -> str:
        end = complex(*wire[-1])
        along = heading(wire)
        back, across = end - _TIP * along, 3j * along
        corners = " ".join(map(pair, (back + across, end, back - across)))
        return f'<polygon points="{corners}" fill="{color}"/>'

    def _path(self, wire: list[Point], cut: float) -> str:
        points = [complex(*point) for point in wire]
        points[-1] -= cut * heading(wire)
        start, *others = map(pair, points)
        return f"M{start}C{' '.join(others)}"

    def _texts(self, box: Box, theme: Theme) -> str:
        """The lines of a box: its formula, then its value in ink and its gradient in red."""
        (x, y), (_, tall) = self.layout.centres[box.name], self.layout.sizes[box.name]
        top = y - tall / 2 + 4.0
        lines = self.layout.lines[box.name]
        height = leading(lines) * FORMULA
        if not self.picture.width:
            top, height = y - tall / 2, tall / len(lines)
        written = [
            _line((x, top + height * (i + 0.5)), line, FORMULA, theme)
            for i, line in enumerate(lines)
        ]
        middle = top + height * len(lines) + LEADING * NUMBERS / 2 + _BASE * NUMBERS
        parts = [(box.data, theme.ink, "data"), (box.grad, theme.backward, "grad")]
        shown = [part for part in parts if part[0]]
        spans = [
            f'<tspan class="{kind}" fill="{color}">{beside}{escape(text)}</tspan>'
            for i, (text, color, kind) in enumerate(shown)
            for beside in ["" if box.is_stacked else BESIDE * i]
        ]
        for i, each in enumerate(spans if box.is_stacked else filter(None, ["".join(spans)])):
            written.append(line_at((x, middle + STACKED * NUMBERS * i), each, NUMBERS))
        return "".join(written)

    def _note(self, name: str, theme: Theme) -> str:
        """The text on an arrow."""
        (x, y), lines = self.layout.centres[name], self.layout.lines[name]
        height = leading(lines) * NOTE
        first = y - height * (len(lines) - 1) / 2
        return "".join(
            _line((x, first + height * i), line, NOTE, theme) for i, line in enumerate(lines)
        )


def _line(middle: Point, line: Line, size: float, theme: Theme) -> str:
    spans = svg_spans(line, lambda role: str(getattr(theme, role)), size)
    at = middle[0] + overhang(line, size) / 2, middle[1] + _BASE * size
    return line_at(at, spans, size, theme.ink)
