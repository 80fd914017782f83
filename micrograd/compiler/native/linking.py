"""Turns a program into rows of words that the driver runs, for blocks of any number of lanes.

The places in `u` are the slots of the program, the number 1 (for terms without a second factor),
and what is gathered; then the adjoints of all of these; then the sum of the results, and the words
of stacks. The places in
`v` are the slots, what is gathered, and the adjoints of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd.compiler.adjoints import FirstWriters, active
from micrograd.compiler.native import lookups, loop_linking, product_linking, tapes
from micrograd.compiler.native.loops import STACK_WORDS, LoopSpec
from micrograd.compiler.native.rows import ROW, Field, Spec
from micrograd.compiler.native.sums import (
    INTO_LEFT,
    INTO_RIGHT,
    NUMBER_NUMBER,
    ROW_NUMBER,
    ROW_ROW,
)
from micrograd.compiler.program import (
    Elements,
    Elementwise,
    Fold,
    Instruction,
    Lookup,
    Loop,
    Pack,
    Product,
    Program,
    Rows,
    Tape,
    WeightedSums,
    with_bodies,
)
from micrograd.ops import Operation

Addresses = Callable[[Spec | LoopSpec], int]


class Code:
    """Rows of words, which are added one by one, or many at once as an array."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def add(self, kernel: int, fields: dict[Any, int]) -> None:
        """Add a row; `fields` maps the positions of its words to the words."""
        row = [0] * ROW
        row[0] = kernel
        for field, value in fields.items():
            row[field] = value
        self.rows.append(row)

    def array(self) -> Any:
        """Return all rows as one array."""
        single: list[Any] = []
        parts = []
        for row in self.rows:
            if isinstance(row, list):
                single.append(row)
                continue
            parts += [np.array(single, dtype=np.int64).reshape(-1, ROW), row]
            single = []
        parts.append(np.array(single, dtype=np.int64).reshape(-1, ROW))
        return np.concatenate(parts)


