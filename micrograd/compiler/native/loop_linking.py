"""Turns loops and stacks into rows of words; see `micrograd.compiler.native.loops`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.native.chains import Run, Spot, can_be_chains
from micrograd.compiler.native.loops import (
    APART,
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
from micrograd.compiler.program.loop_instructions import (
    Column,
    Elements,
    Loop,
    LoopBack,
    Pack,
    Send,
    Stack,
    Unpack,
    column_runs,
)
from micrograd.compiler.program.program import Program
from micrograd.compiler.program.reverse import Reverse
from micrograd.compiler.program.slots import Operand, Places, rows_of, runs

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked


@dataclass
class Way:
    """What a loop that is followed backwards keeps, and where its numbers are.

    `stack` has the slots `kept` of each step; if it is done `again`, `rows` compute the others.
    `index` and `done` are the places in `u` of the number of the step, and of how many steps were
    done. `gathers` has where the body gathers slots of its own, and these slots.
    """

    stack: int
    kept: Any
    again: bool
    index: int = 0
    done: int = 0
    gathers: Sequence[tuple[int, Any]] = ()
    rows: Sequence[Any] = ()


_SHORT = 8
"""Shorter runs of neighbours, on average, are moved number by number."""
_MOST_CHEAP = 2**17
"""The same if chains compute the others, which takes less time than reading them from memory."""
MOST_KEPT = {False: 2**24, True: 2**18}
"""The most numbers that are kept of all steps of a loop: in `u`, and in `v` for each lane."""


def ways(program: Program, reverse: Reverse | None) -> tuple[dict[int, Way], list[Stack]]:
    """Return what following loops backwards takes.

    Args:
        program: the program.
        reverse: its backward pass, if there is one.

    Returns:
        The loops by their `id`; and the stacks of the program, those of their adjoints, which have
        no columns where none is needed, and those of what the loops keep.
    """
    found: dict[int, Way] = {}
    stacks = [*program.stacks]
    if reverse is None:
        return found, stacks
    for stack, marks in zip(program.stacks, reverse.active.stacks, strict=True):
        stacks.append(stack if marks.any() else stack._replace(columns=0))
    for each in reverse.instructions:
        if isinstance(each, LoopBack):
            is_cheap = not each.varies and can_be_chains(each.loop.body)
            kept, again = each.kept_of(_MOST_CHEAP if is_cheap else MOST_KEPT[each.varies])
            found[id(each.loop)] = Way(len(stacks), kept, again)
            stacks.append(Stack(each.varies, len(kept), each.loop.length))
    return found, stacks


def link(linked: Linked, step: Loop | Pack | Elements | LoopBack | Unpack | Send) -> None:
    """Add the rows of an instruction."""
    match step:
        # The steps follow each other on a stack, so its numbers are moved as if in one step.
        case Pack(stack=stack, places=places):
            _move(linked, "keep", places, Column(stack, 0), 0, fixed=True)
        case Unpack(stack=stack, places=places, chosen=chosen):
            _move(linked, "give", places, Column(stack, 0), 0, chosen, fixed=True)
        case Elements():
            _entries(linked, "take", step)
        case Send(elements=elements):
            _entries(linked, "send", elements)
        case Loop():
            straight = is_straight(step) and id(step) not in linked.ways
            (_straight if straight else _by_rows)(linked, step)
        case LoopBack():
            _back(linked, step)


def _entries(linked: Linked, verb: str, elements: Elements) -> None:
    """Add rows that move entries of a stack, those that are evenly spaced there together.

    In a stack of unknown length, the last step stands for later ones, so each step is apart.
    """
    stack, steps = linked.stacks[elements.stack], elements.steps.tolist()
    columns = elements.columns.tolist()
    at = [k * stack.columns + column for k, column in zip(steps, columns, strict=True)]
    start = 0
    while start < len(at):
        stop, apart = start + 1, 1
        if stop < len(at):
            apart = at[stop] - at[start]
        while stop < len(at) and at[stop] - at[stop - 1] == apart:
            if stack.length is None and steps[stop] != steps[start]:
                break
            stop += 1
        places = _range(elements.varies, elements.out.start + start, stop - start)
        column = Column(elements.stack, columns[start])
        _move(linked, verb, places, column, steps[start], fixed=True, apart=apart)
        start = stop


def needed(instruction: Loop) -> tuple[int, int]:
    """Return how many numbers of `u` and rows of `v` a loop needs for itself."""
    own = len(instruction.first.slots) + 1  # the next states, and a flag
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
    spec = LoopSpec(linked.kind, kinds, loop)
    linked.emit(loop.varies, linked.new_kernel(spec), {Field.COUNT: linked.table(np.array(table))})


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
        before = dict(linked.gathers)
        for each in loop.body:
            linked.forward(each)
        rows = [*code]
        if loop.kept >= 0:
            _move(linked, "keep", loop.outputs, Column(loop.kept, 0), index)
        if way is not None:
            _move(linked, "keep", _kept(way, varies=varies), Column(way.stack, 0), index)
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
    mode = "r" if loop.reverse else ""
    if flag is not None:
        fields[FLAG] = flag
        mode += "f"
    _repeat(linked, varies, code, fields, operands=_kinds(loop.limit) + "uv"[varies], mode=mode)
    _copy(linked, varies, loop.out.start, _range(varies, first_state, states))
    _copy(linked, varies, loop.out.start + states, _range(False, done, 1))
    if way is not None:
        way.index, way.done, way.rows = index, done, rows
        found = [(place, np.frombuffer(key[1], np.intp)) for key, place in linked.gathers.items()
                 if key[0] == varies and before.get(key) != place]  # fmt: skip
        way.gathers = [(place, slots) for place, slots in found if (slots >= first_state).any()]
    for stack in (loop.kept, -1 if way is None else way.stack):
        if stack >= 0:
            _note(linked, varies, stack, done)
    if way is not None and loop.kept >= 0:
        _note(linked, varies, loop.kept + len(linked.program.stacks), done)


def _repeat(linked: Linked, varies: bool, code: Any, fields: dict[Any, Any], **spec: str) -> None:
    """Add the row that runs a code again and again."""
    step = linked.finished(code)
    fields |= {CODE: linked.table(step), ROWS: len(step)}
    linked.emit(varies, linked.kernel("loop", **spec), fields)


def _note(linked: Linked, varies: bool, stack: int, done: int) -> None:
    linked.emit(varies, linked.kernel("note"), {STACK: linked.stack(stack), DONE: done})


def _kept(way: Way, *, varies: bool) -> Places:
    return Places(np.full(len(way.kept), varies), way.kept)


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
    count = len(linked.program.stacks)
    for number, stack in enumerate(linked.stacks[count : 2 * count], count):
        if stack.varies == varies and stack.columns:
            fields = {STACK: linked.stack(number), COLUMNS: stack.columns}
            linked.emit(varies, linked.kernel("clear", operands="uv"[varies]), fields)


def _back(linked: Linked, back: LoopBack) -> None:
    varies, loop, way = back.varies, back.loop, linked.ways[id(back.loop)]
    with linked.apart(varies=varies) as code:
        for rows in back.zeroed:
            linked.zero(varies, rows)
        _move(linked, "take", _kept(way, varies=varies), Column(way.stack, 0), way.index)
        if way.again:
            code += way.rows
        else:
            _take_inputs(linked, loop, way.index)
            for place, slots in way.gathers:
                linked.gather_again(place, varies, slots)
        before = linked.reserve(0, varies=False)
        with linked.apart(varies=varies) as body:
            _one_step_back(linked, back)
        reserved = linked.reserve(0, varies=False)
        if not varies and reserved > before:  # what the products of a step are added up in
            linked.zero(False, slice(before, reserved))
        code += body
    fields = {LIMIT: way.done, INDEX: way.index, DONE: way.done}
    mode = "" if loop.reverse else "r"
    _repeat(linked, varies, code, fields, operands="u" + "uv"[varies], mode=mode)


def _one_step_back(linked: Linked, back: LoopBack) -> None:
    index = linked.ways[id(back.loop)].index
    if back.given is not None:
        stack, outputs, chosen = back.given
        _move(linked, "give", outputs, Column(stack, 0), index, chosen)
    for each in back.body:
        linked.forward(each)
    for rows, stack, columns in back.sent:
        inputs = _range(back.varies, rows.start, rows.stop - rows.start)
        _move(linked, "send", inputs, Column(stack, columns.start), index)


# ----------------------------------------------------------------------------------------- moves


def _copy(linked: Linked, varies: bool, place: int, places: Places) -> None:
    """Add rows that copy numbers to neighbouring places."""
    for kind in sorted(set(places.varies.tolist())):
        for run in runs(places.varies == kind):
            out = slice(place + run.start, place + run.stop)
            linked.copy(varies, out, Operand(kind, rows_of(places.slots[run])))


def _move(
    linked: Linked,
    verb: str,
    places: Places,
    column: Column,
    index: int,
    chosen: Any = True,
    *,
    fixed: bool = False,
    apart: int = 1,
) -> None:
    """Add rows that move numbers between places and evenly spaced columns of a stack.

    Args:
        linked: the program.
        verb: what is done; see `micrograd.compiler.native.loops.move`.
        places: the places.
        column: the column of the first place.
        index: the place in `u` of the number of the step or, if it is `fixed`, that number.
        chosen: which of the places take part.
        fixed: whether the step is always the same.
        apart: how far the columns are apart.
    """
    stack, mode = linked.stacks[column.stack], f"fixed {verb}" if fixed else verb
    for kind in (False, True):
        for run in runs((places.varies == kind) & chosen):
            slots = places.slots[run]
            place = column.column + apart * run.start
            fields: dict[Any, Any] = {STACK: linked.stack(column.stack), COLUMNS: stack.columns}
            fields |= {INDEX: index, COLUMN: place, COUNT: len(slots)}
            varies = kind or stack.varies
            starts = np.append(0, np.flatnonzero(np.diff(slots) != 1) + 1)
            if not varies and apart == 1 and len(starts) * _SHORT <= len(slots):
                counts = np.diff(starts, append=len(slots))
                fields |= {COUNT: counts, PLACES: slots[starts], COLUMN: place + starts}
                kernel = linked.kernel("move_run", mode=mode)
                linked.emit_runs(kernel, fields, [*_moves(fields, verb, fixed=fixed)])
                continue
            kernel = linked.kernel("move", operands="uv"[kind] + "uv"[stack.varies], mode=mode)
            fields |= {PLACES: linked.table(slots), APART: apart}
            linked.emit(varies, kernel, fields)


def _moves(fields: dict[Any, Any], verb: str, *, fixed: bool) -> Iterator[Run]:
    """Yield runs that move numbers; where the step is fixed, they are in no chain."""
    adds = verb in ("give", "send")
    columns = (fields[field].tolist() for field in (COUNT, PLACES, COLUMN))
    for count, place, column in zip(*columns, strict=True):
        rows: Spot = ("v", place)
        held: Spot = ("s", fields[STACK], fields[COLUMNS], column, fields[INDEX])
        out, read = (rows, held) if verb in ("take", "give") else (held, rows)
        yield Run(0 if fixed else count, out, "x", ("x",), (read,), (), adds)
