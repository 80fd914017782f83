"""In machine code, runs of one length that fit together are computed by one kernel."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from micrograd import Value, compile, repeat, scan  # noqa: A004
from micrograd.compiler.native.chains import LEAST, ChainSpec, Run, _fits, _of_one_length, _stored

pytest.importorskip("llvmlite")

SIZE = 2 * LEAST + 3


def quotients(x, y):
    for _ in range(2):
        x, y = (x + y) / (1 + x * x), (x * y + 1) / (2 + y * y)
    return (x * y).sum()


def neighbours(x, y):
    """What a chain stores is read in other places, after it and in it."""
    z = x * y
    w = z[1:] * z[:-1] + x[1:]
    return (w * w - w).sum() * z[3] + (x - z[5]).sum() * z[7]


def shifted(x, y):
    """As many numbers are read one place later than they are computed."""
    both = np.concatenate([x * y, x / (1 + y)])
    moved = both[1 : SIZE + 1] * x
    return (moved * moved - moved).sum() + both[SIZE] * both[SIZE - 1]


def in_turn(x, y):
    """States that go on to each other's places, and totals that the next step reads."""

    def step(state):
        a, b, s = state
        c = (a + s) * 0.5
        return np.concatenate([b[1:], b[:1]]), c * b, (c * b).sum() * s / SIZE

    a, b, s = repeat(step, (x, y, 0.7), 5)
    return (a - b).sum() * s


def scanned(x, y):
    """Outputs and inputs of each step, which are on stacks."""

    def step(state, k):
        new = state * 0.5 + k * y - x
        return new * new - 0.1 * state, (new - k) * state

    state, kept = scan(step, x, np.stack([x, y, x - y]), reverse=True)
    return state.sum() + (kept[0] * kept[2] - kept[1]).sum() * state[3]


def overwritten(x, y):
    """States that change places in a loop, and a number that all lanes share."""

    def step(state):
        a, b, s = state
        return b * 0.5 + s, a - 0.1 * a * b, s + 0.01 * (a * b).sum() / SIZE

    a, b, s = repeat(step, (x, y, 0.1), 4)
    return (a * b).sum() + s


def of_several_lengths(x, y):
    """Runs that are cut into parts of the length of others."""

    def step(state):
        a, b = state
        both = np.concatenate([a, b]) * 0.9 - 0.1
        return both[:SIZE] - b * b, both[SIZE:] * a

    a, b = repeat(step, (x, y), 3)
    return (a - b * a).sum()


def of_signs(x, y):
    """Sums of products and numbers, of both signs."""
    z = x * y - y * y + x - 3.0 * y
    return (z * x - z * y + z - x * x).sum()


def gathered(x, y):
    """Numbers from any places of what a chain computes."""
    z = x / (1 + y)
    w = z[np.arange(SIZE) * 5 % 7] * x - z
    return (w * w).sum()


FUNCTIONS = [
    quotients,
    neighbours,
    shifted,
    overwritten,
    in_turn,
    scanned,
    of_several_lengths,
    of_signs,
    gathered,
]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_a_chain_has_the_values_and_gradients_of_values(f):
    x, y = np.random.default_rng(0).uniform(0.5, 1.5, (2, SIZE))
    program = compile(f, backend="numba")
    values = np.frompyfunc(Value, 1, 1)(np.stack([x, y]))
    expected = f(*values)
    expected.backward()
    slopes = np.vectorize(lambda each: each.grad)(values)
    for _ in range(2):  # memory has the numbers of the call before
        value, found = program.value_and_grad(x, y)
        assert value == pytest.approx(expected.data, rel=1e-13)
        np.testing.assert_allclose(np.stack(found), slopes, rtol=1e-11, atol=1e-12)
    assert any(isinstance(each, ChainSpec) for each in linked(program)._specs)


def linked(program):
    """The program as rows of words, with its backward pass."""
    return program._last.executor.executor._backwards.linked


