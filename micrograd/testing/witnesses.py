"""The witnesses of a gradient: independent methods to find a derivative.

| witness | what it trusts |
|---|---|
| reverse | the local partials, and the engine's backward pass |
| forward | the local partials, and tangents that are pushed from the inputs |
| difference | only the function: its values near the point |
| complex step | only the formulas, on complex numbers |
| exact | only the formulas, on fractions |
| series (`series.py`) | the local partials, as formulas; for derivatives of order 2 and higher |

A witness that has nothing to say is silent and says why.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from micrograd.engine.value import Value, gradients_kept
from micrograd.testing.arithmetic import (
    FLOATS,
    Arithmetic,
    Dual,
    NotApplicable,
    Observer,
    complex_numbers,
    dual_fractions,
    exactly,
    has_room,
)
from micrograd.testing.differences import Estimate, PiecewiseFunction, Slopes, differentiate
from micrograd.testing.recording import Branches, Direction, Recording, Subject
from micrograd.transforms.propagation import push

INDEPENDENT = {"difference", "complex step", "exact"}  # of the local partials
ERRORS = (NotApplicable, ArithmeticError, ValueError)

_WORK = 300_000  # operations that a witness may replay for single inputs; beyond, it is silent
_REMEMBERED = 128  # runs of the function


@dataclass
class Statement:
    """What a witness says of single inputs: an estimate for each (None: nothing), or its silence.

    `sides` has the derivatives from both sides of a kink, by the number of the input.
    """

    name: str
    found: list[Estimate | None]
    silent: str = ""
    sides: dict[int, Slopes] = field(default_factory=dict)


class Witness(ABC):
    """A method to find the derivative of a recorded function in a direction.

    Args:
        subject: the function.
        recording: its graph at the point.
        kink: the operation at a kink there, if any.
    """

    name: str

    def __init__(self, subject: Subject, recording: Recording, kink: str) -> None:
        self.subject, self.recording, self.kink = subject, recording, kink

    @abstractmethod
    def along(self, direction: Direction) -> Estimate:
        """The derivative in a direction; NotApplicable if the witness has nothing to say."""

    def heard(self, indices: Sequence[int]) -> Statement:
        """What it says of single inputs."""
        found: list[Estimate | None] = [None] * len(self.subject.point)
        try:
            if len(indices) * len(self.recording.values) > _WORK:
                raise NotApplicable("the graph is too large to replay it for every input")
            for index in indices:
                found[index] = self.along({index: 1.0})
        except ERRORS as reason:
            return Statement(self.name, [], str(reason) or type(reason).__name__)
        return Statement(self.name, found)


# ------------------------------------------------------------------------------ reverse and forward


def reverse(
    subject: Subject, recording: Recording, backward: Callable[[Value], Any] = Value.backward
) -> list[float]:
    """The gradient by a backward pass; the `.grad` of what outlives the check is put back."""
    with gradients_kept([*(subject.parameters or ()), *recording.external]):
        for value in recording.inputs:
            value.grad = 0.0
        if recording.root is not None:
            backward(recording.root)
        recording.gradient = [float(value.grad) for value in recording.inputs]
    return recording.gradient


class Forward(Witness):
    """The engine's forward mode."""

    name = "forward"

    def along(self, direction: Direction) -> Estimate:
        """The tangent of the output."""
        recording = self.recording
        tangents = {recording.inputs[index]: step for index, step in direction.items()}
        outputs = [recording.root] if recording.root is not None else [0.0]
        try:
            (tangent,) = push(recording.values, outputs, tangents, symbolic=False)
        except TypeError:
            raise NotApplicable("a _backward written by hand has no forward mode") from None
        return Estimate(float(tangent), 0.0)


# -------------------------------------------------------------------------------------- differences


class Probe:
    """The function near the point: its values, and the branches taken there.

    The latest runs are remembered. Numbers that `detach` passes on are held constant, by replaying
    the graph, unless it was a rule that detached them: such a rule hides its own derivative.
    """

    def __init__(self, subject: Subject, recording: Recording, observer: Observer) -> None:
        self.subject, self.recording, self.observer = subject, recording, observer
        self.holds = bool(recording.frozen) and not recording.is_by_hand and subject.frozen > 0
        self.run = lru_cache(_REMEMBERED)(self._run)

    def _run(self, moved: tuple[tuple[int, float], ...]) -> tuple[list[float], Branches | None]:
        """The value of every node with some inputs elsewhere, and the branches."""
        recording, places = self.recording, self.recording.places
        point = list(self.subject.point)
        for index, x in moved:
            point[index] = x
        found = self.subject.tried(point)
        if found is None:
            return [math.nan], None
        if self.holds and any(places[index] is not None for index, _ in moved):
            given = {index: point[index] for index, place in enumerate(places) if place is not None}
            values = recording.replay(FLOATS, given)
            free = recording.replay(FLOATS, given, detached=False)
            theirs = found.branches(self.observer)
            if theirs != recording.branches(self.observer, free):
                return values, theirs
            # What moves although the graph does not hold it moves here, too.
            outside = found.value - free[-1]
            values[-1] += outside if math.isfinite(outside) else 0.0
            return values, recording.branches(self.observer, values)
        values = [value.data for value in found.values] or [found.value]
        return values, found.branches(self.observer)

    def at(self, direction: Direction, h: float) -> tuple[list[float], Branches | None]:
        """The value of every node, and the branches, after a step in a direction."""
        point = self.subject.point
        return self.run(tuple((i, point[i] + h * step) for i, step in direction.items()))

    def line(self, direction: Direction) -> PiecewiseFunction:
        """The function on the line through the point in a direction."""

        def function(h: float) -> tuple[float, Branches | None]:
            values, branches = self.at(direction, h)
            return values[-1], branches

        return function

    def along(self, index: int, node: int = -1) -> PiecewiseFunction:
        """A node (by default the output) as a function of one input."""

        def function(x: float) -> tuple[float, Branches | None]:
            values, branches = self.run(((index, x),))
            if -len(values) <= node < len(values):
                return values[node], branches
            return math.nan, None

        return function


