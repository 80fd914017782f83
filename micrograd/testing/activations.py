"""The usual mistakes in hand-written derivatives of elementwise functions, such as `1 - tanh(x)`.

A gradient through an elementwise function is the gradient of its result times the derivative. So if
the gradient and the true one are in the ratio of a wrong derivative to the right one, entry by
entry, that is what the mistake looks like, whatever the function is multiplied by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from micrograd import erf, sigmoid

Slope = Callable[[np.ndarray], np.ndarray]


def _phi(x: np.ndarray) -> np.ndarray:
    """The density of the standard normal law."""
    found: np.ndarray = np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
    return found


def _cumulative(x: np.ndarray) -> np.ndarray:
    """The distribution function of the standard normal law."""
    found: np.ndarray = (1 + erf(x / np.sqrt(2))) / 2
    return found


def _inner(x: np.ndarray, factor: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """The hyperbolic tangent in the approximation of gelu, and the derivative of its operand."""
    c = np.sqrt(2 / np.pi)
    return np.tanh(c * (x + 0.044715 * x**3)), c * (1 + factor * 0.044715 * x * x)


def _gelu_by_tanh(x: np.ndarray, half: float = 0.5, factor: float = 3.0) -> np.ndarray:
    t, slope = _inner(x, factor)
    found: np.ndarray = 0.5 * (1 + t) + half * x * (1 - t * t) * slope
    return found


_GELU_BY_TANH = "(1 + t) / 2 + x (1 - t²) u / 2"
_SLOPES: dict[tuple[str, str], tuple[Slope, dict[str, Slope]]] = {
    ("tanh", "1 - tanh(x)²"): (
        lambda x: 1 - np.tanh(x) ** 2,
        {
            "1 - tanh(x)": lambda x: 1 - np.tanh(x),
            "1 - x²": lambda x: 1 - x * x,
            "1 + tanh(x)²": lambda x: 1 + np.tanh(x) ** 2,
            "tanh(x) (1 - tanh(x))": lambda x: np.tanh(x) * (1 - np.tanh(x)),
            "1 - tanh(tanh(x))²": lambda x: 1 - np.tanh(np.tanh(x)) ** 2,
        },
    ),
    ("sigmoid", "s (1 - s)"): (
        lambda x: sigmoid(x) * sigmoid(-x),
        {
            "s": sigmoid,
            "1 - s": lambda x: sigmoid(-x),
            "1 - s²": lambda x: 1 - sigmoid(x) ** 2,
            "x (1 - x)": lambda x: x * (1 - x),
            "sigmoid(s) (1 - sigmoid(s))": lambda x: sigmoid(sigmoid(x)) * sigmoid(-sigmoid(x)),
        },
    ),
    ("softplus", "s"): (
        sigmoid,
        {"1 - s": lambda x: sigmoid(-x), "s (1 - s)": lambda x: sigmoid(x) * sigmoid(-x)},
    ),
    ("silu", "s + x s (1 - s)"): (
        lambda x: sigmoid(x) * (1 + x * sigmoid(-x)),
        {
            "s": sigmoid,
            "x s (1 - s)": lambda x: x * sigmoid(x) * sigmoid(-x),
            "s + s (1 - s)": lambda x: sigmoid(x) * (1 + sigmoid(-x)),
            "s + x (1 - s)": lambda x: sigmoid(x) + x * sigmoid(-x),
        },
    ),
    ("gelu", "Φ(x) + x φ(x)"): (
        lambda x: _cumulative(x) + x * _phi(x),
        {
            "Φ(x)": _cumulative,
            "x φ(x)": lambda x: x * _phi(x),
            "Φ(x) + φ(x)": lambda x: _cumulative(x) + _phi(x),
            "Φ(x) + x exp(-x²) / √(2π)": lambda x: (
                _cumulative(x) + x * np.exp(-x * x) / np.sqrt(2 * np.pi)
            ),
            "Φ(x) + x exp(-x²/2) / √π": lambda x: _cumulative(x) + np.sqrt(2) * x * _phi(x),
        },
    ),
    ("gelu", _GELU_BY_TANH): (
        _gelu_by_tanh,
        {
            "(1 + t) / 2": lambda x: _gelu_by_tanh(x, half=0.0),
            "(1 + t) / 2 + x (1 - t²) u": lambda x: _gelu_by_tanh(x, half=1.0),
            "(1 + t) / 2 + x (1 - t²) / 2": lambda x: (
                0.5 * (1 + _inner(x)[0] + x * (1 - _inner(x)[0] ** 2))
            ),
            "x (1 - t²) u / 2": lambda x: _gelu_by_tanh(x) - 0.5 * (1 + _inner(x)[0]),
            f"{_GELU_BY_TANH}, u = √(2/π) (1 + 0.044715 x²)": lambda x: _gelu_by_tanh(
                x, factor=1.0
            ),
        },
    ),
    ("exp", "exp(x)"): (np.exp, {"x exp(x - 1)": lambda x: x * np.exp(x - 1)}),
    ("log", "1 / x"): (lambda x: 1 / x, {"log(x)": np.log, "1 / x²": lambda x: x**-2.0}),
    ("reciprocal", "-1 / x²"): (
        lambda x: -(x**-2.0),
        {"-1 / x": lambda x: -1 / x, "log(x)": np.log},
    ),
    ("sqrt", "1 / (2 √x)"): (
        lambda x: 0.5 / np.sqrt(x),
        {"√x / 2": lambda x: 0.5 * np.sqrt(x), "1 / (2 x)": lambda x: 0.5 / x},
    ),
    ("sin", "cos(x)"): (np.cos, {"sin(x)": np.sin}),
    ("cos", "-sin(x)"): (lambda x: -np.sin(x), {"cos(x)": np.cos}),
}
"""Functions with their derivatives, and what is often written in place of these. Here s is
sigmoid(x), Φ and φ are the distribution function and the density of the standard normal law, and t
and u are the tanh(…) in the approximation of gelu and the derivative of what is in it."""


def mistakes(
    expected: np.ndarray, variable: np.ndarray
) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """What a gradient would be if the derivative of an elementwise function were mistaken.

    Args:
        expected: the true gradient.
        variable: the operand of the function, of the same shape.

    Yields:
        The function, its derivative, what is written in its place, and the gradient then.
    """
    for (name, formula), (right, wrong) in _SLOPES.items():
        slope = right(variable)
        for written, mistaken in wrong.items():
            yield name, formula, written, expected * mistaken(variable) / slope
