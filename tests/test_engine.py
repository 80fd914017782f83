"""`Value`: numbers, errors, the meaning of `backward`, protocols, copies, and `define`."""

import contextlib
import copy
import gc
import inspect
import math
import operator
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import tracemalloc
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import micrograd
from micrograd import Value, define, engine, formulas, methods, ops

INF, NAN = math.inf, math.nan
HOSTILE = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-308, 1e308, -1e308, 1000.0, -1000.0]
HOSTILE += [INF, -INF, NAN, 5e-324, 709.0, 710.0]


def same(a, b):
    """Whether two floats are the same number, signs of zeros included; nan is nan."""
    return (a != a and b != b) or (a == b and math.copysign(1, a) == math.copysign(1, b))


def gradient(f, *at):
    """The gradient of `f` at numbers, by one backward pass on new leaves."""
    leaves = [Value(number) for number in at]
    f(*leaves).backward()
    return [leaf.grad for leaf in leaves]


# ---------------------------------------------------------------------------------------- numbers

ARITHMETIC = {
    "+": (operator.add, np.add),
    "-": (operator.sub, np.subtract),
    "*": (operator.mul, np.multiply),
    "/": (operator.truediv, np.divide),
}


@pytest.mark.parametrize("symbol", ARITHMETIC)
@pytest.mark.parametrize("x", HOSTILE)
def test_arithmetic_is_that_of_numpy_on_every_kind_of_number(symbol, x):
    ours, theirs = ARITHMETIC[symbol]
    for y in HOSTILE:
        with np.errstate(all="ignore"):
            expected = float(theirs(np.float64(x), np.float64(y)))
        for result in (ours(Value(x), Value(y)), ours(Value(x), y), ours(x, Value(y))):
            assert same(result.data, expected), (x, symbol, y, result.data, expected)


@pytest.mark.parametrize("x", HOSTILE)
def test_powers_follow_ieee(x):
    for y in [*HOSTILE, 2.0, 400.0, 401.0, -401.0, -3.0]:
        if y == 0.5 and math.copysign(1, x) < 0:
            continue  # NumPy takes sqrt there, whose results at -0.0 and -inf are not those of pow
        with np.errstate(all="ignore"):
            expected = float(np.power(np.float64(x), np.float64(y)))
        for result in (Value(x) ** Value(y), Value(x) ** y, x ** Value(y)):
            if expected in (0, INF, -INF) or expected != expected:
                assert same(result.data, expected), (x, y, result.data, expected)
            else:  # two libraries of functions, each within an ulp or so
                assert result.data == pytest.approx(expected, rel=4 * 2.0**-52, abs=5e-324)


@pytest.mark.parametrize(
    "name",
    "exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh square reciprocal".split(),
)
def test_functions_follow_ieee(name):
    for x in HOSTILE:
        with np.errstate(all="ignore"):
            expected = float(getattr(np, name)(np.float64(x)))
        result = getattr(Value(x), name)().data
        if expected in (0, INF, -INF) or expected != expected:
            assert same(result, expected), (name, x, result, expected)
        else:
            assert result == pytest.approx(expected, rel=8 * 2.0**-52, abs=5e-324), (name, x)


def test_the_exceptional_results_of_the_specification():
    assert Value(0.0).log().data == -INF
    assert math.isnan(Value(-1.0).log().data)
    assert (1 / Value(0.0)).data == INF
    assert (1 / Value(-0.0)).data == -INF
    assert math.isnan((Value(0.0) / 0.0).data)
    assert Value(1000.0).exp().data == INF
    assert math.isnan(Value(NAN).relu().data)
    assert math.isnan((Value(-1.0) ** 0.5).data)
    assert type((Value(-1.0) ** 0.5).data) is float
    assert math.isnan(Value(INF).sin().data)
    for name in ("maximum", "minimum"):
        combine = getattr(micrograd, name)
        assert math.isnan(combine(Value(NAN), 1.0).data)
        assert math.isnan(combine(1.0, Value(NAN)).data)


def test_sigmoid_softplus_and_tanh_are_stable_at_a_thousand():
    for name, low, high in [("sigmoid", 0.0, 1.0), ("softplus", 0.0, 1000.0), ("tanh", -1.0, 1.0)]:
        assert getattr(Value(-1000.0), name)().data == low
        assert getattr(Value(1000.0), name)().data == high
    assert gradient(Value.sigmoid, 1000.0) == gradient(Value.sigmoid, -1000.0) == [0.0]
    assert gradient(Value.softplus, 1000.0) == [1.0]
    assert gradient(Value.softplus, -1000.0) == [0.0]
    assert gradient(Value.tanh, 1000.0) == [0.0]


def test_zero_to_the_zero_is_one_with_derivative_zero():
    assert (Value(0.0) ** 0).data == 1.0
    assert (0 ** Value(0.0)).data == 1.0
    assert gradient(lambda x: x**0, 0.0) == [0.0]
    assert gradient(lambda x, y: x**y, 0.0, 0.0) == [0.0, 0.0]
    assert gradient(lambda x: 0.0**x, 2.0) == [0.0]


def test_powers_of_every_kind_have_their_derivatives():
    log2 = math.log(2)
    assert gradient(lambda x: x**3, 2.0) == [12.0]
    assert gradient(lambda x: x**-2, 2.0) == [-0.25]
    assert gradient(lambda x: x**2, 0.0) == [0.0]
    assert gradient(lambda x: x**1, 0.0) == [1.0]
    assert gradient(lambda x: x**2, -3.0) == [-6.0]
    assert gradient(lambda x: 2**x, 3.0) == [8 * log2]
    assert gradient(lambda x, y: x**y, 2.0, 3.0) == [12.0, 8 * log2]
    # x ** x: two contributions, each of a few roundings.
    assert gradient(lambda x: x**x, 2.0) == pytest.approx([4 * (1 + log2)], rel=8 * 2.0**-53)


def test_numbers_that_overflow_become_infinite():
    assert (Value(1e200) * 1e200).data == INF
    assert (Value(-1e200) * 1e200).data == -INF
    assert (Value(10.0) ** 400).data == INF
    assert (Value(-10.0) ** 401).data == -INF
    assert (Value(10.0) ** -400).data == 0.0


@pytest.mark.parametrize("huge", [10**400, -(10**400)], ids=["positive", "negative"])
def test_an_int_beyond_the_range_of_floats_is_an_infinity(huge):
    infinity = math.copysign(INF, 1 if huge > 0 else -1)
    assert (Value(1.0) + huge).data == infinity
    assert (huge * Value(2.0)).data == infinity
    assert Value(1.0).maximum(huge).data == max(1.0, infinity)


def test_relu_and_abs_have_slope_zero_at_zero():
    for x in (0.0, -0.0):
        assert gradient(Value.relu, x) == [0.0]
        assert gradient(abs, x) == [0.0]
    assert gradient(Value.relu, 5e-324) == [1.0]
    assert gradient(abs, -2.0) == [-1.0]


