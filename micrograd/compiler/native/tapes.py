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
    """Return a row for each step."""
    varies, sums, out = tape.varies, np.flatnonzero(tape.code == SUM), slots_of(tape.out)
    rows = np.zeros((len(out), ROW), dtype=np.int64)
    rows[:, Field.COUNT], rows[:, Field.OUT] = 1, out
    for field, slots in zip(Field.OPERANDS, tape.operands.T, strict=False):
        rows[:, field] = slots
    if len(sums):
        for field, word in linked.sums(tape.terms, tape.bounds[sums] if varies else 0).items():
            rows[sums, field] = word
        lengths = np.diff(tape.bounds)[sums]
        rows[sums, Field.STARTS] = lengths if varies else linked.table(tape.bounds) + 8 * sums
    for code, kinds, mode, chosen in _alike(tape):
        if code == SUM:
            rows[chosen, 0] = linked.kernel("sums_v" if varies else "sums_u", mode=mode)
        else:
            rows[chosen, 0] = linked.applying(varies, tape.operations[code], kinds, mode)
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
            names = "v" * arity
            if tape.varies:
                names = "".join("uv"[kind >> i & 1] for i in range(arity))
        chosen = (tape.code == code) & (kinds == kind) & (mode == number)
        yield code, names, str(modes[number]), chosen
