"""Matrix products of traced arrays: recorded at once, as the same operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import micrograd
from micrograd import Value, compile, grad, hessian, hvp, jacobian, jvp  # noqa: A004
from micrograd.compiler import TraceError
from micrograd.compiler.tracing.tracer import trace
from micrograd.engine import traced_arrays
from micrograd.transforms.structures import array, flatten

NUMBERS = np.random.default_rng(0).normal(size=(3, 4))
CONSTANTS = np.frompyfunc(Value, 1, 1)(NUMBERS)

Shapes = Sequence[tuple[int, ...]]


def changing_vectors(x: Any, h: Any) -> Any:
    """Products of an array that is changed, and of numbers that are soon freed."""
    y = x.copy()
    found = [y @ h]
    y[0] = y[0] * 2.0
    found.append(y @ h)
    for i in range(20):
        dropped = (x * float(i)) @ h
        del dropped
        found.append((x + float(i)) @ h)
    return found


CASES: dict[str, tuple[Callable[..., Any], Shapes]] = {
    "a matrix of numbers and a vector": (lambda x: NUMBERS @ x, [(4,)]),
    "a vector and a matrix of numbers": (lambda x: x @ NUMBERS, [(3,)]),
    "a matrix of Values that are constants": (lambda x: CONSTANTS @ x, [(4,)]),
    "ints and zeros of both signs": (lambda x: np.array([[0, 1, 2], [0.0, -0.0, 1]]) @ x, [(3,)]),
    "a matrix and a vector": (lambda w, x: w @ x + x[0], [(3, 4), (4,)]),
    "two matrices": (lambda w, x: (w @ x) ** 2, [(3, 4), (4, 2)]),
    "two vectors, again and swapped": (lambda a, b: [a @ b, b @ a, a @ b], [(5,), (5,)]),
    "vectors that change": (changing_vectors, [(9,), (9,)]),
    "sums of a single term": (lambda a, b: a @ b, [(5, 1), (1, 3)]),
    "dot": (lambda w, x: np.dot(w, x), [(3, 4), (4,)]),
    "a convolution, full": (lambda a, b: np.convolve(a, b), [(7,), (3,)]),
    "a convolution, same": (lambda a, b: np.convolve(a, b, "same"), [(7,), (4,)]),
    "a convolution, valid": (lambda a, b: np.convolve(a, b, mode="valid"), [(7,), (3,)]),
    "a convolution of a longer second signal": (lambda a, b: np.convolve(a, b), [(2,), (5,)]),
    "a filter of numbers": (lambda a: np.convolve(a, NUMBERS[0], "same"), [(9,)]),
    "products that were computed before": (
        lambda x: [x[0] * x[1], x[:3] @ x[1:], x[1:] @ x[:3], x[0] * x[1] + x[1] * x[2]],
        [(4,)],
    ),
    "products that are computed again": (
        lambda w, x: [*(w @ x), *(w[:2] @ x), *(x[:2] @ w[:2]), x[0] * w[0, 0]],
        [(3, 3), (3,)],
    ),
}


def traced(f: Callable[..., Any], shapes: Shapes) -> Any:
    """The graph of a function of arrays."""
    sizes = [int(np.prod(shape)) for shape in shapes]

    def run(leaves: Any) -> Any:
        parts = np.split(np.arange(len(leaves)), np.cumsum(sizes)[:-1])
        pairs = zip(parts, shapes, strict=True)
        return flatten(f(*(array([leaves[i] for i in part], shape) for part, shape in pairs)))[0]

    return trace(run, [], sum(sizes))


@pytest.mark.parametrize("name", CASES)
def test_a_product_is_recorded_as_the_operations_that_numpy_would_have_done(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    f, shapes = CASES[name]
    monkeypatch.setattr(traced_arrays, "FEW", 0)
    at_once = traced(f, shapes)
    monkeypatch.setattr(traced_arrays, "matrix_product", lambda a, b: None)
    assert at_once.key == traced(f, shapes).key


def network(x: Any) -> Any:
    return np.sum(np.tanh(NUMBERS @ np.tanh(x)) @ NUMBERS * x)


DERIVATIVES: dict[str, Callable[[Any], Any]] = {
    "grad": grad(network),
    "grad of grad": grad(lambda x: sum(grad(network)(x) * x)),
    "hessian": hessian(network),
    "hvp": lambda x: hvp(network, x, x * x),
    "jvp": lambda x: jvp(lambda y: NUMBERS @ y, (x,), (x * x,))[1],
    "jvp of both matrices": lambda x: jvp(lambda a, b: a @ b, (x, x * x), (x, np.exp(x)))[1],
    "jvp of two vectors": lambda x: jvp(lambda a, b: a @ b, (x, x * x), (x, np.exp(x)))[1],
    "jvp of two constant vectors": lambda x: jvp(lambda a: x @ x + a[0], (x,), (x,))[1],
    "a gradient of a loop of inner products": grad(
        lambda x: sum(micrograd.repeat(lambda s: s / (1.0 + s @ NUMBERS[1]) ** 2, x, 3))
    ),
    "jvp of some numbers": lambda x: jvp(lambda y: NUMBERS @ y, (x,), ([1.0, 0.0, x[2], 0.0],))[1],
    "jacobian": jacobian(lambda x: np.tanh(NUMBERS @ x)),
    "jacobian of two matrices": jacobian(lambda x: x.reshape(2, 2) @ x.reshape(2, 2)),
    "a gradient of loops": grad(
        lambda x: sum(micrograd.repeat(lambda s: np.tanh(NUMBERS.T @ NUMBERS @ s), x, 3))
    ),
    "a gradient of some results": grad(lambda x: (NUMBERS @ x)[1] ** 2),
    "a gradient with the same number in both": grad(lambda x: x @ x + np.dot(x[1:], x[:3])),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_inside_a_compiled_function_are_those_of_values(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traced_arrays, "FEW", 0)
    f, at = DERIVATIVES[name], np.array([0.3, -1.2, 0.0, 0.7])
    found, expected = (np.asarray(g(at), float) for g in (compile(f, backend="numpy"), f))
    # A few dozen roundings of numbers of the size of 1.
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-14)


def test_zero_times_infinity_is_zero_in_the_chain_rule_of_a_product() -> None:
    f = grad(lambda x: (x @ (x * np.array([0.0, 1.0]))) * micrograd.log(x[1]))
    at = np.array([1.0, 0.0])
    found, expected = (np.asarray(g(at), float) for g in (compile(f, backend="numpy"), f))
    assert found.tolist() == expected.tolist()


def test_sparsity_knows_which_row_and_column_a_number_depends_on() -> None:
    f = compile(lambda w, x: w @ x, backend="numpy")
    found = f.sparsity(np.ones((3, 4)), np.ones(4), argnums=0)
    assert found.tolist() == [[[i == j] * 4 for j in range(3)] for i in range(3)]


def test_products_count_towards_the_limit_of_operations() -> None:
    arguments = np.ones((4, 3)), np.ones(3)
    found = compile(lambda w, x: w @ x, limit=20, backend="numpy")(*arguments)
    assert np.asarray(found).tolist() == [3.0] * 4
    with pytest.raises(TraceError, match="more than 19 operations"):
        compile(lambda w, x: w @ x, limit=19, backend="numpy")(*arguments)


def test_a_product_without_traced_values_stays_a_number() -> None:
    def f(x: Any) -> Any:
        mixed = np.array([[1.0, 2.0], [x[0], 3.0]] * 4) @ np.array([[1.0], [2.0]])
        return x[1] if mixed[0, 0] == 5.0 else x[0]

    assert compile(f, backend="numpy")(np.array([1.0, 7.0])) == 7.0


def test_a_matrix_or_vector_may_repeat_one_number(backend: str) -> None:
    at, w = np.random.default_rng(0).normal(size=(4, 20)), Value(0.25)
    f = compile(lambda x: sum(np.full((6, 20), w) @ x), [w], batched=True, backend=backend)
    value, slope = f.value_and_grad(at)
    assert value == pytest.approx(1.5 * at.sum(axis=1).mean(), rel=1e-13)
    assert slope == pytest.approx([6 * at.sum(axis=1).mean()], rel=1e-13)
    g = compile(lambda x: [*(NUMBERS @ np.array([x] * 4))], batched=True, backend=backend)
    expected = NUMBERS.sum(axis=1)[:, None] * at[0]
    np.testing.assert_allclose(g(at[0]), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", ["?", "b", "B", "q", "e", "f", "d", "g", ">d", "O"])
def test_a_factor_may_be_an_array_or_a_number_of_any_real_type(kind: str) -> None:
    matrix = (np.arange(12) % 2).reshape(3, 4).astype(kind)
    numbers = np.array(matrix[0].tolist(), object)  # of NumPy, for the type "g"

    def f(x: Any) -> Any:
        return [*(matrix @ x), *(x @ matrix.T), *(matrix[0] * x), *(numbers * x), matrix[0, 1] * x]

    x = np.array([0.5, 1.5, -2.0, 4.0])
    found, plain = compile(f)(x), matrix.astype(float)
    products = [*(plain @ x), *(plain @ x), *(plain[0] * x), *(plain[0] * x)]
    assert np.array_equal(found[:-1], products)
    assert np.array_equal(found[-1], x)


def test_products_of_rows_that_were_computed_together_are_one_product(backend):
    def scores(a, b, x):
        return (((x @ a) @ (x @ b).T) ** 2).sum()

    draw = np.random.default_rng(0)
    numbers = [draw.normal(size=shape) for shape in ((8, 8), (8, 8), (8, 8))]
    program = compile(scores, backend=backend)
    value, _ = program.value_and_grad(*numbers)
    a, b, x = numbers
    size = ((abs(x) @ abs(a)) @ (abs(x) @ abs(b)).T) ** 2
    assert value == pytest.approx(scores(*numbers), abs=100 * np.finfo(float).eps * size.sum())
    assert str(program).count(" @ ") == 2
