"""Loops in compiled functions give what plain loops on Values give, in every executor."""

from __future__ import annotations

import math
import pickle
import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from micrograd import (
    Value,
    compile,  # noqa: A004
    cos,
    derivative,
    exp,
    export_source,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jvp,
    log,
    maximum,
    repeat,
    scan,
    sin,
    sqrt,
    tanh,
    value_and_grad,
    where,
    while_,
)
from micrograd.compiler import TraceError
from micrograd.compiler.loops.rows import LoopRow
from micrograd.compiler.planning.planner import plan
from micrograd.compiler.program.program import with_bodies
from micrograd.compiler.tracing.tracer import trace
from tests.compiler.conftest import QUICK

pytestmark = pytest.mark.usefixtures("quick_xla")

SLACK = 2.0**-40  # of rounding errors, enlarged by steep functions; see test_agreement.py


def numbers(tree):
    """The numbers in nested results, as an array."""
    if isinstance(tree, dict):
        tree = [*tree.values()]
    if isinstance(tree, list | tuple):
        return np.concatenate([np.zeros(0), *map(numbers, tree)])
    if isinstance(tree, np.ndarray):
        return np.concatenate([np.zeros(0), *map(numbers, tree.ravel().tolist())])
    return np.array([tree.data if isinstance(tree, Value) else float(tree)])


def assert_agree(backend, f, *at, slack=SLACK):
    """Compare the values and gradients of a function with those of Values, also in a batch."""
    everything = tuple(range(len(at)))
    expected = numbers(value_and_grad(f, argnums=everything)(*at))
    compiled = compile(f, backend=backend)
    got = numbers([compiled.value_and_grad(*at), compiled(*at)])
    np.testing.assert_allclose(got, np.append(expected, expected[0]), rtol=slack, atol=slack)

    samples = [[np.asarray(x) * factor for x in at] for factor in (1.0, 1.25, 0.875)]
    columns = [np.array(column) for column in zip(*samples, strict=True)]
    together = compile(f, batched=True, backend=backend)
    values, slopes = together.value_and_grad(*columns)
    slopes = slopes if isinstance(slopes, tuple) else (slopes,)
    for k, sample in enumerate(samples):
        args = [x.tolist() for x in sample]
        expected = numbers(value_and_grad(f, argnums=everything)(*args))
        got = numbers([values[k], *(column[k] for column in slopes)])
        np.testing.assert_allclose(got, expected, rtol=slack, atol=slack)


# ------------------------------------------------------------------------------------ plain loops


def test_on_numbers_and_values_loops_are_plain_loops():
    assert repeat(lambda x: 2 * x, 1, 10) == 1024
    assert scan(lambda s, x: (s + x, s * x), 0, [1, 2, 3]) == (6, [0, 2, 9])
    assert while_(lambda x: x < 100, lambda x: 3 * x, 1) == 243
    x = Value(1.5)
    y = repeat(lambda y: y * x, 1.0, 4)
    y.backward()
    assert (y.data, x.grad) == (1.5**4, 4 * 1.5**3)
    assert grad(lambda x: while_(lambda y: y < 10, lambda y: y * x, x))(2.0) == 4 * 2.0**3


def test_a_state_keeps_its_structure():
    state = {"a": 1.0, "b": [2.0, (3.0, 4.0)], "c": np.ones((2, 2))}

    def step(s):
        a, (b, (c, d)) = s["a"], s["b"]
        return {"c": s["c"] @ s["c"], "b": (b + c, [d, a]), "a": a + b}  # other containers

    found = repeat(step, state, 2)
    assert [*found] == ["a", "b", "c"]
    assert (found["a"], found["b"]) == (8.0, [9.0, (1.0, 3.0)])
    assert found["c"].tolist() == [[8.0, 8.0], [8.0, 8.0]]


def test_scan_takes_lists_arrays_and_several_of_them():
    def step(total, x):
        return total + x["a"] * x["b"][0], {"sum": total, "both": [x["a"], x["b"]]}

    xs = {"a": [1.0, 2.0], "b": np.array([[3.0, 4.0], [5.0, 6.0]])}
    total, ys = scan(step, 0.0, xs)
    assert total == 13.0
    assert ys["sum"].tolist() == [0.0, 3.0]
    assert ys["both"][1].tolist() == [[3.0, 4.0], [5.0, 6.0]]
    assert scan(lambda s, x: (s + x[0] * x[1], None), 0.0, ([1.0, 2.0], [3.0, 4.0])) == (11.0, None)
    assert scan(lambda s, x: (2 * s + x, s), 0.0, [1.0, 2.0, 3.0], reverse=True) == (
        17.0,
        [8.0, 3.0, 0.0],
    )
    assert scan(lambda s, x: (s + x, s), 1.0, []) == (1.0, [])


