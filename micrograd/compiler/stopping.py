"""Programs by plain products, and by products that stop at zero where a result is not finite.

The chain rule takes zero times infinity as 0. Plain products are faster, and can be fused into
matrix products; they give the same numbers unless one of them is 0 * inf or 0 * nan, which leaves a
nan in the results. So an executor uses plain products, and what comes out infinite or nan is
computed again by the reference executor. Derivatives taken within a compiled function are traced as
products that stop at zero, and planned with plain ones in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from itertools import product
from typing import Any

from micrograd.compiler.executor import Call, Gradients, Layout, MakeExecutor, are_finite
from micrograd.compiler.graph import Graph
from micrograd.compiler.planning import plan
from micrograd.compiler.program import Program
from micrograd.compiler.reference import ReferenceExecutor
from micrograd.ops import STOPPING, TABLE, Operation, on_define

_PRODUCT = STOPPING["stopping_mul"]


class CheckedExecutor:
    """Runs the program of a graph by an executor, and computes again what is not finite.

    Args:
        graph: what is computed.
        make: makes the executor.
        dtype: the precision of all numbers.
        batched: whether the inputs vary over a batch.
        inputs: whether the adjoints of the inputs are asked for, not those of the parameters.
        threads: the number of threads that may share a large batch.
    """

    def __init__(
        self,
        graph: Graph,
        make: MakeExecutor,
        dtype: Any,
        *,
        batched: bool,
        inputs: bool,
        threads: int,
    ) -> None:
        plain = with_plain_products(graph)
        self.stopping = None if plain is None else graph
        self.executor = make(
            plan(graph if plain is None else plain, batched=batched),
            dtype,
            inputs=inputs,
            checked=plain is not None,
            threads=threads,
        )
        self._options: dict[str, Any] = {"dtype": dtype, "inputs": inputs, "checked": False}

    def __getstate__(self) -> dict[str, Any]:
        return {name: each for name, each in vars(self).items() if name != "reference"}

    @property
    def program(self) -> Program:
        """The program that the executor runs."""
        return self.executor.program

    @cached_property
    def reference(self) -> ReferenceExecutor:
        """The executor for what is not finite."""
        program = self.program
        if self.stopping is not None:
            program = plan(self.stopping, batched=program.batched)
        return ReferenceExecutor(program, **self._options)

    def layout(self, call: Call, length: int) -> Layout | None:
        """Lay out a call, or return None; see `Executor.layout`."""
        return self.executor.layout(call, length)

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> Any:
        """Return the outputs; see `Executor.values`."""
        outputs, finite = self.executor.values(parameters, inputs, length)
        if self.stopping is not None and not finite:
            outputs, _ = self.reference.values(parameters, inputs, length)
        return outputs

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output and its gradient; see `Executor.value_and_grad`."""
        found = self.executor.value_and_grad(parameters, inputs, length, mean=mean)
        if self.stopping is not None and not are_finite([found.value]):
            return self.reference.value_and_grad(parameters, inputs, length, mean=mean)
        if found.finite:
            return found
        # The value stays that of a plain call.
        again = self.reference.value_and_grad(parameters, inputs, length, mean=mean)
        return again._replace(value=found.value)


def with_plain_products(graph: Graph) -> Graph | None:
    """Return the graph with plain products; None if none of its products stop, or if they must."""
    if _PRODUCT not in graph.table or _may_hide(graph):
        return None
    table = tuple(TABLE["mul"] if row is _PRODUCT else row for row in graph.table)
    if table.count(TABLE["mul"]) == 1:
        return graph._replace(table=table)
    code = graph.code.copy()
    code[code == graph.table.index(_PRODUCT)] = graph.table.index(TABLE["mul"])
    return graph._replace(code=code)


def _may_hide(graph: Graph) -> bool:
    """Return whether a nan from a plain product could be missed, for example by a comparison."""
    hides = [[_hides(row, place) for place in range(row.arity)] for row in graph.table]
    if not any(map(any, hides)):
        return False
    stops = [row.name in STOPPING for row in graph.table]
    reached = bytearray(graph.size + 1)  # the last one for NOTHING
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
    """Return whether an operand that is nan instead of 0 gives another number, and not nan."""
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
    """Forget what is known: a row may call an operation that has been redefined."""
    _hides.cache_clear()
