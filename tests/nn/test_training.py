"""`fit`: what is learned, on arrays, compiled or on Values."""

from __future__ import annotations

import numpy as np
import pytest

from micrograd import Value
from nn import MLP
from nn.layers import Dropout, Sequential
from nn.losses import LOSSES
from nn.optimizers import SGD
from nn.prediction import loss_and_grad, predict
from nn.schedules import StepLR
from nn.training import DivergenceError, fit
from tests.nn.trainings import ENGINES, SIGNS, X, Y, dropping, fitted, network, numbers


def test_a_line_is_learned_from_its_points():
    points = np.linspace(-1, 1, 21)[:, None]
    line = network(1, 1)
    fit(line, points, 3 * points[:, 0] - 2, epochs=300, lr=0.1, progress=False)
    # The loss is a square with curvature 2 * mean(x²) = 0.73 and 2: far within 1e-4 after 300
    # epochs of steps of 0.1.
    assert numbers(line) == pytest.approx([3.0, -2.0], abs=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_step_of_sgd_is_the_gradient_of_the_mean_loss(engine):
    model, before = network(), numbers(network())
    fitted(model, epochs=1, batch_size=None, optimizer="sgd", lr=0.5, engine=engine)
    _, gradient = loss_and_grad(network(), X, Y, loss="bce_with_logits")
    # 200 products and sums, each rounded, of numbers up to 10.
    assert numbers(model) == pytest.approx(np.array(before) - 0.5 * gradient, abs=1e-12)


@pytest.mark.parametrize(
    ("loss", "sizes", "targets"),
    [
        ("mse", (2, 6, 1), SIGNS),
        ("mse", (2, 6, 2), np.column_stack([SIGNS, X[:, 0]])),
        ("l1", (2, 6, 1), SIGNS),
        ("huber", (2, 6, 1), SIGNS),
        ("hinge", (2, 6, 1), SIGNS),
        ("squared_hinge", (2, 6, 1), SIGNS),
        ("bce_with_logits", (2, 6, 1), Y),
        ("cross_entropy", (2, 6, 3), Y),
        ("cross_entropy", (2, 6, 2), np.column_stack([0.25 + Y / 2, 0.75 - Y / 2])),
        (lambda output, target: (output - target) ** 4, (2, 6, 1), SIGNS),
    ],
)
def test_both_engines_give_the_same_numbers_over_an_epoch(loss, sizes, targets):
    histories, models = [], []
    for engine in ENGINES:
        models.append(network(*sizes))
        histories.append(
            fitted(
                models[-1],
                targets,
                loss=loss,
                epochs=1,
                lr=0.01,
                metrics="mae",
                validation=0.2,
                penalty={"l1": 1e-4, "l2": 1e-3},
                clip_norm=1.0,
                engine=engine,
            )
        )
    # 4 steps of rounded sums; Adam divides by the root of what may be small.
    assert numbers(models[0]) == pytest.approx(numbers(models[1]), abs=1e-10)
    for name, column in histories[0].items():
        assert column == pytest.approx(histories[1][name], abs=1e-10), name


def test_both_engines_drop_the_same_inputs():
    models = [dropping(), dropping()]
    for model, engine in zip(models, ENGINES, strict=True):
        fitted(model, epochs=2, engine=engine)
    assert numbers(models[0]) == pytest.approx(numbers(models[1]), abs=1e-10)
    undropped = dropping()
    undropped.eval()
    assert numbers(models[0]) != pytest.approx(numbers(undropped), abs=1e-3)


def test_each_sample_drops_other_inputs_and_the_rest_are_scaled_up():
    seen = []

    class Watched(Dropout):
        def __call__(self, x):
            out = super().__call__(x)
            seen.append([o.data / i.data for o, i in zip(out, x, strict=True)])
            return out

    model = Sequential(MLP(2, [50], activation="tanh"), Watched(0.2), MLP(50, [1]))
    fitted(model, epochs=1, engine="eager", metrics=())
    factors = np.array(seen[-len(X) :])
    assert set(np.round(factors.ravel(), 12)) == {0.0, 1.25}
    assert len({tuple(row) for row in factors}) == len(X)
    # 2,000 draws with a chance of 0.2: five standard deviations are 0.045.
    assert np.mean(factors == 0) == pytest.approx(0.2, abs=0.045)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(engine):
    runs = []
    for seed in (0, 0, 1):
        model = dropping()
        history = fitted(model, seed=seed, engine=engine, validation=0.25)
        runs.append((numbers(model), dict(history)))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_class_like_karpathys_is_a_model():
    class Line:
        def __init__(self):
            self.w, self.b = Value(0.0), Value(0.0)

        def __call__(self, x):
            return self.w * x[0] + self.b

        def parameters(self):
            return [self.w, self.b]

    for engine in ENGINES:
        line = Line()
        fit(line, [[0.0], [1.0], [2.0]], [1, 3, 5], epochs=400, lr=0.1, engine=engine, progress=0)
        assert (line.w.data, line.b.data) == pytest.approx((2, 1), abs=1e-3)
        assert predict(line, [[10.0]]) == pytest.approx([21], abs=1e-2)


def test_a_function_with_parameters_is_a_model():
    w = Value(0.5)

    def scale(x):
        return w * x[0]

    scale.parameters = lambda: [w]
    fit(scale, [[1.0], [2.0]], [3.0, 6.0], epochs=300, lr=0.1, progress=False)
    assert w.data == pytest.approx(3, abs=1e-3)


def test_an_optimizer_trains_the_parameters_that_it_holds_and_no_others():
    for engine in ENGINES:
        model = network()
        before = numbers(model)
        last = model.layers[-1].parameters()
        fitted(model, optimizer=SGD(last, lr=0.1, momentum=0.9), engine=engine)
        after = numbers(model)
        assert after[: -len(last)] == before[: -len(last)]
        assert all(a != b for a, b in zip(after[-len(last) :], before[-len(last) :], strict=True))


def test_the_learning_rate_follows_its_schedule():
    history = fitted(
        network(),
        lr=0.1,
        schedule=lambda optimizer: StepLR(optimizer, step_size=2, gamma=0.5),
    )
    assert history["lr"] == [0.1, 0.1, 0.05, 0.05]


def test_a_gradient_is_clipped_but_recorded_as_it_was():
    models = [network(), network()]
    for model in models:
        for parameter in model.parameters():
            parameter.data *= 10
    free = fitted(models[0], epochs=1, batch_size=None, optimizer="sgd", lr=1.0)
    clipped = fitted(models[1], epochs=1, batch_size=None, optimizer="sgd", lr=1.0, clip_norm=0.01)
    assert free["gradient_norm"] == clipped["gradient_norm"] > [0.01]
    moved = np.array(numbers(models[1])) - 10 * np.array(numbers(network()))
    # clip_grad_norm_ divides by the norm + 1e-6, as PyTorch does.
    assert np.linalg.norm(moved) == pytest.approx(0.01, rel=1e-4)


def test_fit_leaves_a_model_in_the_mode_it_was_in():
    model = dropping()
    modes = []
    fitted(model, callbacks=[lambda state: modes.append(state.model.training)])
    assert modes == [True] * 4
    assert model.training
    model.eval()
    fitted(model)
    assert not model.training
    predict(model, X)
    assert not model.training
    model.train()
    model.modules_of_its_own = [Dropout(0.5), Dropout(0.5).eval()]
    fitted(model, epochs=1)
    assert [each.training for each in model.modules_of_its_own] == [True, False]


def test_the_share_for_validation_is_not_trained_on():
    seen = []

    def watch(state):
        seen.append(state.X)

    fitted(network(), validation=0.25, callbacks=[watch])
    assert seen[0].shape == (30, 2)
    assert {tuple(row) for row in seen[0]} < {tuple(row) for row in X}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_interruption_keeps_what_was_learned(engine, interrupting):
    model, seen = network(), []
    history = fitted(
        model,
        optimizer=interrupting,
        engine=engine,
        callbacks=[lambda state: seen.append(numbers(state.model))],
    )
    assert history.interrupted
    assert history.epochs == 1
    assert "interrupted" in repr(history)
    assert numbers(model) != seen[0]  # two more steps were done
    assert all(np.isfinite(numbers(model)))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_nan_loss_names_its_step_and_leaves_the_last_good_weights(engine):
    kept = []

    class Exploding(SGD):
        def update(self, numbers, gradient):
            kept.append(numbers.copy())
            after = super().update(numbers, gradient)
            return after * np.nan if len(kept) == 7 else after

    model = network()
    with pytest.raises(
        DivergenceError, match=r"the loss is nan in epoch 2, step 3; .* lr"
    ) as caught:
        fitted(model, optimizer=lambda parameters: Exploding(parameters, lr=0.1), engine=engine)
    assert numbers(model) == kept[-1].tolist()
    assert caught.value.history.epochs == 1


def test_an_infinite_gradient_stops_training_too():
    model = network()
    before = numbers(model)

    def steep(output, target):
        return (output - output.detach()) ** 0.5 + output  # infinite slope at 0

    with pytest.raises(
        DivergenceError, match=r"gradient of the loss is (nan|inf) in epoch 1, step 1"
    ):
        fitted(model, SIGNS, loss=steep)
    assert numbers(model) == before


def test_every_loss_by_name_trains():
    for name in LOSSES:
        signs, several = name in ("hinge", "squared_hinge"), name in ("cross_entropy", "kl_div")
        model = network(2, 3, 2 if several else 1, output_activation="sigmoid")
        targets = np.eye(2)[Y] if several else SIGNS if signs else Y
        history = fitted(model, targets, loss=name, epochs=30, lr=0.05)
        assert history["loss"][-1] < history["loss"][0], name


@pytest.mark.parametrize("loss", ["bce_with_logits", "cross_entropy", "mse"])
def test_each_class_gives_its_share_to_validation(loss):
    labels = np.repeat([0, 1], [30, 10])
    seen = []
    model = network(2, 6, 2 if loss == "cross_entropy" else 1)
    for seed in range(5):
        callback = lambda state: seen.append(state.y[:, -1].sum())  # noqa: E731
        fitted(model, labels, loss=loss, validation=0.2, seed=seed, epochs=1, callbacks=callback)
    assert seen == [8] * 5  # of the 32 that are trained on


def test_targets_that_are_not_classes_are_split_at_random():
    seen = []
    targets = np.linspace(0, 1, 40)
    options = {"loss": "mse", "validation": 0.25, "epochs": 1}
    fitted(network(), targets, callbacks=lambda state: seen.append(state.y[:, 0]), **options)
    assert len(seen[0]) == 30
    assert set(seen[0]) < set(targets)
