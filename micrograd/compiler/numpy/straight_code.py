"""A tape as straight Python code on floats: a statement for each step.

Formulas are written out in Python's own arithmetic. If that raises an error, where IEEE 754 defines
a result, the tape is run again step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from micrograd.compiler.program.flows import Flow
from micrograd.ops import Operation
from micrograd.table.formulas import fold
from micrograd.table.interpreters import (
    ATOM,
    ERRORS,
    ON_FLOATS,
    ON_IEEE,
    Interpreter,
    Text,
    called,
)

_CHUNK = 500  # steps in a function: the compiler of Python takes longer for large ones

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


def interpret(steps: Sequence[Step], u: list[float]) -> None:
    """Run steps one by one; an adjoint of 0, or a factor of 0 that it meets, passes nothing on."""
    for out, row, held, terms, adds in steps:
        if row is not None:
            if not adds:
                u[out] = function_of(row)(*[u[place] for place in held])
            elif u[held[0]]:
                u[out] += function_of(row)(*[u[place] for place in held])
            continue
        total = -0.0  # adding to it keeps the sign of a zero
        for sign, left, right in terms:
            factor = u[right] if right >= 0 else 1.0
            if not adds or (factor and u[left]):
                total += sign * u[left] * factor
        u[out] = u[out] + total if adds else total


def straight_code(steps: Sequence[Step]) -> Run:
    """Return a function that computes the steps in order, in a list of numbers.

    >>> u = [2.0, 3.0, 0.0]
    >>> straight_code([Step(2, None, (), [(1.0, 0, 1), (-1.0, 0, -1)])])(u)
    >>> u
    [2.0, 3.0, 4.0]
    """
    tools: dict[str, Any] = {}
    made = []
    for start in range(0, len(steps), _CHUNK):
        body = "\n ".join(_statements(steps[start : start + _CHUNK], tools))
        exec(f"def run(_u):\n {body}", tools)  # noqa: S102 (rows of the table, numbers)
        made.append(tools.pop("run"))

    def run(u: list[float]) -> None:
        before = u[:]
        try:
            for each in made:
                each(u)
        except ERRORS:
            u[:] = before
            interpret(steps, u)

    return run


def _statements(steps: Sequence[Step], tools: dict[str, Any]) -> Iterator[str]:
    # No operation is called `_u` or `_g`.
    adjoint = -1  # the place of the number in `_g`
    for step in steps:
        out, row, operands, terms, adds = step
        if adds:
            place = operands[0] if row else terms[0][1]
            if place != adjoint:
                adjoint = place
                yield f"_g = _u[{place}]"
        if row is None:
            parts = [_product(*term, adjoint if adds else -1) for term in terms]
            if adds and len(parts) == 1:
                yield f"_u[{out}] {parts[0][0]}={parts[0][1:]}"
            else:
                yield f"_u[{out}] {'+=' if adds else '='} {' '.join(parts).removeprefix('+ ')}"
            continue
        held = ["_g" if place == adjoint else f"_u[{place}]" for place in operands]
        text = written(row, [(each, ATOM) for each in held], ON_FLOATS, tools)[0]
        # An adjoint of 0 stops a partial that is infinite.
        condition = "if _g: " if adds and not set(text) <= _OF_PRODUCTS else ""
        yield f"{condition}_u[{out}] {'+=' if adds else '='} {text}"


_OF_PRODUCTS = set("_gu[]0123456789 *+-.()")


def written(
    row: Operation | Flow, held: Sequence[Text], floats: Interpreter, tools: dict[str, Any]
) -> Text:
    """Return an operation, or what flows back, as the text of a formula.

    Args:
        row: the operation.
        held: the texts of its operands.
        floats: how operations are written.
        tools: to which the functions that are called are added.
    """
    if isinstance(row, Operation) and row.function is not None:
        name = f"_value_{id(row)}"  # two rows may have one name, if it was defined anew
        tools[name] = floats.of_function(row.name, row.function)
        return called(name)(*held)
    for name in floats.called(row.computed):
        tools[name] = floats.found(name)
    names = dict(zip(row.operands, held, strict=True))
    return fold(row.computed, floats.texts, names, floats.literal)


def _product(sign: float, left: int, right: int, adjoint: int) -> str:
    factor = "" if abs(sign) == 1 else f"{abs(sign)!r} * "
    other = "" if right < 0 else f" * _u[{right}]"
    return f"{'-' if sign < 0 else '+'} {factor}{'_g' if left == adjoint else f'_u[{left}]'}{other}"
