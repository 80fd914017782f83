r"""Formulas as on a blackboard: `2(ŷ − t)·ŷ(1 − ŷ)·x`, with Σ, fractions, and lines of a width.

Unlike in `notation.formula`, which writes every sign, a number or a bracket stands beside its
factor without a sign, functions have their usual names, and a sum of terms that differ in an index
only is written with Σ.

Besides the operations of the table, a tree may contain

    Call("∂", (u, v))         the derivative of one name with respect to another
    Call("factors", (a, …))   a product whose factors are kept apart

`gathering` rearranges formulas, `line` writes them in one line, and `breaking` in several.

>>> from micrograd.table.formulas import Call
>>> from micrograd.writing.notation import named
>>> from micrograd.writing.marks import latex
>>> tree = Call("mul", (2.0, Call("sub", ("a", "b"))))
>>> shown = written(tree, {"a": named("a"), "b": named("b")})
>>> shown.text, latex(shown.mark)
('2(a − b)', '2(a - b)')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from micrograd.table.formulas import Tree, parts
from micrograd.writing.blackboard.breaking import lines
from micrograd.writing.blackboard.gathering import figure
from micrograd.writing.blackboard.line import ENGLISH, Board
from micrograd.writing.indices import General
from micrograd.writing.labels import columns
from micrograd.writing.marks import Mark, latex, row
from micrograd.writing.notation import Formula
from micrograd.writing.parts import terms

__all__ = ["figure", "has_logic", "has_more", "latex", "lines", "ranged", "written"]


def written(
    tree: Tree, names: Mapping[str, Formula], words: Mapping[str, str] = ENGLISH
) -> Formula:
    """The formula, with these names for its variables, and cases in these words."""
    board = Board(names, words)
    return board.formula(board.gathered(tree))


def has_more(tree: Tree, most: int, names: Mapping[str, Formula]) -> bool:
    """Whether a formula has more terms than that as a sum, where those in one Σ are one."""
    return _count(tree) > most and _count(Board(names).gathered(tree)) > most


def has_logic(tree: Tree, names: Mapping[str, Formula]) -> bool:
    """Whether it has names of conditions, or conditions made of others by `&`, `|` or `~`."""
    board = Board(names)
    return any(
        names[part].is_condition if isinstance(part, str) else board.logical(part) != part
        for part in parts(tree)
    )


def _count(tree: Tree) -> int:
    return sum(1 for _ in terms(tree))


def ranged(shown: Sequence[Formula], found: General, width: int) -> list[Formula]:
    """Lines with an index; its range ends the last one or, for lack of room, stands below it."""
    *others, last = shown
    start = row(
        ("mi", found.letter), ("mo", "="), ("mn", str(found.first)), ("mo", ","), ("mo", "…")
    )
    text = f"({found.letter} = {found.first}, …, {found.last})"
    range_: Mark = ("fence", "(", row(*start[1:], ("mo", ","), ("mn", str(found.last))), ")")
    if columns(f"{last.text}  {text}") > width:
        return [*shown, Formula(text, range_)]
    whole = row(last.mark, ("mtext", "  "), range_)
    return [*others, Formula(f"{last.text}  {text}", whole, exact=last.exact)]
