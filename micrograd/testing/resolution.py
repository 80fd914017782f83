"""A second look at a difference that disagrees: do its steps resolve the function at all?

Steps that are too wide, noise, an iteration that stops at a tolerance, and a kink that no graph
shows may explain the disagreement.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from micrograd.testing.arithmetic import FLOATS
from micrograd.testing.differences import Estimate, beside, differentiate, resolved
from micrograd.testing.evidence import Entry, Evidence, Verdict, bits
from micrograd.testing.noise import has_jumps, tail
from micrograd.testing.recording import Direction, Recording
from micrograd.testing.rounding import Rounding
from micrograd.testing.witnesses import ERRORS, Statement, reverse

_FINER = 5  # scales of steps below which noise may turn out to be a structure
_CLOSE = 2e-3  # a relative difference that a tolerance inside the function may explain
_FAR = 5e-2  # one that it may explain, but so badly that nothing is confirmed


def reconsider(entry: Entry, statements: dict[str, Statement]) -> Verdict:
    """Look again at a difference that disagrees with the gradient."""
    evidence, found = entry.evidence, statements["difference"].found
    estimate = found[entry.index]
    if evidence.is_noisy:
        if not entry.got and (doubt := _steps(entry)):
            return entry.doubt(doubt)
        # What seemed to be noise may be a structure that finer steps resolve.
        for fine in _finer(entry, evidence.options.eps):
            if fine is None or _is_between_jumps(entry, fine):
                break
            if entry.agrees(fine):
                found[entry.index] = fine
                return entry.confirmed(fine)
        return _within_tolerance(entry, found)
    found[entry.index] = estimate = _resolved(entry)
    if estimate is None:
        if is_between_sides(entry):
            return Verdict.CONFIRMED
        entry.note(": no step of a difference resolves the function")
        return Verdict.OPEN
    if entry.agrees(estimate):
        return entry.confirmed(estimate)
    if _is_overruled(entry, estimate, statements):
        entry.note(
            f": differences say {estimate.value!r} ± {estimate.error:.0e}, but the formulas"
            " themselves, on complex numbers or fractions, agree with the gradient"
        )
        return Verdict.OPEN
    return _within_tolerance(entry, found)


def _resolved(entry: Entry) -> Estimate | None:
    """The best difference whose steps resolve the function."""
    evidence = entry.evidence
    subject = evidence.subject

    def recorded(x: float) -> Recording | None:
        return subject.tried([*subject.point[: entry.index], x, *subject.point[entry.index + 1 :]])

    def rounding(x: float) -> float:
        recording = recorded(x)
        return Rounding(recording, evidence.judge.balls).value_error if recording else math.inf

    def slope(x: float) -> float:
        recording = recorded(x)
        if recording is None:
            return math.nan
        return reverse(subject, recording, evidence.options.backward)[entry.index]

    error = 4 * entry.rounding
    return resolved(entry.f, entry.x, rounding, slope, error, evidence.options.eps)


def _finer(entry: Entry, first: float | None) -> Iterator[Estimate | None]:
    """Differences from ever smaller steps, whose errors are those of rounding alone."""
    for _ in range(_FINER):
        rounding = entry.evidence.rounding.value_error
        fine = differentiate(entry.f, entry.x, rounding, first).estimate
        yield fine
        first = (fine.step if fine else first or 1.0) / 64


def fine_structure(entry: Entry) -> str:
    """Why an agreement beside noise is doubtful: the noise is smooth, with quite another slope."""
    if doubt := _steps(entry):
        return doubt
    for fine in _finer(entry, (abs(entry.x) or 1.0) * 2.0**-16):
        if fine is not None and fine.error <= 1e-3 * abs(fine.value):
            size = max(abs(entry.got), abs(fine.value))
            if abs(entry.got - fine.value) <= 10 * _CLOSE * size or _is_between_jumps(entry, fine):
                return ""
            return (
                f": what looks like noise of {entry.evidence.measured:.0e} is smooth on a finer"
                f" scale, where differences say {fine.value!r}"
            )
    return ""


def _steps(entry: Entry) -> str:
    """Why the differences of a function that moves in wide steps say nothing of a derivative."""
    evidence, reach = entry.evidence, (abs(entry.x) or 1.0) * 2.0**-26
    here = entry.value(entry.x)
    if not evidence.is_rough or any(entry.value(entry.x + s * reach) != here for s in (1, -1)):
        return ""
    return (
        f": the function moves in steps of about {evidence.measured:.0e}, between which it is flat"
    )


def _is_between_jumps(entry: Entry, fine: Estimate) -> bool:
    """Whether a difference finds only what is smooth between jumps, as of single precision."""

    def rest(at: float) -> float:
        return entry.value(at) - fine.value * (at - entry.x)

    evidence, reach = entry.evidence, (abs(entry.x) or 1.0) * 2.0**-14
    jump = min(evidence.measured / 64, 64 * evidence.rounding.value_error)
    return not fine.value or any(has_jumps(g, entry.x, reach, jump) for g in (rest, entry.value))


def _within_tolerance(entry: Entry, found: list[Estimate | None]) -> Verdict:
    """Whether an iteration that stops at a tolerance explains a difference."""
    evidence, best = entry.evidence, found[entry.index]
    assert best is not None  # noqa: S101 (it disagrees)
    gap, size = abs(entry.got - best.value), max(abs(entry.got), abs(best.value))
    if not evidence.recording.is_by_hand or not gap <= _FAR * size:
        return entry.disagree(best)
    noise, allowed, value = 0.0, best.error, entry.value(entry.x)
    for reach in _reaches(entry.x):
        sides = (abs(entry.value(entry.x + side * reach)) for side in (1, -1))
        if max(sides) > 4 * abs(value) + 4 * size * reach:
            continue  # where the function is so much larger, its noise may be larger, too
        noise = max(noise, tail(entry.f, entry.x, reach))
        # The error is as smooth as the function is on the steps of the difference, and no larger.
        allowed = best.error + 4 * noise / best.step
        if gap <= allowed:
            break
    else:
        return entry.disagree(best)
    text = (
        f": differences say {best.value!r}, and the function is off by up to {noise:.0e}, as if it"
        " stopped at a tolerance"
    )
    if gap > _CLOSE * size:
        if evidence.is_noisy:  # the noise beside the point was measured
            return entry.disagree(best)
        return entry.doubt(f"{text}, which may or may not explain the difference")
    entry.note(text)
    evidence.measured = max(evidence.measured, noise)
    found[entry.index] = best._replace(error=allowed)
    return Verdict.CONFIRMED


def _reaches(x: float) -> Iterator[float]:
    """How far to look for noise.

    Close to the point, an iteration takes the same number of steps; far from it, the function may
    vary so much that its noise cannot be seen.
    """
    for scale in dict.fromkeys((max(abs(x), 1.0), abs(x) or 1.0)):
        yield from (scale * factor for factor in (1 / 54, 1 / 18, 1 / 6, 1 / 2, 3 / 2))


def is_between_sides(entry: Entry) -> bool:
    """Whether the point is at a kink that no graph shows, and the entry between its derivatives."""
    slopes = beside(entry.f, entry.x, entry.evidence.noise)
    if slopes.jumps or not slopes.surround(entry.got, entry.rounding):
        return False
    sides = " and ".join(repr(side.value) for side in slopes.sides)
    entry.note(f" at a kink: {entry.got!r} lies between {sides}")
    return True


def _is_overruled(entry: Entry, estimate: Estimate, statements: dict[str, Statement]) -> bool:
    """Whether the formulas agree with the gradient, and the graph is the function."""
    speaking = (statements[name] for name in ("complex step", "exact") if name in statements)
    return any(
        not witness.silent
        and (said := witness.found[entry.index]) is not None
        and entry.agrees(said, witness.name)
        for witness in speaking
    ) and is_its_graph(entry.evidence, {entry.index: estimate.step})


def is_its_graph(evidence: Evidence, direction: Direction) -> bool:
    """Whether the recorded graph predicts the function beside the point, to the last bit."""
    recording, subject = evidence.recording, evidence.subject
    if recording.root is None:
        return False
    for side in (1, -1):
        point = subject.moved(direction, side)
        given = {i: point[i] for i, place in enumerate(recording.places) if place is not None}
        try:
            replayed = recording.replay(FLOATS, given)[-1]
            value = subject.record(point).value
        except ERRORS:
            return False
        if bits([replayed]) != bits([value]):
            return False
    return True
