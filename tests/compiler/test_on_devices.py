"""Arguments and parameters that are arrays on a device of JAX: they are read where they are."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from micrograd import Value, compile, sin  # noqa: A004

jax = pytest.importorskip("jax")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_xla")]

DRAW = np.random.default_rng(0).normal
WEIGHTS = [Value(0.5), Value(-1.5)]
OTHERS = np.array([0.75, 2.0])


def of_batch(x, y, z):
    return sin(x[0] * y + x[1]) * z[1, 1] + z[0, 1] * y


def of_weights(x, y, z):
    return (WEIGHTS[0] * of_batch(x, y, z) + WEIGHTS[1]) ** 2


def both(f, *parameters, **options):
    """A function that JAX runs, and the same by NumPy."""
    return [compile(f, *parameters, backend=each, **options) for each in ("jax", "numpy")]


@pytest.fixture
def on_device():
    """Puts arrays on the device in float64."""
    with jax.enable_x64(True):
        yield jax.device_put


@pytest.fixture
def given(monkeypatch):
    """What JAX was given in the last call: the parameters, if any, then each input."""
    from micrograd.compiler.jax.executor import JaxExecutor

    run, seen = JaxExecutor._ran, []

    def noted(self, jitted, *arrays):
        seen[:] = arrays
        return run(self, jitted, *arrays)

    monkeypatch.setattr(JaxExecutor, "_ran", noted)
    return seen


def assert_same(found, expected):
    """The same numbers in arrays of NumPy that are the caller's."""
    leaves = jax.tree.leaves(found)
    for one, other in zip(leaves, jax.tree.leaves(expected), strict=True):
        assert type(one) is type(other)
        assert isinstance(one, float) or one.flags.writeable
        np.testing.assert_allclose(one, other, rtol=1e-14, atol=1e-14)


BATCH = DRAW(size=(5, 2)), DRAW(size=5), DRAW(size=(5, 2, 2))
SAMPLE = DRAW(size=(5, 2)), DRAW(size=5)


@pytest.mark.parametrize(
    ("f", "parameters", "batched", "args"),
    [
        (of_batch, (), True, BATCH),
        (of_weights, (WEIGHTS,), True, BATCH),
        (lambda x, y: (x * x).sum() * y[3], (), False, SAMPLE),
        (lambda x, y: (x * x).sum() * y[3] * WEIGHTS[0] + WEIGHTS[1], (WEIGHTS,), False, SAMPLE),
    ],
    ids=["batch", "weights", "sample", "weights of a sample"],
)
def test_arrays_on_a_device_are_read_there_and_give_arrays_of_numpy(
    on_device, given, f, parameters, batched, args
):
    ours, other = both(f, *parameters, batched=batched)
    held, numbers = on_device(args), on_device(OTHERS)
    for _ in range(4):  # calls are prepared from the third one on
        assert_same(ours(*held), other(*args))
        assert all(one is part for one, part in zip(held, given[-len(held) :], strict=True))
        assert_same(ours.value_and_grad(*held), other.value_and_grad(*args))
        assert all(one is part for one, part in zip(held, given[-len(held) :], strict=True))
        if parameters:
            expected = other.value_and_grad(*args, parameters=OTHERS)
            assert_same(ours.value_and_grad(*held, parameters=numbers), expected)
            assert given[0] is numbers
            assert_same(ours.value_and_grad(*args, parameters=numbers), expected)
            assert given[0] is numbers
    assert parameters or len(given) == len(held)  # nothing is passed but the arguments


def test_arrays_of_any_precision_are_converted_on_the_device(on_device):
    ours, other = both(lambda x, i: WEIGHTS[0] * x * i, [WEIGHTS[0]], batched=True)
    x, i = np.array([0.5, 1.25], np.float32), np.array([3, 4])
    for _ in range(4):
        assert_same(ours.value_and_grad(on_device(x), on_device(i)), other.value_and_grad(x, i))


def test_a_result_that_is_not_finite_is_computed_again_for_arrays_on_a_device(on_device):
    ours, other = both(lambda x, y: x * y / (x - x), batched=True)
    x, y = np.array([0.0, 2.0]), np.array([1.0, -3.0])
    for _ in range(4):
        assert_same(ours.value_and_grad(*on_device((x, y))), other.value_and_grad(x, y))


def test_arrays_on_a_device_stand_beside_other_arguments(on_device):
    ours, other = both(lambda x, y: (x[0] * y + x[1]) ** 2, batched=True)
    x, y = BATCH[:2]
    for _ in range(4):
        assert_same(ours.value_and_grad(on_device(x), y), other.value_and_grad(x, y))
        assert_same(ours.value_and_grad(on_device(x), y.tolist()), other.value_and_grad(x, list(y)))
    shared, reference = both(lambda x, w: x[0] * w[0] + w[1], batched=True, in_axes=(0, None))
    for _ in range(4):
        assert_same(shared(*on_device((x, OTHERS))), reference(x, OTHERS))