def test_what_only_a_chain_reads_is_not_stored():
    program = compile(lambda x: (x * x * x * 3.0 - x).sum(), backend="numba")
    program.value_and_grad(np.linspace(0.0, 1.0, SIZE))
    back = [each for each in linked(program)._specs if isinstance(each, ChainSpec)][-1]
    assert len(back.stored) == 1 < len(back.runs)


def at(place):
    return "v", place


def number(place):
    return "u", place


def stacked(column, *, stack=9000, index=9100):
    return "s", stack, 4 * SIZE, column, index


def move(out, read, *, length=SIZE, adds=False):
    return Run(length, out, "x", ("x",), (read,), (), adds)


@pytest.mark.parametrize(
    ("run", "fits"),
    [
        (move(at(2000), at(0)), True),
        (move(at(2000), at(1)), False),
        (move(at(2000), at(SIZE - 1)), False),
        (move(at(2000), at(SIZE)), True),
        (move(at(2000), number(1)), False),
        (move(at(0), at(3000)), True),
        (move(at(1), at(3000)), False),
        (move(at(1), at(3000), adds=True), False),
        (move(at(1000), at(3000)), True),
        (move(at(999), at(3000)), False),
        (move(at(4000), at(3000)), False),
        (move(number(4000), at(3000)), False),
        (move(number(4001), at(3000)), True),
        (move(number(5000), at(3000)), False),
        (move(at(2000), number(5000)), False),
        (move(at(2000), number(4000)), True),
        (move(at(2000), at(3000), length=SIZE - 1), False),
        (move(at(2000), stacked(0)), True),
        (move(at(2000), stacked(1)), False),
        (move(at(2000), stacked(SIZE)), True),
        (move(at(2000), stacked(SIZE, index=9101)), False),
        (move(at(2000), stacked(1, stack=9003)), True),
    ],
)
def test_a_run_fits_where_it_needs_only_results_in_the_same_place(run, fits):
    """The chain stores at 0 and on a stack, adds up a total at 5000, and reads at 1000 and 4000."""
    chain = [
        move(at(0), at(1000)),
        move(number(5000), number(4000)),
        move(stacked(0), at(0)),
    ]
    assert _fits(chain, run) == fits


def test_runs_are_cut_into_parts_of_one_length():
    """Those of a total after the first are added to it."""
    runs = [
        move(at(0), at(1000)),
        move(number(5000), at(2000), length=2 * SIZE),
        move(stacked(0), at(2000), length=2 * SIZE),
    ]
    assert [*_of_one_length(runs)] == [
        move(at(0), at(1000)),
        move(number(5000), at(2000)),
        move(number(5000), at(2000 + SIZE), adds=True),
        move(stacked(0), at(2000)),
        move(stacked(SIZE), at(2000 + SIZE)),
    ]


@pytest.mark.parametrize("length", [SIZE + 1, 9 * SIZE])
def test_runs_that_would_be_cut_into_short_parts_or_many_stay_whole(length):
    runs = [move(at(0), at(5000)), move(at(10_000), at(20_000), length=length)]
    assert [*_of_one_length(runs)] == runs


def test_what_the_next_step_or_something_else_reads_is_stored():
    """A chain of a loop stores what it reads before it computes it anew."""
    chain = [move(at(200), at(0)), move(at(400), at(200)), move(at(0), at(400))]
    reads = np.ones(600, np.intp)
    assert _stored(SimpleNamespace(reads=reads), chain) == [at(0)]
    reads[400 + SIZE - 1] = 2
    assert _stored(SimpleNamespace(reads=reads), chain) == [at(400), at(0)]


def test_outputs_that_a_chain_reads_are_stored():
    def f(x):
        inner = x / (1 + x * x)
        return inner, inner / (2 + x)

    x = np.linspace(0.0, 1.0, SIZE)
    for got, expected in zip(compile(f, backend="numba")(x), f(x), strict=True):
        np.testing.assert_allclose(np.array(got, float), expected, rtol=1e-13)
