"""Jacobians and Hessians as arrays: `jacobian`, `jacfwd`, `jacrev`, `hessian`.

    >>> jacobian(lambda x: [x[0] * x[1], x[0]])([2.0, 3.0]).tolist()
    [[3.0, 2.0], [1.0, 0.0]]

The Jacobian of a function of nested arguments has arrays in their structure.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, overload

from micrograd.transforms.runs import Argnums, Function, Run, read_argnums, resolve_argnums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from micrograd.transforms.signatures import (
        ArrayFunction,
        Jacobian,
        ListFunction,
        RegularFunction,
        ScalarFunction,
        ValueAndJacobian,
    )

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev", "value_and_jacobian"]


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
        has_aux: whether `f` returns a pair; only its first part is differentiated.

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
        has_aux: whether `f` returns a pair; only its first part is differentiated.

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
        has_aux: whether `f` returns a pair; only its first part is differentiated.

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
        has_aux: whether `f` returns a pair; only its first part is differentiated. The
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
    numbers, single = read_argnums(argnums)

    @wraps(f)
    def derivatives(*args: Any, **options: Any) -> Any:
        run = Run(f, args, resolve_argnums(numbers, len(args)), options, has_aux=has_aux)
        (row,) = run.blocks([run.output_structure], forward=forward)
        found = row[0] if single else row
        if with_value:
            value = run.outputs_as(run.outputs)
            return ((value, run.aux()) if has_aux else value), found
        return (found, run.aux()) if has_aux else found

    return derivatives


@overload
def hessian(f: RegularFunction, argnums: Literal[0] = 0) -> Jacobian: ...
@overload
def hessian(f: Function, argnums: Argnums) -> Function: ...
@overload
def hessian(f: Function, argnums: Argnums = 0, *, has_aux: bool) -> Function: ...
def hessian(f: Function, argnums: Argnums = 0, *, has_aux: bool = False) -> Function:
    """Return a function that computes the second derivatives of `f`.

    Args:
        f: the function, as for `jacobian`; often its result is one number.
        argnums: the position of the argument to differentiate with respect to, or a sequence of
            positions.
        has_aux: whether `f` returns a pair; only its first part is differentiated.

    Returns:
        The Jacobian of the Jacobian. For a function whose result is one number, and an argument
        that is a number, a regular list or an array, it is a NumPy array with the shape of the
        argument, twice. Otherwise it has the structures of the result and of the argument, twice,
        one in the other. For a sequence of positions the result is a tuple of tuples, in which
        entry `[i][j]` has the derivatives with respect to argument `i` and argument `j`.

    >>> hessian(lambda x: x[0] ** 2 * x[1])([1.0, 2.0]).tolist()
    [[4.0, 2.0], [2.0, 0.0]]
    >>> hessian(lambda x: [x**2, x**3])(2.0).tolist()
    [2.0, 12.0]
    """
    numbers, single = read_argnums(argnums)

    def first(*args: Any, **options: Any) -> Any:
        run = Run(f, args, resolve_argnums(numbers, len(args)), options, has_aux=has_aux)
        if run.output_structure.kind is None:  # a gradient takes less time than a Jacobian
            found = tuple(run.gradient(run.outputs[0]))
        else:
            (found,) = run.blocks([run.output_structure])
        return (found, run.aux()) if has_aux else found

    @wraps(f)
    def derivatives(*args: Any, **options: Any) -> Any:
        run = Run(first, args, resolve_argnums(numbers, len(args)), options, has_aux=has_aux)
        rows = run.blocks(run.output_structure.children)
        found = rows[0][0] if single else rows
        return (found, run.aux()) if has_aux else found

    return derivatives
