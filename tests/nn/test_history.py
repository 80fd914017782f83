"""The history of a training: its columns, its measures, its file."""

from __future__ import annotations

import copy
import csv
import json
import pickle

import numpy as np
import pytest

from nn.history import History
from nn.metrics import METRICS
from nn.prediction import loss_and_grad, predict
from tests.nn.trainings import X, Y, fitted, network


def test_the_history_has_a_column_for_each_measure():
    history = fitted(network(), metrics=["accuracy", "rmse"], validation=(X[:5], Y[:5]))
    assert set(history) == {
        *("loss", "accuracy", "rmse", "val_loss", "val_accuracy", "val_rmse"),
        *("gradient_norm", "lr"),
    }
    assert {len(column) for column in history.values()} == {history.epochs} == {4}
    assert history.end == "epochs"
    assert not history.interrupted
    with pytest.raises(KeyError, match=r"no column 'acc'.*its columns: loss"):
        history["acc"]


def test_measures_belong_to_the_weights_at_the_end_of_the_epoch():
    model = network()
    history = fitted(model, metrics=["accuracy"], validation=(X[:9], Y[:9]))
    outputs = predict(model, X)
    assert history["accuracy"][-1] == np.mean((outputs > 0) == Y)
    assert history["val_accuracy"][-1] == np.mean((outputs[:9] > 0) == Y[:9])
    expected = loss_and_grad(model, X[:9], Y[:9], "bce_with_logits")[0]
    assert history["val_loss"][-1] == pytest.approx(expected, rel=1e-12)


def test_the_loss_of_an_epoch_weighs_all_samples_equally():
    model = network()
    history = fitted(model, epochs=1, batch_size=39, optimizer="sgd", lr=1e-300)  # 39, then 1
    expected = loss_and_grad(model, X, Y, "bce_with_logits")[0]
    assert history["loss"][0] == pytest.approx(expected, rel=1e-12)


def test_history_is_written_as_a_table_that_reads_back_to_the_bit(tmp_path):
    history = fitted(network(), metrics="accuracy")
    history.to_csv(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    for name, column in history.items():
        assert [float(row[name]) for row in rows] == column


def test_a_history_is_a_dict_that_can_be_copied_and_pickled():
    history = History({"loss": [0.5, 0.25]})
    history.end, history.best_epoch = "early stopping", 2
    copies = [pickle.loads(pickle.dumps(history, k)) for k in range(pickle.HIGHEST_PROTOCOL + 1)]
    for each in (*copies, copy.copy(history), copy.deepcopy(history)):
        assert type(each) is History
        assert each == history == {"loss": [0.5, 0.25]}
        assert (each.end, each.best_epoch) == ("early stopping", 2)
    assert json.loads(json.dumps(history)) == history
    assert history.get("accuracy") is None


def test_a_history_that_an_older_version_pickled_is_read():
    columns = {"loss": [0.5, 0.25], "accuracy": [0.5, 1.0]}
    history = History.__new__(History)
    history.__setstate__({"_columns": columns, "end": "epochs", "best_epoch": None})
    assert history == columns
    assert repr(history) == "<History of 2 epochs: loss 0.25, accuracy 1>"
    assert vars(history) == {"end": "epochs", "best_epoch": None}


def test_history_draws_itself():
    pytest.importorskip("matplotlib").use("agg")
    assert fitted(network()).plot() is not None


def test_measures_agree_with_their_definitions():
    outputs, targets = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [3.0], [2.0]])
    expected = {"mse": 5 / 3, "rmse": (5 / 3) ** 0.5, "mae": 1.0, "r2": 1 - 5 / 2}
    for name, number in expected.items():
        assert METRICS[name](outputs, targets) == pytest.approx(number, rel=1e-15)
    classes = np.eye(3)[[0, 1, 2, 2]]
    assert METRICS["accuracy"](np.eye(3)[[0, 1, 1, 2]] * 5 - 1, classes) == 0.75
    assert METRICS["accuracy"](np.array([[0.4], [0.6]]), np.array([[0.0], [1.0]])) == 1.0
    assert METRICS["accuracy"](np.array([[-0.4], [-0.6]]), np.array([[-1.0], [1.0]])) == 0.5


def test_a_function_of_outputs_and_targets_is_a_metric():
    def largest_error(outputs, targets):
        return abs(outputs - targets).max()

    history = fitted(network(), metrics=[largest_error])
    assert len(history["largest_error"]) == 4


def test_one_name_or_function_works_like_a_list_of_one():
    def error(outputs, targets):
        return float(np.abs(outputs - targets).mean())

    epochs = []

    def callback(state):
        epochs.append(state.epoch)

    history = fitted(network(), metrics="accuracy", callbacks=callback)
    assert "accuracy" in history
    assert epochs == [1, 2, 3, 4]
    assert "error" in fitted(network(), metrics=error)


def test_a_metric_that_does_not_return_a_number_is_named():
    def strange(outputs, targets):
        return outputs

    with pytest.raises(TypeError, match="the metric 'strange' gives a number, got array"):
        fitted(network(), metrics=strange)
