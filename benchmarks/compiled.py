"""Times compiled programs beside the same network written by hand for NumPy and for JAX.

python benchmarks/compiled.py [--rounds N] [--quick]

The standard step: MLP 2-16-16-1 with relu, max-margin loss and L2, loss and gradient of the 337
parameters, float64. One thread, one run, the engines in turn; minima and medians in microseconds.
JAX is skipped where it is not installed. Then what tracing and planning cost, for each node.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import numpy as np

from micrograd import compile  # noqa: A004
from micrograd.compiler.planning import plan
from micrograd.compiler.tracing import trace
from nn import MLP

L2 = 1e-4
Step = Callable[[Any, Any], tuple[float, Any]]


def model() -> MLP:
    """The network, always the same."""
    random.seed(1337)
    return MLP(2, [16, 16, 1])


def by_scalars(backend: str) -> Step:
    """The step written for one sample in scalars, compiled."""
    network = model()
    parameters = network.parameters()

    def loss(x: Any, y: Any) -> Any:
        return (1 - y * network(x)).relu() + L2 * sum(p * p for p in parameters)

    program = compile(loss, parameters, batched=True, backend=backend)
    numbers = np.array([p.data for p in parameters])
    return lambda X, y: program.value_and_grad(X, y, parameters=numbers)


def _weights(numbers: Any) -> tuple[Any, Any, Any]:
    """The three layers; each neuron has its weights, then its bias."""
    return numbers[:48].reshape(16, 3), numbers[48:320].reshape(16, 17), numbers[320:]


def numpy_by_hand() -> Step:
    """The step on arrays, forwards and backwards."""
    numbers = np.array([p.data for p in model().parameters()])

    def step(X: Any, y: Any) -> tuple[float, Any]:
        first, second, third = _weights(numbers)
        z1 = first[:, :2] @ X.T + first[:, 2:]
        h1 = np.maximum(z1, 0)
        z2 = second[:, :16] @ h1 + second[:, 16:]
        h2 = np.maximum(z2, 0)
        margin = 1 - y * (third[:16] @ h2 + third[16])
        loss = np.maximum(margin, 0).mean() + L2 * (numbers @ numbers)
        gradient = 2 * L2 * numbers
        into_first, into_second, into_third = _weights(gradient)
        g = -y * (margin > 0) / len(y)
        into_third[:16] += h2 @ g
        into_third[16] += g.sum()
        g2 = np.outer(third[:16], g) * (z2 > 0)
        into_second[:, :16] += g2 @ h1.T
        into_second[:, 16] += g2.sum(axis=1)
        g1 = (second[:, :16].T @ g2) * (z1 > 0)
        into_first[:, :2] += g1 @ X
        into_first[:, 2] += g1.sum(axis=1)
        return float(loss), gradient

    return step


def jax_by_hand() -> Step:
    """The step on arrays, differentiated and compiled by JAX; ImportError without JAX."""
    import jax
    import jax.numpy as jnp

    numbers = np.array([p.data for p in model().parameters()])

    def loss(p: Any, X: Any, y: Any) -> Any:
        first, second, third = _weights(p)
        h1 = jnp.maximum(first[:, :2] @ X.T + first[:, 2:], 0)
        h2 = jnp.maximum(second[:, :16] @ h1 + second[:, 16:], 0)
        margin = 1 - y * (third[:16] @ h2 + third[16])
        return jnp.maximum(margin, 0).mean() + L2 * (p @ p)

    both = jax.jit(jax.value_and_grad(loss))

    def step(X: Any, y: Any) -> tuple[float, Any]:
        with jax.enable_x64(True):
            value, gradient = both(numbers, X, y)
            return float(value), np.asarray(gradient)

    return step


def engines() -> dict[str, Step]:
    """All that can run here, by name."""
    found = {"NumPy by hand": numpy_by_hand(), "compiled, numpy": by_scalars("numpy")}
    try:
        found |= {"JAX by hand": jax_by_hand(), "compiled, jax": by_scalars("jax")}
    except ImportError as reason:
        print(f"skipped JAX: {reason}")
    return found


def compare(samples: int, rounds: int, steps: dict[str, Step]) -> None:
    """Print the times for one length of the batch, once all engines agree."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(samples, 2))
    y = np.sign(X[:, 0])
    expected = steps["NumPy by hand"](X, y)
    for name, step in steps.items():
        value, gradient = step(X, y)
        if not np.allclose(value, expected[0]) or not np.allclose(gradient, expected[1]):
            raise SystemExit(f"{name} computes something else")
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step(X, y)
            times[name].append(1e6 * (time.perf_counter() - start))
    for name, each in times.items():
        print(f"{samples:>8,}  {name:<18} {min(each):>10,.0f} {statistics.median(each):>10,.0f}")


def cost(name: str, f: Callable[[Any], Any], inputs: int) -> None:
    """Print what tracing and planning a function of so many inputs takes, for each node."""
    start = time.perf_counter()
    graph = trace(lambda leaves: [f(leaves)], [], inputs)
    traced = time.perf_counter()
    program = plan(graph, batched=True)
    planned = time.perf_counter()
    per_node = [1e6 * each / graph.size for each in (traced - start, planned - traced)]
    print(
        f"{name:<28} {graph.size:>9,} {per_node[0]:>8.2f} {per_node[1]:>8.2f} "
        f"{len(program.instructions):>9,}"
    )


def chain(length: int) -> Callable[[Any], Any]:
    """A function of one operation after the other."""

    def run(x: Any) -> Any:
        y = x[0]
        for _ in range(length):
            y = (y * 1.0001).tanh()
        return y

    return run


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--quick", action="store_true", help="small batches, few rounds")
    options = parser.parse_args()
    steps = engines()
    print(f"{'samples':>8}  {'standard step':<18} {'minimum':>10} {'median':>10}  us")
    for samples in (1, 100) if options.quick else (1, 100, 1_000, 10_000):
        rounds = 3 if options.quick else max(20, options.rounds // (1 + samples // 1_000))
        compare(samples, rounds, steps)
    size = 1_000 if options.quick else 100_000
    print(f"\n{'us for each node':<28} {'nodes':>9} {'trace':>8} {'plan':>8} {'instr.':>9}")
    cost("sum of exp(x * x)", lambda x: sum((a * a).exp() for a in x), size)
    network = MLP(*((8, [4, 2]) if options.quick else (784, [128, 10])))
    cost(
        "network",
        lambda x: sum(each.exp() for each in network(x)).log(),
        len(network.layers[0].neurons[0].w),
    )
    cost("chain", chain(size // 10), 1)


if __name__ == "__main__":
    main()
