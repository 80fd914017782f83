"""Evidence about one gradient at one point: the graph, its rounding, and what each witness says."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence

from micrograd.ops import Operation
from micrograd.testing import blame, noise
from micrograd.testing.differences import Estimate
from micrograd.testing.options import Options
from micrograd.testing.recording import Subject
from micrograd.testing.report import Problem
from micrograd.testing.rounding import Rounding
from micrograd.testing.witnesses import (
    ComplexStep,
    Direction,
    Exact,
    Forward,
    Probe,
    Source,
    Witness,
    differences,
    reverse,
)

# Witnesses round in other places than the reverse mode: their errors are of the same size as its.
_ROUNDINGS = {"forward": 2.0, "difference": 2.0, "complex step": 16.0, "exact": 1.0}

_ROUGH = 1e-3  # of the value: noise that is larger is not that of single precision
_LEAST = 1e-280  # where numbers underflow, bounds that are no wider than this are narrow


class Evidence:
    """One function, one point, one output, one order: what is known, noted and found wrong."""

    fault: blame.Fault | None = None

    def __init__(self, subject: Subject, options: Options) -> None:
        self.subject, self.options = subject, options
        self.judge = blame.Judge()
        self.notes: list[str] = []
        self.problems: list[Problem] = []
        self.doubts: list[str] = []
        self.lines: list[str] = []  # what was heard of many inputs that moved together
        self.witnesses: list[Witness] = []
        self.examined: list[int] = []  # the inputs that were heard one by one
        self.recording = recording = subject.record(subject.point)
        self.data = [value.data for value in recording.external]
        self.gradient = list(reverse(subject, recording, options.backward))
        self.rounding = Rounding(recording, self.judge.balls)
        self.bounds = self.rounding.gradient_errors()
        self.probe = Probe(subject, recording, self.judge.observer)
        self._blamed: dict[tuple[int, ...], blame.Fault | None] = {}
        self._find_singular_operations()
        self.measured = self._measured()
        self.sources: list[Source] = [
            source(subject, recording, self.tie)
            for source in (Forward, ComplexStep, Exact)
            if source.name in options.modes
        ]

    def name(self, index: int) -> str:
        """The derivative for an input, as it is written."""
        return f"d {self.subject.function_name}/d{self.subject.names[index]}"

    def _find_singular_operations(self) -> None:
        self.tie = self.infinite = ""
        self.singular: list[str] = []
        self.special: set[int] = set()  # nodes at which the slopes are a convention
        for place, node in enumerate(self.recording.nodes):
            if not isinstance(node.row, Operation):
                continue
            numbers = node.numbers
            tied = self.judge.is_at_tie(node.row, numbers)
            singular = not node.is_frozen and self.judge.is_singular(node.row, numbers, node.moving)
            infinite = any(not math.isfinite(slope or 0.0) for slope in node.slopes)
            if tied or singular or infinite:
                said = f"{node.name}({', '.join(map(repr, numbers))})"
                self.special.add(place)
                self.tie = self.tie or said * tied
                self.infinite = self.infinite or said * infinite
                self.singular += [said] * singular
        if self.singular:
            self.notes.append(
                f"outside the domain where the rule is a derivative: {', '.join(self.singular[:3])}"
            )
        if any(node.is_frozen for node in self.recording.nodes):
            self.notes.append("what detach passes on is held constant")

    # -------------------------------------------------------------------------------------- noise

    def _measured(self) -> float:
        """The noise that difference tables see; code written by hand may do what it likes."""
        if not math.isfinite(self.recording.value) or not any(
            node.is_by_hand for node in self.recording.nodes
        ):
            return 0.0
        seen = noise.level_beside(self.probe.line(self._everywhere()), 0.0, 1.0)
        return max(seen, self._single())

    def _single(self) -> float:
        """The rounding of what is written by hand in single precision.

        Differences do not see it where the function is flat, as tanh is at 20.
        """
        nodes = self.recording.nodes
        places = [place for place, node in enumerate(nodes) if node.is_by_hand]
        for h in (0.0, 0.0031, -0.0017, 0.0007):
            moved = {index: h * step for index, step in self._everywhere().items()}
            values = self.probe.values(moved)
            if len(values) != len(nodes):
                return 0.0
            places = [place for place in places if noise.is_single(values[place])]
        sizes = (self.recording.gradient_of(at) * nodes[at].value.data for at in places)
        return 2.0**-24 * sum(map(abs, sizes))

    def _everywhere(self) -> dict[int, float]:
        """A direction in which all inputs move, each on its own scale."""
        return {
            index: (-1.0) ** index * (abs(x) or 1.0) * (0.5 + 0.5 * math.modf(0.618034 * index)[0])
            for index, x in enumerate(self.subject.point)
        }

    @property
    def noise(self) -> float:
        """How far the value may lie from a smooth function: by rounding, or as it was measured."""
        return max(self.rounding.value_error, self.measured)

    @property
    def is_noisy(self) -> bool:
        """Whether rounding in doubles does not explain the noise."""
        return self.measured > 4 * self.rounding.value_error

    @property
    def is_rough(self) -> bool:
        """Whether the noise is so large that it may be what the function is meant to do."""
        return self.is_noisy and self.measured > _ROUGH * abs(self.recording.value)

    # ------------------------------------------------------------------------------------- bounds

    def got(self, direction: Direction) -> float:
        """What the gradient says of a direction."""
        return math.fsum(self.gradient[index] * step for index, step in direction.items())

    def bound(self, direction: Direction, witness: str, estimate: Estimate) -> float:
        """How far gradient and witness may differ if both are right."""
        return max(self._derived(direction, witness, estimate), self._asked(direction, estimate))

    def _derived(self, direction: Direction, witness: str, estimate: Estimate) -> float:
        derived = estimate.error + _ROUNDINGS[witness] * _sum(self.bounds, direction)
        if witness in ("forward", "complex step"):  # they add up the paths in another order
            derived += 2.0**-50 * _sum(self.rounding.path_sizes, direction)
        if len(direction) > 1:  # the sum over the entries rounds, too
            derived += 2.0**-52 * self.size(direction)
        return derived

    def size(self, direction: Direction) -> float:
        """The sum of the sizes of what the gradient says of a direction."""
        return _sum([abs(slope) for slope in self.gradient], direction)

    def _asked(self, direction: Direction, estimate: Estimate) -> float:
        size = abs(estimate.value)
        if len(direction) > 1:
            size = self.size(direction)
        return self.options.atol * _sum(None, direction) + self.options.rtol * size

    def agrees(self, direction: Direction, witness: str, estimate: Estimate) -> bool:
        """Whether the gradient is within the bound of what a witness says."""
        got, slope = self.got(direction), estimate.value
        # Where rounding reaches a tenth of the slope, it is no longer small, as its bound supposes.
        lost = _sum(self.bounds, direction) > 0.1 * max(abs(got), abs(slope))
        bound = self.bound(direction, witness, estimate)
        return lost or not math.isfinite(bound) or abs(got - slope) <= bound

    def is_told(self, direction: Direction, witness: str, estimate: Estimate) -> bool:
        """Whether the bound of an agreement is narrow enough to confirm anything."""
        derived = self._derived(direction, witness, estimate)
        slope = max(abs(self.got(direction)), abs(estimate.value))
        paths = _sum(self.rounding.path_sizes, direction)
        paths = paths if math.isfinite(paths) else 0.0
        size = abs(self.recording.value)
        if len(direction) == 1:
            (index,) = direction
            size /= max(abs(self.subject.point[index]), 1.0)
            enough = max(1e-2 * slope, 1e-2 * paths, 1e-4 * size)
        else:  # one wrong entry among many must show
            enough = max(0.1 * paths / len(direction), 1e-7 * paths, 1e-7 * size)
        return derived <= max(enough, self._asked(direction, estimate), _LEAST)

    # -------------------------------------------------------------------------------- what is wrong

    def is_singular(self) -> bool:
        """Whether some operation has no derivative at its operands."""
        return bool(self.tie or self.singular or self.infinite)

    def convention(self) -> str:
        """Where a rule is only a convention, here or in the function whose derivative this is.

        The graph of a derivative ends at slopes that are 0 by convention.
        """
        place = self.tie or self.infinite or next(iter(self.singular), "")
        if place or self.subject.beneath is None:
            return place
        return Evidence(self.subject.beneath, self.options).convention()

    def is_accused(self) -> bool:
        """Whether some operation is at fault; the sum of right rules may be wrong at a kink."""
        inputs = tuple(self.examined)
        if self.fault is None and inputs not in self._blamed:
            found = blame.faults(self.recording, self.probe, self.judge, inputs)
            if not all(math.isfinite(self.gradient[index]) for index in inputs):
                found = blame.unbounded(self.recording)
            self.fault = self._blamed[inputs] = next(found, None)
        return self.fault is not None

    def hear(self, indices: Sequence[int]) -> None:
        """Let every witness of the chosen modes speak on these inputs, one by one."""
        self.examined = list(indices)
        self.witnesses = [source.heard(indices) for source in self.sources]
        if "difference" in self.options.modes:
            found = differences(self.probe, indices, self.noise, self.options.eps)
            self.witnesses.append(found)


def _sum(sizes: Sequence[float] | None, direction: Direction) -> float:
    """The sum of sizes (None: 1 each), weighted by how far each input moves."""
    if sizes is None:
        return math.fsum(map(abs, direction.values()))
    terms = [sizes[index] * abs(step) for index, step in direction.items()]
    return math.fsum(terms) if all(map(math.isfinite, terms)) else math.inf


def bits(numbers: Iterable[float]) -> list[bytes]:
    """The bits of numbers; every nan counts as the same."""
    return [struct.pack("<d", number if number == number else math.nan) for number in numbers]
