"""A GPT of scalars: 4,192 numbers that learn to write names.

python -m examples.gpt [--steps N] [--batch N] [--seed N] [--temperature X] [--backend NAME]

The network behind the large language models, in the smallest size that shows every part: letters
become vectors (embeddings), each position looks back at the earlier ones (attention), a small
network processes what was found (MLP), and the logits say which letter is likely to come next.

The code is written for one name, number by number. `compile` traces it once and runs it over
batches of names; letters are encoded as ones and zeros, so that one program serves every name.

It learns from `assets/names.txt`, the 2,000 most frequent given names in the United States census
of 1990, which are in the public domain.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from importlib import resources
from operator import add
from string import ascii_lowercase
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from micrograd import Value, compile, maximum  # noqa: A004
from nn.optimizers import Adam

from ._common import dot

ALPHABET = ascii_lowercase + "\n"
BOUNDARY = ALPHABET.index("\n")  # stands before a name and after it

Numbers = Sequence[Any]  # a vector of Values or floats
Matrix = Sequence[Numbers]  # rows

# --------------------------------------------------------------------------------- the model


class GPT(NamedTuple):
    """The parameters, and the number of attention heads."""

    token: Matrix  # embeddings: a vector for each token, and one for each position
    position: Matrix
    query: Matrix
    key: Matrix
    value: Matrix
    output: Matrix
    up: Matrix
    down: Matrix
    head: Matrix
    heads: int

    def parameters(self) -> list[Value]:
        """All parameters, matrix by matrix and row by row."""
        return [p for matrix in self[:-1] for row in matrix for p in row]

    def logits(self, tokens: Matrix) -> Matrix:
        """For each position a score of every token as the next; tokens are one-hot rows."""
        embedding = columns(self.token)  # times a one-hot vector, this is the row of the token
        embedded = [linear(embedding, token) for token in tokens]
        xs = [rmsnorm(plus(x, p)) for x, p in zip(embedded, self.position, strict=False)]
        xs = [plus(x, y) for x, y in zip(xs, self.attention(map(rmsnorm, xs)), strict=True)]
        xs = [plus(x, self.mlp(rmsnorm(x))) for x in xs]
        return [linear(self.head, x) for x in xs]

    def attention(self, xs: Iterable[Numbers]) -> Iterator[Numbers]:
        """What each position gathers from itself and the earlier ones, in each head separately."""
        keys, values = [], []
        for x in xs:
            keys.append(split(linear(self.key, x), self.heads))
            values.append(split(linear(self.value, x), self.heads))
            queries = split(linear(self.query, x), self.heads)
            parts = map(attend, queries, columns(keys), columns(values))
            yield linear(self.output, [number for part in parts for number in part])

    def mlp(self, x: Numbers) -> Numbers:
        """What a position computes from what it has gathered."""
        return linear(self.down, [h.relu() for h in linear(self.up, x)])

    def loss(self, tokens: Matrix, targets: Matrix, mask: Numbers) -> Any:
        """The mean cross-entropy over the positions where the mask is 1."""
        losses = map(cross_entropy, self.logits(tokens), targets)
        return dot(mask, losses) / reduce(add, mask)


def attend(query: Numbers, keys: Matrix, values: Matrix) -> Numbers:
    """The mean of the values, each weighted by how well its key fits the query."""
    weights = softmax([dot(query, key) / len(query) ** 0.5 for key in keys])
    return [dot(weights, column) for column in columns(values)]


def softmax(logits: Numbers) -> Numbers:
    """Positive numbers that add up to 1 and are proportional to exp(logit)."""
    shift = largest(logits)
    exponentials = [(logit - shift).exp() for logit in logits]
    total = reduce(add, exponentials)
    return [each / total for each in exponentials]


def cross_entropy(logits: Numbers, target: Numbers) -> Any:
    """-log softmax(logits)[target], for a one-hot target."""
    shift = largest(logits)
    total = reduce(add, [(logit - shift).exp() for logit in logits])
    return total.log() + shift - dot(target, logits)


def largest(logits: Numbers) -> Any:
    """The largest logit, detached, since softmax does not change if all logits are shifted."""
    return reduce(maximum, [logit.detach() for logit in logits])


def rmsnorm(x: Numbers) -> Numbers:
    """The vector divided by its root mean square."""
    scale = (dot(x, x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def linear(matrix: Matrix, x: Numbers) -> Numbers:
    """Matrix times vector."""
    return [dot(row, x) for row in matrix]


def plus(x: Numbers, y: Numbers) -> Numbers:
    """The sum of two vectors."""
    return [xi + yi for xi, yi in zip(x, y, strict=True)]


def split(x: Numbers, count: int) -> Matrix:
    """The vector in `count` equal parts."""
    size = len(x) // count
    return [x[start : start + size] for start in range(0, len(x), size)]


def columns(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The columns of a matrix."""
    return list(zip(*rows, strict=True))


