"""What functions of the user take."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any


def parameters_of(f: Callable[..., Any]) -> list[Parameter]:
    """The parameters of a function; none if it has no signature, as some written in C."""
    try:
        return [*signature(f).parameters.values()]
    except (TypeError, ValueError):
        return []


def positional_parameters(f: Callable[..., Any]) -> list[Parameter]:
    """The parameters of a function that arguments are given to one by one, by their position."""
    return [each for each in parameters_of(f) if each.kind <= Parameter.POSITIONAL_OR_KEYWORD]
