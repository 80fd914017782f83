"""Where a graph is cut: which of its values are steps of a derivation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from typing import Any, NamedTuple

from micrograd.engine.graph import backward_step, is_leaf, operands, operation
from micrograd.engine.value import Value
from micrograd.table.floats import to_float
from micrograd.table.formulas import COMPARISONS
from micrograd.writing.parts import SUMS

_LONGEST = 12  # variables in a formula, where a sum counts as its longest term
_MOST_LEAVES = 2_000  # variables in a formula
_DEEPEST = 4  # brackets one within the other
_LONGEST_ARGUMENT = 2  # variables in an argument of a function that is written into it
_MOST_REPEATED = 4  # variables that are written again because a formula is written several times
_LONGEST_SIDE = 4  # variables in either side of a quotient, whose divisor would be repeated
_LONGEST_BASE = 12  # variables in a power, which its derivative with respect to each repeats
_FEWEST_USES = 3  # of a mean that gets a name
ARITHMETIC = frozenset(
    {"add", "sub", "mul", "div", "pow", "neg", "square", "reciprocal", "exp", "log", "sqrt"}
    | {"abs", "where", *COMPARISONS}
)
"""Operations whose arguments are easy to read within a longer formula, unlike those of σ(…)."""

_SIGNS = frozenset({*SUMS, "mul", "div", "pow", "neg", "square", "reciprocal"})


class _Size(NamedTuple):
    """How large a formula is."""

    length: int  # variables, where a sum counts as its longest term
    leaves: int = 1  # variables
    depth: int = 0  # brackets one within the other
    is_above: bool = False  # whether it uses a step whose name is made up
    repeats: bool = False  # whether it is, or contains, a sum that is written several times


class Cut:
    """Decides which values are steps."""

    def __init__(self, nodes: Sequence[Value], named: set[Value]) -> None:
        self.steps = {node for node in named if not is_leaf(node)} | _repeated_means(nodes)
        self.given = named
        self.sizes: dict[Value, _Size] = {}
        self.users: dict[Value, set[Value]] = {}
        for node in nodes:
            for operand in operands(node):
                if isinstance(operand, Value):
                    self.users.setdefault(operand, set()).add(node)
        self.shifts = {repr([*operands(x)][1]) for x in nodes if self._is_score_used_again(x)}
        for node in nodes:
            if not is_leaf(node):
                self._visit(node, len(self.users.get(node, ())))

    def _size(self, operand: Any) -> _Size:
        if not isinstance(operand, Value):
            return _Size(0, 0)
        if is_leaf(operand) or operand in self.steps:
            return _Size(1, is_above=not is_leaf(operand) and operand not in self.given)
        return self.sizes[operand]

    def _visit(self, node: Value, users: int) -> None:
        inlined = [x for x in operands(node) if isinstance(x, Value) and x not in self.steps]
        inlined = [x for x in inlined if not is_leaf(x)]
        if operation(node) is None or backward_step(node) is not None:  # known by numbers only
            self.steps |= {node, *inlined}
            return
        is_function = _name(node) not in ARITHMETIC
        if is_function:
            self.steps |= {x for x in inlined if self.sizes[x].leaves > _LONGEST_ARGUMENT}
        is_power = _name(node) in ("pow", "square") and inlined
        if is_power and self._joined(node).leaves > _LONGEST_BASE:
            self._cut(self._without_shift(inlined[0]))
            self.sizes[inlined[0]] = self._joined(inlined[0])
        is_quotient = _name(node) == "div" and len(inlined) == 2
        if is_quotient and all(self.sizes[x].leaves > _LONGEST_SIDE for x in inlined):
            self.steps.add(inlined.pop())
        while _is_long(found := self._joined(node)) and inlined:
            longest = max(inlined, key=lambda x: self.sizes[x].leaves)
            inlined.remove(longest)
            self._cut(longest)
        score = self._score(node)
        if score is not None:
            self.steps.add(score)
            self.sizes |= {x: self._joined(x) for x in operands(node) if isinstance(x, Value)}
            found = self._joined(node)
        self.sizes[node] = found
        repeated = (users - 1) * (found.leaves - 1)
        if users > 1 and (found.length > 1 or repeated > _MOST_REPEATED or found.repeats):
            self.steps.add(node)
        elif is_function and users and found.is_above:
            self.steps.add(node)  # as in y = σ(z), where z was not named either
        elif repeated > 0:
            self.sizes[node] = found._replace(repeats=True)

    def _cut(self, node: Value) -> None:
        """Make a value a step or, if `&`, `|` or `^` made it, the conditions that it joins."""
        joined = next(iter(operands(node))) if _name(node) in ("pow", "square") else node
        conditions = {x for x in operands(joined) if _name(x) in COMPARISONS}
        if _name(joined) in SUMS and conditions.issuperset(operands(joined)):
            self.steps |= conditions
            self.sizes |= {x: self._joined(x) for x in (joined, node)}
        else:
            self.steps.add(node)

    def _without_shift(self, node: Value) -> Value:
        """The long sum in its difference from a target: the output of a network."""
        while _name(node) in SUMS:
            inner = [x for x in operands(node) if x in self.sizes and x not in self.steps]
            others = [x for x in operands(node) if x not in inner and isinstance(x, Value)]
            if len(inner) != 1 or (others and _name(node) == "add"):
                break
            (node,) = inner
        return node

    def _score(self, node: Value) -> Value | None:
        """The score in a softmax, of which `node` is score - number or the exponential of this.

        If the score has a name, and `node` has none, the number cancels.
        """
        uses = self._uses(node)
        is_exponential = _name(node) == "exp" and "add" in uses
        shifted = next(iter(operands(node))) if is_exponential else node
        if not is_exponential and not self._is_score_used_again(node):
            return None
        if _name(shifted) != "sub" or shifted in self.steps:
            return None
        score, shift = operands(shifted)
        if isinstance(shift, Value) or score not in self.sizes or score in self.steps:
            return None
        # If one score of a softmax has a name, all have one: vᵢ = w·xᵢ.
        is_used_again = repr(shift) in self.shifts
        return score if is_used_again or self.sizes[score].leaves > _LONGEST_ARGUMENT else None

    def _uses(self, node: Value) -> set[str]:
        return {_name(user) for user in self.users.get(node, ())}

    def _is_score_used_again(self, node: Value) -> bool:
        """Whether a score - number stands in an exponential, and it or this elsewhere, too."""
        uses = self._uses(node)
        if _name(node) != "sub" or "exp" not in uses:
            return False
        exponentials = (user for user in self.users[node] if _name(user) == "exp")
        return len(uses) > 1 or any({"add", "div"} <= self._uses(each) for each in exponentials)

    def _joined(self, node: Value) -> _Size:
        sizes = [self._size(operand) for operand in operands(node)]
        longer = max if _name(node) in SUMS else sum
        length = longer([size.length for size in sizes])
        leaves = sum(size.leaves for size in sizes)
        depths = [
            size.depth + (size.leaves > 0 and self._is_bracketed(node, operand))
            for size, operand in zip(sizes, operands(node), strict=True)
        ]
        is_above = any(size.is_above for size in sizes)
        return _Size(length, leaves, max(depths), is_above, any(size.repeats for size in sizes))

    def _is_bracketed(self, node: Value, operand: Any) -> bool:
        """Whether an operand stands in brackets, as an argument, or a sum as a factor."""
        if not isinstance(operand, Value) or is_leaf(operand) or operand in self.steps:
            return False
        name = _name(node)
        if name in COMPARISONS:
            return False
        return name not in _SIGNS or (name not in SUMS and _name(operand) in SUMS)


def _name(node: Any) -> str:
    row = operation(node) if isinstance(node, Value) else None
    return row.name if row is not None else ""


def _repeated_means(nodes: Sequence[Value]) -> set[Value]:
    """The means without a name that are used several times, or computed again each time."""
    means = {node for node in nodes if _is_mean(node)}
    if not means:
        return means
    same = equal_steps(nodes, means)
    uses = Counter(
        same.get(x, x)
        for node in nodes
        for x in operands(node)
        if isinstance(x, Value) and x in means
    )
    return {node for node in means if uses[same.get(node, node)] >= _FEWEST_USES}


def _is_mean(node: Value) -> bool:
    """Whether it is a sum over, or times, a number."""
    match _name(node), [*operands(node)]:
        case "div" | "mul", [Value() as whole, other] if not isinstance(other, Value):
            return _name(whole) == "add"
    return False


def _is_long(size: _Size) -> bool:
    return size.length > _LONGEST or size.leaves > _MOST_LEAVES or size.depth > _DEEPEST


def equal_steps(nodes: Sequence[Value], steps: Container[Value]) -> dict[Value, Value]:
    """The steps that are computed by the same operations as an earlier one, and that one."""
    numbers: dict[tuple[object, ...], int] = {}  # the id of the first value of a kind
    kinds: dict[Value, int] = {}
    first: dict[int, Value] = {}
    same: dict[Value, Value] = {}
    for node in nodes:
        row = operation(node)
        kinds[node] = id(node)
        if row is not None and backward_step(node) is None:
            held = [kinds[x] if isinstance(x, Value) else repr(to_float(x)) for x in operands(node)]
            kinds[node] = numbers.setdefault((row.name, *held), id(node))
        if node in steps and first.setdefault(kinds[node], node) is not node:
            same[node] = first[kinds[node]]
    return same
