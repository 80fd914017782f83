"""What a compiled function must not do, and what the error says."""

from __future__ import annotations

import contextlib
import copy
import math
import random
from functools import partial
from operator import add
from pathlib import Path

import numpy as np
import pytest

from micrograd import Value, grad, scan, where
from micrograd.compiler import TraceError, compile  # noqa: A004
from nn import MLP


def _filled(array, x):
    array[0] = x
    return array[0]


@pytest.mark.parametrize(
    ("f", "deed", "remedy"),
    [
        (lambda x: x if x > 0 else -x, "branches on a value", "micrograd.where"),
        (lambda x: max(x, 1.0), "branches on a value", "maximum(a, b)"),
        (lambda x: math.exp(x), "turns a value into a number", "micrograd.exp"),
        (lambda x: x * int(x), "turns a value into a number", "micrograd.exp"),
        (lambda x: round(x), "turns a value into a number", "micrograd.exp"),
        (lambda x: _filled(np.zeros(2), x), "turns a value into a number", "dtype=object"),
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
    assert "test_refused.py, line" in str(refusal.value)
    assert isinstance(refusal.value, TypeError)


X, WHOLE, OBJECTS = np.array([1.0, -2.0]), "as a whole number", "that work on arrays of objects"


def shrunk(x):
    while x > 1:
        x = x / 2
    return x


@pytest.mark.parametrize(
    ("f", "args", "deed", "remedy"),
    [
        (lambda x, n: sum(x for _ in range(n)), (1.0, 3), WHOLE, "compile(f, static=1)"),
        (lambda x, i: [x, -x][i], (1.0, 1), WHOLE, "micrograd.take(table, i)"),
        (lambda x, i: x[i], (X, 1), WHOLE, "micrograd.take(table, i)"),
        (lambda x, i: sum(x[:i]), ([1.0], 1), WHOLE, "compile(f, static=1)"),
        (lambda x, i: sum([x] * i), (1.0, 3), WHOLE, "compile(f, static=1)"),
        (lambda x, n: np.zeros(n) + x, (1.0, 3), WHOLE, "compile(f, static=1)"),
        (lambda x: {1.0: x}[x], (1.0,), "do not support", OBJECTS),
        (shrunk, (8.0,), "branches on a value", "micrograd.while_(condition, step, state)"),
        (lambda x: x if not x else -x, (1.0,), "branches on a value", "where"),
        (lambda x: sorted(x)[0], (X.tolist(),), "branches on a value", "minimum(a, b)"),
        (lambda x: min(x), (X.tolist(),), "branches on a value", "minimum(a, b)"),
        (lambda x: 1.0 if (x > 0).all() else x[0], (X,), "branches on a value", "where"),
        (lambda x: np.array([x[0], x[1]]) > 0, (X,), "that np.array made", "gt(x, 0)"),
        (lambda x: np.array([*x]) > 0, (X,), "that np.array made", "np.stack instead of np.array"),
        (lambda x: np.where(np.array([*x]) > 0, x, -x), (X,), "np.where", "micrograd.where"),
        (lambda x: np.maximum(np.array([*x]), 0), (X,), "np.maximum", "maximum(a, b)"),
        (lambda x: np.clip(np.array([*x]), 0, 1), (X,), "np.clip", "clip(x, a, b)"),
        (lambda x: np.where(x), (X,), "branches on a value", "where"),
        (lambda x: x & x, (X,), "do not support", "only comparisons"),
        (lambda x: x[x > 0], (X,), "branches on a value", "gt(x, 0)"),
        (lambda x: np.sort(x), (X,), "branches on a value", "maximum(a, b)"),
        (lambda x: np.argmax(x), (X,), "branches on a value", "where"),
        (lambda x: np.heaviside(x, 0.5), (X,), "np.heaviside does not work", "use micrograd.where"),
        (lambda x: np.linalg.inv(x), (np.eye(2),), "np.linalg.inv does not", "custom_derivative"),
        (lambda x: np.interp(x, [0, 1], [0, 1]), (1.0,), "turns a value into a number", "exp(v)"),
        (lambda x: x.astype(float), (X,), "turns a value into a number", "micrograd.exp"),
        (lambda x: round(x, 2), (1.0,), "turns a value into a number", "micrograd.exp"),
        (lambda x: complex(x), (1.0,), "turns a value into a number", "micrograd.exp"),
        (lambda x: float(f"{x:.3f}"), (1.0,), "do not support", "operations of micrograd"),
        (lambda x: sum(x), (1.0,), "do not support", "operations of micrograd"),
        (lambda x: x.item(), (1.0,), "do not support", "operations of micrograd"),
    ],
)
@pytest.mark.parametrize("batched", [False, True])
def test_what_needs_a_number_is_refused_with_the_line_and_a_remedy(f, args, deed, remedy, batched):
    args = [np.array([each, each]) for each in args] if batched else args
    with pytest.raises(TraceError) as refusal:
        compile(f, batched=batched)(*args)
    assert deed in str(refusal.value)
    assert remedy in str(refusal.value)
    assert "test_refused.py, line" in str(refusal.value)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: compile(sum).value_and_grad(X, has_aux=True), TypeError, "has_aux=True: .* a Val"),
        (lambda: compile(lambda x: scan(add, 0.0, x))(X), TypeError, "step of scan .* got Value"),
        (lambda: compile(sum).hvp(X, [1.0]), ValueError, r"part 0 of the vector .* shape \(2,\)"),
        (lambda: compile(add).hvp((1.0, 2.0), (1.0,)), ValueError, "primals has 2 arguments"),
        (lambda: compile(add, batched=True, in_axes=[0])(X, X), ValueError, "in_axes has 1 entr"),
        (lambda: compile(add, dtype="half"), ValueError, "float64 or float32, got 'half'"),
    ],
)
def test_errors_of_transforms_come_through_without_names_of_traced_values(call, error, message):
    with pytest.raises(error, match=message) as refusal:
        call()
    assert not isinstance(refusal.value, TraceError)


