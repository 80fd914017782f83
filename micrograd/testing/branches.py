"""Which pieces of a function a point lies on: the sides of abs and relu, winners, truths.

Two points with the same branches lie on one smooth piece, as far as the formulas show. A branch is
found in a row's formula, so a user's row needs no column for it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from micrograd.ops import Operation, lookup
from micrograd.table.formulas import COMPARISONS, calls
from micrograd.table.interpreters import IEEE
from micrograd.testing.kinds import Kind

_CHOOSING = {"abs", "sign", "step", "maximum", "minimum", "where", "atan2", *COMPARISONS}


def sign(x: float) -> int:
    """-1, 0 or 1."""
    return (x > 0) - (x < 0)


class _Floats(Kind):
    """Floats, as IEEE 754 has them."""

    def __init__(self, primitives: dict[str, Any]) -> None:
        super().__init__("floats", float, float, primitives)

    def primitive(self, name: str) -> Callable[..., Any]:
        """The function of that name."""
        function: Callable[..., Any] = IEEE[name]
        return function


class Observer:
    """Evaluates rows on floats and notes the branches that they take."""

    def __init__(self) -> None:
        self._seen: list[int] = []
        self._choosing: dict[Operation, bool] = {}
        self._kind = _Floats(self._primitives())

    def chooses(self, row: Operation) -> bool:
        """Whether the row's formula has branches."""
        if row not in self._choosing:
            self._choosing[row] = _chooses(row)
        return self._choosing[row]

    def branches(self, row: Operation, operands: list[float]) -> tuple[int, ...]:
        """The branches that a row takes at its operands; empty for a row that has none."""
        if not self.chooses(row):
            return ()
        self._seen.clear()
        self._kind.function(row)(*operands)
        return tuple(self._seen)

    def _noting(
        self, function: Callable[..., Any], where: Callable[..., float]
    ) -> Callable[..., Any]:
        def noting(*operands: float) -> Any:
            self._seen.append(sign(where(*operands)))
            return function(*operands)

        return noting

    def _primitives(self) -> dict[str, Any]:
        def own(x: float) -> float:
            return x

        def gap(x: float, y: float) -> float:
            return (x > y) - (x < y)

        def cut(y: float, x: float) -> float:  # atan2 jumps across the negative axis
            return y if x < 0 else 1.0

        return {
            "div": IEEE["div"],
            "pow": IEEE["pow"],
            "abs": self._noting(abs, own),
            "sign": self._noting(IEEE["sign"], own),
            "step": self._noting(IEEE["step"], own),
            "maximum": self._noting(IEEE["maximum"], gap),
            "minimum": self._noting(IEEE["minimum"], gap),
            "atan2": self._noting(IEEE["atan2"], cut),
            "_truth": self._noting(bool, own),
            **{f"_{name}": self._noting(getattr(operator, name), gap) for name in COMPARISONS},
        }


def _chooses(row: Operation) -> bool:
    called = calls(row.expression)
    below = (lookup(name) for name in called - _CHOOSING - {row.name})
    return bool(called & _CHOOSING) or any(map(_chooses, below))
