"""The instructions of a program that compute or pass on adjoints without a loop.

Each is wide: it computes many results at once, whose slots are neighbours. The backward pass has
instructions of the same kinds (see `micrograd.compiler.program.reverse`). Adjoints are in slots of
their own, and what an instruction does with them is its mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.slots import Operand, Place, Rows, slots_of
from micrograd.ops import Operation

SUM = -1  # the code of a weighted sum, among those of operations
Term = tuple[float, Place, "Place | None"]  # of a sum: the sign, and the factors
Mode = Literal["value", "first", "add", "total"]
"""What an instruction does with its results: store values; store adjoints, as their first writer;
add to adjoints; or, in an instruction that varies, add the sums over the batch to adjoints in `u`.

In the modes of adjoints, a product stops at a factor of zero, in executors where it can.
"""


class Elementwise(NamedTuple):
    """`out = operation(*operands)`, one slot at a time."""

    varies: bool
    out: Rows  # a slice, unless they are adjoints
    operation: Operation | Flow
    operands: tuple[Operand, ...]
    mode: Mode = "value"


class Product(NamedTuple):
    """`out[i] = matrix @ inputs[i] + bias` for several input vectors and one matrix of `u`.

    `matrix` is an array of slots of `u`, of the shape of the matrix; in the mode "total", both are
    in `v`. `inputs` is an array of slots of the space of the instruction, with a row for each input
    vector. The outputs of one vector follow each other in `out`, which is a slice unless they are
    adjoints. `bias` has a slot of `u` for each row of the matrix, or is None.
    """

    varies: bool
    out: Rows
    matrix: Any
    inputs: Any
    bias: Rows | None
    mode: Mode = "value"


class WeightedSums(NamedTuple):
    """`out[i]` is the sum of `sign * left * right` over terms, from `start[i]` to `start[i + 1]`.

    `left` and `right` are slots, of `v` where `left_varies` and `right_varies` are true. For a term
    that has no second factor, `right` is -1. `out` is a slice, unless they are adjoints.
    """

    varies: bool
    out: Rows
    start: Any
    sign: Any
    left: Any
    left_varies: Any
    right: Any
    right_varies: Any
    mode: Mode = "value"

    @property
    def columns(self) -> tuple[Any, Any, Any, Any, Any]:
        """The arrays with an entry for each term: the sign, and the factors with their spaces."""
        return self[3:8]

    @property
    def sides(self) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """The slots of the left and of the right factors, and which of them are in `v`."""
        return (self.left, self.left_varies), (self.right, self.right_varies)

    @property
    def bounds(self) -> Any:
        """Where the terms of each sum begin, and where those of the last one end."""
        return np.append(self.start, len(self.left))

    def terms(self) -> list[tuple[float, int, bool, int, bool]]:
        """Return the sign and the factors of each term, each as a slot and whether it is in `v`."""
        return [*zip(*(column.tolist() for column in self.columns), strict=True)]

    def sums(self) -> Iterator[tuple[int, list[Term]]]:
        """Yield the slot of each sum, and its terms."""
        terms: list[Term] = [
            (sign, (left_varies, left), None if right < 0 else (right_varies, right))
            for sign, left, left_varies, right, right_varies in self.terms()
        ]
        slots = slots_of(self.out).tolist()
        for slot, (first, last) in zip(slots, pairwise(self.bounds.tolist()), strict=True):
            yield slot, terms[first:last]


class Fold(NamedTuple):
    """`out[i]` is the maximum or minimum of the slots from `start[i]` to `start[i + 1]`.

    All slots are in the space of the instruction. No gradient passes through a fold.
    """

    varies: bool
    out: slice
    operation: Operation
    start: Any
    slots: Any

    @property
    def bounds(self) -> Any:
        """Where the slots of each fold begin, and where those of the last one end."""
        return np.append(self.start, len(self.slots))


class Lookup(NamedTuple):
    """`out[j] = table[k, j]`, where k is the number at `at`; nan outside of the table.

    `table` has a row of slots for each entry, all of them of `v` if `table_varies` is true, or of
    `u`.
    """

    varies: bool
    out: slice
    at: Operand
    table_varies: bool
    table: Any


class Scatter(NamedTuple):
    """`table[k, j] += read[j]`, where k is the number at `at`, unless there is no such entry.

    It passes the adjoints of a `Lookup` on. `table` has a row of slots for each entry, of `u` in
    the mode "total", and `out` has all of them.
    """

    varies: bool
    out: Rows
    at: Operand
    table: Any
    read: slice
    mode: Mode


class Tape(NamedTuple):
    """Steps one after the other: a narrow part of a graph, where hardly any can go side by side.

    Step i computes the slot i of `out`, a slice unless they are adjoints. It is the operation
    `operations[code[i]]` of the slots in row i of `operands`; or, if `code[i]` is SUM, the weighted
    sum of the terms from `bounds[i]` to `bounds[i + 1]`. `terms` has the terms of all sums; its
    `start` and `out` are not used. `modes` has the mode of each step, or is None if all are values.
    """

    varies: bool
    out: Rows
    operations: tuple[Operation | Flow, ...]
    code: Any
    operands: Any  # a row of slots for each step, -1 where there are fewer
    operands_vary: Any
    bounds: Any
    terms: WeightedSums
    modes: Any = None

    def steps(self) -> Iterator[Elementwise | WeightedSums]:
        """Yield the steps as instructions."""
        slots, kinds = self.operands.tolist(), self.operands_vary.tolist()
        outs = zip(slots_of(self.out).tolist(), self.mode_of_each(), strict=True)
        for i, (code, (slot, mode)) in enumerate(zip(self.code.tolist(), outs, strict=True)):
            out = slice(slot, slot + 1)
            if code == SUM:
                part = slice(int(self.bounds[i]), int(self.bounds[i + 1]))
                columns = (column[part] for column in self.terms.columns)
                start = np.zeros(1, np.intp)
                yield WeightedSums(self.varies, out, start, *columns)._replace(mode=mode)
            else:
                row = self.operations[code]
                read = (
                    Operand(varies, slice(slot, slot + 1))
                    for slot, varies in zip(slots[i][: row.arity], kinds[i], strict=False)
                )
                yield Elementwise(self.varies, out, row, tuple(read), mode)

    def mode_of_each(self) -> list[Mode]:
        """Return the mode of each step."""
        return ["value"] * len(self.code) if self.modes is None else self.modes.tolist()
