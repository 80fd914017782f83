"""Loops and stacks on arrays of NumPy.

A stack is an array with an entry for each step, and in it a row for each column of the stack.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from micrograd.compiler.program.loop_instructions import Elements, Loop, Pack, column_runs
from micrograd.compiler.program.slots import Places, rows_of

Stacks = list[Any]  # None before a stack is made


class LoopOn:
    """A loop, or an instruction that makes or reads a stack, on the arrays of a program.

    Args:
        instruction: the instruction.
        spaces: the rows of `u`, each with one number, and those of `v`.
        stacks: the stacks of the program.
        body: runs the instructions of the loop once.
        after: is called with the number of each step before the states change.
    """

    def __init__(
        self,
        instruction: Loop | Pack | Elements,
        spaces: tuple[Any, Any],
        stacks: Stacks,
        body: Callable[[], None] = lambda: None,
        after: Callable[[int], None] = lambda k: None,
    ) -> None:
        self.instruction, self.spaces, self.stacks = instruction, spaces, stacks
        self.body, self.after = body, after
        self.lanes = spaces[instruction.varies].shape[1]

    def call(self) -> Callable[[], None]:
        """Return the call that does it."""
        match self.instruction:
            case Pack(stack=stack, places=places, shape=shape):
                return self._packing(stack, self._reader(places), shape)
            case Elements():
                return self._taking(self.instruction)
        return self._looping(self.instruction)

    def _reader(self, places: Places) -> Callable[[], Any]:
        """Return what reads places: a view, or an array with a row for each."""
        kinds = set(places.varies.tolist())
        if len(kinds) < 2:  # no places at all are like those of the instruction
            varies = next(iter(kinds), self.instruction.varies)
            space, rows = self.spaces[varies], rows_of(places.slots)
            if isinstance(rows, slice):
                view = space[rows]
                return lambda: view
            return lambda: space[rows]
        (fixed,), (moving,) = (np.nonzero(places.varies == kind) for kind in (False, True))
        shape = len(places.slots), self.lanes

        def read() -> Any:
            rows = np.empty(shape, self.spaces[False].dtype)
            rows[fixed] = self.spaces[False][places.slots[fixed]]
            rows[moving] = self.spaces[True][places.slots[moving]]
            return rows

        return read

    def _packing(
        self, stack: int, read: Callable[[], Any], shape: tuple[int, int]
    ) -> Callable[[], None]:
        def pack() -> None:
            rows = read()
            self.stacks[stack] = rows.reshape(*shape, rows.shape[1]).copy()

        return pack

    def _taking(self, elements: Elements) -> Callable[[], None]:
        target = self.spaces[elements.varies][elements.out]

        def take() -> None:
            target[:] = self.stacks[elements.stack][elements.steps, elements.columns]

        return take

    def _looping(self, loop: Loop) -> Callable[[], None]:
        space, body = self.spaces[loop.varies], self.body
        state, out = space[loop.states], space[loop.out]
        states = len(state)
        first, following, limit = map(self._reader, (loop.first, loop.following, loop.limit))
        goes_on, holds = (
            None if each is None else self._reader(each) for each in (loop.goes_on, loop.holds)
        )
        outputs = self._reader(loop.outputs) if loop.kept >= 0 else None
        take_inputs = taking_inputs(loop, self.spaces, self.stacks)

        def run() -> None:
            state[:] = first()
            most = np.ceil(np.fmax.reduce(limit(), axis=None, initial=0.0))
            going = True if goes_on is None else goes_on().any()
            kept = empty_stack(loop, self.stacks, int(min(most, 2.0**62)), self.lanes, space.dtype)
            done = 0
            for k in range(int(most) - 1, -1, -1) if loop.reverse else count():
                if not (k < most and going):
                    break
                take_inputs(k)
                body()
                self.after(k)
                if outputs is not None:
                    kept = with_room(kept, k + 1)
                    kept[k] = outputs()
                state[:] = following()
                done += 1
                if holds is not None:
                    going = holds().any()
            if outputs is not None:
                self.stacks[loop.kept] = kept[:done]
            out[:states] = state
            out[states] = done

        return run


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


def taking_inputs(loop: Loop, spaces: tuple[Any, Any], stacks: Stacks) -> Callable[[int], None]:
    """Return what sets the inputs of the step with a number."""
    inputs = spaces[loop.varies][loop.inputs]
    columns = [(inputs[rows], stack, across) for rows, stack, across in column_runs(loop.columns)]

    def take(k: int) -> None:
        for rows, stack, across in columns:
            rows[:] = stacks[stack][k, across]
        if loop.indexed:
            inputs[-1] = k

    return take
