"""Checks of options: each returns the value, or raises an error that says what is allowed.

>>> real(0.5, "lr", least=0)
0.5
>>> real("0.5", "lr", least=0)
Traceback (most recent call last):
nn.options.OptionError: lr is a number of at least 0, got '0.5'
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from numbers import Real
from operator import index
from typing import Any, TypeVar

from micrograd.writing.messages import meant

_T = TypeVar("_T")


class OptionError(ValueError, TypeError):
    """An option has the wrong type, or is outside the allowed range."""


def real(
    value: Any,
    name: str,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    most: float = math.inf,
) -> float:
    """Return a finite number within the bounds as a float; True and False are not numbers.

    Args:
        value: what was given.
        name: the name of the option, for the error.
        least: the smallest number that is allowed.
        above: a bound that the number must exceed.
        below: a bound that the number must not reach.
        most: the largest number that is allowed.
    """
    number = _float(value)
    if not (math.isfinite(number) and least <= number <= most and above < number < below):
        bounds = (("of at least", least), ("above", above), ("below", below), ("at most", most))
        words = " and ".join(f"{word} {bound:g}" for word, bound in bounds if math.isfinite(bound))
        raise OptionError(
            f"{name} is a {'finite ' * (not words)}number {words}".rstrip() + _got(value)
        )
    return number


def whole(value: Any, name: str, least: int = 1, unit: str = "") -> int:
    """Return a whole number of at least `least`; `unit` says of what, such as "of epochs, ".

    It need not be an int: an array or a tensor with a single whole number has `__index__`, too.
    """
    number = None
    if type(value).__name__ not in ("bool", "bool_"):  # NumPy's have an index, for a while
        with suppress(TypeError):
            number = index(value)
    if number is None or number < least:
        raise OptionError(f"{name} is a whole number {unit}of at least {least}{_got(value)}")
    return number


def flag(value: Any, name: str) -> bool:
    """Return True or False; a word is refused, since `bool("False")` is True."""
    if not isinstance(value, bool) and type(value).__name__ not in ("bool_", "bool"):  # NumPy's
        raise OptionError(f"{name} is True or False{_got(value)}")
    return bool(value)


def one_of(value: Any, name: str, known: Collection[str]) -> str:
    """Return a word that must be among the known ones."""
    if not isinstance(value, str) or value not in known:
        hint = meant(str(value), known)
        raise OptionError(f"{name} is one of {', '.join(known)}{_got(value)}{hint}")
    return value


def by_name(name: Any, kind: str, known: Mapping[str, _T], otherwise: str = "") -> _T:
    """Return the entry with a name; `otherwise` says what may be given instead of a name."""
    if not isinstance(name, str) or name not in known:
        names = ", ".join(known) + f", or {otherwise}" * bool(otherwise)
        raise OptionError(f"unknown {kind} {name!r}: give one of {names}{meant(str(name), known)}")
    return known[name]


def several(values: Any, name: str) -> list[Any]:
    """Return a list of what was given: several values, or a single name or function."""
    if isinstance(values, str) or callable(values):
        return [values]
    if not isinstance(values, Iterable) or isinstance(values, bytes):
        raise OptionError(f"{name} is a list{_got(values)}")
    return list(values)


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _got(value: Any) -> str:
    text = repr(value)
    return f", got {text if len(text) <= 60 else text[:60] + '…'}"
