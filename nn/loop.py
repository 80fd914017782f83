"""The loop of training: epochs and batches, the steps of the optimizer, and checkpoints."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from micrograd.engine.callables import parameters_of
from nn.callbacks import Callback, EarlyStopping, State
from nn.datasets import batches
from nn.history import History
from nn.metrics import Metric
from nn.objective import Compiled, Eager, Objective, rows_of
from nn.optimizers import LBFGS, Optimizer, clipped
from nn.options import whole
from nn.progress import Report
from nn.storage import load_checkpoint, save_checkpoint


class DivergenceError(ArithmeticError):
    """The loss or its gradient became nan or infinite.

    Args:
        message: what happened, and what to try.
        history: the epochs before, kept in the attribute `history`.

    >>> from nn import MLP, fit
    >>> try:
    ...     fit(MLP(1, [1]), [[1e200]], [0.0], progress=False)
    ... except DivergenceError as error:
    ...     print(error.history.epochs)
    0
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


@dataclass
class Training:
    """A training in progress; `nn.fit` makes one from its options, and runs it.

    During an epoch the parameters are one array of numbers. The Values receive them at the end of
    training, and at the end of an epoch if something reads the model then.
    """

    objective: Objective
    optimizer: Optimizer
    samples: tuple[Any, Any, Any]  # the inputs, the targets, and the weights or None
    held_out: tuple[Any, Any, Any] | None
    by_class: Callable[[Any], Any] | None  # the weights of the classes, from targets
    _: KW_ONLY
    chances: Any  # for each factor of dropout, the probability that it is 0
    epochs: int
    batch_size: int
    shuffle: bool
    generator: np.random.Generator
    measures: Mapping[str, Metric]
    schedule: Any
    schedule_per: str
    watched: str | None  # the column that the schedule takes
    clip_norm: float | None
    stopping: EarlyStopping | None
    callbacks: list[Callback]
    checkpoint: Path | None
    engine: Compiled | Eager
    settings: dict[str, Any]  # what must be the same when training resumes

    def __post_init__(self) -> None:
        made = partial(rows_of, by_class=self.by_class, weighted=self.objective.weighted)
        self.rows = made(*self.samples)
        self.held_rows = None if self.held_out is None else made(*self.held_out)
        self.numbers = self.good = self.optimizer.numbers()
        self.best: tuple[float, Any] | None = None
        self.known: tuple[float, Any] | None = None  # the loss at these numbers, and its gradient
        self.converged = False
        self.history = History()
        model = self.objective.model
        self.state = State(model, self.optimizer, self.history, self.epochs, *self.samples[:2])

    def run(self, progress: bool | str, lang: str = "en") -> History:
        """Train for the remaining epochs."""
        history, interrupted = self.history, 0
        if isinstance(self.engine, Compiled) and history.epochs < self.epochs:
            self.engine.confirm(self.rows, len(self.chances))
        report = Report(progress, self.epochs, history.epochs, lang)
        try:
            while history.epochs < self.epochs and not self._is_over():
                self._epoch()
                report.epoch(history.epochs, history.last)
        except KeyboardInterrupt:
            history.end = "interrupted"
            interrupted = history.epochs + 1
        finally:
            self.optimizer.write(self.numbers)
            report.close(interrupted)
        if self.best is not None and self.stopping is not None and self.stopping.restore_best:
            self.numbers = self.best[1]
            self.optimizer.write(self.numbers)
        for callback in self.callbacks:
            getattr(callback, "finish", lambda state: None)(self.state)
        return history

    def _is_over(self) -> bool:
        """Return whether training ends before its last epoch; `history.end` then says why."""
        history = self.history
        if self.state.stopped:
            history.end = "callback"
        elif self.converged:
            history.end = "converged"
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
            self.optimizer.write(self.numbers)  # for whatever reads the model
        row = {"loss": loss / len(self.rows), **self._measured()}
        self.history.append({**row, "gradient_norm": norm / step, "lr": lr})
        self._watch()
        for callback in self.callbacks:
            callback(self.state)
        if self.schedule is not None and self.schedule_per == "epoch":
            self.schedule.step(*([] if self.watched is None else [row[self.watched]]))
        if self.checkpoint is not None:
            save_checkpoint(self.checkpoint, self._snapshot())

    def _batches(self) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of each batch and, if there is dropout, the factors for each sample."""
        count, chances = len(self.rows), self.chances
        indices: Any = [None]  # all rows
        if self.batch_size < count:
            indices = batches(count, self.batch_size, self.generator, shuffle=self.shuffle)
        for chosen in indices:
            rows = self.rows if chosen is None else self.rows.take(chosen, axis=0)
            if not len(chances):
                yield (rows,)
                continue
            stays = self.generator.random((len(rows), len(chances))) >= chances
            yield rows, np.divide(stays, 1 - chances, out=np.zeros(stays.shape), where=stays)

    def _step(self, step: int, batch: tuple[Any, ...]) -> tuple[float, float]:
        """Make one step of the optimizer; return the loss before it and the gradient's norm."""
        value, gradient = self.known or self.engine.value_and_grad(self.numbers, *batch)
        with np.errstate(over="ignore"):  # `_diverged` judges an infinite norm
            norm = math.sqrt(gradient @ gradient)
        if not math.isfinite(value + norm):
            self._diverged(step, value, gradient)
        self.good = self.numbers
        if self.clip_norm is not None:
            gradient = clipped(gradient, self.clip_norm)
        if isinstance(self.optimizer, LBFGS):
            found = self.optimizer.iterate(
                self.numbers,
                value,
                gradient,
                lambda numbers: self.engine.value_and_grad(numbers, *batch),
            )
            self.numbers, after, slope, self.converged = found
            self.known = None if len(self.chances) else (after, slope)  # dropout draws anew
        elif self.engine.present is None:
            self.numbers = self.optimizer.update(self.numbers, gradient)
        else:
            self.numbers = self.optimizer.update(self.numbers, gradient, self.engine.present)
        if self.schedule is not None and self.schedule_per == "batch":
            self.schedule.step()
        return value, norm

    def _diverged(self, step: int, value: float, gradient: Any) -> None:
        if math.isfinite(value) and np.isfinite(gradient).all():
            return  # only the square of the norm overflows
        self.numbers = self.good
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
        """Return the columns of the history that belong to the current weights."""
        row = {}
        for prefix, rows, part in (
            ("", self.rows, self.samples),
            ("val_", self.held_rows, self.held_out),
        ):
            if part is None or not (prefix or self.measures):
                continue
            loss, outputs = self.engine.evaluate(rows)
            if prefix:
                row["val_loss"] = loss
            _, targets, weights = part
            for name, measure in self.measures.items():
                names = [each.name for each in parameters_of(measure)]
                is_weighted = weights is not None and "sample_weight" in names
                more = {"sample_weight": weights} if is_weighted else {}
                found = measure(outputs, targets, **more)
                try:
                    row[prefix + name] = float(found)
                except (TypeError, ValueError):
                    raise TypeError(f"the metric {name!r} gives a number, got {found!r}") from None
        return row

    def _watch(self) -> None:
        """Remember the weights if this epoch is the best so far."""
        if self.stopping is None:
            return
        number = self.history[str(self.stopping.monitor)][-1]
        if self.best is None or self.stopping.improves(number, self.best[0]):
            self.best = number, self.numbers.copy()
            self.history.best_epoch = self.history.epochs

    # -------------------------------------------------------------------------------- checkpoints

    def _snapshot(self) -> dict[str, Any]:
        """All that the remaining epochs depend on."""
        return {
            "kind": "nn.fit",
            "settings": self._settings(),
            "numbers": self.numbers,
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "generator": self.generator.bit_generator.state,
            "history": {name: np.array(column) for name, column in self.history.items()},
            "best": None if self.best is None else [*self.best, self.history.best_epoch],
            **({"converged": True} if self.converged else {}),
        }

    def _settings(self) -> dict[str, Any]:
        """Return what must be the same when training resumes, so that its numbers are the same."""
        rows = [self.rows] if self.held_rows is None else [self.rows, self.held_rows]
        return {
            "parameters": len(self.numbers),
            **self.settings,
            "data": hashlib.sha256(b"".join(each.tobytes() for each in rows)).hexdigest(),
        }

    def resume(self) -> None:
        """Continue from the checkpoint, if it exists. ValueError if it is of another run."""
        if self.checkpoint is None:
            raise ValueError("resume=True needs the path of a checkpoint: checkpoint=PATH")
        if not self.checkpoint.exists():
            return
        saved = load_checkpoint(self.checkpoint)
        if saved.get("kind") != "nn.fit" or not isinstance(saved.get("settings"), dict):
            raise ValueError(f"{self.checkpoint} is not a checkpoint of fit")
        for name, now in self._settings().items():
            then = saved["settings"].get(name, now)  # older files tell less
            if now != then:
                differs = f"{name}={then!r}, not {now!r}"
                if name in ("data", "model"):
                    differs = f"{'other' if name == 'data' else 'another'} {name}"
                raise ValueError(
                    f"{self.checkpoint} was written with {differs}: call fit as before, "
                    "or start again without resume"
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
        self.numbers = self.good = numbers
        self.best, self.generator = best, generator
        self.converged = saved.get("converged", False) is True
        self.history = self.state.history = history

    def _array(self, given: Any) -> Any:
        """Return an array of a checkpoint, which must have a number for each parameter."""
        if given.shape != self.numbers.shape or given.dtype != float:
            raise ValueError(f"it has {given.shape} numbers for {self.numbers.shape} parameters")
        return given
