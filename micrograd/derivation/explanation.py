"""`explain(output, wrt)`: why a derivative is what it is, step by step.

>>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
>>> y = (x * w).tanh()
>>> y.label = "y"
>>> print(explain(y, w).text(tables=False))
The derivative of y with respect to w
=====================================
<BLANKLINE>
One path leads from w to y. The chain rule multiplies the local derivatives along it:
<BLANKLINE>
  ∂y/∂w = ∂y/∂v₁ · ∂v₁/∂w
        = (1 − y²) · x
        ≈ (1 − (−1.0000)²) · 2
        ≈ 2.458·10⁻⁵ · 2
        ≈ 4.915·10⁻⁵
<BLANKLINE>
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from micrograd.derivation import document
from micrograd.derivation.chain import MAX_NODES, Chain, Edge, Factor
from micrograd.derivation.document import Block, Equations, Heading, Paragraph, Sentence, sentence
from micrograd.derivation.naming import label_of, unlabelled
from micrograd.engine.graph import is_leaf
from micrograd.engine.value import Value
from micrograd.writing import languages, notation
from micrograd.writing.names import superscript
from micrograd.writing.notation import Formula, Name, raised

T = TypeVar("T")

MAX_PATHS = 8
"""Paths that are written down one by one."""

_MAX_EDGES = 60  # of all these paths together
_LONGEST_PATH = 16  # edges of one path
_MAX_LINES = 60  # of a reverse sweep or of a table, before its middle is left out
_MAX_TERMS = 8  # of a sum
_NARROWEST = 20  # columns of a board


def explain(
    output: Value,
    wrt: Value | str | Sequence[Value | str] | None = None,
    *,
    names: Mapping[str, Any] | Any | None = None,
    lang: str = "en",
    max_nodes: int = MAX_NODES,
    style: str = "full",
    numbers: bool = True,
    width: int | None = None,
) -> Explanation:
    """Derive the derivative of a value step by step: formulas, numbers and words.

    Up to 8 short paths from `wrt` to `output` are written down one by one. If there are more, or
    longer ones, the derivatives are accumulated from the output back. No gradient is read or
    changed.

    Args:
        output: the value that is differentiated.
        wrt: what it is differentiated with respect to: a Value, the name of one in any
            spelling, or a list of these; by default, every value that no operation made.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
            The parameters of models of `nn` are known by their places, such as w⁽¹⁾₁₂; other values
            that have neither are called v₁, v₂, … in order.
        lang: the language that a notebook shows, "en" or "zh".
        max_nodes: the most values that the graph may have.
        style: `"full"` writes down every value and every path; `"board"` writes what one would
            write on a blackboard: definitions, the chain rule over the values that have names, and
            a simplified closed form.
        numbers: on the board, whether the numbers of the graph are used, to choose between the
            branches of a function and to show the results; otherwise there are symbols only.
        width: on the board, the columns of a line of text, in every format; 76 by default.

    Returns:
        An explanation, which shows itself in a notebook; `.text()`, `.markdown()`, `.latex()` and
        `.html()` write it down.

    Raises:
        TypeError: if `output` or `wrt` is not a Value.
        ValueError: if `style` is another word, or if an option of the board is given without it;
            if the graph has more than `max_nodes` values, or if a number in it was changed
            after others had been computed from it.

    >>> x = Value(3.0, label="x")
    >>> print(explain(x * x + 1.0, x).equations())
    (∂v₂/∂x)⁽¹⁾ = ∂v₂/∂v₁ · ∂v₁/∂x|₁
                = 1 · x
                = 1 · 3
                = 3
    (∂v₂/∂x)⁽²⁾ = ∂v₂/∂v₁ · ∂v₁/∂x|₂
                = 1 · x
                = 1 · 3
                = 3
    ∂v₂/∂x = (∂v₂/∂x)⁽¹⁾ + (∂v₂/∂x)⁽²⁾
           = 3 + 3
           = 6
    """
    languages.checked(lang)
    if style not in ("full", "board"):
        raise ValueError(f'style is "full" or "board", got {style!r}')
    if style == "full" and (not numbers or width is not None):
        raise ValueError('numbers=False and width= need style="board"')
    if width is not None and width < _NARROWEST:
        raise ValueError(f"width is at least {_NARROWEST} columns, got {width}")
    chain = Chain(output, names, max_nodes)
    chain.check_steps_by_hand()
    targets = _targets(chain, wrt)
    if style == "full":
        return Explanation(chain, targets, lang)
    from micrograd.derivation.board import Board  # which is an Explanation

    return Board(chain, targets, lang, numbers, width)


def _targets(chain: Chain, wrt: Any) -> list[Value]:
    if wrt is None:
        return [node for node in chain.nodes if is_leaf(node)]
    targets = [wrt] if isinstance(wrt, Value | str) else wrt
    if not isinstance(targets, list | tuple) or not targets:
        raise TypeError(f"explain takes a Value, or a list of Values, as wrt, got {wrt!r}")
    return [_target(chain, target) for target in targets]


def _target(chain: Chain, target: Any) -> Value:
    """The target itself, or the value of that name."""
    if isinstance(target, Value):
        return target
    if not isinstance(target, str):
        raise TypeError(f"explain takes Values as wrt, got {type(target).__name__}")
    found = chain.called(target)
    if found is not None:
        return found
    known = ", ".join(chain.name(node).text for node in chain.nodes if is_leaf(node))
    raise ValueError(f"no value is called {target!r}; those that no operation made are {known}")


class Explanation:
    """A derivation, which can be written in several formats; it shows itself in a notebook.

    `explain` makes it. `gradients` are the derivatives, and `chain` is everything that was
    computed, as data.

    Args:
        chain: the graph with its adjoints and contributions.
        targets: what the output is differentiated with respect to.
        lang: the language that a notebook shows.

    >>> x = Value(3.0, label="x")
    >>> explanation = explain(5.0 * x, x)
    >>> explanation
    <explanation of v₁ with respect to x>
    >>> explanation.gradient
    5.0
    """

    _has_tables = True  # if the caller does not say

    def __init__(self, chain: Chain, targets: Sequence[Value], lang: str) -> None:
        self.chain, self.targets, self.lang = chain, list(targets), lang
        self._named: Mapping[Value, Name] = chain.names

    @property
    def output(self) -> Value:
        """The value that is differentiated."""
        return self.chain.output

    @property
    def gradients(self) -> list[float]:
        """The derivative of the output with respect to each target."""
        return [self.chain.adjoints.get(target, 0.0) for target in self.targets]

    @property
    def names(self) -> dict[str, Value]:
        """The values without a label by their names here, for `draw_dot(output, names=…)`."""
        return unlabelled(self._named)

    @property
    def gradient(self) -> float:
        """The derivative with respect to the target; ValueError if there are several."""
        if len(self.targets) > 1:
            raise ValueError("there are several targets: use .gradients")
        return self.gradients[0]

    def text(
        self, lang: str | None = None, *, tables: bool | None = None, check: bool = False
    ) -> str:
        """Return the derivation as plain text.

        Args:
            lang: the language of the words; that of the explanation by default.
            tables: whether to add a table of all values and one of all derivatives; by default,
                only in the full style.
            check: whether to compare the derivatives with central differences.
        """
        return document.as_text(self.blocks(lang, tables=tables, check=check))

    def markdown(
        self, lang: str | None = None, *, tables: bool | None = None, check: bool = False
    ) -> str:
        """Return the derivation in Markdown, with formulas in LaTeX for KaTeX or MathJax.

        Args:
            lang: the language of the words; that of the explanation by default.
            tables: whether to add a table of all values and one of all derivatives; by default,
                only in the full style.
            check: whether to compare the derivatives with central differences.
        """
        return document.as_markdown(self.blocks(lang, tables=tables, check=check))

    def html(
        self,
        lang: str | None = None,
        *,
        tables: bool | None = None,
        check: bool = False,
        level: int = 1,
    ) -> str:
        """Return the derivation as elements of HTML, with formulas in MathML and a style for them.

        Args:
            lang: the language of the words; that of the explanation by default.
            tables: whether to add a table of all values and one of all derivatives; by default,
                only in the full style.
            check: whether to compare the derivatives with central differences.
            level: the level of the first heading, 1 to 6.
        """
        blocks = self.blocks(lang, tables=tables, check=check)
        return document.as_styled_html(blocks, level=level)

    def equations(self) -> str:
        """Return the equations alone, as plain text."""
        return document.as_equations(self.blocks(tables=False))

    def latex(self) -> str:
        """Return the equations as one `aligned` block, for math mode with amsmath.

        Names in other than Latin letters need XeLaTeX or LuaLaTeX, and a font that has them.
        """
        return document.as_aligned(self.blocks(tables=False))

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        over = ", ".join(self._name(target).text for target in self.targets)
        return f"<explanation of {self.chain.name(self.output).text} with respect to {over}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows: the derivation, or why there is none. Never raises."""
        try:
            return {"text/plain": self.text(), "text/markdown": self.markdown()}
        except Exception as error:
            return {"text/plain": f"{self!r}: {error}"}

    def __reduce__(self) -> Any:
        # The names refer to values by their ids, and those of a copy are different.
        names = dict(self.chain.variables)
        return _again, (type(self), self.output, names, self.targets, self.lang)

    # ------------------------------------------------------------------------------------- content

    def blocks(
        self, lang: str | None = None, *, tables: bool | None = None, check: bool = False
    ) -> list[Block]:
        """Return the derivation as the blocks of a document.

        Args:
            lang: the language of the words; that of the explanation by default.
            tables: whether to add a table of all values and one of all derivatives, or on a board
                a table of the named values; by default, only in the full style.
            check: whether to compare the derivatives with central differences.
        """
        words = languages.words(lang or self.lang, "explain")
        self.chain.refuse_changes()
        blocks: list[Block] = []
        for target in self.targets:
            blocks += self._derivation(target, words)
            if check:
                blocks.append(Paragraph(self._check(target, words)))
        if self._has_tables if tables is None else tables:
            blocks += self._tables(words)
        return [*self._given(words), *blocks]

    def _given(self, words: Mapping[str, str]) -> Iterable[Block]:
        """What is said before the derivations."""
        return ()

    def _name(self, target: Value) -> Formula:
        """The name of a target, which need not be in the graph."""
        if target in self._named:
            return self._named[target]
        name = plain = notation.named(label_of(target) or "x")
        taken, times = {each.text for each in self._named.values()}, 1
        while name.text in taken:
            times += 1
            name = plain.numbered(times)
        return name

    def _derivation(self, target: Value, words: Mapping[str, str]) -> Iterator[Block]:
        chain = self.chain
        here = {"output": chain.name(self.output), "wrt": self._name(target)}
        yield Heading(sentence(words["title"], **here))
        counted = chain.active(target) if target in chain.names else {}
        count, length = counted.get(self.output, (0, 0))
        result = notation.number(chain.adjoints.get(target, 0.0) + 0.0)
        whole = notation.quotient(here["output"], here["wrt"])
        if target is self.output or not count:
            yield Paragraph(sentence(words["itself" if count else "no path"], **here))
            yield Equations(((whole, (result,)),))
            return
        if count > MAX_PATHS or length > _MAX_EDGES or length > _LONGEST_PATH * count:
            key = "long paths" if count <= MAX_PATHS else "many paths"
            yield Paragraph(sentence(words[key], count=_many(count, words), **here))
            yield from self._accumulated(target, counted, words)
            return
        paths = list(chain.paths(target))
        if count == 1:
            yield Paragraph(sentence(words["one path"], **here))
            yield from self._path(paths[0], whole, words)
            return
        yield Paragraph(sentence(words["paths"], count=count, **here))
        for i, path in enumerate(paths, 1):
            passed = [target, *(edge.node for edge in reversed(path))]
            route = notation.joined("→", [chain.name(node) for node in passed])
            yield Paragraph(sentence(words["path"], number=i, path=route))
            yield from self._path(path, _numbered(whole, i), words)
        yield Paragraph(sentence(words["sum"]))
        shares = [notation.number(_share(path)) for path in paths]
        parts = [_numbered(whole, i) for i in range(1, count + 1)]
        yield Equations(((whole, (notation.total(parts), notation.total(shares), result)),))

    def _path(
        self, path: Sequence[Edge], left: Formula, words: Mapping[str, str]
    ) -> Iterator[Block]:
        factors = [self.chain.factor(edge) for edge in path]
        kinds = ("partial", "formula", "substituted", "value")
        steps = [notation.product([getattr(each, kind) for each in factors]) for kind in kinds]
        steps.append(notation.number(_share(path)))
        shown = steps[1:] if steps[0] == left else steps
        yield Equations(((left, tuple(shown)),))
        slopes = [edge.slope for edge in path]
        if None in slopes and not all(
            math.isfinite(slope) for slope in slopes if slope is not None
        ):
            yield Paragraph(sentence(words["blocked"]))
        yield from self._conditions(factors, words)

    def _conditions(self, factors: Sequence[Factor], words: Mapping[str, str]) -> Iterator[Block]:
        placed = next((factor for factor in factors if factor.place is not None), None)
        if placed is not None and placed.place is not None:
            named = {"partial": placed.partial, "operand": placed.operand}
            yield Paragraph(sentence(words["place"], place=placed.place + 1, **named))
        found = {each.text: each for factor in factors for each in factor.conditions}
        if found:
            conditions = document.listed([*found.values()], ", ")
            yield Paragraph(sentence(words["conditions"], conditions=conditions))

    # ---------------------------------------------------------------------------- accumulated form

    def _accumulated(
        self, target: Value, active: Mapping[Value, Any], words: Mapping[str, str]
    ) -> Iterator[Block]:
        chain = self.chain
        nodes = [node for node in reversed(chain.nodes) if node in active]
        factors: list[Factor] = []
        start, end, left_out = ends(nodes, _MAX_LINES, words)
        yield Equations(tuple(self._adjoint(node, factors, words) for node in start))
        if left_out:
            yield Paragraph((left_out,))
            yield Equations(tuple(self._adjoint(node, factors, words) for node in end))
        yield from self._conditions(factors, words)
        whole = notation.quotient(chain.name(self.output), chain.name(target))
        result = notation.number(chain.adjoints[target])
        yield Equations(((whole, (chain.adjoint_name(target), result)),))

    def _adjoint(
        self, node: Value, factors: list[Factor], words: Mapping[str, str]
    ) -> tuple[Formula, tuple[Formula, ...]]:
        """One line of the reverse sweep."""
        chain = self.chain
        left = chain.adjoint_name(node)
        result = notation.number(chain.adjoints[node])
        uses = chain.uses[node]
        if not uses:
            return left, (result,)
        terms = []  # of each use: with names, with the formula of the partial, with numbers
        for edge in uses[:_MAX_TERMS]:
            factors.append(factor := chain.factor(edge))
            upstream = chain.adjoint_name(edge.node)
            adjoint = notation.number(chain.adjoints[edge.node])
            pairs = (upstream, factor.partial), (upstream, factor.formula), (adjoint, factor.value)
            terms.append([*map(notation.product, pairs)])
        if len(uses) > _MAX_TERMS:
            more = notation.words(words["more terms"].format(count=len(uses) - _MAX_TERMS))
            terms.append([more] * 3)
        return left, (*map(notation.total, zip(*terms, strict=True)), result)

    # -------------------------------------------------------------------------------------- tables

    def _tables(self, words: Mapping[str, str]) -> Iterator[Block]:
        nodes, output = self.chain.nodes, self.chain.name(self.output)
        for title, first, second, nodes_shown, row in (
            ("forward", "value", "formula", nodes, self._forward_row),
            ("backward", "adjoint", "chain rule", nodes[::-1], self._backward_row),
        ):
            yield Heading(sentence(words[title], output=output), 2)
            headers = tuple(words[key] for key in (first, second, "numbers", "result"))
            start, end, left_out = ends(nodes_shown, _MAX_LINES, words)
            rows = [row(node, words) for node in start]
            if left_out:
                rows += [("…", left_out, "", ""), *(row(node, words) for node in end)]
            yield document.TableBlock(headers, tuple(rows))

    def _forward_row(self, node: Value, words: Mapping[str, str]) -> tuple[str | Formula, ...]:
        chain = self.chain
        number = notation.number(node.data)
        if is_leaf(node):
            return chain.name(node), words["given"], "", number
        return chain.name(node), chain.formula(node), chain.substituted(node), number

    def _backward_row(self, node: Value, words: Mapping[str, str]) -> tuple[str | Formula, ...]:
        left, steps = self._adjoint(node, [], words)
        if len(steps) == 1:
            itself = notation.quotient(self.chain.name(node), self.chain.name(node))
            return left, words["start"] if itself == left else itself, "", *steps
        names, _, numbers, result = steps
        return left, names, numbers, result

    # --------------------------------------------------------------------------------------- check

    def _check(self, target: Value, words: Mapping[str, str]) -> Sentence:
        step = 2.0**-17 * max(1.0, abs(target.data))  # about the cube root of the rounding error
        try:
            behind, here, ahead = (
                self.chain.replayed(target, target.data + move) for move in (-step, 0.0, step)
            )
        except ValueError as error:
            return sentence(words["no check"], reason=error)
        gradient = self.chain.adjoints.get(target, 0.0)
        left, right = (here - behind) / step, (ahead - here) / step
        both = (ahead - behind) / 2 / step
        # Rounding changes a difference quotient by a few units in the last place of the values,
        # divided by the step; curvature changes it by the step times a second derivative, which is
        # assumed to be of moderate size.
        doubt = 2.0**-50 * max(abs(behind), abs(here), abs(ahead)) / step
        bent = 2.0**-10 * max(abs(left), abs(right), 2.0**-10)
        verdict = "check agrees" if abs(both - gradient) <= doubt + bent else "check differs"
        if abs(left - right) > doubt + 16 * bent:
            verdict = "check kink"
        elif 0 < abs(gradient) <= doubt:
            verdict = "check lost"
        return sentence(
            f"{words['check']}{words[verdict]}",
            wrt=self._name(target),
            output=self.chain.name(self.output),
            step=notation.number(step),
            sign=notation.equals(notation.number(both)),
            difference=notation.number(both),
            gradient=notation.number(gradient),
            left=notation.number(left),
            right=notation.number(right),
        )


