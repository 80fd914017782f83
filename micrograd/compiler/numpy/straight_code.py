"""A tape as straight Python code on floats: a statement for each step, and for each adjoint.

Sums, products and other arithmetic are written out; the rest calls the functions of the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from micrograd.ops import Operation

_CHUNK = 500  # steps in a function: the compiler of Python takes longer for large ones
_ARITHMETIC = re.compile(r"(?:out|[xyz0-9.+() -]|\*(?!\*))+")
_NAMES = re.compile(r"\b(?:out|[xyz])\b")

Run = Callable[[list[float]], None]


class Step(NamedTuple):
    """A step of a tape: an operation of places, or, if `operation` is None, a sum of terms.

    A term is a sign, the place of a factor, and that of another factor or -1.
    """

    out: int
    operation: Operation | None
    operands: Sequence[int]
    terms: Sequence[tuple[float, int, int]]


def forward_code(steps: Sequence[Step]) -> list[Run]:
    """Return functions that compute the steps in order, in a list of numbers.

    >>> u = [2.0, 3.0, 0.0]
    >>> for run in forward_code([Step(2, None, (), [(1.0, 0, 1), (-1.0, 0, -1)])]):
    ...     run(u)
    >>> u
    [2.0, 3.0, 4.0]
    """
    tools: dict[str, Any] = {}
    return _compiled((_forward(step, tools) for step in steps), tools, "u")


def backward_code(steps: Sequence[Step]) -> list[Callable[[list[float], list[float]], None]]:
    """Return functions that add to the adjoints, the last step first.

    Args:
        steps: the steps in order. The functions take the numbers and the adjoints.
    """
    tools: dict[str, Any] = {}
    return _compiled(
        ("\n ".join(_backward(step, tools)) for step in reversed(steps)), tools, "u, a"
    )


def _compiled(statements: Iterator[str], tools: dict[str, Any], arguments: str) -> list[Any]:
    lines, made = [*statements], []
    for start in range(0, len(lines), _CHUNK):
        body = "\n ".join(lines[start : start + _CHUNK])
        exec(f"def run({arguments}):\n {body}", tools)  # noqa: S102 (rows of the table, numbers)
        made.append(tools.pop("run"))
    return made


def _forward(step: Step, tools: dict[str, Any]) -> str:
    out, row, operands, terms = step
    if row is None:
        parts = [_product(*term) for term in terms]
        return f"u[{out}] = {' '.join(parts).removeprefix('+ ')}"
    if (text := _written(row.formula, step)) is not None:
        return f"u[{out}] = {text}"
    name = f"value_{id(row)}"  # two rows may have one name, if it was defined anew
    tools[name] = row.value
    return f"u[{out}] = {name}({', '.join(f'u[{place}]' for place in operands)})"


def _product(sign: float, left: int, right: int) -> str:
    factor = "" if abs(sign) == 1 else f"{abs(sign)!r} * "
    other = "" if right < 0 else f" * u[{right}]"
    return f"{'-' if sign < 0 else '+'} {factor}u[{left}]{other}"


def _backward(step: Step, tools: dict[str, Any]) -> Iterator[str]:
    out, row, operands, terms = step
    yield f"g = a[{out}]"
    if row is None:
        for sign, left, right in terms:
            adding = "-=" if sign < 0 else "+="
            factor = "g" if abs(sign) == 1 else f"{abs(sign)!r} * g"
            yield f"a[{left}] {adding} {factor}" + ("" if right < 0 else f" * u[{right}]")
            if right >= 0:
                yield f"a[{right}] {adding} {factor} * u[{left}]"
        return
    written = [_written(partial, step) for partial in row.partials]
    if None not in written:
        for place, text in zip(operands, written, strict=True):
            if text != "0":
                yield f"a[{place}] += g" + ("" if text == "1" else f" * ({text})")
        return
    # Where an adjoint or a partial is 0, nothing passes, even if the other is infinite.
    name = f"at_{id(row)}"
    tools[name] = row.evaluate
    slopes = [f"d{i}" for i in range(row.arity)]
    read = ", ".join(f"u[{place}]" for place in operands)
    yield "if g:"
    yield f" {', '.join(slopes)}, = {name}({read})[1]"
    for place, slope in zip(operands, slopes, strict=True):
        yield f" if {slope}: a[{place}] += g * {slope}"


def _written(formula: Any, step: Step) -> str | None:
    """Return a formula of sums and products with places in it; None if it is something else."""
    if not isinstance(formula, str) or not _ARITHMETIC.fullmatch(formula):
        return None
    names = dict(zip("xyz", step.operands, strict=False)) | {"out": step.out}
    return _NAMES.sub(lambda name: f"u[{names[name.group()]}]", formula)
