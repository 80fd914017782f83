"""What `fit` accepts, and what it refuses before any work."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from micrograd import Value
from nn.layers import Sequential
from nn.optimizers import SGD
from nn.prediction import predict
from nn.training import EarlyStopping, fit
from tests.nn.trainings import ENGINES, X, Y, fitted, network, numbers

ROW = [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("X", "y", "options", "error", "complaint"),
    [
        ([], [], {}, ValueError, r"X has a row for each sample.*shape \(0,\)"),
        (np.zeros((0, 2)), [], {}, ValueError, "X has no samples"),
        (np.zeros((3, 0)), [1, 2, 3], {}, ValueError, "X has no columns"),
        ([1.0, 2.0], [1, 2], {}, ValueError, r"X.reshape\(1, -1\) makes one sample of it"),
        (np.zeros((2, 2, 2)), [1, 2], {}, ValueError, r"X.reshape\(len\(X\), -1\)"),
        ([[1.0, 2.0], [3.0]], [1, 2], {}, ValueError, "rows have different lengths"),
        ([[1.0, np.nan]], [1], {}, ValueError, r"X\[0, 1\] is nan"),
        ([[1.0, np.inf]], [1], {}, ValueError, r"X\[0, 1\] is inf"),
        ([["a", "b"]], [1], {}, TypeError, "X is an array of real numbers"),
        ([[1j, 2]], [1], {}, TypeError, "X is an array of real numbers"),
        ([[0.0, 1.0, 2.0]], [1], {}, ValueError, r"3 columns of X: MLP\(2.*takes 2 inputs, got 3"),
        (ROW, [1, 2], {}, ValueError, "X has 1 samples, but y has 2 targets"),
        (ROW, [np.nan], {}, ValueError, r"y\[0\] is nan"),
        (ROW, ["cat"], {}, TypeError, "np.unique"),
        (ROW, 1.0, {}, ValueError, "y has a target for each sample"),
        (ROW, [[1, 2]], {"loss": "mse"}, ValueError, "has 1 output, but y has 2"),
        (ROW, [0], {"loss": "cross_entropy"}, ValueError, "an output for each class"),
        (ROW, [2], {"loss": "bce"}, ValueError, r"from 0 to 1, but y\[0\] is 2"),
        (ROW, [0], {"loss": "hinge"}, ValueError, r"-1 and 1, but y\[0\] is 0; 2 \* y - 1"),
        (ROW, [1], {"loss": "crossentropy"}, ValueError, "unknown loss .* cross_entropy"),
        (ROW, [1], {"optimizer": "adamm"}, ValueError, "unknown optimizer .* adam,"),
        (ROW, [1], {"optimizer": 3}, TypeError, "a step for each batch.*got int"),
        (ROW, [1], {"clip_norm": 0}, ValueError, "clip_norm is a number above 0"),
        (ROW, [1], {"metrics": "acc"}, ValueError, "unknown metric .* accuracy"),
        (ROW, [1], {"engine": "fast"}, ValueError, "compiled, eager"),
        (ROW, [1], {"epochs": 0}, ValueError, "epochs is a whole number of at least 1"),
        (ROW, [1], {"epochs": 1.5}, TypeError, "epochs is a whole number"),
        (ROW, [1], {"batch_size": 0}, ValueError, "batch_size is a whole number of at least 1"),
        (ROW, [1], {"validation": 1.5}, ValueError, "between 0 and 1, got 1.5"),
        (ROW, [1], {"validation": 0.5}, ValueError, "leaves none of the 1 samples"),
        (ROW, [1], {"validation": ([[1.0]], [1])}, ValueError, "validation X has 1 columns"),
        (ROW, [1], {"validation": (ROW, [1, 2])}, ValueError, "validation y has 2 targets"),
        (ROW, [1], {"penalty": {"l3": 1}}, ValueError, "'l1' and 'l2'"),
        (
            ROW,
            [1],
            {"early_stopping": 0},
            ValueError,
            "patience is a whole number of epochs, of at least 1, got 0",
        ),
        (ROW, [1], {"progress": "yes"}, ValueError, "progress is True, False or 'auto'"),
        (ROW, [1], {"optimizer": SGD([Value(1)], lr=1)}, ValueError, "none of the model's"),
        (
            ROW,
            [1],
            {"early_stopping": EarlyStopping(2, monitor="val_loss")},
            ValueError,
            "val_loss.*validation",
        ),
    ],
)
def test_bad_input_is_refused_before_any_work(X, y, options, error, complaint):
    model = network()
    before = numbers(model)
    with pytest.raises(error, match=complaint):
        fit(model, X, y, **{"progress": False, **options})
    assert numbers(model) == before


def test_a_class_number_that_is_out_of_range_is_refused():
    for wrong in (3, -1, 0.5):
        with pytest.raises(
            ValueError, match=r"y\[1\] is .*, but the classes of 3 outputs are 0 to 2"
        ):
            fit(network(2, 3), [[0, 1], [1, 0]], [0, wrong], loss="cross_entropy", progress=False)


def test_things_that_are_not_models_are_refused():
    with pytest.raises(TypeError, match=r"a model is called .* got int"):
        fit(3, ROW, [1])
    with pytest.raises(TypeError, match="has parameters"):
        fit(lambda x: x[0], ROW, [1])
    empty = Sequential(lambda x: x[0])
    with pytest.raises(ValueError, match="no parameters"):
        fit(empty, ROW, [1])


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("loss", "complaint"),
    [
        (lambda o, t: None, "a loss gives one Value for a sample, got NoneType"),
        (lambda o, t: [o - t], "a loss gives one Value for a sample, got list"),
        (lambda o, t: 1.0, "the loss does not depend on the model: it is the number 1.0"),
    ],
)
def test_things_that_are_not_losses_are_refused(engine, loss, complaint):
    with pytest.raises(TypeError, match=complaint):
        fitted(network(), loss=loss, engine=engine)


@pytest.mark.parametrize(
    ("outputs", "complaint"),
    [(lambda o: None, "got NoneType"), (lambda o: [[o]], "got a list of list"), (str, "got str")],
)
def test_a_model_that_gives_something_else_is_refused(outputs, complaint):
    model = Sequential(network(), outputs)
    for use in (lambda: fitted(model), lambda: predict(model, X)):
        with pytest.raises(TypeError, match=f"a model gives a Value, or a list.* {complaint}"):
            use()


LABELS = {
    "bools": Y.astype(bool),
    "int8": Y.astype(np.int8),
    "objects": Y.astype(object),
    "numbers of NumPy": [np.int64(y) for y in Y],
    "a column": Y[:, None].tolist(),
    "fractions": [Fraction(int(y)) for y in Y],
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_of_every_kind_of_number_train_alike(name):
    expected = fitted(network())["loss"]
    assert fitted(network(), LABELS[name])["loss"] == expected
    assert fitted(network(), LABELS[name], engine="eager")["loss"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (np.where(Y > 0, "yes", "no"), "got <U3: np.unique"),
        (np.where(Y > 0, "1", "0").astype(object), "got a str: np.unique"),
        (iter(Y.tolist()), "y is an array or a list, got list_iterator"),
        ({0, 1}, "y is an array or a list, got set"),
        ([None] * 40, r"y\[0\] is nan"),
        (np.ma.masked_array(Y, Y == 1), "y has masked entries"),
        ([*np.ma.masked_array(Y, Y == 1).reshape(-1, 1)], "y has masked entries"),
        (Y[:39], "X has 40 samples, but y has 39 targets"),
        ([10**400] * 40, "an int beyond the largest float"),
    ],
)
def test_labels_that_are_not_numbers_are_refused(labels, complaint):
    with pytest.raises((TypeError, ValueError), match=complaint):
        fitted(network(), labels)


# Values of each option of `fit` that are refused.
WRONG = {
    "loss": ["", 3, None, ["mse"]],
    "optimizer": ["", None, 3, ["adam"]],
    "lr": [-1, math.nan, math.inf, "0.1", True, [0.1]],
    "epochs": [0, -1, 1.5, "10", True, None, math.nan],
    "batch_size": [0, -1, 1.5, "10", True, math.nan],
    "shuffle": ["False", 0, None],
    "seed": [-1, 0.5, "0", True, [1]],
    "validation": [0.0, 1.0, -0.5, math.nan, True, "0.2", 3, (X,), (X, Y, Y, Y)],
    "metrics": ["acc", "", 3, None, [3], ["accuracy", "acc"]],
    "penalty": ["l2", 0.1, {"l3": 1}, {"l2": -1}, {"l2": math.nan}, {"l1": "1"}, {"l1": True}],
    "schedule": ["CosineLR", 3, [1], lambda optimizer: None],
    "schedule_per": ["step", 3, None],
    "clip_norm": [0, -1, math.nan, "1", True, [1]],
    "early_stopping": [0, -1, 1.5, "10", True, math.nan, math.inf],
    "callbacks": ["print", 3, None, [3], ["print"]],
    "checkpoint": [3, True, b"x", ["x"]],
    "resume": ["False", 1, None],
    "engine": ["", "fast", None, ["eager"]],
    "backend": ["", "torch", None, ["numpy"]],
    "progress": ["no", None, 3],
}


@pytest.mark.parametrize("name", WRONG)
def test_options_that_make_no_sense_are_refused_before_any_work(name):
    for value in WRONG[name]:
        model = network()
        before = numbers(model)
        with pytest.raises(
            (ValueError, TypeError),
            match={"early_stopping": "patience"}.get(name, name.rstrip("s")),
        ):
            fitted(model, **{name: value})
        assert numbers(model) == before
