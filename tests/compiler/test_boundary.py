"""What goes in and comes out of a compiled function: types, shapes, arrays of the caller, work."""

from __future__ import annotations

import math
from collections import defaultdict, namedtuple
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd import Value, compile, derivative, exp, log, value_and_grad, where  # noqa: A004
from micrograd.compiler.calling.results import copied
from micrograd.transforms.structures import count_leaves, flatten
from tests.compiler.conftest import QUICK
from tests.counting import calls

Pair = namedtuple("Pair", "left right")


@dataclass
class Point:
    x: object
    y: object


# ------------------------------------------------------------------------------------ structures

numbers = st.integers(-8, 8).map(lambda n: n / 4)
shapes = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)
arrays = st.builds(
    lambda shape, seed: np.random.default_rng(seed).integers(-8, 8, shape) / 4,
    shapes,
    st.integers(0, 99),
)
structures = st.recursive(
    numbers | arrays,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=2)
        | st.builds(Pair, inner, inner)
        | st.builds(Point, inner, inner)
    ),
    max_leaves=5,
)


def leaves(tree):
    return flatten(tree)[0]


def total(*args):
    """A sum of squares, whose gradient is twice the arguments: exact for the numbers above."""
    return sum(x * x for arg in args for x in leaves(arg))


def doubled(tree):
    """The same structure with every number doubled."""
    if isinstance(tree, np.ndarray):
        return tree * 2
    if isinstance(tree, dict):
        return {key: doubled(each) for key, each in tree.items()}
    if isinstance(tree, Pair):
        return Pair(*map(doubled, tree))
    if isinstance(tree, Point):
        return Point(doubled(tree.x), doubled(tree.y))
    if isinstance(tree, list | tuple):
        return type(tree)(map(doubled, tree))
    return tree * 2


def assert_same(got, wanted):
    assert type(got) is type(wanted)
    if isinstance(wanted, np.ndarray):
        assert got.shape == wanted.shape
        assert got.dtype == np.float64
        assert got.flags.writeable
        assert got.tolist() == wanted.tolist()
    elif isinstance(wanted, dict):
        assert [*got] == [*wanted]
        for key in wanted:
            assert_same(got[key], wanted[key])
    elif isinstance(wanted, Point):
        assert_same(got.x, wanted.x)
        assert_same(got.y, wanted.y)
    elif isinstance(wanted, list | tuple):
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            assert_same(one, other)
    else:
        assert got == wanted


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.lists(structures, min_size=1, max_size=3), st.sampled_from(QUICK))
def test_every_call_gives_values_and_gradients_in_the_structure_of_the_arguments(args, backend):
    f = compile(total, backend=backend)
    same = compile(lambda *args: [doubled(arg) for arg in args], backend=backend)
    wanted = doubled(args)
    for _ in range(4):  # the first in the usual way, the third by a shortcut
        value, slopes = f.value_and_grad(*args)
        assert_same(value, float(sum(x * x for x in leaves(args))))
        assert_same(slopes, wanted[0] if len(args) == 1 else tuple(wanted))
        assert_same(f(*args), value)
        assert_same(same(*args), wanted)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
def test_every_batch_of_arrays_gives_arrays_with_the_samples_first(backend, shape, count):
    f = compile(
        lambda x, y: (x * x).sum() * y if shape else x * x * y, batched=True, backend=backend
    )
    g = compile(lambda x: [x * 2, {"a": x, "b": 1.0}], batched=True, backend=backend)
    x = np.arange(1.0, 1 + count * math.prod(shape)).reshape(count, *shape)
    y = np.arange(2.0, 2 + count)
    for _ in range(4):
        value, (by_x, by_y) = f.value_and_grad(x, y)
        squares = (x * x).reshape(count, -1).sum(axis=1)
        assert_same(value, squares * y)
        assert_same(f(x, y), squares * y)
        assert_same(by_x, 2 * x * y.reshape(-1, *[1] * len(shape)))
        assert_same(by_y, squares)
        assert by_x.flags.c_contiguous
        assert_same(g(x), [x * 2, {"a": x, "b": np.ones(count)}])


