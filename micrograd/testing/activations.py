"""The usual mistakes in hand-written derivatives of elementwise functions, such as `1 - tanh(x)`.

A gradient through an elementwise function is the gradient of its result times the derivative. So if
the gradient and the true one are in the ratio of a wrong derivative to the right one, entry by
entry, that is what the mistake looks like, whatever the function is multiplied by.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from micrograd.compiler.numpy.operations import ON_ARRAYS
from micrograd.ops import TABLE, read
from micrograd.table.formulas import Tree

_WRITTEN: dict[str, tuple[str, tuple[str, ...]]] = {
    "tanh": (
        "1 - tanh(x)**2",
        (
            "1 - tanh(x)",
            "1 - x**2",
            "1 + tanh(x)**2",
            "tanh(x) * (1 - tanh(x))",
            "1 - tanh(tanh(x))**2",
        ),
    ),
    "sigmoid": (
        "sigmoid(x) * (1 - sigmoid(x))",
        (
            "sigmoid(x)",
            "1 - sigmoid(x)",
            "1 - sigmoid(x)**2",
            "x * (1 - x)",
            "sigmoid(sigmoid(x)) * (1 - sigmoid(sigmoid(x)))",
        ),
    ),
    "softplus": ("sigmoid(x)", ("1 - sigmoid(x)", "sigmoid(x) * (1 - sigmoid(x))")),
    "silu": (
        "sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x))",
        (
            "sigmoid(x)",
            "x * sigmoid(x) * (1 - sigmoid(x))",
            "sigmoid(x) + sigmoid(x) * (1 - sigmoid(x))",
            "sigmoid(x) + x * (1 - sigmoid(x))",
        ),
    ),
    "gelu": (
        "ndtr(x) + x * exp(-x**2 / 2) / sqrt(2 * pi)",
        (
            "ndtr(x)",
            "x * exp(-x**2 / 2) / sqrt(2 * pi)",
            "ndtr(x) + exp(-x**2 / 2) / sqrt(2 * pi)",
            "ndtr(x) + x * exp(-x**2) / sqrt(2 * pi)",
            "ndtr(x) + x * exp(-x**2 / 2) / sqrt(pi)",
        ),
    ),
    "exp": ("exp(x)", ("x * exp(x - 1)",)),
    "log": ("1 / x", ("log(x)", "1 / x**2")),
    "reciprocal": ("-1 / x**2", ("-1 / x", "log(x)")),
    "sqrt": ("1 / (2 * sqrt(x))", ("sqrt(x) / 2", "1 / (2 * x)")),
    "sin": ("cos(x)", ("sin(x)",)),
    "cos": ("-sin(x)", ("cos(x)",)),
}
"""For operations of the table, the derivative as it is usually written, and what is often written
in its place. What it is compared with is the derivative of the table."""

_GELU_BY_TANH = (
    "(1 + t + x * (1 - t**2) * u) / 2",
    (
        "(1 + t) / 2",
        "(1 + t) / 2 + x * (1 - t**2) * u",
        "(1 + t + x * (1 - t**2)) / 2",
        "x * (1 - t**2) * u / 2",
        "(1 + t + x * (1 - t**2) * sqrt(2 / pi) * (1 + 0.044715 * x**2)) / 2",
    ),
)
"""The same for the approximation of gelu, where t is tanh(…) and u is the derivative of its
operand."""


def mistakes(expected: np.ndarray, variable: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What a gradient would be if the derivative of an elementwise function were mistaken.

    Args:
        expected: the true gradient.
        variable: the operand of the function, of the same shape.

    Yields:
        What the mistake looks like, and the gradient then.
    """
    for name, (right, wrong) in _WRITTEN.items():
        row = TABLE[name]
        out = _computed(row.expression, x=variable)
        if not np.isfinite(out).all():  # not the function: it has no value here
            continue
        slope = _computed(row.slopes[0], x=variable, out=out)
        yield f"the derivative of {name} is missing", expected / slope
        yield f"the derivative of {name} is a factor too many", expected * slope
        yield from _replaced(name, right, wrong, expected / slope, x=variable)
    operand = math.sqrt(2 / math.pi) * (variable + 0.044715 * variable**3)
    inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * variable**2)
    variables = {"x": variable, "t": np.tanh(operand), "u": inner}
    right, wrong = _GELU_BY_TANH
    slope = _computed(_read(right), **variables)
    yield from _replaced("gelu", right, wrong, expected / slope, **variables)


def _replaced(
    name: str, right: str, wrong: Sequence[str], outer: np.ndarray, **variables: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """What the gradient would be with each of the wrong derivatives; `outer` is that without."""
    for written in wrong:
        words = f"it fits {name} with the derivative {written} in place of {right}"
        yield words, outer * _computed(_read(written), **variables)


def _read(formula: str) -> Tree:
    return read(formula, ("x", "t", "u", "pi"), "a derivative")


def _computed(formula: Tree, **variables: np.ndarray) -> np.ndarray:
    names = {**variables, "pi": math.pi}
    return np.asarray(ON_ARRAYS.compiled([*names], formula)(*names.values()))
