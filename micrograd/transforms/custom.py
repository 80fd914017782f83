"""`custom_derivative`: a function on numbers whose derivative is given, and not traced."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, wraps
from inspect import Parameter, signature
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Protocol, overload

from micrograd.engine.callables import positional_parameters
from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.graph import is_leaf, made_by, order
from micrograd.engine.value import Value, apply, join, to_number
from micrograd.locks import forkable_property
from micrograd.ops import GIVEN, TABLE
from micrograd.table.floats import to_float
from micrograd.transforms.runs import is_varied
from micrograd.transforms.structures import Structure, count_leaves, flatten, leaves_like, unflatten

if TYPE_CHECKING:
    from micrograd.engine.signatures import ScalarFunction

Function = Callable[..., Any]
UnaryFunction = Callable[[float], float]
BinaryFunction = Callable[[float, float], float]


class Decorator(Protocol):
    """Functions of numbers become functions of numbers and Values."""

    @overload
    def __call__(self, f: UnaryFunction | BinaryFunction, /) -> ScalarFunction: ...
    @overload
    def __call__(self, f: Function, /) -> Function: ...


@overload
def custom_derivative(
    f: None = None, *, jvp: Function | None = None, vjp: Function | None = None
) -> Decorator: ...
@overload
def custom_derivative(
    f: UnaryFunction | BinaryFunction, *, jvp: Function | None = None, vjp: Function | None = None
) -> ScalarFunction: ...
@overload
def custom_derivative(
    f: Function, *, jvp: Function | None = None, vjp: Function | None = None
) -> Function: ...


def custom_derivative(
    f: Function | None = None, *, jvp: Function | None = None, vjp: Function | None = None
) -> Any:
    """Give a function a derivative of your own, for instance by the implicit function theorem.

    The function runs on plain numbers, so it may iterate, branch, or call a library. The derivative
    is written in operations on Values, so it can be differentiated again. In a compiled function,
    both are traced; there the function must consist of operations of this package, too, and the
    derivative with respect to a value that it uses without taking it as an argument is nan. In a
    step of a compiled loop, derivatives up to the fourth order are known.

    Args:
        f: the function, whose arguments and result are numbers, or nested lists, tuples, dicts and
            arrays of numbers. Left out, `custom_derivative(vjp=…)` is a decorator.
        jvp: a function `jvp(args, result, tangents)` for the forward mode: from the tuple of
            arguments, the result, and a tuple of tangents with the structure of the arguments, to
            the derivative of the result in this direction, with the structure of the result.
        vjp: a function `vjp(args, result, cotangent)` for the reverse mode: from the arguments, the
            result, and a cotangent with the structure of the result, to a tuple of gradients, one
            for each argument and with its structure. None is a gradient of 0; it stands for
            arguments that are not differentiated, such as a text or the `self` of a method. Both
            rules receive every argument, also one given by name or left to its default; the
            gradients of defaults at the end may be left out.

    Returns:
        A function of numbers and Values; given numbers alone, it is `f`.

    Raises:
        TypeError: neither or both of `jvp` and `vjp` are given, or it does not take three
            arguments.
        ValueError: a derivative does not have the structure that it should have.

    >>> def newton(a):
    ...     x = a
    ...     while abs(x * x - a) > 1e-14:
    ...         x = (x + a / x) / 2
    ...     return x
    >>> root = custom_derivative(newton, vjp=lambda args, x, g: (g / (2 * x),))
    >>> from micrograd import grad
    >>> grad(root)(9.0), grad(grad(root))(9.0)
    (0.16666666666666666, -0.009259259259259259)
    """
    if (jvp is None) == (vjp is None):
        raise TypeError("custom_derivative takes either jvp= or vjp=")
    with suppress(ValueError):  # of a function in C, whose parameters are not known
        try:
            signature(jvp or vjp).bind(None, None, None)  # type: ignore[arg-type]
        except TypeError as error:
            needed = "jvp(args, result, tangents)" if jvp else "vjp(args, result, cotangent)"
            raise TypeError(f"custom_derivative needs a function {needed}: {error}") from None
    if f is None:
        return partial(custom_derivative, jvp=jvp, vjp=vjp)
    rule = _Rule(f, jvp, vjp)

    @wraps(f)
    def call(*args: Any, **options: Any) -> Any:
        if options or len(args) < rule.counts[1]:
            args = *args, *rule.in_order(args, options)
        return rule(*args)

    return call


_ORDERS = 4
"""In a step of a loop, operations stand in for the rule. A rule may use the result, whose
derivative follows from the rule again; this is expanded up to derivatives of this order."""


class _Rule:
    """A function with a derivative of its own."""

    def __init__(self, f: Function, jvp: Function | None, vjp: Function | None) -> None:
        self.f, self.jvp, self.vjp = f, jvp, vjp
        self.name = getattr(f, "__name__", "a function")

    @forkable_property
    def counts(self) -> tuple[int, int]:
        """How many arguments are needed and how many there may be, if some have defaults."""
        known = [each.default is each.empty for each in positional_parameters(self.f)]
        return (0, 0) if all(known) else (sum(known), len(known))

    def in_order(self, args: Sequence[Any], options: dict[str, Any]) -> Sequence[Any]:
        """Arguments given by name, in the order of the parameters; TypeError if that cannot be."""
        shown = signature(self.f)
        try:
            bound = shown.bind(*args, **options)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None
        parameters = shown.parameters
        alone = [
            name
            for name in options
            if name not in parameters or parameters[name].kind is Parameter.KEYWORD_ONLY
        ]
        if alone:
            raise TypeError(
                f"{self.name} has a custom derivative, which receives arguments by position, but "
                f"takes by name alone: {', '.join(alone)}; let the parameters be positional ones"
            )
        bound.apply_defaults()
        return bound.args[len(args) :]

    def __call__(self, *args: Any) -> Any:
        """The result, made of Values if an argument has one."""
        leaves, structure = flatten(args)
        children = [leaf for leaf in leaves if isinstance(leaf, Value)]
        if not children:
            return self.f(*args)
        if any(child._is_traced for child in children):
            return self._traced(leaves, structure, children)
        plain = [x.data if isinstance(x, Value) else x for x in leaves]
        outputs, shape = flatten(self.f(*unflatten(structure, plain)))
        outputs = [to_float(to_number(x, f"the result of {self.name}")) for x in outputs]
        call = _Called(self, leaves, structure, shape)
        made = []
        place = f"the {'jvp' if self.vjp is None else 'vjp'} of {self.name}"
        for row, (output, slopes) in enumerate(
            zip(outputs, call.at_numbers(plain, outputs), strict=True)
        ):
            node = Value(output)
            numbers = [x if isinstance(x, Value) else to_number(x, place) for x in slopes]
            functions = tuple(_Slope(call, row, column) for column in range(len(children)))
            join(node, tuple(children), self.name, numbers, functions)
            made.append(node)
        return unflatten(shape, made)

    def _traced(self, leaves: Sequence[Any], structure: Structure, children: list[Value]) -> Any:
        """The result in a function that is being traced: the value is traced, and the rule."""
        own = [x._alias() if isinstance(x, Value) else x for x in leaves]
        try:
            outputs, shape = flatten(self.f(*unflatten(structure, own)))
        except TypeError as error:
            raise type(error)(
                f"{self.name} has a custom derivative, and can be compiled if it consists of "
                f"operations of micrograd, without branches on numbers; but {error}"
            ) from error
        made_of = _made_of(outputs, [x for x in own if isinstance(x, Value)])
        if any(map(is_varied, made_of)):
            raise TypeError(
                f"{self.name} has a custom derivative, which says nothing of a variable that is "
                "not among its arguments: pass it as an argument"
            )
        call = _Called(self, leaves, structure, shape)
        # What the rule says nothing of: the derivative is not 0, but not known.
        others = [x for x in made_of if x._is_traced and is_leaf(x)]
        unknown = [[math.nan] * len(others)] * len(outputs)
        stopped = [VOCABULARY["detach"](output) for output in outputs]
        stopped = _with_slopes(stopped, others, unknown)
        if any(child._is_in_step for child in children):
            results = stopped
            for _ in range(_ORDERS):
                results = _with_slopes(stopped, children, call.slopes(leaves, results))
            return unflatten(shape, results)
        made = []
        for row, node in enumerate(_with_slopes(stopped, children, call.slopes(leaves, stopped))):
            # A program takes the derivative from these operations, and a transform within the
            # function from the rule, so that further derivatives of it are known.
            alias = node._alias()
            functions = tuple(_Slope(call, row, column) for column in range(len(children)))
            join(alias, tuple(children), self.name, [0.0] * len(children), functions)
            made.append(alias)
        return unflatten(shape, _with_slopes(made, others, unknown))


def _made_of(outputs: Sequence[Any], own: Sequence[Value]) -> list[Value]:
    """Return what outputs are computed from beside a function's own arguments and `detach`."""
    values = [x for x in outputs if isinstance(x, Value)]
    still = [x for x in order(values, until=own) if made_by(x) is TABLE["detach"]]
    return order(values, until=[*own, *still])


