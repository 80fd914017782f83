"""`taylor`: the Taylor coefficients of a function, by running power series through its graph.

No operation has a rule of its own for series. If out = f(x, y), then out' = f_x x' + f_y y', where
the partials f_x and f_y are formulas of the table, so the coefficients of `out` follow from lower
ones of the partials, which are series themselves (Griewank and Walther, *Evaluating Derivatives*,
2008, chapter 13). Products and quotients are computed directly, and whole powers by products, so
polynomials are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, overload

from micrograd.engine.graph import is_alias, is_leaf, operands, operation
from micrograd.engine.graph import order as order_of
from micrograd.engine.value import Value, to_number
from micrograd.ops import Operation, lookup
from micrograd.table.floats import quotient, to_float
from micrograd.table.formulas import RESULT, Call, Tree, fold
from micrograd.table.interpreters import IEEE
from micrograd.transforms.runs import is_varied
from micrograd.transforms.structures import flatten, leaves_for, unflatten

if TYPE_CHECKING:
    from micrograd.engine.signatures import Scalar
    from micrograd.transforms.signatures import ListFunction

Coefficients = list[float]


@overload
def taylor(
    f: Callable[..., Scalar], x: Any, order: SupportsIndex, *, direction: Any = None
) -> Coefficients: ...
@overload
def taylor(
    f: ListFunction, x: Any, order: SupportsIndex, *, direction: Any = None
) -> list[Coefficients]: ...
@overload
def taylor(
    f: Callable[..., Scalar], x: Any, order: SupportsIndex, *, directions: Sequence[Any]
) -> list[Coefficients]: ...
@overload
def taylor(
    f: Callable[..., Any],
    x: Any,
    order: SupportsIndex,
    *,
    direction: Any = None,
    directions: Sequence[Any] | None = None,
) -> Any: ...


def taylor(
    f: Callable[..., Any],
    x: Any,
    order: SupportsIndex,
    *,
    direction: Any = None,
    directions: Sequence[Any] | None = None,
) -> Any:
    """Compute the Taylor coefficients of t -> f(x + t * direction) at t = 0.

    Coefficient k is the k-th derivative divided by k!.

    Args:
        f: a function of one argument: a number, or nested lists, tuples, dicts and arrays.
        x: the point, with the structure of the argument.
        order: the highest power of t, 0 or more.
        direction: the direction, with the structure of `x`; 1 by default if `x` is a number.
        directions: several directions; the coefficients are computed for each of them.

    Returns:
        A list of `order + 1` floats in place of each number in the result of `f`; for `directions`
        a list of such results.

    Raises:
        ValueError: an operation has a kink at the point, and therefore no series, or was made by
            hand and has no formula.
        TypeError: `x` is not a number, and no direction is given.

    >>> taylor(lambda x: 1 / (1 - x), 0.0, 4)
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    if not hasattr(order, "__index__"):
        raise TypeError(f"taylor: order is a whole number from 0, got {order!r}")
    highest = index(order)
    if highest < 0:
        raise ValueError(f"taylor: order is a whole number from 0, got {order!r}")
    leaves, structure = flatten(x)
    if any(isinstance(leaf, Value) for leaf in leaves):
        raise TypeError(
            "taylor: x consists of numbers, got a Value: the coefficients are floats, which cannot "
            "be differentiated again; pass v.data, or nest grad or jvp instead"
        )
    point = [to_float(to_number(leaf, "taylor: x")) for leaf in leaves]
    chosen = [direction] if directions is None else list(directions)
    if directions is not None and direction is not None:
        raise TypeError("taylor: give direction= or directions=, not both")
    variables = [Value(number) for number in point]
    outputs, output_structure = flatten(f(unflatten(structure, variables)))
    if any(map(is_varied, order_of([x for x in outputs if isinstance(x, Value)]))):
        raise TypeError(
            "taylor: the coefficients are floats, so they have no derivative with respect to the "
            "variable of an outer transform: nest grad or jvp instead"
        )
    results = []
    for each in chosen:
        if each is None and structure.kind is not None:
            raise TypeError("taylor: x has several numbers, so a direction is needed: direction=…")
        given = 1.0 if each is None else each
        slopes = leaves_for(given, structure, "taylor: the direction", "x")
        numbers = [to_float(to_number(slope, "taylor: direction")) for slope in slopes]
        series = coefficients(outputs, dict(zip(variables, numbers, strict=True)), highest)
        results.append(unflatten(output_structure, series))
    return results[0] if directions is None else results


