"""What a compiled function takes, gives and refuses."""

from __future__ import annotations

import copy
import math
import pickle
import random
import re
import sys
import threading
import time
from collections import namedtuple
from importlib.util import find_spec

import numpy as np
import pytest

from micrograd import (
    Value,
    define,
    derivative,
    exp,
    grad,
    hessian,
    jacobian,
    jvp,
    log,
    maximum,
    sqrt,
    tanh,
    where,
)
from micrograd.compiler import TraceError, compile, numpy_executor  # noqa: A004
from micrograd.compiler.compiled import MOST_STRUCTURES
from nn import MLP


def native():
    """Whether machine code can be made here."""
    return find_spec("llvmlite") is not None


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
    for length in range(4, 4 + MOST_STRUCTURES):
        f([1.0] * length)
    f([1.0, 2.0])
    assert runs[-2:] == [2, 2]


@pytest.mark.parametrize(
    ("batched", "args", "complaint"),
    [
        (False, ("3",), "argument 0 takes a real number, got str"),
        (False, (None,), "argument 0 takes a real number"),
        (True, (3.0,), "argument 0 is no batch"),
        (True, ([1.0, [2.0]],), "sample 1 has another structure than sample 0"),
        (True, ([1.0, 2.0], [1.0]), "batches of different lengths"),
        (True, ({"a": [1.0], "b": [1.0, 2.0]},), "different lengths"),
        (True, (), "an argument that says how many samples"),
        (True, ([],), "does not say what a sample is"),
    ],
)
def test_bad_arguments_are_named(batched, args, complaint):
    f = compile(lambda *args: args[0] if args else 1.0, batched=batched)
    with pytest.raises((TypeError, ValueError), match=re.escape(complaint)):
        f(*args)


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
    with pytest.raises(ValueError, match="gives one number"):
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


def test_a_parameter_that_comes_twice_is_refused():
    w = Value(1.0)
    with pytest.raises(ValueError, match="comes twice"):
        compile(lambda x: x * w, [w, w])
    with pytest.raises(TypeError, match="takes a function"):
        compile(3)


# -------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("f", "deed", "remedy"),
    [
        (lambda x: x if x > 0 else -x, "branches on a value", "micrograd.where"),
        (lambda x: max(x, 1.0), "branches on a value", "maximum(a, b)"),
        (lambda x: math.exp(x), "turns a value into a number", "micrograd.exp"),
        (lambda x: x * int(x), "turns a value into a number", "micrograd.exp"),
        (lambda x: round(x), "turns a value into a number", "micrograd.exp"),
        (lambda x: x and 1, "branches on a value", "where"),
        (lambda x: x * x.data, "reads the number of a value (.data)", "v.detach()"),
        (lambda x: x.backward(), "calls backward()", "derivative(output, wrt)"),
        (lambda x: setattr(x, "data", 1.0), "sets the number of a value", "return the new value"),
        (lambda x: x * x.grad, "reads the gradient of a value (.grad)", "derivative(output, wrt)"),
        (lambda x: setattr(x, "grad", 0.0), "sets the gradient of a value", "leave it out"),
    ],
)
def test_what_depends_on_a_number_is_refused_with_the_line_and_the_remedy(f, deed, remedy):
    with pytest.raises(TraceError) as refusal:
        compile(f)(1.0)
    assert deed in str(refusal.value)
    assert remedy in str(refusal.value)
    assert "test_use.py, line" in str(refusal.value)
    assert isinstance(refusal.value, TypeError)


def test_reading_a_parameter_is_refused_as_well():
    w = Value(2.0)
    for f in (lambda x: x * w.data, lambda x: x if w > 1 else -x):
        with pytest.raises(TraceError):
            compile(f, [w])(1.0)


def test_gradients_within_a_function_are_refused_and_stay_as_they_were():
    model = MLP(2, [3, 1])
    for p in model.parameters():
        p.grad = 7.0

    def zeroing(x):
        model.zero_grad()
        return model(x)

    for f in (zeroing, lambda x: model(x) * model.parameters()[0].grad):
        with pytest.raises(TraceError, match="gradient of a value"):
            compile(f, model.parameters())([1.0, 2.0])
        assert {p.grad for p in model.parameters()} == {7.0}


