"""What the gradients of linear layers say together that they do not say one by one.

If a function uses `x` only in the products `x @ W`, for one or more of its arguments `W`, and `dz`
is the gradient of such a product, then

    Σ dW · Wᵀ  =  Σ xᵀ · dz · Wᵀ  =  xᵀ · dx

and for a bias, which is added to the product, db · Wᵀ is the sum of the rows of dx. So these can be
compared without knowing what the layer does with its products: a path that is missing from dx, a
contribution that is missing from dW, and a mistake that is made before dx and dW, in dz.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

Arrays = Mapping[str, np.ndarray]

_MOST = 4  # weights with which an argument is multiplied


class Gradients(NamedTuple):
    """The arguments of a function, their true gradients and those that are claimed, by names.

    Numbers are equal if they differ by no more than `close` times the largest one.
    """

    variables: Arrays
    expected: Arrays
    claimed: Arrays
    close: float

    def same(self, one: np.ndarray, other: np.ndarray) -> bool:
        """Whether two arrays are equal."""
        size = max(float(abs(one).max(initial=0)), float(abs(other).max(initial=0)))
        return one.shape == other.shape and bool((abs(one - other) <= self.close * size).all())

    def wrong(self, name: str) -> bool:
        """Whether the claimed gradient of an argument is wrong."""
        return not self.same(self.claimed[name], self.expected[name])


class Layer(NamedTuple):
    """An argument, the arguments with which it is multiplied, and which of these are transposed."""

    x: str
    weights: dict[str, bool]

    def products(self) -> str:
        """The products, as code."""
        return ", ".join(
            f"{self.x} @ {name}{'.T' if turned else ''}" for name, turned in self.weights.items()
        )


def suspicions(gradients: Gradients, about: Callable[..., str]) -> dict[str, str]:
    """What the mistakes look like, by the names of the arguments whose gradients they are in.

    Args:
        gradients: the gradients of all arguments.
        about: what a wrong gradient looks like, given it, the true one, and the variable.
    """
    found: dict[str, str] = {}
    gradients = _without_penalties(gradients)
    for layer in _layers(gradients):
        if gradients.wrong(layer.x):
            if text := _lost_path(gradients, layer) or _common(gradients, layer, about):
                found.setdefault(layer.x, text)
        elif len(layer.weights) == 1:
            for name in gradients.variables:
                if gradients.wrong(name) and (text := _lost_terms(gradients, layer, name)):
                    found.setdefault(name, text)
    for x, weight in itertools.permutations(gradients.variables, 2):
        if weight not in found and (text := _overwritten(gradients, x, weight)):
            found[weight] = text
    return found


def _overwritten(gradients: Gradients, x: str, weight: str) -> str:
    """Whether dW has only the contribution of one of its operands, such as the first state."""
    variables, expected, claimed, _ = gradients
    is_weight = variables[weight].ndim == 2 and variables[x].ndim > 1 and gradients.wrong(weight)
    if not is_weight or variables[x].shape[-1] != len(variables[weight]):
        return ""
    only = _outer(variables[x], expected[x])
    if not only.any() or not gradients.same(claimed[weight] @ variables[weight].T, only):
        return ""
    return f"only the contribution of {x} is there: is it = where += is needed?"


def _without_penalties(gradients: Gradients) -> Gradients:
    """The gradients without those of penalties on squared weights, which are not in dx."""
    variables, expected, claimed, close = gradients
    expected, claimed = {**expected}, {**claimed}
    for name, x in variables.items():
        for other, w in variables.items():
            if other == name or x.ndim < 2 or w.ndim != 2 or x.shape[-1] != len(w):
                continue
            square = w @ w.T
            apart = expected[other] @ w.T - _outer(x, expected[name])
            decay = float((apart * square).sum() / (square * square).sum()) if w.any() else 0.0
            if decay and gradients.same(apart, decay * square):
                expected[other], claimed[other] = (
                    each[other] - decay * w for each in (expected, claimed)
                )
    return Gradients(variables, expected, claimed, close)


def _layers(gradients: Gradients) -> Iterator[Layer]:
    """Arguments that are used only in products with others."""
    variables = gradients.variables
    for name, x in variables.items():
        if x.ndim < 2 or not gradients.expected[name].any():
            continue
        width = x.shape[-1]
        fitting = [
            (other, turned)
            for other, w in variables.items()
            for turned in (False, True)
            if other != name and w.ndim == 2 and w.shape[turned] == width
            and gradients.expected[other].any()
        ]  # fmt: skip
        true = _outer(x, gradients.expected[name])
        for count in range(1, min(len(fitting), _MOST) + 1):
            for chosen in itertools.combinations(fitting, count):
                layer = Layer(name, dict(chosen))
                if len(layer.weights) == count:
                    products = _products(gradients.expected, variables, chosen)
                    if gradients.same(products.sum(axis=0), true):
                        yield layer


def _products(
    gradients: Arrays, variables: Arrays, weights: Iterable[tuple[str, bool]]
) -> np.ndarray:
    """What the gradients of weights say about xᵀ · dx."""
    pairs = [(gradients[name], variables[name], turned) for name, turned in weights]
    return np.array([dw.T @ w if turned else dw @ w.T for dw, w, turned in pairs])


def _outer(x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    made: np.ndarray = x.reshape(-1, x.shape[-1]).T @ gradient.reshape(-1, gradient.shape[-1])
    return made


def _lost_path(gradients: Gradients, layer: Layer) -> str:
    """Whether dx lacks what comes through some of its products, or has it twice."""
    variables, expected, claimed, _ = gradients
    x, weights = variables[layer.x], [*layer.weights.items()]
    apart = _outer(x, claimed[layer.x] - expected[layer.x])
    parts = _products(expected, variables, weights)
    for count in range(1, len(parts)):
        for chosen in itertools.combinations(range(len(parts)), count):
            names = ", ".join(weights[index][0] for index in chosen)
            path = parts[list(chosen)].sum(axis=0)
            if gradients.same(apart, -path):
                return f"the path through {names} is missing: is it = where += is needed?"
            if gradients.same(apart, path):
                return f"the path through {names} is there twice"
    return ""


def _common(gradients: Gradients, layer: Layer, about: Callable[..., str]) -> str:
    """Whether dx and dW are both computed from the same wrong gradient of the products."""
    variables, expected, claimed, _ = gradients
    wrong = {name: turned for name, turned in layer.weights.items() if gradients.wrong(name)}
    made = _products(claimed, variables, layer.weights.items()).sum(axis=0)
    if not wrong or not gradients.same(made, _outer(variables[layer.x], claimed[layer.x])):
        return ""
    products = Layer(layer.x, wrong).products()
    names = ", ".join(f"d{name}" for name in wrong)
    if len(layer.weights) == 1:
        ((name, turned),) = wrong.items()
        weight, x = variables[name].T if turned else variables[name], variables[layer.x]
        true, got = (
            _of_product(x, weight, each[layer.x], each[name].T if turned else each[name])
            for each in (expected, claimed)
        )
        if true is not None and got is not None:
            sums, operand = true.reshape(-1, true.shape[-1]).sum(axis=0), x @ weight
            for other, bias in variables.items():
                if bias.shape == sums.shape and gradients.same(expected[other], sums):
                    operand, products = operand + bias, f"{products} + {other}"
            if text := about(got, true, operand):
                return f"in the gradient of {products}: {text}"
    return f"it fits {names}: is the gradient of {products} wrong, from which both are computed?"


def _of_product(
    x: np.ndarray, weight: np.ndarray, dx: np.ndarray, dw: np.ndarray
) -> np.ndarray | None:
    """The gradient of x @ weight, if those of its factors determine it."""
    if np.linalg.matrix_rank(weight) == weight.shape[1]:
        found: np.ndarray = dx @ np.linalg.pinv(weight.T)
    elif x.ndim == 2 and np.linalg.matrix_rank(x) == len(x):
        found = np.linalg.pinv(x.T) @ dw
    else:
        return None
    return found if np.allclose(found @ weight.T, dx, atol=1e-4 * abs(dx).max()) else None


def _lost_terms(gradients: Gradients, layer: Layer, name: str) -> str:
    """Whether the gradient of the weight, or of a bias, lacks some terms of its sum."""
    variables, expected, claimed, _ = gradients
    ((weight, turned),) = layer.weights.items()
    x, dx = variables[layer.x], expected[layer.x]
    matrix = variables[weight].T if turned else variables[weight]
    if name == weight:
        operand = x
        got = _products(claimed, variables, layer.weights.items())[0]
    elif variables[name].shape == matrix.shape[1:]:
        operand = np.ones_like(x[..., :1])  # a bias is a weight that is multiplied by 1
        got = claimed[name][None] @ matrix.T
        if not gradients.same(expected[name][None] @ matrix.T, _outer(operand, dx)):
            return ""
    else:
        return ""
    true = _outer(operand, dx)
    for axis in range(x.ndim - 1):
        for index in (0, x.shape[axis] - 1):
            term = _outer(np.take(operand, index, axis), np.take(dx, index, axis))
            where = f"of index {index} of axis {axis} of {layer.x}"
            if gradients.same(got, term):
                return f"only the contribution {where} is there: is it = where += is needed?"
            if gradients.same(got, true - term):
                return f"the contribution {where} is missing"
    return ""
