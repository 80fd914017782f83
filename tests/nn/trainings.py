"""Models, data and trainings that several tests of `fit` share."""

from __future__ import annotations

import random
from pathlib import Path

from nn import MLP
from nn.datasets import make_moons
from nn.layers import Dropout, Sequential
from nn.optimizers import Adam
from nn.schedules import StepLR
from nn.training import EarlyStopping, fit

X, Y = make_moons(40, noise=0.1, random_state=0)

SIGNS = 2.0 * Y - 1

ENGINES = ("compiled", "eager")


def network(*sizes: int, seed: int = 1, **options) -> MLP:
    random.seed(seed)
    nin, *nouts = sizes or (2, 6, 1)
    return MLP(nin, nouts, activation="tanh", **options)


def dropping(seed: int = 1) -> Sequential:
    """A network with dropout in two places."""
    random.seed(seed)
    return Sequential(
        MLP(2, [6], output_activation="tanh"), Dropout(0.25), MLP(6, [5, 1]), Dropout(0.1)
    )


def numbers(model) -> list[float]:
    return [parameter.data for parameter in model.parameters()]


def fitted(model, targets=Y, **options):
    options = {"loss": "bce_with_logits", "epochs": 4, "batch_size": 8, "progress": False} | options
    return fit(model, X, targets, **options)


class Interrupting(Adam):
    """An optimizer that is interrupted by Ctrl-C in its 8th step."""

    pressed = False

    def update(self, numbers, gradient):
        self.count = getattr(self, "count", 0) + 1
        if self.count == 8 and not Interrupting.pressed:
            Interrupting.pressed = True
            raise KeyboardInterrupt
        return super().update(numbers, gradient)


def everything(engine: str, epochs: int, path: Path | None = None, seed: int = 1):
    """A training with everything that has a state."""
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
