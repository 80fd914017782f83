"""Chains of `maximum` or `minimum` as one step each, where no gradient passes through them.

The largest of many scores is a chain as long as there are scores, which would keep what depends on
it apart from its like for other numbers of scores. Only without a gradient does the order of the
comparisons not matter: equal numbers share a gradient pair by pair.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.graph import CONSTANT, NOTHING, Graph

FOLDED = ("maximum", "minimum")


class Folds(NamedTuple):
    """The terms of all folds, those of one fold next to each other.

    Term i belongs to the fold that the node `root[i]` computes. `gone` marks absorbed nodes.
    """

    root: Any
    term: Any
    gone: Any


def find_folds(graph: Graph, varying: Any) -> Folds:
    """The folds of three or more terms, all of them in the space of the result."""
    codes = [i for i, row in enumerate(graph.table) if row.name in FOLDED]
    gone = np.zeros(graph.size, dtype=bool)
    members = np.isin(graph.code, codes)
    if not members.any():
        return Folds(np.zeros(0, np.intp), np.zeros(0, np.intp), gone)
    if not _is_stopped(graph, members):
        members &= ~_with_gradient(graph)
    used = graph.operands[graph.operands >= 0]
    uses = np.bincount(used, minlength=graph.size)
    uses += 2 * np.bincount(graph.outputs, minlength=graph.size)
    above = np.full(graph.size, NOTHING)
    for column in graph.operands.T:
        above[column[column >= 0]] = np.flatnonzero(column >= 0)
    gone = members & (uses == 1) & (above >= 0) & members[above]
    gone &= (graph.code == graph.code[above]) & (varying == varying[above])

    root = np.where(gone, above, np.arange(graph.size))
    while (root[root] != root).any():
        root = root[root]
    nodes = np.flatnonzero(members)
    terms = graph.operands[nodes, :2].ravel()
    roots = np.repeat(root[nodes], 2)
    ends = ~gone[terms]
    terms, roots = terms[ends], roots[ends]
    count = np.bincount(roots, minlength=graph.size)
    same = np.bincount(roots[varying[terms] == varying[roots]], minlength=graph.size)
    kept = (count > 2) & (count == same)
    gone &= kept[root]
    terms, roots = terms[kept[roots]], roots[kept[roots]]
    order = np.argsort(roots, kind="stable")
    return Folds(roots[order], terms[order], gone)


def _is_stopped(graph: Graph, members: Any) -> bool:
    """Whether nothing but constants and what passes no gradient on goes into these nodes.

    So it is where a softmax is written with `detach`; else each node has to be looked at.
    """
    stops = [
        i
        for i, row in enumerate(graph.table)
        if all(row.flow(place) is None for place in range(row.arity))
    ]
    ends = members | (graph.code == CONSTANT) | np.isin(graph.code, stops)
    return bool(ends[graph.operands[members, :2]].all())


def _with_gradient(graph: Graph) -> Any:
    """Which nodes depend on a leaf through operations that pass a gradient on."""
    passes = [[row.flow(place) is not None for place in range(row.arity)] for row in graph.table]
    found = bytearray(graph.size)
    found[: graph.leaves] = b"\1" * graph.leaves
    codes, columns = graph.code.tolist(), [column.tolist() for column in graph.operands.T]
    for node in range(graph.leaves, graph.size):
        if codes[node] >= 0:
            for column, passing in zip(columns, passes[codes[node]], strict=False):
                if passing and found[column[node]]:
                    found[node] = 1
                    break
    return np.frombuffer(found, np.uint8).astype(bool)
