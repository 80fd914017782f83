"""Every backend runs random programs as the reference executor does, with every instruction."""

from __future__ import annotations

import pickle
from functools import reduce
from random import Random

import numpy as np
import pytest

from micrograd import Value, maximum, minimum
from micrograd.compiler import compile  # noqa: A004
from micrograd.compiler import executor as executors
from micrograd.compiler.executor import BACKENDS
from micrograd.compiler.numpy.operations import in_place
from micrograd.compiler.program.instructions import Elementwise, Fold, Product, Tape, WeightedSums
from micrograd.engine import functions

# Operations that are smooth and tame everywhere, so that errors of rounding stay small.
TAME = ("tanh", "sin", "cos", "atan", "erf", "sigmoid", "gauss", "sech2")


def dense(random, parameters, x):
    """A layer: a matrix product, with weights and biases in some order."""
    size = random.randint(3, 5)
    weights = [random.sample(parameters, len(x)) for _ in range(size)]
    biases = random.sample(parameters, size)
    return [
        sum((w * v for w, v in zip(row, x, strict=True)), bias)
        for row, bias in zip(weights, biases, strict=True)
    ]


def sums(random, parameters, x):
    """Weighted sums of several terms, some of which are numbers of `u`."""
    chosen = [random.sample([*x, *parameters[:3]], 3) for _ in x]
    return [a * b - c * 0.5 + random.choice(parameters) for a, b, c in chosen]


def elementwise(random, parameters, x):
    """One operation on all numbers side by side."""
    function = getattr(functions, random.choice(TAME))
    return [function(v) * function(w) for v, w in zip(x, [*x[1:], x[0]], strict=True)]


def fold(random, parameters, x):
    """Numbers beside the largest or smallest of them."""
    function = random.choice([maximum, minimum])
    extreme = reduce(function, [v.detach() for v in x])
    return [(v - extreme).tanh() for v in x]


def tape(random, parameters, x):
    """One operation after the other."""
    state = x[0]
    for i in range(8):
        state = (state * 0.5 + x[i % len(x)] * parameters[i % 3]).sin()
    return [state, *x[1:]]


LAYERS = (dense, sums, elementwise, fold, tape)


def random_function(seed, parameters):
    """A function of three numbers that goes through every kind of layer in a random order.

    Some layers work on parameters alone, which a program computes once for the whole batch.
    """

    def f(x):
        random = Random(seed)
        alone = list(parameters[:4])
        for layer in random.sample(LAYERS, len(LAYERS)):
            alone = [v.tanh() for v in layer(random, parameters, alone)]
        for layer in random.sample(LAYERS, len(LAYERS)):
            x = [v.tanh() for v in layer(random, parameters, [*x[:4]])]
        return sum(a * b for a, b in zip(x, alone, strict=False))

    return f


@pytest.fixture(autouse=True)
def short_tapes(monkeypatch):
    """Short runs of narrow groups become tapes too: XLA takes long to compile long ones."""
    monkeypatch.setattr("micrograd.compiler.planning.planner.LEAST_STEPS", 4)


PARAMETERS = [Value(0.8 * (-1) ** i / (1 + i % 7) + 0.01 * i) for i in range(12)]
SAMPLES = np.random.default_rng(0).normal(size=(9, 3))


def kinds(program):
    return {(type(each), each.varies) for each in program.instructions}


def test_random_functions_have_every_instruction_in_both_spaces():
    found = set()
    for seed in range(6):
        program = compile(
            random_function(seed, PARAMETERS), PARAMETERS, batched=True, backend="reference"
        )
        program(SAMPLES)
        found |= kinds(program.program)
    expected = {(kind, True) for kind in (Elementwise, Fold, Product, Tape, WeightedSums)}
    # A small product of parameters alone is planned as sums, which are as fast.
    assert found >= expected | {(kind, False) for kind, _ in expected} - {(Product, False)}


@pytest.mark.slow
@pytest.mark.usefixtures("quick_xla")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_random_programs_agree_with_the_reference_executor(backend, dtype):
    # Some 500 roundings of numbers below 10, in functions that contract.
    accuracy = 5_000 * np.finfo(dtype).eps
    for seed in range(1 if backend == "jax" else 6):

        def run(name, seed=seed):
            options = {"batched": True, "backend": name, "dtype": dtype}
            trained = compile(random_function(seed, PARAMETERS), PARAMETERS, **options)
            plain = compile(random_function(seed, PARAMETERS), **options)
            mean, gradient = trained.value_and_grad(SAMPLES)
            return [trained(SAMPLES), mean, gradient, *plain.value_and_grad(SAMPLES)]

        for found, expected in zip(run(backend), run("reference"), strict=True):
            np.testing.assert_allclose(found, expected, rtol=accuracy, atol=accuracy)


def test_a_large_product_without_a_batch_agrees_with_the_reference_executor(backend):
    weights = [[Value(0.1 * ((7 * i + 3 * j) % 11) - 0.5) for j in range(17)] for i in range(16)]
    flat = [w for row in weights for w in row]

    def f(x):
        return sum(sum(w * v for w, v in zip(row, x, strict=True)).tanh() for row in weights)

    x = SAMPLES.ravel()[:17]
    program = compile(f, flat, backend=backend)
    value, gradient = program.value_and_grad(x)
    assert (Product, False) in kinds(program.program)
    expected, slopes = compile(f, flat, backend="reference").value_and_grad(x)
    assert value == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-12, atol=1e-13)


def test_a_large_batch_is_cut_into_blocks_by_the_reference_executor(monkeypatch):
    f = random_function(1, PARAMETERS)
    samples = np.random.default_rng(1).normal(size=(600, 3))
    expected = compile(f, PARAMETERS, batched=True, backend="reference").value_and_grad(samples)
    monkeypatch.setattr("micrograd.compiler.numpy.executor.BLOCK", 256)
    whole = compile(f, PARAMETERS, batched=True, backend="reference")
    mean, gradient = whole.value_and_grad(samples)
    assert mean == pytest.approx(expected[0], rel=1e-13)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-12, atol=1e-14)
    assert whole(samples).shape == (600,)


def test_a_backend_that_is_not_installed_says_what_to_install(monkeypatch):
    for name, each in BACKENDS.items():
        if not each.package:
            continue
        missing = each._replace(module="micrograd.compiler.no_such_library")
        monkeypatch.setitem(BACKENDS, name, missing)
        with pytest.raises(
            ImportError, match=rf"{name}.* needs {each.package}: pip install {each.package}"
        ):
            compile(lambda x: x, backend=name)
    assert executors.load("auto").__name__ == "NumpyExecutor"


def test_a_program_of_every_backend_pickles(backend):
    program = compile(lambda x: x.tanh() * 2, batched=True, backend=backend)
    expected = program(SAMPLES[:, 0])
    assert pickle.loads(pickle.dumps(program))(SAMPLES[:, 0]).tolist() == expected.tolist()


def test_a_backend_that_is_unknown_is_refused_with_the_names_of_all():
    with pytest.raises(ValueError, match="backend is one of auto, numpy, numba, jax"):
        compile(lambda x: x, backend="torch")


def test_formulas_on_numpy_are_written_once_for_all_constants():
    def run(constant):
        f = compile(lambda x: x / constant + x**3, batched=True, backend="numpy")
        return f.value_and_grad([1.0, 2.0])

    run(2.5)
    before = in_place.cache_info().currsize
    for constant in (3.5, 5.5, 7.5):
        run(constant)
    assert in_place.cache_info().currsize == before
