"""Turns a program into rows of words that the driver runs, for blocks of any number of lanes.

The places in `u` are the slots of the program, the number 1 (for terms without a second factor),
and what is gathered; then the adjoints of the slots, and of what is gathered; then the sum of the
results, and the words of stacks. The places in `v` are the slots, what is gathered, and the
adjoints of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd.compiler.native import lookups, loop_linking, product_linking, tapes
from micrograd.compiler.native.loops import STACK_WORDS, LoopSpec
from micrograd.compiler.native.rows import ROW, Field, Spec, words
from micrograd.compiler.native.runs import (
    is_total,
    moves,
    runs_of_operations,
    runs_of_sums,
    sums_of_first,
    sums_of_neighbours,
)
from micrograd.compiler.native.sums import NUMBER_NUMBER, ROW_NUMBER, ROW_ROW
from micrograd.compiler.program.active import Active, active
from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.instructions import (
    Elementwise,
    Fold,
    Lookup,
    Mode,
    Product,
    Scatter,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.loop_instructions import (
    Elements,
    Loop,
    LoopBack,
    Pack,
    Send,
    Unpack,
)
from micrograd.compiler.program.program import Instruction, Program, with_bodies
from micrograd.compiler.program.reverse import Reverse, reverse
from micrograd.compiler.program.slots import Operand, Rows, count_of, rows_of, slots_of
from micrograd.ops import TABLE, Operation

Addresses = Callable[[Sequence[Spec | LoopSpec]], Sequence[int]]


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
        addresses: returns the addresses of kernels.
        inputs: whether the adjoints of the inputs are asked for.
        gradient: whether the adjoints are wanted; loops are followed backwards for them.
    """

    def __init__(
        self,
        program: Program,
        kind: str,
        addresses: Addresses,
        *,
        inputs: bool,
        gradient: bool = False,
    ) -> None:
        self.program, self.kind, self.inputs = program, kind, inputs
        self._specs: list[Spec | LoopSpec] = []  # all kernels
        self._numbers: dict[Spec, int] = {}  # their positions there
        self._codes: list[Any] = []  # in which they stand for the kernels until all are compiled
        self.rows = program.varying  # the number of rows of `v` for values
        self.rows += sum(x.columns * (x.length or 0) for x in program.stacks if x.varies)
        self._kept: list[Any] = []  # tables of places, to which rows point
        gathered = [_gathered(each) for each in with_bodies(program.instructions)]
        self.one = program.uniform
        self._next = [self.one + 1, program.varying]
        self.adjoints_u = self.one + 1 + sum(u for u, _ in gathered)
        self.adjoints_v = self._next[True] + sum(v for _, v in gathered)
        self.reverse: Reverse | None = None
        if gradient:
            first = self.adjoints_u, self.adjoints_v
            self.reverse = reverse(program, inputs=inputs, first=first)
        self.active: Active = self.reverse.active if self.reverse else active(program, inputs)
        self.ways, self.stacks = loop_linking.ways(program, self.reverse)
        self.total = 2 * self.adjoints_u
        self.stacks_at = self.total + 2  # even, as words are aligned
        self._word = 1 if kind == "float64" else 2  # numbers
        self.places_u = self.stacks_at + STACK_WORDS * self._word * len(self.stacks)
        self.places_v = 2 * self.adjoints_v
        self.identity = self.table(np.arange(max(self.places_u, self.places_v)))
        self.gathers: dict[tuple[bool, bytes], int] = {}

        self.is_back = False
        self._code = Code(), Code()
        for instruction in program.instructions:
            self.forward(instruction)
        loop_linking.clear_slopes(self, varies=False)
        self.uniform, self.varying = map(self.finished, self._code)
        self._code = Code(), Code()
        if self.reverse is not None:
            self._back(self.reverse)
        self.uniform_back, self.varying_back = map(self.finished, self._code)
        found = np.array(addresses(self._specs), dtype=np.int64)
        for code in self._codes:
            code[:, 0] = found[code[:, 0]]

    def _back(self, found: Reverse) -> None:
        program, self.is_back = self.program, True
        self._next = [self.adjoints_u + program.uniform, self.adjoints_v + program.varying]
        loop_linking.clear_slopes(self, varies=True)
        for rows in found.zeroed:
            self.zero(True, rows)
        for instruction in found.instructions:
            self.forward(instruction)

    def zero(self, varies: bool, rows: slice) -> None:
        """Add a row that sets adjoints to 0."""
        kernel = self.kernel("run_v" if varies else "value_u", formula=0.0)
        self.emit(varies, kernel, words(count=rows.stop - rows.start, out=rows.start))

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

    def finished(self, code: Code) -> Any:
        """Return the rows of a code as one array, which has the addresses of kernels in the end."""
        self._codes.append(code.array())
        return self._codes[-1]

    def kernel(self, name: str, **options: Any) -> int:
        """Return the number of a kernel."""
        spec = Spec(name, self.kind, **options)
        found = self._numbers.get(spec)
        if found is None:
            found = self._numbers[spec] = self.new_kernel(spec)
        return found

    def new_kernel(self, spec: Spec | LoopSpec) -> int:
        """Return the number of a kernel that may be new."""
        self._specs.append(spec)
        return len(self._specs) - 1

    def value(
        self,
        varies: bool,
        row: Operation | Flow,
        kinds: str,
        mode: str,
        into: str = "s",
        name: str = "",
    ) -> int:
        """Return the number of the kernel of an operation, or of a flow.

        Args:
            varies: whether it varies over the batch.
            row: the operation.
            kinds: how its operands are read.
            mode: what is done with its results.
            into: where they go; see `Spec`.
            name: the name of the kernel, if it is another one than that of the space.
        """
        return self.kernel(
            name or ("value_v" if varies else "value_u"),
            formula=row.computed,
            names=row.operands,
            operands=kinds,
            into=into,
            mode=_added(mode),
        )

    def summing(self, varies: bool, into: str, mode: str, *, single: bool = False) -> int:
        """Return the number of the kernel of weighted sums, or single terms; see `value`."""
        name = "sums_v" if varies else "terms_u" if single else "sums_u"
        return self.kernel(name, into=into, mode=_added(mode))

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

    # -------------------------------------------------------------------------------- instructions

    def forward(self, instruction: Instruction) -> None:
        """Add the rows that compute an instruction."""
        match instruction:
            case Elementwise(varies=varies, operation=row, mode=mode):
                if self._is_run(instruction):
                    return
                kinds, into, fields = self._operands(instruction)
                self.emit(varies, self.value(varies, row, kinds, mode, into), fields)
            case Product():
                product_linking.forward(self, instruction)
            case WeightedSums(varies=varies, out=out, mode=mode):
                if self._are_runs(instruction):
                    return
                into, place = self._into(out)
                starts = self.table(instruction.bounds)
                fields = words(count=len(instruction.start), out=place, starts=starts)
                kernel = self.summing(varies, into, mode)
                self.emit(varies, kernel, fields | self.sums(instruction))
            case Fold(varies=varies, out=out, operation=row):
                starts, left = self.table(instruction.bounds), self.table(instruction.slots)
                fields = words(count=out.stop - out.start, out=out.start, starts=starts, left=left)
                self.emit(varies, self.kernel("fold", operands="uv"[varies], mode=row.name), fields)
            case Tape(varies=varies):
                self._code[varies].rows.append(tapes.rows(self, instruction))
            case Lookup() | Scatter():
                lookups.link(self, instruction)
            case Loop() | Pack() | Elements() | LoopBack() | Unpack() | Send():
                loop_linking.link(self, instruction)

    def _is_run(self, step: Elementwise) -> bool:
        """Add a row for each run of an operation, and return whether that was worth while."""
        found = runs_of_operations(step) if step.mode != "total" else []
        kinds, adds_up = moves(step), is_total(step)
        if not step.varies and len(found) == 1 and all(kinds) and not adds_up:
            return False
        columns = [slots_of(rows) for rows in (step.out, *(x.rows for x in step.operands))]
        for run in found:
            places = [int(column[run.start]) for column in columns]
            name = "total_u" if adds_up else ""
            self._run(step, step.operation, kinds, run.stop - run.start, places, name)
        return bool(found)

    def _run(
        self,
        step: Elementwise | WeightedSums,
        row: Operation | Flow,
        kinds: Sequence[bool],
        count: int,
        places: Sequence[int],
        name: str = "",
    ) -> None:
        """Add the row of a run, given the places of the first result and of its operands."""
        name = name or ("run_v" if step.varies else "run_u")
        letters = "".join("uv"[x] for x in kinds)
        kernel = self.value(step.varies, row, letters, step.mode, name=name)
        fields = dict(zip((Field.OUT, *Field.OPERANDS), places, strict=False))
        self.emit(step.varies, kernel, fields | words(count=count))

    def _are_runs(self, step: WeightedSums) -> bool:
        """Do the same for sums; one of a single number is a copy."""
        if sums_of_neighbours(step):
            for (first, last), out in zip(pairwise(step.bounds), slots_of(step.out), strict=True):
                places = int(out), int(step.left[first])
                self._run(step, TABLE["detach"], [True], int(last - first), places, "total_u")
            return True
        found, marked = runs_of_sums(step) if step.mode != "total" else ([], step)
        for run, place, first in sums_of_first(marked, found):
            count = run.stop - run.start
            if len(first.sign) == 1 and first.right[0] < 0 and abs(first.sign[0]) == 1:
                row = TABLE["detach" if first.sign[0] > 0 else "neg"]
                self._run(
                    step, row, [bool(first.left_varies[0])], count, [place, int(first.left[0])]
                )
                continue
            name = "run_of_sums" if step.varies else "run_of_sums_u"
            kernel = self.kernel(name, mode=_added(step.mode))
            fields = words(count=count, out=place, starts=len(first.sign))
            self.emit(step.varies, kernel, fields | self.sums(first))
        return bool(found)

    def _into(self, out: Rows) -> tuple[str, int]:
        """Return how results are stored, and the word that says where."""
        return ("s", out.start) if isinstance(out, slice) else ("g", self.table(out))

    def _operands(self, instruction: Elementwise) -> tuple[str, str, dict[Any, int]]:
        """Return how the operands are read and the results stored, and the words that say where."""
        varies, out, _, operands, _ = instruction
        into, place = self._into(out)
        fields = words(count=count_of(out), out=place)
        kinds = ""
        for field, operand in zip(Field.OPERANDS, operands, strict=False):
            if varies:
                kinds += "uv"[operand.varies]
                fields[field] = self._places(operand.rows)
            elif isinstance(operand.rows, slice):
                kinds += "s"
                fields[field] = operand.rows.start
            else:
                kinds += "g"
                fields[field] = self._places(operand.rows)
        return kinds, into, fields

    def sums(self, instruction: WeightedSums) -> dict[Any, int]:
        """Return the words of terms; of a row and a number, the row is on the left."""
        missing = instruction.right < 0
        left, right = instruction.left, np.where(missing, self.one, instruction.right)
        left_varies, right_varies = instruction.left_varies, instruction.right_varies
        swap = ~left_varies & right_varies
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        left_varies, right_varies = left_varies | swap, right_varies & ~swap
        flags = np.where(left_varies, np.where(right_varies, ROW_ROW, ROW_NUMBER), NUMBER_NUMBER)
        number = np.float64 if self.kind == "float64" else np.float32
        return words(
            left=self.table(left),
            right=self.table(right),
            sign=self.table(instruction.sign, number),
            flags=self.table(flags),
        )

    def gather(self, varies: bool, slots: Any) -> int:
        """Add a row that copies slots together, and return the place of the first one."""
        place = self.gathers[varies, slots.tobytes()] = self.reserve(slots.size, varies=varies)
        self.gather_again(place, varies, slots.ravel())
        return place

    def gather_again(self, place: int, varies: bool, slots: Any) -> None:
        """Add a row that copies slots together, from a place on."""
        self.copy(varies, slice(place, place + slots.size), Operand(varies, rows_of(slots)))

    def scatter(self, place: int, varies: bool, slots: Any, mode: Mode = "add") -> None:
        """Add a row that adds what begins at a place to slots, or stores it if they are new."""
        read = Operand(varies, slice(place, place + slots.size))
        self.copy(varies, rows_of(slots.ravel()), read, mode)

    def copy(self, varies: bool, out: Rows, read: Operand, mode: Mode = "value") -> None:
        """Add rows that copy numbers."""
        self.forward(Elementwise(varies, out, TABLE["detach"], (read,), mode))


def _added(mode: str) -> str:
    """Return the mode of a kernel that adds to what there is; others store their results."""
    return mode if mode in ("add", "total") else ""


def _gathered(instruction: Instruction) -> tuple[int, int]:
    """Return how many numbers of `u` and rows of `v` an instruction needs besides its slots."""
    match instruction:
        case Loop():
            return loop_linking.needed(instruction)
        case Product():
            return product_linking.needed(instruction)
    return 0, 0
