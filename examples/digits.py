"""Handwritten digits read by a network of scalars, 64-32-10.

python -m examples.digits [--epochs N] [--out DIR]

A third of scikit-learn's 1,797 images of 8 by 8 pixels is held out. The network has 2,410 scalars
and about five thousand operations for each image; it is compiled, and reads at least 97 % of the
held-out images correctly. The result depends on the split: on ten splits, those of the seeds 0 to
9, it lies between 96.7 and 98.5 %, and is 97.4 % on average.
"""

from __future__ import annotations

import random
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from nn import MLP, fit, predict
from nn.datasets import load_digits, train_test_split
from nn.schedules import CosineAnnealingLR

from ._training import Result, main, save

EPOCHS = 60


def run(epochs: int = EPOCHS, out: Path | None = None, *, seed: int = 0) -> Result:
    """Train on two thirds; the claim is that 97 % of the others are read correctly."""
    images, digits = load_digits()
    X, X_test, y, y_test = train_test_split(
        images / 16, digits, test_size=1 / 3, random_state=seed, stratify=digits
    )
    model = MLP(64, [32, 10], initializer="he_uniform", generator=random.Random(seed))
    start = perf_counter()
    fit(
        model,
        X,
        y,
        loss="cross_entropy",
        lr=0.01,
        schedule=lambda optimizer: CosineAnnealingLR(optimizer, epochs),
        penalty={"l2": 1e-4},
        epochs=epochs,
        progress=False,
    )
    seconds = perf_counter() - start
    read = predict(model, X_test).argmax(axis=1)
    right = float((read == y_test).mean())
    if out is not None:
        save(_pictures(X_test, y_test, read), out / "digits.png")
    lines = [
        f"digits: {len(y):,} to learn from, {len(y_test)} held out, {seconds:.1f} s",
        f"held-out accuracy {100 * right:.1f} %",
        f"most often confused: {_confused(y_test, read)}",
    ]
    return Result({"accuracy": right}, lines, right >= 0.97)


def _confused(digits: Any, read: Any) -> str:
    """The three most frequent pairs of a digit and what it was mistaken for."""
    wrong = digits != read
    pairs, counts = np.unique(np.stack([digits[wrong], read[wrong]]), axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:3]
    return ", ".join(f"{pairs[0, i]} as {pairs[1, i]} ({counts[i]})" for i in order) or "none"


def _pictures(X: Any, digits: Any, read: Any) -> Any:
    """All images that were misread, then some that were not, with what was read."""
    from matplotlib.figure import Figure

    chosen = np.argsort(digits == read, kind="stable")[:25]
    figure = Figure(figsize=(5, 5.5), layout="constrained")
    for axes, i in zip(figure.subplots(5, 5).flat, chosen, strict=True):
        axes.imshow(X[i].reshape(8, 8), cmap="gray_r")
        wrong = digits[i] != read[i]
        label = f"{digits[i]} read as {read[i]}" if wrong else str(read[i])
        axes.set_title(label, fontsize=8, color="#b4431f" if wrong else "#1f2933")
        axes.set_axis_off()
    return figure.axes[0]


if __name__ == "__main__":
    raise SystemExit(main(run, EPOCHS))
