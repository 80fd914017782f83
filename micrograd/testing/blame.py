"""Which operation is at fault: each local rule is tested at its actual operands.

Operations of the table are tested alone, by differences of their value and by complex steps of
their formula. An operation made by hand cannot be run alone; the function is run again near the
point, and the node must move as its operands' moves and its slopes say. When every rule is right,
the sums of the backward pass are tested node by node.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from micrograd.engine.graph import backward_step
from micrograd.engine.value import shares_of_step
from micrograd.ops import Operation
from micrograd.table.interpreters import ON_IEEE
from micrograd.testing.branches import Observer
from micrograd.testing.complexes import complexes, has_room
from micrograd.testing.differences import Estimate, Slopes, differentiate, resolved
from micrograd.testing.noise import level_beside
from micrograd.testing.recording import Node, Recording
from micrograd.testing.rounding import Ball, balls, slopes_by_hand
from micrograd.testing.witnesses import ERRORS, Probe, complex_derivative


class Fault(NamedTuple):
    """What is wrong with one node."""

    node: int
    sentence: str
    operand: int | None = None
    got: float = math.nan
    expected: float = math.nan


class Judge:
    """Tests rules of the table alone, at given operands."""

    def __init__(self) -> None:
        self.observer, self.balls, self.complexes = Observer(), balls(), complexes()
        self._domains: dict[Operation, Callable[..., Any]] = {}

    def is_in_domain(self, row: Operation, numbers: Sequence[float]) -> bool:
        """Whether the row claims to be differentiable at its operands."""
        if not row.domain:
            return True
        if row not in self._domains:
            self._domains[row] = ON_IEEE.compiled(row.operands, row.read(row.domain))
        return bool(self._domains[row](*numbers))

    def is_singular(self, row: Operation, numbers: Sequence[float], moving: Iterable[int]) -> bool:
        """Whether a row is outside its domain, and has no derivative for the moving operands.

        A negative base is outside the domain of a power; of a square it is not.
        """
        if self.is_in_domain(row, numbers):
            return False
        for number in moving:
            estimate = self._differences(row, numbers, number).estimate
            if estimate is None or estimate.side:
                return True
            if not estimate.error <= 1e-6 * (1 + abs(estimate.value)):
                return True
        return False

    def overflows(self, node: Node, number: int) -> bool:
        """Whether a local derivative is beyond the range of floats, as differences see it too."""
        if not isinstance(node.row, Operation):
            return False
        above, below = node.numbers, node.numbers
        h = max(abs(above[number]) * 2.0**-10, 4 * math.ulp(above[number]))
        above[number] += h
        below[number] -= h
        return math.isinf((node.row.value(*above) - node.row.value(*below)) / (2 * h))

    def is_at_tie(self, row: Operation, numbers: Sequence[float]) -> bool:
        """Whether the row's formula changes its piece at the operands."""
        return 0 in self.observer.branches(row, list(numbers))

    def sentence(
        self, row: Operation, numbers: Sequence[float], number: int, got: float
    ) -> tuple[str, float]:
        """What is wrong with a local partial ("" if nothing), and what it should be."""
        operand, at = (
            row.operands[number],
            ", ".join(f"{name} = {x!r}" for name, x in zip(row.operands, numbers, strict=True)),
        )
        claim = f"its rule says d{row.name}/d{operand} = {got!r} at {at}"
        rounding = self._rounding(row, numbers, number)
        known = self._complex(row, numbers, number)
        if known is not None and abs(got - known.value) <= known.error + rounding < math.inf:
            return "", got
        slopes = self._differences(row, numbers, number)
        if slopes.is_kink or (slopes.estimate is None and self.is_at_tie(row, numbers)):
            if is_between(got, slopes, rounding):
                return "", got
            left, right = slopes.left, slopes.right
            if left is None or right is None:
                return "", got
            sides = f"{left.value!r} from the left and {right.value!r} from the right"
            if left.value == right.value:
                sides = f"{left.value!r} from both sides"
            return f"{claim}, but the derivative is {sides}", left.value
        for name, estimate in (("complex step", known), ("differences", slopes.estimate)):
            if estimate is None or not math.isfinite(estimate.error + rounding):
                continue
            bound = estimate.error + rounding
            if not abs(got - estimate.value) <= bound:
                told = f"{estimate.value!r} ± {bound:.0e} by {name}"
                return f"{claim}, but the derivative is {told}", estimate.value
        return "", got

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

    def _complex(self, row: Operation, numbers: Sequence[float], number: int) -> Estimate | None:
        if self.is_at_tie(row, numbers) or not has_room((*numbers, row.value(*numbers))):
            return None
        function = self.complexes.function(row)

        def along(z: complex) -> complex:
            given = [complex(x) for x in numbers]
            given[number] = z
            return complex(function(*given))

        try:
            return complex_derivative(along, numbers[number])
        except ERRORS:
            return None

    def _rounding(self, row: Operation, numbers: Sequence[float], number: int) -> float:
        operands = [Ball(x) for x in numbers]
        out = self.balls.function(row)(*operands)
        return 16 * float(self.balls.partial(row, number)(*operands, out).rad)


def is_between(got: float, slopes: Slopes, rounding: float) -> bool:
    """Whether a number lies between the derivatives from both sides of a kink."""
    left, right = slopes.left, slopes.right
    if left is None or right is None:
        return False
    low = min(left.value - left.error, right.value - right.error) - rounding
    high = max(left.value + left.error, right.value + right.error) + rounding
    return low <= got <= high


