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

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial, wraps
from typing import Any

from micrograd import engine
from micrograd.engine import Value, to_number
from micrograd.formulas import (
    ERRORS,
    OPERANDS,
    RESULT,
    choosing_source,
    to_float,
    variables,
)
from micrograd.graph import Node, operands, order, partials, walking
from micrograd.kernels import ADJOINT, flow_text
from micrograd.ops import STOPPING, Operation, on_define
from micrograd.trees import Structure, array, flatten, shape, unflatten
from micrograd.vocabulary import VOCABULARY

__all__ = ["derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]
Scalar = Value | float


# ----------------------------------------------------------------------------------- the transforms


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
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


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """As `grad`, together with the value of the function.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(2.0, 3.0)
    (6.0, (3.0, 2.0))
    """

    @wraps(f)
    def both(*args: Any, **options: Any) -> tuple[Any, Any]:
        chosen, single = _chosen(argnums, len(args))
        run = _Run(f, args, chosen, options)
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
    run = _Run(f, _arguments("primals", primals))
    directions = run.as_leaves(_arguments("tangents", tangents), "jvp: the tangents")
    pushed = run.push(dict(zip(run.variables, directions, strict=True)))
    return run.outputs_as(run.outputs), run.outputs_as(pushed)


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """The value of `f(*primals)`, and its pullback: from a cotangent to a tuple, one per primal.

    The cotangent has the structure of the value.

        >>> value, pullback = vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)
        >>> value, pullback([1.0, 0.0])
        ([6.0, 5.0], (3.0, 2.0))
    """
    run = _Run(f, primals)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        leaves, structure = flatten(cotangent)
        if structure != run.output_structure:
            raise ValueError("the cotangent (or vector) has another structure than the value")
        seeds: dict[Value, Any] = {}
        for output, leaf in zip(run.outputs, leaves, strict=True):
            if isinstance(output, Value):
                seeds[output] = seeds.get(output, 0.0) + _scalar(leaf, "vjp: the cotangent")
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


def jacobian(f: Function, argnums: int = 0) -> Function:
    """The derivatives of all results with respect to all inputs, as a NumPy array.

    Its shape is that of the result, then that of the argument; both are a number or a regular list.

        >>> jacobian(lambda x: [x[0] * x[1], x[0], 5.0])([2.0, 3.0]).tolist()
        [[3.0, 2.0], [1.0, 0.0], [0.0, 0.0]]
    """

    @wraps(f)
    def derivatives(*args: Any, **options: Any) -> Any:
        chosen, _ = _chosen(argnums, len(args))
        run = _Run(f, args, chosen, options)
        return run.jacobian()

    return derivatives


def hessian(f: Function, argnums: int = 0) -> Function:
    """The second derivatives of a function, as a NumPy array.

    Its shape is twice that of the argument, which is a number or a regular list.

        >>> hessian(lambda x: x[0] ** 2 * x[1])([1.0, 2.0]).tolist()
        [[4.0, 2.0], [2.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums)


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
    found = _pull(nodes, targets, {output: 1.0})
    return unflatten(structure, [x if isinstance(x, Value) else Value(x) for x in found])


# ---------------------------------------------------------------------------- one run of a function


class _Running(threading.local):
    depth = 0


_running = _Running()


@contextmanager
def _inside() -> Iterator[None]:
    _running.depth += 1
    try:
        yield
    finally:
        _running.depth -= 1


class _Run:
    """A function run on variables of its own: the graph between them and the outputs."""

    def __init__(
        self,
        f: Function,
        args: Sequence[Any],
        chosen: Sequence[int] | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.chosen = tuple(range(len(args))) if chosen is None else chosen
        self.structures: list[Structure] = []
        self.sizes: list[int] = []
        self.variables: list[Value] = []
        self.symbolic = _running.depth > 0
        args = list(args)
        for number in self.chosen:
            leaves, structure = flatten(args[number])
            variables = [self._variable(leaf, f"argument {number}") for leaf in leaves]
            args[number] = unflatten(structure, variables)
            self.structures.append(structure)
            self.sizes.append(len(variables))
            self.variables += variables
        with _inside():
            result = f(*args, **(options or {}))
        self.outputs, self.output_structure = flatten(result)
        for output in self.outputs:
            _scalar(output, "the result of the function")
        roots = [output for output in self.outputs if isinstance(output, Value)]
        self.symbolic |= any(root._is_traced for root in roots)
        self.nodes = order(roots, until=self.variables)

    def _variable(self, leaf: Any, place: str) -> Value:
        """A value that nothing else refers to; joined to the argument if that is a Value."""
        if isinstance(leaf, Value):
            self.symbolic = True
            return leaf._alias()
        return Value(to_number(leaf, place))

    def single_output(self, name: str) -> Scalar:
        if len(self.outputs) != 1 or self.output_structure.kind is not None:
            raise TypeError(
                f"{name} needs a function whose result is one number, got "
                f"{self.output_structure.kind.__name__} of {len(self.outputs)}; use jacobian"
            )
        output: Scalar = self.outputs[0]
        return output

    # ----------------------------------------------------------------------- interpreting the graph

    def pull(self, seeds: dict[Value, Any]) -> list[Scalar]:
        """The adjoints of the variables for adjoints of the outputs."""
        self.symbolic |= any(isinstance(seed, Value) for seed in seeds.values())
        if self.symbolic:
            return _pull(self.nodes, self.variables, seeds)
        return [*_pull_numbers(self.nodes, self.variables, seeds)]

    def push(self, tangents: dict[Value, Any]) -> list[Scalar]:
        """The tangents of the outputs for tangents of the variables."""
        self.symbolic |= any(isinstance(tangent, Value) for tangent in tangents.values())
        _push(self.nodes, tangents, _slopes_on_values if self.symbolic else _slopes_afresh)
        return [tangents.get(x, 0.0) if isinstance(x, Value) else 0.0 for x in self.outputs]

    def jacobian(self) -> Any:
        """By the forward mode if there are fewer variables than outputs, else by the reverse."""
        rows = shape(self.output_structure)
        (columns,) = map(shape, self.structures)
        if len(self.variables) < len(self.outputs):
            pushed = [self.push({variable: 1.0}) for variable in self.variables]
            found = [column[i] for i in range(len(self.outputs)) for column in pushed]
        else:
            seeds = [{x: 1.0} if isinstance(x, Value) else {} for x in self.outputs]
            found = [adjoint for seed in seeds for adjoint in self.pull(seed)]
        return array([self.result(x) for x in found], (*rows, *columns))

    # ------------------------------------------------------------------------- handing results back

    def as_leaves(self, args: Sequence[Any], place: str) -> list[Scalar]:
        found = [flatten(arg) for arg in args]
        if [structure for _, structure in found] != self.structures:
            raise ValueError(f"{place} have another structure than the arguments")
        return [_scalar(leaf, place) for leaves, _ in found for leaf in leaves]

    def in_structure(self, leaves: Sequence[Scalar]) -> list[Any]:
        """One part for each chosen argument, in its structure."""
        rest = [self.result(leaf) for leaf in leaves]
        parts = []
        for structure, size in zip(self.structures, self.sizes, strict=True):
            parts.append(unflatten(structure, rest[:size]))
            rest = rest[size:]
        return parts

    def outputs_as(self, leaves: Sequence[Scalar]) -> Any:
        return unflatten(self.output_structure, [self.result(leaf) for leaf in leaves])

    def result(self, number: Scalar) -> Scalar:
        """A Value where it may be differentiated again, else a float."""
        if self.symbolic:
            return number if isinstance(number, Value) else Value(number)
        return number.data if isinstance(number, Value) else to_float(number)


# ------------------------------------------------------------------------- reverse and forward mode


def _pull_numbers(
    nodes: Sequence[Value], targets: Sequence[Value], seeds: dict[Value, float]
) -> list[float]:
    """The adjoints of the targets as floats, by the engine's own sweep; no gradient is changed."""
    with walking:
        before = [(node, node.grad) for node in (*nodes, *targets)]
        for node, _ in before:
            node.grad = 0.0
        for root, seed in seeds.items():
            root.grad = seed
        try:
            engine.sweep(reversed(nodes))
            return [target.grad for target in targets]
        finally:
            for node, total in before:
                node.grad = total


def _pull(
    nodes: Sequence[Value], targets: Sequence[Value], seeds: dict[Value, Any]
) -> list[Scalar]:
    """The adjoints of the targets as Values: the reverse mode, written in operations."""
    active = set(targets)
    for node in nodes:
        if (
            node._x in active
            or node._y in active
            or (node._more is not None and not active.isdisjoint(node._more.operands))
        ):
            active.add(node)
    adjoints = dict(seeds)
    for node in reversed(nodes):
        if node not in active or node not in adjoints or node._row is None:
            continue
        adjoint = adjoints[node]
        for operand, slope in _slopes_on_values(node):
            if operand in active:
                share = _product(slope, adjoint)
                if share is not None:
                    adjoints[operand] = adjoints[operand] + share if operand in adjoints else share
    return [adjoints.get(target, 0.0) for target in targets]


Slopes = Callable[[Value], Iterable[tuple[Any, Any]]]


def _push(nodes: Sequence[Value], tangents: dict[Value, Any], slopes: Slopes) -> None:
    """Enter the tangents of the nodes into those of the variables: the forward mode."""
    for node in nodes:
        if node in tangents:
            continue
        for operand, slope in slopes(node):
            if operand in tangents:
                share = _product(slope, tangents[operand])
                if share is not None:
                    tangents[node] = tangents[node] + share if node in tangents else share


def _product(slope: Any, factor: Any) -> Any:
    """The product, or None if nothing passes: a factor of zero stops even an infinite slope."""
    if callable(slope):  # of a traced value: it has no number, and multiplies by itself
        return slope(factor) if isinstance(factor, Value) or factor else None
    if not isinstance(factor, Value):
        if factor == 1:
            return slope
        return slope * factor if factor else None
    if not isinstance(slope, Value) and slope == 1:
        return factor
    if factor._is_traced:
        return slope * factor
    if factor.data == 0 and not math.isfinite(getattr(slope, "data", slope)):
        return None
    return slope * factor


def _slopes_on_numbers(node: Value) -> Iterator[tuple[Any, float]]:
    """The local partials that were computed with the value."""
    _refuse_closure(node)
    for operand, slope in zip(operands(node), partials(node), strict=True):
        if slope is not None:
            yield operand, slope


def _slopes_afresh(node: Value) -> Iterable[tuple[Any, float]]:
    """The local partials evaluated from the row, so that the forward mode is its own witness."""
    if not isinstance(node._row, Operation):
        return _slopes_on_numbers(node)
    held = tuple(operands(node))
    slopes = node._row.evaluate(*(x.data if isinstance(x, Node) else to_float(x) for x in held))[1]
    return [
        (operand, slope)
        for operand, slope in zip(held, slopes, strict=True)
        if slope is not None and isinstance(operand, Node)
    ]


def _slopes_on_values(node: Value) -> Iterable[tuple[Any, Any]]:
    """The local partials as Values: the row's formulas evaluated on the operands."""
    if not isinstance(node._row, Operation):
        return _slopes_on_numbers(node)
    held = tuple(operands(node))
    if node._is_traced:
        # A number would divide by Python's rules.
        read = [x if isinstance(x, Value) else Value(x) for x in held]
        flows = (_flow_of(node._row, place, read) for place in range(len(read)))
        return [
            (operand, partial(flow, node, *read))
            for operand, flow in zip(held, flows, strict=True)
            if flow is not None and isinstance(operand, Node)
        ]
    try:
        return _evaluated(_formulas(node._row), held, node)
    except ERRORS:  # a constant such as the 0 of x / 0, for which Python's operators raise
        return _evaluated(_formulas(node._row, calling=True), held, node)


def _evaluated(
    slopes: Iterable[Callable[..., Any]], held: tuple[Any, ...], node: Value
) -> list[tuple[Any, Any]]:
    found = []
    for operand, slope in zip(held, slopes, strict=True):
        if isinstance(operand, Node) and (found_slope := slope(*held, node)) is not None:
            found.append((operand, found_slope))
    return found


def _refuse_closure(node: Value) -> None:
    if node._more is not None and node._more.backward is not None:
        raise TypeError(
            f"{node!r} has a _backward written by hand, which only v.backward() can follow: "
            "use micrograd.define or local_grads= for the operation"
        )


@cache
def _formulas(row: Operation, *, calling: bool = False) -> tuple[Callable[..., Any], ...]:
    """The partials as functions of Values and numbers: the operands, then the result."""
    vocabulary = {**VOCABULARY, "__builtins__": {}}
    names = ", ".join((*OPERANDS[: row.arity], RESULT))
    return tuple(
        eval(f"lambda {names}: {choosing_source(slope, calling=calling)}", vocabulary)  # noqa: S307 (checked)
        for slope in row.slopes
    )


def _flow_of(row: Operation, place: int, held: Sequence[Any]) -> Callable[..., Any] | None:
    """What flows to an operand; a factor of zero stops wherever the partial may be infinite."""
    near = variables(row.slopes[place])
    tame = row.name in _TAME and all(
        _is_tame(operand) for name, operand in zip(row.operands, held, strict=True) if name in near
    )
    return _flow(row, place, stopping=not tame)


@cache
def _flow(row: Operation, place: int, *, stopping: bool) -> Callable[..., Any] | None:
    """The product of a partial with a factor, where choices are operations.

    A function of the result, the operands and the factor. `stopping` says whether a factor of zero
    makes it 0 even where the partial is infinite.
    """
    text = flow_text(row, place, "_stopping" if stopping else "")
    if text is None:
        return None
    vocabulary = {name: called for name, called in VOCABULARY.items() if name != "_number"}
    vocabulary |= {"_where": VOCABULARY["where"], "_pow": VOCABULARY["pow"]}
    vocabulary |= {name: partial(engine.apply, each) for name, each in STOPPING.items()}
    vocabulary["_stopping"] = _stopping
    vocabulary["__builtins__"] = {}  # type: ignore[assignment]
    names = ", ".join((RESULT, *row.operands, ADJOINT))
    flow: Callable[..., Any] = eval(f"lambda {names}: {text}", vocabulary)  # noqa: S307 (checked)
    return flow


@on_define
def _forget(row: Operation) -> None:
    """What was made may call an operation that is another one now."""
    _formulas.cache_clear()
    _flow.cache_clear()


def _stopping(adjoint: Any, slope: Any) -> Any:
    """The product, 0 where the adjoint is even if the slope is infinite there."""
    if not isinstance(adjoint, Value):
        return slope if adjoint == 1 else adjoint * slope  # a number that is there is not 0
    if isinstance(slope, Value) and slope._is_traced:
        return engine.apply(STOPPING["stopping_mul"], adjoint, slope)
    if not math.isfinite(getattr(slope, "data", slope)):
        return engine.apply(STOPPING["stopping_mul"], adjoint, slope)
    return adjoint * slope


def _is_tame(operand: Any) -> bool:
    """Whether an operand is finite where its own operands are."""
    row = operand._row if isinstance(operand, Node) else None
    return not isinstance(row, Operation) or row.name in _TAME


# Finite results and partials of finite operands. Plain products become sums of products and
# matrices in a program, so that they are kept where no infinity is near.
_TAME = frozenset(
    "add sub mul neg square abs relu leaky_relu elu sigmoid softplus tanh sin cos atan asinh erf "
    "gelu silu mish maximum minimum where sign step detach lt le gt ge".split()
)


# ---------------------------------------------------------------------------------------- arguments


def _chosen(argnums: int | Sequence[int], count: int) -> tuple[tuple[int, ...], bool]:
    single = isinstance(argnums, int)
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for number in numbers:
        if not -count <= number < count:
            raise ValueError(f"argnums {argnums!r}: the function was called with {count} arguments")
    return tuple(number % count for number in numbers), single


def _arguments(name: str, args: Any) -> Sequence[Any]:
    if not isinstance(args, list | tuple):
        raise TypeError(f"jvp: {name} is a tuple, one entry per argument, got {args!r}")
    return args


def _scalar(thing: Any, place: str) -> Scalar:
    return thing if isinstance(thing, Value) else to_float(to_number(thing, place))
