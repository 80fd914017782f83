"""Gradients in single precision, of functions and numbers of all sizes."""

from __future__ import annotations

import numpy as np
import pytest

from micrograd.testing import check_gradients


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _softmax(x):
    return np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x)))


# Functions, and their gradients as they are written by hand.
FUNCTIONS = {
    "squares": (lambda x: np.sum(x * x), lambda x: 2 * x),
    "mean": (lambda x: np.mean(x * x), lambda x: x / 2),
    "sin": (lambda x: np.sum(np.sin(x)), np.cos),
    "exp": (lambda x: np.sum(np.exp(x)), np.exp),
    "tanh": (lambda x: np.sum(np.tanh(x)), lambda x: 1 - np.tanh(x) ** 2),
    "log": (lambda x: np.sum(np.log(x * x)), lambda x: 2 / x),
    "norm": (lambda x: np.sqrt(np.sum(x * x)), lambda x: x / np.sqrt(np.sum(x * x))),
    "rational": (lambda x: np.sum(1 / (1 + x * x)), lambda x: -2 * x / (1 + x * x) ** 2),
    "cube": (lambda x: np.sum(x**3), lambda x: 3 * x * x),
    "product": (lambda x: x[0] * x[1] + x[2] * x[3], lambda x: x[[1, 0, 3, 2]]),
    "logsumexp": (lambda x: np.max(x) + np.log(np.sum(np.exp(x - np.max(x)))), _softmax),
    "sigmoid": (lambda x: np.sum(_sigmoid(x)), lambda x: _sigmoid(x) * _sigmoid(-x)),
    "softplus": (
        lambda x: np.sum(np.log1p(np.exp(-abs(x))) + np.maximum(x, 0)),
        _sigmoid,
    ),
    "variance": (np.var, lambda x: (x - x.mean()) / 2),
    "relu": (lambda x: np.sum(np.maximum(x, 0) ** 2), lambda x: 2 * np.maximum(x, 0)),
    "gauss": (lambda x: np.exp(-np.sum(x * x) / 2), lambda x: -x * np.exp(-np.sum(x * x) / 2)),
}
SCALES = (1e-8, 1e-6, 1e-4, 1e-2, 1.0, 10.0, 1e2, 1e4, 1e6)


def points(scale):
    for offset in (0.0, 1.0):
        yield (scale * (np.random.default_rng(0).normal(size=4) + offset)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_right_gradient_is_never_called_wrong(name):
    f, gradient = FUNCTIONS[name]
    checked = 0
    for scale in SCALES:
        for x in points(scale):
            exact, single = gradient(x.astype(float)), gradient(x)
            is_finite = np.isfinite(single).all() and np.isfinite(f(x))
            if is_finite and (abs(single - exact) <= 1e-4 * abs(exact).max()).all():
                report = check_gradients(f, x, gradient=gradient, raise_exception=False)
                assert not report.is_wrong, f"{scale}: {report}"
                checked += 1
    assert checked >= 10


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_twentieth_too_much_is_called_wrong(name):
    f, gradient = FUNCTIONS[name]
    for x in points(1.0):
        largest = abs(gradient(x)).argmax()
        much = np.where(np.arange(4) == largest, np.float32(1.05), np.float32(1))
        made = check_gradients(
            f, x, gradient=lambda x, by=much: by * gradient(x), raise_exception=False
        )
        assert made.is_wrong
        assert [name[2:] for name in made.names] == [f"[{largest}]"]
