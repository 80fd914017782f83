"""What the user of a check may choose, read and refused in one place."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, NamedTuple

from micrograd.engine.value import Value

MODES = ("reverse", "forward", "difference", "complex step", "exact", "series", "taylor")
HIGHEST = 4
"""The highest order that is checked: each order multiplies the graph by about five."""

# These share the local partials, so they do not confirm each other.
_CHECKED = {"reverse", "forward", "series"}
_SHORT = {"rev": "reverse", "fwd": "forward", "fd": "difference", "complex": "complex step"}


class Options(NamedTuple):
    """What the user of `check_gradients` chose, for every output alike."""

    modes: tuple[str, ...] = MODES
    is_named: bool = False  # whether the user named the modes
    eps: float | None = None
    atol: float = 0.0
    rtol: float = 0.0
    backward: Callable[[Value], Any] = Value.backward


def options(
    modes: Any, eps: Any, atol: Any, rtol: Any, backward: Callable[[Value], Any]
) -> Options:
    """The options, checked; TypeError or ValueError with the value that makes no sense."""
    if not callable(backward):
        raise TypeError(f"backward must be a function of the root, got {backward!r}")
    for name, number, kind in (("eps", eps, "step"), ("atol", atol, ""), ("rtol", rtol, "")):
        if name == "eps" and number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, Real):
            raise TypeError(f"{name} must be a number, got {number!r}")
        if not math.isfinite(number) or number < 0 or (kind and not number):
            least = "a positive step" if kind else "a tolerance of 0 or more"
            raise ValueError(f"{name} must be {least}, and finite, got {number!r}")
    step = None if eps is None else float(eps)
    return Options(_modes(modes), modes is not MODES, step, float(atol), float(rtol), backward)


def _modes(given: Any) -> tuple[str, ...]:
    chosen = dict.fromkeys(_SHORT.get(mode, mode) for mode in names("modes", given))
    for mode in chosen:
        if mode not in MODES:
            raise ValueError(f"modes: unknown {mode!r}; choose from {', '.join(MODES)}")
    if set(chosen) <= _CHECKED:  # as in JAX: what is named is compared with differences
        chosen["difference"] = None
    return tuple(chosen)


def order(given: Any) -> int:
    """The order of the derivatives to check."""
    number = whole("order", given)
    if number > HIGHEST:
        raise ValueError(
            f"order must be {HIGHEST} or less, got {given!r}: each order multiplies the graph, and"
            " the time that the check takes, by about five"
        )
    return number


def whole(name: str, given: Any) -> int:
    """A whole number of 1 or more."""
    try:
        if isinstance(given, bool):
            raise TypeError
        number = operator.index(given)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, got {given!r}") from None
    if number < 1:
        raise ValueError(f"{name} must be 1 or more, got {given!r}")
    return number


def names(name: str, given: str | Iterable[str], kind: str = "name") -> tuple[str, ...]:
    """A list of names, or a string, which is a single name."""
    if isinstance(given, str):
        return (given,)
    try:
        found = tuple(given)
    except TypeError:
        raise TypeError(f"{name} must be a list of names, got {given!r}") from None
    for each in found:
        if not isinstance(each, str):
            raise TypeError(f"{name} must be a list of names, got {each!r} in {given!r}")
    if not found:
        raise ValueError(f"{name} must have at least one {kind}, got {given!r}")
    return found
