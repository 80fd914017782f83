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
import random
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.ops import Operation
from micrograd.testing import blame, reproduction
from micrograd.testing.differences import (
    Estimate,
    Slopes,
    beside,
    differentiate,
    is_smooth,
    resolved,
    resolves,
)
from micrograd.testing.recording import FLOATS, Subject
from micrograd.testing.report import Culprit, GradientMismatch, Problem, Report
from micrograd.testing.rounding import Rounding
from micrograd.testing.sources import traced
from micrograd.testing.witnesses import (
    ERRORS,
    MODES,
    WORK,
    Differences,
    Probe,
    Witness,
    along,
    complex_step,
    differences,
    exact,
    forward,
    reverse,
    taylor_order,
)
from micrograd.trees import flatten

_SHORT = {"rev": "reverse", "fwd": "forward", "fd": "difference", "complex": "complex step"}
# Witnesses round in other places than the reverse mode: their errors are of the same size as its.
_LINES = 3  # directions in which a function of very many inputs is moved
_ROUNDINGS = {"forward": 2.0, "difference": 2.0, "complex step": 16.0, "exact": 1.0}


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
    first = Subject(f, at, wrt)
    report = _Check(first, chosen, eps, atol, rtol, backward).report()
    for output in range(1, first.outputs):
        other = Subject(f, at, wrt, output)
        report.deeper.append(_Check(other, chosen, eps, atol, rtol, backward).report())
    if order > 1 and report:
        options: dict[str, Any] = {"eps": eps, "atol": atol, "rtol": rtol, "modes": chosen}
        for gradient in _derivatives(first):
            deeper = check_gradients(
                *gradient, order=order - 1, raise_exception=False, wrt=wrt, **options
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


class _Check:
    """One function, one point, one output, one order."""

    def __init__(
        self,
        subject: Subject,
        modes: Sequence[str],
        eps: float | None,
        atol: float,
        rtol: float,
        backward: Callable[[Value], Any],
    ) -> None:
        self.subject, self.modes, self.eps = subject, modes, eps
        self.atol, self.rtol, self.backward = atol, rtol, backward
        self.judge = blame.Judge()
        self.notes: list[str] = []
        self.problems: list[Problem] = []
        self.witnesses: list[Witness] = []
        self.singular: list[str] = []

    def report(self) -> Report:
        subject = self.subject
        before = _bits(subject)
        self.recording = recording = subject.record(subject.point)
        self.data = [value.data for value in recording.external]
        self.gradient = list(reverse(subject, recording, self.backward))
        self.rounding = Rounding(recording, self.judge.balls)
        self.bounds = self.rounding.gradient_errors()
        self.probe = Probe(subject, recording, self.judge.observer)
        self._note_singular_operations()
        self._check_repetition()
        self._check_closures()
        self.report_ = Report(
            subject.function_name,
            subject.names,
            subject.point,
            recording.value,
            self.gradient,
            self.bounds,
            notes=self.notes,
            problems=self.problems,
        )
        if math.isfinite(recording.value):
            self._hear_witnesses()
            self._compare()
            if "taylor" in self.modes:
                self._taylor()
        else:
            self.notes.append(f"the value is {recording.value!r}: it has no derivative to compare")
        self._note_unreached()
        if _bits(subject) != before:
            self.problems.append(
                Problem("the check is not pure: running the function changes its inputs")
            )
        self.report_.witnesses = self.witnesses
        if self.problems and self.report_.culprit is None:
            self.report_.culprit = self._culprit()
        return self.report_

    # ------------------------------------------------------------------ what needs no other witness

    def _note_singular_operations(self) -> None:
        self.tie = ""
        for node in self.recording.nodes:
            if not isinstance(node.row, Operation):
                continue
            at = ", ".join(map(repr, node.numbers))
            if self.judge.is_at_tie(node.row, node.numbers):
                self.tie = self.tie or f"{node.name}({at})"
            if not node.is_frozen and self.judge.is_singular(node.row, node.numbers, node.moving):
                self.singular.append(f"{node.name}({at})")
        if self.singular:
            self.notes.append(
                f"outside the domain where the rule is a derivative: {', '.join(self.singular[:3])}"
            )
        if any(node.is_frozen for node in self.recording.nodes):
            self.notes.append("what detach passes on is held constant")

    def _check_repetition(self) -> None:
        subject, first = self.subject, self.recording
        again = subject.record(subject.point)
        if _hex([first.value]) != _hex([again.value]):
            self.problems.append(
                Problem(
                    "the function is not deterministic: the same input gives"
                    f" {first.value!r}, then {again.value!r}"
                )
            )
            return
        if _hex(value.data for value in first.external) != _hex(self.data):
            self.problems.append(
                Problem("the function is not pure: it changes the .data of a value it closes over")
            )
        gradient = reverse(subject, again, self.backward)
        if _hex(gradient) != _hex(self.gradient):
            index = next(
                i
                for i, (x, y) in enumerate(zip(gradient, self.gradient, strict=True))
                if _hex([x]) != _hex([y])
            )
            self.problems.append(
                Problem(
                    f"{self._name(index)}: the backward pass is not deterministic: the same graph"
                    f" gives {self.gradient[index]!r}, then {gradient[index]!r}",
                    index,
                )
            )

    def _check_closures(self) -> None:
        for index, node in enumerate(self.recording.nodes):
            if node.is_by_hand and (sentence := blame.misbehaviour(node)):
                if "multiply" in sentence:  # a question of numbers: the witnesses decide
                    continue
                self.problems.append(Problem(f"{node.name!r}, made by hand: {sentence}"))
                self.fault = blame.Fault(index, sentence)
                return

    fault: blame.Fault | None = None

    def _note_unreached(self) -> None:
        names = [
            name
            for name, place in zip(self.subject.names, self.recording.places, strict=True)
            if place is None
        ]
        if names:
            shown = ", ".join(names[:6]) + ", …" * (len(names) > 6)
            self.notes.append(f"never reaches the output: {shown}")

    # -------------------------------------------------------------------------------- the witnesses

    def _hear_witnesses(self) -> None:
        subject, recording = self.subject, self.recording
        if "forward" in self.modes:
            self.witnesses.append(forward(subject, recording))
        if "complex step" in self.modes:
            self.witnesses.append(complex_step(subject, recording, self.tie))
        if "exact" in self.modes:
            self.witnesses.append(exact(subject, recording, self.tie))
        if "difference" in self.modes:
            many = len(subject.point) * len(recording.nodes) > WORK and not self.probe.replays
            if many and self._agrees_along_lines():
                reason = f"the {len(subject.point)} inputs were moved together, on {_LINES} lines"
                self.witnesses.append(Witness("difference", [], reason))
            else:
                noise = self.rounding.value_error
                self.witnesses.append(differences(self.probe, noise, self.eps))

    def _agrees_along_lines(self) -> bool:
        """Whether differences in random directions agree: a wrong entry shows in each of them."""
        rng = random.Random(1)  # noqa: S311 (directions, no secrets)
        if self.tie or not all(map(math.isfinite, self.gradient)):
            return False
        for _ in range(_LINES):
            direction = [rng.choice((-1, 1)) * rng.uniform(0.5, 1) for _ in self.subject.point]
            terms = [g * d for g, d in zip(self.gradient, direction, strict=True)]
            line = along(self.subject, direction, self.judge.observer)
            found = differentiate(line, 0.0, self.rounding.value_error, self.eps).estimate
            slope, size = math.fsum(terms), math.fsum(map(abs, terms))
            if found is None or found.error > 1e-7 * size:
                return False
            if abs(found.value - slope) > found.error + 2 * math.fsum(self.bounds):
                return False
        return True

    def _taylor(self) -> None:
        if self.tie or not all(map(math.isfinite, self.gradient)) or not self.gradient:
            self.report_.taylor = "silent, the point is singular" if self.gradient else ""
            return
        if self.probe.replays:
            self.report_.taylor = "silent, detached numbers are held constant"
            return
        rng = random.Random(0)  # noqa: S311 (a direction, no secret)
        direction = [rng.choice((-1, 1)) * (abs(x) or 1.0) for x in self.subject.point]
        slope = math.fsum(g * d for g, d in zip(self.gradient, direction, strict=True))
        line = along(self.subject, direction, self.judge.observer)
        order = taylor_order(line, slope, 1.0, self.rounding.value_error)
        if order is None:
            self.report_.taylor = "below rounding"
        elif order > 1.5 or self.problems:
            self.report_.taylor = f"order {order:.2f} (2 for a true gradient)"
        elif "difference" in self.modes or not is_smooth(lambda h: line(h)[0], 0.0, 2.0**-8, 0.0):
            # The differences, which would have told a wrong gradient, found no fault.
            self.report_.taylor = "silent, no step is small enough for it"
        else:
            self.report_.taylor = f"order {order:.2f} (2 for a true gradient)"
            self.problems.append(
                Problem(
                    f"d {self.subject.function_name}: Taylor's remainder is of order {order:.2f}"
                )
            )

    # ------------------------------------------------------------------------------- the comparison

    def _compare(self) -> None:
        for index, got in enumerate(self.gradient):
            if not math.isfinite(got):
                self._compare_unbounded(index, got)
                continue
            for witness in self.witnesses:
                if witness.silent:
                    continue
                estimate = witness.found[index]
                if isinstance(witness, Differences) and witness.sides[index].is_kink:
                    self._compare_at_kink(index, got, witness.sides[index])
                elif estimate is not None and not self._agrees(index, witness.name, estimate):
                    if isinstance(witness, Differences):
                        estimate = self._reconsidered(index, witness)
                        if estimate is None or self._agrees(index, witness.name, estimate):
                            continue
                    self._disagree(index, witness.name, estimate)
                    break

    def _bound(self, index: int, witness: str, estimate: Estimate) -> float:
        derived = estimate.error + _ROUNDINGS[witness] * self.bounds[index]
        if witness in ("forward", "complex step"):  # they add up the paths in another order
            derived += 2.0**-50 * self.rounding.path_sizes[index]
        return max(derived, self.atol + self.rtol * abs(estimate.value))

    def _agrees(self, index: int, witness: str, estimate: Estimate) -> bool:
        bound, got = self._bound(index, witness, estimate), self.gradient[index]
        # Where rounding reaches a tenth of the slope, it is no longer small, as its bound supposes.
        lost = self.bounds[index] > 0.1 * max(abs(got), abs(estimate.value))
        return lost or not math.isfinite(bound) or abs(got - estimate.value) <= bound

    def _disagree(self, index: int, witness: str, estimate: Estimate) -> None:
        got, expected = self.gradient[index], estimate.value
        if not self._is_accused() and self._is_singular():
            self._forgive(f"{self._name(index)} = {got!r}, where the {witness} says {expected!r}")
            return
        bound = self._bound(index, witness, estimate)
        relative = abs(got - expected) / max(abs(got), abs(expected), 5e-324)
        self.problems.append(
            Problem(
                f"{self._name(index)}: reverse says {got!r}, {witness} says"
                f" {expected!r} ± {bound:.0e} (relative difference {relative:.1g})",
                index,
                got,
                expected,
                bound,
                witness,
            )
        )

    def _compare_at_kink(self, index: int, got: float, slopes: Slopes) -> None:
        left, right = slopes.left, slopes.right
        assert left is not None  # noqa: S101 (is_kink was asked)
        assert right is not None  # noqa: S101
        name, sides = (
            self._name(index),
            f"{left.value!r} from the left, {right.value!r} from the right",
        )
        if blame.is_between(got, slopes, self.bounds[index]):
            self.notes.append(f"{name} at a kink: {got!r} lies between {sides}")
        elif self._is_accused():
            self.problems.append(
                Problem(
                    f"{name}: reverse says {got!r}, but the derivative is {sides}",
                    index,
                    got,
                    left.value,
                    left.error + self.bounds[index],
                    "difference",
                )
            )
        else:
            self._forgive(f"{name} = {got!r} at a kink, where the derivative is {sides}")

    def _compare_unbounded(self, index: int, got: float) -> None:
        """A gradient that is nan or infinite, where the value is a number."""
        name = self._name(index)
        if any(math.isnan(node.value.data) for node in self.recording.nodes):
            self.notes.append(f"{name} is {got!r}, for the value passes through a nan")
            return
        if self.singular:
            self.notes.append(f"{name} is {got!r}, for {self.singular[0]} has no derivative")
            return
        first = next(blame.unbounded(self.recording), None)
        if first is not None and first.operand is not None:
            node = self.recording.nodes[first.node]
            if self.judge.overflows(node, first.operand):
                self.notes.append(f"{name} is {got!r}, for a derivative of {node.name} overflows")
                return
        f, x = self.probe.along(index), self.subject.point[index]
        for estimate in beside(f, x, self.rounding.value_error):
            if self._settles(index, estimate):
                self.problems.append(
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
        self.notes.append(f"{name} is {got!r}, and no difference settles on a number either")

    def _settles(self, index: int, estimate: Estimate) -> bool:
        if not estimate.error <= 1e-3 * (1 + abs(estimate.value)):
            return False
        f = self.probe.along(index)
        error = 8 * self.rounding.value_error
        return resolves(estimate, self.subject.point[index], lambda x: f(x)[0], error)

    def _is_singular(self) -> bool:
        return bool(self.tie or self.singular)

    def _is_accused(self) -> bool:
        """Whether some operation is at fault; the sum of right rules may be wrong at a kink."""
        if self.fault is None:
            inputs = range(len(self.subject.point))
            found = blame.faults(self.recording, self.probe, self.judge, inputs)
            if not all(map(math.isfinite, self.gradient)):
                found = blame.unbounded(self.recording)
            self.fault = next(found, None)
        return self.fault is not None

    def _forgive(self, what: str) -> None:
        self.notes.append(f"{what}: every rule is right by its own convention there")

    # ------------------------------------------------------------------------ differences, on doubt

    def _reconsidered(self, index: int, witness: Differences) -> Estimate | None:
        """The best difference whose steps resolve the function; None if there is none."""
        best = resolved(
            self.probe.along(index),
            self.subject.point[index],
            self._noise_along(index),
            self._slope_along(index),
            4 * self.bounds[index],
            self.eps,
        )
        if best is None:
            self.notes.append(f"{self._name(index)}: no step of a difference resolves the function")
            witness.found[index] = None
        elif not self._agrees(index, witness.name, best) and self._is_overruled(index, best):
            self.notes.append(
                f"{self._name(index)}: differences say {best.value!r} ± {best.error:.0e}, but the"
                " formulas themselves, on complex numbers or fractions, agree with the gradient"
            )
            return None
        else:
            witness.found[index] = best
        return best

    def _noise_along(self, index: int) -> Callable[[float], float]:
        def noise(x: float) -> float:
            recording = self.subject.tried(self.subject.moved(index, x))
            return Rounding(recording, self.judge.balls).value_error if recording else math.inf

        return noise

    def _slope_along(self, index: int) -> Callable[[float], float]:
        def slope(x: float) -> float:
            recording = self.subject.tried(self.subject.moved(index, x))
            return reverse(self.subject, recording, self.backward)[index] if recording else math.nan

        return slope

    def _is_overruled(self, index: int, estimate: Estimate) -> bool:
        """Whether the formulas agree with the gradient, and the graph is the function."""
        speaking = [w for w in self.witnesses if w.name in ("complex step", "exact")]
        if not any(
            not w.silent and (e := w.found[index]) and self._agrees(index, w.name, e)
            for w in speaking
        ):
            return False
        x = self.subject.point[index]
        for to in (x + estimate.step, x - estimate.step):
            point = self.subject.moved(index, to)
            places = enumerate(self.recording.places)
            given = {i: point[i] for i, place in places if place is not None}
            try:
                replayed = self.recording.replay(FLOATS, given)[-1]
                value = self.subject.record(point).value
            except ERRORS:
                return False
            if _hex([replayed]) != _hex([value]):
                return False
        return True

    # ---------------------------------------------------------------------------------------- blame

    def _culprit(self) -> Culprit | None:
        if not self._is_accused():
            return self._unrecorded()
        assert self.fault is not None  # noqa: S101 (it was asked)
        node = self.recording.nodes[self.fault.node]
        run, lines = traced(lambda: self.subject.record(self.subject.point))
        line = lines.get(id(run.nodes[self.fault.node].value)) if run.nodes else None
        return Culprit(
            node.name or "input", self.fault.sentence, node.label, line, self._reproduction()
        )

    def _unrecorded(self) -> Culprit | None:
        index = self.problems[0].index
        if index is None or self.problems[0].witness != "difference":
            return None
        return Culprit(
            "no operation of the graph",
            "every rule and every sum is right, so the function depends on "
            f"{self.subject.names[index]} outside the recorded graph (does it read .data?)",
            reproduction=self._call(self.subject.point),
        )

    def _reproduction(self) -> str:
        assert self.fault is not None  # noqa: S101
        node, number = self.recording.nodes[self.fault.node], self.fault.operand
        row = node.row
        if isinstance(row, Operation) and number is not None:
            judge, operand = self.judge, number

            def fails(numbers: list[float]) -> bool:
                if not judge.is_in_domain(row, numbers):
                    return False
                got = row.evaluate(*numbers)[1][operand] or 0.0
                return bool(judge.sentence(row, numbers, operand, got)[0])

            return reproduction.of_operation(row, reproduction.simplest(node.numbers, fails))
        return self._call(self._simplest_point())

    def _simplest_point(self) -> list[float]:
        subject, problem = self.subject, self.problems[0]
        if problem.index is None or subject.parameters is not None or len(subject.point) > 4:
            return subject.point

        def fails(point: list[float]) -> bool:
            at = subject.arguments(point)
            trial = _Check(
                Subject(subject.f, at, None, subject.output),
                ("difference",),
                self.eps,
                self.atol,
                self.rtol,
                self.backward,
            )
            return trial.is_wrong()

        return reproduction.simplest(subject.point, fails)

    def is_wrong(self) -> bool:
        """Whether there is a problem, without looking for the culprit."""
        self._culprit = lambda: None  # type: ignore[method-assign]
        return not self.report()

    def _call(self, point: Sequence[float]) -> str:
        if self.subject.parameters is not None:
            return f"check_gradients({self.subject.function_name}, …, wrt=…)"
        arguments = ", ".join(map(repr, self.subject.arguments(point)))
        return f"check_gradients({self.subject.function_name}, {arguments})"

    def _name(self, index: int) -> str:
        return f"d {self.subject.function_name}/d{self.subject.names[index]}"


def _hex(numbers: Iterable[float]) -> list[bytes]:
    """The bits of numbers; every nan counts as the same."""
    return [struct.pack("<d", number if number == number else math.nan) for number in numbers]


def _bits(subject: Subject) -> list[Any]:
    """All that running the function must leave as it is."""
    values = [*flatten(subject.at)[0], *(subject.parameters or ())]
    return [(_hex([x.data]), _hex([x.grad])) if isinstance(x, Value) else repr(x) for x in values]
