"""What XLA is given to compile: few and small operations on arrays."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from micrograd import compile, scan, tanh  # noqa: A004

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
