"""Loops of single numbers as straight code on Python's floats, which beats calls of NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from micrograd.compiler.graph import CONSTANT, Graph, Structural
from micrograd.compiler.loop_instructions import Loop, column_runs
from micrograd.compiler.numpy.loops import Stacks
from micrograd.table.formulas import fold, parts
from micrograd.table.interpreters import (
    ATOM,
    ERRORS,
    ON_FLOATS,
    ON_IEEE,
    Interpreter,
    Text,
)

_LONGEST = 100  # the longest text that is written where it is used, without a name


def is_of_floats(loop: Loop, dtype: Any) -> bool:
    """Return whether a loop can be a `FloatLoop`."""
    apart = any(isinstance(row, Structural) for row in loop.step.table)
    return not loop.varies and not apart and dtype == np.float64


class FloatLoop:
    """A loop as one function of Python.

    It computes with Python's own arithmetic. If that raises an error, where IEEE 754 defines a
    result, the loop is run again by a function that has this result.

    Args:
        loop: a loop that does not vary over a batch and whose step consists of operations.
        u: the numbers of `u`.
        stacks: the stacks of the program.
    """

    def __init__(self, loop: Loop, u: Any, stacks: Stacks) -> None:
        self.loop, self.u, self.stacks = loop, u, stacks

    @cached_property
    def _quick(self) -> Callable[..., Any]:
        return _written(self.loop, ON_FLOATS)

    @cached_property
    def _complete(self) -> Callable[..., Any]:
        return _written(self.loop, ON_IEEE)

    def forward(self) -> Iterator[Callable[[], None]]:
        """Yield the call that does it."""
        yield self._run

    def _run(self) -> None:
        loop, u = self.loop, self.u
        most = math.ceil(min(np.fmax(u[loop.limit.slots[0]], 0.0), 2.0**62))
        if loop.goes_on is not None and u[loop.goes_on.slots[0]] == 0:
            most = 0
        columns = [self._entries(stack) for _, stack, _ in column_runs(loop.columns)]
        given = [*u[loop.captured.slots].tolist(), *u[loop.first.slots].tolist()]
        results = None
        for run in ("_quick", "_complete"):
            kept: dict[int, Any] = {}
            steps = range(most - 1, -1, -1) if loop.reverse else range(most)
            try:
                results = getattr(self, run)(steps, kept, columns, *given)
                break
            except ERRORS:
                if run == "_complete":
                    raise
        if loop.kept >= 0:
            self.stacks[loop.kept] = kept
        u[loop.out] = results

    def _entries(self, stack: int) -> dict[int, Any]:
        """Return the entries of a stack as tuples."""
        held = self.stacks[stack]
        if isinstance(next(iter(held.values()), None), np.ndarray):
            return {k: tuple(each[:, 0].tolist()) for k, each in held.items()}
        return held


def _written(loop: Loop, floats: Interpreter) -> Callable[..., Any]:
    """Return a function that runs a loop.

    Its arguments are the numbers of the steps in their order, the dictionary for what is kept, the
    entries of the stacks, what the step uses from around, and the first states. It returns the
    last states and the number of steps that were done.
    """
    step, states = loop.step, len(loop.first.slots)
    lines = []
    for i, (rows, _, across) in enumerate(column_runs(loop.columns)):
        names = "".join(f"a{states + j}, " for j in range(rows.start, rows.stop))
        lines.append(f"{names}= columns[{i}][k][{across.start}:{across.stop}]")
    tools: dict[str, Any] = {"__builtins__": {}, "nan": math.nan}
    values = _values(step, floats, lines, tools)
    outputs = [values[node][0] for node in step.outputs.tolist()]
    following, outputs = outputs[:states], outputs[states:]
    if loop.holds is not None:
        lines.append(f"goes_on = {outputs.pop(0)}")
    if loop.kept >= 0:
        lines.append(f"kept[k] = ({''.join(f'{each}, ' for each in outputs)})")
    own = [f"a{i}" for i in range(states)]
    if states:
        lines.append(f"{', '.join(own)} = {', '.join(following)}")
    lines.append("done += 1")
    if loop.holds is not None:
        lines.append("if not goes_on: break")
    captured = [f"a{i}" for i in range(states + len(loop.columns), step.inputs)]
    arguments, body = ", ".join([*captured, *own]), "\n  ".join(lines)
    text = f"""def run(steps, kept, columns, {arguments}):
 done = 0
 for k in steps:
  {body}
 return [{"".join(f"{each}, " for each in own)}done]"""
    exec(text, tools)  # noqa: S102 (rows of the table, numbers)
    run: Callable[..., Any] = tools["run"]
    return run


def _values(
    step: Graph, floats: Interpreter, lines: list[str], tools: dict[str, Any]
) -> list[Text]:
    """Return the text of each node of a step: a name, a number or, if it is read once, a formula.

    Args:
        step: the step; the name of leaf i is `a` and i.
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
            values.append((f"a{node}", ATOM))
        else:
            row = step.table[code]
            held = dict(zip(row.operands, (values[i] for i in operands[node]), strict=False))
            text = fold(row.computed, floats.texts, held, floats.literal)
            for name in floats.called(row.computed):
                tools[name] = floats.found(name)
            if reads[node] > 1 or len(text[0]) > _LONGEST:
                lines.append(f"a{node} = {text[0]}")
                text = f"a{node}", ATOM
            values.append(text)
    return values
