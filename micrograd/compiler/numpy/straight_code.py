"""A tape as straight Python code on floats: a statement for each step.

Sums, products and other arithmetic are written out; the rest calls the functions of the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from micrograd.compiler.flows import Flow
from micrograd.ops import Operation
from micrograd.table.interpreters import ERRORS, ON_FLOATS, ON_IEEE

_CHUNK = 500  # steps in a function: the compiler of Python takes longer for large ones
_ARITHMETIC = re.compile(r"(?:out|[xyz0-9.+() -]|\*(?!\*))+")
_NAMES = re.compile(r"\b(?:out|[xyz])\b")

Run = Callable[[list[float]], None]


class Step(NamedTuple):
    """A step of a tape: an operation of places, or, if `operation` is None, a sum of terms.

    A term is a sign, the place of a factor, and that of another factor or -1. Adjoints are added to
    what is there.
    """

    out: int
    operation: Operation | Flow | None
    operands: Sequence[int]
    terms: Sequence[tuple[float, int, int]]
    adds: bool = False


@cache
def function_of(row: Operation | Flow) -> Callable[..., float]:
    """Return an operation as a function on floats; a flow stops at an adjoint or partial of 0."""
    if not isinstance(row, Flow):
        return row.value
    tree = row.stopping()
    quick, complete = (each.compiled(row.operands, tree) for each in (ON_FLOATS, ON_IEEE))

    def flow(*operands: float) -> float:
        try:
            share: float = quick(*operands)
        except ERRORS:
            share = complete(*operands)
        return share

    return flow


def straight_code(steps: Sequence[Step]) -> list[Run]:
    """Return functions that compute the steps in order, in a list of numbers.

    >>> u = [2.0, 3.0, 0.0]
    >>> for run in straight_code([Step(2, None, (), [(1.0, 0, 1), (-1.0, 0, -1)])]):
    ...     run(u)
    >>> u
    [2.0, 3.0, 4.0]
    """
    tools: dict[str, Any] = {}
    made = []
    for start in range(0, len(steps), _CHUNK):
        body = "\n ".join(_statements(steps[start : start + _CHUNK], tools))
        exec(f"def run(u):\n {body}", tools)  # noqa: S102 (rows of the table, numbers)
        made.append(tools.pop("run"))
    return made


def _statements(steps: Sequence[Step], tools: dict[str, Any]) -> Iterator[str]:
    adjoint = -1  # the place of the number in `g`
    for step in steps:
        out, row, operands, terms, adds = step
        if adds:
            place = operands[0] if row else terms[0][1]
            if place != adjoint:
                adjoint = place
                yield f"g = u[{place}]"
        if row is None:
            parts = [_product(*term, adjoint if adds else -1) for term in terms]
            if adds and len(parts) == 1:
                yield f"u[{out}] {parts[0][0]}={parts[0][1:]}"
            else:
                yield f"u[{out}] {'+=' if adds else '='} {' '.join(parts).removeprefix('+ ')}"
            continue
        text, condition = _written(row, operands), ""
        if text is None:
            condition = "if g: " if adds else ""  # an adjoint of 0 stops a partial that is infinite
            name = f"value_{id(row)}"  # two rows may have one name, if it was defined anew
            tools[name] = function_of(row)
            text = f"{name}({', '.join(f'u[{place}]' for place in operands)})"
        yield f"{condition}u[{out}] {'+=' if adds else '='} {text}"


def _product(sign: float, left: int, right: int, adjoint: int) -> str:
    factor = "" if abs(sign) == 1 else f"{abs(sign)!r} * "
    other = "" if right < 0 else f" * u[{right}]"
    return f"{'-' if sign < 0 else '+'} {factor}{'g' if left == adjoint else f'u[{left}]'}{other}"


def _written(row: Operation | Flow, operands: Sequence[int]) -> str | None:
    """Return a formula of sums and products with places in it; None if it is something else."""
    names = {name: f"u[{place}]" for name, place in zip(row.operands, operands, strict=True)}
    formula = row.operation.partials[row.place] if isinstance(row, Flow) else row.formula
    if not isinstance(formula, str) or not _ARITHMETIC.fullmatch(formula):
        return None
    text = _NAMES.sub(lambda name: names[name.group()], formula)
    if isinstance(row, Flow):
        return "g" if text == "1" else f"g * ({text})"
    return text