def _again(
    kind: Callable[..., Explanation], output: Value, names: dict[str, Value], *options: Any
) -> Explanation:
    return kind(Chain(output, names, max_nodes=sys.maxsize), *options)


def _numbered(whole: Formula, i: int) -> Formula:
    """The part of a derivative that path i contributes."""
    text = f"({whole.text}){superscript(f'({i})')}"
    return Formula(text, raised(("fence", "(", whole.mark, ")"), i))


def _share(path: Sequence[Edge]) -> float:
    """The product along a path, from the output down, as backward multiplies it."""
    share = 1.0
    for edge in path:
        if not share or edge.slope is None:
            return 0.0
        share = edge.slope * share
    return share + 0.0  # no minus before a zero


def _many(count: int, words: Mapping[str, str]) -> str:
    if count < 10**9:
        return f"{count:,}"
    power = int((count.bit_length() - 1) * math.log10(2))  # the digits themselves may be thousands
    return words["more than"].format(number=f"10{superscript(str(power))}")


def ends(
    things: Sequence[T], most: int, words: Mapping[str, str], hidden: int = 0
) -> tuple[Sequence[T], Sequence[T], str]:
    """All things; or the first, the last, and what is said of those between, if there are many.

    Args:
        things: the things.
        most: how many are shown.
        words: the texts of a language.
        hidden: how many others are between them, which are not given here.
    """
    half, more = most // 2, len(things) - most
    if more <= 0 or more + hidden == 1:  # a remark on one line is as long as the line
        return things, (), ""
    said = words["left out"].format(count=f"{more + hidden:,}")
    return things[:half], things[-half:], said


__all__ = ["MAX_PATHS", "Explanation", "explain"]
