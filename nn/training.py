"""`fit`: training a model on arrays, by compiled programs or Value by Value.

>>> import numpy as np
>>> from nn import MLP
>>> X = np.linspace(-1, 1, 20).reshape(-1, 1)
>>> line = MLP(1, [1])
>>> history = fit(line, X, 3 * X[:, 0] + 1, epochs=200, lr=0.1, progress=False)
>>> history["loss"][-1] < 1e-6
True
>>> [round(p.data, 2) for p in line.parameters()]
[3.0, 1.0]
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from micrograd import Value
from nn import metrics as measures
from nn import requests, samples
from nn.callbacks import Callback, EarlyStopping, State
from nn.datasets import batches
from nn.history import History
from nn.objective import (
    Compiled,
    Eager,
    Loss,
    Objective,
    Penalty,
    loss_function,
    parameters_of,
    penalty_function,
)
from nn.optimizers import Optimizer, clipped
from nn.options import flag, whole
from nn.prediction import loss_and_grad, predict, rehearsed
from nn.progress import progress as teller
from nn.storage import load_checkpoint, save_checkpoint

__all__ = [
    "DivergenceError",
    "EarlyStopping",
    "History",
    "State",
    "fit",
    "loss_and_grad",
    "predict",
]


class DivergenceError(ArithmeticError):
    """The loss or its gradient is nan or infinite; `history` has the epochs before."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def fit(
    model: Any,
    X: Any,
    y: Any,
    *,
    loss: Loss = "mse",
    optimizer: str | Optimizer | Callable[[list[Value]], Optimizer] = "adam",
    lr: float | None = None,
    epochs: int = 100,
    batch_size: int | None = 32,
    shuffle: bool = True,
    seed: int | None = 0,
    validation: tuple[Any, Any] | float | None = None,
    metrics: str | measures.Metric | Iterable[str | measures.Metric] = (),
    penalty: Penalty = None,
    schedule: Any = None,
    clip_norm: float | None = None,
    early_stopping: int | EarlyStopping | None = None,
    callbacks: Callback | Iterable[Callback] = (),
    checkpoint: str | Path | None = None,
    resume: bool = False,
    engine: str = "compiled",
    backend: str = "auto",
    progress: bool | str = "auto",
) -> History:
    """Change the model's parameters so that its loss on the samples falls.

    `model` is called with the list of inputs of one sample and gives a Value or a list of Values;
    it has `parameters()`. X has a row for each sample; y a number, or a row as wide as the model's
    outputs. Both are arrays, lists, or DataFrames and Series of numbers. For `cross_entropy`, y has
    class numbers 0, 1, … or rows of probabilities.

    loss: a name in `nn.losses.LOSSES`, or a function of one sample's output and target.
    optimizer: a name in `nn.optimizers.OPTIMIZERS`, with `lr` or its own; an optimizer, which
        trains the parameters that it holds; or a function of the parameters that makes one.
    batch_size: None takes all samples at once.
    validation: (X, y), or the share of the samples that are set aside at random; of targets that
        are classes, each gives its share.
    metrics: names in `nn.metrics.METRICS`, or functions of outputs and targets; one or several.
    penalty: a function of the parameters, or weights such as {"l2": 1e-4}.
    schedule: one of `nn.schedules` on the optimizer, or a function of the optimizer that makes one.
    early_stopping: an EarlyStopping, or its patience.
    callbacks: one or several, called with a State after each epoch; see `nn.callbacks`.
    checkpoint: a file that is written after each epoch. With `resume`, training goes on from it, if
        it is there, and ends with the same bits as without a pause; callbacks and functions are not
        in it.
    engine: "compiled", or "eager": on Values.

    Ctrl-C ends training and keeps what was learned. Raises DivergenceError if the loss is nan, and
    the model keeps the weights before; ValueError or TypeError before anything is done.
    """
    name, function = loss_function(loss)
    seed = None if seed is None else whole(seed, "seed", 0)
    learned = requests.optimizer_of(optimizer, lr, parameters_of(model))
    requests.check_columns(X, validation)
    X = samples.inputs(X)
    outputs, chances = rehearsed(model, X)
    y = samples.targets(y, len(X), outputs, name)
    X, y, held_out = requests.held_out(validation, X, y, outputs, name, seed)
    chosen, scheduled = measures.named(metrics, name, y), requests.schedule_of(schedule, learned)
    objective = Objective(
        model, list(learned.parameters), X.shape[1], function, penalty_function(penalty)
    )
    training = _Training(
        objective,
        learned,
        X,
        y,
        held_out,
        chances=chances,
        epochs=requests.count(epochs, "epochs"),
        batch_size=len(X) if batch_size is None else requests.count(batch_size, "batch_size"),
        shuffle=flag(shuffle, "shuffle"),
        generator=np.random.default_rng(seed),
        measures=chosen,
        schedule=scheduled,
        clip_norm=requests.clipping(clip_norm),
        stopping=requests.stopping_of(early_stopping, chosen, held_out),
        callbacks=requests.callbacks_of(callbacks),
        checkpoint=requests.path_of(checkpoint),
        engine=requests.engine_of(engine, objective, backend),
        settings={
            "loss": name,
            "batch_size": batch_size,
            "shuffle": bool(shuffle),
            "seed": seed,
            "metrics": list(chosen),
            "penalty": dict(penalty) if isinstance(penalty, Mapping) else penalty is not None,
            "clip_norm": clip_norm,
            "schedule": None if scheduled is None else type(scheduled).__name__,
        },
    )
    if flag(resume, "resume"):
        training.resume()
    return training.run(progress)


