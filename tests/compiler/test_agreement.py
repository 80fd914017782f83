"""Compiled functions agree with eager mode in values and gradients, at special numbers too.

Sums may be added up in another order, and functions of NumPy and of the math library differ in the
last place. A result is compared with a tolerance of 2**-40 of the largest number that occurs in the
eager graph or among its adjoints, times the number of operations: one rounding of 2**-53 each,
enlarged by up to 2**13 in functions that are steep.
"""

from __future__ import annotations

import math
import pickle
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from micrograd import (
    Value,
    atan,
    atan2,
    define,
    derivative,
    detach,
    exp,
    functions,
    grad,
    log,
    maximum,
    minimum,
    sqrt,
    where,
)
from micrograd.compiler import compile  # noqa: A004
from micrograd.derivation.chain import Chain
from micrograd.ops import ROWS, TABLE
from micrograd.testing.strategies import expressions
from nn import MLP
from tests.compiler.conftest import QUICK

SLACK = 2.0**-40


def eager(f, *at):
    """Return the value, the gradient, and the scale of errors that any order of sums may make."""
    leaves = [Value(x) for x in at]
    out = f(*leaves)
    if not isinstance(out, Value):
        return float(out), [0.0] * len(at), abs(out)
    chain = Chain(out)
    sizes = [abs(node.data) for node in chain.nodes]
    sizes += [abs(flow.share) for flow in chain.contributions]
    largest = max((size for size in sizes if math.isfinite(size)), default=1.0)
    return (
        out.data,
        [chain.adjoints.get(leaf, 0.0) for leaf in leaves],
        largest * len(chain.nodes),
    )


def agree(got, expected, scale):
    if not math.isfinite(expected):
        return got == expected or (got != got and expected != expected)
    return abs(got - expected) <= SLACK * max(scale, abs(expected))


def chaotic(f, at):
    """Whether rounding matters: f or a slope changes where arguments move by 2**-40."""
    value, gradient, scale = eager(f, *at)
    for factor in (1 - SLACK, 1 + SLACK):
        moved, slopes, _ = eager(f, *(x * factor for x in at))
        if not all(map(agree, [moved, *slopes], [value, *gradient], [scale] * (len(at) + 1))):
            return True
    return False


def with_examples(backend, count, **strategies):
    """A decorator that calls a test on random examples: few for XLA, which takes long for each."""
    few = {"jax": count // 8}.get(backend, count)
    check = settings(max_examples=few, suppress_health_check=[HealthCheck.too_slow])
    return lambda test: check(given(**strategies)(test))()


@pytest.mark.slow
@pytest.mark.usefixtures("quick_xla")
def test_random_expressions_agree_one_by_one(backend):
    @with_examples(backend, 60, expression=expressions())
    def check(expression):
        value, gradient, scale = eager(expression, *expression.at)
        compiled = compile(expression, backend=backend)
        got, slopes = compiled.value_and_grad(*expression.at)
        found = [agree(compiled(*expression.at), value, scale), agree(got, value, scale)]
        for slope, expected in zip(np.atleast_1d(slopes), gradient, strict=True):
            found.append(agree(slope, expected, scale))
        assert all(found) or chaotic(expression, expression.at)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "log_ndtr", "softplus"])
def test_functions_and_two_derivatives_at_infinity_are_those_of_eager_mode(name, backend):
    f, at = getattr(functions, name), [-math.inf, -1e308, 1e308, math.inf]
    for g in (f, grad(f), grad(grad(f))):
        found = compile(g, batched=True, backend=backend)(at)
        assert found.tolist() == [g(x) for x in at]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_xla")
