"""Comparison of a gradient with what the witnesses say: a disagreement is a problem or a note."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from micrograd.testing import blame
from micrograd.testing.differences import Estimate, Slopes, beside, is_smooth, resolved, resolves
from micrograd.testing.evidence import Evidence, bits
from micrograd.testing.recording import FLOATS
from micrograd.testing.report import Problem
from micrograd.testing.rounding import Rounding
from micrograd.testing.witnesses import ERRORS, Differences, along, reverse, taylor_order

# Witnesses round in other places than the reverse mode: their errors are of the same size as its.
_ROUNDINGS = {"forward": 2.0, "difference": 2.0, "complex step": 16.0, "exact": 1.0}


def compare(evidence: Evidence) -> None:
    """Compare every entry of the gradient with every witness that speaks."""
    for index, got in enumerate(evidence.gradient):
        if not math.isfinite(got):
            _compare_unbounded(evidence, index, got)
            continue
        for witness in evidence.witnesses:
            if witness.silent:
                continue
            estimate = witness.found[index]
            if isinstance(witness, Differences) and witness.sides[index].is_kink:
                _compare_at_kink(evidence, index, got, witness.sides[index])
            elif estimate is not None and not _agrees(evidence, index, witness.name, estimate):
                if isinstance(witness, Differences):
                    estimate = _reconsidered(evidence, index, witness)
                    if estimate is None or _agrees(evidence, index, witness.name, estimate):
                        continue
                _disagree(evidence, index, witness.name, estimate)
                break


def taylor(evidence: Evidence) -> str:
    """What Taylor's remainder says of the gradient; a problem if it alone finds it wrong."""
    if evidence.tie or not all(map(math.isfinite, evidence.gradient)) or not evidence.gradient:
        return "silent, the point is singular" if evidence.gradient else ""
    if evidence.probe.replays:
        return "silent, detached numbers are held constant"
    rng = random.Random(0)  # noqa: S311 (a direction, no secret)
    direction = [rng.choice((-1, 1)) * (abs(x) or 1.0) for x in evidence.subject.point]
    slope = math.fsum(g * d for g, d in zip(evidence.gradient, direction, strict=True))
    line = along(evidence.subject, direction, evidence.judge.observer)
    order = taylor_order(line, slope, 1.0, evidence.rounding.value_error)
    if order is None:
        return "below rounding"
    said = f"order {order:.2f} (2 for a true gradient)"
    if order > 1.5 or evidence.problems:
        return said
    if "difference" in evidence.options.modes or not is_smooth(
        lambda h: line(h)[0], 0.0, 2.0**-8, 0.0
    ):
        # The differences, which would have told a wrong gradient, found no fault.
        return "silent, no step is small enough for it"
    evidence.problems.append(
        Problem(f"d {evidence.subject.function_name}: Taylor's remainder is of order {order:.2f}")
    )
    return said


def _bound(evidence: Evidence, index: int, witness: str, estimate: Estimate) -> float:
    derived = estimate.error + _ROUNDINGS[witness] * evidence.bounds[index]
    if witness in ("forward", "complex step"):  # they add up the paths in another order
        derived += 2.0**-50 * evidence.rounding.path_sizes[index]
    return max(derived, evidence.options.atol + evidence.options.rtol * abs(estimate.value))


def _agrees(evidence: Evidence, index: int, witness: str, estimate: Estimate) -> bool:
    bound, got = _bound(evidence, index, witness, estimate), evidence.gradient[index]
    # Where rounding reaches a tenth of the slope, it is no longer small, as its bound supposes.
    lost = evidence.bounds[index] > 0.1 * max(abs(got), abs(estimate.value))
    return lost or not math.isfinite(bound) or abs(got - estimate.value) <= bound


def _disagree(evidence: Evidence, index: int, witness: str, estimate: Estimate) -> None:
    got, expected = evidence.gradient[index], estimate.value
    if not evidence.is_accused() and evidence.is_singular():
        _forgive(
            evidence, f"{evidence.name(index)} = {got!r}, where the {witness} says {expected!r}"
        )
        return
    bound = _bound(evidence, index, witness, estimate)
    relative = abs(got - expected) / max(abs(got), abs(expected), 5e-324)
    evidence.problems.append(
        Problem(
            f"{evidence.name(index)}: reverse says {got!r}, {witness} says"
            f" {expected!r} ± {bound:.0e} (relative difference {relative:.1g})",
            index,
            got,
            expected,
            bound,
            witness,
        )
    )


