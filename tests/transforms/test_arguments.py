"""Arguments and results: nested structures, arrays, `argnums`, and what is refused."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

from micrograd import (
    Value,
    derivative,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    taylor,
    value_and_grad,
    vjp,
)
from tests.transforms.common import cube


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


def test_a_hessian_has_the_structure_of_the_result_and_twice_that_of_the_argument():
    def f(x):
        return {"pair": [x["a"] * x["b"][0], x["b"][1] ** 3], "square": x["a"] ** 2}

    found = hessian(f)({"a": 2.0, "b": [3.0, 5.0]})
    assert found["pair"]["a"]["b"].tolist() == [[1.0, 0.0], [0.0, 0.0]]
    assert found["pair"]["b"]["b"].tolist() == [[[0.0] * 2] * 2, [[0.0, 0.0], [0.0, 30.0]]]
    assert found["square"]["a"]["a"].tolist() == 2.0
    assert found["square"]["b"]["a"].tolist() == [0.0, 0.0]
    rows = hessian(lambda x, y: [x * y, y**2], argnums=(0, 1))(2.0, 3.0)
    assert [[block.tolist() for block in row] for row in rows] == [
        [[0.0, 0.0], [1.0, 0.0]],
        [[1.0, 0.0], [0.0, 2.0]],
    ]


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


def test_the_keys_of_a_direction_may_come_in_any_order():
    def f(p):
        return {"sum": p["w"][0] * p["b"], "last": p["w"][1]}

    p, along = {"w": [2.0, 3.0], "b": 5.0}, {"b": 1.0, "w": np.array([10.0, 100.0])}
    assert jvp(f, (p,), (along,))[1] == {"sum": 52.0, "last": 100.0}
    assert linearize(f, p)[1](along) == {"sum": 52.0, "last": 100.0}
    assert vjp(f, p)[1]({"last": 7.0, "sum": 1.0}) == ({"w": [5.0, 7.0], "b": 2.0},)
    assert hvp(lambda p: f(p)["sum"], p, along) == {"w": [1.0, 0.0], "b": 10.0}
    assert taylor(f, p, 1, direction=along)["sum"] == [10.0, 52.0]
    with pytest.raises(ValueError, match=r"tangent 0 has a different structure.*\['w', 'b'\]"):
        jvp(f, (p,), ({"w": [1.0, 2.0]},))
    with pytest.raises(ValueError, match=r"the tangents have a different structure.*1 are needed"):
        jvp(f, (p,), (along, along))


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


def test_a_value_in_place_of_a_function_is_refused_with_the_remedy():
    x = Value(2.0)
    y = x * x
    told = r"only a function can be differentiated, got Value .*; .* use derivative\(y, x\)"
    for transform in (grad, value_and_grad, jacobian, hessian):
        with pytest.raises(TypeError, match=told):
            transform(y)(2.0)
    for call in (
        lambda: jvp(y, (2.0,), (1.0,)),
        lambda: vjp(y, 2.0),
        lambda: hvp(y, 2.0, 1.0),
        lambda: linearize(y, 2.0),
        lambda: taylor(y, 2.0, 3),
    ):
        with pytest.raises(TypeError, match=told):
            call()
    with pytest.raises(TypeError, match=r"only a function can be differentiated, got float 3\.0$"):
        grad(3.0)(2.0)
    with pytest.raises(TypeError, match=r"argnums is an int .*; .* use derivative\(y, x\)"):
        grad(y, x)


def test_derivative_says_which_argument_is_no_value():
    x = Value(2.0)
    with pytest.raises(TypeError, match="got function as output; for a function, use grad"):
        derivative(lambda t: t, x)
    with pytest.raises(TypeError, match=r"got float as wrt$"):
        derivative(x * x, [x, 2.0])
