"""What the user of a check may choose, read and refused in one place."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, NamedTuple

from micrograd.engine.value import Value

MODES = ("reverse", "forward", "difference", "complex step", "exact", "taylor")
HIGHEST = 4
"""The highest order that is checked: each order multiplies the graph by about five."""

_CHECKED = {"reverse", "forward"}  # they share the local partials, so neither confirms the other
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
        raise TypeError(f"backward is a function of the root, got {backward!r}")
    if eps is not None and not _number("eps", eps) > 0:
        raise ValueError(f"eps is a step, a positive number, got {eps!r}")
    for name, number in (("atol", atol), ("rtol", rtol)):
        if not _number(name, number) >= 0:
            raise ValueError(f"{name} is a tolerance, 0 or more, got {number!r}")
    step = None if eps is None else float(eps)
    is_named = modes is not MODES
    return Options(_modes(modes), is_named, step, float(atol), float(rtol), backward)


def _number(name: str, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, Real):
        raise TypeError(f"{name} is a number, got {given!r}")
    if not math.isfinite(given):
        raise ValueError(f"{name} is a finite number, got {given!r}")
    return float(given)


def whole(name: str, given: Any, least: int | None = None) -> int:
    """A whole number, from `least` on if that is given."""
    try:
        if isinstance(given, bool):
            raise TypeError
        number = operator.index(given)
    except TypeError:
        raise TypeError(f"{name} is a whole number, got {given!r}") from None
    if least is not None and number < least:
        raise ValueError(f"{name} is {least} or more, got {given!r}")
    return number


def order(given: Any) -> int:
    """The order of the derivatives to check."""
    number = whole("order", given, 1)
    if number > HIGHEST:
        raise ValueError(
            f"order is {HIGHEST} or less, got {given!r}: each order multiplies the graph, and the"
            " time that the check takes, by about five"
        )
    return number


def names(name: str, given: str | Iterable[str], kind: str = "name") -> tuple[str, ...]:
    """Names of some kind, of which a string is one."""
    if isinstance(given, str):
        return (given,)
    try:
        found = tuple(given)
    except TypeError:
        raise TypeError(f"{name} is a list of names, got {given!r}") from None
    for each in found:
        if not isinstance(each, str):
            raise TypeError(f"{name} is a list of names, got {each!r} in {given!r}")
    if not found:
        raise ValueError(f"{name} is a list of at least one {kind}, got {given!r}")
    return found


def _modes(given: Any) -> tuple[str, ...]:
    chosen = dict.fromkeys(_SHORT.get(mode, mode) for mode in names("modes", given))
    for mode in chosen:
        if mode not in MODES:
            raise ValueError(f"modes: there is no {mode!r}, only {', '.join(MODES)}; got {given!r}")
    if set(chosen) <= _CHECKED:  # as in JAX: what is named is compared with differences
        chosen["difference"] = None
    return tuple(chosen)
