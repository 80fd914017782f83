"""Machine code: the accuracy of its functions, its blocks and its threads."""

from __future__ import annotations

import math
import pickle
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import mpmath
import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="pip install numba")

import micrograd
from micrograd import Value, compile  # noqa: A004
from micrograd.compiler.native import executor, memory
from micrograd.ops import TABLE
from nn import MLP

# For each function written here: the bound in ulp that it states, and where it is tried.
FUNCTIONS = {
    "exp": (1, [(-745.0, 709.7), (-1.0, 1.0), (-40.0, 40.0)]),
    "log": (1, [(0.5, 2.0), (0.999, 1.001), (1e-300, 1e300)]),
    "tanh": (2, [(-25.0, 25.0), (-1.0, 1.0), (0.6, 0.7), (0.061, 0.0625), (0.17, 0.2)]),
    "erf": (3, [(-6.5, 6.5), (-1.1, 1.1), (0.9, 1.1)]),
}
SPECIALS = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1e-310, 2.0**-1022, 1e308]
SPECIALS += [-1e308, -1.0, 1.0, 709.8, 710.0, -744.5, -745.2, -746.0, 0.625, 22.0, -6.0]


def compiled(name, **options):
    return compile(lambda x: getattr(x, name)(), batched=True, backend="numba", **options)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_within_its_bound_over_its_whole_range(name):
    bound, ranges = FUNCTIONS[name]
    generator = np.random.default_rng(0)
    numbers = [generator.uniform(low, high, 3_000) for low, high in ranges]
    tiny = np.exp(generator.uniform(-744, 0, 3_000))
    numbers.append(tiny if name == "log" else tiny * generator.choice([-1, 1], 3_000))
    if name == "log":
        numbers.append(np.exp(generator.uniform(0, 709, 3_000)))
    x = np.concatenate(numbers)
    with mpmath.workprec(120):
        exact = [getattr(mpmath, name)(mpmath.mpf(each)) for each in x.tolist()]
        errors = [
            abs(float((mpmath.mpf(got) - true) / mpmath.mpf(math.ulp(float(true)))))
            for got, true in zip(compiled(name)(x).tolist(), exact, strict=True)
        ]
    assert max(errors) <= bound


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_agrees_with_numpy_at_special_numbers_and_in_the_sign_of_zero(name):
    x = np.array(SPECIALS)
    got = compiled(name)(x)
    eager = [getattr(Value(each), name)().data for each in SPECIALS]
    assert np.allclose(got, eager, rtol=2.0**-50, atol=5e-324, equal_nan=True)
    assert (np.signbit(got) == np.signbit(eager))[~np.isnan(got)].all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name, row in TABLE.items() if row.arity == 1 and not row.operator]
)
def test_every_operation_works_in_float32(name):
    x = np.array([-2.0, -0.5, 0.25, 0.75, 3.0])
    single, slopes = compiled(name, dtype="float32").value_and_grad(x)
    double, expected = compiled(name).value_and_grad(x)
    assert single.dtype == slopes.dtype == np.float32
    # A few roundings of 2**-24, where no large numbers cancel.
    assert np.allclose(single, double, rtol=2.0**-20, atol=2.0**-20, equal_nan=True)
    assert np.allclose(slopes, expected, rtol=2.0**-18, atol=2.0**-18, equal_nan=True)


# ------------------------------------------------------------------------------- blocks and threads


def step(threads=1, backend="numba"):
    model = MLP(3, [5, 1], activation="tanh")
    parameters = model.parameters()
    generator = np.random.default_rng(3)
    for p in parameters:
        p.data = generator.normal()
    return compile(
        lambda x, y: (model(x) - y) ** 2,
        parameters,
        batched=True,
        backend=backend,
        threads=threads,
    )


def batch(length):
    generator = np.random.default_rng(length)
    return generator.normal(size=(length, 3)), generator.normal(size=length)


def test_an_interrupt_before_a_call_leaves_the_program_as_it_was():
    w = Value(0.5)
    samples = np.linspace(-1, 1, 50)
    program = compile(lambda x: (w * x + 1).tanh(), [w], batched=True, backend="numba")
    expected = program.value_and_grad(samples)
    for line in range(1, 30):
        program(samples)
        seen = []

        def interrupt(frame, event, argument, seen=seen, line=line):
            if frame.f_code.co_name in ("set_up", "_set_up_gradient") and event == "line":
                seen.append(frame.f_lineno)
                if len(seen) == line:
                    raise KeyboardInterrupt
            return interrupt

        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            program.value_and_grad(samples)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        value, gradient = program.value_and_grad(samples)
        assert value == expected[0]
        assert gradient.tolist() == expected[1].tolist()
    assert len(seen) < line  # all lines were tried


