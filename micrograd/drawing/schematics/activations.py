"""Activations of neurons: which one a neuron has, what it is called, and its values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from micrograd.drawing import neurons
from micrograd.drawing.schematics.canvas import number
from micrograd.engine.value import Value
from micrograd.ops import TABLE
from micrograd.writing import notation
from micrograd.writing.notation import Formula

Activation = str | Callable[[Any], Any] | None
"""The name of an operation, a function of a Value, or None for a linear neuron."""

_PROBES = (-1.7, -0.4, 0.3, 2.1)


def evaluated(activation: Activation, z: float) -> float:
    """The value of an activation."""
    if activation is None:
        return z
    if isinstance(activation, str):
        return TABLE[activation].value(z)
    out: Any = activation(Value(z))
    return number(out)


def written(activation: Activation, z: Formula) -> Formula:
    """An activation of something, as a formula."""
    if activation is None:
        return z
    if isinstance(activation, str):
        return notation.operation(TABLE[activation], [z])
    name = getattr(activation, "__name__", "f")
    return called("f" if "<" in name else name, z)


def called(function: str, argument: Formula) -> Formula:
    """A call of a function by its name: J(w)."""
    name = notation.named(function)
    mark = ("mrow", name.mark, ("fence", "(", argument.mark, ")"))
    return Formula(f"{name.text}({argument.text})", mark)


def activation_of(neuron: Any) -> Activation:
    """The activation of a neuron: the one it names, otherwise what it does to its weighted sum."""
    if not getattr(neuron, "nonlin", True):
        return None
    named = getattr(neuron, "activation", None)
    if callable(named) or (isinstance(named, str) and named in TABLE):
        return named
    return _observed(neuron) if callable(neuron) else None


def _observed(neuron: Any) -> Activation:
    """The activation of a neuron that does not say which it has.

    It is called with multiples of its weights as inputs, so that its weighted sum is any number.
    """
    weights = [float(w.data) for w in neuron.w]
    bias = getattr(getattr(neuron, "b", None), "data", 0.0)
    size = sum(w * w for w in weights)
    if not size or not math.isfinite(size):
        return None

    def f(z: Any) -> Any:
        scale = (number(z) - bias) / size
        return neuron([Value(w * scale) for w in weights])

    outputs = [number(f(z)) for z in _PROBES]
    if _are_close(_PROBES, outputs):
        return None
    for name in sorted(neurons.USUAL & set(TABLE)):
        if _are_close([TABLE[name].value(z) for z in _PROBES], outputs):
            return name
    return f


def _are_close(numbers: Iterable[float], others: Iterable[float]) -> bool:
    """Whether the numbers are the same up to rounding."""
    pairs = zip(numbers, others, strict=True)
    return all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9) for x, y in pairs)
