"""Turns loops and stacks into rows of words; see `micrograd.compiler.native.loops`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from micrograd.compiler.native.loops import (
    CODE,
    COLUMN,
    COLUMNS,
    DONE,
    FLAG,
    INDEX,
    LIMIT,
    PLACE,
    ROWS,
    STACK,
    LoopSpec,
    is_straight,
)
from micrograd.compiler.native.rows import Field
from micrograd.compiler.program import Column, Elements, Loop, Pack, Places

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked


def forward(linked: Linked, instruction: Loop | Pack | Elements) -> None:
    """Add the rows of an instruction."""
    match instruction:
        case Pack(varies=varies, stack=stack, places=places):
            for k in range(len(places.slots)):
                _keep(linked, varies, Column(stack, 0), _part(places, k), k, fixed=True)
        case Elements(varies=varies, out=out, column=column, steps=steps):
            for place, k in enumerate(steps.tolist(), out.start):
                _take(linked, varies, column, place, k, fixed=True)
        case Loop():
            (_straight if is_straight(instruction) else _by_rows)(linked, instruction)


def needed(instruction: Loop) -> tuple[int, int]:
    """Return how many numbers of `u` and rows of `v` a loop needs for itself."""
    own = len(instruction.first.slots) + 1  # the next states, and a flag
    return (2, own) if instruction.varies else (2 + own, 0)


def _part(places: Places, i: int) -> Places:
    return Places(places.varies[i : i + 1], places.slots[i : i + 1])


def _kinds(*places: Places) -> str:
    return "".join("uv"[varies] for each in places for varies in each.varies.tolist())


def _straight(linked: Linked, loop: Loop) -> None:
    flags = [] if loop.goes_on is None else [loop.goes_on]
    read = [loop.limit, *flags, loop.first, loop.captured]
    stacks = linked.program.stacks
    kinds = _kinds(*read) + "".join("uv"[stacks[each.stack].varies] for each in loop.columns)
    table = [slot for places in read for slot in places.slots.tolist()]
    table.append(loop.out.start)
    for each in loop.columns:
        table += (linked.stack(each.stack), stacks[each.stack].columns, each.column)
    if loop.kept >= 0:
        table += (linked.stack(loop.kept), stacks[loop.kept].columns)
    spec = LoopSpec(
        linked.kind,
        loop.varies,
        loop.step,
        len(loop.first.slots),
        len(loop.columns),
        kinds,
        bool(flags),
        loop.reverse,
        loop.indexed,
        loop.kept >= 0,
    )
    linked.emit(loop.varies, linked.addresses(spec), {Field.COUNT: linked.table(np.array(table))})


def _by_rows(linked: Linked, loop: Loop) -> None:
    varies, states = loop.varies, len(loop.first.slots)
    first_state = loop.states.start
    index = linked.reserve(1, varies=False)
    _copy(linked, varies, first_state, loop.first)
    flag = None
    if loop.goes_on is not None and loop.holds is not None:
        flag = linked.reserve(1, varies=varies)
        _copy(linked, varies, flag, loop.goes_on)
    with linked.apart(varies=varies) as code:
        for i, each in enumerate(loop.columns):
            _take(linked, varies, each, loop.inputs.start + i, index)
        if loop.indexed:
            number = Places(np.array([False]), np.array([index]))
            _copy(linked, varies, loop.inputs.stop - 1, number)
        for each in loop.body:
            linked.forward(each)
        for i in range(len(loop.outputs.slots) if loop.kept >= 0 else 0):
            _keep(linked, varies, Column(loop.kept, i), _part(loop.outputs, i), index)
        if flag is not None and loop.holds is not None:
            _copy(linked, varies, flag, loop.holds)
        moved = loop.following
        own = np.arange(first_state, first_state + states)
        if (np.isin(moved.slots, own) & (moved.varies == varies) & (moved.slots != own)).any():
            following = linked.reserve(states, varies=varies)  # states change places
            _copy(linked, varies, following, moved)
            moved = Places(np.full(states, varies), own - first_state + following)
        _copy(linked, varies, first_state, moved)
    done = linked.reserve(1, varies=False)
    fields = {LIMIT: int(loop.limit.slots[0]), INDEX: index, DONE: done}
    fields |= {CODE: linked.table(code.array()), ROWS: len(code.array())}
    mode = "r" if loop.reverse else ""
    if flag is not None:
        fields[FLAG] = flag
        mode += "f"
    if loop.kept >= 0:
        fields |= {STACK: linked.stack(loop.kept), COLUMNS: len(loop.outputs.slots)}
        mode += "k"
    kinds = _kinds(loop.limit) + "uv"[varies]
    linked.emit(varies, linked.kernel("loop", operands=kinds, mode=mode), fields)
    results = Places(np.full(states, varies), np.arange(first_state, first_state + states))
    _copy(linked, varies, loop.out.start, results)
    _copy(linked, varies, loop.out.start + states, Places(np.array([False]), np.array([done])))


def _copy(linked: Linked, varies: bool, place: int, places: Places) -> None:
    """Add rows that copy numbers to neighbouring places."""
    name = "value_v" if varies else "value_u"
    for kind in sorted(set(places.varies.tolist())):
        for start, stop in _runs(places.varies == kind):
            kernel = linked.kernel(
                name, formula="x", names=("x",), operands="uv"[kind] if varies else "g"
            )
            fields = {Field.COUNT: stop - start, Field.OUT: place + start}
            fields[Field.OPERANDS[0]] = linked.table(places.slots[start:stop])
            linked.emit(varies, kernel, fields)


def _runs(chosen: np.ndarray) -> list[tuple[int, int]]:
    """Return where runs of true values begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], chosen, [False]))))
    return [*zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]


def _take(
    linked: Linked, varies: bool, column: Column, place: int, index: int, *, fixed: bool = False
) -> None:
    _move(linked, "take", varies, column, place, index, fixed=fixed)


def _keep(
    linked: Linked, varies: bool, column: Column, source: Places, index: int, *, fixed: bool = False
) -> None:
    """Add rows that put a number on a stack; one of `u` becomes a row of `v` before."""
    place = int(source.slots[0])
    if varies and not source.varies[0]:
        place = linked.spare
        _copy(linked, True, place, source)
    _move(linked, "keep", varies, column, place, index, fixed=fixed)


def _move(
    linked: Linked, name: str, varies: bool, column: Column, place: int, index: int, *, fixed: bool
) -> None:
    stack = linked.program.stacks[column.stack]
    kinds = "uv"[varies] + "uv"[stack.varies]
    kernel = linked.kernel(name, operands=kinds, mode="fixed" if fixed else "")
    fields = {PLACE: place, STACK: linked.stack(column.stack), INDEX: index}
    fields |= {COLUMNS: stack.columns, COLUMN: column.column}
    linked.emit(varies, kernel, fields)
