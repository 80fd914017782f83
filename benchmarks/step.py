"""The standard step by every engine: one network, one loss, its gradient.

MLP 2-16-16-1 with relu, max-margin loss and L2 over a batch of points; loss and gradient of the 337
parameters, in float64.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.eager import CACHE, find_peers
from benchmarks.timing import Effort, Engine, Run, Times, available, compare, print_times
from micrograd import compile  # noqa: A004
from nn import MLP

SIZES = 2, [16, 16, 1]
L2 = 1e-4
MOST = {"eager Value": 1_000, "Karpathy's micrograd": 100}
"""The largest batches of the engines that would take minutes or recurse too deeply."""


def model(network: type[Any] = MLP) -> Any:
    """The network, always with the same weights."""
    random.seed(1337)
    return network(*SIZES)


def start() -> Any:
    """The values of its parameters."""
    return np.array([p.data for p in model().parameters()])


def points(samples: int) -> tuple[Any, Any]:
    """Random points, and the class of each, -1 or 1."""
    x = np.random.default_rng(0).normal(size=(samples, 2))
    return x, np.sign(x[:, 0])


def weights(numbers: Any) -> tuple[Any, Any, Any]:
    """The three layers in an array of parameters: for each neuron, its weights, then its bias."""
    return numbers[:48].reshape(16, 3), numbers[48:320].reshape(16, 17), numbers[320:]


# ------------------------------------------------------------------------------------- in scalars


def sample_loss(network: Any, parameters: Sequence[Any], x: Any, y: Any) -> Any:
    """The loss of one sample."""
    return (1 - y * network(x)).relu() + L2 * sum(p * p for p in parameters)


def compiled(backend: str) -> Engine:
    """The loss of one sample, compiled."""
    network, numbers = model(), start()
    parameters = network.parameters()
    program = compile(
        partial(sample_loss, network, parameters), parameters, batched=True, backend=backend
    )
    return lambda x, y: lambda: program.value_and_grad(x, y, parameters=numbers)


def scalars(network: type[Any] = MLP) -> Engine:
    """Karpathy's notebook: a new graph of the whole batch in each step."""
    built = model(network)
    parameters = built.parameters()

    def step(pairs: Sequence[Any]) -> tuple[float, list[float]]:
        losses = [(1 + -yi * built(xi)).relu() for xi, yi in pairs]
        loss = sum(losses) * (1.0 / len(losses)) + L2 * sum(p * p for p in parameters)
        built.zero_grad()
        loss.backward()
        return loss.data, [p.grad for p in parameters]

    return lambda x, y: partial(step, list(zip(x.tolist(), y.tolist(), strict=True)))


def karpathy() -> Engine:
    """The same with Karpathy's release, which pip installs into a separate folder."""
    peers, missing = find_peers(CACHE)
    if "karpathy" not in peers:
        raise ImportError(missing["karpathy"])
    with instead_of_ours(peers["karpathy"]):
        return scalars(import_module("micrograd.nn").MLP)


@contextmanager
def instead_of_ours(folder: Path) -> Iterator[None]:
    """Within the context, `micrograd` is imported from that folder."""

    def take() -> dict[str, Any]:
        names = [name for name in sys.modules if name.partition(".")[0] == "micrograd"]
        return {name: sys.modules.pop(name) for name in names}

    ours = take()
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        take()
        sys.modules.update(ours)


# -------------------------------------------------------------------------------------- on arrays


def numpy_by_hand() -> Engine:
    """Forwards and backwards."""
    numbers = start()

    def step(x: Any, y: Any) -> tuple[float, Any]:
        first, second, third = weights(numbers)
        z1 = first[:, :2] @ x.T + first[:, 2:]
        h1 = np.maximum(z1, 0)
        z2 = second[:, :16] @ h1 + second[:, 16:]
        h2 = np.maximum(z2, 0)
        margin = 1 - y * (third[:16] @ h2 + third[16])
        loss = np.maximum(margin, 0).mean() + L2 * (numbers @ numbers)
        gradient = 2 * L2 * numbers
        into_first, into_second, into_third = weights(gradient)
        g = -y * (margin > 0) / len(y)
        into_third[:16] += h2 @ g
        into_third[16] += g.sum()
        g2 = np.outer(third[:16], g) * (z2 > 0)
        into_second[:, :16] += g2 @ h1.T
        into_second[:, 16] += g2.sum(axis=1)
        g1 = (second[:, :16].T @ g2) * (z1 > 0)
        into_first[:, :2] += g1 @ x
        into_first[:, 2] += g1.sum(axis=1)
        return float(loss), gradient

    return lambda x, y: partial(step, x, y)


def array_loss(relu: Any, p: Any, x: Any, y: Any) -> Any:
    """The loss on arrays, with the `relu` of a library that differentiates it."""
    first, second, third = weights(p)
    h1 = relu(first[:, :2] @ x.T + first[:, 2:])
    h2 = relu(second[:, :16] @ h1 + second[:, 16:])
    margin = 1 - y * (third[:16] @ h2 + third[16])
    return relu(margin).mean() + L2 * (p @ p)


def jax_jit() -> Engine:
    """Differentiated and compiled by JAX."""
    import jax

    return jax_step(partial(array_loss, jax.nn.relu), start())


def jax_step(loss: Any, numbers: Any) -> Engine:
    """Value and gradient of a loss by JAX, which must be set to float64."""
    import jax

    both = jax.jit(jax.value_and_grad(loss))

    def engine(*arguments: Any) -> Run:
        held = jax.device_put((numbers, *arguments))
        return lambda: jax.block_until_ready(both(*held))

    return engine