def test_random_expressions_agree_in_batches(backend):
    special = st.sampled_from([0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 1e300, -700.0])
    number = st.one_of(st.floats(-3, 3, allow_subnormal=False), special)  # XLA makes these 0

    @with_examples(backend, 40, expression=expressions(), data=st.data())
    def check(expression, data):
        samples = [expression.at] + [
            tuple(data.draw(number) for _ in expression.at)
            for _ in range(data.draw(st.integers(0, 4)))
        ]
        compiled = compile(expression, batched=True, backend=backend)
        columns = [np.array(column) for column in zip(*samples, strict=True)]
        values = compiled(*columns)
        got, slopes = compiled.value_and_grad(*columns)
        slopes = slopes if isinstance(slopes, tuple) else (slopes,)
        for i, sample in enumerate(samples):
            value, gradient, scale = eager(expression, *sample)
            found = [agree(values[i], value, scale), agree(got[i], value, scale)]
            if all(map(math.isfinite, [value, *gradient])):
                found += [agree(c[i], g, scale) for c, g in zip(slopes, gradient, strict=True)]
            assert all(found) or chaotic(expression, sample)


PLAIN = (0.0, 0.5, 1.0, -1.0, 2.0, -2.5)
SPECIALS = (0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -2.5, 700.0, -750.0, math.inf, -math.inf, math.nan)


def operation(name):
    """An operation of the table as a function."""
    return {
        "add": lambda x, y: x + y, "sub": lambda x, y: x - y, "mul": lambda x, y: x * y,
        "div": lambda x, y: x / y, "pow": lambda x, y: x**y, "neg": lambda x: -x,
        "abs": abs, "lt": lambda x, y: x < y, "le": lambda x, y: x <= y,
        "gt": lambda x, y: x > y, "ge": lambda x, y: x >= y,
        "eq": functions.eq, "ne": functions.ne,
        "mod": lambda x, y: x % y, "floordiv": lambda x, y: x // y,
    }.get(name, lambda x, *others: getattr(x, name)(*others))  # fmt: skip


def test_the_sign_of_a_zero_is_that_zero(backend):
    signs = compile(lambda x: x.sign(), batched=True, backend=backend)(np.array([0.0, -0.0]))
    assert np.signbit(signs).tolist() == [False, True]
    assert signs.tolist() == [0.0, 0.0]


@cache
def at_special_numbers(name):
    """All combinations of special numbers, one in each column, and what eager mode gives there."""
    arity, function = TABLE[name].arity, operation(name)
    numbers = SPECIALS if arity < 3 else (*PLAIN, math.inf, math.nan)
    grid = np.array(np.meshgrid(*[numbers] * arity)).reshape(arity, -1)
    values, slopes, _ = zip(*(eager(function, *sample) for sample in grid.T.tolist()), strict=True)
    return grid, np.array(values), np.array(slopes).T


