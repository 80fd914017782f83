"""The options of `fit`: each is checked, and turned into the object that training uses."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from micrograd import Value
from nn import metrics as measures
from nn import samples
from nn.callbacks import Callback, EarlyStopping
from nn.objective import Compiled, Eager, Objective
from nn.optimizers import LBFGS, OPTIMIZERS, Optimizer
from nn.options import OptionError, by_name, one_of, real, several
from nn.schedules import ReduceLROnPlateau
from nn.schedules import named as schedule_named

ClassWeight = Mapping[Any, float] | Literal["balanced"] | None

ENGINES = ("compiled", "eager")
FEW = 6
"""Early stopping warns if fewer samples than these are held out."""


def optimizer_of(optimizer: Any, lr: float | None, parameters: list[Value]) -> Optimizer:
    """Return the optimizer, given by itself, by name, or by a function of the parameters."""
    if not parameters:
        raise ValueError("the model has no parameters: there is nothing to train")
    if isinstance(optimizer, str):
        options = {} if lr is None else {"lr": lr}
        known: dict[str, Any] = {**OPTIMIZERS, "lbfgs": LBFGS}
        kind = by_name(optimizer, "optimizer", known, "an optimizer")
        named: Optimizer = kind(parameters, **options)
        return named
    if lr is not None:
        raise ValueError("lr is for an optimizer given by name: give it to the optimizer instead")
    made = optimizer
    if callable(optimizer) and not isinstance(optimizer, Optimizer):
        made = optimizer(parameters)
    if not isinstance(made, Optimizer):
        raise TypeError(
            f"an optimizer of fit makes a step for each batch, as {', '.join(OPTIMIZERS)} do; "
            f"got {type(made).__name__}"
        )
    if not {id(p) for p in made.parameters} & {id(p) for p in parameters}:
        raise ValueError(
            "the optimizer holds none of the model's parameters: "
            "construct it with model.parameters() of this model"
        )
    return made


def check_columns(X: Any, validation: Any) -> None:
    """Raise ValueError if X and the X of `validation` are DataFrames with different columns."""
    held = validation[0] if isinstance(validation, tuple | list) and validation else None
    ours, theirs = (list(getattr(each, "columns", ())) for each in (X, held))
    if ours and theirs and ours != theirs:
        raise ValueError(
            f"the columns of validation X are {theirs}, and those of X are {ours}: "
            "select the same columns in the same order"
        )


def class_weights(given: Any, y: Any) -> Callable[[Any], Any] | None:
    """Return a function of targets that returns the weight of the class of each sample.

    Args:
        given: the weights by class, or "balanced", or None.
        y: the targets to train on, an array of shape (samples, outputs).
    """
    if given is None:
        return None
    found, counts = np.unique(_classes(y), return_counts=True)
    if isinstance(given, str) and given == "balanced":
        table = dict(zip(found.tolist(), len(y) / (len(found) * counts), strict=True))
    else:
        table = weights_by_class(given, "class_weight")
        classes = found.astype(int).tolist()
        unknown = [key for key in table if key not in classes]
        if unknown and not set(classes) <= set(table):
            raise ValueError(
                f"class_weight has a weight for {unknown[0]!r}, "
                f"but the classes are {', '.join(map(str, classes))}"
            )
        if not any(table.get(each, 1.0) for each in classes):
            raise ValueError("class_weight is 0 for all classes: there is nothing to learn from")
    return lambda targets: np.array([table.get(k, 1.0) for k in _classes(targets).tolist()])


def weights_by_class(given: Any, name: str) -> dict[Any, float]:
    """Return weights by class as numbers. OptionError if they are anything else."""
    if not isinstance(given, Mapping):
        raise OptionError(f'{name} is a dict of weights by class, or "balanced", got {given!r}')
    return {key: real(given[key], f"{name}[{key!r}]", least=0) for key in given}


def _classes(y: Any) -> Any:
    """Return the class of each sample: the target itself, or the place of the only 1 in a row."""
    labels = y[:, 0] if y.shape[1] == 1 else y.argmax(axis=1).astype(float)
    one_hot = y.shape[1] == 1 or (np.sort(y, axis=1) == np.eye(y.shape[1])[-1]).all()
    if not one_hot or (labels != np.floor(labels)).any():
        raise ValueError(
            "class_weight is for targets that are whole numbers of classes, and some are not: "
            "give sample_weight, a number for each sample"
        )
    return labels


def held_out(
    given: Any, X: Any, y: Any, weights: Any, outputs: int, loss: str, seed: Any
) -> tuple[Any, Any, Any, tuple[Any, Any, Any] | None]:
    """Return X, y and the weights to train on, and those held out, or None without any."""
    if given is None:
        return X, y, weights, None
    if isinstance(given, tuple | list):
        if len(given) not in (2, 3):
            raise ValueError(
                "validation is (X, y), (X, y, sample_weight) or a share, "
                f"got {len(given)} thing{'s' * (len(given) != 1)}"
            )
        held_X = samples.inputs(given[0], "validation X")
        if held_X.shape[1] != X.shape[1]:
            raise ValueError(f"validation X has {held_X.shape[1]} columns, and X has {X.shape[1]}")
        held_y = samples.targets(given[1], len(held_X), outputs, loss, "validation y")
        held_weights = samples.weights(
            given[2] if len(given) == 3 else None, len(held_X), "validation sample_weight"
        )
        return X, y, weights, (held_X, held_y, held_weights)
    try:
        share = real(given, "validation", above=0, below=1)
    except OptionError:
        raise OptionError(
            f"validation is (X, y), or a share of the samples between 0 and 1, got {given!r}"
        ) from None
    if math.ceil(share * len(X)) == len(X):
        raise ValueError(f"validation={given} leaves none of the {len(X)} samples to train on")
    distinct, classes = np.unique(y, axis=0, return_inverse=True)
    few = 2 * len(distinct) <= len(y)  # otherwise the targets are not classes
    if weights is not None:
        y = np.column_stack([y, weights])
    X, held_X, y, held_y = samples.split(X, y, share, seed, classes.ravel() if few else None)
    if weights is None:
        return X, y, None, (held_X, held_y, None)
    for part, rows in (("left to train on", y), ("held out for validation", held_y)):
        if not rows[:, -1].any():
            raise ValueError(f"all samples {part} have weight 0: choose another seed or share")
    return X, y[:, :-1], y[:, -1], (held_X, held_y[:, :-1], held_y[:, -1])


def schedule_of(schedule: Any, optimizer: Optimizer, steps: int) -> Any:
    """Return the schedule of the optimizer, which makes so many steps, or None without one."""
    if schedule is None:
        return None
    if isinstance(schedule, str):
        return schedule_named(schedule, optimizer, steps)
    is_made = hasattr(schedule, "step") and not isinstance(schedule, type)
    if not is_made and not callable(schedule):
        raise OptionError(
            f"a schedule is a name, one of nn.schedules, or a function that makes one, "
            f"got {schedule!r}"
        )
    made = schedule if is_made else schedule(optimizer)
    if not callable(getattr(made, "step", None)):
        raise OptionError(f"the function for the schedule gave {made!r}, and a schedule has step()")
    if getattr(made, "optimizer", optimizer) is not optimizer:
        raise ValueError(
            "the schedule belongs to another optimizer: give a function of the optimizer, such as "
            "lambda optimizer: StepLR(optimizer, step_size=10)"
        )
    return made


def metric_of(schedule: Any, metrics: Iterable[str], held_out: Any, per: str) -> str | None:
    """Return the column that a schedule watches, or None if it watches none."""
    if not isinstance(schedule, ReduceLROnPlateau):
        return None
    if per == "batch":
        raise OptionError("ReduceLROnPlateau watches epochs: leave schedule_per='epoch'")
    watched = "loss" if schedule.mode == "min" else next(iter(metrics), None)
    if watched is None:
        raise OptionError("ReduceLROnPlateau with mode='max' watches a metric: name it in metrics")
    return watched if held_out is None else f"val_{watched}"


def stopping_of(given: Any, metrics: Iterable[str], held_out: Any) -> EarlyStopping | None:
    """Return early stopping with the column that it watches, and whether smaller is better."""
    if given is None:
        return None
    validated = held_out is not None
    stopping = given if isinstance(given, EarlyStopping) else EarlyStopping(given)
    columns = ["loss", *metrics, "gradient_norm"]
    if validated:
        columns += ["val_loss", *(f"val_{name}" for name in metrics)]
    monitor = stopping.monitor or ("val_loss" if validated else "loss")
    if monitor not in columns:
        hint = "" if validated else "; those that begin with val_ need validation data"
        raise ValueError(
            f"early stopping cannot monitor {monitor!r}: the columns are {', '.join(columns)}{hint}"
        )
    if monitor.startswith("val_") and len(held_out[0]) < FEW:
        warnings.warn(
            f"early stopping watches {monitor!r} of {len(held_out[0])} samples, where the best "
            "epoch is best by chance: hold out more of them, or train for a fixed number of epochs "
            "with optimizer='adamw'",
            stacklevel=3,
        )
    larger = monitor.removeprefix("val_") in measures.LARGER_IS_BETTER
    return replace(stopping, monitor=monitor, mode=stopping.mode or ("max" if larger else "min"))


def clipping(norm: float | None, optimizer: Optimizer) -> float | None:
    """Return the largest allowed norm of the gradient, or None without a limit."""
    if norm is not None and isinstance(optimizer, LBFGS):
        raise OptionError("LBFGS looks for the length of its steps itself: leave out clip_norm")
    if norm is None or (isinstance(norm, float) and norm == math.inf):
        return norm
    return real(norm, "clip_norm", above=0)


def path_of(given: Any) -> Path | None:
    """Return the path of the checkpoint, or None without one."""
    if given is not None and not isinstance(given, str | os.PathLike):
        raise OptionError(f"checkpoint is the path of a file, got {given!r}")
    return None if given is None else Path(given)


def callbacks_of(given: Any) -> list[Callback]:
    """Return a list of the callbacks; one may be given by itself."""
    found = several(given, "callbacks")
    for each in found:
        if not callable(each):
            raise OptionError(f"a callback is a function of the state, got {each!r}")
    return found


def engine_of(
    engine: str | Compiled, objective: Objective, backend: str, devices: Any, lengths: set[int]
) -> Compiled | Eager:
    """Return what computes the objective over a batch.

    Args:
        engine: the engine as `fit` takes it.
        objective: what is minimised.
        backend: the backend of `micrograd.compile`.
        devices: the devices of JAX that share each batch, or how many, or None.
        lengths: the numbers of samples that a batch may have.
    """
    if devices is not None and (isinstance(engine, Compiled) or engine != "compiled"):
        raise ValueError("devices= is for engine='compiled' with backend='jax'")
    if isinstance(engine, Compiled):
        return engine
    if one_of(engine, "engine", ENGINES) == "eager":
        return Eager(objective)
    made = Compiled(objective, backend, devices)
    if made.devices is not None:
        for length in sorted(lengths):
            made.devices.check(length, "a batch")
    return made
