"""Finds which adjoints a program needs, and which instruction writes each of them first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrograd.compiler.program import Elementwise, Fold, Product, Program, Rows, Tape, WeightedSums


def active(program: Program, inputs: bool) -> tuple[Any, Any]:
    """Return which slots of `u` and of `v` need an adjoint.

    Args:
        program: the program.
        inputs: whether the adjoints of the inputs are asked for; those of the parameters always
            are.

    Returns:
        Two arrays of truth values: the slots whose values depend on what is asked for.
    """
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
    """Tells which instruction writes an adjoint of `v` first, while going backwards.

    The first instruction to write neighbouring rows may store; the others add. Rows that are added
    to or read before anything was stored have to be set to zero at the start.

    Args:
        program: the program whose instructions are gone through backwards.
    """

    def __init__(self, program: Program) -> None:
        self._stored = np.zeros(program.varying, bool)
        self._zeroed = np.zeros(program.varying, bool)
        for varies, slot in program.outputs:
            if varies:
                self._stored[slot] = True  # the seed

    def stores(self, rows: Rows) -> bool:
        """Return whether an instruction stores these rows, as their first writer; else it adds."""
        if isinstance(rows, slice) and not self._stored[rows].any():
            self._stored[rows] = True
            return True
        self.touch(rows)
        return False

    def touch(self, rows: Rows) -> None:
        """Note that rows are added to or read, so that those never stored must begin at zero."""
        self._zeroed[rows] |= ~self._stored[rows]
        self._stored[rows] = True

    def zeroed(self) -> Iterator[slice]:
        """Yield the rows that must begin at zero, as runs of neighbours."""
        edges = np.flatnonzero(np.diff(np.concatenate(([False], self._zeroed, [False]))))
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield slice(start, stop)
