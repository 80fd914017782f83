"""Transforms of functions: `grad`, `jvp`, `vjp`, `hvp`, `jacobian`, `hessian`; and `derivative`.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(grad(lambda x: x**3)))(2.0)
    6.0

A transform runs the function on Values and then walks the graph of the run: backwards in the
reverse mode, forwards in the forward mode (`jvp`). Inside another transform, and for arguments that
are Values, adjoints and tangents are Values, so they can be differentiated again; otherwise they
are floats. No `.grad` is read or written. Each call creates its own variables, so nested calls
cannot confuse them.
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
    """Return a function that computes the gradient of `f`.

    Args:
        f: a function whose result is one number. Its arguments are numbers, or nested lists,
            tuples, dicts and NumPy arrays of numbers.
        argnums: the position of the argument to differentiate with respect to, or a sequence of
            positions. Negative positions count from the end.

    Returns:
        A function with the arguments of `f`. Its result has the structure of the chosen argument,
        or is a tuple of such results for a sequence of positions. An input that the result does not
        depend on has the gradient 0.

    Raises:
        TypeError: `argnums` is not made of integers; or, when the gradient is computed, the result
            of `f` is not one number.
        ValueError: `f` was called with fewer arguments, or a position is given twice.

        >>> grad(lambda w: w["a"] * w["b"][0])({"a": 2.0, "b": [3.0, 4.0]})
        {'a': 3.0, 'b': [2.0, 0.0]}
    """
    both = value_and_grad(f, argnums)

    @wraps(f)
    def gradient(*args: Any, **options: Any) -> Any:
        return both(*args, **options)[1]

    return gradient


def value_and_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Return a function that computes the value of `f` together with its gradient.

    Args:
        f: a function whose result is one number, as for `grad`.
        argnums: the positions of the arguments to differentiate with respect to, as for `grad`.

    Returns:
        A function whose result is the pair of value and gradient.

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
    """Compute a Jacobian-vector product by the forward mode.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers.
        primals: the arguments of `f`, as a tuple or list.
        tangents: the direction, with the structure of `primals`.

    Returns:
        The value of `f(*primals)`, and its derivative in the direction of the tangents, which has
        the structure of the value.

    Raises:
        TypeError: `primals` or `tangents` is not a tuple or list.
        ValueError: the tangents have another structure than the primals.

        >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
        (6.0, 3.0)
    """
    run = Run(f, _arguments("primals", primals))
    directions = run.as_leaves(_arguments("tangents", tangents), "jvp: the tangents")
    pairs = zip(run.variables, directions, strict=True)
    pushed = run.push({x: tangent for x, tangent in pairs if isinstance(tangent, Value) or tangent})
    return run.outputs_as(run.outputs), run.outputs_as(pushed)


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Compute the value of `f(*primals)` and a function for vector-Jacobian products.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers.
        *primals: the arguments of `f`.

    Returns:
        The value, and its pullback: a function that takes a cotangent with the structure of the
        value and returns a tuple of gradients, one for each primal.

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
    """Compute the product of the Hessian of `f` and a vector, at the cost of a few gradients.

    Args:
        f: a function whose result is one number.
        primals: a tuple of arguments, or the only argument itself.
        vector: the vector, with the structure of `primals`.

    Returns:
        The product, with the structure of `primals`.

        >>> hvp(lambda x: x[0] ** 2 * x[1], [1.0, 2.0], [1.0, 0.0])
        [4.0, 2.0]
    """
    args = primals if isinstance(primals, tuple) else (primals,)
    directions = vector if isinstance(primals, tuple) else (vector,)
    numbers = tuple(range(len(args)))
    # The Hessian is symmetric, so its product with a vector is a pullback of the gradient.
    _, pullback = vjp(grad(f, argnums=numbers), *args)
    product = pullback(directions)
    return product if isinstance(primals, tuple) else product[0]


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """Return a function that computes the Jacobian of `f` as a NumPy array.

    Args:
        f: a function from a number, a regular nested list or an array to one of these.
        argnums: the position of the argument to differentiate with respect to, or a sequence of
            positions.

    Returns:
        A function with the arguments of `f`. Its result is an array whose shape is that of the
        result of `f` followed by that of the argument, or a tuple of such arrays for a sequence of
        positions.

    Raises:
        ValueError: the result or the argument has no shape, because it is a dict or because its
            lists are not regular.

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
    """Return a function that computes the second derivatives of `f` as a NumPy array.

    Args:
        f: a function whose result is one number.
        argnums: the position of the argument to differentiate with respect to, a number, a regular
            nested list or an array; or a sequence of positions.

    Returns:
        A function with the arguments of `f`. The shape of its result is that of the argument,
        twice. For a sequence of positions the result is a tuple of tuples of arrays, in which entry
        `[i][j]` has the derivatives with respect to argument `i` and argument `j`.

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
    """Compute the derivative of a Value as Values, which can be differentiated again.

    Neither `.grad` nor any other attribute of a Value is changed.

    Args:
        output: the Value to differentiate.
        wrt: the Value to differentiate with respect to, or nested lists, tuples and dicts of
            Values.

    Returns:
        A Value, or Values in the structure of `wrt`.

    Raises:
        TypeError: something other than a Value was given.

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
    """The positions in `argnums`, and whether it is a single position."""
    single = not isinstance(argnums, Iterable) or getattr(argnums, "shape", None) == ()
    try:
        given = [argnums] if single else [*argnums]  # type: ignore[misc]
        if isinstance(argnums, str) or any(isinstance(each, bool) for each in given):
            raise TypeError
        return tuple(map(index, given)), single  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"argnums is an int or a sequence of ints, got {argnums!r}") from None


def _chosen(numbers: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The positions of the chosen arguments, counted from 0."""
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
