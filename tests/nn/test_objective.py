"""Losses and models that a trace cannot follow are refused."""

from __future__ import annotations

import numpy as np
import pytest

from micrograd import softplus, where
from nn import MLP
from nn.prediction import loss_and_grad, predict
from nn.training import fit
from tests.nn.trainings import ENGINES, X, Y, fitted, network, numbers

# Losses that branch on the number of a target, which is not known while they are traced.
BRANCHING = {
    "==": lambda o, t: softplus(-o) if t == 1 else softplus(o),
    "!=": lambda o, t: softplus(o) if t != 1 else softplus(-o),
    "<": lambda o, t: softplus(o) if t < 0.5 else softplus(-o),
    "in a list": lambda o, t: softplus(o) if t in [0] else softplus(-o),
    "in a set": lambda o, t: softplus(o) if t in {0} else softplus(-o),
    "a dict": lambda o, t: {0: softplus(o), 1: softplus(-o)}[t],
    "a dict with a default": lambda o, t: {0: 1.0, 1: 5.0}.get(t, 1.0) * (o - t) ** 2,
    "an index": lambda o, t: [softplus(o), softplus(-o)][int(t)],
    "a type": lambda o, t: (o - t) ** 2 if isinstance(t, float) else abs(o - t),
}


@pytest.mark.parametrize("name", BRANCHING)
def test_a_loss_that_looks_at_its_target_is_right_on_values_and_refused_where_it_is_compiled(name):
    loss = BRANCHING[name]
    model = network()
    expected = sum(loss(model(x), float(t)).data for x, t in zip(X.tolist(), Y, strict=True)) / 40
    history = fitted(model, loss=loss, batch_size=None, epochs=1, engine="eager")
    assert history["loss"] == [pytest.approx(expected, rel=1e-12)]
    model = network()
    before = numbers(model)
    for use in (lambda: fitted(model, loss=loss), lambda: loss_and_grad(model, X, Y, loss=loss)):
        with pytest.raises(TypeError, match=r"micrograd.where, or train with engine='eager'"):
            use()
    assert numbers(model) == before


def test_a_loss_that_compares_by_where_is_the_same_in_both_engines():
    def loss(o, t):
        return where(t > 0.5, softplus(-o), softplus(o))

    one, other = (fitted(network(), loss=loss, engine=engine)["loss"] for engine in ENGINES)
    assert one == pytest.approx(other, rel=1e-12)
    assert one == pytest.approx(fitted(network())["loss"], rel=1e-12)


def test_a_model_that_looks_at_its_inputs_is_refused_too():
    class Branching(MLP):
        def __call__(self, x):
            return super().__call__(x) if {1.0: 0}.get(x[0], 1) else super().__call__([0.0, 0.0])

    class Missing(MLP):
        def __call__(self, x):
            return super().__call__([{1.0: 0.5}[x[0]], 0.0])

    ones = np.ones((4, 2))
    for model, words in (
        (Branching(2, [1]), "but .* when it is compiled"),
        (Missing(2, [1]), "cannot be compiled"),
    ):
        with pytest.raises(TypeError, match=words):
            fit(model, ones, [1.0, 0.0, 1.0, 0.0], progress=False)
        for _ in range(2):  # the program is not kept
            with pytest.raises(TypeError, match=words):
                predict(model, ones)


def test_predict_and_fit_say_alike_that_a_model_does_not_take_the_columns():
    class Third(MLP):
        def __call__(self, x):
            return super().__call__([x[2]])

    for use in (lambda: predict(Third(1, [1]), X), lambda: fitted(Third(1, [1]))):
        with pytest.raises(ValueError, match="the model does not take the 2 columns of X"):
            use()
