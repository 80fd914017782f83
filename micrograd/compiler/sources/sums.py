"""Weighted sums in C: few terms one by one, many in loops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar

import numpy as np

from micrograd.compiler.program.instructions import WeightedSums
from micrograd.compiler.program.slots import slots_of
from micrograd.compiler.sources.places import Item, Places, loop_head
from micrograd.source.trees import Definition, ready
from micrograd.table.formulas import Call, Tree

UNROLLED = 12
"""The most numbers that are written one by one."""
_MOST_LOOPS = 24
"""The most loops for the sums of an instruction."""

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
            yield self._loops(step)
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

    def _loops(self, step: WeightedSums) -> str:
        """Loops that add the terms to the results: a few over even runs, or one over tables."""
        lengths, out = np.diff(step.bounds), slots_of(step.out)
        columns = np.array([np.asarray(x, int) for x in (*step.columns, np.repeat(out, lengths))])
        orders = [columns]
        if (lengths == lengths[0]).all():  # the first term of each sum, then the second …
            orders.append(columns.reshape(6, len(out), -1).swapaxes(1, 2).reshape(6, -1))
        parts = min((_runs(each) for each in orders), key=len)
        if len(parts) > _MOST_LOOPS:
            return self._loop_over_tables(step, columns)
        lines: list[str] = []
        start = ""  # of the only sum
        if step.mode == "value" and len(out) == 1:
            start = "0.0"
        elif step.mode == "value":
            lines = [f"{loop_head('i', len(out))} {self._out(step, out)} = 0.0;"]

        def kind(part: Any) -> tuple[bool, str]:
            return len(out) == 1 or _is_alone(part), self._out(step, part[5])

        for (alone, target), group in groupby(parts, kind):
            inner = [self._loop(step, part, "sum" if alone else target) for part in group]
            if alone:
                inner = ["{", *_summed_up(inner, target, start or target), "}"]
            lines += inner
        return "\n".join(lines)

    def _loop_over_tables(self, step: WeightedSums, columns: Any) -> str:
        bounds, target = self.table(step.bounds), self._out(step, slots_of(step.out))
        loop = f"for (int k = {bounds}[i]; k < {bounds}[i + 1]; k++)"
        inner = [f"{loop} sum {self._added(step, columns, 'k')};"]
        inner = _summed_up(inner, target, "0.0" if step.mode == "value" else target)
        return "\n".join([f"{loop_head('i', len(step.start))} {{", *inner, "}"])

    def _out(self, step: WeightedSums, slots: Any) -> str:
        return self.target(step.varies and step.mode != "total", slots)

    def _loop(self, step: WeightedSums, part: Any, target: str) -> str:
        """A loop that adds the terms with these columns."""
        size = part.shape[1]
        head = "" if size == 1 else f"{loop_head('i', size)} "
        return f"{head}{target} {self._added(step, part, 'i')};"

    def _added(self, step: WeightedSums, part: Any, i: str) -> str:
        """What a term adds."""
        sign, left, left_varies, right, right_varies, _ = part
        x, y = self._side(left, left_varies > 0, i), self._side(right, right_varies > 0, i)
        share = x
        if y is not None:
            share = f"{x} * {y}" if step.mode == "value" else self.text(Call(self.product, (x, y)))
        if len(set(sign.tolist())) > 1:
            share = f"{self.table(sign)}[{i}] * {share}"
        return f"{'-=' if (sign < 0).all() else '+='} {share}"

    def _side(self, slots: Any, kinds: Any, i: str) -> Any:
        """The factor of a term on one side; None if it is missing in all of them."""
        if (slots < 0).all():
            return None
        kinds = kinds & (slots >= 0)
        if (slots < 0).any() or kinds.any() != kinds.all():
            return self.read(slots, kinds, i)
        return self.text(self.element(bool(kinds[0]), slots, i))


def _is_alone(part: Any) -> bool:
    """Whether several terms are added to one result."""
    return part.shape[1] > 1 and bool((part[5] == part[5, 0]).all())


def _summed_up(lines: Sequence[str], target: str, start: str) -> list[str]:
    """Lines that add to a local variable, in place of an entry of an array."""
    inner = [f"double sum = {start};", *lines, f"{target} = sum;"]
    return [f"    {line}" for line in inner]


def _runs(columns: Any) -> list[Any]:
    """The columns of terms, cut into runs of one kind that are evenly spaced."""
    sign, _, left_varies, right, right_varies, _ = columns
    kinds = np.diff(np.stack([sign, left_varies, right < 0, right_varies]), axis=1)
    differs: Any = kinds.any(axis=0).tolist()
    steps = np.diff(columns, axis=1).T.tolist()
    starts, start = [], 0
    for last in range(columns.shape[1] - 1):
        if differs[last] or steps[last] != steps[start]:
            start = last + 1
            starts.append(start)
    return np.split(columns, starts, axis=1)
