"""Derivatives of compiled functions: Jacobians, Hessians and products, and their sparsity."""

from __future__ import annotations

import pickle
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

import micrograd
from micrograd import Value, exp, sin, tanh, where
from micrograd.compiler import TraceError, compile  # noqa: A004
from micrograd.compiler.calling.sparsity import Layout, groups
from micrograd.transforms.runs import Run
from micrograd.transforms.structures import flatten
from tests.compiler.conftest import QUICK


def layer(x, w):
    """A result and an argument in structures, and another argument as an array."""
    scores = [tanh(x[0] * w["a"] + x[1]), x[1] * w["b"][0] * w["b"][1], 3.0]
    return {"scores": scores, "norm": exp(x[0] * x[1])}


def energy(x, w):
    return sin(x[0] * w["a"]) * x[1] + where(x[0] > 0, x[0] * x[0], 0.0) * w["b"][0] + w["b"][1]


X = np.array([[0.5, -1.5], [1.0, 0.25], [-2.0, 3.0]])
W = {"a": np.array([0.7, -0.2, 1.1]), "b": np.array([[1.5, 2.0], [0.5, 1.0], [3.0, 0.1]])}
SAMPLES = [(X[i], {"a": float(W["a"][i]), "b": W["b"][i]}) for i in range(3)]


def chain(x):
    """Each result depends on three neighbouring arguments."""
    around = [0.0, *x, 1.0]
    return [
        left * here - exp(here) * right
        for left, here, right in zip(around, around[1:], around[2:], strict=False)
    ]


def rosenbrock(x):
    return sum(100 * (after - here * here) ** 2 + (1 - here) ** 2 for here, after in pairwise(x))


def assert_close(found, expected, tolerance=1e-13):
    """Compare numbers in equal structures, by the largest of each array."""
    if isinstance(expected, dict):
        assert set(found) == set(expected)
        for key in expected:
            assert_close(found[key], expected[key], tolerance)
    elif isinstance(expected, list | tuple):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for mine, other in zip(found, expected, strict=True):
            assert_close(mine, other, tolerance)
    else:
        assert np.shape(found) == np.shape(expected)
        assert np.isfinite(expected).all()  # or anything would be near
        largest = np.max(np.abs(expected), initial=1.0)
        assert np.abs(np.asarray(found) - expected).max(initial=0) <= tolerance * largest


def sample(found, i):
    """One sample of a result, whose arrays have the samples along the first axis."""
    if isinstance(found, dict):
        return {key: sample(each, i) for key, each in found.items()}
    if isinstance(found, list | tuple):
        return type(found)(sample(each, i) for each in found)
    return found[i]


# ----------------------------------------------------------------------------- as the transforms do


@pytest.mark.usefixtures("quick_xla")
def test_each_derivative_equals_that_of_the_transform_of_the_same_name(backend):
    program, scalar = (compile(f, backend=backend) for f in (layer, energy))
    x, w = SAMPLES[0]
    direction = (np.array([1.0, -2.0]), {"a": 0.5, "b": np.array([0.0, 1.0])})
    cotangent = {"scores": [1.0, -1.0, 2.0], "norm": 0.5}
    for argnums in (0, 1, -1, (1, 0)):
        expected = micrograd.jacobian(layer, argnums)(x, w)
        assert_close(program.jacobian(x, w, argnums=argnums), expected)
        expected = micrograd.value_and_jacobian(layer, argnums)(x, w)
        assert_close(program.value_and_jacobian(x, w, argnums=argnums), expected)
        expected = micrograd.hessian(energy, argnums)(x, w)
        assert_close(scalar.hessian(x, w, argnums=argnums), expected)
    assert_close(program.jvp((x, w), direction), micrograd.jvp(layer, (x, w), direction))
    value, pullback = program.vjp(x, w)
    expected_value, expected_pullback = micrograd.vjp(layer, x, w)
    assert_close(value, expected_value)
    assert_close(pullback(cotangent), expected_pullback(cotangent))
    assert_close(scalar.hvp((x, w), direction), micrograd.hvp(energy, (x, w), direction))
    square = compile(lambda x: x[0] ** 2 * x[1], backend=backend)
    assert square.hvp([1.0, 2.0], [1.0, 0.0]) == [4.0, 2.0]


