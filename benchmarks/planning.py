"""The cost of tracing and planning a function, per node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np

from examples.gpt import untrained
from micrograd.compiler.planning.planner import plan
from micrograd.compiler.tracing.tracer import trace
from nn import MLP

Function = Callable[[Any], Any]


def wide_sum(x: Any) -> Any:
    """Many operations side by side, and one long sum."""
    return sum((xi * xi).exp() for xi in x)


def left_sum(x: Any) -> Any:
    """The sum `((x0 + x1) + x2) + …`."""
    total = x[0]
    for xi in x[1:]:
        total = total + xi
    return total


def right_sum(x: Any) -> Any:
    """The sum `x0 + (x1 + (x2 + …))`."""
    total = x[-1]
    for xi in reversed(x[:-1]):
        total = xi + total
    return total


def recurrence(x: Any) -> Any:
    """A state that each number updates."""
    state = x[0]
    for xi in x[1:]:
        state = (0.5 * state + xi).tanh()
    return state


def chain(length: int) -> Function:
    """A chain of operations."""

    def run(x: Any) -> Any:
        y = x[0]
        for _ in range(length // 2):
            y = (y * 1.0001).tanh()
        return y

    return run


def classifier(*sizes: int) -> Function:
    """A network with cross-entropy; the sizes are inputs, hidden neurons and classes."""
    network = MLP(sizes[0], list(sizes[1:]))

    def run(x: Any) -> Any:
        logits = network(x)
        return sum(logit.exp() for logit in logits).log() - logits[0]

    return run


def language_model(**sizes: int) -> tuple[Function, int]:
    """The GPT of the examples; tokens, targets and mask of its document are one list."""
    model = untrained(np.random.default_rng(0), **sizes)
    context, letters = len(model.position), len(model.token)

    def run(x: Any) -> Any:
        rows = [x[i * letters : (i + 1) * letters] for i in range(2 * context)]
        return model.loss(rows[:context], rows[context:], x[2 * context * letters :])

    return run, context * (2 * letters + 1)


def functions(size: int) -> Iterator[tuple[str, Function, int]]:
    """Names, functions and numbers of inputs, for about this many nodes."""
    yield "sum of exp(x * x)", wide_sum, size // 4
    yield "left-deep sum", left_sum, size // 2
    yield "right-deep sum", right_sum, size // 2
    yield "chain", chain(size), 1
    yield "recurrence", recurrence, size // 4


def models(quick: bool) -> Iterator[tuple[str, Function, int]]:
    """Networks, each of one size; small ones for `--quick`."""
    sizes = (8, 4, 2) if quick else (784, 128, 10)
    yield f"MLP {'-'.join(map(str, sizes))}, cross-entropy", classifier(*sizes), sizes[0]
    yield "GPT", *language_model(**({"context": 4, "width": 4, "heads": 2} if quick else {}))


def cost(name: str, f: Function, inputs: int) -> None:
    """Print the cost of one function."""
    start = perf_counter()
    graph = trace(lambda leaves: [f(leaves)], [], inputs)
    traced = perf_counter()
    program = plan(graph, batched=True)
    planned = perf_counter()
    each = [1e6 * seconds / graph.size for seconds in (traced - start, planned - traced)]
    print(
        f"  {name:<52} {graph.size:>12,} {each[0]:>12.2f} {each[1]:>12.2f} "
        f"{planned - start:>9.2f} {len(program.instructions):>13,}"
    )


def measure(sizes: list[int], quick: bool) -> None:
    """Print the table."""
    heads = ("nodes", "us: trace", "plan", "seconds", "instructions")
    print("\n{:<54} {:>12} {:>12} {:>12} {:>9} {:>13}".format("for each node", *heads))
    for size in sizes:
        for function in functions(size):
            cost(*function)
    for model in models(quick):
        cost(*model)
