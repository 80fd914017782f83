"""The smallest program that shows a fault: the guilty operation alone, at the simplest numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from micrograd.ops import ROWS, TABLE, Operation
from micrograd.table.formulas import calls

_BUILT_IN = {row.name for row in ROWS}


def simplest(numbers: Sequence[float], fails: Callable[[list[float]], bool]) -> list[float]:
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


def of_operation(row: Operation, numbers: Sequence[float]) -> str:
    """A program that checks one operation alone, with the rows of the user that it needs."""
    operands = ", ".join(row.operands)
    defined = [name for name in _needed(row) if name not in _BUILT_IN]
    names = [*["define"] * bool(defined), *[row.name] * (row.name in _BUILT_IN)]
    lines = [f"from micrograd import {', '.join(names)}"]
    lines.append("from micrograd.testing import check_gradients")
    for name in defined:
        known = row if name == row.name else TABLE[name]
        domain = f", domain={known.domain!r}" if known.domain else ""
        lines.append(
            f"{name} = define({name!r}, {known.formula!r}, {list(known.partials)!r}{domain})"
        )
    point = ", ".join(map(repr, numbers))
    lines.append(f"check_gradients(lambda {operands}: {row.name}({operands}), {point})")
    return "\n".join(lines)


def _needed(row: Operation) -> list[str]:
    """The rows that a row calls, those called first, the row itself last."""
    found: dict[str, None] = {}
    for expression in (row.expression, *row.slopes):
        for name in sorted(calls(expression) - {row.name}):
            found |= dict.fromkeys(_needed(TABLE[name]) if name not in _BUILT_IN else [name])
    return [*found, row.name]