def test_results_belong_to_the_caller(backend):
    w = Value(1.0)
    alone = compile(lambda x: (x * x).sum(), backend=backend)
    many = compile(lambda x: x * 2, batched=True, backend=backend)
    one = compile(lambda x: x * x, batched=True, backend=backend)
    held = compile(lambda x: x * w * w, [w], batched=True, backend=backend)
    kept = []
    for scale in range(1, 6):
        x = np.array([1.0, 2.0]) * scale
        value, slopes = one.value_and_grad(x)
        found = [alone.value_and_grad(x)[1], many(x), value, slopes, one(x)]
        found.append(held.value_and_grad(x, parameters=np.ones(1))[1])
        kept.append((found, [(2 * x), (2 * x), x * x, (2 * x), x * x, np.array([3.0 * scale])]))
    for found, wanted in kept:  # later calls have changed nothing
        for each, other in zip(found, wanted, strict=True):
            assert each.tolist() == other.tolist()


def test_gradients_have_the_precision_of_the_program(backend):
    f = compile(lambda x, y: (x * y).sum(), backend=backend, dtype="float32")
    for _ in range(4):
        value, (slopes, _) = f.value_and_grad(np.array([[0.1, 3]]), np.array([[2, 3]]))
        assert type(value) is float
        assert slopes.dtype == np.float32
        assert slopes.tolist() == [[2.0, 3.0]]


def test_calls_of_other_structures_and_types_in_between_change_nothing(backend):
    w = Value(3.0)
    f = compile(lambda x: w * (x[0] * x[1] if len(x) == 2 else x[0]), [w], backend=backend)
    for _ in range(5):
        assert f([2.0, 5.0]) == 30.0
        assert f((2.0, 5)) == 30.0
        assert f(np.array([2, 5])) == 30.0
        assert f(np.array([2.0, 5.0])) == 30.0
        assert f([np.float64(2.0), True]) == 6.0
        assert f([2.0]) == 6.0
        assert f([2.0, 10**400]) == math.inf
        assert f(np.array([2.0, 5.0], np.float32)) == 30.0
        assert f.value_and_grad([2.0, 5.0])[1].tolist() == [10.0]
        assert f([2.0, 5.0], parameters=[1.0]) == 10.0
        w.data += 1.0
        assert f([2.0, 5.0]) == 10.0 * w.data
        w.data -= 1.0
        for wrong in (["2", 5.0], [None, 5.0], [2j, 5.0]):
            with pytest.raises(TypeError, match="argument 0"):
                f(wrong)


def test_the_gradient_of_a_defaultdict_is_a_dict_in_every_call(backend):
    f = compile(lambda x: x["a"] * x["b"], backend=backend)
    same = compile(lambda x: x, backend=backend)
    x = defaultdict(float, a=1.0, b=3.0)
    for _ in range(4):
        assert_same(f.value_and_grad(x), (3.0, {"a": 3.0, "b": 1.0}))
        assert_same(same(x), {"a": 1.0, "b": 3.0})


def test_dicts_in_another_order_and_fewer_arguments_change_nothing(backend):
    difference = compile(lambda x: x["a"] - x["b"], backend=backend)
    product = compile(lambda x, y=10.0: x * y, backend=backend)
    for _ in range(4):
        assert difference({"a": 5.0, "b": 1.0}) == 4.0
        assert product(2.0, 3.0) == 6.0
    for _ in range(4):
        assert difference({"b": 1.0, "a": 5.0}) == 4.0
        assert product(2.0) == 20.0