def test_equal_operands_of_maximum_and_minimum_share_the_gradient():
    for combine in (micrograd.maximum, micrograd.minimum):
        assert gradient(combine, 1.0, 1.0) == [0.5, 0.5]
        assert gradient(lambda x, f=combine: f(x, x), 1.0) == [1.0]
    assert gradient(micrograd.maximum, 1.0, 2.0) == [0.0, 1.0]
    assert gradient(micrograd.minimum, 1.0, 2.0) == [1.0, 0.0]
    assert gradient(lambda x: micrograd.maximum(x, 0), 0.0) == [0.5]


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.maximum(3),
        lambda x: x.minimum(-3),
        lambda x: micrograd.maximum(3, x),
        lambda x: micrograd.where(x > 0, 3, x),
        lambda x: micrograd.where(x < 0, x, 3),
        lambda x: micrograd.where(1, x, 3),
        lambda x: x + 3,
        lambda x: x**0,
        lambda x: abs(x * 2),
        lambda x: x.relu() * 0,
        lambda x: x < 3,
        lambda x: micrograd.hypot(x, 0),
    ],
)
def test_the_data_of_every_result_is_a_float(make):
    assert type(make(Value(1.0)).data) is float


@pytest.mark.parametrize("number", [1, True, np.float64(1), np.int64(1)])
def test_the_data_of_every_leaf_is_a_float(number):
    assert type(Value(number).data) is float


def test_every_public_function_of_numbers_returns_a_float():
    for name, row in ops.TABLE.items():
        call = getattr(micrograd, name, None) or getattr(micrograd.functions, name)
        for numbers in ((1, 1, 1), (1.0, 1.0, 1.0), (0, 0, 0), (np.float64(2), 3, 1)):
            result = call(*numbers[: row.arity])
            assert type(result) is float, (name, numbers, result)


def test_every_public_function_of_a_value_returns_a_value():
    for name, row in ops.TABLE.items():
        result = getattr(micrograd, name)(*[Value(0.5)] * row.arity)
        assert type(result) is Value
        assert type(result.data) is float, name


# ----------------------------------------------------------- constants, branches, adjoints of zero


def test_where_lets_nothing_of_the_branch_not_taken_in():
    where = micrograd.where
    assert gradient(lambda x: where(x > 0, x.log(), 0), 0.0) == [0.0]
    assert gradient(lambda x: where(x > 0, x.log(), 0.0 * x), 0.0) == [0.0]
    assert gradient(lambda x: where(x > 0, x.sqrt(), 2 * x), 0.0) == [2.0]
    assert gradient(lambda x: where(x > 0, 1 / x, 3 * x), 0.0) == [3.0]
    assert gradient(lambda x: where(x < 1000, x, x.exp()), 5.0) == [1.0]
    assert gradient(lambda x: where(x > 5, x * NAN, x), 1.0) == [1.0]
    assert gradient(lambda x, y: where(x > 0, x, y), 1.0, INF) == [1.0, 0.0]


def test_an_infinite_adjoint_does_not_enter_the_branch_not_taken():
    root_of_abs = lambda x: micrograd.where(x >= 0, x, -x).sqrt()  # noqa: E731
    assert gradient(root_of_abs, 0.0) == [INF]
    x, y = Value(0.0), Value(1.0)
    micrograd.where(x >= 0, x, y).sqrt().backward()
    assert (x.grad, y.grad) == (INF, 0.0)


def test_the_condition_of_where_gets_no_gradient():
    condition = Value(2.0)
    out = micrograd.where(condition, Value(1.0), 5.0)
    out.backward()
    assert out.data == 1.0
    assert condition.grad == 0
    assert micrograd.where(Value(0.0), 1.0, 5.0).data == 5.0
    assert micrograd.where(Value(NAN), 1.0, 5.0).data == 1.0  # nan is not 0, as in NumPy


def test_a_zero_adjoint_stops_where_it_is():
    x = Value(0.0)
    (x.log() * 0).backward()
    assert x.grad == 0
    x, y = Value(0.0), Value(2.0)
    (micrograd.relu(-abs(x.sqrt())) + y).backward()
    assert (x.grad, y.grad) == (0, 1.0)


def test_a_nan_adjoint_does_not_stop():
    x = Value(1.0)
    (x * NAN).backward()
    assert math.isnan(x.grad)


def test_detach_is_the_same_number_and_passes_no_gradient():
    x = Value(3.0)
    d = x.detach()
    assert d.data == 3.0
    (d * x).backward()
    assert x.grad == 3.0
    x = Value(INF)
    (x.detach() + 1).backward()
    assert x.grad == 0


def test_comparisons_are_operations_with_derivative_zero():
    a, b = Value(1.0), Value(2.0)
    for result, expected in [
        (a < b, 1.0),
        (a <= b, 1.0),
        (a > b, 0.0),
        (a >= b, 0.0),
        (a <= a, 1.0),
        (a < 1, 0.0),
        (operator.ge(1, a), 1.0),
        (operator.lt(0, a), 1.0),
        (Value(NAN) < 1, 0.0),
        (Value(NAN) >= 1, 0.0),
    ]:
        assert type(result) is Value
        assert result.data == expected
    ((a < b) * a).backward()
    assert (a.grad, b.grad) == (1.0, 0)


# ------------------------------------------------------------------------------ errors with advice


@pytest.mark.parametrize(
    ("bad", "remedy"),
    [
        ("3", "float("),
        (b"3", "float("),
        (None, "return"),
        (1j, ".real"),
        ([1.0], "each"),
        ((1.0,), "each"),
        ({"a": 1}, "each"),
        (np.array([1.0, 2.0]), "number"),
        (object(), "object"),
        (print, "number"),
    ],
)
def test_a_value_of_something_else_is_a_type_error_with_advice(bad, remedy):
    with pytest.raises(TypeError, match=r"(?s)Value.*" + remedy.replace("(", r"\(")):
        Value(bad)


def test_a_value_of_a_value_is_a_type_error_with_advice():
    with pytest.raises(TypeError, match=r"v\.data"):
        Value(Value(1.0))


@pytest.mark.parametrize("combine", [operator.add, operator.sub, operator.mul, operator.truediv])
@pytest.mark.parametrize(
    ("bad", "remedy"), [("3", r"float\("), (None, "return"), (1j, r"\.real"), ([1.0], "each")]
)
def test_arithmetic_with_something_else_is_a_type_error_with_advice(combine, bad, remedy):
    with pytest.raises(TypeError, match=remedy):
        combine(Value(1.0), bad)
    with pytest.raises(TypeError, match=remedy):
        combine(bad, Value(1.0))


@pytest.mark.parametrize("bad", ["3", None, 1j, [1.0]])
def test_powers_comparisons_and_functions_refuse_what_is_no_number(bad):
    for call in (
        lambda: Value(1.0) ** bad,
        lambda: bad ** Value(1.0),
        lambda: Value(1.0) < bad,
        lambda: bad >= Value(1.0),
        lambda: Value(1.0).maximum(bad),
        lambda: micrograd.maximum(bad, Value(1.0)),
        lambda: micrograd.exp(bad),
        lambda: micrograd.where(Value(1.0), bad, 1.0),
    ):
        with pytest.raises(TypeError, match=r"float\(|return|\.real|each"):
            call()


def test_the_math_module_is_answered_with_the_method_to_use():
    for function in (math.exp, math.log, math.sqrt, math.tanh):
        with pytest.raises(TypeError, match=r"v\.exp\(\)"):
            function(Value(1.0))