def test_the_limit_of_a_loop_may_be_beyond_all_floats():
    assert while_(lambda x: x < 100, lambda x: 2 * x, 3.0, most=10**400) == 192.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: repeat(lambda x: None, 1.0, 2), "step of repeat returned None"),
        (lambda: repeat(lambda x: [x], 1.0, 2), "different structure from the state"),
        (lambda: repeat(lambda x: x, "one", 2), "state of a loop takes a real number"),
        (lambda: repeat(lambda x: "two", 1.0, 2), "step of repeat returns takes a real number"),
        (lambda: repeat(lambda x: x, 1.0, -1), "whole and at least 0, got -1"),
        (lambda: repeat(lambda x: x, 1.0, 1.5), "whole and at least 0, got 1.5"),
        (lambda: repeat(lambda x: x, 1.0, math.inf), "whole and at least 0, got inf"),
        (lambda: repeat(lambda x: x, 1.0, None), "number of steps of a loop takes a real number"),
        (lambda: scan(lambda s, x: s, 1.0, [1.0]), "returns a pair"),
        (lambda: scan(lambda s, x: (s, x), 1.0, 3.0), "list or an array of inputs"),
        (lambda: scan(lambda s, x: (s, x), 1.0, ([1.0], [1.0, 2.0])), "different lengths"),
        (lambda: scan(lambda s, x: (s, x), 1.0, [1.0, [2.0]]), "input 1 has a different structure"),
        (lambda: scan(lambda s, x: (s, [x] if x > 1 else x), 1.0, [1.0, 2.0]), "outputs of diff"),
        (lambda: while_(lambda x: [x], lambda x: x, 1.0), "condition of while_ is one comparison"),
        (lambda: while_(lambda x: x < 2, lambda x: [x], 1.0), "step of while_ returned has a diff"),
        (lambda: while_(lambda x: x < 2, lambda x: x, 1.0, most=-3), "at least 0, got -3"),
    ],
)
def test_wrong_steps_states_and_counts_are_refused(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
    with pytest.raises((TypeError, ValueError), match=message):
        compile(lambda x: [call(), x], backend="numpy")(1.0)


# -------------------------------------------------------------------------------- compiled loops


def pendulum(state, length):
    """A step of Heun's method for a pendulum with friction."""

    def slopes(angle, speed):
        return speed, -sin(angle) - 0.1 * speed

    angle, speed = state
    a, b = slopes(angle, speed)
    c, d = slopes(angle + length * a, speed + length * b)
    return [angle + length / 2 * (a + c), speed + length / 2 * (b + d)]


def test_a_repeated_step_agrees(backend):
    def f(state, length):
        angle, speed = repeat(lambda s: pendulum(s, length), state, 12)
        return angle * angle + cos(speed)

    assert_agree(backend, f, [0.5, -0.25], 0.1)


def test_a_scan_agrees_in_its_state_and_its_outputs(backend):
    def f(xs, w, b):
        def step(h, x):
            h = {"h": tanh(w[0] * h["h"] + w[1] * x + b)}
            return h, [h["h"] * x, x]

        last, (first, second) = scan(step, {"h": 0.0}, xs, reverse=True)
        return last["h"] + sum(first) * sum(second)

    assert_agree(backend, f, [0.5, -1.0, 0.25, 2.0], [0.3, -0.7], 0.1)


def test_a_number_that_is_a_state_and_an_output_has_the_adjoints_of_both(backend):
    def f(x):
        last, ys = scan(lambda s, y: (s * y, s * y), x, [2.0, x])
        return last + sum(ys)  # 4 x² + 2 x

    value, slope = compile(f, backend=backend).value_and_grad(3.0)
    assert (value, slope) == (42.0, 26.0)


def test_a_scan_without_a_state_agrees(backend):
    def f(xs, w):
        nothing, ys = scan(lambda s, x: (s, [sin(x * w), 2.0]), [], xs)
        return sum(y * (k + z) for k, (y, z) in enumerate(zip(*ys, strict=True))) + len(nothing)

    assert_agree(backend, f, [0.5, -1.0, 0.25], 0.3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_loop_without_a_state_may_be_independent_of_the_batch(backend, dtype):
    def f(x):
        _, ys = scan(lambda s, y: (s, y * 2), [], [1.0, 1.0])
        return x * ys[0]

    values, slopes = compile(f, batched=True, backend=backend, dtype=dtype).value_and_grad([1, 3])
    assert values.tolist() == [2.0, 6.0]
    assert slopes.tolist() == [2.0, 2.0]


def test_a_loop_with_a_condition_agrees(backend):
    def f(x, rate):
        done, steps = while_(lambda s: s[0] < 5, lambda s: [s[0] * rate + x, s[1] + 1], [x, 0.0])
        return done * steps

    assert_agree(backend, f, 0.5, 1.5)


def test_a_number_of_steps_may_be_an_argument(backend):
    def f(x, n):
        return repeat(lambda y: y * x + 1, x, n)

    compiled = compile(f, backend=backend)
    slope = compile(lambda x, n: grad(lambda x: f(x, n))(x), backend=backend)
    for n in (0, 1, 7, 300):  # more steps than any stack has room for at first
        assert compiled(0.9, n) == pytest.approx(f(0.9, n), rel=SLACK)
        assert slope(0.9, n) == pytest.approx(grad(lambda x, n=n: f(x, n))(0.9), rel=SLACK)
    counts, at = np.array([3, 0, 70, 1, -2, math.nan]), np.linspace(0.5, 1, 6)
    expected = [f(x, max(0, int(n)) if n == n else 0) for x, n in zip(at, counts, strict=True)]
    together = compile(f, batched=True, backend=backend)
    np.testing.assert_allclose(together(at, counts), expected, rtol=SLACK)
    _, (slopes, of_counts) = together.value_and_grad(at, counts)
    expected = [
        grad(lambda x, n=n: f(x, max(0, int(n)) if n == n else 0))(x)
        for x, n in zip(at.tolist(), counts, strict=True)
    ]
    np.testing.assert_allclose(slopes, expected, rtol=SLACK)
    assert of_counts.tolist() == [0.0] * 6


def test_the_samples_of_a_batch_end_at_steps_of_their_own(backend):
    def f(x):
        return while_(lambda s: s < 10, lambda s: s * s + 0.5, x, most=5)

    at = np.array([0.1, 1.0, 3.0, 20.0, 0.5, -2.0, 2.0, 1.5, 9.9])
    together = compile(f, batched=True, backend=backend)
    np.testing.assert_allclose(together(at), [*map(f, at.tolist())], rtol=SLACK)
    np.testing.assert_allclose(
        together.value_and_grad(at)[1], [*map(grad(f), at.tolist())], rtol=SLACK
    )


def test_parameters_get_the_mean_of_the_gradients(backend):
    w = [Value(0.5), Value(-0.25)]

    def f(x, y):
        h, _ = scan(lambda h, x: (tanh(w[0] * h + w[1] * x), None), 0.0, x)
        return (h - y) ** 2

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((5, 3)), rng.standard_normal(5)
    value, gradient = compile(f, w, batched=True, backend=backend).value_and_grad(X, y)
    mean = sum(f(x, t) for x, t in zip(X.tolist(), y.tolist(), strict=True)) / 5
    mean.backward()
    assert value == pytest.approx(mean.data, rel=SLACK)
    np.testing.assert_allclose(gradient, [w[0].grad, w[1].grad], rtol=SLACK)
    again = compile(lambda: f([0.5, 1.0], 0.25), w, backend=backend)
    w[0].data = 0.75
    assert again() == pytest.approx(f([0.5, 1.0], 0.25).data, rel=SLACK)


def test_loops_may_be_nested(backend):
    def f(x, w):
        def outer(s):
            inner, _ = scan(lambda t, x: (t * w + s * x, None), s, [x, 1.0, x])
            return while_(lambda t: t > 0.5, lambda t: t * 0.7, inner, most=3)

        return repeat(outer, x, 3)

    assert_agree(backend, f, 0.7, 0.3)


@pytest.mark.slow
def test_derivatives_within_the_function_agree(backend):
    def f(x, w):
        return repeat(lambda s: [s[1] * w + sin(s[0]), s[0] * x], [x, w], 4)[0]

    def rolled(xs, w):
        last, ys = scan(lambda h, x: (tanh(h * w + x), h * x), 0.1, xs)
        return last * sum(ys)

    for g, at in (
        (lambda x, w: grad(lambda t: f(t, w) + f(x, t))(x), (0.7, 0.3)),  # t and x stay apart
        (lambda x, w: grad(grad(lambda t: f(t, w) + f(x, t)))(x), (0.7, 0.3)),
        (lambda xs, w: sum(hvp(lambda v: rolled(v, w), xs, [1.0, -0.5])), ([0.5, 1.0], 0.7)),
        (lambda xs, w: jvp(rolled, (xs, w), ([1.0, 0.5], 2.0))[1], ([0.5, 1.0], 0.7)),
        (lambda x, w: jvp(grad(lambda t: f(t, w)), (x,), (1.0,))[1], (0.7, 0.3)),
        (lambda x, w: derivative(derivative(f(x, w), x), w), (0.7, 0.3)),
        (lambda x, w: repeat(lambda s: s - 0.1 * grad(lambda t: f(t, w))(s), x, 3), (0.7, 0.3)),
    ):
        got = compile(g, backend=backend)(*at)
        values = [[Value(y) for y in x] if isinstance(x, list) else Value(x) for x in at]
        assert got == pytest.approx(g(*values).data, rel=SLACK)
        if backend != "jax":  # XLA takes seconds for each
            assert_agree(backend, g, *at)
    assert numbers(compile(lambda x: hessian(rolled)(x, 0.7), backend=backend)([0.5, 1.0])) == (
        pytest.approx(numbers(hessian(rolled)([0.5, 1.0], 0.7)), rel=SLACK)
    )


def test_jacobians_by_both_modes_agree(backend):
    def f(x):
        return repeat(lambda s: [s[0] * s[1], sin(s[0]), s[2] + x[0]], [x[0], x[1], 1.0], 3)

    expected = numbers(jacobian(f)([0.5, 1.5]))
    for mode in (jacobian, jacfwd):
        got = numbers(compile(lambda x, mode=mode: mode(f)(x), backend=backend)([0.5, 1.5]))
        np.testing.assert_allclose(got, expected, rtol=SLACK)


def test_special_numbers_agree(backend):
    def f(x, y):
        def step(s):
            return [where(s[0] > 0, log(s[0]), s[1]) * y, maximum(s[0], s[1]) / y]

        return repeat(step, [x, y], 2)[0]

    specials = (0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e300)
    pairs = np.array([*product(specials, specials)])
    alone = compile(f, backend=backend)
    values, slopes = compile(f, batched=True, backend=backend).value_and_grad(*pairs.T)
    for k, pair in enumerate(pairs.tolist()):
        expected = numbers(value_and_grad(f, argnums=(0, 1))(*pair))
        got = np.array([values[k], slopes[0][k], slopes[1][k]])
        np.testing.assert_allclose(got, expected, rtol=SLACK, err_msg=str(pair))
        got = numbers(alone.value_and_grad(*pair))
        np.testing.assert_allclose(got, expected, rtol=SLACK, err_msg=str(pair))


def test_a_factor_of_zero_stops_an_infinite_one_in_a_loop(backend):
    def f(x):
        return repeat(lambda s: where(s > 0, log(s) * s, 0.5 * s), x, 2)

    compiled = compile(f, batched=True, backend=backend)
    assert compiled.value_and_grad(np.zeros(3))[1].tolist() == [grad(f)(0.0)] * 3


@pytest.mark.slow
def test_random_steps_agree(backend):
    functions = (sin, tanh, lambda x: exp(-x * x), lambda x: x / 2, lambda x: where(x > 0, x, -1))
    terms = st.lists(
        st.tuples(st.sampled_from(functions), st.integers(0, 3), st.integers(0, 3)),
        min_size=2,
        max_size=2,
    )

    @settings(
        max_examples=4 if backend == "jax" else 20,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(terms=terms, n=st.integers(0, 4), at=st.lists(st.floats(-2, 2), min_size=3, max_size=3))
    def assert_steps_agree(terms, n, at):
        def f(x, y, w):
            def step(s):
                held = [*s, w, 0.5]
                return [g(held[i]) * held[j] for g, i, j in terms]

            return sum(repeat(step, [x, y], n))

        assert_agree(backend, f, *at)

    assert_steps_agree()


def test_float32_agrees(backend):
    def f(x, n):
        return repeat(lambda y: sin(y) + x, x, n)

    compiled = compile(f, batched=True, backend=backend, dtype="float32")
    at, counts = np.linspace(0.1, 1, 20), np.arange(20) * 7.0
    value, (slopes, _) = compiled.value_and_grad(at, counts)
    assert value.dtype == slopes.dtype == np.float32
    expected = [value_and_grad(f)(x, n) for x, n in zip(at.tolist(), counts.tolist(), strict=True)]
    np.testing.assert_allclose(value, [each for each, _ in expected], rtol=1e-5)
    np.testing.assert_allclose(slopes, [each for _, each in expected], rtol=1e-4)


def test_arrays_of_values_are_states(backend):
    rng = np.random.default_rng(1)
    W = rng.standard_normal((3, 3)) / 2

    def f(x):
        h, ys = scan(lambda h, x: (np.tanh(W @ h + x), h * x), np.zeros(3), x)
        return (h * ys[-1]).sum() + (ys**2).sum()

    x = rng.standard_normal((4, 3))
    value, slopes = compile(f, backend=backend).value_and_grad(x)
    expected, gradient = value_and_grad(f)(x)
    assert value == pytest.approx(expected, rel=SLACK)
    np.testing.assert_allclose(slopes, gradient, rtol=SLACK)


def test_a_program_with_loops_can_be_pickled(backend):
    compiled = compile(lambda x, n: repeat(lambda y: y * x, 1.0, n), backend=backend)
    assert compiled.value_and_grad(2.0, 5) == (32.0, (80.0, 0.0))
    again = pickle.loads(pickle.dumps(compiled))
    assert again.value_and_grad(2.0, 7) == (128.0, (448.0, 0.0))


@pytest.mark.slow
def test_a_long_step_runs_by_rows_of_instructions_and_agrees(backend):
    def f(x, w):
        def step(h):
            for i in range(120):
                h = [tanh(h[0] * w + h[1] * (i / 100)), h[0] - x * h[1] / 3]
            return h

        return sum(repeat(step, [x, w], 3))

    assert_agree(backend, f, 0.5, 0.3)


# ------------------------------------------------------------------------------------------- size


def test_the_size_of_a_program_does_not_depend_on_the_number_of_steps():
    sizes = []
    for n in (2, 1000, 10**9):
        graph = trace(
            lambda x, n=n: [grad(lambda y: repeat(lambda s: sin(s) * y, y, n))(x[0])], [], 1
        )
        steps = [row.step.size for row in graph.table if isinstance(row, LoopRow)]
        program = plan(graph, batched=True)
        sizes.append((graph.size, steps, len([*with_bodies(program.instructions)])))
    assert sizes[0] == sizes[1] == sizes[2]


def test_a_step_is_traced_once_in_each_trace():
    calls = []
    compile(lambda x: repeat(lambda s: calls.append(s) or s * x, x, 1000), backend="numpy")(1.0)
    assert len(calls) == 2  # a function is traced twice


def test_what_does_not_depend_on_the_state_is_computed_once_for_a_batch():
    w = Value(0.5)
    compiled = compile(
        lambda x: repeat(lambda s: s * exp(w), x, 3), [w], batched=True, backend="numpy"
    )
    compiled([1.0, 2.0])
    first, loop = compiled.program.instructions
    assert first.operation.name == "exp"
    assert [each.operation.name for each in loop.body] == ["mul"]


def test_a_value_that_leaves_a_step_is_refused():
    def f(x):
        kept = []
        repeat(lambda s: kept.append(s) or s * x, x, 3)
        return kept[0] * 2

    with pytest.raises(TraceError, match="kept and used after"):
        compile(f, backend="numpy")(1.0)


def test_the_step_may_not_branch_and_the_error_names_a_loop_with_a_condition():
    with pytest.raises(TraceError, match="while_"):
        compile(lambda x: repeat(lambda s: s if s > 0 else -s, x, 3), backend="numpy")(1.0)


def test_a_listing_shows_the_body_of_a_loop():
    compiled = compile(lambda x: repeat(lambda s: sin(s) * x, x, 3), backend="numpy")
    compiled(1.0)
    assert "loop of 3 steps: 2 instructions\n    u[" in str(compiled)


def test_derivatives_of_programs_go_through_loops(backend):
    def f(x):
        return repeat(lambda s: [s[1] * x[0], sin(s[0])], [x[0], x[1]], 3)

    program, at = compile(f, backend=backend), [0.5, 1.5]
    np.testing.assert_allclose(program.jacobian(at), jacobian(f)(at), rtol=SLACK, atol=SLACK)
    tangent = program.jvp((at,), ([1.0, -2.0],))[1]
    np.testing.assert_allclose(tangent, jvp(f, (at,), ([1.0, -2.0],))[1], rtol=SLACK)
    if backend != "jax":  # XLA takes seconds for each
        first = compile(lambda x: f(x)[0], backend=backend)
        expected = hessian(lambda x: f(x)[0])(at)
        np.testing.assert_allclose(first.hessian(at), expected, rtol=SLACK, atol=SLACK)


def test_gradients_of_arguments_and_parameters_go_through_loops(backend):
    w = [Value(0.3)]

    def f(x):
        return repeat(lambda s: s * w[0] + x, x, 3)

    x = np.array([1.0, 2.0])
    program = compile(f, w, batched=True, backend=backend)
    value, (of_w, of_x) = program.value_and_grad(x, argnums=("parameters", 0))
    assert value == pytest.approx(sum(f(each).data for each in x) / 2, rel=SLACK)
    assert of_w == pytest.approx([3 * 0.3**2 * 1.5 + (1 + 2 * 0.3) * 1.5], rel=SLACK)
    np.testing.assert_allclose(of_x, [(0.3**3 + 0.3**2 + 0.3 + 1) / 2] * 2, rtol=SLACK)


def test_calls_that_are_repeated_give_the_same(backend):
    program = compile(lambda x, n: repeat(lambda s: s * x, 1.0, n), backend=backend)
    for n in (3, 3, 3, 200, 3):
        assert program(0.99, n) == pytest.approx(0.99**n, rel=SLACK)
        assert program.value_and_grad(0.99, n)[1][0] == pytest.approx(n * 0.99 ** (n - 1))


def test_exported_source_has_the_steps_one_by_one():
    text = export_source(lambda x: repeat(lambda s: sin(s) * x, x, 3), language="python", name="f")
    made = {}
    exec(text, made)
    expected = value_and_grad(lambda x: repeat(lambda s: sin(s) * x, x, 3))(0.7)
    assert made["f"](0.7) == (pytest.approx(expected[0]), [pytest.approx(expected[1])])
    with pytest.raises(TraceError, match="reads the number"):
        export_source(lambda x, n: repeat(lambda s: s * x, x, n))


def test_threads_share_a_batch_of_samples_that_end_at_different_steps():
    pytest.importorskip("llvmlite", reason="pip install llvmlite")
    at, counts = np.linspace(0, 1, 5000), np.arange(5000) % 150
    found = []
    for threads in (1, 2):
        compiled = compile(
            lambda x, n: repeat(lambda y: sin(y) * x + 0.3, x, n),
            batched=True,
            backend="numba",
            threads=threads,
        )
        found.append(compiled.value_and_grad(at, counts)[1][0])
    assert found[0].tolist() == found[1].tolist()


def test_loops_of_unknown_length_may_be_nested(backend):
    def f(x, n, m):
        return repeat(lambda s: repeat(lambda t: t * x + s * 0.01, s, n) + 0.1, x, m)

    slope = compile(lambda x, n, m: grad(lambda x: f(x, n, m))(x), backend=backend)
    for n, m in ((2, 3), (70, 2), (0, 5), (3, 80)):
        expected = grad(lambda x, n=n, m=m: f(x, n, m))(0.9)
        assert slope(0.9, n, m) == pytest.approx(expected, rel=SLACK)


@pytest.mark.slow
def test_derivatives_up_to_the_fifth_order_agree():
    for f in (
        lambda x: repeat(lambda s: s * 3.0, x, 2),
        lambda x: repeat(lambda s: x * x + x, x, 2),
        lambda x: repeat(lambda s: [s[1] * x, sin(s[0])], [x, x], 3)[1],
        lambda x: scan(lambda s, y: (s * y, s * x), x, [1.0, x])[1][1],
    ):
        g = f
        for _ in range(3):
            program = compile(g, backend="numpy")
            expected = [g(2.0), *value_and_grad(g)(2.0), hessian(g)(2.0)]
            found = [program(2.0), *program.value_and_grad(2.0), program.hessian(2.0)]
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
            g = grad(g)


def test_a_loop_may_have_a_gradient_without_states():
    w = Value(1.5)

    def f(x):
        of_parameter = repeat(lambda s: s * w, w, 3)
        return sum(scan(lambda s, _: (s * x, 0.5), x, [2.0, of_parameter])[1])

    program = compile(f, [w], backend="numpy")
    assert program.value_and_grad(2.0) == (1.0, 0.0)
    kept = compile(f, [w], batched=True, backend="numpy")
    assert kept.value_and_grad(np.array([2.0, 3.0])) == (1.0, 0.0)


@pytest.mark.parametrize("backend", QUICK)
@pytest.mark.parametrize("batched", [False, True])
def test_repeated_calls_stop_at_zero_like_the_first(backend, batched):
    def f(x):  # an adjoint of 0 meets an infinite partial
        return 0 * repeat(lambda s: sqrt(s), x, 2)

    program = compile(f, batched=batched, backend=backend)
    x = np.array([0.0, 1.0]) if batched else 0.0
    for _ in range(5):
        value, slope = program.value_and_grad(x)
        np.testing.assert_array_equal(np.ravel([value, slope]), 0.0)


@pytest.mark.parametrize("batched", [False, True])
def test_repeated_calls_with_infinite_results_are_like_the_first(backend, batched):
    def f(x):
        return while_(lambda s: s < 5, lambda s: s + x * x, x)

    program = compile(f, batched=batched, backend=backend)
    for x in (2.0, 2.0, 2.0, np.inf, np.nan, 2.0):
        value, slope = program.value_and_grad(np.array([x]) if batched else x)
        np.testing.assert_array_equal(np.ravel([value, slope]), value_and_grad(f)(x))


@pytest.mark.parametrize("backend", QUICK)
@pytest.mark.filterwarnings("error")
def test_means_of_infinities_are_nan_without_a_warning(backend):
    w = Value(2.0)
    for f in (lambda x: x * w, lambda x: repeat(lambda s: s * w, x, 2)):
        program = compile(f, [w], batched=True, backend=backend)
        for _ in range(4):
            value, slopes = program.value_and_grad(np.array([np.inf, -np.inf]))
            assert np.isnan(value)
            assert np.isnan(slopes[0])


def ending(x, y):
    """Loops whose steps read and give numbers, and one of them divides by zero at x = 2."""
    state, outputs = scan(lambda s, z: (s * sin(z) + x, z / (s - 2 * x)), x, [x, y, 3.0, x * y, y])
    last, count = while_(
        lambda s: (abs(s[0]) < 40) * (s[1] < 9), lambda s: (s[0] * 1.5 + y, s[1] + 1), (x, 0.0)
    )
    return state + last / count + sum(k / output for k, output in enumerate(outputs, 1))


@pytest.mark.parametrize("block", [1, 2, 3, 100])
@pytest.mark.parametrize("at", [(0.7, 1.3), (-2.0, 0.4), (0.0, 0.0), (1.0, math.inf)])
def test_blocks_of_steps_on_floats_of_python_give_the_same(monkeypatch, block, at):
    monkeypatch.setattr("micrograd.compiler.numpy.float_loops._BLOCK", block)
    expected = compile(ending, backend="reference").value_and_grad(*at)
    program = compile(ending, backend="numpy")
    for _ in range(3):
        np.testing.assert_allclose(
            numbers(program.value_and_grad(*at)), numbers(expected), rtol=1e-14
        )


@pytest.mark.slow
def test_a_gradient_through_many_steps_keeps_eight_bytes_of_each_number():
    steps = 200_000
    program = compile(lambda x: repeat(lambda s: s - 1e-6 * sin(s), x, steps), backend="numpy")
    program.value_and_grad(1.0)
    tracemalloc.start()
    program.value_and_grad(1.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * 8 * steps  # one state of each step; as floats of Python, four times as much


@pytest.mark.parametrize("batched", [False, True])
def test_a_comparison_in_a_step_is_of_the_slope_that_stops_at_zero(backend, batched):
    """Zero times infinity is 0 there; with nan, the comparison would choose the other branch."""

    def step(s):
        slope = grad(lambda t: where(t > 0, log(t), 0.0))(0.0 * s)
        return where(slope >= 0, s + 1.0, s - 1.0)

    program = compile(lambda s: repeat(step, s, 3), backend=backend, batched=batched)
    assert program(np.array([2.0]) if batched else 2.0) == 5.0
