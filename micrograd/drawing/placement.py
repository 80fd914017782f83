"""Where boxes in columns stand, and the ways of the arrows between them.

This is a layered layout (Sugiyama, Tagawa and Toda 1981, doi:10.1109/TSMC.1981.4308636): the boxes
of given columns are ordered within each column by the mean position of their neighbours, and then
moved to the nearest positions that do not overlap. Apart from sorting, the time is proportional to
the number of boxes and arrows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from micrograd.drawing.svg_elements import Point

SWEEPS = 6
BETWEEN = 10.0  # points between neighbours in a column
WIDEST = 50.0  # points between columns, if an arrow moves far across

Link = tuple[str, str, str]
"""An arrow: its name, tail and head."""


class Placement(NamedTuple):
    """The centres of boxes, and the way of each arrow.

    A way has an even number of points, from the tail's column to the head's. It bends from each
    first point of a pair to the second, and goes straight on to the next pair.
    """

    centres: dict[str, Point]
    ways: dict[str, list[Point]]


def place(
    sizes: Mapping[str, Point],
    arrows: Sequence[Link],
    layers: Mapping[str, int],
    gap: float,
    *,
    room: float | None = None,
    steep: float = 0.0,
    lane: float,
    lanes: int = 4,
) -> Placement:
    """Place boxes of these sizes in the columns `layers`, operands before what is made from them.

    The first coordinate of all points and sizes is along the direction of reading, the second
    across it. A column that is not broader than `room` is put between 0 and `room`. A gap in which
    an arrow moves far across is wider than `gap`, by `steep` times as much, up to `WIDEST`. An
    arrow that passes a column takes `lane` there, and the space `BETWEEN` beside it. Arrows have
    such lanes in about `lanes` columns each; if they pass many more, they go straight there.
    """
    graph = _Columns(sizes, arrows, layers, room, lane, lanes)
    for sweep in range(SWEEPS):
        graph.sweep(backward=sweep % 2 == 1, sort=True)
    for sweep in range(SWEEPS):
        graph.sweep(backward=sweep % 2 == 0, sort=False)
    thick = [0.0] * len(graph.columns)
    for name, (length, _) in sizes.items():
        thick[layers[name]] = max(thick[layers[name]], length)
    moved = graph.moved(arrows, layers, len(thick))
    before = (
        max(gap, min(WIDEST, steep * far)) + (here + there) / 2
        for far, (here, there) in zip(moved, pairwise(thick), strict=True)
    )
    along = list(accumulate(before, initial=thick[0] / 2))
    at = graph.at

    def way(name: str, tail: str, head: str) -> Iterator[Point]:
        yield along[layers[tail]] + thick[layers[tail]] / 2, at[tail]
        for layer in graph.passed[name]:
            for side in (-0.5, 0.5):
                yield along[layer] + side * thick[layer], at[name, layer]
        yield along[layers[head]] - thick[layers[head]] / 2, at[head]

    return Placement(
        {name: (along[layers[name]], at[name]) for name in sizes},
        {name: list(way(name, tail, head)) for name, tail, head in arrows},
    )


class _Columns:
    """The boxes column by column, and a point in each column that a long arrow passes."""

    def __init__(
        self,
        sizes: Mapping[str, Point],
        arrows: Sequence[Link],
        layers: Mapping[str, int],
        room: float | None,
        lane: float,
        lanes: int,
    ) -> None:
        self.room = room
        self.columns: list[list[Hashable]] = [
            [] for _ in range(1 + max(layers.values(), default=0))
        ]
        self.breadth: dict[Hashable, float] = {name: size[1] for name, size in sizes.items()}
        self.into: dict[Hashable, list[Hashable]] = {}
        self.out: dict[Hashable, list[Hashable]] = {}
        self.passed: dict[str, Sequence[int]] = {}  # the columns between tail and head
        points = lanes * len(arrows) + 1000  # so that many long arrows do not take quadratic time
        leaving: dict[str, list[str]] = {}
        for name, tail, head in arrows:
            between: Sequence[int] = range(layers[tail] + 1, layers[head])
            if len(between) > points:
                between = ()
            points -= len(between)
            self.passed[name] = between
            leaving.setdefault(tail, []).append(name)
            for layer in between:
                self.breadth[name, layer] = lane
            chain: list[Hashable] = [tail, *((name, layer) for layer in between), head]
            for one, other in pairwise(chain):
                self.out.setdefault(one, []).append(other)
                self.into.setdefault(other, []).append(one)
        for name in sizes:
            self.columns[layers[name]].append(name)
            for arrow in leaving.get(name, ()):
                for layer in self.passed[arrow]:
                    self.columns[layer].append((arrow, layer))
        self.at: dict[Hashable, float] = {}
        for column in self.columns:
            self._put(column, [float(i) for i in range(len(column))])

    def moved(self, arrows: Sequence[Link], layers: Mapping[str, int], count: int) -> list[float]:
        """How far across the farthest arrow moves after each column but the last."""
        farthest = [0.0] * (count - 1)
        for name, tail, head in arrows:
            chain = [(layers[tail], self.at[tail])]
            chain += [(layer, self.at[name, layer]) for layer in self.passed[name]]
            chain.append((layers[head], self.at[head]))
            for (layer, at), (_, then) in pairwise(chain):
                farthest[layer] = max(farthest[layer], abs(then - at))
        return farthest

    def sweep(self, *, backward: bool, sort: bool) -> None:
        """Sort each column by the mean position of neighbours on one side, or move boxes there."""
        neighbours = self.out if backward else self.into
        for column in reversed(self.columns) if backward else self.columns:
            wanted = {each: self._mean(neighbours.get(each, ()), each) for each in column}
            if sort:
                column.sort(key=wanted.__getitem__)
            self._put(column, [(self.at if sort else wanted)[each] for each in column])

    def _mean(self, neighbours: Sequence[Hashable], own: Hashable) -> float:
        if not neighbours:
            return self.at[own]
        return sum(self.at[each] for each in neighbours) / len(neighbours)

    def _put(self, column: Sequence[Hashable], wanted: Sequence[float]) -> None:
        """Put boxes at the positions nearest to those wanted that keep the order and don't overlap.

        After the space that the boxes take is subtracted, the positions must not decrease. The
        nearest such sequence is found by averaging neighbours that do (isotonic regression by
        pooling adjacent violators: Ayer and others 1955, doi:10.1214/aoms/1177728423). With bounds,
        the nearest is the same one, cut off at the bounds.
        """
        offsets = [0.0]
        for one, other in pairwise(column):
            offsets.append(offsets[-1] + (self.breadth[one] + self.breadth[other]) / 2 + BETWEEN)
        blocks: list[tuple[float, int]] = []
        for want, offset in zip(wanted, offsets, strict=False):
            total, count = want - offset, 1
            while blocks and blocks[-1][0] * count >= total * blocks[-1][1]:
                total += blocks[-1][0]
                count += blocks.pop()[1]
            blocks.append((total, count))
        means = (total / count for total, count in blocks for _ in range(count))
        if self.room is not None and column:
            low = max(self.breadth[column[0]], 0.0) / 2
            high = self.room - offsets[-1] - max(self.breadth[column[-1]], 0.0) / 2
            if low <= high:
                means = (min(max(mean, low), high) for mean in means)
        self.at.update(
            (each, mean + offset)
            for each, mean, offset in zip(column, means, offsets, strict=False)
        )
