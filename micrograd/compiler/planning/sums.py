"""Finds weighted sums in a graph: chains of `+`, `-`, negation and `*`.

`b + w1 * x1 + w2 * x2` is four operations in the graph and one sum here, in whatever order it was
written and however it was nested. A node is absorbed into the sum above it if nothing else uses it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.tracing.graph import CONSTANT, NOTHING, Graph, any_of, uses_of

LEAST_UNIFORM = 256
"""With fewer multiplications in all, a matrix product in `u` is not faster than single sums."""
_LEAST, _MOST = 4, 2  # products with numbers of `u`, and other terms, of a row of a matrix product
_SIGNS = {"add": (1, 1), "sub": (1, -1), "neg": (-1, 0)}


class Sums(NamedTuple):
    """The terms of all sums; the terms of one sum are neighbours.

    Term i is `sign[i] * left[i] * right[i]`, or `sign[i] * left[i]` if `right[i]` is NOTHING. It
    belongs to the sum that the node `root[i]` computes. `gone` marks the nodes that were absorbed
    by sums. `zero` marks the sums that have the constant 0.0 among their terms; that term is left
    out, as it only matters to the sign of a sum of zeros.
    """

    root: Any
    sign: Any
    left: Any
    right: Any
    gone: Any
    zero: Any


def find_sums(graph: Graph, varying: Any) -> Sums:
    """Return the sums that have at least three terms, or a product among their terms.

    Args:
        graph: where to look for them.
        varying: whether each node varies over the batch; a sum absorbs nodes of its own space.
    """
    code, operands, size = graph.code, graph.operands, graph.size
    names = [*(row.name for row in graph.table), "", ""]  # codes of -2 and -1 come last
    pairs = np.array([_SIGNS.get(name, (0, 0)) for name in names], dtype=np.int8)
    signs = pairs.take(code, axis=0, mode="wrap")  # a tenth of the time of `pairs[code]`
    linear = signs[:, 0] != 0

    uses, above = uses_of(graph)
    once = (uses == 1) & (above >= 0)
    fits = once & linear[above] & (varying == varying[above])
    product = graph.made_by(lambda row: row.name == "mul")
    constant = np.append(code == CONSTANT, False)  # the last one for NOTHING
    scaled = product & ~fits & any_of(constant[operands].T)
    product &= fits

    inner = fits & linear
    absorbed, root, sign = _absorbed(inner, above, operands, signs, product | scaled, varying)
    terms = _terms(linear, absorbed, operands, signs, root, sign)
    product |= scaled & _added_everywhere(terms, uses, varying)
    kept, absent = _worthwhile(terms, product), _is_zero(graph, terms[0])
    zero = np.zeros(size, dtype=bool)
    positive = ~np.signbit(graph.numbers[terms[0]]) & (terms[1] > 0)
    zero[terms[2][kept & absent & positive]] = True
    nodes, factors, roots = (column[kept & ~absent] for column in terms)
    summed = np.zeros(size, dtype=bool)
    summed[roots] = True
    absorbed &= summed[root]

    multiplied = product[nodes] & (factors > 0)
    factors_vary = varying[operands[nodes, 0]], varying[operands[nodes, 1]]
    multiplied &= ~_apart(multiplied, *factors_vary, roots)
    left = np.where(multiplied, operands[nodes, 0], nodes)
    right = np.where(multiplied, operands[nodes, 1], NOTHING)
    gone = absorbed
    gone[nodes[multiplied]] = True
    order = np.argsort(roots, kind="stable")
    return Sums(roots[order], factors[order], left[order], right[order], gone, zero)


def terms_of(bounds: Any, places: Any) -> tuple[Any, Any]:
    """Return the terms of some sums, one sum after the other, and where each begins there.

    Args:
        bounds: where the terms of each sum begin among all terms, and where the last one ends.
        places: the numbers of the sums.

    >>> terms_of(np.array([0, 2, 5, 6]), np.array([2, 1]))
    (array([5, 2, 3, 4]), array([0, 1]))
    """
    first = bounds[places]
    lengths = bounds[places + 1] - first
    start = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(first - start, lengths), start


def _roots(nodes: Any, above: Any, operands: Any, signs: Any, whole: Any) -> tuple[Any, Any]:
    """Return the sum that each node ends up in and its sign there.

    They are found by pointer doubling.

    Args:
        nodes: those that are absorbed by the sum above them, in rising order.
        above: the node above each.
        operands: the operands of each node.
        signs: their signs.
        whole: the sum that each node is known to end up in, with the sign 1; these absorb and are
            absorbed as a whole.
    """
    root, sign = np.arange(len(above)), np.ones(len(above), dtype=np.int8)
    holder = above[nodes]
    sign[nodes] = np.where(operands[holder, 0] == nodes, signs[holder, 0], signs[holder, 1])
    root[nodes] = whole[holder]
    while len(nodes):
        holder = root[nodes]
        further = root[holder]
        moves = further != holder
        nodes, holder, further = nodes[moves], holder[moves], further[moves]
        sign[nodes] = sign[nodes] * sign[holder]
        root[nodes] = further
    return root[whole], sign[whole]


def _absorbed(
    absorbed: Any, above: Any, operands: Any, signs: Any, product: Any, varying: Any
) -> tuple[Any, Any, Any]:
    """Return which of the nodes that fit are absorbed, and the sum and sign of each node.

    The others stay, so that sums of several products stay whole. A product that is subtracted stays
    an operation of its own, since fused with the difference, `x * y - y * x` would not be 0. So in
    `y - w @ x`, all products would be apart. And a matrix product has no terms that are subtracted,
    such as that of `w @ x - y`.
    """
    adds = (signs[:, 0] == 1) & (signs[:, 1] == 1)
    inner = absorbed & adds & adds[above]
    alone = np.arange(len(above))
    whole, sign = _roots(np.flatnonzero(inner), above, operands, signs, alone)  # plain additions
    edges = np.flatnonzero(absorbed & ~inner)
    if not len(edges):
        return absorbed, whole, sign
    ends = np.zeros(len(above), dtype=bool)  # the sums that may become separate ones
    ends[whole[edges]] = ends[whole[above[edges]]] = True
    (users,) = np.nonzero(adds & ends[whole])
    nodes, of = operands[users, :2].ravel(), np.repeat(whole[users], 2)
    nodes, of = nodes[product[nodes]], of[product[nodes]]
    mixed = varying[operands[nodes, 0]] != varying[operands[nodes, 1]]
    if not varying.any():
        mixed[:] = len(nodes) >= LEAST_UNIFORM
    several, rows = (np.bincount(x, minlength=len(above)) >= _LEAST for x in (of, of[mixed]))
    _, sign = _roots(edges, above, operands, signs, whole)
    leaves = (several & (sign < 0)) | rows
    stays = leaves[whole[edges]] | rows[whole[above[edges]]]
    absorbed[edges[stays]] = False
    return absorbed, *_roots(edges[~stays], above, operands, signs, whole)


def _terms(
    linear: Any, absorbed: Any, operands: Any, signs: Any, root: Any, sign: Any
) -> tuple[Any, Any, Any]:
    """Return the nodes that are added up, their signs and their sums, in the order of the graph."""
    nodes, factors, roots = [], [], []
    for place in range(2):
        adds = np.flatnonzero(linear & (operands[:, place] >= 0))
        below = operands[adds, place]
        ends = ~absorbed[below]
        nodes.append(below[ends])
        factors.append((sign[adds] * signs[adds, place])[ends])
        roots.append(root[adds][ends])
    return np.concatenate(nodes), np.concatenate(factors), np.concatenate(roots)


def _added_everywhere(terms: tuple[Any, Any, Any], uses: Any, varying: Any) -> Any:
    """Return which nodes are terms of sums of their own space wherever they are used.

    Neighbouring sums of a filter share products with constants. Were these operations of their own,
    the sums would differ in what they share; with the products as terms, all sums are alike.
    """
    nodes, factors, roots = terms
    added = nodes[(factors > 0) & (varying[nodes] == varying[roots])]
    return (uses > 0) & (np.bincount(added, minlength=len(uses)) == uses)


def _is_zero(graph: Graph, nodes: Any) -> Any:
    """Return which terms are the constant 0, with which Python's `sum` begins."""
    return (graph.code[nodes] == CONSTANT) & (graph.numbers[nodes] == 0)


def _worthwhile(terms: tuple[Any, Any, Any], product: Any) -> Any:
    """Return which terms belong to sums that are more than one operation."""
    nodes, factors, roots = terms
    size = len(product)
    count = np.bincount(roots, minlength=size)
    products = np.bincount(roots[product[nodes] & (factors > 0)], minlength=size)
    larger = (count > 2) | (products > 0)
    return larger[roots]


def _apart(multiplied: Any, left: Any, right: Any, roots: Any) -> Any:
    """Return which products of two varying factors stay operations of their own.

    In a sum of several products with numbers of `u`, such as a row of a matrix product, a few
    others would keep it from being part of one; `micrograd.compiler.planning.matrices` has them as
    addends.

    Args:
        multiplied: which terms are products.
        left: which of these have a varying first factor.
        right: which have a varying second factor.
        roots: the sum of each term.
    """
    both = multiplied & left & right
    if not both.any():
        return both
    size = int(roots.max()) + 1
    mixed = np.bincount(roots[multiplied & (left | right) & ~both], minlength=size)
    others = np.bincount(roots[both | ~multiplied], minlength=size)
    return both & (mixed >= _LEAST)[roots] & (others <= _MOST)[roots]
