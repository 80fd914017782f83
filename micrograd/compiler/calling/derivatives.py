"""Derivatives of a compiled function: Jacobians, Hessians, and products with them.

Each is a program of its own, made by the first call: the function is traced together with the
transform of the same name. So the conventions are those of `micrograd.jacobian` and the others, and
in a batch there is a derivative for each sample along the first axis.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from copy import deepcopy
from functools import wraps
from typing import Any, Generic, TypeVar, overload

import numpy as np

from micrograd.compiler.calling.binding import bind, bound
from micrograd.compiler.calling.inlining import is_on_values
from micrograd.compiler.calling.results import batch, regular
from micrograd.compiler.calling.sparsity import compressed
from micrograd.compiler.calling.targets import Targets, read_targets, run
from micrograd.compiler.calling.variants import Options, Variants
from micrograd.transforms import functions
from micrograd.transforms.runs import Function
from micrograd.transforms.structures import (
    Structure,
    count_leaves,
    flatten,
    is_tuple,
    leaves_for,
    unflatten,
)

_DIFFERENT = "the cotangent has a different structure from the value"
Result = TypeVar("Result")
T = TypeVar("T")


class Derivatives(Variants, Generic[Result]):
    """The derivatives of a compiled function."""

    def __init__(self, f: Callable[..., Any] | None, options: Options) -> None:
        super().__init__(f, options)
        self._has_static = any(options.static)
        self._derived: dict[Hashable, Any] = {}
        self._bound: Any = None  # to the static arguments of a call

    # ----------------------------------------------------------------------- Jacobians and Hessians

    def jacobian(
        self, *args: Any, argnums: Targets = 0, parameters: Any = None, **keywords: Any
    ) -> Any:
        """Return the Jacobian of the function.

        Only entries that can differ from zero are computed, by forward or by reverse mode, as many
        in one pass as the graph allows: three passes for a tridiagonal Jacobian of any size.

        Args:
            *args: the arguments of the function.
            argnums: the position of the argument to differentiate with respect to, or a sequence of
                positions; `"parameters"` stands for the parameters, as in `("parameters", 0)`.
            parameters: numbers to use in place of the current ones of the parameters.
            **keywords: further arguments of the function, which are not differentiated.

        Returns:
            What `micrograd.jacobian` returns, an array with the shape of the result followed by
            that of the argument, or such arrays in their structures. For a batch, the samples are
            along the first axis of each array.

        >>> from micrograd import compile
        >>> f = compile(lambda x: [x[0] * x[1], x[1]], backend="numpy")
        >>> f.jacobian([2.0, 3.0]).tolist()
        [[3.0, 2.0], [0.0, 1.0]]
        """
        return self._matrix(_jacobian, args, keywords, argnums, parameters)[1]

    def value_and_jacobian(
        self, *args: Any, argnums: Targets = 0, parameters: Any = None, **keywords: Any
    ) -> tuple[Result, Any]:
        """Return the value of the function and its Jacobian, computed together.

        Args:
            *args: the arguments of the function.
            argnums: as for `jacobian`.
            parameters: as for `jacobian`.
            **keywords: as for `jacobian`.

        >>> from micrograd import compile
        >>> f = compile(lambda x: [x, x * x], backend="numpy")
        >>> value, slopes = f.value_and_jacobian(3.0)
        >>> value, slopes.tolist()
        ([3.0, 9.0], [1.0, 6.0])
        """
        return self._matrix(_value_and_jacobian, args, keywords, argnums, parameters)

    def hessian(
        self, *args: Any, argnums: Targets = 0, parameters: Any = None, **keywords: Any
    ) -> Any:
        """Return the second derivatives of the function.

        Sparsity is used as for `jacobian`. If the result of the function is one number, only one
        half of the symmetric matrix is computed.

        Args:
            *args: the arguments of the function.
            argnums: as for `jacobian`.
            parameters: as for `jacobian`.
            **keywords: as for `jacobian`.

        Returns:
            What `micrograd.hessian` returns. For a batch, the samples are along the first axis of
            each array.

        >>> from micrograd import compile
        >>> f = compile(lambda x: x[0] ** 2 * x[1], backend="numpy")
        >>> f.hessian([1.0, 2.0]).tolist()
        [[4.0, 2.0], [2.0, 0.0]]
        """
        return self._matrix(_hessian, args, keywords, argnums, parameters)[1]

    def sparsity(self, *args: Any, argnums: Targets = 0, order: int = 1, **keywords: Any) -> Any:
        """Return which derivatives can differ from zero, as far as the graph of the function shows.

        Args:
            *args: the arguments of the function; only their structure matters.
            argnums: as for `jacobian`.
            order: 1 for the Jacobian, 2 for the Hessian.
            **keywords: as for `jacobian`.

        Returns:
            What `jacobian` or `hessian` returns for one sample, with a bool for each number.

        >>> from micrograd import compile
        >>> f = compile(lambda x: [x[0] * x[1], x[1]], backend="numpy")
        >>> f.sparsity([2.0, 3.0]).tolist()
        [[True, True], [False, True]]
        """
        if order not in (1, 2):
            raise ValueError(f"order is 1 for the Jacobian or 2 for the Hessian, got {order!r}")
        make = _jacobian if order == 1 else _hessian
        derived, args, single = self._derivative(make, args, keywords, argnums)
        layout = derived._call(args).variant.result.children[1].keys[0]
        found = layout.arranged(np.ones(len(layout.entries), bool))
        return _chosen(found, single=single, square=order == 2)

    def _matrix(
        self,
        make: Callable[..., Function],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
        argnums: Targets,
        parameters: Any,
    ) -> tuple[Any, Any]:
        """Return what comes before the derivatives in a derived program, and the derivatives."""
        derived, args, single = self._derivative(make, args, keywords, argnums)
        try:
            variant, rows = derived._rows(args, parameters)
        except TypeError:
            if not is_on_values(args, self.parameters):
                raise
            value, matrix = derived(*args, parameters=parameters)
            layout, entries = matrix.layout, matrix.entries
        else:  # the same, without putting the parts together
            before, matrix = variant.result.children
            stop = count_leaves(before)
            (layout,), value, entries = matrix.keys, regular(before, rows[:stop]), rows[stop:].T
        return value, _chosen(layout.arranged(entries), single=single, square=make is _hessian)

    def _derivative(
        self,
        make: Callable[..., Function],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
        argnums: Targets,
    ) -> tuple[Any, tuple[Any, ...], bool]:
        """Return a derived program, its arguments, and whether there is a single position."""
        targets, single = read_targets(argnums, len(args), self.parameters)
        program, args, _ = self._specialized(args, keywords)
        return program._program(make, targets), args, single

    # ------------------------------------------------------------------------------------- products

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, parameters: Any = None
    ) -> tuple[Result, Result]:
        """Return the value of the function and its derivative in a direction, by forward mode.

        Args:
            primals: the arguments of the function, as a tuple or list.
            tangents: the direction, with the structure of `primals`; for a batch, a batch of them.
            parameters: as for `jacobian`.

        >>> from micrograd import compile
        >>> compile(lambda x, y: x * y, backend="numpy").jvp((2.0, 3.0), (1.0, 0.0))
        (6.0, 3.0)
        """
        for name, given in (("primals", primals), ("tangents", tangents)):
            if not isinstance(given, list | tuple):
                raise TypeError(f"jvp: {name} is a tuple, one entry per argument, got {given!r}")
        program, primals, _ = self._specialized(primals, {})
        _, tangents, _ = self._specialized(tangents, {})
        count = len(primals)
        derived = program._program(_jvp, count, program._axes_of(count) * 2)
        value, tangent = derived(*primals, *tangents, parameters=parameters)
        return value, tangent

    def vjp(
        self, *primals: Any, parameters: Any = None
    ) -> tuple[Result, Callable[[Any], tuple[Any, ...]]]:
        """Return the value of the function and a function for vector-Jacobian products.

        Args:
            *primals: the arguments of the function.
            parameters: as for `jacobian`.

        Returns:
            The value, and its pullback, which is a function that takes a cotangent with the
            structure of the value and returns a tuple of gradients, one for each primal.

        >>> from micrograd import compile
        >>> f = compile(lambda x, y: [x * y, x + y], backend="numpy")
        >>> value, pullback = f.vjp(2.0, 3.0)
        >>> value, pullback([1.0, 0.0])
        ([6.0, 5.0], (3.0, 2.0))
        """
        program, primals, _ = self._specialized(primals, {})
        call = program._call(primals)
        structure, samples = call.variant.result, (call.length,) if self.batched else ()
        count = len(primals)
        derived = program._program(_pullback, count, (*program._axes_of(count), 0))
        # The pullback belongs to the numbers of this call: arrays and parameters may change later.
        primals, parameters = deepcopy(primals), np.array(program._numbers(parameters))

        def pullback(cotangent: Any) -> tuple[Any, ...]:
            leaves = cotangents(structure, cotangent, samples)
            found: tuple[Any, ...] = derived._in_arguments(
                (*primals, leaves), len(primals), parameters
            )
            return found

        return program(*primals, parameters=parameters), pullback

    @overload
    def hvp(self, primals: float, vector: Any, *, parameters: Any = None) -> float: ...
    @overload
    def hvp(self, primals: T, vector: Any, *, parameters: Any = None) -> T: ...
    def hvp(self, primals: Any, vector: Any, *, parameters: Any = None) -> Any:
        """Return the product of the Hessian of the function and a vector.

        Args:
            primals: a tuple of arguments, or the only argument itself.
            vector: the vector, with the structure of `primals`; for a batch, a batch of them.
            parameters: as for `jacobian`.

        >>> from micrograd import compile
        >>> f = compile(lambda x: x[0] ** 2 * x[1], backend="numpy")
        >>> f.hvp([1.0, 2.0], [1.0, 0.0])
        [4.0, 2.0]
        """
        is_several = is_tuple(primals)
        args = primals if is_several else (primals,)
        directions = vector if is_several else (vector,)
        program, args, _ = self._specialized(args, {})
        _, directions, _ = self._specialized(directions, {})
        derived = program._program(_hvp, len(args), program._axes_of(len(args)) * 2)
        found = derived._in_arguments((*args, *directions), len(args), parameters)
        return found if is_several else found[0]

    # -------------------------------------------------------------------------------------- running

    def _program(self, make: Callable[..., Function], option: Hashable, axes: Any = None) -> Any:
        """Return a program of the function that `make(self, option)` returns.

        It has the axes of this function unless others are given.
        """
        found = self._derived.get((make, option))
        if found is None:
            if self.f is None:
                raise ValueError(
                    "the derivatives of a program that was pickled are those that were computed "
                    "before; compile the function again"
                )
            axes = axes or self._axes
            options = self._options._replace(
                axes=axes if axes and None in axes else None, static=(frozenset(), frozenset())
            )
            made = type(self)(wraps(self.f)(make(self, option)), options)
            found = self._derived.setdefault((make, option), made)
        return found

    def _specialized(
        self, args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> tuple[Any, tuple[Any, ...], tuple[int, ...]]:
        """Return the program for static arguments and keywords, its arguments, and positions.

        The positions are those of the arguments that are not static.
        """
        if not keywords and not self._has_static:
            return self, tuple(args), tuple(range(len(args)))
        how, numbers = bind(self._options.static, args, keywords)
        axes = (*self._axes_of(len(args)), *(0 for _ in how.names))
        self._last, self._bound = None, self._program(bound, how, axes)
        return self._bound, numbers, how.differentiated

    def _in_arguments(self, args: Sequence[Any], count: int, parameters: Any) -> tuple[Any, ...]:
        """Return results in the structure of the first `count` arguments."""
        variant, rows = self._rows(args, parameters)
        parts = variant.parts[:count]
        axes = self._axes_of(len(args))
        return tuple(
            [
                (batch if self.batched and axis == 0 else regular)(structure, rows[leaves])
                for (structure, leaves), axis in zip(parts, axes, strict=False)
            ]
        )


def cotangents(structure: Structure, cotangent: Any, samples: tuple[int, ...]) -> Any:
    """Return the numbers of a cotangent as an array, with the samples along the first axis.

    Args:
        structure: the structure of the result for one sample.
        cotangent: numbers or, for a batch, arrays with the samples along the first axis, in the
            structure of the result.
        samples: the shape of the batch, `(length,)`, or `()` if the call is not batched.

    >>> cotangents(flatten([1.0, 2.0])[1], [np.ones(3), np.zeros(3)], (3,)).tolist()
    [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
    """
    if not samples:
        leaves = leaves_for(cotangent, structure, "the cotangent (or vector)", "the value")
        return np.array(leaves, dtype=float)
    return np.concatenate([*_of_batch(structure, cotangent, samples)], axis=1)


def _of_batch(structure: Structure, cotangent: Any, samples: tuple[int, ...]) -> Any:
    kind, keys, children = structure
    if kind is None or (keys and not children):
        array = np.asarray(cotangent, float)
        if array.shape != (*samples, *keys):
            needed = f"an array of shape {(*samples, *keys)} is needed, got {array.shape}"
            raise ValueError(f"{_DIFFERENT}: {needed}")
        yield array.reshape(samples[0], count_leaves(structure))
        return
    if issubclass(kind, dict):
        if not isinstance(cotangent, dict) or set(cotangent) != set(keys):
            raise ValueError(f"{_DIFFERENT}: a dict with the keys {[*keys]} is needed")
        cotangent = [cotangent[key] for key in keys]
    elif not isinstance(cotangent, list | tuple) or len(cotangent) != len(children):
        raise ValueError(f"{_DIFFERENT}: {len(children)} parts are needed")
    for child, part in zip(children, cotangent, strict=True):
        yield from _of_batch(child, part, samples)


def _chosen(found: Any, *, single: bool, square: bool) -> Any:
    """Return the parts of a Jacobian as the transform does: a single part for one position."""
    if single:
        return found[0][0]
    return found if square else found[0]


# ----------------------------------------------------------------------------------- what is traced


def _jacobian(program: Any, targets: tuple[Any, ...]) -> Function:
    both = _value_and_jacobian(program, targets)
    return lambda *args: ([], both(*args)[1])


def _value_and_jacobian(program: Any, targets: tuple[Any, ...]) -> Function:
    def traced(*args: Any) -> Any:
        made = run(program.f, args, targets, program._held)
        value = unflatten(made.output_structure, made.outputs)
        return value, compressed(made, [made.output_structure])

    return traced


def _hessian(program: Any, targets: tuple[Any, ...]) -> Function:
    def first(*args: Any) -> Any:
        made = run(program.f, args, targets, program._held)
        return made.blocks([made.output_structure])[0]

    def traced(*args: Any) -> Any:
        made = run(first, args, targets, program._held)
        of_one_number = len(made.outputs) == len(made.variables)
        rows = made.output_structure.children
        return [], compressed(made, rows, symmetric=of_one_number)

    return traced


def _jvp(program: Any, count: int) -> Function:
    return lambda *args: functions.jvp(program.f, args[:count], args[count:])


def _pullback(program: Any, count: int) -> Function:
    def traced(*args: Any) -> Any:
        value, pullback = functions.vjp(program.f, *args[:count])
        return pullback(unflatten(flatten(value)[1], args[count]))

    return traced


def _hvp(program: Any, count: int) -> Function:
    return lambda *args: functions.hvp(program.f, args[:count], args[count:])
