"""The operation at fault, for the message: its line in the user's code, and a short reproduction.

Nothing of this is done while checks pass.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

from micrograd.engine.lines import Line, line_of_user
from micrograd.engine.value import Value
from micrograd.ops import Operation
from micrograd.testing.arithmetic import domain
from micrograd.testing.blame import Fault
from micrograd.testing.evidence import Evidence
from micrograd.testing.expression import preamble
from micrograd.testing.report import Culprit

_WRITTEN = 32  # numbers of a point that is written out

Fails = Callable[[list[float]], bool]


def found(evidence: Evidence, fails: Fails) -> Culprit | None:
    """The operation at fault, if there is one; `fails` tells whether the check fails at a point."""
    fault = evidence.fault
    if fault is None:
        return _outside_the_graph(evidence)
    node = evidence.recording.nodes[fault.node]
    run, lines = _traced(lambda: evidence.subject.record(evidence.subject.point))
    line = lines.get(id(run.nodes[fault.node].value)) if run.nodes else None
    example = _reproduction(evidence, fault, fails)
    return Culprit(node.name or "input", fault.sentence, node.value.label, line, example)


def _outside_the_graph(evidence: Evidence) -> Culprit | None:
    problem, subject = evidence.problems[0], evidence.subject
    if problem.index is None or problem.witness != "difference":
        return None
    depends = (
        f"the function depends on {subject.names[problem.index]} outside the recorded graph (does"
        " it read .data?)"
    )
    if evidence.recording.frozen and not evidence.probe.holds:
        depends = "a rule hides its second derivative: it detaches a number that varies"
    return Culprit(
        "no operation of the graph",
        f"every rule and every sum is right, so {depends}",
        reproduction=_call(evidence, subject.point),
    )


def _traced(run: Callable[[], Any]) -> tuple[Any, dict[int, Line]]:
    """The result of `run`, and the line that made each Value, by the Value's id."""
    lines: dict[int, Line] = {}
    before = sys.getprofile()

    def watch(frame: FrameType, event: str, result: Any) -> None:
        if event != "return":
            return
        if frame.f_code.co_name == "__init__":
            result = frame.f_locals.get("self")
        if isinstance(result, Value) and id(result) not in lines:
            lines[id(result)] = line_of_user(frame)

    sys.setprofile(watch)
    try:
        result = run()
    finally:
        sys.setprofile(before)
    return result, lines


# ------------------------------------------------------------------------------- the reproduction


def _reproduction(evidence: Evidence, fault: Fault, fails: Fails) -> str:
    """The smallest program that shows the fault: the operation alone, at the simplest numbers."""
    node, operand = evidence.recording.nodes[fault.node], fault.operand
    row, judge, subject = node.row, evidence.judge, evidence.subject
    if isinstance(row, Operation) and operand is not None:

        def is_wrong(numbers: list[float]) -> bool:
            got = row.evaluate(*numbers)[1][operand] or 0.0
            return domain(row)(*numbers) and bool(judge.fault(row, numbers, operand, got))

        return _of_operation(row, _simplest(node.numbers, is_wrong))
    point = subject.point
    if evidence.problems[0].index is not None and subject.parameters is None and len(point) <= 4:
        point = _simplest(point, fails)
    return _call(evidence, point)


def _call(evidence: Evidence, point: Sequence[float]) -> str:
    subject, order = evidence.subject.origin, 1 + len(evidence.subject.directions)
    if subject.parameters is not None:
        arguments = "…, wrt=…"
    elif len(point) > _WRITTEN:
        arguments = "…"
    else:
        arguments = ", ".join(map(repr, subject.arguments(point)))
    further = f", order={order}" if order > 1 else ""
    return f"check_gradients({subject.function_name}, {arguments}{further})"


def _simplest(numbers: Sequence[float], fails: Fails) -> list[float]:
    """Numbers as simple as possible at which it still fails, one changed at a time."""
    found = list(numbers)
    for index in range(len(found)):
        for candidate in _simpler(found[index]):
            trial = [*found[:index], candidate, *found[index + 1 :]]
            try:
                if fails(trial):
                    found = trial
                    break
            except Exception:  # noqa: S112 (a simpler number that the function refuses)
                continue
    return found


def _simpler(x: float) -> Iterator[float]:
    tried = [0.0, 1.0, -1.0, 2.0, 0.5, -2.0, -0.5, 3.0, *(float(f"{x:.{n}g}") for n in (1, 2, 3))]
    for candidate in tried:
        if candidate == x:
            return
        yield candidate


def _of_operation(row: Operation, numbers: Sequence[float]) -> str:
    """A program that checks one operation alone, with the definitions that it needs."""
    imported, definitions = preamble([row])
    operands, point = ", ".join(row.operands), ", ".join(map(repr, numbers))
    call = f"check_gradients(lambda {operands}: {row.name}({operands}), {point})"
    known = "from micrograd.testing import check_gradients"
    return "\n".join((imported, known, *definitions, call))