def test_threads_that_begin_together_share_one_machine(monkeypatch):
    made = []

    def slow():
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    monkeypatch.setattr(executor, "_only_machine", cache(slow))
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(lambda _: executor._machine(), range(4))] == made * 4
    assert len(made) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_single_precision_adds_up_many_samples_without_losing_places(threads):
    w = Value(1.0)
    samples = np.full(300_001, 0.7, np.float32)
    mean, slope = compile(
        lambda x: w * x, [w], batched=True, backend="numba", dtype=np.float32, threads=threads
    ).value_and_grad(samples)
    # Each of the sums in the lanes of a block, at least four, is rounded after every addition to
    # 2**-24 of itself, and not of all samples before it, which would be hundreds of times as much.
    most = 448 / 4 * 2.0**-24
    assert abs(mean / 0.7 - 1) < most
    assert abs(slope[0] / 0.7 - 1) < most


def test_the_arrays_of_a_call_are_not_kept():
    f = compile(lambda x: x * 2, batched=True, backend="numba")
    samples = np.ones(100_000)
    kept = weakref.ref(samples)
    f(samples)
    f.value_and_grad(samples)
    del samples
    assert kept() is None


ORDERS = {
    "by sample": lambda x: x,
    "by number": np.asfortranarray,
    "every other": lambda x: np.repeat(x, 2, axis=0)[::2],
    "backwards": lambda x: x[::-1],
    "in single precision": lambda x: x.astype(np.float32),
}


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("order", ORDERS)
def test_gradients_are_right_in_whatever_order_the_arguments_are_in_memory(order, kind, threads):
    def f(x, y, z):
        return x[0] * y * z[1] - x[1] * x[2] + z[0]

    def slopes(x, y, z):
        of_x = np.stack([y * z[:, 1], -x[:, 2], -x[:, 1]], axis=1)
        return of_x, x[:, 0] * z[:, 1], np.stack([np.ones(len(y)), x[:, 0] * y], axis=1)

    program = compile(f, batched=True, backend="numba", dtype=kind, threads=threads)
    for length in (5_001, 40_000):
        draw = np.random.default_rng(length).integers
        x, y, z = (draw(-9, 9, size=(length, *shape)) / 4 for shape in ((3,), (), (2,)))
        args = [ORDERS[order](each) for each in (x, y, z)]
        expected = slopes(*args)  # exact, as all numbers are short
        out = tuple(np.zeros(each.shape, kind) for each in expected)
        for found in (program.value_and_grad(*args)[1], program.value_and_grad(*args, out=out)[1]):
            for got, wanted in zip(found, expected, strict=True):
                assert got.dtype == kind
                assert got.flags.c_contiguous
                np.testing.assert_array_equal(got, wanted)
        alone = compile(lambda x: f(x, x[1], x), batched=True, backend="numba", dtype=kind)
        copy = np.ascontiguousarray(args[0])
        pair = (alone.value_and_grad(each)[1] for each in (args[0], copy))
        np.testing.assert_array_equal(*pair)


def several(x, y):
    """Return results of a tape, one of them twice; what is computed from it; and an argument."""
    a, b, kept, hidden = x, y, [], []
    for i in range(40):
        a, b = (a * b + x).sin() * 0.5, a - b * 0.25
        if i % 13 == 0:
            kept += [a, b * y]
        if i % 7 == 0:
            hidden.append(b)
    last = [(each + a).tanh() for each in hidden]
    return [*kept, a, a, x, kept[0] + b, *last]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_a_tape_gives_batches_of_any_length_results_of_their_own(monkeypatch, kind, streamed):
    monkeypatch.setattr(memory, "_STREAMED", 0 if streamed else 2**60)
    program = compile(several, batched=True, backend="numba", dtype=kind)
    most = executor._LONG_BLOCK
    for length in (1, 7, 8, most - 1, most, most + 1, 3_000):
        x, y = np.random.default_rng(length).normal(size=(2, length))
        found = program(x, y)
        expected = compile(several, batched=True, backend="numpy", dtype=kind)(x, y)
        for got, wanted in zip(found, expected, strict=True):
            # Some 100 roundings of numbers below 10, in a map that contracts.
            assert np.allclose(got, wanted, rtol=0, atol=100 * np.finfo(kind).eps)
        found[-1][:] = 0.0  # a result is the caller's
        assert all(np.array_equal(a, b) for a, b in zip(program(x, y)[:-1], found, strict=False))


