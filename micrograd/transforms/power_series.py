"""Power series run through a graph, for `taylor` and for the checker.

No operation has a rule of its own for series. If out = f(x, y), then out' = f_x x' + f_y y', where
the partials f_x and f_y are formulas of the table, so the coefficients of `out` follow from lower
ones of the partials, which are series themselves (Griewank and Walther, *Evaluating Derivatives*,
2008, chapter 13). Products and quotients are computed directly, and whole powers by products, so
polynomials are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from micrograd.engine.graph import (
    is_alias,
    is_leaf,
    made_by,
    number,
    operands,
    operation,
    slope_functions,
)
from micrograd.engine.graph import order as order_of
from micrograd.engine.value import Value, apply
from micrograd.ops import Operation, lookup
from micrograd.table.floats import quotient, to_float
from micrograd.table.formulas import RESULT, Call, Tree, fold
from micrograd.table.interpreters import IEEE
from micrograd.transforms.propagation import Joint
from micrograd.transforms.runs import scalar


def _total(pairs: Iterable[tuple[Any, Any]], zero: Any) -> Any:
    return sum((a * b for a, b in pairs if a and b), zero)


class Numbers(NamedTuple):
    """The numbers that coefficients are computed with.

    Args:
        number: makes one from a float.
        real: the float of one, by which it is compared; None if it has none while it is traced.
        value: the result of an operation on some.
        quotient: the quotient of two.
        lift: makes one from a node of the graph; None if only a leaf can be made one.
        total: the sum of the products of pairs, in which zero times infinity is zero.
    """

    number: Callable[[float], Any]
    real: Callable[[Any], float] | None
    value: Callable[[Operation, Sequence[Any]], Any]
    quotient: Callable[[Any, Any], Any]
    lift: Callable[[Value], Any] | None = None
    total: Callable[[Iterable[tuple[Any, Any]], Any], Any] = _total


def _applied(row: Operation, numbers: Sequence[Any]) -> Any:
    is_plain = not any(isinstance(x, Value) for x in numbers)
    return row.value(*numbers) if is_plain else apply(row, *numbers)


def _total_of_values(pairs: Iterable[tuple[Any, Any]], zero: Any) -> Any:
    """The same as `_total`; a Value of 0 counts, since its derivative may be another number."""
    return sum((a * b for a, b in pairs if _counts(a) and _counts(b)), zero)


def _counts(x: Any) -> bool:
    return isinstance(x, Value) or bool(x)


FLOATS = Numbers(
    to_float, float, lambda row, numbers: row.value(*numbers), quotient, attrgetter("data")
)
VALUES = Numbers(
    lambda x: x if isinstance(x, Value) else to_float(x),
    number,
    _applied,
    lambda a, b: _applied(lookup("div"), (a, b)),
    lambda node: node,
    _total_of_values,
)
TRACED = VALUES._replace(real=None)


def coefficients(
    outputs: Sequence[Any], slopes: dict[Value, Any], highest: int, kind: Numbers = FLOATS
) -> list[list[Any]]:
    """The coefficients of each output of a graph.

    They are computed order by order, so that nothing recurses along the graph.

    Args:
        outputs: Values and numbers.
        slopes: how fast each variable moves.
        highest: the highest order.
        kind: what to compute with.

    Raises:
        ValueError: an operation has a kink or no formula.
    """
    nodes = order_of([output for output in outputs if isinstance(output, Value)], until=slopes)
    space = _Space(kind)
    found: dict[Value, Series] = {}
    try:
        for variable, slope in slopes.items():
            known = [space.lifted(variable), slope]
            found[variable] = _Given(space, known) if _counts(slope) else _Constant(space, known)
        _make_series(nodes, space, found)
        for k in range(highest + 1):
            for node in nodes:
                found[node].coefficient(k)
        series = [found[x] if isinstance(x, Value) else _Constant(space, [x]) for x in outputs]
        return [[each.coefficient(k) for k in range(highest + 1)] for each in series]
    finally:  # freed by recursion, a deep chain of series would overflow the stack of a browser
        for each in (*found.values(), *space.made.values(), space):
            vars(each).clear()


def _make_series(nodes: Sequence[Value], space: _Space, found: dict[Value, Series]) -> None:
    """Enter the series of each node in `found`, which has those of the variables."""
    for node in nodes:
        held = [found[x] if isinstance(x, Value) else _Constant(space, [x]) for x in operands(node)]
        row = operation(node)
        if is_leaf(node) or (space.kind.lift and all(isinstance(x, _Constant) for x in held)):
            found[node] = _Constant(space, [space.lifted(node)])
        elif is_alias(node):
            found[node] = held[0]
        elif row is not None:
            if space.decides:
                space.refuse_kinks(row, held)
            if space.kind.lift and not any(row.slopes):  # such as a comparison
                found[node] = _Constant(space, [space.lifted(node)])
            else:
                found[node] = space.call(row.name, held)
        elif space.kind.lift is None or None in slope_functions(node):
            if isinstance(made_by(node), Joint):
                raise ValueError(
                    "taylor does not go through the loops and lookups of a compiled function: "
                    "write a loop of Python, or call taylor outside of the compiled function"
                )
            raise ValueError(
                f"taylor: operation {made_by(node)!r} was made by hand and has no formula: use "
                "micrograd.define, or give local_grads as functions of the children"
            )
        else:
            found[node] = _ByHand(space, node, held, found)


class Series:
    """A power series, whose coefficients are computed when they are asked for."""

    def __init__(self, space: _Space, *held: Series) -> None:
        self.space, self.held = space, held
        self.known: list[Any] = []

    def coefficient(self, k: int) -> Any:
        """The coefficient of the k-th power."""
        while len(self.known) <= k:
            self.known.append(self.next(len(self.known)))
        return self.known[k]

    def next(self, k: int) -> Any:
        """The coefficient k, where all before it are known."""
        raise NotImplementedError


class _Given(Series):
    def __init__(self, space: _Space, known: Sequence[float]) -> None:
        super().__init__(space)
        self.known = [*map(space.kind.number, known)]

    def next(self, k: int) -> Any:
        return self.space.zero


class _Sum(Series):
    def next(self, k: int) -> Any:
        x, y = self.held
        return x.coefficient(k) + y.coefficient(k)


class _Difference(Series):
    def next(self, k: int) -> Any:
        x, y = self.held
        return x.coefficient(k) - y.coefficient(k)


class _Product(Series):
    def next(self, k: int) -> Any:
        x, y = self.held
        if k == 0:
            return self.space.value("mul", x, y)
        x.coefficient(k)
        y.coefficient(k)
        pairs = zip(x.known[: k + 1], y.known[k::-1], strict=False)
        return self.space.kind.total(pairs, self.space.zero)


class _Quotient(Series):
    def next(self, k: int) -> Any:
        x, y = self.held
        y.coefficient(k)
        pairs = zip(self.known, y.known[k:0:-1], strict=True)
        rest = sum((a * b for a, b in pairs), self.space.zero)
        return self.space.kind.quotient(x.coefficient(k) - rest, y.known[0])


class _Operation(Series):
    """An operation, whose derivative is the sum of its partials times those of its operands."""

    def __init__(self, space: _Space, row: Any, held: Sequence[Series]) -> None:
        super().__init__(space, *held)
        self.row = row
        self.partials: list[tuple[Series, Series]] | None = None

    def next(self, k: int) -> Any:
        if k == 0:
            return self.value()
        if self.partials is None:  # found late, since they may call for ever new operations
            self.partials = self._partials()
        total = self.space.zero
        for partial, x in self.partials:
            x.coefficient(k)
            partial.coefficient(k - 1)
            pairs = zip(range(1, k + 1), x.known[1:], reversed(partial.known[:k]), strict=False)
            total += self.space.kind.total(((j * a, b) for j, a, b in pairs), self.space.zero)
        return total / k

    def value(self) -> Any:
        """The first coefficient."""
        return self.space.value(self.row.name, *self.held)

    def _partials(self) -> list[tuple[Series, Series]]:
        names = dict(zip(self.row.operands, self.held, strict=True)) | {RESULT: self}
        found = []
        for slope, x in zip(self.row.slopes, self.held, strict=True):
            if slope != 0 and not isinstance(x, _Constant):
                found.append((self.space.series(slope, names), x))
        return found


class _ByHand(_Operation):
    """An operation with functions for its partials, such as a call of a `custom_derivative`."""

    def __init__(
        self, space: _Space, node: Value, held: Sequence[Series], found: dict[Value, Series]
    ) -> None:
        super().__init__(space, None, held)
        self.node, self.found = node, found

    def value(self) -> Any:
        return self.space.lifted(self.node)

    def _partials(self) -> list[tuple[Series, Series]]:
        children = [*operands(self.node)]
        made = []
        for function, x in zip(slope_functions(self.node), self.held, strict=True):
            if not isinstance(x, _Constant):
                slope = scalar(function(*children), "a function of local_grads")
                made.append((self._series(slope), x))
        return made

    def _series(self, slope: Any) -> Series:
        """The series of a partial, which a function has made from the children."""
        if not isinstance(slope, Value):
            return _Constant(self.space, [slope])
        nodes = order_of(slope, until=self.found)
        _make_series(nodes, self.space, self.found)
        return _Last(self.space, *(self.found[node] for node in nodes or [slope]))


class _Last(Series):
    """The last series of a graph, computed after those before it, so that nothing recurses."""

    def next(self, k: int) -> Any:
        return [each.coefficient(k) for each in self.held][-1]


class _Choice(Series):
    """One of two series, as a traced condition says, which is known when the program runs."""

    def next(self, k: int) -> Any:
        test, *branches = self.held
        chosen = (test.coefficient(0), *(branch.coefficient(k) for branch in branches))
        return self.space.kind.value(lookup("where"), chosen)


class _Constant(_Given):
    """A number in a formula, or what does not depend on the variables."""


class _Space:
    """The series of one run. Equal operations on the same operands are one series.

    That is why sine and cosine, each of which is the other's derivative, need no more than two.
    """

    def __init__(self, kind: Numbers) -> None:
        self.kind, self.zero = kind, kind.number(0.0)
        self.made: dict[Any, Series] = {}
        self._constants: dict[float, Series] = {}

    def lifted(self, node: Value) -> Any:
        """What stands for a leaf, or for the value of a node of which no formula is known."""
        return node.data if self.kind.lift is None else self.kind.lift(node)

    def constant(self, number: float) -> Series:
        """A number in a formula."""
        return self._constants.setdefault(number, _Constant(self, [number]))

    def series(self, tree: Tree, names: dict[str, Series]) -> Series:
        """A formula of series. Of a choice, only the branch that is taken is computed."""
        if isinstance(tree, str):
            return names[tree]
        if not isinstance(tree, Call):
            return self.constant(tree)
        if tree.name == "where" and self.decides:
            numbers = {name: self.real(series) for name, series in names.items()}
            test = fold(tree.operands[0], IEEE, numbers)
            return self.series(tree.operands[1 if test else 2], names)
        return self.call(tree.name, [self.series(each, names) for each in tree.operands])

    def call(self, name: str, held: Sequence[Series]) -> Series:
        """An operation on series."""
        key = (name, *map(id, held))
        if key not in self.made:
            self.made[key] = self._make(name, held)
        return self.made[key]

    def _make(self, name: str, held: Sequence[Series]) -> Series:
        match name:
            case "add":
                return _Sum(self, *held)
            case "sub":
                return _Difference(self, *held)
            case "neg":
                return _Difference(self, _Given(self, [-0.0]), *held)
            case "mul":
                return _Product(self, *held)
            case "square":
                return _Product(self, held[0], held[0])
            case "div":
                return _Quotient(self, *held)
            case "reciprocal":
                return _Quotient(self, self.constant(1.0), *held)
            case "where" if not self.decides:
                return _Choice(self, *held)
            case "where":
                return held[1 if self.real(held[0]) else 2]
            case "pow" if (power := self._whole(held[1])) is not None:
                return self._power(held[0], power)
        return _Operation(self, lookup(name), held)

    def value(self, name: str, *held: Series) -> Any:
        """The first coefficient of an operation on series."""
        return self.kind.value(lookup(name), [x.coefficient(0) for x in held])

    def refuse_kinks(self, row: Operation, held: Sequence[Series]) -> None:
        """ValueError where the operation has no derivatives."""
        numbers = [self.real(x) for x in held]
        names = dict(zip(row.operands, numbers, strict=True))
        reason = ""
        if row.kink and fold(row.read(row.kink), IEEE, names) == 0:
            reason = "is at a kink"
        elif row.domain not in ("", "0") and not (
            fold(row.read(row.domain), IEEE, names)
            or (row.name == "pow" and _is_whole_power(held[1], *numbers))
        ):
            reason = "is not differentiable"
        if reason:
            shown = f"{row.name}({', '.join(map(str, numbers))})"
            raise ValueError(f"taylor: {shown} {reason}, and has no Taylor series there")

    @property
    def decides(self) -> bool:
        """Whether the numbers are known, so that choices can be made and kinks be refused."""
        return self.kind.real is not None

    def real(self, series: Series) -> float:
        """The first coefficient as a float."""
        return (self.kind.real or float)(series.coefficient(0))

    def _power(self, x: Series, power: int) -> Series:
        if power < 0:
            return _Quotient(self, self.constant(1.0), self._power(x, -power))
        if power == 0:
            return self.constant(1.0)
        if power == 1:
            return x
        half = self._power(x, power // 2)
        whole = _Product(self, half, half)
        return _Product(self, whole, x) if power % 2 else whole

    def _whole(self, series: Series) -> int | None:
        """The constant exponent as a whole number, if it is one of reasonable size."""
        if not isinstance(series, _Constant) or isinstance(series.known[0], Value):
            return None
        exponent = self.real(series)
        return int(exponent) if _is_whole(exponent) else None


def _is_whole_power(exponent: Series, x: float, y: float) -> bool:
    """Whether x ** y is a whole power, which also has a series where x is negative or 0."""
    return isinstance(exponent, _Constant) and _is_whole(y) and (x != 0 or y >= 0)


def _is_whole(number: float) -> bool:
    return math.isfinite(number) and number == int(number) and abs(number) <= 1024
