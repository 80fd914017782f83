"""Loops of single numbers as straight code on Python's floats, which beats calls of NumPy."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from micrograd.compiler.numpy.loops import Stacks, empty_stack, with_room
from micrograd.compiler.numpy.straight_code import slots_read, statements, steps_of
from micrograd.compiler.program.instructions import (
    Elementwise,
    Fold,
    Product,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.loop_instructions import Loop, column_runs
from micrograd.compiler.program.scalars import scalars
from micrograd.compiler.program.slots import Places
from micrograd.locks import forkable_property
from micrograd.table.interpreters import ERRORS, ON_FLOATS, ON_IEEE, Interpreter

_BLOCK = 2**13  # numbers of Python at a time; a number takes 24 bytes there, 8 in an array


_KINDS = Elementwise, Fold, Product, Tape, WeightedSums


def is_of_floats(loop: Loop, dtype: Any) -> bool:
    """Return whether a loop can be a `FloatLoop`."""
    of_numbers = all(isinstance(each, _KINDS) for each in loop.body)
    return not loop.varies and of_numbers and dtype == np.float64


class FloatLoop:
    """A loop as one function of Python, which runs a block of steps at a time.

    It computes with Python's own arithmetic. If that raises an error, where IEEE 754 defines a
    result, the block is run again by a function that has this result.

    Args:
        loop: a loop that does not vary over a batch and whose step consists of operations.
        u: the numbers of `u`.
        stacks: the stacks of the program.
    """

    def __init__(self, loop: Loop, u: Any, stacks: Stacks) -> None:
        self.loop, self.u, self.stacks = loop, u, stacks
        self._body = [each for instruction in loop.body for each in scalars(instruction)]
        # What the steps read that does not change: parameters, constants and earlier results.
        read = {slot for each in self._body for slot in slots_read(each)}
        read.update(slot for each in self._results() for slot in each.slots.tolist())
        changed = {each.slot for each in self._body}
        changed.update(range(loop.states.start, loop.inputs.stop))
        self._captured = sorted(read - changed)

    def _results(self) -> list[Places]:
        """Return the next states, whether there is a next step, and what is kept."""
        loop = self.loop
        return [loop.following, *([loop.holds] if loop.holds else []), loop.outputs]

    @forkable_property
    def _quick(self) -> Callable[..., Any]:
        return self._written(ON_FLOATS)

    @forkable_property
    def _complete(self) -> Callable[..., Any]:
        return self._written(ON_IEEE)

    def run(self) -> None:
        """Run all steps."""
        loop, u = self.loop, self.u
        most = math.ceil(min(np.fmax(u[loop.limit.slots[0]], 0.0), 2.0**62))
        goes_on = loop.goes_on is None or u[loop.goes_on.slots[0]] != 0
        captured, states = u[self._captured].tolist(), u[loop.first.slots].tolist()
        width, done = len(loop.outputs.slots), 0
        kept = empty_stack(loop, self.stacks, most, 1, u.dtype)
        length = max(1, _BLOCK // max(1, width, len(loop.columns)))
        while done < most and goes_on:
            count = min(length, most - done)
            start = most - done - count if loop.reverse else done
            steps = slice(start, start + count)
            columns = [self._column(stack, steps, x) for _, stack, x in column_runs(loop.columns)]
            try:
                found: array[float] = array("d")
                ran, goes_on, *results = self._quick(count, found, columns, *captured, *states)
            except ERRORS:
                found = array("d")
                ran, goes_on, *results = self._complete(count, found, columns, *captured, *states)
            states = results
            if loop.kept >= 0:
                kept = with_room(kept, start + ran)
                rows = np.frombuffer(found).reshape(ran, width, 1)
                kept[start : start + ran] = rows[::-1] if loop.reverse else rows
            done += ran
        if loop.kept >= 0:
            self.stacks[loop.kept] = kept[:done]
        u[loop.out] = [*states, done]

    def _column(self, stack: int, steps: slice, across: slice) -> list[Any]:
        """Return the numbers that some steps read, in their order: one each, or a list of them."""
        rows = self.stacks[stack][steps, across, 0]
        rows = rows[::-1] if self.loop.reverse else rows
        found: list[Any] = (rows[:, 0] if rows.shape[1] == 1 else rows).tolist()
        return found

    def _written(self, floats: Interpreter) -> Callable[..., Any]:
        """Return a function that runs some steps of the loop.

        Its arguments are how many steps, the array to which the numbers are added that are kept,
        the columns of inputs, what the step uses from around, and the states. It returns how many
        steps were done, whether there is a next one, and the states. No operation has a name like
        its own.
        """
        loop = self.loop
        following, *holds, outputs = (_names(each.slots.tolist()) for each in self._results())
        states = _names(range(loop.states.start, loop.states.stop))
        inputs, read = _names(range(loop.inputs.start, loop.inputs.stop)), ["_k"]
        for rows, _, _ in column_runs(loop.columns):
            column = inputs[rows]
            read.append(f"({', '.join(column)})" if len(column) > 1 else column[0])
        tools: dict[str, Any] = {"__builtins__": {}, "nan": math.nan, "_range": range, "_zip": zip}
        steps = [step for each in self._body for step in steps_of(each, int)]
        lines = [*statements(steps, "_a{}", floats, tools)]
        if holds:
            lines.append(f"_goes_on = {holds[0][0]}")
        if loop.kept >= 0:
            lines.append(f"_keep(({', '.join(outputs)}))")
        if states != following:
            lines.append(f"{', '.join(states)} = {', '.join(following)}")
        if holds:
            lines.append("if not _goes_on: break")
        arguments = ", ".join([*_names(self._captured), *states])
        body = "\n  ".join(lines or ["pass"])
        text = f"""def run(_count, _kept, _columns, {arguments}):
 _keep = _kept.{"append" if len(outputs) == 1 else "extend"}
 _goes_on = 1.0
 for {", ".join(read)}, in _zip(_range(_count), *_columns):
  {body}
 return [_k + 1, _goes_on, {", ".join(states)}]"""
        exec(text, tools)  # noqa: S102 (rows of the table, numbers)
        run: Callable[..., Any] = tools["run"]
        return run


def _names(slots: Iterable[int]) -> list[str]:
    return [f"_a{slot}" for slot in slots]
