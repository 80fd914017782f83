"""`check_gradients`: a gradient against witnesses that know nothing of each other.

>>> from micrograd import tanh
>>> report = check_gradients(lambda x, y: tanh(x * y) + x, 0.5, -1.5)
>>> bool(report)
True
>>> from micrograd import Value
>>> def cube(x):
...     out = Value(x.data**3, (x,), "cube")
...     def backward():
...         x.grad += 2 * x.data**2 * out.grad
...     out._backward = backward
...     return out
>>> check_gradients(cube, 2.0)
Traceback (most recent call last):
...
micrograd.testing.report.GradientMismatch: d cube/dx: reverse says 8.0, ...
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.ops import Operation
from micrograd.testing import blame, reproduction
from micrograd.testing.comparison import compare, taylor
from micrograd.testing.evidence import Evidence, Options, bits
from micrograd.testing.recording import Subject
from micrograd.testing.report import Culprit, GradientMismatch, Problem, Report
from micrograd.testing.sources import traced
from micrograd.testing.witnesses import MODES, reverse
from micrograd.trees import flatten

_SHORT = {"rev": "reverse", "fwd": "forward", "fd": "difference", "complex": "complex step"}


def check_gradients(
    f: Callable[..., Any],
    *at: Any,
    order: int = 1,
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = 0.0,
    modes: Iterable[str] = MODES,
    raise_exception: bool = True,
    wrt: Any = None,
    backward: Callable[[Value], Any] = Value.backward,
) -> Report:
    """Check the gradient of `f` at a point against independent witnesses.

    `f` takes numbers, or nested lists, tuples and dicts of numbers, as given in `at`, and computes
    on the Values it gets in their place. With `wrt`, a model or a list of Values, `f(*at)` is
    differentiated with respect to these instead: they are changed in place and put back.

    `order=2` also checks the derivatives of the gradient, and so on. A disagreement is accepted
    within a bound that the report states: the witness's own estimate of its error, and the rounding
    that the graph can accumulate; `atol` and `rtol` widen it. `eps` is the first step of the
    differences, in place of the automatic one. `modes` are the witnesses to hear, of "reverse",
    "forward", "difference", "complex step", "exact" and "taylor"; the reverse mode is always
    checked. `backward` is the backward pass to check, in place of the engine's.

    Returns a report, which is true if all is well. Raises GradientMismatch, an AssertionError, if
    it is not and `raise_exception` is true.
    """
    chosen = tuple(_SHORT.get(mode, mode) for mode in modes)
    if unknown := set(chosen) - set(MODES):
        raise ValueError(f"unknown modes {sorted(unknown)}; there are {', '.join(MODES)}")
    if order < 1:
        raise ValueError(f"order is 1 or more, got {order}")
    options = Options(chosen, eps, atol, rtol, backward)
    first = Subject(f, at, wrt)
    report = _report(first, options)
    for output in range(1, first.outputs):
        report.deeper.append(_report(Subject(f, at, wrt, output), options))
    if order > 1 and report:
        for gradient in _derivatives(first):
            deeper = check_gradients(
                *gradient,
                order=order - 1,
                eps=eps,
                atol=atol,
                rtol=rtol,
                modes=chosen,
                raise_exception=False,
                wrt=wrt,
            )
            report.deeper.append(deeper)
    if raise_exception and not report:
        raise GradientMismatch(_first_wrong(report))
    return report


def _first_wrong(report: Report) -> Report:
    return report if report.problems else next(_first_wrong(r) for r in report.deeper if not r)


def _derivatives(subject: Subject) -> list[tuple[Any, ...]]:
    """Each first derivative as a function to be checked, and where."""
    from micrograd.transforms import derivative

    def nth(index: int) -> Callable[..., Any]:
        def first_derivative(*args: Any) -> Any:
            result = flatten(subject.f(*args))[0][subject.output]
            wrt = subject.parameters if subject.parameters is not None else flatten(args)[0]
            if not isinstance(result, Value):
                return 0.0
            return derivative(result, wrt[index])

        first_derivative.__name__ = f"d {subject.function_name}/d{subject.names[index]}"
        return first_derivative

    return [(nth(index), *subject.at) for index in range(len(subject.point))]


def _report(subject: Subject, options: Options, *, explained: bool = True) -> Report:
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
        evidence.witnesses,
        notes=evidence.notes,
        problems=evidence.problems,
    )
    if math.isfinite(value):
        evidence.hear_witnesses()
        compare(evidence)
        if "taylor" in options.modes:
            report.taylor = taylor(evidence)
    else:
        evidence.notes.append(f"the value is {value!r}: it has no derivative to compare")
    _note_unreached(evidence)
    if _state(subject) != before:
        evidence.problems.append(
            Problem("the check is not pure: running the function changes its inputs")
        )
    if explained and evidence.problems:
        report.culprit = _culprit(evidence)
    return report


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
        return not _report(trial, options, explained=False)

    return reproduction.simplest(subject.point, fails)


def _call(evidence: Evidence, point: Sequence[float]) -> str:
    if evidence.subject.parameters is not None:
        return f"check_gradients({evidence.subject.function_name}, …, wrt=…)"
    arguments = ", ".join(map(repr, evidence.subject.arguments(point)))
    return f"check_gradients({evidence.subject.function_name}, {arguments})"
