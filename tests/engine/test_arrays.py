"""Operations on arrays and nested lists, and operations of many numbers."""

import math
from itertools import permutations

import numpy as np
import pytest

import micrograd
from micrograd import (
    Value,
    compile,  # noqa: A004
    derivative,
    detect_anomaly,
    dot,
    functions,
    grad,
    hessian,
    log_softmax,
    logsumexp,
    mean,
    norm,
    prod,
    softmax,
)
from micrograd.ops import ROWS, TABLE

UNARY = [row.name for row in ROWS if TABLE[row.name].arity == 1]
BINARY = [row.name for row in ROWS if TABLE[row.name].arity == 2]


def values(array):
    return np.vectorize(Value, otypes=[object])(array)


def numbers(array):
    return np.vectorize(lambda x: getattr(x, "data", x), otypes=[float])(array)


@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_one_operand_works_on_each_element(name):
    f, x = getattr(functions, name), np.array([[0.25, 0.5, 0.75], [0.1, 0.2, 0.3]])
    expected = [[f(each) for each in row] for row in x.tolist()]
    for given in (x, x.tolist(), values(x)):
        found = f(given)
        assert found.shape == x.shape
        np.testing.assert_array_equal(numbers(found), expected)
    assert f(x).dtype == float


@pytest.mark.parametrize("name", BINARY)
def test_the_operands_of_a_function_of_two_are_broadcast(name):
    f, x, y = getattr(functions, name), np.array([[1.0], [2.0]]), np.array([0.5, 1.0, 3.0])
    expected = [[f(a, b) for b in y.tolist()] for (a,) in x.tolist()]
    for pair in ((x, y), (values(x), y), (x.tolist(), values(y))):
        np.testing.assert_array_equal(numbers(f(*pair)), expected)
    np.testing.assert_array_equal(numbers(f(values(y), 2.0)), [f(b, 2.0) for b in y.tolist()])


def test_a_layer_is_written_as_on_paper():
    W, b = values(np.array([[1.0, -2.0], [0.5, 3.0]])), values(np.array([0.1, 0.2]))
    h = micrograd.relu(W @ np.array([1.0, 2.0]) + b)
    assert numbers(h).tolist() == [0.0, 6.7]
    micrograd.norm(h).backward()
    assert [each.grad for each in b] == pytest.approx([0.0, 1.0])
    assert micrograd.where(h > 0, h, -1.0)[0].data == -1.0


def test_arrays_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="broadcast"):
        micrograd.maximum(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="nested lists must be regular"):
        micrograd.exp([[1.0, 2.0], [3.0]])


NUMPY = {
    **{
        name: getattr(np, name) for name in "arcsin arccos arctan sinh cosh arcsinh arctanh".split()
    },
    **{name: getattr(np, name) for name in "floor ceil trunc rint cbrt fabs exp2 log1p".split()},
    "arctan2": lambda x: np.arctan2(x, 2.0),
    "mod": lambda x: np.mod(x, 0.3),
    "floor_divide": lambda x: np.floor_divide(x, 0.3),
    "maximum": lambda x: np.maximum(x, 0.45),
    "clip": lambda x: np.clip(x, 0.3, 0.5),
    "var": np.var,
    "std": np.std,
    "vdot": lambda x: np.vdot(x, x),
    "norm": np.linalg.norm,
}


@pytest.mark.parametrize("name", NUMPY)
def test_a_function_of_numpy_works_on_an_array_of_values(name):
    x = np.array([0.25, 0.5, 0.75])
    np.testing.assert_allclose(numbers(NUMPY[name](values(x))), NUMPY[name](x), rtol=1e-15)


