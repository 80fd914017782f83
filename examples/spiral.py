"""The spiral of the fifth article: three arms of a hundred points each.

python -m examples.spiral [--epochs N] [--out DIR]

The article stops before training. Here a network of scalars, 2-64-64-3 with relu, assigns at least
95 % of the points to the right arm. The others lie near the middle, where the arms meet, or where
noise has pushed a point into another arm.
"""

from __future__ import annotations

import random
from pathlib import Path

from nn import MLP, fit, predict
from nn.datasets import spiral
from nn.plots import decision_regions, loss_curves
from nn.schedules import CosineAnnealingLR

from ._training import Result, main, save

EPOCHS = 600


def run(epochs: int = EPOCHS, out: Path | None = None) -> Result:
    """Train on all 300 points; the claim is that 95 % of them are in the right arm."""
    X, y = spiral(100, 3, random_state=0)
    model = MLP(2, [64, 64, 3], initializer="he_uniform", generator=random.Random(0))
    history = fit(
        model,
        X,
        y,
        loss="cross_entropy",
        lr=0.02,
        schedule=lambda optimizer: CosineAnnealingLR(optimizer, epochs),
        batch_size=100,
        epochs=epochs,
        progress=False,
    )
    right = float((predict(model, X).argmax(axis=1) == y).mean())
    if out is not None:
        save(decision_regions(model, X, y), out / "spiral.png")
        save(loss_curves(history), out / "spiral_loss.png")
    return Result(
        {"accuracy": right}, [f"spiral: {100 * right:.1f} % of 300 points"], right >= 0.95
    )


if __name__ == "__main__":
    raise SystemExit(main(run, EPOCHS))
