"""Weighted sums in C: few terms one by one, many in loops."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from micrograd.compiler.program import WeightedSums, even_matrix
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
            yield self._sum_loops(step, backwards=False)
            return
        for slot, terms in step.sums():
            read = (
                (sign, self.number(*left), None if right is None else self.number(*right))
                for sign, left, right in terms
            )
            total = summed(read, lambda name, *operands: Call(name, operands))
            yield Definition(f"{'uv'[step.varies]}[{slot}]", ready(total))

    def sums_back(self, step: WeightedSums) -> Iterator[Item]:
        """The statements that pass their adjoints on."""
        if len(step.left) > UNROLLED:
            yield self._sum_loops(step, backwards=True)
            return
        for slot, terms in step.sums():
            g = f"d{'uv'[step.varies]}[{slot}]"
            for sign, left, right in terms:
                signed: Tree = g if sign > 0 else Call("neg", (g,))
                for place, factor in ((left, right), (right, left)):
                    if place is None or not self.active[place[0]][place[1]]:
                        continue
                    share = signed
                    if factor is not None:
                        share = Call(self.product, (signed, self.number(*factor)))
                    yield self.into(f"d{'uv'[place[0]]}[{place[1]}]", ready(share))

    def _sum_loops(self, step: WeightedSums, *, backwards: bool) -> str:
        """Sums of many terms: a few in runs of evenly spaced terms, many over tables."""
        many = step.out.stop - step.out.start
        if many > UNROLLED:
            return self._sum_loop(step, step.out.start, many, backwards=backwards)
        parts = []
        for i, (first, last) in enumerate(pairwise(step.bounds.tolist())):
            runs = [*_runs(step, first, last)]
            if len(runs) > UNROLLED:
                runs = [slice(first, last)]
            out = f"{'uv'[step.varies]}[{step.out.start + i}]"
            head = f"const double g = d{out};" if backwards else "double sum = 0.0;"
            lines = [head]
            for run in runs:
                columns = (column[run] for column in step[3:])
                piece = WeightedSums(step.varies, step.out, np.zeros(1, int), *columns)
                lines += self._terms(piece, (1, run.stop - run.start), "", backwards=backwards)
            lines += [] if backwards else [f"{out} = sum;"]
            if len(lines) > 1:
                parts.append("\n".join(["{", *(f"    {line}" for line in lines), "}"]))
        return "\n".join(parts)

    def _sum_loop(self, step: WeightedSums, start: int, many: int, *, backwards: bool) -> str:
        lengths = np.diff(step.bounds)
        even = bool((lengths == lengths[0]).all())
        bounds = "" if even else self.table(step.bounds)
        shape = (many, int(lengths[0])) if even else None
        terms = [*self._terms(step, shape, bounds, backwards=backwards)]
        if not terms:
            return ""
        out = f"{'uv'[step.varies]}[{linear(start, (1, 'i'))}]"
        if backwards:
            lines = [f"const double g = d{out};", "if (g == 0) continue;", *terms]
        else:
            lines = ["double sum = 0.0;", *terms, f"{out} = sum;"]
        return "\n".join([f"{loop_head('i', many)} {{", *(f"    {line}" for line in lines), "}"])

    def _terms(
        self, step: WeightedSums, shape: tuple[int, int] | None, bounds: str, *, backwards: bool
    ) -> Iterator[str]:
        """The loops over the terms of a sum, which add them to `sum`, or `g` times a factor.

        Args:
            step: the sums.
            shape: how many sums there are, and how many terms in each, if that is the same.
            bounds: the table of where the terms of a sum begin, if it is not.
            backwards: whether the adjoints are passed on.
        """
        (left, d_left), (right, d_right) = (
            self._side(slots, kinds, shape) for slots, kinds in step.sides
        )
        at = _at(shape)
        negative = bool((step.sign < 0).all())
        sign = ""
        if not negative and (step.sign < 0).any():
            sign = f"{self.table(step.sign)}[{at}] * "
        loop = f"for (int k = {bounds}[i]; k < {bounds}[i + 1]; k++) "
        if shape is not None:
            loop = "" if shape[1] == 1 else f"{loop_head('k', shape[1])} "
            if not loop:
                left, d_left, right, d_right = (
                    each and re.sub(r"\bk\b", "0", each) for each in (left, d_left, right, d_right)
                )
        adds = "-=" if negative else "+="
        if not backwards:
            yield f"{loop}sum {adds} {sign}{left}{f' * {right}' * (right is not None)};"
            return
        for target, factor in ((d_left, right), (d_right, left)):
            if target is not None:
                share = "g" if factor is None else self.text(Call(self.product, ("g", factor)))
                yield f"{loop}{target} {adds} {sign}{share};"

    def _side(
        self, slots: Any, kinds: Any, shape: tuple[int, int] | None
    ) -> tuple[str | None, str | None]:
        """The factors of the terms on one side, and their adjoints; None for missing factors."""
        if (slots < 0).all():
            return None, None
        kinds = kinds & (slots >= 0)
        pure = bool((slots >= 0).all()) and (bool(kinds.all()) or not kinds.any())
        varies = bool(kinds[0])
        if pure and varies is False and self._is_constant(slots):
            return self.text(self.number(False, int(slots[0]))), None
        if pure and shape is not None and even_matrix(slots.reshape(shape)) is not None:
            value = self.matrix(varies, slots.reshape(shape), "i")
            target = self.matrix(varies, slots.reshape(shape), "i", is_adjoint=True)
            return value, target if self.is_active(varies, slots) else None
        at = _at(shape)
        present = slots >= 0
        wanted = any(
            self.is_active(space, slots[present & (kinds == space)]) for space in (False, True)
        )
        if pure:
            array, first = self.array(varies, slots)
            value = f"{array}[{self.index(slots - first, at)}]"
            target = f"d{'uv'[varies]}[{self.index(slots, at)}]"
            return value, target if wanted else None
        k = f"{self.coded(slots, kinds)}[{at}]"
        return self.read(k), self.place(k) if wanted else None

    def _is_constant(self, slots: Any) -> bool:
        """Whether all terms have the same constant factor."""
        same = bool((slots == slots[0]).all())
        return same and self.program.constant(int(slots[0])) is not None


def _at(shape: tuple[int, int] | None) -> str:
    """Where a term is among all terms."""
    return "k" if shape is None or shape[0] == 1 else linear(0, (shape[1], "i"), (1, "k"))


def _runs(step: WeightedSums, first: int, last: int) -> Iterator[slice]:
    """The longest parts of a sum whose terms are of one kind and evenly spaced."""
    columns = np.array([np.asarray(each[first:last], int) for each in step[3:]])
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