def test_a_result_that_is_not_finite_is_computed_again_in_every_call(backend):
    f = compile(lambda x: derivative(where(x > 0, log(x), x * 2), x), backend=backend)
    g = compile(lambda x: where(x[0] > 0, log(x[0]), x[1]), backend=backend)
    for x in (0.0, 2.0, 0.0, 0.0, 0.0, 2.0):
        assert f(x) == (0.5 if x else 2.0)
        assert g.value_and_grad([x, 1.0])[1] == ([0.5, 0.0] if x else [0.0, 1.0])


def test_an_overflow_is_infinite_in_every_call(backend):
    f = compile(lambda x: [exp(x), 1.0 / x], backend=backend)
    g = compile(lambda x: exp(x), batched=True, backend=backend)
    for _ in range(4):
        assert f(1000.0) == [math.inf, 0.001]
        assert f(10**400) == [math.inf, 0.0]
        assert g(np.array([1000.0, 0.0])).tolist() == [math.inf, 1.0]


# -------------------------------------------------------------------------------------- parameters


def test_a_call_accepts_an_array_in_place_of_the_current_numbers(backend):
    w, b = Value(2.0), Value(1.0)
    f = compile(lambda x: x * w + b, [w, b], backend=backend)
    g = compile(lambda x: x * w + b, [w, b], batched=True, backend=backend)
    for _ in range(4):
        assert f(3.0) == 7.0
        assert f(3.0, parameters=np.array([10.0, 0.5])) == 30.5
        assert f(3.0, parameters=[10, 0.5]) == 30.5
        assert g(np.array([3.0, 1.0]), parameters=np.array([10.0, 0.5])).tolist() == [30.5, 10.5]
        assert g(np.array([3.0, 1.0])).tolist() == [7.0, 3.0]
        assert f.value_and_grad(3.0)[1].tolist() == [3.0, 1.0]
        with pytest.raises(ValueError, match="an array of 2 numbers, got shape"):
            f(3.0, parameters=np.array([1.0]))


# --------------------------------------------------------------------------------------------- out


def test_results_are_written_to_arrays_of_the_caller(backend):
    w = Value(2.0)
    one = compile(lambda x: x * w, [w], backend=backend)
    many = compile(lambda x: x * w, [w], batched=True, backend=backend)
    alone = compile(lambda x, y: (x * y).sum(), backend=backend)
    x, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])
    value, values, slope, slopes = np.zeros(()), np.zeros((2, 2)), np.zeros(1), np.zeros((2, 2))
    by_x, by_y = np.zeros((2, 2)), np.zeros(2)[::-1]
    each = compile(lambda x: x[0] * x[1], batched=True, backend=backend)
    for _ in range(4):
        assert one(3.0, out=value) is value
        assert value == 6.0
        assert many(x, out=values) is values
        assert values.tolist() == [[2.0, 4.0], [6.0, 8.0]]
        assert one.value_and_grad(3.0, out=slope) == (6.0, slope)
        assert slope.tolist() == [3.0]
        found, given = alone.value_and_grad(x, y, out=(by_x, by_y))
        assert found == 56.0
        assert given[0] is by_x
        assert by_x.tolist() == [[5.0, 6.0], [5.0, 6.0]]
        assert by_y.tolist() == [4.0, 6.0]
        assert each.value_and_grad(x, out=slopes)[1] is slopes
        assert slopes.tolist() == [[2.0, 1.0], [4.0, 3.0]]
        for array in (value, values, slope, slopes, by_x, by_y):
            array[...] = 0.0


@pytest.mark.parametrize("length", [1, 64, 100, 256])
def test_the_numbers_of_a_sample_do_not_share_places_in_the_cache(length):
    numbers = np.arange(3.0 * length).reshape(3, length)
    rows = copied(numbers)
    np.testing.assert_array_equal(rows, numbers)
    assert rows.strides[0] % 512


