"""Lookups in tables by numbers that are known only when a program runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.loops.tracing import is_unrolled
from micrograd.compiler.program.instructions import Elementwise, Lookup
from micrograd.compiler.program.slots import Operand, rows_of
from micrograd.compiler.tracing.graph import Structural
from micrograd.compiler.tracing.structural import node_of, operands_of
from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.graph import operands
from micrograd.engine.value import Value
from micrograd.ops import TABLE
from micrograd.transforms import lookup
from micrograd.transforms.propagation import Joint

if TYPE_CHECKING:
    from micrograd.compiler.planning.planner import Planner


@dataclass(frozen=True)
class LookupRow(Structural, Joint):
    """An entry of a column of numbers.

    The operands are the index, then all entries. If the index is not the number of one of them, the
    result is nan.
    """

    name = "lookup"

    def made(self, parts: Sequence[Any]) -> Value:
        """Return the traced entry of a column, given the index and the column."""
        return node_of(self, parts)

    def pull(self, node: Value, adjoint: Any, active: Any) -> Iterable[tuple[Value, Any]]:
        """Pass the adjoint on to the entry that was taken."""
        index, *column = operands(node)
        for k, entry in enumerate(column):
            if isinstance(entry, Value) and entry in active:
                chosen = VOCABULARY["eq"](index, float(k))
                yield entry, VOCABULARY["where"](chosen, adjoint, 0.0)

    def push(self, node: Value, tangents: dict[Value, Any]) -> Any:
        """Return the tangent of the entry that is taken; 0 for an index outside of the table."""
        index, *column = operands(node)
        along = [tangents.get(x, 0.0) if isinstance(x, Value) else 0.0 for x in column]
        inside = (index >= 0) * (index < len(column)) * VOCABULARY["eq"](index.floor(), index)
        return VOCABULARY["where"](inside, self.made([index, *along]), 0.0)


def emit(planner: Planner, varies: bool, members: Any) -> None:
    """Emit one instruction for all entries that are taken by the same index."""
    alike: dict[tuple[int, int], list[tuple[int, list[int]]]] = {}
    for node in members.tolist():
        index, *column = operands_of(planner.graph, node)
        alike.setdefault((index, len(column)), []).append((node, column))
    for (index, _), columns in alike.items():
        table = np.array([column for _, column in columns]).T
        kinds = planner.varying[table]
        slots = planner.slot[table]
        if kinds.any() and not kinds.all():
            slots[~kinds] = _copies(planner, slots[~kinds])
        out = planner.number(np.array([node for node, _ in columns]), varies=varies)
        place = Operand(bool(planner.varying[index]), rows_of(planner.slot[[index]]))
        planner.append(Lookup(varies, out, place, bool(kinds.any()), slots))


def _copies(planner: Planner, slots: Any) -> Any:
    """Emit copies of numbers of `u` as rows of `v`, by changing their signs twice."""
    found, places = np.unique(slots, return_inverse=True)
    read = Operand(False, rows_of(found))
    for _ in range(2):
        out = planner.next(len(found), varies=True)
        planner.append(Elementwise(True, out, TABLE["neg"], (read,)))
        read = Operand(True, out)
    return out.start + places


def _in_trace() -> Callable[[Any, Sequence[Any]], Value] | None:
    if is_unrolled():
        return None
    return lambda index, column: LookupRow().made([index, *column])


lookup.in_trace = _in_trace
