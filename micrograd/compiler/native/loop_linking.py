"""Turns loops and stacks into rows of words; see `micrograd.compiler.native.loops`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.adjoints import Active, FirstWriters
from micrograd.compiler.loops.following import Followed, followed
from micrograd.compiler.native.loops import (
    CODE,
    COLUMN,
    COLUMNS,
    COUNT,
    DONE,
    FLAG,
    INDEX,
    LIMIT,
    PLACES,
    ROWS,
    STACK,
    LoopSpec,
    is_straight,
)
from micrograd.compiler.native.rows import Field
from micrograd.compiler.program import (
    Column,
    Elements,
    Loop,
    Pack,
    Places,
    Product,
    Program,
    Stack,
    column_runs,
)

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked


@dataclass
class Way:
    """A loop that is followed backwards, and where its numbers are.

    `stack` has what is kept of the steps. `carry` has as many places as there are states, whose
    adjoints are those of the states after a step. `index` and `done` are the places in `u` of the
    number of the step, and of how many steps were done; from `gathers` on, as many numbers as
    `gathered` says are what the body gathers there. `rows` compute the values of a step.
    """

    followed: Followed
    stack: int
    carry: int = 0
    index: int = 0
    done: int = 0
    gathers: int = 0
    gathered: int = 0
    rows: Sequence[Any] = ()


MOST_KEPT = {False: 2**24, True: 2**18}
"""The most numbers that are kept of all steps of a loop: in `u`, and in `v` for each lane."""


def ways(program: Program, active: Active) -> tuple[dict[int, Way], dict[int, int], list[Stack]]:
    """Return what following all loops of a program backwards takes.

    Returns:
        The loops by their `id`; the number of the stack of adjoints of each stack that needs one;
        and all stacks.
    """
    stacks, found = [*program.stacks], {}
    for each in program.instructions:
        if isinstance(each, Loop):
            found[id(each)] = Way(followed(each, active, MOST_KEPT[each.varies]), len(stacks))
            stacks.append(found[id(each)].followed.stack())
    slopes = {}
    for number, marks in enumerate(active.stacks):
        if marks.any():
            slopes[number] = len(stacks)
            stacks.append(stacks[number])
    return found, slopes, stacks


def forward(linked: Linked, instruction: Loop | Pack | Elements) -> None:
    """Add the rows of an instruction."""
    match instruction:
        case Pack(stack=stack):
            for k, places in enumerate(instruction.steps()):
                _move(linked, "keep", places, Column(stack, 0), k, fixed=True)
        case Elements(varies=varies, stack=stack):
            for rows, k, columns in instruction.runs():
                places = _range(varies, rows.start, rows.stop - rows.start)
                _move(linked, "take", places, Column(stack, columns.start), k, fixed=True)
        case Loop():
            straight = is_straight(instruction) and id(instruction) not in linked.ways
            (_straight if straight else _by_rows)(linked, instruction)


def needed(instruction: Loop, *, is_followed: bool) -> tuple[int, int]:
    """Return how many numbers of `u` and rows of `v` a loop needs for itself."""
    states = len(instruction.first.slots)
    own = states + 1 + is_followed * states  # the next states, a flag, and what is carried
    return (2, own) if instruction.varies else (2 + own, 0)


def _range(varies: bool, start: int, count: int) -> Places:
    return Places(np.full(count, varies), np.arange(start, start + count))


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
    first_state, way = loop.states.start, linked.ways.get(id(loop))
    index = linked.reserve(1, varies=False)
    _copy(linked, varies, first_state, loop.first)
    flag = None
    if loop.goes_on is not None and loop.holds is not None:
        flag = linked.reserve(1, varies=varies)
        _copy(linked, varies, flag, loop.goes_on)
    with linked.apart(varies=varies) as code:
        _take_inputs(linked, loop, index)
        before = linked.reserve(0, varies=False)
        for each in loop.body:
            linked.forward(each)
        gathered = linked.reserve(0, varies=False) - before
        rows = [*code.rows]
        if loop.kept >= 0:
            _move(linked, "keep", loop.outputs, Column(loop.kept, 0), index)
        if way is not None:
            _move(linked, "keep", _kept(way), Column(way.stack, 0), index)
        if flag is not None and loop.holds is not None:
            _copy(linked, varies, flag, loop.holds)
        moved = loop.following
        own = np.arange(first_state, first_state + states)
        if (np.isin(moved.slots, own) & (moved.varies == varies) & (moved.slots != own)).any():
            following = linked.reserve(states, varies=varies)  # states change places
            _copy(linked, varies, following, moved)
            moved = _range(varies, following, states)
        _copy(linked, varies, first_state, moved)
    done = linked.reserve(1, varies=False)
    fields = {LIMIT: int(loop.limit.slots[0]), INDEX: index, DONE: done}
    fields |= {CODE: linked.table(code.array()), ROWS: len(code.array())}
    mode = "r" if loop.reverse else ""
    if flag is not None:
        fields[FLAG] = flag
        mode += "f"
    kinds = _kinds(loop.limit) + "uv"[varies]
    linked.emit(varies, linked.kernel("loop", operands=kinds, mode=mode), fields)
    _copy(linked, varies, loop.out.start, _range(varies, first_state, states))
    _copy(linked, varies, loop.out.start + states, _range(False, done, 1))
    if way is not None:
        way.index, way.done, way.gathers, way.gathered = index, done, before, gathered
        way.rows = rows
        way.carry = linked.reserve(states, varies=varies)
    for stack in (loop.kept, linked.slopes.get(loop.kept, -1), -1 if way is None else way.stack):
        if stack >= 0:
            fields = {STACK: linked.stack(stack), DONE: done}
            linked.emit(varies, linked.kernel("note"), fields)


def _kept(way: Way) -> Places:
    slots = way.followed.kept
    return Places(np.full(len(slots), way.followed.loop.varies), slots)


def _take_inputs(linked: Linked, loop: Loop, index: int) -> None:
    """Add rows that set the inputs of the step whose number is at a place."""
    for part, stack, columns in column_runs(loop.columns):
        inputs = _range(loop.varies, loop.inputs.start + part.start, part.stop - part.start)
        _move(linked, "take", inputs, Column(stack, columns.start), index)
    if loop.indexed:
        _copy(linked, loop.varies, loop.inputs.stop - 1, _range(False, index, 1))


# ------------------------------------------------------------------------------------- backwards


def clear_slopes(linked: Linked, *, varies: bool) -> None:
    """Add rows that set the adjoints of all stacks of a space to zero."""
    for number in linked.slopes.values():
        stack = linked.stacks[number]
        if stack.varies == varies:
            fields = {STACK: linked.stack(number), COLUMNS: stack.columns}
            linked.emit(varies, linked.kernel("clear", operands="uv"[varies]), fields)


def backward(linked: Linked, instruction: Loop | Pack | Elements) -> None:
    """Add the rows that pass the adjoints of an instruction on."""
    match instruction:
        case Pack(stack=stack):
            _touch(linked, instruction.places)
            slope = Column(linked.slopes[stack], 0)
            for k, places in enumerate(instruction.steps()):
                into, chosen = _slopes(linked, places), linked.active.at(places)
                _move(linked, "give", into, slope, k, chosen, fixed=True)
        case Elements(varies=varies, stack=stack):
            for rows, k, columns in instruction.runs():
                places = _range(varies, rows.start, rows.stop - rows.start)
                slope = Column(linked.slopes[stack], columns.start)
                _move(linked, "send", _slopes(linked, places), slope, k, fixed=True)
        case Loop():
            _back(linked, instruction)


def _slopes(linked: Linked, places: Places) -> Places:
    """Return the places of adjoints."""
    shift = np.where(places.varies, linked.shift(True), linked.shift(False))
    return places._replace(slots=places.slots + shift)


def _touch(linked: Linked, places: Places) -> None:
    linked.writers.touch(places.slots[places.varies])


def _back(linked: Linked, loop: Loop) -> None:
    varies, states, way = loop.varies, len(loop.first.slots), linked.ways[id(loop)]
    shift, index = linked.shift(varies), way.index
    carry, own = way.carry + shift, way.followed.own
    _touch(linked, loop.first)
    _touch(linked, loop.captured)
    _copy(linked, varies, carry, _range(varies, loop.out.start + shift, states))
    outer, linked.writers = linked.writers, FirstWriters(linked.program, own)
    with linked.apart(varies=varies) as code:
        _move(linked, "take", _kept(way), Column(way.stack, 0), index)
        if way.followed.again:
            code.rows += way.rows
        else:
            _take_inputs(linked, loop, index)
            for each in loop.body:
                if isinstance(each, Product) and each.varies == varies:
                    linked.gather_again(each)
        with linked.apart(varies=varies) as body:
            if loop.kept in linked.slopes:
                _touch(linked, loop.outputs)
                outputs, stack = _slopes(linked, loop.outputs), linked.slopes[loop.kept]
                chosen = linked.active.at(loop.outputs)
                _move(linked, "give", outputs, Column(stack, 0), index, chosen)
            _add(linked, varies, loop.following, way.carry)
            for each in reversed(loop.body):
                linked.backward(each)
            if varies:
                linked.writers.touch(loop.states)
                linked.writers.touch(loop.inputs)
            _copy(linked, varies, carry, _range(varies, loop.states.start + shift, states))
            for part, stack, columns in column_runs(loop.columns):
                if stack in linked.slopes:
                    inputs = _range(
                        varies, loop.inputs.start + shift + part.start, part.stop - part.start
                    )
                    into = Column(linked.slopes[stack], columns.start)
                    _move(linked, "send", inputs, into, index)
        if varies:
            linked.zero(linked.writers)
        else:
            for start, count in ((own.start, own.stop - own.start), (way.gathers, way.gathered)):
                fields = {Field.COUNT: count, Field.OUT: start + shift}
                linked.emit(False, linked.kernel("zero", operands="u"), fields)
        code.rows += body.rows
    linked.writers = outer
    fields = {LIMIT: way.done, INDEX: index, DONE: way.done}
    fields |= {CODE: linked.table(code.array()), ROWS: len(code.array())}
    mode = "" if loop.reverse else "r"
    kernel = linked.kernel("loop", operands="u" + "uv"[varies], mode=mode)
    linked.emit(varies, kernel, fields)
    _add(linked, varies, loop.first, way.carry)


def _add(linked: Linked, varies: bool, places: Places, start: int) -> None:
    """Add rows that add the adjoints from one place on to those of others."""
    _touch(linked, places)
    chosen = linked.active.at(places)
    for first, last in _runs(chosen & (places.varies == varies)):
        linked.scatter(start + first, varies, places.slots[first:last])
    if not varies:
        return
    for i in np.flatnonzero(chosen & ~places.varies).tolist():
        fields = {Field.COUNT: 1, Field.ROWS: 1, Field.A: start + i + linked.shift(True)}
        fields[Field.BIAS] = int(places.slots[i]) + linked.shift(False)
        linked.emit(True, linked.kernel("row_totals"), fields)


# ----------------------------------------------------------------------------------------- moves


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


def _move(
    linked: Linked,
    verb: str,
    places: Places,
    column: Column,
    index: int,
    chosen: Any = True,
    *,
    fixed: bool = False,
) -> None:
    """Add rows that move numbers between places and neighbouring columns of a stack.

    Args:
        linked: the program.
        verb: what is done; see `micrograd.compiler.native.loops.move`.
        places: the places.
        column: the column of the first place.
        index: the place in `u` of the number of the step or, if it is `fixed`, that number.
        chosen: which of the places take part.
        fixed: whether the step is always the same.
    """
    stack = linked.stacks[column.stack]
    for kind in (False, True):
        for start, stop in _runs((places.varies == kind) & chosen):
            mode = f"fixed {verb}" if fixed else verb
            kernel = linked.kernel("move", operands="uv"[kind] + "uv"[stack.varies], mode=mode)
            fields = {COUNT: stop - start, PLACES: linked.table(places.slots[start:stop])}
            fields |= {STACK: linked.stack(column.stack), COLUMNS: stack.columns}
            fields |= {COLUMN: column.column + start, INDEX: index}
            linked.emit(kind or stack.varies, kernel, fields)
