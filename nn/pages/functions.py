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
from micrograd.engine.symbols import tree_of
from micrograd.export.program import of_function
from micrograd.ops import SERVING, TABLE, Operation, on_define
from micrograd.source.javascript import JAVASCRIPT, expression, runtime
from micrograd.source.trees import needed
from micrograd.table.formulas import COMPARISONS, RESULT, Call, FormulaError, Tree, calls
from micrograd.writing import notation
from micrograd.writing.marks import Mark
from micrograd.writing.parts import opposite
from micrograd.writing.template import LOOSE, PRODUCT
from nn.derivations import calculus
from nn.derivations.rules import readable
from nn.losses import LOSSES, Loss

MOST_CLASSES = 5
Losses = tuple[tuple[str, Loss], ...]  # by name


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
    return _script(tuple(LOSSES.items()))


@lru_cache(1)
def _script(known: Losses) -> str:
    names = activations()
    trees = [tree for name in names for tree in _trees(name)]
    losses = []
    for name, loss in known:
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
    line = of_function(loss, [[0.0] * count] * 2 if count else [0.0, 0.0])
    backwards, gradient = line.backwards(lambda key: f"d{key}")
    half = len(line.parameters) // 2
    slopes = [gradient[key] for key in line.parameters[:half]]
    made = needed([*line.forwards(), *backwards], [line.output, *slopes])
    places = range(half) if count else "i"
    names: dict[str, str | float] = {
        key: f"{letter}[{place}]"
        for letter, keys in (("p", line.parameters[:half]), ("t", line.parameters[half:]))
        for key, place in zip(keys, places, strict=True)
    }
    names |= {each.name: f"v{number}" for number, each in enumerate(made)}
    trees += [*(each.tree for each in made), *slopes]
    lines = [f"const {names[each.name]} = {expression(each.tree, names)};" for each in made]
    lines += [
        f"g[{place}] = {expression(slope, names)};"
        for place, slope in zip(places, slopes, strict=True)
    ]
    head = "(p, t, g)" if count else "(p, t, g, i)"
    return f"{head} => {{ {' '.join(lines)} return {expression(line.output, names)}; }}"


# --------------------------------------------------------------------------------------- formulas

_INPUT, _OUTPUT = notation.named("z^{(1)}_1"), notation.named("h^{(1)}_1")
_PREDICTION, _TARGET = notation.named("y_hat"), notation.named("y")
_LONGEST = 70  # characters of a formula that is shown


def formulas() -> dict[str, Any]:
    """The formula and the derivative of activations and losses, as marks.

    In those of an activation, 0 is its input and 1 its result. In those of a loss, 0 is the
    prediction and 1 the target; losses with long formulas, or without one, have none.
    """
    return _formulas(tuple(LOSSES.items()))


@lru_cache(1)
def _formulas(known: Losses) -> dict[str, Any]:
    places = {_INPUT.mark: 0, _OUTPUT.mark: 1, _PREDICTION.mark: 0, _TARGET.mark: 1}
    found = {name: _written_activation(name) for name in activations()}
    losses = {name: _written_loss(loss) for name, loss in known if name != "cross_entropy"}
    found |= {f"loss {name}": written for name, written in losses.items() if written}
    return {name: [brief(mark, places) for mark in marks] for name, marks in found.items()}


def _written_activation(name: str) -> list[Mark]:
    row = TABLE[name]
    names = {"x": _INPUT, RESULT: _OUTPUT}
    return [notation.operation(row, [_INPUT]).mark, _with_cases(row.told[1], names, PRODUCT)]


def _written_loss(loss: Loss) -> list[Mark]:
    names = {"p": _PREDICTION, "t": _TARGET}
    try:
        tree = tree_of(loss, [*names], "a loss")
    except FormulaError:
        return []
    if len(notation.formula(tree, names).text) > _LONGEST:
        return []
    slope = calculus.with_choice_outside(readable(calculus.derivative(tree, "p")))
    return [_with_cases(calculus.shortest(readable(tree)), names), _with_cases(slope, names)]


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


@on_define
def _forget(row: Operation) -> None:
    """Forget the texts, which have all operations of the table."""
    _script.cache_clear()
    _formulas.cache_clear()
