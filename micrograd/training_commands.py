"""The commands `train`, which teaches a network a table or a built-in data set, and `predict`."""

from __future__ import annotations

import argparse
import csv
import math
import random
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from micrograd.commands import CommandError

if TYPE_CHECKING:
    from nn.history import History
    from nn.optimizers import Optimizer
    from nn.tables import Columns, Table

MADE_BY = "micrograd train"
SETS = ("moons", "circles", "spiral", "xor", "blobs", "digits", "iris")
MOST_CLASSES = 10
"""A column of so many different whole numbers, or fewer, is taken for class numbers."""

# What was good for the built-in data and for tables of 100 to 1,000 rows, over several splits: the
# share of the samples that tells when to stop; how many steps are made, and waited for, at most,
# since an epoch of few samples teaches little; and the decay of weights, for one sample.
VALIDATION = 0.15
STEPS, PATIENCE = 5000, 1500
DECAY_OF_CLASSES, DECAY_OF_NUMBERS = 1.0, 8.0


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    _add_reading(predict_options)
    predict_options.set_defaults(command=predict)


def _add_reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--header",
        choices=("auto", "yes", "no"),
        default="auto",
        help="whether the file's first line has the names of the columns",
    )
    parser.add_argument("--encoding", help="of the file (UTF-8), such as gbk")


# -------------------------------------------------------------------------------------------- train


class Data(NamedTuple):
    """What is learned from: unscaled inputs; class numbers, or numbers if there are no classes."""

    X: Any
    y: Any
    classes: list[str] | None
    columns: Columns


class Trained(NamedTuple):
    """A network with all that `predict` needs; a number is `output * scale + middle`."""

    model: Any
    sizes: list[int]
    activation: str
    columns: Columns
    classes: list[str] | None
    middle: float = 0.0
    scale: float = 1.0

    def outputs(self, X: Any) -> Any:
        """Of the network, in the unit of the target."""
        from nn.prediction import predict as outputs

        return outputs(self.model, X) * self.scale + self.middle


def train(options: argparse.Namespace) -> int:
    """Train a network; print, save and draw what came out."""
    from nn.training import DivergenceError

    _check_places(options)
    hidden, data = _hidden(options.hidden), _data(options)
    try:
        X, X_test, y, y_test = _split(data.X, data.y, options.test_size, data.classes, options.seed)
        columns = data.columns.scaled(X)
        model, sizes = _network([X.shape[1], *hidden, len(data.classes or "1")], options)
        made = Trained(model, sizes, options.activation, columns, data.classes)
        if data.classes is None:
            made = made._replace(middle=float(y.mean()), scale=float(y.std()) or 1.0)
        print(_introduction(made, len(y), len(y_test)), flush=True)
        history = _learn(made, columns.apply(X), y, options)
    except (ValueError, TypeError, DivergenceError) as error:
        raise CommandError(str(error)) from None
    if options.save is not None:
        _save(options.save, made)
    if options.plots is not None:
        _draw(options.plots, history, made, columns.apply(X_test), y_test)
    print(f"held-out {_measure(made.outputs(columns.apply(X_test)), y_test, made.classes)}")
    return 0