def _compare_at_kink(evidence: Evidence, index: int, got: float, slopes: Slopes) -> None:
    left, right = slopes.left, slopes.right
    assert left is not None  # noqa: S101 (is_kink was asked)
    assert right is not None  # noqa: S101
    name, sides = (
        evidence.name(index),
        f"{left.value!r} from the left, {right.value!r} from the right",
    )
    if blame.is_between(got, slopes, evidence.bounds[index]):
        evidence.notes.append(f"{name} at a kink: {got!r} lies between {sides}")
    elif evidence.is_accused():
        evidence.problems.append(
            Problem(
                f"{name}: reverse says {got!r}, but the derivative is {sides}",
                index,
                got,
                left.value,
                left.error + evidence.bounds[index],
                "difference",
            )
        )
    else:
        _forgive(evidence, f"{name} = {got!r} at a kink, where the derivative is {sides}")


def _compare_unbounded(evidence: Evidence, index: int, got: float) -> None:
    """A gradient that is nan or infinite, where the value is a number."""
    name = evidence.name(index)
    if any(math.isnan(node.value.data) for node in evidence.recording.nodes):
        evidence.notes.append(f"{name} is {got!r}, for the value passes through a nan")
        return
    if evidence.singular:
        evidence.notes.append(f"{name} is {got!r}, for {evidence.singular[0]} has no derivative")
        return
    first = next(blame.unbounded(evidence.recording), None)
    if first is not None and first.operand is not None:
        node = evidence.recording.nodes[first.node]
        if evidence.judge.overflows(node, first.operand):
            evidence.notes.append(f"{name} is {got!r}, for a derivative of {node.name} overflows")
            return
    f, x = evidence.probe.along(index), evidence.subject.point[index]
    for estimate in beside(f, x, evidence.rounding.value_error):
        if _settles(evidence, index, estimate):
            evidence.problems.append(
                Problem(
                    f"{name}: reverse says {got!r} where the value is finite and differences"
                    f" from one side say {estimate.value!r} ± {estimate.error:.0e}",
                    index,
                    got,
                    estimate.value,
                    estimate.error,
                    "difference",
                )
            )
            return
    evidence.notes.append(f"{name} is {got!r}, and no difference settles on a number either")


def _settles(evidence: Evidence, index: int, estimate: Estimate) -> bool:
    if not estimate.error <= 1e-3 * (1 + abs(estimate.value)):
        return False
    f = evidence.probe.along(index)
    error = 8 * evidence.rounding.value_error
    return resolves(estimate, evidence.subject.point[index], lambda x: f(x)[0], error)


def _forgive(evidence: Evidence, what: str) -> None:
    evidence.notes.append(f"{what}: every rule is right by its own convention there")


# ---------------------------------------------------------------------------- differences, on doubt


def _reconsidered(evidence: Evidence, index: int, witness: Differences) -> Estimate | None:
    """The best difference whose steps resolve the function; None if there is none."""
    best = resolved(
        evidence.probe.along(index),
        evidence.subject.point[index],
        _noise_along(evidence, index),
        _slope_along(evidence, index),
        4 * evidence.bounds[index],
        evidence.options.eps,
    )
    if best is None:
        evidence.notes.append(
            f"{evidence.name(index)}: no step of a difference resolves the function"
        )
        witness.found[index] = None
    elif not _agrees(evidence, index, witness.name, best) and _is_overruled(evidence, index, best):
        evidence.notes.append(
            f"{evidence.name(index)}: differences say {best.value!r} ± {best.error:.0e}, but the"
            " formulas themselves, on complex numbers or fractions, agree with the gradient"
        )
        return None
    else:
        witness.found[index] = best
    return best


def _noise_along(evidence: Evidence, index: int) -> Callable[[float], float]:
    def noise(x: float) -> float:
        recording = evidence.subject.tried(evidence.subject.moved(index, x))
        return Rounding(recording, evidence.judge.balls).value_error if recording else math.inf

    return noise


def _slope_along(evidence: Evidence, index: int) -> Callable[[float], float]:
    def slope(x: float) -> float:
        recording = evidence.subject.tried(evidence.subject.moved(index, x))
        if recording is None:
            return math.nan
        return reverse(evidence.subject, recording, evidence.options.backward)[index]

    return slope


def _is_overruled(evidence: Evidence, index: int, estimate: Estimate) -> bool:
    """Whether the formulas agree with the gradient, and the graph is the function."""
    speaking = [w for w in evidence.witnesses if w.name in ("complex step", "exact")]
    if not any(
        not w.silent and (e := w.found[index]) and _agrees(evidence, index, w.name, e)
        for w in speaking
    ):
        return False
    x = evidence.subject.point[index]
    for to in (x + estimate.step, x - estimate.step):
        point = evidence.subject.moved(index, to)
        places = enumerate(evidence.recording.places)
        given = {i: point[i] for i, place in places if place is not None}
        try:
            replayed = evidence.recording.replay(FLOATS, given)[-1]
            value = evidence.subject.record(point).value
        except ERRORS:
            return False
        if bits([replayed]) != bits([value]):
            return False
    return True
