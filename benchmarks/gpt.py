"""The GPT of `examples/gpt.py`: loss and gradient of one document, and of a batch of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.step import jax_step, torch_compile, torch_step
from benchmarks.timing import Effort, Engine, available, compare, print_times
from examples.gpt import GPT, documents, known_names, untrained
from micrograd import compile  # noqa: A004


def start(model: GPT) -> Any:
    """The values of the parameters."""
    return np.array([p.data for p in model.parameters()])


def some(samples: int, context: int) -> tuple[Any, ...]:
    """Documents that fill the context, or one without a batch axis if `samples` is 0."""
    letters = "".join(known_names())
    chunks = [letters[i * context : (i + 1) * context] for i in range(max(1, samples))]
    batch = documents(chunks, context)
    return tuple(array if samples else array[0] for array in batch)


def compiled(model: GPT, batched: bool, backend: str) -> Engine:
    """The model in scalars, compiled."""
    numbers = start(model)
    program = compile(model.loss, model.parameters(), batched=batched, backend=backend)
    return lambda *document: lambda: program.value_and_grad(*document, parameters=numbers)


def eager(model: GPT) -> Engine:
    """The model in scalars, as a new graph for each document."""
    parameters = model.parameters()

    def step(document: Sequence[Any]) -> tuple[float, list[float]]:
        for p in parameters:
            p.grad = 0.0
        loss = model.loss(*document)
        loss.backward()
        return loss.data, [p.grad for p in parameters]

    return lambda *document: partial(step, [array.tolist() for array in document])


# -------------------------------------------------------------------------------------- on arrays


class Library(NamedTuple):
    """The names that differ between JAX and PyTorch, and the mask that hides later positions."""

    relu: Any
    softmax: Any
    log_softmax: Any
    future: Any


def future(model: GPT) -> Any:
    """Minus infinity where a position would look at one after it, 0 elsewhere."""
    context = len(model.position)
    return np.triu(np.full((context, context), -np.inf), 1)


def array_loss(model: GPT, library: Library, p: Any, tokens: Any, targets: Any, mask: Any) -> Any:
    """The loss on arrays of JAX or PyTorch, of one document or of a batch."""
    shapes = [(len(matrix), len(matrix[0])) for matrix in model[:-1]]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    parts = [
        p[end - rows * columns : end].reshape(rows, columns)
        for end, (rows, columns) in zip(ends.tolist(), shapes, strict=True)
    ]
    token, position, query, key, value, output, up, down, head = parts

    def rmsnorm(x: Any) -> Any:
        return x * ((x * x).mean(-1)[..., None] + 1e-5) ** -0.5

    def split(x: Any) -> Any:
        return x.reshape(*x.shape[:-1], model.heads, -1).swapaxes(-2, -3)

    x = rmsnorm(tokens @ token + position)
    h = rmsnorm(x)
    q, k, v = (split(h @ matrix.T) for matrix in (query, key, value))
    fits = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
    gathered = library.softmax(fits + library.future, -1) @ v
    x = x + gathered.swapaxes(-2, -3).reshape(*x.shape) @ output.T
    x = x + library.relu(rmsnorm(x) @ up.T) @ down.T
    losses = -(library.log_softmax(x @ head.T, -1) * targets).sum(-1)
    return ((losses * mask).sum(-1) / mask.sum(-1)).mean()


def jax_jit(model: GPT) -> Engine:
    """Differentiated and compiled by JAX."""
    import jax

    library = Library(jax.nn.relu, jax.nn.softmax, jax.nn.log_softmax, future(model))
    return jax_step(partial(array_loss, model, library), start(model))


def torch_loss(model: GPT) -> Any:
    """The loss on tensors of PyTorch."""
    import torch

    hidden = torch.from_numpy(future(model))
    library = Library(torch.relu, torch.softmax, torch.log_softmax, hidden)
    return partial(array_loss, model, library)


def torch_eager(model: GPT) -> Engine:
    """Differentiated by PyTorch."""
    return torch_step(torch_loss(model), start(model))


def torch_compiled(model: GPT) -> Engine:
    """Compiled by PyTorch."""
    return torch_step(torch_compile(torch_loss(model)), start(model))


# -------------------------------------------------------------------------------------- the table

PEERS = {"PyTorch eager": torch_eager, "torch.compile": torch_compiled, "JAX jit": jax_jit}


def engines(model: GPT, peers: bool) -> dict[str, Engine]:
    """The peers that are installed."""
    return available({name: partial(make, model) for name, make in PEERS.items() if peers})


def measure(
    model: GPT, sizes: Sequence[int], backends: Sequence[str], peers: bool, effort: Effort
) -> None:
    """Print the tables for one document, and for batches of these sizes."""
    theirs = engines(model, peers)
    context = len(model.position)
    for samples in (0, *sizes):
        ours = {
            f"compiled, {backend}": compiled(model, samples > 0, backend) for backend in backends
        }
        scalars = {} if samples else {"eager Value": eager(model)}
        title = f"batch of {samples}" if samples else "one document"
        times = compare({**ours, **scalars, **theirs}, some(samples, context), effort)
        print_times(f"GPT, {len(start(model)):,} parameters, {context} tokens, {title}", times)


def small() -> GPT:
    """A small network, for `--quick`."""
    return untrained(np.random.default_rng(0), context=4, width=4, heads=2)


def full() -> GPT:
    """The network of the example."""
    return untrained(np.random.default_rng(0))
