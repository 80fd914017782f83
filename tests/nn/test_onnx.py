"""Models written as ONNX give the same outputs in onnxruntime."""

import random
import sys
from itertools import pairwise

import numpy as np
import pytest

import micrograd
from micrograd import Value, softmax
from micrograd.ops import TABLE
from nn import MLP, Dropout, Layer, Module, Sequential, predict, to_onnx

SINGLE = float(np.finfo(np.float32).eps)
ROUNDINGS = 100
"""A sum of at most 30 terms, three layers deep, has fewer roundings along any path."""

X = np.random.default_rng(0).normal(size=(7, 5))


def in_onnxruntime(model, path, X):
    pytest.importorskip("onnx", reason="onnx is not installed (pip install onnx onnxruntime)")
    onnxruntime = pytest.importorskip(
        "onnxruntime", reason="onnxruntime is not installed (pip install onnx onnxruntime)"
    )
    to_onnx(model, path, X)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (outputs,) = session.run(None, {"X": X.astype(np.float32)})
    return outputs


def assert_agree(found, expected):
    expected = expected.reshape(len(found), -1)
    assert found.shape == expected.shape
    assert (np.isnan(found) == np.isnan(expected)).all()
    assert not np.isinf(expected).any()  # or anything would be near
    scale = max(1.0, np.nanmax(np.abs(expected), initial=0.0))
    assert np.nanmax(np.abs(found - expected), initial=0.0) <= ROUNDINGS * SINGLE * scale


ACTIVATIONS = [row.name for row in TABLE.values() if row.arity == 1 and row.function is None]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_activation_is_that_of_the_model(activation, tmp_path):
    random.seed(1)
    model = MLP(5, [6, 3], activation=activation)
    X32 = X.astype(np.float32).astype(float)
    assert_agree(in_onnxruntime(model, tmp_path / "model.onnx", X32), predict(model, X32))


@pytest.mark.parametrize(
    "model",
    [
        MLP(5, [8, 8, 1], activation="tanh"),
        Sequential(Layer(5, 4, activation="gelu"), Dropout(0.5), Layer(4, 2, nonlin=False)),
        MLP(5, [6], output_activation="sigmoid"),
    ],
)
def test_layers_one_after_the_other_are_those_of_the_model(model, tmp_path):
    X32 = X.astype(np.float32).astype(float)
    assert_agree(in_onnxruntime(model, tmp_path / "model.onnx", X32), predict(model, X32))


class Own(Module):
    """A model whose outputs are given by a function."""

    def __init__(self, function):
        self.function, self.w = function, [Value(0.5), Value(-1.5)]

    def __call__(self, x):
        return self.function(self.w, x)


def convolution(w, x):
    rows = [[x[i] * w[0] + x[i + 1] * w[1], x[i] - x[i + 1] * w[0]] for i in range(4)]
    return [micrograd.maximum(micrograd.maximum(a, b), w[0]) for a, b in rows]


def attention(w, x):
    scores = np.outer(x, x) * w[0]
    return list(softmax(scores, axis=-1) @ np.array(x, object))


def recurrence(w, x):
    h, c = x[0], x[1]
    for _ in range(40):
        h, c = (h * w[0] + c).tanh(), c * w[1] / 2
    return h


FUNCTIONS = [
    convolution,
    attention,
    recurrence,
    lambda w, x: [x[1], w[0] * 2, x[1] + 0.0],
    lambda w, x: [micrograd.where(x[0] > x[1], x[0] ** 2, x[1] % 1.5), x[0] // 0.75],
    lambda w, x: sum(a * b for a, b in pairwise(x)) - sum(x) * w[0],
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_models_of_any_functions_are_written(function, tmp_path):
    X32 = X.astype(np.float32).astype(float)
    model = Own(function)
    assert_agree(in_onnxruntime(model, tmp_path / "model.onnx", X32), predict(model, X32))


def test_a_model_without_any_number_of_its_own_is_written(tmp_path):
    model = Own(lambda w, x: x[0] * x[1] + x[2] * x[0])
    model.w = []
    assert_agree(in_onnxruntime(model, tmp_path / "model.onnx", X), predict(model, X))


def test_operators_of_onnx_are_used_where_they_exist(tmp_path):
    onnx = pytest.importorskip("onnx")
    to_onnx(MLP(5, [6, 3], activation="softplus"), tmp_path / "model.onnx", X)
    nodes = onnx.load(tmp_path / "model.onnx").graph.node
    assert [node.op_type for node in nodes] == ["Gemm", "Softplus", "Gemm", "Identity"]


def test_without_onnx_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match="pip install onnx"):
        to_onnx(MLP(5, [1]), tmp_path / "model.onnx", X)


def test_a_wrong_number_of_inputs_is_refused(tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(ValueError, match="takes 4 inputs, got 5"):
        to_onnx(MLP(4, [1]), tmp_path / "model.onnx", X)
