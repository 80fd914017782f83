"""Where the boxes of a compact picture stand, so that it fits the width.

A text on an arrow is a piece of its own, which interrupts the arrow: pieces never overlap, so no
text lies on a line or on a box. Boxes and texts stand in alternate rows. If the picture is narrow
enough it is read from left to right; else from top to bottom, and a row that would be too wide
continues in the row above it. A chain that would be one tall column is folded into rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import NamedTuple

from micrograd.drawing.named.folding import chain, folded, straight_wires
from micrograd.drawing.picture import DIRECTIONS, Box, Picture
from micrograd.drawing.placement import BETWEEN, place
from micrograd.drawing.spans import Line, line_width, with_pairs, wrapped
from micrograd.drawing.svg_elements import Point, component

FORMULA, NUMBERS, NOTE = 15.0, 14.0, 14.7  # sizes of letters; scripts have at least 11
LEADING = 1.3  # the height of a line, as a share of the size of its letters
STACKED = 1.1  # the same between a value and the gradient below it
_ROOMY = 1.55  # the same where lines have scripts above each other, which reach further
PAD = 7.0  # within a box
BESIDE = "\u2003"  # between a value and its gradient, a space as wide as the letters are high
MARGIN = 8.0
_GAP = 15.0  # between rows
_NO_WAY = 0.05  # a length that no coordinate of a picture, which has one decimal, would show
_ENTRIES = 28.0  # at most, between arrows that arrive at the same box
_STEEP = 0.16  # how steep an arrow is at least, across to along, in a gap
_LANE = 4.0  # across that an arrow takes in a row that it passes, in a picture of any width
_LANES = 100  # rows that an arrow passes, on average, in the longest pictures
_ROW_LANES = (-3.0, -6.0, -8.5, -9.7)
"""For an arrow that passes a row, besides the space between neighbours; less where many pass."""


class Layout(NamedTuple):
    """The pieces of a compact picture: their lines, sizes, centres, and the ways of arrows.

    A text on the arrow `n3e1` is the piece `n3e1t`. Coordinates go to the right and down.
    """

    direction: str
    size: Point
    lines: dict[str, list[Line]]
    sizes: dict[str, Point]
    centres: dict[str, Point]
    wires: dict[str, list[Point]]
    """For each arrow the points of its Bézier curves: a point, then two controls and a point each.

    The arrow `n3e1` leads to the box `n3`, from its text if it has one; `n3e1s` leads to the text.
    """


def note_name(arrow: str) -> str:
    """The name of the text on an arrow."""
    return f"{arrow}t"


def laid_out(picture: Picture, *, fold: bool = True) -> Layout:
    """The best layout that is at most as wide as the picture may be, or the narrowest.

    A picture of every node may have any width. If the direction of the picture is "", it is read
    from left to right or from top to bottom.

    Args:
        picture: what is drawn.
        fold: whether a long chain without a direction may be folded into rows.
    """
    if not picture.width:
        pieces = _Pieces(picture, math.inf, _LANE)
        return pieces.placed(picture.direction, pieces.layers(math.inf, 1), math.inf)
    room = picture.width - 2 * MARGIN
    plans: list[_Plan] = []
    for lane in _ROW_LANES:
        plans += _plans(picture, room, lane)
        if not all(plan.excess for plan in plans):
            break
    if picture.direction:
        return min(plans, key=_badness).layout(room)
    plan = min((p for p in plans if p.direction != "LR"), key=_badness)
    layout = plan.layout(room)
    whole = plan.pieces.breaks
    if across := [p for p in plans if p.direction == "LR" and p.pieces.breaks <= whole]:
        other = min(across, key=_badness).layout(room)  # how wide it is, is known only now
        if other.size[0] <= picture.width and other.size[1] <= layout.size[1]:
            return other
    if fold and layout.size[1] > layout.size[0]:
        rows = filter(None, (plan.pieces.folded(room) for plan in plans))
        return min(rows, key=lambda layout: layout.size[1], default=layout)
    return layout


class _Plan(NamedTuple):
    """In which row, or column, each piece stands, and how large the picture will be."""

    pieces: _Pieces
    direction: str
    layers: dict[str, int]
    excess: float  # how much wider than it may be
    height: float

    def layout(self, room: float) -> Layout:
        """The pieces in their places."""
        return self.pieces.placed(self.direction, self.layers, room)


def _badness(plan: _Plan) -> tuple[float, int, float]:
    """What is wrong with a plan: how much too wide it is, how many lines are cut, how tall."""
    return plan.excess, plan.pieces.cut, plan.height


_SHARES = (1.0, 0.9, 0.8, 0.65, 0.5, 0.35)  # of the width: how far rows are filled
_PARTS = (1.0, 0.9, 0.75, 0.5, 1 / 3, 0.25)  # of the width: how wide a box may be


def _plans(picture: Picture, room: float, lane: float) -> Iterator[_Plan]:
    seen = set()
    for share in _PARTS:
        pieces = _Pieces(picture, share * room, lane)
        key = tuple(pieces.sizes.values())
        if key in seen:
            continue
        seen.add(key)
        if not picture.direction or DIRECTIONS[picture.direction][0]:
            layers = pieces.layers(math.inf, 1)
            wide = sum(pieces.thick(layers, 0)) + _GAP * max(layers.values(), default=0)
            tall = pieces.broadest(layers, 1)
            if picture.direction or wide <= room:
                yield _Plan(pieces, picture.direction or "LR", layers, max(wide - room, 0.0), tall)
        if not picture.direction or DIRECTIONS[picture.direction][1]:
            for by_depth in (False, True):
                yield pieces.rows(picture.direction or "TB", room, by_depth=by_depth)


class _Pieces:
    """Boxes and texts with their lines and sizes, and the arrows between them."""

    def __init__(self, picture: Picture, room: float, lane: float) -> None:
        self.lane, self.boxes = lane, picture.boxes
        self.gap = _GAP if picture.width else 2 * _GAP
        if picture.is_dense:  # many lines need room, and more if the columns are long
            self.gap = min(max(10.0 * picture.longest, 80.0), 280.0)
        self.lines: dict[str, list[Line]] = {}
        self.sizes: dict[str, Point] = {}
        self.links: list[tuple[str, str, str]] = []
        self.notes: set[str] = set()
        for box in picture.boxes:
            for arrow in box.arrows:
                if arrow.formula:
                    name = note_name(arrow.name)
                    self.notes.add(name)
                    self.lines[name] = wrapped(arrow.formula, room, NOTE)
                    self.sizes[name] = _size(self.lines[name], NOTE, 3.0)
                    self.links += [(f"{arrow.name}s", arrow.tail, name)]
                    self.links += [(arrow.name, name, box.name)]
                else:
                    self.links.append((arrow.name, arrow.tail, box.name))
            self._wrap(box, room)
        # Operands of an operation arrive in their order.
        self.ordered = {box.name for box in picture.boxes if box.kind == "operation"}
        self.cut = self._cut()
        self.users: dict[str, list[str]] = {name: [] for name in self.sizes}
        for _, tail, head in self.links:
            self.users[tail].append(head)

    @property
    def breaks(self) -> tuple[int, int]:
        """How many lines are cut, and how many lines the longest text has, from two on."""
        return self.cut, max(2, *map(len, self.lines.values()))

    def _cut(self) -> int:
        """How many lines are not shown to the end, or stand for several."""
        ends = (line[-1].text for lines in self.lines.values() for line in lines if line)
        return sum(end.endswith(("…", "⋯")) for end in ends)

    def _wrap(self, box: Box, room: float) -> None:
        """Break the formula of a box into lines, so that the box is at most as wide as the room."""
        self.lines[box.name] = wrapped(box.formula, room - 2 * PAD, FORMULA)
        wide, tall = _size(self.lines[box.name], FORMULA, PAD)
        widths = numbers_widths(box)
        if widths:
            wide = max(wide, max(widths) + 2 * PAD)
            tall += NUMBERS * (LEADING + STACKED * (len(widths) - 1))
        self.sizes[box.name] = max(wide, box.room[0]), tall + box.room[1]

    def widened(self, layers: Mapping[str, int], room: float) -> _Pieces:
        """The same pieces, but boxes of several lines take the room that is left in their rows.

        The boxes of a row may all be equally wide, so that what is alike looks alike.
        """
        pieces = copy(self)
        for row in sorted(
            {layers[box.name] for box in self.boxes if len(self.lines[box.name]) > 1}
        ):
            for share in _PARTS:
                wider = copy(pieces)
                wider.lines, wider.sizes = {**pieces.lines}, {**pieces.sizes}
                for box in self.boxes:
                    if layers[box.name] == row:
                        wider._wrap(box, share * room)
                if wider.broadest(layers, 0) <= room:
                    pieces = wider
                    break
        pieces.cut = pieces._cut()
        return pieces

    def layers(self, capacity: float, across: int, *, by_depth: bool = False) -> dict[str, int]:
        """The row of each piece, from the first: the last one that has room before its users.

        Rows are filled from the end, up to the capacity (list scheduling, as Coffman and Graham
        1972 do for machines, doi:10.1007/BF00288685), in the order of the picture or by depth.
        """
        rows: dict[str, int] = {}
        used: dict[int, float] = {}
        step = 2 if self.notes else 1
        names = [*self.sizes][::-1]
        if by_depth:
            depth: dict[str, int] = {}
            for name in names:
                depth[name] = max((depth[user] for user in self.users[name]), default=-1) + 1
            names.sort(key=depth.__getitem__)
        for name in names:
            above = max((rows[user] for user in self.users[name]), default=-1) + 1
            odd = name in self.notes
            row = above if step == 1 or above % 2 == odd else above + 1
            breadth = self.sizes[name][across] + BETWEEN
            while used.get(row, 0.0) and used[row] + breadth - BETWEEN > capacity:
                row += step
            rows[name] = row
            if capacity == math.inf:
                continue
            used[row] = used.get(row, 0.0) + breadth
            for user in self.users[name]:
                for passed in range(rows[user] + 1, row):
                    used[passed] = used.get(passed, 0.0) + self.lane + BETWEEN
        last = max(rows.values(), default=0)
        return {name: last - rows[name] for name in self.sizes}

    def rows(self, direction: str, room: float, *, by_depth: bool) -> _Plan:
        """The plan for reading down or up, with rows that are as full as they may be."""
        plans = []
        for share in _SHARES:
            layers = self.layers(share * room, 0, by_depth=by_depth)
            excess = max(self.broadest(layers, 0) - room, 0.0)
            pieces = self if excess else self.widened(layers, room)
            thick = pieces.thick(layers, 1)
            plans.append(_Plan(pieces, direction, layers, excess, sum(thick) + _GAP * len(thick)))
            if not excess:
                break
        return min(plans, key=_badness)

    def thick(self, layers: Mapping[str, int], along: int) -> list[float]:
        """How thick each row or column is, along the direction of reading."""
        thick = [0.0] * (1 + max(layers.values(), default=0))
        for name, layer in layers.items():
            thick[layer] = max(thick[layer], self.sizes[name][along])
        return thick

    def broadest(self, layers: Mapping[str, int], across: int) -> float:
        """How broad the broadest row or column is, with the arrows that pass it."""
        broad = [-BETWEEN] * (1 + max(layers.values(), default=0))
        for name, layer in layers.items():
            broad[layer] += self.sizes[name][across] + BETWEEN
        for _, tail, head in self.links:
            for layer in range(layers[tail] + 1, layers[head]):
                broad[layer] += self.lane + BETWEEN
        return max(broad) - self.lane  # an arrow at the end is not narrower than nothing

    def placed(self, direction: str, layers: Mapping[str, int], room: float) -> Layout:
        """The pieces in their places, at most as wide as `room` if they are read down or up."""
        x, y, *_ = DIRECTIONS[direction]
        sizes = {name: size if x else size[::-1] for name, size in self.sizes.items()}
        placed = place(
            sizes,
            self.links,
            layers,
            self.gap,
            room=None if x or room == math.inf else room,
            steep=_STEEP,
            lane=self.lane,
            lanes=_LANES,
        )

        def seen(point: Point) -> Point:
            along, across = point
            return (x * along, across) if x else (across, y * along)

        centres = {name: seen(point) for name, point in placed.centres.items()}
        ways = {name: [seen(point) for point in way] for name, way in placed.ways.items()}
        return _shifted(self, direction, centres, _wires(self, direction, centres, ways))

    def folded(self, room: float) -> Layout | None:
        """The pieces of a long chain in rows; None if they are not one, or have no room."""
        boxes = self.sizes.keys() - self.notes
        pieces = chain(self.links, boxes)
        centres = folded(pieces, boxes, self.sizes, room) if pieces and not self.cut else {}
        if not centres:
            return None
        return _shifted(self, "TB", centres, straight_wires(self.links, self.sizes, centres))


def _wires(
    pieces: _Pieces, direction: str, centres: Mapping[str, Point], ways: Mapping[str, list[Point]]
) -> dict[str, list[complex]]:
    """The curves of all arrows. Points and directions are complex numbers here."""
    x, y, *_ = DIRECTIONS[direction]
    along, across = complex(x, y), complex(abs(y), abs(x))

    def border(name: str, side: int) -> complex:
        reach = abs(component(complex(*pieces.sizes[name]), along)) / 2
        return complex(*centres[name]) + side * reach * along

    arriving: dict[str, list[tuple[float, str]]] = {}
    for name, _, head in pieces.links:
        arriving.setdefault(head, []).append((component(complex(*ways[name][-2]), across), name))
    entries = {}
    for head, arrows in arriving.items():
        breadth = abs(component(complex(*pieces.sizes[head]), across))
        apart = min(_ENTRIES, 0.8 * breadth / len(arrows))
        for i, (_, name) in enumerate(arrows if head in pieces.ordered else sorted(arrows)):
            entries[name] = apart * (i - (len(arrows) - 1) / 2) * across
    wires = {}
    for name, tail, head in pieces.links:
        way = [complex(*point) for point in ways[name]]
        end = border(head, -1) + entries[name]
        way[-1] += entries[name]
        points = [border(tail, 1)]
        for start, stop in zip(way[::2], way[1::2], strict=True):
            half = component(stop - start, along) / 2 * along
            points += _straight(points[-1], start)
            points += [start + half, stop - half, stop]
        wires[name] = points + _straight(points[-1], end)
    return wires


def _straight(start: complex, end: complex) -> list[complex]:
    way = end - start
    if abs(way) < _NO_WAY:
        return []
    return [start + way / 3, end - way / 3, end]


def _shifted(
    pieces: _Pieces,
    direction: str,
    centres: Mapping[str, Point],
    wires: Mapping[str, list[complex]],
) -> Layout:
    """The layout with the upper left corner of the picture at the origin."""
    corners = [(at, pieces.sizes[name]) for name, at in centres.items()]
    corners += [((at.real, at.imag), (0.0, 0.0)) for wire in wires.values() for at in wire]
    low = [min(at[i] - size[i] / 2 for at, size in corners) - MARGIN for i in (0, 1)]
    high = [max(at[i] + size[i] / 2 for at, size in corners) + MARGIN for i in (0, 1)]
    return Layout(
        direction,
        (float(math.ceil(high[0] - low[0] - 0.01)), float(math.ceil(high[1] - low[1] - 0.01))),
        pieces.lines,
        pieces.sizes,
        {name: (x - low[0], y - low[1]) for name, (x, y) in centres.items()},
        {
            name: [(at.real - low[0], at.imag - low[1]) for at in wire]
            for name, wire in wires.items()
        },
    )


def heading(wire: Sequence[Point]) -> complex:
    """The direction in which an arrow arrives, of length 1; for one of no length, down."""
    way = complex(*wire[-1]) - complex(*wire[-2])
    return way / abs(way) if way else 1j


def _size(lines: Sequence[Line], size: float, pad: float) -> Point:
    wide = max(line_width(line, size) for line in lines)
    return wide + 2 * pad, leading(lines) * size * len(lines) + 2 * min(pad, 5.0) - 2.0


def leading(lines: Sequence[Line]) -> float:
    """Return the height of each of these lines, as a share of the size of their letters."""
    has_pairs = any(len(pair) > 1 for line in lines for pair in with_pairs(line))
    return _ROOMY if has_pairs and len(lines) > 1 else LEADING


def numbers_widths(box: Box) -> list[float]:
    """The width of each line of numbers: one for the value and the gradient, or one for each."""
    from micrograd.drawing.metrics import text_width

    widths = [text_width(text, NUMBERS) for text in (box.data, box.grad) if text]
    if box.is_stacked or not widths:
        return widths
    return [sum(widths) + NUMBERS * (len(widths) - 1)]
