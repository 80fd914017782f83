"""Local derivatives for a page on which the numbers move: one formula for each branch.

The derivative of `relu(z)` is 1 or 0. A page cannot know beforehand which of them holds, so it gets
both, and the test that decides. It gets each formula in JavaScript too, and shows it only where it
equals the derivative that the engine's sweep gives: a simplified formula may be wrong at a pole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from micrograd.derivation.algebra import simplified
from micrograd.derivation.choices import assuming
from micrograd.derivation.definitions import Definition, Definitions, partial
from micrograd.derivation.derivatives import has_decimals
from micrograd.source.javascript import expression
from micrograd.source.trees import ready
from micrograd.table.formulas import COMPARISONS, Call, Tree, calls, parts, size
from micrograd.writing import blackboard
from micrograd.writing.notation import Formula
from micrograd.writing.parts import opposite
from micrograd.writing.template import PRODUCT

MOST_BRANCHES = 12
LONGEST = 60  # variables, numbers and operations of a formula that is shown
LONGEST_SUM = 400  # likewise, of a sum over all paths
LARGEST_CLOSED = 24  # named values of a graph for which closed forms are derived


def branches(definition: Definition, operand: str) -> Tree | None:
    """The local derivative of a named value with respect to an operand, branch by branch.

    Args:
        definition: the named value.
        operand: the key of the operand.

    Returns:
        The formula, with the choices between branches outside; None if there are too many
        branches, or one is too long to be read.

    >>> from micrograd import Value
    >>> from micrograd.derivation.definitions import definitions
    >>> z = Value(2.0, label="z")
    >>> str(branches(definitions([z.relu() * 3])[0], "z"))
    'where(le(z, 0.0), 0.0, 3.0)'
    """
    found = _decided(partial(definition, operand), definition)
    shown = [*_formulas(found)]
    if len(shown) > MOST_BRANCHES or any(size(each) > LONGEST for each in shown):
        return None
    return found


def _decided(tree: Tree, definition: Definition, depth: int = 0) -> Tree:
    test = next(_tests(tree), None)
    if test is None or 2**depth > MOST_BRANCHES:
        if not depth:
            return tree
        known = {definition.key: definition.formula}
        return simplified(tree, known, decimals=has_decimals(definition.formula))
    then, otherwise = (
        _decided(assuming(test, tree, holds), definition, depth + 1) for holds in (True, False)
    )
    return then if then == otherwise else Call("where", (test, then, otherwise))


def _tests(tree: Tree) -> Iterator[Tree]:
    """The tests that decide between branches, and depend on no others."""
    for each in parts(tree):
        match each:
            case Call("where", (test, _, _)) if "where" not in calls(test):
                yield test


def _formulas(found: Tree) -> list[Tree]:
    match found:
        case Call("where", (_, then, otherwise)):
            return [*_formulas(then), *_formulas(otherwise)]
    return [found]


def closed_forms(cut: Definitions) -> dict[str, Tree]:
    """The derivative of the output with respect to each value as one formula of named values.

    Args:
        cut: the definitions of the graph.

    Returns:
        The formulas by the keys of the values, without those that have branches or are not much
        shorter than the sum over all paths.

    >>> from micrograd import Value
    >>> from micrograd.derivation.definitions import definitions
    >>> x, t = Value(2.0, label="x"), Value(1.0, label="t")
    >>> e = x.exp()
    >>> p = e / (e + 1)
    >>> p.label, loss = "p", -p.log()
    >>> {key: str(form) for key, form in closed_forms(definitions([loss])).items()}
    {'x': 'sub(p, 1.0)'}
    """
    written: dict[str, Tree] = {cut.key(cut.outputs[0]): 1.0}
    found = dict(written)
    known = {step.key: step.formula for step in cut}
    decimals = any(map(has_decimals, known.values()))
    if len(known) > LARGEST_CLOSED:
        return {}
    for step in reversed(cut):
        if step.key not in found:
            continue
        for key in step.operands:
            slope = partial(step, key)
            for forms in (written, found):
                term: Tree = Call("mul", (forms[step.key], slope))
                forms[key] = Call("add", (forms[key], term)) if key in forms else term
            if "where" in calls(slope) or size(written[key]) > LONGEST_SUM:
                found[key] = math.nan
            else:
                found[key] = simplified(found[key], known, decimals=decimals)
    return {
        key: form
        for key, form in found.items()
        if all(each == each for each in parts(form))
        and 1 < size(form) < min(LONGEST, 0.5 * size(written[key]))
    }


class Writer:
    """Writes branches as data for the page, and their formulas and tests as JavaScript.

    Args:
        names: the names of variables in formulas.
        places: their texts in JavaScript.
        brief: what makes a mark shorter.
    """

    def __init__(
        self, names: Mapping[str, Formula], places: Mapping[str, str], brief: Callable[[Any], Any]
    ) -> None:
        self.names, self.places, self.brief = names, places, brief
        self.used: set[str] = set()
        self.functions: dict[str, int] = {}

    def data(self, found: Tree) -> Any:
        """A formula as its mark, its function, and when it needs brackets in a product.

        It is 1 for a sum, beside other factors, and 2 for a product with a minus sign, after them.

        A name and a whole number have no function: the page knows them from their mark.
        """
        match found:
            case Call("where", (test, then, otherwise)):
                if not (isinstance(test, Call) and test.name in COMPARISONS):
                    test = Call("ne", (test, 0.0))
                return {
                    "test": self._function(test),
                    "marks": [self._mark(each)[0] for each in (test, opposite(test))],
                    "then": self.data(then),
                    "else": self.data(otherwise),
                }
        mark, loose = self._mark(found)
        if isinstance(mark, int) or (isinstance(mark, str) and mark.isdecimal()):
            return [mark]
        return [mark, self._function(found), *[loose] * (loose > 0)]

    def _mark(self, tree: Tree) -> tuple[Any, int]:
        shown = blackboard.written(tree, self.names)
        several = blackboard.has_more(tree, 1, self.names)
        loose = 0 if shown.mark_strength >= PRODUCT else 1 if several else 2
        return self.brief(shown.mark), loose

    def _function(self, tree: Tree) -> int:
        self.used |= calls(ready(tree))
        text = expression(tree, self.places)
        return self.functions.setdefault(text, len(self.functions))