class Numbers(NamedTuple):
    """The numbers that coefficients are computed with.

    Args:
        number: makes one from a float.
        real: the float of one, by which it is compared.
        value: the result of an operation on some.
        quotient: the quotient of two.
    """

    number: Callable[[float], Any]
    real: Callable[[Any], float]
    value: Callable[[Operation, Sequence[Any]], Any]
    quotient: Callable[[Any, Any], Any]


_FLOATS = Numbers(to_float, float, lambda row, numbers: row.value(*numbers), quotient)


def coefficients(
    outputs: Sequence[Any], slopes: dict[Value, float], highest: int, kind: Numbers = _FLOATS
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
    nodes = order_of([output for output in outputs if isinstance(output, Value)])
    space = _Space(kind)
    found: dict[Value, Series] = {}
    try:
        _make_series(nodes, slopes, space, found)
        for k in range(highest + 1):
            for node in nodes:
                found[node].coefficient(k)
        series = [
            found[x] if isinstance(x, Value) else space.given(to_float(to_number(x, "taylor")))
            for x in outputs
        ]
        return [[each.coefficient(k) for k in range(highest + 1)] for each in series]
    finally:  # freed by recursion, a deep chain of series would overflow the stack of a browser
        for each in (*found.values(), *space.made.values(), space):
            vars(each).clear()


def _make_series(
    nodes: Sequence[Value], slopes: dict[Value, float], space: _Space, found: dict[Value, Series]
) -> None:
    """Enter the series of each node in `found`."""
    for node in nodes:
        if node in slopes:
            found[node] = space.given(node.data, slopes[node])
        elif is_leaf(node):
            found[node] = space.given(node.data)
        else:
            held = [found[x] if isinstance(x, Value) else space.given(x) for x in operands(node)]
            row = operation(node)
            if is_alias(node):
                found[node] = held[0]
            elif row is None:
                raise ValueError(
                    f"taylor: operation {node._op!r} was made by hand and has no formula: use "
                    "micrograd.define"
                )
            else:
                _refuse_kinks(row, [space.real(x) for x in held])
                found[node] = space.call(row.name, held)


def _refuse_kinks(row: Operation, numbers: Sequence[float]) -> None:
    """ValueError where the operation has no derivatives."""
    names = dict(zip(row.operands, numbers, strict=True))
    reason = ""
    if row.kink and fold(row.read(row.kink), IEEE, names) == 0:
        reason = "is at a kink"
    elif row.domain not in ("", "0") and not (row.name == "pow" and _is_whole(numbers[1])):
        reason = "" if fold(row.read(row.domain), IEEE, names) else "is not differentiable"
    if reason:
        shown = f"{row.name}({', '.join(map(str, numbers))})"
        raise ValueError(f"taylor: {shown} {reason}, so there is no series")


class Series:
    """A power series, whose coefficients are computed when they are asked for."""

    def __init__(self, space: _Space) -> None:
        self.space = space
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


class _Combination(Series):
    """A series that is computed from two others."""

    def __init__(self, space: _Space, x: Series, y: Series) -> None:
        super().__init__(space)
        self.x, self.y = x, y


class _Sum(_Combination):
    def next(self, k: int) -> Any:
        return self.x.coefficient(k) + self.y.coefficient(k)


class _Difference(_Combination):
    def next(self, k: int) -> Any:
        return self.x.coefficient(k) - self.y.coefficient(k)


class _Product(_Combination):
    def next(self, k: int) -> Any:
        self.x.coefficient(k)
        self.y.coefficient(k)
        pairs = zip(self.x.known[: k + 1], self.y.known[k::-1], strict=False)
        return sum((a * b for a, b in pairs if a and b), self.space.zero)


class _Quotient(_Combination):
    def next(self, k: int) -> Any:
        self.y.coefficient(k)
        pairs = zip(self.known, self.y.known[k:0:-1], strict=True)
        rest = sum((a * b for a, b in pairs), self.space.zero)
        return self.space.kind.quotient(self.x.coefficient(k) - rest, self.y.known[0])


class _Operation(Series):
    """An operation, whose derivative is the sum of its partials times those of its operands."""

    def __init__(self, space: _Space, row: Operation, held: Sequence[Series]) -> None:
        super().__init__(space)
        self.row, self.held = row, held
        self.partials: list[tuple[Series, Series]] | None = None

    def next(self, k: int) -> Any:
        if k == 0:
            return self.space.kind.value(self.row, [x.coefficient(0) for x in self.held])
        if self.partials is None:  # found late, since they may call for ever new operations
            self.partials = self._partials()
        total = self.space.zero
        for partial, x in self.partials:
            x.coefficient(k)
            partial.coefficient(k - 1)
            pairs = zip(range(1, k + 1), x.known[1:], reversed(partial.known[:k]), strict=False)
            total += sum((j * a * b for j, a, b in pairs if a and b), self.space.zero)
        return total / k

    def _partials(self) -> list[tuple[Series, Series]]:
        names = dict(zip(self.row.operands, self.held, strict=True)) | {RESULT: self}
        found = []
        for slope, x in zip(self.row.slopes, self.held, strict=True):
            if slope != 0 and not isinstance(x, _Constant):
                found.append((self.space.series(slope, names), x))
        return found


class _Constant(_Given):
    """A number in a formula."""


class _Space:
    """The series of one run. Equal operations on the same operands are one series.

    That is why sine and cosine, each of which is the other's derivative, need no more than two.
    """

    def __init__(self, kind: Numbers) -> None:
        self.kind, self.zero = kind, kind.number(0.0)
        self.made: dict[Any, Series] = {}
        self._constants: dict[float, Series] = {}

    def given(self, *known: float) -> Series:
        """A series of a few coefficients."""
        return _Given(self, known)

    def constant(self, number: float) -> Series:
        """A number in a formula."""
        return self._constants.setdefault(number, _Constant(self, [number]))

    def series(self, tree: Tree, names: dict[str, Series]) -> Series:
        """A formula of series. Of a choice, only the branch that is taken is computed."""
        if isinstance(tree, str):
            return names[tree]
        if not isinstance(tree, Call):
            return self.constant(tree)
        if tree.name == "where":
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
                return _Difference(self, self.constant(0.0), *held)
            case "mul":
                return _Product(self, *held)
            case "square":
                return _Product(self, held[0], held[0])
            case "div":
                return _Quotient(self, *held)
            case "reciprocal":
                return _Quotient(self, self.constant(1.0), *held)
            case "where":
                return held[1 if self.real(held[0]) else 2]
            case "pow" if (power := self._whole(held[1])) is not None:
                return self._power(held[0], power)
        return _Operation(self, lookup(name), held)

    def real(self, series: Series) -> float:
        """The first coefficient as a float."""
        return self.kind.real(series.coefficient(0))

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
        is_constant = isinstance(series, _Given) and not any(series.known[1:])
        number = self.real(series) if is_constant else math.nan
        return int(number) if _is_whole(number) else None


def _is_whole(number: float) -> bool:
    return math.isfinite(number) and number == int(number) and abs(number) <= 1024
