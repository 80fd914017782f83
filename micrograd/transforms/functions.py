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
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeVar, overload

from micrograd.engine.graph import order
from micrograd.engine.value import Value
from micrograd.transforms import propagation
from micrograd.transforms.runs import Run, scalar
from micrograd.transforms.structures import flatten, unflatten

__all__ = [
    "derivative",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "value_and_grad",
    "value_and_jacobian",
    "vjp",
]

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypeVarTuple, Unpack

    from micrograd.engine.signatures import Real, Scalar
    from micrograd.transforms.signatures import (
        Gradient,
        GradientOfAny,
        GradientOfSecond,
        Gradients,
        GradientsOfTwo,
        Jacobian,
        Regular,
        RegularValues,
        ValueAndGradient,
        ValueAndGradientsOfTwo,
        ValueAndJacobian,
    )

    Args = TypeVarTuple("Args")
    Along = Sequence[Any]
    Pullback = Callable[[Any], tuple[Unpack[Args]]]
    ScalarFunction = Callable[..., Scalar | Real]
    ListFunction = Callable[..., list[Value] | list[float] | list[Scalar]]
    ArrayFunction = Callable[..., NDArray[Any]]
    RegularFunction = Callable[..., Regular | RegularValues]

T = TypeVar("T")
Function = Callable[..., Any]
Argnums = SupportsIndex | Iterable[SupportsIndex]


# ----------------------------------------------------------------------------------- the transforms


