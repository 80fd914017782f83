"""One-line tests of an operation: `check_operation`, and the decorator `gradient_checked`.

>>> bool(check_operation("mish"))
True
>>> @gradient_checked(0.5, -1.0, (3.0,))
... def test_swish(x):
...     return x * x.sigmoid()
>>> test_swish()
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator
from typing import Any

from micrograd.engine.value import apply
from micrograd.ops import Operation, lookup
from micrograd.testing import options
from micrograd.testing.blame import Judge
from micrograd.testing.check import check_gradients
from micrograd.testing.report import GradientMismatch, Report

_SPECIAL = (0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-6, 30.0, -30.0)


class Reports(list[Report]):
    """Reports of many points: true if none is wrong, and most are confirmed.

    The others are undecided, such as a comparison where it jumps. Printing it tells the first that
    is wrong, or else the first that is undecided.
    """

    def __bool__(self) -> bool:
        confirmed = sum(map(bool, super().__iter__()))
        return 2 * confirmed > len(self) and not any(report.is_wrong for report in self)

    def __str__(self) -> str:
        if not len(self):
            return (
                "undecided: the operation claims to have a derivative at none of the points drawn"
            )
        agreeing = sum(map(bool, self))
        first = f"{self[0].function}: {agreeing} of {len(self)} points agree"
        others = sorted((report for report in self if not report), key=lambda r: not r.is_wrong)
        return "\n".join([first, *map(str, others[:1])])

    __repr__ = __str__


def check_operation(
    operation: str | Callable[..., Any],
    *,
    points: int = 24,
    seed: int = 0,
    raise_exception: bool = True,
) -> Reports:
    """Check one row of the table, by name or as the function that `define` returned.

    The points are drawn within the row's domain, the same in every run, special numbers, kinks and
    ties among them. The reports are true together if none is wrong and most are confirmed. Raises
    GradientMismatch at the first point where the row is wrong, KeyError if no row has that name,
    and TypeError if the argument is not an operation.
    """
    options.whole("points", points)
    name = operation if isinstance(operation, str) else getattr(operation, "__name__", None)
    if name is None:
        raise TypeError(f"an operation is a name or what define returned, got {operation!r}")
    row = lookup(name)
    f = applied(row)
    drawn = drawn_points(row, points, seed)
    return Reports(check_gradients(f, *point, raise_exception=raise_exception) for point in drawn)


def applied(row: Operation) -> Callable[..., Any]:
    """A row as a function of Values."""

    def function(*operands: Any) -> Any:
        return apply(row, *operands)

    function.__name__ = row.name
    function.__signature__ = _signature(row)  # type: ignore[attr-defined]
    return function


def drawn_points(row: Operation, count: int, seed: int = 0) -> Iterator[tuple[float, ...]]:
    """Points within the row's domain, the same for the same seed."""
    rng, judge, found = random.Random(f"{row.name} {seed}"), Judge(), 0  # noqa: S311 (no secrets)
    for _ in range(200 * count):
        equal = rng.random() < 0.1
        first = _drawn(rng)
        point = tuple(first if equal or not index else _drawn(rng) for index in range(row.arity))
        if judge.is_in_domain(row, point):
            found += 1
            yield point
        if found == count:
            return


def _drawn(rng: random.Random) -> float:
    return rng.choice((rng.choice(_SPECIAL), rng.uniform(-1, 1), rng.uniform(-4, 4)))


def _signature(row: Operation) -> Any:
    import inspect

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(name, kind) for name in row.operands])


def gradient_checked(*points: Any, **chosen: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a function of Values a test: its gradient is checked at each point.

    The test fails if a gradient is wrong, and also if a check is undecided. A point is a number, or
    the tuple of the arguments. `chosen` are options of `check_gradients`.
    """
    if not points:
        raise ValueError("gradient_checked takes the points at which to check, got none")

    def decorate(f: Callable[..., Any]) -> Callable[[], None]:
        def test() -> None:
            for point in points:
                at = point if isinstance(point, tuple) else (point,)
                report = check_gradients(f, *at, **chosen)
                if not report:  # nobody else looks at it
                    raise AssertionError(str(report))

        # Not functools.wraps: pytest would take the arguments of f for fixtures.
        functools.update_wrapper(test, f)
        del test.__wrapped__  # type: ignore[attr-defined]
        return test

    return decorate


__all__ = ["GradientMismatch", "Reports", "check_operation", "gradient_checked"]