@pytest.mark.slow
@pytest.mark.parametrize(
    "length", [1, 2, 7, 8, 9, executor.BLOCK - 1, executor.BLOCK, executor.BLOCK + 1, 1_000, 5_000]
)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_length_of_a_batch_is_cut_into_blocks_that_miss_nothing(length, threads):
    value, gradient = step(threads).value_and_grad(*batch(length))
    expected, expected_gradient = step(backend="numpy").value_and_grad(*batch(length))
    # Each is a mean of at most 5,000 numbers of size about 10: their roundings.
    assert abs(value - expected) <= 1e-12
    assert np.abs(gradient - expected_gradient).max() <= 1e-12
    values = step(threads)(*batch(length))
    assert np.allclose(values, step(backend="numpy")(*batch(length)), rtol=1e-13, atol=1e-13)


def test_the_same_call_gives_the_same_bits_however_often_and_in_whichever_thread():
    program = step()
    expected = program.value_and_grad(*batch(700))[1].tobytes()
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(program.value_and_grad, *batch(700)) for _ in range(40)]
    assert {call.result()[1].tobytes() for call in calls} == {expected}


def test_arrays_that_are_not_contiguous_or_of_another_type_are_read_rightly():
    program, (x, y) = step(), batch(3_000)
    expected = program.value_and_grad(x, y)
    for other in (
        np.asfortranarray(x),
        np.repeat(x, 2, axis=1)[:, ::2],
        np.ascontiguousarray(x[::-1])[::-1],
    ):
        value, gradient = program.value_and_grad(other, y)
        assert value == expected[0]
        assert (gradient == expected[1]).all()
    whole = np.arange(9_000).reshape(3_000, 3) % 5
    assert program.value_and_grad(whole, y)[0] == program.value_and_grad(whole.astype(float), y)[0]


def test_repeated_calls_with_arrays_of_the_same_shapes_read_what_they_are_given():
    program = step()
    numbers = np.array([p.data for p in program.parameters])
    first, (x2, y2) = batch(40), batch(41)
    for _ in range(3):  # the first call goes the long way
        for x, y in (first, (x2[:40], y2[:40]), (x2, y2)):
            for p in (numbers, numbers * 0.5):
                value, gradient = program.value_and_grad(x, y, parameters=p)
                expected = step(backend="numpy").value_and_grad(x, y, parameters=p)
                assert value == pytest.approx(expected[0], rel=1e-14)
                assert gradient == pytest.approx(expected[1], rel=1e-12, abs=1e-15)
            assert program(x, y).shape == y.shape  # on the same memory
    as_whole_numbers = np.round(x).astype(int)
    assert (
        program.value_and_grad(as_whole_numbers, y, parameters=numbers)[0]
        == program.value_and_grad(as_whole_numbers.tolist(), y.tolist())[0]
    )
    with pytest.raises(ValueError, match="parameters is an array of"):
        program.value_and_grad(x, y, parameters=numbers[:-1])
    with pytest.raises(ValueError, match="different lengths"):
        program.value_and_grad(x, y[:-1], parameters=numbers)
    value, gradient = program.value_and_grad(x * math.nan, y, parameters=numbers)
    assert math.isnan(value)


def test_a_gathered_matrix_gathered_inputs_and_a_gathered_bias_are_read_and_written_back():
    weights = [Value(0.1 * i - 1) for i in range(40)]

    def f(x):
        # Weights in an order without a stride, inputs that repeat, biases out of line.
        rows = [[weights[(7 * i + 3 * j * j) % 37] for j in range(6)] for i in range(4)]
        inputs = [x[0], x[2], x[1], x[2].tanh(), x[0] * x[1], x[1]]
        sums = [
            sum((w * v for w, v in zip(row, inputs, strict=True)), weights[(5 * i * i) % 11])
            for i, row in enumerate(rows)
        ]
        return sum(s.tanh() for s in sums)

    x = np.random.default_rng(0).normal(size=(9, 3))
    got = compile(f, weights, batched=True, backend="numba").value_and_grad(x)
    expected = compile(f, weights, batched=True, backend="numpy").value_and_grad(x)
    assert abs(got[0] - expected[0]) <= 1e-14
    assert np.abs(got[1] - expected[1]).max() <= 1e-14
    # The same with everything in `u`: not batched.
    got = compile(lambda x: f(x), weights, backend="numba").value_and_grad(x[0])
    expected = compile(lambda x: f(x), weights, backend="numpy").value_and_grad(x[0])
    assert np.abs(got[1] - expected[1]).max() <= 1e-14