def test_a_value_that_was_kept_from_another_function_is_refused():
    w = Value(2.0)
    kept = []

    def keeping(x):
        kept.append((w * x).tanh())
        return kept[-1]

    compile(keeping, [w])(1.0)
    for early in kept:
        for f in (
            lambda y, early=early: (y * y).exp() + early,
            lambda y, early=early: y.sin() * early,
            lambda y, early=early: (early + y) ** 2,
            lambda y, early=early: early,
        ):
            with pytest.raises(TraceError, match="return what you need from it"):
                compile(f, [w])(0.5)

    def kept_between_runs(x):
        kept.append(x.exp())
        return kept[0] * x

    kept.clear()
    with pytest.raises(TraceError, match="return what you need from it"):
        compile(kept_between_runs)(0.5)


def test_a_program_of_the_same_parameters_is_refused_within_a_function():
    w = Value(2.0)
    inner = compile(lambda x: x * w, [w])
    assert inner(3.0) == 6.0
    with pytest.raises(TraceError, match="calls a program of its own parameters"):
        compile(lambda x: x * inner(3.0), [w])(1.0)
    assert compile(lambda x: x * inner(3.0))(2.0) == 12.0  # a constant there


def test_the_line_is_the_users_also_behind_functions_of_numpy_and_python():
    for f in (lambda x: np.sort([x, x])[0], lambda x: copy.copy(x)):
        with pytest.raises(TraceError, match=r"test_use\.py, line"):
            compile(f)(1.0)


@pytest.mark.parametrize("turn", [math.exp, float, int])
def test_turning_a_value_into_a_number_is_refused(turn):
    with pytest.raises(TypeError, match="turns a value into a number"):
        compile(lambda x: turn(x))(1.0)


def test_random_numbers_and_outside_state_are_refused():
    count = iter(range(100))
    steps = []

    def growing(x):
        steps.append(x)
        return sum(steps)

    for f in (lambda x: x * random.random(), lambda x: x * next(count), growing):
        with pytest.raises(
            TypeError, match=r"when it was run again|after the function had returned"
        ):
            compile(f)(1.0)


def test_a_value_that_leaves_its_function_is_refused_later():
    kept = []
    compile(lambda x: kept.append(x) or x * 2)(1.0)
    with pytest.raises(TraceError, match="after the function had returned"):
        kept[0] * 2


def test_operations_made_by_hand_are_refused():
    by_hand = Value(2.0, (Value(1.0),), "mine", local_grads=(1.0,))
    with pytest.raises(TraceError, match=r"'mine', an operation made by hand.*micrograd\.define"):
        compile(lambda x: x * by_hand)(1.0)


def test_an_error_of_the_function_comes_through_and_leaves_everything_usable():
    w = Value(2.0)

    def f(x):
        if len(x) > 1:
            raise KeyError("mine")
        return x[0] * w

    compiled = compile(f, [w])
    with pytest.raises(KeyError, match="mine"):
        compiled([1.0, 2.0])
    assert type(w) is Value
    assert compiled([3.0]) == 6.0


@pytest.mark.parametrize("samples", [0, 1, 9, 10, 11, 25])
def test_numpy_runs_a_large_batch_in_blocks_with_the_same_results(monkeypatch, samples):
    w = Value(0.75)

    def f(x):
        return where(x > 0, exp(-1 / x), 0.0) * w * 3 + w * w

    x = np.random.default_rng(0).normal(size=samples)
    x[:1] = 0.0
    runs = []
    for block in (10, 1_000):
        monkeypatch.setattr(numpy_executor, "BLOCK", block)
        alone = compile(lambda x: f(x) / x, batched=True, backend="numpy")
        runs.append([alone(x), *alone.value_and_grad(x)])
        if samples:
            shared = compile(f, [w], batched=True, backend="numpy")
            runs[-1] += [shared(x), *shared.value_and_grad(x)]
    for small, large in zip(*runs, strict=True):
        # The gradient is a sum of two dozen numbers below 10.
        assert np.allclose(small, large, rtol=1e-14, atol=1e-14, equal_nan=True)


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


