"""Metrics of predictions of every shape."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

from micrograd import Value
from nn import MLP, fit, predict
from nn.datasets import make_moons
from nn.metrics import METRICS, accuracy, r2

OUTPUTS, TARGETS = [0.25, 0.75, 0.5, 1.0], [0, 1, 0, 1]
EXPECTED = {
    "accuracy": 1.0,
    "r2": 1 - 0.375 / 1,
    "mse": 0.375 / 4,
    "rmse": math.sqrt(0.375 / 4),
    "mae": 1.0 / 4,
}
SHAPES = {
    "list": list,
    "tuple": tuple,
    "list of lists": lambda numbers: [[x] for x in numbers],
    "array": np.array,
    "column": lambda numbers: np.array(numbers)[:, None],
    "float32": lambda numbers: np.array(numbers, dtype=np.float32),
    "objects": lambda numbers: np.array(numbers, dtype=object),
}


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(("one", "other"), list(itertools.product(SHAPES, SHAPES)))
def test_a_metric_is_the_same_in_every_shape(name, one, other):
    assert METRICS[name](SHAPES[one](OUTPUTS), SHAPES[other](TARGETS)) == EXPECTED[name]


@pytest.mark.parametrize("kind", [bool, int, np.int8, float, object])
def test_labels_may_be_any_two_numbers(kind):
    assert accuracy(OUTPUTS, np.array(TARGETS, dtype=kind)) == 1.0


def test_metrics_of_a_trained_model_are_those_of_its_history():
    X, y = make_moons(40, noise=0.1, random_state=0)
    random.seed(0)
    model = MLP(2, [4, 1], activation="tanh")
    history = fit(model, X, y, metrics=list(METRICS), epochs=3, progress=False)
    outputs = predict(model, X)
    assert outputs.shape == (40,)
    for name, metric in METRICS.items():
        assert metric(outputs, y) == pytest.approx(history[name][-1], rel=1e-12)
    model = MLP(2, [4, 2])
    options = {"loss": "cross_entropy", "metrics": "accuracy", "epochs": 1, "progress": False}
    last = fit(model, X, y, **options)["accuracy"][-1]
    for labels in (y, y.tolist(), y[:, None], np.eye(2)[y]):
        assert accuracy(predict(model, X), labels) == last


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("outputs", "targets", "complaint"),
    [
        (OUTPUTS, TARGETS[:3], "the outputs have 4 rows, and the targets 3"),
        ([0.5], TARGETS, "the outputs have 1 rows, and the targets 4"),
        (OUTPUTS, np.zeros((4, 2)), "the outputs have 1 columns, and the targets 2"),
        ([], [], r"got shape \(0,\)"),
        (0.5, 1, r"got shape \(\)"),
        (np.zeros((2, 2, 2)), [0, 1], r"got shape \(2, 2, 2\)"),
        (OUTPUTS, [0, 1, math.nan, 1], r"targets\[2, 0\] is nan"),
        ([[1.0], [1.0, 2.0]], [0, 1], "rows have different lengths"),
        ([10**400] * 4, TARGETS, "beyond the largest float"),
    ],
)
def test_outputs_and_targets_that_do_not_match_are_a_value_error(name, outputs, targets, complaint):
    with pytest.raises(ValueError, match=complaint):
        METRICS[name](outputs, targets)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("outputs", "targets", "complaint"),
    [
        (OUTPUTS, ["a", "b", "a", "b"], r"np.unique\(targets, return_inverse=True\)\[1\]"),
        (OUTPUTS, "0101", "targets is an array or a list, got str"),
        (iter(OUTPUTS), TARGETS, "outputs is an array or a list, got list_iterator"),
        (set(OUTPUTS), TARGETS, "outputs is an array or a list, got set"),
        ([Value(x) for x in OUTPUTS], TARGETS, "read the .data of each Value"),
        ([1j] * 4, TARGETS, "got complex128"),
    ],
)
def test_things_that_are_not_arrays_of_numbers_are_a_type_error(name, outputs, targets, complaint):
    with pytest.raises(TypeError, match=complaint):
        METRICS[name](outputs, targets)


def test_a_class_number_without_an_output_is_refused():
    for wrong in (2, -1, 0.5):
        with pytest.raises(ValueError, match=r"targets\[1\] is .*of 2 outputs are 0 to 1"):
            accuracy(np.eye(2), [0, wrong])


def test_the_order_of_outputs_and_targets_is_said_where_it_may_be_wrong():
    with pytest.raises(ValueError, match=r"give the outputs first, as in accuracy\(outputs, targ"):
        accuracy([1, 0, 1], [0.9, 0.2, 0.6])
    # A model of two inputs that are 0 or 1 may have only two different outputs.
    with pytest.raises(ValueError, match=r"such as 0\.3, look like outputs; give the out"):
        accuracy([1, 0, 1], [0.3, 0.1, 0.1])
    assert accuracy([0.3, 0.1, 0.1], [1, 0, 1]) == 1 / 3
    assert accuracy([0.3, 0.1, 0.1], [0.9, 0.1, 0.9]) == 1 / 3


def test_targets_of_only_one_class_are_refused():
    with pytest.raises(ValueError, match=r"all targets are 1, .* give middle="):
        accuracy(OUTPUTS, [1, 1, 1, 1])
    assert accuracy(OUTPUTS, [1, 1, 1, 1], middle=0.5) == 0.5


def test_an_output_of_nan_is_never_right():
    assert accuracy([math.nan, 0.75, math.nan, 1.0], TARGETS) == 0.5
    assert accuracy([[math.nan, 0.0], [0.0, 1.0]], [0, 1]) == 0.5
    for name in ("r2", "mse", "rmse", "mae"):
        assert math.isnan(METRICS[name]([math.nan, 0.75, 0.5, 1.0], TARGETS))
        assert math.isnan(METRICS[name]([math.nan] * 4, [1.0] * 4))


def test_targets_that_do_not_vary_are_explained_by_themselves_alone():
    assert r2([2.0, 2.0], [2.0, 2.0]) == 1.0
    assert r2([2.0, 1.0], [2.0, 2.0]) == 0.0