class Linked:
    """A program as code, forwards and backwards, for both spaces.

    Args:
        program: the program.
        kind: the type of the numbers, `"float64"` or `"float32"`.
        addresses: returns the address of a kernel.
        inputs: whether the adjoints of the inputs are asked for.
        follows_loops: whether loops are followed backwards; otherwise a program with loops has
            values only.
    """

    def __init__(
        self,
        program: Program,
        kind: str,
        addresses: Addresses,
        *,
        inputs: bool,
        follows_loops: bool = False,
    ) -> None:
        self.program, self.kind, self.addresses = program, kind, addresses
        self.has_loops = any(isinstance(each, Loop) for each in program.instructions)
        self.differentiable = len(program.outputs) == 1 and (follows_loops or not self.has_loops)
        self.active = active(program, inputs)
        self.ways: dict[int, loop_linking.Way] = {}
        self.slopes: dict[int, int] = {}  # of a stack, to the stack of its adjoints
        self.stacks = [*program.stacks]
        if follows_loops:
            self.ways, self.slopes, self.stacks = loop_linking.ways(program, self.active)
        self.rows = program.varying  # the number of rows of `v` for values
        self.rows += sum(x.columns * (x.length or 0) for x in program.stacks if x.varies)
        self._kept: list[Any] = []  # tables of places, to which rows point
        gathered = [self._gathered(each) for each in with_bodies(program.instructions)]
        self.one = program.uniform
        self._next = [self.one + 1, program.varying]
        self.adjoints_u = self.one + 1 + sum(u for u, _ in gathered)
        self.adjoints_v = self._next[True] + sum(v for _, v in gathered)
        self.total = 2 * self.adjoints_u
        self.stacks_at = self.total + 2  # even, as words are aligned
        self._word = 1 if kind == "float64" else 2  # numbers
        self.places_u = self.stacks_at + STACK_WORDS * self._word * len(self.stacks)
        self.places_v = 2 * self.adjoints_v
        self.identity = self.table(np.arange(max(self.places_u, self.places_v)))
        self.gathers: dict[tuple[int, str], int] = {}

        self._code = Code(), Code()
        self._numbers: dict[int, int] = {}  # of instructions, by their `id`
        for instruction in program.instructions:
            self.forward(instruction)
        if self.differentiable:
            loop_linking.clear_slopes(self, varies=False)
        self.uniform, self.varying = (code.array() for code in self._code)
        self._code = Code(), Code()
        if self.differentiable:
            self._back()
        self.uniform_back, self.varying_back = (code.array() for code in self._code)

    def _back(self) -> None:
        program = self.program
        self.writers = FirstWriters(program)
        loop_linking.clear_slopes(self, varies=True)
        for instruction in reversed(program.instructions):
            self.backward(instruction)
        with self.apart(varies=True) as zeros:
            self.zero(self.writers)
        self._code[True].rows[:0] = zeros.rows

    def zero(self, writers: FirstWriters) -> None:
        """Add rows that set adjoints of `v` to zero which are added to before they are stored."""
        for rows in writers.zeroed():
            count, place = rows.stop - rows.start, rows.start + self.adjoints_v
            self.emit(True, self.kernel("zero"), {Field.COUNT: count, Field.OUT: place})

    def emit(self, varies: bool, kernel: int, fields: dict[Any, int]) -> None:
        """Add a row to the code of a space."""
        self._code[varies].add(kernel, fields)

    @contextmanager
    def apart(self, *, varies: bool) -> Iterator[Code]:
        """Add the rows of the body of a loop to a code of their own.

        If the loop varies over the batch, what it gathers in `u` is the same in each step.
        """
        before, code = self._code, Code()
        self._code = before[False] if varies else code, code
        try:
            yield code
        finally:
            self._code = before

    def reserve(self, count: int, *, varies: bool) -> int:
        """Return the first of some places that nothing else uses."""
        place = self._next[varies]
        self._next[varies] += count
        return place

    def stack(self, number: int) -> int:
        """Return the place in `u` of the words of a stack."""
        return self.stacks_at + STACK_WORDS * self._word * number

    # --------------------------------------------------------------------------------------- tables

    def kernel(self, name: str, **options: Any) -> int:
        """Return the address of a kernel."""
        return self.addresses(Spec(name, self.kind, **options))

    def value(self, varies: bool, row: Operation, kinds: str) -> int:
        """Return the address of the kernel of an operation on operands of these kinds."""
        name = "value_v" if varies else "value_u"
        return self.kernel(name, formula=row.computed, names=row.operands, operands=kinds)

    def flow(self, varies: bool, row: Operation, place: int, kinds: str, mode: str) -> int:
        """Return the address of the kernel that passes adjoints back to one operand."""
        return self.kernel(
            "flow_v" if varies else "flow_u",
            formula=row.flow(place),
            names=row.operands,
            place=place,
            operands=kinds,
            mode=mode,
        )

    def table(self, places: Any, dtype: Any = np.int64) -> int:
        """Return the address of a table."""
        table = np.ascontiguousarray(places, dtype=dtype)
        self._kept.append(table)
        return int(table.ctypes.data)

    def _places(self, rows: Rows) -> int:
        """Return the address of a table of places; all slices share one table."""
        if isinstance(rows, slice):
            return int(self.identity + 8 * rows.start)
        return self.table(rows)

    def shift(self, varies: bool) -> int:
        """Return the distance from the place of a value to that of its adjoint."""
        return self.adjoints_v if varies else self.adjoints_u

    # ------------------------------------------------------------------------------------- forwards

    def forward(self, instruction: Instruction) -> None:
        """Add the rows that compute an instruction."""
        i = self._numbers[id(instruction)] = len(self._numbers)
        match instruction:
            case Elementwise(operation=row):
                kinds, fields = self._operands(instruction)
                self.emit(instruction.varies, self.value(instruction.varies, row, kinds), fields)
            case Product():
                product_linking.forward(self, i, instruction)
            case WeightedSums(varies=varies):
                name = "sums_v" if varies else "sums_u"
                self.emit(varies, self.kernel(name), self.sums(instruction))
            case Fold(varies=varies, out=out, operation=row):
                fields = {Field.COUNT: out.stop - out.start, Field.OUT: out.start}
                fields[Field.STARTS] = self.table(instruction.bounds)
                fields[Field.LEFT] = self.table(instruction.slots)
                self.emit(varies, self.kernel("fold", operands="uv"[varies], mode=row.name), fields)
            case Tape(varies=varies):
                self._code[varies].rows.append(tapes.forward(self, instruction))
            case Lookup():
                lookups.link(self, instruction, backwards=False)
            case Loop() | Pack() | Elements():
                loop_linking.forward(self, instruction)

    def _operands(self, instruction: Elementwise) -> tuple[str, dict[Any, int]]:
        """Return how the operands are read, and the words that say where."""
        varies, out = instruction.varies, instruction.out
        fields = {
            Field.COUNT: out.stop - out.start,
            Field.OUT: out.start,
            Field.ADJOINT: out.start + self.shift(varies),
        }
        kinds = ""
        for field, operand in zip(Field.OPERANDS, instruction.operands, strict=False):
            if varies:
                kinds += "uv"[operand.varies]
                fields[field] = self._places(operand.rows)
            elif isinstance(operand.rows, slice):
                kinds += "s"
                fields[field] = operand.rows.start
            else:
                kinds += "g"
                fields[field] = self._places(operand.rows)
        return kinds, fields

    def sums(self, instruction: WeightedSums) -> dict[Any, int]:
        """Return the words of weighted sums; of a row and a number, the row is on the left."""
        varies, out = instruction.varies, instruction.out
        missing = instruction.right < 0
        left, right = instruction.left, np.where(missing, self.one, instruction.right)
        left_varies, right_varies = instruction.left_varies, instruction.right_varies
        swap = ~left_varies & right_varies
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        left_varies, right_varies = left_varies | swap, right_varies & ~swap
        flags = np.where(left_varies, np.where(right_varies, ROW_ROW, ROW_NUMBER), NUMBER_NUMBER)
        for bit, slots, kind in ((INTO_LEFT, left, left_varies), (INTO_RIGHT, right, right_varies)):
            for space in (False, True):
                here = np.flatnonzero(kind == space)
                known = here[slots[here] < len(self.active[space])]
                flags[known] |= np.where(self.active[space][slots[known]], bit, 0)
        number = np.float64 if self.kind == "float64" else np.float32
        return {
            Field.COUNT: out.stop - out.start,
            Field.OUT: out.start,
            Field.ADJOINT: out.start + self.shift(varies),
            Field.STARTS: self.table(instruction.bounds),
            Field.LEFT: self.table(left),
            Field.RIGHT: self.table(right),
            Field.SIGN: self.table(instruction.sign, number),
            Field.FLAGS: self.table(flags),
            Field.SHIFT: self.shift(varies),
            Field.SHIFT_U: self.adjoints_u,
        }

    def gather(self, i: int, what: str, varies: bool, slots: Any) -> int:
        """Add a row that copies slots together, and return the place of the first one."""
        place = self.gathers[i, what] = self.reserve(slots.size, varies=varies)
        self._gather(place, varies, slots)
        return place

    def gather_again(self, product: Product) -> None:
        """Add the rows that gather what the body of a loop gathers, in each step backwards."""
        for what, varies in (("matrix", False), ("bias", False), ("inputs", product.varies)):
            place = self.gathers.get((self._numbers[id(product)], what))
            if place is not None and varies == product.varies:
                self._gather(place, varies, getattr(product, what))

    def _gather(self, place: int, varies: bool, slots: Any) -> None:
        self.emit(
            varies,
            self.kernel("gather", operands="uv"[varies]),
            {
                Field.COUNT: slots.size,
                Field.OUT: place,
                Field.OPERANDS[0]: self.table(slots.ravel()),
            },
        )

    def scatter(self, place: int, varies: bool, slots: Any) -> None:
        """Add a row that adds the adjoints of what was gathered to those of its slots."""
        shift = self.shift(varies)
        self.emit(
            varies,
            self.kernel("gather", operands="uv"[varies], mode="back"),
            {
                Field.COUNT: slots.size,
                Field.OUT: place + shift,
                Field.OPERANDS[0]: self.table(slots.ravel()),
                Field.SHIFT: shift,
            },
        )

    # ------------------------------------------------------------------------------------ backwards

    def is_active(self, varies: bool, rows: Any) -> bool:
        """Return whether the adjoint of any of these slots is asked for."""
        return bool(self.active[varies][rows].any())

    def backward(self, instruction: Instruction) -> None:
        """Add the rows that pass the adjoints of an instruction on, if they are needed."""
        varies, out, i = instruction.varies, instruction.out, self._numbers[id(instruction)]
        if not self.active.reaches(instruction):
            return
        if varies:
            self.writers.touch(out)
        match instruction:
            case Elementwise():
                self._flows(instruction)
            case Product():
                product_linking.backward(self, i, instruction)
            case WeightedSums(varies=varies):
                if varies:
                    for slots, kind in instruction.sides:
                        self.writers.touch(slots[kind & (slots >= 0)])
                name = "sums_back_v" if varies else "sums_back_u"
                self.emit(varies, self.kernel(name), self.sums(instruction))
            case Tape(varies=varies):
                if varies:
                    self.writers.touch(slice(0, instruction.out.stop))
                self._code[varies].rows.append(tapes.backward(self, instruction))
            case Lookup():
                lookups.link(self, instruction, backwards=True)
            case Loop() | Pack() | Elements():
                loop_linking.backward(self, instruction)

    def _flows(self, instruction: Elementwise) -> None:
        varies, _, row, operands = instruction
        kinds, fields = self._operands(instruction)
        for place, operand in enumerate(operands):
            if row.flow(place) is None or not self.is_active(operand.varies, operand.rows):
                continue
            mode = ""
            if operand.varies:
                mode = "store" if self.writers.stores(operand.rows, scattered=True) else "add"
            kernel = self.flow(varies, row, place, kinds, mode)
            self.emit(varies, kernel, fields | {Field.SHIFT: self.shift(operand.varies)})

    def _gathered(self, instruction: Instruction) -> tuple[int, int]:
        """Return how many numbers of `u` and rows of `v` an instruction needs besides its slots."""
        match instruction:
            case Loop():
                return loop_linking.needed(instruction, is_followed=id(instruction) in self.ways)
            case Product():
                return product_linking.needed(instruction)
        return 0, 0
