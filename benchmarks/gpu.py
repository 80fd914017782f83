"""Time compiled programs on JAX against JAX written by hand, on JAX's accelerator.

    python benchmarks/gpu.py              # at most five minutes; --quick for a few samples

Value and gradient in float64 of the standard step, a network of 101,770 parameters, a GPT and
bundle adjustment, and six greeks. All arguments are on the device; a program returns its results as
NumPy arrays, so JAX is also timed with its results fetched. All results are compared before
anything is timed. Without an accelerator, everything runs on the processor, with smaller sizes.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

if __name__ == "__main__":  # so that `benchmarks` can be imported
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks import gpt, greeks, step
from benchmarks.timing import Effort, Engine, Run, compare, print_times
from examples.gpt import GPT
from micrograd import Value, compile, cos, sin, sqrt  # noqa: A004
from nn import MLP
from nn.functional import log_softmax


class Sizes(NamedTuple):
    """The number of samples of each workload; the greeks are at as many points."""

    step: int
    digits: int
    gpt: int
    greeks: int
    bundle: int


ACCELERATOR = Sizes(100_000, 1_024, 256, 1_000_000, 1_000_000)
PROCESSOR = Sizes(10_000, 64, 32, 100_000, 100_000)
QUICK = Sizes(10, 4, 2, 20, 20)


class Workload(NamedTuple):
    """A workload: a compiled program, the same computation written for JAX, and their arguments.

    `parameters` holds the numbers of the parameters. It is None if the gradient is taken with
    respect to the arguments, or if no gradient is taken. `hand` takes the parameters, if any,
    followed by the arguments.
    """

    title: str
    program: Any
    parameters: Any
    hand: Callable[..., Any]
    arguments: Sequence[Any]
    gradient: bool = True


# ------------------------------------------------------------------------------------ the workloads


def standard_step(jax: Any, samples: int) -> Workload:
    """The standard step."""
    network = step.model()
    parameters = network.parameters()
    return Workload(
        f"standard step, {samples:,} samples",
        _compiled(partial(step.sample_loss, network, parameters), parameters),
        step.start(),
        partial(step.array_loss, jax.nn.relu),
        step.points(samples),
    )


def digits(jax: Any, samples: int) -> Workload:
    """A network 784-128-10 with cross-entropy."""
    random.seed(1)
    network = MLP(784, [128, 10], activation="relu")
    parameters = network.parameters()
    generator = np.random.default_rng(0)
    pictures, classes = generator.random((samples, 784)), generator.integers(0, 10, samples)

    def loss(x: Any, y: Any) -> Any:
        scores: Any = network(x)
        return -sum(a * b for a, b in zip(log_softmax(scores), y, strict=True))

    def by_hand(p: Any, x: Any, y: Any) -> Any:
        first, second = p[: 128 * 785].reshape(128, 785), p[128 * 785 :].reshape(10, 129)
        hidden = jax.nn.relu(x @ first[:, :784].T + first[:, 784])
        scores = hidden @ second[:, :128].T + second[:, 128]
        return -(jax.nn.log_softmax(scores) * y).sum(-1).mean()

    return Workload(
        f"MLP 784-128-10, {samples:,} samples",
        _compiled(loss, parameters),
        np.array([p.data for p in parameters]),
        by_hand,
        (pictures, np.eye(10)[classes]),
    )


def documents(jax: Any, samples: int, model: GPT) -> Workload:
    """The GPT of the examples."""
    library = gpt.Library(jax.nn.relu, jax.nn.softmax, jax.nn.log_softmax, gpt.future(model))
    parameters = model.parameters()
    return Workload(
        f"GPT, {len(parameters):,} parameters, {samples} documents",
        _compiled(model.loss, parameters),
        gpt.start(model),
        partial(gpt.array_loss, model, library),
        gpt.some(samples, len(model.position)),
    )


def options(jax: Any, points: int) -> Workload:
    """The price of an option and its greeks; by hand, derivatives at one point, mapped over all."""
    arguments, by_hand = greeks.points(points), greeks.jax_derivatives()
    return Workload(
        f"price and five greeks, {points:,} points",
        compile(greeks.scalars, batched=True, backend="jax"),
        None,
        lambda *at: by_hand(*at)(),
        arguments,
        gradient=False,
    )


def projected(library: Any, camera: Any, point: Any, seen: Any) -> Any:
    """The squared distance, in a picture, of a projected point from where it was seen.

    The camera has a rotation vector, a translation, a focal length and two coefficients of radial
    distortion, as in the data of Agarwal, Snavely, Seitz and Szeliski, "Bundle adjustment in the
    large" (2010).
    """
    x, y, z = point
    angle = library.sqrt(camera[0] ** 2 + camera[1] ** 2 + camera[2] ** 2 + 1e-12)
    a, b, c = (each / angle for each in camera[:3])
    cosine, sine = library.cos(angle), library.sin(angle)
    along = (a * x + b * y + c * z) * (1 - cosine)
    right = x * cosine + (b * z - c * y) * sine + a * along + camera[3]
    up = y * cosine + (c * x - a * z) * sine + b * along + camera[4]
    far = z * cosine + (a * y - b * x) * sine + c * along + camera[5]
    u, v = -right / far, -up / far
    radius = u * u + v * v
    scale = camera[6] * (1 + radius * (camera[7] + camera[8] * radius))
    return (scale * u - seen[0]) ** 2 + (scale * v - seen[1]) ** 2


def bundle(jax: Any, samples: int) -> Workload:
    """Bundle adjustment: the error of each observation, and its gradient."""
    draw = np.random.default_rng(0).normal
    center = [0.0] * 5 + [-5.0, 500.0, 0.0, 0.0]
    spread = [0.3] * 3 + [1.0, 1.0, 0.1, 0.0, 0.01, 0.01]
    ours = SimpleNamespace(sqrt=sqrt, cos=cos, sin=sin)
    both = jax.value_and_grad(partial(projected, jax.numpy), argnums=(0, 1, 2))
    return Workload(
        f"bundle adjustment, {samples:,} observations",
        compile(partial(projected, ours), batched=True, backend="jax"),
        None,
        jax.jit(jax.vmap(both)),
        (
            draw(center, spread, (samples, 9)),
            draw(size=(samples, 3)),
            draw(scale=50.0, size=(samples, 2)),
        ),
    )


def _compiled(loss: Any, parameters: list[Value]) -> Any:
    return compile(loss, parameters, batched=True, backend="jax")


# ------------------------------------------------------------------------------------ the engines


def engines(jax: Any, work: Workload) -> Mapping[str, Engine]:
    """The program, JAX by hand with results fetched, and JAX by hand."""
    given = () if work.parameters is None else (work.parameters,)
    hand = jax.jit(jax.value_and_grad(work.hand)) if given else work.hand

    def compiled(*arguments: Any) -> Run:
        held, parameters = jax.device_put((arguments, work.parameters))
        if not work.gradient:
            return lambda: work.program(*held)
        return lambda: _flat(work.program.value_and_grad(*held, parameters=parameters))

    def by_hand(fetched: bool, *arguments: Any) -> Run:
        held = jax.device_put((*given, *arguments))
        if fetched:
            return lambda: [np.array(each) for each in _flat(hand(*held))]
        return lambda: jax.block_until_ready(_flat(hand(*held)))

    return {
        "compiled, jax": compiled,
        "JAX by hand, fetched": partial(by_hand, True),
        "JAX by hand": partial(by_hand, False),
    }


def _flat(found: Any) -> list[Any]:
    return [each for part in found for each in (part if isinstance(part, tuple) else (part,))]


def workloads(jax: Any, sizes: Sizes, model: GPT) -> Iterator[Workload]:
    """Yield the workloads one at a time, because each takes a lot of memory."""
    yield standard_step(jax, sizes.step)
    yield digits(jax, sizes.digits)
    yield documents(jax, sizes.gpt, model)
    yield options(jax, sizes.greeks)
    yield bundle(jax, sizes.bundle)


def main() -> None:
    """Print the tables that the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="rounds (default 20)")
    parser.add_argument("--quick", action="store_true", help="a few samples, three rounds")
    options = parser.parse_args()
    try:
        import jax
    except ImportError as error:
        raise SystemExit(f"this benchmark needs JAX: {error}") from error
    jax.config.update("jax_enable_x64", True)
    device = jax.devices()[0]
    print(f"JAX {jax.__version__} on {device.device_kind} ({device.platform})")
    sizes = PROCESSOR if device.platform == "cpu" else ACCELERATOR
    if device.platform == "cpu":
        print("no accelerator: smaller sizes, on the processor")
    model = gpt.small() if options.quick else gpt.full()
    effort = Effort(3 if options.quick else options.rounds, 4.0)
    for work in workloads(jax, QUICK if options.quick else sizes, model):
        print_times(work.title, compare(engines(jax, work), work.arguments, effort))


if __name__ == "__main__":
    main()
