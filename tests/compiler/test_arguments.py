"""What a compiled function takes: arguments, batches, parameters."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from micrograd import (
    Value,
    log,
    tanh,
    where,
)
from micrograd.compiler import TraceError, compile  # noqa: A004
from micrograd.compiler.calling.variants import MOST_STRUCTURES
from nn import MLP


def neuron(x, w):
    return tanh(x[0] * w["a"] + x[1] * w["b"])


# --------------------------------------------------------------------------------------- structures


def test_arguments_are_numbers_or_nested_lists_dicts_and_arrays():
    f = compile(neuron)
    w = {"a": 2.0, "b": -1.0}
    expected = math.tanh(0.5 * 2.0 - 3.0)
    for x in ([0.5, 3.0], (0.5, 3.0), np.array([0.5, 3.0])):
        assert f(x, w) == pytest.approx(expected, rel=1e-15)


def test_the_gradient_has_the_structure_of_the_arguments():
    value, (x, w) = compile(neuron).value_and_grad([0.5, 3.0], {"a": 2.0, "b": -1.0})
    slope = 1 - math.tanh(-2.0) ** 2
    assert value == pytest.approx(math.tanh(-2.0), rel=1e-15)
    assert x == pytest.approx([2 * slope, -slope], rel=1e-14)
    assert w == pytest.approx({"a": 0.5 * slope, "b": 3 * slope}, rel=1e-14)
    assert compile(lambda x: x * x).value_and_grad(3.0) == (9.0, 6.0)
    assert compile(lambda x: x[0] * x[1]).value_and_grad([3.0, 4.0]) == (12.0, [4.0, 3.0])


def test_results_may_be_nested():
    f = compile(lambda x: {"a": [x, 2 * x], "b": (x * x, 1)})
    assert f(3.0) == {"a": [3.0, 6.0], "b": (9.0, 1.0)}
    batched = compile(lambda x: [x, 2 * x, 7.0], batched=True)
    assert [each.tolist() for each in batched([1.0, 2.0])] == [[1.0, 2.0], [2.0, 4.0], [7.0, 7.0]]


def test_a_batch_is_an_array_or_a_list_of_samples():
    f = compile(neuron, batched=True)
    X = np.array([[0.5, 3.0], [1.0, -1.0], [0.0, 2.0]])
    w = {"a": np.array([1.0, 2.0, 3.0]), "b": [1.0, 0.5, -1.0]}
    expected = [neuron(x, {"a": a, "b": b}) for x, a, b in zip(X, w["a"], w["b"], strict=True)]
    assert f(X, w) == pytest.approx(expected, rel=1e-15)
    assert f(X.tolist(), w) == pytest.approx(expected, rel=1e-15)
    values, (gx, gw) = f.value_and_grad(X, w)
    assert values == pytest.approx(expected)
    assert gx.shape == (3, 2)
    assert gw["b"].shape == (3,)


def test_a_batch_may_have_one_sample_or_none():
    f = compile(lambda x: x[0] * x[1], batched=True)
    assert f(np.array([[2.0, 3.0]])).tolist() == [6.0]
    assert f(np.zeros((0, 2))).shape == (0,)
    assert f([]).shape == (0,)
    values, slopes = f.value_and_grad(np.zeros((0, 2)))
    assert values.shape == (0,)
    assert slopes.shape == (0, 2)


def test_a_new_structure_is_traced_anew_and_old_ones_are_forgotten_at_last():
    runs = []

    def total(x):
        runs.append(len(x))
        return sum(x)

    f = compile(total)
    assert f([1.0, 2.0]) == 3.0
    assert f([1.0, 2.0, 3.0]) == 6.0
    assert f([5.0, 6.0]) == 11.0
    assert runs == [2, 2, 3, 3]  # each is traced twice
    for length in range(4, 2 + MOST_STRUCTURES):
        f([1.0] * length)
    with pytest.warns(UserWarning, match="more than 16 structures of arguments") as warned:
        f([1.0] * 100)
    assert "test_arguments.py, line" in str(warned[0].message)
    f([1.0] * 101)  # warnings are errors here, so there is only one
    f([1.0, 2.0])
    assert runs[-2:] == [2, 2]


@pytest.mark.parametrize(
    ("batched", "args", "complaint"),
    [
        (False, ("3",), "argument 0 takes a real number, got str"),
        (True, (3.0,), "argument 0 is not a batch"),
        (True, ([1.0, [2.0]],), "sample 1 has a different structure from sample 0"),
        (
            True,
            ([1.0, 2.0], [1.0]),
            "lengths: [2, 1]; for an argument that all samples share, give None",
        ),
        (True, ({"a": [1.0], "b": [1.0, 2.0]},), "different lengths"),
        (True, (), "an argument that says how many samples"),
        (True, ([],), "does not say what a sample is"),
    ],
)
def test_bad_arguments_are_named(batched, args, complaint):
    f = compile(lambda *args: args[0] if args else 1.0, batched=batched)
    with pytest.raises((TypeError, ValueError), match=re.escape(complaint)):
        f(*args)


def test_the_gradient_of_samples_in_a_list_is_a_list_of_samples():
    f = compile(lambda x: x[0] * x[1], batched=True)
    samples = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert f.value_and_grad(samples)[1] == [[2.0, 1.0], [4.0, 3.0], [6.0, 5.0]]
    slopes = f.value_and_grad(np.array(samples))[1]
    assert slopes.tolist() == [[2.0, 1.0], [4.0, 3.0], [6.0, 5.0]]
    g = compile(lambda d: d["a"] * d["b"][0], batched=True)
    _, slopes = g.value_and_grad({"a": [1.0, 2.0, 3.0], "b": samples})
    assert slopes["a"].tolist() == [1.0, 3.0, 5.0]
    assert slopes["b"] == [[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]]
    _, slopes = compile(lambda x, y: 2 * x, batched=True).value_and_grad([1.0], np.zeros((1, 0)))
    assert slopes[1].shape == (1, 0)


@pytest.mark.parametrize(
    ("batch", "what"),
    [
        (np.array([1 + 2j, 1.0]), "complex128"),
        (np.array(["1.5", "2"]), "<U3"),
        (np.array([None, 1.0]), "NoneType"),
        (np.array(["2020", "2021"], "datetime64[Y]"), "datetime64"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), "masked"),
    ],
)
def test_arrays_of_anything_but_real_numbers_are_refused(backend, batch, what):
    w = Value(1.0)
    f = compile(lambda x: x * w, [w], batched=True, backend=backend)
    numbers = np.ones(1)
    for _ in range(2):  # the second call takes a shortcut
        assert f.value_and_grad(np.array([1.0, 3.0]), parameters=numbers)[0] == 2.0
    for call in (f, lambda x: f.value_and_grad(x, parameters=numbers)):
        with pytest.raises(TypeError, match=what):
            call(batch)
    for _ in range(2):
        assert f(np.array([1, 10**400], object)).tolist() == [1.0, math.inf]


def test_an_empty_dict_does_not_say_how_many_samples_there_are():
    with pytest.raises(ValueError, match=r"argument 0\['a'\] is an empty dict"):
        compile(lambda d, x: x, batched=True)({"a": {}}, np.ones(3))


@pytest.mark.slow
def test_arrays_of_jax_are_the_callers_and_hold_real_numbers():
    jnp = pytest.importorskip("jax.numpy")
    w = Value(2.0)
    _, gradient = compile(lambda x: w * x, [w], batched=True, backend="jax").value_and_grad(
        np.ones(3)
    )
    gradient *= 0.5
    assert gradient.tolist() == [0.5]
    f = compile(lambda x: x * 2, batched=True, backend="jax")
    with pytest.raises(TypeError, match="complex"):
        f(jnp.array([1 + 2j, 3j]))
    assert f(jnp.array([1.0, 2.0])).tolist() == [2.0, 4.0]


@pytest.mark.slow
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("transform", ["jit", "grad", "vmap"])
def test_a_compiled_function_inside_a_transform_of_jax_is_refused(transform, batched):
    jax = pytest.importorskip("jax")
    f = compile(lambda x: x * x, batched=batched, backend="numpy")
    x = jax.numpy.arange(4.0)
    x = x.reshape(2, 2) if batched and transform == "vmap" else x
    x = x[1] if not batched and transform != "vmap" else x
    for given in (x, x, x):  # the last one is prepared
        with pytest.raises(TypeError, match=r"argument 0 .* JAX traces .* value_and_grad"):
            getattr(jax, transform)(lambda x: jax.numpy.sum(f(x)))(given)
        f(np.ones(4) if batched else 2.0)
    w = Value(2.0)
    g = compile(lambda x: x * w, [w])
    with pytest.raises(TypeError, match=r"parameters.* JAX traces"):
        jax.grad(lambda p: g(1.0, parameters=p))(jax.numpy.ones(1))


# --------------------------------------------------------------------------------------- parameters


def test_parameters_are_read_at_each_call_or_given_as_an_array():
    w, b = Value(2.0), Value(1.0)
    f = compile(lambda x: (x * w + b) ** 2, [w, b])
    value, gradient = f.value_and_grad(3.0)
    assert (value, gradient.tolist()) == (49.0, [42.0, 14.0])
    w.data = 0.0
    assert f(3.0) == 1.0
    value, gradient = f.value_and_grad(3.0, parameters=np.array([1.0, 0.0]))
    assert (value, gradient.tolist()) == (9.0, [18.0, 6.0])
    assert f(3.0) == 1.0
    with pytest.raises(ValueError, match="an array of 2 numbers, got shape"):
        f.value_and_grad(3.0, parameters=[1.0])


def test_in_a_batch_the_loss_is_the_mean():
    w = Value(2.0)
    f = compile(lambda x, y: (x * w - y) ** 2, [w], batched=True)
    value, gradient = f.value_and_grad([1.0, 2.0], [1.0, 1.0])
    assert value == 5.0
    assert gradient.tolist() == [(2 * 1 * 1 + 2 * 3 * 2) / 2]
    assert f([1.0, 2.0], [1.0, 1.0]).tolist() == [1.0, 9.0]
    with pytest.raises(ValueError, match="mean over an empty batch"):
        f.value_and_grad(np.zeros(0), np.zeros(0))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_loss_may_be_independent_of_the_batch(backend, dtype):
    w = Value(1.5)
    f = compile(lambda x: w * w, [w], batched=True, backend=backend, dtype=dtype)
    for _ in range(4):
        value, gradient = f.value_and_grad(np.ones(5))
        assert (value, gradient.tolist()) == (2.25, [3.0])
        assert f(np.ones(5)).tolist() == [2.25] * 5


def test_gradients_and_numbers_of_parameters_are_left_alone():
    model = MLP(2, [3, 1])
    for p in model.parameters():
        p.grad = 0.125
    before = [(p.data, p.grad, type(p)) for p in model.parameters()]
    f = compile(lambda x: model(x), model.parameters(), batched=True)
    f.value_and_grad([[1.0, 2.0]])
    assert [(p.data, p.grad, type(p)) for p in model.parameters()] == before
    with pytest.raises(TraceError):
        compile(lambda x: x if model(x) > 0 else 0, model.parameters())([1.0, 2.0])
    assert [(p.data, p.grad, type(p)) for p in model.parameters()] == before


def test_other_values_are_constants_with_the_numbers_of_the_trace():
    scale = Value(2.0)
    features = [Value(3.0) * 2, scale]
    f = compile(lambda x: x * features[0] + features[1])
    assert f(1.0) == 8.0
    scale.data = 100.0
    assert f(1.0) == 8.0


def test_a_graph_made_before_is_differentiated_with_respect_to_parameters():
    w = Value(3.0)
    penalty = w * w
    f = compile(lambda x: x * w + penalty, [w])
    assert f.value_and_grad(1.0)[1].tolist() == [7.0]
    w.data = 5.0
    assert f(1.0) == 30.0


def test_value_and_grad_needs_one_number():
    with pytest.raises(ValueError, match="returns one number"):
        compile(lambda x: [x, x]).value_and_grad(1.0)


@pytest.mark.parametrize(
    ("options", "error", "complaint"),
    [
        ({"parameters": [1.0]}, TypeError, "got float at position 0"),
        ({"backend": "gpu"}, ValueError, "backend is one of auto, numpy"),
        ({"dtype": "int32"}, ValueError, "float64 or float32"),
    ],
)
def test_bad_options_are_named(options, error, complaint):
    with pytest.raises(error, match=complaint):
        compile(lambda x: x, **options)


def test_a_parameter_that_is_given_twice_is_refused():
    w = Value(1.0)
    with pytest.raises(ValueError, match="given twice"):
        compile(lambda x: x * w, [w, w])
    with pytest.raises(TypeError, match="takes a function"):
        compile(3)


@pytest.mark.parametrize(
    "given", [np.ma.array([2.0], mask=[True]), np.array(["2"]), np.array([2j]), ["2"], [None]]
)
def test_parameters_that_are_no_numbers_are_refused(given):
    w = Value(1.0)
    f = compile(lambda x: x * w, [w], batched=True)
    for _ in range(2):
        f.value_and_grad(np.ones(3), parameters=np.ones(1))
    with pytest.raises((TypeError, ValueError), match="parameters"):
        f.value_and_grad(np.ones(3), parameters=given)
    assert f.value_and_grad(np.ones(3), parameters=[2])[0] == 2.0


def test_an_argument_that_is_not_used_has_gradient_zero_in_every_call(backend):
    program = compile(lambda x, y, z: x * z[0], batched=True, backend=backend)
    for scale in (1.0, math.inf, 2.0):  # an infinity makes the reference executor run
        x = np.array([scale, 3.0])
        _, (by_x, by_y, by_z) = program.value_and_grad(x, x, np.ones((2, 2)))
        assert by_x.tolist() == [1.0, 1.0]
        assert by_y.tolist() == [0.0, 0.0]
        assert by_z.T.tolist() == [[scale, 3.0], [0.0, 0.0]]


def test_further_calls_with_the_same_shapes_give_the_same_results(backend):
    w = Value(1.0)
    # At w = 0 the slope of the branch that is not taken is infinite.
    f = compile(
        lambda x, y: where(x[0] > 5, log(w), w * x[0] + w * w * y),
        [w],
        batched=True,
        backend=backend,
    )
    generator = np.random.default_rng(0)
    for number in (0.5, 0.0, 0.5, 0.0):
        for _ in range(3):
            x, y = generator.normal(size=(7, 2)), generator.normal(size=7)
            mean, gradient = f.value_and_grad(x, y, parameters=np.array([number]))
            # Sums of 14 numbers below 10.
            assert mean == pytest.approx(np.mean(number * x[:, 0] + number**2 * y), abs=1e-14)
            slope = np.mean(x[:, 0] + 2 * number * y)
            assert gradient.tolist() == [pytest.approx(slope, abs=1e-14)]


def test_numbers_for_a_matrix_of_parameters_are_a_matrix_from_the_first_call_on(backend):
    W = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
    f = compile(lambda x: (W * x).sum(), W, backend=backend)
    for _ in range(3):
        value, gradient = f.value_and_grad(2.0, parameters=np.array([[1.0, 2.0], [3.0, 5.0]]))
        assert (value, gradient.tolist()) == (22.0, [[2.0, 2.0], [2.0, 2.0]])
        assert f(2.0, parameters=np.array([1.0, 2.0, 3.0, 5.0])) == 22.0
    for wrong in (np.zeros((4, 1)), np.zeros((2, 2, 1)), np.zeros(3)):
        with pytest.raises(ValueError, match="parameters"):
            f(2.0, parameters=wrong)
