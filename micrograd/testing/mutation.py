"""Mutation testing of the checker: each rule is made wrong on purpose, and the checker must notice.

A mutant is *invisible*, and not missed, only if its slopes are those of the true row at every point
drawn. The report lists such mutants with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, NamedTuple

from micrograd.engine.graph import order
from micrograd.engine.value import Value, sweep
from micrograd.ops import TABLE, Operation, checked, lookup
from micrograd.testing import options
from micrograd.testing.check import check_gradients
from micrograd.testing.operations import applied, drawn_points
from micrograd.testing.report import Report

RULES = {
    "sign": "-({})",
    "× 1.01": "1.01 * ({})",
    "× (1 + 1e-6)": "1.000001 * ({})",
    "zero": "0",
}


class Mutant(NamedTuple):
    """A wrong rule, and what became of it."""

    row: str
    mutation: str
    fate: str  # "caught", "invisible" or "missed"
    detail: str  # the point at which it was caught, or why it cannot be seen
    named: bool = False  # whether the error named the row

    def __str__(self) -> str:
        return f"{self.row}, {self.mutation}: {self.fate}, {self.detail}"


@dataclass
class MutationReport:
    """What became of the mutants; true if none was missed."""

    mutants: list[Mutant] = field(default_factory=list)

    def of(self, fate: str) -> list[Mutant]:
        """The mutants that are "caught", "invisible" or "missed"."""
        return [mutant for mutant in self.mutants if mutant.fate == fate]

    def __bool__(self) -> bool:
        return bool(self.mutants) and not self.of("missed")

    def __str__(self) -> str:
        caught, invisible, missed = map(self.of, ("caught", "invisible", "missed"))
        first = (
            f"{len(self.mutants)} mutants: {len(caught)} caught,"
            f" {len(invisible)} invisible, {len(missed)} missed"
        )
        return "\n".join([first, *map(str, missed), *map(str, invisible)])


def mutation_report(
    rows: str | Iterable[str] | None = None,
    *,
    points: int = 12,
    seed: int = 0,
    check: Callable[..., Report] = check_gradients,
) -> MutationReport:
    """Make every rule of the table wrong on purpose, and see whether the checker notices.

    Each local partial gets a wrong sign, a factor of 1.01 and of 1 + 1e-6, and zero; partials are
    swapped; the backward pass loses accumulation or takes the nodes in a wrong order.

    Args:
        rows: the name of a row, or a list of names; by default all rows.
        points: how many points each mutant is tried at.
        seed: from which the points are drawn. The same seed gives the same report.
        check: the checker under test.

    Returns:
        A report that is true if no mutant was missed.

    >>> bool(mutation_report(["tanh", "mul"]))
    True
    """
    names = TABLE if rows is None else options.names("rows", rows)
    options.whole("points", points)
    mutants = [m for name in names for m in _of_row(lookup(name), points, seed, check)]
    return MutationReport(mutants)


def _of_row(
    row: Operation, points: int, seed: int, check: Callable[..., Report]
) -> Iterator[Mutant]:
    if row.constants:
        reason = "an operand is a constant, which has no local derivative"
        yield Mutant(row.name, "all rules", "invisible", reason)
        return
    drawn, true = list(drawn_points(row, points, seed)), applied(row)
    known = {name: other.arity for name, other in TABLE.items()}
    for mutation, partials in _wrong_partials(row):
        if row.domain == "0":
            reason = "by its domain, the row has no derivative anywhere"
            yield Mutant(row.name, mutation, "invisible", reason)
            continue
        mutant = applied(checked(row.row._replace(partials=partials), known))
        yield _tried(row.name, mutation, mutant, true, drawn, check)
    for mutation, (backward, shared) in PASSES.items():
        f = shared(true)
        yield _tried(row.name, mutation, f, f, drawn, check, backward=backward)


def _wrong_partials(row: Operation) -> Iterator[tuple[str, list[str]]]:
    true = list(row.partials)
    for index, (operand, text) in enumerate(zip(row.operands, true, strict=True)):
        for name, wrong in RULES.items():
            yield f"d/d{operand} {name}", [*true[:index], wrong.format(text), *true[index + 1 :]]
    for i, j in combinations(range(row.arity), 2):
        swapped = list(true)
        swapped[i], swapped[j] = true[j], true[i]
        yield f"partials of {row.operands[i]} and {row.operands[j]} swapped", swapped


def _tried(
    row: str,
    mutation: str,
    f: Callable[..., Any],
    true: Callable[..., Any],
    points: Iterable[tuple[float, ...]],
    check: Callable[..., Report],
    **passes: Any,
) -> Mutant:
    """What becomes of a mutant at the points where it gives other slopes than the true rule."""
    count = 0
    for point in points:
        if _gradient(f, point, **passes) == _gradient(true, point):
            continue
        count += 1
        report = check(f, *point, raise_exception=False, **passes)
        if report.is_wrong:
            # A wrong pass may be noticed at any operation of the graph.
            named = report.culprit and (passes or report.culprit.operation == row)
            at = ", ".join(map(repr, point))
            return Mutant(row, mutation, "caught", f"at {at}", bool(named))
    if count:
        return Mutant(row, mutation, "missed", f"at {count} points")
    return Mutant(row, mutation, "invisible", "the same slopes at every point drawn")


def _gradient(
    f: Callable[..., Any],
    point: tuple[float, ...],
    backward: Callable[[Value], Any] = Value.backward,
) -> str:
    """The gradient as text, which is equal for two that are nan."""
    inputs = [Value(x) for x in point]
    backward(f(*inputs))
    return repr([x.grad + 0.0 for x in inputs])


# --------------------------------------------------------------------------- wrong backward passes


def overwriting(root: Value) -> None:
    """A backward pass that assigns where it should add."""
    for node in reversed(_cleared(root)):
        for operand, slope in zip(node._children, node._local_grads, strict=True):
            operand.grad = slope * node.grad


def disordered(root: Value) -> None:
    """A backward pass that takes the operands of a node before its other users."""
    _cleared(root)
    level, sequence = [root], dict.fromkeys([root])
    while level:  # breadth first, each node where it is first met
        level = [x for node in level for x in node._prev if x not in sequence]
        sequence |= dict.fromkeys(level)
    sweep(sequence)


def _cleared(root: Value) -> list[Value]:
    """The nodes, operands first, with the gradients that a backward pass begins with."""
    nodes = order(root)
    for node in nodes:
        node.grad = 0.0
    root.grad = 1.0
    return nodes


def _twice(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function in which the result, and each operand, is used twice."""

    def shared(*operands: Any) -> Any:
        return f(*operands) + 2.5 * f(*operands) + 7.25 * sum(operands)

    shared.__name__ = f.__name__
    return shared


def _late(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function in which the result is used nearby and again further up."""

    def shared(*operands: Any) -> Any:
        out = f(*operands)
        return out + (out * 3 + 1) * 2

    shared.__name__ = f.__name__
    return shared


PASSES: dict[str, tuple[Callable[[Value], Any], Callable[..., Any]]] = {
    "accumulation lost": (overwriting, _twice),
    "order of nodes wrong": (disordered, _late),
}
