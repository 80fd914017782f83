"""Where the boxes of a picture stand, for formats that do not place them themselves.

Layered, after Sugiyama: columns by the longest path, an order within each by the mean place of
the neighbours, and then the nearest places to these that do not overlap. Each part takes time in
proportion to the number of boxes and arrows, but for sorting.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

SWEEPS = 6
BETWEEN = 10.0  # points between neighbours in a column

Point = tuple[float, float]


class Placement(NamedTuple):
    """Centres of the boxes and the bends of arrows, in points: along the reading, and across."""

    centres: dict[str, Point]
    bends: dict[str, list[Point]]
    length: float


def place(
    sizes: Mapping[str, Point], arrows: Sequence[tuple[str, str, str, float]], gap: float
) -> Placement:
    """Place boxes of these sizes, operands before what is made from them.

    `arrows` are names, tails, heads and the room that the text of each takes; `gap` is what lies
    between columns at least.
    """
    layers = _layers(sizes, arrows)
    graph = _Columns(sizes, arrows, layers)
    for sweep in range(SWEEPS):
        graph.sort(backward=sweep % 2 == 1)
    for sweep in range(SWEEPS):
        graph.settle(backward=sweep % 2 == 0)
    along = _distances(sizes, arrows, layers, gap)
    at = graph.at
    bends = {
        name: [(along[layer], at[name, layer]) for layer in range(first, last)]
        for name, first, last in graph.long
    }
    return Placement(
        {name: (along[layers[name]], at[name]) for name in sizes},
        bends,
        max(along, default=0.0),
    )


def _layers(
    sizes: Mapping[str, Point], arrows: Sequence[tuple[str, str, str, float]]
) -> dict[str, int]:
    """The column of each box: after all that it is made from, and leaves just before their use."""
    layers = dict.fromkeys(sizes, 0)
    into: dict[str, list[str]] = {}
    out: dict[str, list[str]] = {}
    for _, tail, head, _ in arrows:
        into.setdefault(head, []).append(tail)
        out.setdefault(tail, []).append(head)
    for name in sizes:
        if name in into:
            layers[name] = 1 + max(layers[tail] for tail in into[name])
    for name in sizes:
        if name not in into and name in out:
            layers[name] = min(layers[head] for head in out[name]) - 1
    return layers


def _distances(
    sizes: Mapping[str, Point],
    arrows: Sequence[tuple[str, str, str, float]],
    layers: Mapping[str, int],
    gap: float,
) -> list[float]:
    """Where the middle of each column is."""
    count = 1 + max(layers.values(), default=0)
    thick, texts = [0.0] * count, [0.0] * count
    for name, (length, _) in sizes.items():
        thick[layers[name]] = max(thick[layers[name]], length)
    for _, _, head, room in arrows:
        texts[layers[head]] = max(texts[layers[head]], room)
    before = (
        gap + text + (here + there) / 2
        for text, here, there in zip(texts[1:], thick, thick[1:], strict=False)
    )
    return list(accumulate(before, initial=thick[0] / 2))


class _Columns:
    """The boxes column by column, and a point in every column that a long arrow passes."""

    def __init__(
        self,
        sizes: Mapping[str, Point],
        arrows: Sequence[tuple[str, str, str, float]],
        layers: Mapping[str, int],
    ) -> None:
        self.columns: list[list[Hashable]] = [
            [] for _ in range(1 + max(layers.values(), default=0))
        ]
        self.breadth: dict[Hashable, float] = {name: size[1] for name, size in sizes.items()}
        self.into: dict[Hashable, list[Hashable]] = {}
        self.out: dict[Hashable, list[Hashable]] = {}
        self.long: list[tuple[str, int, int]] = []
        points = 4 * len(arrows) + 1000  # so that many long arrows do not take quadratic time
        passing: dict[str, list[tuple[str, int, int]]] = {}
        for name, tail, head, _ in arrows:
            first, last = layers[tail] + 1, layers[head]
            chain: list[Hashable] = [tail, head]
            if first < last <= first + points:
                points -= last - first
                self.long.append((name, first, last))
                passing.setdefault(tail, []).append((name, first, last))
                chain[1:1] = [(name, layer) for layer in range(first, last)]
            for one, other in pairwise(chain):
                self.out.setdefault(one, []).append(other)
                self.into.setdefault(other, []).append(one)
        for name in sizes:
            self.columns[layers[name]].append(name)
            for arrow, first, last in passing.get(name, ()):
                for layer in range(first, last):
                    self.columns[layer].append((arrow, layer))
                    self.breadth[arrow, layer] = 4.0
        self.at: dict[Hashable, float] = {}
        for column in self.columns:
            self._put(column, [float(i) for i in range(len(column))])

    def sort(self, *, backward: bool) -> None:
        """Order each column by the places of the neighbours in the column before, or after."""
        neighbours = self.out if backward else self.into
        for column in reversed(self.columns) if backward else self.columns:
            wanted = {each: self._mean(neighbours.get(each, ()), each) for each in column}
            column.sort(key=wanted.__getitem__)
            self._put(column, [self.at[each] for each in column])

    def settle(self, *, backward: bool) -> None:
        """Move boxes towards their neighbours, in the order that they have."""
        neighbours = self.out if backward else self.into
        for column in reversed(self.columns) if backward else self.columns:
            self._put(column, [self._mean(neighbours.get(each, ()), each) for each in column])

    def _mean(self, neighbours: Sequence[Hashable], own: Hashable) -> float:
        if not neighbours:
            return self.at[own]
        return sum(self.at[each] for each in neighbours) / len(neighbours)

    def _put(self, column: Sequence[Hashable], wanted: Sequence[float]) -> None:
        """The nearest places to those wanted that keep the order and do not overlap.

        Without the room that each takes these are a sequence that never falls, and the nearest such
        sequence is found by averaging neighbours that do (isotonic regression).
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
        self.at.update(
            (each, mean + offset)
            for each, mean, offset in zip(column, means, offsets, strict=False)
        )
