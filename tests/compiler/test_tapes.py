"""Narrow graphs run as a tape of steps, by every backend, and are planned quickly."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest

from micrograd import Value, compile, define, log, scan, value_and_grad, where  # noqa: A004
from micrograd.compiler.executor import load
from micrograd.compiler.numpy import tape as numpy_tape
from micrograd.compiler.numpy.straight_code import Step, interpret, straight_code
from micrograd.compiler.planning.planner import plan
from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.instructions import Tape
from micrograd.compiler.stopping import CheckedExecutor
from micrograd.compiler.tracing.tracer import trace
from micrograd.ops import TABLE
from tests.compiler.conftest import EACH, QUICK

LOOPED = pytest.param("jax, in a loop", marks=pytest.mark.exhaustive)


@pytest.fixture(params=[*EACH, LOOPED])
def backend(request, monkeypatch):
    """Each backend in turn, JAX with all steps of a tape one by one, and with a loop."""
    name = request.param.split(",")[0]
    try:
        load(name)
    except ImportError as error:
        pytest.skip(str(error))
    if name == "jax":
        from micrograd.compiler.jax import run

        looped = request.param != name
        monkeypatch.setattr(run, "UNROLLED", 0 if looped else 10_000)
    return name


def predator_and_prey(rates, start, steps=4):
    """Sums, products, a choice and a function in every step."""
    a, b = start[0], start[1]
    for _ in range(steps):
        a, b = a + 0.01 * (a * rates[0] - 0.4 * a * b), b + 0.01 * (rates[1] * a * b - 0.4 * b)
        a = where(a < 3, a, a * 0.5).tanh() + rates[2]
    return a + b


RATES = [1.1, 0.1, 0.2]
STARTS = np.random.default_rng(0).normal(size=(5, 2))


def eager(start):
    return value_and_grad(predator_and_prey, argnums=(0, 1))(RATES, start.tolist())


def test_a_narrow_graph_is_one_tape():
    program = compile(predator_and_prey, backend="numpy")
    program(RATES, STARTS[0])
    assert "tape of" in str(program)
    assert len(str(program).splitlines()) == 4


@pytest.mark.usefixtures("quick_xla")
def test_a_tape_of_numbers_agrees_with_eager(backend):
    value, (rates, start) = compile(predator_and_prey, backend=backend).value_and_grad(
        RATES, STARTS[0].tolist()
    )
    expected, (expected_rates, expected_start) = eager(STARTS[0])
    # Some 100 roundings of numbers below 10.
    assert abs(value - expected) <= 1e-12
    assert np.allclose(rates, expected_rates, rtol=0, atol=1e-12)
    assert np.allclose(start, expected_start, rtol=0, atol=1e-12)


@pytest.mark.usefixtures("quick_xla")
def test_a_tape_of_numbers_in_single_precision_agrees_with_eager(backend):
    program = compile(predator_and_prey, backend=backend, dtype=np.float32)
    value, (rates, start) = program.value_and_grad(RATES, STARTS[0].tolist())
    expected, (expected_rates, expected_start) = eager(STARTS[0])
    # Some 100 roundings of 2**-24 of numbers below 10.
    assert abs(value - expected) <= 1e-4
    assert np.allclose(rates, expected_rates, rtol=0, atol=1e-4)
    assert np.allclose(start, expected_start, rtol=0, atol=1e-4)


@pytest.mark.usefixtures("quick_xla")
def test_a_tape_over_a_batch_agrees_with_eager_in_inputs_and_in_parameters(backend):
    parameters = [Value(rate) for rate in RATES]
    found = [eager(start) for start in STARTS]
    mean, gradient = compile(
        lambda start: predator_and_prey(parameters, start),
        parameters,
        batched=True,
        backend=backend,
    ).value_and_grad(STARTS)
    assert abs(mean - np.mean([value for value, _ in found])) <= 1e-12
    expected = np.mean([rates for _, (rates, _) in found], axis=0)
    assert np.abs(gradient - expected).max() <= 1e-12
    _, (_, starts) = compile(predator_and_prey, batched=True, backend=backend).value_and_grad(
        np.tile(RATES, (5, 1)), STARTS
    )
    assert np.abs(starts - [start for _, (_, start) in found]).max() <= 1e-12


@pytest.mark.usefixtures("quick_xla")
def test_zero_stops_before_an_infinity_in_a_tape(backend):
    def f(x):
        y = x
        for _ in range(40):
            y = (y * 1.5).sin()
        return where(x > 0, x.log(), 0.0 * y)

    program = compile(f, batched=True, backend=backend)
    assert program.value_and_grad(np.array([0.0, 2.0]))[1].tolist() == [0.0, 0.5]


@pytest.mark.slow
def test_a_loop_of_jax_stops_zeros_by_itself(monkeypatch):
    pytest.importorskip("jax")
    from micrograd.compiler.jax import run

    monkeypatch.setattr(run, "UNROLLED", 0)
    monkeypatch.setattr(CheckedExecutor, "reference", None)  # which would compute it again

    def f(x):
        for _ in range(40):
            x = where(x > 5, x.log(), (x * 1.5).sin())
        return x

    _, slopes = compile(f, batched=True, backend="jax").value_and_grad(np.zeros(2))
    assert np.allclose(slopes, 1.5**40, rtol=1e-12)


@pytest.mark.usefixtures("quick_xla")
def test_a_tape_of_numbers_beside_one_of_rows_passes_its_gradient_on(backend):
    w = Value(1.0)
    samples = np.array([0.5, 1.0, 1.5])

    def f(x):
        a, b = w, x
        for _ in range(40):
            a = a.sin()
        for _ in range(40):
            b = b.sin()
        return a * b

    mean, gradient = compile(f, [w], batched=True, backend=backend).value_and_grad(samples)
    expected = sum(f(x) for x in map(Value, samples)) / 3
    expected.backward()
    assert mean == pytest.approx(expected.data, rel=1e-13)
    assert gradient[0] == pytest.approx(w.grad, rel=1e-13)


@pytest.mark.usefixtures("quick_xla")
def test_a_tape_keeps_the_sign_of_a_sum_of_zeros(backend):
    def f(s, x):
        s = -s
        for _ in range(40):
            s = s * 1.0 + s * x
        return 1 / s

    assert compile(f, backend=backend)(0.0, 0.5) == -np.inf
    assert compile(f, batched=True, backend=backend)([0.0], [0.5]).tolist() == [-np.inf]


def test_a_tape_over_an_empty_batch_gives_nothing(backend):
    def f(x):
        for _ in range(60):
            x = (x * 0.5 + 1.0).tanh()
        return x

    program = compile(f, batched=True, backend=backend)
    assert program(np.zeros(0)).shape == (0,)
    assert program(np.zeros(2)).shape == (2,)


def smoothed(rates, x):
    """A filter, each of whose results is a sum with the two before it."""
    a = b = x[0]
    for each in x[1:]:
        a, b = rates[0] * a + rates[1] * b + (1 - rates[0]) * each, a
    return a


def test_a_sum_in_a_tape_ends_with_the_newest_term():
    """It waits for the result before it only with that, so that other terms are ready."""
    program = plan(trace(lambda leaves: [smoothed(leaves[:2], leaves[2:])], [], 52), batched=False)
    (tape,) = (each for each in program.instructions if isinstance(each, Tape))
    terms, last = np.maximum(tape.terms.left, tape.terms.right), tape.bounds[1:] - 1
    chain = np.flatnonzero(np.diff(tape.bounds) == 3)[1:]
    assert len(chain) >= 48
    assert terms[last[chain]].tolist() == (tape.out.start + chain - 1).tolist()


def test_sums_of_numbers_that_follow_each_other_are_one_row_of_machine_code():
    pytest.importorskip("llvmlite")
    from micrograd.compiler.native.rows import STEP

    program, x = compile(smoothed, backend="numba"), np.random.default_rng(0).normal(size=50)
    _, (_, slope) = program.value_and_grad([0.5, 0.25], x)
    expected = compile(smoothed, backend="numpy").value_and_grad([0.5, 0.25], x)[1][1]
    assert np.allclose(slope, expected, rtol=1e-12)
    linked = program._last.executor.executor._backwards.linked
    forward, backward = (len(code) for code in linked._codes if code.shape[1] == STEP)
    assert forward <= 4  # 49 sums are one row, after those of the products that they add up
    assert backward <= 4


@pytest.mark.parametrize("shape", ["chain", "left", "right", "recurrence"])
def test_a_deep_graph_becomes_few_instructions(shape):
    def f(x):
        y = x[0]
        for i in range(3_000):
            y = {
                "chain": lambda y, i: (y * 1.0001).tanh(),
                "left": lambda y, i: y + x[i % 3] * x[(i + 1) % 3],
                "right": lambda y, i: x[i % 3] * (i + 0.5) + y,
                "recurrence": lambda y, i: (y * 0.5 + x[1] * 0.25).tanh(),
            }[shape](y, i)
        return y

    program = plan(trace(lambda leaves: [f(leaves)], [], 3), batched=True)
    assert len(program.instructions) <= 3
    assert any(isinstance(each, Tape) for each in program.instructions) == (
        shape in ("chain", "recurrence")
    )


UNARY = [name for name, row in TABLE.items() if row.arity == 1]


def applied(name, v):
    return {"neg": lambda: -v, "abs": lambda: abs(v)}.get(name, lambda: getattr(v, name)())()


@pytest.mark.slow
@pytest.mark.usefixtures("quick_xla")
@pytest.mark.parametrize("backend", [*QUICK, LOOPED], indirect=True)
@pytest.mark.parametrize("first", range(6))
def test_every_operation_works_on_a_tape(first, backend):
    def f(x):
        y = x
        for name in UNARY[first::6] * 3:
            v = y * 0.3 + 1.2
            y = applied(name, v).sin() * 0.5 + v * 0.25  # a gradient passes in any case
        return y

    program = compile(f, batched=True, backend=backend)
    value, slope = program.value_and_grad(np.array([0.4, -0.3]))
    assert [type(each) for each in program.program.instructions] == [Tape]
    for got, slope_got, at in zip(value, slope, (0.4, -0.3), strict=True):
        expected, expected_slope = value_and_grad(f)(at)
        # Some 100 roundings, in a map that contracts.
        assert got == pytest.approx(expected, rel=1e-12, nan_ok=True)
        assert slope_got == pytest.approx(expected_slope, rel=1e-9, abs=1e-20, nan_ok=True)


@pytest.mark.slow
def test_jax_sees_a_long_tape_as_one_loop():
    jax = pytest.importorskip("jax")
    from micrograd.compiler.jax.executor import JaxExecutor
    from micrograd.compiler.jax.run import UNROLLED

    def lines(steps):
        def f(leaves):
            y = leaves[0]
            for _ in range(steps):
                y = (y * leaves[1]).tanh()
            return [y]

        executor = JaxExecutor(
            plan(trace(f, [], 2), batched=True), np.dtype(np.float32), inputs=True, checked=False
        )
        empty, samples = np.zeros(0, np.float32), np.zeros((3, 2), np.float32)
        traced = jax.make_jaxpr(lambda p, x: executor._values(p, [x], (True,), 0))(empty, samples)
        return len(str(traced).split("\n"))

    assert lines(UNROLLED) == lines(4 * UNROLLED) < lines(UNROLLED // 4)


def test_an_empty_batch_gives_empty_results_after_one_that_was_not(backend):
    program = compile(lambda a, b, c: a * b + c + a * c, batched=True, backend=backend)
    assert program([1.0], [2.0], [3.0]).tolist() == [8.0]
    assert program(*[np.zeros(0)] * 3).shape == (0,)


# ---------------------------------------------------------------------------------- straight code

POINTS = [0.0, -0.0, 0.3, -2.0, 1.5, 1e200, -1e-200, math.inf, math.nan]


def same(got, expected):
    """The same bits; those of a nan mean nothing."""
    pairs = zip(got, expected, strict=True)
    return all(g != g if e != e else struct.pack("d", g) == struct.pack("d", e) for g, e in pairs)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if not row.constants])
def test_straight_code_gives_the_bits_of_going_step_by_step(name):
    row, generator = TABLE[name], np.random.default_rng(0)
    product = [(1.0, 3, 0), (-1.0, 1, -1), (-1.0, 2, 3), (0.5, 0, 0)]
    steps = [Step(3, row, range(row.arity), ()), Step(4, None, (), product)]
    # The number in place i has its adjoint in place 5 + i.
    terms = [(5, (0.5, 9, 0)), (6, (-1.0, 9, -1))]
    back = [Step(out, None, (), [term], adds=True) for out, term in terms]
    held = {"out": 3, "_g": 8, "x": 0, "y": 1, "z": 2}
    for flow in (Flow(row, k) for k in range(row.arity) if row.flow(k) is not None):
        read = [held[name] for name in flow.operands]
        back.append(Step(5 + flow.place, flow, read, (), adds=True))
    run, run_back = straight_code(steps), straight_code(back)
    for _ in range(40):
        numbers = [*generator.choice(POINTS, 3).tolist(), 0.0, 0.0]
        numbers += [*generator.normal(size=4).tolist(), 1.5]
        plain = numbers[:]
        run(numbers)
        interpret(steps, plain)
        assert same(numbers, plain)
        run_back(numbers)
        interpret(back, plain)
        if all(map(math.isfinite, numbers[5:])):
            assert numbers[5:] == plain[5:]


def test_a_tape_that_runs_often_keeps_its_results_in_every_call(monkeypatch):
    monkeypatch.setattr(numpy_tape, "_INTERPRETED", 3)
    monkeypatch.setattr("micrograd.compiler.numpy.straight_code._CHUNK", 7)
    program = compile(predator_and_prey, backend="numpy")
    for start in STARTS:
        value, slopes = eager(start)
        runs = [program.value_and_grad(RATES, start) for _ in range(4)]
        for got, (by_rates, by_start) in runs:
            assert got == pytest.approx(value, rel=1e-13)
            assert [*by_rates, *by_start] == pytest.approx([*slopes[0], *slopes[1]], rel=1e-12)
        assert program(RATES, start) == runs[0][0]
    program = compile(lambda x: predator_and_prey(RATES, [x, x]) + where(x > 0, log(x), 0.0))
    for _ in range(6):
        assert math.isfinite(program.value_and_grad(0.0)[1])


@pytest.mark.parametrize("name", ["keep", "zip", "u"])
def test_an_operation_may_have_a_name_that_generated_code_could_use(name):
    operation = define(name, math.sinh, ["cosh(x)"], array=np.sinh)

    def f(x):
        _, outputs = scan(lambda s, y: (operation(0.1 * s) * y + s, operation(s)), 1.0, [x, x])
        for _ in range(20):
            x = operation(0.1 * x) + 0.5 * x * x
        return x + sum(outputs)

    program = compile(f, backend="numpy")
    expected = value_and_grad(f)(0.7)
    for _ in range(2 + numpy_tape._INTERPRETED):
        assert program.value_and_grad(0.7) == pytest.approx(expected, rel=1e-13)
