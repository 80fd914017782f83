"""`fit(…, devices=)` divides batches among devices of JAX and trains to the same weights."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from nn import MLP, fit

ROOT = Path(__file__).parents[2]
FOUR = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
needs_jax = pytest.mark.skipif(not find_spec("jax"), reason="pip install jax")

PROGRAM = """
import json, random
import jax
import numpy as np
from nn import MLP, fit
from micrograd.compiler.jax.executor import JaxExecutor

seen = []
put = JaxExecutor._arrays


def arrays(self, *given):
    (numbers, *parts), lies = put(self, *given)
    inputs = parts or [numbers]  # few numbers are joined
    seen.append([len(each.devices()) if isinstance(each, jax.Array) else 1 for each in inputs])
    return [numbers, *parts], lies


JaxExecutor._arrays = arrays


def train(**options):
    random.seed(0)
    model = MLP(2, [8, 1], activation="tanh")
    X = np.random.default_rng(0).normal(size=(48, 2))
    y = np.sin(X[:, 0]) * X[:, 1]
    weights = np.linspace(0.5, 2.0, 48)
    seen.clear()
    fit(model, X, y, epochs=3, batch_size=32, sample_weight=weights, progress=False,
        backend="jax", **options)
    return [p.data for p in model.parameters()], max(map(max, seen))


def refusal(**options):
    try:
        train(**options)
    except (TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


print(json.dumps({
    "one": train(), "four": train(devices=4), "listed": train(devices=jax.devices()[1:3]),
    "odd": refusal(devices=3), "many": refusal(devices=9), "word": refusal(devices="all"),
    "twice": refusal(devices=jax.devices()[:1] * 2),
}))
"""


@pytest.fixture(scope="module")
def found():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=FOUR, stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.exhaustive
@needs_jax
def test_several_devices_train_to_the_weights_of_one(found):
    (alone, single), (four, on_four), (listed, on_two) = (
        found[name] for name in ("one", "four", "listed")
    )
    assert (single, on_four, on_two) == (1, 4, 2)
    # Six steps, each with some 50 roundings of sums in another order.
    np.testing.assert_allclose(four, alone, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(listed, alone, rtol=1e-13, atol=1e-13)


@pytest.mark.exhaustive
@needs_jax
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("odd", "ValueError: a batch has 16 samples, .* 3 devices: use a multiple of 3"),
        ("many", "ValueError: devices=9, but JAX has 4 here; .*device_count=9"),
        ("word", "TypeError: devices is a number of devices or a list of devices of JAX"),
        ("twice", "ValueError: devices is a list of different devices"),
    ],
)
def test_devices_that_do_not_fit_are_refused(found, name, words):
    assert re.match(words, found[name])


@pytest.mark.parametrize("options", [{"backend": "numpy"}, {"engine": "eager"}, {}])
def test_devices_are_refused_without_the_backend_that_has_them(options):
    with pytest.raises(ValueError, match=r"devices= is for .*backend='jax'"):
        fit(MLP(1, [1]), [[0.0]], [1.0], devices=2, progress=False, **options)
