"""Loops on the arrays of a memory, and what goes backwards through loops and stacks.

The adjoints of a stack are an array like the stack, made when something is first added to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from micrograd.compiler.numpy.loops import loop_call, taking_inputs
from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.program.instructions import Product
from micrograd.compiler.program.loop_instructions import Loop, LoopBack, Send, Unpack
from micrograd.compiler.program.slots import Places, in_spaces, rows_of

MOST_KEPT = 2**25
"""The most numbers that are kept of all steps of a loop and all lanes."""


def is_wide(loop: Loop) -> bool:
    """Return whether calls of NumPy are faster for a loop than straight code for its derivative."""
    return loop.varies or any(isinstance(each, Product) for each in loop.body)


class Kept:
    """What is kept of the steps of a loop that is followed backwards, and how to do a step again.

    Args:
        memory: the arrays.
        back: the way back.
    """

    def __init__(self, memory: Memory, back: LoopBack) -> None:
        slots, self.again = back.kept_of(MOST_KEPT // memory.length)
        self.memory, self.space, self.rows = memory, memory.spaces[back.varies], rows_of(slots)
        self.values: dict[int, Any] = {}
        self.steps: list[int] = []  # that were done
        self.body: Call = lambda: None

    def keep(self, k: int) -> None:
        """Keep what is needed of step k."""
        if not self.memory.keeps:
            return
        self.steps.append(k)
        rows = self.space[self.rows]
        if k in self.values:
            self.values[k][:] = rows
        else:
            self.values[k] = rows.copy()

    def restore(self, k: int) -> None:
        """Set the rows to what they were in step k."""
        self.space[self.rows] = self.values[k]


def loop_calls(memory: Memory, loop: Loop, calls: Sequence[Call]) -> Iterator[Call]:
    """Yield the calls for a loop; `calls` run its body once."""
    body, kept = partial(run_all, calls), memory.kept.get(id(loop))
    if kept is None:
        yield loop_call(loop, memory.spaces, memory.stacks, body)
        return
    kept.body = body
    yield kept.steps.clear
    yield loop_call(loop, memory.spaces, memory.stacks, body, kept.keep)


def loop_back_calls(memory: Memory, back: LoopBack, calls: Sequence[Call]) -> Iterator[Call]:
    """Yield the call that follows a loop backwards; `calls` run the body of the way back once."""
    space, kept = memory.spaces[back.varies], memory.kept[id(back.loop)]
    take_inputs = taking_inputs(back.loop, memory.spaces, memory.stacks)
    zeroed = [space[rows] for rows in back.zeroed]
    sent = [(stack, columns, space[rows]) for rows, stack, columns in back.sent]
    given, giving = np.zeros((0, 1)), []
    if back.given is not None:
        _, places, chosen = back.given
        given = np.zeros((len(places.slots), space.shape[1]), space.dtype)
        giving = [*_adding(memory, places, chosen, given)]

    def run() -> None:
        slopes = memory.stacks[back.given[0]] if back.given else None
        for k in reversed(kept.steps):
            kept.restore(k)
            take_inputs(k)
            if kept.again:
                kept.body()
            for rows in zeroed:
                rows.fill(0.0)
            if slopes is not None:
                given[:] = slopes[k]
                run_all(giving)
            run_all(calls)
            for stack, columns, share in sent:
                _adjoints(memory, stack)[k, columns] += share

    yield run


def unpack_calls(memory: Memory, unpack: Unpack) -> Iterator[Call]:
    """Yield the calls that pass the adjoints of a stack on to its entries."""
    lanes = memory.spaces[unpack.varies].shape[1]
    shares = np.empty((len(unpack.places.slots), lanes), memory.u.dtype)
    of_steps = shares.reshape(-1, unpack.columns, lanes)

    def read() -> None:
        slopes = memory.stacks[unpack.stack]
        of_steps[:] = 0.0 if slopes is None else slopes

    yield read
    yield from _adding(memory, unpack.places, unpack.chosen, shares)


def send_calls(memory: Memory, send: Send) -> Iterator[Call]:
    """Yield the call that adds adjoints to those of entries of a stack."""
    elements, stack = send.elements, send.elements.stack
    share, entries = memory.spaces[send.varies][elements.out], (elements.steps, elements.columns)
    yield lambda: np.add.at(_adjoints(memory, stack), entries, share)


def run_all(calls: Sequence[Call]) -> None:
    """Run calls in order."""
    for call in calls:
        call()


def _adjoints(memory: Memory, stack: int) -> Any:
    """Return the adjoints of a stack."""
    found = memory.stacks[stack]
    if found is None:
        values = memory.stacks[stack - len(memory.program.stacks)]
        found = memory.stacks[stack] = np.zeros_like(values)
    return found


def _adding(memory: Memory, places: Places, chosen: Any, shares: Any) -> Iterator[Call]:
    """Yield the calls that add rows to chosen places; for `u`, their sums over lanes."""
    for varies, here in in_spaces(places.varies, chosen):
        share = np.empty((len(here), shares.shape[1])[: 1 + varies], shares.dtype)
        into = memory.adding(varies, rows_of(places.slots[here]), share, "add")
        yield partial(_add, into, share, shares, rows_of(here))


def _add(into: Call, share: Any, shares: Any, part: Any) -> None:
    """Add the part of some rows to adjoints."""
    if share.ndim == 1:
        np.add.reduce(shares[part], axis=1, out=share)
    else:
        share[:] = shares[part]
    into()
