"""What flows back through an operation: the formula of each partial, times an adjoint."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from micrograd.ops import Operation
from micrograd.table.formulas import ADJOINT, RESULT, Tree, variables


class Flow(NamedTuple):
    """What flows back to one operand of an operation: a partial, times the adjoint of the result.

    It is applied to operands as an operation is: first the adjoint, then those that the formula
    uses among the result and the operands of the operation.
    """

    operation: Operation
    place: int

    @property
    def name(self) -> str:
        """The name, for readers."""
        return f"{self.operation.name}'{self.place}"

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the operands in the formula."""
        return _used(self.operation, self.place)

    @property
    def arity(self) -> int:
        """The number of operands."""
        return len(self.operands)

    @property
    def computed(self) -> Tree:
        """The formula, with plain products."""
        return self.stopping("mul")

    def stopping(self, product: str = "stopping_mul") -> Tree:
        """The formula with another product, which may stop at zero."""
        tree = self.operation.flow(self.place, product)
        return 0.0 if tree is None else tree


@cache
def _used(row: Operation, place: int) -> tuple[str, ...]:
    used = variables(Flow(row, place).computed)
    return tuple(name for name in (ADJOINT, RESULT, *row.operands) if name in used)
