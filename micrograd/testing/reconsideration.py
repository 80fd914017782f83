"""Differences that disagree are looked at again: finer steps, noise, kinks that no graph shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from micrograd.testing import blame
from micrograd.testing.differences import Estimate, beside, differentiate, resolved
from micrograd.testing.evidence import Evidence, bits
from micrograd.testing.noise import has_jumps, tail
from micrograd.testing.recording import FLOATS
from micrograd.testing.rounding import Rounding
from micrograd.testing.witnesses import ERRORS, Differences, Direction, reverse

_FINER = 5  # scales of steps below which noise may turn out to be a structure
_CLOSE = 2e-3  # a relative difference that a tolerance inside of the function may explain
_FAR = 5e-2  # one that it may explain, but so badly that nothing is confirmed


class Verdict(NamedTuple):
    """What a second look says: a difference that disagrees, a doubt, or whether it agrees."""

    estimate: Estimate | None = None
    doubt: str = ""
    agrees: bool = False


def reconsider(evidence: Evidence, index: int, witness: Differences) -> Verdict:
    """Look again at a difference that disagrees with the gradient."""
    if evidence.is_noisy:
        verdict = _beside_noise(evidence, index, witness)
        if verdict.estimate is not None:
            return _within_tolerance(evidence, index, witness, verdict.estimate)
        return verdict
    best = resolved(
        evidence.probe.along(index),
        evidence.subject.point[index],
        _rounding_along(evidence, index),
        _slope_along(evidence, index),
        4 * evidence.bounds[index],
        evidence.options.eps,
    )
    name = evidence.name(index)
    if best is None:
        witness.found[index] = None
        if is_between_sides(evidence, index):
            return Verdict(agrees=True)
        evidence.notes.append(f"{name}: no step of a difference resolves the function")
        return Verdict()
    direction = {index: 1.0}
    if evidence.agrees(direction, witness.name, best):
        witness.found[index] = best
        return Verdict(agrees=evidence.is_told(direction, witness.name, best))
    if _is_overruled(evidence, index, best):
        evidence.notes.append(
            f"{name}: differences say {best.value!r} ± {best.error:.0e}, but the"
            " formulas themselves, on complex numbers or fractions, agree with the gradient"
        )
        return Verdict()
    return _within_tolerance(evidence, index, witness, best)


def _beside_noise(evidence: Evidence, index: int, witness: Differences) -> Verdict:
    """What seemed to be noise may be a structure that finer steps resolve."""
    if (doubt := _steps(evidence, index)) and not evidence.gradient[index]:
        return Verdict(doubt=doubt)
    f, x = evidence.probe.along(index), evidence.subject.point[index]
    direction, first = {index: 1.0}, evidence.options.eps
    for _ in range(_FINER):
        fine = differentiate(f, x, evidence.rounding.value_error, first).estimate
        if fine is None or _is_between_jumps(evidence, index, fine):
            break
        if evidence.agrees(direction, witness.name, fine):
            witness.found[index] = fine
            return Verdict(agrees=evidence.is_told(direction, witness.name, fine))
        first = fine.step / 64
    return Verdict(witness.found[index])


def fine_structure(evidence: Evidence, index: int) -> str:
    """Why an agreement beside noise is doubtful: the noise is smooth, with quite another slope."""
    if doubt := _steps(evidence, index):
        return doubt
    f, x = evidence.probe.along(index), evidence.subject.point[index]
    got, first = evidence.gradient[index], (abs(x) or 1.0) * 2.0**-16
    for _ in range(_FINER):
        fine = differentiate(f, x, evidence.rounding.value_error, first).estimate
        if fine is not None and fine.error <= 1e-3 * abs(fine.value):
            size = max(abs(got), abs(fine.value))
            if abs(got - fine.value) <= 10 * _CLOSE * size:
                return ""
            if _is_between_jumps(evidence, index, fine):
                return ""
            return (
                f"{evidence.name(index)}: what looks like noise of {evidence.measured:.0e} is"
                f" smooth on a finer scale, where differences say {fine.value!r}"
            )
        first /= 64
    return ""


def _steps(evidence: Evidence, index: int) -> str:
    """Why a function that moves in wide steps has no derivative of which differences could tell."""
    f, x = evidence.probe.along(index), evidence.subject.point[index]
    value, reach = f(x)[0], (abs(x) or 1.0) * 2.0**-26
    if not evidence.is_rough or any(f(x + side * reach)[0] != value for side in (1, -1)):
        return ""
    return (
        f"{evidence.name(index)}: the function moves in steps of about {evidence.measured:.0e},"
        " between which it is flat"
    )


def _is_between_jumps(evidence: Evidence, index: int, fine: Estimate) -> bool:
    """Whether a difference finds only what is smooth between jumps, as of single precision."""
    f, x = evidence.probe.along(index), evidence.subject.point[index]

    def rest(at: float) -> float:
        return f(at)[0] - fine.value * (at - x)

    reach = (abs(x) or 1.0) * 2.0**-14
    jump = min(evidence.measured / 64, 64 * evidence.rounding.value_error)
    return not fine.value or any(has_jumps(g, x, reach, jump) for g in (rest, lambda at: f(at)[0]))


def _within_tolerance(
    evidence: Evidence, index: int, witness: Differences, best: Estimate
) -> Verdict:
    """Whether an iteration that stops at a tolerance explains a difference."""
    if not any(node.is_by_hand for node in evidence.recording.nodes):
        return Verdict(best)
    x, got = evidence.subject.point[index], evidence.gradient[index]
    gap, size = abs(got - best.value), max(abs(got), abs(best.value))
    if not gap <= _FAR * size:
        return Verdict(best)
    f, noise, allowed = evidence.probe.along(index), 0.0, best.error
    value = f(x)[0]
    for reach in _reaches(x):
        if max(abs(f(x + side * reach)[0]) for side in (1, -1)) > 4 * abs(value) + 4 * size * reach:
            continue  # where the function is so much larger, its noise may be larger, too
        noise = max(noise, tail(f, x, reach))
        # The error is as smooth as the function is on the steps of the difference, and no larger.
        allowed = best.error + 4 * noise / best.step
        if gap <= allowed:
            break
    else:
        return Verdict(best)
    said = (
        f"{evidence.name(index)}: differences say {best.value!r}, and the function is off by up to"
        f" {noise:.0e}, as if it stopped at a tolerance"
    )
    if gap > _CLOSE * size:
        if evidence.is_noisy:  # the noise beside the point was measured
            return Verdict(best)
        return Verdict(doubt=f"{said}: that may explain the difference, or not")
    evidence.notes.append(said)
    evidence.measured = max(evidence.measured, noise)
    witness.found[index] = best._replace(error=allowed)
    return Verdict(agrees=True)


def _reaches(x: float) -> Iterator[float]:
    """How far to look for noise.

    Close to the point, an iteration takes the same number of steps; far from it, the function may
    vary too much to be told from noise.
    """
    for scale in dict.fromkeys((max(abs(x), 1.0), abs(x) or 1.0)):
        yield from (scale * factor for factor in (1 / 54, 1 / 18, 1 / 6, 1 / 2, 3 / 2))


def is_between_sides(evidence: Evidence, index: int) -> bool:
    """Whether the point is at a kink that no graph shows, and the entry between its derivatives."""
    x, got = evidence.subject.point[index], evidence.gradient[index]
    slopes = beside(evidence.probe.along(index), x, evidence.noise)
    if not slopes.is_kink or slopes.jumps:
        return False
    if not blame.is_between(got, slopes, evidence.bounds[index]):
        return False
    sides = " and ".join(repr(side.value) for side in (slopes.left, slopes.right) if side)
    evidence.notes.append(f"{evidence.name(index)} at a kink: {got!r} lies between {sides}")
    return True


def _rounding_along(evidence: Evidence, index: int) -> Callable[[float], float]:
    def rounding(x: float) -> float:
        recording = evidence.subject.tried(evidence.subject.moved(index, x))
        return Rounding(recording, evidence.judge.balls).value_error if recording else math.inf

    return rounding


def _slope_along(evidence: Evidence, index: int) -> Callable[[float], float]:
    def slope(x: float) -> float:
        recording = evidence.subject.tried(evidence.subject.moved(index, x))
        if recording is None:
            return math.nan
        return reverse(evidence.subject, recording, evidence.options.backward)[index]

    return slope


def _is_overruled(evidence: Evidence, index: int, estimate: Estimate) -> bool:
    """Whether the formulas agree with the gradient, and the graph is the function."""
    direction = {index: 1.0}
    speaking = [w for w in evidence.witnesses if w.name in ("complex step", "exact")]
    if not any(
        not w.silent and (e := w.found[index]) and evidence.agrees(direction, w.name, e)
        for w in speaking
    ):
        return False
    return is_its_graph(evidence, {index: estimate.step})


def is_its_graph(evidence: Evidence, direction: Direction) -> bool:
    """Whether the recorded graph foretells the function beside the point, to the last bit."""
    recording, subject = evidence.recording, evidence.subject
    if recording.root is None:
        return False
    for side in (1, -1):
        point = list(subject.point)
        for index, step in direction.items():
            point[index] += side * step
        places = enumerate(recording.places)
        given = {i: point[i] for i, place in places if place is not None}
        try:
            replayed = recording.replay(FLOATS, given)[-1]
            value = subject.record(point).value
        except ERRORS:
            return False
        if bits([replayed]) != bits([value]):
            return False
    return True
