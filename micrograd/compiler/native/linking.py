"""Turns a program into rows of words that the driver runs, for blocks of any number of lanes.

The places in `u` are the slots of the program, the number 1 (for terms without a second factor),
and what is gathered; then the adjoints of all of these; then the sum of the results, and the words
of stacks. The places in
`v` are the slots, what is gathered, and the adjoints of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, cast

import numpy as np

from micrograd.compiler.adjoints import FirstWriters, active
from micrograd.compiler.native import loop_linking, tapes
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
    Loop,
    Pack,
    Product,
    Program,
    Rows,
    Tape,
    WeightedSums,
    even_matrix,
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
    """

    def __init__(self, program: Program, kind: str, addresses: Addresses, *, inputs: bool) -> None:
        self.program, self.kind, self.addresses = program, kind, addresses
        self.has_loops = any(isinstance(each, Loop) for each in program.instructions)
        self.differentiable = len(program.outputs) == 1 and not self.has_loops
        self.rows = program.varying  # the number of rows of `v` for values
        self.rows += sum(x.columns * (x.length or 0) for x in program.stacks if x.varies)
        self.active = active(program, inputs)
        self._kept: list[Any] = []  # tables of places, to which rows point
        gathered = [_gathered(each) for each in with_bodies(program.instructions)]
        self.one, self.spare = program.uniform, program.varying
        self._next = [self.one + 1, program.varying + bool(program.stacks)]
        self.adjoints_u = self.one + 1 + sum(u for u, _ in gathered)
        self.adjoints_v = self._next[True] + sum(v for _, v in gathered)
        self.total = 2 * self.adjoints_u
        self.stacks_at = self.total + 2  # even, as words are aligned
        self._word = 1 if kind == "float64" else 2  # numbers
        self.places_u = self.stacks_at + STACK_WORDS * self._word * len(program.stacks)
        self.places_v = 2 * self.adjoints_v
        self.identity = self.table(np.arange(max(self.places_u, self.places_v)))
        self._gathers: dict[tuple[int, str], int] = {}

        self._code = Code(), Code()
        self._numbers = count()
        for instruction in program.instructions:
            self.forward(instruction)
        self.uniform, self.varying = (code.array() for code in self._code)
        self._code = Code(), Code()
        if self.differentiable:
            self._back()
        self.uniform_back, self.varying_back = (code.array() for code in self._code)

    def _back(self) -> None:
        program = self.program
        self.writers = FirstWriters(program)
        for i, instruction in reversed([*enumerate(program.instructions)]):
            varies, out = instruction.varies, instruction.out
            if not self.active[varies][out].any():
                continue
            if varies:
                self.writers.touch(out)
            self._backward(i, instruction)
        zeros = Code()
        for rows in self.writers.zeroed():
            count, place = rows.stop - rows.start, rows.start + self.adjoints_v
            zeros.add(self.kernel("zero"), {Field.COUNT: count, Field.OUT: place})
        self._code[True].rows[:0] = zeros.rows

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
        i = next(self._numbers)
        match instruction:
            case Elementwise(operation=row):
                kinds, fields = self._operands(instruction)
                self.emit(instruction.varies, self.value(instruction.varies, row, kinds), fields)
            case Product():
                self._product(i, instruction)
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

    def _gather(self, i: int, what: str, varies: bool, slots: Any) -> int:
        """Add a row that copies slots together, and return the place of the first one."""
        place = self._gathers[i, what] = self.reserve(slots.size, varies=varies)
        self.emit(
            varies,
            self.kernel("gather", operands="uv"[varies]),
            {
                Field.COUNT: slots.size,
                Field.OUT: place,
                Field.OPERANDS[0]: self.table(slots.ravel()),
            },
        )
        return place

    def _scatter(self, place: int, varies: bool, slots: Any) -> None:
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

    # ------------------------------------------------------------------------------------- products

    def _product(self, i: int, instruction: Product) -> None:
        varies, out, matrix, inputs, bias = instruction
        (m, k), c = matrix.shape, len(inputs)
        a, down, right = self._matrix(i, instruction)
        b, step = self._vectors(i, instruction)
        fields, mode = self._bias(i, bias)
        fields |= {Field.INTO: out.start, Field.INTO_STEP: m, Field.INTO_DOWN: m}
        if varies:
            kernel = self.kernel("rank_v", mode=mode)
            fields |= {Field.COUNT: c, Field.ROWS: m, Field.COLUMNS: k}
            fields |= {Field.A: a, Field.A_DOWN: down, Field.A_RIGHT: right}
            fields |= {Field.B: b, Field.B_STEP: step}
        elif _slides(m, step, c, k):
            kernel = self.kernel("line_u", mode=mode)
            fields |= {Field.ROWS: 1, Field.COLUMNS: k, Field.LANES: c}
            fields |= {Field.A: a, Field.A_RIGHT: right, Field.B: b, Field.B_STEP: 1}
        else:
            kernel = self.kernel("dot_u", mode=mode)
            fields |= {Field.ROWS: c, Field.COLUMNS: m, Field.LANES: k}
            fields |= {Field.A: b, Field.A_DOWN: step, Field.B: a, Field.B_STEP: down}
        self.emit(varies, kernel, fields)

    def _bias(self, i: int, bias: Rows | None) -> tuple[dict[Any, int], str]:
        if bias is None:
            return {}, "zero"
        found = _line(bias)
        if found is None:
            found = self._gather(i, "bias", False, bias), 1
        return dict(zip((Field.BIAS, Field.BIAS_STEP), found, strict=True)), "bias"

    def _matrix(self, i: int, instruction: Product) -> tuple[int, int, int]:
        """Return the place and the strides of the matrix, which is gathered if need be."""
        found = _affine(instruction.matrix, instruction.varies)
        if found is not None:
            return found
        place = self._gather(i, "matrix", False, instruction.matrix)
        return place, instruction.matrix.shape[1], 1

    def _vectors(self, i: int, instruction: Product) -> tuple[int, int]:
        """Return the place of the first input vector, and the distance to the next one."""
        found = _windows(instruction.inputs, instruction.varies)
        if found is not None:
            return found
        slots = instruction.inputs
        return self._gather(i, "inputs", instruction.varies, slots), slots.shape[1]

    def _product_back(self, i: int, instruction: Product) -> None:
        varies, out, matrix, inputs, bias = instruction
        (m, k), c = matrix.shape, len(inputs)
        g = out.start + self.shift(varies)
        if self._is_active(varies, inputs):
            self._into_inputs(i, instruction, g)
        if self._is_active(False, matrix):
            a, down, right = self._found(i, instruction)
            b, step = self._inputs(i, instruction)
            fields = {Field.ROWS: m, Field.COLUMNS: k, Field.A: g, Field.B: b}
            fields |= {Field.INTO: a + self.adjoints_u}
            if varies:
                kernel = self.kernel("dot_v")
                fields |= {Field.COUNT: c, Field.A_DOWN: m, Field.B_STEP: step}
                fields |= {Field.INTO_DOWN: down, Field.INTO_STEP: right}
            else:
                kernel = self.kernel("rank_u" if m > 1 else "line_u", mode="add")
                fields |= {Field.COLUMNS: c, Field.LANES: k, Field.A_DOWN: 1, Field.A_RIGHT: m}
                fields |= {Field.B_STEP: step, Field.INTO_STEP: down}
            self.emit(varies, kernel, fields)
            if (i, "matrix") in self._gathers:
                self._scatter(a, False, matrix)
        if bias is not None and self._is_active(False, bias):
            gathered = self._gathers.get((i, "bias"))
            place, step = _line(bias) if gathered is None else (gathered, 1)
            fields = {Field.BIAS: place + self.adjoints_u, Field.BIAS_STEP: step}
            fields |= {Field.COUNT: c, Field.ROWS: m, Field.A: g, Field.A_DOWN: m}
            self.emit(varies, self.kernel("row_totals" if varies else "column_totals"), fields)
            if gathered is not None:
                self._scatter(gathered, False, bias)

    def _into_inputs(self, i: int, instruction: Product, g: int) -> None:
        varies, inputs = instruction.varies, instruction.inputs
        (m, k), c = instruction.matrix.shape, len(inputs)
        a, down, right = self._found(i, instruction)
        place, step = self._inputs(i, instruction)
        gathered = (i, "inputs") in self._gathers
        into = place + self.shift(varies)
        fields = {Field.INTO: into}
        if varies:
            stores = gathered or self.writers.stores(slice(place, place + inputs.size))
            kernel = self.kernel("rank_v", mode="zero" if stores else "add")
            fields |= {Field.COUNT: c, Field.ROWS: k, Field.COLUMNS: m}
            fields |= {Field.A: a, Field.A_DOWN: right, Field.A_RIGHT: down}
            fields |= {Field.B: g, Field.B_STEP: m, Field.INTO_STEP: k}
            self.emit(varies, kernel, fields)
        else:
            kernel = self.kernel("rank_u" if step >= k else "line_u", mode="add")
            fields |= {Field.ROWS: c, Field.COLUMNS: m, Field.LANES: k}
            fields |= {Field.A: g, Field.A_DOWN: m, Field.A_RIGHT: 1}
            fields |= {Field.B: a, Field.B_STEP: down, Field.INTO_STEP: step}
            for part in _apart(fields, step, right):
                self.emit(varies, kernel, part)
        if gathered:
            if varies:
                self.writers.touch(inputs.ravel())
            self._scatter(place, varies, inputs)

    def _inputs(self, i: int, instruction: Product) -> tuple[int, int]:
        """Return what `_vectors` did."""
        place, k = self._gathers.get((i, "inputs")), instruction.inputs.shape[1]
        found = _windows(instruction.inputs, instruction.varies)
        return cast("tuple[int, int]", found if place is None else (place, k))

    def _found(self, i: int, instruction: Product) -> tuple[int, int, int]:
        place = self._gathers.get((i, "matrix"))
        if place is not None:
            return place, instruction.matrix.shape[1], 1
        return cast("tuple[int, int, int]", _affine(instruction.matrix, instruction.varies))

    # ------------------------------------------------------------------------------------ backwards

    def _is_active(self, varies: bool, rows: Any) -> bool:
        return bool(self.active[varies][rows].any())

    def _backward(self, i: int, instruction: Instruction) -> None:
        match instruction:
            case Elementwise():
                self._flows(instruction)
            case Product():
                self._product_back(i, instruction)
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

    def _flows(self, instruction: Elementwise) -> None:
        varies, _, row, operands = instruction
        kinds, fields = self._operands(instruction)
        for place, operand in enumerate(operands):
            if row.flow(place) is None or not self._is_active(operand.varies, operand.rows):
                continue
            mode = ""
            if operand.varies:
                mode = "store" if self.writers.stores(operand.rows) else "add"
            kernel = self.flow(varies, row, place, kinds, mode)
            self.emit(varies, kernel, fields | {Field.SHIFT: self.shift(operand.varies)})


