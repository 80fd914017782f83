"""What leads from a value to the output: the named values in between, partials, and paths."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

from micrograd.table.formulas import Call, Tree
from micrograd.writing.parts import added

MOST_FACTORS = 10  # of a chain that is written as one product
MOST_PATHS = 200  # between two values that all paths pass
MOST_VALUES = 1_000  # of a way, before the partials of those in the middle are not computed
MOST_TERMS = 8  # of a sum, where one with Σ is a single term


Edge = tuple[str, str]
"""A value and one of its operands, by their keys."""


class Slope(NamedTuple):
    """The derivative of one named value with respect to another, and when it has this form."""

    tree: Tree
    conditions: tuple[Tree, ...] = ()
    is_known: bool = True  # by a formula, not only by a number


class Way:
    """The values from the output down to one of them, and the edges between.

    Args:
        keys: the values by their keys.
        edges: the edges.
        slope: a function from an edge to its partial.
        known: the edges whose partials have been needed so far.
    """

    def __init__(
        self,
        keys: list[str],
        edges: list[Edge],
        slope: Callable[[Edge], Slope],
        known: Collection[Edge],
    ) -> None:
        self.keys, self.edges = keys, edges
        self._slope, self._known = slope, known
        self._above: dict[str, list[Edge]] = {key: [] for key in keys}
        for edge in reversed(edges):
            self._above[edge[1]].append(edge)

    @property
    def is_long(self) -> bool:
        """Whether there are too many values to show more than the first and the last."""
        return len(self.keys) > MOST_VALUES

    def slopes(self) -> dict[Edge, Slope]:
        """The partials of the edges; of a long way, those that were needed."""
        wanted = [e for e in self.edges if not self.is_long or e in self._known]
        return {edge: self._slope(edge) for edge in wanted}

    def uses(self, key: str) -> list[tuple[str, Slope]]:
        """The values that use a value, with their partials, without those that are 0."""
        edges = self._above[key]
        if len(edges) > MOST_VALUES:
            return [(edge[0], self._slope(edge)) for edge in edges[: MOST_TERMS + 1]]
        found = [(edge[0], self._slope(edge)) for edge in edges]
        return [(upper, slope) for upper, slope in found if slope.tree != 0.0] or found[:1]

    def is_mixed(self, key: str) -> bool:
        """Whether the output depends on a value directly and also through others."""
        upper = [edge[0] for edge in self._above[key]]
        is_direct = self.keys[0] in upper and self._slope((self.keys[0], key)).tree != 0.0
        return is_direct and len(self.uses(key)) > 1

    def count(self, key: str) -> int:
        """How often a value is used."""
        return len(self._above[key])


def segments(keys: Sequence[str], edges: Sequence[Edge]) -> list[list[list[Edge]]] | None:
    """The paths between each two values that all paths pass; None if there are too many.

    Args:
        keys: the values from the output down.
        edges: the edges between them.
    """
    place = {key: i for i, key in enumerate(keys)}
    below: dict[str, list[str]] = {key: [] for key in keys}
    last = {keys[-1]}  # what leads to the last value
    for upper, lower in reversed(edges):
        below[upper].insert(0, lower)
    for key in reversed(keys):
        below[key] = [lower for lower in below[key] if lower in last]
        if below[key]:
            last.add(key)
    passed, furthest, reached = [], 0, {keys[0]}
    for i, key in enumerate(keys):
        if key in reached:
            if i == furthest:
                passed.append(key)
            reached.update(below[key])
            furthest = max([furthest, *(place[lower] for lower in below[key])])
    if passed[-1] != keys[-1]:
        return None
    found = []
    for upper, lower in pairwise(passed):
        paths: list[list[Edge]] = []
        stack: list[tuple[str, list[Edge]]] = [(upper, [])]
        while stack:
            key, path = stack.pop()
            if key == lower:
                paths.append(path)
            elif len(path) > MOST_FACTORS or len(stack) + len(paths) > MOST_PATHS:
                return None
            else:
                stack += [(each, [*path, (key, each)]) for each in reversed(below[key])]
        found.append(paths)
    return found


def chain(factors: Sequence[Tree], *, keep_ones: bool = False) -> Tree:
    """A product whose factors are kept apart, without ones."""
    shown = [each for each in factors if keep_ones or each != 1.0]
    return Call("factors", tuple(shown)) if len(shown) > 1 else shown[0] if shown else 1.0


def total(terms: Sequence[Tree]) -> Tree:
    """The sum of the terms, without zeros."""
    shown = [each for each in terms if each != 0.0]
    return added([("+", each) for each in shown]) if shown else 0.0
