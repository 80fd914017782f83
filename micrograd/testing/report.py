"""What a check found: the report that prints, and the error that names the guilty operation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from itertools import islice
from typing import NamedTuple, TypeVar

from micrograd.engine.lines import Line
from micrograd.testing.differences import Estimate
from micrograd.testing.witnesses import Statement
from micrograd.writing.labels import columns, in_columns
from micrograd.writing.messages import message

T = TypeVar("T")


class Culprit(NamedTuple):
    """The operation at fault.

    Args:
        operation: its name.
        fault: what is wrong with it, in one sentence.
        label: the label of its result.
        line: the user's line that called it.
        reproduction: a short Python program that fails in the same way.
    """

    operation: str
    fault: str
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
    """One thing that is wrong.

    Args:
        sentence: what is wrong.
        index: the number of the input with the wrong derivative, if it is about one.
        got: what the gradient says.
        expected: what the witness says.
        bound: how far the two may differ.
        witness: the name of the witness.
    """

    sentence: str
    index: int | None = None
    got: float | None = None
    expected: float | None = None
    bound: float | None = None
    witness: str = ""


@dataclass
class Report:
    """The result of `check_gradients`, in one of three states. It prints as a table with remarks.

    - *ok*: an independent witness confirmed every entry of the gradient, and none disagrees. Only
      then is the report true.
    - *wrong*: a witness disagrees, or an operation breaks a rule; `is_wrong` is true.
    - *undecided*: nothing is wrong, but not everything is confirmed; `is_undecided` is true.

    Args:
        function: the name of the function.
        names: the names of the inputs.
        point: the numbers of the inputs.
        value: the value of the function there.
        gradient: what the reverse mode gives, for each input.
        bounds: how far rounding alone may have moved each entry of the gradient.
        witnesses: what the other witnesses say of single inputs.
        taylor: what Taylor's remainder says.
        notes: remarks that change nothing about the state.
        problems: what is wrong.
        culprit: the operation that is wrong, if the fault is that of a single one.
        deeper: the reports on further outputs, and on the derivatives of the next order.
        undecided: what was not confirmed, in sentences.
        lines: what the witnesses say of many inputs that were moved together.
        noise: how far the value may lie from a smooth function.
        measured: the part of this noise that differences of the function show.
        suspicions: what the mistakes look like, for a gradient that is computed outside the engine.

    >>> from micrograd.testing import check_gradients
    >>> print(check_gradients(lambda x: x * x, 3.0, modes=["exact"]))
    f at x = 3.0: ok, value 9.0
         reverse  rounding  exact
      x  6.0      ± 0e+00   same ± 7e-16
      noise of the function: ± 1e-15, by rounding
    """

    function: str
    names: list[str]
    point: list[float]
    value: float = 0.0
    gradient: list[float] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)
    witnesses: list[Statement] = field(default_factory=list)
    taylor: str = ""
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    culprit: Culprit | None = None
    deeper: list[Report] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    noise: float = 0.0
    measured: float = 0.0
    suspicions: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return not self.problems and not self.undecided and all(self.deeper)

    @property
    def is_wrong(self) -> bool:
        """Whether something is wrong, here or in `deeper`."""
        return bool(self.problems) or any(report.is_wrong for report in self.deeper)

    def first_wrong(self) -> Report:
        """The first report with a problem: this one, or one of `deeper`."""
        if self.problems:
            return self
        return next(report.first_wrong() for report in self.deeper if report.is_wrong)

    @property
    def is_undecided(self) -> bool:
        """Whether nothing is wrong, but not everything was confirmed."""
        return not self and not self.is_wrong

    def text(self, lang: str = "en", width: int | None = None) -> str:
        """The report as text.

        Args:
            lang: the language, "en" or "zh"; ValueError for an unknown one.
            width: how many columns there are; where the table is wider, each input takes lines of
                its own. None means as many as needed.

        >>> from micrograd.testing import check_gradients
        >>> report = check_gradients(lambda x: x * x, 3.0, modes=["exact"])
        >>> print(report.text("zh"))
        f 在 x = 3.0 处：通过，函数值 9.0
             反向  舍入     分数运算
          x  6.0   ± 0e+00  相同 ± 7e-16
          函数值的噪声：± 1e-15，由舍入误差估计
        """
        room = None if width is None else width - 2
        found = [*aligned(self._table(lang), room), *self._said(self._remarks(), lang)]
        return "\n".join(
            [
                *self._said([self._heading()], lang),
                *(f"  {line}" for line in found),
                *(f"\n{report.text(lang, width)}" for report in self.deeper),
            ]
        )

    def __str__(self) -> str:
        return self.text()

    # An assertion that fails shows the representation: it must say why.
    __repr__ = __str__

    def html(self, lang: str = "en") -> str:
        """The report as HTML, which a notebook shows.

        Args:
            lang: the language, "en" or "zh"; ValueError for an unknown one.
        """
        first, *others = self._table(lang) or [[]]
        head = "".join(f"<th>{escape(cell)}</th>" for cell in first)
        rows = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in others)
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        (heading,), remarks = (self._said(x, lang) for x in ([self._heading()], self._remarks()))
        return (
            f"<p>{escape(heading)}</p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"<pre>{escape(chr(10).join(remarks))}</pre>"
            + "".join(report.html(lang) for report in self.deeper)
        )

    def _repr_html_(self) -> str:
        return self.html()

    def _table(self, lang: str) -> list[list[str]]:
        """The rows in a language; names, in the first column, stay as they are."""
        rows = self._rows()
        names = [row[0] for row in rows if not row[0].startswith("…")][1:]
        return [
            [x if x in names else message(x, lang) for x in row[:1]] + self._said(row[1:], lang)
            for row in rows
        ]

    @staticmethod
    def _said(texts: Iterable[str], lang: str) -> list[str]:
        return [message(text, lang) for text in texts]

    @property
    def _verdict(self) -> str:
        return "ok" if self else "WRONG" if self.is_wrong else "UNDECIDED"

    def _heading(self) -> str:
        at = ", ".join(f"{n} = {x!r}" for n, x in _some(zip(self.names, self.point, strict=True)))
        at += ", …" * (len(self.names) > _SHOWN)
        return f"{self.function} at {at or 'no input'}: {self._verdict}, value {self.value!r}"

    def _remarks(self) -> list[str]:
        found = [*self.lines]
        if self.noise:
            by = "as differences show" if self.noise == self.measured else "by rounding"
            found.append(f"noise of the function: ± {self.noise:.0e}, {by}")
        if self.taylor:
            found.append(f"Taylor remainder: {self.taylor}")
        found += [f"{w.name}: silent, {w.silent}" for w in self.witnesses if w.silent]
        found += [f"note: {note}" for note in self.notes]
        found += [f"undecided: {sentence}" for sentence in self.undecided[:_SHOWN]]
        if len(self.undecided) > _SHOWN:
            found.append(f"undecided: and {len(self.undecided) - _SHOWN} more")
        found += [f"problem: {problem.sentence}" for problem in self.problems]
        found += [f"suspicion: {sentence}" for sentence in self.suspicions]
        if self.culprit:
            found.append(f"guilty: {self.culprit}")
        return found

    def _rows(self) -> list[list[str]]:
        if not self.gradient:
            return []
        speaking = [witness for witness in self.witnesses if not witness.silent]
        rows = [["", "reverse", "rounding", *(witness.name for witness in speaking)]]
        heard = {i for witness in speaking for i, found in enumerate(witness.found) if found}
        for index in _some(sorted(range(len(self.names)), key=lambda i: i not in heard)):
            got = self.gradient[index]
            cells = [_spoken(witness.found[index], got) for witness in speaking]
            rows.append([self.names[index], repr(got), f"± {self.bounds[index]:.0e}", *cells])
        if len(self.names) > _SHOWN:
            rows.append([f"… {len(self.names) - _SHOWN} more", *[""] * (2 + len(speaking))])
        return rows

    def _panel(self, index: int | None) -> list[str]:
        """What every witness says of one input, for the message of an error."""
        if index is None:
            return []
        parts = [f"reverse {self.gradient[index]!r}"]
        parts += [
            f"{witness.name} {_spoken(witness.found[index])}"
            for witness in self.witnesses
            if not witness.silent and witness.found[index] is not None
        ]
        if self.taylor:
            parts.append(f"Taylor {self.taylor}")
        return [" · ".join(parts)]


def aligned(rows: list[list[str]], width: int | None = None) -> list[str]:
    """The lines of a table; if it is wider than `width`, each row becomes a table of its own."""
    lines = in_columns(rows)
    if width is None or max(map(columns, lines), default=0) <= width:
        return lines
    (_, *heads), *others = rows
    found = []
    for name, *cells in others:
        pairs = [[f"  {head}", cell] for head, cell in zip(heads, cells, strict=True) if cell]
        found += [name, *aligned(pairs)]
    return found


_SHOWN = 12


def _some(items: Iterable[T]) -> list[T]:
    return list(islice(items, _SHOWN))


def _spoken(estimate: Estimate | None, reverse: float | None = None) -> str:
    """What a witness says, in short."""
    if estimate is None:
        return "–"
    number = "same" if estimate.value == reverse else repr(estimate.value)
    return f"{number} ± {estimate.error:.0e}" if estimate.error else number


class GradientMismatch(AssertionError):  # noqa: N818 (the public name; it is an assertion)
    """A gradient that is not the derivative.

    Args:
        report: the report, which has a problem.

    Attributes:
        report: the report.
        input: the name of the input with the wrong derivative, or None.
        index: its number.
        got: what the gradient says.
        expected: what the witness says.
        bound: how far the two may differ.
        witness: the name of the witness.
        guilty: the operation that is wrong; None if the fault is not that of a single one.
        label: the label of its result.
        line: the user's line that called it.
        reproduction: a short Python program that fails in the same way.

    >>> from micrograd.testing import check_gradients
    >>> try:
    ...     check_gradients(lambda x: x * x.data, 3.0)
    ... except GradientMismatch as error:
    ...     print(error.input, error.got, round(error.expected, 6))
    x 3.0 6.0
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
        lines += [f"  {line}" for line in report._panel(self.index)]
        lines += [f"  also: {problem.sentence}" for problem in report.problems[1:4]]
        if len(report.problems) > 4:
            lines.append(f"  and {len(report.problems) - 4} more")
        lines += [f"  note: {note}" for note in report.notes]
        lines += [f"  suspicion: {sentence}" for sentence in report.suspicions]
        if self.reproduction:
            lines += ["  reproduce:", *(f"    {x}" for x in self.reproduction.splitlines())]
        return "\n".join(lines)
