"""Operations that users define by functions."""

import math

import numpy as np
import pytest

from micrograd import (
    Value,
    compile,  # noqa: A004
    define,
    derivative,
    detect_anomaly,
    draw_dot,
    explain,
    grad,
    hessian,
    repeat,
    sin,
    tanh,
    value_and_grad,
)
from micrograd.testing import check_gradients


@pytest.fixture
def bessel():
    special = pytest.importorskip("scipy.special")
    j0 = define("j0", special.j0, [lambda x: -j1(x)])
    j1 = define("j1", special.j1, [lambda x: j0(x) - j1(x) / x])
    return j0, j1, special


def test_functions_that_are_each_others_derivatives_are_right_in_every_order(bessel):
    j0, _, special = bessel
    x = Value(2.0)
    y = j0(x) * 3
    y.backward()
    assert x.grad == pytest.approx(-3 * special.j1(2.0), rel=1e-15)
    second = -(special.j0(2.0) - special.j1(2.0) / 2)
    assert grad(grad(j0))(2.0) == pytest.approx(second, rel=1e-15)
    assert check_gradients(lambda x: j0(x * x) * x, 1.3, order=3)
    assert "j1(2)" in explain(y, x).text()
    assert "j0" in draw_dot(y).source


def test_a_ufunc_is_compiled_on_numpy_and_refused_elsewhere_with_the_reason(bessel):
    j0, _, special = bessel
    program = compile(lambda x: j0(x * x), batched=True, backend="numpy")
    x = np.array([1.0, 2.0])
    values, slopes = program.value_and_grad(x)
    np.testing.assert_allclose(values, special.j0(x * x))
    np.testing.assert_allclose(slopes, -special.j1(x * x) * 2 * x)
    for backend, library in (("numba", "llvmlite"), ("jax", "jax")):
        pytest.importorskip(library)
        with pytest.raises(NotImplementedError, match="'j0' is defined by a function on floats"):
            compile(lambda x: j0(x), backend=backend)(2.0)
    assert compile(lambda x: j0(x))(2.0) == special.j0(2.0)


@pytest.mark.exhaustive
def test_an_operation_of_many_operands_is_refused_by_jax_also_in_a_long_function():
    pytest.importorskip("jax", reason="pip install jax to run programs on it")

    def dot(a, b, c, d):
        return a * b + c * d

    partials = [lambda a, b, c, d: b, lambda a, b, c, d: a]
    partials += [lambda a, b, c, d: d, lambda a, b, c, d: c]
    dot4 = define("dot_of_four", dot, partials, array=dot)

    def f(x):
        y = x
        for _ in range(300):
            y = tanh(dot4(y, x, 0.3, y))
        return y

    with pytest.raises(NotImplementedError, match="'dot_of_four' is defined by a function"):
        compile(f, backend="jax")(0.5)


def test_a_function_of_floats_needs_one_of_arrays_to_be_compiled():
    gamma = define("log_gamma_t", math.lgamma, ["digamma"])
    assert gamma(5.0) == math.lgamma(5.0)
    assert grad(gamma)(3.0) == pytest.approx(0.9227843350984671)
    assert gamma(-1.0) != gamma(-1.0)  # math.lgamma raises there, and there is no float
    inverse = define("inverse_t", lambda x: 1 / x, [lambda x: -1 / (x * x)])
    assert inverse(0.0) != inverse(0.0)
    assert inverse(Value(0.0)).data != inverse(Value(0.0)).data
    with pytest.raises(NotImplementedError, match=r"give define\(…, array=f\)"):
        compile(lambda x: gamma(x), backend="numpy")(2.0)
    gamma = define("log_gamma_t", math.lgamma, ["digamma"], array=np.vectorize(math.lgamma))
    assert compile(lambda x: gamma(x), backend="numpy")(5.0) == pytest.approx(math.lgamma(5.0))


def test_an_operation_may_have_any_number_of_operands():
    f = define("cross_t", lambda a, b, c, d: a * b + c * d, ["y", "x", lambda x, y, z, u: u, "z"])
    values = [Value(float(i)) for i in (1, 2, 3, 4)]
    out = f(*values)
    out.backward()
    assert out.data == 14.0
    assert [value.grad for value in values] == [2.0, 1.0, 4.0, 3.0]
    assert values[0].cross_t(*values[1:]).data == 14.0
    (slope,) = derivative(out, [values[0]])
    assert derivative(slope, values[1]).data == 1.0
    with pytest.raises(TypeError, match="cross_t takes 4 operands, got 1"):
        f(1.0)