@pytest.mark.parametrize("backend", ["numpy", "reference", "auto"])
def test_the_other_backends_take_arrays_of_jax(on_device, backend):
    f = compile(of_weights, WEIGHTS, batched=True, backend=backend)
    for _ in range(4):
        assert_same(f.value_and_grad(*on_device(BATCH)), f.value_and_grad(*BATCH))


def test_many_outputs_are_returned_in_few_arrays(monkeypatch):
    from micrograd.compiler.jax.executor import JaxExecutor

    run, counts = JaxExecutor._ran, []

    def counted(*args):
        found = run(*args)
        counts.append(len(jax.tree.leaves(found)))
        return found

    monkeypatch.setattr(JaxExecutor, "_ran", counted)
    for batched, x in ((True, BATCH[0]), (False, BATCH[0][0])):
        ours, other = both(
            lambda x: [*(x[0] * k + x[k % 2] for k in range(200)), x[1], 3.0, x[0]],
            batched=batched,
        )
        assert_same(ours(x), other(x))
    assert counts == [3, 1]  # in a batch, the constant stands apart


def test_many_numbers_on_a_device_may_be_given_again(on_device, monkeypatch):
    from micrograd.compiler.jax import executor

    monkeypatch.setattr(executor, "_FEW", 0)
    ours, other = both(of_batch, batched=True)
    for _ in range(4):
        assert_same(ours(*on_device(BATCH)), other(*BATCH))
        assert_same(ours.value_and_grad(*on_device(BATCH)), other.value_and_grad(*BATCH))


def test_a_batch_may_have_samples_without_numbers_or_none_at_all(on_device):
    def total(x):
        return sum(x, Value(2.0))

    def weighted(x):
        return sum(x, WEIGHTS[0] * 3)

    matrix = DRAW(size=(3, 2))
    product, other = both(lambda x: matrix @ x, batched=True)
    assert product(np.ones((0, 2))).shape == other(np.ones((0, 2))).shape == (0, 3)
    for place in (np.asarray, on_device):
        for f, parameters in ((total, ()), (weighted, (WEIGHTS,))):
            ours, other = both(f, *parameters, batched=True)
            for shape in ((5, 0), (0, 0), (0, 2), (1, 2)):
                x = np.ones(shape)
                for _ in range(4):
                    assert_same(ours(place(x)), other(x))
                    if len(x) or not parameters:
                        assert_same(ours.value_and_grad(place(x)), other.value_and_grad(x))


@pytest.mark.parametrize("samples", [3, 6_000])
def test_gradients_of_several_arguments_are_arrays_of_their_own(on_device, samples):
    def f(x, _, y, z):
        return x[0] * y * z[1] + sin(x[1]) * z[0]

    ours, other = both(f, batched=True)
    args = [DRAW(size=(samples, 2)), None, DRAW(size=samples), DRAW(size=(samples, 2))]
    for place in (np.asarray, on_device):
        held = [each if each is None else place(each) for each in args]
        for _ in range(4):
            assert_same(ours(*held), other(*args))
            assert_same(ours.value_and_grad(*held), other.value_and_grad(*args))
        some, rest = [*held[:1], *held[2:]], [*args[:1], *args[2:]]
        mine, others = both(lambda x, y, z: f(x, None, y, z), batched=True)
        for _ in range(4):
            assert_same(mine(*some), others(*rest))
            assert_same(mine.value_and_grad(*some), others.value_and_grad(*rest))


def test_parameters_on_a_device_are_those_of_their_call_alone(on_device):
    from micrograd.compiler.jax.devices import Devices

    f = compile(lambda x: x * WEIGHTS[0] + WEIGHTS[1], WEIGHTS, batched=True, backend="jax")
    x, numbers = np.arange(4.0), on_device(OTHERS)
    for _ in range(3):
        f(x)
    with Devices(1).shared():
        assert f(x, parameters=numbers).tolist() == (x * OTHERS[0] + OTHERS[1]).tolist()
    assert f(x).tolist() == (x * 0.5 - 1.5).tolist()
    with Devices(1).shared():
        f(x, parameters=numbers)
    assert f(x, parameters=np.zeros(2)).tolist() == [0.0] * 4


def test_keys_of_jax_are_refused_as_what_they_are():
    f = compile(lambda x: x * 2, batched=True, backend="jax")
    with pytest.raises(TypeError, match="argument 0 takes real numbers, got an array of key"):
        f(jax.random.split(jax.random.key(0), 3))


ON_TWO_DEVICES = """
import jax, numpy as np
from micrograd import Value, compile
first, second = jax.devices()
weights = [Value(0.5), Value(-1.5)]
f = compile(lambda x: x * weights[0] + weights[1], weights, batched=True, backend="jax")
x = jax.device_put(np.arange(4.0), first)
for device in (first, first, first, second, first):
    numbers = jax.device_put(np.array([2.0, 1.0]), device)
    print(f(x, parameters=numbers).tolist())
"""


@pytest.mark.exhaustive
def test_parameters_may_be_on_another_device_than_the_arguments_in_any_call():
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    command = [sys.executable, "-c", ON_TWO_DEVICES]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.splitlines() == ["[1.0, 3.0, 5.0, 7.0]"] * 5, done.stderr[-2000:]
