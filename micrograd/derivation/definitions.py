"""A graph as definitions: one formula for each named value, as on a blackboard.

`definitions(outputs, names)` cuts a graph at its named values: those that have a label, those that
the caller has a name for, and the outputs. Each has a formula over other named values, into which
the values without a name are written:

>>> x, w, b, t = (Value(n, label=l) for n, l in ((2.0, "x"), (-3.0, "w"), (6.5, "b"), (1.0, "t")))
>>> y = (x * w + b).tanh()
>>> loss = (y - t) ** 2
>>> y.label, loss.label = "y", "L"
>>> cut = definitions([loss])
>>> for step in cut:
...     print(step.key, "=", step.formula, [*step.operands])
v₁ = add(mul(x, w), b) ['x', 'w', 'b']
y = tanh(v₁) ['v₁']
L = pow(sub(y, t), 2.0) ['y', 't']
>>> print(partial(cut["y"], "v₁"))
sub(1.0, pow(y, 2.0))

What to know:

- A definition has `value`, its `key`, a `formula` (a `Tree`) and `operands`, the values that the
  variables of the tree stand for. A key is the name as text; it belongs to one value in the whole
  cut. `cut.names` has the `Name` of each value, which `notation.formula` needs to typeset a tree.
- Leaves have no definition: `cut.given` lists them. Constants are numbers in the trees.
- Definitions are in topological order. A value without a name that several steps share, a long
  argument of a function, and a part of a formula that would be too long to read get names v₁, v₂,
  … of their own (`cut.made_up`), so trees never grow exponentially with the graph.
- `partial(definition, key)` is the local derivative with respect to one operand, simplified. It may
  use the operands and the key of the definition itself, as in y' = 1 - y². Choices (`where`) that
  depend on numbers stay in it; `partials.simplified` takes the branch that the numbers take.
- A step without a formula, such as one whose `_backward` was written by hand, has `slopes`: the
  derivatives as numbers, which hold for the present numbers only. If the table does not know the
  operation of a step, the `formula` is a call of its symbol, and `is_known` is false.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from micrograd.derivation.algebra import ordered, period, simplified
from micrograd.derivation.chain import edges
from micrograd.derivation.cutting import Cut, equal_steps
from micrograd.derivation.derivatives import derivative, has_decimals
from micrograd.derivation.naming import label_of, name_values, variable_names
from micrograd.derivation.parameters import hidden_labels
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
from micrograd.ops import TABLE, on_define
from micrograd.table.balls import Ball, on_balls
from micrograd.table.floats import to_float
from micrograd.table.formulas import (
    Call,
    Tree,
    calls,
    parts,
    size,
    substituted,
    variables,
)
from micrograd.writing.indices import DIGITS
from micrograd.writing.notation import SYMBOLS, Name
from micrograd.writing.parts import SUMS, added, terms

_FEW = 12  # names that are made up in the order of the graph
_SEVERAL = 3  # values of a kind that get successive names: first all sums, then all activations


class Definition(NamedTuple):
    """The formula of a named value over other named values.

    Attributes:
        value: the value.
        key: its name as text.
        formula: the formula.
        operands: the values that the variables of the formula stand for, in order.
        slopes: for a step written by hand, its derivatives as numbers; otherwise None.
    """

    value: Value
    key: str
    formula: Tree
    operands: dict[str, Value]
    slopes: dict[str, float] | None = None

    @property
    def is_known(self) -> bool:
        """Whether the formula consists of operations of the table."""
        return not isinstance(self.formula, Call) or self.formula.name in TABLE


class Definitions(Sequence[Definition]):
    """The definitions of a graph, by position or by key, and the names of all values in them.

    Attributes:
        outputs: the roots of the graph.
        names: the name of every value that has a definition or is given.
        given: the leaves.
        made_up: the keys of the values whose names were made up here.
        same: values without a name that are computed as another one is, and this one.
    """

    def __init__(
        self,
        outputs: Sequence[Value],
        steps: Sequence[Definition],
        names: Mapping[Value, Name],
        made_up: frozenset[str],
        same: Mapping[Value, Value],
    ) -> None:
        self.outputs, self.names, self.made_up = list(outputs), dict(names), made_up
        self.same = same
        self.given = [value for value in names if is_leaf(value)]
        self._steps = list(steps)
        self._values = {name.text: value for value, name in names.items()}
        self._by_key = {step.key: step for step in steps}

    def key(self, value: Value) -> str:
        """The key of a value; KeyError if the value was written into another one."""
        return self.names[value].text

    def value(self, key: str) -> Value:
        """The value of a key."""
        return self._values[key]

    def get(self, key: str) -> Definition | None:
        """The definition of a key; None for a value that is given."""
        return self._by_key.get(key)

    def __getitem__(self, which: Any) -> Any:
        return self._by_key[which] if isinstance(which, str) else self._steps[which]

    def __contains__(self, which: object) -> bool:
        return which in self._by_key

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Definition]:
        return iter(self._steps)


def definitions(
    outputs: Sequence[Value],
    names: Mapping[str, Any] | Any | None = None,
    keep: Sequence[Value] = (),
    share: bool = False,
) -> Definitions:
    """Cut the graph below the outputs into definitions.

    Args:
        outputs: the roots of the graph.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        keep: values that get a definition even if they have no name.
        share: whether values without a name that are computed in the same way are one.

    >>> a = Value(3.0, label="a")
    >>> [str(step.formula) for step in definitions([a * a + 1.0])]
    ['add(pow(a, 2.0), 1.0)']
    """
    nodes = order(outputs)
    called = variable_names(names, nodes)
    named = {n for n in nodes if label_of(n).strip() or called.get(id(n), "").strip()}
    apart = named.union(outputs, keep)
    steps = Cut(nodes, apart).steps
    same = equal_steps(nodes, steps - apart) if share else {}
    nodes = [node for node in nodes if node not in same]
    steps -= same.keys()
    held = {
        node: [same.get(x, x) if isinstance(x, Value) else x for x in operands(node)]
        for node in nodes
    }
    known = {node for node in nodes if is_leaf(node)} | steps
    called |= hidden_labels(
        {n: [*_named_below(n, known, held)] for n in nodes if n in steps and n not in named}, called
    )
    shown = [node for node in nodes if is_leaf(node) or node in steps]
    unnamed = [node for node in shown if id(node) not in called and node not in named]
    levels = _levels(nodes, steps, held)
    kinds = Counter((levels[x], made_by(x)) for x in unnamed if x in steps)
    by_level = len(unnamed) > _FEW or max(kinds.values(), default=0) >= _SEVERAL
    if by_level:
        shown.sort(key=levels.__getitem__)
        shown = _by_index(shown, {x for x in unnamed if x in steps}, levels, held)
    chosen = name_values(shown, called)
    trees: dict[Value, Tree] = {}
    found = []
    for node in nodes:
        if not is_leaf(node):
            tree = _formula(node, [_shown(x, chosen, trees) for x in held[node]])
            trees[node] = tree = _balanced(tree) if node in steps else tree
            if node in steps:
                found.append(_definition(node, tree, chosen, held))
    if by_level:
        places = {node: i for i, node in enumerate(shown)}
        found.sort(key=lambda step: places[step.value])
    made_up = {chosen[node].text for node in steps - named}
    kept = {chosen[node].text for node in (*outputs, *keep)}
    found = [_cleared(each) for each in _without_superfluous(found, made_up - kept)]
    made_up &= {step.key for step in found}
    values = {step.value for step in found}
    chosen = {node: name for node, name in chosen.items() if is_leaf(node) or node in values}
    return Definitions(outputs, found, chosen, frozenset(made_up), same)


def _levels(nodes: Sequence[Value], steps: Container[Value], held: Held) -> dict[Value, int]:
    """How many steps, one upon the other, each value needs.

    Many values get their numbers level by level, so that those of the same kind are counted one
    after the other: first all sums `w·xᵢ + b`, then all activations.
    """
    levels: dict[Value, int] = {}
    for node in nodes:
        below = (levels[x] for x in held[node] if isinstance(x, Value))
        levels[node] = max(below, default=0) + (node in steps)
    return levels


def _by_index(
    nodes: Sequence[Value], unnamed: Container[Value], levels: Mapping[Value, int], held: Held
) -> list[Value]:
    """The values, where those of a kind on a level are in the order of the indices they use.

    In the graph of a softmax that is divided by its sum, the score that was chosen comes first.
    """
    ordered = [*nodes]
    kinds: dict[tuple[int, object], list[int]] = {}
    for place, node in enumerate(nodes):
        if node in unnamed:
            kinds.setdefault((levels[node], made_by(node)), []).append(place)

    def indices(node: Value) -> list[int]:
        labels = (label_of(x) for x in held[node] if isinstance(x, Value))
        return [int(digits) for label in labels for digits in re.findall("[0-9]+", label)]

    for places in kinds.values():
        if len(places) >= _SEVERAL:
            members = sorted((nodes[place] for place in places), key=indices)
            for place, node in zip(places, members, strict=True):
                ordered[place] = node
    return ordered


def partial(definition: Definition, operand: str, *, named: bool = True) -> Tree:
    """The local derivative of a named value with respect to one of its operands, simplified.

    It is the sum over all places of the operand in the formula. The derivatives of the operations
    are those of the table.

    Args:
        definition: the named value.
        operand: the key of the operand.
        named: whether the name of the value itself may occur, as in 1 - y² for y = tanh(x).

    >>> a = Value(3.0, label="a")
    >>> cube = a * a * a
    >>> str(partial(definitions([cube])[0], "a"))
    'mul(3.0, pow(a, 2.0))'
    """
    if definition.slopes is not None:
        return definition.slopes.get(operand, 0.0)
    # Formulas that differ only in their names, as in the layers of a network, are done once.
    short = _in_short([*definition.operands])
    found = _partial(substituted(definition.formula, short), short[operand], named)
    back = {name: key for key, name in short.items()}
    return ordered(substituted(found, {**back, _RESULT: definition.key}))


_RESULT = "="


def _in_short(keys: Sequence[str]) -> dict[str, str]:
    """Other names for the keys: a1 and a2 for two that differ only in digits, b1 for another.

    A key that begins with σ keeps it, so that no sigmoid stands beside it.
    """
    stems: dict[str, list[str]] = {}
    for key in keys:
        stems.setdefault(DIGITS.sub("", key), []).append(key)
    return {
        key: f"{'σ' * stem.startswith('σ')}{chr(ord('a') + i)}{j}"
        for i, (stem, group) in enumerate(stems.items())
        for j, key in enumerate(group, 1)
    }


@on_define
def _forget(_: object) -> None:
    """Forget the partials of rows that were replaced."""
    _partial.cache_clear()


@lru_cache(1024)
def _partial(formula: Tree, operand: str, named: bool) -> Tree:
    slope = derivative(formula, operand, result=_RESULT if named else None)
    decimals = has_decimals(formula) or has_decimals(slope, slope=True)
    return simplified(slope, {_RESULT: formula} if named else None, decimals=decimals)


# ------------------------------------------------------------------------------------------ writing


Held = Mapping[Value, Sequence[Any]]
"""The operands of each value, where equal ones are the same."""


def _shown(operand: Any, names: Mapping[Value, Name], trees: Mapping[Value, Tree]) -> Tree:
    if not isinstance(operand, Value):
        return to_float(operand)
    name = names.get(operand)
    return trees[operand] if name is None else name.text


def _formula(node: Value, shown: list[Tree]) -> Tree:
    """The operation that made a value, of these operands."""
    if is_alias(node):
        return shown[0]
    row = operation(node)
    if row is not None:
        inner = shown if row.name in SUMS else map(_balanced, shown)
        return _tidied(Call(row.name, tuple(inner)))
    symbol = str(made_by(node) or "f")
    known = TABLE.get(SYMBOLS.get(symbol, ""))
    if known is not None and len(shown) == 2:
        now = known.value(*(x.data if isinstance(x, Value) else x for x in operands(node)))
        if now == node.data:
            return Call(known.name, tuple(shown))
    return Call(f"{symbol} " if symbol in TABLE else symbol, tuple(shown))


def _balanced(tree: Tree) -> Tree:
    """A long sum so that the formula is not as deep as the sum is long; `a + b + a` as `2a + b`."""
    if not (isinstance(tree, Call) and tree.name in SUMS):
        return tree
    several = [*terms(tree)]
    times = Counter(several)
    if len(times) < len(several) and period(several) < 2:
        several = [
            (sign, term if count == 1 else Call("mul", (float(count), term)))
            for (sign, term), count in times.items()
        ]
    return added(several)


def _tidied(tree: Call) -> Tree:
    """`x * x` as `x ** 2`, `x ** 2 * x` as `x ** 3`, and `0 + x` and `1 * x` as `x`."""
    match tree:
        case Call("add", (0.0, other) | (other, 0.0)):  # Python's sum begins with 0
            return other
        case Call("mul", (1.0, other) | (other, 1.0)):
            return other
        case Call("mul", (-1.0, other) | (other, -1.0)):
            return Call("neg", (other,))
        case Call("where", (float() as test, then, otherwise)):
            return then if test else otherwise
        case Call("sub", (other, 0.0)) | Call("div" | "pow", (other, 1.0)):
            return other
    if tree.name != "mul":
        return tree
    (base, power), (other, exponent) = map(_as_power, tree.operands)
    if base != other or isinstance(base, float):
        return tree
    return Call("pow", (base, power + exponent))


def _as_power(tree: Tree) -> tuple[Tree, float]:
    match tree:
        case Call("pow", (base, float() as power)) if power > 0 and power.is_integer():
            return base, power
    return tree, 1.0


def _definition(node: Value, tree: Tree, names: Mapping[Value, Name], held: Held) -> Definition:
    below = {names[x].text: x for x in _named_below(node, names, held)}
    slopes = None
    is_known = operation(node) is not None or is_alias(node)
    if backward_step(node) is not None or not is_known:
        slopes = dict.fromkeys(below, 0.0)
        for edge in edges(node):
            slopes[names[held[node][edge.place]].text] += edge.slope or 0.0
    return _with_formula(Definition(node, names[node].text, tree, below, slopes), tree)


def _named_below(node: Value, names: Container[Value], held: Held) -> Iterator[Value]:
    """The named values that the formula of a node uses, from left to right."""
    stack: list[Any] = [*reversed(held[node])]
    seen = set()
    while stack:
        operand = stack.pop()
        if isinstance(operand, Value) and operand not in seen:
            seen.add(operand)
            if operand in names:
                yield operand
            else:
                stack += reversed(held[operand])


def _cleared(step: Definition) -> Definition:
    """The definition without the parts that do not affect its value.

    Such parts are numbers that exponentials are shifted by for accuracy, and products with 0.
    """
    products = (part for part in parts(step.formula) if isinstance(part, Call))
    is_idle = any(part.name == "mul" and 0.0 in part.operands for part in products)
    if (is_idle or "exp" in calls(step.formula)) and step.slopes is None:
        tree = simplified(step.formula, decimals=has_decimals(step.formula))
        gone = _choices(step.formula) - _choices(tree)
        if (is_idle or gone) and size(tree) < size(step.formula) and _agree(step, tree):
            return _with_formula(step, tree)
    return step


def _choices(tree: Tree) -> set[Tree]:
    """What exponentials may be shifted by for accuracy: numbers, names and maxima in exponents."""
    found = (
        part.operands[0] for part in parts(tree) if isinstance(part, Call) and part.name == "exp"
    )
    return {
        each
        for tree in found
        for each in parts(tree)
        if not isinstance(each, Call) or each.name == "maximum"
    }


def _agree(step: Definition, tree: Tree) -> bool:
    """Whether another formula gives the same value, where the shift is not needed."""
    at = {key: Ball(value.data) for key, value in step.operands.items()}
    before, after = on_balls(step.formula, at), on_balls(tree, at)
    return abs(before.mid - after.mid) <= before.rad + after.rad < math.inf


def _with_formula(step: Definition, tree: Tree) -> Definition:
    used = variables(tree)
    below = {key: value for key, value in step.operands.items() if key in used}
    return step._replace(formula=tree, operands=below)


def _without_superfluous(steps: list[Definition], made_up: set[str]) -> list[Definition]:
    """The definitions without made-up names that disappear when their users are simplified.

    An example is the maximum that a softmax is shifted by.
    """
    users: dict[str, list[int]] = {}
    for i, step in enumerate(steps):
        for key in step.operands:
            users.setdefault(key, []).append(i)
    dropped: set[int] = set()
    simple: dict[int, tuple[Tree, Tree]] = {}  # each formula, and what it is when simplified

    def shortened(j: int) -> Tree:
        formula = steps[j].formula
        if j not in simple or simple[j][0] is not formula:
            simple[j] = formula, simplified(formula)
        return simple[j][1]

    for i, step in enumerate(steps):
        if step.key not in made_up or step.slopes is not None:
            continue
        places = users.get(step.key, [])
        if any([*parts(steps[j].formula)].count(step.key) < 2 for j in places):
            continue  # nothing to cancel
        shorter = {j: shortened(j) for j in places if steps[j].slopes is None}
        if len(shorter) == len(places) and all(
            step.key not in variables(tree) and _agree(steps[j], tree)
            for j, tree in shorter.items()
        ):
            dropped.add(i)
            for j, tree in shorter.items():
                steps[j] = _with_formula(steps[j], tree)
    kept: list[Definition] = []
    used: set[str] = set()  # a name that was made up for a dropped one goes as well
    for i, step in reversed([*enumerate(steps)]):
        if i in dropped or (dropped and step.key in made_up and step.key not in used):
            continue
        kept.append(step)
        used |= step.operands.keys()
    return kept[::-1]
