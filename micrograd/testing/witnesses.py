"""Independent witnesses of a gradient: each finds the derivative for every input in its own way.

| witness | what it trusts |
|---|---|
| reverse | the local partials, and the engine's backward pass |
| forward | the local partials, and tangents that are pushed from the inputs |
| difference | only the function: its values near the point |
| complex step | only the formulas, on complex numbers |
| exact | only the formulas, on fractions |

A witness that has nothing to say is silent and says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from micrograd.engine import Value
from micrograd.ops import Operation
from micrograd.testing.branches import Observer
from micrograd.testing.complexes import complexes, has_room
from micrograd.testing.differences import Estimate, Slopes, differentiate
from micrograd.testing.exact import Series, fractions, series
from micrograd.testing.kinds import NotApplicable
from micrograd.testing.recording import FLOATS, Branches, Recording, Subject

MODES = ("reverse", "forward", "difference", "complex step", "exact", "taylor")
WORK = 300_000  # operations that a witness may replay; beyond, it is silent


@dataclass
class Witness:
    """What one witness says: an estimate per input (None: nothing), or why it is silent."""

    name: str
    found: list[Estimate | None]
    silent: str = ""


@dataclass
class Differences(Witness):
    """The witness of differences, which also knows the derivatives from both sides of a kink."""

    sides: list[Slopes] = field(default_factory=list)


# ------------------------------------------------------------------------------ reverse and forward


def reverse(
    subject: Subject, recording: Recording, backward: Callable[[Value], Any]
) -> list[float]:
    """The gradient by the engine's backward pass; all `.grad` of others is put back."""
    with subject.keeping_gradients(recording):
        for value in recording.inputs:
            value.grad = 0.0
        if recording.root is not None:
            backward(recording.root)
        recording.gradient = [float(value.grad) for value in recording.inputs]
    return recording.gradient


def forward(subject: Subject, recording: Recording) -> Witness:
    """The gradient by the forward mode, one input at a time."""
    try:
        with _within_reach(len(subject.point) * len(recording.nodes)):
            found = list(_pushed(subject, recording))
    except NotApplicable as reason:
        return Witness("forward", [], str(reason))
    return Witness("forward", [Estimate(slope, 0.0) for slope in found])


def _pushed(subject: Subject, recording: Recording) -> Iterator[float]:
    if any(node.is_by_hand and None in node.slopes for node in recording.nodes):
        raise NotApplicable("a _backward written by hand has no forward mode")
    if subject.parameters is None:
        from micrograd.transforms import jvp

        primals = subject.arguments(subject.point)
        for index in range(len(subject.point)):
            direction = [float(index == other) for other in range(len(subject.point))]
            try:
                tangent = jvp(subject.f, primals, subject.arguments(direction))[1]
            except TypeError as error:  # a _backward written by hand, below another output
                raise NotApplicable(str(error)) from None
            yield subject.chosen(tangent)
    else:
        for place in recording.places:
            yield 0.0 if place is None else _pushed_from(recording, place)


def _pushed_from(recording: Recording, start: int) -> float:
    """The tangent of the root for a tangent of 1 at one node, by the rows' partials afresh."""
    tangents: dict[int, float] = {start: 1.0}
    for index, node in enumerate(recording.nodes):
        if not any(place in tangents for place, _ in node.operands):
            continue
        slopes = node.slopes
        if isinstance(node.row, Operation):
            slopes = node.row.evaluate(*node.numbers)[1]
        shares = (
            slope * tangents[place]
            for (place, _), slope in zip(node.operands, slopes, strict=True)
            if place in tangents and slope is not None and tangents[place]
        )
        tangents[index] = sum(shares, 0.0)
    return tangents.get(len(recording.nodes) - 1, 0.0)


@contextmanager
def _within_reach(work: int) -> Iterator[None]:
    if work > WORK:
        raise NotApplicable("the graph is too large to replay it for every input")
    yield


# -------------------------------------------------------------------------------------- differences


