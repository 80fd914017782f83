"""Inner derivatives by plain products, as long as everything in them is finite.

The chain rule takes zero times infinity as 0, so that derivatives within a compiled function are
traced as products that stop at zero. Plain products are faster, and become matrix products: they
give the same numbers unless one of them is 0 * inf or 0 * nan, which leaves a nan in the results.
A program is therefore planned with plain products, and what is not finite is computed again with
those that stop.
"""

from __future__ import annotations

from functools import cache
from itertools import product

from micrograd.compiler.graph import Graph
from micrograd.ops import STOPPING, TABLE, Operation, on_define

_PRODUCT = STOPPING["stopping_mul"]


def with_plain_products(graph: Graph) -> Graph | None:
    """The graph with plain products; None if it has none that stop, or needs them to."""
    if _PRODUCT not in graph.table or _may_hide(graph):
        return None
    table = tuple(TABLE["mul"] if row is _PRODUCT else row for row in graph.table)
    if table.count(TABLE["mul"]) == 1:
        return graph._replace(table=table)
    code = graph.code.copy()
    code[code == graph.table.index(_PRODUCT)] = graph.table.index(TABLE["mul"])
    return graph._replace(code=code)


def _may_hide(graph: Graph) -> bool:
    """Whether a nan that came of a plain product could be missed, as a comparison is false then."""
    hides = [[_hides(row, place) for place in range(row.arity)] for row in graph.table]
    if not any(map(any, hides)):
        return False
    stops = [row.name in STOPPING for row in graph.table]
    reached = bytearray(graph.size + 1)  # the last one for operands that are NOTHING
    codes, rows = graph.code.tolist(), graph.operands.tolist()
    for node in range(graph.leaves, graph.size):
        code = codes[node]
        if code < 0:
            continue
        if stops[code]:
            reached[node] = 1
            continue
        for operand, hiding in zip(rows[node], hides[code], strict=False):
            if reached[operand]:
                if hiding:
                    return True
                reached[node] = 1
    return False


@cache
def _hides(row: Operation, place: int) -> bool:
    """Whether a nan in place of a 0 changes the result into another number, not into a nan."""
    if row.name in STOPPING:
        return False
    for point in product(_POINTS, repeat=row.arity - 1):
        with_zero, with_nan = (
            row.value(*point[:place], x, *point[place:]) for x in (0.0, float("nan"))
        )
        if with_nan == with_nan != with_zero:
            return True
    return False


_POINTS = (0.0, 0.5, 1.0, -1.0, 2.0, -1000.0, 1000.0)


@on_define
def _forget(row: Operation) -> None:
    """A row may call an operation that is another one now."""
    _hides.cache_clear()
