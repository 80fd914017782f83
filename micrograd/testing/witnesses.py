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
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from micrograd.engine.value import Value
from micrograd.ops import Operation
from micrograd.testing.branches import Observer
from micrograd.testing.complexes import complexes, has_room
from micrograd.testing.differences import Estimate, Slopes, differentiate
from micrograd.testing.exact import Series, fractions, series
from micrograd.testing.kinds import NotApplicable
from micrograd.testing.recording import FLOATS, Branches, Recording, Subject

WORK = 300_000  # operations that a witness may replay for single inputs; beyond, it is silent
INDEPENDENT = {"difference", "complex step", "exact"}  # of the local partials
ERRORS = (NotApplicable, ArithmeticError, ValueError)

Direction = Mapping[int, float]  # how far each input moves; the others rest
Line = Callable[[float], tuple[float, Branches | None]]


@dataclass
class Witness:
    """What one witness says: an estimate per input (None: nothing), or why it is silent."""

    name: str
    found: list[Estimate | None]
    silent: str = ""


@dataclass
class Differences(Witness):
    """The witness of differences, which also knows the derivatives from both sides of a kink."""

    sides: dict[int, Slopes] = field(default_factory=dict)


class Source(ABC):
    """A way to find the derivative in a direction; NotApplicable if it has nothing to say."""

    name: str

    def __init__(self, subject: Subject, recording: Recording, tie: str) -> None:
        self.subject, self.recording, self.tie = subject, recording, tie

    @abstractmethod
    def along(self, direction: Direction) -> Estimate:
        """The derivative in a direction."""

    def heard(self, indices: Sequence[int]) -> Witness:
        """What it says of single inputs."""
        found: list[Estimate | None] = [None] * len(self.subject.point)
        try:
            if len(indices) * len(self.recording.values) > WORK:
                raise NotApplicable("the graph is too large to replay it for every input")
            for index in indices:
                found[index] = self.along({index: 1.0})
        except ERRORS as reason:
            return Witness(self.name, [], str(reason) or type(reason).__name__)
        return Witness(self.name, found)


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


class Forward(Source):
    """The forward mode."""

    name = "forward"

    def along(self, direction: Direction) -> Estimate:
        """The tangent of the output."""
        subject, recording = self.subject, self.recording
        if any(node.is_by_hand and None in node.slopes for node in recording.nodes):
            raise NotApplicable("a _backward written by hand has no forward mode")
        if subject.parameters is not None:
            return Estimate(_pushed_from(recording, direction), 0.0)
        from micrograd.transforms.functions import jvp

        tangents = [direction.get(index, 0.0) for index in range(len(subject.point))]
        primals = subject.arguments(subject.point)
        try:
            tangent = jvp(subject.f, primals, subject.arguments(tangents))[1]
        except TypeError as error:  # a _backward written by hand, below another output
            raise NotApplicable(str(error)) from None
        return Estimate(subject.chosen(tangent), 0.0)


def _pushed_from(recording: Recording, direction: Direction) -> float:
    """The tangent of the root for tangents of the inputs, by the rows' partials afresh."""
    tangents: dict[int, float] = {}
    for number, tangent in direction.items():
        place = recording.places[number]
        if place is not None:
            tangents[place] = tangents.get(place, 0.0) + tangent
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
        self._known: dict[tuple[int, float], tuple[list[float], Branches | None]] = {}

    def _run(self, moved: Direction) -> tuple[list[float], Branches | None]:
        """The value of every node with some inputs elsewhere, and the branches."""
        recording, places = self.recording, self.recording.places
        point = list(self.subject.point)
        for index, x in moved.items():
            point[index] = x
        found = self.subject.tried(point)
        if found is None:
            return [math.nan], None
        if self.replays and any(places[index] is not None for index in moved):
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

    def values(self, direction: Direction) -> list[float]:
        """The value of every node with the inputs moved by this."""
        point = self.subject.point
        return self._run({index: point[index] + step for index, step in direction.items()})[0]

    def line(self, direction: Direction) -> Line:
        """The function on a line through the point; runs are remembered."""
        point = self.subject.point
        known: dict[float, tuple[float, Branches | None]] = {}

        def function(h: float) -> tuple[float, Branches | None]:
            if h not in known:
                moved = {index: point[index] + h * step for index, step in direction.items()}
                values, branches = self._run(moved)
                known[h] = values[-1], branches
            return known[h]

        return function

    def along(self, index: int, node: int = -1) -> Line:
        """A node (the root) as a function of one input."""

        def function(x: float) -> tuple[float, Branches | None]:
            if (index, x) not in self._known:
                self._known[index, x] = self._run({index: x})
            values, branches = self._known[index, x]
            if -len(values) <= node < len(values):
                return values[node], branches
            return math.nan, None

        return function

    def forget(self) -> None:
        """Forget the runs."""
        self._known.clear()


def differences(
    probe: Probe, indices: Iterable[int], noise: float, eps: float | None
) -> Differences:
    """The derivatives for single inputs by differences of the function."""
    witness = Differences("difference", [None] * len(probe.subject.point))
    for index in indices:
        slopes = differentiate(probe.along(index), probe.subject.point[index], noise, eps)
        witness.sides[index], witness.found[index] = slopes, slopes.estimate
        probe.forget()
    return witness


# ----------------------------------------------------------------------- complex step and fractions


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


class Replayed(Source):
    """The graph on another kind of number."""

    def along(self, direction: Direction) -> Estimate:
        """The derivative, unless the point is at a kink."""
        if self.tie:
            raise NotApplicable(f"the point is at a kink of {self.tie}")
        places = self.recording.places
        reached = {i: step for i, step in direction.items() if places[i] is not None}
        return self._replayed(reached) if reached else Estimate(0.0, 0.0)

    @abstractmethod
    def _replayed(self, direction: Direction) -> Estimate: ...


class ComplexStep(Replayed):
    """The graph on complex numbers."""

    name = "complex step"

    def __init__(self, subject: Subject, recording: Recording, tie: str) -> None:
        super().__init__(subject, recording, tie)
        self.kind = complexes()

    def _replayed(self, direction: Direction) -> Estimate:
        if not has_room(value.data for value in self.recording.values):
            raise NotApplicable("numbers too large or small for a tiny imaginary part")
        point = self.subject.point

        def function(z: complex) -> complex:
            given = {i: complex(point[i], z.imag * step) for i, step in direction.items()}
            return complex(self.recording.replay(self.kind, given)[-1])

        (first, *others) = direction
        return complex_derivative(function, 1.0 if others else point[first])


class Exact(Replayed):
    """The graph on fractions."""

    name = "exact"

    def __init__(self, subject: Subject, recording: Recording, tie: str) -> None:
        super().__init__(subject, recording, tie)
        self.kind = fractions()

    def _replayed(self, direction: Direction) -> Estimate:
        given = {
            i: Series(series(self.subject.point[i]).value, series(step).value)
            for i, step in direction.items()
        }
        slope = self.recording.replay(self.kind, given)[-1].slope
        try:
            return Estimate(float(slope), abs(float(slope)) * 2.0**-53)
        except OverflowError:
            raise NotApplicable("a derivative beyond the range of floats") from None


# ------------------------------------------------------------------------------- Taylor's remainder


def taylor_order(f: Line, slope: float, scale: float, noise: float) -> float | None:
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
