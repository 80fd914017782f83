"""Cameras, arms, pictures and qubits: rotations and projections."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import micrograd
from benchmarks.workloads.loops import jax_repeat
from benchmarks.workloads.workload import Workload, both, workload
from micrograd import jacobian, repeat


@workload("bundle adjustment, 100,000 observations", 100_000, small=(3,))
def bundle_adjustment(draw: Any, observations: int) -> Workload:
    """The error of a projection: slopes of a camera (rotation, place, lens) and a point."""

    def error(m: Any, turn: Any, place: Any, lens: Any, point: Any, seen: Any) -> Any:
        a, b, c = turn
        angle = m.sqrt(a * a + b * b + c * c)
        sine, rest = m.sin(angle) / angle, (1 - m.cos(angle)) / (angle * angle)
        x, y, z = point
        along = rest * (a * x + b * y + c * z)
        cosine = m.cos(angle)
        px = cosine * x + sine * (b * z - c * y) + along * a + place[0]
        py = cosine * y + sine * (c * x - a * z) + along * b + place[1]
        pz = cosine * z + sine * (a * y - b * x) + along * c + place[2]
        u, v = -px / pz, -py / pz
        r2 = u * u + v * v
        scale = lens[0] * (1 + lens[1] * r2 + lens[2] * r2 * r2)
        return (scale * u - seen[0]) ** 2 + (scale * v - seen[1]) ** 2

    n = observations
    arguments = (
        draw.normal(0, 0.3, (n, 3)),
        draw.normal(0, 0.1, (n, 3)) - [0, 0, 5],
        draw.normal([1, 0, 0], 0.05, (n, 3)),
        draw.normal(0, 0.5, (n, 3)),
        draw.normal(0, 0.1, (n, 2)),
    )
    return Workload(*both(error), arguments, batched=True)


def _hand(m: Any, q: Any) -> list[Any]:
    """The position of the hand of an arm whose joints turn about z and y alternately."""
    x, y, z = 0.0, 0.0, 0.0
    for i in reversed(range(len(q))):
        cosine, sine = m.cos(q[i]), m.sin(q[i])
        z = z + 0.3
        if i % 2:
            x, z = cosine * x + sine * z, cosine * z - sine * x
        else:
            x, y = cosine * x - sine * y, sine * x + cosine * y
    return [x, y, z]


@workload("7-joint arm Jacobian", 7, small=(3,))
def arm(draw: Any, joints: int) -> Workload:
    """The Jacobian of the hand with respect to the angles of the joints."""
    return Workload(
        lambda q: jacobian(partial(_hand, micrograd))(q),
        jax.jacrev(lambda q: jnp.array(_hand(jnp, q))),
        (draw.normal(size=joints),),
        gradient=False,
    )


@workload("7-joint arm Jacobian, 10,000 poses", 7, 10_000, small=(3, 4))
def arms(draw: Any, joints: int, poses: int) -> Workload:
    """The Jacobian of the hand at many poses."""
    at = draw.normal(size=(poses, joints))
    return arm(draw, joints)._replace(arguments=(at,), batched=True)


def _distance(m: Any, p: Any, scene: Any) -> Any:
    """The signed distance to a sphere that is blended with the ground."""
    x, y, z = p
    ball = m.sqrt(x * x + (y - scene[0]) ** 2 + z * z) - scene[1]
    ground = y + 1
    h = m.clip(0.5 + 0.5 * (ground - ball) / scene[2], 0.0, 1.0)
    return ground * (1 - h) + ball * h - scene[2] * h * (1 - h)


@workload("SDF march, 24 steps of 4,096 rays", 24, 4_096, small=(3, 4))
def march(draw: Any, steps: int, rays: int) -> Workload:
    """How far rays travel before they hit a surface, and the mean slopes of the scene."""

    def depth(m: Any, loop: Callable[..., Any], scene: Any, direction: Any) -> Any:
        dx, dy, dz = direction

        def step(t: Any) -> Any:
            return t + _distance(m, (dx * t, dy * t, dz * t - 3), scene)

        return loop(step, 0.0, steps)

    rays_ = draw.normal([0, -0.2, 1], [0.2, 0.2, 0], (rays, 3))
    return Workload(
        lambda *args: depth(micrograd, repeat, *args),
        lambda *args: depth(jnp, jax_repeat, *args),
        (rays_ / np.linalg.norm(rays_, axis=1)[:, None],),
        (np.array([0.2, 1.0, 0.3]),),
        batched=True,
    )


@workload("render 256 x 256", 256, small=(3,))
def render(draw: Any, side: int) -> Workload:
    """The error of a shaded ball in a picture: slopes of its place, size and light."""

    def error(m: Any, scene: Any, x: Any, y: Any, seen: Any) -> Any:
        cx, cy, radius, light = scene
        u, v = (x - cx) / radius, (y - cy) / radius
        inside = 1 - u * u - v * v
        edge = 1 / (1 + m.exp(-20 * inside))
        normal = m.sqrt(m.maximum(inside, 0.0) + 1e-3)
        shade = m.maximum(u * m.cos(light) + v * m.sin(light) + normal, 0.0)
        return (edge * (0.2 + 0.8 * shade) - seen) ** 2

    x, y = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    return Workload(
        *both(error),
        (x.ravel(), y.ravel(), draw.uniform(0, 1, side * side)),
        (np.array([0.1, -0.2, 0.7, 0.5]),),
        batched=True,
    )


@workload("circuit of 3 qubits, 3 layers", 3, 3, small=(2, 1))
def circuit(draw: Any, qubits: int, layers: int) -> Workload:
    """The expected value of a circuit, differentiated with respect to its angles."""
    size = 2**qubits
    bits = np.arange(size)

    def expected(m: Any, array: Any, angles: Any) -> Any:
        real, imaginary = array([1.0] + [0.0] * (size - 1)), array([0.0] * size)
        for layer in angles:
            for qubit, (about_y, about_z) in enumerate(layer):
                flipped, up = bits ^ (1 << qubit), (bits >> qubit & 1) * 2 - 1
                c, s = m.cos(about_y / 2), m.sin(about_y / 2)
                real = c * real + s * up * real[flipped]
                imaginary = c * imaginary + s * up * imaginary[flipped]
                c, s = m.cos(about_z / 2), up * m.sin(about_z / 2)
                real, imaginary = c * real - s * imaginary, c * imaginary + s * real
            for qubit in range(qubits - 1):
                swapped = np.where(bits >> qubit & 1, bits ^ (1 << qubit + 1), bits)
                real, imaginary = real[swapped], imaginary[swapped]
        sign = 1 - 2 * (bits & 1)
        return (sign * (real * real + imaginary * imaginary)).sum()

    return Workload(
        lambda angles: expected(micrograd, np.array, angles),
        lambda angles: expected(jnp, jnp.array, angles),
        (draw.normal(size=(layers, qubits, 2)),),
    )
