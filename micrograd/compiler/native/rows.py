"""Rows of 64-bit words, which say what a kernel does and where.

The first word of a row is the address of its kernel. In `v`, a place counts rows of lanes; in `u`,
numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from micrograd.ops import STOPPING, TABLE, lookup
from micrograd.table.formulas import Tree, calls

ROW = 16
"""The words of a row."""


class Field:
    """The words of a row, by what they mean."""

    COUNT, OUT, ADJOINT = 1, 2, 3
    OPERANDS = (4, 5, 6)
    SHIFT = 7  # from a value to its adjoint
    STARTS, LEFT, RIGHT, SIGN, FLAGS, SHIFT_U = 4, 5, 6, 8, 9, 10
    # Of matrix products: how many, their rows and columns, where they are and their strides.
    ROWS, COLUMNS, A, A_DOWN, A_RIGHT, B, B_STEP, INTO, INTO_STEP, BIAS, BIAS_STEP = range(2, 13)
    LANES, INTO_DOWN = 13, 14


class Spec(NamedTuple):
    """Which kernel: all that its code depends on."""

    name: str
    kind: str  # of the numbers
    formula: Tree = ""  # of a value, or of what flows back
    names: tuple[str, ...] = ()  # of its operands
    place: int = -1  # of the operand that a flow goes back to
    operands: str = ""  # how each is read: v, u of a batch; s (slice), g (gathered) of `u` alone
    mode: str = ""

    def __str__(self) -> str:
        words = [self.name, self.kind, str(self.formula), *self.names, str(self.place)]
        return "\n".join([*words, self.operands, self.mode, *_called(self.formula)])


def _called(formula: Tree) -> list[str]:
    """The formulas of all operations that a formula calls."""
    found: dict[str, Tree] = {}
    waiting = [formula]
    while waiting:
        for name in calls(waiting.pop()):
            if (name in TABLE or name in STOPPING) and name not in found:
                found[name] = lookup(name).computed
                waiting.append(found[name])
    return sorted(f"{name} = {tree}" for name, tree in found.items())