# ------------------------------------------------------------------------------ the training


def untrained(
    generator: np.random.Generator, *, context: int = 16, width: int = 16, heads: int = 4
) -> GPT:
    """A network of small random numbers."""

    def matrix(rows: int, columns: int) -> Matrix:
        return [[Value(p) for p in row] for row in generator.normal(0, 0.08, (rows, columns))]

    return GPT(
        token=matrix(len(ALPHABET), width),
        position=matrix(context, width),
        query=matrix(width, width),
        key=matrix(width, width),
        value=matrix(width, width),
        output=matrix(width, width),
        up=matrix(4 * width, width),
        down=matrix(width, 4 * width),
        head=matrix(len(ALPHABET), width),
        heads=heads,
    )


class Documents(NamedTuple):
    """Names as arrays with a row for each name: one-hot tokens, one-hot targets, and a mask."""

    tokens: Any
    targets: Any
    mask: Any

    def some(self, chosen: Any) -> Documents:
        """The names with these indices."""
        return Documents(*(array[chosen] for array in self))


def documents(names: Sequence[str], context: int) -> Documents:
    """Put each name between two boundaries and pad it with zeros; longer names are cut off."""
    tokens = np.zeros((len(names), context + 1, len(ALPHABET)))
    mask = np.zeros((len(names), context))
    for i, name in enumerate(names):
        written = list(map(ALPHABET.index, f"\n{name}\n"))[: context + 1]
        tokens[i, range(len(written)), written] = 1
        mask[i, : len(written) - 1] = 1
    return Documents(tokens[:, :-1], tokens[:, 1:], mask)


def train(
    model: GPT,
    names: Sequence[str],
    generator: np.random.Generator,
    *,
    steps: int,
    batch: int = 32,
    rate: float = 0.02,
    backend: str = "auto",
) -> Iterator[float]:
    """Train by Adam, at a learning rate that falls to 0, and yield the loss of each step.

    When a loss is yielded, the parameters have already been updated.
    """
    parameters, data = model.parameters(), documents(names, len(model.position))
    program = compile(model.loss, parameters, batched=True, backend=backend)
    optimizer = Adam(parameters, lr=rate, betas=(0.9, 0.99))
    numbers = np.array([p.data for p in parameters])
    for step in range(1, steps + 1):
        chosen = data.some(generator.integers(len(names), size=batch))
        loss, gradient = program.value_and_grad(*chosen, parameters=numbers)
        optimizer.lr = rate * (1 - step / steps)
        numbers = optimizer.update(numbers, gradient)
        for parameter, number in zip(parameters, numbers.tolist(), strict=True):
            parameter.data = number
        yield loss


def sample(
    model: GPT,
    generator: np.random.Generator,
    *,
    count: int,
    temperature: float = 0.5,
    backend: str = "auto",
) -> list[str]:
    """Write new names, letter by letter; at temperature 0, always take the likeliest letter."""
    program = compile(model.logits, model.parameters(), batched=True, backend=backend)
    tokens = np.zeros((count, len(model.position) + 1, len(ALPHABET)))
    tokens[:, 0, BOUNDARY] = 1
    for t in range(len(model.position)):
        logits = np.transpose(program(tokens[:, :-1])[t])
        noise = generator.gumbel(size=logits.shape)  # the largest sum is a draw from softmax
        drawn = (logits + temperature * noise).argmax(axis=1)
        tokens[range(count), t + 1, drawn] = 1
    texts = ("".join(ALPHABET[i] for i in row) for row in tokens[:, 1:].argmax(axis=2))
    return [text.partition("\n")[0] for text in texts]


def known_names() -> list[str]:
    """The names that the network learns from."""
    text = (resources.files(__package__) / "assets" / "names.txt").read_text(encoding="utf-8")
    return text.split()


def main() -> None:
    """Train a network, print its loss as it falls, and let it write names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=32, help="names per step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--temperature", type=float, default=0.5, help="0: no randomness")
    parser.add_argument("--backend", default="auto", help="backend of `compile`")
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    names, model = known_names(), untrained(generator)
    print(f"{len(names):,} names, {len(model.parameters()):,} parameters")
    start = perf_counter()
    losses = train(
        model,
        names,
        generator,
        steps=options.steps,
        batch=options.batch,
        backend=options.backend,
    )
    for step, loss in enumerate(losses, 1):
        if step in (1, options.steps) or step % max(1, options.steps // 10) == 0:
            print(f"step {step:>5}   loss {loss:.3f}   {perf_counter() - start:5.1f} s")
    written = sample(
        model,
        generator,
        count=20,
        temperature=options.temperature,
        backend=options.backend,
    )
    print(", ".join(name if name in names else f"{name}*" for name in written))
    print("* is not among the names that it has learned from")


if __name__ == "__main__":
    main()
