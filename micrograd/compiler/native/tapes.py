"""Turns tapes into rows of words, one for each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.native.rows import ROW, Field
from micrograd.compiler.program.instructions import SUM, Tape
from micrograd.compiler.program.slots import slots_of

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked


def rows(linked: Linked, tape: Tape) -> Any:
    """Return a row for each step, and one for sums that follow each other."""
    varies, sums, out = tape.varies, np.flatnonzero(tape.code == SUM), slots_of(tape.out)
    single = not varies and tape.modes is not None  # each sum has one term
    rows = np.zeros((len(out), ROW), dtype=np.int64)
    rows[:, Field.COUNT], rows[:, Field.OUT] = 1, out
    for field, slots in zip(Field.OPERANDS, tape.operands.T, strict=False):
        rows[:, field] = linked.identity + 8 * slots if varies else slots
    if len(sums):
        rows[sums, Field.OUT] = linked.table(out) + 8 * sums
        rows[sums, Field.STARTS] = linked.table(tape.bounds) + 8 * sums
        for field, word in linked.sums(tape.terms).items():
            size = 4 if field == Field.SIGN and linked.kind == "float32" else 8
            rows[sums, field] = word + single * size * np.arange(len(sums))
    for code, kinds, mode, chosen in _alike(tape):
        if code == SUM:
            rows[chosen, 0] = linked.summing(varies, "g", mode, single=single)
        else:
            rows[chosen, 0] = linked.value(varies, tape.operations[code], kinds, mode)
    kernels = np.where(tape.code == SUM, rows[:, 0], -1 - np.arange(len(out)))
    first = np.append(True, kernels[1:] != kernels[:-1])
    rows = rows[first]
    rows[:, Field.COUNT] = np.diff(np.append(np.flatnonzero(first), len(out)))
    return rows


def _alike(tape: Tape) -> Iterator[tuple[int, str, str, Any]]:
    """Yield the code, the kinds of operands and the mode of steps that are alike, and which."""
    bits = 1 << np.arange(tape.operands.shape[1])
    kinds = np.where(tape.code == SUM, 0, tape.operands_vary @ bits)
    modes, mode = np.unique(tape.mode_of_each(), return_inverse=True)
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