@pytest.mark.parametrize("convert", [float, int, complex, "%f".__mod__])
def test_conversions_that_would_cut_the_graph_are_refused(convert):
    with pytest.raises(TypeError, match=r"\.data"):
        convert(Value(1.0))


@pytest.mark.parametrize(
    "test",
    [bool, operator.not_, lambda v: 1 if v else 0, lambda v: v and v, lambda v: any([v])],
)
def test_only_a_comparison_has_a_truth_value(test):
    for value in (
        Value(1.0),
        Value(0.0),
        Value(1.0) + 1,
        (Value(1.0) < 2) * 1,
        Value(1.0, (), "<"),
    ):
        with pytest.raises(TypeError, match=r"v > 0|\.data"):
            test(value)
    test(Value(1.0) < 2)


def test_a_wrong_number_of_operands_is_a_type_error():
    for call in (micrograd.exp, micrograd.maximum, micrograd.where):
        with pytest.raises(TypeError):
            call()
        with pytest.raises(TypeError):
            call(1.0, 2.0, 3.0, 4.0)
    with pytest.raises(TypeError, match="maximum"):
        micrograd.maximum(Value(1.0))


def test_children_and_local_gradients_are_checked():
    x = Value(1.0)
    with pytest.raises(ValueError, match="local_grads"):
        Value(1.0, (x, x), local_grads=(1.0,))
    with pytest.raises(ValueError, match="local_grads"):
        Value(1.0, (x,), (1.0, 2.0))
    with pytest.raises(TypeError, match="children"):
        Value(1.0, (1.0,), "+")
    with pytest.raises(TypeError, match="_backward"):
        x._backward = None


# ------------------------------------------------------------------------------ backward semantics


def test_a_second_backward_adds_the_same_gradient_again():
    x = Value(2.0)
    y = x * x * x
    y.backward()
    assert x.grad == 12.0
    y.backward()
    assert x.grad == 24.0
    y.backward()
    assert x.grad == 36.0


def test_zeroing_the_leaves_is_enough():
    x = Value(2.0)
    h = x * x
    y = h * x
    y.backward()
    x.grad = 0
    y.backward()
    assert x.grad == 12.0


def test_two_roots_may_share_a_graph():
    x = Value(3.0)
    h = x * x
    a, b = h * 2, h * 5
    a.backward()
    b.backward()
    assert x.grad == 12.0 + 30.0
    assert h.grad == 5.0


def test_a_root_may_be_an_inner_value_of_another():
    x = Value(3.0)
    h = x * x
    y = h * h
    y.backward()
    h.backward()
    assert x.grad == 4 * 27 + 6
    assert (h.grad, y.grad) == (1, 1)


def test_inner_values_hold_the_adjoints_of_the_last_pass():
    x = Value(2.0)
    h = x * x
    y = h * 7
    for _ in range(3):
        y.backward()
        assert (y.grad, h.grad) == (1, 7.0)
    h.grad = y.grad = 1e9
    x.grad = 0
    y.backward()
    assert (y.grad, h.grad, x.grad) == (1, 7.0, 28.0)


def test_a_leaf_as_root_adds_one():
    x = Value(2.0)
    x.backward()
    assert x.grad == 1
    x.backward()
    assert x.grad == 2


def test_a_gradient_of_none_counts_as_zero():
    x = Value(2.0)
    h = x * x
    y = h * x
    x.grad = h.grad = y.grad = None
    y.backward()
    assert x.grad == 12.0


def test_a_gradient_set_before_is_added_to():
    x = Value(2.0)
    x.grad = 5.0
    (x * 3).backward()
    assert x.grad == 8.0


def test_values_outside_the_graph_are_not_touched():
    x = Value(2.0)
    y = x * 2
    above = y * 3
    y.grad = above.grad = 99.0
    y.backward()
    assert above.grad == 99.0


def test_both_operands_are_kept_where_they_are_the_same():
    assert gradient(lambda x: x + x, 2.0) == [2.0]
    assert gradient(lambda x: x - x, 2.0) == [0.0]
    assert gradient(lambda x: x * x, 2.0) == [4.0]
    assert gradient(lambda x: x / x, 2.0) == [0.0]
    assert gradient(lambda x: micrograd.where(x > 0, x, x), 2.0) == [1.0]


def test_leaves_keep_their_gradients_when_a_step_raises():
    x, z = Value(2.0), Value(3.0)
    h = x * z

    def broken():
        raise OSError("no such step")

    h._backward = broken
    y = h * x + z
    x.grad, z.grad = 5.0, None
    with pytest.raises(OSError, match="no such step"):
        y.backward()
    assert (x.grad, z.grad) == (5.0, None)
    (x * z).backward()
    assert (x.grad, z.grad) == (8.0, 2.0)


def test_leaves_keep_their_gradients_when_a_pass_is_interrupted():
    x = Value(2.0)
    h = x * x

    def interrupted():
        x.grad += 1000.0
        raise KeyboardInterrupt

    h._backward = interrupted
    with pytest.raises(KeyboardInterrupt):
        (h * 3 + x).backward()
    assert x.grad == 0


def test_a_step_by_hand_may_start_a_pass_of_its_own():
    x = Value(2.0)
    out = Value(8.0, (x,), "cube")

    def _backward():
        inner = Value(x.data)
        (inner * inner * inner).backward()
        x.grad += inner.grad * out.grad

    out._backward = _backward
    (out * 2).backward()
    assert x.grad == 24.0


def test_the_graph_is_the_formula_that_was_written():
    x, y = Value(6.0), Value(2.0)
    for result, symbol, operands, slopes in [
        (x - y, "-", (x, y), (1.0, -1.0)),
        (x / y, "/", (x, y), (0.5, -1.5)),
        (2 - x, "-", (x,), (-1.0,)),
        (12 / x, "/", (x,), (-1 / 3,)),
        (x * x, "*", (x, x), (6.0, 6.0)),
        (x + 1, "+", (x,), (1.0,)),
    ]:
        assert result._op == symbol
        assert tuple(result._children) == operands
        assert tuple(result._local_grads) == slopes
    assert (x - y).data == 4.0
    assert (2 - x).data == -4.0
    assert (12 / x).data == 2.0
    assert len(engine.order(x - y)) == 3
    assert +x is x


# ------------------------------------------------------------- an independent oracle, exact numbers


@st.composite
def recipes(draw, operations, leaves=(1, 4), size=(1, 25)):
    """A random graph as data: the number of leaves; operation, operand and operand of each node."""
    width = draw(st.integers(*leaves))
    steps = draw(st.integers(*size))
    return width, [
        (draw(st.sampled_from(operations)), *draw(st.tuples(*[st.integers(0, width + i - 1)] * 2)))
        for i in range(steps)
    ]


INTEGER_RULES = {
    "add": (lambda x, y: x + y, lambda x, y: (1, 1)),
    "sub": (lambda x, y: x - y, lambda x, y: (1, -1)),
    "mul": (lambda x, y: x * y, lambda x, y: (y, x)),
    "neg": (lambda x, y: -x, lambda x, y: (-1, 0)),
    "relu": (lambda x, y: max(x, 0), lambda x, y: (int(x > 0), 0)),
    "plus 3": (lambda x, y: x + 3, lambda x, y: (1, 0)),
    "5 minus": (lambda x, y: 5 - x, lambda x, y: (-1, 0)),
    "where": (lambda x, y: x if x > y else y * 2, lambda x, y: (1, 0) if x > y else (0, 2)),
}
ON_VALUES = {
    name: rule[0] for name, rule in INTEGER_RULES.items() if name not in ("relu", "where")
} | {
    "relu": lambda x, y: x.relu(),
    "where": lambda x, y: micrograd.where(x > y, x, y * 2),
}


