"""A picture as SVG, placed by `placement` and drawn without any other program.

`draw_dot` draws this way where there is no renderer. Ids, classes and the order of texts are the
same as in Graphviz's SVG of the DOT text, so programs can rely on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, count

from micrograd.drawing.picture import DIRECTIONS, Arrow, Box, OperationNode, Picture
from micrograd.drawing.placement import arranged
from micrograd.drawing.styles import Cell, Style, classes, ink, is_dashed, stroke
from micrograd.drawing.svg_elements import (
    SIZE,
    Point,
    component,
    document,
    pair,
    polygon,
    scripted_at,
    text_at,
)
from micrograd.drawing.themes import Theme
from micrograd.writing.labels import width
from micrograd.writing.names import Symbol, read

_ROW = 22.0  # the height of a line in a box
_NOTE = 15.0  # the height of a line on an arrow
_PAD = 5.0
_TIP = 7.0  # the length of an arrow's tip
_MARGIN = 6.0
_FACES = {"bold": ' font-weight="bold"', "italic": ' font-style="italic"', "": ""}


def svg(picture: Picture, theme: Theme) -> str:
    """The picture as the text of an SVG."""
    sketch = _Sketch(picture)
    content = [
        '<g id="graph0" class="graph">',
        *_Drawing(sketch, Style(picture, theme)).pieces(),
        "</g>",
    ]
    return document(sketch.frame, theme.paper, content, ' xml:space="preserve"')


class _Sketch:
    """A picture that is placed."""

    def __init__(self, picture: Picture) -> None:
        self.edges: dict[str, list[float]] = {}  # where the cells of a box begin, and its width
        self.sizes: dict[str, Point] = {}
        style = Style(picture, Theme())
        for box in picture.boxes:
            if box.oval is not None:
                self.sizes[box.oval.name] = (max(width(box.oval.text, SIZE) + 18.0, 28.0), 26.0)
            rows = _rows(box, style)
            self.edges[box.name] = _edges(rows)
            self.sizes[box.name] = (self.edges[box.name][-1], _ROW * len(rows))
        notes = {
            arrow.name: (width(note, SIZE) + 6.0, _NOTE * (1 + note.count("\n")))
            for arrow, _ in picture.arrows()
            if (note := style.note(arrow))
        }
        gap = 52.0 if notes else 34.0
        if style.dense:  # many lines need room, and more if the columns are long
            gap = min(max(10.0 * picture.longest, 80.0), 280.0)
        self.placement = arranged(picture, self.sizes, notes, gap)
        centres = self.placement.centres | self.placement.notes
        pieces = [(centres[name], size) for name, size in (self.sizes | notes).items()]
        pieces += [(point, (0.0, 0.0)) for way in self.placement.ways.values() for point in way]
        left, top = (min(at[i] - size[i] / 2 for at, size in pieces) - _MARGIN for i in (0, 1))
        right, end = (max(at[i] + size[i] / 2 for at, size in pieces) + _MARGIN for i in (0, 1))
        self.frame = (left, top, right - left, end - top)


class _Drawing:
    """Draws the elements. Points and directions of arrows are complex numbers here."""

    def __init__(self, sketch: _Sketch, style: Style) -> None:
        self.sketch, self.style = sketch, style
        self.placement, self.sizes = sketch.placement, sketch.sizes
        self.along = complex(*DIRECTIONS[style.picture.direction][:2])
        self.across = complex(abs(self.along.imag), abs(self.along.real))

    def pieces(self) -> Iterator[str]:
        """All arrows, then all boxes."""
        boxes = self.style.picture.boxes
        made = (box.operation for box in boxes if box.operation)
        entries = {name: at for operation in made for name, at in self._entries(operation)}
        for arrow, head in self.style.picture.arrows():
            yield self._arrow(arrow, head, entries.get(arrow.name, 0.0))
        for box in boxes:
            if box.oval is not None:
                yield self._operation(box.oval)
            yield self._box(box)

    def _group(self, name: str, kind: str, on_path: bool | None, content: str) -> str:
        return f'<g id="{name}" class="{classes(kind, on_path)}">{content}</g>'

    def _stroke(self, color: str, on_path: bool | None, pen: float = 1.0) -> str:
        if on_path:
            pen *= 2
        return f' stroke="{color}"' + (f' stroke-width="{pen:.2f}"' if pen != 1 else "")

    def _box(self, box: Box) -> str:
        palette = self.style.palettes[box.on_path]
        line, head, fill = self.style.colors(box.kind, box.on_path, none="none")
        (x, y), (wide, tall) = self.placement.centres[box.name], self.sizes[box.name]
        left, top = x - wide / 2, y - tall / 2
        rows = _rows(box, self.style)
        edges = [left + edge for edge in self.sketch.edges[box.name]]
        titles = _ROW * sum(row[0].face == "bold" for row in rows)
        rules = f"M{left:.1f},{top + titles:.1f}h{wide:.1f}" if 0 < titles < tall else ""
        if box.numbers is not None:
            rules += f"M{edges[2]:.1f},{top + tall - _ROW:.1f}v{_ROW:.0f}"
        content = polygon((left, top), (wide, tall), fill)
        if titles:
            content += polygon((left, top), (wide, titles), head)
        content += "".join(
            _written((x + _PAD, y), cell, getattr(palette, cell.color))
            for y, row in zip(count(top + 15.5, _ROW), rows, strict=False)
            for x, cell in zip(edges, row, strict=False)
        )
        if rules:
            content += f'<path fill="none" stroke="{line}" d="{rules}"/>'
        outline = self._stroke(line, box.on_path)
        outline += ' stroke-dasharray="4 3"' if box.kind == "omitted" else ""
        content += polygon((left, top), (wide, tall), "none", outline)
        return self._group(box.name, f"node {box.kind}", box.on_path, content)

    def _operation(self, oval: OperationNode) -> str:
        theme = self.style.palettes[oval.on_path]
        line, _, fill = self.style.colors("operation", oval.on_path)
        (x, y), (wide, tall) = self.placement.centres[oval.name], self.sizes[oval.name]
        content = (
            f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{wide / 2:.1f}" ry="{tall / 2:.1f}" '
            f'fill="{fill}"{self._stroke(line, oval.on_path)}/>'
            + text_at((x, y + 4.5), oval.text.replace("\n", " "), theme.ink, anchor="middle")
        )
        return self._group(oval.name, "node operation", oval.on_path, content)

    # ------------------------------------------------------------------------------------ arrows

    def _entries(self, operation: OperationNode) -> Iterator[tuple[str, float]]:
        """Where arrows arrive, as distances from the middle, in the order of the operands."""
        names = [arrow.name for arrow in operation.arrows]
        share = 0.5
        if operation.name in self.sketch.edges:  # a box: its arrows are ordered so as not to cross
            ways = self.placement.ways
            names.sort(key=lambda name: component(complex(*ways[name][-2]), self.across))
            share = 0.0 if self.style.dense else 0.7
        breadth = component(complex(*self.sizes[operation.name]), self.across)
        for i, name in enumerate(names):
            at = i / (len(names) - 1) - 0.5 if len(names) > 1 else 0.0
            yield name, at * min(share * breadth, 14.0 * (len(names) - 1))

    def _arrow(self, arrow: Arrow, head: str, entry: float) -> str:
        style, theme = self.style, self.style.palettes[arrow.on_path]
        color, pen = getattr(theme, stroke(arrow)), 1.0
        if arrow.weight is not None:
            pen = 0.5 + (2.0 if style.dense else 3.0) * style.share(arrow)
        line = self._stroke(color, arrow.on_path, pen)
        line += ' stroke-dasharray="5 3"' if is_dashed(arrow) else ""
        end = self._end(head, entry)
        back = end - _TIP * self.along
        tip = " ".join(map(pair, (back - 3 * self.across, end, back + 3 * self.across)))
        content = (
            f'<path fill="none"{line} d="{self._way(arrow, entry)}L{pair(back)}"/>'
            f'<polygon points="{tip}" fill="{color}" stroke="{color}"/>'
        )
        if note := style.note(arrow):
            content += _note(
                self.placement.notes[arrow.name], note, getattr(theme, ink(arrow)), theme.paper
            )
        return self._group(arrow.name, "edge", arrow.on_path, content)

    def _way(self, arrow: Arrow, entry: float) -> str:
        """The path from the side of the tail, through the gaps between columns, to the head."""
        way = [complex(*point) for point in self.placement.ways[arrow.name]]
        way[-1] += entry * self.across
        tail = complex(*self.placement.centres[arrow.tail])
        reach = abs(component(complex(*self.sizes[arrow.tail]), self.along)) / 2
        path = f"M{pair(tail + reach * self.along)}"
        for start, end in zip(way[::2], way[1::2], strict=True):
            half = component(end - start, self.along) / 2 * self.along
            path += f"L{pair(start)}"
            if end - start == 2 * half or (self.style.dense and arrow.weight is not None):
                path += f"L{pair(end)}"
            else:
                path += f"C{pair(start + half)} {pair(end - half)} {pair(end)}"
        return path

    def _end(self, head: str, entry: float) -> complex:
        """Where an arrow touches its head."""
        size = complex(*self.sizes[head]) / 2
        reach = abs(component(size, self.along))
        if head not in self.sketch.edges:  # an ellipse
            reach *= (1 - (entry / component(size, self.across)) ** 2) ** 0.5
        return complex(*self.placement.centres[head]) - reach * self.along + entry * self.across


# --------------------------------------------------------------------------------------- elements


def _rows(box: Box, style: Style) -> list[list[Cell]]:
    """The lines of a box, with a title of several lines split."""
    return [
        [row[0]._replace(text=part), *row[1:]]
        for row in style.lines(box)
        for part in row[0].text.replace("\n", " " if row[1:] else "\n").split("\n")
    ]


def _edges(rows: list[list[Cell]]) -> list[float]:
    tables = [[width(cell.text, SIZE) + 2 * _PAD for cell in row] for row in rows if len(row) > 1]
    columns = [max(cells) for cells in zip(*tables, strict=True)] or [0.0]
    bold = {"bold": 1.1}  # bold letters are wider
    titles = (bold.get(row[0].face, 1.0) * width(row[0].text, SIZE) for row in rows)
    *edges, last = accumulate(columns, initial=0.0)
    return [*edges, max(last, *(title + 2 * _PAD for title in titles))]


def _written(at: Point, cell: Cell, color: str) -> str:
    """The text of a cell, with subscripts and superscripts that Unicode lacks as parts of it."""
    is_name = cell.is_name and cell.text == cell.text.strip()
    symbol = read(cell.text) if is_name else None
    runs = symbol.runs if isinstance(symbol, Symbol) else [(cell.text, 0)]
    return scripted_at(at, runs, color, _FACES[cell.face])


def _note(centre: Point, text: str, color: str, paper: str) -> str:
    """The text on an arrow, on a background of paper."""
    (x, y), rows = centre, text.split("\n")
    wide, tall = width(text, SIZE) + 2.0, _NOTE * len(rows)
    return polygon((x - wide / 2, y - tall / 2), (wide, tall), paper) + "".join(
        text_at((x, y - tall / 2 + _NOTE * i + 11.5), row, color, anchor="middle")
        for i, row in enumerate(rows)
    )
