"""`fit`: training on arrays, compiled or Value by Value."""

from __future__ import annotations

import csv
import gc
import math
import os
import random
import subprocess
import sys
import warnings
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from micrograd import Value, softplus, where
from nn import MLP, Module
from nn.datasets import make_moons
from nn.layers import Dropout, Sequential
from nn.losses import LOSSES
from nn.metrics import METRICS
from nn.optimizers import LBFGS, SGD, Adam
from nn.prediction import loss_and_grad, predict
from nn.schedules import StepLR
from nn.training import DivergenceError, EarlyStopping, fit
from tests.nn.test_storage import altered

X, Y = make_moons(40, noise=0.1, random_state=0)
SIGNS = 2.0 * Y - 1
ENGINES = ("compiled", "eager")


def network(*sizes: int, seed: int = 1, **options) -> MLP:
    random.seed(seed)
    nin, *nouts = sizes or (2, 6, 1)
    return MLP(nin, nouts, activation="tanh", **options)


def dropping(seed: int = 1) -> Sequential:
    """Modules that drop inputs, in two places."""
    random.seed(seed)
    return Sequential(
        MLP(2, [6], output_activation="tanh"), Dropout(0.25), MLP(6, [5, 1]), Dropout(0.1)
    )


def numbers(model) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


def fitted(model, targets=Y, **options):
    options = {"loss": "bce_with_logits", "epochs": 4, "batch_size": 8, "progress": False} | options
    return fit(model, X, targets, **options)


# ------------------------------------------------------------------------------- what is learned


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


def test_dropped_inputs_differ_from_sample_to_sample_and_the_others_make_up_for_them():
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


def test_a_class_in_karpathys_manner_is_a_model():
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


def test_a_gradient_is_clipped_to_the_norm_and_told_as_it_was():
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


def test_a_model_is_afterwards_in_the_mode_it_was_in():
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


# -------------------------------------------------------------------------- history and measures


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


def test_the_loss_of_an_epoch_weighs_each_sample_alike():
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


def test_the_share_for_validation_is_not_trained_on():
    seen = []

    def watch(state):
        seen.append(state.X)

    fitted(network(), validation=0.25, callbacks=[watch])
    assert seen[0].shape == (30, 2)
    assert {tuple(row) for row in seen[0]} < {tuple(row) for row in X}


# ------------------------------------------------------------------------- stopping and callbacks


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


def test_a_callback_with_finish_is_told_the_end_also_of_an_interruption():
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


# ------------------------------------------------------------------------------------ interruption


class Interrupting(Adam):
    """An optimizer during whose 8th step Ctrl-C is pressed."""

    pressed = False

    def update(self, numbers, gradient):
        self.count = getattr(self, "count", 0) + 1
        if self.count == 8 and not Interrupting.pressed:
            Interrupting.pressed = True
            raise KeyboardInterrupt
        return super().update(numbers, gradient)


@pytest.fixture
def interrupting():
    Interrupting.pressed = False
    return Interrupting


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


def test_an_interrupted_training_resumes_to_the_same_bits(tmp_path, interrupting):
    straight = fitted(whole := dropping(), optimizer=Adam)
    options = {"optimizer": interrupting, "checkpoint": tmp_path / "moons.npz", "resume": True}
    assert fitted(dropping(), **options).interrupted
    resumed = fitted(again := dropping(seed=5), **options)
    assert numbers(again) == numbers(whole)
    assert dict(resumed) == dict(straight)


# ------------------------------------------------------------------------------------- checkpoints


def everything(engine: str, epochs: int, path: Path | None = None, seed: int = 1):
    """A training with all that has a state."""
    model = dropping(seed)
    history = fitted(
        model,
        epochs=epochs,
        lr=0.05,
        schedule=lambda optimizer: StepLR(optimizer, step_size=3, gamma=0.7),
        validation=0.2,
        metrics="accuracy",
        early_stopping=EarlyStopping(8),
        penalty={"l2": 1e-3},
        checkpoint=path,
        resume=path is not None,
        engine=engine,
    )
    return numbers(model), dict(history), history.best_epoch, history.end


@pytest.mark.parametrize("engine", ENGINES)
def test_ten_epochs_are_four_and_six_to_the_bit(engine, tmp_path):
    path = tmp_path / "training.npz"
    everything(engine, 4, path)
    assert everything(engine, 10, path, seed=7) == everything(engine, 10)


