"""Finds runs of results whose operands are neighbours, too.

In `v`, the rows of neighbouring slots lie one after the other, so that a run is one long row: its
kernel looks up places once, and not for each result. In a small batch, whose rows are short, that
is most of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from micrograd.compiler.program.instructions import Elementwise, WeightedSums
from micrograd.compiler.program.slots import slots_of

_LEAST = 4  # results of a run, on average: calling a kernel takes as long as looking up so many


def runs_of_operations(step: Elementwise) -> list[slice]:
    """Return the runs of an instruction that varies, or none if they would be short.

    An operand in `v` goes on by one slot from result to result, and one in `u` stays the same.
    """
    ends = np.diff(slots_of(step.out)) != 1
    for varies, rows in step.operands:
        ends |= np.diff(slots_of(rows)) != varies
    return _long(ends)


def runs_of_sums(step: WeightedSums) -> list[slice]:
    """Return the same for sums; those of a run have the same signs, too."""
    lengths = np.diff(step.bounds)
    ends = (np.diff(slots_of(step.out)) != 1) | (np.diff(lengths) != 0)
    alike = np.repeat(np.append(~ends, False), lengths)  # terms of a sum whose next one may be
    row = np.repeat(np.arange(len(lengths)), lengths)[alike]
    term = np.flatnonzero(alike)
    after = term + lengths[row]
    differs = step.sign[after] != step.sign[term]
    for slots, kinds in step.sides:
        differs |= (kinds[after] != kinds[term]) | (slots[after] - slots[term] != kinds[term])
    ends |= np.bincount(row[differs], minlength=len(ends))[: len(ends)] > 0
    return _long(ends)


def _long(ends: Any) -> list[slice]:
    """Return the runs between ends, or none if they are short."""
    bounds = [0, *(np.flatnonzero(ends) + 1).tolist(), len(ends) + 1]
    if (len(bounds) - 1) * _LEAST > bounds[-1]:
        return []
    return [slice(first, last) for first, last in pairwise(bounds)]


def sums_of_first(step: WeightedSums, runs: list[slice]) -> Iterator[tuple[slice, int, Any]]:
    """Yield each run, its first slot, and its first sum as an instruction."""
    bounds, out = step.bounds, slots_of(step.out)
    for run in runs:
        terms = slice(bounds[run.start], bounds[run.start + 1])
        columns = (column[terms] for column in step.columns)
        yield run, int(out[run.start]), WeightedSums(True, slice(0, 1), bounds[:1], *columns)
