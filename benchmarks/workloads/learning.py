"""Networks: training steps, layers, and derivatives of higher order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import micrograd
from benchmarks.workloads.workload import Workload, both, workload
from micrograd import grad, hessian, hvp, log_softmax, logsumexp, relu, scan, sigmoid, softmax, take


def weights(draw: Any, *widths: int) -> tuple[Any, ...]:
    """The weights and biases of a network, one layer after the other."""
    layers = []
    for inputs, outputs in pairwise(widths):
        layers += [draw.normal(0, inputs**-0.5, (outputs, inputs)), draw.normal(0, 0.1, outputs)]
    return tuple(layers)


def network(activation: Callable[..., Any], layers: tuple[Any, ...], x: Any) -> Any:
    """The outputs of a multilayer perceptron."""
    *hidden, w, b = layers
    for u, c in zip(hidden[::2], hidden[1::2], strict=True):
        x = activation(u @ x + c)
    return w @ x + b


# -------------------------------------------------------------------------------- training steps


@workload("MLP 784-128-10, batch 32", 784, 128, 10, 32, small=(6, 5, 3, 4))
def digits(draw: Any, *sizes: int) -> Workload:
    """Cross-entropy of a classifier."""
    *widths, samples = sizes

    def ours(*args: Any) -> Any:
        *layers, x, target = args
        return -sum(target * log_softmax(network(relu, tuple(layers), x)))

    def theirs(*args: Any) -> Any:
        *layers, x, target = args
        return -jnp.dot(target, jax.nn.log_softmax(network(jax.nn.relu, tuple(layers), x)))

    one_hot = np.eye(widths[-1])[draw.integers(0, widths[-1], samples)]
    x = draw.normal(size=(samples, widths[0]))
    return Workload(ours, theirs, (x, one_hot), weights(draw, *widths), batched=True)


@workload("MLP 64-64-64-1, batch 10,000", 64, 64, 64, 1, 10_000, small=(4, 5, 3, 1, 6))
def regression(draw: Any, *sizes: int) -> Workload:
    """Mean square error of a regression."""
    *widths, samples = sizes

    def loss(m: Any, *args: Any) -> Any:
        *layers, x, y = args
        return (network(m.tanh, tuple(layers), x)[0] - y) ** 2

    data = draw.normal(size=(samples, widths[0])), draw.normal(size=samples)
    return Workload(*both(loss), data, weights(draw, *widths), batched=True)


@workload("MLP 128-128-1, input gradient", 128, small=(4,))
def saliency(draw: Any, width: int) -> Workload:
    """Gradient of the output of a network with respect to its input, for one input."""
    layers = weights(draw, width, width, 1)

    def output(m: Any, x: Any) -> Any:
        return network(m.tanh, layers, x)[0]

    return Workload(*both(output), (draw.normal(size=width),))


@workload("logistic regression 100 x 20", 100, 20, small=(6, 3))
def logistic(draw: Any, samples: int, features: int) -> Workload:
    """Loss of a small data set, written as for an external optimizer."""
    x, y = draw.normal(size=(samples, features)), draw.choice([-1.0, 1.0], samples)

    def ours(w: Any) -> Any:
        return micrograd.mean(micrograd.softplus(-y * (x @ w))) + 0.01 * (w @ w)

    def theirs(w: Any) -> Any:
        return jnp.mean(jax.nn.softplus(-y * (x @ w))) + 0.01 * (w @ w)

    return Workload(ours, theirs, (draw.normal(size=features),))


@workload("softmax temperature 1,000 x 10", 1_000, 10, small=(5, 3))
def temperature(draw: Any, samples: int, classes: int) -> Workload:
    """Calibration of a classifier by one parameter."""

    def ours(log_t: Any, logits: Any, target: Any) -> Any:
        scaled = logits * micrograd.exp(-log_t)
        return logsumexp(scaled) - target @ scaled

    def theirs(log_t: Any, logits: Any, target: Any) -> Any:
        scaled = logits * jnp.exp(-log_t)
        return jax.nn.logsumexp(scaled) - target @ scaled

    one_hot = np.eye(classes)[draw.integers(0, classes, samples)]
    logits = draw.normal(0, 3, (samples, classes))
    return Workload(ours, theirs, (logits, one_hot), (0.3,), batched=True)


# ---------------------------------------------------------------------------------------- layers


@workload("attention, 16 tokens of 16", 16, 16, small=(3, 2))
def attention(draw: Any, tokens: int, width: int) -> Workload:
    """Self-attention of one sequence, differentiated with respect to weights and tokens."""

    def layer(soft: Callable[..., Any], wq: Any, wk: Any, wv: Any, x: Any) -> Any:
        q, k, v = x @ wq, x @ wk, x @ wv
        return ((soft(q @ k.T / width**0.5) @ v) ** 2).sum()

    matrices = draw.normal(0, width**-0.5, (3, width, width))
    return Workload(
        lambda *args: layer(softmax, *args),
        lambda *args: layer(jax.nn.softmax, *args),
        (*matrices, draw.normal(size=(tokens, width))),
    )


@workload("layer norm MLP 32-64-32, batch 1,000", 32, 64, 1_000, small=(4, 3, 5))
def layer_norm(draw: Any, width: int, hidden: int, samples: int) -> Workload:
    """The feed-forward block of a transformer."""

    def block(m: Any, activation: Any, gain: Any, shift: Any, *args: Any) -> Any:
        *layers, x = args
        normal = gain * (x - m.mean(x)) / m.sqrt(m.var(x) + 1e-5) + shift
        return ((x + network(activation, tuple(layers), normal)) ** 2).sum()

    parameters = np.ones(width), np.zeros(width), *weights(draw, width, hidden, width)
    return Workload(
        lambda *args: block(micrograd, micrograd.gelu, *args),
        lambda *args: block(jnp, lambda z: jax.nn.gelu(z, approximate=False), *args),
        (draw.normal(size=(samples, width)),),
        parameters,
        batched=True,
    )


@workload("CNN 8x8, batch 64", 8, 4, 10, 64, small=(5, 2, 3, 2))
def convolution(draw: Any, side: int, channels: int, classes: int, samples: int) -> Workload:
    """A convolution of 3 x 3, relu, and a dense layer, with cross-entropy."""
    places = [(i, j) for i in range(side - 2) for j in range(side - 2)]

    def ours(kernel: Any, bias: Any, w: Any, b: Any, image: Any, target: Any) -> Any:
        patches = np.array([image[i : i + 3, j : j + 3].ravel() for i, j in places])
        h = relu(patches @ kernel.T + bias)
        return -sum(target * log_softmax(w @ h.ravel() + b))

    def theirs(kernel: Any, bias: Any, w: Any, b: Any, image: Any, target: Any) -> Any:
        h = jax.lax.conv(image[None, None], kernel.reshape(-1, 1, 3, 3), (1, 1), "VALID")[0]
        h = jax.nn.relu(jnp.moveaxis(h, 0, 2).reshape(-1, channels) + bias)
        return -jnp.dot(target, jax.nn.log_softmax(w @ h.ravel() + b))

    kernels = draw.normal(0, 1 / 3, (channels, 9)), draw.normal(0, 0.1, channels)
    dense = weights(draw, channels * len(places), classes)
    one_hot = np.eye(classes)[draw.integers(0, classes, samples)]
    images = draw.normal(size=(samples, side, side))
    return Workload(ours, theirs, (images, one_hot), (*kernels, *dense), batched=True)


@workload("embedding of 1,000 tokens, batch 1,000", 1_000, 16, 1_000, small=(12, 3, 5))
def embedding(draw: Any, tokens: int, width: int, samples: int) -> Workload:
    """A dense layer on entries of a table, differentiated with respect to both."""

    def theirs(table: Any, w: Any, token: Any, target: Any) -> Any:
        h = jnp.tanh(w @ table[jnp.round(token).astype(int)])
        return ((h - target) ** 2).sum()

    def ours(table: Any, w: Any, token: Any, target: Any) -> Any:
        return ((np.tanh(w @ take(table, token)) - target) ** 2).sum()

    drawn = draw.integers(0, tokens, samples).astype(float)
    parameters = draw.normal(size=(tokens, width)), draw.normal(0, width**-0.5, (width, width))
    arguments = drawn, draw.normal(size=(samples, width))
    return Workload(ours, theirs, arguments, parameters, batched=True)


def _recurrent(
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    gates: int,
    state: int,
    draw: Any,
    *sizes: int,
) -> Workload:
    steps, width, samples = sizes

    def loss(loop: Callable[..., Any], cell: Callable[..., Any], *args: Any) -> Any:
        w, u, b, xs = args
        start = (np.zeros(width),) * state
        last, _ = loop(lambda each, x: (cell(each, x, w, u, b), 0.0), start, xs)
        return (last[0] ** 2).sum()

    shapes = (gates * width, width), (gates * width, width), (gates * width,)
    return Workload(
        lambda *args: loss(scan, ours, *args),
        lambda *args: loss(jax.lax.scan, theirs, *args),
        (draw.normal(size=(samples, steps, width)),),
        tuple(draw.normal(0, width**-0.5, shape) for shape in shapes),
        batched=True,
    )


@workload("LSTM of 16, 20 steps, batch 64", 20, 16, 64, small=(3, 2, 4))
def lstm(draw: Any, *sizes: int) -> Workload:
    """A long short-term memory."""

    def cell(sigma: Any, m: Any, split: Any, state: Any, x: Any, w: Any, u: Any, b: Any) -> Any:
        h, c = state
        i, f, g, o = split(w @ x + u @ h + b, 4)
        c = sigma(f) * c + sigma(i) * m.tanh(g)
        return sigma(o) * m.tanh(c), c

    return _recurrent(
        lambda *args: cell(sigmoid, micrograd, np.split, *args),
        lambda *args: cell(jax.nn.sigmoid, jnp, jnp.split, *args),
        4,
        2,
        draw,
        *sizes,
    )


@workload("GRU of 16, 20 steps, batch 64", 20, 16, 64, small=(3, 2, 4))
def gru(draw: Any, *sizes: int) -> Workload:
    """A gated recurrent unit."""

    def cell(sigma: Any, m: Any, split: Any, state: Any, x: Any, w: Any, u: Any, b: Any) -> Any:
        (h,) = state
        from_x, from_h = split(w @ x + b, 3), split(u @ h, 3)
        r, z = sigma(from_x[0] + from_h[0]), sigma(from_x[1] + from_h[1])
        return ((1 - z) * m.tanh(from_x[2] + r * from_h[2]) + z * h,)

    return _recurrent(
        lambda *args: cell(sigmoid, micrograd, np.split, *args),
        lambda *args: cell(jax.nn.sigmoid, jnp, jnp.split, *args),
        3,
        1,
        draw,
        *sizes,
    )


# ------------------------------------------------------------------------------- second derivatives


@workload("PINN 1-16-16-1, 100 points", 16, 100, small=(3, 4))
def physics(draw: Any, width: int, points: int) -> Workload:
    """A network trained to solve u'' = -u: the square of the residual, differentiated again."""

    def residual(m: Any, d: Callable[..., Any], *args: Any) -> Any:
        *layers, t = args

        def u(t: Any) -> Any:
            first, c, *others = layers
            return network(m.tanh, tuple(others), m.tanh(first[:, 0] * t + c))[0]

        return (d(d(u))(t) + u(t)) ** 2

    return Workload(
        lambda *args: residual(micrograd, grad, *args),
        lambda *args: residual(jnp, jax.grad, *args),
        (np.linspace(0, 6, points),),
        weights(draw, 1, width, width, 1),
        batched=True,
    )


def _small_network(draw: Any, *widths: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    layers = weights(draw, *widths)
    return both(lambda m, x: network(m.tanh, layers, x)[0])


@workload("HVP of an MLP 64-32-32-1", 64, 32, small=(4, 3))
def curvature(draw: Any, inputs: int, width: int) -> Workload:
    """The Hessian of a network's output times a vector."""
    ours, theirs = _small_network(draw, inputs, width, width, 1)
    return Workload(
        lambda x, v: hvp(ours, x, v),
        lambda x, v: jax.jvp(jax.grad(theirs), (x,), (v,))[1],
        (draw.normal(size=inputs), draw.normal(size=inputs)),
        gradient=False,
    )


@workload("Hessian of an MLP 8-16-16-1", 8, 16, small=(3, 2))
def one_hessian(draw: Any, inputs: int, width: int) -> Workload:
    """The Hessian of a network's output with respect to one input."""
    ours, theirs = _small_network(draw, inputs, width, width, 1)
    return Workload(
        lambda x: hessian(ours)(x), jax.hessian(theirs), (draw.normal(size=inputs),), gradient=False
    )


@workload("Hessian of an MLP 8-16-16-1, 256 inputs", 8, 16, 256, small=(3, 2, 4))
def many_hessians(draw: Any, inputs: int, width: int, samples: int) -> Workload:
    """The Hessian for each of many inputs."""
    at = draw.normal(size=(samples, inputs))
    return one_hessian(draw, inputs, width)._replace(arguments=(at,), batched=True)
