"""Finds folds in a graph: chains of `maximum` or `minimum` that no gradient passes through.

The largest of many scores is a chain that is as long as there are scores. As one instruction, it
has the same level whatever the number of scores, so that what depends on it can be grouped. The
order of the comparisons matters to a gradient, which equal numbers share pair by pair.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.tracing.graph import CONSTANT, Graph, reached, uses_of

FOLDED = ("maximum", "minimum")


class Folds(NamedTuple):
    """The terms of all folds; the terms of one fold are neighbours.

    The node `term[i]` belongs to the fold that the node `root[i]` computes. `gone` marks the nodes
    that were absorbed by folds.
    """

    root: Any
    term: Any
    gone: Any


def find_folds(graph: Graph, varying: Any) -> Folds:
    """Return the folds that have at least three terms, all of them in the space of the result.

    Args:
        graph: where to look for them.
        varying: whether each node varies over the batch.
    """
    gone = np.zeros(graph.size, dtype=bool)
    members = graph.made_by(lambda row: row.name in FOLDED)
    if not members.any():
        return Folds(np.zeros(0, np.intp), np.zeros(0, np.intp), gone)
    if not _is_stopped(graph, members):
        members &= ~_with_gradient(graph)
    uses, above = uses_of(graph, members)
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
    least = 2 if (count > 2).any() else 3  # not if all are operations of two numbers
    kept = (count >= least) & (count == same)
    gone &= kept[root]
    terms, roots = terms[kept[roots]], roots[kept[roots]]
    order = np.argsort(roots, kind="stable")
    return Folds(roots[order], terms[order], gone)


def _is_stopped(graph: Graph, members: Any) -> bool:
    """Return whether all operands of these nodes are constants or pass no gradient on.

    This is so for a softmax that is written with `detach`; it saves looking at each node.
    """
    stops = graph.made_by(lambda row: all(row.flow(k) is None for k in range(row.arity)))
    ends = members | (graph.code == CONSTANT) | stops
    return bool(ends[graph.operands[members, :2]].all())


def _with_gradient(graph: Graph) -> Any:
    """Return which nodes depend on a leaf through operations that pass a gradient on.

    Loops need not be looked at, since their derivatives are traced.
    """
    passes = np.zeros((len(graph.table) + 2, graph.operands.shape[1]), bool)  # -2 and -1 come last
    for code, row in enumerate(graph.table):
        passes[code, : row.arity] = [row.flow(place) is not None for place in range(row.arity)]
    return reached(graph, np.arange(graph.size) < graph.leaves, passes[graph.code])