def assert_close(found, expected, at, **tolerance):
    """Check all numbers at once, and name the samples at which they differ."""
    wrong = ~np.isclose(found, expected, equal_nan=True, **tolerance)
    assert not wrong.any(), [
        {"at": tuple(sample), "found": a, "expected": b}
        for sample, a, b in zip(at.T[wrong].tolist(), found[wrong], expected[wrong], strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_every_operation_agrees_at_ordinary_and_special_numbers(backend, name):
    # Four units in the last place; but the hyperbolic functions of XLA lose ten bits at 700.
    accuracy = 2.0**-50 if backend in ("numpy", "reference") else 2.0**-43
    tiny = 2.0**-1022 if backend == "jax" else 5e-324  # XLA takes subnormal numbers for zeros
    grid, expected, expected_slopes = at_special_numbers(name)
    compiled = compile(operation(name), batched=True, backend=backend)
    values, slopes = compiled.value_and_grad(*grid)
    slopes = slopes if isinstance(slopes, tuple) else (slopes,)
    near = 1e-14 if name == "lgamma" else tiny  # between its zeros, a sum of larger terms
    assert_close(values, expected, grid, rtol=accuracy, atol=near)
    for column, wanted in zip(slopes, expected_slopes, strict=True):
        assert_close(column, wanted, grid, rtol=4 * accuracy, atol=tiny)


@pytest.mark.slow
@pytest.mark.parametrize("name", [row.name for row in ROWS if len(row.partials) == 1])
def test_single_precision_is_double_precision_with_fewer_digits(backend, name):
    x = np.linspace(-12, 12, 97)  # which single precision holds
    f = operation(name)
    double, expected = compile(f, batched=True, backend="numpy").value_and_grad(x)
    single, slopes = compile(f, batched=True, backend=backend, dtype="float32").value_and_grad(x)
    # A few roundings of 2**-24, enlarged where terms cancel.
    assert np.allclose(single, double, rtol=2.0**-20, atol=2.0**-20, equal_nan=True)
    assert np.allclose(slopes, expected, rtol=2.0**-18, atol=2.0**-18, equal_nan=True)


def second_derivatives(name):
    """Functions of the operands of an operation that compute second derivatives."""
    function, arity = operation(name), TABLE[name].arity

    def second(outer, along, *at):
        slopes = derivative(outer(function(*at)) + 0.0 * sum(at), list(at))
        return [derivative(slope + 0.0 * at[0], x) for slope, x in along(slopes, at)]

    def of_a_square(*at):
        """Second derivatives of a square, whose adjoint is zero where the operation is."""
        return second(lambda v: v**2, zip, *at)

    def of_an_arctangent(*at):
        """All second derivatives of an arctangent, which stays tame where the operation is wild."""
        return second(atan, product, *at) if arity < 3 else []

    return of_a_square, of_an_arctangent


@cache
def second_derivatives_by_values(name):
    """Plain and wild samples, one in each column, and the second derivatives of each by Values."""
    arity = TABLE[name].arity
    wild = np.array(np.meshgrid(*[SPECIALS if arity < 3 else PLAIN] * arity)).reshape(arity, -1)
    plain = np.array(np.meshgrid(*[PLAIN] * arity)).reshape(arity, -1)
    return [
        (at, np.array([[x.data for x in f(*map(Value, sample))] for sample in at.T.tolist()]).T)
        for at, f in zip((plain, wild), second_derivatives(name), strict=True)
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_xla")
@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_derivatives_within_a_function_follow_the_rule_for_zero_times_infinity(backend, name):
    of_a_square, of_an_arctangent = second_derivatives(name)
    arity = TABLE[name].arity
    program = compile(
        lambda *at: [*of_a_square(*at), *of_an_arctangent(*at)], batched=True, backend=backend
    )
    (plain, squares), (wild, arctangents) = second_derivatives_by_values(name)
    for at, chosen, expected, accuracy in (
        # A dozen roundings, some of which cancel, of numbers below 100 here.
        (plain, slice(arity), squares, 1e-13),
        # Zeros, infinities and nan are told apart here, not digits.
        (wild, slice(arity, None), arctangents, 1e-9),
    ):
        # All batches have one size, because JAX compiles a program for each size.
        columns = program(*np.resize(at.T, wild.T.shape).T)[chosen]
        for column, wanted in zip(columns, expected, strict=True):
            found = np.broadcast_to(column, wild.shape[1])[: at.shape[1]]
            assert_close(found, wanted, at, rtol=accuracy, atol=accuracy)


@pytest.mark.usefixtures("quick_xla")
def test_a_nan_of_a_plain_product_is_not_lost_in_a_comparison(backend):
    """Inner derivatives are computed by plain products first, for which 0 * inf is nan."""
    inner = grad(lambda t: atan(2 * exp(t)))
    for f in (
        lambda x: where(inner(x) >= 0.0, 1.0, 2.0),
        lambda x: where(inner(x) == 0.0, x, 2.0) + inner(x),
        lambda x: where(inner(x), 1.0, x),
        lambda x: (inner(x) <= 0.0) * x,
        lambda x: detach(inner(x)) + x,
    ):
        compiled = compile(f, backend=backend)
        for x in (1000.0, 1.0, math.inf):
            value, slope = compiled.value_and_grad(x)
            expected = Value(x)
            root = f(expected)
            root.backward()
            assert compiled(x) == value == pytest.approx(root.data, rel=1e-14)
            assert slope == pytest.approx(expected.grad, rel=1e-14, abs=1e-14)
    batched = compile(inner, batched=True, backend=backend)
    assert batched([1000.0, 0.0, 1000.0]).tolist() == pytest.approx([0.0, 0.4, 0.0], rel=1e-14)
    values, slopes = batched.value_and_grad([1000.0, 0.0])
    assert values.tolist() == pytest.approx([0.0, 0.4], rel=1e-14)
    assert slopes.tolist() == pytest.approx([0.0, 0.4 - 0.64], rel=1e-13)
    w = Value(2.0)
    learned = compile(
        lambda x: grad(lambda t: atan(w * exp(t)))(x), [w], batched=True, backend=backend
    )
    x = np.array([1000.0, 0.0])
    for parameters in (None, [2.0], np.array([2.0]), np.array([2.0])):
        mean, gradient = learned.value_and_grad(x, parameters=parameters)
        assert mean == pytest.approx(0.2, rel=1e-14)
        assert gradient.tolist() == pytest.approx([-0.06], rel=1e-13)
    # The gradient of w is finite where a nan is in the value alone.
    beside = compile(lambda x: detach(inner(x)) + w * w, [w], batched=True, backend=backend)
    for parameters in (None, np.array([2.0]), np.array([2.0])):
        mean, gradient = beside.value_and_grad(x, parameters=parameters)
        assert mean == pytest.approx(4.2, rel=1e-14)
        assert gradient.tolist() == [4.0]
    again = pickle.loads(pickle.dumps(batched))
    assert again([1000.0, 0.0]).tolist() == pytest.approx([0.0, 0.4], rel=1e-14)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_xla")
def test_second_derivatives_of_random_expressions_agree(backend):
    @with_examples(backend, 30, expression=expressions())
    def check(expression):
        def curvature(*at):
            slopes = derivative(expression(*at) + 0.0 * sum(at), list(at))
            return derivative(sum(slopes) + 0.0 * at[0], at[0])

        value, _, scale = eager(curvature, *expression.at)
        found = compile(curvature, backend=backend)(*expression.at)
        assert agree(found, value, scale) or chaotic(curvature, expression.at)


@pytest.mark.usefixtures("quick_xla")
def test_what_overflows_within_a_function_does_so_in_every_executor(backend):
    f = compile(
        lambda x: [log(exp(x)), log((x / 800) ** 200.0), exp(x) * exp(-x)],
        batched=True,
        backend=backend,
    )
    over, under, product = f([800.0, -800.0, 1.0])
    assert over.tolist() == [math.inf, -math.inf, pytest.approx(1.0)]
    assert under.tolist()[2] == -math.inf
    assert product.tolist()[2] == pytest.approx(1.0)
    assert np.isnan(product[:2]).all()


@pytest.mark.usefixtures("quick_xla")
def test_the_value_beside_a_gradient_is_that_of_a_plain_call_also_where_sums_overflow(backend):
    for f, at in (
        (lambda x, y: (x * -1e10 + x * x) * y, (1e300, 1.0)),
        (lambda x, y: 1 / (x - y - (x - 2 * y)) + x * x, (1e300, 7.0)),
        (lambda x, y: (x - x + y.sqrt()) ** -0.5 + x * x, (1e300, 0.0)),
    ):
        program = compile(f, backend=backend)
        np.testing.assert_equal(program.value_and_grad(*at)[0], program(*at))
        batch = [[number] * 9 for number in at]
        program = compile(f, batched=True, backend=backend)
        np.testing.assert_equal(program.value_and_grad(*batch)[0], program(*batch))


REWRITTEN = {
    "x / y / z": ((1e300, 1e200, 1e200), lambda x, y, z: x / y / z),
    "x / (y / z)": ((1e200, 1e300, 1e200), lambda x, y, z: x / (y / z)),
    "x / y / (z / y)": ((1e300, 1e200, 1e150), lambda x, y, z: x / y / (z / y)),
    "x / 1e-300": ((1e-300, 2.0, 0.5), lambda x, y, z: 1 / (x / 1e-300 - 1) + y * z),
    "1 / (1 / x) / y": ((1e300, 1e-300, 2.0), lambda x, y, z: z / (1 / x) / (1 / y)),
    "sqrt(x * x)": ((1e200, -1e200, 0.5), lambda x, y, z: sqrt(x * x) + sqrt(y * y) * z),
    "sqrt(x) * sqrt(x)": ((-1.0, 2.0, 3.0), lambda x, y, z: sqrt(x) * sqrt(x) + y * z),
    "x / sqrt(x)": ((2.0, 3.0, -1.0), lambda x, y, z: y / sqrt(z * z * z)),
    "log(exp(x))": ((800.0, -800.0, 1.0), lambda x, y, z: log(exp(x)) * log(exp(y)) + z),
    "exp(x) * exp(y)": ((800.0, -700.0, -800.0), lambda x, y, z: exp(x) * exp(y) + exp(z)),
    "x / exp(y)": ((1e-300, 1e-300, -800.0), lambda x, y, z: x / exp(z) * y),
    "log(x ** y)": ((-3.0, 2.0, 200.0), lambda x, y, z: log(x**y) + log((x * x) ** (z * 4))),
    "(x ** y) ** z": ((1e200, 2.0, 0.5), lambda x, y, z: (x**y) ** z),
    "exp(x) ** y": ((800.0, 0.5, 1.0), lambda x, y, z: exp(x) ** y * z),
    "x * 1e300 * 1e300": ((1e-300, 1e-300, 1.0), lambda x, y, z: x * 1e300 * 1e300 * y * z),
    "1e300 * x * (1e300 * y)": ((1e-300, 1e-300, 1.0), lambda x, y, z: x * 1e300 * (y * 1e300) * z),
    "x / 2 + y / 2": ((1.5e308, 1.5e308, 1.0), lambda x, y, z: x * 0.5 + y * 0.5 + z),
    "-(x - y)": ((2.0, 2.0, -0.0), lambda x, y, z: 1 / -(x - y) + 1 / z),
    "x - x": ((math.inf, 2.0, 3.0), lambda x, y, z: x - x + y * z),
    "x * 0": ((math.inf, 2.0, 3.0), lambda x, y, z: x * 0 + y * z),
    "maximum(x, y)": ((0.0, -0.0, 1.0), lambda x, y, z: 1 / maximum(x, y) + z / maximum(y, x)),
    "minimum(x, y)": ((0.0, -0.0, 1.0), lambda x, y, z: 1 / minimum(x, y) + 2 * z),
}


FORMS = ["numbers", "a batch", "a parameter", "a tape"]


@pytest.mark.slow
@pytest.mark.parametrize("name", REWRITTEN)
@pytest.mark.parametrize(
    ("backend", "form"),
    [
        *((backend, form) for backend in QUICK for form in FORMS),
        # JAX alone has two ways to run a tape.
        *(pytest.param("jax", form, marks=pytest.mark.exhaustive) for form in [*FORMS, "a loop"]),
    ],
    indirect=["backend"],
)
def test_what_algebra_would_rewrite_is_computed_as_written(
    name, form, backend, monkeypatch, request
):
    at, f = REWRITTEN[name]
    if form in ("a parameter", "a tape", "a loop"):  # in the others, XLA is as a user has it
        request.getfixturevalue("quick_xla")
    value, gradient, _ = eager(f, *at)
    if form == "a loop":  # XLA sees one operation at a time
        monkeypatch.setattr("micrograd.compiler.jax.run.UNROLLED", 0)
    if form in ("a tape", "a loop"):  # XLA sees all operations of a tape, with barriers between
        monkeypatch.setattr("micrograd.compiler.planning.planner.LEAST_STEPS", 1)
    if form == "a parameter":
        x, z = Value(at[0]), Value(at[2])
        program = compile(lambda y: f(x, y, z), [x, z], batched=True, backend=backend)
        found, args, gradient = program([at[1]]), ([at[1]],), gradient[::2]
    elif form == "a batch":
        args = [[number] * 9 for number in at]
        program = compile(f, batched=True, backend=backend)
        found = program(*args)
    else:
        program, args = compile(f, backend=backend), at
        found = program(*at)
    got, slopes = program.value_and_grad(*args)
    for each, expected in ((found, value), (got, value), *zip(slopes, gradient, strict=True)):
        # Some ten roundings, enlarged by a power of 200.
        np.testing.assert_allclose(np.ravel(each)[0], expected, rtol=2000 * 2.0**-52)


# ---------------------------------------------------------------------------------------- networks


@pytest.mark.slow
@pytest.mark.usefixtures("quick_xla")
@pytest.mark.parametrize("samples", [1, 2, 7])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "sin"])
def test_the_loss_of_a_network_over_a_batch_agrees(backend, samples, activation):
    model = MLP(3, [5, 4, 1], activation=activation)
    parameters = model.parameters()

    def loss(x, y):
        return (model(x) - y) ** 2 + 0.01 * sum(p * p for p in parameters)

    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(samples, 3)), generator.normal(size=samples)
    value, gradient = compile(loss, parameters, batched=True, backend=backend).value_and_grad(X, y)
    for p in parameters:
        p.grad = 0
    mean = sum(loss(a, b) for a, b in zip(X, y, strict=True)) / samples
    mean.backward()
    # Some 200 roundings a sample, of numbers below 100.
    assert abs(value - mean.data) <= 1e-12
    assert np.abs(gradient - [p.grad for p in parameters]).max() <= 1e-12


