"""Turns tapes into rows of words, one for each step, and writes the kernel that runs these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.native.driver import write_run
from micrograd.compiler.native.rows import STEP, Field, Spec
from micrograd.compiler.native.writing import Writer
from micrograd.compiler.program.instructions import SUM, Tape
from micrograd.compiler.program.slots import slots_of

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked


def steps(w: Writer, _: Spec) -> str:
    """Write the kernel that carries out the rows of a tape."""
    run = write_run(w, STEP)
    row, u, v, lanes = w.kernel()
    count, code = w.words(row, Field.COUNT, Field.LEFT)
    w.build.call(run, [w.pointer(code), count, u, v, lanes])
    return w.finished()


def rows(linked: Linked, tape: Tape) -> Any:
    """Return a row for each step, and one for sums in `u` that follow each other."""
    varies, sums, out = tape.varies, np.flatnonzero(tape.code == SUM), slots_of(tape.out)
    rows = np.zeros((len(out), STEP), dtype=np.int64)
    rows[:, Field.COUNT], rows[:, Field.OUT] = 1, out
    for field, slots in zip(Field.OPERANDS, tape.operands.T, strict=False):
        rows[:, field] = slots
    single = tape.modes is not None  # each sum has one term
    if len(sums):
        first = tape.bounds[sums] if varies or single else 0
        for field, word in linked.sums(tape.terms, first).items():
            rows[sums, field] = word
        if varies:
            rows[sums, Field.STARTS] = np.diff(tape.bounds)[sums]
        else:
            rows[sums, Field.OUT] = linked.table(out) + 8 * sums
            rows[sums, Field.STARTS] = linked.table(tape.bounds) + 8 * sums
    for code, kinds, mode, chosen in _alike(tape):
        if code != SUM:
            name = "run" if varies else "step"
            rows[chosen, 0] = linked.applying(varies, tape.operations[code], kinds, mode, name=name)
        elif varies:
            rows[chosen, 0] = linked.kernel("sums_v", mode=mode)
        else:
            rows[chosen, 0] = linked.kernel("terms_u" if single else "sums_u", into="g", mode=mode)
    joined = (tape.code == SUM) & (not varies)
    kernels = np.where(joined, rows[:, 0], -1 - np.arange(len(out)))
    first = np.flatnonzero(np.append(True, kernels[1:] != kernels[:-1]))
    rows = rows[first]
    rows[:, Field.COUNT] = np.diff(first, append=len(out))
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