def _gathered(instruction: Instruction) -> tuple[int, int]:
    """Return how many numbers of `u` and rows of `v` an instruction has to gather."""
    if isinstance(instruction, Loop):
        return loop_linking.needed(instruction)
    if not isinstance(instruction, Product):
        return 0, 0
    varies, _, matrix, inputs, bias = instruction
    numbers = 0 if _affine(matrix, varies) else matrix.size
    numbers += 0 if bias is None or _line(bias) else len(matrix)
    rows = inputs.size if _windows(inputs, varies) is None else 0
    return (numbers, rows) if varies else (numbers + rows, 0)


def _line(rows: Any) -> Any:
    """Return the place and the stride of evenly spaced numbers; None for others."""
    if isinstance(rows, slice):
        return rows.start, 1
    start = int(rows[0])
    step = int(rows[1]) - start if len(rows) > 1 else 1
    return (start, step) if (rows == start + step * np.arange(len(rows))).all() else None


def contiguous(slots: Any) -> bool:
    """Return whether slots are neighbours, in rising order."""
    first = slots.flat[0]
    return bool((slots.ravel() == np.arange(first, first + slots.size)).all())


def _windows(inputs: Any, varies: bool) -> tuple[int, int] | None:
    """Return the place of the first input vector, and the distance to the next one.

    In `u` they may overlap, as the windows of a filter do. None if they have to be gathered.
    """
    if contiguous(inputs):
        return int(inputs[0, 0]), inputs.shape[1]
    found = None if varies else even_matrix(inputs)
    if found is None or found[1] <= 0 or (found[2] != 1 and inputs.shape[1] > 1):
        return None
    return found[0], found[1]


