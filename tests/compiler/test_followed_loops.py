"""Executors that follow loops backwards give the gradients of plain loops on Values."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest

from micrograd import (
    Value,
    compile,  # noqa: A004
    grad,
    log,
    repeat,
    scan,
    sigmoid,
    tanh,
    value_and_grad,
    where,
    while_,
)
from micrograd.compiler.program.instructions import Product, WeightedSums
from tests.compiler.conftest import installed

SLACK = 2.0**-40  # of rounding errors, enlarged by steep functions; see test_agreement.py
WIDTH = 4


@pytest.fixture(params=["numpy", "numba"])
def backend(request):
    """The backends that follow loops and that JAX does not compile."""
    return installed(request.param)


def values(numbers):
    """A Value for each number, in an array of the same shape."""
    return np.frompyfunc(Value, 1, 1)(numbers)


def follows_loops(compiled):
    """Whether the last program of a compiled function follows its loops backwards."""
    return compiled._last.executor.executor.follows_loops


def by_values(f, parameters, samples):
    """The mean of a function over samples, and its gradient with respect to parameters."""
    for each in parameters:
        each.grad = 0.0
    mean = sum(f(*sample) for sample in samples) / len(samples)
    mean.backward()
    return mean.data, [each.grad for each in parameters]


def assert_agree(backend, f, parameters, *args, follows=True, slack=SLACK, **options):
    """Compare gradients of parameters and of arguments with those of Values, in several calls."""
    compiled = compile(f, parameters, batched=True, backend=backend, **options)
    samples = [*zip(*args, strict=True)]
    mean, gradient = by_values(f, parameters, samples)
    for _ in range(4):  # the later calls are laid out
        got, slopes = compiled.value_and_grad(*args)
        np.testing.assert_allclose(got, mean, rtol=slack)
        np.testing.assert_allclose(slopes, gradient, rtol=slack, atol=slack)
    assert follows_loops(compiled) == follows
    everything = tuple(range(len(args)))
    _, of_args = compiled.value_and_grad(*args, argnums=everything)
    for k, sample in enumerate(samples):
        _, expected = value_and_grad(f, argnums=everything)(*sample)
        for got, slope in zip(of_args, expected, strict=True):
            np.testing.assert_allclose(got[k], np.array(slope, float), rtol=slack, atol=slack)


class Cell:
    """A gated cell with matrices of parameters, and two states that change places."""

    def __init__(self, width=WIDTH):
        draw = np.random.default_rng(0)
        self.w, self.u = (values(draw.normal(0, 0.5, (2 * width, width))) for _ in range(2))
        self.b, self.h = values(draw.normal(size=2 * width)), values(draw.normal(size=width))
        self.parameters = [*self.w.ravel(), *self.u.ravel(), *self.b, *self.h]

    def __call__(self, state, x):
        h, c = state
        first, second = np.split(self.w @ x + self.u @ h + self.b, 2)
        return (np.tanh(second) * sigmoid(first) + c, h), h * c

    def inputs(self, *shape):
        return np.random.default_rng(1).normal(0, 0.5, (*shape, len(self.h)))


@pytest.mark.parametrize("reverse", [False, True])
def test_a_cell_with_matrices_of_parameters_agrees(backend, reverse):
    cell = Cell()

    def f(xs):
        last, ys = scan(cell, (cell.h, 0.5 * cell.h), xs, reverse=reverse)
        return (last[0] ** 2).sum() + (ys[0] * ys[2]).sum() - last[1][0]

    assert_agree(backend, f, cell.parameters, cell.inputs(3, 4))


@pytest.mark.parametrize("batched", [False, True])
def test_numbers_that_are_gathered_for_a_product_agree(backend, batched):
    draw = np.random.default_rng(0)
    width = 20
    chosen = [0, 1, 3, 4, 7, *range(9, width)]
    w = values(draw.normal(0, 0.2, (width, width)))
    order = draw.permutation(width)[: len(chosen)]

    def f(x):
        return (repeat(lambda h: np.tanh(w[:, order] @ h[chosen] + h), x, 3) ** 2).sum()

    parameters, at = [*w.ravel()], draw.normal(size=(2, width))
    if not batched:
        at = at[0]
    compiled = compile(f, parameters, batched=batched, backend=backend)
    expected = by_values(f, parameters, [(each,) for each in (at if batched else [at])])
    for _ in range(3):
        value, slopes = compiled.value_and_grad(at)
        assert value == pytest.approx(expected[0], rel=SLACK)
        np.testing.assert_allclose(slopes, expected[1], rtol=SLACK, atol=SLACK)
    assert follows_loops(compiled)


def test_a_loop_after_a_loop_agrees(backend):
    cell = Cell()

    def f(xs):
        (h, c), ys = scan(cell, (cell.h, np.zeros(WIDTH)), xs)
        (h, _), ys = scan(cell, (c, h), ys + xs)
        return (h * ys.sum(axis=0)).sum()

    assert_agree(backend, f, cell.parameters, cell.inputs(3, 4))


def test_samples_that_end_at_steps_of_their_own_agree(backend):
    cell = Cell()

    def f(x, most):
        def goes_on(state):
            return state[0].sum() < most

        return while_(goes_on, lambda s: cell(s, x)[0], (0.1 * x, x * x), most=9)[0].sum()

    assert_agree(backend, f, cell.parameters, cell.inputs(6), np.linspace(-1.0, 5.0, 6))


def test_numbers_of_steps_that_are_arguments_agree(backend):
    cell = Cell()

    def f(x, n):
        return repeat(lambda s: cell(s, 0.1 * x)[0], (0.1 * x, 0.2 * x), n)[0].sum()

    counts = np.array([2.0, 0.0, 70.0, 1.0])  # more steps than any stack has room for at first
    at = cell.inputs(4)
    compiled = compile(f, cell.parameters, batched=True, backend=backend)
    samples = [(x, int(n)) for x, n in zip(at, counts, strict=True)]
    mean, gradient = by_values(f, cell.parameters, samples)
    for _ in range(4):
        got, slopes = compiled.value_and_grad(at, counts)
        np.testing.assert_allclose(got, mean, rtol=SLACK)
        np.testing.assert_allclose(slopes, gradient, rtol=1e-9)
    assert follows_loops(compiled)


def test_a_loop_of_large_products_without_a_batch_agrees(backend):
    width = 16

    def f(w, x, xs):
        def step(state, y):
            h, p = state
            return (np.tanh(w @ h + y), w @ p), h.sum()

        (h, p), ys = scan(step, (x, w), xs)
        return (h * p[0]).sum() + sum(ys) ** 2

    draw = np.random.default_rng(0)
    args = (
        draw.normal(0, 0.3, (width, width)),
        draw.normal(size=width),
        draw.normal(size=(2, width)),
    )
    compiled = compile(f, backend=backend)
    expected, slopes = value_and_grad(f, argnums=(0, 1, 2))(*args)
    for _ in range(4):
        value, found = compiled.value_and_grad(*args)
        assert value == pytest.approx(expected, rel=SLACK)
        for got, slope in zip(found, slopes, strict=True):
            np.testing.assert_allclose(got, np.array(slope, float), rtol=SLACK, atol=SLACK)
    assert follows_loops(compiled)


def test_states_that_are_numbers_beside_a_product_agree(backend):
    """On NumPy, their adjoints are floats that take the place of those of the step after."""
    matrix = np.random.default_rng(0).uniform(-0.3, 0.3, (24, 24))

    def f(x, a, b, c):
        def step(state):
            x, a, b, c = state
            return matrix @ x, 0.25 * a + 0.1, tanh(b) * 0.5 - a, a / (2 + c * c)

        x, a, b, c = repeat(step, (x, a, b, c), 5)
        return (x * x).sum() + a - b * c

    arguments = np.linspace(-1.0, 1.0, 24), 0.3, -0.4, 0.7
    _, expected = value_and_grad(f, argnums=(0, 1, 2, 3))(*arguments)
    compiled = compile(f, backend=backend)
    for _ in range(10):  # the later calls run straight code
        _, found = compiled.value_and_grad(*arguments, argnums=(0, 1, 2, 3))
        for got, slope in zip(found, expected, strict=True):
            np.testing.assert_allclose(got, np.array(slope, float), rtol=SLACK, atol=SLACK)
    assert follows_loops(compiled)


def test_steps_of_which_only_the_states_are_kept_are_computed_again(backend, monkeypatch):
    monkeypatch.setattr("micrograd.compiler.numpy.following.MOST_KEPT", 0)
    native = "micrograd.compiler.native.loop_linking.MOST_KEPT"
    monkeypatch.setattr(native, {False: 0, True: 0}, raising=backend == "numba")
    cell, width = Cell(), 16
    w = values(np.random.default_rng(0).normal(0, 0.3, (width, width)))

    def f(xs):
        last, ys = scan(cell, (cell.h, 0.5 * cell.h), xs)
        return (last[0] ** 2).sum() + (ys[0] * ys[2]).sum() - last[1][0]

    def g(xs):  # without a batch, and with products of matrices
        (h, p), ys = scan(
            lambda s, x: ((np.tanh(w @ s[0] + x), w @ s[1]), s[0].sum()), (xs[0], w), xs
        )
        return (h * p[0]).sum() + ys[1] ** 2

    assert_agree(backend, f, cell.parameters, cell.inputs(3, 4))
    at = np.random.default_rng(1).normal(size=(2, width))
    _, slopes = compile(g, [*w.ravel()], backend=backend).value_and_grad(at)
    np.testing.assert_allclose(slopes, by_values(g, [*w.ravel()], [(at,)])[1], rtol=1e-9)


def test_a_long_step_with_parameters_agrees(backend):
    w = values(np.array([0.5, 0.25, -0.5]))

    def f(x):
        def step(h):
            for i in range(220):
                h = [tanh(h[0] * w[i % 3] + h[1] * (i / 100)), h[0] - x * h[1] / 3, w[1], h[3] * x]
            return h

        return sum(repeat(step, [x, 1.0, w[2], w[0]], 3))

    assert_agree(backend, f, [*w], np.array([0.5, -0.25]))


def test_derivatives_of_derivatives_agree(backend):
    cell = Cell(2)

    def f(x):
        def loss(x):
            return (repeat(lambda s: cell(s, x)[0], (cell.h, x), 2)[0] ** 2).sum()

        return sum(each * each for each in grad(loss)([*x]))

    parameters = cell.parameters
    compiled = compile(f, parameters, batched=True, backend=backend)
    at = cell.inputs(3)
    mean, gradient = by_values(
        lambda x: f([Value(each) for each in x]), parameters, [(x,) for x in at.tolist()]
    )
    got, slopes = compiled.value_and_grad(at)
    assert got == pytest.approx(mean, rel=SLACK)
    np.testing.assert_allclose(slopes, gradient, rtol=SLACK, atol=SLACK)


def test_loops_within_loops_and_columns_of_parameters_have_traced_derivatives(backend):
    cell = Cell()

    def nested(x):
        def outer(state):
            return repeat(lambda s: cell(s, x)[0], state, 2)

        return (repeat(outer, (cell.h, x), 2)[0]).sum()

    def with_columns(x):
        rows = cell.w[:, :WIDTH]
        return scan(cell, (x, cell.h), rows)[0][0].sum()

    for f in (nested, with_columns):
        assert_agree(backend, f, cell.parameters, cell.inputs(3), follows=False)


def test_an_infinite_factor_is_stopped_by_zero(backend):
    w = values(np.array([[0.0, 0.5], [1.0, -0.5], [0.0, 1.0], [2.0, 1.0]]))

    def f(x):
        def step(h):
            first, second, third, last = w @ h
            return np.array([where(first > 0, log(first) * third, second), first * last])

        return repeat(step, x, 2).sum()

    assert_agree(backend, f, [*w.ravel()], np.array([[0.0, 0.0], [1.0, 2.0], [0.5, 0.0]]))


def test_single_precision_and_threads_agree(backend):
    cell = Cell()

    def f(xs):
        return (scan(cell, (cell.h, np.zeros(WIDTH)), xs)[0][0] ** 2).sum()

    at = cell.inputs(7_000, 2)
    options = [{}, {"dtype": "float32"}] + [{"threads": 2}] * (backend == "numba")
    found = [
        compile(f, cell.parameters, batched=True, backend=backend, **each).value_and_grad(at)
        for each in options
    ]
    for each, (value, slopes) in zip(options, found, strict=True):
        slack = 1e-5 if "dtype" in each else 1e-12
        assert value == pytest.approx(found[0][0], rel=slack)
        np.testing.assert_allclose(slopes, found[0][1], rtol=slack, atol=slack)


def test_a_program_that_follows_loops_can_be_pickled(backend):
    cell = Cell()

    def f(xs):
        return (scan(cell, (cell.h, np.zeros(WIDTH)), xs)[0][0] ** 2).sum()

    compiled, at = compile(f, cell.parameters, batched=True, backend=backend), cell.inputs(3, 2)
    _, slopes = compiled.value_and_grad(at)
    executor = pickle.loads(pickle.dumps(compiled._last.executor.executor))
    rows = at.reshape(3, -1).T
    numbers = [each.data for each in cell.parameters]
    again = executor.value_and_grad(numbers, [rows], 3, mean=True)
    np.testing.assert_array_equal(again.parameters, slopes)


@pytest.mark.slow
def test_values_alone_keep_nothing_of_the_steps(backend):
    cell = Cell()

    def f(x, n):
        return repeat(lambda s: cell(s, 0.1 * x)[0], (0.1 * x, 0.2 * x), n)[0].sum()

    compiled = compile(f, cell.parameters, batched=True, backend=backend)

    def peak(n):
        tracemalloc.start()
        compiled(cell.inputs(2), np.array([3.0, n]))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = (min(peak(n) for _ in range(3)) for n in (10.0, 5_000.0))
    assert many < few + 5_000  # not even a byte for each step


def test_a_row_of_a_matrix_product_may_have_a_product_of_variables_added():
    w = values(np.ones((3, 4)))
    compiled = compile(lambda x, y: w @ x + x[:3] * y, [*w.ravel()], batched=True, backend="numpy")
    x, y = np.arange(8.0).reshape(2, 4), np.array([2.0, 3.0])
    np.testing.assert_array_equal(compiled(x, y), x.sum(axis=1)[:, None] + x[:, :3] * y[:, None])
    kinds = [type(each) for each in compiled.program.instructions]
    assert Product in kinds
    assert WeightedSums not in kinds


@pytest.mark.parametrize("wide", [True, False], ids=["one wide instruction", "many sums"])
def test_a_step_of_many_sums_of_single_numbers_is_straight_code(wide):
    backend = installed("numba")
    from micrograd.compiler.native.loops import is_straight

    def step(u):
        return u * u if wide else np.roll(u, 1) - u - np.roll(u, -1)

    program = compile(lambda u: (repeat(step, u, 5) ** 2).sum(), backend=backend)
    program(np.linspace(0.0, 0.1, 20))
    (loop,) = (x for x in program.program.instructions if type(x).__name__ == "Loop")
    assert is_straight(loop) is not wide
