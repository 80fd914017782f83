"""Fused programs: one kernel of straight code, with the numbers of the kernels of instructions."""

from __future__ import annotations

import math
import pickle
from functools import cache, reduce
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="pip install llvmlite")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from micrograd import (
    Value,
    compile,  # noqa: A004
    cos,
    derivative,
    exp,
    functions,
    log,
    maximum,
    sin,
    sqrt,
    take,
    where,
)
from micrograd.compiler.native import executor, fusion, machine
from micrograd.compiler.native.driver import Frame
from micrograd.ops import TABLE
from micrograd.testing.strategies import expressions
from nn import MLP

NEVER = 2**60
SPECIALS = (0.0, -0.0, 0.5, 1.0, -1.0, 700.0, -750.0, 1e30, np.inf, -np.inf, np.nan)


@pytest.fixture
def fused_at_once(monkeypatch):
    """Fuse programs at their first call."""
    monkeypatch.setattr(fusion, "FUSED_AFTER", 0)


def codes(program):
    """Whether there is a fused kernel for values, and for gradients."""
    values = program._last.executor.executor
    gradients = values._backwards.fusion.kernels
    found = values.fusion.kernels["values"], gradients["mean"] or gradients["each"]
    return [code is not None for code in found]


def both(f, parameters=(), **options):
    """Return a program that is fused at its first call, and one that never is."""
    made = [compile(f, parameters, batched=True, backend="numba", **options) for _ in range(2)]

    def call(*args):
        found = []
        for after, program in zip((0, NEVER), made, strict=True):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(fusion, "FUSED_AFTER", after)
                found.append((program(*args), program.value_and_grad(*args)))
        return found

    return call, *made


def assert_same(found):
    """Check that two results, which may be nested, have the same numbers."""
    first, second = found
    if isinstance(first, tuple | list):
        for pair in zip(first, second, strict=True):
            assert_same(pair)
    else:
        np.testing.assert_array_equal(first, second)


def reprojection(turn, shift, lens, point, seen):
    """The squared error of a point in the picture of a camera."""
    angle = sqrt(sum(t * t for t in turn) + 1e-12)
    x, y, z = axis = [t / angle for t in turn]
    a, b, c = point
    along, across = x * a + y * b + z * c, [y * c - z * b, z * a - x * c, x * b - y * a]
    cosine, sine = cos(angle), sin(angle)
    placed = [
        p * cosine + q * sine + r * along * (1 - cosine) + s
        for p, q, r, s in zip(point, across, axis, shift, strict=True)
    ]
    u, v = -placed[0] / placed[2], -placed[1] / placed[2]
    square = u * u + v * v
    scale = lens[0] * (1 + lens[1] * square + lens[2] * square * square)
    return (scale * u - seen[0]) ** 2 + (scale * v - seen[1]) ** 2


def cameras(length):
    draw = np.random.default_rng(length).normal
    turn, shift, lens, point = (draw(size=(length, 3)) for _ in range(4))
    return 0.3 * turn, 0.1 * shift, 0.1 * lens, point + 5.0, draw(size=(length, 2))


@pytest.mark.slow
@pytest.mark.parametrize("length", [1, 7, 8, 113, 1_000])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_fused_program_gives_the_numbers_of_its_instructions(dtype, length):
    call, fused, plain = both(reprojection, dtype=dtype)
    assert_same(call(*cameras(length)))
    assert codes(fused) == [True, True]
    assert codes(plain) == [False, False]


W = [Value(0.1 * k - 0.4) for k in range(9)]


def learned(x, y):
    """A function with parameters in operations and in sums, some of them in several."""
    a, b = x * W[0] + y * W[1] - W[2], x / W[3] - W[4] * W[5] - y
    for _ in range(3):
        a, b = a - b * W[6] + W[7], sin(a) * W[8] - x * y
    kept = where(a > b, a * W[0] - W[0], maximum(b, W[1]))
    return kept * kept + 0.01 * sum(w * w for w in W)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("length", [3, 200, 5_003])
def test_a_fused_program_gives_the_same_gradient_of_parameters(dtype, length, threads):
    at = np.random.default_rng(length).normal(size=(2, length))
    call, fused, _ = both(learned, W, dtype=dtype, threads=threads)
    assert_same(call(*at))
    assert codes(fused) == [True, True]


