"""On JAX, steps that repeat themselves are a loop, with the results of unrolled steps."""

from __future__ import annotations

import random

import numpy as np
import pytest

from micrograd import Value, compile, sigmoid, tanh  # noqa: A004
from nn.functional import softmax

pytest.importorskip("jax")
pytestmark = pytest.mark.exhaustive

STEPS, SIZE, WIDTH = 14, 8, 4


def weights(rows: int, columns: int) -> list[list[Value]]:
    rng = random.Random(rows + columns)
    return [[Value(rng.gauss(0, 0.4)) for _ in range(columns)] for _ in range(rows)]


def product(matrix, vector):
    return [sum((a * b for a, b in zip(row, vector, strict=False)), row[-1]) for row in matrix]


GATES = weights(4 * SIZE, WIDTH + SIZE + 1)
ROWS = weights(SIZE, WIDTH + SIZE + 1)


def lstm(x):
    h, c = [0.0] * SIZE, [0.0] * SIZE
    for t in range(STEPS):
        z = product(GATES, [*x[t], *h])
        i, f, o, g = (z[k * SIZE : (k + 1) * SIZE] for k in range(4))
        c = [sigmoid(b) * s + sigmoid(a) * tanh(e) for a, b, s, e in zip(i, f, c, g, strict=True)]
        h = [sigmoid(a) * tanh(b) for a, b in zip(o, c, strict=True)]
    return sum(a * a for a in h)


def states(x, times):
    h, found = [0.0] * SIZE, []
    for t in times:
        h = [tanh(z) for z in product(ROWS, [*x[t], *h])]
        h = [a * x[0][0] - 0.5 * (a - x[t][1]) ** 2 for a in h]
        found.append(h)
    return found


def last_state(x):
    return sum(states(x, range(STEPS))[-1])


def every_state(x):
    return sum(tanh(2 * a) for h in states(x, range(STEPS)) for a in h)


def some_states_from_the_last_input_on(x):
    found = states(x, reversed(range(STEPS)))
    return sum(a * b for a, b in zip(found[4], found[-1], strict=True))


def two_states_back(x):
    before, h = [0.1] * SIZE, [0.2] * SIZE
    for t in range(STEPS):
        z = product(ROWS, [*x[t], *h])
        before, h = h, [tanh(a) - 0.5 * b for a, b in zip(z, before, strict=True)]
    return sum(h)


def states_by_softmax(x):
    h = [0.0] * SIZE
    for t in range(STEPS):
        h = [tanh(a) for a in softmax(product(ROWS, [*x[t], *h]))]
    return sum(a * a for a in h)


FUNCTIONS = (
    lstm,
    last_state,
    every_state,
    some_states_from_the_last_input_on,
    two_states_back,
    states_by_softmax,
)


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape)


def turns(f) -> list[int]:
    from micrograd.compiler.jax.rolling import Repeat

    program = f._last.executor.executor._rolled
    return [each.turns for each in program.instructions if isinstance(each, Repeat)]


def compiled(function, backend, **options):
    matrix = GATES if function is lstm else ROWS
    parameters = [p for row in matrix for p in row]
    return compile(function, parameters=parameters, backend=backend, **options)


@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.__name__)
def test_repeated_steps_become_a_loop_with_the_same_results(function, batched):
    x = numbers(5, STEPS, WIDTH) if batched else numbers(STEPS, WIDTH)
    f, other = (compiled(function, backend, batched=batched) for backend in ("jax", "numpy"))
    found, expected = (each.value_and_grad(x) for each in (f, other))
    assert sum(turns(f)) >= STEPS - 4
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(f(x), other(x), rtol=1e-12)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.__name__)
def test_gradients_of_inputs_pass_through_repeated_steps(function):
    x = numbers(5, STEPS, WIDTH)
    f, other = (compile(function, batched=True, backend=each) for each in ("jax", "numpy"))
    for a, b in zip(f.value_and_grad(x), other.value_and_grad(x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
    assert turns(f)


def test_few_repeated_steps_and_those_that_differ_stay_as_they_are():
    def few(x):
        h = [0.0] * SIZE
        for t in range(5):
            h = [tanh(z) for z in product(ROWS, [*x[t], *h])]
        return sum(h)

    def each_different(x):
        h = [0.0] * SIZE
        for t in range(STEPS):
            h = [tanh(z) for z in product(ROWS[: SIZE - t % 5], [*x[t], *h])]
        return sum(h)

    for function in (few, each_different):
        f, other = (compiled(function, each, batched=True) for each in ("jax", "numpy"))
        x = numbers(5, STEPS, WIDTH)
        np.testing.assert_allclose(f(x), other(x), rtol=1e-12)
        assert turns(f) == []


@pytest.mark.parametrize("steps", [1, STEPS])
def test_products_of_no_samples_have_no_results(steps):
    def last(x):
        return sum(states(x, range(steps))[-1])

    f, other = (compiled(last, each, batched=True) for each in ("jax", "numpy"))
    none = numbers(0, STEPS, WIDTH)
    assert f(none).shape == other(none).shape == (0,)


def test_turns_are_looked_for_only_where_they_may_save_more(monkeypatch):
    from micrograd.compiler.jax import rolling

    def waves(x):
        for _ in range(500):
            x = np.sin(x)
        return x.sum()

    f = compile(waves, backend="reference")
    f(np.ones(16))
    compared = []
    moves = rolling._moves
    monkeypatch.setattr(rolling, "_moves", lambda *steps: compared.append(1) or moves(*steps))
    program = rolling.rolled(f.program)
    assert [len(program.instructions), program.instructions[0].turns] == [2, 500]
    assert len(compared) == 499  # with turns of one instruction, and of no other length
