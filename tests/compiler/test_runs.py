"""Runs of neighbouring results as one row of numbers, in machine code."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from micrograd import Value, compile, exp, repeat, scan, sin, tanh  # noqa: A004

pytest.importorskip("llvmlite")

from micrograd.compiler.native import runs
from micrograd.compiler.native.executor import _machine
from micrograd.compiler.native.kernels import write
from micrograd.compiler.native.loops import MOST_STRAIGHT
from micrograd.compiler.native.rows import ROW, Field, Spec
from micrograd.compiler.program.instructions import Elementwise, WeightedSums
from micrograd.compiler.program.slots import Operand
from micrograd.ops import TABLE

NEVER = 2**60


def roll_and_mix(x):
    """Neighbours of a ring: operands that are neighbours, but for one at the edge."""
    left, right = np.roll(x, 1), np.roll(x, -1)
    return (exp(-x * left) * right + 0.3 * (left - 2 * x + right)).sum()


def grid(x):
    """Differences on a grid, whose rows are runs."""
    s = tanh(x.reshape(3, 8))
    return (s[1:] * s[:-1]).sum() - (s[:, 1:] * s[:, :-1]).sum() + (s**4).sum()


def steps(x):
    """A loop whose step is followed backwards, row by row."""

    def step(u):
        return u - 0.1 * u * (u - np.roll(u, 1)) + 0.2 * (np.roll(u, 2) - u)

    return (repeat(step, x, 3) ** 2).sum()


def alone(ends, number, *, varies):
    """Make each result that varies over the batch a run of its own."""
    return np.arange(len(ends) + 1 if varies else 0)


@pytest.mark.parametrize("length", [1, 3, 16, 24, 130])
@pytest.mark.parametrize("f", [roll_and_mix, grid, steps])
def test_runs_give_the_same_numbers_to_the_bit(f, length, monkeypatch):
    x = np.random.default_rng(0).normal(size=(length, 24))
    x[0, :3] = 0.0, -0.0, 1e200
    found = []
    for starts in (runs._starts, alone):
        monkeypatch.setattr(runs, "_starts", starts)
        program = compile(f, batched=True, backend="numba")
        found.append((program(x), *program.value_and_grad(x)))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def rows_of(program):
    """Return the number of rows that are carried out for a block of samples, both ways."""
    linked = program._last.executor.executor._backwards.linked
    return len(linked.varying), len(linked.varying_back)


def test_a_run_is_one_row():
    """The products, the sum of two and the square are three, whatever the number of results."""
    program = compile(
        lambda x: ((x[:24] * x[24:] + 2.0 * x[24:] - 1.0) ** 2).sum(), batched=True, backend="numba"
    )
    program.value_and_grad(np.ones((4, 48)))
    forward, backward = rows_of(program)
    assert forward <= 4
    assert backward <= 8 + 24  # each square is multiplied by the adjoint of the sum, one row


def operation(out, x, y, *, kinds=(True, True)):
    operands = tuple(Operand(k, np.array(each)) for k, each in zip(kinds, (x, y), strict=True))
    return Elementwise(True, np.array(out), TABLE["mul"], operands)


def starts_of(step):
    return runs.runs_of_operations(step).tolist()


def test_a_run_ends_where_an_operand_is_no_neighbour():
    whole = operation([7, 8, 9, 10], [1, 2, 3, 4], [5, 6, 7, 8])
    assert starts_of(whole) == [0]
    rolled = operation([7, 8, 9, 10], [4, 1, 2, 3], [5, 6, 7, 8])
    assert starts_of(rolled) == [0, 1]
    scattered = operation([7, 8, 10, 11], [1, 2, 3, 4], [5, 6, 7, 8])
    assert starts_of(scattered) == [0, 2]
    number = operation([7, 8, 9, 10], [1, 2, 3, 4], [5, 5, 5, 6], kinds=(True, False))
    assert starts_of(number) == [0, 3]
    assert starts_of(whole._replace(mode="total")) == [0, 1, 2, 3]


def sums(out, lengths, sign, left, right, kinds):
    start = np.cumsum(lengths) - lengths
    vary, other = (np.array(each, bool) for each in kinds)
    return WeightedSums(
        True, np.array(out), start, np.array(sign), np.array(left), vary, np.array(right), other
    )


@pytest.mark.parametrize(
    ("changed", "first"),
    [
        ({}, [0]),
        ({"out": [30, 31, 33]}, [0, 2]),
        ({"sign": [1.0, -1, 1, -1, 1, 1]}, [0, 2]),
        ({"left": [1, 11, 2, 12, 3, 14]}, [0, 2]),
        ({"right": [-1, 5, -1, 5, -1, 6]}, [0, 2]),
        ({"kinds": ([1, 1, 1, 1, 1, 0], [0] * 6)}, [0, 2]),
        ({"lengths": [2, 1, 3]}, [0, 1, 2]),
    ],
)
def test_a_run_of_sums_has_neighbouring_terms_of_the_same_sign(changed, first):
    given = {
        "out": [30, 31, 32],
        "lengths": [2, 2, 2],
        "sign": [1.0, -1, 1, -1, 1, -1],
        "left": [1, 11, 2, 12, 3, 13],
        "right": [-1, 5, -1, 5, -1, 5],
        "kinds": ([1] * 6, [0] * 6),
    }
    step = sums(**given | changed)
    found, marked = runs.runs_of_sums(step)
    assert found.tolist() == first
    assert marked.left_varies is step.left_varies
    assert marked.right_varies is step.right_varies


@pytest.mark.parametrize(
    ("left", "right", "first", "goes_on"),
    [
        ([1, 2, 3, 4], [-1, -1, -1, -1], [0], [True, False]),
        ([1, 1, 1, 1], [5, 6, 7, 8], [0], [False, True]),
        ([1, 2, 3, 3], [5, 6, 7, 8], [0, 3], [True, True]),
        ([1, 1, 2, 3], [5, 5, 5, 5], [0, 2], [False, False]),
        ([1, 1, 2, 3], [-1, 0, 1, 2], [0, 1], None),
        ([4, 3, 2, 1], [5, 6, 7, 8], [0, 1, 2, 3], None),
    ],
)
def test_in_a_run_of_numbers_the_same_factors_go_on(left, right, first, goes_on, monkeypatch):
    monkeypatch.setattr(runs, "_LEAST", 1)
    fixed = [False] * 4
    step = sums([30, 31, 32, 33], [1] * 4, [1.0] * 4, left, right, (fixed, fixed))
    found, marked = runs.runs_of_sums(step._replace(varies=False))
    assert found.tolist() == first
    if goes_on is not None:  # else the first run has a single sum
        assert [marked.left_varies[0], marked.right_varies[0]] == goes_on


def test_short_runs_of_numbers_are_added_up_together():
    """Such as those at the edges of a grid; of rows, each run is a row."""
    neither = [False] * 10
    slots = [*range(40, 46), *range(50, 53), 60]
    step = sums([*range(30, 40)], [1] * 10, [1.0] * 10, slots, [-1] * 10, (neither, neither))
    step, starts = step._replace(varies=False), np.array([0, 6, 9])
    found, counts, others = runs.long_runs(step, starts)
    assert (found.tolist(), counts.tolist(), others.tolist()) == ([0], [6], [6, 7, 8, 9])
    rest = runs.chosen(step, others)
    assert (rest.out, rest.start.tolist()) == (slice(36, 40), [0, 1, 2, 3])
    assert rest.left.tolist() == slots[6:]
    found, counts, others = runs.long_runs(step._replace(varies=True), starts)
    assert (found.tolist(), counts.tolist(), others.tolist()) == ([0, 6, 9], [6, 3, 1], [])


def grids(x):
    """Rolled both ways, with sums of rows, of columns and of all."""
    u = x.reshape(12, 20)
    d = np.roll(u, 1, 0) - u + 0.5 * np.roll(u, -3, 1)
    rows, columns = (d * d).sum(axis=1), exp(-d).sum(axis=0)
    return (rows * rows).sum() + (columns * np.roll(columns, 1)).sum() - (3 * u - d).sum()


@pytest.mark.slow
@pytest.mark.parametrize("f", [roll_and_mix, grids, steps])
def test_runs_of_single_numbers_give_the_same_to_the_bit(f, monkeypatch):
    x = np.random.default_rng(0).normal(size=240)
    x[:3] = 0.0, -0.0, 1e3
    found = []
    for least in (1, 16, NEVER):
        monkeypatch.setattr(runs, "_LEAST", least)
        program = compile(f, backend="numba")
        found.append(program.value_and_grad(x))
    value, slope = compile(f, backend="numpy").value_and_grad(x)
    for own_value, own_slope in found:
        assert own_value == found[0][0] == pytest.approx(value, rel=1e-12)
        np.testing.assert_array_equal(own_slope, found[0][1])
        np.testing.assert_allclose(own_slope, slope, rtol=1e-9, atol=1e-9)


def reaction(u, v, *, loop=repeat):
    """Three steps of a reaction of two substances that spread on a torus."""

    def spread(x):
        return np.roll(x, 1, 0) + np.roll(x, -1, 0) + np.roll(x, 1, 1) + np.roll(x, -1, 1) - 4 * x

    def step(state):
        u, v = state
        made = u * v * v
        return u + 0.16 * spread(u) - made + 0.03 * (1 - u), v + 0.08 * spread(v) + made - 0.1 * v

    return (loop(step, (u, v), 3)[1] ** 2).sum()


def in_turn(step, state, n):
    for _ in range(n):
        state = step(state)
    return state


@pytest.mark.slow
@pytest.mark.parametrize("loop", [repeat, in_turn])
def test_a_reaction_on_a_grid_has_the_gradients_of_values(loop):
    u, v = np.random.default_rng(0).uniform(0, 1, (2, 13, 13))
    gradients, linked = gradient_of(lambda u, v: reaction(u, v, loop=loop), u, v)
    values = np.frompyfunc(Value, 1, 1)(np.stack([u, v]))
    reaction(*values, loop=in_turn).backward()
    expected = np.vectorize(lambda each: each.grad)(values)
    np.testing.assert_allclose(np.stack(gradients), expected, rtol=1e-12, atol=1e-14)
    specs = [spec for spec in linked._specs if isinstance(spec, Spec)]
    names = {spec.name for spec in specs}
    assert "sums_alike_u" in names
    assert ("move_run" in names) == (loop is repeat)
    assert "move" not in names
    products = [spec for spec in specs if spec.name == "run_u"]
    assert all("g" not in spec.operands + spec.into for spec in products)


def handed_on(state, xs):
    """Two loops take the same inputs, and one the outputs of another, all of them read again."""

    def first(s, x):
        s = tanh(s * np.roll(x, 1) + x)
        return s, (s, [s, x * s])  # a state that is an output twice

    def second(s, x):
        return s - 0.5 * s * np.roll(x, 1) + x * x, s * x

    state, (a, (b, c)) = scan(first, state, xs)
    state, d = scan(second, state + c[1], c)
    state, e = scan(second, state, xs)
    weights = np.arange(1.0, 1 + xs.size).reshape(xs.shape) / xs.size
    return (state**2).sum() + (weights * (a * b + c * d + e * c - xs * e)).sum()


@pytest.mark.slow
@pytest.mark.parametrize("width", [8, 21])
def test_gradients_of_what_loops_hand_on_are_added_up(width, monkeypatch):
    monkeypatch.setitem(MOST_STRAIGHT, False, 0)  # the loops are followed backwards, row by row
    state, xs = np.split(np.random.default_rng(0).normal(size=(4, width)), [1])
    gradients, linked = gradient_of(handed_on, state[0], xs)
    values = np.frompyfunc(Value, 1, 1)(np.concatenate([state, xs]))
    handed_on(values[0], values[1:]).backward()
    expected = np.vectorize(lambda each: each.grad)(values)
    np.testing.assert_allclose(np.vstack(gradients), expected, rtol=1e-11, atol=1e-12)
    done = {(spec.name, spec.mode) for spec in linked._specs if spec.name.startswith("move")}
    verbs = "take", "keep", "give", "send"
    assert done == {("move_run", fixed + verb) for fixed in ("", "fixed ") for verb in verbs}


def carry_out(address, row, u):
    pointer = ctypes.c_void_p
    kernel = ctypes.CFUNCTYPE(None, pointer, pointer, pointer, ctypes.c_int64)(address)
    kernel(row.ctypes.data, u.ctypes.data, None, 1)


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("fixed", ["", "fixed "])
@pytest.mark.parametrize("verb", ["take", "keep", "give", "send"])
def test_neighbours_are_moved_between_u_and_a_step_of_a_stack(verb, fixed, count):
    spec = Spec("move_run", "float64", mode=fixed + verb)
    machine = _machine()
    address = machine.address(str(spec), lambda: write(spec, machine.width))
    first, column, steps, columns, step = 9, 3, 4, 60, 2
    u, stack = np.arange(1.0, 71.0), np.arange(100.0, 100.0 + steps * columns)
    expected_u, expected_stack = u.copy(), stack.copy()
    u[0], u[1:4].view(np.int64)[:] = step, (stack.ctypes.data, steps, 0)
    row = np.zeros(ROW, np.int64)
    row[1:7] = count, first, 1, columns, column, step if fixed else 0
    expected_u[:4] = u[:4]
    rows = expected_u[first : first + count]
    held = expected_stack[step * columns + column :][:count]
    into, read = (rows, held) if verb in {"take", "give"} else (held, rows)
    into[:] = read + (into if verb in {"give", "send"} else 0)
    carry_out(address, row, u)
    np.testing.assert_array_equal(u.view(np.int64), expected_u.view(np.int64))
    np.testing.assert_array_equal(stack, expected_stack)


@pytest.mark.parametrize("mode", ["", "add"])
@pytest.mark.parametrize("signs", [(1.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (1.0, -1.0, -1.0)])
def test_runs_of_sums_of_one_kind_have_the_signs_of_their_terms(signs, mode):
    """Of two runs; the numbers are whole, so that sums in any order are equal to the bit."""
    spec = Spec("sums_alike_u", "float64", operands="vvvuuu", mode=mode)
    machine = _machine()
    address = machine.address(str(spec), lambda: write(spec, machine.width))
    u = np.random.default_rng(0).integers(-9, 10, 300).astype(float)
    left, right = np.array([[0, 60, 7, 90, 20, 8], [30, 9, 10, 40, 11, 12]], np.int32)
    expected = u.copy()
    for out, first, count in ((200, 0, 21), (240, 3, 50)):
        x, y = left[first:], right[first:]
        terms = (
            u[x[0] :][:count] * u[y[0] :][:count],
            u[x[1] :][:count] * u[y[1]],
            u[x[2]] * u[y[2]],
        )
        expected[out : out + count] = sum(
            sign * term for sign, term in zip(signs, terms, strict=True)
        )
        expected[out : out + count] += u[out : out + count] if mode == "add" else 0.0
    table = np.array([[21, 200, 0], [50, 240, 3]])
    tables = table, left, right, np.array([*signs, *signs])
    row = np.zeros(ROW, np.int64)
    row[[Field.COUNT, Field.OUT, Field.LEFT, Field.RIGHT, Field.SIGN]] = [
        *(2, table.ctypes.data),
        *(each.ctypes.data for each in tables[1:]),
    ]
    carry_out(address, row, u)
    np.testing.assert_array_equal(u, expected)


def test_outputs_that_lie_apart_on_a_stack_are_moved_one_by_one(monkeypatch):
    """Of the first column, only one number is read, so those of the second lie two apart."""
    monkeypatch.setitem(MOST_STRAIGHT, False, 0)

    def f(state, xs):
        _, (first, second) = scan(lambda s, x: (sin(s * x), [s, s * s + x]), state, xs)
        return first[0] + sum(k * y * y for k, y in enumerate(second, 1))

    state, xs = 0.5, np.random.default_rng(0).normal(size=20)
    gradients, linked = gradient_of(f, state, xs)
    values = [Value(x) for x in (state, *xs)]
    f(values[0], values[1:]).backward()
    expected = [value.grad for value in values]
    np.testing.assert_allclose(np.append(*gradients), expected, rtol=1e-12)
    assert ("move", "fixed take") in {(spec.name, spec.mode) for spec in linked._specs}


def test_runs_with_a_constant_are_told_from_runs_without_one():
    """In the first part, the first operand is a number for all; in the second, it goes on."""
    x, y = [*[5] * 40, *range(100, 120)], [*range(60, 100), *range(120, 140)]
    step = operation([*range(200, 260)], x, y, kinds=(False, False))._replace(varies=False)
    parts = [(part.out, starts.tolist()) for part, starts in runs.in_runs(step)]
    assert parts == [(slice(200, 240), [0]), (slice(240, 260), [0])]
    few = step._replace(out=np.arange(200, 320, 2))
    ((part, starts),) = runs.in_runs(few)
    assert part is few
    assert not len(starts)


def test_runs_of_sums_are_alike_if_their_terms_are_of_the_same_kinds(monkeypatch):
    ones, kinds = [1.0] * 8, ([1, 0, 1, 0, 1, 1, 1, 0], [0, 0, 0, 0, 1, 0, 0, 0])
    slots = [*range(8)]
    step = sums([*range(30, 34)], [2] * 4, ones, slots, slots, kinds)._replace(varies=False)
    starts, counts = np.arange(4), np.array([100, 60, 200, 9])

    def alike():
        return [(kind, each.tolist()) for kind, each in runs.alike_runs(step, starts, counts)]

    assert alike() == [("vuuu", [0, 1, 3]), ("vvvu", [2])]
    monkeypatch.setattr(runs, "_SOME_TERMS", 400)
    assert [kind for kind, _ in alike()] == ["", "vvvu"]
    monkeypatch.setattr(runs, "_FEW_TERMS", 1)
    assert alike() == [("", [0, 1, 2, 3])]


@pytest.mark.parametrize(
    ("f", "total"),
    [
        (lambda x: -x.sum(), -820.0),
        (lambda x: (-x).sum(), -820.0),
        (lambda x: x[:20].sum() - x[20:].sum(), -400.0),
        (lambda x: x.sum() - 2 * x[7], 804.0),
        (lambda x: x[:18].sum() + x[20:].sum(), 781.0),
        (lambda x: x[::2].sum(), 400.0),
    ],
)
def test_sums_of_neighbours_keep_their_signs_and_gaps(f, total):
    assert compile(f, backend="numba")(np.arange(1.0, 41.0)) == total


def test_short_runs_are_left_to_the_kernels_of_single_results():
    """This is so for numbers that samples share; of others, each is a row of numbers."""
    for step in (operation([1, 2, 3, 9], [4, 5, 6, 7], [4, 5, 6, 7]), operation([3], [1], [2])):
        assert starts_of(step._replace(varies=False)) == []


def gradient_of(f, *arguments):
    """Return the gradient of a function of arrays, and the program as rows of words."""
    program = compile(f, backend="numba")
    gradient = program.value_and_grad(*arguments)[1]
    return gradient, program._last.executor.executor._backwards.linked


@pytest.mark.parametrize("length", [40, 203])
def test_what_many_results_pass_to_one_number_is_added_up_in_registers(length):
    """Adding to the same number in memory again and again would wait for each addition."""
    x = np.arange(1.0, length + 1.0)
    gradient, linked = gradient_of(lambda a: (exp(x / a[0]) * a[1]).sum(), np.array([300.0, 2.0]))
    e = np.exp(x / 300)
    expected = [(-2 * e * x / 300**2).sum(), e.sum()]
    np.testing.assert_allclose(gradient, expected, rtol=4 * length * np.finfo(float).eps)
    specs = [spec for spec in linked._specs if isinstance(spec, Spec)]
    assert all(spec.into == "v" for spec in specs)  # no table of places


def test_numbers_that_share_what_is_passed_to_them_are_told_apart():
    x = np.arange(1.0, 41.0)
    gradient, _ = gradient_of(
        lambda a: sum((x[i::2] / a[i]).sum() for i in (0, 1)), np.array([2.0, 5.0])
    )
    np.testing.assert_allclose(gradient, [-x[::2].sum() / 4, -x[1::2].sum() / 25], rtol=1e-14)


def test_differences_along_each_axis_are_runs():
    """Sorted by their first operands, those along one axis would lie between those of the other."""

    def variation(x):
        down, right = x[1:, :-1] - x[:-1, :-1], x[:-1, 1:] - x[:-1, :-1]
        return (exp(down) + down * right).sum()

    x = np.random.default_rng(0).normal(size=(20, 20))
    gradient, linked = gradient_of(variation, x)
    down, right = x[1:, :-1] - x[:-1, :-1], x[:-1, 1:] - x[:-1, :-1]
    of_down, of_right = np.exp(down) + right, down
    expected = np.zeros_like(x)
    expected[1:, :-1] += of_down
    expected[:-1, 1:] += of_right
    expected[:-1, :-1] -= of_down + of_right
    np.testing.assert_allclose(gradient, expected, rtol=1e-13, atol=1e-13)
    assert 38 <= len(linked.uniform) <= 50  # a row for each of 19 rows of both differences