@pytest.mark.slow
def test_products_with_constant_matrices_sums_folds_and_tapes_are_fused(fused_at_once):
    matrix = np.random.default_rng(0).normal(size=(6, 5))

    def f(x):
        a = matrix @ x
        b = matrix @ np.array([(x[i] * x[i - 1] - a[i] * x[i]).tanh() for i in range(5)])
        b = b + matrix @ np.array([a[0], x[1], a[2], x[3], a[4]])
        largest = reduce(maximum, [each.detach() for each in b])
        total = log(sum(exp(each - largest) for each in b))
        for _ in range(40):
            total = sin(total) * 1.5 + a[0]
        return total + b[0] * b[1]

    call, fused, _ = both(f)
    assert_same(call(np.random.default_rng(1).normal(size=(77, 5))))
    assert codes(fused) == [True, True]
    names = {type(each).__name__ for each in fused.program.instructions}
    assert names == {"Elementwise", "Product", "WeightedSums", "Fold", "Tape"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_fused_operations_agree_at_special_numbers(dtype):
    for row in TABLE.values():
        f = getattr(functions, row.name)
        grid = np.array(np.meshgrid(*[SPECIALS] * row.arity)).reshape(row.arity, -1)
        call, fused, _ = both(lambda *at, f=f: f(*at) * at[0] + f(*at), dtype=dtype)
        assert_same(call(*grid))
        assert codes(fused) == [True, True], row.name


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(expression=expressions(), data=st.data())
def test_fused_random_expressions_agree_at_any_numbers(expression, data):
    number = st.one_of(st.floats(-3, 3), st.sampled_from(SPECIALS))
    length = data.draw(st.integers(1, 12))
    columns = [
        np.array([at, *(data.draw(number) for _ in range(length - 1))]) for at in expression.at
    ]
    call, *_ = both(lambda *at: expression(*at) + 0.0 * sum(at))
    assert_same(call(*columns))


@pytest.mark.parametrize("base", [2.0, 10.0, math.e])
def test_powers_of_a_constant_base_are_the_same_in_fused_code(base):
    call, *_ = both(lambda x: base**x)
    assert_same(call(np.random.default_rng(0).normal(0, 9, 1_000)))


def test_zero_times_infinity_is_zero_in_a_fused_program(fused_at_once):
    program = compile(
        lambda x, y: where(x > 0, log(x) * y, 0.0) + sqrt(x) ** 2, batched=True, backend="numba"
    )
    value, (by_x, by_y) = program.value_and_grad([0.0, 1.0], [2.0, 3.0])
    assert codes(program) == [False, True]
    assert value.tolist() == [0.0, 1.0]
    assert by_x.tolist() == [0.0, 4.0]
    assert by_y.tolist() == [0.0, 0.0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.parametrize("divisor", [3.0, -0.1, 7.0, 49.0, -6.0, 1.1, 8.0, 1e5])
def test_fused_quotients_by_constants_are_rounded_as_quotients(fused_at_once, divisor, kind):
    rng = np.random.default_rng(0)
    exponents = 300 if kind == "float64" else 30
    x = np.concatenate([rng.normal(size=2_000), 10 ** rng.uniform(-exponents, exponents, 2_000)])
    x = np.append(x, SPECIALS).astype(kind)
    quotient = compile(lambda x: x / divisor, batched=True, backend="numba", dtype=kind)
    quotient(x)
    got, expected = quotient(x), x / np.array(divisor, kind)
    assert codes(quotient)[0]
    assert np.array_equal(got, expected, equal_nan=True)
    assert np.array_equal(np.signbit(got), np.signbit(expected))


@pytest.mark.slow
@pytest.mark.parametrize("is_learned", [True, False])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_products_with_small_matrices_and_learned_biases_are_fused(width, is_learned):
    draw = np.random.default_rng(width).normal
    held = [Value(number) for number in draw(size=(width + 1) * 6)]
    w, b = np.array(held[: 5 * width]).reshape(width, 5), held[5 * width : 6 * width]
    if not is_learned:
        w, held = draw(size=w.shape), b
    call, fused, plain = both(lambda x: sum(sin(y) for y in w @ x + b), held)
    assert_same(call(draw(size=(1_000, 5))))
    assert codes(fused) == [True, True]
    assert codes(plain) == [False, False]


def test_a_matrix_that_shares_parameters_is_not_fused():
    """Its kernel adds up what the entries of a parameter get in another order."""
    shared = np.array([W[:2] * 3, W[1::-1] * 3])[:, :5]
    call, fused, _ = both(lambda x: sum(sin(y) for y in shared @ x), W[:2])
    assert_same(call(np.random.default_rng(0).normal(size=(513, 5))))
    assert codes(fused) == [False, False]


@pytest.mark.slow
def test_a_product_that_uses_a_weight_in_two_columns_is_fused_as_two_products():
    held = [Value(number) for number in np.random.default_rng(0).normal(size=12)]

    def curve(t):  # Bézier's, of degree 5
        points = [*np.array(held).reshape(6, 2)]
        while len(points) > 1:
            points = [(1 - t) * p + t * q for p, q in pairwise(points)]
        return (points[0] ** 2).sum()

    call, fused, _ = both(curve, held)
    assert_same(call(np.linspace(0, 1, 513)))
    assert codes(fused) == [True, True]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("table", [W, [0.0, W[3], W[1] * W[2], 1.0]], ids=["even", "uneven"])
def test_lookups_are_fused_with_what_is_around_them(table, dtype):
    call, fused, plain = both(lambda k, x: sin(take(table, k) * x), W, dtype=dtype)
    draw = np.random.default_rng(0)
    inside = draw.integers(-len(table), len(table), 1_000).astype(float)
    anything = np.array([*range(-12, 12), 0.5, -0.5, np.inf, -np.inf, np.nan])
    for k in (inside, anything):
        assert_same(call(k, draw.normal(size=len(k))))
    assert codes(fused) == [True, True]
    assert codes(plain) == [False, False]


@pytest.mark.slow
def test_the_entries_of_a_table_get_what_several_fused_lookups_pass_back():
    call, fused, _ = both(lambda k, x: take(W, k) * x * take(W, k + 1), W)
    draw = np.random.default_rng(0)
    assert_same(call(draw.integers(0, 8, 1_000).astype(float), draw.normal(size=1_000)))
    assert codes(fused) == [True, True]


def test_a_fused_program_reports_the_same_as_not_finite(monkeypatch):
    """Infinite partials are stopped within the kernel: only what must be is computed again."""
    samples = np.array(np.meshgrid(SPECIALS, SPECIALS)).reshape(2, -1)
    for f in (
        lambda x, y: where(x > 0, log(x) / y, 0.0) + x,
        lambda x, y: where(x > 0, sqrt(x) * log(x), y),
        lambda x, y: exp(x) * y - x / y,
    ):
        found = []
        for after in (0, NEVER):
            monkeypatch.setattr(fusion, "FUSED_AFTER", after)
            program = compile(f, batched=True, backend="numba")
            program(*samples[:, :1])
            runs = program._last.executor.executor
            fine = []
            for k in range(samples.shape[1]):
                gradients = runs.value_and_grad([], [samples[:, k : k + 1]], 1, mean=False)
                fine.append(gradients.finite)
            found.append(fine)
        assert found[0] == found[1]
        assert 0 < sum(found[0]) < len(found[0])


@pytest.mark.parametrize("used", [True, False])
def test_the_adjoint_of_the_result_is_1_unless_samples_are_averaged_or_summed(fused_at_once, used):
    w = Value(3.0)
    program = compile(lambda x: x * x * (w if used else 3.0), [w], batched=True, backend="numba")
    x = np.arange(1.0, 14.0)  # fills no whole vectors
    total = (x * x).sum() if used else 0.0
    mean, (by_x, by_w) = program.value_and_grad(x, argnums=(0, "parameters"))
    assert np.allclose([mean, *by_w], [3 * (x * x).mean(), total / 13], rtol=1e-15)
    assert np.allclose(by_x, 6 * x / 13, rtol=1e-15)
    runs = program._last.executor.executor
    found = runs.value_and_grad([3.0], [x[None]], 13, mean=False)
    assert found.parameters.tolist() == [total]
    assert {None, *runs._backwards.fusion.kernels.values()} != {None}


def test_a_program_is_fused_by_the_first_call_after_enough_samples(monkeypatch):
    monkeypatch.setattr(fusion, "FUSED_AFTER", 250)
    x, y = np.random.default_rng(0).normal(size=(2, 100))
    program = compile(learned, W, batched=True, backend="numba")
    parameters = np.array([w.data for w in W])
    found, states = [], []
    for _ in range(5):
        found.append(program.value_and_grad(x, y, parameters=parameters))
        states.append(codes(program))
    assert states == [[False, False]] * 3 + [[False, True]] * 2
    for value, gradient in found:
        assert value == found[0][0]
        assert gradient.tolist() == found[0][1].tolist()
    assert pickle.loads(pickle.dumps(program))(x, y).tolist() == program(x, y).tolist()


def test_batches_of_other_lengths_use_the_fused_kernel_that_there_is(fused_at_once):
    program = compile(lambda x, y: sin(x * y) + x, batched=True, backend="numba")
    program.value_and_grad(*np.ones((2, 50)))
    runs = program._last.executor.executor._backwards
    for _ in range(5):  # later ones are laid out once and repeated
        program.value_and_grad(*np.ones((2, 30)))
    (memory,) = runs._memories(30)
    assert memory.frame[Frame.CODE] == memory.fused.buffer_info()[0]
    assert memory.frame[Frame.ROWS] == 1


def test_what_does_not_fit_is_not_fused(fused_at_once, monkeypatch):
    x = np.random.default_rng(0).normal(size=(30, 3))
    model = MLP(3, [10, 1])
    network = compile(model, model.parameters(), batched=True, backend="numba")
    network.value_and_grad(x)
    assert codes(network) == [False, False]  # its matrices have kernels of their own

    def f(x):
        return sin(x[0] * x[1]) * x[2] + x[0]

    with monkeypatch.context() as patch:
        patch.setattr(fusion, "MOST_LINES", 14)
        long = compile(f, batched=True, backend="numba")
        long.value_and_grad(x)
        assert codes(long) == [False, False]
        assert not long._last.executor.executor._backwards.fusion.waiting["each"]
    wide = compile(lambda x: sum(sin(each * each) for each in x), batched=True, backend="numba")
    wide.value_and_grad(np.ones((1, fusion.MOST_LINES // 2)))
    assert not any(wide._last.executor.executor.fusion.waiting.values())
    short = compile(f, batched=True, backend="numba")
    short.value_and_grad(x)
    assert codes(short) == [False, True]
    single = compile(lambda x: sin(x[0]), batched=True, backend="numba")
    single.value_and_grad(x)
    assert codes(single) == [False, True]  # its one kernel reads and writes the caller's arrays
    for rows, is_fused in ((10, True), (11, False)):  # of 10 constants each
        matrix = np.arange(10.0 * rows).reshape(rows, 10)
        constant = compile(lambda x, m=matrix: np.sin(m @ x), batched=True, backend="numba")
        constant(np.ones((30, 10)))
        assert codes(constant) == [is_fused, False]


def test_a_tape_alone_is_fused(fused_at_once):
    def f(x):
        for _ in range(40):
            x = sin(x) * 1.5 + x
        return x

    program = compile(f, batched=True, backend="numba")
    program.value_and_grad(np.ones(3))
    assert [type(each).__name__ for each in program.program.instructions] == ["Tape"]
    assert codes(program) == [False, True]


def test_a_product_of_zeros_has_the_same_sign_in_a_fused_program(monkeypatch):
    matrix = np.arange(1.0, 31.0).reshape(6, 5)
    found = []
    for after in (0, NEVER):
        monkeypatch.setattr(fusion, "FUSED_AFTER", after)
        program = compile(lambda x: [*(matrix @ x), sin(x[0])], batched=True, backend="numba")
        found.append(np.signbit(program(np.full((3, 5), -0.0))).tolist())
        assert codes(program) == [after == 0, False]
    assert found[0] == found[1]
    assert any(type(each).__name__ == "Product" for each in program.program.instructions)


@pytest.mark.slow
def test_a_fused_kernel_is_kept_on_disk(fused_at_once, tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRAD_CACHE_DIR", str(tmp_path / "kept"))
    at = cameras(20)
    for _ in range(2):
        monkeypatch.setattr(executor, "_only_machine", cache(machine.Machine))
        program = compile(reprojection, batched=True, backend="numba")
        program.value_and_grad(*at)
        assert codes(program) == [False, True]
        files = {each.name: each.stat().st_mtime_ns for each in (tmp_path / "kept").iterdir()}
        monkeypatch.setattr(machine.Machine, "_compiled", None)  # nothing is compiled again
    assert files


def test_jacobians_and_inner_derivatives_are_fused(fused_at_once):
    def f(x, y):
        outputs = [sin(x * y) + exp(-y * y), x / (y * y + 1.0)]
        return [*outputs, *(d for each in outputs for d in derivative(each, [x, y]))]

    fused = compile(f, batched=True, backend="numba")
    x, y = np.random.default_rng(2).normal(size=(2, 50))
    got = np.array(fused(x, y))
    assert codes(fused) == [True, False]
    expected = [[each.data for each in f(Value(a), Value(b))] for a, b in zip(x, y, strict=True)]
    # A few roundings of numbers below 10.
    np.testing.assert_allclose(got.T, expected, rtol=0, atol=2.0**-48)
