"""Comparison of a gradient with what the witnesses say of single inputs.

A disagreement is a problem if some operation is at fault. Where every rule is right by its own
convention, as at a kink, and where no independent witness has anything to say, it is a doubt.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

from micrograd.testing import blame
from micrograd.testing.differences import Estimate, Slopes, beside, is_smooth, resolves
from micrograd.testing.evidence import Evidence
from micrograd.testing.reconsideration import (
    Verdict,
    fine_structure,
    is_between_sides,
    reconsider,
)
from micrograd.testing.report import Problem
from micrograd.testing.witnesses import INDEPENDENT, Differences, taylor_order


def compare(evidence: Evidence, indices: Iterable[int]) -> None:
    """Compare these entries of the gradient with every witness that speaks."""
    for index in indices:
        if not math.isfinite(evidence.gradient[index]):
            _compare_unbounded(evidence, index)
        elif evidence.infinite:
            _compare_beside_infinity(evidence, index)
        else:
            _compare_entry(evidence, index)


def _compare_entry(evidence: Evidence, index: int) -> None:
    direction, told = {index: 1.0}, False
    for witness in evidence.witnesses:
        if witness.silent:
            continue
        estimate = witness.found[index]
        if isinstance(witness, Differences):
            slopes = witness.sides[index]
            if slopes.is_kink:
                if not _agrees_at_kink(evidence, index, slopes):
                    return
                told = True
                continue
        if estimate is None:
            continue
        if not evidence.agrees(direction, witness.name, estimate):
            verdict = Verdict(estimate)
            if isinstance(witness, Differences):
                verdict = reconsider(evidence, index, witness)
            if verdict.estimate is not None:
                _disagree(evidence, index, witness.name, verdict.estimate)
                return
            if verdict.doubt:
                evidence.doubts.append(verdict.doubt)
                return
            told |= verdict.agrees
        elif (
            isinstance(witness, Differences)
            and evidence.is_noisy
            and (doubt := fine_structure(evidence, index))
        ):
            evidence.doubts.append(doubt)
            return
        elif witness.name in INDEPENDENT:
            told |= evidence.is_told(direction, witness.name, estimate)
    if _is_cut(evidence, index):
        return
    if not told and "difference" in evidence.options.modes:
        told = is_between_sides(evidence, index)
    if not told and INDEPENDENT & set(evidence.options.modes):  # else Taylor's remainder decides
        evidence.doubts.append(f"{evidence.name(index)}: {_unheard(evidence, index)}")


def _unheard(evidence: Evidence, index: int) -> str:
    """Why no witness confirms an entry."""
    reasons = []
    for witness in evidence.witnesses:
        if witness.name not in INDEPENDENT:
            continue
        estimate = None if witness.silent else witness.found[index]
        if witness.silent:
            reasons.append(f"{witness.name} is silent, {witness.silent}")
        elif estimate is None:
            reasons.append(f"{witness.name} finds no number")
        else:
            bound = evidence.bound({index: 1.0}, witness.name, estimate)
            reasons.append(f"{witness.name} says {estimate.value!r}, but only ± {bound:.0e}")
    return f"no independent witness was heard: {'; '.join(reasons) or 'none was asked'}"


def _disagree(evidence: Evidence, index: int, witness: str, estimate: Estimate) -> None:
    got, expected = evidence.gradient[index], estimate.value
    if not evidence.is_accused() and evidence.convention():
        _doubt_convention(evidence, index, f"the {witness} says {expected!r}")
        return
    bound = evidence.bound({index: 1.0}, witness, estimate)
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


def _doubt_convention(evidence: Evidence, index: int, said: str) -> None:
    evidence.doubts.append(
        f"{evidence.name(index)} = {evidence.gradient[index]!r}, but {said}: every rule is right by"
        f" its own convention at {evidence.convention()}, and what they give together is not"
        " confirmed"
    )


def _agrees_at_kink(evidence: Evidence, index: int, slopes: Slopes) -> bool:
    left, right, got = slopes.left, slopes.right, evidence.gradient[index]
    assert left is not None  # noqa: S101 (is_kink was asked)
    assert right is not None  # noqa: S101
    name = evidence.name(index)
    sides = f"{left.value!r} from the left, {right.value!r} from the right"
    if blame.is_between(got, slopes, evidence.bounds[index]):
        if slopes.jumps:
            evidence.doubts.append(f"{name}: the function jumps here, and has no derivative")
            return False
        evidence.notes.append(f"{name} at a kink: {got!r} lies between {sides}")
        return True
    if evidence.is_accused() or not evidence.convention():
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
        _doubt_convention(evidence, index, f"the derivative is {sides}")
    return False


def _compare_beside_infinity(evidence: Evidence, index: int) -> None:
    """Where a factor of zero met an infinite slope: only the derivatives from both sides tell."""
    got, x = evidence.gradient[index], evidence.subject.point[index]
    if "difference" not in evidence.options.modes:
        evidence.doubts.append(
            f"{evidence.name(index)}: {evidence.infinite} has an infinite slope, where only"
            " differences could tell, which were not asked"
        )
        return
    slopes = beside(evidence.probe.along(index), x, evidence.noise)
    sides = [side for side in (slopes.left, slopes.right) if side is not None]
    direction = {index: 1.0}
    if (
        len(sides) == 2
        and not slopes.jumps
        and all(
            evidence.agrees(direction, "difference", side)
            and evidence.is_told(direction, "difference", side)
            for side in sides
        )
    ):
        return
    found = " and ".join(repr(side.value) for side in sides) or "no number"
    if evidence.is_accused() and any(
        not evidence.agrees(direction, "difference", side) for side in sides
    ):
        _disagree(evidence, index, "difference", sides[0])
        return
    evidence.doubts.append(
        f"{evidence.name(index)} = {got!r}: {evidence.infinite} has an infinite slope, which a zero"
        f" may have met, and differences beside the point find {found}"
    )


def _is_cut(evidence: Evidence, index: int) -> bool:
    """Whether the function moves with an input that its graph does not hold; a problem if so."""
    witness = next((w for w in evidence.witnesses if isinstance(w, Differences)), None)
    if witness is None or evidence.recording.places[index] is not None:
        return False
    estimate = witness.found[index]
    if estimate is None or not estimate.step:
        return False
    x = evidence.subject.point[index]
    gap, near = (
        _gap(evidence, index, max(h, 4 * math.ulp(x)))
        for h in (estimate.step, estimate.step * 2.0**-30)
    )
    if not gap > 16 * evidence.noise:
        return False
    if near > gap / 4:
        evidence.doubts.append(f"{evidence.name(index)}: the function jumps here")
        return True
    evidence.problems.append(
        Problem(
            f"{evidence.name(index)}: reverse says {evidence.gradient[index]!r}, for the input is"
            f" not in the graph, but the function changes by {gap:.1g} when it moves by"
            f" {estimate.step:.1g}",
            index,
            evidence.gradient[index],
            estimate.value,
            estimate.error,
            "difference",
        )
    )
    return True


def _gap(evidence: Evidence, index: int, step: float) -> float:
    """How far the function moves on the same branches when an input does."""
    f, x = evidence.probe.along(index), evidence.subject.point[index]
    value, branches = f(x)
    moved = (f(x + side * step) for side in (1, -1))
    return max(abs(number - value) if there == branches else 0.0 for number, there in moved)


def _compare_unbounded(evidence: Evidence, index: int) -> None:
    """A gradient that is nan or infinite, where the value is a number."""
    name, got = evidence.name(index), evidence.gradient[index]
    if any(math.isnan(node.value.data) for node in evidence.recording.nodes):
        evidence.doubts.append(f"{name} is {got!r}, for the value passes through a nan")
        return
    if evidence.singular:
        evidence.doubts.append(f"{name} is {got!r}, for {evidence.singular[0]} has no derivative")
        return
    first = next(blame.unbounded(evidence.recording), None)
    if first is not None and first.operand is not None:
        node = evidence.recording.nodes[first.node]
        if evidence.judge.overflows(node, first.operand):
            evidence.doubts.append(f"{name} is {got!r}, for a derivative of {node.name} overflows")
            return
    f, x = evidence.probe.along(index), evidence.subject.point[index]
    slopes = beside(f, x, evidence.noise)
    for estimate in (slopes.left, slopes.right):
        if estimate is not None and _settles(evidence, index, estimate):
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
    evidence.doubts.append(f"{name} is {got!r}, and no difference settles on a number either")


def _settles(evidence: Evidence, index: int, estimate: Estimate) -> bool:
    if not estimate.error <= 1e-3 * (1 + abs(estimate.value)):
        return False
    f = evidence.probe.along(index)
    return resolves(estimate, evidence.subject.point[index], lambda x: f(x)[0], 8 * evidence.noise)


# ------------------------------------------------------------------------------- Taylor's remainder


def taylor(evidence: Evidence) -> str:
    """What Taylor's remainder says of the gradient; a problem if it alone finds it wrong."""
    said, order = _remainder(evidence)
    others = INDEPENDENT & set(evidence.options.modes)
    if order is None:
        if not others:
            evidence.doubts.append(f"Taylor's remainder is {said}, and no other witness was asked")
        return said
    if order > 1.5 or evidence.problems:
        return said
    if "difference" in evidence.options.modes:
        # The differences, which would have told a wrong gradient, found no fault.
        return "silent, no step is small enough for it"
    line = evidence.probe.line(_taylor_direction(evidence))
    if not is_smooth(lambda h: line(h)[0], 0.0, 2.0**-8, evidence.noise):
        if not others:
            evidence.doubts.append("no step is small enough for Taylor's remainder")
        return "silent, no step is small enough for it"
    evidence.problems.append(
        Problem(f"d {evidence.subject.function_name}: Taylor's remainder is of order {order:.2f}")
    )
    return said


def _remainder(evidence: Evidence) -> tuple[str, float | None]:
    if evidence.is_singular() or not all(map(math.isfinite, evidence.gradient)):
        return "silent, the point is singular", None
    if evidence.probe.replays:
        return "silent, detached numbers are held constant", None
    direction = _taylor_direction(evidence)
    line = evidence.probe.line(direction)
    order = taylor_order(line, evidence.got(direction), 1.0, evidence.noise)
    if order is None:
        return "below rounding", None
    return f"order {order:.2f} (2 for a true gradient)", order


def _taylor_direction(evidence: Evidence) -> dict[int, float]:
    rng = random.Random(0)  # noqa: S311 (a direction, no secret)
    return {i: rng.choice((-1, 1)) * (abs(x) or 1.0) for i, x in enumerate(evidence.subject.point)}
