"""A graph as straight-line code: definitions of local variables, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from micrograd.engine.graph import (
    backward_step,
    is_alias,
    is_leaf,
    made_by,
    operands,
    operation,
    order,
)
from micrograd.engine.value import Value
from micrograd.export.trees import Definition, ready
from micrograd.ops import Operation, lookup
from micrograd.table.floats import to_float
from micrograd.table.formulas import ADJOINT, RESULT, Call, Tree, fold, substituted

_MOST_TERMS = 8  # of a sum in one line; compilers are recursive in their number


class Step(NamedTuple):
    """One operation. Its operands are keys of parameters or steps, and constants."""

    key: str
    row: Operation
    operands: tuple[str | float, ...]


class StraightLine:
    """The operations of a function in the order in which they are done; equal ones are done once.

    Attributes:
        parameters: the keys of the parameters.
        steps: the operations.
        names: the name that each parameter and operation was given, if any, by its key.
        output: the key of the result, or a constant.
    """

    def __init__(self, parameters: Iterable[str]) -> None:
        self.parameters = [*parameters]
        self.steps: list[Step] = []
        self.output: str | float = 0.0
        self.names: dict[str, str] = {}
        self._known: dict[Any, str] = {}

    def apply(self, name: str, *operands: str | float, label: str = "") -> str:
        """Add an operation, unless there is an equal one, and return its key."""
        row = lookup(name)
        same = (row.name, *map(repr, operands))  # 0.0 and -0.0 differ
        key = self._known.setdefault(same, f"{len(self.steps)}")
        if key == f"{len(self.steps)}":
            self.steps.append(Step(key, row, operands))
        if label and not self.names.get(key):
            self.names[key] = label
        return key

    # ------------------------------------------------------------------------------------- formulas

    def forwards(self) -> list[Definition]:
        """The definition of each step."""
        return [
            Definition(step.key, ready(Call(step.row.name, step.operands))) for step in self.steps
        ]

    def backwards(self, adjoint: Callable[[str], str]) -> tuple[list[Definition], dict[str, Tree]]:
        """The definitions of the adjoints, and the derivative with respect to each parameter.

        Where nothing flows back, there is no adjoint.

        Args:
            adjoint: the key of the adjoint of a step or a parameter.
        """
        terms: dict[str, list[Tree]] = {}
        made: list[Definition] = []
        if isinstance(self.output, str):
            terms[self.output] = [1.0]

        def total(key: str) -> Tree:
            found = terms.get(key, [0.0])
            if len(found) == 1 and not isinstance(found[0], Call):
                return found[0]  # a number, or the adjoint of another value
            name = adjoint(key)
            tree = found[0]
            for i, term in enumerate(found[1:], start=1):
                if i % _MOST_TERMS == 0:
                    made.append(Definition(f"{name} {i}", tree))
                    tree = f"{name} {i}"
                tree = Call("add", (tree, term))
            made.append(Definition(name, tree))
            return name

        active = set(self.parameters)  # what depends on a parameter
        for step in self.steps:
            if not active.isdisjoint(step.operands):
                active.add(step.key)
        for step in reversed(self.steps):
            if step.key not in terms:
                continue
            g = total(step.key)
            for place, operand in enumerate(step.operands):
                flow = _flow(step, place) if operand in active else None
                if flow is not None:
                    names = dict(zip(step.row.operands, step.operands, strict=True))
                    tree = ready(substituted(flow, {**names, RESULT: step.key, ADJOINT: g}))
                    if tree != 0.0:
                        terms.setdefault(str(operand), []).append(tree)
        return made, {key: total(key) for key in self.parameters}


def _flow(step: Step, place: int) -> Tree | None:
    """What flows back to an operand; of a power with an easy exponent without the hard cases."""
    exponent = step.operands[-1]
    if (
        step.row.name == "pow"
        and place == 0
        and isinstance(exponent, float)
        and 0.5 <= exponent <= 8
    ):
        # The table's formula for these exponents, and its limits at 0, are equal to this one.
        slope = Call("mul", (exponent, Call("pow", ("x", exponent - 1.0))))
        return Call("stopping_mul", (ADJOINT, slope if exponent != 1 else 1.0))
    return step.row.flow(place, "stopping_mul")


def of_formula(tree: Tree, parameters: Sequence[str]) -> StraightLine:
    """A formula as code; its variables are the parameters."""
    line = StraightLine(f"p{i}" for i in range(len(parameters)))
    line.names |= zip(line.parameters, parameters, strict=True)

    class Steps(dict[str, Callable[..., str | float]]):
        def __missing__(self, name: str) -> Callable[..., str | float]:
            return lambda *operands: line.apply(name, *operands)

    keys: Mapping[str, str | float] = dict(zip(parameters, line.parameters, strict=True))
    line.output = fold(tree, Steps(), keys)
    return line


def of_graph(
    output: Value, parameters: Sequence[Value] | None, names: Mapping[int, str]
) -> StraightLine:
    """The graph of a Value as code.

    Args:
        output: the result.
        parameters: the Values that become parameters, by default all leaves; other leaves are
            constants.
        names: names of Values by their ids, for those without a label.

    Raises:
        TypeError: an operation was made by hand.
    """
    chosen = None if parameters is None else [*parameters]
    nodes = order(output, () if chosen is None else chosen)
    chosen = [node for node in nodes if is_leaf(node)] if chosen is None else chosen
    line = StraightLine(f"p{i}" for i in range(len(chosen)))
    keys: dict[Any, str | float] = dict(zip(chosen, line.parameters, strict=True))

    def name(node: Value) -> str:
        return str(node.label or "") or names.get(id(node), "")

    line.names |= {str(keys[node]): name(node) for node in chosen}
    for node in nodes:
        if node in keys:
            continue
        read = [keys[x] if isinstance(x, Value) else to_float(x) for x in operands(node)]
        if is_leaf(node):
            keys[node] = to_float(node.data)
        elif is_alias(node) and backward_step(node) is None:
            keys[node] = read[0]
        else:
            keys[node] = line.apply(row_of(node).name, *read, label=name(node))
    line.output = keys[output]
    return line


def row_of(node: Value) -> Operation:
    """The row of the table that made a node.

    Raises:
        TypeError: the operation was made by hand.
    """
    row = operation(node)
    if row is None or backward_step(node) is not None:
        raise TypeError(
            f"{str(made_by(node))!r} is an operation made by hand, which cannot be written as "
            "code: give it a formula with micrograd.define"
        )
    return row


def of_function(function: Callable[..., Any], example: Sequence[Any]) -> StraightLine:
    """What a function computes, for arguments of the structure of an example."""
    from micrograd.compiler.graph import CONSTANT, NOTHING
    from micrograd.compiler.loops.tracing import unrolled
    from micrograd.compiler.tracing import trace
    from micrograd.transforms.structures import flatten, unflatten

    leaves, structure = flatten(list(example))
    with unrolled():
        graph = trace(lambda values: [function(*unflatten(structure, values))], [], len(leaves))
    line = StraightLine(f"p{i}" for i in range(graph.inputs))
    keys: list[str | float] = [*line.parameters]
    for code, number, places in zip(
        graph.code[graph.inputs :].tolist(),
        graph.numbers[graph.inputs :].tolist(),
        graph.operands[graph.inputs :].tolist(),
        strict=True,
    ):
        if code == CONSTANT:
            keys.append(number)
        else:
            read = [keys[place] for place in places if place != NOTHING]
            keys.append(line.apply(graph.table[code].name, *read))
    line.output = keys[int(graph.outputs[0])]
    return line