@pytest.mark.parametrize("backend", ["numpy", "numba"])
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
    if backend == "numba":
        pytest.importorskip("llvmlite")
    w = Value(1.0)
    f = compile(lambda x: x * w, [w], batched=True, backend=backend)
    numbers = np.ones(1)
    for _ in range(2):  # the second call goes a shorter way
        assert f.value_and_grad(np.array([1.0, 3.0]), parameters=numbers)[0] == 2.0
    for call in (f, lambda x: f.value_and_grad(x, parameters=numbers)):
        with pytest.raises(TypeError, match=what):
            call(batch)
    for _ in range(2):
        assert f(np.array([1, 10**400], object)).tolist() == [1.0, math.inf]


# ---------------------------------------------------------------------------------- the rest of use


def test_derivatives_inside_at_numbers_follow_the_arguments_around_them():
    for f, expected in (
        (lambda x: grad(lambda s: s * s * x)(3.0) * x, 24.0),
        (lambda x: jvp(lambda s: s * s * x, (3.0,), (1.0,))[1] * x, 24.0),
        (lambda x: hessian(lambda s: s[0] * s[0] * s[1] * x)([3.0, 1.0])[0][0] * x, 8.0),
        (lambda x: jacobian(lambda s: [s[0] * x, s[1]])([3.0, 1.0])[0][0] * x, 4.0),
    ):
        assert f(Value(2.0)).data == expected
        assert compile(f)(2.0) == expected


def test_a_new_definition_holds_within_operations_that_call_it():
    define("inner_for_compile", "x + 1", ["1"])
    define("outer_for_compile", "inner_for_compile(x) * x", ["inner_for_compile(x) + x"])
    backends = ["numpy", *(["numba"] if native() else []), *(["jax"] if find_spec("jax") else [])]
    for backend in backends:
        f = compile(lambda x: x.outer_for_compile(), backend=backend)
        assert f.value_and_grad(3.0) == (12.0, 7.0)
    define("inner_for_compile", "x + 100", ["1"])
    for backend in backends:
        f = compile(lambda x: x.outer_for_compile(), backend=backend)
        assert f.value_and_grad(3.0) == (309.0, 106.0)
    assert grad(lambda x: x.outer_for_compile())(3.0) == 106.0


def test_programs_run_while_another_thread_traces_with_the_same_parameters():
    parameters = [Value(0.1 * i) for i in range(20)]
    f = compile(lambda x: sum(p * p for p in parameters) * x, parameters)
    expected = f(1.0)
    found = []

    def tracing(x):
        # Within a trace, which has taken the numbers of the parameters away.
        runner = threading.Thread(target=lambda: found.append(f(1.0)))
        runner.start()
        runner.join()
        return x * parameters[0]

    assert compile(tracing, parameters)(2.0) == 0.0
    assert found == [expected] * 2


