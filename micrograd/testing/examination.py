"""One report: the gradient of one output at one point, with all witnesses, and the culprit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from micrograd.engine.value import Value
from micrograd.ops import Operation
from micrograd.testing import blame, directions, reproduction
from micrograd.testing.comparison import compare, taylor
from micrograd.testing.evidence import Evidence, bits
from micrograd.testing.options import Options
from micrograd.testing.recording import Subject
from micrograd.testing.report import Culprit, Problem, Report
from micrograd.testing.sources import traced
from micrograd.testing.witnesses import reverse
from micrograd.transforms.structures import flatten

_WRITTEN = 32  # numbers of a point that is written out


def examined(subject: Subject, options: Options, *, explained: bool = True) -> Report:
    """The report on one output; without `explained`, nobody looks for the culprit."""
    before = _state(subject)
    evidence = Evidence(subject, options)
    _check_repetition(evidence)
    _check_closures(evidence)
    value = evidence.recording.value
    report = Report(
        subject.function_name,
        subject.names,
        subject.point,
        value,
        evidence.gradient,
        evidence.bounds,
        notes=evidence.notes,
        problems=evidence.problems,
        undecided=evidence.doubts,
        lines=evidence.lines,
    )
    if not math.isfinite(value):
        evidence.doubts.append(f"the value is {value!r}: it has no derivative to compare")
    elif not evidence.gradient:
        evidence.doubts.append("there is no input to differentiate with respect to")
    else:
        _hear(evidence)
        report.witnesses = evidence.witnesses
        if "taylor" in options.modes:
            report.taylor = taylor(evidence)
    _note_unreached(evidence)
    if _state(subject) != before:
        evidence.problems.append(
            Problem("the check is not pure: running the function changes its inputs")
        )
    report.noise, report.measured = evidence.noise, evidence.measured
    if explained and evidence.problems:
        report.culprit = _culprit(evidence)
    return report


def _hear(evidence: Evidence) -> None:
    """Let the witnesses speak, and compare: input by input, or many inputs together."""
    many = directions.are_many(evidence)
    indices = directions.suspects(evidence) if many else range(len(evidence.gradient))
    evidence.hear(indices)
    compare(evidence, indices)
    forward = next((w for w in evidence.witnesses if w.name == "forward"), None)
    if evidence.options.is_named and forward is not None and forward.silent and not many:
        evidence.doubts.append(f"forward was asked, but is silent: {forward.silent}")


def _state(subject: Subject) -> list[Any]:
    """All that running the function must leave as it is."""
    values = [*flatten(subject.at)[0], *(subject.parameters or ())]
    return [(bits([x.data]), bits([x.grad])) if isinstance(x, Value) else repr(x) for x in values]


# ---------------------------------------------------------------------- what needs no other witness


def _check_repetition(evidence: Evidence) -> None:
    subject, first = evidence.subject, evidence.recording
    again = subject.record(subject.point)
    if bits([first.value]) != bits([again.value]):
        evidence.problems.append(
            Problem(
                "the function is not deterministic: the same input gives"
                f" {first.value!r}, then {again.value!r}"
            )
        )
        return
    if bits(value.data for value in first.external) != bits(evidence.data):
        evidence.problems.append(
            Problem("the function is not pure: it changes the .data of a value it closes over")
        )
    gradient = reverse(subject, again, evidence.options.backward)
    if bits(gradient) != bits(evidence.gradient):
        index = next(
            i
            for i, (x, y) in enumerate(zip(gradient, evidence.gradient, strict=True))
            if bits([x]) != bits([y])
        )
        evidence.problems.append(
            Problem(
                f"{evidence.name(index)}: the backward pass is not deterministic: the same graph"
                f" gives {evidence.gradient[index]!r}, then {gradient[index]!r}",
                index,
            )
        )


def _check_closures(evidence: Evidence) -> None:
    for index, node in enumerate(evidence.recording.nodes):
        if node.is_by_hand and (sentence := blame.misbehaviour(node)):
            if "multiply" in sentence:  # a question of numbers: the witnesses decide
                continue
            evidence.problems.append(Problem(f"{node.name!r}, made by hand: {sentence}"))
            evidence.fault = blame.Fault(index, sentence)
            return


def _note_unreached(evidence: Evidence) -> None:
    names = [
        name
        for name, place in zip(evidence.subject.names, evidence.recording.places, strict=True)
        if place is None
    ]
    if names:
        shown = ", ".join(names[:6]) + ", …" * (len(names) > 6)
        evidence.notes.append(f"never reaches the output: {shown}")


# -------------------------------------------------------------------------------------- the culprit


def _culprit(evidence: Evidence) -> Culprit | None:
    if not evidence.is_accused():
        return _unrecorded(evidence)
    assert evidence.fault is not None  # noqa: S101 (it was asked)
    node = evidence.recording.nodes[evidence.fault.node]
    run, lines = traced(lambda: evidence.subject.record(evidence.subject.point))
    line = lines.get(id(run.nodes[evidence.fault.node].value)) if run.nodes else None
    return Culprit(
        node.name or "input", evidence.fault.sentence, node.label, line, _reproduction(evidence)
    )


def _unrecorded(evidence: Evidence) -> Culprit | None:
    index = evidence.problems[0].index
    if index is None or evidence.problems[0].witness != "difference":
        return None
    return Culprit(
        "no operation of the graph",
        "every rule and every sum is right, so the function depends on "
        f"{evidence.subject.names[index]} outside the recorded graph (does it read .data?)",
        reproduction=_call(evidence, evidence.subject.point),
    )


def _reproduction(evidence: Evidence) -> str:
    assert evidence.fault is not None  # noqa: S101
    node, number = evidence.recording.nodes[evidence.fault.node], evidence.fault.operand
    row = node.row
    if isinstance(row, Operation) and number is not None:
        judge, operand = evidence.judge, number

        def fails(numbers: list[float]) -> bool:
            if not judge.is_in_domain(row, numbers):
                return False
            got = row.evaluate(*numbers)[1][operand] or 0.0
            return bool(judge.sentence(row, numbers, operand, got)[0])

        return reproduction.of_operation(row, reproduction.simplest(node.numbers, fails))
    return _call(evidence, _simplest_point(evidence))


def _simplest_point(evidence: Evidence) -> list[float]:
    subject, problem = evidence.subject, evidence.problems[0]
    if problem.index is None or subject.parameters is not None or len(subject.point) > 4:
        return subject.point

    options = evidence.options._replace(modes=("difference",))

    def fails(point: list[float]) -> bool:
        trial = Subject(subject.f, subject.arguments(point), None, subject.output)
        return examined(trial, options, explained=False).is_wrong

    return reproduction.simplest(subject.point, fails)


def _call(evidence: Evidence, point: Sequence[float]) -> str:
    if evidence.subject.parameters is not None:
        return f"check_gradients({evidence.subject.function_name}, …, wrt=…)"
    arguments = ", ".join(map(repr, evidence.subject.arguments(point)))
    if len(point) > _WRITTEN:
        arguments = "…"
    return f"check_gradients({evidence.subject.function_name}, {arguments})"