@overload
def grad(f: ScalarFunction, argnums: Literal[0] = 0) -> Gradient: ...  # type: ignore[overload-overlap]
@overload
def grad(f: ScalarFunction, argnums: Literal[1]) -> GradientOfSecond: ...  # type: ignore[overload-overlap]
@overload
def grad(f: ScalarFunction, argnums: tuple[Literal[0], Literal[1]]) -> GradientsOfTwo: ...  # type: ignore[overload-overlap]
@overload
def grad(f: ScalarFunction, argnums: SupportsIndex) -> GradientOfAny: ...
@overload
def grad(f: ScalarFunction, argnums: Iterable[SupportsIndex]) -> Gradients: ...
@overload
def grad(
    f: Function, argnums: Argnums = 0, *, has_aux: Literal[True]
) -> Callable[..., tuple[Any, Any]]: ...
@overload
def grad(f: Function, argnums: Argnums = 0, *, has_aux: bool) -> Function: ...
def grad(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """Return a function that computes the gradient of `f`.

    Args:
        f: a function whose result is one number. Its arguments are numbers, or nested lists,
            tuples, dicts and NumPy arrays of numbers.
        argnums: the position of the argument to differentiate with respect to, or a sequence of
            positions. Negative positions count from the end.
        has_aux: whether `f` returns a pair, of which only the first part is differentiated.

    Returns:
        A function with the arguments of `f`. Its result has the structure of the chosen argument,
        or is a tuple of such results for a sequence of positions. An input that the result does not
        depend on has the gradient 0. With `has_aux`, the result is a pair of this and the second
        part of what `f` returned.

    Raises:
        TypeError: `argnums` is not made of integers; or, when the gradient is computed, the result
            of `f` is not one number.
        ValueError: `f` was called with fewer arguments, or a position is given twice.

        >>> grad(lambda w: w["a"] * w["b"][0])({"a": 2.0, "b": [3.0, 4.0]})
        {'a': 3.0, 'b': [2.0, 0.0]}
    """
    both = value_and_grad(f, argnums, has_aux=has_aux)

    @wraps(f)
    def gradient(*args: Any, **options: Any) -> Any:
        value, slopes = both(*args, **options)
        return (slopes, value[1]) if has_aux else slopes

    return gradient


@overload
def value_and_grad(f: ScalarFunction, argnums: Literal[0] = 0) -> ValueAndGradient: ...
@overload
def value_and_grad(
    f: ScalarFunction, argnums: tuple[Literal[0], Literal[1]]
) -> ValueAndGradientsOfTwo: ...
@overload
def value_and_grad(f: ScalarFunction, argnums: Argnums) -> Callable[..., tuple[Any, Any]]: ...
@overload
def value_and_grad(
    f: Function, argnums: Argnums = 0, *, has_aux: bool
) -> Callable[..., tuple[Any, Any]]: ...
def value_and_grad(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """Return a function that computes the value of `f` together with its gradient.

    Args:
        f: a function whose result is one number, as for `grad`.
        argnums: the positions of the arguments to differentiate with respect to, as for `grad`.
        has_aux: whether `f` returns a pair, of which only the first part is differentiated.

    Returns:
        A function whose result is the pair of value and gradient. With `has_aux`, the value is the
        pair that `f` returned.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (6.0, (3.0, 2.0))
    """
    numbers, single = _listed(argnums)

    @wraps(f)
    def both(*args: Any, **options: Any) -> tuple[Any, Any]:
        run = Run(f, args, _chosen(numbers, len(args)), options, has_aux=has_aux)
        output = run.single_output("grad")
        parts = run.in_structure(run.pull({output: 1.0} if isinstance(output, Value) else {}))
        value = (run.result(output), run.aux()) if has_aux else run.result(output)
        return value, parts[0] if single else tuple(parts)

    return both


@overload
def jvp(f: ScalarFunction, primals: Sequence[Value], tangents: Along) -> tuple[Value, Value]: ...
@overload
def jvp(f: ScalarFunction, primals: Along, tangents: Along) -> tuple[float, float]: ...
@overload
def jvp(f: ListFunction, primals: Along, tangents: Along) -> tuple[list[float], list[float]]: ...
@overload
def jvp(f: ArrayFunction, primals: Along, tangents: Along) -> tuple[NDArray[Any], NDArray[Any]]: ...
@overload
def jvp(f: Function, primals: Along, tangents: Along) -> tuple[Any, Any]: ...
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
    value, pushed = linearize(f, *_arguments("primals", primals))
    return value, pushed(*_arguments("tangents", tangents))


@overload
def vjp(f: ScalarFunction, *primals: Value) -> tuple[Value, Callable[[Any], tuple[Value, ...]]]: ...  # type: ignore[overload-overlap]
@overload
def vjp(f: ScalarFunction, *primals: Unpack[Args]) -> tuple[float, Pullback[Unpack[Args]]]: ...
@overload
def vjp(f: ListFunction, *primals: Unpack[Args]) -> tuple[list[float], Pullback[Unpack[Args]]]: ...
@overload
def vjp(
    f: ArrayFunction, *primals: Unpack[Args]
) -> tuple[NDArray[Any], Pullback[Unpack[Args]]]: ...
@overload
def vjp(f: Function, *primals: Unpack[Args]) -> tuple[Any, Pullback[Unpack[Args]]]: ...
def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:  # type: ignore[misc]
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


@overload
def hvp(f: ScalarFunction, primals: float, vector: Any) -> float: ...
@overload
def hvp(f: ScalarFunction, primals: T, vector: Any) -> T: ...
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


@overload
def jacobian(f: RegularFunction, argnums: Literal[0] = 0) -> Jacobian: ...
@overload
def jacobian(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function: ...
def jacobian(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """Return a function that computes the Jacobian of `f`.

    The mode is chosen by the numbers of inputs and outputs; `jacfwd` and `jacrev` choose it for
    themselves.

    Args:
        f: a function whose arguments and result are numbers, or nested lists, tuples, dicts and
            arrays of numbers.
        argnums: the position of the argument to differentiate with respect to, or a sequence of
            positions.
        has_aux: whether `f` returns a pair, of which only the first part is differentiated.

    Returns:
        A function with the arguments of `f`. If the argument and the result are numbers, regular
        lists or arrays, its result is a NumPy array, whose shape is that of the result followed by
        that of the argument. Otherwise it has the structure of the result of `f`, with the
        structure of the argument in place of each array or number, and arrays in these. For a
        sequence of positions there is a tuple of such results.

        >>> jacobian(lambda x: [x[0] * x[1], x[0], 5.0])([2.0, 3.0]).tolist()
        [[3.0, 2.0], [1.0, 0.0], [0.0, 0.0]]
    """
    return _jacobian(f, argnums, has_aux=has_aux)


@overload
def jacfwd(f: RegularFunction, argnums: Literal[0] = 0) -> Jacobian: ...
@overload
def jacfwd(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function: ...
def jacfwd(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """Return a function that computes the Jacobian of `f` by the forward mode.

    It is the better one if there are fewer inputs than outputs.

    Args:
        f: the function, as for `jacobian`.
        argnums: the positions of the arguments, as for `jacobian`.
        has_aux: whether `f` returns a pair, of which only the first part is differentiated.

    >>> jacfwd(lambda x: [x, x * x])(3.0).tolist()
    [1.0, 6.0]
    """
    return _jacobian(f, argnums, has_aux=has_aux, forward=True)


@overload
def jacrev(f: RegularFunction, argnums: Literal[0] = 0) -> Jacobian: ...
@overload
def jacrev(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function: ...
def jacrev(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """Return a function that computes the Jacobian of `f` by the reverse mode.

    It is the better one if there are more inputs than outputs.

    Args:
        f: the function, as for `jacobian`.
        argnums: the positions of the arguments, as for `jacobian`.
        has_aux: whether `f` returns a pair, of which only the first part is differentiated.

    >>> jacrev(lambda x: x[0] * x[1])([2.0, 3.0]).tolist()
    [3.0, 2.0]
    """
    return _jacobian(f, argnums, has_aux=has_aux, forward=False)


@overload
def value_and_jacobian(f: ScalarFunction, argnums: Literal[0] = 0) -> ValueAndJacobian[float]: ...
@overload
def value_and_jacobian(
    f: ListFunction, argnums: Literal[0] = 0
) -> ValueAndJacobian[list[float]]: ...
@overload
def value_and_jacobian(
    f: ArrayFunction, argnums: Literal[0] = 0
) -> ValueAndJacobian[NDArray[Any]]: ...
@overload
def value_and_jacobian(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function: ...
def value_and_jacobian(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """Return a function that computes the value of `f` together with its Jacobian.

    Args:
        f: the function, as for `jacobian`.
        argnums: the positions of the arguments, as for `jacobian`.
        has_aux: whether `f` returns a pair, of which only the first part is differentiated. The
            value is then this pair.

    >>> value, slopes = value_and_jacobian(lambda x: [x, x * x])(3.0)
    >>> value, slopes.tolist()
    ([3.0, 9.0], [1.0, 6.0])
    """
    return _jacobian(f, argnums, has_aux=has_aux, with_value=True)


def _jacobian(
    f: Function,
    argnums: Argnums,
    *,
    has_aux: bool,
    forward: bool | None = None,
    with_value: bool = False,
) -> Function:
    numbers, single = _listed(argnums)

    @wraps(f)
    def derivatives(*args: Any, **options: Any) -> Any:
        run = Run(f, args, _chosen(numbers, len(args)), options, has_aux=has_aux)
        (row,) = run.blocks([run.output_structure], forward=forward)
        found = row[0] if single else row
        if with_value:
            value = run.outputs_as(run.outputs)
            return ((value, run.aux()) if has_aux else value), found
        return (found, run.aux()) if has_aux else found

    return derivatives


@overload
def hessian(f: ScalarFunction, argnums: Literal[0] = 0) -> Jacobian: ...
@overload
def hessian(f: ScalarFunction, argnums: Argnums) -> Function: ...
@overload
def hessian(f: Function, argnums: Argnums = 0, *, has_aux: bool) -> Function: ...
def hessian(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """Return a function that computes the second derivatives of `f`.

    Args:
        f: a function whose result is one number.
        argnums: the position of the argument to differentiate with respect to, a number or nested
            lists, tuples, dicts and arrays of numbers; or a sequence of positions.
        has_aux: whether `f` returns a pair, of which only the first part is differentiated.

    Returns:
        A function with the arguments of `f`. If the argument is a number, a regular list or an
        array, its result is a NumPy array with the shape of the argument, twice. Otherwise it has
        the structure of the argument twice, one in the other. For a sequence of positions the
        result is a tuple of tuples, in which entry `[i][j]` has the derivatives with respect to
        argument `i` and argument `j`.

        >>> hessian(lambda x: x[0] ** 2 * x[1])([1.0, 2.0]).tolist()
        [[4.0, 2.0], [2.0, 0.0]]
    """
    numbers, single = _listed(argnums)
    gradient = grad(f, numbers, has_aux=has_aux)

    @wraps(f)
    def derivatives(*args: Any, **options: Any) -> Any:
        run = Run(gradient, args, _chosen(numbers, len(args)), options, has_aux=has_aux)
        rows = run.blocks(run.output_structure.children)
        found = rows[0][0] if single else rows
        return (found, run.aux()) if has_aux else found

    return derivatives


@overload
def linearize(f: ScalarFunction, *primals: Value) -> tuple[Value, Callable[..., Value]]: ...
@overload
def linearize(f: ScalarFunction, *primals: Any) -> tuple[float, Callable[..., float]]: ...
@overload
def linearize(f: ListFunction, *primals: Any) -> tuple[list[float], Callable[..., list[float]]]: ...
@overload
def linearize(
    f: ArrayFunction, *primals: Any
) -> tuple[NDArray[Any], Callable[..., NDArray[Any]]]: ...
@overload
def linearize(f: Function, *primals: Any) -> tuple[Any, Function]: ...
def linearize(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Compute the value of `f(*primals)` and its derivative there as a linear function.

    The function runs once; then any number of directions can be pushed through its graph.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers.
        *primals: the arguments of `f`.

    Returns:
        The value, and a function of tangents, one for each primal and with its structure, whose
        result has the structure of the value.

        >>> value, derivative_along = linearize(lambda x, y: x * y, 2.0, 3.0)
        >>> value, derivative_along(1.0, 0.0), derivative_along(0.0, 1.0)
        (6.0, 3.0, 2.0)
    """
    run = Run(f, primals)

    def pushed(*tangents: Any) -> Any:
        directions = run.as_leaves(tangents, "the tangents")
        pairs = zip(run.variables, directions, strict=True)
        seeds = {x: each for x, each in pairs if isinstance(each, Value) or each}
        return run.outputs_as(run.push(seeds))

    return run.outputs_as(run.outputs), pushed


def derivative(output: Value, wrt: T) -> T:
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
    result: T = unflatten(structure, [x if isinstance(x, Value) else Value(x) for x in found])
    return result


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
