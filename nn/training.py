"""`fit`: training a model on arrays, with compiled programs or on Values.

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

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from micrograd import Value
from nn import metrics as measures
from nn import requests, samples
from nn.callbacks import Callback, EarlyStopping, State
from nn.history import History
from nn.loop import DivergenceError, Training
from nn.module import Module
from nn.objective import Compiled, Loss, Objective, Penalty, loss_function, parameters_of
from nn.optimizers import LBFGS, Optimizer
from nn.options import flag, one_of, whole
from nn.prediction import loss_and_grad, predict, rehearsed
from nn.requests import ClassWeight

__all__ = [
    "DivergenceError",
    "EarlyStopping",
    "History",
    "State",
    "fit",
    "loss_and_grad",
    "predict",
]


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
    sample_weight: Any = None,
    class_weight: ClassWeight = None,
    validation: tuple[Any, ...] | float | None = None,
    metrics: str | measures.Metric | Iterable[str | measures.Metric] = (),
    penalty: Penalty = None,
    schedule: Any = None,
    schedule_per: str = "epoch",
    clip_norm: float | None = None,
    early_stopping: int | EarlyStopping | None = None,
    callbacks: Callback | Iterable[Callback] = (),
    checkpoint: str | Path | None = None,
    resume: bool = False,
    engine: str | Compiled = "compiled",
    backend: str = "auto",
    devices: Any = None,
    progress: bool | str = "auto",
    lang: str = "en",
) -> History:
    """Train a model: change its parameters so that its mean loss over the samples falls.

    Ctrl-C ends training and keeps what was learned.

    Args:
        model: a `Module`, or any function of a list of inputs that returns a Value or a list of
            Values, and that has `parameters()`.
        X: the inputs, of shape (samples, inputs): an array, a list of lists, a DataFrame, or a
            sparse matrix of at most 2**27 entries, which is made dense.
        y: the targets, of shape (samples,) or (samples, outputs). For `"cross_entropy"`, the
            numbers of classes, from 0, or rows of probabilities.
        loss: a name in `nn.losses.LOSSES`; one of these functions with options, such as
            `functools.partial(cross_entropy, label_smoothing=0.1)`; or a function of one sample's
            output and target. If that has three parameters, it is called with the model, the list
            of a sample's inputs and the target, and may call the model anywhere and differentiate
            it by `micrograd.derivative`.
        optimizer: a name in `nn.optimizers.OPTIMIZERS`; `"lbfgs"`, which uses all samples in each
            step, whatever `batch_size` is, and ends when it has converged; an optimizer, which
            trains the parameters that it holds; or a function of the parameters that returns one.
        lr: the learning rate of an optimizer that is given by name; its default if None.
        epochs: the number of passes over the samples.
        batch_size: the number of samples of each step; None takes all samples at once.
        shuffle: whether to draw a new order of the samples for each epoch.
        seed: the seed for the order, for dropout and for the validation split; None draws one.
        sample_weight: the weight of each sample, at least 0. The loss of a batch is the weighted
            mean of the losses of its samples.
        class_weight: the weight of each class, by its number, or `"balanced"`, which gives all
            classes the same total weight. It multiplies `sample_weight`.
        validation: data that are not trained on: `(X, y)`, `(X, y, sample_weight)`, or the share of
            the samples to set aside at random. If the targets are classes, each class gives the
            same share.
        metrics: names in `nn.metrics.METRICS`, or functions of outputs and targets; one or several.
            Those that have a parameter `sample_weight` get the weights of the samples.
        penalty: a function of the parameters that is added to the loss, or weights such as
            `{"l2": 1e-4}`.
        schedule: a name in `nn.schedules.SCHEDULES`, whose schedule ends with the training; one of
            `nn.schedules` on the optimizer; or a function of the optimizer that returns one, such
            as `lambda o: ConstantLR(o, 0.5, total_iters=10)`.
        schedule_per: `"epoch"` or `"batch"`, after which the schedule makes a step.
        clip_norm: the largest norm of a gradient; longer ones are shortened. None clips nothing.
        early_stopping: an `EarlyStopping`, or its patience.
        callbacks: functions that are called with a `State` after each epoch; one or several.
        checkpoint: a file that is written after each epoch.
        resume: whether to continue from the checkpoint, if it exists. The result has the same bits
            as without a pause. Functions, such as callbacks, are not in the file: give them again.
        engine: `"compiled"`; `"eager"`, which works on Values, sample by sample; or a
            `nn.objective.Compiled` of the same model, loss and penalty, which is kept as it is.
        backend: the backend of `micrograd.compile`, for the compiled engine.
        devices: with `backend="jax"`, how many devices of JAX share each batch, or a list of them,
            which may belong to several processes. The number of samples in every batch, including
            the last, must be a multiple of the number of devices. The result is that of one device,
            up to the order in which floats are added.
        progress: True shows a progress bar, False nothing, and `"auto"` a bar on a terminal or in a
            notebook and some lines of text elsewhere.
        lang: the language of the words of the progress report, "en" or "zh".

    Returns:
        What was recorded after each epoch.

    Raises:
        DivergenceError: if the loss or its gradient is nan or infinite. The model keeps the last
            weights with a finite loss.
        ValueError: or TypeError, for a bad argument, before anything is changed.

    >>> from nn import MLP
    >>> model = MLP(1, [1])
    >>> history = fit(model, [[0.0], [1.0]], [1.0, 3.0], epochs=2, progress=False)
    >>> history.epochs, sorted(history)
    (2, ['gradient_norm', 'loss', 'lr'])
    """
    name, function = loss_function(loss)
    seed = None if seed is None else whole(seed, "seed", 0)
    learned = requests.optimizer_of(optimizer, lr, parameters_of(model))
    requests.check_columns(X, validation)
    X = samples.inputs(X)
    outputs, chances = rehearsed(model, X)
    y = samples.targets(y, len(X), outputs, name)
    weights = samples.weights(sample_weight, len(X))
    X, y, weights, held_out = requests.held_out(validation, X, y, weights, outputs, name, seed)
    by_class = requests.class_weights(class_weight, y)
    weighted = weights is not None or by_class is not None
    objective = Objective(model, learned.parameters, X.shape[1], function, penalty, weighted)
    epochs = whole(epochs, "epochs")
    size = len(X) if batch_size is None else whole(batch_size, "batch_size")
    if isinstance(learned, LBFGS):
        size = len(X)
    steps = epochs
    if one_of(schedule_per, "schedule_per", ("epoch", "batch")) == "batch":
        steps *= math.ceil(len(X) / size)
    chosen = measures.named(metrics, name, y)
    scheduled = requests.schedule_of(schedule, learned, steps)
    stopping = requests.stopping_of(early_stopping, chosen, held_out)
    training = Training(
        objective,
        learned,
        (X, y, weights),
        held_out,
        by_class,
        chances=chances,
        epochs=epochs,
        batch_size=size,
        shuffle=flag(shuffle, "shuffle"),
        generator=np.random.default_rng(seed),
        measures=chosen,
        schedule=scheduled,
        schedule_per=schedule_per,
        watched=requests.metric_of(scheduled, chosen, held_out, schedule_per),
        clip_norm=requests.clipping(clip_norm, learned),
        stopping=stopping,
        callbacks=requests.callbacks_of(callbacks),
        checkpoint=requests.path_of(checkpoint),
        engine=requests.engine_of(engine, objective, backend, devices, _lengths(len(X), size)),
        settings={
            "loss": name,
            "batch_size": batch_size,
            "shuffle": bool(shuffle),
            "seed": seed,
            "metrics": list(chosen),
            "penalty": dict(penalty) if isinstance(penalty, Mapping) else penalty is not None,
            "clip_norm": clip_norm,
            "schedule": None
            if scheduled is None
            else type(scheduled).__name__ + " per batch" * (schedule_per == "batch"),
            "lr": lr,
            "early_stopping": stopping and [stopping.monitor, stopping.mode],
            "model": model._architecture() if isinstance(model, Module) else None,
        },
    )
    if flag(resume, "resume"):
        training.resume()
    return training.run(progress, lang)


def _lengths(count: int, size: int) -> set[int]:
    """Return the numbers of samples that the batches of an epoch have."""
    return {min(count, size), count % size or size} if count > size else {count}
