"""The engine's sweep over a graph in JavaScript, for pages that show every value and arrow.

`graph_functions(nodes)` writes the functions `forward(v)` and `backward(v, g, p, c)`. They work on
arrays, in which a value is found by its position in `nodes`, and an arrow, from a node to one of
its operands that is a Value, by its position in `arrows(nodes)`:

- `v` has the values. The page sets those of the leaves, and `forward` computes the others.
- `g`, as long as `v`, has the gradients: the derivatives of the last node.
- `p` has the local partials of the arrows, and `c` what flows through them, which is 0 where the
  partial or the gradient is 0. The gradient of a value is the sum of what flows into it, added in
  the order of `backward()`.

>>> from micrograd import Value
>>> from micrograd.engine.graph import order
>>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
>>> nodes = order((x * w).relu())
>>> arrows(nodes)
[(2, 0), (2, 1), (3, 2)]
>>> print(graph_functions(nodes))
function relu(x) {
  return x <= 0 ? 0 : x;
}
<BLANKLINE>
function stopping_mul(x, y) {
  return x !== 0 ? (y !== 0 ? x * y : 0) : 0;
}
<BLANKLINE>
const heads = [2, 2, 3], tails = [0, 1, 2];
const swept = heads.map((_, k) => k).sort((i, j) => heads[j] - heads[i]);
<BLANKLINE>
function forward(v) {
  v[2] = v[0] * v[1];
  v[3] = relu(v[2]);
}
<BLANKLINE>
function partials(v) {
  return [
    v[1], v[0],
    v[2] <= 0 ? 0 : 1,
  ];
}
<BLANKLINE>
function backward(v, g, p, c) {
  g.fill(0);
  g[g.length - 1] = 1;
  const slopes = partials(v);
  for (const k of swept) {
    p[k] = slopes[k];
    g[tails[k]] += c[k] = stopping_mul(g[heads[k]], p[k]);
  }
}

`swept` has the arrows in the order of `backward()`. The functions that these call are named after
the rows of the table; `runtime` in `micrograd.source.javascript` writes those that other formulas
of the page need, with the same text for the same function. To let a derivation follow the numbers,
write each formula in it by `expression(tree, names)`, where `names` maps all its variables to such
texts as `"v[2]"`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from micrograd.engine.graph import is_alias, is_leaf, operands
from micrograd.engine.value import Value
from micrograd.export.program import row_of
from micrograd.source.javascript import JAVASCRIPT, expression
from micrograd.source.trees import accurate, ready
from micrograd.table.floats import to_float
from micrograd.table.formulas import RESULT, Call, Tree, calls


def arrows(nodes: Sequence[Value]) -> list[tuple[int, int]]:
    """The arrows of a graph: the position of a node, and that of one of its operands.

    Args:
        nodes: the nodes in topological order.
    """
    places = {node: i for i, node in enumerate(nodes)}
    return [
        (i, places[operand])
        for i, node in enumerate(nodes)
        for operand in operands(node)
        if isinstance(operand, Value)
    ]


def graph_functions(nodes: Sequence[Value]) -> str:
    """The functions `forward` and `backward` of a graph, and those that they call.

    Args:
        nodes: the nodes in topological order; the last one is the output.

    Raises:
        TypeError: an operation was made by hand.
        NotImplementedError: an operation was defined by a Python function.
    """
    places = {node: i for i, node in enumerate(nodes)}
    ends = arrows(nodes)
    forward: list[str] = []
    slopes: list[str] = []
    used = {"stopping_mul"}
    for i, node in enumerate(nodes):
        if is_leaf(node):
            continue
        read = [places[x] if isinstance(x, Value) else to_float(x) for x in operands(node)]
        value, partials, names = _formulas(node, read)
        names[RESULT] = f"v[{i}]"
        used.update(calls(ready(value)))
        forward.append(f"v[{i}] = {expression(value, names)};")
        shown = [
            slope for operand, slope in zip(read, partials, strict=True) if isinstance(operand, int)
        ]
        used.update(name for slope in shown for name in calls(ready(slope)))
        slopes.append(" ".join(f"{expression(slope, names)}," for slope in shown))
    heads, tails = (", ".join(str(end[k]) for end in ends) for k in (0, 1))
    functions = [
        *JAVASCRIPT.runtime(used),
        f"const heads = [{heads}], tails = [{tails}];\n{_SWEPT}",
        _function("forward(v)", forward),
        _function("partials(v)", ["return [", *(f"  {line}" for line in slopes if line), "];"]),
        _BACKWARD,
    ]
    return "\n\n".join(functions)


_SWEPT = "const swept = heads.map((_, k) => k).sort((i, j) => heads[j] - heads[i]);"
_BACKWARD = """function backward(v, g, p, c) {
  g.fill(0);
  g[g.length - 1] = 1;
  const slopes = partials(v);
  for (const k of swept) {
    p[k] = slopes[k];
    g[tails[k]] += c[k] = stopping_mul(g[heads[k]], p[k]);
  }
}"""


def _formulas(
    node: Value, read: Sequence[int | float]
) -> tuple[Tree, Sequence[Tree], dict[str, Any]]:
    """The formula of a node, its partials, and what the variables in them are."""
    if is_alias(node):
        return "x", [1.0], {"x": f"v[{read[0]}]"}
    row = row_of(node)
    names: dict[str, Any] = {
        name: f"v[{each}]" if isinstance(each, int) else each
        for name, each in zip(row.operands, read, strict=True)
    }
    return Call(row.name, row.operands), [*map(accurate, row.slopes)], names


def _function(head: str, lines: Sequence[str]) -> str:
    body = "".join(f"  {line}\n" for line in lines)
    return f"function {head} {{\n{body}}}"