@pytest.mark.usefixtures("quick_xla")
def test_one_model_applied_several_times_shares_its_weights(backend):
    model = MLP(2, [3, 2])

    def f(x):
        a = model(x)
        return sum(v.tanh() for v in model(a)) + a[0] * a[1]

    X = np.random.default_rng(1).normal(size=(5, 2))
    value, gradient = compile(f, model.parameters(), batched=True, backend=backend).value_and_grad(
        X
    )
    mean = sum(f(x) for x in X) / 5
    mean.backward()
    assert abs(value - mean.data) <= 1e-13
    assert np.abs(gradient - [p.grad for p in model.parameters()]).max() <= 1e-13


@pytest.mark.usefixtures("quick_xla")
def test_operations_of_a_user_are_compiled(backend):
    squash = define("squash_for_compiler", "x / (1 + abs(x))", ["1 / square(1 + abs(x))"])
    compiled = compile(lambda x: squash(x * 2) + squash(x) ** 3, backend=backend)
    value, gradient, scale = eager(lambda x: squash(x * 2) + squash(x) ** 3, 0.75)
    assert agree(compiled.value_and_grad(0.75)[0], value, scale)
    assert agree(compiled.value_and_grad(0.75)[1], gradient[0], scale)


# ----------------------------------------------------------------------------------- zeros and ties