@pytest.mark.usefixtures("quick_xla")
def test_a_batch_has_a_derivative_for_each_sample_along_the_first_axis(backend):
    program, scalar = (compile(f, batched=True, backend=backend) for f in (layer, energy))
    direction = (X + 1, {"a": np.ones(3), "b": 2 * W["b"]})
    cotangent = {"scores": [np.arange(3.0), np.ones(3), np.ones(3)], "norm": np.arange(3.0)}
    jacobians = program.jacobian(X, W, argnums=(0, 1))
    hessians = scalar.hessian(X, W, argnums=(0, 1))
    tangents = program.jvp((X, W), direction)
    value, pullback = program.vjp(X, W)
    gradients = pullback(cotangent)
    products = scalar.hvp((X, W), direction)
    for i, at in enumerate(SAMPLES):
        assert_close(sample(jacobians, i), micrograd.jacobian(layer, (0, 1))(*at))
        assert_close(sample(hessians, i), micrograd.hessian(energy, (0, 1))(*at))
        along = sample(direction, i)
        assert_close(sample(tangents, i), micrograd.jvp(layer, at, along))
        assert_close(sample(products, i), micrograd.hvp(energy, at, along))
        expected_value, expected_pullback = micrograd.vjp(layer, *at)
        assert_close(sample(value, i), expected_value)
        assert_close(sample(gradients, i), expected_pullback(sample(cotangent, i)))


def test_a_batch_of_samples_in_a_list_has_gradients_in_a_list():
    program = compile(lambda x: [x[0] * x[1], x[1]], batched=True, backend="numpy")
    value, pullback = program.vjp([[2.0, 3.0], [4.0, 5.0]])
    assert [each.tolist() for each in value] == [[6.0, 20.0], [3.0, 5.0]]
    ones, zeros = np.ones(2), np.zeros(2)
    assert pullback([ones, zeros]) == ([[3.0, 2.0], [5.0, 4.0]],)
    assert program.jacobian([[2.0, 3.0], [4.0, 5.0]]).shape == (2, 2, 2)
    assert program.jacobian(np.zeros((0, 2))).shape == (0, 2, 2)


def test_parameters_are_read_at_each_call_and_may_be_given():
    w = Value(3.0)
    program = compile(lambda x: [w * x[0], x[1] ** 3 * w], [w], backend="numpy")
    assert program.jacobian([2.0, 1.0]).tolist() == [[3.0, 0.0], [0.0, 9.0]]
    w.data = 4.0
    assert program.jacobian([2.0, 1.0]).tolist() == [[4.0, 0.0], [0.0, 12.0]]
    assert program.jacobian([2.0, 1.0], parameters=[5.0]).tolist() == [[5.0, 0.0], [0.0, 15.0]]
    _, pullback = program.vjp([2.0, 1.0], parameters=[5.0])
    assert pullback([1.0, 1.0]) == ([5.0, 15.0],)


def test_a_pullback_keeps_the_numbers_of_its_call():
    w, x = Value(3.0), np.array([2.0, 1.0])
    program = compile(lambda x: w * x[0] * x[1], [w], backend="numpy")
    pullbacks = [program.vjp(x)[1], program.vjp(x, parameters=(given := np.array([3.0])))[1]]
    w.data = x[0] = given[0] = 7.0
    for pullback in pullbacks:
        assert pullback(1.0)[0].tolist() == [3.0, 6.0]


@pytest.mark.parametrize("backend", QUICK)
def test_derivatives_lookups_and_given_derivatives_work_in_loops(backend):
    def swing(x):
        angle, speed = micrograd.repeat(
            lambda s: [s[0] + 0.1 * s[1], s[1] - 0.1 * sin(s[0])], [x[0], x[1]], 5
        )
        return [angle * x[2], speed]

    x = [0.3, 0.2, 1.5]
    program = compile(swing, backend=backend)
    assert_close(program.jacobian(x), micrograd.jacobian(swing)(x))
    assert_close(program.vjp(x)[1]([1.0, 2.0]), micrograd.vjp(swing, *[x])[1]([1.0, 2.0]))
    assert program.sparsity(x).tolist() == [[True, True, True], [True, True, False]]
    energy_of_both = compile(lambda x: sum(swing(x)), backend=backend)
    assert_close(energy_of_both.hessian(x), micrograd.hessian(energy_of_both.f)(x))
    total = compile(
        lambda table, picked: micrograd.scan(
            lambda s, k: (s + micrograd.take(table, k), None), 0.0, picked
        )[0],
        backend=backend,
    )
    value, (of_table, _) = total.value_and_grad([1.0, 2.0, 4.0], [0.0, 2.0, 2.0])
    assert (value, of_table) == (9.0, [1.0, 0.0, 2.0])
    root = micrograd.custom_derivative(
        lambda a: micrograd.repeat(lambda x: (x + a / x) / 2, a * 0 + 1.0, 30),
        vjp=lambda args, x, g: (g / (2 * x),),
    )
    program = compile(root, backend=backend)
    assert_close(program.value_and_grad(9.0), (3.0, 1 / 6))
    assert_close(program.hessian(9.0), np.array(-1 / 108))


