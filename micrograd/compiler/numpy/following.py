"""Loops and stacks on the arrays of a memory, forwards and backwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from micrograd.compiler.adjoints import FirstWriters
from micrograd.compiler.loops.following import followed
from micrograd.compiler.numpy.loops import LoopOn, taking_inputs
from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.numpy.tape import FloatTape
from micrograd.compiler.program import (
    Elements,
    Loop,
    Pack,
    Places,
    Product,
    column_runs,
    rows_of,
)

MOST_KEPT = 2**25
"""The most numbers that are kept of all steps of a loop and all lanes."""


def is_wide(loop: Loop) -> bool:
    """Return whether calls of NumPy are faster for a loop than straight code for its derivative."""
    return loop.varies or any(isinstance(each, Product) for each in loop.body)


class StackOn(LoopOn):
    """What makes or reads a stack.

    The adjoints of a stack are arrays by the numbers of the steps, which are made when something is
    first added to them.
    """

    def __init__(self, memory: Memory, instruction: Pack | Elements) -> None:
        super().__init__(instruction, memory.spaces, memory.stacks)
        self.memory = memory

    def backward(self) -> Iterator[Call]:
        """Yield the calls that pass its adjoints on."""
        memory, varies = self.memory, self.instruction.varies
        if isinstance(self.instruction, Pack):
            slopes, places = memory.slopes[self.instruction.stack], self.instruction.places
            shares = np.empty((len(places.slots), self.lanes), memory.u.dtype)
            of_steps = shares.reshape(*self.instruction.shape, self.lanes)

            def unpack() -> None:
                for k, rows in enumerate(of_steps):
                    rows[:] = slopes.get(k, 0.0)

            yield unpack
            yield from _adding(memory, places, shares)
        elif isinstance(self.instruction, Elements):
            stack, slopes = self.instruction.stack, memory.adjoints[varies]
            sent = [(slopes[rows], k, columns) for rows, k, columns in self.instruction.runs()]

            def send() -> None:
                for share, k, columns in sent:
                    _of_step(memory, stack, k)[columns] += share

            yield send


class FollowedLoop(LoopOn):
    """A loop whose body is run backwards, in the steps that were done.

    Args:
        memory: the arrays.
        loop: the loop.
        body: the instructions of the body on these arrays.
    """

    def __init__(self, memory: Memory, loop: Loop, body: Sequence[Any]) -> None:
        calls = [call for each in body for call in each.forward()]
        super().__init__(loop, memory.spaces, memory.stacks, partial(_run_all, calls), self._keep)
        self.memory, self.loop, self._body = memory, loop, body
        self._kept: dict[int, Any] = {}
        self._done: list[int] = []
        self._rows: Any = None
        if memory.follows_loops:
            self._followed = followed(loop, memory.active, MOST_KEPT // self.lanes)
            self._rows = rows_of(self._followed.kept)

    def forward(self) -> Iterator[Call]:
        """Yield the calls that do it."""
        yield self._done.clear
        yield from super().forward()

    def _keep(self, k: int) -> None:
        if self._rows is None or not self.memory.keeps:
            return
        self._done.append(k)
        rows = self.spaces[self.loop.varies][self._rows]
        if k in self._kept:
            self._kept[k][:] = rows
        else:
            self._kept[k] = rows.copy()

    def backward(self) -> Iterator[Call]:
        """Yield the calls that pass its adjoints on."""
        memory, loop = self.memory, self.loop
        values, slopes = self.spaces[loop.varies], memory.adjoints[loop.varies]
        states, carry = len(loop.first.slots), np.empty_like(slopes[loop.states])
        outer, memory.writers = memory.writers, FirstWriters(memory.program, self._followed.own)
        calls = [*self._into_results(carry), *self._through_body()]
        memory.writers.touch(loop.states)
        memory.writers.touch(loop.inputs)
        zeroed = [*memory.writers.zeroed()] if loop.varies else [self._followed.own]
        memory.writers = outer
        for places in (loop.first, loop.captured):
            outer.touch(places.slots[places.varies])
        take_inputs = taking_inputs(loop, self.spaces, self.stacks)
        adding = [*_adding(memory, loop.first, carry)]
        own, last, inputs = slopes[loop.states], slopes[loop.out][:states], slopes[loop.inputs]
        sent = [
            (stack, columns, inputs[rows])
            for rows, stack, columns in column_runs(loop.columns)
            if memory.active.stacks[stack][columns].any()
        ]

        def run() -> None:
            carry[:] = last
            for k in reversed(self._done):
                values[self._rows] = self._kept[k]
                take_inputs(k)
                if self._followed.again:
                    self.body()
                for rows in zeroed:
                    slopes[rows] = 0.0
                self._give_outputs(k)
                _run_all(calls)
                carry[:] = own
                for stack, columns, share in sent:
                    _of_step(memory, stack, k)[columns] += share
            _run_all(adding)

        yield run

    def _into_results(self, carry: Any) -> Iterator[Call]:
        """Yield the calls that add to the adjoints of the next states and of the outputs."""
        memory, loop = self.memory, self.loop
        self._given = np.zeros((len(loop.outputs.slots), self.lanes), memory.u.dtype)
        if loop.kept >= 0 and memory.active.stacks[loop.kept].any():
            memory.writers.touch(loop.outputs.slots[loop.outputs.varies])
            yield from _adding(memory, loop.outputs, self._given)
        memory.writers.touch(loop.following.slots[loop.following.varies])
        yield from _adding(memory, loop.following, carry)

    def _give_outputs(self, k: int) -> None:
        if self.loop.kept >= 0:
            self._given[:] = self.memory.slopes[self.loop.kept].get(k, 0.0)

    def _through_body(self) -> Iterator[Call]:
        memory = self.memory
        for instruction, runner in zip(reversed(self.loop.body), reversed(self._body), strict=True):
            if memory.active.reaches(instruction):
                if instruction.varies:
                    memory.writers.touch(instruction.out)
                if isinstance(runner, FloatTape):  # it has the numbers of its last run
                    yield from runner.forward()
                yield from runner.backward()


def _run_all(calls: Sequence[Call]) -> None:
    for call in calls:
        call()


def _of_step(memory: Memory, stack: int, k: int) -> Any:
    """Return the adjoints of a stack for a step."""
    found = memory.slopes[stack].get(k)
    if found is None:
        form = memory.program.stacks[stack]
        lanes = memory.length if form.varies else 1
        found = memory.slopes[stack][k] = np.zeros((form.columns, lanes), memory.u.dtype)
    return found


def _adding(memory: Memory, places: Places, shares: Any) -> Iterator[Call]:
    """Yield the calls that add rows to the adjoints of places; for `u`, their sums over lanes."""
    chosen = memory.active.at(places)
    for varies in (False, True):
        (here,) = np.nonzero(chosen & (places.varies == varies))
        if len(here):
            share = np.empty((len(here), shares.shape[1])[: 1 + varies], shares.dtype)
            into, part = memory.adding(varies, rows_of(places.slots[here]), share), rows_of(here)
            yield partial(_add, into, share, shares, part)


def _add(into: Call, share: Any, shares: Any, part: Any) -> None:
    """Add the part of some rows to adjoints."""
    if share.ndim == 1:
        np.add.reduce(shares[part], axis=1, out=share)
    else:
        share[:] = shares[part]
    into()