def torch_step(loss: Any, numbers: Any) -> Engine:
    """Value and gradient of a loss by PyTorch, on one thread."""
    import torch

    torch.set_num_threads(1)
    p = torch.tensor(numbers, requires_grad=True)

    def engine(*arguments: Any) -> Run:
        tensors = list(map(torch.from_numpy, arguments))

        def step() -> tuple[float, Any]:
            value = loss(p, *tensors)
            (gradient,) = torch.autograd.grad(value, p)
            return value.item(), gradient.numpy()

        return step

    return engine


def torch_eager() -> Engine:
    """Differentiated by PyTorch."""
    import torch

    return torch_step(partial(array_loss, torch.relu), start())


def torch_compiled() -> Engine:
    """Compiled by PyTorch."""
    import torch

    loss = torch_compile(partial(array_loss, torch.relu))
    return torch_step(loss, start())


def torch_compile(loss: Any) -> Any:
    """A loss, compiled by PyTorch; ImportError if that does not work."""
    import torch

    compiled = torch.compile(loss, dynamic=False)
    try:
        torch.compile(torch.cos)(torch.zeros(3))
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise ImportError(f"torch.compile does not work here ({reason})") from error
    return compiled


# --------------------------------------------------------- symbols of other compilers of scalars


def symbolic_loss(relu: Any, p: Sequence[Any], x: Sequence[Any], y: Any) -> Any:
    """The loss of one sample, written for symbols."""
    p, signal = list(p), list(x)
    for width, activation in ((16, relu), (16, relu), (1, None)):
        size = len(signal) + 1
        rows = [p[i * size : (i + 1) * size] for i in range(width)]
        p = p[width * size :]
        sums = [sum(w * s for w, s in zip(row, signal, strict=False)) + row[-1] for row in rows]
        signal = [activation(each) for each in sums] if activation else sums
    return relu(1 - y * signal[0])


def casadi_map() -> Engine:
    """A function of one sample, mapped over the batch by CasADi's virtual machine."""
    import casadi

    numbers = start()
    p, x, y = casadi.SX.sym("p", len(numbers)), casadi.SX.sym("x", 2), casadi.SX.sym("y")
    loss = symbolic_loss(
        lambda z: casadi.fmax(z, 0), casadi.vertsplit(p), casadi.vertsplit(x), y
    ) + L2 * casadi.dot(p, p)
    one = casadi.Function("step", [p, x, y], [loss, casadi.gradient(loss, p)])

    def engine(x: Any, y: Any) -> Run:
        mapped = one.map("batch", "serial", len(y), [0], [0, 1])
        arguments = [casadi.DM(each) for each in (numbers, x.T, y[None])]

        def step() -> tuple[float, Any]:
            loss, gradient = mapped(*arguments)
            return float(loss) / len(y), gradient.full()[:, 0] / len(y)

        return step

    return engine


def ddx_compiled() -> Engine:
    """A function of one sample, compiled by ddx through LLVM; NumPy sums the results."""
    import ddx

    numbers = start()

    @ddx.equation
    def one() -> Any:
        p = [ddx.var(f"p{i}") for i in range(len(numbers))]
        x, y = [ddx.param("x0"), ddx.param("x1")], ddx.param("y")
        loss = symbolic_loss(lambda z: ddx.max(z, 0.0), p, x, y)
        return loss + L2 * sum(each * each for each in p)

    def engine(x: Any, y: Any) -> Run:
        repeated = np.tile(numbers[:, None], len(y))
        call = one.compile(points=len(y)).buffer(np.concatenate([repeated, x.T, y[None]]))

        def step() -> tuple[float, Any]:
            call()
            return float(np.mean(call.value)), call.jacobian.mean(axis=-1)

        return step

    return engine


# -------------------------------------------------------------------------------------- the table

PEERS = {
    "PyTorch eager": torch_eager,
    "torch.compile": torch_compiled,
    "JAX jit": jax_jit,
    "CasADi map": casadi_map,
    "ddx": ddx_compiled,
    "eager Value": scalars,
    "Karpathy's micrograd": karpathy,
}


def engines(backends: Sequence[str], peers: bool) -> dict[str, Engine]:
    """All engines that can run here; the first, written by hand, is the reference."""
    ours = {f"compiled, {backend}": compiled(backend) for backend in backends}
    return {"NumPy by hand": numpy_by_hand(), **ours, **available(PEERS if peers else {})}


def measure(
    engines: Mapping[str, Engine], sizes: Sequence[int], effort: Effort
) -> dict[int, dict[str, Times]]:
    """Print and return the times for each batch size."""
    tables = {}
    for samples in sizes:
        chosen = {
            name: engine for name, engine in engines.items() if samples <= MOST.get(name, samples)
        }
        tables[samples] = compare(chosen, points(samples), effort)
        print_times(f"standard step, {samples:,} samples", tables[samples])
    return tables


def plot(tables: Mapping[int, Mapping[str, Times]], path: Path) -> None:
    """Plot the minima against the batch size."""
    from matplotlib import color_sequences
    from matplotlib.figure import Figure

    figure = Figure((10, 6), layout="constrained")
    axes = figure.subplots()
    dark_and_light = color_sequences["tab20"]
    axes.set_prop_cycle(color=dark_and_light[::2] + dark_and_light[1::2])
    names = dict.fromkeys(name for times in tables.values() for name in times)
    for name in names:
        sizes = [samples for samples, times in tables.items() if name in times]
        minima = [tables[samples][name].minimum for samples in sizes]
        style = "o-" if name.startswith("compiled") else "s--"
        axes.loglog(sizes, minima, style, label=name, linewidth=2 if style == "o-" else 1)
    axes.set(xlabel="samples", ylabel="seconds", title="MLP 2-16-16-1: loss and gradient")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    figure.savefig(path)
    print(f"wrote {path}")
