"""Activations and losses of the playground in JavaScript, written from the table of operations.

The script defines two objects:

- `ACTIVATIONS[name]` has the functions `value(x)` and `slope(x, out)` of an operation of one
  operand: its formula, and its partial.
- `LOSSES[name]` is a function `(p, t, g, i)`: it returns the loss of the prediction `p[i]` for the
  target `t[i]`, and puts its derivative with respect to the prediction into `g[i]`.
  `LOSSES.cross_entropy[k]` is a function `(p, t, g)` of k scores and k shares.

>>> "tanh" in activations()
True
>>> print(_activation("exp"))
"exp": { value: (x) => Math.exp(x), slope: (x, out) => out }
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from micrograd.drawing.frame import brief
from micrograd.export.program import of_function
from micrograd.ops import SERVING, TABLE
from micrograd.source.javascript import JAVASCRIPT, expression, runtime
from micrograd.source.straight import StraightLine
from micrograd.table.formulas import COMPARISONS, RESULT, Call, Tree, calls, substituted, variables
from micrograd.writing import notation
from micrograd.writing.marks import Mark
from micrograd.writing.parts import opposite
from micrograd.writing.template import LOOSE, PRODUCT
from nn.losses import LOSSES, Loss

MOST_CLASSES = 5


def activations() -> list[str]:
    """The names of the operations of one operand that JavaScript can compute."""
    return [name for name in TABLE if is_activation(name)]


def is_activation(name: str) -> bool:
    """Whether this is the name of an operation of one operand that JavaScript can compute."""
    if name not in TABLE or TABLE[name].arity != 1 or name in SERVING:
        return False
    return JAVASCRIPT.has({call for tree in _trees(name) for call in calls(tree)})


def _trees(name: str) -> list[Tree]:
    """The formula and the partial of an operation."""
    row = TABLE[name]
    return [Call(name, row.operands), *row.slopes]


def script() -> str:
    """The text in JavaScript that defines `ACTIVATIONS` and `LOSSES`."""
    names = activations()
    trees = [tree for name in names for tree in _trees(name)]
    losses = []
    for name, loss in LOSSES.items():
        if name == "cross_entropy":
            each = [_loss(loss, count, trees) for count in range(2, MOST_CLASSES + 1)]
            losses.append(f"{json.dumps(name)}: [null, null, {', '.join(each)}]")
        else:
            losses.append(f"{json.dumps(name)}: {_loss(loss, 0, trees)}")
    entries = ",\n".join(map(_activation, names))
    return (  # in a function, so that the names of the rows are taken in it only
        "const { ACTIVATIONS, LOSSES } = (() => {\n"
        f"{runtime(trees)}\n"
        f"return {{ ACTIVATIONS: {{\n{entries}\n}}, LOSSES: {{\n{', '.join(losses)}\n}} }};\n"
        "})();\n"
    )


def _activation(name: str) -> str:
    value, slope = map(expression, _trees(name))
    return f"{json.dumps(name)}: {{ value: (x) => {value}, slope: (x, {RESULT}) => {slope} }}"


def _loss(loss: Loss, count: int, trees: list[Tree]) -> str:
    """A loss of lists of `count` numbers, or of one number if that is 0; `trees` gets its formulas.

    What only the derivative with respect to the target needs is left out.
    """
    line = _line(loss, count)
    backwards, gradient = line.backwards(lambda key: f"d{key}")
    half = len(line.parameters) // 2
    slopes = [gradient[key] for key in line.parameters[:half]]
    wanted = set().union(*map(variables, (line.output, *slopes)))
    made = []
    for each in reversed([*line.forwards(), *backwards]):
        if each.name in wanted:
            wanted |= variables(each.tree)
            made.append(each)
    places = range(half) if count else "i"
    names: dict[str, str | float] = {
        key: f"{letter}[{place}]"
        for letter, keys in (("p", line.parameters[:half]), ("t", line.parameters[half:]))
        for key, place in zip(keys, places, strict=True)
    }
    names |= {each.name: f"v{number}" for number, each in enumerate(reversed(made))}
    trees += [*(each.tree for each in made), *slopes]
    lines = [f"const {names[each.name]} = {expression(each.tree, names)};" for each in made[::-1]]
    lines += [
        f"g[{place}] = {expression(slope, names)};"
        for place, slope in zip(places, slopes, strict=True)
    ]
    head = "(p, t, g)" if count else "(p, t, g, i)"
    return f"{head} => {{ {' '.join(lines)} return {expression(line.output, names)}; }}"


@lru_cache(maxsize=32)
def _line(loss: Loss, count: int = 0) -> StraightLine:
    """The operations of a loss of lists of `count` numbers, or of one number if that is 0."""
    return of_function(loss, [[0.0] * count] * 2 if count else [0.0, 0.0])


# --------------------------------------------------------------------------------------- formulas

_INPUT, _OUTPUT = notation.named("z^{(1)}_1"), notation.named("h^{(1)}_1")
_PREDICTION, _TARGET = notation.named("y_hat"), notation.named("y")
_LONGEST = 70  # characters of a formula that is shown


def formulas() -> dict[str, Any]:
    """The formula and the derivative of activations and losses, as marks.

    In those of an activation, 0 is its input and 1 its result. In those of a loss, 0 is the
    prediction and 1 the target; losses with long formulas have none.
    """
    places = {_INPUT.mark: 0, _OUTPUT.mark: 1, _PREDICTION.mark: 0, _TARGET.mark: 1}
    found = {name: _written_activation(name) for name in activations()}
    losses = {name: _written_loss(loss) for name, loss in LOSSES.items() if name != "cross_entropy"}
    found |= {f"loss {name}": written for name, written in losses.items() if written}
    return {name: [brief(mark, places) for mark in marks] for name, marks in found.items()}


def _written_activation(name: str) -> list[Mark]:
    row = TABLE[name]
    names = {"x": _INPUT, RESULT: _OUTPUT}
    return [notation.operation(row, [_INPUT]).mark, _with_cases(row.told[1], names, PRODUCT)]


def _written_loss(loss: Loss) -> list[Mark]:
    line = _line(loss)
    trees: dict[str, Tree] = {"p0": "p0", "p1": "p1"}
    for step in line.steps:
        trees[step.key] = substituted(Call(step.row.name, step.operands), trees)
    tree = trees[str(line.output)]
    names = {"p0": _PREDICTION, "p1": _TARGET}
    value = notation.formula(tree, names)
    if len(value.text) > _LONGEST:
        return []
    return [_with_cases(tree, names), _with_cases(_slope(tree), names)]


def _with_cases(tree: Tree, names: Mapping[str, notation.Formula], least: int = LOOSE) -> Mark:
    """A formula that binds as tightly as `least`; a choice by one comparison has two rows."""

    def written(tree: Tree) -> Mark:
        return notation.formula(tree, names).mark

    match tree:
        case Call("where", (Call(sign) as test, then, otherwise)) if (
            sign in COMPARISONS and "where" not in calls(then) | calls(otherwise)
        ):
            return (
                "cases",
                (written(then), written(test)),
                (written(otherwise), written(opposite(test))),
            )
    return notation.formula(tree, names).bracketed(least).mark


def _slope(tree: Tree) -> Tree:
    """The derivative of a formula by `p0`, from the partials that textbooks have."""
    if not isinstance(tree, Call):
        return float(tree == "p0")
    slopes = [_slope(each) for each in tree.operands]
    if tree.name == "where":
        return Call("where", (tree.operands[0], *slopes[1:]))
    row = TABLE[tree.name]
    names = {**dict(zip(row.operands, tree.operands, strict=True)), RESULT: tree}
    total: Tree = 0.0
    for slope, partial in zip(slopes, row.told[1:], strict=True):
        total = _sum(total, _product(substituted(partial, names), slope))
    return total


def _sum(x: Tree, y: Tree) -> Tree:
    if 0.0 in (x, y):
        return x if y == 0.0 else y
    return _product(2.0, x) if x == y else Call("add", (x, y))


def _product(x: Tree, y: Tree) -> Tree:
    if 0.0 in (x, y):
        return 0.0
    if isinstance(y, float):
        x, y = y, x
    if x == 1.0:
        return y
    for one, other in ((x, y), (y, x)):
        if isinstance(one, Call) and one.name == "where":
            test, then, otherwise = one.operands
            return Call("where", (test, _product(then, other), _product(otherwise, other)))
    if x == -1.0:
        return Call("neg", (y,))
    match x, y:
        case float(), Call("mul", (float(factor), rest)):
            return _product(x * factor, rest)
    for one, other in ((x, y), (y, x)):
        if isinstance(one, Call) and one.name == "neg":
            return Call("neg", (_product(one.operands[0], other),))
    return Call("mul", (x, y))
