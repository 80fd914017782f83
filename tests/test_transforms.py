"""Functions into functions: reverse and forward mode, nested to any order, and no side effects."""

from __future__ import annotations

import math
import pickle
import random
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from micrograd import (
    Value,
    acos,
    atan,
    cos,
    derivative,
    exp,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    log,
    maximum,
    relu,
    sin,
    sqrt,
    tanh,
    value_and_grad,
    vjp,
    where,
)
from micrograd.engine.definitions import VOCABULARY
from micrograd.ops import ROWS, TABLE
from micrograd.transforms.runs import _running
from tests.numeric import difference, is_smooth, slope

SMOOTH = [TABLE[row.name] for row in ROWS if row.domain != "0"]
UNIT = 2**16
numbers = st.just(0.0) | st.integers(-4 * UNIT, 4 * UNIT).map(lambda k: k / UNIT)
filtered = settings(max_examples=20, suppress_health_check=[HealthCheck.filter_too_much])


def every_row():
    return pytest.mark.parametrize("row", SMOOTH, ids=lambda row: row.name)


def rosenbrock(x):
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


# -------------------------------------------------------------------------------------- derivatives


@every_row()
@filtered
@given(data=st.data())
def test_reverse_and_forward_mode_give_the_partials_of_every_row_to_the_bit(row, data):
    point = data.draw(st.tuples(*[numbers] * row.arity))
    assume(is_smooth(row, point))
    function = VOCABULARY[row.name]
    value, gradient = value_and_grad(function, argnums=tuple(range(row.arity)))(*point)
    assert value == row.value(*point)
    for i in range(row.arity):
        direction = tuple(float(i == j) for j in range(row.arity))
        assert gradient[i] == slope(row, i, point) == jvp(function, point, direction)[1]


@every_row()
@filtered
@given(data=st.data())
def test_second_derivatives_of_every_row_agree_with_numeric_differentiation(row, data):
    point = data.draw(st.tuples(*[numbers] * row.arity))
    assume(is_smooth(row, point))
    function = VOCABULARY[row.name]
    for i in range(row.arity):
        first = grad(function, argnums=i)
        for j in range(row.arity):
            expected, bound = difference(lambda *p, i=i: slope(row, i, p), point, j)
            reverse = grad(first, argnums=j)(*point)
            direction = tuple(float(j == k) for k in range(row.arity))
            forward = jvp(first, point, direction)[1]
            assert abs(reverse - expected) <= bound
            assert abs(forward - expected) <= bound


def test_derivatives_nest_to_any_order():
    f = lambda x: x**7  # noqa: E731
    expected = 1.0
    for order in range(1, 8):
        f = grad(f)
        expected *= 8 - order
        assert f(1.5) == pytest.approx(expected * 1.5 ** (7 - order), rel=1e-14)
    assert grad(f)(1.5) == 0.0


def test_the_derivatives_of_sine_come_round_after_four():
    f = sin
    for expected in (math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x), math.sin):
        f = grad(f)
        assert f(0.7) == pytest.approx(expected(0.7), rel=1e-15)


def test_a_derivative_that_is_zero_at_the_point_still_has_derivatives():
    assert [f(0.0) for f in (grad(cube), grad(grad(cube)), grad(grad(grad(cube))))] == [0, 0, 6]


def cube(x):
    return x * x * x


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=5), st.data())
@settings(max_examples=40)
def test_a_hessian_times_a_vector_is_what_hvp_gives(x, data):
    vector = data.draw(st.lists(st.floats(-2, 2), min_size=len(x), max_size=len(x)))
    matrix = hessian(rosenbrock)(x)
    assert matrix.shape == (len(x), len(x))
    # every entry is a sum of at most 8 products below 1e5, each rounded a few times
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-9)
    np.testing.assert_allclose(hvp(rosenbrock, x, vector), matrix @ vector, atol=1e-9)


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3))
@settings(max_examples=40)
def test_the_jacobian_is_the_same_by_rows_and_by_columns(x):
    def wide(x):
        return [x[0] * x[1], sin(x[2])]

    def tall(x):
        return [x[0] * x[1], sin(x[2]), x[0] + x[2], exp(x[1])]

    by_rows, by_columns = jacobian(wide)(x), jacobian(tall)(x)
    assert by_rows.shape == (2, 3)
    assert by_columns.shape == (4, 3)
    np.testing.assert_array_equal(by_rows, by_columns[:2])
    for i in range(4):
        np.testing.assert_array_equal(by_columns[i], grad(lambda x, i=i: tall(x)[i])(x))