@pytest.mark.exhaustive
def test_derivatives_equal_those_of_jax():
    jax = pytest.importorskip("jax", reason="pip install jax")
    with jax.enable_x64(True):
        x = np.linspace(-1.0, 1.0, 7)

        def jax_chain(x):
            around = jax.numpy.concatenate([jax.numpy.zeros(1), x, jax.numpy.ones(1)])
            return around[:-2] * x - jax.numpy.exp(x) * around[2:]

        def jax_rosenbrock(x):
            return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

        for backend in QUICK:
            program = compile(chain, backend=backend)
            assert_close(program.jacobian(x), np.asarray(jax.jacobian(jax_chain)(x)))
            program = compile(rosenbrock, backend=backend)
            assert_close(program.hessian(x), np.asarray(jax.hessian(jax_rosenbrock)(x)))
            _, product = jax.jvp(jax.grad(jax_rosenbrock), (x,), (np.ones(7),))
            assert_close(program.hvp(x, np.ones(7)), np.asarray(product))


# ----------------------------------------------------------------------------------------- sparsity


def test_a_tridiagonal_jacobian_of_a_thousand_rows_takes_three_passes():
    x = np.linspace(0.1, 0.9, 1000)
    program = compile(chain, backend="numpy")
    found = program.jacobian(x)
    here = np.arange(1000)
    assert found[here, here] == pytest.approx([0.0, *x[:-1]] - np.exp(x) * [*x[1:], 1.0])
    assert found[here[1:], here[:-1]] == pytest.approx(x[1:])
    assert found[here[:-1], here[1:]] == pytest.approx(-np.exp(x[:-1]))
    sparsity = program.sparsity(x)
    assert (sparsity == (np.abs(here[:, None] - here) <= 1)).all()
    assert not found[~sparsity].any()
    assert len(groups(sparsity.T)) == 3
    (derived,) = program._derived.values()
    assert len(derived.program.outputs) == sparsity.sum()


def test_a_hessian_computes_one_half_of_its_entries():
    x = np.linspace(-1.0, 1.0, 30)
    program = compile(rosenbrock, backend="numpy")
    assert_close(program.hessian(x), micrograd.hessian(rosenbrock)(x))
    assert program.sparsity(x, order=2).sum() == 30 + 2 * 29
    (derived,) = program._derived.values()
    assert len(derived.program.outputs) == 30 + 29


def test_the_mode_is_the_one_with_fewer_passes(monkeypatch):
    passes = []  # the run and the method of each

    def count(name):
        method = getattr(Run, name)
        monkeypatch.setattr(
            Run, name, lambda run, *args: passes.append((run, name)) or method(run, *args)
        )

    count("push")
    count("pull")
    tall = compile(lambda x: [sin(k * x[0]) * x[1] for k in range(1, 40)], backend="numpy")
    wide = compile(lambda x: [sum(sin(each) for each in x), x[0] * x[1]], backend="numpy")
    for program, shape, mode in ((tall, (39, 2), "push"), (wide, (2, 40), "pull")):
        x = np.linspace(1.0, 2.0, shape[1])
        passes.clear()
        jacobian = program.jacobian(x)
        assert {name for _, name in passes} == {mode}
        assert {*Counter(passes).values()} == {2}
        assert jacobian.shape == shape
        assert_close(jacobian, micrograd.jacobian(program.f)(x))
    # A dense row and a dense column: 21 passes of either mode, but few products.
    arrow = compile(
        lambda x: [sum(x) * x[0], *(x[0] * each * each for each in x[1:])], backend="numpy"
    )
    x = np.linspace(1.0, 2.0, 21)
    assert_close(arrow.jacobian(x), micrograd.jacobian(arrow.f)(x))


def test_groups_of_rows_have_no_column_in_common():
    generator = np.random.default_rng(0)
    for density in (0.02, 0.1, 0.5, 1.0):
        matrix = generator.random((60, 45)) < density
        found = groups(matrix)
        assert sorted(row for group in found for row in group) == [
            *np.flatnonzero(matrix.any(axis=1))
        ]
        for group in found:
            assert matrix[group].sum(axis=0).max() <= 1
        assert len(found) >= matrix.sum(axis=0).max()


