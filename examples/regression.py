"""A curve recovered from noise: regression with a 1-16-16-1 network.

python -m examples.regression [--epochs N] [--out DIR]

Two hundred points lie around sin(3x) + x/2, with normal noise of standard deviation 0.2. Trained on
half of them, the network comes within 0.1 of the curve itself, which it never saw. All errors are
root mean squares over the other half.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

from nn import MLP, fit, predict
from nn.plots import COLOURS, FAINT

from ._training import Result, main, save

EPOCHS = 400
NOISE = 0.2


def curve(x: Any) -> Any:
    """The curve to be recovered."""
    return np.sin(3 * x) + x / 2


def run(epochs: int = EPOCHS, out: Path | None = None) -> Result:
    """Train on a hundred points; the claim is an error of at most 0.1 from the curve."""
    generator = np.random.default_rng(0)
    X = generator.uniform(-2, 2, size=(200, 1))
    y = curve(X[:, 0]) + generator.normal(0, NOISE, size=200)
    model = MLP(1, [16, 16, 1], activation="tanh", generator=random.Random(0))
    fit(
        model,
        X[:100],
        y[:100],
        lr=0.01,
        epochs=epochs,
        batch_size=None,
        penalty={"l2": 1e-4},
        progress=False,
    )
    found = predict(model, X[100:])
    errors = {
        "network": _root_mean_square(found - y[100:]),
        "mean": _root_mean_square(y[:100].mean() - y[100:]),
        "curve": _root_mean_square(found - curve(X[100:, 0])),
    }
    if out is not None:
        save(_picture(model, X, y), out / "regression.png")
    lines = [
        f"held-out error {errors['network']:.3f}; the noise is {NOISE}",
        f"held-out error of always predicting the mean {errors['mean']:.3f}",
        f"error from the curve without noise {errors['curve']:.3f}",
    ]
    return Result(errors, lines, errors["curve"] <= 0.1)


def _root_mean_square(errors: Any) -> float:
    return float(np.sqrt((errors**2).mean()))


def _picture(model: Any, X: Any, y: Any) -> Any:
    from matplotlib.figure import Figure

    axes = Figure(figsize=(7, 5), layout="constrained").subplots()
    across = np.linspace(-2, 2, 400)
    axes.scatter(X[:100, 0], y[:100], s=16, color=COLOURS[0], alpha=0.7, label="trained on")
    axes.scatter(X[100:, 0], y[100:], s=16, color=COLOURS[4], marker="s", label="held out")
    axes.plot(across, curve(across), color=FAINT, linestyle="--", label="sin(3x) + x/2")
    axes.plot(across, predict(model, across[:, None]), color=COLOURS[1], label="network")
    axes.set(xlabel="x", ylabel="y")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1))
    return axes


if __name__ == "__main__":
    raise SystemExit(main(run, EPOCHS))