def replay(recipe, numbers, rules):
    """All values of the graph, the leaves first."""
    nodes = list(numbers)
    for operation, i, j in recipe:
        nodes.append(rules[operation](nodes[i], nodes[j]))
    return nodes


def integer_adjoints(recipe, data):
    """Adjoints in exact integers; and the largest sum of absolute contributions to any of them."""
    adjoints, sizes = [0] * len(data), [0] * len(data)
    adjoints[-1] = sizes[-1] = 1
    for number in reversed(range(len(recipe))):
        operation, i, j = recipe[number]
        out = len(data) - len(recipe) + number
        for operand, slope in zip(
            (i, j), INTEGER_RULES[operation][1](data[i], data[j]), strict=True
        ):
            adjoints[operand] += slope * adjoints[out]
            sizes[operand] += abs(slope) * sizes[out]
    return adjoints, max(sizes)


@given(recipes(sorted(INTEGER_RULES)), st.lists(st.integers(-3, 3), min_size=4, max_size=4))
def test_gradients_of_random_graphs_of_integers_are_exact(graph, numbers):
    width, recipe = graph
    data = replay(recipe, numbers[:width], {name: rule[0] for name, rule in INTEGER_RULES.items()})
    expected, size = integer_adjoints(recipe, data)
    if max(map(abs, data)) >= 2**53 or size >= 2**53:
        return  # beyond, floats would round
    leaves = [Value(number) for number in numbers[:width]]
    nodes = replay(recipe, leaves, ON_VALUES)
    assert [node.data for node in nodes] == data
    nodes[-1].backward()
    assert [leaf.grad for leaf in leaves] == expected[:width]
    below = set(engine.order(nodes[-1]))
    assert all(
        node.grad == adjoint for node, adjoint in zip(nodes, expected, strict=True) if node in below
    )


# ---------------------------------------------------- an independent oracle, with a bound of errors
# The reference computes in decimals of 40 digits. Beside each number goes a bound of the error that
# binary64 makes, in the manner of running error analysis, to first order:
#     error(out)     <= sum |partial| error(operand) + 4 u |out|
#     error(partial) <= sum |second partial| error(operand) + 4 u (|partial| + 1)
#     error(adjoint) <= sum |partial| error(adjoint out) + |adjoint out| error(partial) + 2 u |term|
# where u = 2 ** -53; functions of the C library are taken to be right within 2 ulp; 1 covers the
# cancellation in `1 - out * out`. A factor 2 covers terms of higher order, TINY what underflows.

U, TINY = Decimal(2) ** -53, Decimal(2) ** -1000


def sigmoid(x):
    return 1 / (1 + (-x).exp())


def tanh(x):
    return 2 * sigmoid(2 * x) - 1 if abs(x) > Decimal("1e-10") else x - x**3 / 3


def smooth(first, second):
    """A rule of one operand, from the functions of (x, out) for its partial and second partial."""
    return (
        lambda x, y, out: (first(x, out), Decimal(0)),
        lambda x, y, out: ((second(x, out), Decimal(0)), (Decimal(0), Decimal(0))),
    )


def flat(slope_x, slope_y):
    return (
        lambda x, y, out: (Decimal(slope_x), Decimal(slope_y)),
        lambda x, y, out: ((Decimal(0),) * 2,) * 2,
    )


SMOOTH = {  # domain, formula, partials, second partials
    "add": (lambda x, y: True, lambda x, y: x + y, *flat(1, 1)),
    "sub": (lambda x, y: True, lambda x, y: x - y, *flat(1, -1)),
    "neg": (lambda x, y: True, lambda x, y: -x, *flat(-1, 0)),
    "mul": (
        lambda x, y: abs(x * y) < 1000,
        lambda x, y: x * y,
        lambda x, y, out: (y, x),
        lambda x, y, out: ((Decimal(0), Decimal(1)), (Decimal(1), Decimal(0))),
    ),
    "div": (
        lambda x, y: abs(y) > Decimal("0.1") and abs(x) < 100,
        lambda x, y: x / y,
        lambda x, y, out: (1 / y, -out / y),
        lambda x, y, out: ((Decimal(0), -1 / y**2), (-1 / y**2, 2 * out / y**2)),
    ),
    "exp": (lambda x, y: x < 4, lambda x, y: x.exp(), *smooth(lambda x, o: o, lambda x, o: o)),
    "log": (
        lambda x, y: x > Decimal("0.1"),
        lambda x, y: x.ln(),
        *smooth(lambda x, o: 1 / x, lambda x, o: -1 / x**2),
    ),
    "sqrt": (
        lambda x, y: x > Decimal("0.1"),
        lambda x, y: x.sqrt(),
        *smooth(lambda x, o: 1 / (2 * o), lambda x, o: -1 / (4 * x * o)),
    ),
    "square": (
        lambda x, y: abs(x) < 30,
        lambda x, y: x * x,
        *smooth(lambda x, o: 2 * x, lambda x, o: Decimal(2)),
    ),
    "tanh": (
        lambda x, y: True,
        lambda x, y: tanh(x),
        *smooth(lambda x, o: 1 - o * o, lambda x, o: -2 * o * (1 - o * o)),
    ),
    "sigmoid": (
        lambda x, y: True,
        lambda x, y: sigmoid(x),
        *smooth(lambda x, o: o * (1 - o), lambda x, o: o * (1 - o) * (1 - 2 * o)),
    ),
}
SYMBOLS = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv}


@given(
    recipes(sorted(SMOOTH)),
    st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=4, max_size=4),
)
def test_gradients_of_random_graphs_agree_with_forty_digits(graph, numbers):
    width, recipe = graph
    with localcontext() as context:
        context.prec = 40
        data, errors, taken = [Decimal(n) for n in numbers[:width]], [Decimal(0)] * width, []
        for name, i, j in recipe:
            x, y = data[i], data[j]
            if not SMOOTH[name][0](x, y):
                name = "tanh"
            _, formula, partials, seconds = SMOOTH[name]
            out = formula(x, y)
            slopes = partials(x, y, out)
            noise = [
                sum(abs(s) * e for s, e in zip(row, (errors[i], errors[j]), strict=True))
                + 4 * U * (abs(p) + 1)
                for row, p in zip(seconds(x, y, out), slopes, strict=True)
            ]
            error = (
                abs(slopes[0]) * errors[i] + abs(slopes[1]) * errors[j] + 4 * U * abs(out) + TINY
            )
            data.append(out)
            errors.append(error)
            taken.append((name, i, j, slopes, noise))
        adjoints, blurs = [Decimal(0)] * len(data), [Decimal(0)] * len(data)
        adjoints[-1] = Decimal(1)
        for out in reversed(range(width, len(data))):
            name, i, j, slopes, noise = taken[out - width]
            arity = 2 if name in SYMBOLS else 1
            for operand, slope, blur in list(zip((i, j), slopes, noise, strict=True))[:arity]:
                term = slope * adjoints[out]
                blurs[operand] += abs(slope) * blurs[out] + abs(adjoints[out]) * blur
                adjoints[operand] += term
                blurs[operand] += 2 * U * (abs(term) + abs(adjoints[operand])) + TINY

    nodes = [Value(number) for number in numbers[:width]]
    for name, i, j, *_ in taken:
        symbol = SYMBOLS.get(name)
        nodes.append(symbol(nodes[i], nodes[j]) if symbol else getattr(nodes[i], name)())
    nodes[-1].backward()
    for node, exact, error in zip(nodes, data, errors, strict=True):
        assert abs(Decimal(node.data) - exact) <= 2 * error
    for node, exact, blur in zip(nodes[:width], adjoints, blurs, strict=False):
        assert abs(Decimal(node.grad) - exact) <= 2 * blur


