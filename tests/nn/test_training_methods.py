"""Training by L-BFGS, with schedules by name and per batch, and with losses that see the model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from micrograd import Value, derivative
from nn import MLP
from nn.optimizers import LBFGS, SGD, AdamW
from nn.prediction import loss_and_grad, predict
from nn.schedules import OneCycleLR, ReduceLROnPlateau, StepLR
from nn.training import fit
from tests.nn.trainings import ENGINES, X, Y, dropping, fitted, network, numbers

# ---------------------------------------------------------------------- losses that see the model


def oscillation(model, x, y):
    """The square of u'' + u, which is 0 for an oscillation."""
    u = model(x)
    return (derivative(derivative(u, x[0]), x[0]) + u) ** 2


def test_a_network_learns_a_differential_equation_from_a_loss_that_differentiates_it():
    model = network(1, 6, 1)

    def start(parameters):
        """The sine starts with u(0) = 0 and u'(0) = 1."""
        u = model([t := Value(0.0)])
        return u**2 + (derivative(u, t) - 1) ** 2

    points = np.linspace(0, 3, 12)[:, None]
    precise = {"optimizer": lambda parameters: LBFGS(parameters, tolerance_change=1e-13)}
    options = {"loss": oscillation, "penalty": start, "epochs": 300, "progress": False}
    history = fit(model, points, np.zeros(12), **options, **precise)
    assert history.end in ("converged", "epochs")
    between = np.linspace(0, 3, 50)
    assert predict(model, between[:, None]) == pytest.approx(np.sin(between), abs=1e-3)


def error(model, x, y):
    return (model(x) - y) ** 2


def test_a_loss_that_sees_the_model_has_the_numbers_of_one_that_does_not():
    histories = [
        fitted(network(), loss=loss, engine=engine, epochs=2, validation=0.25)
        for loss in ("mse", error, lambda model, x, y, scale=1.0: scale * (model(x) - y) ** 2)
        for engine in ENGINES
    ]
    for history in histories:
        for name in ("loss", "val_loss"):
            assert history[name] == pytest.approx(histories[0][name], rel=1e-12)
    value, gradient = loss_and_grad(network(), X, Y, loss=error)
    expected, other = loss_and_grad(network(), X, Y)
    assert (value, gradient) == (pytest.approx(expected), pytest.approx(other))


def test_a_loss_may_call_a_model_with_dropout_twice_and_meets_the_same_factors():
    def difference(model, x, y):
        return (model(x) - y) ** 2 + (model(x) - model(x)) ** 2

    histories = [fitted(dropping(), loss=loss) for loss in (difference, error, "mse")]
    for history in histories:
        assert history["loss"] == pytest.approx(histories[2]["loss"], rel=1e-12)


def test_a_loss_of_the_model_and_several_targets_gets_a_list():
    def distance(model, x, y):
        assert len(x) == 2
        return sum((u - t) ** 2 for u, t in zip(model(x), y, strict=True)) / 2

    targets = np.stack([Y, 1 - Y], axis=1)
    found = fitted(network(2, 4, 2), targets, loss=distance)["loss"]
    assert found == pytest.approx(fitted(network(2, 4, 2), targets, loss="mse")["loss"])


# ----------------------------------------------------------------------------------------- L-BFGS


@pytest.mark.parametrize("engine", ENGINES)
def test_lbfgs_trains_with_all_samples_in_each_step(engine):
    pytest.importorskip("scipy")
    line = MLP(1, [1], initializer="zeros")
    x = np.linspace(-1, 1, 20)[:, None]
    history = fit(
        *(line, x, 3 * x[:, 0] + 1),
        optimizer="lbfgs",
        batch_size=4,
        engine=engine,
        progress=False,
    )
    assert history.end == "converged"
    assert history.epochs < 10
    assert numbers(line) == pytest.approx([3, 1], abs=1e-5)  # as flat as it has to be


def test_lbfgs_needs_fewer_epochs_than_adam():
    pytest.importorskip("scipy")
    quasi, adam = (fitted(network(), optimizer=each, epochs=25) for each in ("lbfgs", "adam"))
    assert quasi["loss"][-1] < adam["loss"][-1] / 2
    assert quasi["loss"] == sorted(quasi["loss"], reverse=True)


def test_lbfgs_continues_from_a_checkpoint_with_the_same_bits(tmp_path):
    pytest.importorskip("scipy")
    for make in (network, dropping):
        options = {"optimizer": "lbfgs", "checkpoint": tmp_path / make.__name__, "resume": True}
        whole = fitted(straight := make(), optimizer="lbfgs", epochs=8)
        fitted(make(), epochs=3, **options)
        pieces = fitted(continued := make(), epochs=8, **options)
        assert numbers(continued) == numbers(straight)
        assert dict(pieces) == dict(whole)


def test_a_converged_training_stays_converged_when_it_is_resumed(tmp_path):
    pytest.importorskip("scipy")
    x = np.linspace(-1, 1, 20)[:, None]
    options = {"optimizer": "lbfgs", "progress": False, "checkpoint": tmp_path / "line"}
    first = fit(MLP(1, [1]), x, 3 * x[:, 0] + 1, **options)
    second = fit(MLP(1, [1]), x, 3 * x[:, 0] + 1, **options, resume=True)
    assert (second.end, second.epochs) == (first.end, first.epochs) == ("converged", first.epochs)


