"""A compiled loss on eight devices at once, with JAX's sharding.

python -m examples.sharding

The devices are virtual devices of this computer's processor; a batch is distributed over real
devices in the same way. The loss and the gradient are compared with those of one device.
"""

from __future__ import annotations

import os
import random
import sys
from typing import Any

DEVICES = 8
SAMPLES = 4_096


def loss_of_a_network() -> Any:
    """The loss of a 2-16-16-1 network on one sample, compiled for JAX."""
    from micrograd import compile  # noqa: A004
    from nn import MLP

    random.seed(1)
    model = MLP(2, [16, 16, 1], activation="tanh")
    return compile(
        lambda x, y: (1 - y * model(x)).relu(),
        model.parameters(),
        batched=True,
        backend="jax",
        dtype="float32",
    )


def run() -> float:
    """Compute on eight devices and on one; return the largest difference in the gradient."""
    # JAX reads it when it is imported.
    flag = f"--xla_force_host_platform_device_count={DEVICES}"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}"
    import jax
    import numpy as np
    from jax.sharding import NamedSharding, PartitionSpec

    devices = jax.devices()
    mesh = jax.make_mesh((len(devices),), ("samples",))
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(SAMPLES, 2)).astype(np.float32)
    targets = np.sign(inputs[:, 0] * inputs[:, 1])

    program = loss_of_a_network()
    value, gradient = program.value_and_grad(inputs, targets)
    spread = [
        jax.device_put(each, NamedSharding(mesh, PartitionSpec("samples")))
        for each in (inputs, targets)
    ]
    value_spread, gradient_spread = program.value_and_grad(*spread)
    parts = {str(shard.device): len(shard.data) for shard in spread[0].addressable_shards}

    print(f"{len(devices)} devices, samples on each: {sorted(set(parts.values()))}")
    print(f"loss on one device {value:.6f}, on all of them {value_spread:.6f}")
    difference = float(np.abs(gradient - gradient_spread).max())
    print(f"largest difference among {len(gradient)} derivatives: {difference:.1e}")
    return difference


def main() -> int:
    """Return 0 if both agree up to the rounding of single precision, else 1; 2 without JAX."""
    try:
        return 0 if run() < 1e-5 else 1
    except ImportError as error:
        print(f"this example needs JAX: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
