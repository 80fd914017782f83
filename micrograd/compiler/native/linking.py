"""Turns a program into rows of words that the driver runs, for blocks of any number of lanes.

The places in `u` are the slots of the program, the number 1 (for terms without a second factor),
and what is gathered; then the adjoints of the slots, and of what is gathered; then the sum of the
results, and the words of stacks. The places in `v` are the slots, what is gathered, and the
adjoints of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from micrograd.compiler.native import lookups, loop_linking, product_linking, tapes
from micrograd.compiler.native.chains import (
    LEAST,
    ChainSpec,
    Run,
    Spot,
    count_reads,
    joined,
)
from micrograd.compiler.native.loops import STACK_WORDS, LoopSpec
from micrograd.compiler.native.rows import ROW, Field, Spec, words
from micrograd.compiler.native.runs import (
    alike_runs,
    chosen,
    in_runs,
    is_total,
    long_runs,
    moves,
    runs_of_sums,
    sums_of_neighbours,
)
from micrograd.compiler.native.slopes import slopes
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

AnySpec = Spec | LoopSpec | ChainSpec
Addresses = Callable[[Sequence[AnySpec]], Sequence[int]]


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
        self._specs: list[AnySpec] = []  # all kernels
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
        self.slopes: dict[int, Elementwise] = {}
        if self.reverse:
            self.slopes = slopes(program, self.reverse, self.adjoints_v)
        self.ways, self.stacks = loop_linking.ways(program, self.reverse)
        self.total = 2 * self.adjoints_u
        self.stacks_at = self.total + 2  # even, as words are aligned
        self._word = 1 if kind == "float64" else 2  # numbers
        self.places_u = self.stacks_at + STACK_WORDS * self._word * len(self.stacks)
        self.places_v = 2 * self.adjoints_v
        self.gathers: dict[tuple[bool, bytes], int] = {}

        self.is_back = False
        self.reads = np.zeros(self.places_u, np.intp)
        self._count_reads()
        self._code: tuple[list[Any], list[Any]] = [], []
        for instruction in program.instructions:
            self.forward(instruction)
        loop_linking.clear_slopes(self, varies=False)
        self.uniform, self.varying = map(self.finished, self._code)
        self._code = [], []
        if self.reverse is not None:
            self._back(self.reverse)
        self.uniform_back, self.varying_back = map(self.finished, self._code)
        found = np.zeros(len(self._specs), np.int64)
        used = np.unique(np.concatenate([code[:, 0] for code in self._codes]))
        found[used] = addresses([self._specs[i] for i in used.tolist()])
        for code in self._codes:
            code[:, 0] = found[code[:, 0]]

    def _count_reads(self) -> None:
        """Count the reads of each place of `u`; what is read in other ways has at least one."""
        program, reads = self.program, self.reads
        reads[[slot for varies, slot in program.outputs if not varies]] += 1
        asked = self.adjoints_u + program.first_constant
        reads[self.one : asked] += 1  # also what is gathered
        reads[self.adjoints_u + program.uniform :] += 1
        count_reads(program.instructions, reads)
        if self.reverse is None:
            return
        forward = reads.copy()
        count_reads(self.reverse.instructions, reads)
        self._all_reads = reads.copy()
        for each in self.reverse.instructions:
            if isinstance(each, LoopBack) and not each.varies:
                reads[each.own] = forward[each.own]  # the way back has the numbers from a stack
                reads[self.ways[id(each.loop)].kept] += 1

    def _back(self, found: Reverse) -> None:
        program, self.is_back = self.program, True
        self.reads = self._all_reads
        self._next = [self.adjoints_u + program.uniform, self.adjoints_v + program.varying]
        loop_linking.clear_slopes(self, varies=True)
        for rows in found.zeroed:
            self.zero(True, rows)
        if not program.batched:
            for rows in (*found.cleared, slice(self.adjoints_u + program.uniform, self.total)):
                self.zero(False, rows)
        for instruction in found.instructions:
            self.forward(self.slopes.get(id(instruction), instruction))

    def zero(self, varies: bool, rows: slice) -> None:
        """Add a row that sets adjoints to 0."""
        kernel = self.kernel("run_v" if varies else "run_u", formula=0.0)
        self.emit(varies, kernel, words(count=rows.stop - rows.start, out=rows.start))

    def emit(self, varies: bool, kernel: Any, fields: dict[Any, Any], count: int = 1) -> None:
        """Add rows to the code of a space; `fields` maps the positions of words to the words.

        If there are several rows, the kernel and the words may be arrays of one for each.
        """
        self._code[varies].append(self.row(kernel, fields, count))

    def row(self, kernel: Any, fields: dict[Any, Any], count: int = 1) -> Any:
        """Return rows of words; see `emit`."""
        rows = np.zeros((count, ROW), np.int64)
        rows[:, 0] = kernel
        for field, values in fields.items():
            rows[:, field] = values
        return rows

    def emit_runs(self, kernel: Any, fields: dict[Any, Any], runs: Sequence[Run]) -> None:
        """Add the rows of runs in `u`; long runs may become parts of chains."""
        rows = self.row(kernel, fields, len(runs))
        for k, run in enumerate(runs):
            own = rows[k : k + 1]
            self._code[False].append(run._replace(rows=own) if run.is_chained else own)

    def spot(self, kind: str, place: int) -> Spot:
        """Return where a run reads or writes in `u`."""
        number = 1.0 if place == self.one else self.program.constant(place)
        return (kind, place) if kind == "v" or number is None else ("c", number)

    @contextmanager
    def apart(self, *, varies: bool) -> Iterator[list[Any]]:
        """Add the rows of the body of a loop to a code of their own.

        If the loop varies over the batch, what it gathers in `u` is the same in each step.
        """
        before, code = self._code, list[Any]()
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

    def finished(self, code: Sequence[Any]) -> Any:
        """Return the rows of a code as one array, which has the addresses of kernels in the end."""
        self._codes.append(np.concatenate([np.zeros((0, ROW), np.int64), *joined(self, code)]))
        return self._codes[-1]

    def kernel(self, name: str, *, mode: str = "", **options: Any) -> int:
        """Return the number of a kernel; one that stores its results has no mode."""
        spec = Spec(name, self.kind, mode="" if mode in ("value", "first") else mode, **options)
        found = self._numbers.get(spec)
        if found is None:
            found = self._numbers[spec] = self.new_kernel(spec)
        return found

    def new_kernel(self, spec: AnySpec) -> int:
        """Return the number of a kernel that may be new."""
        self._specs.append(spec)
        return len(self._specs) - 1

    def applying(
        self,
        varies: bool,
        row: Operation | Flow,
        kinds: str,
        mode: str,
        into: str = "v",
        *,
        name: str = "run",
        beside: Elementwise | None = None,
    ) -> int:
        """Return the number of the kernel of an operation or a flow.

        Args:
            varies: whether it varies over the batch.
            row: the operation.
            kinds: how its operands are read.
            mode: what is done with its results.
            into: where they go; see `Spec`.
            name: "total" if the results of a run are added up, "step" for a single one in `u`.
            beside: the step back whose slopes are stored beside the values, if there is one.
        """
        return self.kernel(
            f"{'total' if mode == 'total' else name}_{'uv'[varies]}",
            formula=row.computed,
            names=row.operands,
            operands=kinds,
            into=into,
            mode=mode,
            beside=beside.operation.computed if beside else "",
        )

    def table(self, places: Any, dtype: Any = np.int64) -> int:
        """Return the address of a table."""
        table = np.ascontiguousarray(places, dtype=dtype)
        self._kept.append(table)
        return int(table.ctypes.data)

    # -------------------------------------------------------------------------------- instructions

    def forward(self, instruction: Instruction) -> None:
        """Add the rows that compute an instruction."""
        match instruction:
            case Elementwise():
                self._apply(instruction)
            case Product():
                product_linking.forward(self, instruction)
            case WeightedSums():
                self._sum(instruction)
            case Fold(varies=varies, out=out, operation=row):
                starts, left = self.table(instruction.bounds), self.table(instruction.slots)
                fields = words(count=out.stop - out.start, out=out.start, starts=starts, left=left)
                self.emit(varies, self.kernel("fold", operands="uv"[varies], mode=row.name), fields)
            case Tape(varies=varies):
                steps = tapes.rows(self, instruction)
                self._codes.append(steps)
                fields = words(count=len(steps), left=int(steps.ctypes.data))
                self.emit(varies, self.kernel("steps"), fields)
            case Lookup() | Scatter():
                lookups.link(self, instruction)
            case Loop() | Pack() | Elements() | LoopBack() | Unpack() | Send():
                loop_linking.link(self, instruction)

    def _apply(self, step: Elementwise, *, alone: bool = False) -> None:
        """Add a row for each run of an operation, and one for scattered numbers of `u`."""
        for part, starts in in_runs(step):
            self._apply_part(part, starts, alone=alone)

    def _apply_part(self, step: Elementwise, starts: Any, *, alone: bool) -> None:
        columns, size = [step.out, *(rows for _, rows in step.operands)], count_of(step.out)
        counts, name = size, "total" if is_total(step) else "run"
        kinds: Sequence[str]
        places: Sequence[Any]
        if len(starts):
            counts = np.diff(starts, append=size)
            kinds = ["v", *("uv"[goes_on] for goes_on in moves(step))]
            places = [slots_of(rows)[starts] for rows in columns]
        else:
            starts, name = [0], "run"
            kinds, places = zip(*map(self._scattered, columns), strict=True)
        fields = dict(
            zip((Field.COUNT, Field.OUT, *Field.OPERANDS), (counts, *places), strict=False)
        )
        into, operands, beside = kinds[0], "".join(kinds[1:]), self.slopes.get(id(step))
        kernel = self.applying(
            step.varies, step.operation, operands, step.mode, into, name=name, beside=beside
        )
        if beside is not None:
            fields[Field.BESIDE] = slots_of(beside.out)[starts]
        if alone or step.varies or name == "step" or into == "g" or "g" in operands:
            self.emit(step.varies, kernel, fields, len(starts))
            return
        into = "u" if name == "total" else into
        adds = step.mode == "add"
        row, runs = step.operation, []
        for count, out, *read in zip(
            np.broadcast_to(counts, len(starts)).tolist(),
            *[np.broadcast_to(x, len(starts)).tolist() for x in places],
            strict=True,
        ):
            spots = (*map(self.spot, operands, read),)
            runs.append(Run(count, (into, out), row.computed, row.operands, spots, (), adds))
        self.emit_runs(kernel, fields, runs)

    def _scattered(self, rows: Rows) -> tuple[str, int]:
        """Return how numbers of `u` are read or stored one by one, and the word that says where."""
        return ("v", rows.start) if isinstance(rows, slice) else ("g", self.table(rows))

    def _sum(self, step: WeightedSums) -> None:
        """Do the same for sums."""
        varies, mode = step.varies, step.mode
        out, lengths = slots_of(step.out), np.diff(step.bounds)
        if sums_of_neighbours(step):
            kernel = self.applying(False, TABLE["detach"], "v", mode, name="total")
            left = step.left[step.start]
            fields = words(count=lengths, out=out) | {Field.OPERANDS[0]: left}
            runs = [
                Run(count, ("u", place), "x", ("x",), (("v", first),), (), mode == "add")
                for count, place, first in zip(
                    *(x.tolist() for x in (lengths, out, left)), strict=True
                )
            ]
            self.emit_runs(kernel, fields, runs)
            return
        starts, marked = runs_of_sums(step)
        starts, counts, others = long_runs(step, starts)
        for kinds, runs in alike_runs(marked, starts, counts):
            first, many = starts[runs], counts[runs]
            heads = chosen(marked, first)
            if kinds:
                table = np.stack([many, out[first], heads.start], axis=1)
                kernel = self.kernel("sums_alike_u", operands=kinds, mode=mode)
                fields = self.sums(heads)
                if many.min() < LEAST:
                    fields |= words(count=len(many), out=self.table(table))
                    self.emit(False, kernel, fields)
                    continue
                fields |= words(
                    count=1, out=self.table(table) + table.itemsize * 3 * np.arange(len(many))
                )
                self.emit_runs(kernel, fields, [*self._runs_of_sums(heads, many, mode)])
                continue
            fields = words(count=many, out=out[first], starts=lengths[first])
            kernel = self.kernel("sums_v" if varies else "sums_of_run_u", mode=mode)
            self.emit(varies, kernel, fields | self.sums(heads, heads.start), len(many))
        if len(others):
            rest = chosen(step, others)
            into, place = self._scattered(rest.out)
            fields = words(count=len(others), out=place, starts=self.table(rest.bounds))
            kernel = self.kernel("sums_u", into=into, mode=mode)
            self.emit(False, kernel, fields | self.sums(rest))

    def _runs_of_sums(self, heads: WeightedSums, counts: Any, mode: Mode) -> Iterator[Run]:
        """Yield a run for each row of sums in `heads`, which has the first sum of each."""
        for (slot, terms), count in zip(heads.sums(), counts.tolist(), strict=True):
            spots: list[Spot] = []
            for _, left, right in terms:
                for varies, place in (left, right or (False, self.one)):
                    spots.append(self.spot("uv"[varies], place))
            signs = tuple(sign for sign, *_ in terms)
            yield Run(count, ("v", slot), None, (), (*spots,), signs, mode == "add")

    def sums(self, instruction: WeightedSums, first: Any = 0) -> dict[Any, Any]:
        """Return the words of terms from the first on; of a row and a number, the row is left."""
        missing = instruction.right < 0
        left, right = instruction.left, np.where(missing, self.one, instruction.right)
        left_varies, right_varies = instruction.left_varies, instruction.right_varies
        swap = ~left_varies & right_varies
        left, right = np.where(swap, right, left), np.where(swap, left, right)
        left_varies, right_varies = left_varies | swap, right_varies & ~swap
        flags = np.where(left_varies, np.where(right_varies, ROW_ROW, ROW_NUMBER), NUMBER_NUMBER)
        number = np.dtype(self.kind)
        return words(
            left=self.table(left, np.int32) + 4 * first,
            right=self.table(right, np.int32) + 4 * first,
            sign=self.table(instruction.sign, number) + number.itemsize * first,
            flags=self.table(flags, np.int32) + 4 * first,
        )

    def gather(self, varies: bool, slots: Any) -> int:
        """Add a row that copies slots together, and return the place of the first one."""
        place = self.gathers[varies, slots.tobytes()] = self.reserve(slots.size, varies=varies)
        self.gather_again(place, varies, slots.ravel())
        return place

    def gather_again(self, place: int, varies: bool, slots: Any) -> None:
        """Add a row that copies slots together, from a place on."""
        read = Operand(varies, rows_of(slots))
        self.copy(varies, slice(place, place + slots.size), read, alone=True)

    def scatter(self, place: int, varies: bool, slots: Any, mode: Mode = "add") -> None:
        """Add a row that adds what begins at a place to slots, or stores it if they are new."""
        read = Operand(varies, slice(place, place + slots.size))
        self.copy(varies, rows_of(slots.ravel()), read, mode, alone=True)

    def copy(
        self, varies: bool, out: Rows, read: Operand, mode: Mode = "value", *, alone: bool = False
    ) -> None:
        """Add rows that copy numbers; those that `count_reads` does not know stay alone."""
        self._apply(Elementwise(varies, out, TABLE["detach"], (read,), mode), alone=alone)


def _gathered(instruction: Instruction) -> tuple[int, int]:
    """Return how many numbers of `u` and rows of `v` an instruction needs besides its slots."""
    match instruction:
        case Loop():
            return loop_linking.needed(instruction)
        case Product():
            return product_linking.needed(instruction)
    return 0, 0