def test_only_entries_with_a_mirror_image_are_left_out_of_a_symmetric_matrix():
    matrix = np.array([[True, True, True], [True, True, False], [False, False, False]])
    layout = Layout(matrix, rows=[], across=[], symmetric=True)
    assert layout.entries == [(0, 0), (0, 2), (1, 0), (1, 1)]
    dense = layout.dense(np.array([1.0, 2.0, 3.0, 4.0]))
    assert dense.tolist() == [[1.0, 3.0, 2.0], [3.0, 4.0, 0.0], [0.0, 0.0, 0.0]]


def test_an_operation_without_a_derivative_makes_no_entry():
    program = compile(lambda x: [(x[0] > x[1]) * x[2], x[1].detach() * x[0]], backend="numpy")
    assert program.sparsity([1.0, 2.0, 3.0]).tolist() == [
        [False, False, True],
        [True, False, False],
    ]


def test_entries_are_stopped_at_zero_as_those_of_values_are():
    program = compile(lambda x: [where(x[0] > 0, micrograd.log(x[0]), x[1]), x[0] * x[1]])
    assert program.jacobian([0.0, 2.0]).tolist() == [[0.0, 1.0], [2.0, 0.0]]


# --------------------------------------------------------------------------------------- as objects


def test_derivatives_that_were_computed_survive_pickling_and_others_are_refused():
    program = compile(chain, backend="numpy")
    x = np.linspace(0.0, 1.0, 4)
    program(x)
    expected = program.jacobian(x)
    copied = pickle.loads(pickle.dumps(program))
    assert copied.jacobian(x).tolist() == expected.tolist()
    with pytest.raises(ValueError, match="compile the function again"):
        copied.hessian(x)


def test_second_derivatives_of_several_numbers_are_those_of_the_transform():
    w = {"a": 0.7, "b": [2.0, -0.4]}
    expected = [micrograd.hessian(layer, argnums=(0, 1))(x.tolist(), w) for x in X]
    found = compile(layer, backend="numpy").hessian(X[0].tolist(), w, argnums=(0, 1))
    (leaves, structure), (numbers, same) = flatten(expected[0]), flatten(found)
    assert same == structure
    assert numbers == pytest.approx(leaves, rel=1e-14)
    of_batch = compile(layer, backend="numpy", batched=True, in_axes=(0, None)).hessian(X, w)
    for part in ("scores", "norm"):
        each = np.array([both[0][0][part] for both in expected])
        assert of_batch[part] == pytest.approx(each, rel=1e-14)
    entries = compile(lambda x: [x[0] * x[1], x[1]], backend="numpy").sparsity([1.0, 2.0], order=2)
    assert entries.astype(int).tolist() == [[[0, 1], [1, 0]], [[0, 0], [0, 0]]]


def test_wrong_arguments_are_refused_with_what_is_needed():
    program = compile(lambda x, y: [x[0] * y, x[1]], backend="numpy")
    at = [1.0, 2.0], 3.0
    with pytest.raises(ValueError, match="argnums 2: the function was called with 2 arguments"):
        program.jacobian(*at, argnums=2)
    with pytest.raises(TypeError, match="argnums takes ints"):
        program.jacobian(*at, argnums="x")
    with pytest.raises(TypeError, match="jvp: tangents is a tuple"):
        program.jvp(at, 1.0)
    with pytest.raises(ValueError, match="tangent 0 has a different structure"):
        program.jvp(at, ([1.0], 2.0))
    with pytest.raises(ValueError, match=r"the cotangent .* has a different structure"):
        program.vjp(*at)[1]([1.0])
    with pytest.raises(ValueError, match=r"order is 1 .* or 2 .*, got 3"):
        program.sparsity(*at, order=3)
    batched = compile(lambda x: [x[0], x[1]], batched=True, backend="numpy")
    with pytest.raises(ValueError, match=r"an array of shape \(3,\) is needed, got \(2,\)"):
        batched.vjp(X)[1]([np.ones(2), np.ones(2)])
    with pytest.raises(ValueError, match="2 parts are needed"):
        batched.vjp(X)[1](np.ones((3, 2)))
    keyed = compile(lambda x: {"a": x[0]}, batched=True, backend="numpy")
    with pytest.raises(ValueError, match="a dict with the keys"):
        keyed.vjp(X)[1]({"b": np.ones(3)})


def test_an_error_of_the_function_names_its_line():
    with pytest.raises(TraceError, match=r"test_derivatives.py, line \d+: .*lambda x: x if x > 0"):
        compile(lambda x: x if x > 0 else -x).jacobian(1.0)
