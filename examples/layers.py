"""Layers of well-known networks, each a short function on arrays.

python -m examples.layers

Attention, layer normalization, a convolution and an LSTM cell are written with NumPy's `@` and `*`
and with the operations of this package. The same functions run on numbers, are differentiated with
respect to every array, and compile. The claim is that the compiled program gives the same values
and gradients; that they are PyTorch's is shown by `tests/test_layers_example.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from micrograd import (
    compile,  # noqa: A004
    mean,
    relu,
    sigmoid,
    softmax,
    sqrt,
    tanh,
    value_and_grad,
    var,
)

from ._training import Result, report

Layer = Callable[..., Any]


def attention(Q: Any, K: Any, V: Any) -> Any:
    """Scaled dot-product attention: each query averages the values, weighted by similar keys.

    Args:
        Q: queries, an array (queries, width).
        K: keys, an array (keys, width).
        V: values, an array (keys, width of the result).
    """
    return softmax(Q @ K.T / np.sqrt(Q.shape[1])) @ V


def layer_norm(x: Any, gain: Any, bias: Any) -> Any:
    """Layer normalization: each row of `x` gets the mean 0 and the variance 1, then is scaled."""
    centred = x - mean(x, axis=-1)[:, None]
    return gain * centred / sqrt(var(x, axis=-1) + 1e-5)[:, None] + bias


def convolution(image: Any, kernel: Any, bias: Any) -> Any:
    """A 2-D convolution without padding, followed by relu.

    Args:
        image: an array (channels, height, width).
        kernel: an array (channels of the result, channels, rows, columns).
        bias: one number for each channel of the result.
    """
    channels, _, rows, columns = kernel.shape
    height, width = image.shape[1] - rows + 1, image.shape[2] - columns + 1
    patches = [
        image[:, i : i + rows, j : j + columns].ravel() for i in range(height) for j in range(width)
    ]
    found = kernel.reshape(channels, -1) @ np.array(patches).T + bias[:, None]
    return relu(found).reshape(channels, height, width)


def lstm_cell(x: Any, h: Any, c: Any, W: Any, U: Any, b: Any) -> Any:
    """A step of a long short-term memory: the new output and the new memory.

    Args:
        x: the input.
        h: the previous output.
        c: the previous memory.
        W: weights of the input: input, forget, cell and output gate one below another.
        U: weights of the previous output, in the same order.
        b: biases, in the same order.
    """
    i, f, g, o = np.split(W @ x + U @ h + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


# Each layer, and the shapes of its arguments.
LAYERS: dict[Layer, list[tuple[int, ...]]] = {
    attention: [(3, 4), (5, 4), (5, 2)],
    layer_norm: [(3, 4), (4,), (4,)],
    convolution: [(2, 5, 5), (3, 2, 3, 3), (3,)],
    lstm_cell: [(3,), (2,), (2,), (8, 3), (8, 2), (8,)],
}


def inputs(layer: Layer) -> list[Any]:
    """Fixed numbers for the arguments of a layer."""
    generator = np.random.default_rng(0)
    return [generator.normal(size=shape).round(2) for shape in LAYERS[layer]]


def loss_of(layer: Layer) -> Layer:
    """The mean cube of all results of a layer, as one number to differentiate."""
    return lambda *args: mean(np.array(layer(*args)) ** 3)


def run() -> Result:
    """Run and compile each layer; the claim is that both agree to 1e-12."""
    numbers: dict[str, float] = {}
    lines = []
    for layer in LAYERS:
        args = inputs(layer)
        loss, gradients = value_and_grad(loss_of(layer), range(len(args)))(*args)
        result = np.array(layer(*args))
        program = compile(layer, backend="numpy")
        again = compile(loss_of(layer), backend="numpy").value_and_grad(*args)
        pairs = [(result, program(*args)), (loss, again[0]), *zip(gradients, again[1], strict=True)]
        difference = max(float(np.abs(x - np.array(y)).max()) for x, y in pairs)
        numbers[layer.__name__] = difference
        lines += [
            f"{layer.__name__}: {result.size} numbers from {sum(x.size for x in args)}",
            f"  result    {_shown(result)}",
            f"  gradient  {_shown(gradients[0])}",
            f"  compiled, all values and derivatives agree within {difference:.0e}",
        ]
    return Result(numbers, lines, max(numbers.values()) <= 1e-12)


def _shown(array: Any) -> str:
    """The first numbers of an array."""
    return "".join(f"{x:9.5f}" for x in array.ravel()[:4]) + (" …" if array.size > 4 else "")


if __name__ == "__main__":
    raise SystemExit(report(run()))