@given(recipes(sorted(SMOOTH)), st.lists(st.floats(-50, 50), min_size=4, max_size=4))
def test_a_second_backward_doubles_every_gradient_bit_for_bit(graph, numbers):
    width, recipe = graph
    leaves = [Value(number) for number in numbers[:width]]
    nodes = list(leaves)
    for name, i, j in recipe:
        symbol = SYMBOLS.get(name)
        nodes.append(symbol(nodes[i], nodes[j]) if symbol else getattr(nodes[i], name)())
    root = nodes[-1]
    root.backward()
    first, inner = [leaf.grad for leaf in leaves], [node.grad for node in nodes[width:]]
    root.backward()
    for leaf, once in zip(leaves, first, strict=True):
        assert leaf.grad == 2 * once or math.isnan(once)
    assert all(map(same, (node.grad for node in nodes[width:]), inner))
    for leaf in leaves:
        leaf.grad = 0
    root.backward()
    assert all(map(same, (leaf.grad for leaf in leaves), map(float, first)))


@given(recipes(sorted(ON_VALUES)), st.integers(0, 30))
def test_two_roots_of_one_graph_add_what_each_gives_alone(graph, pick):
    width, recipe = graph

    def gradients(*roots):
        leaves = [Value(number) for number in (1.5, -0.5, 2.0, 0.75)[:width]]
        nodes = replay(recipe, leaves, ON_VALUES)
        for root in roots:
            nodes[root % len(nodes)].backward()
        return [float(leaf.grad) for leaf in leaves]

    sums = [a + b for a, b in zip(gradients(-1), gradients(pick), strict=True)]
    both = gradients(-1, pick)
    assert all(x == y or (x != x and y != y) for x, y in zip(both, sums, strict=True))


# ------------------------------------------------------------------------------------------- depth


def chain(length, x, step=lambda y: y + 1e-6):
    for _ in range(length):
        x = step(x)
    return x


def test_a_chain_of_a_million_operations_differentiates_pickles_and_is_copied():
    x = Value(1.0)
    y = chain(1_000_000, x)
    y.backward()
    assert x.grad == 1.0
    assert y.data == pytest.approx(2.0, rel=1_000_000 * 2.0**-53)
    text = pickle.dumps(y)
    copied = copy.deepcopy(y)
    copied.backward()
    assert (copied.data, x.grad) == (y.data, 1.0)
    del copied
    gc.collect()
    restored = pickle.loads(text)
    assert restored.data == y.data
    restored.backward()
    leaf, *_ = engine.order(restored)
    assert leaf.grad == 2.0
    assert x.grad == 1.0
    del y, restored, leaf
    gc.collect()


@pytest.mark.parametrize(
    "step",
    [
        lambda y, x: x * 0.5 + y,
        lambda y, x: 1.0 - y,
        lambda y, x: y + y * 0,
        lambda y, x: micrograd.where(x > 0, x, y) * 0 + y,
        lambda y, x: Value(y.data, (x, x, y), "third", local_grads=(0.0, 0.0, 1.0)),
    ],
    ids=["right", "reflected", "diamonds", "ternary", "by hand"],
)
def test_deep_graphs_of_every_shape_are_walked_without_recursion(step):
    x = Value(1.0)
    y = chain(20_000, x * 1, lambda y: step(y, x))
    y.backward()
    expected = x.grad
    copied, restored = copy.deepcopy(y), pickle.loads(pickle.dumps(y))
    for other in (copied, restored):
        leaf = next(node for node in engine.order(other) if not node._children)
        leaf.grad = 0
        other.backward()
        assert leaf.grad == expected
    repr(y)


def test_a_wide_graph_differentiates():
    leaves = [Value(float(i)) for i in range(50_000)]
    sum(leaf * leaf for leaf in leaves).backward()
    assert all(leaf.grad == 2 * leaf.data for leaf in leaves)


def test_a_step_by_hand_deep_in_a_graph_is_reached():
    x = Value(1.0)
    y = chain(5_000, x, sinh_like)
    y.backward()
    assert x.grad == 1.0


def sinh_like(x):
    out = Value(x.data, (x,), "same")

    def _backward():
        x.grad += out.grad

    out._backward = _backward
    return out


# ------------------------------------------------------------------------------- copies, pickles


def graph_with_everything():
    x, y = Value(2.0, label="x"), Value(3.0)
    h = x * y
    x.note = {"about": [1, 2]}
    h.label = "h"
    root = micrograd.where(h > 1, h + 2 * x, y) - Value(1.0, (h,), "by hand", local_grads=(0.5,))
    root.backward()
    return x, y, h, root


def described(root):
    nodes = engine.order(root)
    numbers = {node: i for i, node in enumerate(nodes)}
    return [
        (
            *(node.data, node.grad, node._op, node.label, vars(node).get("note")),
            *(node._local_grads, [numbers[child] for child in node._children]),
        )
        for node in nodes
    ]


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


def pickled_in_python(thing):
    import io

    file = io.BytesIO()
    pickle._Pickler(file).dump(thing)
    return pickle.loads(file.getvalue())


COPIERS = pytest.mark.parametrize(
    "copier",
    [copy.deepcopy, pickled, pickled_in_python]
    + [lambda v, p=p: pickle.loads(pickle.dumps(v, protocol=p)) for p in (0, 1, 2, 4)],
)


@COPIERS
def test_a_copy_has_the_same_graph_numbers_and_attributes(copier):
    *_, root = graph_with_everything()
    copied = copier(root)
    assert copied is not root
    assert described(copied) == described(root)
    assert not set(engine.order(copied)) & set(engine.order(root))


@COPIERS
def test_backward_on_a_copy_reaches_the_copied_leaves_only(copier):
    x = Value(2.0)
    y = x * x * x
    copied = copier(y)
    copied.backward()
    (leaf,) = [node for node in engine.order(copied) if not node._children]
    assert (leaf.grad, x.grad) == (12.0, 0)


@COPIERS
def test_copies_of_lists_keep_what_is_shared(copier):
    x, y, h, root = graph_with_everything()
    other = h * y
    for things in ([x, y, h, root, other], [root, other, h, y, x], [other, x, root, h, y]):
        copied = copier([*things, things[0]])
        assert copied[-1] is copied[0]
        back = dict(zip(things, copied, strict=False))
        assert tuple(back[other]._children) == (back[h], back[y])
        assert tuple(back[h]._children) == (back[x], back[y])
        assert back[h] in engine.order(back[root])
        back[x].grad = back[y].grad = 0
        back[other].backward()
        assert (back[x].grad, back[y].grad) == (9.0, 12.0)


