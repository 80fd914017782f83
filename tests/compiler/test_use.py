"""What a compiled function returns, prints and pickles."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from micrograd import (
    Value,
    define,
    exp,
    grad,
    tanh,
    where,
)
from micrograd.compiler import compile  # noqa: A004
from micrograd.compiler.numpy import executor as numpy_executor
from nn import MLP


@pytest.mark.parametrize("samples", [0, 1, 9, 10, 11, 25])
def test_numpy_runs_a_large_batch_in_blocks_with_the_same_results(monkeypatch, samples):
    w = Value(0.75)

    def f(x):
        return where(x > 0, exp(-1 / x), 0.0) * w * 3 + w * w

    x = np.random.default_rng(0).normal(size=samples)
    x[:1] = 0.0
    runs = []
    for block in (10, 1_000):
        monkeypatch.setattr(numpy_executor, "BLOCK", block)
        alone = compile(lambda x: f(x) / x, batched=True, backend="numpy")
        runs.append([alone(x), *alone.value_and_grad(x)])
        if samples:
            shared = compile(f, [w], batched=True, backend="numpy")
            runs[-1] += [shared(x), *shared.value_and_grad(x)]
    for small, large in zip(*runs, strict=True):
        # The gradient is a sum of two dozen numbers below 10.
        assert np.allclose(small, large, rtol=1e-14, atol=1e-14, equal_nan=True)


def test_a_new_definition_holds_within_operations_that_call_it(backend):
    define("inner_for_compile", "x + 1", ["1"])
    define("outer_for_compile", "inner_for_compile(x) * x", ["inner_for_compile(x) + x"])
    assert compile(lambda x: x.outer_for_compile(), backend=backend).value_and_grad(3.0) == (
        12.0,
        7.0,
    )
    define("inner_for_compile", "x + 100", ["1"])
    assert compile(lambda x: x.outer_for_compile(), backend=backend).value_and_grad(3.0) == (
        309.0,
        106.0,
    )
    assert grad(lambda x: x.outer_for_compile())(3.0) == 106.0


def test_the_program_is_that_of_the_last_call():
    f = compile(lambda x: sum(x) if isinstance(x, list) else x[0] * x[1] * x[2], batched=True)
    samples = np.ones((4, 3))
    f(samples)
    f([[1.0, 2.0]])
    assert f.program.inputs == 2
    f(samples)
    assert f.program.inputs == 3
    w = Value(2.0)
    g = compile(lambda x: w * (x[0] + x[1] if isinstance(x, list) else x[0]), [w], batched=True)
    numbers = np.ones(1)
    for _ in range(2):
        g.value_and_grad(samples, parameters=numbers)
        g([[1.0, 2.0]])
        assert g.program.inputs == 2
        g.value_and_grad(samples, parameters=numbers)
        assert g.program.inputs == 3


def test_a_copy_is_the_function_itself_and_results_keep_their_kind():
    pair = namedtuple("pair", "a b")
    f = compile(lambda x: pair(x, (2 * x, [x])))
    assert f(2.0) == pair(2.0, (4.0, [2.0]))
    assert type(f(2.0)) is pair
    assert copy.copy(f) is copy.deepcopy(f) is f


def test_the_program_is_printed_as_a_person_would_write_it():
    model = MLP(2, [4, 1])
    f = compile(lambda x: model(x), model.parameters(), batched=True)
    assert "not called yet" in str(f)
    f([[1.0, 2.0]])
    assert str(f) == (
        "program of 3 instructions\n"
        "  parameters u[0:17], inputs v[0:2]\n"
        "  v[2:6] = u[8 of 0:11] (4 x 2) @ v[0:2] + u[2, 5, 8, 11]\n"
        "  v[6:10] = relu(v[2:6])\n"
        "  v[10] = 1 sum of 5 terms\n"
        "  return v[10]"
    )


def test_a_program_is_pickled_without_its_function():
    w = Value(2.0)
    f = compile(lambda x: [each * w for each in x], [w])
    assert f([1.0, 2.0]) == [2.0, 4.0]
    copy = pickle.loads(pickle.dumps(f))
    assert copy([3.0, 4.0]) == [6.0, 8.0]
    with pytest.raises(ValueError, match="compile the function again"):
        copy([1.0])


def doubled(x):
    return x * 2


def test_a_program_pickled_before_its_first_call_is_made_by_its_first_call():
    assert pickle.loads(pickle.dumps(compile(doubled)))(3.0) == 6.0


def test_a_program_that_cannot_be_made_later_is_not_pickled_before_its_first_call():
    w = Value(2.0)
    for program in (compile(lambda x: x * 2), compile(doubled, [w])):
        with pytest.raises(ValueError, match=r"call it once before\n  at .*test_use\.py, line"):
            pickle.dumps(program)
        program(3.0)
        assert pickle.loads(pickle.dumps(program))(4.0) == 8.0


def test_float32_is_computed_in_float32():
    f = compile(lambda x: x * 0.1, dtype="float32", batched=True)
    got = f([1.0, 3.0])
    assert got.dtype == np.float32
    assert got[1] == np.float32(3.0) * np.float32(0.1)


def test_what_is_computed_twice_is_computed_once():
    f = compile(lambda x: tanh(x) * tanh(x) + tanh(x))
    f(1.0)
    assert str(f).count("tanh") == 1


def test_what_no_output_needs_is_not_computed():
    f = compile(lambda x: (exp(x), x + 1)[1])
    f(1.0)
    assert "exp" not in str(f)


@pytest.mark.slow
def test_matrix_products_of_jax_keep_all_bits_of_single_precision_on_any_device():
    pytest.importorskip("jax")
    from micrograd.compiler.jax.executor import JaxExecutor
    from micrograd.compiler.planning.planner import plan
    from micrograd.compiler.tracing.tracer import trace

    model = MLP(2, [4, 4, 1])
    parameters = model.parameters()
    kind = np.dtype(np.float32)
    for times in (1, 3):  # vectors that one matrix is multiplied with

        def loss(leaves, times=times):
            return [sum(model(leaves[2 * i : 2 * i + 2]) ** 2 for i in range(times))]

        program = plan(trace(loss, parameters, 2 * times), batched=True)
        executor = JaxExecutor(program, kind, inputs=False, checked=False)
        run = executor._compiled("mean", (False,), 5)
        numbers, samples = np.zeros(len(parameters), kind), np.zeros((2 * times, 5), kind)
        text = run.lower(numbers, samples).as_text()
        assert text.count("dot_general") == text.count("[HIGHEST, HIGHEST]") > 0


NARROW = """
import numpy as np

