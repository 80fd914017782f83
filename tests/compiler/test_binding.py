"""Static arguments, keywords, None, and arguments that the samples of a batch share."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import micrograd
from micrograd import Value, sin, tanh
from micrograd.compiler import TraceError, compile  # noqa: A004
from tests.compiler.conftest import QUICK
from tests.compiler.test_derivatives import assert_close, sample

X = np.array([[0.5, -1.5], [1.0, 0.25], [-2.0, 3.0]])


def power_sum(x, n, *, shift=0.0):
    return sum(x[i % len(x)] ** i for i in range(n)) + shift


# ------------------------------------------------------------------------------- static arguments


def test_a_static_argument_stays_what_it_is_and_has_a_program_for_each_value():
    seen = []

    def f(x, n, mode="plain"):
        seen.append((n, type(n), mode))
        return x**n if mode == "plain" else x * n

    program = compile(f, backend="numpy", static=("n", "mode"))
    assert program(3.0, 2) == 9.0
    assert program(3.0, n=2) == 9.0
    assert program(3.0, 2, "times") == program(3.0, 2, mode="times") == 6.0
    assert program(3.0, 2.0) == 9.0
    assert program(3.0, True) == 3.0
    assert set(seen) == {
        (2, int, "plain"),
        (2, int, "times"),
        (2.0, float, "plain"),
        (True, bool, "plain"),
    }
    assert program(3.0, mode="times", n=2) == 6.0
    traced = len(seen)
    for _ in range(3):
        program(4.0, 2)
        program(4.0, mode="times", n=2)
    assert len(seen) == traced


def test_static_arguments_that_are_equal_but_not_identical_have_separate_programs():
    program = compile(lambda x, n: x * 0 + math.copysign(1.0, n), backend="numpy", static="n")
    assert [program(1.0, n) for n in (0.0, -0.0, 0.0)] == [1.0, -1.0, 1.0]
    kinds = compile(
        lambda x, held: x * 0 + [bool, int, float].index(type(next(iter(held[0])))),
        backend="numpy",
        static="held",
    )
    for kind in (tuple, frozenset):
        assert [kinds(1.0, (kind([n]),)) for n in (True, 1, 1.0)] == [0.0, 1.0, 2.0]


def test_static_arguments_are_named_by_position_or_by_name():
    for static in (1, "n", [1], ("n",), -1, np.int64(1)):
        program = compile(lambda x, n: sum(x[:n]), backend="numpy", static=static)
        assert program([1.0, 2.0, 4.0], 2) == 3.0
        assert program([1.0, 2.0, 4.0], n=3) == 7.0
    program = compile(lambda *x: x[0] * len(x[1]), backend="numpy", static=1)
    assert program(2.0, "abc") == 6.0
    program = compile(lambda x, **options: x * options["n"], backend="numpy", static="n")
    assert program(2.0, n=3) == 6.0


def test_derivatives_leave_static_arguments_out():
    x = [2.0, 3.0]
    program = compile(power_sum, backend="numpy", static="n")
    value, gradient = program.value_and_grad(x, 4)
    expected = micrograd.value_and_grad(power_sum)(x, 4)
    assert_close((value, gradient), expected)
    assert_close(program.hessian(x, 4), micrograd.hessian(power_sum)(x, 4))
    assert_close(program.jacobian(x, n=4), micrograd.jacobian(power_sum)(x, 4))
    along = [1.0, 0.0]
    expected = micrograd.jvp(lambda x: power_sum(x, 4), (x,), (along,))
    assert_close(program.jvp((x, 4), (along, None)), expected)
    value, pullback = program.vjp(x, 4)
    assert pullback(2.0) == ([2 * each for each in gradient], None)
    assert program.hvp((x, 4), ([1.0, 0.0], None))[1] is None
    w = Value(2.0)
    program = compile(lambda x, n: w * x**n, [w], backend="numpy", static=1)
    value, gradient = program.value_and_grad(3.0, 2)
    assert (value, gradient.tolist()) == (18.0, [9.0])
    value, (of_x, of_w) = program.value_and_grad(3.0, 2, argnums=(0, "parameters"))
    assert (of_x, of_w.tolist()) == (pytest.approx(12.0), [9.0])


def test_a_batch_may_have_static_arguments():
    program = compile(power_sum, batched=True, backend="numpy", static=1)
    assert program(X, 4) == pytest.approx([power_sum(x, 4) for x in X])
    assert program(X, 4, shift=np.arange(3.0)) == pytest.approx(
        [power_sum(x, 4) + i for i, x in enumerate(X)]
    )


def test_wrong_static_arguments_are_refused():
    with pytest.raises(TypeError, match=r"static argument 1 must be hashable.*got list"):
        compile(lambda x, n: x, static=1)(1.0, [2])
    with pytest.raises(ValueError, match="static names 'm', but the function has no such argument"):
        compile(lambda x, n: x, static="m")
    with pytest.raises(ValueError, match="static names argument 2, but the function has no such"):
        compile(lambda x, n: x, static=2)
    with pytest.raises(TypeError, match=r"static takes positions and names, got \[1.5\]"):
        compile(lambda x, n: x, static=[1.5])
    with pytest.raises(TraceError, match=r"name the argument as a static one"):
        compile(lambda x, n: sum(x[:n]))([1.0, 2.0], 1)


def test_programs_of_static_arguments_survive_pickling():
    program = compile(power_sum, backend="numpy", static=1)
    program([2.0, 3.0], 4)
    copied = pickle.loads(pickle.dumps(program))
    assert copied([2.0, 3.0], 4) == power_sum([2.0, 3.0], 4)
    with pytest.raises(ValueError, match="compile the function again"):
        copied([2.0, 3.0], 5)


# ---------------------------------------------------------------------------- keywords and None


def test_keyword_arguments_are_arguments():
    def f(x, scale=2.0, *, shift=1.0):
        return x * scale + shift

    program = compile(f, backend="numpy")
    assert program(3.0) == 7.0
    assert program(3.0, shift=5.0) == 11.0
    assert program(3.0, scale=4.0) == program(x=3.0, scale=4.0) == 13.0
    assert program(3.0, 4.0, shift=0.0) == 12.0
    assert program.value_and_grad(3.0, scale=4.0) == (13.0, 4.0)
    assert program.jacobian(3.0, scale=4.0).tolist() == 4.0
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        program(3.0, other=1.0)


@pytest.mark.parametrize("backend", QUICK)
def test_none_is_kept_and_has_no_gradient(backend):
    def f(x, bias=None, more=None):
        score = x[0] * x[1]
        if bias is not None:
            score = score + bias
        return score if more is None or more["b"] is None else score * more["b"]

    program = compile(f, backend=backend)
    assert program([2.0, 3.0], None) == 6.0
    assert program([2.0, 3.0], 1.0, {"a": 1.0, "b": None}) == 7.0
    assert program.value_and_grad([2.0, 3.0], None) == (6.0, ([3.0, 2.0], None))
    value, gradients = program.value_and_grad([2.0, 3.0], 1.0, {"a": 1.0, "b": None})
    assert (value, gradients) == (7.0, ([3.0, 2.0], 1.0, {"a": 0.0, "b": None}))
    batched = compile(f, batched=True, backend=backend)
    more = {"a": np.ones(3), "b": None}
    for _ in range(3):
        assert batched(X, None) == pytest.approx(X[:, 0] * X[:, 1])
        assert batched(X, np.ones(3), more) == pytest.approx(X[:, 0] * X[:, 1] + 1)
        _, (of_x, of_bias, of_more) = batched.value_and_grad(X, None, more)
        assert of_x == pytest.approx(X[:, ::-1])
        assert of_bias is None
        assert of_more["b"] is None
    assert compile(lambda x: (x, None), backend=backend)(2.0) == (2.0, None)
    with pytest.raises(TraceError, match="is a return missing"):
        compile(lambda x: None, backend=backend)(2.0)


# ------------------------------------------------------------------------------ shared arguments


def score(w, x, b):
    return tanh(w["a"] @ x + b) * w["c"]


W = {"a": np.array([0.3, -0.7]), "c": 1.5}
B = np.array([1.0, -1.0, 0.5])


@pytest.mark.usefixtures("quick_xla")
def test_arguments_may_be_shared_by_the_batch(backend):
    program = compile(score, batched=True, backend=backend, in_axes=(None, 0, 0))
    expected = np.array([score(W, x, b) for x, b in zip(X, B, strict=True)])
    for _ in range(3):
        assert_close(program(W, X, B), expected)
    other = {"a": [1.0, 2.0], "c": 3.0}  # another structure of the shared argument
    assert_close(
        program(other, X, B), np.array([score(other, x, b) for x, b in zip(X, B, strict=True)])
    )
    values, gradients = program.value_and_grad(W, X, B)
    jacobian = program.jacobian(W, X, B)
    hessian = program.hessian(W, X, B, argnums=(0, 1))
    direction = {"a": np.array([1.0, 0.0]), "c": 2.0}, np.ones((3, 2)), np.zeros(3)
    _, tangents = program.jvp((W, X, B), direction)
    products = program.hvp((W, X, B), direction)
    _, pullback = program.vjp(W, X, B)
    pulled = pullback(np.arange(3.0))
    assert_close(values, expected)
    for i, (x, b) in enumerate(zip(X, B, strict=True)):
        _, slopes = micrograd.value_and_grad(score, (0, 1, 2))(W, x, float(b))
        assert_close(sample(gradients, i), slopes)
        assert_close(sample(jacobian, i), micrograd.jacobian(score)(W, x, float(b)))
        assert_close(sample(hessian, i), micrograd.hessian(score, (0, 1))(W, x, float(b)))
        along = direction[0], direction[1][i], 0.0
        assert_close(tangents[i], micrograd.jvp(score, (W, x, float(b)), along)[1])
        assert_close(sample(products, i), micrograd.hvp(score, (W, x, float(b)), along))
        assert_close(sample(pulled, i), micrograd.vjp(score, W, x, float(b))[1](float(i)))


def test_products_have_a_number_of_each_sample_for_each_number_of_a_shared_list():
    program = compile(
        lambda w, x: w[0] * w[0] * x + w[1], batched=True, backend="numpy", in_axes=(None, 0)
    )
    w, x = [2.0, 3.0], np.array([1.0, 2.0, 3.0])
    _, pullback = program.vjp(w, x)
    (first, second), of_x = pullback(np.array([1.0, 1.0, 10.0]))
    assert (first.tolist(), second.tolist()) == ([4.0, 8.0, 120.0], [1.0, 1.0, 10.0])
    assert of_x.tolist() == [4.0, 4.0, 40.0]
    (first, second), of_x = program.hvp((w, x), ([1.0, 0.0], np.zeros(3)))
    assert (first.tolist(), second.tolist()) == ([2.0, 4.0, 6.0], [0.0, 0.0, 0.0])
    assert of_x.tolist() == [4.0, 4.0, 4.0]


def test_what_is_shared_is_computed_once():
    program = compile(
        lambda x, w: x * sin(w) * sin(w), batched=True, backend="numpy", in_axes=(0, None)
    )
    assert program([1.0, 2.0], 0.5) == pytest.approx(np.array([1.0, 2.0]) * np.sin(0.5) ** 2)
    assert not program.program.instructions[0].varies
    assert program.program.parameters == 1


def test_with_parameters_the_gradient_of_a_shared_argument_is_that_of_the_mean():
    scale = Value(2.0)
    program = compile(
        lambda x, w: scale * sin(w * x), [scale], batched=True, backend="numpy", in_axes=(0, None)
    )
    x = np.array([0.5, 1.0, 2.0])
    value, gradient = program.value_and_grad(x, 0.7)
    assert_close(value, float((2 * np.sin(0.7 * x)).mean()))
    assert_close(gradient, np.array([np.sin(0.7 * x).mean()]))
    value, (of_scale, of_x, of_w) = program.value_and_grad(x, 0.7, argnums=("parameters", 0, 1))
    assert_close(of_scale, gradient)
    assert_close(of_x, 2 * 0.7 * np.cos(0.7 * x) / 3)
    assert_close(of_w, float((2 * x * np.cos(0.7 * x)).mean()))


def test_wrong_axes_are_refused():
    with pytest.raises(ValueError, match="in_axes needs batched=True"):
        compile(lambda x, y: x * y, in_axes=(0, None))
    with pytest.raises(ValueError, match=r"in_axes has 0 for .*, got \(0, 1\)"):
        compile(lambda x, y: x * y, batched=True, in_axes=(0, 1))
    with pytest.raises(ValueError, match=r"such as \(0, None\)"):
        compile(lambda x: x, batched=True, in_axes=None)
    program = compile(lambda x, y: x * y, batched=True, in_axes=(0, None))
    with pytest.raises(ValueError, match=r"in_axes has 2 entries, but .* called with 1 arguments"):
        program([1.0])
    program = compile(lambda x, y: x * y, batched=True, in_axes=(None, None))
    with pytest.raises(ValueError, match="needs an argument that says how many samples"):
        program(1.0, 2.0)
    with pytest.raises(ValueError, match="out= is for"):
        compile(lambda x: x).value_and_grad(1.0, argnums=0, out=np.zeros(1))


def test_compile_is_a_decorator_with_options():
    @compile(batched=True, backend="numpy")
    def square(x):
        """The square."""
        return x * x

    @compile
    def cube(x):
        return x * x * x

    assert square([1.0, 3.0]).tolist() == [1.0, 9.0]
    assert cube(2.0) == 8.0