@pytest.mark.parametrize("backend", QUICK)
@pytest.mark.parametrize("size", [127, 128, 256])
def test_samples_a_power_of_two_apart_are_read_and_written_like_others(backend, size):
    f = compile(lambda x: [x[0] * x[-1], x * x], batched=True, backend=backend)
    for count in (16, 16, 16, 64, 64, 64):  # the third call of a kind is a shortcut
        x = np.linspace(-1.0, 1.0, count * size).reshape(count, size)
        ends, squares = f(x)
        np.testing.assert_array_equal(ends, x[:, 0] * x[:, -1])
        np.testing.assert_array_equal(squares, x * x)


@pytest.mark.parametrize(
    ("out", "error", "complaint"),
    [
        ([0.0] * 3, TypeError, r"out= takes an array of shape \(3,\), got list"),
        (np.zeros(2), ValueError, r"takes an array of shape \(3,\), got shape \(2,\)"),
        (np.zeros(3, int), TypeError, "takes an array of float64, got int64"),
        (np.zeros(3, np.float32), TypeError, "takes an array of float64, got float32"),
        (np.broadcast_to(0.0, 3), ValueError, "to write to, got one that is read-only"),
    ],
)
def test_an_array_that_results_do_not_fit_is_refused_in_every_call(out, error, complaint):
    f = compile(lambda x: x * 2, backend="numpy")
    g = compile(lambda x: (x * x).sum(), backend="numpy")
    x = np.ones(3)
    for _ in range(4):
        f(x)
        g.value_and_grad(x)
        with pytest.raises(error, match=complaint + r"\n  at .*test_boundary\.py, line"):
            f(x, out=out)
        with pytest.raises(error, match=complaint):
            g.value_and_grad(x, out=out)


def test_nothing_is_written_if_one_of_several_arrays_does_not_fit():
    f = compile(lambda x, y: (x * y).sum(), backend="numpy")
    first, second = np.zeros(3), np.zeros(2)
    for _ in range(4):
        f.value_and_grad(np.ones(3), np.ones(3))
        with pytest.raises(ValueError, match="takes an array of shape"):
            f.value_and_grad(np.ones(3), np.ones(3), out=(first, second))
        assert first.tolist() == [0.0] * 3


def test_there_is_no_array_for_results_in_lists_or_of_several_arguments():
    f = compile(lambda x: [x, x], backend="numpy")
    g = compile(lambda x, y: x * y, backend="numpy")
    for _ in range(4):
        with pytest.raises(TypeError, match="out= is for arrays, and the value is a list"):
            f(1.0, out=np.zeros(2))
        with pytest.raises(TypeError, match="out= takes 2 arrays, one for each argument, got nd"):
            g.value_and_grad(1.0, 2.0, out=np.zeros(2))
        with pytest.raises(TypeError, match="out= takes 2 arrays"):
            g.value_and_grad(1.0, 2.0, out=[np.zeros(())])
        with pytest.raises(TypeError, match="out= takes an array of shape"):
            g.value_and_grad(1.0, 2.0, out=(np.zeros(()), 0.0))


# -------------------------------------------------------------------------------------------- work


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_the_work_of_a_call_is_independent_of_how_many_numbers_its_arrays_have(backend):
    def work(count, batched):
        f = compile(lambda x: x * 2, batched=batched, backend=backend)
        g = compile(lambda x: x[0] * x[1] + x[-1], batched=batched, backend=backend)
        x = np.ones((2, count) if batched else count)
        for _ in range(3):
            f(x)
            g.value_and_grad(x)
        # The least of a few, as a collection of garbage may call functions, too.
        return min(calls(lambda: (f(x), g.value_and_grad(x))) for _ in range(3))

    for batched in (False, True):
        assert work(400, batched) == work(4, batched)