def test_large_products_without_a_batch_agree():
    generator = np.random.default_rng(1)
    w = [[Value(c) for c in row] for row in generator.normal(size=(19, 23))]
    flat = [c for row in w for c in row]

    def f(xs):
        hidden = [[sum(a * b for a, b in zip(row, x, strict=True)) for row in w] for x in xs]
        return sum(h.tanh() for row in hidden for h in row)

    xs = generator.normal(size=(7, 23)).tolist()
    got = compile(f, flat, backend="numba").value_and_grad(xs)
    expected = compile(f, flat, backend="numpy").value_and_grad(xs)
    assert abs(got[0] - expected[0]) <= 1e-12
    assert np.abs(got[1] - expected[1]).max() <= 1e-12


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("taps", "step", "samples"), [(16, 1, 53), (16, 3, 90), (40, 1, 50)])
def test_filters_read_windows_that_overlap_where_they_are(rows, taps, step, samples):
    count = (samples - taps) // step + 1

    def f(h, bias, x):
        windows = [x[i * step : i * step + taps] for i in range(count)]
        return sum(((h @ window + bias) ** 2).sum() * (i + 1) for i, window in enumerate(windows))

    draw = np.random.default_rng(0)
    h, bias, x = draw.normal(size=(rows, taps)), draw.normal(size=rows), draw.normal(size=samples)
    program = compile(f, backend="numba")
    value, slopes = program.value_and_grad(h, bias, x)
    assert f"({rows} x {taps})" in str(program)
    # Written out: r = h @ w + b for each window w, and the sum of (i + 1) * r².
    windows = np.lib.stride_tricks.sliding_window_view(x, taps)[::step]
    results = windows @ h.T + bias
    adjoints = 2 * results * np.arange(1, count + 1)[:, None]
    into_x = np.zeros(samples)
    for i, adjoint in enumerate(adjoints):
        into_x[i * step : i * step + taps] += adjoint @ h
    assert value == pytest.approx((adjoints * results).sum() / 2, rel=1e-13)
    expected = adjoints.T @ windows, adjoints.sum(axis=0), into_x
    for found, right in zip(slopes, expected, strict=True):
        # Fewer than 200 roundings of numbers below the sum of the terms' sizes.
        assert np.abs(found - right).max() <= 1e-13 * np.abs(adjoints).sum() * 5


def test_kernels_of_different_formulas_of_one_name_are_different(tmp_path, monkeypatch):
    first = micrograd.define("native_twin", "x * 2", ["2"])
    assert compile(lambda x: first(x), backend="numba")(3.0) == 6.0
    del TABLE["native_twin"]
    second = micrograd.define("native_twin", "x * 5", ["5"])
    assert compile(lambda x: second(x), backend="numba")(3.0) == 15.0


def test_a_program_of_machine_code_pickles_without_addresses():
    program = step(threads=2)
    expected = program.value_and_grad(*batch(50))
    restored = pickle.loads(pickle.dumps(program))
    value, gradient = restored.value_and_grad(*batch(50))
    assert value == expected[0]
    assert (gradient == expected[1]).all()


def test_a_number_of_threads_that_is_none_is_refused():
    with pytest.raises(ValueError, match="threads is the number of threads"):
        compile(lambda x: x, threads=0)


def test_kernels_of_gradients_are_compiled_when_a_gradient_is_asked_for(monkeypatch):
    def count(specs, asked=executor._addresses):
        compiled.extend(specs)
        return asked(specs)

    monkeypatch.setattr(executor, "_addresses", count)
    f = compile(lambda x: micrograd.sin(x) * x, batched=True, backend="numba")
    compiled: list[object] = []
    f([0.5, 2.0])
    values = len(compiled)
    f([0.5, 2.0])
    assert values == len(compiled) > 0
    f.value_and_grad([0.5, 2.0])
    assert len(compiled) > 2 * values


def test_a_program_is_written_alike_whatever_runs_it():
    texts = []
    for backend in ("numpy", "numba"):
        program = compile(lambda x: [x * 2, 3.0], batched=True, backend=backend)
        program(np.zeros(3))
        texts.append((str(program), program.source("c"), program.source("numpy")))
    assert texts[0] == texts[1]
    assert "detach" not in "".join(texts[0])
