"""Replaces operations of a graph by fewer and cheaper ones that give the same numbers.

An operation on constants becomes a constant. A power with the exponent 2, 1 or -1 becomes a square,
the base itself or a reciprocal, with the same numbers and derivatives up to the last place. The
derivative of a power distinguishes cases; for the exponents 3 to 8 it becomes `y * x ** (y - 1)`.
"""

from __future__ import annotations

import numpy as np

from micrograd.compiler.tracing.graph import CONSTANT, NOTHING, Graph, any_of, reached
from micrograd.ops import TABLE

POWERS = {2.0: "square", -1.0: "reciprocal"}
"""Exponents, and the operation in place of a power."""


def simplified(graph: Graph) -> Graph:
    """Return the graph with constants folded and powers replaced; parameters and inputs stay."""
    return _with_plain_slopes(_with_cheap_powers(_folded(graph))).live().mapped(simplified)


def _folded(graph: Graph) -> Graph:
    """Replace each operation whose operands are all constants by a constant."""
    constant = np.append(graph.code == CONSTANT, True)  # the last one for NOTHING
    computed = (graph.code >= 0) & ~graph.structural
    if not (computed & ~any_of(~constant[graph.operands].T)).any():
        return graph
    code, numbers = graph.code.copy(), graph.numbers.copy()
    for node in np.flatnonzero(computed & ~reached(graph, ~computed & ~constant[:-1])).tolist():
        row = graph.table[code[node]]
        numbers[node] = row.value(*numbers[graph.operands[node][: row.arity]].tolist())
        code[node] = CONSTANT
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
    for exponent, name in POWERS.items():
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


_WHOLE = frozenset({3.0, 4.0, 5.0, 6.0, 7.0, 8.0})
"""Exponents for which `y * x ** (y - 1)` is the derivative of the power at every x."""


def _with_plain_slopes(graph: Graph) -> Graph:
    """Replace `where(_, y * x ** (y - 1), where(_, _, pow_slope_x(x, y)))` by its first case.

    Both cases may have been multiplied by the same factor, such as an adjoint.
    """
    codes = {row.name: i for i, row in enumerate(graph.table)}
    if "where" not in codes or "pow_slope_x" not in codes:
        return graph
    chosen = np.flatnonzero(graph.code == codes["where"])
    chosen = chosen[graph.code[graph.operands[chosen, 2]] == codes["where"]]
    base = np.append(np.arange(graph.size), NOTHING)
    for node in chosen.tolist():
        _, case, other = graph.operands[node, :3].tolist()
        if _is_slope(graph, case, int(graph.operands[other, 2])):
            base[node] = case
    return graph._replace(
        operands=np.where(graph.operands < 0, NOTHING, base[graph.operands]),
        outputs=base[graph.outputs],
    )


def _is_slope(graph: Graph, case: int, slope: int) -> bool:
    """Return whether these are `y * x ** (y - 1)` and `pow_slope_x(x, y)`, for such an exponent."""

    def read(node: int, *names: str) -> list[int]:
        row = graph.table[graph.code[node]] if graph.code[node] >= 0 else None
        known = row is not None and row.name in names
        return graph.operands[node].tolist()[: row.arity] if row is not None and known else []

    products = "mul", "stopping_mul"
    if not read(slope, "pow_slope_x"):
        factors, others = read(case, *products), read(slope, *products)
        shared = [each for each in others if each in factors]
        if len(shared) != 1:
            return False
        factors.remove(shared[0])
        others.remove(shared[0])
        (case,), (slope,) = factors, others
    if not (found := read(slope, "pow_slope_x")):
        return False
    x, y = found
    number = graph.numbers[y]
    if graph.code[y] != CONSTANT or number not in _WHOLE or y not in (pair := read(case, "mul")):
        return False
    (power,) = {*pair} - {y} or {y}
    if number == 3.0 and read(power, "square") == [x]:
        return True
    of_power = read(power, "pow")
    return bool(of_power) and of_power[0] == x and graph.numbers[of_power[1]] == number - 1