def test_an_array_without_axes_is_a_number():
    assert compile(lambda x: np.tensordot(x, x, 1)).value_and_grad(X)[0] == 5.0


def test_the_remedies_work():
    x = np.array([3.0, -2.0])
    positive = np.vectorize(lambda v: where(v > 0, v, -v), otypes=[object])
    assert compile(lambda x: positive(x).sum()).value_and_grad(x)[1].tolist() == [1.0, -1.0]
    assert compile(lambda x: sum(x**i for i in range(3)))(2.0) == 7.0
    choice = compile(lambda x, i: where(i < 1, x[0], x[1]))
    assert [choice(x, 0), choice(x, 1)] == [3.0, -2.0]

    def halved(x):
        for _ in range(10):
            x = where(x > 1, x / 2, x)
        return x

    assert compile(halved)(40.0) == 0.625


def test_what_the_function_itself_raises_comes_through():
    def strict(x):
        with contextlib.suppress(TypeError):
            int(x)
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        compile(strict)(1.0)


@pytest.mark.parametrize("result", [None, "a", {1.0}, object()], ids=lambda x: type(x).__name__)
def test_what_a_function_may_return_is_said(result):
    with pytest.raises(TraceError, match=f"returns Values .* but not {type(result).__name__}"):
        compile(lambda x: result)(1.0)


def test_where_no_line_is_known_the_function_is_named():
    def without_a_result(x):
        x * 2

    def noisy(x):
        return x * random.random()

    for f in (without_a_result, noisy, grad(noisy)):
        line = rf"\n  at .*{Path(__file__).name}, line \d+: def {f.__name__}"
        with pytest.raises(TraceError, match=line):
            compile(f)(1.0)
    with pytest.raises(TraceError, match=r"but not str\n  at functools\.partial"):
        compile(partial(lambda text, x: text, "a"))(1.0)


@pytest.mark.parametrize(
    "wrong",
    [np.array(["1"]), np.array([1j]), np.array([None]), np.ma.array([1.0], mask=[True])],
    ids=lambda x: str(x.dtype),
)
def test_an_array_of_what_is_no_number_is_refused_with_the_line(wrong):
    with pytest.raises(TypeError, match=rf"argument 0 .*\n  at .*{Path(__file__).name}"):
        compile(lambda x: x[0] * 2)(wrong)


def test_an_array_with_masked_entries_in_a_list_is_refused_with_the_line():
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    with pytest.raises(TypeError, match=rf"argument 0: .* masked .*\n  at .*{Path(__file__).name}"):
        compile(lambda xs: xs[0][1] * 2)([masked])


