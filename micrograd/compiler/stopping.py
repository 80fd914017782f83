"""Programs by plain products, and by products that stop at zero where a result is not finite.

The chain rule takes zero times infinity as 0. Plain products are faster, and can be fused into
matrix products; they give the same numbers unless one of them is 0 * inf or 0 * nan, which leaves a
nan in the results. So an executor uses plain products, and what comes out infinite or nan is
computed again by the reference executor. Derivatives taken within a compiled function are traced as
products that stop at zero, and planned with plain ones in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from micrograd.compiler.executor import (
    Call,
    Direct,
    Gradients,
    Layout,
    MakeExecutor,
    Shapes,
    are_finite,
)
from micrograd.compiler.loops.rows import LoopRow
from micrograd.compiler.planning.planner import plan
from micrograd.compiler.program.program import Program
from micrograd.compiler.reference import ReferenceExecutor
from micrograd.compiler.tracing.graph import Graph, reached
from micrograd.compiler.tracing.structural import operands_of
from micrograd.locks import forkable_property
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
        self.graph, self._make, self._threads = graph, make, threads
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

    @forkable_property
    def _with_gradient(self) -> CheckedExecutor:
        """The executor of the value and its gradient as outputs, for a graph with loops."""
        from micrograd.compiler.loops.derivatives import gradient_graph

        dtype, inputs = self._options["dtype"], self._options["inputs"]
        return CheckedExecutor(
            gradient_graph(self.graph, inputs=inputs),
            ReferenceExecutor if self.executor.follows_loops else self._make,
            dtype,
            batched=self.program.batched,
            inputs=inputs,
            threads=self._threads,
        )

    @property
    def program(self) -> Program:
        """The program that the executor runs."""
        return self.executor.program

    @forkable_property
    def reference(self) -> ReferenceExecutor:
        """The executor for what is not finite."""
        program = self.program
        if self.stopping is not None:
            program = plan(self.stopping, batched=program.batched)
        return ReferenceExecutor(program, **self._options)

    def layout(self, call: Call, length: int) -> Layout | None:
        """Lay out a call, or return None; see `Executor.layout`."""
        if call == "values" or self.executor.follows_loops or not has_loops(self.graph):
            return self.executor.layout(call, length)
        laid = None if call == "mean" else self._with_gradient.layout("values", length)
        if laid is None:
            return None
        run, results = laid.run, laid.results

        def run_both(*on_devices: Any) -> bool | tuple[Any, Any]:
            found = run(*on_devices)
            if not found:
                return False
            rows = found[0] if isinstance(found, tuple) else results.copy()
            return are_finite([rows]) and (rows[:1], rows[1:])

        return laid._replace(run=run_both)

    def direct(
        self, call: Call, inputs: Sequence[Any], length: int, blocks: Shapes | None
    ) -> Direct | None:
        """Prepare calls with large arrays, or return None; see `Executor.direct`."""
        if call == "values" or self.executor.follows_loops or not has_loops(self.graph):
            return self.executor.direct(call, inputs, length, blocks)
        return None

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> Any:
        """Return the outputs; see `Executor.values`."""
        outputs, finite = self.executor.values(parameters, inputs, length)
        if self.stopping is not None and not finite:
            outputs, _ = self.reference.values(*_here(parameters, inputs), length)
        return outputs

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output and its gradient; see `Executor.value_and_grad`."""
        loops = has_loops(self.graph)
        if loops and not self.executor.follows_loops:
            return self._traced_gradient(parameters, inputs, length, mean)
        found = self.executor.value_and_grad(parameters, inputs, length, mean=mean)
        if self.stopping is not None and not are_finite([found.value]):
            return self._by_reference(parameters, inputs, length, mean)
        if found.finite:
            return found
        # The value stays that of a plain call.
        again = self._by_reference(parameters, inputs, length, mean)
        return again._replace(value=found.value)

    def _by_reference(
        self, parameters: Any, inputs: Sequence[Any], length: int, mean: bool
    ) -> Gradients:
        if has_loops(self.graph):
            return self._traced_gradient(parameters, inputs, length, mean)
        return self.reference.value_and_grad(*_here(parameters, inputs), length, mean=mean)

    def _traced_gradient(
        self, parameters: Any, inputs: Sequence[Any], length: int, mean: bool
    ) -> Gradients:
        """Compute the gradient as further outputs; their mean is taken block by block."""
        program, of_inputs = self._with_gradient, self._options["inputs"]
        if mean and not of_inputs:
            step = max(1, _MOST_NUMBERS // len(program.graph.outputs))
            found = np.zeros(len(program.graph.outputs))
            for start in range(0, length, step):
                block = [each[:, start : start + step] for each in inputs]
                count = min(step, length - start)
                with np.errstate(all="ignore"):  # infinities of both signs
                    found += program.values(parameters, block, count).sum(axis=1)
            found /= length
        else:
            found = program.values(parameters, inputs, length)
        value, slopes = found[0], found[1:].astype(self._options["dtype"], copy=False)
        finite = are_finite([slopes])
        if of_inputs:
            if mean:
                value, slopes = value.mean(), slopes / length
            return Gradients(value, None, slopes, finite)
        if self.program.batched and not mean:
            slopes = slopes.sum(axis=1)
        return Gradients(value, slopes, None, finite)


def _here(parameters: Any, inputs: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Return parameters and inputs as arrays of NumPy."""
    return np.asarray(parameters), [*map(np.asarray, inputs)]


_MOST_NUMBERS = 2**22  # of a gradient that is averaged over a batch, in one block


def has_loops(graph: Graph) -> bool:
    """Return whether there are loops, whose gradients are traced."""
    return any(isinstance(row, LoopRow) for row in graph.table)


def with_plain_products(graph: Graph) -> Graph | None:
    """Return the graph with plain products; None if none of its products stop, or if they must."""
    return _plain(graph) if any(map(_stops, graph.table)) and not _may_hide(graph) else None


def _stops(row: Any) -> bool:
    """Return whether this is a product that stops at zero, or a loop with one in its steps."""
    return any(map(_stops, row.step.table)) if isinstance(row, LoopRow) else row is _PRODUCT


def _plain(graph: Graph) -> Graph:
    table, code = [*graph.mapped(_plain).table], graph.code
    if _PRODUCT in table:
        stops, multiplies = table.index(_PRODUCT), TABLE["mul"]
        if multiplies in table:
            code = np.where(code == stops, table.index(multiplies), code)
        else:
            table[stops] = multiplies
    return graph._replace(table=tuple(table), code=code)


def _reached(graph: Graph, leaves: Sequence[bool]) -> Any:
    """Return which nodes a nan from a plain product can reach.

    Args:
        graph: where plain products take the place of those that stop at zero.
        leaves: whether such a nan can be in each leaf.
    """
    marks = graph.made_by(_stops)
    marks[: len(leaves)] = leaves
    return reached(graph, marks)


def _may_hide(graph: Graph, leaves: Sequence[bool] = ()) -> bool:
    """Return whether a nan from a plain product could be missed, for example by a comparison."""
    found = _reached(graph, leaves)
    for code, row in enumerate(graph.table):
        nodes = np.flatnonzero(graph.code == code)
        if isinstance(row, LoopRow):
            each = (found[operands_of(graph, node)].tolist() for node in nodes.tolist())
            if any(_may_hide_in_loop(row, operands) for operands in each):
                return True
        for place in range(row.arity):
            if _hides(row, place) and found[graph.operands[nodes, place]].any():
                return True
    return False


def _may_hide_in_loop(row: LoopRow, operands: Sequence[bool]) -> bool:
    """Return the same for a loop, given which of its operands a nan can reach."""
    held = row.parts(operands)
    states, before = held.states, None
    while states != before:
        leaves = [*states, *held.inputs, *held.captured]
        found = _reached(row.step, leaves)[row.step.outputs].tolist()
        states, before = [a or b for a, b in zip(states, found, strict=False)], states
    is_test = held.count or held.goes_on or any(found[row.states :][: row.conditional])
    return bool(is_test) or _may_hide(row.step, leaves)


@cache
def _hides(row: Operation, place: int) -> bool:
    """Return whether an operand that is nan instead of 0 gives another number, and not nan."""
    if row.name in STOPPING:
        return False
    if row.arity > _TRIED:
        return True
    for point in product(_POINTS, repeat=row.arity - 1):
        with_zero, with_nan = (
            row.value(*point[:place], x, *point[place:]) for x in (0.0, float("nan"))
        )
        if with_nan == with_nan != with_zero:
            return True
    return False


_POINTS = (0.0, 0.5, 1.0, -1.0, 2.0, -1000.0, 1000.0)
_TRIED = 4
"""Of operations with more operands, it would take too long to try all points."""


@on_define
def _forget(row: Operation) -> None:
    """Forget what is known: a row may call an operation that has been redefined."""
    _hides.cache_clear()
