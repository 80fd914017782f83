"""Functions into functions: `grad`, `jvp`, `vjp`, `hvp`, `jacobian`, `hessian`; and `derivative`.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(grad(lambda x: x**3)))(2.0)
    6.0

A transform runs the function on Values and interprets the graph that results: backwards for the
reverse mode, forwards for the forward mode (`jvp`). Within another transform, and for arguments
that are Values, adjoints and tangents are Values themselves, so that they can be differentiated
again; otherwise they are floats. No `.grad` is read or written. Each call differentiates with
respect to values of its own, so nested calls never confuse their variables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from operator import index
from typing import Any, SupportsIndex

from micrograd.engine.graph import order
from micrograd.engine.value import Value
from micrograd.transforms import propagation
from micrograd.transforms.runs import Run, scalar
from micrograd.transforms.structures import (
    flatten,
    unflatten,
)

__all__ = ["derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]
Argnums = SupportsIndex | Iterable[SupportsIndex]


# ----------------------------------------------------------------------------------- the transforms


def grad(f: Function, argnums: Argnums = 0) -> Function:
    """The gradient of a function of numbers, or of nested lists, tuples and dicts of numbers.

    The gradient has the structure of the argument; for several `argnums` it is a tuple. What the
    result does not depend on has the gradient 0. The result of `f` must be one number.

        >>> grad(lambda w: w["a"] * w["b"][0])({"a": 2.0, "b": [3.0, 4.0]})
        {'a': 3.0, 'b': [2.0, 0.0]}
    """
    both = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*args: Any, **options: Any) -> Any:
        return both(*args, **options)[1]

    return gradient


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """As `grad`, together with the value of the function.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (6.0, (3.0, 2.0))
    """
    numbers, single = _listed(argnums)

    @wraps(f)
    def both(*args: Any, **options: Any) -> tuple[Any, Any]:
        run = Run(f, args, _chosen(numbers, len(args)), options)
        output = run.single_output("grad")
        parts = run.in_structure(run.pull({output: 1.0} if isinstance(output, Value) else {}))
        return run.result(output), parts[0] if single else tuple(parts)

    return both


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """The value of `f(*primals)`, and its derivative in the direction of the tangents.

    The forward mode: tangents have the structure of the primals, one per argument.

        >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
        (6.0, 3.0)
    """
    run = Run(f, _arguments("primals", primals))
    directions = run.as_leaves(_arguments("tangents", tangents), "jvp: the tangents")
    pairs = zip(run.variables, directions, strict=True)
    pushed = run.push({x: tangent for x, tangent in pairs if isinstance(tangent, Value) or tangent})
    return run.outputs_as(run.outputs), run.outputs_as(pushed)


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value of `f(*primals)`, and its pullback: from a cotangent to a tuple, one per primal.

    The cotangent has the structure of the value.

        >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)
        >>> value, pullback([1.0, 0.0])
        ([6.0, 5.0], (3.0, 2.0))
    """
    run = Run(f, primals)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        leaves, structure = flatten(cotangent)
        if structure != run.output_structure:
            raise ValueError("the cotangent (or vector) has another structure than the value")
        seeds: dict[Value, Any] = {}
        for output, leaf in zip(run.outputs, leaves, strict=True):
            if isinstance(output, Value):
                seeds[output] = seeds.get(output, 0.0) + scalar(leaf, "vjp: the cotangent")
        return tuple(run.in_structure(run.pull(seeds)))

    return run.outputs_as(run.outputs), pullback


def hvp(f: Function, primals: Any, vector: Any) -> Any:
    """The Hessian of `f` times a vector, at the cost of a few gradients.

    `primals` is a tuple of arguments, or the one argument itself; the vector and the result have
    its structure.

        >>> hvp(lambda x: x[0] ** 2 * x[1], [1.0, 2.0], [1.0, 0.0])
        [4.0, 2.0]
    """
    args = primals if isinstance(primals, tuple) else (primals,)
    directions = vector if isinstance(primals, tuple) else (vector,)
    numbers = tuple(range(len(args)))
    # The Hessian is symmetric, so that its rows serve: the reverse mode twice.
    _, pullback = vjp(grad(f, argnums=numbers), *args)
    product = pullback(directions)
    return product if isinstance(primals, tuple) else product[0]


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """The derivatives of all results with respect to all inputs, as a NumPy array.

    Its shape is that of the result, then that of the argument; both are a number or a regular list.
    For several `argnums` there is a tuple of such arrays, one for each.

        >>> jacobian(lambda x: [x[0] * x[1], x[0], 5.0])([2.0, 3.0]).tolist()
        [[3.0, 2.0], [1.0, 0.0], [0.0, 0.0]]
    """
    numbers, single = _listed(argnums)

    @wraps(f)
    def derivatives(*args: Any, **options: Any) -> Any:
        run = Run(f, args, _chosen(numbers, len(args)), options)
        (row,) = run.blocks([run.output_structure])
        return row[0] if single else row

    return derivatives


def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """The second derivatives of a function, as a NumPy array.

    Its shape is twice that of the argument, which is a number or a regular list. For several
    `argnums` there is a tuple of tuples of arrays: entry `[i][j]` has the derivatives with respect
    to the argument i, then j.

        >>> hessian(lambda x: x[0] ** 2 * x[1])([1.0, 2.0]).tolist()
        [[4.0, 2.0], [2.0, 0.0]]
    """
    numbers, single = _listed(argnums)
    gradient = grad(f, numbers)

    @wraps(f)
    def derivatives(*args: Any, **options: Any) -> Any:
        run = Run(gradient, args, _chosen(numbers, len(args)), options)
        rows = run.blocks(run.output_structure.children)
        return rows[0][0] if single else rows

    return derivatives


def derivative(output: Value, wrt: Any) -> Any:
    """The derivative of a Value with respect to others, as Values that can be differentiated again.

    `wrt` is a Value or a nested list of Values; the result has its structure.

        >>> x = Value(2.0)
        >>> slope = derivative(x**3, x)
        >>> slope.data, derivative(slope, x).data, x.grad
        (12.0, 12.0, 0)
    """
    targets, structure = flatten(wrt)
    for thing in (output, *targets):
        if not isinstance(thing, Value):
            raise TypeError(f"derivative is of and for Values, got {type(thing).__name__}")
    nodes = order(output)
    found = propagation.pull(nodes, targets, {output: 1.0})
    return unflatten(structure, [x if isinstance(x, Value) else Value(x) for x in found])


# ---------------------------------------------------------------------------------------- arguments


def _listed(argnums: Argnums) -> tuple[tuple[int, ...], bool]:
    """The numbers that were given, and whether it was a single one."""
    single = not isinstance(argnums, Iterable) or getattr(argnums, "shape", None) == ()
    try:
        given = [argnums] if single else [*argnums]  # type: ignore[misc]
        if isinstance(argnums, str) or any(isinstance(each, bool) for each in given):
            raise TypeError
        return tuple(map(index, given)), single  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"argnums is an int or a sequence of ints, got {argnums!r}") from None


def _chosen(numbers: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The numbers of the chosen arguments, counted from 0."""
    for number in numbers:
        if not -count <= number < count:
            raise ValueError(f"argnums {number}: the function was called with {count} arguments")
    places = tuple(number % count for number in numbers)
    for place in places:
        if places.count(place) > 1:
            raise ValueError(f"argnums {numbers} name argument {place} twice")
    return places


def _arguments(name: str, args: Any) -> Sequence[Any]:
    if not isinstance(args, list | tuple):
        raise TypeError(f"jvp: {name} is a tuple, one entry per argument, got {args!r}")
    return args
