"""Which operation is at fault: each local rule is tested at its actual operands.

Operations of the table are tested alone, by differences of their value and by complex steps of
their formula. An operation made by hand cannot be run alone; the function is run again near the
point, and the node must move as its operands' moves and its slopes say. When every rule is right,
the sums of the backward pass are tested node by node.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from micrograd.engine.graph import backward_step
from micrograd.engine.value import shares_of_step
from micrograd.ops import Operation
from micrograd.table.balls import Ball
from micrograd.testing.arithmetic import Observer, complex_numbers, domain, has_room
from micrograd.testing.differences import Estimate, Slopes, differentiate, resolved
from micrograd.testing.noise import level_beside
from micrograd.testing.recording import RecordedNode, Recording
from micrograd.testing.rounding import balls
from micrograd.testing.witnesses import ERRORS, Probe, complex_derivative


class Fault(NamedTuple):
    """What is wrong with a node: a sentence, and the number of the operand if it is one."""

    node: int
    sentence: str
    operand: int | None = None


class Judge:
    """Tests rules of the table alone, at given operands."""

    def __init__(self) -> None:
        self.observer, self.balls, self.complex = Observer(), balls(), complex_numbers()

    def is_singular(self, row: Operation, numbers: Sequence[float], moving: Iterable[int]) -> bool:
        """Whether a row is outside its domain, and has no derivative for the moving operands.

        A negative base is outside the domain of a power, but a square has a derivative there.
        """
        if domain(row)(*numbers):
            return False
        for number in moving:
            estimate = self._differences(row, numbers, number).estimate
            if estimate is None or estimate.side:
                return True
            if not estimate.error <= 1e-6 * (1 + abs(estimate.value)):
                return True
        return False

    def overflows(self, node: RecordedNode, number: int | None) -> bool:
        """Whether a local derivative is beyond the range of floats, as differences see it too."""
        if not isinstance(node.row, Operation) or number is None:
            return False
        above, below = node.numbers, node.numbers
        h = max(abs(above[number]) * 2.0**-10, 4 * math.ulp(above[number]))
        above[number] += h
        below[number] -= h
        return math.isinf((node.row.value(*above) - node.row.value(*below)) / (2 * h))

    def is_at_kink(
        self, row: Operation, numbers: Sequence[float], flat: Iterable[int] = ()
    ) -> bool:
        """Whether the row's formula changes its branch at the operands.

        Args:
            row: the row.
            numbers: the operands.
            flat: the operands that are constant around the point, such as the truth of a condition.
        """
        seen = self.observer.branches(row, numbers)
        still = {*flat, *row.constants}  # the order of polygamma is compared too, but never moves
        if 0 not in seen or not still:
            return 0 in seen
        beside = (
            x if index in still else x + max(abs(x), 1.0) * 2.0**-30
            for index, x in enumerate(numbers)
        )
        there = self.observer.branches(row, [*beside])
        return len(there) != len(seen) or any(
            not here and other for here, other in zip(seen, there, strict=True)
        )

    def fault(self, row: Operation, numbers: Sequence[float], number: int, got: float) -> str:
        """What is wrong with a local partial, as a sentence; "" if nothing is."""
        rounding = self._rounding(row, numbers, number)
        known = self._complex_step(row, numbers, number)
        if known is not None and abs(got - known.value) <= known.error + rounding < math.inf:
            return ""
        slopes, truth = self._differences(row, numbers, number), ""
        if slopes.is_kink or (slopes.estimate is None and self.is_at_kink(row, numbers)):
            if not slopes.is_kink or slopes.surround(got, rounding):
                return ""
            left, right = (side.value for side in slopes.sides)
            truth = f"{left!r} from the left and {right!r} from the right"
            if left == right:
                truth = f"{left!r} from both sides"
        for name, estimate in (("complex step", known), ("differences", slopes.estimate)):
            if truth or estimate is None:
                continue
            bound = estimate.error + rounding
            if math.isfinite(bound) and not abs(got - estimate.value) <= bound:
                truth = f"{estimate.value!r} ± {bound:.0e} by {name}"
        if not truth:
            return ""
        at = ", ".join(f"{name} = {x!r}" for name, x in zip(row.operands, numbers, strict=True))
        claim = f"d{row.name}/d{row.operands[number]} = {got!r} at {at}"
        return f"its rule says {claim}, but the derivative is {truth}"

    def _differences(self, row: Operation, numbers: Sequence[float], number: int) -> Slopes:
        def at(x: float) -> list[float]:
            return [*numbers[:number], x, *numbers[number + 1 :]]

        def along(x: float) -> tuple[float, object]:
            return row.value(*at(x)), self.observer.branches(row, at(x))

        def noise(x: float) -> float:
            return float(self.balls.function(row)(*map(Ball, at(x))).rad)

        def slope(x: float) -> float:
            return row.evaluate(*at(x))[1][number] or 0.0

        x = numbers[number]
        slopes = differentiate(along, x, noise(x))
        if slopes.estimate is None:
            return slopes
        return Slopes(resolved(along, x, noise, slope, self._rounding(row, numbers, number)))

    def _complex_step(
        self, row: Operation, numbers: Sequence[float], number: int
    ) -> Estimate | None:
        if self.is_at_kink(row, numbers) or not has_room((*numbers, row.value(*numbers))):
            return None

        def along(z: complex) -> complex:
            given = [complex(x) for x in numbers]
            given[number] = z
            return complex(self.complex.function(row)(*given))

        try:
            return complex_derivative(along, numbers[number])
        except ERRORS:
            return None

    def _rounding(self, row: Operation, numbers: Sequence[float], number: int) -> float:
        operands = [Ball(x) for x in numbers]
        out = self.balls.function(row)(*operands)
        return 16 * float(self.balls.partial(row, number)(*operands, out).rad)


# ----------------------------------------------------------------------------- the nodes of a graph


def faults(
    recording: Recording, probe: Probe, judge: Judge, inputs: Sequence[int]
) -> Iterator[Fault]:
    """What is wrong with the nodes above these inputs, operands first.

    The gradients of the last pass are in the nodes.
    """
    above = {place for index in inputs if (place := recording.places[index]) is not None}
    for place, node in enumerate(recording.nodes):
        if any(at in above for at, _ in node.operands):
            above.add(place)
    nodes = [(place, node) for place, node in enumerate(recording.nodes) if place in above]
    yield from _wrong_rules(nodes, judge)
    yield from _wrong_closures(nodes, probe, inputs)
    yield from _wrong_sums(recording)


Places = Iterable[tuple[int, RecordedNode]]


def _wrong_rules(nodes: Places, judge: Judge) -> Iterator[Fault]:
    """Operations of the table whose recorded slope is not the derivative of their value."""
    for index, node in nodes:
        row, numbers = node.row, node.numbers
        if not isinstance(row, Operation) or node.is_frozen:
            continue
        if judge.is_singular(row, numbers, node.moving):
            continue
        for number in node.moving:
            if sentence := judge.fault(row, numbers, number, node.slopes[number] or 0.0):
                yield Fault(index, sentence, number)


def _wrong_closures(nodes: Places, probe: Probe, inputs: Sequence[int]) -> Iterator[Fault]:
    """Operations made by hand that do not move as their slopes say."""
    for index, node in nodes:
        if node.is_by_hand:
            sentences = (_wrong_move(probe, node, index, number) for number in inputs)
            if sentence := misbehaviour(node) or next(filter(None, sentences), ""):
                yield Fault(index, sentence)


def misbehaviour(node: RecordedNode) -> str:
    """How a backward step written by hand breaks the chain rule; "" if it does not."""
    if backward_step(node.value) is None:
        return ""
    shares = shares_of_step(node.value, 1.0)
    twice = shares_of_step(node.value, 2.0)
    # Two gradients from before, so that a share of any size cannot hide both by rounding.
    added = [shares_of_step(node.value, 1.0, before) for before in (1.0, 1e300)]
    for operand, share in shares.items():
        if not math.isfinite(share):
            continue
        if all(again[operand] == share for again in added):
            return "its backward step overwrites an operand's gradient: write += instead of ="
        if abs(twice[operand] - 2 * share) > 1e-9 * (1 + abs(share)):
            return "its backward step does not multiply by the gradient of its result, out.grad"
    return ""


def _wrong_move(probe: Probe, node: RecordedNode, index: int, number: int) -> str:
    """How a node moves otherwise than its slopes say, when an input moves; "" if it does not."""
    x = probe.subject.point[number]
    moves = []
    for place in (index, *(place for place, _ in node.operands)):
        data = abs(probe.recording.nodes[place or 0].value.data)
        f = probe.along(number, place or 0)
        noise = max(2.0**-49 * data, level_beside(f, x, abs(x) or 1.0))
        found = differentiate(f, x, noise).estimate
        if found is None:
            return ""
        moves.append(found)
    own, *below = moves
    slopes = [slope or 0.0 for slope in node.slopes]
    pairs = [*zip(slopes, below, strict=True)]
    told = sum(slope * move.value for slope, move in pairs)
    bound = own.error + sum(
        abs(slope) * (move.error + 2.0**-50 * abs(move.value)) for slope, move in pairs
    )
    if abs(told - own.value) <= bound:
        return ""
    if len({place for place, _ in node.operands}) == 1 and (scale := below[0].value):
        return (
            f"its backward step gives the slope {slopes[0]!r} at {node.numbers[0]!r},"
            f" but its value has the slope {own.value / scale!r} ± {bound / abs(scale):.0e}"
        )
    return (
        f"its backward step predicts d/d{probe.subject.names[number]} = {told!r} for its value,"
        f" but the value has {own.value!r} ± {bound:.0e}"
    )


def unbounded(recording: Recording) -> Iterator[Fault]:
    """Where a gradient first ceases to be finite on the way down from the output."""
    for index, node in reversed([*enumerate(recording.nodes)]):
        adjoint = node.value.grad
        for number, slope in enumerate(node.slopes):
            if slope is None or not adjoint or math.isfinite(slope * adjoint):
                continue
            at = ", ".join(map(repr, node.numbers))
            sentence = (
                f"its local derivative at ({at}) is {slope!r}, and the gradient of its result"
                f" {adjoint!r}: the product is {slope * adjoint!r}"
            )
            yield Fault(index, sentence, number)


def _wrong_sums(recording: Recording) -> Iterator[Fault]:
    """Nodes whose gradient is not the sum of what their users send back."""
    shares: dict[int, list[float]] = {}
    for node in recording.nodes:
        for (place, _), slope in zip(node.operands, node.slopes, strict=True):
            if place is not None and slope and node.value.grad:
                shares.setdefault(place, []).append(slope * node.value.grad)
    for index, node in reversed([*enumerate(recording.nodes[:-1])]):
        if node.row is None and index not in recording.places:
            continue
        sent = shares.get(index, [])
        got, expected, size = recording.gradient_of(index), math.fsum(sent), sum(map(abs, sent))
        if math.isfinite(size) and not abs(got - expected) <= 1e-9 * size:
            sentence = (
                f"its gradient is {got!r}, but the {len(sent)} places that use it send back"
                f" {' + '.join(map(repr, sent[:4]))}{' + …' * (len(sent) > 4)} = {expected!r}:"
                " the backward pass does not accumulate, or takes the nodes in a wrong order"
            )
            yield Fault(index, sentence)
