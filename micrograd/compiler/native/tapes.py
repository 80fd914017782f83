"""Turns tapes into rows of words, one for each step; places of results are used again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.instructions import SUM, Tape
from micrograd.compiler.native.rows import ROW, Field
from micrograd.compiler.native.sums import FIRST, TOTAL
from micrograd.compiler.program import Program, slots_read
from micrograd.compiler.slots import slots_of

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked


def rows(linked: Linked, tape: Tape) -> Any:
    """Return a row for each step, and one for sums that follow each other."""
    varies, sums = tape.varies, tape.code == SUM
    rows = _rows(linked, tape)
    name, into = ("sums", "s") if tape.modes is None else ("terms", "g")
    for code, kinds, mode, chosen in _alike(tape):
        if code == SUM:
            rows[chosen, 0] = linked.kernel(f"{name}_{'uv'[varies]}", into=into)
        else:
            rows[chosen, 0] = linked.value(varies, tape.operations[code], kinds, mode)
    if varies and tape.modes is None:
        return rows  # whose results are not neighbours
    first = ~sums | ~np.append(False, sums[:-1])
    rows = rows[first]
    rows[:, Field.COUNT] = np.diff(np.append(np.flatnonzero(first), len(sums)))
    return rows


def _rows(linked: Linked, tape: Tape) -> Any:
    """Return the rows without their kernels: where the steps read and write."""
    varies, out = tape.varies, slots_of(tape.out)
    rows = np.zeros((len(out), ROW), dtype=np.int64)
    rows[:, Field.COUNT] = 1
    operands, terms = tape.operands, tape.terms
    if varies and not linked.differentiable and not linked.has_loops:
        place = np.arange(linked.program.varying)
        place[out] = out = _reused(linked.program, tape)
        linked.rows -= len(out) - len(np.unique(out))
        operands = np.where(tape.operands_vary, place[operands], operands)
        left, right = (np.where(kinds, place[slots], slots) for slots, kinds in terms.sides)
        terms = terms._replace(left=left, right=right)
    rows[:, Field.OUT] = out
    for field, slots in zip(Field.OPERANDS, operands.T, strict=False):
        rows[:, field] = linked.identity + 8 * slots if varies else slots
    sums = np.flatnonzero(tape.code == SUM)
    if not len(sums):
        return rows
    if tape.modes is None:
        words = linked.sums(terms)
        rows[sums, Field.STARTS] = linked.table(tape.bounds) + 8 * sums
    else:  # single terms
        modes = tape.modes[sums]
        words = linked.sums(terms, FIRST * (modes == "first") | TOTAL * (modes == "total"))
        rows[sums, Field.OUT] = linked.table(out) + 8 * sums
    for field in (Field.LEFT, Field.RIGHT, Field.SIGN, Field.FLAGS):
        rows[sums, field] = words[field]
        if tape.modes is not None:
            size = 4 if field == Field.SIGN and linked.kind == "float32" else 8
            rows[sums, field] += size * np.arange(len(sums))
    return rows


def _alike(tape: Tape) -> Iterator[tuple[int, str, str, Any]]:
    """Yield the code, the kinds of operands and the mode of steps that are alike, and which."""
    bits = 1 << np.arange(tape.operands.shape[1])
    kinds = np.where(tape.code == SUM, 0, tape.operands_vary @ bits)
    modes, mode = np.unique(tape.mode_of_each(), return_inverse=True)
    mode = np.where(tape.code == SUM, 0, mode)
    keys = np.stack([tape.code, kinds, mode], axis=1)
    key = ((tape.code - SUM) << bits.size | kinds) * len(modes) + mode
    for code, kind, number in keys[np.unique(key, return_index=True)[1]].tolist():
        names = ""
        if code != SUM:
            arity = tape.operations[code].arity
            names = "s" * arity
            if tape.varies:
                names = "".join("uv"[kind >> i & 1] for i in range(arity))
        chosen = (tape.code == code) & (kinds == kind) & (mode == number)
        yield code, names, str(modes[number]), chosen


# ----------------------------------------------------------------------- places that are used again


def _reused(program: Program, tape: Tape) -> Any:
    """Return the place in `v` of the result of each step, if no gradient is computed.

    A result that only the tape itself reads takes the place of one that is no longer read.
    """
    first, count = tape.out.start, len(tape.code)
    kept = np.zeros(program.varying, bool)
    kept[[slot for varies, slot in program.outputs if varies]] = True
    for instruction in program.instructions:
        if instruction is not tape:
            for slots, varies in slots_read(instruction):
                kept[slots[varies]] = True
    last = np.full(program.varying, -1)
    steps = np.arange(count)
    terms = np.repeat(steps, np.diff(tape.bounds))
    for (slots, varies), readers in zip(
        slots_read(tape), (steps, steps, steps, terms, terms), strict=True
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
