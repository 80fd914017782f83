"""Values are small, graphs have no cycles, programs are deterministic, and the import is light."""

import gc
import os
import subprocess
import sys
import textwrap
import tracemalloc

import pytest

from micrograd import Value
from tests.engine.common import chain


@pytest.mark.slow
def test_a_value_takes_at_most_two_hundred_bytes():
    count = 10_000
    for step in (lambda y, x: y * x, lambda y, x: y + 1.0, lambda y, x: y.tanh()):
        x = Value(0.5)
        gc.collect()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            y = chain(count, x, lambda y, step=step, x=x: step(y, x))
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (after - before) / count <= 200
        del y


def test_a_graph_makes_no_reference_cycles():
    import weakref

    gc.disable()
    try:
        x = Value(2.0)
        y = (x * x).tanh() + 1
        y.backward()
        watched = weakref.ref(vars(y).setdefault("probe", Probe()))
        del y
        assert watched() is None
    finally:
        gc.enable()


class Probe:
    pass


PROGRAM = """
    import os, random
    junk = [object() for _ in range(int.from_bytes(os.urandom(2), "big"))]
    random.seed(3)
    from nn import MLP
    model = MLP(2, [6, 6, 1])
    points = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(5)]
    for _ in range(8):
        loss = sum((model(p) - p[0] * p[1]) ** 2 for p in points)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.01 * p.grad
    print(loss.data.hex(), [p.grad.hex() for p in model.parameters()])
"""


@pytest.mark.slow
def test_the_same_program_gives_the_same_bits_in_every_process():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(PROGRAM)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(outputs) == 1
    assert "0x" in outputs.pop()


def test_importing_the_engine_is_light():
    code = (
        "import sys, micrograd, nn; print([m for m in ('numpy', 'graphviz', 'numba', 'jax',"
        " 'hypothesis', 'matplotlib') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
