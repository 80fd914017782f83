"""Decides when the batched part of a program is fused into one kernel, and keeps that kernel.

On programs of 30 to 600 results, LLVM took about a millisecond for each result, and a fused kernel
saved about half a nanosecond for each result and sample. So it has paid for itself after some two
million samples, whatever the program is. As the code is kept on disk, it is made earlier: by the
first call that finds FUSED_AFTER samples done by calls before it.
"""

from __future__ import annotations

from hashlib import sha256
from typing import get_args

import numpy as np

from micrograd.compiler.executor import Call
from micrograd.compiler.native.linking import Linked
from micrograd.compiler.native.machine import Machine
from micrograd.compiler.native.regions import write_region
from micrograd.compiler.program.instructions import (
    Elementwise,
    Fold,
    Lookup,
    Product,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.slots import Operand, even_matrix

FUSED_AFTER = 25_000
"""The number of samples that the kernels of single instructions compute before fusion."""
LARGEST_MATRIX = 100
"""The most numbers of a matrix of constants whose products are fused. The kernel of products keeps
blocks of rows in registers: with 8 x 8 numbers it takes as long as fused code, with 12 x 12 a tenth
less, and with 32 x 32 less than half as long."""
LARGEST_LEARNED = 24
"""The same for a matrix of parameters. Fused code keeps a sum over the samples for each of them: it
is up to a quarter faster with 4 x 4 numbers, two to three times as fast with 1 x 8, and a quarter
slower with 1 x 40."""
LONGEST_TABLE = 1_000
"""The most entries of a table whose places are written one by one into a fused kernel."""
MOST_LINES = 20_000
"""The longest code of a kernel. LLVM takes some 1.5 s for that much, and from there on its time
grows faster than the code."""


class Fusion:
    """The fused kernels of a program, for each kind of call.

    Args:
        linked: the program as rows of single instructions.
        machine: compiles the kernels.
    """

    def __init__(self, linked: Linked, machine: Machine) -> None:
        self.linked, self.machine = linked, machine
        self.waiting = dict.fromkeys(get_args(Call), _fits(linked))  # if there may be one later
        self.kernels: dict[Call, int | None] = dict.fromkeys(self.waiting)  # their addresses
        self._samples = dict.fromkeys(self.waiting, 0)

    def kernel(self, call: Call, samples: int) -> int | None:
        """Return the address of the fused kernel for a call with this many samples, or None.

        It takes the place of the rows of `linked.varying` and, for a gradient, of those of
        `linked.varying_back` as well.
        """
        if self.waiting[call]:
            if self._samples[call] >= FUSED_AFTER:
                self._fuse(call)
            self._samples[call] += samples
        return self.kernels[call]

    def _fuse(self, call: Call) -> None:
        text = write_region(self.linked, self.machine.width, MOST_LINES, call)
        if text is not None:
            digest = sha256(text.encode()).hexdigest()
            self.kernels[call] = self.machine.address(f"region {digest}", lambda: text)
        self.waiting[call] = False


def _fits(linked: Linked) -> bool:
    """Return whether all instructions of a program that vary over a batch are simple.

    A product with a large matrix has a kernel of its own, which works on many numbers at once.
    """
    several = 0
    if linked.program.varying > MOST_LINES:  # each result takes a line at least
        return False
    for each in linked.program.instructions:
        match each:
            case Product(varies=True, matrix=matrix):
                is_learned = linked.active[False][matrix].any()
                if matrix.size > (LARGEST_LEARNED if is_learned else LARGEST_MATRIX):
                    return False
                if is_learned and np.unique(matrix).size < matrix.size:
                    return False  # the sums of shared parameters would be added in another order
                several += 1
            case Elementwise(varies=True) | WeightedSums(varies=True) | Fold(varies=True):
                several += 1
            case Tape(varies=True):
                several += 2
            case Lookup(at=Operand(varies=True), table_varies=False, table=table):
                if table.size > LONGEST_TABLE and even_matrix(table) is None:
                    return False
                several += 1
            case _ if each.varies:
                return False
    return several > 0
