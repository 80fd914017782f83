"""Fisher's irises: three species told apart by four measurements.

python -m examples.iris [--epochs N] [--out DIR]

A third of the 150 flowers is held out; the measurements are scaled by the mean and standard
deviation of the others. A 4-8-3 network classifies at least 93% of the held-out flowers correctly,
and setosa without an error. Fifty flowers are few: on ten splits, those of the seeds 0 to 9, the
accuracy lies between 90 and 100 %.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from nn import MLP, fit, predict
from nn.datasets import load_iris, train_test_split
from nn.plots import loss_curves

from ._training import Result, main, save

EPOCHS = 200
SPECIES = ("setosa", "versicolor", "virginica")


def run(epochs: int = EPOCHS, out: Path | None = None, *, seed: int = 0) -> Result:
    """Train on two thirds; the claim is that 93% of the others are classified correctly."""
    X, y = load_iris()
    X, X_test, y, y_test = train_test_split(X, y, test_size=1 / 3, random_state=seed, stratify=y)
    mean, width = X.mean(axis=0), X.std(axis=0)
    X, X_test = (X - mean) / width, (X_test - mean) / width
    model = MLP(4, [8, 3], activation="tanh", generator=random.Random(seed))
    history = fit(
        model,
        X,
        y,
        loss="cross_entropy",
        lr=0.01,
        epochs=epochs,
        validation=(X_test, y_test),
        progress=False,
    )
    named = predict(model, X_test).argmax(axis=1)
    right = float((named == y_test).mean())
    counts = np.zeros((3, 3), dtype=int)
    np.add.at(counts, (y_test, named), 1)
    apart = bool(counts[0, 0] == counts[0].sum() == counts[:, 0].sum())
    if out is not None:
        save(loss_curves(history), out / "iris_loss.png")
    lines = [f"{'is':<12}" + "".join(f"{name:>12}" for name in SPECIES) + "   (named as)"]
    lines += [
        f"{name:<12}" + "".join(f"{count:>12}" for count in row)
        for name, row in zip(SPECIES, counts, strict=True)
    ]
    lines.append(f"held-out accuracy {100 * right:.1f} %")
    return Result({"accuracy": right, "setosa": float(apart)}, lines, right >= 0.93 and apart)


if __name__ == "__main__":
    raise SystemExit(main(run, EPOCHS))