def test_another_process_resumes_to_the_same_bits(tmp_path):
    path = tmp_path / "training.npz"
    code = (
        "from pathlib import Path; from tests.nn.test_training import everything; "
        f"everything('compiled', 4, Path({str(path)!r}))"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env=dict(os.environ))
    assert everything("compiled", 10, path, seed=7) == everything("compiled", 10)


def test_what_is_finished_already_is_given_back_as_it_was(tmp_path):
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
    ):
        with pytest.raises(ValueError, match=complaint):
            fitted(network(), **options, **changed)
    with pytest.raises(ValueError, match="with parameters=25, not 9"):
        fitted(network(2, 2, 1), **options)
    with pytest.raises(ValueError, match="say which, checkpoint=PATH"):
        fitted(network(), resume=True)


# ------------------------------------------------------------------------------------------ nan


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


# ------------------------------------------------------------------------------------ bad input

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
        (ROW, [1], {"optimizer": LBFGS}, TypeError, "a step for each batch.*got LBFGS"),
        (ROW, [1], {"optimizer": 3}, TypeError, "a step for each batch.*got int"),
        (ROW, [1], {"clip_norm": 0}, ValueError, "clip_norm is a length above 0"),
        (ROW, [1], {"metrics": "acc"}, ValueError, "unknown metric .* accuracy"),
        (ROW, [1], {"engine": "fast"}, ValueError, "compiled, eager"),
        (ROW, [1], {"epochs": 0}, ValueError, "epochs is 1 or more"),
        (ROW, [1], {"epochs": 1.5}, TypeError, "epochs is a whole number"),
        (ROW, [1], {"batch_size": 0}, ValueError, "batch_size is 1 or more"),
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


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match=r"a model is called .* got int"):
        fit(3, ROW, [1])
    with pytest.raises(TypeError, match="has parameters"):
        fit(lambda x: x[0], ROW, [1])
    empty = Sequential(lambda x: x[0])
    with pytest.raises(ValueError, match="no parameters"):
        fit(empty, ROW, [1])


# ------------------------------------------------------------------------------------- prediction


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


# --------------------------------------------------------------------------------------- progress


def test_lines_are_printed_where_there_is_no_terminal(capsys):
    fitted(network(), epochs=200, batch_size=None, metrics="accuracy", progress="auto")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("epoch   1/200  loss 0.")
    assert lines[-1].startswith("epoch 200/200  loss 0.")
    assert lines[-1].endswith(" %")
    assert len(lines) == 21


def test_an_early_end_is_told(capsys):
    fitted(network(), epochs=200, callbacks=[lambda s: s.epoch == 7 and s.stop()], progress="auto")
    assert capsys.readouterr().out.splitlines()[-1].startswith("epoch   7/200")


def test_an_interruption_is_told(capsys, interrupting):
    fitted(network(), optimizer=interrupting, progress="auto")
    assert "interrupted in epoch 2" in capsys.readouterr().out


def test_nothing_is_printed_unless_it_is_wanted(capfd):
    fitted(network())
    assert capfd.readouterr() == ("", "")


def test_a_bar_fills_on_a_terminal(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fitted(network(), epochs=3, progress="auto")
    printed = capsys.readouterr()
    assert "3/3" in printed.err
    assert printed.out == ""


def test_without_tqdm_lines_take_the_place_of_the_bar(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    fitted(network(), epochs=3, progress=True)
    assert capsys.readouterr().out.count("epoch ") == 3


def test_every_loss_by_name_trains():
    for name in LOSSES:
        signs, several = name in ("hinge", "squared_hinge"), name in ("cross_entropy", "kl_div")
        model = network(2, 3, 2 if several else 1, output_activation="sigmoid")
        targets = np.eye(2)[Y] if several else SIGNS if signs else Y
        history = fitted(model, targets, loss=name, epochs=30, lr=0.05)
        assert history["loss"][-1] < history["loss"][0], name


# ----------------------------------------------------------------- what a trace does not follow

# Losses that look at the number of a target, which is not known while they are traced.
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


def test_a_model_that_does_not_take_the_columns_is_told_by_predict_as_by_fit():
    class Third(MLP):
        def __call__(self, x):
            return super().__call__([x[2]])

    for use in (lambda: predict(Third(1, [1]), X), lambda: fitted(Third(1, [1]))):
        with pytest.raises(ValueError, match="the model does not take the 2 columns of X"):
            use()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("loss", "complaint"),
    [
        (lambda o, t: None, "a loss gives one Value for a sample, got NoneType"),
        (lambda o, t: [o - t], "a loss gives one Value for a sample, got list"),
        (lambda o, t: 1.0, "the loss does not depend on the model: it is the number 1.0"),
    ],
)
def test_what_is_no_loss_is_refused(engine, loss, complaint):
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


# --------------------------------------------------------------------------- what may be given

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
        (Y[:39], "X has 40 samples, but y has 39 targets"),
        ([10**400] * 40, "an int beyond the largest float"),
    ],
)
def test_labels_that_are_no_numbers_are_refused(labels, complaint):
    with pytest.raises((TypeError, ValueError), match=complaint):
        fitted(network(), labels)


