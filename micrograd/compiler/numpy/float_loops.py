"""Loops of single numbers as straight code on Python's floats, which beats calls of NumPy."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd.compiler.numpy.loops import Stacks, empty_stack, with_room
from micrograd.compiler.numpy.straight_code import written
from micrograd.compiler.program.loop_instructions import Loop, column_runs
from micrograd.compiler.tracing.graph import CONSTANT, Graph, Structural
from micrograd.locks import forkable_property
from micrograd.table.formulas import parts
from micrograd.table.interpreters import (
    ATOM,
    ERRORS,
    ON_FLOATS,
    ON_IEEE,
    Interpreter,
    Text,
)

_BLOCK = 2**13  # numbers of Python at a time; a number takes 24 bytes there, 8 in an array
_LONGEST = 100  # the longest text that is written where it is used, without a name


def is_of_floats(loop: Loop, dtype: Any) -> bool:
    """Return whether a loop can be a `FloatLoop`."""
    apart = any(isinstance(row, Structural) for row in loop.step.table)
    return not loop.varies and not apart and dtype == np.float64


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

    @forkable_property
    def _quick(self) -> Callable[..., Any]:
        return _written(self.loop, ON_FLOATS)

    @forkable_property
    def _complete(self) -> Callable[..., Any]:
        return _written(self.loop, ON_IEEE)

    def run(self) -> None:
        """Run all steps."""
        loop, u = self.loop, self.u
        most = math.ceil(min(np.fmax(u[loop.limit.slots[0]], 0.0), 2.0**62))
        goes_on = loop.goes_on is None or u[loop.goes_on.slots[0]] != 0
        captured, states = u[loop.captured.slots].tolist(), u[loop.first.slots].tolist()
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


def _written(loop: Loop, floats: Interpreter) -> Callable[..., Any]:
    """Return a function that runs some steps of a loop.

    Its arguments are how many steps, the array to which the numbers are added that are kept, the
    columns of inputs, what the step uses from around, and the states. It returns how many steps
    were done, whether there is a next one, and the states. No operation has a name like its own.
    """
    step, states = loop.step, len(loop.first.slots)
    read = ["_k"]
    for rows, _, _ in column_runs(loop.columns):
        names = "".join(f"_a{states + j}, " for j in range(rows.start, rows.stop))
        read.append(f"({names})" if rows.stop - rows.start > 1 else names[:-2])
    lines: list[str] = []
    tools: dict[str, Any] = {"__builtins__": {}, "nan": math.nan, "_range": range, "_zip": zip}
    values = _values(step, floats, lines, tools)
    outputs = [values[node][0] for node in step.outputs.tolist()]
    following, outputs = outputs[:states], outputs[states:]
    if loop.holds is not None:
        lines.append(f"_goes_on = {outputs.pop(0)}")
    if loop.kept >= 0:
        append = len(outputs) == 1
        lines.append(f"_keep({outputs[0]})" if append else f"_keep(({', '.join(outputs)}))")
    own = [f"_a{i}" for i in range(states)]
    if own != following:
        lines.append(f"{', '.join(own)} = {', '.join(following)}")
    if loop.holds is not None:
        lines.append("if not _goes_on: break")
    captured = [f"_a{i}" for i in range(states + len(loop.columns), step.inputs)]
    arguments, body = ", ".join([*captured, *own]), "\n  ".join(lines or ["pass"])
    over = f"{', '.join(read)} in _zip(_range(_count), *_columns)"
    if len(read) == 1:
        over = "_k in _range(_count)"
    text = f"""def run(_count, _kept, _columns, {arguments}):
 _keep = _kept.{"append" if len(outputs) == 1 else "extend"}
 _goes_on = 1.0
 for {over}:
  {body}
 return [_k + 1, _goes_on, {", ".join(own)}]"""
    exec(text, tools)  # noqa: S102 (rows of the table, numbers)
    run: Callable[..., Any] = tools["run"]
    return run


def _values(
    step: Graph, floats: Interpreter, lines: list[str], tools: dict[str, Any]
) -> list[Text]:
    """Return the text of each node of a step: a name, a number or, if it is read once, a formula.

    Args:
        step: the step; the name of leaf i is `_a` and i.
        floats: how operations are written.
        lines: to which assignments to names are added.
        tools: to which the functions that are called are added.
    """
    operands, codes = step.operands.tolist(), step.code.tolist()
    reads = [0] * (step.size + 1)  # the last one for NOTHING
    for node, code in enumerate(codes):
        if code >= 0:
            row = step.table[code]
            used = [*parts(row.computed)]
            for name, operand in zip(row.operands, operands[node], strict=False):
                reads[operand] += used.count(name)
    for node in step.outputs.tolist():
        reads[node] += 2
    values: list[Text] = []
    for node, code in enumerate(codes):
        if code == CONSTANT:
            values.append(floats.literal(float(step.numbers[node])))
        elif code < 0:
            values.append((f"_a{node}", ATOM))
        else:
            row = step.table[code]
            held = [values[i] for i in operands[node][: row.arity]]
            text = written(row, held, floats, tools)
            if reads[node] > 1 or len(text[0]) > _LONGEST:
                lines.append(f"_a{node} = {text[0]}")
                text = f"_a{node}", ATOM
            values.append(text)
    return values
