"""`predict` and `loss_and_grad`: a model over arrays."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from nn import Module
from nn.prediction import loss_and_grad, predict
from tests.nn.trainings import X, Y, dropping, network


def test_a_model_without_parameters_has_a_mean_loss_and_no_gradient():
    class Double(Module):
        def __call__(self, x):
            return x[0] * 2.0

    loss, gradient = loss_and_grad(Double(), [[1.0], [2.0]], [1.0, 2.0])
    assert loss == 2.5
    assert gradient.shape == (0,)


def test_the_loss_and_gradient_over_a_batch_are_those_of_values():
    model = network()
    losses = [(model(x) - y) ** 2 for x, y in zip(X.tolist(), Y.tolist(), strict=True)]
    mean = sum(losses) / len(losses)
    mean.backward()
    value, gradient = loss_and_grad(model, X, Y)
    assert value == pytest.approx(mean.data, rel=1e-13)
    assert gradient == pytest.approx([p.grad for p in model.parameters()], abs=1e-13)


def test_predictions_are_the_models_outputs():
    points = np.random.default_rng(0).normal(size=(3000, 2))
    for sizes in ((2, 5, 1), (2, 5, 3)):
        model = network(*sizes)
        outputs = predict(model, points)
        assert outputs.shape == ((3000,) if sizes[-1] == 1 else (3000, 3))
        for i in (0, 2047, 2048, 2999):
            eager = model(points[i].tolist())
            expected = [v.data for v in eager] if isinstance(eager, list) else eager.data
            assert outputs[i] == pytest.approx(expected, abs=1e-14)


def test_predictions_follow_the_model_when_it_changes():
    model = network()
    before = predict(model, X)
    model.layers[-1].neurons[0].b.data += 1
    assert predict(model, X) == pytest.approx(before + 1, abs=1e-14)
    model.layers[0].neurons[0].nonlin = False
    assert predict(model, X[:1]) == pytest.approx([model(X[0].tolist()).data], abs=1e-14)
    for neuron in model.layers[0].neurons:
        neuron.activation = "sin"
    assert predict(model, X[:1]) == pytest.approx([model(X[0].tolist()).data], abs=1e-14)
    model.layers[0] = network(2, 6).layers[0]
    assert predict(model, X[:1]) == pytest.approx([model(X[0].tolist()).data], abs=1e-14)


@pytest.mark.slow
def test_the_program_of_a_model_is_kept_as_long_as_the_model(monkeypatch):
    made = []
    compiled = predict.__globals__["compile"]
    monkeypatch.setitem(
        predict.__globals__, "compile", lambda *a, **k: made.append(1) or compiled(*a, **k)
    )
    model = network()
    for _ in range(3):
        predict(model, X)
        model.parameters()[0].data += 1
    assert len(made) == 1
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_predictions_drop_nothing():
    model = dropping()
    assert predict(model, X).tolist() == predict(model, X).tolist()
    model.eval()
    assert predict(model, X[:1]) == pytest.approx([model(X[0].tolist()).data], abs=1e-14)
