"""What XLA is given to compile: few and small operations on arrays."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from micrograd import Value, compile, scan, tanh  # noqa: A004

jax = pytest.importorskip("jax")
pytestmark = pytest.mark.slow


def test_a_read_joins_only_the_arrays_that_it_reads():
    from micrograd.compiler.jax.patterns import MOST_PARTS
    from micrograd.compiler.jax.spaces import Space

    whole = SimpleNamespace(parts=lambda varies, start, array: [array])
    first, between, last = np.arange(40.0), np.zeros(1000), np.arange(40.0, 80.0)
    rows = np.random.default_rng(0).permutation([*range(0, 40, 2), *range(1041, 1080, 2)])
    assert (np.diff(rows) != 1).sum() > MOST_PARTS

    def read(*arrays):
        space = Space(False, whole)
        for each in arrays:
            space.add(each)
        return space.read(rows)

    arrays = first, between, last
    sizes = [each.aval.size for eqn in jax.make_jaxpr(read)(*arrays).eqns for each in eqn.outvars]
    assert max(sizes) == 80
    assert np.array_equal(read(*map(jax.numpy.asarray, arrays)), np.concatenate(arrays)[rows])


def test_what_a_loop_reads_at_each_step_is_one_array():
    def last(xs):
        return scan(lambda h, x: (tanh(h * x[0] + x[1] * x[2] - x[3]), 0.0), 0.5, xs)[0]

    xs = np.random.default_rng(0).normal(size=(5, 7, 4))
    f = compile(last, batched=True, backend="jax")
    np.testing.assert_allclose(f(xs), compile(last, batched=True, backend="numpy")(xs), rtol=1e-14)
    run = f._last.executor.executor
    with jax.enable_x64(True):
        traced = jax.make_jaxpr(lambda p, x: run._values(p, [x], (True,), 0))(np.zeros(0), xs)
    (loop,) = (eqn for eqn in traced.eqns if eqn.primitive.name == "scan")
    carried = loop.params["num_consts"] + loop.params["num_carry"]
    assert len(loop.invars) - carried == 1


def test_a_long_formula_is_compiled_once_for_all_its_calls():
    from micrograd.compiler.jax.operations import function
    from micrograd.ops import TABLE

    def lines(name, *operands):
        return str(jax.make_jaxpr(function(TABLE[name]))(*operands)).count("\n")

    y = np.linspace(0.5, 5.0, 10)
    # Twice: for a number and an array, and for two numbers.
    assert lines("polygamma", 2.0, y) < 4 * lines("polygamma_above", 2.0, y)


def test_slopes_of_products_of_a_matrix_and_several_vectors_are_products_of_the_same_kind():
    from micrograd.compiler.jax.pairs import each_multiplied

    draw = np.random.default_rng(0).normal
    matrix, vectors, g = draw(size=(4, 5)), draw(size=(3, 5, 7)), draw(size=(3, 4, 7))

    def slopes(matrix, vectors, g):
        return jax.vjp(each_multiplied, matrix, vectors)[1](g)

    with jax.enable_x64(True):
        found, traced = (f(matrix, vectors, g) for f in (slopes, jax.make_jaxpr(slopes)))
    # Sums of at most 21 products of numbers below 4.
    expected = np.einsum("cml,ckl->mk", g, vectors), np.einsum("mk,cml->ckl", matrix, g)
    for each, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(each, other, rtol=0, atol=21 * 16 * 2.0**-52)
    called = (eqn for eqn in traced.eqns if eqn.primitive.name == "dot_general")
    left = [eqn.params["dimension_numbers"][0][0] for eqn in called]
    assert left
    assert {*left} == {(2,)}  # by rows: by columns, XLA takes twice the time on a processor


def test_results_of_which_some_are_read_alone_are_computed_together():
    weights = [Value(0.1 * i) for i in range(40)]

    def loss(x):
        found = [tanh(w * x) for w in weights]
        return sum(found) + found[0] * found[7] + found[3] * found[12]

    x = np.linspace(-1.0, 1.0, 9)
    program = compile(loss, weights, batched=True, backend="jax")
    expected = compile(loss, weights, batched=True, backend="numpy")(x)
    np.testing.assert_allclose(program(x), expected, rtol=1e-14)
    run = program._last.executor.executor
    with jax.enable_x64(True):
        traced = jax.make_jaxpr(lambda p, x: run._values(p, [x], (True,), 0))(
            np.ones(40), x[:, None]
        )
    assert str(traced).count(" tanh ") == 1


@pytest.mark.parametrize("scale", [1.0, 1e-250, 1e250])
@pytest.mark.parametrize("exponent", [0.5, -0.5, 3.0, 7.5, -1.5, -2.0, 8.5, 1 / 3, -1 / 3])
def test_slopes_of_a_power_with_a_known_exponent_are_those_of_values(exponent, scale):
    sizes = [0.0, math.inf, 1.0, 2.5, 1e-200, 1e200, 1e-150, 1e150, 1e-300, 1e300]
    x = np.array([*sizes, *np.negative(sizes), math.nan])

    def f(x):
        return x**exponent * scale

    def slope(x):
        leaf = Value(x)
        f(leaf).backward()
        return leaf.grad

    # One by one: a batch in which a slope is not finite is computed again in another way.
    program = compile(f, batched=True, backend="jax")
    found = np.concatenate([program.value_and_grad(x[k : k + 1])[1] for k in range(len(x))])
    # Each of the two is within 8 units; XLA takes subnormal numbers for zero.
    expected = [slope(each) for each in x.tolist()]
    np.testing.assert_allclose(found, expected, rtol=16 * 2.0**-52, atol=2.0**-1022)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # of limits for doubles
@pytest.mark.parametrize("exponent", [-2.0, -3.0, -4.0])
def test_an_exponent_that_single_precision_rounds_to_a_whole_number_is_whole(exponent):
    close = np.nextafter(exponent, 0)
    x = np.array([-2.0, -0.5, 3.0], np.float32)
    power = compile(lambda x: x**close, batched=True, backend="jax", dtype=np.float32)
    slopes = exponent * x.astype(float) ** (exponent - 1)
    np.testing.assert_allclose(power.value_and_grad(x)[1], slopes, rtol=16 * 2.0**-24)


def test_nothing_is_computed_for_the_slope_by_a_known_exponent(recwarn):
    """NumPy would warn: the formula of that slope has limits that overflow in single precision."""
    x = np.array([2.0, 3.0], np.float32)
    compile(lambda x: x**2.5, batched=True, backend="jax", dtype=np.float32).value_and_grad(x)
    assert not recwarn.list


def test_what_flows_back_to_the_base_of_a_square_root_is_a_single_power():
    from micrograd.compiler.jax.operations import POWER, function

    def powers(*exponent):
        def slope(x, y, g):
            return jax.vjp(function(POWER, *exponent), x, y)[1](g)[0]

        with jax.enable_x64(True):
            traced = jax.make_jaxpr(slope)(*np.ones((3, 4)))
        needed, _ = dce_jaxpr(traced.jaxpr, [True])
        return str(needed).count("= pow ")

    from jax.interpreters.partial_eval import dce_jaxpr

    assert powers(0.5) == powers(-0.5) == 1
    assert powers() > 2


@pytest.fixture
def masked(monkeypatch):
    """Which terms of products of rows were left out, by the shape of the results."""
    from micrograd.compiler.jax import run

    found, multiplied = [], run.multiplied

    def noted(x, y, terms):
        found.append(terms)
        return multiplied(x, y, terms)

    monkeypatch.setattr(run, "multiplied", noted)
    return found


def test_an_infinite_number_after_a_position_is_no_part_of_its_causal_sum(masked):
    def attention(q, k, v):
        fits = [[q[t] @ k[s] for s in range(t + 1)] for t in range(10)]
        return [np.array(row) @ v[: len(row)] for row in fits]

    q, k, v = np.random.default_rng(0).normal(size=(3, 2, 10, 3))
    v[1, 7, 1] = np.inf
    found, expected = (
        compile(attention, batched=True, backend=backend)(q, k, v)
        for backend in ("jax", "reference")
    )
    assert [terms is None for terms in masked] == [True, False]
    for row, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(row, other, rtol=1e-12)
    assert np.isfinite(found[6]).all()


def test_slopes_of_causal_sums_agree_with_the_reference(masked):
    def loss(q, k, v):
        fits = [[q[t] @ k[s] for s in range(t + 1)] for t in range(10)]
        rows = [np.array([tanh(x) for x in row]) @ v[: len(row)] for row in fits]
        return sum((row @ row for row in rows), 0.0)

    given = np.random.default_rng(0).normal(size=(3, 2, 10, 3))
    given[1, 1, 4] = 0.0
    found, expected = (
        compile(loss, batched=True, backend=backend).value_and_grad(*given)
        for backend in ("jax", "reference")
    )
    assert any(terms is not None for terms in masked)
    for ours, theirs in zip((found[0], *found[1]), (expected[0], *expected[1]), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_a_large_matrix_of_parameters_is_an_array_of_its_own_and_so_is_its_gradient(monkeypatch):
    from micrograd.compiler.jax import executor

    monkeypatch.setattr(executor, "_FEW", 64)
    monkeypatch.setattr(executor, "_FEW_RESULTS", 64)
    side = 12
    draw = np.random.default_rng(0)
    value_of = np.frompyfunc(Value, 1, 1)
    w, b, v = (value_of(draw.normal(size=shape)) for shape in ((side, side), side, side))
    parameters, x = [*w.ravel(), *b, *v], draw.normal(size=(3, side))
    f, other = (
        compile(lambda x: v @ np.tanh(w @ x + b), parameters, batched=True, backend=backend)
        for backend in ("jax", "numpy")
    )
    value, gradient = other.value_and_grad(x)
    numbers = np.array([p.data for p in parameters])
    for _ in range(3):  # the first call, the one that prepares more, and a prepared one
        for given in (numbers, jax.numpy.asarray(numbers), None):
            found = f.value_and_grad(x, parameters=given)
            np.testing.assert_allclose(found[0], value, rtol=1e-5)
            np.testing.assert_allclose(found[1], gradient, rtol=1e-4, atol=1e-6)
    run = f._last.executor.executor
    parts = run._divided(numbers)
    assert [len(each) for each in parts] == [side * side, 2 * side]
    with jax.enable_x64(True):
        traced = jax.make_jaxpr(lambda p, x: run._slopes(True, p, [x], (True,), 0))(parts, x)
    joined = (eqn for eqn in traced.eqns if eqn.primitive.name in ("split", "concatenate"))
    sizes = [each.aval.size for eqn in joined for each in (*eqn.invars, *eqn.outvars)]
    assert sizes, "small parameters are split and joined"
    assert max(sizes) < side * side
