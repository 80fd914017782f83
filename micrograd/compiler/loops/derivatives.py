"""The derivatives of loops, which are loops themselves, so that they can be differentiated again.

In the reverse mode, a loop runs backwards over the kept states. Its states are the adjoints of the
states, and the sums of the adjoints of what a step uses from around. Its step is the pullback of
the step at the kept states. In the forward mode, a loop has the tangents beside the states.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

import numpy as np

from micrograd.compiler.loops.rows import LoopRow, Operands
from micrograd.compiler.loops.tracing import last_states, replay, traced_loop
from micrograd.compiler.tracing.graph import Graph, reached
from micrograd.compiler.tracing.recorder import Recorder, recording
from micrograd.compiler.tracing.structural import Pack, Result, Shares
from micrograd.compiler.tracing.traced import leaf
from micrograd.compiler.tracing.tracer import tracing
from micrograd.engine.collecting import nothing_collected
from micrograd.engine.graph import operands, order
from micrograd.engine.value import Value
from micrograd.transforms import propagation


def gradient_graph(graph: Graph, *, inputs: bool) -> Graph:
    """Return the graph of an output and its gradient.

    Args:
        graph: the graph of one output.
        inputs: whether it is the gradient with respect to the inputs, not to the parameters.
    """
    with tracing, nothing_collected():
        recorder = Recorder(graph.parameters, graph.inputs)
        leaves = [leaf(recorder.first + i) for i in range(graph.leaves)]
        with recording(recorder):
            (output,) = replay(graph, leaves)
            targets = leaves[graph.parameters :] if inputs else leaves[: graph.parameters]
            slopes: Sequence[Any] = [0.0] * len(targets)
            if isinstance(output, Value):
                slopes = propagation.pull(order(output, until=leaves), targets, {output: 1.0})
            return recorder.graph([recorder.place(x) for x in (output, *slopes)]).live()


class _Dependence:
    """The parts of a loop that depend on some of its operands."""

    def __init__(self, row: LoopRow, held: Operands, among: Container[Value]) -> None:
        self.states = [isinstance(x, Value) and x in among for x in held.states]
        self.inputs = [x in among for x in held.inputs]
        self.captured = [isinstance(x, Value) and x in among for x in held.captured]
        step, before = row.step, -1
        while before != sum(self.states):
            before = sum(self.states)
            marks = np.zeros(step.size, bool)
            marks[: step.leaves] = [*self.states, *self.inputs, *self.captured]
            following = reached(step, marks)[step.outputs[: row.states]]
            self.states = [a or bool(b) for a, b in zip(self.states, following, strict=True)]


def _aliases(values: Iterable[Any]) -> list[Any]:
    """Return variables with the values of others, which can be differentiated apart from them.

    A number becomes a Value.
    """
    return [each._alias() if isinstance(each, Value) else Value(each) for each in values]


def _chosen(things: Sequence[Any], which: Sequence[bool]) -> list[Any]:
    return [thing for thing, is_chosen in zip(things, which, strict=True) if is_chosen]


def pull(
    loop: Value, row: LoopRow, adjoint: Shares, active: Container[Value]
) -> Iterable[tuple[Value, Any]]:
    """Return the shares of the operands of a loop that are active."""
    held = row.parts([*operands(loop)])
    depends = _Dependence(row, held, active)
    places = [i for i, is_active in enumerate(depends.states) if is_active]
    stacks = [row.stack(row.outputs + i).made(loop) for i in range(row.states)]
    steps = loop_count(loop, held)
    given = [
        _stacks_of(adjoint.get(row.stack(j).index), steps) for j in range(row.outputs + row.states)
    ]
    added = [stack for stacks_of_one in given for stack, _ in stacks_of_one]

    def step(states: list[Any], x: list[Any]) -> tuple[list[Any], None, list[Any]]:
        slopes = dict(zip(places, states, strict=False))
        totals = states[len(places) :]
        rest = iter(x[row.states + row.inputs :])
        shares = [[(next(rest), times) for _, times in each] for each in given]
        leaves = [*x[: row.states + row.inputs], *_aliases(held.captured)]
        outputs = replay(row.step, leaves)
        seeds: dict[Value, Any] = {}

        def seed(output: Any, share: Any) -> None:
            if isinstance(output, Value):
                seeds[output] = seeds[output] + share if output in seeds else share

        for i, slope in slopes.items():
            seed(outputs[i], slope)
        for j in range(row.outputs):
            for share, times in shares[j]:
                seed(outputs[row.states + row.conditional + j], share * times)
        which = [*depends.states, *depends.inputs, *depends.captured]
        targets = _chosen(leaves, which)
        found = propagation.pull(order(seeds, until=leaves), targets, seeds)
        for place, i in enumerate(places):
            for share, times in shares[row.outputs + i]:
                found[place] = found[place] + share * times
        ends = len(places), len(places) + sum(depends.inputs)
        sums = [a + b for a, b in zip(totals, found[ends[1] :], strict=True)]
        return [*found[: ends[0]], *sums], None, found[ends[0] : ends[1]]

    first = [adjoint.get(i, 0.0) for i in places] + [0.0] * sum(depends.captured)
    back = traced_loop(step, first, steps, [*stacks, *held.inputs, *added], reverse=not row.reverse)
    last = iter(last_states(back))
    for i in places:
        slope = next(last)
        if held.states[i] in active:
            yield held.states[i], slope
    made = back._row
    for j, stack in enumerate(_chosen(held.inputs, depends.inputs)):
        yield stack, Shares({made.stack(j).made(back): 1.0})
    for value in _chosen(held.captured, depends.captured):
        yield value, next(last)


def loop_count(loop: Value, held: Operands) -> Any:
    """Return the number of steps that a loop does."""
    row = loop._row
    return held.count if held.goes_on is None else row.count.made(loop)


def _stacks_of(adjoint: Shares | None, count: Any) -> list[tuple[Value, float]]:
    """Return the stacks whose sum is the adjoint of a stack, and how often each occurs in it."""
    if adjoint is None:
        return []
    found = [*adjoint.stacks.items()]
    elements = adjoint.elements
    if elements:
        length = int(count)  # elements are taken only of stacks of a known length
        found.append((Pack().made([elements.get(k, 0.0) for k in range(length)]), 1.0))
    return found


def push(loop: Value, row: LoopRow, tangents: dict[Value, Any]) -> Shares:
    """Return the tangents of the results of a loop, by their indices."""
    held = row.parts([*operands(loop)])
    # The tangent of a stack of a loop that does not depend on the variables is the number 0.
    still = {x for x in held.inputs if not isinstance(tangents.get(x), Value)}
    tangents = {x: tangent for x, tangent in tangents.items() if x not in still}
    depends = _Dependence(row, held, tangents)
    places = [i for i, is_active in enumerate(depends.states) if is_active]
    along = [tangents[x] for x in _chosen(held.captured, depends.captured)]
    moving = [tangents[x] for x in _chosen(held.inputs, depends.inputs)]
    first = [
        tangents.get(held.states[i], 0.0) if isinstance(held.states[i], Value) else 0.0
        for i in places
    ]

    def step(states: list[Any], x: list[Any]) -> tuple[list[Any], Any, list[Any]]:
        leaves = [*states[: row.states], *x[: row.inputs], *_aliases(held.captured)]
        outputs = replay(row.step, leaves)
        roots = [each for each in outputs if isinstance(each, Value)]
        which = [*depends.states, *depends.inputs, *depends.captured]
        given = [*states[row.states :], *x[row.inputs :], *along]
        seeds = dict(zip(_chosen(leaves, which), given, strict=True))
        found = propagation.push(order(roots, until=leaves), outputs, seeds, symbolic=True)
        holds = outputs[row.states] if row.conditional else None
        slopes = [found[i] for i in places]
        rest = found[row.states + row.conditional :]
        return [*outputs[: row.states], *slopes], holds, [*states[row.states :], *rest]

    made = traced_loop(
        step,
        [*held.states, *first],
        held.count,
        [*held.inputs, *moving],
        goes_on=held.goes_on,
        reverse=row.reverse,
    )
    result = made._row
    found = Shares({i: Result(row.states + n).made(made) for n, i in enumerate(places)})
    for n, i in enumerate(places):
        found[row.stack(row.outputs + i).index] = result.stack(n).made(made)
    for j in range(row.outputs):
        found[row.stack(j).index] = result.stack(len(places) + j).made(made)
    return found
