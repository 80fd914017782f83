"""Large batches, whose arrays are read and written where they are."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="pip install llvmlite")

from micrograd import Value, compile, exp, grad, log, sin, where  # noqa: A004
from micrograd.compiler.native import executor, fusion, memory

KINDS = (np.float64, np.float32)
LENGTHS = (1, 7, 16, 17, executor.BLOCK, executor._LONG_BLOCK - 1, executor._LONG_BLOCK, 1_000)
REPEATS = 4
"""Calls: the first one traces, the second one prepares those after it."""


@pytest.fixture(params=["fused", "streamed", "in rows"])
def direct(monkeypatch, request):
    """Prepare calls of any length for the arrays of the caller; results may pass by the cache."""
    monkeypatch.setattr(memory, "STAGED", 0)
    monkeypatch.setattr(executor, "STAGED", 0)
    monkeypatch.setattr(memory, "_STREAMED", 0 if request.param == "streamed" else 2**60)
    monkeypatch.setattr(fusion, "FUSED_AFTER", 2**60 if request.param == "in rows" else 0)


def product(x, y):
    return sin(x) * y + x


def product_of(x, y):
    return np.sin(x) * y + x


def compiled(f, kind=np.float64, **options):
    return compile(f, batched=True, backend="numba", dtype=kind, **options)


def is_prepared(shortcuts):
    return any(each.__qualname__.startswith("direct_shortcut") for each, _ in shortcuts.each)


def slopes(x, y):
    return np.cos(x) * y + 1, np.sin(x)


def unaligned(x):
    """The same numbers, at an address between those of numbers."""
    buffer = np.zeros(x.nbytes + 1, np.uint8)
    made = buffer[1:].view(x.dtype)
    made[:] = x
    return made


def read_only(x):
    made = x.copy()
    made.flags.writeable = False
    return made


ARRANGED = {
    "neighbours": np.copy,
    "every second": lambda x: np.repeat(x, 2)[::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "a column": lambda x: np.stack([x, -x, x], axis=1)[:, 1] * -1,
    "one number": lambda x: np.broadcast_to(x[:1], x.shape),
    "unaligned": unaligned,
    "read-only": read_only,
    "other bytes": lambda x: x.astype(x.dtype.newbyteorder()),
    "halves": lambda x: x.astype(np.float16),
    "integers": lambda x: np.round(4 * x).astype(int),
}


@pytest.mark.parametrize("arranged", ARRANGED)
@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_any_arrangement_are_read_and_left_alone(direct, kind, arranged):
    f, near = compiled(product, kind), 8 * np.finfo(kind).eps
    for length in LENGTHS:
        x, y = np.random.default_rng(length).normal(size=(2, length)).astype(kind)
        given = ARRANGED[arranged](x), y
        kept = [each.copy() for each in given]
        exact = [each.astype(float) for each in given]
        for _ in range(REPEATS):
            value, gradient = f.value_and_grad(*given)
            # Numbers of at most about 4, with the roundings of a few operations.
            assert np.allclose(f(*given), product_of(*exact), rtol=near, atol=4 * near)
            assert np.allclose(value, product_of(*exact), rtol=near, atol=4 * near)
            for found, wanted in zip(gradient, slopes(*exact), strict=True):
                assert np.allclose(found, wanted, rtol=near, atol=4 * near)
                assert found.dtype == kind
                assert found.flags.writeable
        for each, copy in zip(given, kept, strict=True):
            assert np.array_equal(each, copy)
        assert all(map(is_prepared, f._shortcuts))


@pytest.mark.parametrize("order", ["C", "F", "strided"])
@pytest.mark.parametrize("columns", [1, 3, 8, 19])
@pytest.mark.parametrize("kind", KINDS)
def test_samples_of_several_numbers_give_gradients_with_the_samples_first(
    direct, kind, columns, order
):
    f = compiled(lambda x: (x * x * x).sum(), kind)
    g = compiled(lambda x: x * x, kind)
    for length in (5, 16, 130):
        x = np.random.default_rng(columns).normal(size=(length, columns)).astype(kind)
        x = np.repeat(x, 2, axis=1)[:, ::2] if order == "strided" else np.array(x, order=order)
        for _ in range(REPEATS):
            value, gradient = f.value_and_grad(x)
            assert gradient.flags.c_contiguous
            assert np.allclose(gradient, 3 * x * x, rtol=8 * np.finfo(kind).eps, atol=0)
            assert np.allclose(value, (x**3).sum(axis=1), rtol=0, atol=1e3 * np.finfo(kind).eps)
            assert np.array_equal(g(x), x * x)
            assert g(x).flags.c_contiguous


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_new_arrays_that_no_later_call_changes(direct, kind):
    f, kept = compiled(product, kind), []
    x, y = np.random.default_rng(0).normal(size=(2, 500)).astype(kind)
    for scale in range(1, 3 + REPEATS):
        value, gradient = f.value_and_grad(scale * x, y)
        results = [f(scale * x, y), value, *gradient]
        for i, each in enumerate(results):
            assert not any(np.shares_memory(each, x) for x in results[:i])
        kept.append((results, [each.copy() for each in results]))
    for results, copies in kept:
        for each, copy in zip(results, copies, strict=True):
            assert np.array_equal(each, copy)


@pytest.mark.parametrize("length", [9, 1_000])
def test_results_may_be_written_over_the_arguments(direct, length):
    f = compiled(product)
    x, y = np.random.default_rng(0).normal(size=(2, length))
    wanted, (by_x, by_y) = product_of(x, y), slopes(x, y)
    for _ in range(REPEATS):
        a, b = x.copy(), y.copy()
        assert f(a, b, out=a) is a
        assert np.allclose(a, wanted, rtol=1e-15, atol=1e-14)
        a = x.copy()
        value, (p, q) = f.value_and_grad(a, b, out=(b, a))
        assert p is b
        assert q is a
        assert np.allclose(value, wanted, rtol=1e-15, atol=1e-14)
        assert np.allclose(b, by_x, rtol=1e-15, atol=1e-14)
        assert np.allclose(a, by_y, rtol=1e-15, atol=1e-14)


def test_an_argument_as_the_result_and_one_without_influence_have_gradients(direct):
    x, y = np.random.default_rng(0).normal(size=(2, 1_003))
    same, first = compiled(lambda x: x), compiled(lambda x, y: x * x)
    constant, both = compiled(lambda x: x * 0 + 2.0), compiled(lambda x: [x, x * x, x, 3.0])
    for _ in range(REPEATS):
        value, slope = same.value_and_grad(x)
        assert np.array_equal(value, x)
        assert np.array_equal(slope, np.ones_like(x))
        value, (by_x, by_y) = first.value_and_grad(x, y)
        assert np.array_equal(by_x, 2 * x)
        assert not by_y.any()
        value, slope = constant.value_and_grad(x)
        assert np.array_equal(value, np.full_like(x, 2.0))
        assert not slope.any()
        found = both(x)
        for each, wanted in zip(found, [x, x * x, x, np.full_like(x, 3.0)], strict=True):
            assert np.array_equal(each, wanted)
        found[0][:] = 0.0
        assert x.any()


@pytest.mark.parametrize("place", [0, 447, 448, 999])
def test_what_is_not_finite_is_computed_again(direct, place):
    """The chain rule takes zero times infinity as 0, which plain products do not."""
    f = compiled(lambda x: where(x > 0, x, 0.0) ** 0.5 * 2)
    g = compiled(lambda x, y: exp(x) * y)
    h = compiled(lambda x, y: log(x * y))
    inner = compiled(grad(lambda x: log(x * x)))
    x = np.full(1_000, 4.0)
    big = np.ones_like(x)
    for _ in range(REPEATS):
        assert np.array_equal(f.value_and_grad(x)[1], np.full_like(x, 0.5))
        g.value_and_grad(x, big)
        assert np.array_equal(h.value_and_grad(x, x)[1], np.full((2, 1_000), 0.25))
        assert np.array_equal(inner(x), np.full_like(x, 0.5))
    y = x.copy()
    y[place] = 0.0
    for _ in range(2):
        assert [each[place] for each in h.value_and_grad(y, y)[1]] == [0.0, 0.0]
        assert inner(y)[place] == 0.0
    x[place], big[place] = -1.0, 1e308
    for _ in range(2):
        assert f.value_and_grad(x)[1][place] == 0.0
        assert g.value_and_grad(np.where(big > 1, 1e3, x), big)[1][0][place] == np.inf
        assert np.isfinite(np.delete(g.value_and_grad(x, big)[0], place)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_each_sample_by_shared_arguments_are_written_sample_by_sample(direct, kind):
    near = 64 * np.finfo(kind).eps
    f = compiled(lambda w, b, x, y: ((w @ x + b - y) ** 2).sum(), kind, in_axes=(None, None, 0, 0))
    generator = np.random.default_rng(0)
    for length in (1, 3, 130, 1_001):
        w, b, x, y = (
            generator.integers(-4, 5, shape).astype(kind)
            for shape in ((2, 5), (2,), (length, 5), (length, 2))
        )
        rest = x @ w.T + b - y
        for _ in range(REPEATS):
            value, (by_w, by_b, by_x) = f.value_and_grad(w, b, x, y, argnums=(0, 1, 2))
            assert np.allclose(value, (rest**2).sum(axis=1), rtol=near)
            assert np.allclose(by_w, 2 * rest[:, :, None] * x[:, None], rtol=near)
            assert np.allclose(by_b, 2 * rest, rtol=near)
            assert np.allclose(by_x, 2 * rest @ w, rtol=near)
            assert all(each.flags.c_contiguous for each in (by_w, by_b, by_x))
            assert all(each.flags.writeable for each in (value, by_w, by_b, by_x))


def test_means_over_large_batches_have_gradients_by_current_or_given_parameters(direct):
    w = Value(2.0)
    f = compiled(lambda x: (x * w) ** 2, parameters=[w])
    x = np.random.default_rng(0).integers(-8, 9, 1_003).astype(float)
    mean = (x * x).mean()
    for _ in range(REPEATS):
        for number in (1.0, 3.0):
            w.data = number
            value, slope = f.value_and_grad(x)
            assert np.isclose(value, number**2 * mean, rtol=1e-13)
            assert np.allclose(slope, 2 * number * mean, rtol=1e-13)
            value, slope = f.value_and_grad(x, parameters=np.array([0.5]), out=slope)
            assert np.isclose(value, mean / 4, rtol=1e-13)
            assert np.allclose(slope, mean, rtol=1e-13)
    assert is_prepared(f._shortcuts[1])


def test_means_over_large_batches_have_gradients_by_parameters_and_arguments(direct):
    w = Value(2.0)
    f = compiled(lambda x, y: sum(x) * w * y, parameters=[w])
    x, y = np.random.default_rng(0).integers(-8, 9, (2, 300)).astype(float)
    x = np.stack([x, -2 * x], axis=1)
    total = x.sum(axis=1)
    for _ in range(REPEATS):
        value, (by_x, by_w, by_y) = f.value_and_grad(x, y, argnums=(0, "parameters", 1))
        assert np.isclose(value, (2 * total * y).mean(), rtol=1e-13)
        assert np.allclose(by_w, (total * y).mean(), rtol=1e-13)
        assert type(by_x) is type(by_y) is np.ndarray
        assert np.allclose(by_x, np.stack([2 * y, 2 * y], axis=1) / 300, rtol=1e-13)
        assert np.allclose(by_y, 2 * total / 300, rtol=1e-13)


@pytest.mark.parametrize("staged", [0, memory.STAGED])
def test_a_prepared_call_uses_a_kernel_that_was_fused_for_another_length(staged, monkeypatch):
    monkeypatch.setattr(memory, "STAGED", staged)
    monkeypatch.setattr(executor, "STAGED", staged)
    monkeypatch.setattr(fusion, "FUSED_AFTER", 1_000)
    prepare, used = memory.Results.prepare, {}

    def noted(results, memory):
        used[results.length] = results.fused
        prepare(results, memory)

    monkeypatch.setattr(memory.Results, "prepare", noted)
    f = compiled(product)
    for length in (50, 60, 50, 60, *[50] * 40):
        for _ in range(REPEATS):
            f(*np.ones((2, length)))
    assert used[60] is None
    f(*np.ones((2, 60)))
    assert used[60] == used[50] is not None


def test_samples_without_numbers_have_gradients_without_numbers(direct):
    f = compiled(lambda x, y: x * x + sum(y))
    x, y = np.arange(300.0), np.zeros((300, 0))
    for _ in range(REPEATS):
        value, (by_x, by_y) = f.value_and_grad(x, y)
        assert np.array_equal(value, x * x)
        assert np.array_equal(by_x, 2 * x)
        assert by_y.shape == (300, 0)


def test_few_arguments_with_many_results_write_them_sample_by_sample(direct, monkeypatch):
    """The arguments are copied, as they are few, and calls of other kinds still find the copies."""
    monkeypatch.setattr(memory, "STAGED", 2**15)
    monkeypatch.setattr(executor, "STAGED", 2**10)
    powers = np.arange(1, 41)
    f = compiled(lambda x: np.stack([x * k for k in powers]))
    g = compiled(lambda x: x * 3.0)
    x = np.random.default_rng(0).integers(-9, 10, 333).astype(float)
    for scale in range(1, 2 + REPEATS):
        for given in (scale * x, scale * x, [*scale * x]):  # prepared for what comes twice
            assert np.array_equal(f(given), scale * x[:, None] * powers)
        assert np.array_equal(g(scale * x), 3 * scale * x)
    assert is_prepared(f._shortcuts[0])


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_calls_of_other_kinds_in_between_disturb_nothing(direct, threads):
    f = compiled(product, threads=threads)
    x, y = np.random.default_rng(0).normal(size=(2, 9_000))
    wanted = product_of(x, y)
    for _ in range(REPEATS):
        for length in (9_000, 500, 9_000):
            found = f.value_and_grad(x[:length], y[:length])[0]
            assert np.allclose(found, wanted[:length], rtol=1e-15, atol=1e-14)
        assert np.allclose(f([*x], [*y]), wanted, rtol=1e-15, atol=1e-14)
        single = x.astype(np.float32)
        assert np.allclose(
            f(single, y), product_of(single.astype(float), y), rtol=1e-15, atol=1e-14
        )
        with pytest.raises(ValueError, match="different lengths"):
            f(x, y[1:])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, 3, 5, 8, 14, 17, 33])
def test_all_numbers_of_a_sample_are_read_and_written_in_their_places(count, kind, direct):
    """Some rows are moved together, others one by one, and the last samples are fewer."""
    made = compiled(lambda x, y: (x * x).sum() + y, kind)
    turned = compiled(lambda x, y: np.array([*x[::-1], 2.0, y, -0.5, *x]), kind)
    for length in (1, 7, 16, 17, 250):
        draw = np.random.default_rng(count).normal
        x, y = draw(size=(length, count)).astype(kind), draw(size=length).astype(kind)
        shared = np.broadcast_to(kind(2), length), y, np.broadcast_to(kind(-0.5), length)
        wanted = np.stack([*x.T[::-1], *shared, *x.T], axis=1)
        for _ in range(REPEATS):
            value, (dx, dy) = made.value_and_grad(x, y)
            np.testing.assert_allclose(value, (x * x).sum(axis=1) + y, rtol=1e-5)
            np.testing.assert_array_equal(dx, 2 * x)
            np.testing.assert_array_equal(dy, np.ones(length))
            np.testing.assert_array_equal(turned(x, y), wanted)
    assert is_prepared(made._shortcuts[1])