def differences(probe: Probe, indices: Iterable[int], noise: float, eps: float | None) -> Statement:
    """The derivatives for single inputs by differences of the function."""
    statement = Statement("difference", [None] * len(probe.subject.point))
    for index in indices:
        slopes = differentiate(probe.along(index), probe.subject.point[index], noise, eps)
        statement.found[index] = slopes.estimate
        if slopes.is_kink:
            statement.sides[index] = slopes
    return statement


# --------------------------------------------------------------------- complex step, and fractions


def complex_derivative(f: Callable[[complex], complex], x: float) -> Estimate:
    """f'(x) by two complex steps, whose difference shows what the steps leave out."""
    slopes = []
    for relative in (2.0**-66, 2.0**-73):
        h = max(min(abs(x), 1.0) * relative, 2.0**-900) if x else relative
        image = f(complex(x, h))
        slopes.append(image.imag / h)
        if not math.isfinite(image.real) or not math.isfinite(slopes[-1]):
            raise NotApplicable("a number that is not finite")
    if abs(slopes[0] - slopes[1]) > 1e-3 * abs(slopes[1]):
        raise NotApplicable("two complex steps disagree")
    error = 2 * abs(slopes[0] - slopes[1]) + 2.0**-49 * abs(slopes[1]) + 5e-324 / h * 64
    return Estimate(slopes[1], error)


class _Replayed(Witness):
    """The graph in another arithmetic."""

    numbers: Callable[[], Arithmetic]

    @cached_property
    def arithmetic(self) -> Arithmetic:
        """The arithmetic."""
        return self.numbers()

    def along(self, direction: Direction) -> Estimate:
        """The derivative, unless the point is at a kink."""
        if self.kink:
            raise NotApplicable(f"the point is at a kink of {self.kink}")
        places = self.recording.places
        reached = {i: step for i, step in direction.items() if places[i] is not None}
        return self._replayed(reached) if reached else Estimate(0.0, 0.0)

    @abstractmethod
    def _replayed(self, direction: Direction) -> Estimate: ...


class ComplexStep(_Replayed):
    """The graph on complex numbers, the inputs moved by a tiny imaginary step."""

    name, numbers = "complex step", staticmethod(complex_numbers)

    def _replayed(self, direction: Direction) -> Estimate:
        if not has_room(value.data for value in self.recording.values):
            raise NotApplicable("numbers too large or small for a tiny imaginary part")
        point = self.subject.point

        def function(z: complex) -> complex:
            given = {i: complex(point[i], z.imag * step) for i, step in direction.items()}
            return complex(self.recording.replay(self.arithmetic, given)[-1])

        (first, *others) = direction
        return complex_derivative(function, 1.0 if others else point[first])


class Exact(_Replayed):
    """The graph on fractions with their derivatives."""

    name, numbers = "exact", staticmethod(dual_fractions)

    def _replayed(self, direction: Direction) -> Estimate:
        point = self.subject.point
        given = {i: Dual(exactly(point[i]), exactly(step)) for i, step in direction.items()}
        slope = self.recording.replay(self.arithmetic, given)[-1].slope
        try:
            return Estimate(float(slope), abs(float(slope)) * 2.0**-53)
        except OverflowError:
            raise NotApplicable("a derivative beyond the range of floats") from None


# ------------------------------------------------------------------------------- Taylor's remainder


def taylor_order(f: PiecewiseFunction, slope: float, scale: float, noise: float) -> float | None:
    """The order in h of |f(h) - f(0) - h·slope|: 2 for the true slope, 1 for a wrong one.

    None if rounding hides it, or if the remainder is nothing but rounding.
    """
    start, branches = f(0.0)
    remainders: list[float] = []
    orders: list[float] = []
    for level in range(4, 40):
        h = scale * 2.0**-level
        value, there = f(h)
        remainder = abs(value - start - h * slope)
        if there != branches or not math.isfinite(remainder):
            remainders.clear()
            continue
        if remainder < 1e4 * (noise + 2.0**-53 * (abs(value) + abs(start) + abs(h * slope))):
            break
        if remainders and remainder:
            orders.append(math.log2(remainders[-1] / remainder))
        remainders.append(remainder)
    return orders[-1] if orders else None