def faults(
    recording: Recording, probe: Probe, judge: Judge, inputs: Sequence[int]
) -> Iterator[Fault]:
    """What is wrong with the nodes above these inputs, operands first.

    The gradients of the last pass are in the nodes.
    """
    above = _above(recording, inputs)
    yield from wrong_rules(recording, judge, above)
    yield from wrong_closures(recording, probe, inputs, above)
    yield from wrong_sums(recording)


def _above(recording: Recording, inputs: Iterable[int]) -> set[int]:
    """The places of the nodes that depend on these inputs."""
    found = {place for index in inputs if (place := recording.places[index]) is not None}
    for place, node in enumerate(recording.nodes):
        if any(at in found for at, _ in node.operands):
            found.add(place)
    return found


def wrong_rules(recording: Recording, judge: Judge, above: set[int]) -> Iterator[Fault]:
    """Operations of the table whose recorded slope is not the derivative of their value."""
    for index, node in enumerate(recording.nodes):
        row = node.row
        if not isinstance(row, Operation) or node.is_frozen or index not in above:
            continue
        if judge.is_singular(row, node.numbers, node.moving):
            continue
        for number, (place, _) in enumerate(node.operands):
            if place is None:
                continue
            got = node.slopes[number] or 0.0
            sentence, expected = judge.sentence(row, node.numbers, number, got)
            if sentence:
                yield Fault(index, sentence, number, got, expected)


def wrong_closures(
    recording: Recording, probe: Probe, inputs: Sequence[int], above: set[int]
) -> Iterator[Fault]:
    """Operations made by hand that do not move as their slopes say."""
    for index, node in enumerate(recording.nodes):
        if not node.is_by_hand or index not in above:
            continue
        if sentence := misbehaviour(node):
            yield Fault(index, sentence)
            continue
        slopes = slopes_by_hand(node)
        for number in inputs:
            fault = _moves_wrongly(probe, node, index, slopes, number)
            if fault is not None:
                yield fault
                break


def misbehaviour(node: Node) -> str:
    """How a backward step written by hand breaks the rules of the chain rule; "" if it does not."""
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


def _moves_wrongly(
    probe: Probe, node: Node, index: int, slopes: Sequence[float], number: int
) -> Fault | None:
    x = probe.subject.point[number]
    moves = []
    for place in (index, *(place for place, _ in node.operands)):
        data = abs(probe.recording.nodes[place or 0].value.data)
        f = probe.along(number, place or 0)
        noise = max(2.0**-49 * data, level_beside(f, x, abs(x) or 1.0))
        found = differentiate(f, x, noise)
        if found.estimate is None:
            return None
        moves.append(found.estimate)
    own, *below = moves
    told = sum(slope * move.value for slope, move in zip(slopes, below, strict=True))
    bound = own.error + sum(
        abs(slope) * (move.error + 2.0**-50 * abs(move.value))
        for slope, move in zip(slopes, below, strict=True)
    )
    if abs(told - own.value) <= bound:
        return None
    name = probe.subject.names[number]
    if len({place for place, _ in node.operands}) == 1 and below[0].value:
        got, expected = slopes[0], own.value / below[0].value
        bound /= abs(below[0].value)
        at = node.numbers[0]
        sentence = (
            f"its backward step gives the slope {got!r} at {at!r},"
            f" but its value has the slope {expected!r} ± {bound:.0e}"
        )
        return Fault(index, sentence, 0, got, expected)
    sentence = (
        f"its backward step foretells d/d{name} = {told!r} for its value,"
        f" but the value has {own.value!r} ± {bound:.0e}"
    )
    return Fault(index, sentence, None, told, own.value)


def unbounded(recording: Recording) -> Iterator[Fault]:
    """Where a gradient first ceases to be a number on the way down from the output."""
    for index in range(len(recording.nodes) - 1, -1, -1):
        node = recording.nodes[index]
        adjoint = node.value.grad
        slopes = slopes_by_hand(node) if node.is_by_hand else node.slopes
        for number, slope in enumerate(slopes):
            if slope is None or not adjoint or math.isfinite(slope * adjoint):
                continue
            at = ", ".join(map(repr, node.numbers))
            sentence = (
                f"its local derivative at ({at}) is {slope!r}, and the gradient of its result"
                f" {adjoint!r}: the product is {slope * adjoint!r}"
            )
            yield Fault(index, sentence, number, slope * adjoint)


def wrong_sums(recording: Recording) -> Iterator[Fault]:
    """Nodes whose gradient is not the sum of what their users send back."""
    nodes = recording.nodes
    terms: dict[int, list[float]] = {}
    for node in nodes:
        slopes = slopes_by_hand(node) if node.is_by_hand else node.slopes
        for (place, _), slope in zip(node.operands, slopes, strict=True):
            if place is not None and slope and node.value.grad:
                terms.setdefault(place, []).append(slope * node.value.grad)
    inputs = {place: index for index, place in enumerate(recording.places) if place is not None}
    for index in range(len(nodes) - 2, -1, -1):
        node = nodes[index]
        if node.row is None and index not in inputs:
            continue
        shares = terms.get(index, [])
        got, expected = recording.gradient_of(index), math.fsum(shares)
        size = math.fsum(map(abs, shares))
        if math.isfinite(size) and not abs(got - expected) <= 1e-9 * size:
            sentence = (
                f"its gradient is {got!r}, but its {len(shares)} users send back"
                f" {' + '.join(map(repr, shares[:4]))}{' + …' * (len(shares) > 4)} = {expected!r}:"
                " the backward pass does not accumulate, or takes the nodes in a wrong order"
            )
            yield Fault(index, sentence, None, got, expected)
