"""The levels of a graph: what has the same level and does the same becomes one instruction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd.compiler.tracing.graph import MANY, NOTHING, any_of

MOST_GROUPS = 2_000  # of more, none is delayed, as each takes some microseconds
_LEAST_RATIO = 4  # of the sizes of the groups; of equal ones, each may read neighbouring slots


def longest_paths(tails: Any, heads: Any, size: int) -> Any:
    """Return the length of the longest path from each node, by edges from tails to lower heads."""
    levels = np.zeros(size, dtype=np.intp)
    waits = np.zeros(size, dtype=bool)  # whether the length is unknown
    waits[tails] = True
    # In each round, nodes whose heads are all known become known. Long chains are left to a loop.
    level, before = 0, 2 * len(tails)
    while MANY < len(tails) < before - before // 16:
        level, before = level + 1, len(tails)
        levels[tails] = level
        kept = waits[heads]
        waits[tails] = False
        tails, heads = tails[kept], heads[kept]
        waits[tails] = True
    waits[heads] = True
    nodes, place = np.flatnonzero(waits), np.cumsum(waits) - 1
    found, order = levels[nodes].tolist(), np.argsort(tails, kind="stable")
    for tail, head in zip(*(place[each[order]].tolist() for each in (tails, heads)), strict=True):
        if found[head] >= found[tail]:
            found[tail] = found[head] + 1
    levels[nodes] = found
    return levels


def delayed(levels: Any, nodes: Any, alike: Sequence[Any], above: Any, below: Any) -> Any:
    """Return levels at which more nodes do the same; paths stay as long.

    A small group of nodes waits for the last large one that does the same, if nothing that reads it
    has to wait. So what is simpler in one place than elsewhere, such as the first row of a
    triangle, does not stay apart from there on.

    Args:
        levels: the level of each node, above those of what it reads.
        nodes: those to look at.
        alike: arrays with an entry for each of them, which are equal for what does the same.
        above: the nodes that read others.
        below: the node that each of these reads.
    """
    keys = (levels[nodes], *alike)
    order = np.lexsort(keys)
    starts = np.flatnonzero(np.append(True, any_of([np.diff(key[order]) != 0 for key in keys])))
    count, size = len(starts), np.diff(np.append(starts, len(nodes))).tolist()
    if not 1 < count <= MOST_GROUPS:
        return levels
    group = np.full(len(levels), NOTHING)
    group[nodes[order]] = np.repeat(np.arange(count), size)
    first, *rest = (key[order][starts].tolist() for key in keys)
    kinds, level = [*zip(*rest, strict=True)], [*first]
    latest = [max(level)] * count
    for each in group[below[group[above] < 0]].tolist():  # such as the operands of a loop
        latest[each] = level[each]
    known = (group[above] >= 0) & (group[below] >= 0)
    reads: list[list[int]] = [[] for _ in level]
    for pair in np.unique(group[above[known]] * count + group[below[known]]).tolist():
        reads[pair // count].append(pair % count)
    groups = sorted(range(count), key=first.__getitem__)
    later: dict[Any, list[tuple[int, int]]] = {}  # of a kind, levels and sizes, from the last on
    for each in reversed(groups):
        held, most = later.setdefault(kinds[each], []), latest[each]
        if most > first[each]:
            fits = (x for x, large in held if x <= most and large >= _LEAST_RATIO * size[each])
            level[each] = next(fits, first[each])
        if size[each] >= _LEAST_RATIO:
            held.append((level[each], size[each]))
        end = most if level[each] == first[each] else level[each]
        for other in reads[each]:
            latest[other] = min(latest[other], end - 1)
    for each in groups:
        if level[each] == first[each]:  # it waits for what it reads
            level[each] = max([first[each], *(level[other] + 1 for other in reads[each])])
    found = levels.copy()
    found[nodes] = np.array(level)[group[nodes]]
    return found