@COPIERS
def test_deep_lists_keep_what_is_shared(copier):
    x = Value(1.0)
    values = [x]
    for _ in range(1_200):
        values.append(values[-1] + x)
    for things in (values, values[::-1], [values[-1], values[500], x]):
        copied = copier(things)
        back = dict(zip(things, copied, strict=True))
        assert back[x] in back[values[-1]]._children
        back[values[-1]].backward()
        assert back[x].grad == 1201.0
    assert x.grad == 0


@pytest.mark.parametrize("turn", [1, -1], ids=["leaves first", "root first"])
def test_the_pickle_of_a_list_grows_with_the_graph_not_with_its_square(turn):
    sizes = []
    for length in (200, 400, 800):
        values = [Value(1.0)]
        for _ in range(length):
            values.append(values[-1] * 0.5)
        sizes.append(len(pickle.dumps(values[::turn])))
    # twice as many values: twice the bytes (references may take 2 bytes or 5), not four times
    assert sizes[2] - sizes[1] < 3 * (sizes[1] - sizes[0])


def test_a_dictionary_of_values_keeps_its_graph():
    x = Value(3.0)
    h = x * x
    state = pickled({"loss": h * 2, "h": h, "parameters": {"x": x}})
    state["loss"].backward()
    assert state["parameters"]["x"].grad == 12.0
    assert state["h"].grad == 2.0


def test_a_shallow_copy_shares_its_operands():
    x = Value(2.0)
    y = x * x
    twin = copy.copy(y)
    assert twin is not y
    assert tuple(twin._children) == (x, x)
    twin.backward()
    assert x.grad == 4.0
    twin.note = 1
    assert not hasattr(y, "note")


def test_a_copied_comparison_still_has_its_truth_value():
    test = Value(1.0) < Value(2.0)
    for copied in (copy.copy(test), copy.deepcopy(test), pickled(test)):
        assert bool(copied) is True


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_graph_with_a_step_by_hand_refuses_to_be_copied(copier):
    x = Value(2.0)
    out = sinh_like(x)
    with pytest.raises(TypeError, match=r"_backward.*(define|local_grads)"):
        copier(out)


@pytest.mark.parametrize("copier", [copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"loss": [v, v]}])
def test_a_step_by_hand_below_is_refused_too(copier, wrap):
    deep = chain(2_000, sinh_like(Value(2.0)))
    with pytest.raises(TypeError, match=r"_backward.*(define|local_grads)"):
        copier(wrap(deep))


def test_a_pickle_of_a_defined_operation_names_what_is_missing(table):
    bump = define("bump_for_pickle", "exp(-(x * x))", ["-2 * x * out"])
    text = pickle.dumps(bump(Value(0.5)) * 2)
    restored = pickle.loads(text)
    restored.backward()
    assert restored.data == 2 * math.exp(-0.25)
    del table["bump_for_pickle"]
    with pytest.raises(KeyError, match=r"define.*bump_for_pickle"):
        pickle.loads(text)


class Named(Value):
    """A subclass, as a user may write it."""

    def __init__(self, data, name):
        super().__init__(data)
        self.name = name

    def shout(self):
        return self.name.upper()


def test_a_subclass_computes_and_is_copied():
    a, b = Named(2.0, "a"), Named(3.0, "b")
    for f, gradients in [
        (lambda: a * b, (3.0, 2.0)),
        (lambda: a * 3 - b, (3.0, -1.0)),
        (lambda: Value(1.0) / a, (-0.25, 0)),
        (lambda: a + Value(1.0) + b.exp() * 0, (1.0, 0)),
        (lambda: micrograd.maximum(a, b), (0, 1.0)),
    ]:
        a.grad = b.grad = 0
        root = f()
        root.backward()
        assert (a.grad, b.grad) == gradients
    assert bool(a < b) is True
    for copier in (copy.copy, copy.deepcopy, pickled):
        twin = copier(a)
        assert type(twin) is Named
        assert (twin.shout(), twin.data) == ("A", 2.0)
    assert type(engine.order(pickled(a * b))[0]) is Named


# ------------------------------------------------------------------------------------------ threads


def in_threads(work, count):
    """Call `work` in so many threads at once; errors come out here."""
    together, failures = threading.Barrier(count), []

    def run():
        try:
            together.wait()
            work()
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=run) for _ in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures


def test_threads_may_share_parameters():
    parameters = [Value(float(i)) for i in range(1, 9)]

    def loss(ps):
        return sum((p * p for p in ps), ps[0] * ps[1])

    def work():
        for _ in range(40):
            loss(parameters).backward()

    in_threads(work, 4)
    once = gradient(lambda *ps: loss(ps), *range(1, 9))
    assert [p.grad for p in parameters] == [4 * 40 * g for g in once]


def test_one_pass_ends_before_another_begins():
    p = Value(2.0)

    def work():
        out = Value(4.0, (p,), "slow")

        def _backward():
            before = p.grad
            time.sleep(0.002)  # another thread would get its turn here
            p.grad = before + 4.0 * out.grad

        out._backward = _backward
        root = out * 3 + p
        for _ in range(5):
            root.backward()

    in_threads(work, 4)
    assert p.grad == 4 * 5 * (4.0 * 3 + 1)


# ------------------------------------------------------------------------------- Python's protocols


def test_format_applies_to_the_number():
    v = Value(1.23456)
    assert f"{v:.3f}" == "1.235"
    assert f"{v:>8.1f}|" == "     1.2|"
    assert f"{v:e}" == "1.234560e+00"
    assert f"{v}" == str(v) == repr(v) == "Value(data=1.23456, grad=0)"
    assert repr(Value(-0.0)) == "Value(data=-0.0, grad=0)"
    assert repr(Value(NAN)) == "Value(data=nan, grad=0)"


def test_values_are_sorted_and_compared_by_their_numbers():
    values = [Value(number) for number in (3.0, -1.0, 2.0)]
    assert [v.data for v in sorted(values)] == [-1.0, 2.0, 3.0]
    assert max(values) is values[0]
    assert min(values) is values[1]
    assert max(*values, key=lambda v: -v.data) is values[1]
    assert max(values[0], 1.0) is values[0]
    assert ("yes" if values[1] < 0 else "no") == "yes"
    assert 0 < values[2] < 5


def test_values_compare_equal_and_hash_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert a != b
    assert (a == b) is False
    assert (a == 1.0) is False
    assert len({a, b}) == 2
    assert a in [b, a]
    assert a not in [b]
    before = hash(a)
    a.data = 7.0
    assert hash(a) == before


def test_a_value_is_no_sequence_and_no_index():
    v = Value(1.0)
    for call in (len, iter, list, operator.index, lambda v: v[0], lambda v: [1, 2][v]):
        with pytest.raises(TypeError):
            call(v)