def test_functions_that_are_traced_within_others_do_not_wait_for_each_other():
    began, found = threading.Event(), []
    inner = compile(lambda x: x * 2, backend="numpy")

    def outer_function(x):
        began.set()
        time.sleep(0.1)  # until the other thread wants to trace `inner`
        return x * inner(3.0)

    def wanting_inner():
        began.wait()
        found.append(inner(3.0))

    outer = compile(outer_function, backend="numpy")
    threads = [
        threading.Thread(target=lambda: found.append(outer(1.0)), daemon=True),
        threading.Thread(target=wanting_inner, daemon=True),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [6.0, 6.0]


def test_a_function_may_call_its_own_program_for_arguments_of_another_kind():
    f = compile(lambda x: x if isinstance(x, list) else f([2.0])[0] * x)
    assert f(3.0) == 6.0


def test_the_program_is_that_of_the_last_call():
    f = compile(lambda x: sum(x) if isinstance(x, list) else x[0] * x[1] * x[2], batched=True)
    samples = np.ones((4, 3))
    f(samples)
    f([[1.0, 2.0]])
    assert f.program.inputs == 2
    f(samples)
    assert f.program.inputs == 3
    w = Value(2.0)
    g = compile(lambda x: w * (x[0] + x[1] if isinstance(x, list) else x[0]), [w], batched=True)
    numbers = np.ones(1)
    for _ in range(2):
        g.value_and_grad(samples, parameters=numbers)
        g([[1.0, 2.0]])
        assert g.program.inputs == 2
        g.value_and_grad(samples, parameters=numbers)
        assert g.program.inputs == 3


def test_a_copy_is_the_function_itself_and_results_keep_their_kind():
    pair = namedtuple("pair", "a b")
    f = compile(lambda x: pair(x, (2 * x, [x])))
    assert f(2.0) == pair(2.0, (4.0, [2.0]))
    assert type(f(2.0)) is pair
    assert copy.copy(f) is copy.deepcopy(f) is f


@pytest.mark.parametrize(
    "given", [np.ma.array([2.0], mask=[True]), np.array(["2"]), np.array([2j]), ["2"], [None]]
)
def test_parameters_that_are_no_numbers_are_refused(given):
    w = Value(1.0)
    f = compile(lambda x: x * w, [w], batched=True)
    for _ in range(2):
        f.value_and_grad(np.ones(3), parameters=np.ones(1))
    with pytest.raises(TypeError, match="parameters"):
        f.value_and_grad(np.ones(3), parameters=given)
    assert f.value_and_grad(np.ones(3), parameters=[2])[0] == 2.0


def test_an_empty_dict_does_not_say_how_many_samples_there_are():
    with pytest.raises(ValueError, match=r"argument 0\['a'\] is an empty dict"):
        compile(lambda d, x: x, batched=True)({"a": {}}, np.ones(3))


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


def test_an_interrupt_gives_all_parameters_back():
    parameters = [Value(float(i)) for i in range(5)]
    for p in parameters:
        p.grad = 7.0
    seen = []

    def interrupt(frame, event, argument):
        if frame.f_code.co_name == "_give_back" and event == "line":
            seen.append(frame.f_lineno)
            if len(seen) == 8:
                sys.settrace(None)
                raise KeyboardInterrupt
        return interrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            compile(lambda x: x * parameters[0], parameters)(1.0)
    finally:
        sys.settrace(before)
    assert [type(p) for p in parameters] == [Value] * 5
    assert [(p.data, p.grad) for p in parameters] == [(float(i), 7.0) for i in range(5)]


def test_derivatives_may_be_taken_inside():
    assert compile(grad(lambda x: x**3)).value_and_grad(2.0) == (12.0, 12.0)
    second = compile(lambda x: derivative(derivative(exp(x) * x, x), x))
    assert second(0.5) == pytest.approx(2.5 * math.exp(0.5), rel=1e-14)
    kinked = compile(grad(lambda x: maximum(x, 1.0) * x + where(x > 2, x * x, 0.0)), batched=True)
    assert kinked([0.5, 1.0, 1.5, 3.0]).tolist() == [1.0, 1.5, 3.0, 12.0]


@pytest.mark.parametrize("backend", ["numpy", "numba", "jax"])
def test_zero_stops_before_an_infinite_slope_in_an_inner_derivative_too(backend):
    if backend != "numpy":
        pytest.importorskip("jax" if backend == "jax" else "llvmlite")
    for f, expected in (
        (lambda x: derivative(exp(-1 / x), x), 0.0),
        (lambda x: derivative(0.0 * sqrt(x) + x, x), 1.0),
        (lambda x: derivative(where(x > 0, log(x), x), x), 1.0),
    ):
        assert f(Value(0.0)).data == expected
        assert compile(f, backend=backend)(0.0) == expected


def test_a_hessian_vector_product_of_a_network_agrees_with_eager_mode():
    model = MLP(2, [4, 1], activation="tanh")
    parameters = model.parameters()
    vector = [math.sin(i) for i in range(len(parameters))]

    def product(x, y):
        slopes = derivative((model(x) - y) ** 2, parameters)
        along = sum(slope * v for slope, v in zip(slopes, vector, strict=True))
        return derivative(along, parameters)

    expected = [each.data for each in product([0.5, -1.0], 1.0)]
    # A few hundred roundings of numbers below 100.
    assert compile(product, parameters)([0.5, -1.0], 1.0) == pytest.approx(expected, abs=1e-11)


def test_the_program_is_printed_as_a_person_would_write_it():
    model = MLP(2, [4, 1])
    f = compile(lambda x: model(x), model.parameters(), batched=True)
    assert "not called yet" in str(f)
    f([[1.0, 2.0]])
    assert str(f) == (
        "program of 3 instructions\n"
        "  parameters u[0:17], inputs v[0:2]\n"
        "  v[2:6] = u[8 of 0:11] (4 x 2) @ v[0:2] + u[2, 5, 8, 11]\n"
        "  v[6:10] = relu(v[2:6])\n"
        "  v[10] = 1 sums of 5 terms\n"
        "  return v[10]"
    )


def test_a_program_is_pickled_without_its_function():
    w = Value(2.0)
    f = compile(lambda x: [each * w for each in x], [w])
    assert f([1.0, 2.0]) == [2.0, 4.0]
    copy = pickle.loads(pickle.dumps(f))
    assert copy([3.0, 4.0]) == [6.0, 8.0]
    with pytest.raises(ValueError, match="compile the function again"):
        copy([1.0])


def test_programs_run_in_many_threads_at_once():
    model = MLP(2, [8, 1], activation="tanh")
    f = compile(lambda x, y: (model(x) - y) ** 2, model.parameters(), batched=True)
    generator = np.random.default_rng(0)
    batches = [(generator.normal(size=(n, 2)), generator.normal(size=n)) for n in (5, 50, 500)] * 4
    expected = [f.value_and_grad(*batch) for batch in batches]
    found = [None] * len(batches)

    def work(i):
        for _ in range(20):
            found[i] = f.value_and_grad(*batches[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for (value, gradient), (wanted, slopes) in zip(found, expected, strict=True):
        assert value == wanted
        assert (gradient == slopes).all()


def test_float32_is_computed_in_float32():
    f = compile(lambda x: x * 0.1, dtype="float32", batched=True)
    got = f([1.0, 3.0])
    assert got.dtype == np.float32
    assert got[1] == np.float32(3.0) * np.float32(0.1)


def test_what_is_computed_twice_is_computed_once():
    f = compile(lambda x: tanh(x) * tanh(x) + tanh(x))
    f(1.0)
    assert str(f).count("tanh") == 1


def test_what_no_output_needs_is_not_computed():
    f = compile(lambda x: (exp(x), x + 1)[1])
    f(1.0)
    assert "exp" not in str(f)


@pytest.mark.parametrize("backend", ["numpy", "numba", "jax"])
def test_an_argument_that_is_not_used_has_gradient_zero_in_every_call(backend):
    if backend != "numpy":
        pytest.importorskip("jax" if backend == "jax" else "llvmlite")
    program = compile(lambda x, y, z: x * z[0], batched=True, backend=backend)
    for scale in (1.0, math.inf, 2.0):  # an infinity makes the careful run
        x = np.array([scale, 3.0])
        _, (by_x, by_y, by_z) = program.value_and_grad(x, x, np.ones((2, 2)))
        assert by_x.tolist() == [1.0, 1.0]
        assert by_y.tolist() == [0.0, 0.0]
        assert by_z.T.tolist() == [[scale, 3.0], [0.0, 0.0]]


def test_matrix_products_of_jax_keep_all_bits_of_single_precision_on_any_device():
    pytest.importorskip("jax")
    from micrograd.compiler.jax_executor import JaxExecutor
    from micrograd.compiler.planning import plan
    from micrograd.compiler.tracing import trace

    model = MLP(2, [4, 4, 1])
    parameters = model.parameters()
    kind = np.dtype(np.float32)
    for times in (1, 3):  # vectors that one matrix is multiplied with

        def loss(leaves, times=times):
            return [sum(model(leaves[2 * i : 2 * i + 2]) ** 2 for i in range(times))]

        program = plan(trace(loss, parameters, 2 * times), batched=True)
        run = JaxExecutor(program, kind, inputs=False)._mean
        numbers, samples = np.zeros(len(parameters), kind), np.zeros((2 * times, 5), kind)
        text = run.lower(numbers, [samples]).as_text()
        assert text.count("dot_general") == text.count("[HIGHEST, HIGHEST]") > 0
