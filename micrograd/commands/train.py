"""The command `train`, which trains a network on a table or on a built-in data set."""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd.commands import trained
from micrograd.commands.options import CommandError, add_valued, reported, tell
from micrograd.commands.tables import COLUMNS, add_reading
from micrograd.commands.trained import Trained
from micrograd.commands.training_data import SETS, data

if TYPE_CHECKING:
    from nn.history import History
    from nn.optimizers import Optimizer

# These were good for the built-in data and for tables of 100 to 1,000 rows, over several splits:
# the share of the samples that tells when to stop; the number of steps, and how many of them may
# bring nothing, since an epoch of few samples teaches little; and the decay of weights, for one
# sample.
VALIDATION = 0.15
STEPS, PATIENCE = 5000, 1500
DECAY_OF_CLASSES, DECAY_OF_NUMBERS = 1.0, 8.0
# A part of fewer samples could not tell when to stop: its losses are mostly noise. Training uses
# all of them, for so many steps; on five tables of 20 to 60 rows, the mean R² is 0.79 instead of
# 0.74.
FEW, STEPS_OF_FEW = 60, 1000
MOST_NEURONS = 10_000
"""The largest size of a hidden layer."""


HELP = "train a network on a CSV file or on a built-in data set"
DESCRIPTION = (
    "Train a multilayer perceptron, and measure it on samples that were held out; the last line of"
    " the output is the result. Columns of numbers are scaled, and columns of words become one "
    "column of zeros and ones for each word.\n"
    "  micrograd train --data flowers.csv --target species --save flowers.npz"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    option, valued = parser.add_argument, partial(add_valued, parser)
    option("--data", required=True, metavar="NAME|FILE", help=f"{', '.join(SETS)}, or a CSV file")
    valued("--hidden", "64,64", "sizes of the hidden layers", metavar="SIZES")
    valued("--activation", "relu", "activation of the hidden layers")
    option(
        "--epochs",
        type=int,
        help="largest number of epochs (100 or more, depending on the number of samples)",
    )
    valued("--batch-size", 32, "number of samples in a batch")
    valued("--lr", 0.005, "learning rate")
    valued("--optimizer", "adam", "name of the optimizer: sgd, adam, adamw, …")
    valued("--test-size", 0.33, "share of the samples held out")
    valued("--seed", 0, "seed of all random numbers")
    option(
        "--task",
        choices=("auto", "classification", "regression"),
        default="auto",
        help="auto: words, and whole numbers if few are distinct, are classes",
    )
    option(
        "-o",
        "--out",
        "--save",
        dest="save",
        type=Path,
        metavar="MODEL.npz",
        help="save the network for predict",
    )
    option("--plots", type=Path, metavar="DIR", help="write pictures to this folder")

    files = parser.add_argument_group("options for CSV files")
    option = files.add_argument
    actions = [
        option("--target", metavar="COLUMN", help="column to predict (default: the last one)"),
        option("--ignore", help="leave this column out; may be repeated", **COLUMNS),
        option(
            "--keep",
            help="use this column even if it seems to number the rows; may be repeated",
            **COLUMNS,
        ),
        add_valued(
            files,
            "--missing",
            "error",
            "what to do with missing values: drop leaves their rows out, fill puts the mean or the "
            "most frequent word there, category makes them a value of their own",
            choices=("error", "drop", "fill", "category"),
        ),
        *add_reading(files),
    ]
    defaults = {action.dest: action.default for action in actions}
    parser.set_defaults(for_files=defaults)


def train(options: argparse.Namespace) -> None:
    """Train a network, print how good it is, and save and draw it if that is wanted."""
    from nn.options import real, whole
    from nn.samples import split
    from nn.training import DivergenceError

    _check_places(options)
    with reported(TypeError, DivergenceError):
        # Options are checked before anything takes long.
        share = real(options.test_size, "--test-size", above=0, below=1)
        whole(options.seed, "--seed", least=0)
        whole(options.batch_size, "--batch-size")
        real(options.lr, "--lr", least=0)
        if options.epochs is not None:
            whole(options.epochs, "--epochs")
        hidden, given = _hidden(options.hidden), data(options)
        classes = given.classes
        X, X_test, y, y_test = split(
            given.X, given.y, share, options.seed, given.y if classes else None
        )
        columns = given.columns.with_scale(X)
        sizes = [X.shape[1], *hidden, len(classes or "1")]
        made = Trained(_network(sizes, options), sizes, options.activation, columns, classes)
        if classes is None:
            made = made._replace(middle=float(y.mean()), scale=float(y.std()) or 1.0)
        optimizer = _optimizer(made, len(y), options)
        tell("\n".join(_introduction(made, len(y), len(y_test), given.notes)), options.lang)
        history = _learn(made, columns.standardized(X), y, optimizer, options)
    if options.save is not None:
        trained.save(options.save, made)
        tell(f"wrote {options.save}", options.lang)
    X_test = columns.standardized(X_test)
    if options.plots is not None:
        _draw(options, history, made, X_test, y_test)
    tell(f"held-out {_measure(made, made.outputs(X_test), y_test, y)}", options.lang)


def _learn(made: Trained, X: Any, y: Any, optimizer: Optimizer, options: Any) -> History:
    """Fit the network; if there are enough samples, some of them tell when to stop."""
    from nn.samples import split
    from nn.training import EarlyStopping, fit

    if not made.classes:
        y = (y - made.middle) / made.scale
    stopping: dict[str, Any] = {}
    if len(y) >= FEW:
        X, X_stop, y, y_stop = split(X, y, VALIDATION, options.seed, y if made.classes else None)
        stopping["validation"] = X_stop, y_stop
    steps = math.ceil(len(X) / max(options.batch_size, 1))
    epochs = STEPS_OF_FEW // steps
    if stopping:
        epochs = max(100, STEPS // steps)
        stopping["early_stopping"] = EarlyStopping(max(20, PATIENCE // steps))
    return fit(
        made.model,
        X,
        y,
        loss="cross_entropy" if made.classes else "mse",
        optimizer=optimizer,
        epochs=epochs if options.epochs is None else options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        metrics=["accuracy"] if made.classes else (),
        lang=options.lang,
        **stopping,
    )


def _optimizer(made: Trained, samples: int, options: argparse.Namespace) -> Optimizer:
    from nn.optimizers import OPTIMIZERS
    from nn.options import by_name

    decay = DECAY_OF_CLASSES if made.classes else DECAY_OF_NUMBERS
    return by_name(options.optimizer, "optimizer", OPTIMIZERS)(
        made.model.parameters(), lr=options.lr, weight_decay=min(decay / samples, 0.06)
    )


def _check_places(options: argparse.Namespace) -> None:
    """Check, before a long training, that its results can be written."""
    if options.save is not None and options.save.is_dir():
        raise CommandError(f"--save {options.save} is a folder: give the name of a file")
    if options.plots is not None:
        if options.plots.exists() and not options.plots.is_dir():
            raise CommandError(f"--plots {options.plots} is a file: give the name of a folder")
        if find_spec("matplotlib") is None:
            raise CommandError("--plots needs Matplotlib: pip install matplotlib")


def _hidden(text: str) -> list[int]:
    sizes = [int(size) if size.strip().isdecimal() else 0 for size in text.split(",")]
    if not all(0 < size <= MOST_NEURONS for size in sizes):
        raise CommandError(
            f"--hidden takes sizes from 1 to {MOST_NEURONS:,} separated by commas, such as 16,16, "
            f"got {text!r}"
        )
    return sizes


def _network(sizes: list[int], options: argparse.Namespace) -> Any:
    from nn.layers import MLP

    return MLP(
        sizes[0],
        sizes[1:],
        activation=options.activation,
        initializer="he_uniform" if "lu" in options.activation else "xavier_uniform",
        generator=random.Random(options.seed),  # noqa: S311 (weights are no secrets)
    )


def _introduction(made: Trained, samples: int, held_out: int, notes: Sequence[str]) -> list[str]:
    task = "regression" if made.classes is None else "classification"
    classes = f", {len(made.classes)} classes" if made.classes else ""
    sizes, count = "-".join(map(str, made.sizes)), len(made.model.parameters())
    few = f"fewer than {FEW} samples: training uses all of them, for a fixed number of epochs"
    return [
        f"{task} of {made.columns.target!r}{classes}",
        *notes,
        f"{samples} samples to learn from, {held_out} held out",
        *([few] if samples < FEW else []),
        f"a network of {sizes} neurons, {count} parameters",
    ]


def _measure(made: Trained, outputs: Any, y: Any, learned: Any) -> str:
    """Say how good outputs are, and how good it would be to predict the same for all samples."""
    import numpy as np

    from nn.metrics import r2, rmse

    if made.classes:
        usual = int(np.bincount(learned).argmax())
        right, same = (outputs.argmax(axis=1) == y).mean(), (y == usual).mean()
        return f"accuracy {100 * right:.1f} % (always {made.classes[usual]!r}: {100 * same:.1f} %)"
    outputs, y = outputs[:, None], y[:, None]
    same = rmse(np.full_like(y, learned.mean()), y)
    return (
        f"error {rmse(outputs, y):.4g} (root mean square; R² {r2(outputs, y):.3f}); "
        f"always the mean: {same:.4g}"
    )


def _draw(options: argparse.Namespace, history: History, made: Trained, X: Any, y: Any) -> None:
    """Write a plot of the loss and, for two inputs, one of the regions of the classes."""
    from micrograd import files
    from nn import plots

    folder, lang = options.plots, options.lang
    drawn = {"loss.png": plots.loss_curves(history, lang=lang)}
    if made.classes and X.shape[1] == 2:
        drawn["regions.png"] = plots.decision_regions(made.model, X, y, lang=lang)
    for name, axes in drawn.items():
        picture = BytesIO()
        axes.figure.savefig(picture, dpi=150)  # type: ignore[union-attr]
        with reported(writing=folder / name):
            files.replace(folder / name, picture.getvalue())
        tell(f"wrote {folder / name}", lang)