@pytest.mark.parametrize("backend", ["numpy", "auto"])
@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("held", [False, True])
def test_the_third_call_of_a_kind_is_a_shortcut(backend, batched, held):
    w = Value(2.0)
    f = compile(lambda x: w * x[0] + x[1], [w] if held else [], batched=batched, backend=backend)
    x = np.ones((3, 2) if batched else 2)
    args = [x] if batched else [x, [1.0, 2.0], (1.0, np.float64(2.0)), {0: 1, 1: 2.0}]
    for arg in args:
        for call in (f, f.value_and_grad):
            work = [calls(lambda: call(arg)) for _ in range(5)]  # noqa: B023 (called at once)
            assert min(work[2:]) < work[0]
            assert min(work[2:]) < (25 if backend == "auto" else 50)  # NumPy runs each instruction


def squares(x, w, extra):
    return (x * x * w.x).sum() * w.y + extra


CALLS = {
    "nested parameters": lambda held, x, w: held.value_and_grad(x, parameters=w),
    "nested parameters and an argument": lambda held, x, w: held.value_and_grad(
        x, argnums=("parameters", 0), parameters=w
    ),
    "values of nested parameters": lambda held, x, w: held(x, parameters=w),
}
SHARING = {
    "values of shared arguments": lambda f, x, w: f(x, w, np.array(1.0)),
    "gradients of shared arguments": lambda f, x, w: f.value_and_grad(x, w, 1.0, argnums=1),
    "all gradients": lambda f, x, w: f.value_and_grad(x, w, np.float32(1.0)),
    "a product": lambda f, x, w: f.hvp((x, w, 1.0), (x, w, 1.0)),
}
STATIC = {
    "static": lambda f, x, w: f(x, w, 1.0),
    "a gradient beside a static argument": lambda f, x, w: f.value_and_grad(x, w, 1.0),
}


@pytest.mark.parametrize("name", [*CALLS, *SHARING, *STATIC])
def test_repeated_calls_of_every_kind_take_no_numbers_apart_and_agree(backend, name):
    def runs(count):
        x, w = np.linspace(1.0, 2.0, 3 * count).reshape(3, count), Point(np.full(count, 0.5), 3.0)
        if name in CALLS:
            held = Point(np.array([Value(7.0) for _ in range(count)]), Value(7.0))
            program = compile(lambda x: squares(x, held, 1.0), held, batched=True, backend=backend)
            return partial(CALLS[name], program, x, w)
        if name in SHARING:
            axes = (0, None, None)
            program = compile(squares, batched=True, in_axes=axes, backend=backend)
            return partial(SHARING[name], program, x, w)
        program = compile(squares, static="extra", backend=backend)
        return partial(STATIC[name], program, x[0], w)

    few, many = runs(4), runs(100)
    found = [[leaves(call()) for _ in range(6)] for call in (few, many)]
    assert all(each == results[0] for results in found for each in results)
    if backend in ("numpy", "numba"):
        least = [min(calls(call) for _ in range(3)) for call in (few, many)]
        assert least[1] <= least[0] + 12  # NumPy may run another instruction


def test_arguments_are_not_taken_apart_by_a_shortcut(monkeypatch):
    f = compile(lambda x: x * 2, backend="numpy")
    x = np.ones(3)
    for _ in range(2):
        f(x)
    monkeypatch.setattr(f, "_call", None)  # the usual way
    assert f(x).tolist() == [2.0, 2.0, 2.0]
    assert count_leaves(flatten(x)[1]) == 3


def test_shortcuts_agree_with_eager_gradients_after_many_shapes(backend):
    f = compile(
        lambda x: (x * x * x).sum() if isinstance(x, np.ndarray) else x[0] ** 3, backend=backend
    )
    generator = np.random.default_rng(0)
    for size in [2, 3, 2, 2, 3, 3, 4, 5, 6, 7, 2, 3, 2, 2]:
        x = generator.normal(size=size)
        value, slopes = f.value_and_grad(x)
        expected, wanted = value_and_grad(lambda x: sum(e * e * e for e in x))(x.tolist())
        assert value == pytest.approx(expected, rel=1e-14)
        assert slopes == pytest.approx(wanted, rel=1e-14)
