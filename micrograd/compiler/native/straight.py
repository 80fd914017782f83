"""Writes a graph as straight code: one operation after the other, with all values in registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd.compiler.native.lowering import Lowering
from micrograd.compiler.native.writing import Writer
from micrograd.compiler.tracing.graph import CONSTANT, Graph


def write_straight(w: Writer, width: int, graph: Graph, leaf: Callable[[int], Any]) -> list[Any]:
    """Write all operations of a graph where the writer stands, and return its outputs.

    Each operation is the formula of its row, so that the numbers are those of the rows one by one.
    No loop and no branch is written. LLVM's time grows faster than the code: some 150 operations
    take a fraction of a second, 2,000 half a minute.

    Args:
        w: writes the function; it has begun one.
        width: the number of lanes of each value; 1 for single numbers.
        graph: what is computed.
        leaf: returns the value of a leaf from its index: the parameters come first, then the
            inputs. It is called once for each leaf, also for those that nothing uses, in order.

    Returns:
        A value for each output of the graph, in their order: vectors of `width` lanes or, if
        `width` is 1, numbers, of the type of the writer's numbers.
    """
    lowering = Lowering(w, width)
    values = [leaf(i) for i in range(graph.leaves)]
    codes, numbers = graph.code.tolist(), graph.numbers.tolist()
    for node in range(graph.leaves, graph.size):
        if codes[node] == CONSTANT:
            values.append(w.constant(numbers[node], width))
            continue
        row = graph.table[codes[node]]
        held = (values[i] for i in graph.operands[node].tolist()[: row.arity])
        values.append(lowering.value(row.computed, dict(zip(row.operands, held, strict=True))))
    return [values[i] for i in graph.outputs.tolist()]
