"""One-line tests of an operation: `check_operation`, and the decorator `gradient_checked`."""

from __future__ import annotations

import functools
import inspect
import random
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from micrograd.engine.value import apply
from micrograd.ops import Operation, lookup
from micrograd.testing import options
from micrograd.testing.arithmetic import domain
from micrograd.testing.check import check_gradients
from micrograd.testing.report import GradientMismatch, Report

_SPECIAL = (0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 1e-6, 30.0, -30.0)


class Reports(list[Report]):
    """The reports of many points: true if none is wrong, and most are confirmed.

    The others are undecided, such as a comparison where it jumps. If printed, it shows the first
    report that is wrong, or else the first that is undecided.
    """

    def __bool__(self) -> bool:
        confirmed = sum(map(bool, super().__iter__()))
        return 2 * confirmed > len(self) and not any(report.is_wrong for report in self)

    def __str__(self) -> str:
        if not len(self):
            return "undecided: the row claims to have a derivative at none of the points drawn"
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
    """Check one row of the table at many points of its domain.

    Special numbers, kinks and ties are among the points, which are the same in every run.

    Args:
        operation: the name of the row, or the function that `define` returned.
        points: how many points are drawn.
        seed: from which they are drawn.
        raise_exception: whether to raise GradientMismatch at the first point where the row is
            wrong.

    Returns:
        The list of the reports. It is true if none is wrong and most are confirmed.

    Raises:
        GradientMismatch: the row is wrong.
        KeyError: no row has that name.
        TypeError: the argument is not an operation.

    >>> bool(check_operation("mish"))
    True
    """
    options.whole("points", points)
    name = operation if isinstance(operation, str) else getattr(operation, "__name__", None)
    if name is None:
        raise TypeError(f"operation must be a name or what define returned, got {operation!r}")
    row = lookup(name)
    f = applied(row)
    drawn = drawn_points(row, points, seed)
    return Reports(check_gradients(f, *point, raise_exception=raise_exception) for point in drawn)


def applied(row: Operation) -> Callable[..., Any]:
    """A row as a function of Values."""

    def function(*operands: Any) -> Any:
        return apply(row, *operands)

    function.__name__ = row.name
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in row.operands]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function


def drawn_points(row: Operation, count: int, seed: int = 0) -> Iterator[tuple[float, ...]]:
    """Points within the row's domain, the same for the same seed."""
    rng = random.Random(f"{row.name} {seed}")  # noqa: S311 (not for secrets)

    def tried() -> Iterator[tuple[float, ...]]:
        for _ in range(200 * count):
            equal = rng.random() < 0.1
            first = _drawn(rng)
            yield tuple(first if equal or not index else _drawn(rng) for index in range(row.arity))

    return islice((point for point in tried() if domain(row)(*point)), count)


def _drawn(rng: random.Random) -> float:
    return rng.choice((rng.choice(_SPECIAL), rng.uniform(-1, 1), rng.uniform(-4, 4)))


def gradient_checked(*points: Any, **chosen: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a function of Values a test: its gradient is checked at each point.

    The test fails if a gradient is wrong, and also if a check is undecided.

    Args:
        *points: each is a number, or the tuple of the arguments.
        **chosen: options of `check_gradients`.

    Returns:
        A decorator. The decorated function takes no argument.

    >>> @gradient_checked(0.5, -1.0, (3.0,))
    ... def test_swish(x):
    ...     return x * x.sigmoid()
    >>> test_swish()
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
