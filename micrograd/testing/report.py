"""What a check found: the report that prints, and the error that names the guilty operation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeVar

from micrograd.engine.lines import Line
from micrograd.testing.differences import Estimate
from micrograd.testing.witnesses import Testimony

T = TypeVar("T")


class Culprit(NamedTuple):
    """The operation whose local rule is at fault."""

    operation: str
    fault: str  # one sentence
    label: str = ""
    line: Line | None = None
    reproduction: str = ""

    def __str__(self) -> str:
        label = f" (label {self.label!r})" if self.label else ""
        place = f", {self.line.place}" if self.line else ""
        text = f": {self.line.text}" if self.line and self.line.text else ""
        return f"{self.operation}{label}{place}{text}\n    {self.fault}"


@dataclass
class Problem:
    """One thing that is wrong, at one input (or at none in particular)."""

    sentence: str
    index: int | None = None
    got: float | None = None
    expected: float | None = None
    bound: float | None = None
    witness: str = ""


@dataclass
class Report:
    """The result of `check_gradients`, in one of three states; printing it tells everything.

    - *ok*: every entry of the gradient was confirmed by an independent witness, and none disagrees.
      Only then is the report true.
    - *wrong*: a witness disagrees, or an operation breaks a rule. `problems` says what, `culprit`
      who is at fault; `is_wrong` is true.
    - *undecided*: nothing is found wrong, but not everything is confirmed. `undecided` says what
      was not heard, in sentences; `is_undecided` is true.

    `gradient` is what the reverse mode gives, `bounds` how far each entry may lie from the truth by
    rounding alone, `noise` how far the value may lie from a smooth function, by rounding or as it
    was `measured`, `witnesses` what the others say of single inputs, `lines` what they say of many
    inputs that moved together. `deeper` are the reports on further outputs and on the derivatives
    of the next order.
    """

    function: str
    names: list[str]
    point: list[float]
    value: float = 0.0
    gradient: list[float] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)
    witnesses: list[Testimony] = field(default_factory=list)
    taylor: str = ""
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    culprit: Culprit | None = None
    deeper: list[Report] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    noise: float = 0.0
    measured: float = 0.0

    def __bool__(self) -> bool:
        return not self.problems and not self.undecided and all(self.deeper)

    @property
    def is_wrong(self) -> bool:
        """Whether something is wrong, at this order or below."""
        return bool(self.problems) or any(report.is_wrong for report in self.deeper)

    def first_wrong(self) -> Report:
        """The first report with a problem: this one, or one of those below."""
        if self.problems:
            return self
        return next(report.first_wrong() for report in self.deeper if report.is_wrong)

    @property
    def is_undecided(self) -> bool:
        """Whether nothing is wrong, but not everything was confirmed."""
        return not self and not self.is_wrong

    def __str__(self) -> str:
        verdict = "ok" if self else "WRONG" if self.is_wrong else "UNDECIDED"
        at = ", ".join(f"{n} = {x!r}" for n, x in _some(zip(self.names, self.point, strict=True)))
        at += ", …" * (len(self.names) > _SHOWN)
        lines = [f"{self.function} at {at or 'no input'}: {verdict}, value {self.value!r}"]
        lines += self._table()
        lines += [f"  {line}" for line in self.lines]
        if self.noise:
            by = "as differences show" if self.noise == self.measured else "by rounding"
            lines.append(f"  noise of the function: ± {self.noise:.0e}, {by}")
        if self.taylor:
            lines.append(f"  Taylor remainder: {self.taylor}")
        silent = [f"  {w.name}: silent, {w.silent}" for w in self.witnesses if w.silent]
        lines += silent + [f"  note: {note}" for note in self.notes]
        lines += [f"  undecided: {sentence}" for sentence in self.undecided[:_SHOWN]]
        if len(self.undecided) > _SHOWN:
            lines.append(f"  undecided: and {len(self.undecided) - _SHOWN} more")
        lines += [f"  problem: {problem.sentence}" for problem in self.problems]
        if self.culprit:
            lines.append(f"  guilty: {self.culprit}")
        for report in self.deeper:
            lines += ["", *str(report).splitlines()]
        return "\n".join(lines)

    # An assertion that fails shows the representation: it must say why.
    __repr__ = __str__

    def _table(self) -> list[str]:
        if not self.gradient:
            return []
        speaking = [witness for witness in self.witnesses if not witness.silent]
        rows = [["", "reverse", "rounding", *(witness.name for witness in speaking)]]
        heard = {i for witness in speaking for i, found in enumerate(witness.found) if found}
        first = [*sorted(heard), *(i for i in range(len(self.names)) if i not in heard)]
        for index in _some(first):
            name = self.names[index]
            cells = [_spoken(witness.found[index], self.gradient[index]) for witness in speaking]
            rows.append([name, f"{self.gradient[index]!r}", f"± {self.bounds[index]:.0e}", *cells])
        if len(self.names) > _SHOWN:
            rows.append([f"… {len(self.names) - _SHOWN} more", *[""] * (2 + len(speaking))])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return [
            "  " + "  ".join(f"{x:<{w}}" for x, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]


_SHOWN = 12


def _some(items: Iterable[T]) -> list[T]:
    return list(islice(items, _SHOWN))


def _spoken(estimate: Estimate | None, reverse: float) -> str:
    if estimate is None:
        return "–"
    number = "same" if estimate.value == reverse else f"{estimate.value!r}"
    return f"{number} ± {estimate.error:.0e}" if estimate.error else number


class GradientMismatch(AssertionError):  # noqa: N818 (the public name; it is an assertion)
    """A gradient that is not the derivative.

    Its fields: `input` and `index`, the input by name and number; `got`, what the gradient says;
    `expected`, what `witness` says, and `bound`, how far the two may differ; `guilty`, the
    operation at fault (None if there is no single one), its `label` and `line`; `reproduction`,
    Python source; `report`, all the rest.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        problem, culprit = report.problems[0], report.culprit
        self.index = problem.index
        self.input = None if problem.index is None else report.names[problem.index]
        self.got, self.expected, self.bound = problem.got, problem.expected, problem.bound
        self.witness = problem.witness
        self.guilty = culprit.operation if culprit else None
        self.label = culprit.label if culprit else ""
        self.line = culprit.line if culprit else None
        self.reproduction = culprit.reproduction if culprit else ""
        super().__init__(self._message())

    def __reduce__(self) -> tuple[type, tuple[Report]]:
        return type(self), (self.report,)

    def _message(self) -> str:
        report = self.report
        lines = [report.problems[0].sentence]
        if report.culprit:
            lines.append(f"  guilty: {report.culprit}")
        if self.index is not None:
            lines.append(f"  {self._panel(self.index)}")
        lines += [f"  also: {problem.sentence}" for problem in report.problems[1:4]]
        if len(report.problems) > 4:
            lines.append(f"  and {len(report.problems) - 4} more")
        lines += [f"  note: {note}" for note in report.notes]
        if self.reproduction:
            lines += ["  reproduce:", *(f"    {x}" for x in self.reproduction.splitlines())]
        return "\n".join(lines)

    def _panel(self, index: int) -> str:
        report = self.report
        parts = [f"reverse {report.gradient[index]!r}"]
        for witness in report.witnesses:
            if not witness.silent and (estimate := witness.found[index]) is not None:
                error = f" ± {estimate.error:.0e}" if estimate.error else ""
                parts.append(f"{witness.name} {estimate.value!r}{error}")
        if report.taylor:
            parts.append(f"Taylor {report.taylor}")
        return " · ".join(parts)
