"""The commands `train`, which teaches a network a table or a built-in data set, and `predict`."""

from __future__ import annotations

import argparse
import csv
import math
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd.commands import trained
from micrograd.commands.expressions import CommandError
from micrograd.commands.terminal import printable
from micrograd.commands.trained import Trained
from micrograd.commands.training_data import SETS, data, read_table

if TYPE_CHECKING:
    from nn.columns import Columns
    from nn.history import History
    from nn.optimizers import Optimizer
    from nn.tables import Table


# What was good for the built-in data and for tables of 100 to 1,000 rows, over several splits: the
# share of the samples that tells when to stop; how many steps are made, and waited for, at most,
# since an epoch of few samples teaches little; and the decay of weights, for one sample.
VALIDATION = 0.15
STEPS, PATIENCE = 5000, 1500
DECAY_OF_CLASSES, DECAY_OF_NUMBERS = 1.0, 8.0
# Of fewer samples, too few would tell when to stop: their losses are mostly noise. All are learned
# from, in so many steps; on five tables of 20 to 60 rows the mean R² is 0.79, instead of 0.74.
FEW, STEPS_OF_FEW = 60, 1000


MOST_NEURONS = 10_000  # of a hidden layer


def add_to(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the parsers of these commands."""
    train_options = commands.add_parser(
        "train",
        help="train a network on a CSV file or on a built-in data set",
        description="Train a multilayer perceptron of scalars, and measure it on samples that were "
        "held out: the last line printed tells the result. Columns of numbers are scaled, columns "
        "of words become one column for each word. "
        "Example: micrograd train --data flowers.csv --target species --save flowers.npz",
    )
    train_options.add_argument(
        "--data", required=True, metavar="NAME|FILE", help=f"{', '.join(SETS)}, or a CSV file"
    )
    train_options.add_argument(
        "--target", metavar="COLUMN", help="of the file, what is to be predicted (the last one)"
    )
    train_options.add_argument(
        "--ignore", action="append", default=[], metavar="COLUMN", help="leave it out; repeatable"
    )
    train_options.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="COLUMN",
        help="learn from it, even if it seems to number the rows; repeatable",
    )
    train_options.add_argument(
        "--missing",
        choices=("error", "drop", "fill", "category"),
        default="error",
        help="what becomes of rows with a missing value: drop leaves them out, fill takes the mean "
        "or the most frequent word, category makes it a value of its own (error)",
    )
    _add_reading(train_options)
    train_options.add_argument(
        "--task",
        choices=("auto", "classification", "regression"),
        default="auto",
        help="auto: words and a few whole numbers are classes",
    )
    train_options.add_argument(
        "--hidden", default="64,64", metavar="SIZES", help="of the hidden layers (64,64)"
    )
    train_options.add_argument("--activation", default="relu", help="of the hidden layers (relu)")
    train_options.add_argument(
        "--epochs", type=int, help="at most (100 or more, by the number of samples)"
    )
    train_options.add_argument("--batch-size", type=int, default=32, help="samples at once (32)")
    train_options.add_argument("--lr", type=float, default=0.005, help="learning rate (0.005)")
    train_options.add_argument("--optimizer", default="adam", help="sgd, adam, adamw, … (adam)")
    train_options.add_argument(
        "--test-size", type=float, default=0.33, help="share of the samples held out (0.33)"
    )
    train_options.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    train_options.add_argument("--save", type=Path, metavar="MODEL.npz", help="for predict")
    train_options.add_argument("--plots", type=Path, metavar="DIR", help="write pictures there")
    train_options.set_defaults(command=train)

    predict_options = commands.add_parser(
        "predict",
        help="predict the rows of a CSV file with a trained network",
        description="Predict a column for the rows of a CSV file, whose columns are those that the "
        "network was trained on, in any order. "
        "Example: micrograd predict flowers.npz new.csv --out species.csv",
    )
    predict_options.add_argument("model", type=Path, metavar="MODEL.npz")
    predict_options.add_argument("file", type=Path, metavar="FILE.csv")
    predict_options.add_argument("-o", "--out", type=Path, metavar="FILE", help="where (print it)")
    predict_options.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="COLUMN",
        help="leave out a column that the model does not know; repeatable",
    )
    _add_reading(predict_options)
    predict_options.set_defaults(command=predict)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--header",
        choices=("auto", "yes", "no"),
        default="auto",
        help="whether the file's first line has the names of the columns",
    )
    parser.add_argument("--encoding", help="encoding of the file (UTF-8), such as gbk")
    parser.add_argument(
        "--delimiter",
        metavar="CHARACTER",
        help="what separates the cells (told from the file): "
        "comma, semicolon, tab, bar, space, or the character",
    )
    parser.add_argument(
        "--decimal",
        choices=("point", "comma"),
        help="what marks the decimals of numbers (told from the file)",
    )
    parser.add_argument(
        "--skip", type=int, default=0, metavar="LINES", help="number of lines above the table (0)"
    )


# -------------------------------------------------------------------------------------------- train


def train(options: argparse.Namespace) -> int:
    """Train a network; print, save and draw what came out."""
    from nn.training import DivergenceError

    _check_options(options)
    hidden, given = _hidden(options.hidden), data(options)
    try:
        X, X_test, y, y_test = _split(
            given.X, given.y, options.test_size, given.classes, options.seed
        )
        columns = given.columns.scaled(X)
        model, sizes = _network([X.shape[1], *hidden, len(given.classes or "1")], options)
        made = Trained(model, sizes, options.activation, columns, given.classes)
        if given.classes is None:
            made = made._replace(middle=float(y.mean()), scale=float(y.std()) or 1.0)
        optimizer = _optimizer(made, len(y), options)
        print(*_introduction(made, len(y), len(y_test), given.notes), sep="\n", flush=True)
        history = _learn(made, columns.apply(X), y, optimizer, options)
    except (ValueError, TypeError, DivergenceError) as error:
        raise CommandError(str(error)) from None
    if options.save is not None:
        trained.save(options.save, made)
        print(f"wrote {options.save}")
    if options.plots is not None:
        _draw(options.plots, history, made, columns.apply(X_test), y_test)
    print(f"held-out {_measure(made, made.outputs(columns.apply(X_test)), y_test, y)}")
    return 0


def _learn(made: Trained, X: Any, y: Any, optimizer: Optimizer, options: Any) -> History:
    """Fit the network; where there are enough samples, some of them tell when to stop."""
    from nn.training import EarlyStopping, fit

    if not made.classes:
        y = (y - made.middle) / made.scale
    stopping: dict[str, Any] = {}
    if len(y) >= FEW:
        X, X_stop, y, y_stop = _split(X, y, VALIDATION, made.classes, options.seed)
        stopping["validation"] = X_stop, y_stop
    steps = math.ceil(len(X) / max(options.batch_size, 1))
    if stopping:
        epochs = max(100, STEPS // steps)
        stopping["early_stopping"] = EarlyStopping(max(20, PATIENCE // steps))
    else:
        epochs = STEPS_OF_FEW // steps
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
        **stopping,
    )


def _optimizer(made: Trained, samples: int, options: argparse.Namespace) -> Optimizer:
    from nn.optimizers import OPTIMIZERS

    if options.optimizer not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS)
        raise CommandError(f"--optimizer is one of {known}, got {options.optimizer!r}")
    return OPTIMIZERS[options.optimizer](
        made.model.parameters(),
        lr=options.lr,
        weight_decay=min((DECAY_OF_CLASSES if made.classes else DECAY_OF_NUMBERS) / samples, 0.06),
    )


def _split(X: Any, y: Any, share: float, classes: Sequence[str] | None, seed: int) -> Any:
    """In two at random; each class gives its share."""
    from nn.samples import split

    return split(X, y, share, seed, stratify=y if classes else None)


def _check_options(options: argparse.Namespace) -> None:
    """Before a long training, that its results have a place, and that its numbers make sense."""
    if options.save is not None and options.save.is_dir():
        raise CommandError(f"--save {options.save} is a folder: give the name of a file")
    if options.plots is not None:
        if options.plots.exists() and not options.plots.is_dir():
            raise CommandError(f"--plots {options.plots} is a file: give the name of a folder")
        if find_spec("matplotlib") is None:
            raise CommandError("--plots needs matplotlib: pip install 'micrograd-engine[plot]'")
    if not 0 < options.test_size < 1:
        raise CommandError(f"--test-size is a share between 0 and 1, got {options.test_size:g}")
    if options.seed < 0:
        raise CommandError(f"--seed is a whole number from 0 on, got {options.seed}")


def _hidden(text: str) -> list[int]:
    sizes = [size.strip() for size in text.split(",")]
    if not all(size.isdecimal() and int(size) for size in sizes):
        raise CommandError(f"--hidden is sizes with commas between, such as 16,16, got {text!r}")
    if max(map(int, sizes)) > MOST_NEURONS:
        raise CommandError(f"--hidden is sizes up to {MOST_NEURONS:,}, got {text!r}")
    return [int(size) for size in sizes]


def _network(sizes: list[int], options: argparse.Namespace) -> tuple[Any, list[int]]:
    from nn.layers import MLP

    generator = random.Random(options.seed)  # noqa: S311 (weights are no secrets)
    initializer = "he_uniform" if "lu" in options.activation else "xavier_uniform"
    model = MLP(
        sizes[0],
        sizes[1:],
        activation=options.activation,
        initializer=initializer,
        generator=generator,
    )
    return model, sizes


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
    """How good outputs are, and how good it is to predict the same each time, in words."""
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


def _draw(folder: Path, history: History, made: Trained, X: Any, y: Any) -> None:
    """The loss, and the regions of classes in a plane."""
    from micrograd import files
    from nn import plots

    drawn = {"loss.png": plots.loss_curves(history)}
    if made.classes and X.shape[1] == 2:
        drawn["regions.png"] = plots.decision_regions(made.model, X, y)
    try:
        for name, axes in drawn.items():
            picture = BytesIO()
            axes.figure.savefig(picture, dpi=150)  # type: ignore[union-attr]
            files.replace(folder / name, picture.getvalue())
            print(f"wrote {folder / name}")
    except OSError as error:
        raise CommandError(f"cannot write to {folder}: {error.strerror or error}") from error


# ----------------------------------------------------------------------------------------- predict


def predict(options: argparse.Namespace) -> int:
    """Predict a column for the rows of a file."""
    from micrograd import files
    from nn.tables import TableError

    made = trained.load(options.model)
    try:
        table = _table(options, made.columns)
        cells, notes = _predicted(made, table)
    except FileNotFoundError as error:
        raise CommandError(f"cannot read {options.file}: {error.strerror}") from None
    except (TableError, ValueError) as error:
        raise CommandError(str(error)) from None
    for note in [*table.notes, *notes]:
        print(printable(f"note: {note}"), file=sys.stderr)
    text = _csv([made.columns.target, *cells])
    if options.out is None:
        try:
            text.encode(sys.stdout.encoding or "utf-8")
        except UnicodeEncodeError:
            raise CommandError(
                f"the output is in {sys.stdout.encoding}, which lacks some characters of the "
                "predictions: write them to a file with --out"
            ) from None
        sys.stdout.write(text)
        return 0
    try:
        files.write(options.out, text)
    except OSError as error:
        raise CommandError(f"cannot write to {options.out}: {error.strerror or error}") from error
    print(f"wrote {options.out}")
    return 0


def _table(options: argparse.Namespace, columns: Columns) -> Table:
    """The table in the file, with the columns that the model knows."""
    from nn.tables import UNNAMED

    unnamed = all(re.fullmatch(UNNAMED, name) for name in columns.all)
    known = [] if unnamed else [*columns.all, *options.ignore]
    table = read_table(options.file, options, known=known, unnamed=unnamed)
    for name in options.ignore:
        table.checked(name)  # it must be there
        if name in columns.names:
            raise CommandError(f"--ignore {name!r}: the model was trained on this column")
    kept = {n: column for n, column in table.columns.items() if n not in options.ignore}
    return columns.matched(replace(table, columns=kept))


def _predicted(made: Trained, table: Table) -> tuple[list[str], list[str]]:
    """A cell for each row, empty where it cannot be predicted; and what must be said."""
    import numpy as np

    X = made.columns.apply(made.columns.array(table))
    known = ~np.isnan(X).any(axis=1)
    cells = [""] * len(X)
    if known.any():
        outputs = made.outputs(X[known])
        if not np.isfinite(outputs).all():
            raise CommandError("the network gives numbers that are not finite for these rows")
        for row, output in zip(np.flatnonzero(known).tolist(), outputs, strict=True):
            cells[row] = made.classes[output.argmax()] if made.classes else f"{output:.10g}"
    lines = [
        line for line, is_known in zip(table.lines, known.tolist(), strict=True) if not is_known
    ]
    gaps = sum(len(table[name].missing) for name in made.columns.names)
    notes = []
    if lines:
        named = ", ".join(map(str, lines[:10])) + (", …" if len(lines) > 10 else "")
        notes.append(
            f"{len(lines)} of {len(X)} rows have missing values and are not predicted, their cells "
            f"are empty (line {named})"
        )
    elif gaps:
        notes.append(f"{gaps} missing values were filled in as in training")
    return cells, notes


def _csv(cells: Sequence[str]) -> str:
    """A column, one cell on a line."""
    file = StringIO()
    csv.writer(file, lineterminator="\n").writerows([_harmless(cell)] for cell in cells)
    return file.getvalue()


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet takes for text, without characters that control a terminal."""
    from nn.cells import shape

    formula = cell.lstrip()[:1] in tuple("=+-@＝＋－＠") and shape(cell) is None
    return printable(f"'{cell}" if formula else cell)
