"""What is known about a gradient at a point: its graph, noise, and how far witnesses may differ.

The gradient and a witness agree about a direction if they differ by no more than a bound, which is
derived from rounding, noise and the witness's own error. Such an agreement confirms the gradient
only if the bound is narrow.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import cached_property

from micrograd.ops import Operation
from micrograd.testing import blame, noise
from micrograd.testing.differences import Estimate
from micrograd.testing.options import Options
from micrograd.testing.recording import Direction, Subject
from micrograd.testing.report import Problem, Report
from micrograd.testing.rounding import Rounding
from micrograd.testing.series import Series
from micrograd.testing.witnesses import (
    INDEPENDENT,
    ComplexStep,
    Exact,
    Forward,
    Probe,
    Statement,
    Witness,
    differences,
    reverse,
)

# Witnesses round in other places than the reverse mode: their errors are multiples of its error.
_ROUNDINGS = {"forward": 2.0, "difference": 2.0, "complex step": 16.0, "exact": 1.0, "series": 1.0}

_ROUGH = 1e-3  # of the value: noise that is larger is not that of single precision
_LEAST = 1e-280  # where numbers underflow, bounds that are not wider than this are narrow


class Evidence:
    """What is known about the gradient of one output of a function at one point.

    Args:
        subject: the function.
        options: what the user chose.
    """

    def __init__(self, subject: Subject, options: Options) -> None:
        self.subject, self.options = subject, options
        self.judge = blame.Judge()
        self.recording = recording = subject.record(subject.point)
        self.data = [value.data for value in recording.external]
        self.gradient = list(reverse(subject, recording, options.backward))
        self.rounding = Rounding(recording, self.judge.balls)
        self.bounds = self.rounding.gradient_errors()
        self.report = Report(
            subject.function_name,
            subject.names,
            subject.point,
            recording.value,
            self.gradient,
            self.bounds,
        )
        self.doubts, self.notes = self.report.undecided, self.report.notes
        self.problems = self.report.problems
        self.probe = Probe(subject, recording, self.judge.observer)
        self.examined: list[int] = []  # the inputs that were heard one by one
        self.silent: dict[str, str] = {}  # why a witness has nothing to say
        self._find_singular_operations()
        self.measured = self._measured()
        self.witnesses: list[Witness] = [
            witness(subject, recording, self.kink)
            for witness in (Forward, ComplexStep, Exact, Series)
            if witness.name in options.modes and (witness is not Series or subject.beneath)
        ]

    def _find_singular_operations(self) -> None:
        self.kink = self.infinite = ""
        self.singular: list[str] = []
        self.special: set[int] = set()  # nodes at which the slopes are a convention
        still: set[int] = set()  # nodes that are constant around the point, such as comparisons
        for place, node in enumerate(self.recording.nodes):
            if not isinstance(node.row, Operation):
                continue
            numbers = node.numbers
            flat = [
                index
                for index, (child, _) in enumerate(node.operands)
                if child is None or child in still
            ]
            at_kink = self.judge.is_at_kink(node.row, numbers, flat)
            is_constant = len(flat) == len(numbers) or not any(node.row.slopes)
            if is_constant and not at_kink and not node.is_frozen:
                still.add(place)
            singular = not node.is_frozen and self.judge.is_singular(node.row, numbers, node.moving)
            infinite = any(not math.isfinite(slope or 0.0) for slope in node.slopes)
            if at_kink or singular or infinite:
                text = f"{node.name}({', '.join(map(repr, numbers))})"
                self.special.add(place)
                self.kink = self.kink or text * at_kink
                self.infinite = self.infinite or text * infinite
                self.singular += [text] * singular
        if self.singular:
            self.notes.append(
                f"outside the domain where the rule is a derivative: {', '.join(self.singular[:3])}"
            )
        if self.probe.holds:
            self.notes.append("numbers passed on by detach are held constant")
            if self.recording.frozen > self.subject.frozen:
                self.doubts.append(
                    "a rule detaches a number, as the function itself does: whether the rule hides"
                    " its second derivative could not be checked"
                )

    # -------------------------------------------------------------------------------------- noise

    def _measured(self) -> float:
        """The noise that differences show. Only code written by hand can have any."""
        if not math.isfinite(self.recording.value) or not self.recording.is_by_hand:
            return 0.0
        seen = noise.level_beside(self.probe.line(self.subject.everywhere), 0.0, 1.0)
        return max(seen, self._single())

    def _single(self) -> float:
        """The rounding of what is written by hand in single precision.

        Differences do not see it where the function is flat, as tanh is at 20.
        """
        nodes = self.recording.nodes
        places = [place for place, node in enumerate(nodes) if node.is_by_hand]
        for h in (0.0, 0.0031, -0.0017, 0.0007):
            values, _ = self.probe.at(self.subject.everywhere, h)
            if len(values) != len(nodes):
                return 0.0
            places = [place for place in places if noise.is_single(values[place])]
        sizes = (self.recording.gradient_of(at) * nodes[at].value.data for at in places)
        return 2.0**-24 * sum(map(abs, sizes))

    @property
    def noise(self) -> float:
        """How far the value may lie from a smooth function: by rounding, or as it was measured."""
        return max(self.rounding.value_error, self.measured)

    @property
    def asks_independent(self) -> bool:
        """Whether the user asks for a witness that does not share the rules."""
        return bool(INDEPENDENT & set(self.options.modes))

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

    def size(self, direction: Direction) -> float:
        """The sum of the sizes of what the gradient says of a direction."""
        return _sum([abs(slope) for slope in self.gradient], direction)

    def bound(self, direction: Direction, witness: str, estimate: Estimate) -> float:
        """How far gradient and witness may differ if both are right."""
        return max(self._derived(direction, witness, estimate), self._asked(direction, estimate))

    def _derived(self, direction: Direction, witness: str, estimate: Estimate) -> float:
        """The bound that follows from the errors of both."""
        derived = estimate.error + _ROUNDINGS[witness] * _sum(self.bounds, direction)
        if witness in ("forward", "complex step"):  # they add up the paths in another order
            derived += 2.0**-50 * _sum(self.rounding.path_sizes, direction)
        if len(direction) > 1:  # the sum over the entries rounds, too
            derived += 2.0**-52 * self.size(direction)
        return derived

    def _asked(self, direction: Direction, estimate: Estimate) -> float:
        """The difference that the user accepts."""
        size = abs(estimate.value) if len(direction) == 1 else self.size(direction)
        moved = math.fsum(map(abs, direction.values()))
        return self.options.atol * moved + self.options.rtol * size

    def agrees(self, direction: Direction, witness: str, estimate: Estimate) -> bool:
        """Whether the gradient is within the bound of what a witness says."""
        got, slope = self.got(direction), estimate.value
        # Where rounding reaches a tenth of the slope, it is not small, as its bound supposes.
        lost = _sum(self.bounds, direction) > 0.1 * max(abs(got), abs(slope))
        bound = self.bound(direction, witness, estimate)
        return lost or not math.isfinite(bound) or abs(got - slope) <= bound

    def confirms(self, direction: Direction, witness: str, estimate: Estimate) -> bool:
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

    # ----------------------------------------------------------------------------- what is wrong

    def accuse(self, sentence: str, index: int | None = None) -> None:
        """Report that something is wrong, at an input or in general."""
        self.problems.append(Problem(sentence, index))

    def is_singular(self) -> bool:
        """Whether some operation has no derivative at its operands."""
        return bool(self.kink or self.singular or self.infinite)

    def convention(self) -> str:
        """Where a rule is only a convention, here or in the function whose derivative this is.

        The graph of a derivative ends at slopes that are 0 by convention.
        """
        place = self.kink or self.infinite or next(iter(self.singular), "")
        if place or self.subject.beneath is None:
            return place
        return Evidence(self.subject.beneath, self.options).convention()

    @cached_property
    def fault(self) -> blame.Fault | None:
        """What is wrong with an operation, if one is; the sum of right rules is wrong at a kink."""
        found = blame.faults(self.recording, self.probe, self.judge, self.examined)
        if not all(math.isfinite(self.gradient[index]) for index in self.examined):
            found = blame.unbounded(self.recording)
        return next(found, None)

    def hear(self, indices: Sequence[int]) -> dict[str, Statement]:
        """What every witness of the chosen modes says of these inputs, one by one."""
        self.examined = list(indices)
        heard = [witness.heard(indices) for witness in self.witnesses]
        if "difference" in self.options.modes:
            heard.append(differences(self.probe, indices, self.noise, self.options.eps))
        self.report.witnesses = heard
        self.silent |= {each.name: each.silent for each in heard if each.silent}
        return {statement.name: statement for statement in heard}


def _sum(sizes: Sequence[float], direction: Direction) -> float:
    """The sum of sizes, weighted by how far each input moves."""
    terms = [sizes[index] * abs(step) for index, step in direction.items()]
    return math.fsum(terms) if all(map(math.isfinite, terms)) else math.inf


def bits(numbers: Iterable[float]) -> list[bytes]:
    """The bits of numbers; every nan counts as the same."""
    return [struct.pack("<d", number if number == number else math.nan) for number in numbers]


# -------------------------------------------------------------------------------- a single entry


class Verdict(Enum):
    """What a comparison of one entry with one witness comes to."""

    CONFIRMED = "the witness agrees, within a narrow bound"
    OPEN = "the witness says nothing against the entry, but does not confirm it"
    SETTLED = "a problem or a doubt is in the report, and no other witness need be heard"


class Entry:
    """One entry of the gradient: the derivative with respect to a single input.

    Args:
        evidence: what is known about the gradient.
        index: the number of the input.
    """

    def __init__(self, evidence: Evidence, index: int) -> None:
        self.evidence, self.index = evidence, index
        self.name = evidence.subject.derivative_name(index)
        self.got, self.rounding = evidence.gradient[index], evidence.bounds[index]
        self.x, self.f = evidence.subject.point[index], evidence.probe.along(index)
        self.direction = {index: 1.0}

    def value(self, x: float) -> float:
        """The function where the input is `x`."""
        return self.f(x)[0]

    def agrees(self, estimate: Estimate, witness: str = "difference") -> bool:
        """Whether the entry is within the bound of what a witness says."""
        return self.evidence.agrees(self.direction, witness, estimate)

    def confirmed(self, estimate: Estimate, witness: str = "difference") -> Verdict:
        """The verdict where a witness agrees."""
        is_narrow = self.evidence.confirms(self.direction, witness, estimate)
        return Verdict.CONFIRMED if is_narrow and witness in INDEPENDENT else Verdict.OPEN

    def note(self, text: str) -> None:
        """Add a note to the report."""
        self.evidence.notes.append(f"{self.name}{text}")

    def doubt(self, text: str) -> Verdict:
        """Leave the entry undecided."""
        self.evidence.doubts.append(f"{self.name}{text}")
        return Verdict.SETTLED

    def doubt_convention(self, text: str) -> Verdict:
        """Leave the entry undecided because a rule is only a convention."""
        return self.doubt(
            f" = {self.got!r}, but {text}: every rule is right by its own convention at"
            f" {self.evidence.convention()}; their combination is not confirmed"
        )

    def accuse(
        self, text: str, expected: float, bound: float, witness: str = "difference"
    ) -> Verdict:
        """Report that the entry is wrong."""
        sentence = f"{self.name}: reverse says {self.got!r}{text}"
        problem = Problem(sentence, self.index, self.got, expected, bound, witness)
        self.evidence.problems.append(problem)
        return Verdict.SETTLED

    def disagree(self, estimate: Estimate, witness: str = "difference") -> Verdict:
        """Report what a witness says against the entry: a problem, or a doubt at a convention."""
        expected = estimate.value
        if self.evidence.fault is None and self.evidence.convention():
            return self.doubt_convention(f"the {witness} says {expected!r}")
        bound = self.evidence.bound(self.direction, witness, estimate)
        relative = abs(self.got - expected) / max(abs(self.got), abs(expected), 5e-324)
        text = f", {witness} says {expected!r} ± {bound:.0e} (relative difference {relative:.1g})"
        return self.accuse(text, expected, bound, witness)
