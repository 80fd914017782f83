"""Formulas that are ready, with cheaper operations that give the same numbers in C."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from micrograd.source.trees import Definition
from micrograd.table.formulas import WHOLE, Call, Tree, rebuilt, substituted, whole_power

_ARITHMETIC = ("add", "sub", "mul", "neg", "div", "_div")


def cheaper(tree: Tree) -> Tree:
    """The formula with signs drawn out of products into sums, and whole powers as products."""
    return _cheaper(rebuilt(tree, cheaper))


def _cheaper(tree: Tree) -> Tree:
    match tree:
        case Call("_library_pow", (str(x), float(k))) if k == 2 or k in WHOLE:
            return substituted(whole_power(int(k)), {"x": x})
        case Call("neg", (Call("neg", (x,)),)):
            return x
        case Call("add", (x, Call("neg", (y,)))) | Call("add", (Call("neg", (y,)), x)):
            return Call("sub", (x, y))
        case Call("sub", (x, Call("neg", (y,)))):
            return Call("add", (x, y))
        case Call("mul" | "div", (Call("neg", (x,)), y)):
            return _cheaper(Call("neg", (_cheaper(Call(tree.name, (x, y))),)))
        case Call("mul" | "div", (x, Call("neg", (y,)))):
            return Call("neg", (Call(tree.name, (x, y)),))
    return tree


def all_cheaper(definitions: Iterable[Definition]) -> list[Definition]:
    """Definitions with cheaper formulas; what is the opposite of a variable is written out."""
    opposites: dict[str, Tree] = {}
    found = []
    for name, tree in definitions:
        tree = cheaper(substituted(tree, opposites) if opposites else tree)
        if isinstance(tree, Call) and tree.name == "neg" and isinstance(tree.operands[0], str):
            opposites[name] = tree
        found.append(Definition(name, tree))
    return found


def with_reciprocals(before: Iterable[Tree], definitions: Sequence[Definition]) -> list[Definition]:
    """Definitions that multiply by a reciprocal instead of several divisions by one variable.

    It is infinite for the smallest divisors, but then so is what comes of it. A quotient that is
    compared, or the argument of a function, stays: a step may be where it is a whole number.

    Args:
        before: formulas whose reciprocals can be used, but which stay as they are.
        definitions: the definitions.
    """
    dividends: dict[Tree, set[Tree]] = {}
    for tree in before:
        match tree:
            case Call("div", (1.0, divisor)):
                dividends[divisor] = {1.0}
    for each in definitions:
        for part in _terms_and_factors(each.tree):
            match part:
                case Call("div", (dividend, str(divisor))):
                    dividends.setdefault(divisor, set()).add(dividend)

    def multiplied(tree: Tree) -> Tree:
        if not isinstance(tree, Call) or tree.name not in _ARITHMETIC:
            return tree
        tree = rebuilt(tree, multiplied)
        match tree:
            case Call("div", (dividend, str(divisor))) if (
                dividend != 1.0 and len(dividends.get(divisor, ())) > 1
            ):
                return Call("mul", (dividend, Call("div", (1.0, divisor))))
        return tree

    return [Definition(name, multiplied(tree)) for name, tree in definitions]


def unseen(definitions: Sequence[Definition], results: Sequence[Tree]) -> set[str]:
    """The variables among results that may be the only one that is nan or infinite.

    Each other one is a term, factor or dividend of one of these, directly or through variables.
    """
    names, seen = {each for each in results if isinstance(each, str)}, set[str]()
    for name, tree in reversed(definitions):
        if name in seen or name in names:
            seen |= {each for each in _terms_and_factors(tree) if isinstance(each, str)}
    return names - seen


def _terms_and_factors(tree: Tree) -> Iterator[Tree]:
    """The parts of a formula that make it nan or infinite if they are."""
    yield tree
    match tree:
        case Call("add" | "sub" | "mul" | "neg", operands):
            inner = operands
        case Call("div" | "_div", (dividend, _)):
            inner = (dividend,)
        case _:
            inner = ()
    for each in inner:
        yield from _terms_and_factors(each)