def product_and_sum(count):
    """The product of all operands plus their sum, as an operation of this name."""

    def f(*xs):
        return math.prod(xs) + sum(xs)

    def partial(i):
        return lambda *xs: math.prod(xs[:i] + xs[i + 1 :]) + 1.0

    return define(f"of_{count}_t", f, [partial(i) for i in range(count)], array=f)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 9, 18])
def test_an_operation_of_any_number_of_operands_is_compiled_on_numpy(count):
    op = product_and_sum(count)
    at = [0.5 + 0.5 * i / count for i in range(count)]

    def chain(xs, steps):
        first, *others = xs
        for _ in range(steps):  # many narrow steps, which become a tape
            first = sin(op(first, *others)) + first
        return first

    def loop(xs):
        return repeat(lambda state: 0.1 * op(state, *xs[1:]), xs[0], 5)

    fs = [lambda xs: op(*xs) * sin(xs[0]), lambda xs: chain(xs, 30), loop]
    for f in fs[: 3 if count <= 6 else 2]:
        value, slopes = value_and_grad(f)(at)
        for batched in (False, True):
            program = compile(f, backend="numpy", batched=batched)
            found, gradient = program.value_and_grad([at, at] if batched else at)
            # Each of 30 steps adds a few roundings, which the steps after it enlarge.
            np.testing.assert_allclose(found, [value] * 2 if batched else value, rtol=1e-11)
            np.testing.assert_allclose(gradient, [slopes] * 2 if batched else slopes, rtol=1e-11)
    if count <= 6:
        found = compile(fs[0], backend="numpy").hessian(at)
        np.testing.assert_allclose(found, hessian(fs[0])(at), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("backend", "library"), [("numba", "llvmlite"), ("jax", "jax")])
def test_an_operation_of_many_operands_is_refused_where_functions_cannot_be_called(
    backend, library
):
    pytest.importorskip(library)
    for count in (4, 6):
        op = product_and_sum(count)
        with pytest.raises(NotImplementedError, match=f"'of_{count}_t' is defined by a function"):
            compile(lambda xs, op=op: op(*xs), backend=backend)([1.0] * count)
        assert compile(lambda xs, op=op: op(*xs))([1.0] * count) == count + 1


def test_partials_of_a_formula_may_be_functions():
    cube = define("cube_f", "x * x * x", [lambda x: 3 * x**2])
    assert grad(grad(cube))(2.0) == 12.0
    assert compile(lambda x: cube(x), backend="numpy").value_and_grad(2.0) == (8.0, 12.0)


@pytest.mark.parametrize(
    ("partial", "reason"),
    [
        (lambda x: x.data, "reads the number"),
        (lambda x: x if x > 0 else -x, "branches on a comparison"),
        (lambda x: "x", "takes a real number, got str"),
        (lambda: 1.0, "a function of 1 Values"),
    ],
)
def test_a_partial_that_is_no_formula_is_refused(partial, reason):
    with pytest.raises(ValueError, match=reason):
        define("wrong_f", "x * x", [partial])
    f = define("late_f", math.cosh, [partial])
    with pytest.raises(ValueError, match=f"partial for x: .*{reason}"):
        f(Value(1.0))


def test_what_is_no_list_of_partials_is_refused():
    for wrong in ("x", [], [3.0]):
        with pytest.raises(ValueError, match="operation 'wrong_f'"):
            define("wrong_f", math.cosh, wrong)
    with pytest.raises(TypeError, match="array= is for functions"):
        define("wrong_f", "x", ["1"], array=np.cosh)


def test_where_a_function_raises_detect_anomaly_names_the_operation():
    pole = define("test_pole", lambda x: 1 / (x - 1), ["-out * out"])
    large = define("test_large", lambda x: math.exp(x), ["out"])
    assert math.isnan(pole(Value(1.0)).data)
    assert large(Value(1e4)).data == math.inf
    for operation, x in ((pole, 1.0), (large, 1e4)):
        with detect_anomaly(), pytest.raises(ArithmeticError, match=r"test_(pole|large)"):
            operation(Value(x))
