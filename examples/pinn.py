"""A differential equation, learned by a network: the pendulum θ″ = −sin θ.

python -m examples.pinn [--epochs N] [--out DIR]

The network is given only the equation, never a solution: the loss differentiates the network twice
with respect to time and squares the residual θ″ + sin θ (a physics-informed neural network). The
form of the trial function guarantees the initial state. The result is compared with the power
series of `examples.pendulum`.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

from micrograd import grad, sin
from nn import MLP, fit, predict
from nn.optimizers import LBFGS
from nn.plots import COLOURS, FAINT

from ._training import Result, main, save
from .pendulum import taylor_step

EPOCHS = 300
START = 1.5  # the angle at rest, in radians
SECONDS = 4.0


def trial(model: Any, t: Any) -> Any:
    """The angle at the time `t`: whatever the network gives, it is `START` at rest for t = 0."""
    return START + t * t * model([t / SECONDS])


def loss(model: Any, x: Any, y: Any) -> Any:
    """The squared residual of the equation at a time; the target `y` is not used."""
    del y
    (t,) = x

    def angle(t: Any) -> Any:
        return trial(model, t)

    return (grad(grad(angle))(t) + sin(angle(t))) ** 2


def solution(steps: int) -> tuple[Any, Any]:
    """Equidistant times, and the angles at them by power series."""
    states = [(START, 0.0)]
    for _ in range(steps):
        states.append(taylor_step(states[-1], SECONDS / steps))
    return np.linspace(0, SECONDS, steps + 1), np.array([angle for angle, _ in states])


def run(epochs: int = EPOCHS, out: Path | None = None) -> Result:
    """Train at 40 times; the claim is an error of at most 0.001 rad everywhere between them."""
    times = np.linspace(0, SECONDS, 40)[:, None]
    model = MLP(1, [10, 10, 1], activation="tanh", generator=random.Random(0))
    # The loss gets far below 1, so it is done only when it changes by much less than usual.
    optimizer = LBFGS(model.parameters(), tolerance_change=1e-13)
    history = fit(
        model,
        times,
        np.zeros(len(times)),
        loss=loss,
        optimizer=optimizer,
        epochs=epochs,
        progress=False,
    )
    t, exact = solution(60)
    found = START + t**2 * predict(model, t[:, None] / SECONDS)
    numbers = {"residual": history.last["loss"] ** 0.5, "error": float(np.abs(found - exact).max())}
    if out is not None:
        save(_picture(t, exact, found, times), out / "pinn.png")
    lines = [
        f"θ″ + sin θ of the network, root mean square: {numbers['residual']:.1e}",
        f"largest error of the angle in {SECONDS:g} s: {numbers['error']:.1e} rad",
    ]
    return Result(numbers, lines, numbers["error"] <= 1e-3)


def _picture(t: Any, exact: Any, found: Any, times: Any) -> Any:
    from matplotlib.figure import Figure

    axes = Figure(figsize=(7, 4), layout="constrained").subplots()
    axes.plot(t, exact, color=FAINT, linewidth=6, alpha=0.5, label="power series")
    axes.plot(t, found, color=COLOURS[1], label="network")
    axes.plot(times, np.full(len(times), exact.min()), "|", color=COLOURS[0], label="trained at")
    axes.set(xlabel="t", ylabel="θ")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return axes


if __name__ == "__main__":
    raise SystemExit(main(run, EPOCHS))