def test_lbfgs_refuses_a_limit_on_the_gradient():
    with pytest.raises(ValueError, match="leave out clip_norm"):
        fitted(network(), optimizer="lbfgs", clip_norm=1.0)


# -------------------------------------------------------------------------------------- schedules


def test_a_schedule_by_name_ends_with_the_training():
    for name in ("cosine", "CosineAnnealingLR"):
        rates = fitted(network(), optimizer="sgd", lr=0.5, schedule=name)["lr"]
        assert rates == pytest.approx([0.25 * (1 + math.cos(math.pi * k / 4)) for k in range(4)])
    rates = fitted(network(), optimizer="sgd", lr=0.5, schedule="linear", schedule_per="batch")
    assert rates["lr"] == pytest.approx([0.5, 0.375, 0.25, 0.125])
    with pytest.raises(ValueError, match=r"unknown schedule 'cosin': give one of linear, .*cosine"):
        fitted(network(), schedule="cosin")
    with pytest.raises(ValueError, match="schedule_per is one of epoch, batch, got 'step'"):
        fitted(network(), schedule="cosine", schedule_per="step")


def test_a_schedule_per_batch_makes_a_step_after_each_batch(tmp_path):
    # 40 samples in batches of 16 are 3 batches, and 4 epochs are 12.
    def one_cycle(optimizer):
        return OneCycleLR(optimizer, max_lr=0.5, epochs=4, steps_per_epoch=3)

    seen = []

    class Watching(SGD):
        def rule(self, x, g):
            seen.append(self.lr)
            return super().rule(x, g)

    options = {"batch_size": 16, "schedule": one_cycle, "schedule_per": "batch"}
    whole = fitted(straight := network(), optimizer=Watching, **options)
    schedule = one_cycle(SGD([Value(0.0)]))
    assert seen == pytest.approx([schedule.rate(schedule.base, step) for step in range(12)])
    assert whole["lr"] == seen[::3]
    options["checkpoint"] = tmp_path / "moons"
    fitted(network(), optimizer=Watching, **(options | {"epochs": 2}))
    fitted(continued := network(), optimizer=Watching, **options, resume=True)
    assert numbers(continued) == numbers(straight)
    with pytest.raises(ValueError, match="written with schedule='OneCycleLR per batch'"):
        fitted(network(), optimizer=Watching, **(options | {"schedule_per": "epoch"}), resume=True)


@pytest.mark.parametrize(
    ("schedule", "options", "column"),
    [
        ("plateau", {}, "loss"),
        (lambda o: ReduceLROnPlateau(o, patience=0), {"validation": 0.5}, "val_loss"),
        (
            lambda o: ReduceLROnPlateau(o, "max", patience=0),
            {"validation": 0.5, "metrics": "accuracy"},
            "val_accuracy",
        ),
    ],
)
def test_a_plateau_is_seen_in_the_column_that_says_most(schedule, options, column):
    history = fitted(network(), optimizer="sgd", lr=0.5, epochs=8, schedule=schedule, **options)
    optimizer = SGD([Value(0.0)], lr=0.5)
    expected = (ReduceLROnPlateau if schedule == "plateau" else schedule)(optimizer)
    for rate, metric in zip(history["lr"], history[column], strict=True):
        assert rate == optimizer.lr
        expected.step(metric)


def test_a_plateau_needs_a_metric_of_epochs():
    with pytest.raises(ValueError, match="watches a metric: name it in metrics"):
        fitted(network(), schedule=lambda o: ReduceLROnPlateau(o, mode="max"))
    with pytest.raises(ValueError, match="watches epochs"):
        fitted(network(), schedule="plateau", schedule_per="batch")


# ------------------------------------------------------------------- groups and missing gradients


@pytest.mark.parametrize("engine", ENGINES)
def test_groups_of_parameters_are_trained_each_at_its_rate(engine, tmp_path):
    def trained(epochs=4, **options):
        model = network()
        first, *others = model.layers
        groups = [
            {"params": first.parameters(), "lr": 0.0},
            {"params": [p for layer in others for p in layer.parameters()]},
        ]
        optimizer = SGD(groups, lr=0.5, momentum=0.5)
        options = {"schedule": lambda o: StepLR(o, 1, gamma=0.5), "engine": engine} | options
        fitted(model, optimizer=optimizer, epochs=epochs, **options)
        return model, optimizer

    model, optimizer = trained()
    fixed = len(model.layers[0].parameters())
    assert numbers(model)[:fixed] == numbers(network())[:fixed]
    assert numbers(model)[fixed:] != numbers(network())[fixed:]
    assert [group["lr"] for group in optimizer.param_groups] == [0.0, 0.5 / 16]
    trained(2, checkpoint=tmp_path / "moons")
    continued, other = trained(checkpoint=tmp_path / "moons", resume=True)
    assert numbers(continued) == numbers(model)
    assert other.param_groups[1]["lr"] == 0.5 / 16


@pytest.mark.parametrize("engine", ENGINES)
def test_a_parameter_that_the_loss_does_not_reach_is_left_alone(engine):
    model, spare = network(), Value(1.5)
    parameters = [*model.parameters(), spare]
    optimizer = AdamW(parameters, lr=0.1, weight_decay=0.5)
    fitted(model, optimizer=optimizer, engine=engine)
    assert spare.data == 1.5
    alone = network()
    fitted(alone, optimizer=AdamW(alone.parameters(), lr=0.1, weight_decay=0.5), engine=engine)
    assert numbers(model) == pytest.approx(numbers(alone), rel=1e-12)