def test_an_adjoint_of_zero_stops_even_before_an_infinite_slope(backend):
    f = compile(lambda x: where(x > 0, x.log(), 0 * x), batched=True, backend=backend)
    assert f.value_and_grad([0.0, 1.0])[1].tolist() == [0.0, 1.0]
    w = Value(math.inf)
    g = compile(
        lambda x: where(x > 5, x * w * 2 + x * 3 + x, x), [w], batched=True, backend=backend
    )
    assert g.value_and_grad([1.0])[1].tolist() == [0.0]


@pytest.mark.usefixtures("quick_xla")
def test_zeros_of_both_factors_stop_in_a_matrix_product(backend):
    weights = [[0.0, 1.0, -1.0], [5.0, 2.0, -2.5], [7.0, 3.0, -3.5]]

    def f(x):
        return sum(sum(a * b for a, b in zip(row, x, strict=True)).sqrt() for row in weights)

    # The first row gives 0, whose root has an infinite slope: it meets the weight 0.
    slopes = compile(f, batched=True, backend=backend).value_and_grad(np.ones((2, 3)))[1]
    others = [sum(row[0] / math.sqrt(sum(row)) / 2 for row in weights[1:])] * 2
    assert slopes[:, 0].tolist() == pytest.approx(others, rel=1e-15)
    assert slopes[:, 1:].tolist() == [[math.inf, -math.inf]] * 2
    parameters = [Value(w) for row in weights for w in row]

    def g(x):
        rows = (parameters[i : i + 3] for i in (0, 3, 6))
        return sum(sum(a * b for a, b in zip(row, x, strict=True)).sqrt() for row in rows)

    samples = np.array([[0.0, 1.0, 1.0]] * 2)
    slopes = compile(g, parameters, batched=True, backend=backend).value_and_grad(samples)[1]
    mean = sum(g(x) for x in samples.tolist()) / 2
    mean.backward()
    assert np.allclose(slopes, [p.grad for p in parameters], rtol=1e-14, equal_nan=True)
    assert slopes[0] == 0.0
    assert slopes[1] == math.inf


