"""`taylor`: the Taylor coefficients of a function, by power series run through its graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from micrograd.engine.value import Value
from micrograd.transforms.power_series import FLOATS, TRACED, VALUES, Numbers, coefficients
from micrograd.transforms.runs import Run, scalar
from micrograd.transforms.structures import leaves_for, unflatten

if TYPE_CHECKING:
    from micrograd.engine.signatures import Scalar
    from micrograd.transforms.signatures import ListFunction

Coefficients = list[float]


@overload
def taylor(
    f: Callable[..., Scalar], x: Value, order: SupportsIndex, *, direction: Any = None
) -> list[Scalar]: ...
@overload
def taylor(
    f: Callable[..., Scalar], x: Any, order: SupportsIndex, *, direction: Any = None
) -> Coefficients: ...
@overload
def taylor(
    f: ListFunction, x: Any, order: SupportsIndex, *, direction: Any = None
) -> list[Coefficients]: ...
@overload
def taylor(
    f: Callable[..., Scalar], x: Any, order: SupportsIndex, *, directions: Sequence[Any]
) -> list[Coefficients]: ...
@overload
def taylor(
    f: Callable[..., Any],
    x: Any,
    order: SupportsIndex,
    *,
    direction: Any = None,
    directions: Sequence[Any] | None = None,
) -> Any: ...


def taylor(
    f: Callable[..., Any],
    x: Any,
    order: SupportsIndex,
    *,
    direction: Any = None,
    directions: Sequence[Any] | None = None,
) -> Any:
    """Compute the Taylor coefficients of t -> f(x + t * direction) at t = 0.

    Coefficient k is the k-th derivative divided by k!.

    Args:
        f: a function of one argument: a number, or nested lists, tuples, dicts and arrays.
        x: the point, with the structure of the argument.
        order: the highest power of t, 0 or more.
        direction: the direction, with the structure of `x`; 1 by default if `x` is a number.
        directions: several directions; the coefficients are computed for each of them.

    Returns:
        A list of `order + 1` floats in place of each number in the result of `f`; for `directions`
        a list of such results. If `x` or a direction has Values, or within another transform or a
        function that is compiled, the coefficients that depend on those are Values, which can be
        differentiated. In a compiled function, at a kink, which depends on numbers that come later,
        each derivative follows the convention.

    Raises:
        ValueError: an operation has a kink at the point, and therefore no series, or was made by
            hand without a formula or functions for its partials.
        TypeError: `x` is not a number, and no direction is given.

    >>> taylor(lambda x: 1 / (1 - x), 0.0, 4)
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if not hasattr(order, "__index__"):
        raise TypeError(f"taylor: order is a whole number from 0, got {order!r}")
    highest = index(order)
    if highest < 0:
        raise ValueError(f"taylor: order is a whole number from 0, got {order!r}")
    chosen = [direction] if directions is None else list(directions)
    if directions is not None and direction is not None:
        raise TypeError("taylor: give direction= or directions=, not both")
    run = Run(f, [x])
    structure = run.structures[0]
    results = []
    for each in chosen:
        if each is None and structure.kind is not None:
            raise TypeError("taylor: x has several numbers, so a direction is needed: direction=…")
        given = 1.0 if each is None else each
        slopes = leaves_for(given, structure, "taylor: the direction", "x")
        slopes = [scalar(slope, "taylor: direction") for slope in slopes]
        moving = dict(zip(run.variables, slopes, strict=True))
        series = coefficients(run.outputs, moving, highest, _kind(run, slopes))
        results.append(unflatten(run.output_structure, series))
    return results[0] if directions is None else results


def _kind(run: Run, slopes: Sequence[Any]) -> Numbers:
    values = [x for x in (*run.variables, *run.outputs, *slopes) if isinstance(x, Value)]
    if any(x._is_traced for x in values):
        return TRACED
    return VALUES if run.symbolic or any(isinstance(x, Value) for x in slopes) else FLOATS
