"""Writes the batched part of a program as one kernel of straight code, forwards and backwards.

The kernels of single instructions read and write a row of memory for each operation. Here, all
values of a vector of samples stay in registers from the inputs to the output and back to the
adjoints of the inputs. The operations are the same as in those kernels, and those that depend on
each other come in the same order, so that the numbers are the same, apart from the sign of a zero
in a gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any, cast

import numpy as np

from micrograd.compiler.native.driver import Frame
from micrograd.compiler.native.elementwise import stopped
from micrograd.compiler.native.linking import Linked
from micrograd.compiler.native.lowering import Functions, Lowering
from micrograd.compiler.native.product_linking import contiguous
from micrograd.compiler.native.writing import Writer, word
from micrograd.compiler.program import (
    Elementwise,
    Fold,
    Instruction,
    Place,
    Product,
    Term,
    WeightedSums,
    slots_of,
    slots_read,
    without_tapes,
)
from micrograd.ops import Operation
from micrograd.table.formulas import ADJOINT, RESULT, Tree

_FEW = 16  # this many inputs of a block take up half of the nearest cache


def write_region(linked: Linked, width: int, most: int, *, backwards: bool) -> str | None:
    """Return the module of a kernel of all instructions that vary over the batch.

    The second word of its row is the address of the frame. It reads the rows of the inputs and
    numbers of `u`, and writes the rows of the outputs. If it goes backwards, it also reads the
    adjoint of the output and writes those of the inputs, and it adds to the adjoints of numbers of
    `u`, each contribution summed over the block of samples.

    Args:
        linked: the program, with the places of all slots.
        width: the number of doubles in a vector register.
        most: the most lines of straight code.
        backwards: whether adjoints are passed back.

    Returns:
        The text, or None if the code would be longer.
    """
    writer = _RegionWriter(linked, width, most)
    try:
        return writer.write(backwards=backwards)
    except _TooLongError:
        return None


class _TooLongError(Exception):
    """The code would have too many lines."""


class _RegionWriter:
    def __init__(self, linked: Linked, width: int, most: int) -> None:
        self.linked, self.program, self.most = linked, linked.program, most
        self.w = w = Writer(linked.kind, width)
        self.row, self.u, self.v, self.lanes = w.kernel()
        self.lowering, self.zero = Lowering(w, w.width), w.constant(0.0, w.width)
        self.values: dict[Place, Any] = {}
        self.adjoints: dict[int, Any] = {}  # of slots of `v`
        # What is added to adjoints of `u` after the loop: the slot, the sum of a vector of lanes,
        # and its factors.
        self.totals: list[tuple[int, Any, float, int | None]] = []
        self.first = w.build.block
        self.i: Any = None

    def write(self, *, backwards: bool) -> str:
        """Return the module."""
        w, program = self.w, self.program
        instructions = [*without_tapes(each for each in program.instructions if each.varies)]
        outputs = [slot for varies, slot in program.outputs if varies]
        body = w.build.append_basic_block("start")
        w.build.position_at_end(body)
        (frame,) = w.words(self.row, 1)
        for slot in dict.fromkeys(slot for each in instructions for slot in _numbers(each)):
            self.values[False, slot] = self._number(slot)
        with w.loop(word(0), self.lanes, word(w.width)) as self.i:
            self._ask_for_next_block(frame)
            for each in instructions:
                self._forwards(each)
            for slot in outputs:
                w.store(self._value((True, slot)), self._at(slot))
            if backwards:
                shift = self.linked.adjoints_v
                self.adjoints = {slot: w.load(self._at(slot + shift), w.width) for slot in outputs}
                for each in reversed(instructions):
                    self._backwards(each)
                for slot in np.flatnonzero(self.linked.active[True][: program.inputs]).tolist():
                    w.store(self.adjoints.get(slot, self.zero), self._at(slot + shift))
        self._add_totals()
        w.build.ret_void()
        w.build.position_at_end(self.first)
        w.build.branch(body)
        return str(w.module)

    def _check_length(self) -> None:
        if len(self.w.build.block.instructions) > self.most:
            raise _TooLongError

    # --------------------------------------------------------------------------------- what is read

    def _ask_for_next_block(self, frame: Any) -> None:
        """Prefetch the memory of the next samples while these are computed."""
        w = self.w
        table = w.pointer(*w.words(w.pointer(frame), Frame.AHEAD))
        for k in range(self.program.inputs):
            place, stride = w.words(table, 2 * k, 2 * k + 1)
            level = 1 if self.program.inputs <= _FEW else 2
            w.prefetch(w.pointer(w.build.add(place, w.times(self.i, stride))), level)

    def _number(self, slot: int) -> Any:
        """Return a number of `u` in every lane."""
        w, constant = self.w, self.program.constant(slot)
        if constant is not None:
            return w.constant(constant, w.width)
        return w.splat(w.load(w.at(self.u, word(slot)), 1), w.width)

    def _at(self, place: int) -> Any:
        return self.w.at(self.w.lanes_of(self.v, word(place), self.lanes), self.i)

    def _value(self, place: Place) -> Any:
        """Return a value; what was neither computed nor read before is an input."""
        if place not in self.values:
            self.values[place] = self.w.load(self._at(place[1]), self.w.width)
        return self.values[place]

    def _signed(self, sign: float, value: Any) -> Any:
        return value if sign > 0 else self.w.build.fneg(value)

    # ------------------------------------------------------------------------------------- forwards

    def _forwards(self, instruction: Instruction) -> None:
        values = self.values
        match instruction:
            case Elementwise(operation=row):
                for slot, places in _applied(instruction):
                    self._check_length()
                    names = dict(zip(row.operands, map(self._value, places), strict=True))
                    values[True, slot] = self.lowering.value(row.computed, names)
            case WeightedSums():
                for slot, terms in instruction.sums():
                    values[True, slot] = self._sum(terms)
            case Product():
                for slot, bias, factors in _products(instruction):
                    self._check_length()
                    total = self.zero if bias is None else self._value((False, bias))
                    for a, b in factors:
                        total = self.w.fma(self._value((False, a)), self._value((True, b)), total)
                    values[True, slot] = total
            case Fold(operation=row):
                combined = getattr(Functions(self.w, self.w.width), row.name)
                for slot, slots in _folds(instruction):
                    self._check_length()
                    folded = (self._value((True, each)) for each in slots)
                    values[True, slot] = reduce(combined, folded)

    def _sum(self, terms: Sequence[Term]) -> Any:
        self._check_length()
        w, total = self.w, self.w.constant(-0.0, self.w.width)
        for sign, left, right in terms:
            if right is None:
                add = w.build.fadd if sign > 0 else w.build.fsub
                total = add(total, self._value(left))
            else:
                total = w.fma(self._value(left), self._signed(sign, self._value(right)), total)
        return total

    # ------------------------------------------------------------------------------------ backwards

    def _backwards(self, instruction: Instruction) -> None:
        match instruction:
            case Elementwise(operation=row):
                applied = _applied(instruction)
                for k in range(row.arity):
                    if row.flow(k) is not None:
                        self._flow(row, k, applied)
            case WeightedSums():
                for slot, terms in instruction.sums():
                    g = self.adjoints.get(slot)
                    for sign, left, right in terms if g is not None else ():
                        self._into_factor(g, sign, left, right)
                        if right is not None:
                            self._into_factor(g, sign, right, left)
            case Product():
                self._into_inputs(instruction)

    def _flow(self, row: Operation, k: int, applied: Sequence[tuple[int, list[Place]]]) -> None:
        """Pass adjoints of results to their operands number `k`."""
        formula = cast("Tree", row.flow(k))
        for slot, places in applied:
            g = self.adjoints.get(slot)
            if g is None or not self._is_active(places[k]):
                continue
            self._check_length()
            names = dict(zip(row.operands, map(self._value, places), strict=True))
            names |= {RESULT: self._value((True, slot)), ADJOINT: g}
            share = stopped(self.w, g, self.lowering.value(formula, names), formula)
            if places[k][0]:
                self._add(places[k][1], share)
            else:
                total = self._total(places[k][1])
                self.w.build.store(self.w.build.fadd(self.w.build.load(total), share), total)

    def _into_factor(self, g: Any, sign: float, factor: Place, other: Place | None) -> None:
        """Pass the adjoint of a sum to a factor of one of its terms."""
        w, (varies, slot) = self.w, factor
        if not self._is_active(factor):
            return
        self._check_length()
        if varies:
            if other is None:
                self._add(slot, self._signed(sign, g))
            else:
                times = self._signed(sign, self._value(other))
                self.adjoints[slot] = self._plus_product(self.adjoints.get(slot), g, times)
            return
        if other is not None and other[0]:
            total = self._total(slot, sign)
            share = w.fma(g, self._value(other), w.build.load(total))
        else:  # what is not a row multiplies the total
            total = self._total(slot, sign, None if other is None else other[1])
            share = w.build.fadd(g, w.build.load(total))
        w.build.store(share, total)

    def _into_inputs(self, instruction: Product) -> None:
        """Pass adjoints through a matrix of constants to those of its input vectors."""
        matrix, inputs = instruction.matrix.T.tolist(), instruction.inputs
        apart = not contiguous(inputs)  # then the kernel adds to what there is only at the end
        results = iter(range(instruction.out.start, instruction.out.stop))
        for vector in inputs.tolist():
            adjoints = [self.adjoints.get(next(results)) for _ in instruction.matrix]
            for slot, column in zip(vector, matrix, strict=True):
                self._check_length()
                held = None if apart else self.adjoints.get(slot)
                for factor, g in zip(column, adjoints, strict=True):
                    if g is not None and self._is_active((True, slot)):
                        held = self._plus_product(held, self._value((False, factor)), g)
                if held is not None:
                    self._add(slot, held) if apart else self.adjoints.update({slot: held})

    def _is_active(self, place: Place) -> bool:
        return bool(self.linked.active[place[0]][place[1]])

    def _plus_product(self, held: Any, a: Any, b: Any) -> Any:
        return self.w.build.fmul(a, b) if held is None else self.w.fma(a, b, held)

    def _add(self, slot: int, share: Any) -> None:
        held = self.adjoints.get(slot)
        self.adjoints[slot] = share if held is None else self.w.build.fadd(held, share)

    # ------------------------------------------------------------------------------ adjoints of `u`

    def _total(self, slot: int, sign: float = 1.0, factor: int | None = None) -> Any:
        """Return where to add up, in each lane, what is passed to a number of `u`."""
        build = self.w.build
        with build.goto_block(self.first):
            total = build.alloca(self.zero.type)
            build.store(self.zero, total)
        self.totals.append((slot, total, sign, factor))
        return total

    def _add_totals(self) -> None:
        w, shift = self.w, self.linked.adjoints_u
        for slot, total, sign, factor in self.totals:
            share = self._signed(sign, w.total(w.build.load(total)))
            if factor is not None:
                share = w.build.fmul(share, w.load(w.at(self.u, word(factor)), 1))
            into = w.at(self.u, word(slot + shift))
            w.store(w.build.fadd(w.load(into, 1), share), into)


# -------------------------------------------------------------------------- instructions in parts


def _numbers(instruction: Instruction) -> Iterator[int]:
    """Yield the slots of `u` that an instruction reads."""
    for slots, varies in slots_read(instruction):
        yield from slots[(slots >= 0) & ~varies].tolist()


def _applied(instruction: Elementwise) -> list[tuple[int, list[Place]]]:
    """Return the slot of each result, and the places of its operands."""
    columns = [
        [(varies, slot) for slot in slots_of(rows).tolist()]
        for varies, rows in instruction.operands
    ]
    rows = zip(slots_of(instruction.out).tolist(), *columns, strict=True)
    return [(slot, places) for slot, *places in rows]


def _products(instruction: Product) -> Iterator[tuple[int, int | None, list[tuple[int, int]]]]:
    """Yield the slot of each result, that of its bias, and those of the factors of its terms."""
    slots, matrix = iter(slots_of(instruction.out).tolist()), instruction.matrix.tolist()
    bias = instruction.bias
    biases = [None] * len(matrix) if bias is None else slots_of(bias).tolist()
    for vector in instruction.inputs.tolist():
        for row, start in zip(matrix, biases, strict=True):
            yield next(slots), start, [*zip(row, vector, strict=True)]


def _folds(instruction: Fold) -> Iterator[tuple[int, list[int]]]:
    """Yield the slot of each result, and the slots that it is the maximum or minimum of."""
    slots, bounds = instruction.slots.tolist(), pairwise(instruction.bounds.tolist())
    for slot, (first, last) in zip(slots_of(instruction.out).tolist(), bounds, strict=True):
        yield slot, slots[first:last]
