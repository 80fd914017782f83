"""Loops and stacks on arrays of NumPy.

A stack has an array for each step, with a row for each column of the stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np

from micrograd.compiler.graph import Structural
from micrograd.compiler.numpy.straight_code import Step, straight_code
from micrograd.compiler.program import Column, Elements, Loop, Pack, Places, rows_of

Stacks = list[dict[int, Any]]


class LoopOn:
    """A loop, or an instruction that makes or reads a stack, on the arrays of a program.

    Args:
        instruction: the instruction.
        spaces: the rows of `u`, each with one number, and those of `v`.
        stacks: the stacks of the program.
        body: runs the instructions of the loop once.
    """

    def __init__(
        self,
        instruction: Loop | Pack | Elements,
        spaces: tuple[Any, Any],
        stacks: Stacks,
        body: Callable[[], None] = lambda: None,
    ) -> None:
        self.instruction, self.spaces, self.stacks, self.body = instruction, spaces, stacks, body
        self.lanes = spaces[instruction.varies].shape[1]

    def forward(self) -> Iterator[Callable[[], None]]:
        """Yield the call that does it."""
        match self.instruction:
            case Pack(stack=stack, places=places):
                yield self._packing(stack, self._reader(places))
            case Elements():
                yield self._taking(self.instruction)
            case Loop():
                yield self._looping(self.instruction)

    def _reader(self, places: Places) -> Callable[[], Any]:
        """Return what reads places: a view, or an array with a row for each."""
        kinds = set(places.varies.tolist())
        if len(kinds) == 1:
            (varies,) = kinds
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

    def _packing(self, stack: int, read: Callable[[], Any]) -> Callable[[], None]:
        def pack() -> None:
            self.stacks[stack] = dict(enumerate(read().copy()[:, None]))

        return pack

    def _taking(self, elements: Elements) -> Callable[[], None]:
        target, (stack, column) = self.spaces[elements.varies][elements.out], elements.column
        steps = elements.steps.tolist()

        def take() -> None:
            held = self.stacks[stack]
            for row, k in enumerate(steps):
                target[row] = held[k][column]

        return take

    def _looping(self, loop: Loop) -> Callable[[], None]:
        space, body = self.spaces[loop.varies], self.body
        state, inputs, out = space[loop.states], space[loop.inputs], space[loop.out]
        states = len(state)
        first, following, limit = map(self._reader, (loop.first, loop.following, loop.limit))
        goes_on, holds = (
            None if each is None else self._reader(each) for each in (loop.goes_on, loop.holds)
        )
        outputs = self._reader(loop.outputs) if loop.kept >= 0 else None
        columns = [*_runs(loop.columns)]

        def run() -> None:
            state[:] = first()
            most = np.ceil(np.fmax.reduce(limit(), axis=None, initial=0.0))
            going = True if goes_on is None else goes_on().any()
            kept: dict[int, Any] = {}
            done = 0
            for k in range(int(most) - 1, -1, -1) if loop.reverse else count():
                if not (k < most and going):
                    break
                for rows, stack, across in columns:
                    inputs[rows] = self.stacks[stack][k][across]
                if loop.indexed:
                    inputs[-1] = k
                body()
                if outputs is not None:
                    kept[k] = np.empty((len(loop.outputs.slots), self.lanes), space.dtype)
                    kept[k][:] = outputs()
                state[:] = following()
                done += 1
                if holds is not None:
                    going = holds().any()
            if outputs is not None:
                self.stacks[loop.kept] = kept
            out[:states] = state
            out[states] = done

        return run


class FloatLoop:
    """A loop of single numbers as straight code on Python's floats, which beats calls of NumPy.

    Args:
        loop: a loop that does not vary over a batch and whose step consists of operations.
        u: the numbers of `u`.
        stacks: the stacks of the program.
    """

    def __init__(self, loop: Loop, u: Any, stacks: Stacks) -> None:
        self.loop, self.u, self.stacks = loop, u, stacks

    @cached_property
    def _code(self) -> list[Callable[[list[float]], None]]:
        step, steps = self.loop.step, []
        for node in np.flatnonzero(step.code >= 0).tolist():
            row = step.table[step.code[node]]
            steps.append(Step(node, row, step.operands[node, : row.arity].tolist(), ()))
        return straight_code(steps)

    def forward(self) -> Iterator[Callable[[], None]]:
        """Yield the call that does it."""
        yield self._run

    def _run(self) -> None:
        loop, u, stacks = self.loop, self.u, self.stacks
        states = len(loop.first.slots)
        numbers = loop.step.numbers.tolist()  # of constants; the others are set
        numbers[:states] = u[loop.first.slots].tolist()
        given = states + len(loop.columns)
        numbers[given : loop.step.inputs] = u[loop.captured.slots].tolist()
        outputs = loop.step.outputs.tolist()
        following, holds = outputs[:states], None if loop.holds is None else outputs[states]
        outputs = outputs[states + (holds is not None) :] if loop.kept >= 0 else []
        columns = [(slice(states + rows.start, states + rows.stop), stack, across)
                   for rows, stack, across in _runs(loop.columns)]  # fmt: skip
        most = np.ceil(np.fmax(u[loop.limit.slots[0]], 0.0))
        going = loop.goes_on is None or u[loop.goes_on.slots[0]] != 0
        kept: dict[int, Any] = {}
        code, done = self._code, 0
        for k in range(int(most) - 1, -1, -1) if loop.reverse else count():
            if not (k < most and going):
                break
            for rows, stack, across in columns:
                numbers[rows] = stacks[stack][k][across, 0].tolist()
            for run in code:
                run(numbers)
            if loop.kept >= 0:
                kept[k] = np.array([numbers[node] for node in outputs])[:, None]
            going = holds is None or numbers[holds] != 0
            numbers[:states] = [numbers[node] for node in following]
            done += 1
        if loop.kept >= 0:
            stacks[loop.kept] = kept
        u[loop.out] = [*numbers[:states], done]


def is_of_floats(loop: Loop, dtype: Any) -> bool:
    """Return whether a loop can be a `FloatLoop`."""
    apart = any(isinstance(row, Structural) for row in loop.step.table)
    return not loop.varies and not apart and dtype == np.float64


def _runs(columns: tuple[Column, ...]) -> Iterator[tuple[slice, int, slice]]:
    """Yield runs of neighbouring columns of one stack: target rows, stack and columns."""
    start = 0
    for i in range(1, len(columns) + 1):
        first, last = columns[start], columns[i - 1]
        if i == len(columns) or columns[i] != (last.stack, last.column + 1):
            yield slice(start, i), first.stack, slice(first.column, last.column + 1)
            start = i
