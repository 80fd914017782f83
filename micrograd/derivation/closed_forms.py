"""The derivatives of a cut graph in closed form, each confirmed by evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from micrograd.derivation.algebra import (
    exchanged,
    expanded,
    folded,
    has_series,
    ordered,
    simplified,
)
from micrograd.derivation.chain import Chain
from micrograd.derivation.choices import decided, regular
from micrograd.derivation.definitions import Definition, Definitions, partial
from micrograd.derivation.derivatives import derivative, has_decimals
from micrograd.derivation.evidence import Evidence
from micrograd.derivation.ways import Edge, Slope, Way, total
from micrograd.engine.value import Value
from micrograd.table.formulas import Call, Tree, calls, parts, size, substituted, variables
from micrograd.writing import notation
from micrograd.writing.indices import TO_DIGITS
from micrograd.writing.notation import Formula
from micrograd.writing.parts import terms

_LONGEST = 120  # variables, numbers and operations of a closed form
_LONG = 9  # variables, numbers and operations of a partial that names could make shorter
_SHORT = 5  # variables, numbers and operations of 1 - y² and y(1 - y)
_MORE = 3  # by which a quotient of polynomials may be longer without the name of what it is of
_SHORTER = 0.75  # what is left of the size of a formula
_MOST_EXPONENTIALS = 4  # that are compared with one another
_LARGEST_CUT = 24  # values between, for which there is a closed form


class ClosedForms:
    """The partials between named values, and the derivatives that follow from them.

    Args:
        cut: the graph as definitions.
        chain: the graph with its adjoints.
        numbers: whether the numbers of the graph decide between the branches of a function.

    Attributes:
        shares: the shares of a softmax whose denominator is in a formula, by the names for them.
        names: these names, to be shown.
    """

    def __init__(self, cut: Definitions, chain: Chain, *, numbers: bool) -> None:
        self.cut, self.chain, self.numbers = cut, chain, numbers
        self.evidence = Evidence(cut, chain.nodes)
        self.shares, self.names = _shares(cut)
        self._meanings = {step.key: step.formula for step in cut}
        self._slopes: dict[Edge, Slope] = {}
        self._ways: dict[Value, Way | None] = {}

    def slope(self, edge: Edge) -> Slope:
        """The derivative of a named value with respect to an operand, which has been checked."""
        found = self._slopes.get(edge)
        if found is None:
            step: Definition = self.cut[edge[0]]
            found = self._slopes[edge] = self._checked(step, edge[1])
        return found

    def _checked(self, step: Definition, key: str) -> Slope:
        if step.slopes is not None:
            if not self.numbers:
                return Slope(Call("∂", (step.key, key)), is_known=False)
            return Slope(step.slopes.get(key, 0.0), is_known=False)
        raw = derivative(step.formula, key, step.key)
        found = self._decided(self._with_names(partial(step, key), step), {step.key: step.formula})
        candidates = [found]
        if step.key in variables(found.tree) and _SHORT < size(found.tree) <= _LONGEST:
            other = self._decided(partial(step, key, named=False), {})
            more = _MORE if _is_rational(step.formula) else -1
            if folded(other.tree) <= folded(found.tree) + more:  # without its name, it cancels
                candidates.insert(0, other)
        wrt, inside = step.operands[key], self.evidence.inside(step)
        for each in candidates:
            if self.evidence.agrees(each.tree, each.conditions, step.value, wrt, inside):
                return each
        return self._decided(raw, None)

    def _with_names(self, tree: Tree, step: Definition) -> Tree:
        """The derivative of a step, with the names of other definitions if that is shorter.

        In this way the derivative of one share of a softmax is written with the name of another.
        """
        if not _LONG <= size(tree) <= _LONGEST or len(self.cut) > _LARGEST_CUT:
            return tree
        known = {each.key: each.formula for each in self.cut if each.is_known}
        decimals = any(map(has_decimals, known.values()))
        shorter = ordered(simplified(tree, known, decimals=decimals))
        used = variables(shorter) - variables(tree)
        above = {each.key for each in self._after(step)}
        if folded(shorter) >= folded(tree) or used & above or (has_series(tree) and not used):
            return tree
        return shorter

    def _after(self, step: Definition) -> list[Definition]:
        """The definitions that a definition is used in, directly or not."""
        found, keys = [], {step.key}
        for each in self.cut:
            if keys & each.operands.keys():
                keys.add(each.key)
                found.append(each)
        return found

    def _decided(self, tree: Tree, known: Mapping[str, Tree] | None) -> Slope:
        """The formula with the branches that the numbers take, or without exceptional points."""
        if self.numbers:
            numbers = {key: self.cut.value(key).data for key in variables(tree)}
            tree, conditions = decided(tree, numbers, self._meanings)
        else:
            tree, conditions = regular(tree, self._meanings)
        if conditions and known is not None:
            decimals = has_decimals(tree, slope=True) or any(map(has_decimals, known.values()))
            tree = simplified(tree, known, decimals=decimals)
        return Slope(tree, conditions)

    def way(self, target: Value) -> Way | None:
        """Everything that leads from a value to the output; None if nothing does."""
        if target not in self._ways:
            self._ways[target] = self._leading(target)
        return self._ways[target]

    def _leading(self, target: Value) -> Way | None:
        if target is self.chain.output or target not in self.cut.names:
            return None
        bottom, top = self.cut.key(target), self.cut.key(self.chain.output)
        reached, steps = {bottom}, []
        for step in self.cut:
            if step.key != bottom and reached & step.operands.keys():
                reached.add(step.key)
                steps.append(step)
        needed, keys = {top}, []
        edges: list[Edge] = []
        for step in reversed(steps):
            if step.key in needed:
                keys.append(step.key)
                below = [key for key in step.operands if key in reached]
                needed.update(below)
                edges += [(step.key, key) for key in below]
        return Way([*keys, bottom], edges, self.slope, self._slopes.keys()) if keys else None

    def formula(self, target: Value, way: Way) -> Tree | None:
        """The derivative as one simplified formula, if it is short and the evidence confirms it."""
        slopes = way.slopes().values()
        if not self.numbers and not all(slope.is_known for slope in slopes):
            return None
        tree = self._short(way)
        if tree is None:
            return None
        agrees = self.evidence.agrees(
            substituted(tree, self.shares),
            [condition for slope in slopes for condition in slope.conditions],
            self.chain.output,
            target,
            self.chain.nodes,
            self.chain.adjoints[target],
        )
        return ordered(tree) if agrees else None

    def _short(self, way: Way) -> Tree | None:
        """The simplified sum over all paths; None if it is long."""
        if len(way.keys) > _LARGEST_CUT:
            return None
        steps = [step for step in self.cut if step.is_known]
        if len(steps) > _LARGEST_CUT:
            steps = [step for step in steps if step.key in way.keys]
        known = {step.key: step.formula for step in steps} | self.shares
        decimals = any(has_decimals(step.formula) for step in steps) or any(
            has_decimals(slope.tree, slope=True) for slope in way.slopes().values()
        )
        found: dict[str, Tree] = {way.keys[0]: 1.0}
        for key in way.keys[1:]:
            terms = [(found[upper], slope.tree) for upper, slope in way.uses(key)]
            if len(terms) == 1 and terms[0][0] == 1.0 and not self.shares:
                tree = terms[0][1]  # simplified already
            else:
                tree = total([Call("mul", pair) for pair in terms])
                tree = simplified(tree, known, decimals=decimals)
            found[key] = tree
            if size(tree) > _LONGEST:
                return None
        tree = self._with_one_exponential(found[way.keys[-1]], known, decimals)
        for name, formula in known.items():
            for other in _solved(name, formula, tree):
                shorter = simplified(other, known, decimals=decimals)
                tree = min(tree, shorter, key=folded)
        return self._without_names(tree, known, decimals)

    def _with_one_exponential(self, tree: Tree, known: Mapping[str, Tree], decimals: bool) -> Tree:
        """The formula in which one exponential is a multiple of another, if that is shorter.

        For the d₁ and d₂ of Black and Scholes, `K·exp(-r·T - d₂²/2)` is `S·exp(-d₁²/2)`.
        """
        powers = {x: None for x in parts(tree) if isinstance(x, Call) and x.name == "exp"}
        for one, other in permutations(powers, 2) if len(powers) <= _MOST_EXPONENTIALS else ():
            exponent: Tree = Call("sub", (one.operands[0], other.operands[0]))
            for step in reversed(self.cut):
                exponent = expanded(substituted(exponent, {step.key: step.formula}))
            ratio = simplified(Call("exp", (exponent,)))
            if "exp" not in calls(ratio):
                shorter = exchanged(tree, one, Call("mul", (ratio, other)))
                tree = min(tree, simplified(shorter, known, decimals=decimals), key=folded)
        return tree

    def _without_names(self, tree: Tree, known: Mapping[str, Tree], decimals: bool) -> Tree:
        """The formula with definitions written out where this makes it shorter.

        With s for (a + b + c)/2, `a(2s² - 2s·c - 2a·s + a·c + c²)` is `a(b² + c² - a²)/2`.
        """
        steps = [step for step in reversed(self.cut) if step.value is not self.chain.output]
        rational = [step for step in steps if _is_rational(step.formula)]
        whole = expanded(tree)
        for step in rational:
            if step.key in variables(whole) and size(whole) <= _LONGEST:
                whole = expanded(substituted(whole, {step.key: step.formula}))
        if size(whole) <= _LONGEST:
            tree = _shorter(tree, simplified(whole, decimals=decimals))
        for step in steps:
            if step.key in variables(tree):
                other = _in_sums(tree, [{step.key: step.formula}], {step.key})
                if other != tree:
                    tree = _shorter(tree, simplified(other, known, decimals=decimals))
                if step in rational:
                    other = substituted(tree, {step.key: step.formula})
                    tree = _shorter(tree, simplified(other, decimals=decimals))
        return tree


def _shorter(tree: Tree, other: Tree) -> Tree:
    """The other formula if it is so much shorter that it is worth losing a name."""
    return other if folded(other) < _SHORTER * folded(tree) else tree


def _in_sums(tree: Tree, values: Sequence[Mapping[str, Tree]], used: set[str]) -> Tree:
    """The formula in which the sums that use these names have those values that shorten them."""
    if not isinstance(tree, Call) or not used <= variables(tree):
        return tree
    if tree.name in ("add", "sub"):
        shortest = min((simplified(substituted(tree, each)) for each in values), key=folded)
        if folded(shortest) < folded(tree):
            return shortest
    return Call(tree.name, tuple(_in_sums(each, values, used) for each in tree.operands))


def _is_rational(tree: Tree) -> bool:
    """Whether a formula is a quotient of polynomials."""
    match tree:
        case Call("pow", (base, exponent)):
            is_whole = isinstance(exponent, float) and exponent.is_integer()
            return is_whole and _is_rational(base)
        case Call(name, operands):
            return name in ("add", "sub", "mul", "div", "neg") and all(map(_is_rational, operands))
    return True


def _solved(name: str, formula: Tree, tree: Tree) -> Iterator[Tree]:
    """A tree with all terms of a sum, where one is written as the sum less the others.

    With the mean μ of x₁, x₂ and x₃, `2*x₁ - x₂ - x₃` becomes `3*(x₁ - μ)`. First, this is done in
    the parts that it makes shorter, and then everywhere.
    """
    inside = variables(formula)
    if len(inside) < 2 or not inside <= variables(tree):
        return
    slopes = {key: simplified(derivative(formula, key)) for key in inside}
    if any(variables(slope) or slope == 0.0 for slope in slopes.values()):
        return
    values: list[dict[str, Tree]] = []
    for key in sorted(inside):
        rest = substituted(formula, {key: 0.0})
        value = Call("div", (Call("sub", (name, rest)), slopes[key]))
        values.append({key: simplified(value)})
    yield _in_sums(tree, values, inside)
    for each in values:
        yield substituted(tree, each)


def _shares(cut: Definitions) -> tuple[dict[str, Tree], dict[str, Formula]]:
    """Names for the shares of a softmax whose denominator is in a formula, and their names."""
    names: dict[str, Formula] = {name.text: name for name in cut.names.values()}
    found: dict[str, Tree] = {}
    shown: dict[str, Formula] = {}
    letters = [x for x in "pqr" if not any(name.startswith(x) for name in names)]
    sums = dict.fromkeys(
        _denominator(part.operands[0])
        for step in cut
        for part in parts(step.formula)
        if isinstance(part, Call) and part.name == "log"
    )
    for whole in sums:
        signed = [*terms(whole)]
        exponents = [
            term.operands[0]
            for sign, term in signed
            if sign == "+" and isinstance(term, Call) and term.name == "exp"
        ]
        if not len(set(exponents)) == len(signed) > 1:
            continue
        below = [_index(each, names) for each in exponents]
        if not all(below):
            below = [str(i) for i in range(1, len(signed) + 1)]
        for letter in letters:
            keys = [notation.named(f"{letter}_{{{index}}}") for index in below]
            if not any(key.text in found for key in keys):
                shown |= {key.text: key for key in keys}
                found |= {
                    key.text: Call("div", (term, whole))
                    for key, (_, term) in zip(keys, signed, strict=True)
                }
                break
    return found, shown


def _denominator(tree: Tree) -> Tree:
    """The denominator of a quotient, and any other formula itself."""
    match tree:
        case Call("div", (_, below)):
            return below
    return tree


def _index(tree: Tree, names: Mapping[str, Formula]) -> str:
    """The digits at the foot of a name, or nothing."""
    found = re.search("[₀-₉,]+$", names[tree].text) if isinstance(tree, str) else None
    return found[0].translate(TO_DIGITS) if found else ""
