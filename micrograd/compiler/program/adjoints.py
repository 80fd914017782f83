"""The adjoints of a backward pass that is being derived: where they are, and which are known."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from micrograd.compiler.program.active import Active
from micrograd.compiler.program.instructions import Mode, WeightedSums
from micrograd.compiler.program.program import Instruction, Program
from micrograd.compiler.program.slots import (
    Operand,
    Places,
    Rows,
    in_spaces,
    repeats,
    rows_of,
    runs,
    slots_of,
)


class Adjoints:
    """The backward pass as far as it is known, the last instruction first."""

    def __init__(
        self, program: Program, active: Active, first: tuple[int, int], own: Operand | None = None
    ) -> None:
        """Begin with nothing.

        Args:
            program: the program.
            active: which adjoints are needed.
            first: see `reverse`.
            own: the slots of a step of a loop, if its body is gone through.
        """
        self.program, self.active, self.first = program, active, first
        self.instructions: list[Instruction] = []
        # By spaces, adjoints that were stored, and those that must be 0 at first. In a batched
        # program, all of `u` are 0 at first, as those who sweep over the batch add to them.
        sizes = program.uniform, program.varying
        self._stored = tuple(np.zeros(size, bool) for size in sizes)
        self._zeroed = tuple(np.zeros(size, bool) for size in sizes)
        self._stored[False][:] = program.batched
        if own is not None:
            rows = slots_of(own.rows)
            kept = self._stored[own.varies][rows]
            for each in self._stored:
                each[:] = True
            self._stored[own.varies][rows] = kept
        for varies, slot in program.outputs:
            self._stored[varies][slot] = True

    def runs_of_zeros(self, *, varies: bool) -> list[slice]:
        """Return the slots of a space that must be 0 at first, as runs of neighbours."""
        return [cast("slice", self._adjoint(varies, run)) for run in runs(self._zeroed[varies])]

    def _is_active(self, varies: bool, rows: Any) -> bool:
        return bool(self.active[varies][rows].any())

    def _adjoint(self, varies: bool, rows: Rows) -> Rows:
        """Return the slots of the adjoints of rows."""
        first = self.first[varies]
        if isinstance(rows, slice):
            return slice(rows.start + first, rows.stop + first)
        return rows_of(rows + first)

    def _mode(self, step_varies: bool, varies: bool, rows: Rows) -> Mode:
        """Return what an instruction does that passes adjoints to these rows."""
        if step_varies and not varies:
            return "total"
        if not self._stored[varies][rows].any() and _differ(rows):
            self._stored[varies][rows] = True
            return "first"
        self._touch(varies, rows)
        return "add"

    def _touch(self, varies: bool, rows: Rows) -> None:
        """Note that rows are added to or read, so that those never stored must begin at zero."""
        self._zeroed[varies][rows] |= ~self._stored[varies][rows]
        self._stored[varies][rows] = True

    def _touch_places(self, places: Places) -> None:
        for varies in (False, True):
            self._touch(varies, places.slots[places.varies == varies])

    def _adjoints(self, places: Places) -> Places:
        """Return the places of adjoints."""
        first = np.where(places.varies, self.first[True], self.first[False])
        return Places(places.varies, places.slots + first)

    def _slopes(self, stack: int) -> int:
        """Return the stack of the adjoints of a stack."""
        return stack + len(self.program.stacks)

    def _add_sums(
        self,
        varies: bool,
        space: bool,
        slots: Any,
        start: Any,
        sign: Any,
        g: Any,
        others: tuple[Any, Any] | None = None,
    ) -> None:
        """Add sums of adjoints `g`, perhaps times other factors, to the adjoints of slots."""
        rows, others = rows_of(slots), others or no_factors(len(g))
        mode, out = self._mode(varies, space, rows), self._adjoint(space, rows)
        kinds = np.full(len(g), varies)
        self.instructions.append(WeightedSums(varies, out, start, sign, g, kinds, *others, mode))

    def _pass(self, varies: bool, slots: Any, places: Places) -> None:
        """Add the adjoints of slots to those of as many places, where they are needed."""
        for space, here in in_spaces(places.varies, self.active.at(places)):
            here = here[np.argsort(places.slots[here], kind="stable")]
            out, start = np.unique(places.slots[here], return_index=True)
            g = slots[here] + self.first[varies]
            self._add_sums(varies, space, out, start, np.ones(len(here)), g)


def no_factors(count: int) -> tuple[Any, Any]:
    """Return the slots and spaces of second factors that are missing."""
    return np.full(count, -1), np.zeros(count, bool)


def _differ(rows: Rows) -> bool:
    return isinstance(rows, slice) or not repeats(rows)
