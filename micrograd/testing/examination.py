"""The examination of one output at one point: everything that its report says."""

from __future__ import annotations

import math
from typing import Any

from micrograd.engine.value import Value
from micrograd.testing import blame, culprit
from micrograd.testing.comparison import compare, taylor
from micrograd.testing.directions import EntrySearch, are_many
from micrograd.testing.evidence import Evidence, bits
from micrograd.testing.options import Options
from micrograd.testing.recording import Subject
from micrograd.testing.report import Report
from micrograd.testing.witnesses import reverse
from micrograd.transforms.structures import flatten


def examined(subject: Subject, options: Options, *, explained: bool = True) -> Report:
    """The report on one output.

    Args:
        subject: the function, and the point.
        options: what the user chose.
        explained: whether to look for the operation at fault, if something is wrong.
    """
    before = _state(subject)
    evidence = Evidence(subject, options)
    report = evidence.report
    _check_repetition(evidence)
    _check_closures(evidence)
    if not math.isfinite(report.value):
        evidence.doubts.append(f"the value is {report.value!r}: it has no derivative to compare")
    elif not evidence.gradient:
        evidence.doubts.append("there is no input to differentiate with respect to")
    else:
        _compare(evidence)
        if "taylor" in options.modes:
            report.taylor = taylor(evidence)
    _note_unreached(evidence)
    if _state(subject) != before or _moved(evidence):
        evidence.accuse("the function is not pure: running it changes its inputs")
    report.noise, report.measured = evidence.noise, evidence.measured
    if explained and evidence.problems:
        alone = options._replace(modes=("difference",))

        def fails(point: list[float]) -> bool:
            trial = Subject(subject.f, subject.arguments(point), output=subject.output)
            return examined(trial, alone, explained=False).is_wrong

        report.culprit = culprit.found(evidence, fails)
    return report


def _moved(evidence: Evidence) -> bool:
    """Whether the inputs that were made for the function have other numbers by now."""
    subject, inputs = evidence.subject, evidence.recording.inputs
    return subject.parameters is None and bits(x.data for x in inputs) != bits(subject.point)


def _compare(evidence: Evidence) -> None:
    """Compare the gradient with the witnesses, input by input, or many inputs together."""
    many = are_many(evidence)
    alone = EntrySearch(evidence).suspects() if many else range(len(evidence.gradient))
    compare(evidence, alone)
    if evidence.options.is_named and (why := evidence.silent.get("forward")):
        evidence.doubts.append(f"forward was asked for, but is silent: {why}")


def _state(subject: Subject) -> list[Any]:
    """All that running the function must leave as it is."""
    values = [*flatten(subject.at)[0], *(subject.parameters or ())]
    return [(bits([x.data]), bits([x.grad])) if isinstance(x, Value) else repr(x) for x in values]


def _check_repetition(evidence: Evidence) -> None:
    """Run the function and the backward pass again: both must give the same numbers."""
    subject, first = evidence.subject, evidence.recording
    again = subject.record(subject.point)
    if bits([first.value]) != bits([again.value]):
        evidence.accuse(
            "the function is not deterministic: the same input gives"
            f" {first.value!r}, then {again.value!r}"
        )
        return
    if bits(value.data for value in first.external) != bits(evidence.data):
        evidence.accuse("the function is not pure: it changes the .data of a value it closes over")
    gradient = reverse(subject, again, evidence.options.backward)
    pairs = enumerate(zip(evidence.gradient, gradient, strict=True))
    for index, (before, now) in pairs:
        if bits([before]) != bits([now]):
            evidence.accuse(
                f"{subject.derivative_name(index)}: the backward pass is not deterministic: the"
                f" same graph gives {before!r}, then {now!r}",
                index,
            )
            return


def _check_closures(evidence: Evidence) -> None:
    """Look at how backward steps written by hand use gradients, which needs no witness."""
    for index, node in enumerate(evidence.recording.nodes):
        if node.is_by_hand and (sentence := blame.misbehaviour(node)):
            if "multiply" in sentence:  # a question of numbers: the witnesses decide
                continue
            evidence.accuse(f"{node.name!r}, made by hand: {sentence}")
            evidence.fault = blame.Fault(index, sentence)
            return


def _note_unreached(evidence: Evidence) -> None:
    places = zip(evidence.subject.names, evidence.recording.places, strict=True)
    names = [name for name, place in places if place is None]
    if names:
        shown = ", ".join(names[:6]) + ", …" * (len(names) > 6)
        evidence.notes.append(f"never reaches the output: {shown}")
