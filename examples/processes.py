"""Two processes that share every batch train a network to the same weights as one.

python -m examples.processes

Each process has two virtual devices of this computer's processor, and JAX adds up their gradients.
On several computers, start one process on each, with the address of the first one as coordinator.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PROCESSES, DEVICES = 2, 2  # devices of each process


def train(devices: Any = None) -> tuple[float, Any]:
    """Train a small network; return the last loss and the weights."""
    import numpy as np

    from nn import MLP, fit

    random.seed(1)
    model = MLP(2, [16, 1], activation="tanh")
    X = np.random.default_rng(0).normal(size=(256, 2))
    history = fit(
        model,
        X,
        np.sin(X[:, 0]) * X[:, 1],
        epochs=20,
        batch_size=64,
        backend="jax",
        devices=devices,
        progress=False,
    )
    return history["loss"][-1], np.array([p.data for p in model.parameters()])


def work(coordinator: str, process: int, file: str) -> None:
    """Train as one of the processes; the first one writes the weights to a file."""
    import jax
    import numpy as np

    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(coordinator, PROCESSES, process)
    try:
        _, weights = train(jax.devices())  # those of all processes
        if process == 0:
            np.save(file, weights)
    finally:
        jax.distributed.shutdown()


def together(file: Path) -> Any:
    """Start the processes and wait for them; return the weights."""
    import numpy as np

    with socket.socket() as free:
        free.bind(("localhost", 0))
        coordinator = f"localhost:{free.getsockname()[1]}"
    flags = f"--xla_force_host_platform_device_count={DEVICES}"
    started = [
        subprocess.Popen(  # noqa: S603 (this program)
            [sys.executable, "-m", "examples.processes", coordinator, str(i), str(file)],
            env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        )
        for i in range(PROCESSES)
    ]
    codes = [process.wait() for process in started]
    if any(codes):
        raise RuntimeError("a process failed; its output says why")
    return np.load(file)


def run() -> float:
    """Train by several processes and by this one; return the largest difference of a weight."""
    loss, alone = train()
    with tempfile.TemporaryDirectory() as folder:
        weights = together(Path(folder) / "weights.npy")
    difference = float(abs(weights - alone).max())
    print(f"{PROCESSES} processes with {DEVICES} devices each; loss after 20 epochs {loss:.6f}")
    print(f"largest difference among {len(alone)} weights from one process: {difference:.1e}")
    return difference


def main() -> int:
    """Return 0 if the weights agree up to rounding, else 1; 2 without JAX."""
    if len(sys.argv) == 4:
        work(sys.argv[1], int(sys.argv[2]), sys.argv[3])
        return 0
    try:
        return 0 if run() < 1e-9 else 1
    except ImportError as error:
        print(f"this example needs JAX: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