def test_methods_have_docstrings_and_source():
    for row in ops.TABLE.values():
        for name in methods.method_names(row):
            method = getattr(Value, name)
            assert row.name in method.__doc__
            source = inspect.getsource(method)
            assert source.startswith(f"def {method.__name__}(self")
            assert "return" in source
        function = getattr(micrograd, row.name)
        assert function.__doc__
        assert function.__name__ == row.name
    assert "1 - out * out" in Value.tanh.__doc__
    assert "tanh(" in inspect.getsource(Value.tanh)


def test_a_traceback_shows_the_line_of_a_method():
    with pytest.raises(TypeError) as caught:
        Value(1.0) + "3"
    text = "".join(traceback.format_exception(caught.value))
    frame = next(f for f in caught.traceback if f.name == "__add__")
    line = str(frame.statement).strip()
    assert line
    assert line in inspect.getsource(Value.__add__)
    assert line in text


def test_a_defined_method_has_source_too(table):
    define("cubed_for_source", "x * x * x", ["3 * x * x"])
    assert "x * x * x" in inspect.getsource(Value.cubed_for_source)
    define("cubed_for_source", "x ** 3", ["3 * x ** 2"])
    assert "pow(x, 3" in inspect.getsource(Value.cubed_for_source)
    assert "tanh(" in inspect.getsource(Value.tanh)


# ------------------------------------------------------------------------------ memory, determinism


def test_a_value_takes_at_most_two_hundred_bytes():
    count = 20_000
    for step in (lambda y, x: y * x, lambda y, x: y + 1.0, lambda y, x: y.tanh()):
        x = Value(0.5)
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            y = chain(count, x, lambda y, step=step, x=x: step(y, x))
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (after - before) / count <= 200
        del y


def test_a_graph_makes_no_reference_cycles():
    import weakref

    gc.disable()
    try:
        x = Value(2.0)
        y = (x * x).tanh() + 1
        y.backward()
        watched = weakref.ref(vars(y).setdefault("probe", Probe()))
        del y
        assert watched() is None
    finally:
        gc.enable()


class Probe:
    pass


PROGRAM = """
    import os, random
    junk = [object() for _ in range(int.from_bytes(os.urandom(2), "big"))]
    random.seed(3)
    from nn import MLP
    model = MLP(2, [6, 6, 1])
    points = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(5)]
    for _ in range(8):
        loss = sum((model(p) - p[0] * p[1]) ** 2 for p in points)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.01 * p.grad
    print(loss.data.hex(), [p.grad.hex() for p in model.parameters()])
"""


def test_the_same_program_gives_the_same_bits_in_every_process():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(outputs) == 1
    assert "0x" in outputs.pop()


def test_importing_the_engine_is_light():
    code = (
        "import sys, micrograd, nn; print([m for m in ('numpy', 'graphviz', 'numba', 'jax',"
        " 'hypothesis', 'matplotlib') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------------- define


def test_a_defined_operation_is_a_method_a_function_and_a_word_of_formulas(table):
    wave = define("wave_t", "sin(x) * exp(-x)", ["exp(-x) * (cos(x) - sin(x))"])
    x = Value(0.5)
    y = x.wave_t()
    y.backward()
    assert wave.__name__ == "wave_t"
    assert wave(Value(0.5)).data == y.data == wave(0.5)
    assert type(wave(1)) is float
    assert y._op == "wave_t"
    assert tuple(y._children) == (x,)
    slope = math.exp(-0.5) * (math.cos(0.5) - math.sin(0.5))
    assert x.grad == pytest.approx(slope, rel=8 * 2.0**-53)
    double = define("double_wave_t", "2 * wave_t(x)", ["2 * exp(-x) * (cos(x) - sin(x))"])
    assert double(Value(0.5)).data == 2 * y.data
    assert "sin(x) * exp(-x)" in wave.__doc__
    define("wave_symbol_t", "x", ["1"], symbol="~")
    assert Value(1.0).wave_symbol_t()._op == "~"


def test_a_defined_operation_of_two_operands_takes_numbers_on_either_side(table):
    blend = define("blend_t", "x * y + y", ["y", "x + 1"])
    for f, expected, gradients in [
        (lambda a, b: blend(a, b), 8.0, [2.0, 4.0]),
        (lambda a, b: a.blend_t(b), 8.0, [2.0, 4.0]),
        (lambda a, b: blend(a, 2), 8.0, [2.0, 0]),
        (lambda a, b: blend(3, b), 8.0, [0, 4.0]),
        (lambda a, b: blend(b, a), 9.0, [3.0, 3.0]),
        (lambda a, b: blend(a, a), 12.0, [7.0, 0]),
    ]:
        a, b = Value(3.0), Value(2.0)
        y = f(a, b)
        y.backward()
        assert (y.data, [a.grad, b.grad]) == (expected, gradients)
    assert blend(3, 2) == 8.0


def test_a_defined_operation_may_have_three_operands(table):
    fma = define("fma_t", "x * y + z", ["y", "x", "1"])
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    y = fma(a, b, c)
    assert tuple(y._children) == (a, b, c)
    (y * 2).backward()
    assert [v.grad for v in (a, b, c)] == [6.0, 4.0, 2.0]
    y = fma(2.0, b, 1)
    assert tuple(y._children) == (b,)
    assert y.data == 7.0
    a.grad = 0
    a.fma_t(a, a).backward()
    assert a.grad == 5.0
    assert fma(1, 2, 3) == 5.0
    nested = define("fma_twice_t", "fma_t(x, y, fma_t(x, x, y))", ["y + 2 * x", "x + 1"])
    assert nested(2.0, 3.0) == 13.0
    assert gradient(nested, 2.0, 3.0) == [7.0, 3.0]


def test_a_defined_operation_follows_ieee(table):
    safe = define("quotient_t", "1 / x + log(x)", ["-1 / (x * x) + 1 / x"])
    assert math.isnan(safe(0.0)) or safe(0.0) == INF
    assert math.isnan(Value(0.0).quotient_t().data) or Value(0.0).quotient_t().data == INF
    assert define("tower_t", "exp(exp(x))", ["out * exp(x)"])(Value(1000.0)).data == INF


def test_ones_own_row_may_be_defined_again_and_the_last_one_counts(table):
    define("again_t", "x", ["1"])
    assert define("again_t", "x * x", ["2 * x"])(3) == 9.0
    assert gradient(lambda x: x.again_t(), 3.0) == [6.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("again_u", "x * y", ["y", "x"]), "another number of operands"),
        (("again_u", "user_u(x)", ["1"]), "a formula that comes back to itself"),
    ],
    ids=["arity", "cycle"],
)
def test_redefining_a_row_never_breaks_the_rows_that_use_it(table, change, message):
    define("again_u", "x", ["1"])
    define("user_u", "again_u(x) + 1", ["1"])
    with contextlib.suppress(ValueError):  # it may be refused
        define(*change)
    assert Value(2.0).user_u().data == 3.0, f"after {message}"


@pytest.mark.parametrize("name", ["add", "tanh", "where", "relu", "lt", "detach"])
def test_a_built_in_row_is_not_redefined(table, name):
    before = table[name]
    with pytest.raises(ValueError, match=name):
        define(name, "x", ["1"])
    assert table[name] is before


TAKEN = "data grad label backward x y z out self other lambda if None True _row __add__ _new"
NO_NAMES = ["", " ", "a b", "1a", "a-b", "a.b", "a\n", "f()"]
LOOK_ALIKES = ["\uff44ata", "ba\uff43kward", "\ufb01x"]  # Python reads them as data, backward, fix


