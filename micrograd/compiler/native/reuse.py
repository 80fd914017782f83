"""Places of results that are used again, so that what a long tape works on stays in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrograd.compiler.program import (
    Elementwise,
    Fold,
    Instruction,
    Product,
    Program,
    Tape,
    WeightedSums,
)


def reused(program: Program, tape: Tape) -> Any:
    """The place in `v` of the result of each step, where no gradient needs it later.

    A result that only the tape itself reads takes the place of one that is not read any more.
    """
    first, count = tape.out.start, len(tape.code)
    kept = np.zeros(program.varying, bool)
    kept[[slot for varies, slot in program.outputs if varies]] = True
    for instruction in program.instructions:
        if instruction is not tape:
            for slots, varies in _read(instruction):
                kept[slots[varies]] = True
    last = np.full(program.varying, -1)
    steps = np.arange(count)
    terms = np.repeat(steps, np.diff(tape.bounds))
    for (slots, varies), readers in zip(
        _read(tape), (steps, steps, steps, terms, terms), strict=True
    ):
        np.maximum.at(last, slots[varies], readers[varies])
    ending: list[list[int]] = [[] for _ in range(count)]
    for slot in np.flatnonzero(~kept[tape.out] & (last[tape.out] >= 0)) + first:
        ending[last[slot]].append(int(slot) - first)
    places, free = [*range(first, first + count)], []
    own = (~kept[tape.out]).tolist()
    for i, ended in enumerate(ending):
        free += [places[each] for each in ended]
        if own[i] and free:
            places[i] = free.pop()
    return np.array(places)


def _read(instruction: Instruction) -> Iterator[tuple[Any, Any]]:
    """The slots that an instruction reads, and which of them are of `v`."""
    match instruction:
        case Elementwise(out=out, operands=operands):
            everything = np.arange(out.stop)
            for varies, rows in operands:
                slots = np.asarray(everything[rows] if isinstance(rows, slice) else rows)
                yield slots, np.full(slots.shape, varies)
        case Product(varies=varies, inputs=inputs):
            yield inputs, np.full(inputs.shape, varies)
        case Fold(varies=varies, slots=slots):
            yield slots, np.full(slots.shape, varies)
        case WeightedSums(left=left, left_varies=kinds, right=right, right_varies=others):
            yield left, kinds
            yield right, others
        case Tape(operands=operands, operands_vary=kinds, terms=terms):
            yield from zip(operands.T, kinds.T, strict=True)
            yield from _read(terms)