def _slides(m: int, step: int, c: int, k: int) -> bool:
    """Return whether one row is multiplied with `c` windows of `k` numbers, each one further."""
    return m == 1 and step == 1 and c > k > 1


def _apart(fields: dict[Any, int], step: int, right: int) -> Iterator[dict[Any, int]]:
    """Yield the fields of a product in `u` in parts whose results do not overlap.

    Args:
        fields: those of the product that passes adjoints to windows, a row for each window.
        step: the distance from one window to the next.
        right: that from one column of the matrix to the next.
    """
    c, m, k = fields[Field.ROWS], fields[Field.COLUMNS], fields[Field.LANES]
    if step >= k:
        yield fields
    elif _slides(m, step, c, k):  # all windows at once, for each number of the row
        for j in range(k):
            part = {Field.ROWS: 1, Field.LANES: c, Field.INTO: fields[Field.INTO] + j}
            part |= {Field.A: fields[Field.B] + right * j, Field.B: fields[Field.A]}
            yield fields | part
    else:
        for i in range(c):
            part = {Field.ROWS: 1, Field.INTO: fields[Field.INTO] + step * i}
            yield fields | part | {Field.A: fields[Field.A] + m * i}


def _affine(matrix: Any, varies: bool) -> tuple[int, int, int] | None:
    """Return the place and the strides of a matrix; None if its places are not evenly spaced.

    In `u` alone, each row must be contiguous, and rows must not overlap.
    """
    found = even_matrix(matrix)
    if found and not varies and (found[2] != 1 or found[1] < matrix.shape[1]):
        return None
    return found
