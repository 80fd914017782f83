"""Weighted sums in C: few terms one by one, many in loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from micrograd.compiler.instructions import WeightedSums
from micrograd.compiler.slots import even_matrix, rows_of, slots_of
from micrograd.compiler.sources.places import Item, Places, linear, loop_head
from micrograd.source.trees import Definition, ready
from micrograd.table.formulas import Call, Tree

UNROLLED = 12
"""The most numbers that are written one by one."""


T = TypeVar("T")


def summed(terms: Iterable[tuple[float, T, T | None]], apply: Callable[..., T]) -> T | float:
    """Return a sum of terms: a sign and one or two factors each.

    Args:
        terms: the terms.
        apply: applies an operation, which is given by its name, to operands.
    """
    total: T | None = None
    for sign, left, right in terms:
        term = left if right is None else apply("mul", left, right)
        if total is None:
            total = term if sign > 0 else apply("neg", term)
        else:
            total = apply("add" if sign > 0 else "sub", total, term)
    return 0.0 if total is None else total


class Sums(Places):
    """Writes weighted sums."""

    def sums(self, step: WeightedSums) -> Iterator[Item]:
        """The statements that compute sums."""
        if len(step.left) > UNROLLED:
            yield self._sum_loops(step)
            return
        space = step.varies and step.mode != "total"
        for slot, terms in step.sums():
            read = (
                (sign, self.number(*left), None if right is None else self.number(*right))
                for sign, left, right in terms
            )
            target = self.target(space, np.array([slot]))
            if step.mode == "value":
                total = summed(read, lambda name, *operands: Call(name, operands))
                yield Definition(target, ready(total))
                continue
            for sign, g, factor in read:
                share: Tree = g if sign > 0 else Call("neg", (g,))
                if factor is not None:
                    share = Call(self.product, (share, factor))
                yield self.into(target, ready(share))

    def _sum_loops(self, step: WeightedSums) -> str:
        """Sums of many terms: a few in runs of evenly spaced terms, many over tables."""
        many, slots = len(step.start), slots_of(step.out)
        if step.mode != "value" and len(step.left) == many:
            runs = [*_runs(step, 0, many, slots)]
            if 1 < len(runs) <= UNROLLED:
                return "\n".join(self._sum_loop(_part(step, run)) for run in runs)
        if many > UNROLLED:
            return self._sum_loop(step)
        parts = []
        for i, (first, last) in enumerate(pairwise(step.bounds.tolist())):
            runs = [*_runs(step, first, last)]
            if len(runs) > UNROLLED:
                runs = [slice(first, last)]
            own = step._replace(out=slots[i : i + 1], start=np.zeros(1, int))
            out = self._out(own)
            lines: list[str] = []
            for run in runs:
                columns = (column[run] for column in step.columns)
                piece = WeightedSums(own.varies, own.out, own.start, *columns)
                piece = piece._replace(mode=step.mode)
                lines += self._terms(piece, (1, run.stop - run.start), "")
            if step.mode == "value":
                lines = ["double sum = 0.0;", *lines, f"{out} = sum;"]
            parts.append("\n".join(["{", *(f"    {line}" for line in lines), "}"]))
        return "\n".join(parts)

    def _out(self, step: WeightedSums) -> str:
        return self.target(step.varies and step.mode != "total", slots_of(step.out))

    def _sum_loop(self, step: WeightedSums) -> str:
        many, lengths = len(step.start), np.diff(step.bounds)
        even = bool((lengths == lengths[0]).all())
        bounds = "" if even else self.table(step.bounds)
        shape = (many, int(lengths[0])) if even else None
        lines = [*self._terms(step, shape, bounds)]
        if step.mode == "value":
            lines = ["double sum = 0.0;", *lines, f"{self._out(step)} = sum;"]
        return "\n".join([f"{loop_head('i', many)} {{", *(f"    {line}" for line in lines), "}"])

    def _terms(
        self, step: WeightedSums, shape: tuple[int, int] | None, bounds: str
    ) -> Iterator[str]:
        """The loop over the terms of a sum, which adds them to `sum` or to an adjoint.

        Args:
            step: the sums.
            shape: how many sums there are, and how many terms in each, if that is the same.
            bounds: the table of where the terms of a sum begin, if it is not.
        """
        left, right = (self._side(slots, kinds, shape) for slots, kinds in step.sides)
        negative = bool((step.sign < 0).all())
        sign = ""
        if not negative and (step.sign < 0).any():
            sign = f"{self.table(step.sign)}[{_at(shape)}] * "
        loop = f"for (int k = {bounds}[i]; k < {bounds}[i + 1]; k++) "
        if shape is not None:
            loop = "" if shape[1] == 1 else f"{loop_head('k', shape[1])} "
        adds = "-=" if negative else "+="
        target = "sum" if step.mode == "value" else self._out(step)
        share = str(left)
        if right is not None:
            share = f"{left} * {right}"
            if step.mode != "value":
                share = self.text(Call(self.product, (str(left), right)))
        yield f"{loop}{target} {adds} {sign}{share};"

    def _side(self, slots: Any, kinds: Any, shape: tuple[int, int] | None) -> str | None:
        """The factors of the terms on one side; None if they are missing."""
        if (slots < 0).all():
            return None
        kinds = kinds & (slots >= 0)
        pure = bool((slots >= 0).all()) and (bool(kinds.all()) or not kinds.any())
        varies = bool(kinds[0])
        if pure and varies is False and self._is_constant(slots):
            return self.text(self.number(False, int(slots[0])))
        if pure and shape is not None and even_matrix(slots.reshape(shape)) is not None:
            return self.matrix(varies, slots.reshape(shape), "i")
        at = _at(shape)
        if pure:
            array, first = self.array(varies, slots)
            return f"{array}[{self.index(slots - first, at)}]"
        return self.read(slots, kinds, at)

    def _is_constant(self, slots: Any) -> bool:
        """Whether all terms have the same constant factor."""
        same = bool((slots == slots[0]).all())
        return same and self.program.constant(int(slots[0])) is not None


def _at(shape: tuple[int, int] | None) -> str:
    """Where a term is among all terms."""
    if shape is not None and shape[1] == 1:
        return "i" if shape[0] > 1 else "0"
    return "k" if shape is None or shape[0] == 1 else linear(0, (shape[1], "i"), (1, "k"))


def _part(step: WeightedSums, run: slice) -> WeightedSums:
    """Some of several sums of one term each."""
    out = rows_of(slots_of(step.out)[run])
    columns = (column[run] for column in step.columns)
    part = WeightedSums(step.varies, out, np.arange(run.stop - run.start), *columns)
    return part._replace(mode=step.mode)


def _runs(step: WeightedSums, first: int, last: int, *others: Any) -> Iterator[slice]:
    """The longest parts of a sum whose terms are of one kind and evenly spaced.

    So are `others`, columns with further numbers.
    """
    held = (*step.columns, *others)
    columns = np.array([np.asarray(each[first:last], int) for each in held])
    steps = np.diff(columns, axis=1)
    same = (steps[[0, 2, 4]] == 0).all(axis=0) & ((columns[3, 1:] < 0) == (columns[3, :-1] < 0))
    start = 0
    while start < last - first:
        stop = start + 1
        while (
            stop < last - first and same[stop - 1] and (steps[:, stop - 1] == steps[:, start]).all()
        ):
            stop += 1
        yield slice(first + start, first + stop)
        start = stop
