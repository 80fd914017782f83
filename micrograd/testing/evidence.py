"""Evidence about one gradient at one point: the graph, its rounding, and what each witness says."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from micrograd.engine import Value
from micrograd.ops import Operation
from micrograd.testing import blame
from micrograd.testing.differences import differentiate
from micrograd.testing.recording import Subject
from micrograd.testing.report import Problem
from micrograd.testing.rounding import Rounding
from micrograd.testing.witnesses import (
    WORK,
    Probe,
    Witness,
    along,
    complex_step,
    differences,
    exact,
    forward,
    reverse,
)

_LINES = 3  # directions in which a function of very many inputs is moved


class Options(NamedTuple):
    """What the user of `check_gradients` chose, for every output alike."""

    modes: Sequence[str]
    eps: float | None
    atol: float
    rtol: float
    backward: Callable[[Value], Any]


class Evidence:
    """One function, one point, one output, one order: what is known, noted and found wrong."""

    fault: blame.Fault | None = None

    def __init__(self, subject: Subject, options: Options) -> None:
        self.subject, self.options = subject, options
        self.judge = blame.Judge()
        self.notes: list[str] = []
        self.problems: list[Problem] = []
        self.witnesses: list[Witness] = []
        self.recording = recording = subject.record(subject.point)
        self.data = [value.data for value in recording.external]
        self.gradient = list(reverse(subject, recording, options.backward))
        self.rounding = Rounding(recording, self.judge.balls)
        self.bounds = self.rounding.gradient_errors()
        self.probe = Probe(subject, recording, self.judge.observer)
        self._find_singular_operations()

    def name(self, index: int) -> str:
        """The derivative for an input, as it is written."""
        return f"d {self.subject.function_name}/d{self.subject.names[index]}"

    def _find_singular_operations(self) -> None:
        self.tie = ""
        self.singular: list[str] = []
        for node in self.recording.nodes:
            if not isinstance(node.row, Operation):
                continue
            at = ", ".join(map(repr, node.numbers))
            if self.judge.is_at_tie(node.row, node.numbers):
                self.tie = self.tie or f"{node.name}({at})"
            if not node.is_frozen and self.judge.is_singular(node.row, node.numbers, node.moving):
                self.singular.append(f"{node.name}({at})")
        if self.singular:
            self.notes.append(
                f"outside the domain where the rule is a derivative: {', '.join(self.singular[:3])}"
            )
        if any(node.is_frozen for node in self.recording.nodes):
            self.notes.append("what detach passes on is held constant")

    def is_singular(self) -> bool:
        """Whether some operation has no derivative at its operands."""
        return bool(self.tie or self.singular)

    def is_accused(self) -> bool:
        """Whether some operation is at fault; the sum of right rules may be wrong at a kink."""
        if self.fault is None:
            inputs = range(len(self.subject.point))
            found = blame.faults(self.recording, self.probe, self.judge, inputs)
            if not all(map(math.isfinite, self.gradient)):
                found = blame.unbounded(self.recording)
            self.fault = next(found, None)
        return self.fault is not None

    def hear_witnesses(self) -> None:
        """Let every witness of the chosen modes speak."""
        subject, recording = self.subject, self.recording
        if "forward" in self.options.modes:
            self.witnesses.append(forward(subject, recording))
        if "complex step" in self.options.modes:
            self.witnesses.append(complex_step(subject, recording, self.tie))
        if "exact" in self.options.modes:
            self.witnesses.append(exact(subject, recording, self.tie))
        if "difference" in self.options.modes:
            many = len(subject.point) * len(recording.nodes) > WORK and not self.probe.replays
            if many and self._agrees_along_lines():
                reason = f"the {len(subject.point)} inputs were moved together, on {_LINES} lines"
                self.witnesses.append(Witness("difference", [], reason))
            else:
                noise = self.rounding.value_error
                self.witnesses.append(differences(self.probe, noise, self.options.eps))

    def _agrees_along_lines(self) -> bool:
        """Whether differences in random directions agree: a wrong entry shows in each of them."""
        rng = random.Random(1)  # noqa: S311 (directions, no secrets)
        if self.tie or not all(map(math.isfinite, self.gradient)):
            return False
        for _ in range(_LINES):
            direction = [rng.choice((-1, 1)) * rng.uniform(0.5, 1) for _ in self.subject.point]
            terms = [g * d for g, d in zip(self.gradient, direction, strict=True)]
            line = along(self.subject, direction, self.judge.observer)
            found = differentiate(line, 0.0, self.rounding.value_error, self.options.eps).estimate
            slope, size = math.fsum(terms), math.fsum(map(abs, terms))
            if found is None or found.error > 1e-7 * size:
                return False
            if abs(found.value - slope) > found.error + 2 * math.fsum(self.bounds):
                return False
        return True


def bits(numbers: Iterable[float]) -> list[bytes]:
    """The bits of numbers; every nan counts as the same."""
    return [struct.pack("<d", number if number == number else math.nan) for number in numbers]
