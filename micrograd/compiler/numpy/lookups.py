"""Lookups in tables on arrays of NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from micrograd.compiler.program import Lookup

Spaces = tuple[Any, Any]


class LookupOn:
    """A lookup on the rows of a program.

    Args:
        instruction: the lookup.
        spaces: the rows of `u`, each with one number, and those of `v`.
        adjoints: those of their adjoints.
        touch: notes rows of `v` to whose adjoints something is added.
    """

    def __init__(
        self,
        instruction: Lookup,
        spaces: Spaces,
        adjoints: Spaces,
        touch: Callable[[Any], None] = lambda rows: None,
    ) -> None:
        self.lookup, self.spaces, self.adjoints, self.touch = instruction, spaces, adjoints, touch
        self.lanes = np.arange(spaces[True].shape[1])

    def forward(self) -> Iterator[Callable[[], None]]:
        """Yield the call that does it."""
        lookup = self.lookup
        target, table = self.spaces[lookup.varies][lookup.out], self.spaces[lookup.table_varies]

        def call() -> None:
            inside, slots = self._slots()
            target[:] = np.where(inside, table[self._place(slots)], np.nan)

        yield call

    def backward(self) -> Iterator[Callable[[], None]]:
        """Yield the call that adds to the adjoints of the entries that were taken."""
        lookup = self.lookup
        g, into = self.adjoints[lookup.varies][lookup.out], self.adjoints[lookup.table_varies]
        first, last = int(lookup.table.min()), int(lookup.table.max()) + 1
        if lookup.table_varies:
            self.touch(np.unique(lookup.table))

        def call() -> None:
            inside, slots = self._slots()
            share = np.where(inside, g, 0.0)
            if lookup.table_varies:
                np.add.at(into, self._place(np.broadcast_to(slots, share.shape)), share)
            else:
                slots = np.broadcast_to(slots - first, share.shape).ravel()
                into[first:last, 0] += np.bincount(slots, share.ravel(), last - first)

        yield call

    def _place(self, slots: Any) -> Any:
        """Return where these slots are, one for each lane."""
        return (slots, self.lanes) if self.lookup.table_varies else (slots, 0)

    def _slots(self) -> tuple[Any, Any]:
        """Return in which lanes there is such an entry, and its slots."""
        (index,) = self.spaces[self.lookup.at.varies][self.lookup.at.rows]
        table = self.lookup.table
        inside = (index >= 0) & (index < len(table)) & (index == np.floor(index))
        return inside, table[np.where(inside, index, 0.0).astype(np.intp)].T
