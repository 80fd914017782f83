"""Clipping: gradients shortened to a largest norm.

Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063. As in PyTorch, 1e-6 is added to the norm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from micrograd import Value
from nn.module import has_gradient
from nn.optimizers.optimizer import Array, checked
from nn.options import real


def clipped(gradient: Array, max_norm: float) -> Array:
    """Return the gradient, shortened if its norm is larger than `max_norm`.

    Args:
        gradient: an array of shape (parameters,).
        max_norm: the largest norm.

    >>> clipped(np.array([3.0, 4.0]), 1.0).round(4)
    array([0.6, 0.8])
    """
    return gradient * _factor(_norm(gradient), max_norm)


def clip_grad_norm_(
    parameters: Value | Iterable[Value],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Shorten the gradient of the parameters if needed, and return its norm before that.

    Args:
        parameters: one Value or several, after `backward()`.
        max_norm: the largest norm, at least 0. Infinity measures the norm and changes nothing.
        norm_type: the p of the p-norm, above 0. Infinity is the largest absolute value.
        error_if_nonfinite: whether a norm of nan or infinity is a RuntimeError.

    >>> x = Value(1.0)
    >>> x.grad = 4.0
    >>> clip_grad_norm_(x, 1.0), round(x.grad, 4)
    (4.0, 1.0)
    """
    found = checked([parameters] if isinstance(parameters, Value) else parameters)
    if max_norm != math.inf:
        real(max_norm, "max_norm", least=0)
    if norm_type != math.inf:
        real(norm_type, "norm_type", above=0)
    found = [parameter for parameter in found if has_gradient(parameter)]
    if not found:
        return 0.0
    gradient = np.array([p.grad for p in found], dtype=float)
    norm = _norm(gradient) if norm_type == 2 else float(np.linalg.norm(gradient, norm_type))
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"the gradient has the length {norm}: it cannot be clipped")
    factor = _factor(norm, max_norm)
    for parameter in found:
        parameter.grad *= factor
    return norm


def _factor(norm: float, max_norm: float) -> float:
    return min(max_norm / (norm + 1e-6), 1.0)


def _norm(gradient: Array) -> float:
    with np.errstate(over="ignore"):
        norm = math.sqrt(gradient @ gradient)
    # Squares overflow before a norm does.
    return norm if math.isfinite(norm) else math.hypot(*gradient.tolist())
