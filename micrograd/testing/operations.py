"""One-line tests of an operation: `check_operation`, and the decorator `gradient_checked`."""

from __future__ import annotations

import functools
import html
import inspect
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from types import ModuleType
from typing import Any, overload

from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.value import apply
from micrograd.ops import TABLE, Operation, lookup
from micrograd.testing import options
from micrograd.testing.arithmetic import domain
from micrograd.testing.check import check_gradients
from micrograd.testing.expression import BUILT_IN
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

    @property
    def verdict(self) -> str:
        """Ok, wrong or undecided, and at how many points the rule is confirmed."""
        state = "ok" if self else "UNDECIDED"
        if any(report.is_wrong for report in self):
            state = "WRONG"
        return f"{state}, {sum(map(bool, self))} of {len(self)} points agree"

    def __str__(self) -> str:
        if not len(self):
            return "undecided: the row claims to have a derivative at none of the points drawn"
        agreeing = sum(map(bool, self))
        first = f"{self[0].function}: {agreeing} of {len(self)} points agree"
        return "\n".join([first, *map(str, self._first_open())])

    __repr__ = __str__

    def _first_open(self) -> list[Report]:
        """The first report that is wrong, or else the first that is undecided."""
        others = (report for report in self if not report)
        return sorted(others, key=lambda report: not report.is_wrong)[:1]

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        first = html.escape(str(self).partition("\n")[0])
        return f"<p>{first}</p>" + "".join(r._repr_html_() for r in self._first_open())


class RowReports(dict[str, Reports]):
    """The reports of many rows, by their names: true if those of every row are.

    If printed, it is a table of the rows, followed by the reports on those that are not confirmed.
    """

    def __bool__(self) -> bool:
        return all(self.values())

    def __str__(self) -> str:
        width = max(map(len, self), default=0)
        lines = [f"{name:<{width}}  {reports.verdict}" for name, reports in self.items()]
        return "\n".join([*lines, *(str(reports) for reports in self.values() if not reports)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same for notebooks."""
        rows = (
            f"<tr><td>{html.escape(name)}</td><td>{html.escape(reports.verdict)}</td></tr>"
            for name, reports in self.items()
        )
        others = (reports._repr_html_() for reports in self.values() if not reports)
        return f"<table>{''.join(rows)}</table>{''.join(others)}"


@overload
def check_operation(  # type: ignore[overload-overlap]  # a string is a list of strings, too
    operation: str | Callable[..., Any],
    *,
    points: int = ...,
    seed: int = ...,
    order: int = ...,
    raise_exception: bool = ...,
) -> Reports: ...


@overload
def check_operation(
    operation: ModuleType | Iterable[str | Callable[..., Any]],
    *,
    points: int = ...,
    seed: int = ...,
    order: int = ...,
    raise_exception: bool = ...,
) -> RowReports: ...


def check_operation(
    operation: str | Callable[..., Any] | ModuleType | Iterable[str | Callable[..., Any]],
    *,
    points: int = 24,
    seed: int = 0,
    order: int = 1,
    raise_exception: bool = True,
) -> Reports | RowReports:
    """Check one row of the table, or many, at many points of its domain.

    Special numbers, kinks and ties are among the points, which are the same in every run.

    Args:
        operation: the name of the row, or the function that `define` returned. A module stands for
            all rows that it defines, as `check_operation(my_operations)`; a list for each of its
            items.
        points: how many points are drawn.
        seed: from which they are drawn.
        order: the highest order of the derivatives to check, from 1 to 4.
        raise_exception: whether to raise GradientMismatch at the first point where the row is
            wrong.

    Returns:
        The list of the reports. It is true if none is wrong and most are confirmed. For a module or
        a list, a dict of such lists by the names of the rows, which is true if all are.

    Raises:
        GradientMismatch: the row is wrong.
        KeyError: no row has that name.
        TypeError: the argument is not an operation.
        ValueError: the module or the list has no operation.

    >>> bool(check_operation("mish"))
    True
    >>> print(check_operation(["mish", "tanh"]))
    mish  ok, 24 of 24 points agree
    tanh  ok, 24 of 24 points agree
    """
    __tracebackhide__ = True  # of pytest: a failure ends at the user's line
    options.whole("points", points)
    if isinstance(operation, str) or callable(operation):
        row = lookup(_row_name(operation))
        found = Reports()
        for point in drawn_points(row, points, seed):
            f, varied = applied(row, point), _varied(row, point)
            report = check_gradients(f, *varied, order=order, raise_exception=raise_exception)
            found.append(report)
        return found
    reports = RowReports()
    for each in _operations(operation):
        reports[_row_name(each)] = check_operation(
            each, points=points, seed=seed, order=order, raise_exception=raise_exception
        )
    return reports


def _row_name(operation: Any) -> str:
    name = operation if isinstance(operation, str) else getattr(operation, "__name__", None)
    if name is None:
        raise TypeError(f"operation must be a name or what define returned, got {operation!r}")
    return str(name)


def _operations(source: Any) -> list[Any]:
    """The operations that a module defines, or those of a list."""
    if isinstance(source, ModuleType):
        found = [
            thing
            for name, thing in vars(source).items()
            if getattr(thing, "__name__", None) in TABLE
            and thing.__name__ not in BUILT_IN
            and VOCABULARY.get(thing.__name__) is thing
        ]
        place = f"the module {source.__name__!r}"
    else:
        try:
            found = list(source)
        except TypeError:
            raise TypeError(
                "operation must be a name, what define returned, a module or a list of them, got"
                f" {source!r}"
            ) from None
        place = "the list"
    if not found:
        raise ValueError(
            f"{place} has no operation to check; a module must keep what define returns: "
            'softsign = define("softsign", …)'
        )
    return found


def _varied(row: Operation, point: Sequence[float]) -> list[float]:
    """The operands that need not be constants."""
    return [x for i, x in enumerate(point) if i not in row.constants]


def applied(row: Operation, point: Sequence[float] = ()) -> Callable[..., Any]:
    """A row as a function of Values, with those of a point for the operands that are constants."""

    def function(*operands: Any) -> Any:
        rest = iter(operands)
        constants = row.constants
        return apply(row, *(point[i] if i in constants else next(rest) for i in range(row.arity)))

    function.__name__ = row.name
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [name for i, name in enumerate(row.operands) if i not in row.constants]
    parameters = [inspect.Parameter(name, kind) for name in names]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return function


def drawn_points(row: Operation, count: int, seed: int = 0) -> Iterator[tuple[float, ...]]:
    """Points within the row's domain, the same for the same seed."""
    rng = random.Random(f"{row.name} {seed}")  # noqa: S311 (not for secrets)

    def tried() -> Iterator[tuple[float, ...]]:
        for _ in range(200 * count):
            equal = rng.random() < 0.1
            first = _drawn(rng)
            yield tuple(
                float(rng.randrange(1, 4))
                if index in row.constants
                else first
                if equal or not index
                else _drawn(rng)
                for index in range(row.arity)
            )

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


__all__ = ["GradientMismatch", "Reports", "RowReports", "check_operation", "gradient_checked"]
