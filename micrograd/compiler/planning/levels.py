"""The levels of a graph: what has the same level and does the same becomes one instruction."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd.compiler.tracing.graph import MANY


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