def test_results_of_numpy_without_axes_are_numbers():
    f = lambda x: np.tensordot(x, x, 1)  # noqa: E731
    assert grad(f)(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert grad(lambda x: np.squeeze(x * x))(np.array([3.0])).tolist() == [6.0]
    x = np.array(Value(0.5), dtype=object)
    assert micrograd.tanh(x).data == math.tanh(0.5)


# ------------------------------------------------------------------------------------- of many


MANY = {
    "mean": (micrograd.mean, np.mean),
    "prod": (micrograd.prod, np.prod),
    "var": (micrograd.var, np.var),
    "norm": (micrograd.norm, lambda x, axis=None: np.linalg.norm(x, axis=axis)),
    "logsumexp": (micrograd.logsumexp, lambda x, axis=None: np.log(np.exp(x).sum(axis=axis))),
}
TABLES = np.array([[0.5, -1.25, 2.0], [1.5, 0.25, -0.75]])


@pytest.mark.parametrize("name", MANY)
def test_a_reduction_has_the_number_of_numpy(name):
    ours, theirs = MANY[name]
    for axis in (0, 1, -1):
        np.testing.assert_allclose(ours(TABLES, axis), theirs(TABLES, axis=axis), rtol=1e-14)
        np.testing.assert_allclose(numbers(ours(values(TABLES), axis)), theirs(TABLES, axis=axis))
    flat = TABLES.ravel()
    np.testing.assert_allclose(ours(flat.tolist()), theirs(flat), rtol=1e-14)
    np.testing.assert_allclose(ours(TABLES.tolist()), theirs(flat), rtol=1e-14)


@pytest.mark.parametrize("name", [*MANY, "softmax", "log_softmax"])
def test_what_is_nothing_or_no_list_is_refused(name):
    f = getattr(micrograd, name)
    with pytest.raises(ValueError, match=name):
        f([])
    for wrong in (3.0, "text", {1.0}):
        with pytest.raises(TypeError, match=f"{name} takes a list"):
            f(wrong)


def test_softmax_is_right_at_a_thousand_and_along_an_axis():
    assert micrograd.softmax([1000.0, 1000.0]) == [0.5, 0.5]
    assert micrograd.softmax([-1000.0, 0.0])[1] == 1.0
    assert micrograd.logsumexp([-1000.0, -1000.0]) == -1000.0 + math.log(2)
    assert micrograd.logsumexp([math.inf, 0.0]) == math.inf
    assert micrograd.logsumexp([-math.inf, -math.inf]) == -math.inf
    found = micrograd.softmax(TABLES, axis=0)
    np.testing.assert_allclose(found, np.exp(TABLES) / np.exp(TABLES).sum(axis=0))
    np.testing.assert_allclose(micrograd.log_softmax(TABLES, axis=0), np.log(found))


def test_second_derivatives_are_right_at_ties():
    h = hessian(micrograd.logsumexp)([1000.0, 1000.0])
    np.testing.assert_allclose(h, [[0.25, -0.25], [-0.25, 0.25]])
    h = hessian(micrograd.prod)([0.0, 0.0, 3.0])
    assert h.tolist() == [[0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    x, y = Value(2.0), Value(2.0)
    (slope,) = derivative(micrograd.logaddexp(x, y), [x])
    assert derivative(slope, x).data == 0.25


def test_the_norm_of_zero_has_no_slope():
    assert grad(micrograd.norm)([0.0, 0.0]) == [0.0, 0.0]
    assert grad(micrograd.norm)([3.0, 4.0]) == pytest.approx([0.6, 0.8])


def test_dot_needs_vectors_of_one_length():
    assert micrograd.dot([1.0, 2.0], np.array([3.0, 4.0])) == 11.0
    with pytest.raises(ValueError, match="got 2 and 1"):
        micrograd.dot([1.0, 2.0], [3.0])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "numba", "jax"])
def test_functions_of_arrays_are_traced(backend):
    pytest.importorskip({"numba": "llvmlite"}.get(backend, backend))
    W = np.array([[1.0, -2.0], [0.5, 3.0]])

    def f(x):
        return micrograd.logsumexp(micrograd.maximum(W @ x, 0.25)) + micrograd.norm(x)

    program = compile(f, backend=backend)
    for x in permutations([0.5, -1.0]):
        value, slope = program.value_and_grad(np.array(x))
        assert value == pytest.approx(f(np.array(x)), rel=1e-12)
        np.testing.assert_allclose(slope, grad(f)(np.array(x)), rtol=1e-12)


def test_reductions_of_arrays_compute_with_floats_and_never_wrap_or_warn():
    assert micrograd.mean(np.array([2**62, 2**62])) == 2.0**62
    assert micrograd.prod(np.array([1e200, 1e200])) == float("inf")
    assert type(micrograd.dot(np.array([1.0, 2.0]), [3.0, 4.0])) is float


def test_jumps_of_python_and_numpy_are_traced_as_operations():
    def f(x):
        return np.floor(x).sum() + math.floor(x[0]) + x[0] % 2 + x[1] // 2 + np.mod(x, 0.75)[1]

    x = np.array([2.5, -3.5])
    assert compile(f, backend="numpy")(x) == f(x)
    assert compile(f, backend="numpy").value_and_grad(x)[1].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("scale", [1e-200, 1e-320, 1e200])
def test_norm_of_numbers_whose_squares_do_not_fit(scale):
    numbers = [3 * scale, -4 * scale]
    assert norm(numbers) == pytest.approx(math.hypot(*numbers), rel=1e-15)
    slopes = [x / math.hypot(*numbers) for x in numbers]
    assert grad(norm)(numbers) == pytest.approx(slopes, rel=1e-15)
    program = compile(lambda x, y: norm([x, y]))
    assert program(*numbers) == pytest.approx(math.hypot(*numbers), rel=1e-15)
    assert program.value_and_grad(*numbers)[1] == pytest.approx(slopes, rel=1e-15)


@pytest.mark.parametrize("numbers", [[-math.inf, -math.inf], [math.inf, 0.0], [-math.inf, 0.0]])
@pytest.mark.parametrize("function", [softmax, log_softmax])
def test_infinite_scores_give_the_same_alone_and_compiled(function, numbers):
    program = compile(lambda x, y: function([x, y]))
    np.testing.assert_array_equal(program(*numbers), function(numbers))
    total = compile(lambda x, y: logsumexp([x, y]))
    assert total(*numbers) == logsumexp(numbers) == max(numbers)


def test_anything_but_a_number_is_refused():
    with pytest.raises(TypeError, match="dot takes a real number, got str 'a'"):
        dot(["a"], [2])
    with pytest.raises(ValueError, match="dot takes vectors, with one axis"):
        dot(np.eye(2), np.eye(2))
    with pytest.raises(TypeError, match="mean takes a list or an array"):
        mean(np.array(0.0))
    with pytest.raises(ValueError, match="softmax: there is no axis 5 of a vector"):
        softmax([1.0, 2.0], axis=5)
    with pytest.raises(ValueError, match="softmax: there is no axis 2 of an array with 2 axes"):
        softmax([[1.0, 2.0]], axis=2)
    with pytest.raises(TypeError, match="softmax: axis is a whole number, got None"):
        softmax([[1.0, 2.0]], axis=None)
    with pytest.raises(TypeError, match=r"mean: axis is a whole number, got \(0, 1\)"):
        mean(np.ones((2, 2)), axis=(0, 1))
    with pytest.raises(ValueError, match="softmax of an empty list"):
        softmax(np.zeros((3, 0)))


def test_whole_numbers_give_floats():
    assert type(prod([2, 3])) is type(dot([1], [2])) is type(prod([True])) is float
    assert prod([[1, 2], [3, 4]], axis=0).dtype == float
    assert mean([x] for x in [1, 2]) == 1.5


def test_the_norm_of_large_numbers_is_not_an_anomaly():
    with detect_anomaly():
        assert norm([Value(3e200), Value(4e200)]).data == pytest.approx(5e200)


def test_the_variance_may_be_the_unbiased_estimate():
    for xs in (TABLES, values(TABLES)):
        assert getattr(found := micrograd.var(xs, ddof=1), "data", found) == pytest.approx(
            np.var(TABLES, ddof=1), rel=1e-14
        )
        np.testing.assert_allclose(
            numbers(micrograd.var(xs, 1, ddof=1)), np.var(TABLES, axis=1, ddof=1), rtol=1e-14
        )
    with pytest.raises(ValueError, match="ddof=3"):
        micrograd.var([1.0, 2.0, 3.0], ddof=3)
