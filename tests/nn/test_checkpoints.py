"""Checkpoints: a training that is resumed gives the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from nn.callbacks import EarlyStopping
from nn.layers import Layer
from nn.optimizers import Adam
from nn.schedules import StepLR
from tests.nn.archives import altered
from tests.nn.trainings import ENGINES, Y, dropping, everything, fitted, network, numbers


def test_an_interrupted_training_resumes_to_the_same_bits(tmp_path, interrupting):
    straight = fitted(whole := dropping(), optimizer=Adam)
    options = {"optimizer": interrupting, "checkpoint": tmp_path / "moons.npz", "resume": True}
    assert fitted(dropping(), **options).interrupted
    resumed = fitted(again := dropping(seed=5), **options)
    assert numbers(again) == numbers(whole)
    assert dict(resumed) == dict(straight)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_ten_epochs_are_four_and_six_to_the_bit(engine, tmp_path):
    path = tmp_path / "training.npz"
    everything(engine, 4, path)
    assert everything(engine, 10, path, seed=7) == everything(engine, 10)


@pytest.mark.slow
def test_another_process_resumes_to_the_same_bits(tmp_path):
    path = tmp_path / "training.npz"
    code = (
        "from pathlib import Path; from tests.nn.trainings import everything; "
        f"everything('compiled', 4, Path({str(path)!r}))"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env=dict(os.environ))
    assert everything("compiled", 10, path, seed=7) == everything("compiled", 10)


def test_a_finished_training_is_restored_as_it_was(tmp_path):
    path = tmp_path / "training.npz"
    finished = everything("compiled", 6, path)
    assert everything("compiled", 6, path, seed=7) == finished


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    options = {"checkpoint": tmp_path / "a.npz", "resume": True}
    fitted(network(), epochs=1, **options)
    for changed, complaint in (
        ({"batch_size": 4}, "with batch_size=8, not 4"),
        ({"seed": 3}, "with seed=0, not 3"),
        ({"loss": "mse"}, "with loss='bce_with_logits', not 'mse'"),
        ({"metrics": "accuracy"}, r"with metrics=\[\], not \['accuracy'\]"),
        ({"penalty": {"l2": 1e-3}}, "with penalty=False, not {'l2': 0.001}"),
        ({"clip_norm": 1.0}, "with clip_norm=None, not 1.0"),
        ({"schedule": lambda o: StepLR(o, 3)}, "with schedule=None, not 'StepLR'"),
        ({"targets": 1 - Y}, "with other data"),
        ({"optimizer": "sgd"}, "Adam"),
        ({"lr": 0.5}, "with lr=None, not 0.5"),
        ({"early_stopping": 3}, r"with early_stopping=None, not \['loss', 'min'\]"),
    ):
        with pytest.raises(ValueError, match=complaint):
            fitted(network(), **options, **changed)
    with pytest.raises(ValueError, match="with parameters=25, not 9"):
        fitted(network(2, 2, 1), **options)
    other = network()
    other.layers[0] = Layer(2, 6, activation="sigmoid")
    with pytest.raises(ValueError, match="with another model"):  # of as many parameters
        fitted(other, **options)
    with pytest.raises(ValueError, match="needs the path of a checkpoint: checkpoint=PATH"):
        fitted(network(), resume=True)


def test_the_best_epoch_of_one_column_is_not_that_of_another(tmp_path):
    options = {"checkpoint": tmp_path / "a.npz", "resume": True, "validation": 0.25}
    by_loss = {"early_stopping": EarlyStopping(9), "metrics": "accuracy", **options}
    fitted(network(), epochs=2, **by_loss)
    by_accuracy = by_loss | {"early_stopping": EarlyStopping(9, monitor="val_accuracy")}
    with pytest.raises(ValueError, match=r"\['val_loss', 'min'\], not \['val_accuracy', 'max'\]"):
        fitted(network(), epochs=3, **by_accuracy)
    patient = by_loss | {"early_stopping": EarlyStopping(20)}
    assert fitted(network(), epochs=3, **patient).epochs == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "every"),
    [
        ("adam", 5),
        pytest.param("adam", 1, marks=pytest.mark.exhaustive),
        pytest.param("sgd", 1, marks=pytest.mark.exhaustive),
    ],
)
def test_a_checkpoint_with_any_field_altered_is_one_or_a_value_error_that_names_the_file(
    tmp_path, optimizer, every
):
    path = tmp_path / "training.npz"
    options = {
        "optimizer": optimizer,
        "batch_size": None,
        "validation": 0.25,
        "early_stopping": 3,
        "checkpoint": path,
        "schedule": lambda made: StepLR(made, step_size=1),
        "epochs": 2,
    }
    fitted(network(2, 1), **options)
    for data in islice(altered(path), 0, None, every):
        path.write_bytes(data)
        model = network(2, 1)
        try:
            fitted(model, resume=True, **options)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
        assert np.isfinite(numbers(model)).all()
