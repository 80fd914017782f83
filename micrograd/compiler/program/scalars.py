"""Instructions number by number, for straight code."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.instructions import (
    SUM,
    Elementwise,
    Fold,
    Product,
    Tape,
    Term,
    WeightedSums,
)
from micrograd.compiler.program.program import Instruction
from micrograd.compiler.program.slots import Place, slots_of
from micrograd.ops import Operation


class Scalar(NamedTuple):
    """How one result of an instruction is computed.

    Args:
        slot: the slot of the result.
        operation: what is applied to the operands, in a fold to the first two, then to the result
            and the next; None for a sum.
        operands: their places.
        terms: those of a sum.
    """

    slot: int
    operation: Operation | Flow | None
    operands: list[Place]
    terms: list[Term]


def scalars(step: Instruction) -> Iterator[Scalar]:
    """Yield how each result is computed; nothing for loops, stacks and lookups."""
    match step:
        case Elementwise(operation=row, operands=operands):
            columns = [
                [(varies, slot) for slot in slots_of(rows).tolist()] for varies, rows in operands
            ]
            for slot, *places in zip(slots_of(step.out).tolist(), *columns, strict=True):
                yield Scalar(slot, row, places, [])
        case WeightedSums():
            for slot, terms in step.sums():
                yield Scalar(slot, None, [], terms)
        case Product(varies=varies, bias=bias, mode=mode):
            starts: list[list[Term]] = [[] for _ in step.matrix]
            if bias is not None:
                starts = [[(1.0, (False, slot), None)] for slot in slots_of(bias).tolist()]
            slots, matrix = iter(slots_of(step.out).tolist()), step.matrix.tolist()
            for vector in step.inputs.tolist():
                for start, row in zip(starts, matrix, strict=True):
                    factors = zip(row, vector, strict=True)
                    terms = [(1.0, (mode == "total", a), (varies, b)) for a, b in factors]
                    yield Scalar(next(slots), None, [], [*start, *terms])
        case Fold(varies=varies, operation=row):
            folded, bounds = step.slots.tolist(), pairwise(step.bounds.tolist())
            for slot, (first, last) in zip(slots_of(step.out).tolist(), bounds, strict=True):
                yield Scalar(slot, row, [(varies, each) for each in folded[first:last]], [])
        case Tape():
            sums = step.terms._replace(out=step.out, start=step.bounds[:-1]).sums()
            held = zip(step.operands_vary.tolist(), step.operands.tolist(), strict=True)
            for (slot, terms), code, pair in zip(sums, step.code.tolist(), held, strict=True):
                applied = None if code == SUM else step.operations[code]
                read = [*zip(*pair, strict=True)][: applied.arity if applied else 0]
                yield Scalar(slot, applied, read, terms)
