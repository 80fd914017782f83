"""Gradients, and products with Jacobians and Hessians: `grad`, `jvp`, `vjp`, `hvp`, `derivative`.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    >>> grad(grad(grad(lambda x: x**3)))(2.0)
    6.0

A transform runs the function on Values and then walks the graph of the run: backwards in the
reverse mode, forwards in the forward mode (`jvp`). Inside another transform, and for arguments that
are Values, adjoints and tangents are Values, so they can be differentiated again; otherwise they
are floats. Other Values that the function uses, such as the weights of a model, are constants then.
For a derivative that is part of a loss, give it a Value:

    >>> weight = Value(3.0)
    >>> grad(lambda x: weight * x**2)(2.0)
    12.0
    >>> slope = grad(lambda x: weight * x**2)(Value(2.0))
    >>> (slope - 1).square().backward()
    >>> slope.data, weight.grad
    (12.0, 88.0)

No `.grad` is read or written by a transform. Each call creates its own variables, so nested calls
cannot confuse them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeVar, overload

from micrograd.engine.graph import order
from micrograd.engine.value import Value
from micrograd.transforms import propagation
from micrograd.transforms.runs import (
    Argnums,
    Function,
    Run,
    read_argnums,
    resolve_argnums,
    scalar,
)
from micrograd.transforms.structures import flatten, is_tuple, leaves_for, unflatten

__all__ = ["derivative", "grad", "hvp", "jvp", "linearize", "value_and_grad", "vjp"]

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypeVarTuple, Unpack

    from micrograd.transforms.signatures import (
        ArrayFunction,
        Gradient,
        GradientOfAny,
        GradientOfSecond,
        Gradients,
        GradientsOfTwo,
        ListFunction,
        ScalarFunction,
        ValueAndGradient,
        ValueAndGradientsOfTwo,
    )

    Args = TypeVarTuple("Args")
    Along = Sequence[Any]
    Pullback = Callable[[Any], tuple[Unpack[Args]]]

T = TypeVar("T")


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
        has_aux: whether `f` returns a pair; only its first part is differentiated.

    Returns:
        A function with the arguments of `f`. Its result has the structure of the chosen argument,
        or is a tuple of such results for a sequence of positions. An input that the result does not
        depend on has the gradient 0. At numbers, the result consists of floats, on which Values
        that `f` uses otherwise, such as the weights of a model, have no influence; at Values, it
        consists of Values, whose `backward()` reaches them. With `has_aux`, the result is a pair of
        this and the second part of what `f` returned.

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
        has_aux: whether `f` returns a pair; only its first part is differentiated.

    Returns:
        A function whose result is the pair of value and gradient. With `has_aux`, the value is the
        pair that `f` returned.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (6.0, (3.0, 2.0))
    """
    numbers, single = read_argnums(argnums)

    @wraps(f)
    def both(*args: Any, **options: Any) -> tuple[Any, Any]:
        run = Run(f, args, resolve_argnums(numbers, len(args)), options, has_aux=has_aux)
        output = run.single_output("grad")
        parts = run.gradient(output)
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
@overload
def jvp(
    f: Function, primals: Along, tangents: Along, *, has_aux: Literal[True]
) -> tuple[Any, Any, Any]: ...
def jvp(f: Function, primals: Any, tangents: Any, *, has_aux: bool = False) -> tuple[Any, ...]:
    """Compute a Jacobian-vector product by the forward mode.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers.
        primals: the arguments of `f`, as a tuple or list.
        tangents: the direction, with the structure of `primals`.
        has_aux: whether `f` returns a pair; only its first part is differentiated.

    Returns:
        The value of `f(*primals)`, and its derivative in the direction of the tangents, which has
        the structure of the value. With `has_aux`, the second part of what `f` returned follows.

    Raises:
        TypeError: `primals` or `tangents` is not a tuple or list.
        ValueError: the tangents have a different structure from the primals.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    run = Run(f, _arguments("primals", primals), has_aux=has_aux)
    return run.with_value(_pushed(run, *_arguments("tangents", tangents)))


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
@overload
def vjp(
    f: Function, *primals: Unpack[Args], has_aux: Literal[True]
) -> tuple[Any, Pullback[Unpack[Args]], Any]: ...
def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:  # type: ignore[misc]
    """Compute the value of `f(*primals)` and a function for vector-Jacobian products.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers.
        *primals: the arguments of `f`.
        has_aux: whether `f` returns a pair; only its first part is differentiated.

    Returns:
        The value, and its pullback, which is a function that takes a cotangent with the structure
        of the value and returns a tuple of gradients, one for each primal. With `has_aux`, the
        second part of what `f` returned follows.

    >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)
    >>> value, pullback([1.0, 0.0])
    ([6.0, 5.0], (3.0, 2.0))
    """
    run = Run(f, primals, has_aux=has_aux)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        leaves = leaves_for(
            cotangent, run.output_structure, "the cotangent (or vector)", "the value"
        )
        seeds: dict[Value, Any] = {}
        for output, leaf in zip(run.outputs, leaves, strict=True):
            if isinstance(output, Value):
                seeds[output] = seeds.get(output, 0.0) + scalar(leaf, "vjp: the cotangent")
        return tuple(run.in_structure(run.pull(seeds)))

    return run.with_value(pullback)


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

    Raises:
        ValueError: `vector` has a different structure from `primals`.

    >>> hvp(lambda x: x[0] ** 2 * x[1], [1.0, 2.0], [1.0, 0.0])
    [4.0, 2.0]
    """
    is_several = is_tuple(primals)
    args = primals if is_several else (primals,)
    directions = vector if is_several else (vector,)
    if not isinstance(directions, tuple | list) or len(directions) != len(args):
        raise ValueError(f"hvp: primals has {len(args)} arguments, the vector has to have as many")
    for i, (direction, arg) in enumerate(zip(directions, args, strict=True)):
        leaves_for(direction, flatten(arg)[1], f"hvp: part {i} of the vector", "the primal")
    numbers = tuple(range(len(args)))
    # The Hessian is symmetric, so its product with a vector is a pullback of the gradient.
    _, pullback = vjp(grad(f, argnums=numbers), *args)
    product = pullback(directions)
    return product if is_several else product[0]


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
@overload
def linearize(f: Function, *primals: Any, has_aux: Literal[True]) -> tuple[Any, Function, Any]: ...
def linearize(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Compute the value of `f(*primals)` and its derivative there as a linear function.

    The function runs once; then any number of directions can be pushed through its graph.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers.
        *primals: the arguments of `f`.
        has_aux: whether `f` returns a pair; only its first part is differentiated.

    Returns:
        The value, and a function of tangents, one for each primal and with its structure, whose
        result has the structure of the value. With `has_aux`, the second part of what `f` returned
        follows.

    >>> value, derivative_along = linearize(lambda x, y: x * y, 2.0, 3.0)
    >>> value, derivative_along(1.0, 0.0), derivative_along(0.0, 1.0)
    (6.0, 3.0, 2.0)
    """
    run = Run(f, primals, has_aux=has_aux)
    return run.with_value(partial(_pushed, run))


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
    for place, thing in (("output", output), *(("wrt", target) for target in targets)):
        if not isinstance(thing, Value):
            advice = "; for a function, use grad" if callable(thing) else ""
            raise TypeError(
                f"derivative(output, wrt) takes Values, got {type(thing).__name__} as {place}"
                f"{advice}"
            )
    nodes = order(output)
    if output._is_traced:
        _refuse_constants_of_loops(nodes, targets)
    found = propagation.pull(nodes, targets, {output: 1.0})
    result: T = unflatten(structure, [x if isinstance(x, Value) else Value(x) for x in found])
    return result


def _refuse_constants_of_loops(nodes: Iterable[Value], targets: Iterable[Value]) -> None:
    """Raise a TypeError if a target is a constant in the step of a loop, to whoever traced it."""
    wanted = {*map(id, targets)}
    if any(id(each) in wanted for node in nodes for each in getattr(node, "_fixed", ())):
        raise TypeError(
            "derivative: the step of a loop in a compiled function uses this Value as a constant: "
            "differentiate by grad, as in grad(lambda t: repeat(lambda s: s * t, x, 3))(2.0)"
        )


def _pushed(run: Run, *tangents: Any) -> Any:
    directions = run.as_leaves(tangents, "tangent")
    pairs = zip(run.variables, directions, strict=True)
    seeds = {x: each for x, each in pairs if isinstance(each, Value) or each}
    return run.outputs_as(run.push(seeds))


def _arguments(name: str, args: Any) -> Sequence[Any]:
    if not isinstance(args, list | tuple):
        raise TypeError(f"jvp: {name} is a tuple, one entry per argument, got {args!r}")
    return args