np.intp = np.int32  # as on a machine of 32 bits
import nn
from micrograd import compile, maximum

f = compile(lambda x, y: (x * y).tanh() + x, backend="numpy")
assert f.value_and_grad(0.5, -1.5) == f.value_and_grad(0.5, -1.5)


def chain(x):
    for _ in range(50):
        x = (x * x + 0.25).sin()
    return x


def softmax(x):
    first, second, third = (each.detach() for each in x)
    largest = maximum(maximum(first, second), third)
    parts = [(each - largest).exp() for each in x]
    return parts[0] / sum(parts)


for g, shape in ((chain, 5), (softmax, (5, 3))):
    batch = compile(g, batched=True, backend="numpy")
    value, slopes = batch.value_and_grad(np.linspace(0.1, 0.9, np.prod(shape)).reshape(shape))
    assert "tape of" in str(batch) or "times maximum of" in str(batch)
    assert np.isfinite(slopes).all()

X, y = nn.datasets.make_moons(60, noise=0.1, random_state=0)
model = nn.MLP(2, [8, 1], activation="tanh")
losses = nn.fit(model, X, y, epochs=5, progress=False)["loss"]
assert losses[-1] < losses[0]
assert np.isfinite(nn.predict(model, X)).all()
"""


@pytest.mark.slow
def test_a_machine_of_32_bits_traces_trains_and_predicts():
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", NARROW], capture_output=True, text=True, cwd=root, check=False
    )
    assert run.returncode == 0, run.stderr
