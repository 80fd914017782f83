"""Two moons, separated without an error, as in the demonstration of Karpathy's micrograd.

python -m examples.moons [--epochs N] [--out DIR]

The network (2-16-16-1 with relu) and the loss are the same: the hinge loss with margin 1 and a
small penalty on large weights. With --out, the decision regions are drawn, and a film shows how
they are learned.
"""

from __future__ import annotations

import random
from pathlib import Path

from nn import MLP, fit, predict
from nn.datasets import make_moons
from nn.plots import decision_regions, film

from ._training import Result, main, save

EPOCHS = 100


def run(epochs: int = EPOCHS, out: Path | None = None) -> Result:
    """Train on a hundred points; the claim is that all of them are on the right side."""
    X, y = make_moons(100, noise=0.1, random_state=1337)
    y = 2 * y - 1  # -1 or 1
    model = MLP(2, [16, 16, 1], generator=random.Random(1337))
    fit(
        model,
        X,
        y,
        loss="hinge",
        optimizer="adam",
        lr=0.01,
        penalty={"l2": 1e-4},
        batch_size=20,
        epochs=epochs,
        callbacks=[] if out is None else [film(out / "moons.gif", every=max(1, epochs // 40))],
        progress=False,
    )
    right = float(((predict(model, X) > 0) == (y > 0)).mean())
    if out is not None:
        print(f"wrote {out / 'moons.gif'}")
        save(decision_regions(model, X, y), out / "moons.png")
    return Result(
        {"accuracy": right}, [f"two moons: {100 * right:.0f} % of 100 points"], right == 1.0
    )


if __name__ == "__main__":
    raise SystemExit(main(run, EPOCHS))
