"""Loops and stacks on arrays of NumPy.

A stack is an array with an entry for each step, and in it a row for each column of the stack.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import numpy as np

from micrograd.compiler.program.loop_instructions import Elements, Loop, Pack, column_runs
from micrograd.compiler.program.slots import Places, in_spaces, rows_of

Stacks = list[Any]  # None before a stack is made


Spaces = tuple[Any, Any]
"""The rows of `u`, each with one number, and those of `v`."""


def stack_call(instruction: Pack | Elements, spaces: Spaces, stacks: Stacks) -> Callable[[], None]:
    """Return the call that makes or reads a stack."""
    if isinstance(instruction, Elements):
        target, stack = spaces[instruction.varies][instruction.out], instruction.stack
        entries = instruction.steps, instruction.columns

        def take() -> None:
            target[:] = stacks[stack][entries]

        return take
    read, stack = _reader(spaces, instruction.places, instruction.varies), instruction.stack
    shape = instruction.shape

    def pack() -> None:
        rows = read()
        stacks[stack] = rows.reshape(*shape, rows.shape[1]).copy()

    return pack


def loop_call(
    loop: Loop,
    spaces: Spaces,
    stacks: Stacks,
    body: Callable[[], None],
    after: Callable[[int], None] = lambda k: None,
) -> Callable[[], None]:
    """Return the call that runs a loop.

    Args:
        loop: the loop.
        spaces: the rows of the program.
        stacks: the stacks of the program.
        body: runs the instructions of the loop once.
        after: is called with the number of each step before the states change.
    """
    space, read = spaces[loop.varies], partial(_reader, spaces, varies=loop.varies)
    state, out = space[loop.states], space[loop.out]
    states = len(state)
    first, following, limit = map(read, (loop.first, loop.following, loop.limit))
    goes_on, holds = (None if each is None else read(each) for each in (loop.goes_on, loop.holds))
    outputs = read(loop.outputs) if loop.kept >= 0 else None
    take_inputs = taking_inputs(loop, spaces, stacks)

    def run() -> None:
        state[:] = first()
        most = np.ceil(np.fmax.reduce(limit(), axis=None, initial=0.0))
        going = True if goes_on is None else goes_on().any()
        lanes = space.shape[1]
        kept = empty_stack(loop, stacks, int(min(most, 2.0**62)), lanes, space.dtype)
        done = 0
        for k in range(int(most) - 1, -1, -1) if loop.reverse else count():
            if not (k < most and going):
                break
            take_inputs(k)
            body()
            after(k)
            if outputs is not None:
                kept = with_room(kept, k + 1)
                kept[k] = outputs()
            state[:] = following()
            done += 1
            if holds is not None:
                going = holds().any()
        if outputs is not None:
            stacks[loop.kept] = kept[:done]
        out[:states] = state
        out[states] = done

    return run


def _reader(spaces: Spaces, places: Places, varies: bool) -> Callable[[], Any]:
    """Return what reads places: a view, or an array with a row for each.

    No places at all are like those of an instruction that `varies` or not.
    """
    parts = [*in_spaces(places.varies)]
    if len(parts) < 2:
        space, rows = spaces[parts[0][0] if parts else varies], rows_of(places.slots)
        if isinstance(rows, slice):
            view = space[rows]
            return lambda: view
        return lambda: space[rows]
    shape = len(places.slots), spaces[varies].shape[1]

    def read() -> Any:
        rows = np.empty(shape, spaces[False].dtype)
        for kind, here in parts:
            rows[here] = spaces[kind][places.slots[here]]
        return rows

    return read


def empty_stack(loop: Loop, stacks: Stacks, count: int, lanes: int, dtype: Any) -> Any:
    """Return an array for what a loop keeps of so many steps: the last one, if it fits.

    Its length is 0 if nothing is kept, or if it is not known how many steps there will be.
    """
    shape = count, len(loop.outputs.slots), lanes
    if loop.kept < 0 or loop.holds is not None:
        return np.empty((0, *shape[1:]), dtype)
    held = stacks[loop.kept]
    return held if held is not None and held.shape == shape else np.empty(shape, dtype)


def with_room(held: Any, count: int) -> Any:
    """Return an array with the given entries and room for so many."""
    if count <= len(held):
        return held
    larger = np.empty((max(count, 2 * len(held)), *held.shape[1:]), held.dtype)
    larger[: len(held)] = held
    return larger


def taking_inputs(loop: Loop, spaces: Spaces, stacks: Stacks) -> Callable[[int], None]:
    """Return what sets the inputs of the step with a number."""
    inputs = spaces[loop.varies][loop.inputs]
    columns = [(inputs[rows], stack, across) for rows, stack, across in column_runs(loop.columns)]

    def take(k: int) -> None:
        for rows, stack, across in columns:
            rows[:] = stacks[stack][k, across]
        if loop.indexed:
            inputs[-1] = k

    return take