@pytest.mark.parametrize("name", [*TAKEN.split(), *NO_NAMES, *LOOK_ALIKES], ids=ascii)
def test_names_that_are_taken_or_no_names_are_refused(table, name):
    before, attributes = dict(table), set(vars(methods.Methods))
    with pytest.raises(ValueError, match="operation"):
        define(name, "x * x", ["2 * x"])
    assert dict(table) == before
    assert set(vars(methods.Methods)) == attributes
    assert Value(1.0).data == 1.0


@pytest.mark.parametrize("name", [None, 3, ["a"], b"a"])
def test_a_name_is_text(table, name):
    with pytest.raises((ValueError, TypeError)):
        define(name, "x", ["1"])


HOSTILE_FORMULAS = [
    "x.real",
    "x.__class__",
    "exp.__globals__",
    "(1).__class__",
    "__import__('os').getcwd()",
    "__import__(x)",
    "__builtins__",
    "open(x)",
    "eval(x)",
    "getattr(x, x)",
    "(lambda: x)()",
    "(lambda x: x)(x)",
    "[x for x in x]",
    "sum(x for x in x)",
    "{x: x}",
    "{x}",
    "[x]",
    "(x,)",
    "x, x",
    "(a := x)",
    "a := x",
    "f'{x}'",
    "'x'",
    "x * 'x'",
    "b'x'",
    "x[0]",
    "x[0:1]",
    "exp(*x)",
    "exp(**x)",
    "exp(x=x)",
    "exp(x, base=x)",
    "exp(x, **x)",
    "maximum(x, *x)",
    "maximum(x)",
    "exp(x, x)",
    "exp",
    "x + exp",
    "x(1)",
    "x < x < x",
    "0 < x <= 1",
    "x == 1",
    "x != 1",
    "x is x",
    "x in x",
    "x and x",
    "not x",
    "~x",
    "x // 2",
    "x % 2",
    "x @ x",
    "x & x",
    "x << x",
    "x if x else x",
    "True",
    "x + True",
    "x + None",
    "x + ...",
    "x + 1j",
    "yield x",
    "await x",
    "x; x",
    "x = 1",
    "x +",
    "",
    "   ",
    "x)",
    "(x",
    "import os",
    "nosuch(x)",
    "nosuch",
    "\u0445 * \u0445",
    "x + \u0395",
    "x \u2212 1",
    "x\x00",
    "\ud800",
    "9**9**9",
    "1.0",
    "y",
    "x + z",
    "out",
    "x + out",
    "self(x)",
    "hostile_t(x)",
    "x + " + "1" * 5000,
    "x" + " + x" * 20_000,
    "exp(" * 400 + "x" + ")" * 400,
    "(" * 5_000 + "x" + ")" * 5_000,
    "-" * 5_000 + "x",
]


def unchanged(table, call, *words):
    """`call` raises a ValueError with these words and leaves every room of the table alone."""
    rooms = (table, formulas.FLOATS, formulas.IEEE, vars(methods.Methods))
    before = [dict(room) for room in rooms]
    with pytest.raises(ValueError, match=words[0]) as caught:
        call()
    assert all(word in str(caught.value) for word in words)
    assert [dict(room) for room in rooms] == before


@pytest.mark.parametrize("text", HOSTILE_FORMULAS, ids=lambda text: ascii(text[:30]))
def test_a_formula_that_is_not_arithmetic_is_refused_and_changes_nothing(table, text):
    unchanged(table, lambda: define("hostile_t", text, ["1"]), "hostile_t")


LEGAL_PARTIALS = ("1.0", "out", "x + out", "9**9**9", "hostile_t(x)")


@pytest.mark.parametrize(
    "text", [t for t in HOSTILE_FORMULAS if t not in LEGAL_PARTIALS], ids=lambda t: ascii(t[:30])
)
def test_a_partial_that_is_not_arithmetic_is_refused_and_changes_nothing(table, text):
    unchanged(table, lambda: define("hostile_t", "x", [text]), "hostile_t", "partial")


@pytest.mark.parametrize("text", ["x.real", "open(x)", "x +", "y", "out", "nosuch(x)"])
@pytest.mark.parametrize("column", ["domain", "kink"])
def test_the_other_formulas_of_a_row_are_checked_too(table, column, text):
    unchanged(table, lambda: define("hostile_t", "x", ["1"], **{column: text}), "hostile_t", column)


@pytest.mark.parametrize(
    "partials",
    [[], ["1", "1"], "1", None, 1, {"1"}, [1], [None], [b"1"], (text for text in ["1"])],
    ids=repr,
)
def test_partials_are_a_list_of_formulas_one_per_operand(table, partials):
    unchanged(table, lambda: define("hostile_t", "x", partials), "hostile_t")


@pytest.mark.parametrize("formula", [None, 1, b"x", ["x"], lambda x: x], ids=repr)
def test_a_formula_is_text(table, formula):
    unchanged(table, lambda: define("hostile_t", formula, ["1"]), "hostile_t")


@pytest.mark.parametrize("depth", [10, 50, 100, 150, 200, 300, 350, 400, 600, 900, 1200, 2400])
@pytest.mark.parametrize(
    "nest",
    [
        pytest.param(lambda n: "x" + "+x" * n, id="sum"),
        pytest.param(lambda n: "-" * n + "x", id="signs"),
        pytest.param(lambda n: "x*(" * n + "x" + ")" * n, id="parentheses"),
        pytest.param(lambda n: "exp(" * n + "x" + ")" * n, id="calls"),
        pytest.param(lambda n: "x" + "**x" * n, id="towers"),
    ],
)
def test_a_nested_formula_either_works_or_is_refused_and_changes_nothing(table, nest, depth):
    rooms = (table, formulas.FLOATS, formulas.IEEE, vars(methods.Methods))
    before = [dict(room) for room in rooms]
    for columns in (
        {"formula": nest(depth), "partials": ["1"]},
        {"formula": "x", "partials": [nest(depth)]},
    ):
        try:
            deep = define("nested_t", **columns)
        except ValueError:
            assert [dict(room) for room in rooms] == before
        else:
            assert type(deep(0.0)) is float
            deep(Value(0.0)).backward()
            del table["nested_t"], formulas.FLOATS["nested_t"], formulas.IEEE["nested_t"]
            delattr(methods.Methods, "nested_t")


def test_huge_numbers_in_a_formula_are_infinite_and_do_not_take_for_ever(table):
    code = """
        from micrograd import Value, define
        for text in ("x + 9**9**9", "x + " + "1" * 4000, "x + 1e999"):
            try:
                tower = define("tower_t", text, ["1"])
            except ValueError as error:
                assert "tower_t" in str(error)
            else:
                assert tower(1.0) == float("inf")
                assert tower(Value(1.0)).data == float("inf")
        print("done")
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.stdout == "done\n", result.stderr


def test_names_of_python_and_of_the_vocabularies_are_unknown_to_formulas(table):
    for text in ("print(x)", "int(x)", "float(x)", "pow(x)", "div(x)", "min(x, x)", "_exp(x)"):
        unchanged(table, lambda text=text: define("hostile_t", text, ["1"]), "hostile_t")
