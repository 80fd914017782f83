"""`Value`: a number that remembers how it was computed; and `backward`, the chain rule.

>>> x = Value(2.0)
>>> y = x * x + 3 * x
>>> y.backward()
>>> x.grad  # 2x + 3
7.0
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat, starmap
from numbers import Number as AnyNumber
from numbers import Real
from operator import attrgetter
from typing import Any, NoReturn, SupportsFloat
from weakref import WeakValueDictionary

from micrograd.engine.foreign import refuse_foreign
from micrograd.engine.graph import (
    More,
    Node,
    backward_step,
    number,
    operands,
    order,
    partials,
    walking,
    warm,
)
from micrograd.engine.method_source import Installer
from micrograd.engine.methods import Methods
from micrograd.ops import STOPPING, TABLE, Operation, on_define, reserve
from micrograd.table.floats import Number, to_float
from micrograd.table.formulas import FormulaError

_NESTED = (
    "the .data of a Value is a number, and here it has become a Value: "
    "write p.data = p.data - step instead of p - step"
)


class Value(Methods, Node):
    """A scalar in a computation graph.

    Arithmetic, comparisons and the operations of the table make new Values. An operand that is a
    plain number is a constant of the operation. You may set attributes of your own.

    `data` is the number. `grad` is the derivative of the last root on which `backward` was called
    with respect to this Value. In a leaf, a Value that no operation made, `grad` accumulates over
    calls of `backward` until it is set to zero.

    `==` and `!=` compare a Value with a number as `<` does: the result is a Value of 1.0 or 0.0.
    Two Values are equal only if they are the same object, and Values hash by identity, so they can
    be found in lists and sets. `micrograd.eq(a, b)` compares the numbers of two Values.

    Args:
        data: the number, a real number of any type, which is stored as a float.
        _children: the operands of an operation made by hand, as in Karpathy's micrograd:
            `out = Value(f, (x,), "sin"); out._backward = step`.
        _op: the name of that operation; or, as in microgpt, its local derivatives.
        label: the name of the Value in pictures and derivations.
        children: another name of `_children`.
        local_grads: the derivative of an operation made by hand with respect to each child, instead
            of a backward step: a function of the children that is written in operations on Values,
            or a number, which can be differentiated only once.

    Raises:
        TypeError: `data` is not a real number, or a child is not a Value.
        ValueError: the numbers of `local_grads` and of children differ.

    >>> x = Value(0.5)
    >>> y = Value(0.125, (x,), "cube", local_grads=[lambda x: 3 * x * x])
    >>> y.backward()
    >>> x.grad
    0.75
    """

    __slots__ = ("__dict__",)

    label: str = ""

    def __init__(
        self,
        data: SupportsFloat,
        _children: Iterable[Value] = (),
        _op: str | tuple[float, ...] = "",
        label: str = "",
        *,
        children: Iterable[Value] | None = None,
        local_grads: Iterable[float | Callable[..., Any]] | None = None,
    ) -> None:
        if type(data) is not float:
            data = to_float(to_number(data, "Value"))
        self.data = data
        self.grad = self._mark = 0
        self._row = self._x = self._y = self._dx = self._dy = None
        if label:
            self.label = label
        if isinstance(_op, str):
            text = _op
        else:  # the third argument of microgpt's class
            text, local_grads = "", _op
        try:
            if _children or children or local_grads:
                _connect(self, tuple(children or _children), text, local_grads)
            elif text:
                self._op = text
        except TypeError:
            for given in (_children, children):
                if isinstance(given, Value):
                    raise TypeError(
                        f"children are a tuple of Values, got {given!r} by itself: "
                        "write (x,), with a comma"
                    ) from None
            raise

    # Overridden by the values without numbers with which the compiler traces a function.
    _is_traced = False
    _is_in_step = False  # whether the step of a loop is being traced

    @staticmethod
    def _applied(row: Operation, *arguments: Any) -> Value:
        return apply(row, *arguments)

    def _times(self, other: Value) -> Value:
        """The product of values without numbers that is zero if one of them is."""
        return self._applied(STOPPING["stopping_mul"], self, other)

    def _alias(self) -> Value:
        """A new Value with the same number, whose only operand is this one."""
        return _rebuilt((Value, self.data, 0, "id", self, None, 1.0, None), {})

    # ------------------------------------------------------------------ the chain rule

    def backward(self, gradient: SupportsFloat = 1) -> None:
        """Compute the derivative of this Value with respect to every Value below it.

        The result is in their `grad`. In inner Values it replaces the gradient of an earlier pass;
        in leaves it is added, as in PyTorch. A path through the graph with a factor of zero
        contributes nothing, even if another factor is infinite or nan. If the pass is interrupted,
        or a backward step written by hand raises an error, the leaves keep the gradients they had.

        Args:
            gradient: the gradient of this Value itself, by which all others are multiplied.
        """
        if isinstance(self.data, Value):
            raise TypeError(_NESTED)
        seed = to_number(gradient, "backward: gradient")
        seed = seed if abs(seed) < 2**53 else to_float(seed)
        with walking:
            nodes = order(self)
            totals = []
            try:
                for node in nodes:
                    if node._row is None:
                        totals.append((node, node.grad))
                    node.grad = 0.0
                self.grad = seed
                nodes.reverse()
                sweep(nodes)
                for leaf, total in totals:
                    leaf.grad = (total or 0) + leaf.grad
            except BaseException:
                for leaf, total in totals:
                    leaf.grad = total
                raise

    def zero_grad(self) -> None:
        """Set the gradient of this Value and of every Value below it to 0."""
        for node in order(self):
            node.grad = 0

    def item(self) -> float:
        """The number, as PyTorch calls it."""
        return self.data

    @property
    def _backward(self) -> Callable[[], Any]:
        """One step of the chain rule, which adds this Value's share to its operands' `.grad`.

        It may be called by hand on any Value, and reads the current `.data` and `.grad`. A function
        that is assigned to it replaces the step, in `backward` too.
        """
        step: Callable[[], Any] | None = backward_step(self)
        return step or functools.partial(_step, self, tuple(partials(self)))

    @_backward.setter
    def _backward(self, step: Callable[[], Any]) -> None:
        if not callable(step):
            raise TypeError(f"_backward is a function without arguments, got {step!r}")
        others = tuple(operands(self))[1:]
        self._dx = self._dy = None
        self._y = More(others, (None,) * len(others), step)

    # ------------------------------------------------------------------- the structure

    @property
    def _children(self) -> tuple[Value, ...]:
        """The operands in order, without constants; `x * x` has two."""
        return tuple(operand for operand in operands(self) if isinstance(operand, Value))

    @property
    def _local_grads(self) -> tuple[float, ...]:
        """The local partial for each of `_children`, as computed together with the Value."""
        return tuple(
            slope or 0.0
            for operand, slope in zip(operands(self), partials(self), strict=True)
            if isinstance(operand, Value)
        )

    @property
    def _prev(self) -> tuple[Value, ...]:
        """The operands in order, each of them once; a tuple that is also equal to a set of them."""
        return _Operands(dict.fromkeys([x for x in operands(self) if isinstance(x, Value)]))

    @property
    def _op(self) -> str:
        """The symbol of the operation that made this Value, such as '+', '**2' or 'ReLU'."""
        row = self._row
        if isinstance(row, Operation):
            if row.name == "pow" and not isinstance(exponent := [*operands(self)][1], Node):
                return f"**{exponent}"
            return row.symbol
        text: str = self.__dict__.get("_op", "") if row is None else row
        return text

    @_op.setter
    def _op(self, text: str) -> None:
        if self._row is None:
            self.__dict__["_op"] = text
        else:
            self._row = text

    # -------------------------------------------------------- Python's other protocols

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    def _repr_html_(self) -> str:
        from micrograd.writing.html import table

        label = self.label if isinstance(self.label, str) else ""
        return table(
            ["value", "data", "gradient", "operation"], [[label, self.data, self.grad, self._op]]
        )

    def __format__(self, specification: str) -> str:
        return format(self.data, specification) if specification else repr(self)

    def __bool__(self) -> bool:
        if isinstance(self._row, Operation) and self._row.is_comparison:
            return self.data != 0
        from micrograd.engine import numpy_functions  # an error only: the import stays light

        asking = numpy_functions.asking()
        raise TypeError(
            f"{self!r} has no truth value: only a comparison such as v > 0 has one; "
            + (numpy_functions.remedy(asking) if asking else "test v.data for the number")
        )

    # Of comparisons, in place of `and`, `or` and `not`; the result is a comparison again. The
    # numbers that it compares are never equal, since there it has a kink.

    def __and__(self, other: Any) -> Any:
        return _combined(lambda x, y: x + y > 1.5, self, other)

    def __or__(self, other: Any) -> Any:
        return _combined(lambda x, y: x + y > 0.5, self, other)

    def __xor__(self, other: Any) -> Any:
        return _combined(lambda x, y: (x - y) ** 2 > 0.5, self, other)

    def __invert__(self) -> Any:
        return _combined(lambda x: x < 0.5, self)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __pos__(self) -> Value:
        return self

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return other // self, other % self

    def __float__(self) -> NoReturn:
        if sys._getframe(1).f_code.co_filename.startswith("<micrograd "):  # a generated method
            raise TypeError(_NESTED)
        from micrograd.engine import numpy_functions

        if asking := numpy_functions.asking():
            raise TypeError(numpy_functions.remedy(asking))
        raise TypeError(
            "float(v) would cut the computation graph: read v.data for the number, "
            "and write v.exp() or micrograd.exp(v) instead of math.exp(v); "
            "an array that Values are put into has dtype=object"
        )

    __int__ = __complex__ = __float__

    def __round__(self, digits: int | None = None) -> NoReturn:
        raise TypeError(
            "round(v) would cut the computation graph: read v.data for the number, and write "
            "v.round() or micrograd.round(v) for the operation, whose derivative is 0"
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Compute a function of NumPy, which asks here if an operand is a Value by itself."""
        return _arrays().ufunc_of_value(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """Compute any other function of NumPy, or say what takes its place."""
        return _arrays().function_of_value(function, types, args, options)

    # ------------------------------------------------------- copying without recursion

    def __copy__(self) -> Value:
        _refuse_closures([self])
        return _rebuilt(self._fields(), self.__dict__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        nodes = order(self)
        _refuse_closures(nodes)
        from copy import deepcopy

        def copied(operand: Any) -> Any:
            return memo[id(operand)] if isinstance(operand, Node) else operand

        for node in nodes:
            if id(node) not in memo:
                kind, data, grad, row, x, y, dx, dy = node._fields()
                if isinstance(y, More):
                    y = y._replace(operands=tuple(map(copied, y.operands)))
                fields = (kind, data, grad, row, copied(x), copied(y), dx, dy)
                memo[id(node)] = _rebuilt(fields, {})
                if node.__dict__:
                    memo[id(node)].__dict__.update(deepcopy(node.__dict__, memo))
        copy: Value = memo[id(self)]
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        _refuse_closures([self])
        announced = _thread.announced
        announcement = announced.get(id(self))
        if announcement is not None and announcement.expects(self):
            return _restored, ((), self._fields(), self.__dict__)
        nodes = [self]
        if announcement is not None:  # made by another pickler, which is still in use
            nodes = order(self)
        elif any(id(child) not in announced for child in self._children):
            nodes = [node for node in order(self) if id(node) not in announced]
        _refuse_closures(nodes)
        announcement = _Announcement(nodes)
        announced.update((id(node), announcement) for node in nodes)
        return _restored, ((announcement, *nodes[:-1]), self._fields(), self.__dict__)

    def _fields(self) -> tuple[Any, ...]:
        return (
            *(type(self), self.data, self.grad, self._row),
            *(self._x, self._y, self._dx, self._dy),
        )


def _step(node: Value, slopes: Sequence[float | None]) -> None:
    """Add a node's share to its operands' gradients, with partials at their current numbers."""
    if isinstance(node._row, Operation):
        slopes = node._row.evaluate(*map(number, operands(node)))[1]
    for operand, slope in zip(operands(node), slopes, strict=True):
        if node.grad and slope and isinstance(operand, Node):
            operand.grad += slope * node.grad


def sweep(nodes: Iterable[Any]) -> None:
    """Add the share of each node to the gradients of its operands, from the root to the leaves.

    Where the adjoint or the partial is zero, the path ends, even if the other one is infinite or
    nan.
    """
    for node in nodes:
        adjoint = node.grad
        partial = node._dx
        if adjoint:
            if partial:
                node._x.grad += partial * adjoint
            partial = node._dy
            if partial:
                node._y.grad += partial * adjoint
                continue
        elif partial is not None:  # with an adjoint of 0, only steps by hand run
            continue
        more = node._y
        if more is not None and type(more) is More:
            if more.backward is not None:
                more.backward()
            elif adjoint:
                for operand, partial in zip(more.operands, more.partials, strict=True):
                    if partial:
                        operand.grad += partial * adjoint


warm(sweep, ())


@contextmanager
def gradients_kept(nodes: Iterable[Any]) -> Iterator[None]:
    """Put back the `.grad` of the nodes at the end of this context."""
    before = [(node, node.grad) for node in nodes]
    try:
        yield
    finally:
        for node, grad in before:
            node.grad = grad


def shares_of_step(node: Value, adjoint: float = 1.0, before: float = 0.0) -> dict[Value, float]:
    """What the backward step of a node leaves in the `.grad` of its operands; all is put back.

    Args:
        node: the node, whose step may be written by hand.
        adjoint: the gradient of the node.
        before: the gradient that each operand has before the step.
    """
    with walking:
        held = (node, *node._children)
        with gradients_kept(held):
            for each in held:
                each.grad = before
            node.grad = adjoint
            node._backward()
            return {operand: to_float(operand.grad) for operand in node._prev}


# ------------------------------------------------------------------- making values


@functools.cache  # the statement in it takes as long as some of NumPy's functions
def _arrays() -> Any:
    from micrograd.engine import traced_arrays

    return traced_arrays


def to_number(number: Any, place: str) -> Number:
    """A real number as a float or int; otherwise a TypeError that begins with `place`."""
    if type(number) is float or type(number) is int:
        return number
    if isinstance(number, float):
        return float(number)  # most numbers of NumPy
    if getattr(number, "shape", None) == () and hasattr(number, "item"):
        if getattr(number, "mask", False):
            raise TypeError(f"{place} takes a real number, got a masked entry of an array")
        refuse_foreign(number, place)
        number = number.item()  # an array without axes, or a scalar of NumPy
    if isinstance(number, Real):
        return int(number) if isinstance(number, bool) else to_float(number)
    advice = _advice(() if getattr(number, "shape", ()) else number)
    raise TypeError(f"{place} takes a real number, got {type(number).__name__}{advice}")


def numbers_of(
    values: Iterable[Value], read: Callable[[Value], Any] = attrgetter("data")
) -> list[float]:
    """The numbers of some Values; a TypeError names the first whose `.data` became something else.

    Args:
        values: the Values, such as the parameters of a model.
        read: reads the number of a Value.
    """
    values = [*values]
    found = [*map(read, values)]
    kinds = {*map(type, found)}
    if kinds <= {float}:
        return found
    if kinds <= {float, int}:
        return [*map(to_float, found)]
    for i, (value, each) in enumerate(zip(values, found, strict=True)):
        place = f"the .data of Value {i}{f' ({value.label!r})' * bool(value.label)}"
        if isinstance(each, Value):
            raise TypeError(f"{place}: {_NESTED}")
        found[i] = to_float(to_number(each, place))
    return found


def _advice(thing: Any) -> str:
    match thing:
        case Value(_is_traced=True):
            return "; inside a compiled function, call the functions that others were made from"
        case Value():
            return "; use the Value itself, or Value(v.data) for a new leaf"
        case str() | bytes():
            return f" {thing[:40]!r}; convert text with float(…) first"
        case AnyNumber() if hasattr(thing, "__float__") and not isinstance(thing, complex):
            return f" {thing!r}; convert it with float(…) first"  # Decimal
        case complex():
            return f" {thing!r}; take .real or .imag first"
        case None:
            return "; did a function forget to return its result?"
        case list() | tuple() | set() | dict():
            return "; make one Value for each number in it"
    return ""


def apply(row: Operation, *arguments: Any) -> Value:
    """Apply an operation to Values and numbers. Generated methods are faster forms of this."""
    for x in arguments:
        if isinstance(x, Value) and x._is_traced:
            return x._applied(row, *arguments)
    held = [x if isinstance(x, Value) else to_number(x, row.name) for x in arguments]
    data, slopes = row.evaluate(*map(number, held))
    flows = [slope if isinstance(x, Value) else None for x, slope in zip(held, slopes, strict=True)]
    if len(held) > 2:
        more = More(tuple(held[1:]), tuple(flows[1:]))
        return _rebuilt((Value, data, 0, row, held[0], more, flows[0], None), {})
    x, y, *_ = *held, None
    dx, dy, *_ = *flows, None
    return _rebuilt((Value, data, 0, row, x, y, dx, dy), {})


def _coerce(row: Operation, value: Value, other: Any, *, reflected: bool = False) -> Any:
    """Apply an operation whose other operand is not a plain Value, float or int."""
    if row.is_equality:
        return equality(row, value, other)
    if isinstance(other, Value | Real):
        return apply(row, other, value) if reflected else apply(row, value, other)
    if advice := _advice(other):
        raise TypeError(
            f"{row.symbol!r} combines a Value with a Value or a number, "
            f"got {type(other).__name__}{advice}"
        )
    if row.operator:
        refuse_foreign(other, repr(row.symbol))
        return NotImplemented  # the other operand may be an array, which has its own methods
    return apply(row, value, to_number(other, row.name))


def equality(row: Operation, value: Value, other: Any) -> Any:
    """`value == other` or `!=`: an identity test for a Value, an operation for a number."""
    if isinstance(other, Value):
        return (value is other) == (row.name == "eq")
    if isinstance(other, AnyNumber) or getattr(other, "shape", None) == ():
        return apply(row, value, other)
    return NotImplemented  # text and None are never equal; arrays compare each of their elements


def _combined(f: Callable[..., Any], *operands: Any) -> Any:
    """Combine comparisons, at least one of which is a Value, by a logical operation."""
    if any(getattr(x, "shape", ()) for x in operands):
        return NotImplemented  # the other one is an array, which combines each of its elements
    operands = tuple(x.item() if getattr(x, "shape", None) == () else x for x in operands)
    for x in operands:
        row = x._row if isinstance(x, Value) else None
        if not getattr(row, "is_comparison", isinstance(x, bool)):
            raise TypeError(
                f"only comparisons, such as x > 0, can be combined by &, |, ^ and ~, got {x!r}"
            )
    return f(*operands)


class _Operands(tuple[Value, ...]):
    """Operands in order, which are equal to a set of them as well.

    Karpathy's `_prev` is a set, and tests of his class say `c._prev == {a, b}`.
    """

    __slots__ = ()
    __hash__ = tuple.__hash__

    def __eq__(self, other: object) -> bool:
        return (
            set(self) == other if isinstance(other, set | frozenset) else tuple.__eq__(self, other)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other


def _connect(
    node: Value,
    children: tuple[Any, ...],
    op: str,
    local_grads: Iterable[float | Callable[..., Any]] | None,
) -> None:
    """Make `node` the result of an operation made by hand."""
    given: tuple[Any, ...] = (None,) * len(children) if local_grads is None else tuple(local_grads)
    if len(given) != len(children):
        raise ValueError(f"{len(children)} children need as many local_grads, got {len(given)}")
    for child in children:
        if not isinstance(child, Value):
            raise TypeError(f"children are Values, got {type(child).__name__} {child!r}")
    functions = tuple(slope if callable(slope) else None for slope in given)
    slopes = given if local_grads is None else [_slope(slope, children) for slope in given]
    join(node, children, op, slopes, functions)


def join(
    node: Value,
    children: tuple[Any, ...],
    op: str,
    found: Sequence[Value | Number | None],
    functions: tuple[Any, ...],
) -> None:
    """Make a node the result of an operation with known partials, and these as functions."""
    slopes = tuple(x if x is None else to_float(number(x)) for x in found)
    values = [x for x in found if isinstance(x, Value)]
    if values:  # the variables of transforms that a partial refers to, beside the children
        used = [x for x in order(values) if hasattr(x, "_run")]
        if used:
            node._used = used  # type: ignore[attr-defined]
    node._row = op
    node._x, node._y, *_ = *children, None, None
    node._dx, node._dy, *_ = *slopes, None, None
    if len(children) > 2 or any(functions):
        node._y, node._dy = More(children[1:], slopes[1:], slopes=functions), None


def _slope(given: Any, children: Sequence[Value]) -> Value | Number:
    """A local derivative, which may be a function of the children."""
    if callable(given):
        found = given(*(Value(child.data) for child in children))
        if isinstance(found, Value):
            return found
        given = found
    return to_number(given, "local_grads")


# -------------------------------------------------------------------------- copies
# Pickle saves what an object refers to first, by recursion, which would be too deep for a graph. A
# root therefore passes all values below it to the pickler in topological order, so that each of
# them finds its operands saved already, and announces them to their `__reduce__`. The announcement
# lives as long as the pickler that holds it.


class _Announcement:
    def __init__(self, nodes: Sequence[Node] = ()) -> None:
        self._nodes = nodes  # keeps their ids from being used again
        self._rest = iter(nodes[:-1])

    def expects(self, node: Node) -> bool:
        """Whether it is the node's turn; if not, another pickler is asking."""
        return any(node is next_one for next_one in self._rest)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Announcement, ()


class _Thread(threading.local):
    def __init__(self) -> None:
        self.announced: WeakValueDictionary[int, _Announcement] = WeakValueDictionary()


_thread = _Thread()


def _restored(_below: Any, fields: tuple[Any, ...], attributes: dict[str, Any]) -> Value:
    return _rebuilt(fields, attributes)


def _rebuilt(fields: tuple[Any, ...], attributes: dict[str, Any]) -> Value:
    kind, data, grad, row, x, y, dx, dy = fields
    node: Value = object.__new__(kind)
    node.data, node.grad, node._row, node._mark = data, grad, row, 0
    node._x, node._y, node._dx, node._dy = x, y, dx, dy
    if attributes:
        node.__dict__.update(attributes)
    return node


def _refuse_closures(nodes: Iterable[Node]) -> None:
    for node in nodes:
        if backward_step(node) is not None:
            raise TypeError(
                f"{node!r} has a _backward written by hand, which refers to the original values "
                "and cannot be copied or pickled: use micrograd.define instead, or local_grads= "
                "with functions of the children"
            )


# ------------------------------------------------------- the table becomes methods

reserve(name for name in dir(Value) if not name.startswith("_"))
_installer = Installer(
    {
        "_Value": Value,
        # `next` of it makes a Value without the tuples that a call of `object.__new__` makes.
        "_blank": starmap(object.__new__, repeat((Value,))),
        "_next": next,
        "_apply": apply,
        "_coerce": _coerce,
    }
)
for _row in TABLE.values():
    _installer.defer(_row)


def _attach(row: Operation) -> None:
    from micrograd.writing import template  # only rows of a user are read before they are typeset

    template.parse(row.typeset, row.operands, row.name)
    if row.name in vars(Value):
        raise FormulaError(f"operation {row.name!r}: Value has an attribute of that name already")
    _installer.install(row)


on_define(_attach)