def test_vjp_and_jvp_are_transposed():
    def f(x, y):
        return {"a": [x * y, sin(x)], "b": y / x}

    value, pullback = vjp(f, 2.0, 3.0)
    assert value == {"a": [6.0, math.sin(2.0)], "b": 1.5}
    tangents = (0.25, -0.5)
    again, pushed = jvp(f, (2.0, 3.0), tangents)
    assert again == value
    cotangent = {"a": [1.0, 2.0], "b": -4.0}
    pulled = pullback(cotangent)
    left = pushed["a"][0] + 2 * pushed["a"][1] - 4 * pushed["b"]
    assert left == pytest.approx(pulled[0] * 0.25 + pulled[1] * -0.5, rel=1e-15)
    assert pullback({"a": [0.0, 0.0], "b": 0.0}) == (0.0, 0.0)


# ------------------------------------------------------------------------- no confusion, no effects


def test_the_classic_program_with_a_constant_inner_function_gives_zero():
    assert grad(lambda x: x * grad(lambda y: x)(2.0))(1.0) == 0.0


def test_an_inner_derivative_does_not_see_the_outer_variable():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(3.0))(5.0) == 10.0
    # the inner point is the outer variable itself: d/dx of x * (d/dy x*y at y = x) is 2x
    assert grad(lambda x: x * grad(lambda y: x * y)(x))(5.0) == 10.0
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(5.0) == 20.0


@pytest.mark.parametrize("outer", ["reverse", "forward"])
@pytest.mark.parametrize("inner", ["reverse", "forward"])
def test_modes_nest_in_each_other(outer, inner):
    def by(mode, f):
        return grad(f) if mode == "reverse" else lambda x: jvp(f, (x,), (1.0,))[1]

    g = by(outer, lambda x: x * by(inner, lambda y: sin(x * y) * x)(x))
    x = 0.7
    # x * d/dy [x sin(x y)] at y = x is x³ cos(x²)
    assert g(x) == pytest.approx(3 * x**2 * math.cos(x * x) - 2 * x**4 * math.sin(x * x), rel=1e-14)


def test_no_gradient_of_any_value_is_touched():
    w = Value(3.0)
    w.grad = 17.0
    h = w * w
    h.grad = 5.0
    for transform in (grad, value_and_grad, jacobian, hessian):
        transform(lambda x: x * h + w)(2.0)
    jvp(lambda x: x * h, (2.0,), (1.0,))
    hvp(lambda x: x * x * h, 2.0, 1.0)
    vjp(lambda x: x * h, 2.0)[1](1.0)
    derivative(h * w, w)
    assert (w.grad, h.grad, w.data, h.data) == (17.0, 5.0, 3.0, 9.0)


def test_values_that_the_function_closes_over_are_constants():
    w = Value(3.0)
    assert grad(lambda x: x * w)(2.0) == 3.0


def test_an_argument_that_is_a_value_gives_a_value_to_be_differentiated_again():
    x = Value(2.0)
    slope = grad(lambda t: t**3)(x)
    assert isinstance(slope, Value)
    slope.backward()
    assert (slope.data, x.grad) == (12.0, 12.0)


