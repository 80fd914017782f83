"""Turns loops and stacks into instructions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import mul
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.loops.rows import LoopRow, Operands
from micrograd.compiler.loops.tracing import replay
from micrograd.compiler.program.loop_instructions import Column, Elements, Loop, Stack
from micrograd.compiler.program.loop_instructions import Pack as PackInstruction
from micrograd.compiler.program.slots import Places
from micrograd.compiler.tracing.graph import CONSTANT, NOTHING, Chain, Graph
from micrograd.compiler.tracing.recorder import Recorder, recording
from micrograd.compiler.tracing.structural import Element, Pack, Result, operands_of
from micrograd.compiler.tracing.traced import leaf
from micrograd.compiler.tracing.tracer import tracing
from micrograd.engine.value import apply
from micrograd.ops import TABLE

if TYPE_CHECKING:
    from micrograd.compiler.planning.planner import Planner

_SILENT = -3  # the code of nodes without an instruction


def constants_of_steps(graph: Graph) -> Iterator[Any]:
    """Yield the constants of the steps of all loops."""
    for row in graph.table:
        if isinstance(row, LoopRow):
            yield ZERO  # of `_masked`
            yield from row.step.numbers[row.step.code == CONSTANT]
            yield from constants_of_steps(row.step)


def common_codes(graph: Graph, code: Any) -> Any:
    """Return codes by which nodes are grouped: that of the first element for all elements."""
    code, elements = code.copy(), [i for i, x in enumerate(graph.table) if isinstance(x, Element)]
    silent = [
        i
        for i, x in enumerate(graph.table)
        if isinstance(x, Chain | Result) and not isinstance(x, Element)
    ]
    code[np.isin(graph.code, silent)] = _SILENT
    code[np.isin(graph.code, elements)] = next(iter(elements), _SILENT)
    return code


def emit(planner: Planner, varies: bool, members: Any) -> None:
    """Emit the instructions of structural nodes that are alike."""
    graph = planner.graph
    row = graph.table[graph.code[members[0]]]
    if isinstance(row, Element):
        _emit_elements(planner, varies, members)
        return
    if isinstance(row, Pack):
        _emit_packs(planner, varies, members)
        return
    for node in members.tolist():
        _emit_loop(planner, varies, node, graph.table[graph.code[node]])


def _places(planner: Planner, nodes: Sequence[int] | Any) -> Places:
    nodes = np.asarray(nodes, dtype=np.intp)
    return Places(planner.varying[nodes], planner.slot[nodes])


def _emit_packs(planner: Planner, varies: bool, members: Any) -> None:
    """Emit a stack for all packs of one length; each pack is a column of it."""
    of_length: dict[int, list[tuple[int, list[int]]]] = {}
    for node in members.tolist():
        nodes = operands_of(planner.graph, node)
        of_length.setdefault(len(nodes), []).append((node, nodes))
    for length, columns in of_length.items():
        stack = len(planner.slots.stacks)
        planner.slots.stacks.append(Stack(varies, len(columns), length))
        for column, (node, _) in enumerate(columns):
            planner.stack[node] = Column(stack, column)
        places = _places(planner, np.array([nodes for _, nodes in columns]).T.ravel())
        out = planner.next(0, varies=varies)
        planner.append(PackInstruction(varies, out, stack, places, len(columns)))


def _emit_elements(planner: Planner, varies: bool, members: Any) -> None:
    graph = planner.graph
    of_stack: dict[int, list[tuple[int, int, int]]] = {}
    for node in members.tolist():
        column = planner.stack[int(graph.operands[node, 0])]
        entry = graph.table[graph.code[node]].index, column.column, node
        of_stack.setdefault(column.stack, []).append(entry)
    for stack, entries in of_stack.items():
        steps, columns, nodes = np.array(sorted(entries)).T
        out = planner.number(nodes, varies=varies)
        planner.append(Elements(varies, out, stack, steps, columns))


def _emit_loop(planner: Planner, varies: bool, node: int, row: LoopRow) -> None:
    graph = planner.graph
    held = row.parts(operands_of(graph, node))
    readers = np.flatnonzero((graph.operands[:, 0] == node) & graph.structural).tolist()
    results = {graph.table[graph.code[reader]].index: reader for reader in readers}
    columns = [j for j in range(row.outputs + row.states) if row.stack(j).index in results]
    loop = _Parts(planner, row, held, columns)
    if varies and (row.conditional or planner.varying[held.count]):
        loop = _masked(planner, loop)

    given = row.inputs + loop.indexed
    own, step = len(loop.first) + given, loop.step
    captured = np.asarray(loop.captured, dtype=np.intp)
    leaves = np.append(np.full(own, varies), planner.varying[captured])
    inner = type(planner)(step, leaves, planner.slots, planner.append if varies else None)
    states = planner.next(len(loop.first), varies=varies)
    inputs = planner.next(given, varies=varies)
    inner.slot[:own] = np.arange(states.start, inputs.stop)
    inner.slot[own : step.inputs] = planner.slot[captured]
    inner.stack = {
        own + i: planner.stack[x] for i, x in enumerate(loop.captured) if x in planner.stack
    }
    inner.emit()

    out = planner.next(len(loop.first) + 1, varies=varies)
    for i, reader in results.items():
        if i <= row.states:
            planner.slot[reader] = out.start + i
    kept, length = NOTHING, None
    if graph.code[held.count] == CONSTANT and not row.conditional:
        length = int(graph.numbers[held.count])
    if columns:
        kept = len(planner.slots.stacks)
        planner.slots.stacks.append(Stack(varies, len(columns), length))
        for column, j in enumerate(columns):
            planner.stack[results[row.stack(j).index]] = Column(kept, column)
    following, holds, outputs = np.split(
        step.outputs, [len(loop.first), len(loop.first) + row.conditional]
    )
    planner.append(
        Loop(
            varies,
            out,
            tuple(inner.instructions),
            _places(planner, [held.count]),
            _places(planner, [held.goes_on]) if row.conditional else None,
            _places(inner, holds) if row.conditional else None,
            loop.first_places(),
            states,
            _places(inner, following),
            inputs,
            tuple(planner.stack[stack] for stack in held.inputs),
            kept,
            _places(inner, outputs),
            row.reverse,
            loop.indexed,
            length,
            step,
            _places(planner, captured),
        )
    )


class _Parts:
    """A loop before it is planned.

    `step` has the outputs that are kept, `first` the nodes of the first states, and `captured`
    those of what the step uses. A first state that is not a node is given as a number. If `indexed`
    is true, the number of the step follows the inputs of the step.
    """

    def __init__(
        self, planner: Planner, row: LoopRow, held: Operands, columns: Sequence[int]
    ) -> None:
        self.planner, self.row, self.held = planner, row, held
        head = row.states + row.conditional
        kept = [row.step.outputs[head + j] if j < row.outputs else j - row.outputs for j in columns]
        outputs = np.concatenate([row.step.outputs[:head], kept]).astype(np.intp)
        self.step = row.step._replace(outputs=outputs).live()
        self.first, self.captured = [*held.states], [*held.captured]
        self.indexed = False

    def first_places(self) -> Places:
        """Where the first states are read."""
        planner = self.planner
        varies = [isinstance(x, int) and planner.varying[x] for x in self.first]
        slots = [
            planner.slot[x] if isinstance(x, int) else planner.constants([x])[0] for x in self.first
        ]
        return Places(np.array(varies, bool), np.array(slots, np.intp))


ZERO = np.float64(0.0)
"""The number of steps that were done before the first one."""


def _masked(planner: Planner, loop: _Parts) -> _Parts:
    """Return a loop in which samples that have ended keep their states, and count their steps.

    Their states are followed by the number of their steps and, if a step says whether there is a
    next one, by that.
    """
    row, step, held = loop.row, loop.step, loop.held
    states, counted = row.states, bool(planner.varying[held.count])
    own = states + 1 + row.conditional
    size = step.inputs + 1 + row.conditional + 2 * counted
    with tracing, recording(Recorder(0, size)) as recorder:
        leaves = [leaf(recorder.first + i) for i in range(size)]
        given, rest = leaves[own : own + row.inputs], leaves[own + row.inputs + counted :]
        results = replay(step, [*leaves[:states], *given, *rest[: len(held.captured)]])
        tests = []
        if row.conditional:
            tests.append(apply(TABLE["ne"], leaves[states + 1], 0.0))
        if counted:
            tests.append(apply(TABLE["lt"], leaves[own + row.inputs], rest[-1]))
        active = reduce(mul, tests)
        following = [
            apply(TABLE["where"], active, new, old)
            for new, old in zip(results[:states], leaves, strict=False)
        ]
        following.append(leaves[states] + active)
        holds = []
        if row.conditional:
            holds = [apply(TABLE["where"], active, results[states], 0.0)]
        outputs = results[states + row.conditional :]
        graph = recorder.graph([recorder.place(x) for x in (*following, *holds, *holds, *outputs)])
    loop.step = graph.live()
    loop.first += [ZERO, *([held.goes_on] if row.conditional else [])]
    if counted:
        loop.captured.append(held.count)
        loop.indexed = True
    return loop
