"""Steps on single numbers as straight Python code on floats: a statement for each.

Formulas are written out in Python's own arithmetic. If that raises an error, where IEEE 754 defines
a result, the tape is run again step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from micrograd.compiler.program.flows import Flow
from micrograd.compiler.program.scalars import Scalar
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
    what is there, or, those that `stores`, take its place.
    """

    out: int
    operation: Operation | Flow | None
    operands: Sequence[int]
    terms: Sequence[tuple[float, int, int]]
    adds: bool = False
    stores: bool = False


@cache
def function_of(row: Operation | Flow) -> Callable[..., float]:
    """Return an operation as a function on floats; a flow stops at an adjoint or partial of 0."""
    if isinstance(row, Flow):
        found: Callable[..., float] = ON_IEEE.compiled(row.operands, row.stopping())
        return found
    return row.value


def interpret(steps: Sequence[Step], u: list[float]) -> None:
    """Run steps one by one; an adjoint of 0, or a factor of 0 that it meets, passes nothing on."""
    for out, row, held, terms, adds, stores in steps:
        if stores:
            u[out] = -0.0
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
        body = "\n ".join(statements(steps[start : start + _CHUNK], "_u[{}]", ON_FLOATS, tools))
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


def statements(
    steps: Sequence[Step], name: str, floats: Interpreter, tools: dict[str, Any]
) -> Iterator[str]:
    """Yield a statement of Python for each step.

    Args:
        steps: the steps.
        name: how the number in a place is written, with `{}` for the place. No operation is called
            `_u`, `_a` and a number, or `_g`.
        floats: how operations are written.
        tools: to which the functions that are called are added.
    """
    adjoint = -1  # the place of the number in `_g`

    def at(place: int) -> str:
        return "_g" if place == adjoint else name.format(place)

    for out, row, operands, terms, adds, stores in steps:
        if adds:
            place = operands[0] if row else terms[0][1]
            if place != adjoint:
                adjoint = place
                yield f"_g = {name.format(place)}"
        result, condition = name.format(out), ""
        if row is None:
            products = (
                f"{'-' if sign < 0 else '+'} {f'{abs(sign)!r} * ' if abs(sign) != 1 else ''}"
                f"{at(left)}{f' * {at(right)}' if right >= 0 else ''}"
                for sign, left, right in terms
            )
            text = " ".join(products)
            if adds and not stores and len(terms) == 1:
                yield f"{result} {text[0]}={text[1:]}"
                continue
            text = text.removeprefix("+ ")
        else:
            text = _written(row, [(at(place), ATOM) for place in operands], floats, tools)
            # An adjoint of 0 stops a partial that is infinite.
            if adds and not set(text) <= _OF_PRODUCTS:
                condition, text = ("", f"{text} if _g else 0.0") if stores else ("if _g: ", text)
        yield f"{condition}{result} {'+=' if adds and not stores else '='} {text}"


_OF_PRODUCTS = set("_gu[]0123456789 *+-.()")


def _written(
    row: Operation | Flow, held: Sequence[Text], floats: Interpreter, tools: dict[str, Any]
) -> str:
    if isinstance(row, Operation) and row.function is not None:
        name = f"_value_{id(row)}"  # two rows may have one name, if it was defined anew
        tools[name] = floats.of_function(row.name, row.function)
        return called(name)(*held)[0]
    for name in floats.called(row.computed):
        tools[name] = floats.found(name)
    names = dict(zip(row.operands, held, strict=True))
    return fold(row.computed, floats.texts, names, floats.literal)[0]


def steps_of(
    scalar: Scalar, place: Callable[[int], int], *, adds: bool = False, stores: bool = False
) -> Iterator[Step]:
    """Yield the steps that compute a result, where `place` returns the place of a slot."""
    slot, row, operands, terms = scalar
    out, held = place(slot), [place(each) for _, each in operands]
    if row is None:
        products = [(x, place(a[1]), place(b[1]) if b else -1) for x, a, b in terms]
        yield Step(out, None, (), products, adds, stores)
        return
    yield Step(out, row, held[: row.arity], (), adds, stores)
    for further in held[row.arity :]:  # of a fold
        yield Step(out, row, (out, further), (), adds)


def slots_read(scalar: Scalar) -> Iterator[int]:
    """Yield the slots that are read for a result."""
    for place in (*scalar.operands, *(each for term in scalar.terms for each in term[1:])):
        if place is not None:
            yield place[1]
