"""A picture as SVG, with the project's own placement: no renderer and no other program.

Pages and films draw with it, and `draw_dot` where there is no renderer. Ids, classes and the order
of texts are those that `dot` gives, so programs can rely on either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from itertools import accumulate

from micrograd.drawing.look import COLORS, Cell, Look, is_dashed, lines, stroke
from micrograd.drawing.picture import Arrow, Box, Picture, Step
from micrograd.drawing.placement import READING, Point, arranged
from micrograd.drawing.standalone import FONT
from micrograd.drawing.themes import Theme
from micrograd.notation.labels import width

SIZE = 12
_ROW = 22.0  # the height of a line in a box
_PAD = 5.0
_TIP = 7.0  # the length of an arrow's tip
_MARGIN = 6.0
_NONE: Mapping[str, str] = {}


def svg(picture: Picture, theme: Theme) -> str:
    """The whole text."""
    return Sketch(picture).text(picture, theme)


class Sketch:
    """A picture that is placed once and drawn as often as its numbers change.

    The numbers of the picture that it is made of are the longest for which there must be room.
    """

    def __init__(self, picture: Picture) -> None:
        self.edges: dict[str, list[float]] = {}  # where the cells of a box begin, and its width
        self.sizes: dict[str, Point] = {}
        look = Look(picture, Theme())
        for box in picture.boxes:
            if box.step is not None and box.has_operation:
                self.sizes[box.step.name] = (max(_breadth(box.step.text) + 18.0, 28.0), 26.0)
            rows = list(_rows(box, look))
            self.edges[box.name] = _edges(rows)
            self.sizes[box.name] = (self.edges[box.name][-1], _ROW * len(rows))
        notes = {
            arrow.name: (_breadth(note) + 6.0, 15.0 * (1 + note.count("\n")))
            for arrow, _ in picture.arrows()
            if (note := look.note(arrow))
        }
        self.placement = arranged(picture, self.sizes, notes, _gap(picture, bool(notes)))
        boxes = [(self.placement.centres[name], size) for name, size in self.sizes.items()]
        boxes += [(self.placement.notes[name], size) for name, size in notes.items()]
        boxes += [(point, (0.0, 0.0)) for way in self.placement.ways.values() for point in way]
        left, top = (min(at[i] - size[i] / 2 for at, size in boxes) - _MARGIN for i in (0, 1))
        right, end = (max(at[i] + size[i] / 2 for at, size in boxes) + _MARGIN for i in (0, 1))
        self.frame = (left, top, right - left, end - top)

    def text(
        self,
        picture: Picture,
        theme: Theme,
        *,
        faded: Collection[str] = (),
        marked: Mapping[str, str] = _NONE,
        caption: Sequence[str] = (),
        room: Point = (0.0, 0.0),
    ) -> str:
        """The SVG of the picture, whose boxes are those that were placed.

        Of the values in `faded` little is seen; the lines of what is in `marked` have that colour.
        The `caption` stands below, with `room` for the longest one.
        """
        left, top, wide, tall = self.frame
        room = (max(wide, room[0] + 2 * _MARGIN), tall + room[1])
        drawing = _Drawing(self, Look(picture, theme), faded, marked)
        told = (
            _words(
                (left + _MARGIN, top + tall + 17.0 * i + 12), line, theme.ink if i else theme.faint
            )
            for i, line in enumerate(caption)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{room[0]:.0f}" height="{room[1]:.0f}" '
            f'viewBox="{left:.1f} {top:.1f} {room[0]:.1f} {room[1]:.1f}" font-family="{FONT}" '
            f'font-size="{SIZE}" xml:space="preserve">{_polygon((left, top), room, theme.paper)}'
            f'<g id="graph0" class="graph">{"".join(drawing.pieces())}</g>{"".join(told)}</svg>\n'
        )


class _Drawing:
    def __init__(
        self, sketch: Sketch, look: Look, faded: Collection[str], marked: Mapping[str, str]
    ) -> None:
        self.sketch, self.look, self.faded, self.marked = sketch, look, faded, marked
        self.centres, self.sizes = sketch.placement.centres, sketch.sizes
        self.x, self.y = READING[look.picture.direction]

    def pieces(self) -> Iterator[str]:
        """All arrows, then all boxes."""
        boxes = self.look.picture.boxes
        entries = {name: at for box in boxes if box.step for name, at in self._entries(box.step)}
        for arrow, head in self.look.picture.arrows():
            yield self._arrow(arrow, head, entries.get(arrow.name, 0.0))
        for box in boxes:
            if box.step is not None and box.has_operation:
                yield self._operation(box.step, box.name)
            yield self._box(box)

    # ------------------------------------------------------------------------------------- boxes

    def _group(self, name: str, kind: str, owner: str, on_path: bool | None, content: str) -> str:
        if on_path is not None:
            kind += " path" if on_path else " aside"
        faint = ' opacity="0.3"' if owner in self.faded else ""
        return f'<g id="{name}" class="{kind}"{faint}>{content}</g>'

    def _line(self, name: str, color: str, on_path: bool | None, pen: float = 1.0) -> str:
        if name in self.marked:
            return f' stroke="{self.marked[name]}" stroke-width="2.5"'
        pen *= 2 if on_path else 1
        return f' stroke="{color}"' + (f' stroke-width="{pen:.2f}"' if pen != 1 else "")

    def _box(self, box: Box) -> str:
        theme = self.look.palettes[box.on_path]
        palette = {**theme._asdict(), "": "none"}
        line, head, fill = (palette[name] for name in COLORS[box.kind])
        (x, y), (wide, tall) = self.centres[box.name], self.sizes[box.name]
        left, top = x - wide / 2, y - tall / 2
        rows = list(_rows(box, self.look))
        edges = [left + edge for edge in self.sketch.edges[box.name]]
        titles = _ROW * sum(row[0].face == "bold" for row in rows)
        rules = f"M{left:.1f},{top + titles:.1f}h{wide:.1f}" if 0 < titles < tall else ""
        if box.numbers is not None:
            rules += f"M{edges[2]:.1f},{top + tall - _ROW:.1f}v{_ROW:.0f}"
        content = [_polygon((left, top), (wide, tall), fill)]
        if titles:
            content.append(_polygon((left, top), (wide, titles), head))
        for i, row in enumerate(rows):
            for cell, edge in zip(row, edges, strict=False):
                at = (edge + _PAD, top + _ROW * i + 15.5)
                content.append(_words(at, cell.text, palette[cell.color], cell.face))
        if rules:
            content.append(f'<path fill="none" stroke="{line}" d="{rules}"/>')
        outline = self._line(box.name, line, box.on_path)
        outline += ' stroke-dasharray="4 3"' if box.kind == "omitted" else ""
        content.append(_polygon((left, top), (wide, tall), "none", outline))
        return self._group(box.name, f"node {box.kind}", box.name, box.on_path, "".join(content))

    def _operation(self, step: Step, owner: str) -> str:
        theme = self.look.palettes[step.on_path]
        (x, y), (wide, tall) = self.centres[step.name], self.sizes[step.name]
        line = self._line(step.name, theme.step_line, step.on_path)
        content = (
            f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{wide / 2:.1f}" ry="{tall / 2:.1f}" '
            f'fill="{theme.step_fill}"{line}/>'
            + _words((x, y + 4.5), step.text.replace("\n", " "), theme.ink, middle=True)
        )
        return self._group(step.name, "node operation", owner, step.on_path, content)

    # ------------------------------------------------------------------------------------ arrows

    def _extent(self, name: str) -> Point:
        """Half the size of a box along the reading, and across."""
        wide, tall = self.sizes[name]
        return (wide / 2, tall / 2) if self.x else (tall / 2, wide / 2)

    def _entries(self, step: Step) -> Iterator[tuple[str, float]]:
        """Where arrows arrive, from the middle: at an operation in the order of its operands."""
        names = [arrow.name for arrow in step.arrows]
        is_round = step.name not in self.sketch.edges
        if not is_round:
            way = self.sketch.placement.ways
            names.sort(key=lambda name: way[name][-2][1 if self.x else 0])
        room = (0.5 if is_round else 0.7) * 2 * self._extent(step.name)[1]
        for i, name in enumerate(names):
            at = i / (len(names) - 1) - 0.5 if len(names) > 1 else 0.0
            yield name, 0.0 if self.look.dense else at * min(room, 14.0 * (len(names) - 1))

    def _arrow(self, arrow: Arrow, head: str, entry: float) -> str:
        look = self.look
        theme = look.palettes[arrow.on_path]
        color = getattr(theme, stroke(arrow))
        pen = 1.0
        if arrow.weight is not None:
            pen = 0.5 + (2.0 if look.dense else 3.0) * look.share(arrow)
        line = self._line(arrow.name, color, arrow.on_path, pen)
        dashes = ' stroke-dasharray="5 3"' if is_dashed(arrow) else ""
        color = self.marked.get(arrow.name, color)
        content = f'<path fill="none"{line}{dashes} d="{self._way(arrow, head, entry)}"/>'
        content += _tip(self._end(head, entry), (self.x, self.y), color)
        if note := look.note(arrow):
            ink = theme.backward if arrow.weight is None else getattr(theme, stroke(arrow))
            content += _note(self.sketch.placement.notes[arrow.name], note, ink, theme.paper)
        owner = head.removesuffix("op") if head.endswith("op") else head
        return self._group(arrow.name, "edge", owner, arrow.on_path, content)

    def _way(self, arrow: Arrow, head: str, entry: float) -> str:
        """From the side of the tail, through the gaps between columns, to the tip."""
        (x, y), out = self.centres[arrow.tail], self._extent(arrow.tail)[0]
        *way, last = self.sketch.placement.ways[arrow.name]
        way.append(self._beside(last, 0.0, entry))
        path = f"M{_point(self._beside((x, y), out, 0.0))}"
        for (a, b), (c, d) in zip(way[::2], way[1::2], strict=True):
            path += f"L{_point((a, b))}"
            is_straight = (b == d) if self.x else (a == c)
            if is_straight or (self.look.dense and arrow.weight is not None):
                path += f"L{_point((c, d))}"
                continue
            near, far = ((a + c) / 2, b), ((a + c) / 2, d)
            if not self.x:
                near, far = (a, (b + d) / 2), (c, (b + d) / 2)
            path += f"C{_point(near)} {_point(far)} {_point((c, d))}"
        return f"{path}L{_point(self._end(head, entry, _TIP))}"

    def _beside(self, point: Point, along: float, across: float) -> Point:
        x, y = point
        if self.x:
            return x + self.x * along, y + across
        return x + across, y + self.y * along

    def _end(self, head: str, entry: float, before: float = 0.0) -> Point:
        """Where an arrow touches its head, or the place that far before."""
        along, across = self._extent(head)
        if head not in self.sketch.edges:  # an ellipse
            along *= (1 - (entry / across) ** 2) ** 0.5
        return self._beside(self.centres[head], -along - before, entry)


# --------------------------------------------------------------------------------------- elements


def _gap(picture: Picture, has_notes: bool) -> float:
    """What lies between columns: where there are very many weights, more for longer columns."""
    if picture.is_dense:
        columns = Counter(box.group for box in picture.boxes if box.kind == "neuron")
        return min(max(10.0 * max(columns.values()), 80.0), 280.0)
    return 52.0 if has_notes else 34.0


def _rows(box: Box, look: Look) -> Iterator[list[Cell]]:
    """The lines of a box, each as high as the others."""
    for row in lines(box, look.place(box)):
        if len(row) == 1:
            yield from ([row[0]._replace(text=part)] for part in row[0].text.split("\n"))
        else:
            yield row


def _edges(rows: list[list[Cell]]) -> list[float]:
    tables = [[_breadth(cell.text) + 2 * _PAD for cell in row] for row in rows if len(row) > 1]
    columns = [max(cells) for cells in zip(*tables, strict=True)]
    titles = (_breadth(row[0].text, row[0].face) + 2 * _PAD for row in rows if len(row) == 1)
    *edges, last = accumulate(columns, initial=0.0)
    return [*edges, max([last, *titles])] if columns else [0.0, max(titles, default=0.0)]


def _breadth(text: str, face: str = "") -> float:
    return (1.1 if face == "bold" else 1.0) * width(text, SIZE)


def _point(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def _polygon(corner: Point, size: Point, fill: str, more: str = ' stroke="none"') -> str:
    (x, y), (wide, tall) = corner, size
    corners = ((x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall))
    return f'<polygon points="{" ".join(map(_point, corners))}" fill="{fill}"{more}/>'


def _words(at: Point, text: str, color: str, face: str = "", *, middle: bool = False) -> str:
    style = {"bold": ' font-weight="bold"', "italic": ' font-style="italic"', "": ""}[face]
    anchor = ' text-anchor="middle"' if middle else ""
    shown = escape(text, quote=False)
    return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" fill="{color}"{style}{anchor}>{shown}</text>'


def _note(centre: Point, text: str, ink: str, paper: str) -> str:
    """What stands on an arrow, on a piece of paper."""
    (x, y), rows = centre, text.split("\n")
    wide, tall = _breadth(text) + 2.0, 15.0 * len(rows)
    words = (
        _words((x, y - tall / 2 + 15.0 * i + 11.5), row, ink, middle=True)
        for i, row in enumerate(rows)
    )
    return _polygon((x - wide / 2, y - tall / 2), (wide, tall), paper) + "".join(words)


def _tip(end: Point, reading: tuple[int, int], color: str) -> str:
    (x, y), (along, across) = end, reading
    back = (x - _TIP * along, y - _TIP * across)
    sides = [(back[0] + z * across, back[1] + z * along) for z in (-3.0, 3.0)]
    points = " ".join(map(_point, (sides[0], end, sides[1])))
    return f'<polygon points="{points}" fill="{color}" stroke="{color}"/>'
