"""Replaces operations of a graph by fewer and cheaper ones that give the same numbers.

An operation on constants becomes a constant. A power with the exponent 2, 1 or -1 becomes a square,
the base itself or a reciprocal, with the same numbers and derivatives up to the last place.
"""

from __future__ import annotations

import numpy as np

from micrograd.compiler.graph import CONSTANT, NOTHING, Graph
from micrograd.compiler.loops.rows import LoopRow
from micrograd.ops import TABLE

_POWERS = {2.0: "square", -1.0: "reciprocal"}


def simplified(graph: Graph) -> Graph:
    """Return the graph with constants folded and powers replaced; parameters and inputs stay."""
    graph = _with_cheap_powers(_folded(graph)).live()
    if not any(isinstance(row, LoopRow) for row in graph.table):
        return graph
    table = (
        row.with_step(simplified(row.step)) if isinstance(row, LoopRow) else row
        for row in graph.table
    )
    return graph._replace(table=tuple(table))


def _folded(graph: Graph) -> Graph:
    """Replace each operation whose operands are all constants by a constant."""
    constant = np.append(graph.code == CONSTANT, True)  # the last one for NOTHING
    computed = (graph.code >= 0) & ~graph.structural
    if not (computed & constant[graph.operands].all(axis=1)).any():
        return graph
    code, numbers, known = graph.code.copy(), graph.numbers.copy(), bytearray(constant)
    x, y, z = (column.tolist() for column in graph.operands.T)
    for node in np.flatnonzero(computed).tolist():
        if known[x[node]] and known[y[node]] and known[z[node]]:
            row = graph.table[code[node]]
            numbers[node] = row.value(*numbers[graph.operands[node][: row.arity]].tolist())
            code[node], known[node] = CONSTANT, True
    operands = np.where((code == CONSTANT)[:, None], NOTHING, graph.operands)
    return _ordered(graph._replace(code=code, numbers=numbers, operands=operands))


def _ordered(graph: Graph) -> Graph:
    """Return the graph with its nodes in order: leaves, then all constants, then operations."""
    kind = np.where(graph.code == CONSTANT, 1, 2)
    kind[: graph.leaves] = 0
    order = np.argsort(kind, kind="stable")
    place = np.empty(graph.size + 1, dtype=np.intp)
    place[order] = np.arange(graph.size)
    place[NOTHING] = NOTHING
    return graph._replace(
        code=graph.code[order],
        numbers=graph.numbers[order],
        operands=place[graph.operands[order]],
        outputs=place[graph.outputs],
    )


def _with_cheap_powers(graph: Graph) -> Graph:
    codes = {row.name: i for i, row in enumerate(graph.table)}
    if "pow" not in codes:
        return graph
    powers = np.flatnonzero(graph.code == codes["pow"])
    powers = powers[graph.code[graph.operands[powers, 1]] == CONSTANT]
    if not len(powers):
        return graph
    exponents = graph.numbers[graph.operands[powers, 1]]
    code, operands, table = graph.code.copy(), graph.operands.copy(), list(graph.table)
    for exponent, name in _POWERS.items():
        chosen = powers[exponents == exponent]
        if len(chosen):
            if TABLE[name] not in table:
                table.append(TABLE[name])
            code[chosen] = table.index(TABLE[name])
            operands[chosen, 1] = NOTHING
    base = np.append(np.arange(graph.size), NOTHING)  # the node that replaces each node
    for node in powers[exponents == 1.0].tolist():
        base[node] = base[graph.operands[node, 0]]
    return graph._replace(
        code=code,
        operands=np.where(operands < 0, NOTHING, base[operands]),
        table=tuple(table),
        outputs=base[graph.outputs],
    )
