"""Gradients with respect to chosen arguments and parameters, and auxiliary results."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from micrograd import Value, derivative, exp, sin, tanh, value_and_grad
from micrograd.compiler import compile  # noqa: A004
from nn import MLP
from tests.compiler.conftest import QUICK
from tests.compiler.test_derivatives import assert_close

X = np.array([[0.5, -1.5], [1.0, 0.25], [-2.0, 3.0]])
Y = np.array([1.0, 2.0, -1.0])


@pytest.fixture
def line():
    return {"w": [Value(0.7), Value(-1.2)], "b": Value(0.3)}


def loss_of(line):
    def loss(x, y):
        score = tanh(line["w"][0] * x[0] + line["w"][1] * x[1] + line["b"])
        return (score - y) ** 2

    return loss


def numbers(line):
    return {"w": [each.data for each in line["w"]], "b": line["b"].data}


def of_line(w, b, x, y):
    return (tanh(w[0] * x[0] + w[1] * x[1] + b) - y) ** 2


# -------------------------------------------------------------------------------------- parameters


def test_the_gradient_has_the_structure_of_the_parameters(line):
    f = compile(loss_of(line), line, backend="numpy")
    value, gradient = f.value_and_grad(X[0], 1.0)
    at = numbers(line)
    expected, (w, b) = value_and_grad(of_line, (0, 1))(at["w"], at["b"], X[0], 1.0)
    assert_close(value, expected)
    assert_close(gradient, {"w": w, "b": b})


def test_structures_of_parameters_are_dicts_nested_lists_arrays_dataclasses_and_models():
    @dataclass
    class Pair:
        w: list[Value]
        b: Value

    w, b = [Value(2.0), Value(3.0)], Value(1.0)

    def f(x):
        return w[0] * x + w[1] * x * x + b

    for parameters, expected in (
        ([*w, b], np.array([2.0, 4.0, 1.0])),
        ((each for each in [*w, b]), np.array([2.0, 4.0, 1.0])),
        (np.array([*w, b]), np.array([2.0, 4.0, 1.0])),
        ([w, b], [[2.0, 4.0], 1.0]),
        ((b, {"w": w}), (1.0, {"w": [2.0, 4.0]})),
        (np.array([w]), np.array([[2.0, 4.0]])),
        ({}, None),
    ):
        program = compile(f, parameters, backend="numpy")
        _, gradient = program.value_and_grad(2.0)
        if expected is None:
            assert gradient == 2.0 + 2 * 3.0 * 2.0  # no parameters: with respect to x
        else:
            assert_close(gradient, expected)
            assert type(gradient) is type(expected)
    _, gradient = compile(f, Pair(w, b), backend="numpy").value_and_grad(2.0)
    assert gradient == Pair([2.0, 4.0], 1.0)
    model = MLP(2, [2, 1])
    _, by_name = compile(lambda x: model(x), model, backend="numpy").value_and_grad([1.0, 2.0])
    _, flat = compile(lambda x: model(x), model.parameters(), backend="numpy").value_and_grad(
        [1.0, 2.0]
    )
    assert [*by_name] == [*model.state_dict()]
    assert [*by_name.values()] == flat.tolist()


def test_numbers_of_parameters_may_be_given_in_their_structure_or_as_an_array(line):
    f = compile(loss_of(line), line, batched=True, backend="numpy")
    other = {"b": 0.1, "w": [0.2, -0.4]}  # in another order
    flat = np.array([0.2, -0.4, 0.1])
    expected = [
        value_and_grad(of_line, (0, 1))(other["w"], other["b"], x, y)
        for x, y in zip(X, Y, strict=True)
    ]
    for given in (other, flat, flat, flat.tolist()):  # the second time by the shortcut
        value, gradient = f.value_and_grad(X, Y, parameters=given)
        assert_close(value, np.mean([each for each, _ in expected]))
        assert_close(gradient["w"], np.mean([w for _, (w, _) in expected], axis=0).tolist())
        assert_close(gradient["b"], float(np.mean([b for _, (_, b) in expected])))
    with pytest.raises(ValueError, match="parameters has a different structure"):
        f.value_and_grad(X, Y, parameters={"b": 0.1})


def test_a_parameter_that_is_not_a_value_is_named():
    with pytest.raises(TypeError, match="parameters are Values, got float at position 1"):
        compile(lambda x: x, {"a": Value(1.0), "b": 2.0})
    w = Value(1.0)
    with pytest.raises(ValueError, match="a parameter is given twice"):
        compile(lambda x: x, {"a": w, "b": [w]})


# ------------------------------------------------------------------------- arguments and parameters


@pytest.mark.usefixtures("quick_xla")
def test_gradients_of_arguments_and_parameters_come_together(backend, line):
    f = compile(loss_of(line), line, backend=backend)
    at = numbers(line)
    expected, (w, b, x) = value_and_grad(of_line, (0, 1, 2))(at["w"], at["b"], X[0], 1.0)
    value, (of_parameters, of_x) = f.value_and_grad(X[0], 1.0, argnums=("parameters", 0))
    assert_close(value, expected)
    assert_close(of_parameters, {"w": w, "b": b})
    assert_close(of_x, x)
    value, of_x = f.value_and_grad(X[0], 1.0, argnums=0)
    assert_close(value, expected)
    assert_close(of_x, x)


@pytest.mark.usefixtures("quick_xla")
def test_in_a_batch_they_are_gradients_of_the_mean_and_without_parameters_of_each_sample(
    backend, line
):
    f = compile(loss_of(line), line, batched=True, backend=backend)
    at = numbers(line)
    each = [
        value_and_grad(of_line, (0, 1, 2, 3))(at["w"], at["b"], x, y)
        for x, y in zip(X, Y, strict=True)
    ]
    values = np.array([value for value, _ in each])
    of_x = np.array([slopes[2] for _, slopes in each])
    of_y = np.array([slopes[3] for _, slopes in each])
    value, (mine, of_parameters) = f.value_and_grad(X, Y, argnums=(1, "parameters"))
    assert isinstance(value, float)
    assert_close(value, values.mean())
    assert_close(mine, of_y / 3)
    assert_close(of_parameters["b"], float(np.mean([slopes[1] for _, slopes in each])))
    value, mine = f.value_and_grad(X, Y, argnums=(0, -1))
    assert_close(value, values)
    assert_close(mine, (of_x, of_y))


def test_argnums_of_a_program_without_parameters_choose_arguments():
    f = compile(lambda x, y: sin(x) * y[0] + y[1], backend="numpy")
    assert f.value_and_grad(0.0, [2.0, 3.0], argnums=0) == (3.0, 2.0)
    assert f.value_and_grad(0.0, [2.0, 3.0], argnums=(1,)) == (3.0, ([0.0, 1.0],))
    assert f.value_and_grad(0.0, [2.0, 3.0], argnums=(1, 0)) == (3.0, ([0.0, 1.0], 2.0))
    with pytest.raises(ValueError, match="compiled without parameters"):
        f.value_and_grad(0.0, [2.0, 3.0], argnums="parameters")
    with pytest.raises(TypeError, match="argnums takes ints and 'parameters', got 'w'"):
        f.value_and_grad(0.0, [2.0, 3.0], argnums="w")
    with pytest.raises(ValueError, match="called with 2 arguments"):
        f.value_and_grad(0.0, [2.0, 3.0], argnums=2)


def test_jacobians_and_hessians_may_be_with_respect_to_parameters(line):
    def scores(x):
        return [line["w"][0] * x[0], exp(line["b"]) * line["w"][1] * x[1]]

    at = numbers(line)
    f = compile(scores, line, backend="numpy")
    jacobian = f.jacobian([2.0, 3.0], argnums="parameters")
    e, w = np.exp(at["b"]), np.array([[2.0, 0.0], [0.0, 3 * np.exp(at["b"])]])
    assert_close(jacobian, {"w": w, "b": np.array([0.0, 3 * e * at["w"][1]])})
    flat = [*line["w"], line["b"]]
    f = compile(loss_of(line), flat, batched=True, backend="numpy")
    hessian, mixed = f.hessian(X, Y, argnums=("parameters", 1))[0]
    x, y = X[1], Y[1]
    loss = loss_of(line)([*map(Value, x)], of_y := Value(y))
    slopes = derivative(loss, flat)
    assert_close(hessian[1], np.array([[v.data for v in derivative(s, flat)] for s in slopes]))
    assert_close(mixed[1], np.array([derivative(s, of_y).data for s in slopes]))


# -------------------------------------------------------------------------------- auxiliary results


@pytest.mark.usefixtures("quick_xla")
def test_auxiliary_results_are_returned_beside_the_value(backend):
    def f(x, y):
        score = sin(x[0]) * y
        return score * score, {"score": score, "inputs": [x[1], 7.0]}

    value, gradients = compile(f, backend=backend).value_and_grad([0.5, 2.0], 3.0, has_aux=True)
    expected, expected_gradients = value_and_grad(f, (0, 1), has_aux=True)([0.5, 2.0], 3.0)
    assert_close(value, expected)
    assert_close(gradients, expected_gradients)
    batched = compile(f, batched=True, backend=backend)
    (values, aux), gradient = batched.value_and_grad(X, Y, argnums=0, has_aux=True)
    for i in range(3):
        (expected, extra), slopes = value_and_grad(f, has_aux=True)(X[i], Y[i])
        assert_close(values[i], expected)
        assert_close(aux["score"][i], extra["score"])
        assert [each[i] for each in aux["inputs"]] == [X[i, 1], 7.0]
        assert_close(gradient[i], slopes)


def test_with_parameters_the_auxiliary_results_are_those_of_each_sample(line):
    f = compile(lambda x, y: (loss_of(line)(x, y), y * 2), line, batched=True, backend="numpy")
    (mean, aux), gradient = f.value_and_grad(X, Y, has_aux=True)
    expected, expected_gradient = compile(loss_of(line), line, batched=True).value_and_grad(X, Y)
    assert_close(mean, expected)
    assert aux.tolist() == (2 * Y).tolist()
    assert_close(gradient, expected_gradient)
    with pytest.raises(TypeError, match="has_aux=True: the function returns a pair"):
        compile(lambda x: x, backend="numpy").value_and_grad(1.0, has_aux=True)


def test_the_structure_of_parameters_survives_pickling(line):
    f = compile(loss_of(line), line, backend="numpy")
    before = f.value_and_grad(X[0], 1.0), f.value_and_grad(X[0], 1.0, argnums=0)
    copied = pickle.loads(pickle.dumps(f))
    assert copied.value_and_grad(X[0], 1.0)[1] == before[0][1]
    assert_close(copied.value_and_grad(X[0], 1.0, argnums=0), before[1])


@pytest.mark.parametrize("backend", QUICK)
def test_repeated_calls_give_the_same_numbers(backend, line):
    for batched in (True, False):
        f = compile(loss_of(line), line, batched=batched, backend=backend)
        at = (X, Y) if batched else (X[0], 1.0)
        calls = [f.value_and_grad(*at, argnums=("parameters", 0, 1)) for _ in range(4)]
        for found in calls[1:]:
            assert_close(found, calls[0], 0.0)
        line["b"].data += 1
        assert_close(
            f.value_and_grad(*at, argnums=("parameters", 0, 1)),
            compile(loss_of(line), line, batched=batched, backend="reference").value_and_grad(
                *at, argnums=("parameters", 0, 1)
            ),
        )
        jacobians = [f.jacobian(*at) for _ in range(4)]
        for found in jacobians[1:]:
            assert_close(found, jacobians[0], 0.0)
