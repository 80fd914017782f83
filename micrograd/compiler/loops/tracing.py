"""Records loops, and replays graphs on traced values."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress
from typing import Any

from micrograd.compiler.loops.rows import LoopRow
from micrograd.compiler.tracing import recorder as recorders
from micrograd.compiler.tracing.graph import CONSTANT, Chain, Graph, Structural
from micrograd.compiler.tracing.progress import Limited
from micrograd.compiler.tracing.recorder import Recorder, TraceError, left_behind, recording
from micrograd.compiler.tracing.structural import Element, Pack, Result, operands_of
from micrograd.compiler.tracing.traced import leaf
from micrograd.engine.graph import Node, is_alias, is_leaf, made_by, operands, order
from micrograd.engine.value import Value, apply
from micrograd.table.floats import to_float
from micrograd.transforms import loops
from micrograd.transforms.runs import is_varied, start_of_runs

Step = loops.Step


def loop_of_columns(
    step: Step,
    states: Sequence[Any],
    count: Any,
    columns: Sequence[Sequence[Any]] = (),
    *,
    goes_on: Any = None,
    reverse: bool = False,
) -> tuple[list[Any], list[list[Any]]]:
    """Record a loop, and return the last states and the outputs of all steps.

    Args:
        step: the step.
        states: the first states.
        count: the most steps.
        columns: the inputs of each step.
        goes_on: whether there is a first step; None if a step does not say if there is a next one.
        reverse: whether the last inputs are used first.
    """
    stacks = [Pack().made(column) for column in zip(*columns, strict=True)]
    loop = traced_loop(step, states, count, stacks, goes_on=goes_on, reverse=reverse)
    row = loop._row
    outputs = [row.stack(j).made(loop) for j in range(row.outputs)]
    numbers = [[Element(k).made(stack) for k in range(len(columns))] for stack in outputs]
    return last_states(loop), numbers


def last_states(loop: Value) -> list[Any]:
    """Return the last states of a traced loop."""
    return [Result(i).made(loop) for i in range(loop._row.states)]


def traced_loop(
    step: Step,
    states: Sequence[Any],
    count: Any,
    stacks: Sequence[Value] = (),
    *,
    goes_on: Any = None,
    reverse: bool = False,
) -> Value:
    """Record a loop, whose step is traced once, and return its node; see `loop_of_columns`.

    Stacks that the step does not use are left out.
    """
    outer = recorders.current()
    recorder = Recorder(0, len(states) + len(stacks), outer)
    if isinstance(outer.rows, Limited):
        recorder.rows = Limited(outer.rows.most, recorder)
    leaves = [leaf(recorder.first + i) for i in range(recorder.inputs)]
    own, given = leaves[: len(states)], leaves[len(states) :]
    with recording(recorder):
        following, holds, outputs = step(own, given)
    results = [*following, *([] if goes_on is None else [holds]), *outputs]
    captured, fixed, seen = _captured(results, recorder)
    used = [id(each) in seen for each in given]
    given, stacks = [*compress(given, used)], [*compress(stacks, used)]
    row = LoopRow(
        _graph(results, [*own, *given, *captured]),
        len(states),
        len(stacks),
        conditional=goes_on is not None,
        reverse=reverse,
    )
    first = [x if isinstance(x, Value) else to_float(x) for x in states]
    made = row.made([count, *([] if goes_on is None else [goes_on]), *first, *stacks, *captured])
    made._fixed = fixed  # type: ignore[attr-defined]
    return made


def _captured(
    results: Sequence[Any], recorder: Recorder
) -> tuple[list[Value], list[Value], set[int]]:
    """Return the values from around a step that its results are computed from.

    These are traced values, and variables of a derivative in progress, which may be Values with
    numbers. Other Values are constants of the step, and are returned next. Two of the values from
    around may have the same place: a variable of a derivative and what it stands for. The `id`
    of each value of the step itself that the results are computed from is returned, too.
    """
    found: list[Value] = []
    fixed: list[Value] = []
    seen: set[int] = set()
    is_derived = start_of_runs() > 0  # whether a derivative is in progress
    waiting = [result for result in reversed(results) if isinstance(result, Value)]
    while waiting:
        node: Any = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node._is_traced and not recorder.owns(node._place):
            around = recorder.outer
            while around is not None and not around.owns(node._place):
                around = around.outer
            if around is None:
                raise left_behind(recorder.outer, [node._place])
            found.append(node)
        elif is_derived and is_varied(node):
            found.append(node)
        elif not node._is_traced and is_leaf(node):
            fixed.append(node)
        else:
            fixed += getattr(node, "_fixed", ())
            waiting.extend(x for x in reversed([*operands(node)]) if isinstance(x, Value))
    return found, fixed, seen


def _graph(results: Sequence[Any], leaves: Sequence[Any]) -> Graph:
    """Return the graph from leaves to results, in which each leaf is an input of its own."""
    recorder = Recorder(0, len(leaves))
    places = {id(node): recorder.first + i for i, node in enumerate(leaves)}
    for node in order([x for x in results if isinstance(x, Value)], until=leaves):
        if is_leaf(node):
            places[id(node)] = recorder.constant(node.data)
            continue
        held = [
            places[id(x)] if isinstance(x, Node) else recorder.constant(to_float(x))
            for x in operands(node)
        ]
        row = made_by(node)
        if isinstance(row, str) and node._is_traced and not is_alias(node):
            raise TraceError(
                f"the step of a loop uses {row!r}, a function with a derivative of its own, which "
                "the derivatives of the loop would not follow: write it as operations there"
            )
        if isinstance(row, Structural):
            places[id(node)] = row.recorded(recorder, held)
        else:
            places[id(node)] = recorder.applied(node, held)
    return recorder.graph(
        [places[id(x)] if isinstance(x, Value) else recorder.constant(to_float(x)) for x in results]
    )


def replay(graph: Graph, leaves: Sequence[Any]) -> list[Any]:
    """Apply a graph to other leaves, values or numbers, and return the outputs."""
    values, codes = [*leaves], graph.code.tolist()
    chains = {i for i, row in enumerate(graph.table) if isinstance(row, Chain)}
    numbers = graph.numbers[graph.leaves :].tolist()
    for number, places in zip(numbers, graph.operands[graph.leaves :].tolist(), strict=True):
        code = codes[len(values)]
        if code == CONSTANT or code in chains:
            values.append(number)
            continue
        row, read = graph.table[code], [values[place] for place in places if place >= 0]
        if codes[places[0]] in chains:
            read = [[values[place] for place in operands_of(graph, len(values))]]
        values.append(row.made(*read) if isinstance(row, Structural) else _applied(row, *read))
    return [values[place] for place in graph.outputs.tolist()]


def _applied(row: Any, *read: Any) -> Any:
    for x in read:
        if isinstance(x, Value):
            return apply(row, *read)
    return row.value(*read)


class _Thread(threading.local):
    unrolls = False


_thread = _Thread()


@contextmanager
def unrolled() -> Iterator[None]:
    """Record the steps of loops one by one in this context; their number must be known."""
    before, _thread.unrolls = _thread.unrolls, True
    try:
        yield
    finally:
        _thread.unrolls = before


def is_unrolled() -> bool:
    """Return whether nothing but operations is recorded here, or nothing at all."""
    active = recorders.active
    return active is None or active.thread != threading.get_ident() or _thread.unrolls


def _in_trace() -> Callable[..., Any] | None:
    return None if is_unrolled() else loop_of_columns


loops.in_trace = _in_trace
