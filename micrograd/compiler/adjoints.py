"""Which adjoints a program needs, and which of its instructions writes each of them first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrograd.compiler.program import Elementwise, Fold, Product, Program, Rows, Tape, WeightedSums


def active(program: Program, inputs: bool) -> tuple[Any, Any]:
    """Which slots of `u` and of `v` a gradient is asked for, or lead to one that it is."""
    active = (np.zeros(program.uniform, bool), np.zeros(program.varying, bool))
    active[False][: program.parameters] = True
    if inputs:
        active[program.batched][slice(*program.input_slots)] = True
    for instruction in program.instructions:
        match instruction:
            case Elementwise(varies=varies, out=out, operands=operands):
                marks = np.zeros(out.stop - out.start, bool)
                for operand in operands:
                    marks |= active[operand.varies][operand.rows]
                active[varies][out] = marks
            case Product(varies=varies, out=out, matrix=matrix, inputs=vectors, bias=bias):
                marks = active[False][matrix].any(axis=1) | active[varies][vectors].any()
                if bias is not None:
                    marks |= active[False][bias]
                active[varies][out] = np.tile(marks, len(vectors))
            case Fold():
                pass
            case WeightedSums() | Tape():
                active[instruction.varies][instruction.out] = True
    return active


class FirstWriters:
    """Who writes the adjoints of rows of `v` first, while instructions are walked backwards.

    The first one to write a run of rows stores, others add. What is added to or read before it was
    stored has to be zeroed at the start; what nobody writes stays zero.
    """

    def __init__(self, program: Program) -> None:
        self._stored = np.zeros(program.varying, bool)
        self._zeroed = np.zeros(program.varying, bool)
        for varies, slot in program.outputs:
            if varies:
                self._stored[slot] = True  # the seed

    def stores(self, rows: Rows) -> bool:
        """Whether neighbouring rows are written first now; else they are added to."""
        if isinstance(rows, slice) and not self._stored[rows].any():
            self._stored[rows] = True
            return True
        self.touch(rows)
        return False

    def touch(self, rows: Rows) -> None:
        """Rows are added to or read: those that nothing has stored begin at zero."""
        self._zeroed[rows] |= ~self._stored[rows]
        self._stored[rows] = True

    def zeroed(self) -> Iterator[slice]:
        """What begins at zero, as runs of neighbours."""
        edges = np.flatnonzero(np.diff(np.concatenate(([False], self._zeroed, [False]))))
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield slice(start, stop)