# For each option of fit, what is refused.
WRONG = {
    "loss": ["", 3, None, ["mse"]],
    "optimizer": ["", None, 3, ["adam"]],
    "lr": [-1, math.nan, math.inf, "0.1", True, [0.1]],
    "epochs": [0, -1, 1.5, "10", True, None, math.nan],
    "batch_size": [0, -1, 1.5, "10", True, math.nan],
    "shuffle": ["False", 0, None],
    "seed": [-1, 0.5, "0", True, [1]],
    "validation": [0.0, 1.0, -0.5, math.nan, True, "0.2", 3, (X,), (X, Y, Y)],
    "metrics": ["acc", "", 3, None, [3], ["accuracy", "acc"]],
    "penalty": ["l2", 0.1, {"l3": 1}, {"l2": -1}, {"l2": math.nan}, {"l1": "1"}, {"l1": True}],
    "schedule": ["StepLR", 3, [1], lambda optimizer: None],
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


def test_one_name_or_function_is_as_good_as_a_list_of_one():
    def error(outputs, targets):
        return float(np.abs(outputs - targets).mean())

    epochs = []

    def callback(state):
        epochs.append(state.epoch)

    history = fitted(network(), metrics="accuracy", callbacks=callback)
    assert "accuracy" in history
    assert epochs == [1, 2, 3, 4]
    assert "error" in fitted(network(), metrics=error)


def test_a_metric_that_gives_no_number_is_named():
    def strange(outputs, targets):
        return outputs

    with pytest.raises(TypeError, match="the metric 'strange' gives a number, got array"):
        fitted(network(), metrics=strange)


@pytest.mark.parametrize("loss", ["bce_with_logits", "cross_entropy", "mse"])
def test_each_class_gives_its_share_to_validation(loss):
    labels = np.repeat([0, 1], [30, 10])
    seen = []
    model = network(2, 6, 2 if loss == "cross_entropy" else 1)
    for seed in range(5):
        callback = lambda state: seen.append(state.y[:, -1].sum())  # noqa: E731
        fitted(model, labels, loss=loss, validation=0.2, seed=seed, epochs=1, callbacks=callback)
    assert seen == [8] * 5  # of the 32 that are trained on


def test_targets_that_are_no_classes_are_split_at_random():
    seen = []
    targets = np.linspace(0, 1, 40)
    options = {"loss": "mse", "validation": 0.25, "epochs": 1}
    fitted(network(), targets, callbacks=lambda state: seen.append(state.y[:, 0]), **options)
    assert len(seen[0]) == 30
    assert set(seen[0]) < set(targets)


def test_early_stopping_on_few_samples_warns():
    options = {"validation": 0.1, "early_stopping": 2}
    with pytest.warns(UserWarning, match=r"'val_loss' of 4 samples.*optimizer='adamw'"):
        fitted(network(), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(network(), validation=0.2, early_stopping=2)
        fitted(network(), validation=0.1)
        fitted(network(), validation=0.1, early_stopping=EarlyStopping(2, monitor="loss"))


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_checkpoint_with_any_field_altered_is_one_or_a_value_error_that_names_the_file(
    tmp_path, optimizer
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
    for data in altered(path):
        path.write_bytes(data)
        model = network(2, 1)
        try:
            fitted(model, resume=True, **options)
        except ValueError as error:
            assert str(path) in str(error)  # noqa: PT017
        assert np.isfinite(numbers(model)).all()


def test_an_epoch_of_nan_is_not_the_best():
    scores = iter([math.nan, 0.5, 0.25, math.nan])
    stopping = EarlyStopping(9, monitor="score", mode="max")
    options = {"metrics": lambda outputs, targets: next(scores), "epochs": 4}
    options["metrics"].__name__ = "score"
    assert fitted(network(), early_stopping=stopping, **options).best_epoch == 2
