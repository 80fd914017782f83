"""Second derivatives by differences of the function itself.

A rule may be right at the point and wrong beside it, or hide its own derivative. The derivative of
such a gradient agrees with differences of that gradient, but not with those of the function.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence

from micrograd.engine.value import Value
from micrograd.ops import Operation
from micrograd.testing.blame import Judge
from micrograd.testing.differences import Estimate, Function
from micrograd.testing.noise import level_beside
from micrograd.testing.recording import Subject
from micrograd.testing.report import Problem
from micrograd.testing.rounding import Rounding
from micrograd.testing.witnesses import Probe, reverse

_SCALES = (1.0, 0.0773, 0.00647)  # no ratio of two is a power of two, lest both step in a period
_LEVELS = range(3, 10)
_SHARP = 0.05  # an error, relative to the second derivative, up to which an estimate counts

Derivative = Callable[[dict[int, float]], Subject]  # in the direction of the weights


def wrong_curvature(subject: Subject, derivative: Derivative) -> tuple[int, Problem] | None:
    """The first input whose derivative has a wrong derivative, and what is wrong with it."""
    bent = _Bent(subject, derivative)
    suspected = list(range(len(subject.point)))
    problem = bent.problem(suspected)
    if problem is None:
        return None
    while len(suspected) > 1:
        half = suspected[: len(suspected) // 2]
        found = bent.problem(half)
        suspected = half if found else suspected[len(half) :]
        problem = found or problem
    return suspected[0], bent.problem(suspected) or problem


class _Bent:
    """A function whose second derivatives are compared with its second differences."""

    def __init__(self, subject: Subject, derivative: Derivative) -> None:
        self.subject, self.derivative = subject, derivative
        self.judge = Judge()
        self.recording = subject.record(subject.point)
        self.probe = Probe(subject, self.recording, self.judge.observer)
        noise = Rounding(self.recording, self.judge.balls).value_error
        if any(node.is_by_hand for node in self.recording.nodes):
            noise = max(noise, level_beside(self.probe.line(self._direction(1)), 0.0, 1.0))
        self.noise = noise + 2.0**-53 * abs(self.recording.value)

    def problem(self, inputs: Sequence[int]) -> Problem | None:
        """What is wrong with the derivatives for these inputs."""
        if not math.isfinite(self.noise) or self.recording.root is None or self._is_singular():
            return None
        steps = self._direction(3)
        first = {index: steps[index] for index in inputs}
        second = self._direction(4)
        along = self.derivative(first)
        recording = along.record(along.point)
        slopes = reverse(along, recording, Value.backward)
        bounds = Rounding(recording, self.judge.balls).gradient_errors()
        got = sum(slopes[index] * step for index, step in second.items())
        bound = 2 * sum(bounds[index] * abs(step) for index, step in second.items())
        if not math.isfinite(got + bound):
            return None
        found = [
            estimate
            for scale in _SCALES
            if (estimate := self._mixed(first, second, scale)) is not None
            and estimate.error <= _SHARP * max(abs(estimate.value), abs(got))
        ]
        if len(found) < 2 or not _agree(found):
            return None
        best = min(found, key=lambda estimate: estimate.error)
        if not all(abs(got - each.value) > each.error + bound for each in found):
            return None
        name = self.subject.function_name
        return Problem(
            f"{along.function_name}: its derivative, the second derivative of {name}, is {got!r} in"
            f" a random direction, but differences of {name} itself say {best.value!r} ±"
            f" {best.error:.0e}: a rule is right at the point, but not beside it",
            None,
            got,
            best.value,
            best.error + bound,
            "difference",
        )

    def _is_singular(self) -> bool:
        """Whether a slope is a convention, whose derivative says nothing."""
        return any(
            isinstance(node.row, Operation)
            and self.judge.is_singular(node.row, node.numbers, node.moving)
            for node in self.recording.nodes
        )

    def _mixed(
        self, first: Mapping[int, float], second: Mapping[int, float], scale: float
    ) -> Estimate | None:
        """The second derivative in two directions, by those in their sum and difference."""
        found = []
        for sign in (1, -1):
            together = {i: first.get(i, 0.0) + sign * step for i, step in second.items()}
            estimate = second_derivative(self.probe.line(together), self.noise, scale)
            if estimate is None:
                return None
            found.append(estimate)
        value = (found[0].value - found[1].value) / 4
        return Estimate(value, (found[0].error + found[1].error) / 4)

    def _direction(self, seed: int) -> dict[int, float]:
        rng = random.Random(seed)  # noqa: S311 (a direction, no secret)
        return {
            index: rng.choice((-1, 1)) * rng.uniform(0.5, 1) * (abs(x) or 1.0)
            for index, x in enumerate(self.subject.point)
        }


def _agree(found: Sequence[Estimate]) -> bool:
    first = found[0]
    return all(
        abs(first.value - other.value) <= first.error + other.error + 1e-6 * abs(first.value)
        for other in found
    )


def second_derivative(line: Function, noise: float, scale: float) -> Estimate | None:
    """The second derivative of a function at 0, by central differences at steps that halve."""
    value, branches = line(0.0)
    best: Estimate | None = None
    above: list[float] = []
    for level in _LEVELS:
        h = scale * 2.0**-level
        (ahead, its), (behind, others) = line(h), line(-h)
        bend = (ahead - 2 * value + behind) / (h * h)
        if its != branches or others != branches or not math.isfinite(bend):
            above = []
            continue
        blur = (4 * noise + 2.0**-52 * max(abs(ahead), abs(behind))) / (h * h)
        row = [bend]
        for j, coarser in enumerate(above):
            row.append(row[j] + (row[j] - coarser) / (4.0 ** (j + 1) - 1))
            change = max(abs(row[j + 1] - row[j]), abs(row[j + 1] - coarser))
            estimate = Estimate(row[j + 1], 2 * change + 4 * blur, h)
            if change <= 1e-3 * abs(estimate.value) + 4 * blur:
                best = min(best or estimate, estimate, key=lambda each: each.error)
        above = row
    return best
