"""Graphs, formulas and functions as straight-line code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
from micrograd.ops import Operation
from micrograd.source.straight import StraightLine
from micrograd.table.floats import to_float
from micrograd.table.formulas import Tree, fold


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
    from micrograd.compiler.loops.tracing import unrolled
    from micrograd.compiler.tracing.graph import CONSTANT, NOTHING
    from micrograd.compiler.tracing.tracer import trace
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
