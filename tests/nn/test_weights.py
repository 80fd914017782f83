"""Weights of samples and of classes in `fit`."""

from __future__ import annotations

import numpy as np
import pytest

from nn import fit
from nn.metrics import METRICS, accuracy
from nn.prediction import loss_and_grad, predict
from tests.nn.trainings import ENGINES, SIGNS, X, Y, dropping, fitted, network, numbers

WEIGHTS = np.where(Y > 0, 3.0, 1.0)
WHOLE = {"batch_size": None, "optimizer": "sgd", "lr": 0.5}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_weight_counts_like_as_many_copies_of_the_sample(engine):
    weighted, repeated = network(), network()
    copies = np.repeat(np.arange(40), WEIGHTS.astype(int))
    one = fitted(weighted, sample_weight=5 * WEIGHTS, engine=engine, penalty={"l2": 0.1}, **WHOLE)
    options = {"loss": "bce_with_logits", "epochs": 4, "progress": False, **WHOLE}
    other = fit(repeated, X[copies], Y[copies], penalty={"l2": 0.1}, engine=engine, **options)
    assert numbers(weighted) == pytest.approx(numbers(repeated), abs=1e-12)
    assert one["loss"] == pytest.approx(other["loss"], abs=1e-12)


def test_the_loss_of_a_batch_is_the_weighted_mean_of_the_losses_of_its_samples():
    model = network()
    losses = [loss_and_grad(model, X[i : i + 1], Y[i : i + 1], "bce_with_logits") for i in range(8)]
    values, gradients = (np.array(each) for each in zip(*losses, strict=True))
    before = np.array(numbers(model))
    options = {"loss": "bce_with_logits", "epochs": 1, "progress": False, **WHOLE}
    history = fit(model, X[:8], Y[:8], sample_weight=WEIGHTS[:8], **options)
    assert history["loss"][0] == pytest.approx(np.average(values, weights=WEIGHTS[:8]), abs=1e-12)
    step = -0.5 * np.average(gradients, axis=0, weights=WEIGHTS[:8])
    assert np.array(numbers(model)) - before == pytest.approx(step, abs=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("make", [network, dropping])
def test_weights_that_are_all_alike_change_nothing(engine, make):
    plain, weighted = make(), make()
    one = fitted(plain, engine=engine)
    other = fitted(weighted, engine=engine, sample_weight=np.full(40, 7))
    assert numbers(weighted) == pytest.approx(numbers(plain), abs=1e-12)
    assert other["loss"] == pytest.approx(one["loss"], abs=1e-12)


@pytest.mark.parametrize(
    ("targets", "loss", "outputs", "class_weight"),
    [
        (Y, "bce_with_logits", 1, {0: 1.0, 1: 3.0}),
        (Y.astype(int), "bce_with_logits", 1, {1: 3}),
        (SIGNS, "hinge", 1, {-1: 1.0, 1.0: 3.0}),
        (Y, "cross_entropy", 2, {0: 1.0, 1: 3.0}),
        (np.eye(2)[Y.astype(int)], "cross_entropy", 2, {1: 3.0}),
    ],
)
def test_a_class_weight_is_the_weight_of_each_sample_of_the_class(
    targets, loss, outputs, class_weight
):
    by_class, by_sample = network(2, 4, outputs), network(2, 4, outputs)
    fitted(by_class, targets, loss=loss, class_weight=class_weight)
    fitted(by_sample, targets, loss=loss, sample_weight=WEIGHTS)
    assert numbers(by_class) == numbers(by_sample)


def test_balanced_classes_have_equal_total_weights():
    some = np.flatnonzero((Y > 0) | (np.arange(40) % 3 == 0))
    count = np.bincount(Y[some].astype(int))
    balanced = len(some) / (2 * count)
    options = {"loss": "bce_with_logits", "epochs": 3, "progress": False}
    one, other = network(), network()
    fit(one, X[some], Y[some], class_weight="balanced", **options)
    fit(other, X[some], Y[some], class_weight=dict(enumerate(balanced.tolist())), **options)
    assert numbers(one) == numbers(other)


@pytest.mark.parametrize("validation", [(X[:9], Y[:9], WEIGHTS[:9]), 0.25])
def test_held_out_samples_and_metrics_are_weighted_too(validation):
    model = network()
    history = fitted(
        model,
        sample_weight=WEIGHTS,
        validation=validation,
        metrics=["accuracy", lambda outputs, targets: len(targets)],
    )
    held = history["val_<lambda>"][-1]
    assert history["<lambda>"][-1] == (40 if isinstance(validation, tuple) else 40 - held)
    if isinstance(validation, tuple):
        outputs = predict(model, X)
        expected = accuracy(outputs, Y, threshold=0, middle=0.5, sample_weight=WEIGHTS)
        assert history["accuracy"][-1] == expected
        each = [
            loss_and_grad(model, X[i : i + 1], Y[i : i + 1], "bce_with_logits")[0] for i in range(9)
        ]
        expected = np.average(each, weights=WEIGHTS[:9])
        assert history["val_loss"][-1] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_metrics_with_weights_are_those_of_scikit_learn(name):
    metrics = pytest.importorskip("sklearn.metrics")
    theirs = {
        "accuracy": metrics.accuracy_score,
        "r2": metrics.r2_score,
        "mse": metrics.mean_squared_error,
        "rmse": metrics.root_mean_squared_error,
        "mae": metrics.mean_absolute_error,
    }[name]
    generator = np.random.default_rng(0)
    weights = generator.random(12)
    targets = generator.integers(0, 2, 12) if name == "accuracy" else generator.random((12, 2))
    outputs = generator.random(12) if name == "accuracy" else generator.random((12, 2))
    predicted = (outputs > 0.5).astype(int) if name == "accuracy" else outputs
    expected = theirs(targets, predicted, sample_weight=weights)
    if name == "rmse":  # theirs is the mean of the roots of the columns
        expected = metrics.mean_squared_error(targets, outputs, sample_weight=weights) ** 0.5
    found = METRICS[name](outputs, targets, sample_weight=weights)
    assert found == pytest.approx(expected, abs=1e-10)


def test_a_batch_whose_weights_are_all_0_changes_nothing():
    weights = np.where(np.arange(40) < 8, 0.0, 1.0)
    model, rest = network(), network()
    fitted(model, sample_weight=weights, shuffle=False, optimizer="sgd", lr=0.1)
    fit(
        rest,
        X[8:],
        Y[8:],
        loss="bce_with_logits",
        epochs=4,
        batch_size=8,
        shuffle=False,
        optimizer="sgd",
        lr=0.1,
        progress=False,
    )
    assert numbers(model) == pytest.approx(numbers(rest), abs=1e-12)


def test_a_checkpoint_of_other_weights_is_refused(tmp_path):
    path = tmp_path / "checkpoint.npz"
    whole = network()
    fitted(whole, sample_weight=WEIGHTS, epochs=4)
    fitted(network(), sample_weight=WEIGHTS, epochs=2, checkpoint=path)
    with pytest.raises(ValueError, match="written with other data"):
        fitted(network(), sample_weight=WEIGHTS + Y, checkpoint=path, resume=True)
    model = network()
    fitted(model, sample_weight=WEIGHTS, checkpoint=path, resume=True)
    assert numbers(model) == numbers(whole)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"sample_weight": [1.0]}, r"for each of the 40 samples, got shape \(1,\)"),
        ({"sample_weight": np.where(Y, -1.0, 1.0)}, r"sample_weight\[\d+\] is -1, and a weight is"),
        ({"sample_weight": np.zeros(40)}, "all numbers in sample_weight are 0"),
        ({"sample_weight": np.full(40, np.nan)}, r"sample_weight\[0\] is nan"),
        ({"sample_weight": np.full(40, 1e307)}, "the sum of sample_weight overflows"),
        ({"sample_weight": ["1"] * 40}, "sample_weight is an array of real numbers"),
        ({"validation": (X, Y, [1.0])}, "validation sample_weight has a number for each of the 40"),
        ({"class_weight": "even"}, "a dict of weights by class, or \"balanced\", got 'even'"),
        ({"class_weight": {"a": 1.0}}, "has a weight for 'a', but the classes are 0, 1"),
        ({"class_weight": {0: -1.0}}, r"class_weight\[0\] is a number of at least 0, got -1"),
        ({"class_weight": {0: 0, 1: 0}}, "class_weight is 0 for all classes"),
        ({"class_weight": "balanced", "targets": X[:, 0], "loss": "mse"}, "give sample_weight"),
    ],
)
def test_weights_that_make_no_sense_are_refused_before_any_work(options, complaint):
    model = network()
    before = numbers(model)
    with pytest.raises((ValueError, TypeError), match=complaint):
        fitted(model, **options)
    assert numbers(model) == before
