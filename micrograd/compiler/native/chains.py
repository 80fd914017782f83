"""Chains: runs of numbers of `u` of one length, which one kernel computes together.

A run alone reads and writes memory for each operation. In a chain, a number that one run computes
stays in a register for the next ones, and is not stored if nothing else reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from micrograd.compiler.native.elementwise import stopped
from micrograd.compiler.native.loops import Stack
from micrograd.compiler.native.lowering import Lowering, cost
from micrograd.compiler.native.rows import Field, called, words
from micrograd.compiler.native.writing import Writer, word
from micrograd.compiler.program.instructions import Elementwise, WeightedSums
from micrograd.compiler.program.loop_instructions import Loop, LoopBack, Send
from micrograd.compiler.program.program import Instruction, slots_read
from micrograd.compiler.program.slots import Places, count_of, slots_of
from micrograd.table.formulas import ADJOINT, Tree

if TYPE_CHECKING:
    from micrograd.compiler.native.linking import Linked

LEAST = 64
"""The fewest numbers of a run in a chain; with fewer, the calls that a chain saves cost less than
its compilation."""
_MOST_COST = 400
"""The cost of the formulas of a chain, for which LLVM takes some 0.1 s."""
_CHEAP = 12
"""The cost of a division, which takes about as long as reading a number from memory."""
_MOST_PARTS = 8
"""The most parts that a run is cut into, so that it is as long as others."""

Spot = tuple[Any, ...]
"""Where a run reads or writes: neighbours in `u`, from a place on (v); one number of `u` for all
results (u); a constant (c); or neighbours on a stack of `u` (s): the place of its words, its
columns, the first column, and the place of the number of the step."""


class Run(NamedTuple):
    """Results of one operation, or sums of as many terms, which are neighbours in `u`."""

    length: int
    out: Spot  # one number of `u` for the total of the results
    formula: Tree | None  # None for sums of products of two operands
    names: tuple[str, ...]
    operands: tuple[Spot, ...]
    signs: tuple[float, ...]  # of the terms of a sum
    adds: bool  # whether results are added to what there is
    rows: Any = None  # the row of words that computes this run alone

    @property
    def is_chained(self) -> bool:
        """Return whether a chain is faster: of elementary functions, it takes long to compile."""
        return self.length >= LEAST and (self.formula is None or cost(self.formula) <= _CHEAP)

    @property
    def read(self) -> list[Spot]:
        """The operands that are in memory."""
        return [each for each in self.operands if each[0] != "c"]


class ChainSpec(NamedTuple):
    """The kernel of a chain; a spot is its kind, and where its words are in a table.

    `stored` are the runs whose results are stored, those of the last writers among them.
    """

    kind: str  # the type of the numbers
    runs: tuple[Run, ...]
    stored: tuple[Spot, ...]

    def __str__(self) -> str:
        """All that the code depends on."""
        formulas = (
            line for run in self.runs if run.formula is not None for line in called(run.formula)
        )
        return "\n".join(["chain", *map(str, self), *sorted({*formulas})])


def can_be_chains(body: Iterable[Instruction]) -> bool:
    """Return whether chains compute all of the body of a loop, with cheap operations."""
    for each in body:
        match each:
            case Elementwise(operation=row):
                if cost(row.computed) > _CHEAP or count_of(each.out) < LEAST:
                    return False
            case WeightedSums(start=start):
                if len(start) < LEAST:
                    return False
            case _:
                return False
    return True


def joined(linked: Linked, code: Sequence[Any]) -> Iterator[Any]:
    """Yield the rows of a code, in which runs that fit together are one row."""
    chain: list[Run] = []
    for each in _of_one_length(code):
        if not isinstance(each, Run) or not _fits(chain, each):
            yield from _rows(linked, chain)
            chain = []
        if isinstance(each, Run):
            chain.append(each)
        else:
            yield each
    yield from _rows(linked, chain)


def _of_one_length(code: Sequence[Any]) -> Iterator[Any]:
    """Yield a code in which runs that follow each other are parts of one length, if they can be."""
    runs: list[Run] = []
    length = 0
    for each in code:
        common = gcd(length, each.length) if isinstance(each, Run) else 0
        if runs and (common < LEAST or max(length, each.length) > _MOST_PARTS * common):
            yield from (part for run in runs for part in _parts(run, length))
            runs, common = [], each.length if isinstance(each, Run) else 0
        if isinstance(each, Run):
            runs.append(each)
            length = common
        else:
            yield each
            length = 0
    yield from (part for run in runs for part in _parts(run, length))


def _parts(run: Run, length: int) -> Iterator[Run]:
    """Yield the parts of a run that have this length."""
    if run.length == length:
        yield run
        return
    for start in range(0, run.length, length):
        yield run._replace(
            length=length,
            out=_moved(run.out, start),
            operands=tuple(_moved(each, start) for each in run.operands),
            adds=run.adds or (run.out[0] == "u" and start > 0),
            rows=None,
        )


def _moved(spot: Spot, by: int) -> Spot:
    """Return the neighbours that come later by so many."""
    match spot:
        case ("v", place):
            return "v", place + by
        case ("s", place, columns, column, index):
            return "s", place, columns, column + by, index
    return spot


def _fits(chain: Sequence[Run], run: Run) -> bool:
    """Return whether each result of a run needs only results of the chain in the same place."""
    if not chain:
        return True
    if chain[0].length != run.length or sum(map(_cost, (*chain, run))) > _MOST_COST:
        return False
    count, written = run.length, [each.out for each in chain]
    before = [*written, *(spot for each in chain for spot in each.read)]
    return not (
        any(_clash(a, b, count) for a in run.read for b in written)
        or any(_clash(run.out, b, count) for b in before)
    )


def _cost(run: Run) -> int:
    return len(run.signs) + 1 if run.formula is None else cost(run.formula) + 1


def _clash(a: Spot, b: Spot, count: int) -> bool:
    """Return whether two spots overlap without being the same neighbours."""
    if (a[0] == "s") != (b[0] == "s"):
        return False
    if a == b:
        return bool(a[0] == "u")
    if a[0] == "s":
        return bool(a[1] == b[1] and (a[4] != b[4] or abs(a[3] - b[3]) < count))
    (start, size), (other, length) = ((x[1], 1 if x[0] == "u" else count) for x in (a, b))
    return bool(start < other + length and other < start + size)


def _rows(linked: Linked, chain: Sequence[Run]) -> Iterator[Any]:
    """Yield the row of a chain, or that of a single run."""
    if not chain or (len(chain) == 1 and chain[0].rows is not None):
        yield from (each.rows for each in chain)
        return
    table: dict[Spot, int] = {}
    places: list[int] = []

    def short(spot: Spot) -> Spot:
        if spot[0] == "c":
            return spot
        if spot not in table:
            table[spot] = len(places)
            places.extend(spot[1:])
        return spot[0], table[spot]

    runs = tuple(
        each._replace(
            length=0,
            out=short(each.out),
            operands=tuple(map(short, each.operands)),
            rows=None,
        )
        for each in chain
    )
    stored = tuple(short(each) for each in _stored(linked, chain))
    kernel = linked.new_kernel(ChainSpec(linked.kind, runs, stored))
    fields = words(count=chain[0].length, out=linked.table(places))
    yield linked.row(kernel, fields)


def count_reads(instructions: Iterable[Instruction], found: Any) -> None:
    """Count how many operands read each place of `u`."""
    for each in instructions:
        places = [slots[(slots >= 0) & ~varies] for slots, varies in slots_read(each)]
        if isinstance(each, Loop | LoopBack):
            count_reads(each.body, found)
        if isinstance(each, LoopBack):
            places += [slots_of(rows) for rows, _, _ in each.sent if not each.varies]
        elif isinstance(each, Send):
            places += [slots_of(each.elements.out)] if not each.varies else []
        else:
            places += [x.slots[~x.varies] for x in each if isinstance(x, Places)]
        if isinstance(each, Loop) and not each.varies:
            places.append(slots_of(each.states))
        for slots in places:
            np.add.at(found, slots, 1)


def _stored(linked: Linked, chain: Sequence[Run]) -> list[Spot]:
    """Return the runs that are stored: those that something else reads."""
    count = chain[0].length
    inside = Counter(spot for run in chain for spot in run.operands)
    seen: set[Spot] = set()
    found: dict[Spot, None] = {}
    for run in chain:
        for spot in run.operands:
            if spot not in seen:  # what is written later may be read in the next step of a loop
                inside[spot] = -1
        if run.out[0] != "u":
            found[run.out] = None
        seen.add(run.out)
    return [
        spot
        for spot in found
        if spot[0] == "s" or (linked.reads[spot[1] : spot[1] + count] != inside[spot]).any()
    ]


def write_chain(w: Writer, spec: ChainSpec) -> str:
    """Write the kernel of a chain; the second word of its row is the address of its table."""
    row, u, _, _ = w.kernel()
    count, address = w.words(row, Field.COUNT, Field.OUT)
    table = w.pointer(address)
    none = w.constant(-0.0, w.width)
    memory: dict[Spot, Any] = {}
    totals = []
    for run in spec.runs:
        for spot in (*run.operands, run.out):
            if spot[0] != "c" and spot not in memory:
                memory[spot] = _pointer(w, u, table, spot)
        if run.out[0] == "u":
            totals.append(w.build.alloca(none.type))
            w.build.store(none, totals[-1])
    numbers = {
        spot: w.load(memory[spot], 1)
        for run in spec.runs
        for spot in run.operands
        if spot[0] == "u"
    }

    def body(i: Any, width: int) -> None:
        held: dict[Spot, Any] = {spot: w.splat(each, width) for spot, each in numbers.items()}
        lowering, left = Lowering(w, width), iter(totals)

        def value(spot: Spot) -> Any:
            if spot[0] == "c":
                return lowering.number(spot[1])
            if spot not in held:
                held[spot] = w.load(w.at(memory[spot], i), width)
            return held[spot]

        for run in spec.runs:
            start = value(run.out) if run.adds and run.out[0] != "u" else None
            if run.formula is None:
                result = _sum(w, run, value, start)
            else:
                names = dict(zip(run.names, map(value, run.operands), strict=True))
                result = lowering.value(run.formula, names)
                if ADJOINT in names:
                    result = stopped(w, names[ADJOINT], result, run.formula)
                if start is not None:
                    result = w.build.fadd(start, result)
            if run.out[0] != "u":
                held[run.out] = result
                continue
            total = next(left)
            if width == 1:
                result = w.build.insert_element(none, result, word(0))
            w.build.store(w.build.fadd(w.build.load(total), result), total)
        for spot in spec.stored:
            w.store(held[spot], w.at(memory[spot], i))

    w.in_steps(count, (w.width, 1), body)
    left = iter(totals)
    for run in spec.runs:
        if run.out[0] == "u":
            result = w.total(w.build.load(next(left)))
            if run.adds:
                result = w.build.fadd(w.load(memory[run.out], 1), result)
            w.store(result, memory[run.out])
    return w.finished()


def _pointer(w: Writer, u: Any, table: Any, spot: Spot) -> Any:
    """Return the pointer to the first number of a spot."""
    kind, at = spot
    if kind != "s":
        return w.at(u, *w.words(table, at))
    place, columns, column, index = w.words(table, *range(at, at + 4))
    return Stack(w, u, place, columns, varies=False).at_step(index, column)


def _sum(w: Writer, run: Run, value: Any, total: Any) -> Any:
    """Return the sum of terms and of a number, if there is one."""
    pairs = zip(run.operands[::2], run.operands[1::2], strict=True)
    for sign, (left, right) in zip(run.signs, pairs, strict=True):
        x = value(left) if sign > 0 else w.build.fneg(value(left))
        if right == ("c", 1.0):
            total = x if total is None else w.build.fadd(total, x)
        else:
            y = value(right)
            total = w.build.fmul(x, y) if total is None else w.fma(x, y, total)
    return total
