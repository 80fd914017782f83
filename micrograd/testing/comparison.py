"""Comparison of a gradient with what the witnesses say, input by input; and Taylor's remainder.

A disagreement is a problem if some operation is at fault. It is a doubt where every rule is right
by its own convention, as at a kink, and where no independent witness has anything to say.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from micrograd.testing import blame
from micrograd.testing.differences import Estimate, Slopes, beside, is_smooth, resolves
from micrograd.testing.evidence import Entry, Evidence, Verdict
from micrograd.testing.resolution import fine_structure, is_between_sides, reconsider
from micrograd.testing.witnesses import INDEPENDENT, Statement, taylor_order

Statements = dict[str, Statement]


def compare(evidence: Evidence, indices: Sequence[int]) -> None:
    """Hear the witnesses on these entries of the gradient, and compare."""
    statements = evidence.hear(indices)
    for index in indices:
        entry = Entry(evidence, index)
        if not math.isfinite(entry.got):
            _compare_unbounded(entry)
        elif evidence.infinite:
            _compare_beside_infinity(entry)
        else:
            _compare_entry(entry, statements)


def _compare_entry(entry: Entry, statements: Statements) -> None:
    verdicts = set()
    for statement in statements.values():
        if not statement.silent:
            verdict = _verdict(entry, statement, statements)
            if verdict is Verdict.SETTLED:
                return
            verdicts.add(verdict)
    if "difference" in statements and _is_cut(entry, statements["difference"].found[entry.index]):
        return
    if Verdict.CONFIRMED in verdicts or ("difference" in statements and is_between_sides(entry)):
        return
    if entry.evidence.asks_independent:  # else Taylor's remainder decides
        entry.doubt(f": {_why_unconfirmed(entry, statements)}")


def _verdict(entry: Entry, statement: Statement, statements: Statements) -> Verdict:
    """What the statement of one witness comes to."""
    if entry.index in statement.sides:
        return _compare_at_kink(entry, statement.sides[entry.index])
    estimate, is_difference = statement.found[entry.index], statement.name == "difference"
    if estimate is None:
        return Verdict.OPEN
    if not entry.agrees(estimate, statement.name):
        if is_difference:
            return reconsider(entry, statements)
        return entry.disagree(estimate, statement.name)
    if is_difference and entry.evidence.is_noisy and (doubt := fine_structure(entry)):
        return entry.doubt(doubt)
    return entry.confirmed(estimate, statement.name)


def _why_unconfirmed(entry: Entry, statements: Statements) -> str:
    """Why no witness confirms an entry."""
    reasons = []
    for name, statement in statements.items():
        estimate = None if statement.silent else statement.found[entry.index]
        if name not in INDEPENDENT:
            continue
        if statement.silent:
            reasons.append(f"{name} is silent, {statement.silent}")
        elif estimate is None:
            reasons.append(f"{name} found no number")
        else:
            bound = entry.evidence.bound(entry.direction, name, estimate)
            reasons.append(f"{name} says {estimate.value!r}, but only ± {bound:.0e}")
    return f"no independent witness confirms it: {'; '.join(reasons) or 'none was asked for'}"


def _compare_at_kink(entry: Entry, slopes: Slopes) -> Verdict:
    left, right = slopes.sides
    text = f"{left.value!r} from the left, {right.value!r} from the right"
    if slopes.surround(entry.got, entry.rounding):
        if slopes.jumps:
            return entry.doubt(": the function jumps here, and has no derivative")
        entry.note(f" at a kink: {entry.got!r} lies between {text}")
        return Verdict.CONFIRMED
    if entry.evidence.fault is not None or not entry.evidence.convention():
        bound = left.error + entry.rounding
        return entry.accuse(f", but the derivative is {text}", left.value, bound)
    return entry.doubt_convention(f"the derivative is {text}")


def _compare_beside_infinity(entry: Entry) -> None:
    """Where zero may have met an infinite slope, compare with the derivatives from both sides."""
    evidence = entry.evidence
    if "difference" not in evidence.options.modes:
        entry.doubt(
            f": {evidence.infinite} has an infinite slope, so that only differences could confirm"
            " the entry, and they were not asked for"
        )
        return
    slopes = beside(entry.f, entry.x, evidence.noise)
    sides = slopes.sides
    agreeing = [entry.agrees(side) for side in sides]
    confirmed = all(entry.confirmed(side) is Verdict.CONFIRMED for side in sides)
    if len(sides) == 2 and not slopes.jumps and all(agreeing) and confirmed:
        return
    if not all(agreeing) and evidence.fault is not None:
        entry.disagree(sides[0])
        return
    found = " and ".join(repr(side.value) for side in sides) or "no number"
    entry.doubt(
        f" = {entry.got!r}: {evidence.infinite} has an infinite slope, which a zero may have met;"
        f" differences beside the point give {found}"
    )


def _is_cut(entry: Entry, estimate: Estimate | None) -> bool:
    """Whether the function moves with an input that its graph does not hold; reported if so."""
    evidence = entry.evidence
    if evidence.recording.places[entry.index] is not None or estimate is None or not estimate.step:
        return False

    def gap(step: float) -> float:
        """How far the function moves on the same branches when the input does."""
        value, branches = entry.f(entry.x)
        moved = (entry.f(entry.x + side * step) for side in (1, -1))
        return max(abs(number - value) if there == branches else 0.0 for number, there in moved)

    least = 4 * math.ulp(entry.x)
    far, near = gap(max(estimate.step, least)), gap(max(estimate.step * 2.0**-30, least))
    if not far > 16 * evidence.noise:
        return False
    if near > far / 4:
        entry.doubt(": the function jumps here")
    else:
        entry.accuse(
            f", because the input is not in the graph, but the function changes by {far:.1g} when"
            f" the input moves by {estimate.step:.1g}",
            estimate.value,
            estimate.error,
        )
    return True


def _compare_unbounded(entry: Entry) -> None:
    """A gradient that is nan or infinite, where the value is a number."""
    evidence, nodes = entry.evidence, entry.evidence.recording.nodes
    first = next(blame.unbounded(evidence.recording), None)
    reason = ""
    if any(math.isnan(node.value.data) for node in nodes):
        reason = "the value passes through a nan"
    elif evidence.singular:
        reason = f"{evidence.singular[0]} has no derivative"
    elif first is not None and evidence.judge.overflows(nodes[first.node], first.operand):
        reason = f"a derivative of {nodes[first.node].name} overflows"
    if reason:
        entry.doubt(f" is {entry.got!r}, because {reason}")
        return
    for estimate in beside(entry.f, entry.x, evidence.noise).sides:
        is_sharp = estimate.error <= 1e-3 * (1 + abs(estimate.value))
        if is_sharp and resolves(estimate, entry.x, entry.value, 8 * evidence.noise):
            entry.accuse(
                " where the value is finite and differences from one side say"
                f" {estimate.value!r} ± {estimate.error:.0e}",
                estimate.value,
                estimate.error,
            )
            return
    entry.doubt(f" is {entry.got!r}, and no difference settles on a number either")


# ------------------------------------------------------------------------------- Taylor's remainder


def taylor(evidence: Evidence) -> str:
    """What Taylor's remainder says of the gradient; a problem if it alone finds it wrong."""
    text, order = _remainder(evidence)
    alone = not evidence.asks_independent
    if order is None:
        if alone:
            evidence.doubts.append(
                f"Taylor's remainder is {text}, and no other witness was asked for"
            )
        return text
    if order > 1.5 or evidence.problems:
        return text
    # Differences would have shown a wrong gradient.
    line = evidence.probe.line(evidence.subject.everywhere)
    if "difference" in evidence.options.modes or not is_smooth(
        lambda h: line(h)[0], 0.0, 2.0**-8, evidence.noise
    ):
        if alone:
            evidence.doubts.append("no step is small enough for Taylor's remainder")
        return "silent, no step is small enough for it"
    name = evidence.subject.function_name
    evidence.accuse(f"d {name}: Taylor's remainder is of order {order:.2f}, and not 2")
    return text


def _remainder(evidence: Evidence) -> tuple[str, float | None]:
    if evidence.is_singular() or not all(map(math.isfinite, evidence.gradient)):
        return "silent, the point is singular", None
    if evidence.probe.holds:
        return "silent, detached numbers are held constant", None
    direction = evidence.subject.everywhere
    line = evidence.probe.line(direction)
    order = taylor_order(line, evidence.got(direction), 1.0, evidence.noise)
    if order is None:
        return "below rounding", None
    return f"order {order:.2f} (2 for a true gradient)", order
