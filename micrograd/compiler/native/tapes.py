"""Turns tapes into rows of words, one for each step; places of results are used again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.native.rows import ROW, Field
from micrograd.compiler.program import SUM, Program, Tape, slots_read

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked


def forward(linked: Linked, tape: Tape) -> Any:
    """Return a row for each step, and in `u` one for sums that follow each other."""
    varies = tape.varies
    rows = _rows(linked, tape)
    for code, kinds, chosen in _alike(tape):
        if code == SUM:
            rows[chosen, 0] = linked.kernel("sums_v" if varies else "sums_u")
        else:
            rows[chosen, 0] = linked.value(varies, tape.operations[code], kinds)
    if varies:
        return rows
    sums = tape.code == SUM
    first = ~sums | _begins(sums)
    rows = rows[first]
    rows[:, Field.COUNT] = np.diff(np.append(np.flatnonzero(first), len(sums)))
    return rows


def _begins(sums: Any) -> Any:
    """Return which steps are the first of some sums that follow each other."""
    return sums & ~np.append(False, sums[:-1])


def _rows(linked: Linked, tape: Tape) -> Any:
    """Return the rows without their kernels: where the steps read and write."""
    varies, count = tape.varies, len(tape.code)
    rows = np.zeros((count, ROW), dtype=np.int64)
    rows[:, Field.COUNT] = 1
    rows[:, Field.OUT] = np.arange(tape.out.start, tape.out.stop)
    operands, terms = tape.operands, tape.terms
    if varies and not linked.differentiable and not linked.has_loops:
        place = np.arange(linked.program.varying)
        place[tape.out] = rows[:, Field.OUT] = _reused(linked.program, tape)
        linked.rows -= count - len(np.unique(rows[:, Field.OUT]))
        operands = np.where(tape.operands_vary, place[operands], operands)
        left, right = (np.where(kinds, place[slots], slots) for slots, kinds in terms.sides)
        terms = terms._replace(left=left, right=right)
    rows[:, Field.ADJOINT] = rows[:, Field.OUT] + linked.shift(varies)
    for field, slots in zip(Field.OPERANDS, operands.T, strict=True):
        rows[:, field] = linked.identity + 8 * slots if varies else slots
    sums = np.flatnonzero(tape.code == SUM)
    if len(sums):
        words = linked.sums(terms)
        for field in (Field.LEFT, Field.RIGHT, Field.SIGN, Field.FLAGS, Field.SHIFT_U):
            rows[sums, field] = words[field]
        rows[sums, Field.SHIFT] = words[Field.SHIFT]
        rows[sums, Field.STARTS] = linked.table(tape.bounds) + 8 * sums
    return rows


def backward(linked: Linked, tape: Tape) -> Any:
    """Return rows for the operands of each step, the last step first; one for a whole sum."""
    varies, rows = tape.varies, _rows(linked, tape)
    parts, order = [], []
    for code, kinds, chosen in _alike(tape):
        steps = np.flatnonzero(chosen)
        if code == SUM:
            if not varies:
                steps = np.flatnonzero(_begins(chosen))
            part = rows[steps]
            if not varies:
                ends = np.flatnonzero(_begins(chosen[::-1])[::-1])
                part[:, Field.COUNT] = ends + 1 - steps
            part[:, 0] = linked.kernel("sums_back_v" if varies else "sums_back_u")
            parts.append(part)
            order.append(-3 * steps)
            continue
        row = tape.operations[code]
        for place, kind in enumerate(kinds):
            if row.flow(place) is None:
                continue
            space = kind == "v"
            active = steps[linked.active[space][tape.operands[steps, place]]]
            if not len(active):
                continue
            part = rows[active]
            part[:, 0] = linked.flow(varies, row, place, kinds, "add" if space else "")
            part[:, Field.SHIFT] = linked.shift(space)
            parts.append(part)
            order.append(place - 3 * active)
    found = np.concatenate(parts)
    return found[np.argsort(np.concatenate(order), kind="stable")]


def _alike(tape: Tape) -> Iterator[tuple[int, str, Any]]:
    """Yield the code and the kinds of operands of steps that are alike, and which they are."""
    kinds = tape.operands_vary @ np.array([1, 2, 4])
    keys = tape.code * 8 + np.where(tape.code == SUM, 0, kinds)
    for key in np.unique(keys).tolist():
        code, kind = divmod(key, 8)
        names = ""
        if code != SUM:
            arity = tape.operations[code].arity
            names = "s" * arity
            if tape.varies:
                names = "".join("uv"[kind >> i & 1] for i in range(arity))
        yield code, names, keys == key


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
