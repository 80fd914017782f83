"""Makes a program of a graph.

The graph is simplified. Then sums, matrix products and folds are found, equal operations of the
same level are grouped into one instruction, and what is long and narrow becomes a tape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd.compiler.planning import lookups, loops
from micrograd.compiler.planning.folds import find_folds
from micrograd.compiler.planning.levels import delayed, longest_paths
from micrograd.compiler.planning.lookups import LookupRow
from micrograd.compiler.planning.matrices import find_products
from micrograd.compiler.planning.sums import find_sums, terms_of
from micrograd.compiler.program.instructions import (
    SUM,
    Elementwise,
    Fold,
    Product,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.loop_instructions import Column, Stack
from micrograd.compiler.program.program import Instruction, Program
from micrograd.compiler.program.slots import Operand, rows_of
from micrograd.compiler.tracing.graph import CONSTANT, NOTHING, Graph, Structural, any_of, reached
from micrograd.compiler.tracing.simplifying import simplified
from micrograd.engine.collecting import nothing_collected
from micrograd.ops import TABLE

# At least LEAST_STEPS groups in a row, each of at most NARROW nodes, become a tape. Sums of more
# than FEW_TERMS terms stay outside of it, and so do groups of sums with more than SOME_TERMS terms
# together, which are matrix products if anything is.
LEAST_STEPS, NARROW, FEW_TERMS, SOME_TERMS = 32, 8, 8, 16


@nothing_collected()
def plan(graph: Graph, *, batched: bool) -> Program:
    """Return the program of a graph.

    Args:
        graph: what is computed.
        batched: whether the inputs vary over a batch.
    """
    graph = simplified(graph)
    varies = (
        np.arange(graph.leaves) >= graph.parameters if batched else np.zeros(graph.leaves, bool)
    )
    return Planner(graph, varies).program(batched)


class _Slots:
    """The slots and stacks allocated so far, including those of the bodies of loops."""

    def __init__(self) -> None:
        self.next = [0, 0]  # of u and of v
        self.constants: dict[int, int] = {}  # the bits of a number, to its slot
        self.of_constants = slice(0, 0)
        self.stacks: list[Stack] = []


class Planner:
    """Plans a graph, or the graph of a step of a loop.

    Args:
        graph: a simplified graph.
        varies: whether each leaf varies over a batch.
        slots: the slots and stacks allocated so far.
        outside: takes the instructions of `u`, if they are to stand in front of the loop.
    """

    def __init__(
        self,
        graph: Graph,
        varies: Any,
        slots: _Slots | None = None,
        outside: Callable[[Instruction], None] | None = None,
    ) -> None:
        self.graph, self.slots, self.outside = graph, slots or _Slots(), outside
        self.varying = reached(graph, np.append(varies, np.zeros(graph.size - graph.leaves, bool)))
        self.sums = find_sums(graph, self.varying)
        self.code = graph.code.copy()
        summed, self.first_term = _first_of_each(self.sums.root)
        self.code[summed] = SUM
        self.place_of_sum = np.full(graph.size, NOTHING)
        self.place_of_sum[summed] = np.arange(len(summed))
        self.bounds = np.append(self.first_term, len(self.sums.root))
        zeros = (graph.code == CONSTANT) & (graph.numbers == 0) & ~np.signbit(graph.numbers)
        self.zero = int(np.argmax(zeros)) if zeros.any() else NOTHING
        self.folds = find_folds(graph, self.varying)
        folded, first_of_fold = _first_of_each(self.folds.root)
        self.bounds_of_folds = np.append(first_of_fold, len(self.folds.root))
        self.place_of_fold = np.full(graph.size, NOTHING)
        self.place_of_fold[folded] = np.arange(len(folded))
        self.slot = np.full(graph.size + 1, NOTHING)  # the last one for NOTHING
        self.stack: dict[int, Column] = {}  # the nodes that are stacks
        self.instructions: list[Instruction] = []

    def program(self, batched: bool) -> Program:
        """Return the program, in which the instructions of `u` come first."""
        graph = self.graph
        constants = graph.numbers[graph.code == CONSTANT]
        own = dict.fromkeys(_bits(constants))
        inner = (x for x in _bits([*loops.constants_of_steps(graph)]) if x not in own)
        further = np.array([*dict.fromkeys(inner)], dtype=np.int64)
        numbers = np.append(constants, further.view(np.float64))
        self.number(np.arange(graph.parameters), varies=False)
        self.number(np.arange(graph.parameters, graph.leaves), varies=batched)
        self.slots.of_constants = rows = self.next(len(numbers), varies=False)
        self.slots.constants = {x: i for i, x in enumerate(_bits(numbers), rows.start)}
        self.emit()
        outputs = tuple((bool(self.varying[n]), int(self.slot[n])) for n in graph.outputs.tolist())
        return Program(
            instructions=tuple(self.instructions),
            parameters=graph.parameters,
            inputs=graph.inputs,
            batched=batched,
            constants=numbers,
            uniform=self.slots.next[0],
            varying=self.slots.next[1],
            outputs=outputs,
            stacks=tuple(self.slots.stacks),
        )

    def emit(self) -> None:
        """Emit all instructions; the leaves must have their slots."""
        constants = self.graph.code == CONSTANT
        self.slot[:-1][constants] = self.constants(self.graph.numbers[constants])
        for varies, code, members in self._groups():
            if code is None:
                self._emit_tape(varies, members)
            elif code == SUM:
                self._emit_sums(varies, members)
            elif self.place_of_fold[members[0]] >= 0:
                self._emit_folds(varies, code, members)
            elif isinstance(self.graph.table[code], Structural):
                emit = lookups.emit if isinstance(self.graph.table[code], LookupRow) else loops.emit
                emit(self, varies, members)
            else:
                self._emit_operations(varies, code, members)

    def constants(self, numbers: Any) -> list[int]:
        """Return the slots of constants."""
        return [*map(self.slots.constants.__getitem__, _bits(numbers))]

    def append(self, instruction: Instruction) -> None:
        """Add an instruction; what is the same for all steps and samples stands before a loop."""
        if self.outside is not None and not instruction.varies:
            self.outside(instruction)
        else:
            self.instructions.append(instruction)

    def number(self, nodes: Any, *, varies: bool) -> slice:
        """Give nodes the next slots of a space."""
        slots = self.next(len(nodes), varies=varies)
        self.slot[nodes] = np.arange(slots.start, slots.stop)
        return slots

    def next(self, count: int, *, varies: bool) -> slice:
        """The next slots of a space."""
        start = self.slots.next[varies]
        self.slots.next[varies] = start + count
        return slice(start, start + count)

    # -------------------------------------------------------------------------------------- groups

    def _groups(self) -> Iterator[tuple[bool, int | None, Any]]:
        """Yield groups of nodes with the same space, level, operation and spaces of operands.

        A group is given by its space, its code and its nodes. The code is None for the nodes of a
        tape, which are many small groups one after the other.
        """
        graph = self.graph
        alive = np.flatnonzero(
            (self.code >= SUM) & (graph.code >= 0) & ~self.sums.gone & ~self.folds.gone
        )
        above, below = self._edges(alive)
        levels = longest_paths(above, below, graph.size)
        structural = graph.structural
        if structural.any():
            self.code = loops.common_codes(graph, self.code)
            alive = alive[self.code[alive] >= SUM]
        if not len(alive):
            return
        kinds = np.zeros(graph.size, dtype=np.int64)
        for place in range(graph.operands.shape[1]):
            held = graph.operands[:, place]
            kinds |= (self.varying[held] & (held >= 0)).astype(np.int64) << place
        kinds[self.code == SUM] = 0
        kinds[self.place_of_fold >= 0] = -1  # apart from a maximum of two
        readers = np.full(graph.size, NOTHING)  # tell sums of different uses apart
        readers[below] = self.code[above]
        readers[self.code != SUM] = NOTHING
        alike = (
            *(each[alive] for each in (kinds, self.code, self.varying, readers)),
            self._terms_each(alive),
        )
        levels = delayed(levels, alive, alike, above, below)
        keys = (kinds[alive], self.code[alive], levels[alive], self.varying[alive])
        order = np.lexsort(keys)
        different = any_of([np.diff(key[order]) != 0 for key in keys])
        members = alive[order]
        starts = np.concatenate(([0], np.flatnonzero(different) + 1, [len(members)]))
        members, starts = _by_first(members, starts, levels, self.varying)
        varies = self.varying[members[starts[:-1]]]
        codes = self.code[members[starts[:-1]]].tolist()
        wide = structural[members[starts[:-1]]]
        for first, last, narrow in _runs(self._is_narrow(members, starts) & ~wide, varies):
            space = bool(varies[first])
            if narrow and last - first >= LEAST_STEPS:
                yield space, None, members[starts[first] : starts[last]]
                continue
            for i in range(first, last):
                yield space, codes[i], members[starts[i] : starts[i + 1]]

    def _is_narrow(self, members: Any, starts: Any) -> Any:
        """Return which groups have few nodes and no sums of many terms."""
        terms = self._terms_each(members)
        terms[self.place_of_fold[members] >= 0] = FEW_TERMS + 1
        largest, total = (f.reduceat(terms, starts[:-1]) for f in (np.maximum, np.add))
        return (np.diff(starts) <= NARROW) & (largest <= FEW_TERMS) & (total <= SOME_TERMS)

    def _terms_each(self, nodes: Any) -> Any:
        """Return the number of terms of each node that is a sum, and 0 for others."""
        places = self.place_of_sum[nodes]
        return np.where(places < 0, 0, self.bounds[places + 1] - self.bounds[places])

    def _edges(self, alive: Any) -> tuple[Any, Any]:
        """Return pairs of nodes of one space: one that reads, and one that it reads."""
        graph, varying = self.graph, self.varying
        above, below = [], []
        single = alive[(self.code[alive] != SUM) & (self.place_of_fold[alive] < 0)]
        for place in range(graph.operands.shape[1]):
            held = graph.operands[single, place]
            above.append(single[held >= 0])
            below.append(held[held >= 0])
        for column in (self.sums.left, self.sums.right):
            above.append(self.sums.root[column >= 0])
            below.append(column[column >= 0])
        above.append(self.folds.root)
        below.append(self.folds.term)
        tails, heads = np.concatenate(above), np.concatenate(below)
        same = varying[tails] == varying[heads]
        return tails[same], heads[same]

    # ---------------------------------------------------------------------------------- operations

    def _emit_tape(self, varies: bool, members: Any) -> None:
        graph = self.graph
        out = self.number(members, varies=varies)
        places = self.place_of_sum[members]
        lengths = np.zeros(len(members), dtype=np.intp)
        lengths[places >= 0] = self._lengths(places[places >= 0])
        rows = [i for i, row in enumerate(graph.table) if not isinstance(row, Structural)]
        code = np.where(places < 0, np.searchsorted(rows, self.code[members]), SUM)
        operands = np.where((places < 0)[:, None], graph.operands[members], NOTHING)
        bounds = np.concatenate(([0], np.cumsum(lengths)))
        terms = self._terms(varies, out, places[places >= 0])
        # A sum waits for the result of the step before it only with its last term.
        latest = np.maximum(terms.left, terms.right)
        order = np.lexsort((latest, np.repeat(np.arange(len(members)), lengths)))
        columns = (column[order] for column in terms.columns)
        terms = WeightedSums(varies, out, terms.start, *columns)
        self.append(
            Tape(
                varies,
                out,
                tuple(graph.table[i] for i in rows),
                code,
                self.slot[operands],
                self.varying[operands] & (operands >= 0),
                bounds,
                terms,
            )
        )

    def _emit_operations(self, varies: bool, code: int, members: Any) -> None:
        row = self.graph.table[code]
        operands = self.graph.operands[members][:, : row.arity]
        if len(members) > 1:
            members = members[_order(self.slot[operands])]
            operands = self.graph.operands[members][:, : row.arity]
        read = tuple(
            Operand(bool(self.varying[column[0]]), rows_of(self.slot[column]))
            for column in operands.T
        )
        out = self.number(members, varies=varies)
        self.append(Elementwise(varies, out, row, read))

    def _emit_folds(self, varies: bool, code: int, members: Any) -> None:
        terms, start = terms_of(self.bounds_of_folds, self.place_of_fold[members])
        slots = self.slot[self.folds.term[terms]]
        out = self.number(members, varies=varies)
        self.append(Fold(varies, out, self.graph.table[code], start, slots))

    # ---------------------------------------------------------------------------------------- sums

    def _emit_sums(self, varies: bool, members: Any) -> None:
        places = self.place_of_sum[members]
        of_sums = self.sums, self.bounds, places, self.slot, self.varying, varies
        found, rest = find_products(*of_sums, self.slots.of_constants)
        for block in found:
            nodes = members[block.sums.ravel()]
            out = self.next(len(nodes), varies=varies)
            self.append(Product(varies, out, block.matrix, block.inputs, block.bias))
            further = []
            for matrix, inputs in block.further:
                further.append(Operand(varies, self.next(len(nodes), varies=varies)))
                self.append(Product(varies, further[-1].rows, matrix, inputs, None))
            for addends in (*further, *block.addends):
                read = (Operand(varies, out), addends)
                out = self.next(len(nodes), varies=varies)
                self.append(Elementwise(varies, out, TABLE["add"], read))
            self.slot[nodes] = np.arange(out.start, out.stop)
        if rest:
            out = self.number(members[rest], varies=varies)
            self.append(self._terms(varies, out, places[rest]))

    def _terms(self, varies: bool, out: slice, places: Any) -> WeightedSums:
        """Return the instruction for the sums at some places among all sums."""
        sums = self.sums
        terms, start = terms_of(self.bounds, places)
        zero = sums.zero[sums.root[self.bounds[places]]]
        terms = np.insert(terms, start[zero], NOTHING)  # a term of zero
        left = np.where(terms < 0, self.zero, sums.left[terms])
        right = np.where(terms < 0, NOTHING, sums.right[terms])
        lengths = self._lengths(places)
        return WeightedSums(
            varies,
            out,
            np.cumsum(lengths) - lengths,
            np.where(terms < 0, 1.0, sums.sign[terms]),
            self.slot[left],
            self.varying[left],
            self.slot[right],
            self.varying[right] & (right >= 0),
        )

    def _lengths(self, places: Any) -> Any:
        """Return the number of terms of the sums at some places, including a term of zero."""
        first = self.bounds[places]
        return self.bounds[places + 1] - first + self.sums.zero[self.sums.root[first]]


def _order(slots: Any) -> Any:
    """Return an order of operations in which, where it can be, operands are neighbours, too.

    It is that of their operands; or first of the distances between these, as in `x[1:] - x[:-1]`
    along each axis of `x`, if more operations follow one another then.
    """
    order = np.lexsort(slots.T[::-1])
    if len(slots) > _FEW and slots.shape[1] > 1 and (breaks := _breaks(slots[order])):
        distances = slots[:, 1:] - slots[:, :1]
        other = np.lexsort((slots[:, 0], *distances.T[::-1]))
        if _breaks(slots[other]) < breaks:
            return other
    return order


def _breaks(slots: Any) -> int:
    """Return after how many operations an operand is neither a neighbour nor the same."""
    return int(any_of(np.diff(slots.T) >> 1).sum())


_FEW = 16
"""So few operations take as long in any order."""


def _bits(numbers: Any) -> list[int]:
    """Return the bits of numbers, which tell 0 from -0, and a nan from others."""
    found: list[int] = np.array(numbers, dtype=np.float64).view(np.int64).tolist()
    return found


def _first_of_each(roots: Any) -> tuple[Any, Any]:
    """Return the different numbers of a rising sequence, and where each occurs first.

    `np.unique` does so, too, but imports `numpy.ma`, which takes longer than planning a program.
    """
    first = np.flatnonzero(np.append(True, roots[1:] != roots[:-1])[: len(roots)])
    return roots[first], first


def _by_first(members: Any, starts: Any, levels: Any, varies: Any) -> tuple[Any, Any]:
    """Return groups with those of one level by their first nodes, which keeps neighbours together.

    Args:
        members: the nodes of all groups, in the order of spaces and levels.
        starts: where each group begins, and where the last one ends.
        levels: the level of each node.
        varies: the space of each node.
    """
    first, lengths = members[starts[:-1]], np.diff(starts)
    order = np.lexsort((first, levels[first], varies[first]))
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    ends = np.cumsum(lengths[order])
    return members[np.argsort(np.repeat(rank, lengths), kind="stable")], np.append(0, ends)


def _runs(narrow: Any, varies: Any) -> Iterator[tuple[int, int, bool]]:
    """Yield runs of groups that are alike in both: first, last, and whether they are narrow."""
    edges = np.flatnonzero((np.diff(narrow) != 0) | (np.diff(varies) != 0)) + 1
    for first, last in pairwise([0, *edges.tolist(), len(narrow)]):
        yield first, last, bool(narrow[first])