@pytest.mark.usefixtures("quick_xla")
def test_sums_of_zeros_have_the_sign_that_they_have_in_eager_mode(backend):
    for f, *at in (
        (lambda x: atan2(x * x, (-x) * 2.0 + (-x) * x), 0.0),
        (lambda x, y: atan2(y * 1.0, 0 + x * y), -1.0, 0.0),
        (lambda x, y: 1 / sum([x * y, x * y * 2]), -0.0, 1.0),
        (lambda x, y: 1 / (x * y + x * y * 2), -0.0, 1.0),
        (lambda x, y: 1 / (x * y - 0.0 + x), -0.0, 1.0),
        (lambda x: 1 / x**0.5, -0.0),
    ):
        expected = f(*map(Value, at)).data
        assert compile(f, backend=backend)(*at) == expected
        batch = [[number] * 9 for number in at]
        assert compile(f, batched=True, backend=backend)(*batch).tolist() == [expected] * 9


@pytest.mark.usefixtures("quick_xla")
def test_one_run_of_parameters_may_be_matrices_of_two_shapes(backend):
    w = [Value(float(i + 1)) for i in range(9)]

    def f(x, y):
        rows = [sum(w[3 * i + j] * x[j] for j in range(3)) for i in range(3)]
        return sum(r * r for r in rows) + sum(a * b for a, b in zip(w, y, strict=True)) ** 2

    value, _ = compile(f, w, batched=True, backend=backend).value_and_grad(
        np.ones((4, 3)), np.ones((4, 9))
    )
    assert value == 2862.0


def test_ties_and_kinks_follow_the_table(backend):
    assert compile(lambda x, y: maximum(x, y), backend=backend).value_and_grad(1.0, 1.0) == (
        1.0,
        (0.5, 0.5),
    )
    assert compile(lambda x: x.relu(), backend=backend).value_and_grad(0.0) == (0.0, 0.0)
    assert compile(lambda x: abs(x), backend=backend).value_and_grad(0.0) == (0.0, 0.0)


def test_detach_stops_the_gradient(backend):
    assert compile(lambda x: x * x.detach(), backend=backend).value_and_grad(3.0) == (9.0, 3.0)