def test_an_error_in_the_function_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError):
        grad(lambda x: 1 // 0)(1.0)
    assert _running.depth == 0
    assert grad(cube)(2.0) == 12.0


@pytest.mark.parametrize(
    "inner",
    [
        lambda f: grad(f)(2.0),
        lambda f: value_and_grad(f)(2.0)[1],
        lambda f: jvp(f, (2.0,), (1.0,))[1],
        lambda f: vjp(f, 2.0)[1](1.0)[0],
        lambda f: hvp(lambda y: f(y) * y, 2.0, 0.25),  # of x * y**3: 6 * x * y / 4
        lambda f: jacobian(f)(2.0),
        lambda f: hessian(lambda y: f(y) * y)(2.0) / 3,
    ],
    ids=["grad", "value_and_grad", "jvp", "vjp", "hvp", "jacobian", "hessian"],
)
def test_an_inner_transform_in_another_thread_sees_the_variables_around_it(inner):
    def product(x):
        return pool.submit(lambda: number(inner(lambda y: x * y * y))).result()

    def number(found):
        return found.item() if hasattr(found, "item") else found

    expected = inner(lambda y: 1.0 * y * y)
    with ThreadPoolExecutor(1) as pool:
        for found, factor in (
            (grad(product)(3.0), 1),
            (jvp(product, (3.0,), (1.0,))[1], 1),
            (grad(lambda x: product(x) * x)(3.0), 6),
            (hessian(lambda x: product(x) * x)(3.0), 2),
        ):
            assert found == pytest.approx(factor * expected, rel=1e-15)  # of a few roundings


def test_an_inner_transform_that_uses_no_variable_around_it_gives_plain_numbers():
    with ThreadPoolExecutor(1) as pool:
        found = []
        grad(lambda x: found.append(pool.submit(grad(sin), 0.0).result()) or x)(1.0)
        assert found == [1.0]
    kept = []
    grad(lambda x: kept.append(x) or x * x)(2.0)
    assert type(grad(lambda y: kept[0] * y)(3.0)) is float, "the run of that variable is over"


def test_threads_do_not_see_each_others_transforms():
    seen = []

    def work():
        seen.append([type(grad(cube)(2.0)) for _ in range(200)])

    def outer(x):
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return x

    grad(outer)(1.0)
    assert all(kind is float for kinds in seen for kind in kinds)
    assert len(seen) == 3


# ---------------------------------------------------------------------------------------- structure


def test_the_gradient_has_the_structure_of_the_argument():
    Point = namedtuple("Point", "x y")

    def f(tree):
        return tree["p"].x * tree["q"][0][1] + tree["p"].y ** 2

    at = {"p": Point(2.0, 3.0), "q": ([4, 5.0],), "unused": []}
    assert grad(f)(at) == {"p": Point(5.0, 6.0), "q": ([0.0, 2.0],), "unused": []}


def test_arrays_of_numbers_give_arrays():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    gradient = grad(lambda a: (a * a).sum())(x)
    assert gradient.dtype == float
    np.testing.assert_array_equal(gradient, 2 * x)
    np.testing.assert_array_equal(grad(lambda a: np.exp(a).sum())(x), np.exp(x))
    assert jacobian(lambda a: a @ a)(x).shape == (2, 2, 2, 2)
    assert hessian(lambda a: (a**3).sum())(x[0]).tolist() == [[6.0, 0.0], [0.0, 12.0]]


@pytest.mark.parametrize("wrong", [(0, 0), (0, -2), [1, 1], (-1, 1)])
def test_an_argument_that_is_named_twice_is_refused(wrong):
    for transform in (grad, value_and_grad, jacobian, hessian):
        with pytest.raises(ValueError, match=r"argument [01] twice"):
            transform(lambda x, y: x * y, argnums=wrong)(2.0, 3.0)


@pytest.mark.parametrize("wrong", [True, "0", 1.0, (0, 1.0), None, [[0]]], ids=repr)
def test_argnums_that_are_no_numbers_of_arguments_are_refused(wrong):
    for transform in (grad, value_and_grad, jacobian, hessian):
        with pytest.raises(TypeError, match=r"argnums is an int or a sequence of ints, got"):
            transform(lambda x, y: x * y, argnums=wrong)


@pytest.mark.parametrize(
    "numbers", [range(2), [0, 1], np.array([0, 1]), (np.int64(0), np.int8(-1)), iter((0, 1))]
)
def test_any_sequence_of_integers_serves_as_argnums(numbers):
    gradient = grad(lambda x, y: x * y, argnums=numbers)
    assert gradient(2.0, 3.0) == gradient(2.0, 3.0) == (3.0, 2.0)
    for single in (np.int64(1), np.array(1), -1):
        assert grad(lambda x, y: x * y, argnums=single)(2.0, 3.0) == 2.0


def test_jacobian_and_hessian_of_several_arguments_have_a_block_for_each():
    def f(x, y):
        return [x[0] * y, x[1] * y * y, x[0]]

    by_x, by_y = jacobian(f, argnums=(0, 1))([2.0, 3.0], 5.0)
    assert by_x.tolist() == [[5.0, 0.0], [0.0, 25.0], [1.0, 0.0]]
    assert by_y.tolist() == [2.0, 30.0, 0.0]
    (again,) = jacobian(f, argnums=[1])([2.0, 3.0], 5.0)
    assert again.tolist() == by_y.tolist()

    def g(x, y):
        return x[0] * x[0] * y + x[1] * y * y

    rows = hessian(g, argnums=(0, 1))([2.0, 3.0], 5.0)
    assert [[block.tolist() for block in row] for row in rows] == [
        [[[10.0, 0.0], [0.0, 0.0]], [4.0, 10.0]],
        [[4.0, 10.0], 6.0],
    ]
    assert hessian(g, argnums=1)([2.0, 3.0], 5.0).tolist() == 6.0
    assert hessian(g, argnums=(1, 0))([2.0, 3.0], 5.0)[0][1].tolist() == [4.0, 10.0]


def test_argnums_choose_the_arguments():
    def f(x, y, z):
        return x * y**z

    assert grad(f, 1)(2.0, 3.0, 2) == 12.0
    assert grad(f, argnums=(1, 0))(2.0, 3.0, 2) == (12.0, 9.0)
    assert grad(f, argnums=-2)(2.0, 3.0, 2) == 12.0
    assert grad(lambda x, *, k: k * x)(2.0, k=3.0) == 3.0
    with pytest.raises(ValueError, match="argnums 3"):
        grad(f, 3)(1.0, 2.0, 3.0)


def test_scalar_functions_have_scalar_derivative_arrays():
    assert float(hessian(cube)(2.0)) == 12.0
    assert jacobian(cube)(2.0).shape == ()
    assert jacobian(lambda x: [x, 2 * x])(1.0).tolist() == [1.0, 2.0]
    assert jacobian(lambda x: x[0] * x[1])([2.0, 3.0]).tolist() == [3.0, 2.0]


def test_what_a_result_does_not_depend_on_has_the_derivative_zero():
    assert grad(lambda x: 5.0)(1.0) == 0.0
    assert grad(lambda x, y: x)(1.0, 2.0) == 1.0
    assert grad(lambda x, y: x, argnums=1)(1.0, 2.0) == 0.0
    assert grad(lambda x: x.detach() * 3 if isinstance(x, Value) else x)(1.0) == 0.0
    assert jvp(lambda x: 7, (1.0,), (1.0,)) == (7.0, 0.0)
    assert vjp(lambda x: 7, 1.0)[1](1.0) == (0.0,)
    assert jacobian(lambda x: [1.0, 2])([1.0, 2.0, 3.0]).tolist() == [[0.0] * 3] * 2
    assert hessian(lambda x: 2 * x[0] + x[1])([1.0, 2.0]).tolist() == [[0.0] * 2] * 2
    assert grad(grad(lambda x: 3 * x))(1.0) == 0.0
    assert hvp(lambda x: 3 * x, 1.0, 1.0) == 0.0


def test_hvp_takes_a_tuple_of_arguments_or_one_argument():
    assert hvp(lambda x: x**3, 2.0, 1.0) == 12.0
    assert hvp(lambda x, y: x**2 * y, (1.0, 2.0), (1.0, 0.0)) == (4.0, 2.0)


def test_derivatives_of_values_keep_the_structure_and_count_inner_values_as_variables():
    x = Value(3.0)
    h = x * x
    y = h * x
    result = derivative(y, {"x": x, "h": [h], "other": Value(1.0)})
    assert list(result) == ["x", "h", "other"]
    assert [result["x"].data, result["h"][0].data, result["other"].data] == [27.0, 3.0, 0.0]
    assert derivative(derivative(y, x), x).data == 18.0
    assert x.grad == 0


# ------------------------------------------------------------------------- kinks, infinities, depth


def test_a_constant_zero_gives_infinities_not_errors():
    x = Value(2.0)
    assert derivative(x / 0.0, x).data == math.inf
    assert derivative(0.0 / x, x).data == 0.0
    assert derivative(x**-1.0 / 0.0 - x / 0.0, x).data == -math.inf
    assert grad(grad(lambda x: x / 0))(1.0) == 0.0


def test_conventions_at_kinks_are_those_of_backward():
    assert grad(relu)(0.0) == 0.0
    assert grad(abs)(0.0) == 0.0
    assert grad(maximum, argnums=(0, 1))(1.0, 1.0) == (0.5, 0.5)
    assert grad(grad(relu))(1.0) == 0.0


def test_an_adjoint_of_zero_stops_also_when_it_may_be_differentiated_again():
    def f(x):
        return where(x > 0, log(x), 0 * x) + 0 * sqrt(x)

    assert grad(f)(0.0) == 0.0
    assert grad(lambda x: grad(f)(x) + x)(0.0) == 1.0


@pytest.mark.parametrize("depth", [100_000])
def test_deep_functions_are_differentiated_in_both_modes(depth):
    def f(x):
        y = x
        for _ in range(depth):
            y = y * 0.99999 + 0.00001
        return y

    expected = 0.99999**depth
    assert grad(f)(0.5) == pytest.approx(expected, rel=1e-10)
    assert jvp(f, (0.5,), (1.0,))[1] == pytest.approx(expected, rel=1e-10)
    assert grad(grad(lambda x: f(x) ** 2))(0.5) == pytest.approx(2 * expected**2, rel=1e-9)


def test_a_hessian_vector_product_makes_a_small_multiple_of_the_operations_of_a_function():
    """Counted rather than timed: the values that exist after each."""
    from micrograd.engine.graph import order

    rng = random.Random(0)
    x = [Value(rng.uniform(-1, 1)) for _ in range(20)]
    y = rosenbrock(x)
    again = derivative(y, x)
    assert len(order(again)) < 8 * len(order(y))


MEETINGS = {
    "sqrt(x)**2": (lambda x: sqrt(x) ** 2, 0.0),
    "sqrt(x**2)": (lambda x: sqrt(x * x), 0.0),
    "1/(1/x)": (lambda x: 1 / (1 / x), 0.0),
    "tanh(log(x))": (lambda x: tanh(log(x)), 0.0),
    "acos(cos(x))": (lambda x: acos(cos(x)), 0.0),
    "atan(exp(x))": (lambda x: atan(exp(x)), 1000.0),
    "atan(2*exp(x))": (lambda x: atan(2 * exp(x)), 1000.0),
    "atan(exp(x) + 1)": (lambda x: atan(exp(x) + 1), 1000.0),
    "atan(relu(exp(x)))": (lambda x: atan(relu(exp(x))), 1000.0),
    "log(0*x + exp(x))": (lambda x: log(0 * x + 0.0 * x + exp(x)), -800.0),
    "0*sqrt(x)": (lambda x: 0.0 * sqrt(x), 0.0),
    "0*exp(x) + sin(x)": (lambda x: 0.0 * exp(x) + sin(x), 1000.0),
}


@pytest.mark.parametrize("name", MEETINGS)
def test_zero_times_infinity_in_the_chain_rule_is_zero_in_every_mode_and_order(name):
    f, x = MEETINGS[name]

    def forward(g):
        return lambda x: jvp(g, (x,), (1.0,))[1]

    def along(g):
        return lambda x: vjp(g, x)[1](1.0)[0]

    def of_array(g):
        return lambda x: jacobian(lambda x: [g(x), x])(x)[0]

    value = Value(x)
    f(value).backward()
    first = [t(f)(x) for t in (grad, forward, along, jacobian, of_array)] + [value.grad]
    first += [t(f)(Value(x)).data for t in (grad, forward, along)]
    assert first == [first[0]] * len(first), "the modes agree"
    assert first[0] == (math.cos(1000.0) if "sin" in name else 0.0)
    second = [outer(inner(f))(x) for outer in (grad, forward) for inner in (grad, forward, along)]
    second += [hessian(f)(x), hvp(f, x, 1.0)]
    assert second == [second[0]] * len(second), "so do their nestings"


# ------------------------------------------------------------------------------------------- errors


def test_bad_input_is_refused_with_advice():
    with pytest.raises(TypeError, match=r"one number.*jacobian"):
        grad(lambda x: [x, x])(1.0)
    with pytest.raises(TypeError, match=r"argument 0.*float"):
        grad(lambda x: x)("1.0")
    with pytest.raises(TypeError, match="forget to return"):
        grad(lambda x: None)(1.0)
    with pytest.raises(ValueError, match="structure"):
        jvp(lambda x: x[0], ([1.0, 2.0],), ([1.0],))
    with pytest.raises(TypeError, match="tuple"):
        jvp(lambda x: x, 1.0, 1.0)
    with pytest.raises(ValueError, match="structure"):
        vjp(lambda x: x, 1.0)[1]([1.0])
    with pytest.raises(TypeError, match="Values"):
        derivative(3.0, Value(1.0))
    with pytest.raises(TypeError, match="Values"):
        derivative(Value(1.0), [2.0])


def test_a_step_written_by_hand_is_refused_where_its_formula_would_be_needed():
    def f(x):
        out = Value(math.sin(x.data), (x,), "sin")
        out._backward = lambda: None
        return out

    for transform in (grad(grad(f)), hessian(f), lambda x: jvp(f, (x,), (1.0,))):
        with pytest.raises(TypeError, match=r"define.*local_grads"):
            transform(1.0)


def test_the_gradient_follows_a_step_written_by_hand():
    def f(x):
        out = Value(math.sin(x.data), (x,), "sin")

        def step():
            x.grad += math.cos(x.data) * out.grad

        out._backward = step
        return 3 * out

    assert grad(f)(1.0) == 3 * math.cos(1.0)


def test_local_gradients_given_as_numbers_are_followed_once():
    def f(x):
        return 3 * Value(math.sin(x.data), (x,), "sin", local_grads=(math.cos(x.data),))

    assert grad(f)(1.0) == 3 * math.cos(1.0) == jvp(f, (1.0,), (1.0,))[1]
    x = Value(1.0)
    slope = derivative(f(x), x)
    assert slope.data == 3 * math.cos(1.0)
    for again in (
        slope.backward,
        lambda: derivative(slope, x),
        lambda: grad(grad(f))(1.0),
        lambda: jvp(grad(f), (1.0,), (1.0,)),
        lambda: grad(lambda x: jvp(f, (x,), (1.0,))[1])(1.0),
        lambda: hessian(f)(1.0),
        lambda: hvp(f, 1.0, 1.0),
    ):
        with pytest.raises(TypeError, match=r"'sin' were given as numbers.*give functions"):
            again()


@pytest.mark.parametrize(
    "slope",
    [lambda x: math.cos(x.data), lambda x: Value(math.cos(x.data)), lambda x: 1 / (x.data - 1)],
)
def test_local_gradients_by_a_function_that_reads_numbers_are_followed_once(slope):
    def f(x):
        return Value(5.0, (x,), "sin", local_grads=[slope])

    for at in (0.0, 0.5, -2.0, 1e200):
        found = slope(Value(at))
        assert grad(f)(at) == (found.data if isinstance(found, Value) else found)
        with pytest.raises(TypeError, match=r"'sin' were given .*read \.data.*give functions"):
            grad(grad(f))(at)


def test_local_gradients_by_a_function_may_be_constant():
    w = Value(3.0)
    for local in (
        lambda x: 2.0,
        lambda x: w,
        lambda x: 1.0 if x > 0 else 0.1,
        lambda x: float(x.data >= 0),
        lambda x: math.nan,
    ):
        made = partial(lambda local, x: Value(5.0, (x,), local_grads=[local]), local)
        for at in (0.0, 1.5, -2.0, math.inf):
            assert grad(grad(made))(at) == 0.0


def test_an_inner_derivative_that_nothing_around_it_varies_needs_no_second_one():
    def f(x):
        return Value(math.sin(x.data), (x,), "sin", local_grads=(math.cos(x.data),))

    assert grad(lambda x: x * grad(f)(1.0))(2.0) == math.cos(1.0)
    assert jvp(lambda x: x * grad(f)(1.0), (2.0,), (1.0,))[1] == math.cos(1.0)


def test_local_gradients_given_as_functions_are_right_in_every_order():
    def f(x):
        return Value(math.sin(x.data), (x,), "sin", local_grads=[cos])

    def product(x, y, z):
        slopes = [lambda x, y, z: y * z, lambda x, y, z: x * z, lambda x, y, z: x * y]
        return Value(x.data * y.data * z.data, (x, y, z), "product", local_grads=slopes)

    for transform, expected in (
        (f, math.sin),
        (grad(f), math.cos),
        (grad(grad(f)), lambda x: -math.sin(x)),
        (grad(grad(grad(f))), lambda x: -math.cos(x)),
        (lambda x: jvp(grad(f), (x,), (1.0,))[1], lambda x: -math.sin(x)),
    ):
        found = transform(Value(1.0))
        assert found.data == pytest.approx(expected(1.0), rel=1e-15)
    assert hessian(lambda x: product(*x))([2.0, 3.0, 5.0]).tolist() == [
        [0.0, 5.0, 3.0],
        [5.0, 0.0, 2.0],
        [3.0, 2.0, 0.0],
    ]
    x = Value(1.0)
    copied = pickle.loads(pickle.dumps(Value(math.sin(1.0), (x,), "sin", local_grads=[cos])))
    copied.backward()
    assert copied._children[0].grad == math.cos(1.0)
    with pytest.raises(TypeError, match=r"local_grads takes a real number, got str"):
        Value(1.0, (x,), local_grads=[lambda x: "1"])
