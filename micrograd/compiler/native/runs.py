"""Finds runs of results whose operands are neighbours, too.

In `v`, the rows of neighbouring slots lie one after the other, so that a run is one long row: its
kernel looks up places once, and not for each result. In a small batch, whose rows are short, that
is most of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from micrograd.compiler.planning.sums import terms_of
from micrograd.compiler.program.instructions import Elementwise, WeightedSums
from micrograd.compiler.program.slots import count_of, rows_of, slots_of

_LEAST = 16  # in a run of `u`, on average: scattered numbers of `u` have one row for all of them
_SHORT = 4  # sums of a run of `u` that are better added up with those of other short runs
_FEW_TERMS = 8  # of a sum whose kernel has straight code for them
_SOME_TERMS = 256  # that such a kernel, which takes some 30 ms to compile, adds up
_LONG_SUM = 16  # terms of a sum, on average, that are added up in vectors


def moves(step: Elementwise) -> list[bool]:
    """Return which operands go on from result to result; others are the same number for all."""
    if step.varies:
        return [varies for varies, _ in step.operands]
    return [_go_on(slots_of(rows)) for _, rows in step.operands]


def _go_on(slots: Any) -> bool:
    """Return whether slots mostly follow one another, rather than being the same."""
    gaps = np.diff(slots)
    return bool(np.count_nonzero(gaps == 1) > np.count_nonzero(gaps == 0))


def is_total(step: Elementwise) -> bool:
    """Return whether many results that are in `u` are added to the same number there."""
    slots = slots_of(step.out)
    return step.mode == "add" and not step.varies and len(slots) > 1 and not _go_on(slots)


def runs_of_operations(step: Elementwise) -> Any:
    """Return where the runs of an instruction begin; nothing if it is in `u` and has short ones.

    An operand that goes on does so by one slot, and so do the results, unless they are added up.
    """
    if step.mode == "total":
        return np.arange(count_of(step.out))
    return _starts(_ends(step), count_of(step.out), varies=step.varies)


def _ends(step: Elementwise) -> Any:
    """Return after which results the next one is of another run."""
    ends = np.diff(slots_of(step.out)) != (not is_total(step))
    for goes_on, (_, rows) in zip(moves(step), step.operands, strict=True):
        ends |= np.diff(slots_of(rows)) != goes_on
    return ends


def in_runs(step: Elementwise) -> Iterator[tuple[Elementwise, Any]]:
    """Yield parts of an instruction, and where the runs of each begin; none if they are short.

    In `u`, an operand may go on in one part and be the same number in the next, as in products of
    some numbers with a constant and of others with each other.
    """
    starts = runs_of_operations(step)
    while not len(starts):
        every = np.append(0, np.flatnonzero(_ends(step)) + 1)
        counts = np.diff(every, append=count_of(step.out))
        is_long = np.repeat(counts >= _LEAST, counts)
        if 2 * np.count_nonzero(is_long) < len(is_long):
            break
        yield (long := _part(step, is_long)), np.append(0, np.flatnonzero(_ends(long)) + 1)
        step = _part(step, ~is_long)
        starts = runs_of_operations(step)
    yield step, starts


def _part(step: Elementwise, chosen: Any) -> Elementwise:
    """Return the results of an instruction that are chosen."""
    out, *columns = (
        rows_of(slots_of(rows)[chosen]) for rows in (step.out, *(x.rows for x in step.operands))
    )
    operands = (x._replace(rows=rows) for x, rows in zip(step.operands, columns, strict=True))
    return step._replace(out=out, operands=(*operands,))


def runs_of_sums(step: WeightedSums) -> tuple[Any, WeightedSums]:
    """Return the same for sums; those of a run have the same signs, too.

    In the sums that are returned, the factors that go on are those that vary. In `u`, any may; they
    are the same ones for all sums of a run.
    """
    lengths = np.diff(step.bounds)
    if step.mode == "total":
        return np.arange(len(lengths)), step
    ends = (np.diff(slots_of(step.out)) != 1) | (np.diff(lengths) != 0)
    alike = np.repeat(np.append(~ends, False), lengths)  # terms of a sum whose next one may be
    row = np.repeat(np.arange(len(lengths)), lengths)[alike]
    term = np.flatnonzero(alike)
    after = term + lengths[row]
    differs = step.sign[after] != step.sign[term]
    marks = []
    for slots, kinds in step.sides:
        goes_on = kinds
        if not step.varies:
            goes_on = np.zeros(len(slots), bool)
            goes_on[term] = (slots[after] - slots[term] == 1) & (slots[term] >= 0)
        marks.append(goes_on)
        differs |= (kinds[after] != kinds[term]) | (slots[after] - slots[term] != goes_on[term])
    ends |= _rows(row, differs, len(ends))
    if not step.varies:  # what goes on must do so in the whole run
        again = np.append(~ends, False)[row] & np.append(~ends, False)[row + 1]
        changes = np.zeros(len(term), bool)
        for goes_on in marks:
            changes |= goes_on[after] != goes_on[term]
        ends[1:] |= _rows(row, changes & again, len(ends))[:-1]
    left, right = marks
    starts = _starts(ends, len(step.left), varies=step.varies)
    return starts, step._replace(left_varies=left, right_varies=right)


def long_runs(step: WeightedSums, starts: Any) -> tuple[Any, Any, Any]:
    """Return where long runs begin, how long they are, and which sums are in none of them.

    In `u`, such sums, as at the edges of a grid, are added up together; in `v`, all runs are long.
    """
    sums = np.arange(len(step.start))
    if not len(starts):
        return starts, starts, sums
    counts = np.diff(starts, append=len(sums))
    is_long = (counts > _SHORT) | step.varies
    return starts[is_long], counts[is_long], sums[np.repeat(~is_long, counts)]


def alike_runs(step: WeightedSums, starts: Any, counts: Any) -> Iterator[tuple[str, Any]]:
    """Yield groups of runs, as places in `starts`, whose sums have terms of the same kinds.

    Such are the rows of a grid, which have one kernel and differ in places alone. With each group,
    there are the kinds of its terms, as that kernel takes them; or nothing if the sums are too long
    or too few for it, or not in `u`.
    """
    if step.varies:
        yield "", np.arange(len(starts))
        return
    names = np.where(step.left_varies & step.right_varies, "vv", "vu")
    names[~step.left_varies & ~step.right_varies] = "uu"
    found: dict[str, list[int]] = {}
    bounds = step.bounds
    for place, run in enumerate(starts.tolist()):
        terms = names[bounds[run] : bounds[run + 1]]
        found.setdefault("".join(terms) if len(terms) <= _FEW_TERMS else "", []).append(place)
    for kinds, places in found.items():
        is_worthwhile = len(kinds) // 2 * counts[places].sum() >= _SOME_TERMS
        yield kinds if is_worthwhile else "", np.array(places)


def chosen(step: WeightedSums, sums: Any) -> WeightedSums:
    """Return the sums of an instruction that have these numbers."""
    if len(sums) == len(step.start):
        return step
    terms, start = terms_of(step.bounds, sums)
    columns = (column[terms] for column in step.columns)
    rows = rows_of(slots_of(step.out)[sums])
    return WeightedSums(step.varies, rows, start, *columns)._replace(mode=step.mode)


def _rows(row: Any, marked: Any, count: int) -> Any:
    """Return in which rows something is marked."""
    return np.bincount(row[marked], minlength=count)[:count] > 0


def sums_of_neighbours(step: WeightedSums) -> bool:
    """Return whether each sum is that of many neighbours in `u`."""
    gaps = np.diff(step.left) != 1
    gaps[step.start[1:] - 1] = False
    is_long = len(step.left) >= _LONG_SUM * len(step.start)
    is_plain = (step.right < 0).all() and (step.sign == 1).all()
    return bool(not step.varies and is_long and is_plain and not gaps.any())


def _starts(ends: Any, number: int, *, varies: bool) -> Any:
    """Return where runs begin, given where others end; `number` counts results or terms."""
    starts = np.append(0, np.flatnonzero(ends) + 1)
    return starts if varies or len(starts) * _LEAST <= number else starts[:0]
