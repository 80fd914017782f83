"""Callbacks and early stopping."""

from __future__ import annotations

import math
import warnings

import pytest

from nn.training import EarlyStopping
from tests.nn.trainings import fitted, network, numbers


def test_early_stopping_waits_and_gives_the_best_weights_back():
    kept = {}

    def falls_then_rises(outputs, targets):
        return abs(len(kept) - 3)  # best when three epochs have been seen

    def keep(state):
        kept[state.epoch] = numbers(state.model)

    model = network()
    history = fitted(
        model,
        epochs=50,
        metrics=[falls_then_rises],
        callbacks=[keep],
        early_stopping=EarlyStopping(5, monitor="falls_then_rises"),
    )
    assert history["falls_then_rises"] == [3, 2, 1, 0, 1, 2, 3, 4, 5]
    assert history.best_epoch == 4
    assert history.end == "early stopping"
    assert numbers(model) == kept[4] != kept[9]


def test_early_stopping_may_keep_the_last_weights():
    kept = []
    history = fitted(
        model := network(),
        epochs=9,
        lr=50.0,
        optimizer="sgd",
        callbacks=[lambda state: kept.append(numbers(state.model))],
        early_stopping=EarlyStopping(2, min_delta=100.0, restore_best=False),
    )
    assert history.best_epoch == 1
    assert history.epochs == 3
    assert numbers(model) == kept[-1]


def test_a_larger_accuracy_is_better():
    history = fitted(
        network(),
        epochs=60,
        lr=0.05,
        metrics="accuracy",
        early_stopping=EarlyStopping(20, monitor="accuracy"),
    )
    assert history["accuracy"][history.best_epoch - 1] == max(history["accuracy"])
    assert history.best_epoch == history["accuracy"].index(max(history["accuracy"])) + 1


def test_a_callback_sees_the_state_and_may_stop_training():
    epochs = []

    def stop_after_two(state):
        assert state.model is model
        assert state.history["loss"][-1] > 0
        epochs.append(state.epoch)
        if state.epoch == 2:
            state.stop()

    model = network()
    history = fitted(model, callbacks=[stop_after_two])
    assert epochs == [1, 2]
    assert history.end == "callback"


def test_finish_of_a_callback_is_called_even_after_an_interruption():
    ends = []

    class Recording:
        def __call__(self, state):
            if state.epoch == 2:
                raise KeyboardInterrupt

        def finish(self, state):
            ends.append(state.history.end)

    fitted(network(), epochs=1, callbacks=[Recording()])
    fitted(network(), callbacks=[Recording()])
    assert ends == ["epochs", "interrupted"]


def test_early_stopping_on_few_samples_warns():
    options = {"validation": 0.1, "early_stopping": 2}
    with pytest.warns(UserWarning, match=r"'val_loss' of 4 samples.*optimizer='adamw'"):
        fitted(network(), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(network(), validation=0.2, early_stopping=2)
        fitted(network(), validation=0.1)
        fitted(network(), validation=0.1, early_stopping=EarlyStopping(2, monitor="loss"))


def test_an_epoch_of_nan_is_not_the_best():
    scores = iter([math.nan, 0.5, 0.25, math.nan])
    stopping = EarlyStopping(9, monitor="score", mode="max")
    options = {"metrics": lambda outputs, targets: next(scores), "epochs": 4}
    options["metrics"].__name__ = "score"
    assert fitted(network(), early_stopping=stopping, **options).best_epoch == 2
