"""The results of a program as arrays of JAX: each array holds neighbouring slots of a space.

Where a program reads only a part of a result, the parts are arrays of their own. The derivative of
reading one is then that array; that of a slice of a larger one is a sum with padding.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import groupby
from operator import itemgetter
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from micrograd.compiler.jax.patterns import pattern_of, runs, taken
from micrograd.compiler.jax.rolling import Repeat
from micrograd.compiler.program.instructions import Elementwise, WeightedSums
from micrograd.compiler.program.program import Program, slots_read, with_bodies
from micrograd.compiler.program.slots import Operand, Rows, in_spaces, rows_of

MOST_CUTS = 24
"""The most cuts of one result."""
FEW_ROWS = 8  # up to this many rows are cut out one by one, unless they are neighbours
FEW_RESULTS = 4  # up to this many results of one instruction are computed one by one


class Cuts:
    """Where the slots of a program are cut into arrays: where its reads begin and end.

    Many rows that are read in a pattern, such as a matrix beside its biases, stay together.

    Args:
        program: the program.
        passed: up to how many results the cuts of an operation are those of what it reads, too.
    """

    def __init__(self, program: Program, passed: int = MOST_CUTS) -> None:
        self._passed = passed
        self._places: dict[bool, set[int]] = {False: set(), True: set()}
        self._whole: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
        self._is_kept = False
        for read in output_reads(program):
            self._read(*read)
        for instruction in reversed(program.instructions):
            for each in reversed([*with_bodies([instruction])]):
                # In a loop, each array more is one more that every step keeps for the way back.
                self._is_kept = each is not instruction
                self._note(each)
        self._sorted = {varies: self._finished(varies) for varies in (False, True)}

    def within(self, varies: bool, rows: slice) -> list[int]:
        """Return the cuts inside of a run of slots; none if there are too many."""
        places = self._sorted[varies]
        inner = places[bisect_right(places, rows.start) : bisect_left(places, rows.stop)]
        return inner if len(inner) < MOST_CUTS else []

    def parts(self, varies: bool, start: int, array: Any) -> list[Any]:
        """Return an array of slots from `start` on in the parts that are read."""
        stop = start + len(array)
        cuts = self.within(varies, slice(start, stop))
        if not cuts:
            return [array] if len(array) else []
        return [*lax.split(array, np.diff([start, *cuts, stop]).tolist())]

    def _note(self, instruction: Any) -> None:
        out = instruction.out
        count = out.stop - out.start
        if isinstance(instruction, Elementwise | WeightedSums) and count <= FEW_RESULTS:
            self._places[instruction.varies].update(range(out.start, out.stop + 1))
        match instruction:
            case Elementwise(varies=varies, operands=operands):
                rows = range(out.start + 1, out.stop) if count < self._passed else ()
                inner = [place for place in rows if place in self._places[varies]]
                for operand in operands:
                    self._read(operand.varies, operand.rows)
                    if isinstance(operand.rows, slice):
                        shift = operand.rows.start - out.start
                        self._places[operand.varies].update(cut + shift for cut in inner)
            case Repeat(varies=varies, first=first, fed=fed):
                for slots in (first, fed.ravel()):
                    if len(slots):
                        self._read(varies, slots)
            case _:
                for slots, kinds in slots_read(instruction):
                    for space, here in in_spaces(kinds.ravel(), slots.ravel() >= 0):
                        self._read(space, np.unique(slots.ravel()[here]))

    def _read(self, varies: bool, rows: Rows) -> None:
        """Note where a read begins and ends, or each of a few rows that it names."""
        places = self._places[varies]
        if isinstance(rows, slice):
            places.update((rows.start, rows.stop))
            return
        found = np.unique(rows)
        bounds = runs(found)
        if len(found) <= FEW_ROWS and len(bounds) > 1:
            places.update(*((row, row + 1) for row in found.tolist()))
        elif len(bounds) == 1 or (len(bounds) <= FEW_ROWS and not self._is_whole(found)):
            places.update(*((int(found[a]), int(found[b - 1]) + 1) for a, b in bounds))
        else:
            self._whole[varies].append((int(found[0]), int(found[-1]) + 1))

    def _is_whole(self, rows: Any) -> bool:
        """Return whether what is between rows in rising order stays together with them."""
        span = int(rows[-1] - rows[0]) + 1
        return (self._is_kept or 2 * len(rows) > span) and pattern_of(rows) is not None

    def _finished(self, varies: bool) -> list[int]:
        """Return the cuts in order, without those inside of what stays together."""
        places, start, stop = self._places[varies], 0, 0
        inside: set[int] = set()
        for first, last in sorted(self._whole[varies]):
            start = start if first < stop else first
            stop = max(stop, last)
            inside.update(range(start + 1, stop))
            places.update((first, last))
        return sorted(places - inside)


def output_reads(program: Program) -> list[Operand]:
    """Return the outputs as reads, few of them one by one, many of one space together."""
    outputs = program.outputs
    if len(outputs) <= FEW_ROWS:
        return [Operand(varies, slice(slot, slot + 1)) for varies, slot in outputs]
    spaces = groupby(outputs, itemgetter(0))
    return [
        Operand(varies, rows_of(np.array([slot for _, slot in each]))) for varies, each in spaces
    ]


class Space:
    """The results of one space so far.

    Args:
        varies: whether the arrays have an axis of samples after that of slots.
        cuts: where results are cut.
    """

    def __init__(self, varies: bool, cuts: Cuts) -> None:
        self.varies, self.places = varies, cuts
        self.starts: list[int] = []
        self.arrays: list[Any] = []
        self.size = 0
        self._together: dict[tuple[int, ...], Any] = {}  # by the numbers of the arrays

    def append(self, array: Any) -> None:
        """Add the values of the next slots, in parts if they are read in parts."""
        for part in self.places.parts(self.varies, self.size, array):
            self.add(part)

    def add(self, array: Any) -> None:
        """Add the values of the next slots as one array."""
        self.starts.append(self.size)
        self.arrays.append(array)
        self.size += len(array)

    def read(self, rows: Rows) -> Any:
        """Return rows of the space; one row if all are the same."""
        if isinstance(rows, slice):
            held, offset = self.held(rows.start, rows.stop)
            first, stop = rows.start - offset, rows.stop - offset
            return held if stop - first == len(held) else held[first:stop]
        return taken(*self.gathered(rows))

    def gathered(self, rows: Any) -> tuple[Any, Any]:
        """Return an array that holds all rows, and their places in it."""
        owners: Any = np.searchsorted(self.starts, rows, side="right") - 1
        used = np.unique(owners)
        key = tuple(used.tolist())
        starts = np.array(self.starts)[used]
        sizes = [len(self.arrays[i]) for i in key]
        moved = np.cumsum([0, *sizes[:-1]]) - starts
        return self._joined(key), rows + moved[np.searchsorted(used, owners)]

    def held(self, first: int, stop: int) -> tuple[Any, int]:
        """Return an array that holds these slots, and its first slot."""
        begin, end = bisect_right(self.starts, first) - 1, bisect_left(self.starts, stop)
        return self._joined(tuple(range(begin, end))), self.starts[begin]

    def _joined(self, key: tuple[int, ...]) -> Any:
        """Return some arrays as one, given their numbers."""
        if len(key) == 1:
            return self.arrays[key[0]]
        if key not in self._together:
            self._together[key] = jnp.concatenate([self.arrays[i] for i in key])
        return self._together[key]

    def cuts(self, rows: Rows) -> list[int]:
        """Return where a read is cut into parts that are each in one array."""
        if isinstance(rows, slice):
            first, last = (bisect_right(self.starts, row) for row in (rows.start, rows.stop - 1))
            return [start - rows.start for start in self.starts[first:last]]
        arrays: Any = np.searchsorted(self.starts, rows, side="right")
        if (arrays == arrays[0]).all():
            return []
        steps = np.diff(rows)
        moves: list[int] = np.flatnonzero(
            (np.diff(arrays) != 0) | (steps < 0) | (steps > 1)
        ).tolist()
        return [move + 1 for move in moves]


def some(operand: Operand, part: slice) -> Rows:
    """Return a part of the rows of an operand."""
    rows = operand.rows
    if isinstance(rows, slice):
        return slice(rows.start + part.start, rows.start + part.stop)
    return rows[part]
