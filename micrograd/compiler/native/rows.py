"""Rows of 64-bit words, which say which kernel works on which data.

The first word of a row is the address of its kernel. A place is an index into a memory: it counts
numbers in `u`, and rows of lanes in `v`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from micrograd.ops import STOPPING, TABLE, lookup
from micrograd.table.formulas import Tree, calls

ROW = 16
"""The number of words of a row."""
STEP = 8
"""The number of words of a step of a tape: there are so many that reading them takes time."""


class Field:
    """The meaning of the words of a row."""

    COUNT, OUT = 1, 2
    OPERANDS = (3, 4, 5, 6, 7)
    STARTS, LEFT, RIGHT, SIGN, FLAGS = range(3, 8)
    # For matrix products: rows and columns, and the places and strides of the matrices.
    ROWS, COLUMNS, A, A_DOWN, A_RIGHT, B, B_STEP, INTO, INTO_STEP, BIAS, BIAS_STEP = range(2, 13)
    LANES, INTO_DOWN = 13, 14
    BESIDE = 8  # where the slopes of a run are stored


def words(**named: Any) -> dict[Any, Any]:
    """Return the positions of words of a row, and the words, which are named as in `Field`.

    >>> words(count=3, out=7)
    {1: 3, 2: 7}
    """
    return {getattr(Field, name.upper()): word for name, word in named.items()}


class Spec(NamedTuple):
    """A kernel: all that its code depends on."""

    name: str
    kind: str  # the type of the numbers
    formula: Tree = ""  # of an operation, or of what flows back to an operand
    names: tuple[str, ...] = ()  # of the operands
    # How each operand is read: as neighbours (v), as one number of `u` (u), or, in `u` alone, from
    # the places in a table (g). Other kernels have the spaces of what they read.
    operands: str = ""
    into: str = "v"  # whether results go to neighbouring places (v), or to those of a table (g)
    mode: str = (
        ""  # nothing for values; for adjoints see `micrograd.compiler.program.instructions.Mode`
    )
    beside: Tree = ""  # what flows back to the operand, if its slope is stored with the value

    def __str__(self) -> str:
        words = [self.name, self.kind, str(self.formula), *self.names]
        words += [self.operands, self.into, self.mode, *called(self.formula)]
        return "\n".join(
            [*words, *([str(self.beside), *called(self.beside)] if self.beside else ())]
        )


def called(formula: Tree) -> list[str]:
    """Return the formulas of all operations that a formula calls."""
    found: dict[str, Tree] = {}
    waiting = [formula]
    while waiting:
        for name in calls(waiting.pop()):
            if (name in TABLE or name in STOPPING) and name not in found:
                found[name] = lookup(name).computed
                waiting.append(found[name])
    return sorted(f"{name} = {tree}" for name, tree in found.items())
