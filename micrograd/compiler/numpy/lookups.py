"""Lookups in tables on arrays of NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd.compiler.numpy.loops import Spaces
from micrograd.compiler.program.instructions import Lookup, Scatter
from micrograd.compiler.program.slots import Operand


def lookup_call(spaces: Spaces, lookup: Lookup) -> Callable[[], None]:
    """Return the call for a lookup.

    Args:
        spaces: the rows of `u`, each with one number, and those of `v`.
        lookup: the instruction.
    """
    varies = lookup.table_varies
    target, table = spaces[lookup.varies][lookup.out], spaces[varies]
    lanes = _lanes(spaces, varies)

    def call() -> None:
        inside, slots = _slots(spaces, lookup.at, lookup.table)
        target[:] = np.where(inside, table[slots, lanes], np.nan)

    return call


def scatter_call(spaces: Spaces, scatter: Scatter) -> Callable[[], None]:
    """Return the call that adds to the entries of a table that were taken.

    Args:
        spaces: the rows of `u`, each with one number, and those of `v`.
        scatter: the instruction.
    """
    varies = scatter.varies and scatter.mode != "total"
    g, into = spaces[scatter.varies][scatter.read], spaces[varies]
    lanes = _lanes(spaces, varies)
    first, last = int(scatter.table.min()), int(scatter.table.max()) + 1

    def call() -> None:
        inside, slots = _slots(spaces, scatter.at, scatter.table)
        share = np.where(inside, g, 0.0)
        slots = np.broadcast_to(slots, share.shape)
        if varies:
            np.add.at(into, (slots, lanes), share)
        else:
            into[first:last, 0] += np.bincount((slots - first).ravel(), share.ravel(), last - first)

    return call


def _lanes(spaces: Spaces, varies: bool) -> Any:
    """Return the columns of the entries of each lane."""
    return np.arange(spaces[True].shape[1]) if varies else 0


def _slots(spaces: Spaces, at: Operand, table: Any) -> tuple[Any, Any]:
    """Return in which lanes there is such an entry, and its slots."""
    (index,) = spaces[at.varies][at.rows]
    inside = (index >= 0) & (index < len(table)) & (index == np.floor(index))
    return inside, table[np.where(inside, index, 0.0).astype(np.intp)].T