# --------------------------------------------------------------------------------------- the loop


class _Training:
    """One training: what it was asked, and how far it is.

    The parameters are one array of numbers while an epoch goes on; the Values get them at its end
    if somebody looks at the model then, and at the end of training.
    """

    def __init__(
        self,
        objective: Objective,
        optimizer: Optimizer,
        X: Any,
        y: Any,
        held_out: Any,
        *,
        chances: Any,
        epochs: int,
        batch_size: int,
        shuffle: bool,
        generator: np.random.Generator,
        measures: Mapping[str, measures.Metric],
        schedule: Any,
        clip_norm: float | None,
        stopping: EarlyStopping | None,
        callbacks: list[Callback],
        checkpoint: Path | None,
        engine: Compiled | Eager,
        settings: dict[str, Any],
    ) -> None:
        self.objective, self.optimizer, self.engine = objective, optimizer, engine
        self.rows, self.held_out = np.concatenate([X, y], axis=1), held_out
        self.epochs, self.batch_size, self.shuffle = epochs, batch_size, shuffle
        self.generator, self.measures, self.schedule = generator, measures, schedule
        self.clip_norm, self.stopping, self.callbacks = clip_norm, stopping, callbacks
        self.checkpoint, self.settings = checkpoint, settings
        self.chances = chances
        self.numbers = np.array([p.data for p in optimizer.parameters], dtype=float)
        self.best: tuple[float, Any] | None = None
        self.history = History()
        self.state = State(objective.model, optimizer, self.history, epochs, X, y)

    def run(self, progress: bool | str) -> History:
        """All epochs that are left."""
        history, note = self.history, ""
        if isinstance(self.engine, Compiled) and history.epochs < self.epochs:
            self.engine.confirm(self.rows, len(self.chances))
        telling = teller(progress, self.epochs, history.epochs)
        try:
            while history.epochs < self.epochs and not self._is_over():
                self._epoch()
                telling.epoch(history.epochs, history.last)
        except KeyboardInterrupt:
            history.end = "interrupted"
            note = f"interrupted in epoch {history.epochs + 1}: what was learned is kept"
        finally:
            self._write_back()
            telling.close(note)
        if self.best is not None and self.stopping is not None and self.stopping.restore_best:
            self.numbers = self.best[1]
            self._write_back()
        for callback in self.callbacks:
            getattr(callback, "finish", lambda state: None)(self.state)
        return history

    def _is_over(self) -> bool:
        """Whether no further epoch is wanted, and why."""
        history = self.history
        if self.state.stopped:
            history.end = "callback"
        elif self.stopping is not None:
            waited = history.epochs - (history.best_epoch or history.epochs)
            if waited >= self.stopping.patience:
                history.end = "early stopping"
        return history.end != "epochs"

    def _epoch(self) -> None:
        lr, loss, norm = self.optimizer.lr, 0.0, 0.0
        for step, batch in enumerate(self._batches(), 1):
            value, length = self._step(step, batch)
            loss += value * len(batch[0])
            norm += length
        if self.callbacks or self.measures or self.held_out is not None:
            self._write_back()  # for those that look at the model; else the end will do
        row = {"loss": loss / len(self.rows), **self._measured()}
        self.history.append({**row, "gradient_norm": norm / step, "lr": lr})
        self._watch()
        for callback in self.callbacks:
            callback(self.state)
        if self.schedule is not None:
            self.schedule.step()
        if self.checkpoint is not None:
            save_checkpoint(self.checkpoint, self._snapshot())

    def _batches(self) -> Iterator[tuple[Any, ...]]:
        """The rows of each batch; and, where inputs are dropped, the factors of each sample."""
        count, chances = len(self.rows), self.chances
        whole = self.batch_size >= count
        indices: Any = [None]
        if not whole:
            indices = batches(count, self.batch_size, self.generator, shuffle=self.shuffle)
        for chosen in indices:
            rows = self.rows if chosen is None else self.rows.take(chosen, axis=0)
            if not len(chances):
                yield (rows,)
                continue
            stays = self.generator.random((len(rows), len(chances))) >= chances
            yield rows, np.divide(stays, 1 - chances, out=np.zeros(stays.shape), where=stays)

    def _step(self, step: int, batch: tuple[Any, ...]) -> tuple[float, float]:
        """One step of the optimizer: the loss before it, and the length of its gradient."""
        value, gradient = self.engine.value_and_grad(self.numbers, *batch)
        norm = math.sqrt(gradient @ gradient)
        if not math.isfinite(value + norm):
            self._diverged(step, value, gradient)
        self.good = self.numbers
        if self.clip_norm is not None:
            gradient = clipped(gradient, self.clip_norm)
        self.numbers = self.optimizer.update(self.numbers, gradient)
        return value, norm

    def _diverged(self, step: int, value: float, gradient: Any) -> None:
        if math.isfinite(value) and np.isfinite(gradient).all():
            return  # only the square of its length is out of range
        self.numbers = getattr(self, "good", self.numbers)
        what = "gradient of the loss" if math.isfinite(value) else "loss"
        bad = value if not math.isfinite(value) else gradient[~np.isfinite(gradient)][0]
        raise DivergenceError(
            f"the {what} is {bad} in epoch {self.history.epochs + 1}, step {step}; the model has "
            f"the last weights that gave a finite one. Try a smaller lr (it is "
            f"{self.optimizer.lr:g}), clip_norm=1.0, or inputs scaled to about 1; "
            "engine='eager' within micrograd.detect_anomaly() names the operation",
            self.history,
        )

    def _measured(self) -> dict[str, float]:
        """The columns that belong to the weights of now."""
        row = {}
        for prefix, rows in (("", self.rows), ("val_", self.held_out)):
            if rows is None or not (prefix or self.measures):
                continue
            loss, outputs = self.engine.evaluate(rows)
            if prefix:
                row["val_loss"] = loss
            targets = rows[:, self.objective.features :]
            for name, measure in self.measures.items():
                found = measure(outputs, targets)
                try:
                    row[prefix + name] = float(found)
                except (TypeError, ValueError):
                    raise TypeError(f"the metric {name!r} gives a number, got {found!r}") from None
        return row

    def _watch(self) -> None:
        """Remember the weights of the best epoch."""
        if self.stopping is None:
            return
        number = self.history[str(self.stopping.monitor)][-1]
        if self.best is None or self.stopping.improves(number, self.best[0]):
            self.best = number, self.numbers.copy()
            self.history.best_epoch = self.history.epochs

    def _write_back(self) -> None:
        for parameter, number in zip(self.optimizer.parameters, self.numbers.tolist(), strict=True):
            parameter.data = number

    # -------------------------------------------------------------------------------- checkpoints

    def _snapshot(self) -> dict[str, Any]:
        """All that the epochs to come depend on."""
        return {
            "kind": "nn.fit",
            "settings": self._settings(),
            "numbers": self.numbers,
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "generator": self.generator.bit_generator.state,
            "history": {name: np.array(column) for name, column in self.history.items()},
            "best": None if self.best is None else [*self.best, self.history.best_epoch],
        }

    def _settings(self) -> dict[str, Any]:
        """What must be the same, so that the numbers are."""
        rows = [self.rows] if self.held_out is None else [self.rows, self.held_out]
        return {
            **self.settings,
            "parameters": len(self.numbers),
            "data": hashlib.sha256(b"".join(each.tobytes() for each in rows)).hexdigest(),
        }

    def resume(self) -> None:
        """Go on from the checkpoint, if it was written. Raises ValueError if it is another's."""
        if self.checkpoint is None:
            raise ValueError("resume=True goes on from a checkpoint: say which, checkpoint=PATH")
        if not self.checkpoint.exists():
            return
        saved = load_checkpoint(self.checkpoint)
        if saved.get("kind") != "nn.fit" or not isinstance(saved.get("settings"), dict):
            raise ValueError(f"{self.checkpoint} is no checkpoint of fit")
        for name, now in self._settings().items():
            then = saved["settings"].get(name)
            if now != then:
                differs = "other data" if name == "data" else f"{name}={then!r}, not {now!r}"
                raise ValueError(
                    f"{self.checkpoint} was written with {differs}: call fit as before, "
                    "or start anew without resume"
                )
        try:
            self._restore(saved)
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
            reason = str(error) if isinstance(error, ValueError) else "a part has another type"
            raise ValueError(f"{self.checkpoint} is damaged: {reason}") from error

    def _restore(self, saved: dict[str, Any]) -> None:
        numbers = self._array(saved["numbers"])
        history = History()
        for epoch in zip(*saved["history"].values(), strict=True):
            history.append(dict(zip(saved["history"], map(float, epoch), strict=True)))
        best = None
        if saved["best"] is not None:
            number, at, history.best_epoch = saved["best"]
            whole(history.best_epoch, "best_epoch")
            best = float(number), self._array(at)
        generator = np.random.default_rng()
        generator.bit_generator.state = saved["generator"]
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(saved["schedule"])
        self.numbers, self.best, self.generator = numbers, best, generator
        self.history = self.state.history = history

    def _array(self, given: Any) -> Any:
        """Numbers of the parameters."""
        if given.shape != self.numbers.shape or given.dtype != float:
            raise ValueError(f"it has {given.shape} numbers for {self.numbers.shape} parameters")
        return given