class Probe:
    """The function along one input: its value and branches; runs are remembered.

    Numbers that `detach` passes on are held constant, by replaying the graph.
    """

    def __init__(self, subject: Subject, recording: Recording, observer: Observer) -> None:
        self.subject, self.recording, self.observer = subject, recording, observer
        frozen = any(node.is_frozen for node in recording.nodes)
        by_hand = any(node.is_by_hand for node in recording.nodes)
        self.replays = frozen and not by_hand
        self._known: dict[tuple[int, float], tuple[list[float], Branches]] = {}

    def run(self, index: int, x: float) -> tuple[list[float], Branches]:
        """The value of every node with input number `index` at x, and the branches."""
        if (index, x) not in self._known:
            if self.replays:
                values = self.recording.replay(FLOATS, {**self._rest, index: x})
                branches = self.recording.branches(self.observer, values)
            elif recording := self.subject.tried(self.subject.moved(index, x)):
                values = [node.value.data for node in recording.nodes] or [recording.value]
                branches = recording.branches(self.observer)
            else:
                values, branches = [math.nan], ()
            self._known[index, x] = values, branches
        return self._known[index, x]

    @property
    def _rest(self) -> dict[int, Any]:
        places = enumerate(self.recording.places)
        return {index: self.subject.point[index] for index, place in places if place is not None}

    def along(self, index: int, node: int = -1) -> Callable[[float], tuple[float, Branches | None]]:
        """A node (the root) as a function of one input."""

        def function(x: float) -> tuple[float, Branches | None]:
            values, branches = self.run(index, x)
            if -len(values) <= node < len(values):
                return values[node], branches
            return math.nan, None

        return function

    def forget(self) -> None:
        """Forget the runs."""
        self._known.clear()


def differences(probe: Probe, noise: float, eps: float | None) -> Differences:
    """The gradient by differences of the function."""
    found = []
    for index, x in enumerate(probe.subject.point):
        found.append(differentiate(probe.along(index), x, noise, eps))
        probe.forget()
    return Differences("difference", [slopes.estimate for slopes in found], "", found)


# ----------------------------------------------------------------------- complex step and fractions

ERRORS = (NotApplicable, ArithmeticError, ValueError)


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


def complex_step(subject: Subject, recording: Recording, tie: str) -> Witness:
    """The gradient by replaying the graph on complex numbers."""
    kind = complexes()
    if not has_room(node.value.data for node in recording.nodes):
        return Witness("complex step", [], "numbers too large or small for a tiny imaginary part")

    def derivative(index: int) -> Estimate:
        return complex_derivative(
            lambda z: recording.replay(kind, {index: z})[-1], subject.point[index]
        )

    return _replayed("complex step", subject, recording, derivative, tie)


def exact(subject: Subject, recording: Recording, tie: str) -> Witness:
    """The gradient by replaying the graph on fractions."""
    kind = fractions()

    def derivative(index: int) -> Estimate:
        seed = Series(series(subject.point[index]).value, series(1.0).value)
        slope = recording.replay(kind, {index: seed})[-1].slope
        try:
            return Estimate(float(slope), abs(float(slope)) * 2.0**-53)
        except OverflowError:
            raise NotApplicable("a derivative beyond the range of floats") from None

    return _replayed("exact", subject, recording, derivative, tie)


def _replayed(
    name: str,
    subject: Subject,
    recording: Recording,
    derivative: Callable[[int], Estimate],
    tie: str,
) -> Witness:
    if tie:
        return Witness(name, [], f"the point is at a kink of {tie}")
    found: list[Estimate | None] = []
    try:
        with _within_reach(len(subject.point) * len(recording.nodes)):
            for index, place in enumerate(recording.places):
                found.append(Estimate(0.0, 0.0) if place is None else derivative(index))
    except ERRORS as reason:
        return Witness(name, [], str(reason) or type(reason).__name__)
    return Witness(name, found)


# ------------------------------------------------------------------------------- Taylor's remainder


def taylor_order(
    f: Callable[[float], tuple[float, Branches | None]], slope: float, scale: float, noise: float
) -> float | None:
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


def along(subject: Subject, direction: Sequence[float], observer: Observer) -> Any:
    """The function on a line through the point."""

    def function(h: float) -> tuple[float, Branches]:
        point = [x + h * d for x, d in zip(subject.point, direction, strict=True)]
        recording = subject.tried(point)
        return (recording.value, recording.branches(observer)) if recording else (math.nan, ())

    return function
