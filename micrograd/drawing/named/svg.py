"""The compact picture as SVG, drawn without any other program.

Every box is a group with the id of its value, the class `node` and its role; every arrow and every
text on one is a group too. Each line of text is one element, centred in its box, in which scripts
are shifted parts: it holds together in whatever font a reader has.
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
from micrograd.drawing.named.roles import ROLES
from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.spans import Line, overhang, svg_spans
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
    """The whole text.

    Boxes in `faded` are faint, and boxes and arrows in `marked` are drawn in the given colours. The
    `caption` stands below the picture, in a space of the size `room`.
    """
    layout: Layout = picture.layout
    drawing = _Drawing(picture, theme, layout, faded, marked)
    content = ['<g id="graph0" class="graph">', *drawing.pieces(), "</g>"]
    wide, tall = max(layout.size[0], room[0]), layout.size[1]
    for i, line in enumerate(caption):
        content.append(
            _line((wide / 2, tall + LEADING * FORMULA * (i + 0.5)), line, FORMULA, theme)
        )
    more = ' xml:space="preserve"'
    text = document((0.0, 0.0, wide, tall + room[1]), theme.paper, content, more)
    return accessible(text, picture.title, picture.description)


class _Drawing:
    def __init__(
        self,
        picture: Picture,
        theme: Theme,
        layout: Layout,
        faded: Collection[str],
        marked: Mapping[str, str],
    ) -> None:
        self.picture, self.theme, self.layout = picture, theme, layout
        self.faded, self.marked = faded, marked

    def pieces(self) -> Iterator[str]:
        """All arrows, then all boxes and texts."""
        boxes = {box.name: box for box in self.picture.boxes}
        for arrow, head in self.picture.arrows():
            yield self._arrow(arrow, boxes[arrow.tail].label, boxes[head].label)
        for box in boxes.values():
            yield self._box(box)

    def _box(self, box: Box) -> str:
        line, fill, _ = (getattr(self.theme, name) for name in ROLES[box.role])
        (x, y), (wide, tall) = self.layout.centres[box.name], self.layout.sizes[box.name]
        pen = 2 if box.name in self.picture.roots else 1.2
        if box.name in self.marked:
            line, pen = self.marked[box.name], 2.5
        faint = ' opacity="0.3"' if box.name in self.faded else ""
        return (
            f'<g id="{box.name}" class="node {box.role}"{faint}><title>{escape(box.label)}</title>'
            f'<rect x="{x - wide / 2:.1f}" y="{y - tall / 2:.1f}" width="{wide:.1f}" '
            f'height="{tall:.1f}" rx="5" fill="{fill}" stroke="{line}" stroke-width="{pen}"/>'
            f"{box_texts(box, self.layout, self.theme, self.layout.centres[box.name])}</g>"
        )

    def _arrow(self, arrow: Arrow, tail: str, head: str) -> str:
        color, written = self.marked.get(arrow.name, self.theme.line), ""
        pen = ' stroke-width="2.5"' if arrow.name in self.marked else ""
        steps = [arrow.name]
        if arrow.formula:
            steps.insert(0, f"{arrow.name}s")
            name = note_name(arrow.name)
            lines = self.layout.lines[name]
            written = note_texts(lines, self.theme, self.layout.centres[name])
        wires = [self.layout.wires[step] for step in steps]
        cuts = [0.0] * (len(steps) - 1) + [_TIP - 1]
        paths = "".join(
            f'<path fill="none" stroke="{color}"{pen} d="{self._path(wire, cut)}"/>'
            for wire, cut in zip(wires, cuts, strict=True)
        )
        return (
            f'<g id="{arrow.name}" class="edge"><title>{escape(f"{tail} → {head}")}</title>'
            f"{paths}{self._tip(wires[-1], color)}{written}</g>"
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


# ------------------------------------------------------------------------------------------- texts


def box_texts(box: Box, layout: Layout, theme: Theme, centre: Point) -> str:
    """The lines of a box: its formula, then its value in ink and its gradient in red."""
    x, y = centre
    top = y - layout.sizes[box.name][1] / 2 + 4.0
    lines = layout.lines[box.name]
    height = leading(lines) * FORMULA
    written = [
        _line((x, top + height * (i + 0.5)), line, FORMULA, theme) for i, line in enumerate(lines)
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


def note_texts(lines: list[Line], theme: Theme, centre: Point) -> str:
    """The text on an arrow."""
    x, y = centre
    height = leading(lines) * NOTE
    first = y - height * (len(lines) - 1) / 2
    return "".join(
        _line((x, first + height * i), line, NOTE, theme) for i, line in enumerate(lines)
    )


def _line(middle: Point, line: Line, size: float, theme: Theme) -> str:
    spans = svg_spans(line, lambda role: str(getattr(theme, role)), size)
    at = middle[0] + overhang(line, size) / 2, middle[1] + _BASE * size
    return line_at(at, spans, size, theme.ink)