class Tensor:
    """A stand-in for a tensor of torch, which a program could mistake for an array."""

    __module__ = "torch"

    def __init__(self, numbers):
        self.numbers = np.array(numbers)
        self.shape = self.numbers.shape

    def ravel(self):
        return self.numbers.ravel()

    def item(self):
        return self.numbers.item()

    def __array__(self, dtype=None, copy=None):
        return self.numbers


class Series(Tensor):
    """A stand-in for a column of pandas."""

    __module__ = "pandas.core.series"

    def to_numpy(self):
        return self.numbers


@pytest.mark.parametrize("batched", [False, True])
def test_a_tensor_is_refused_as_its_gradient_would_end_without_a_word(batched):
    program = compile(lambda x: x if isinstance(x, Value) else x[0], batched=batched)
    for argument in (Tensor([1.0, 2.0]), [Tensor([1.0])], [Tensor(1.0)], {"a": [Tensor([1.0])]}):
        with pytest.raises(
            TypeError, match=r"argument 0.* Tensor of torch: .*\.detach\(\)"
        ) as error:
            program(argument)
        assert "test_refused.py, line" in str(error.value)


def test_a_column_of_pandas_is_an_array():
    column = Series([1.0, 2.0, 3.0])
    assert compile(lambda x: x * 2, batched=True)(column).tolist() == [2.0, 4.0, 6.0]
    value, slopes = compile(lambda x: (x * x).sum()).value_and_grad(column)
    assert (value, slopes.tolist()) == (14.0, [2.0, 4.0, 6.0])


@pytest.mark.parametrize(
    ("argument", "remedy"),
    [
        ("sum", 'static="option"'),
        (math.exp, 'static="option"'),
        (range(3), "list(…)"),
        ({1.0}, "list(…)"),
        ((i for i in [1.0]), "list(…)"),
        (memoryview(b"a"), "list(…)"),
        (1j, ".real"),
        ({"a": "b"}, 'static="option"'),
    ],
    ids=lambda x: type(x).__name__,
)
def test_an_argument_that_is_no_number_is_refused_with_the_line_and_a_remedy(argument, remedy):
    with pytest.raises(TypeError, match="argument 1 takes a real number") as refusal:
        compile(lambda x, y: x)(1.0, argument)
    assert remedy in str(refusal.value)
    assert "test_refused.py, line" in str(refusal.value)


@pytest.mark.parametrize("length", [2, 10_000])  # which is copied, and which is read where it is
@pytest.mark.parametrize(
    ("data", "got"),
    [
        (None, "NoneType"),
        ("3", "str '3'"),
        (1j, "complex 1j"),
        (np.ones(1), "ndarray"),
        (Value(1.0), "here it has become a Value"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_parameter_that_is_no_number_any_more_is_refused_by_repeated_calls_too(data, got, length):
    w, x = Value(2.0, label="w"), np.ones(length)
    f = compile(lambda x: w * x, [w], batched=True)
    for _ in range(3):
        f(x), f.value_and_grad(x)
    w.data = data
    for call in (f, f.value_and_grad):
        with pytest.raises(TypeError, match=rf"the \.data of Value 0 \('w'\).*{got}"):
            call(x)
    for data, number in ((3, 3.0), (np.float32(0.5), 0.5), (10**400, np.inf)):
        w.data = data
        assert f(x)[0] == f.value_and_grad(x)[0] == number


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


def test_the_gradient_of_a_program_of_the_same_parameters_is_refused_within_a_function():
    w = Value(2.0)
    inner = compile(lambda x: x * w, [w])
    assert inner(3.0) == 6.0
    with pytest.raises(TraceError, match="calls a program of its own parameters"):
        compile(lambda x: x * inner.value_and_grad(3.0)[0], [w])(1.0)
    assert compile(lambda x: x * inner(3.0), [w])(1.0) == 6.0  # a part of the outer program
    assert compile(lambda x: x * inner(3.0))(2.0) == 12.0  # a constant there


def test_the_line_is_the_users_also_behind_functions_of_numpy_and_python():
    for f in (lambda x: np.sort([x, x])[0], lambda x: copy.copy(x)):
        with pytest.raises(TraceError, match=r"test_refused\.py, line"):
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


def test_the_gradient_of_several_numbers_is_refused_with_the_remedy():
    for f in (lambda x: [x[0], x[1]], lambda x: x):
        with pytest.raises(ValueError, match=r"returns one number, .* several: use \.jacobian"):
            compile(f, backend="numpy").value_and_grad([1.0, 2.0])