def _learn(made: Trained, X: Any, y: Any, options: argparse.Namespace) -> History:
    """Fit the network; some of the samples tell when to stop."""
    from nn.training import EarlyStopping, fit

    if not made.classes:
        y = (y - made.middle) / made.scale
    X, X_stop, y, y_stop = _split(X, y, VALIDATION, made.classes, options.seed)
    steps = math.ceil(len(X) / max(options.batch_size, 1))
    return fit(
        made.model,
        X,
        y,
        loss="cross_entropy" if made.classes else "mse",
        optimizer=_optimizer(made, len(X), options),
        epochs=max(100, STEPS // steps) if options.epochs is None else options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        validation=(X_stop, y_stop),
        metrics=["accuracy"] if made.classes else (),
        early_stopping=EarlyStopping(max(20, PATIENCE // steps)),
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
    """In two, each class alike where it has samples enough."""
    import numpy as np

    from nn.datasets import train_test_split

    alike = None
    if classes and 0 < share < 1:
        counts = np.unique(y, return_counts=True)[1]
        held = math.ceil(share * len(y))
        alike = y if counts.min() > 1 and len(counts) <= min(held, len(y) - held) else None
    return train_test_split(X, y, test_size=share, random_state=seed, stratify=alike)


def _check_places(options: argparse.Namespace) -> None:
    """Before a long training, that its results have a place."""
    if options.save is not None and options.save.is_dir():
        raise CommandError(f"--save {options.save} is a folder: give the name of a file")
    if options.plots is not None:
        if options.plots.exists() and not options.plots.is_dir():
            raise CommandError(f"--plots {options.plots} is a file: give the name of a folder")
        if find_spec("matplotlib") is None:
            raise CommandError("--plots needs matplotlib: pip install 'micrograd-engine[plot]'")


def _hidden(text: str) -> list[int]:
    sizes = [size.strip() for size in text.split(",")]
    if not all(size.isdecimal() and int(size) for size in sizes):
        raise CommandError(f"--hidden is sizes with commas between, such as 16,16, got {text!r}")
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


def _introduction(made: Trained, samples: int, held_out: int) -> str:
    target = made.columns.target
    task = f"classification of {target!r}, {len(made.classes)} classes" if made.classes else ""
    sizes, count = "-".join(map(str, made.sizes)), len(made.model.parameters())
    lines = [
        task or f"regression of {target!r}",
        f"{samples} samples to learn from, {held_out} held out",
        f"a network of {sizes} neurons, {count} parameters",
    ]
    if made.columns.ignored:
        lines.insert(1, f"ignored: {', '.join(made.columns.ignored)}")
    return "\n".join(lines)


def _measure(outputs: Any, y: Any, classes: Sequence[str] | None) -> str:
    """How good outputs are, in words."""
    if classes:
        return f"accuracy {100 * float((outputs.argmax(axis=1) == y).mean()):.1f} %"
    from nn.metrics import r2, rmse

    outputs, y = outputs[:, None], y[:, None]
    return f"error {rmse(outputs, y):.4g} (root mean square; R² {r2(outputs, y):.3f})"


def _draw(folder: Path, history: History, made: Trained, X: Any, y: Any) -> None:
    """The loss, and the regions of classes in a plane."""
    from nn import plots

    drawn = {"loss.png": plots.loss_curves(history)}
    if made.classes and X.shape[1] == 2:
        drawn["regions.png"] = plots.decision_regions(made.model, X, y)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, axes in drawn.items():
            axes.figure.savefig(folder / name, dpi=150)  # type: ignore[union-attr]
            print(f"wrote {folder / name}")
    except OSError as error:
        raise CommandError(f"cannot write to {folder}: {error.strerror or error}") from error


# --------------------------------------------------------------------------------- what is learned


def _data(options: argparse.Namespace) -> Data:
    """What was asked for."""
    if options.data in SETS:
        for name in ("target", "encoding"):
            if getattr(options, name) is not None:
                raise CommandError(f"--{name} is for a CSV file, not for {options.data}")
        if options.ignore or options.header != "auto" or options.task == "regression":
            raise CommandError(f"{options.data} is data for classification, ready as it is")
        return _built_in(options.data, options.seed)
    path = Path(options.data)
    if not path.is_file():
        raise CommandError(
            f"--data {options.data}: there is no such file, nor built-in data of that name; "
            f"built in are {', '.join(SETS)}"
        )
    table = _read(path, options)
    return _from_table(table, options)


def _built_in(name: str, seed: int) -> Data:
    from nn import datasets, tables

    made = {
        "moons": lambda: datasets.make_moons(300, noise=0.1, random_state=seed),
        "circles": lambda: datasets.make_circles(300, noise=0.05, factor=0.5, random_state=seed),
        # With the article's noise, 0.2, the arms overlap: nobody is right about more than 91 %.
        "spiral": lambda: datasets.spiral(200, noise=0.05, random_state=seed),
        "xor": lambda: datasets.xor(300, noise=0.1, random_state=seed),
        "blobs": lambda: datasets.make_blobs(300, random_state=seed),
        "digits": datasets.load_digits,
        "iris": datasets.load_iris,
    }
    try:
        X, y = made[name]()
    except ImportError as error:
        raise CommandError(str(error)) from None
    names = [f"x{i}" for i in range(1, X.shape[1] + 1)]
    columns = tables.Columns.of_numbers(names, "class")
    return Data(X, y, [str(k) for k in range(int(y.max()) + 1)], columns)


def _from_table(table: Table, options: argparse.Namespace) -> Data:
    import numpy as np

    from nn.tables import Columns, TableError, labels

    target = table.names[-1] if options.target is None else options.target
    try:
        numbers = table.numbers(target)
        columns = Columns.of(table, target, options.ignore)
        X = columns.array(table)
        y, classes = labels(table, target)
    except TableError as error:
        raise CommandError(str(error)) from None
    task = options.task
    if task == "auto":
        counted = numbers is None or all(number.is_integer() for number in numbers)
        few = numbers is None or len(classes) <= MOST_CLASSES
        task = "classification" if counted and few else "regression"
    if len(classes) == 1:
        raise CommandError(f"{table.path}: {target!r} is {classes[0]!r} everywhere")
    if task == "regression":
        if numbers is None:
            raise CommandError(
                f"{table.path}: {target!r} has words, such as {classes[0]!r}: "
                "they are classes, not for --task regression"
            )
        return Data(X, np.array(numbers), None, columns)
    if len(classes) > len(y) // 2:
        raise CommandError(
            f"{table.path}: {target!r} has {len(classes)} different values in {len(y)} rows, "
            "which are no classes: choose another --target"
        )
    return Data(X, y, classes, columns)


def _read(path: Path, options: argparse.Namespace) -> Table:
    from nn.tables import TableError, read

    header = {"auto": None, "yes": True, "no": False}[options.header]
    try:
        return read(path, header=header, encoding=options.encoding)
    except TableError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from None


# ----------------------------------------------------------------------------------------- predict


def predict(options: argparse.Namespace) -> int:
    """Predict a column for the rows of a file."""
    from nn.tables import TableError

    made = _load(options.model)
    columns = made.columns
    try:
        table = columns.matched(_read(options.file, options))
        outputs = made.outputs(columns.array(table))
    except (TableError, ValueError) as error:
        raise CommandError(str(error)) from None
    if made.classes:
        cells = [made.classes[k] for k in outputs.argmax(axis=1).tolist()]
    else:
        cells = [f"{number:.10g}" for number in outputs.tolist()]
    if options.out is None:
        _write(sys.stdout, columns.target, cells)
        return 0
    try:
        with options.out.open("w", newline="", encoding="utf-8") as file:
            _write(file, columns.target, cells)
    except OSError as error:
        raise CommandError(f"cannot write to {options.out}: {error.strerror or error}") from error
    print(f"wrote {options.out}")
    return 0


def _write(file: Any, target: str, cells: Sequence[str]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([target])
    writer.writerows([cell] for cell in cells)


def _save(path: Path, made: Trained) -> None:
    import numpy as np

    from nn.storage import save_checkpoint

    content = {
        "made_by": MADE_BY,
        "sizes": made.sizes,
        "activation": made.activation,
        "weights": np.array([parameter.data for parameter in made.model.parameters()]),
        "columns": made.columns._asdict(),
        "classes": made.classes,
        "middle": made.middle,
        "scale": made.scale,
    }
    try:
        save_checkpoint(path, content)
    except OSError as error:
        raise CommandError(f"cannot write to {path}: {error.strerror or error}") from error
    print(f"wrote {path}")


def _load(path: Path) -> Trained:
    from nn.layers import MLP
    from nn.storage import load_checkpoint
    from nn.tables import Columns

    try:
        content = load_checkpoint(path)
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise CommandError(str(error)) from None
    if content.pop("made_by", None) != MADE_BY:
        raise CommandError(f"{path} is no model of micrograd train: make one with --save {path}")
    try:
        columns = Columns.restored(content.pop("columns"))
        weights, sizes = content.pop("weights").tolist(), content["sizes"]
        if (
            len(weights) != sum((nin + 1) * nout for nin, nout in pairwise(sizes))
            or len(columns.middle) != sizes[0]
            or len(content["classes"] or "1") != sizes[-1]
            or not isinstance(content["middle"] * content["scale"], float)
        ):
            raise ValueError("its parts do not fit together")
        model = MLP(sizes[0], sizes[1:], activation=content["activation"])
        for parameter, number in zip(model.parameters(), weights, strict=True):
            parameter.data = float(number)
        return Trained(model, columns=columns, **content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CommandError(f"{path} is damaged: {error}") from None