def _with_slopes(
    numbers: Sequence[Any], children: Sequence[Value], slopes: Sequence[Sequence[Any]]
) -> list[Any]:
    """Give each of some numbers its derivatives with respect to the children, a row of slopes."""
    made = []
    for number, row in zip(numbers, slopes, strict=True):
        node = number
        for child, slope in zip(children, row, strict=True):
            node = apply(GIVEN["with_slope"], node, child, slope)
        made.append(node)
    return made


class _Called:
    """One call, from which the derivative of each output with respect to each Value follows."""

    def __init__(
        self, rule: _Rule, leaves: Sequence[Any], structure: Structure, shape: Structure
    ) -> None:
        self.rule, self.structure, self.shape = rule, structure, shape
        self.places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Value)]
        self.leaves = [None if isinstance(leaf, Value) else leaf for leaf in leaves]
        self._latest: tuple[Sequence[Any], list[list[Any]]] | None = None

    def on_values(self, children: Sequence[Any]) -> list[list[Any]]:
        """The derivatives as Values: a row for each output, with an entry for each child."""
        latest = self._latest
        if latest is None or any(a is not b for a, b in zip(latest[0], children, strict=True)):
            leaves = list(self.leaves)
            for place, child in zip(self.places, children, strict=True):
                leaves[place] = child
            outputs, _ = flatten(self.rule(*unflatten(self.structure, leaves)))
            self._latest = latest = children, self.slopes(leaves, outputs)
        return latest[1]

    def at_numbers(self, leaves: Sequence[Any], outputs: Sequence[float]) -> list[list[Any]]:
        """The derivatives at numbers; on Values where those of Python raise an error, as in 1/0."""
        try:
            return self.slopes(leaves, outputs)
        except ArithmeticError:
            leaves = list(leaves)
            for place in self.places:
                leaves[place] = Value(leaves[place])
            return self.slopes(leaves, [Value(output) for output in outputs])

    def slopes(self, leaves: Sequence[Any], outputs: Sequence[Any]) -> list[list[Any]]:
        """The derivatives at leaves and outputs, which are numbers, Values, or both."""
        args, result = unflatten(self.structure, leaves), unflatten(self.shape, outputs)
        if self.rule.vjp is not None:
            rows = []
            for row in range(len(outputs)):
                unit = [float(i == row) for i in range(len(outputs))]
                found = self.rule.vjp(args, result, unflatten(self.shape, unit))
                slopes = self._leaves("vjp", found, self.structure)
                rows.append([slopes[place] for place in self.places])
            return rows
        assert self.rule.jvp is not None  # noqa: S101 (one of the two is given)
        columns = []
        for place in self.places:
            unit = [float(i == place) for i in range(len(leaves))]
            found = self.rule.jvp(args, result, unflatten(self.structure, unit))
            columns.append(self._leaves("jvp", found, self.shape))
        return [[column[row] for column in columns] for row in range(len(outputs))]

    def _is_complete(self, found: tuple[Any, ...], wanted: Structure) -> bool:
        """Whether only gradients of defaults are left out, which are numbers."""
        needed, most = self.rule.counts
        if not most or not needed <= len(found) <= len(wanted.children):
            return len(found) == len(wanted.children)
        return max(self.places) < sum(map(count_leaves, wanted.children[: len(found)]))

    def _leaves(self, kind: str, found: Any, wanted: Structure) -> list[Any]:
        if kind == "vjp" and not isinstance(found, tuple) and self.rule.counts[0] == 1:
            found = (found,)  # the gradient of the only argument without a default
        if kind == "vjp" and isinstance(found, tuple) and self._is_complete(found, wanted):
            pairs = zip_longest(found, wanted.children)
            found = tuple(_zeros(child) if part is None else part for part, child in pairs)
        is_lone = kind == "vjp" and len(wanted.children) == 1  # a tuple of one may be left out
        leaves, structure = flatten(found)
        if len(leaves) != count_leaves(wanted):
            advice = ": return a tuple with one entry for each argument" if kind == "vjp" else ""
            raise ValueError(
                f"{kind} of {self.rule.name} returned {len(leaves)} numbers, and "
                f"{count_leaves(wanted)} are needed{advice}"
            )
        if structure == wanted:
            return leaves
        try:
            return leaves_like(found, wanted)
        except ValueError as error:
            if is_lone:
                with suppress(ValueError):
                    return leaves_like(found, wanted.children[0])
            raise ValueError(
                f"{kind} of {self.rule.name} returned a different structure from that of its "
                f"{'arguments' if kind == 'vjp' else 'result'}: {error}"
            ) from None


def _zeros(structure: Structure) -> Any:
    return unflatten(structure, [0.0] * count_leaves(structure))


class _Slope:
    """The derivative of one output with respect to one Value, as a function of all of them."""

    def __init__(self, call: _Called, row: int, column: int) -> None:
        self.call, self.row, self.column = call, row, column

    def __call__(self, *children: Value) -> Any:
        return self.call.on_values(children)[self.row][self.column]
