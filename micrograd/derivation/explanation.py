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
        = (1 - y²) · x
        ≈ (1 - (-1.0000)²) · 2
        ≈ 2.458e-5 · 2
        ≈ 4.915e-5
<BLANKLINE>
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from micrograd.derivation import writing
from micrograd.derivation.chain import MAX_NODES, Chain, Factor, Link
from micrograd.derivation.document import (
    Aligned,
    Block,
    Heading,
    Paragraph,
    Sentence,
    Table,
    as_aligned,
    as_equations,
    as_html,
    as_markdown,
    as_text,
    sentence,
)
from micrograd.derivation.naming import label_of
from micrograd.derivation.writing import Written
from micrograd.engine.graph import is_leaf
from micrograd.engine.value import Value
from micrograd.writing import languages
from micrograd.writing.names import superscript

MAX_PATHS = 8
"""Paths that are written down one by one."""

_MAX_LINKS = 60  # of all these paths together, and of one of them:
_LONGEST_PATH = 16
_MAX_LINES = 60  # of a reverse sweep or of a table, before its middle is left out
_MAX_TERMS = 8  # of a sum


def explain(
    output: Value,
    wrt: Value | str | Sequence[Value | str] | None = None,
    *,
    names: Mapping[str, Any] | None = None,
    lang: str = "en",
    max_nodes: int = MAX_NODES,
) -> Explanation:
    """The derivation of the derivative of `output` with respect to `wrt`, or to each of several.

    A name may stand for a value of the graph; without `wrt`, all values that no operation made.

    Values are called by their labels, else by the caller's variables if `names=locals()` is given,
    else v₁, v₂, … in order. `lang` is the language that a notebook shows, "en" or "zh".

    Up to 8 short paths are written down one by one; of more, or of longer ones, the accumulated
    form. No gradient is read or changed.

    Raises TypeError if something is no Value, and ValueError if the graph has more than `max_nodes`
    values or if a number in it was changed since it was computed.
    """
    languages.checked(lang)
    chain = Chain(output, names, max_nodes)
    chain.check_steps_by_hand()
    if wrt is None:
        return Explanation(chain, [node for node in chain.nodes if is_leaf(node)], lang)
    targets = [wrt] if isinstance(wrt, Value | str) else wrt
    if not isinstance(targets, list | tuple) or not targets:
        raise TypeError(f"explain takes a Value, or a list of Values, as wrt, got {wrt!r}")
    return Explanation(chain, [_target(chain, target) for target in targets], lang)


def _target(chain: Chain, target: Any) -> Value:
    """A target itself, or the value of that name; TypeError or ValueError if it is neither."""
    if isinstance(target, Value):
        return target
    if not isinstance(target, str):
        raise TypeError(f"explain takes Values as wrt, got {type(target).__name__}")
    name = writing.named(target).text
    for node in chain.nodes:
        if name == chain.letter(node).text:
            return node
    known = ", ".join(chain.letter(node).text for node in chain.nodes if is_leaf(node))
    raise ValueError(f"no value is called {target!r}; those that no operation made are {known}")


class Explanation:
    """A derivation, as `text`, `markdown`, `html` or `latex`; it shows itself in a notebook.

    `gradients` are the derivatives themselves, `chain` all that was computed, as data.
    """

    def __init__(self, chain: Chain, targets: Sequence[Value], lang: str) -> None:
        self.chain, self.targets, self.lang = chain, list(targets), lang

    @property
    def output(self) -> Value:
        """The value that is differentiated."""
        return self.chain.output

    @property
    def gradients(self) -> list[float]:
        """The derivative of the output with respect to each target."""
        return [self.chain.adjoints.get(id(target), 0.0) for target in self.targets]

    @property
    def names(self) -> dict[str, Value]:
        """What values without a label are called, for `draw_dot(output, names=…)` to show too."""
        return self.chain.unlabelled()

    @property
    def gradient(self) -> float:
        """The derivative with respect to the target; ValueError if there are several."""
        if len(self.targets) > 1:
            raise ValueError("there are several targets: use .gradients")
        return self.gradients[0]

    def text(self, lang: str | None = None, *, tables: bool = True, check: bool = False) -> str:
        """Plain text. `tables` adds the evaluation tables, `check` a check by differences."""
        return as_text(self.blocks(lang, tables=tables, check=check))

    def markdown(self, lang: str | None = None, *, tables: bool = True, check: bool = False) -> str:
        """Markdown, with formulas in LaTeX that KaTeX and MathJax read."""
        return as_markdown(self.blocks(lang, tables=tables, check=check))

    def html(
        self,
        lang: str | None = None,
        *,
        tables: bool = True,
        check: bool = False,
        level: int = 1,
    ) -> str:
        """Elements of HTML, with formulas in MathML; headings begin at `level`."""
        return as_html(self.blocks(lang, tables=tables, check=check), level=level)

    def equations(self) -> str:
        """The equations alone, as plain text."""
        return as_equations(self.blocks(tables=False))

    def latex(self) -> str:
        """The equations as one `aligned` block, for math mode with amsmath.

        Names beyond Latin letters need XeLaTeX or LuaLaTeX, with a font that has them.
        """
        return as_aligned(self.blocks(tables=False))

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        over = ", ".join(self.chain_name(target).text for target in self.targets)
        return f"<explanation of {self.chain.letter(self.output).text} with respect to {over}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows: the derivation, or why there is none. Never raises."""
        try:
            return {"text/plain": self.text(), "text/markdown": self.markdown()}
        except Exception as error:
            return {"text/plain": f"{self!r}: {error}"}

    def __reduce__(self) -> Any:
        # Values are told apart by their ids, which a copy has anew.
        return _again, (self.output, self.targets, dict(self.chain.variables), self.lang)

    # ------------------------------------------------------------------------------------- content

    def blocks(
        self, lang: str | None = None, *, tables: bool = True, check: bool = False
    ) -> list[Block]:
        """The derivation as a document."""
        words = languages.words(lang or self.lang, "explain")
        self.chain.refuse_changes()
        blocks: list[Block] = []
        for target in self.targets:
            blocks += self._derivation(target, words)
            if check:
                blocks.append(Paragraph(self._check(target, words)))
        if tables:
            blocks += self._tables(words)
        return blocks

    def chain_name(self, target: Value) -> Written:
        """The name of a target, which need not be in the graph."""
        if id(target) in self.chain.names:
            return self.chain.letter(target)
        return writing.name(writing.named(label_of(target) or "x"))

    def _derivation(self, target: Value, words: Mapping[str, str]) -> Iterator[Block]:
        chain = self.chain
        here = {"output": chain.letter(self.output), "wrt": self.chain_name(target)}
        yield Heading(sentence(words["title"], **here))
        counted = chain.active(target) if id(target) in chain.names else {}
        count, length = counted.get(id(self.output), (0, 0))
        result = writing.number(chain.adjoints.get(id(target), 0.0) + 0.0)
        whole = writing.quotient(here["output"], here["wrt"])
        if target is self.output or not count:
            yield Paragraph(sentence(words["itself" if count else "no path"], **here))
            yield Aligned(((whole, (result,)),))
            return
        if count > MAX_PATHS or length > _MAX_LINKS or length > _LONGEST_PATH * count:
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
            passed = [target, *(link.node for link in reversed(path))]
            route = writing.route([chain.letter(node) for node in passed])
            yield Paragraph(sentence(words["path"], number=i, path=route))
            yield from self._path(path, _numbered(whole, i), words)
        yield Paragraph(sentence(words["sum"]))
        shares = [writing.number(_share(path)) for path in paths]
        parts = [_numbered(whole, i) for i in range(1, count + 1)]
        yield Aligned(((whole, (writing.total(parts), writing.total(shares), result)),))

    def _path(
        self, path: Sequence[Link], left: Written, words: Mapping[str, str]
    ) -> Iterator[Block]:
        factors = [self.chain.factor(link) for link in path]
        steps = [
            writing.product([factor.partial for factor in factors]),
            writing.product([factor.formula for factor in factors]),
            writing.product([factor.substituted for factor in factors]),
            writing.product([factor.value for factor in factors]),
            writing.number(_share(path)),
        ]
        shown = steps[1:] if steps[0] == left else steps
        yield Aligned(((left, tuple(shown)),))
        slopes = [link.slope for link in path]
        if None in slopes and not all(
            math.isfinite(slope) for slope in slopes if slope is not None
        ):
            yield Paragraph(sentence(words["blocked"]))
        yield from self._conditions(factors, words)

    def _conditions(self, factors: Sequence[Factor], words: Mapping[str, str]) -> Iterator[Block]:
        placed = next((factor for factor in factors if factor.place is not None), None)
        if placed is not None and placed.place is not None:
            place = str(placed.place + 1)
            yield Paragraph(
                sentence(
                    words["place"],
                    partial=placed.partial,
                    place=place,
                    operand=placed.operand,
                )
            )
        found = {each.text: each for factor in factors for each in factor.conditions}
        if found:
            listed: list[str | Written] = []
            for condition in found.values():
                listed += [", " if listed else "", condition]
            yield Paragraph(sentence(words["conditions"], conditions=tuple(listed)))

    # ---------------------------------------------------------------------------- accumulated form

    def _accumulated(
        self, target: Value, active: Mapping[int, Any], words: Mapping[str, str]
    ) -> Iterator[Block]:
        chain = self.chain
        nodes = [node for node in reversed(chain.nodes) if id(node) in active]
        factors: list[Factor] = []
        first, last = _ends(nodes, _MAX_LINES)
        yield Aligned(tuple(self._adjoint(node, factors, words) for node in first))
        if last:
            count = f"{len(nodes) - len(first) - len(last):,}"
            yield Paragraph(sentence(words["left out"], count=count))
            yield Aligned(tuple(self._adjoint(node, factors, words) for node in last))
        yield from self._conditions(factors, words)
        whole = writing.quotient(chain.letter(self.output), chain.letter(target))
        result = writing.number(chain.adjoints[id(target)])
        yield Aligned(((whole, (chain.adjoint_name(target), result)),))

    def _adjoint(
        self, node: Value, factors: list[Factor], words: Mapping[str, str]
    ) -> tuple[Written, tuple[Written, ...]]:
        """One line of the reverse sweep."""
        chain = self.chain
        left = chain.adjoint_name(node)
        result = writing.number(chain.adjoints[id(node)])
        uses = chain.uses[id(node)]
        if not uses:
            return left, (result,)
        names, formulas, numbers = [], [], []
        for link in uses[:_MAX_TERMS]:
            factor = chain.factor(link)
            factors.append(factor)
            upstream = chain.adjoint_name(link.node)
            names.append(writing.product([upstream, factor.partial]))
            formulas.append(writing.product([upstream, factor.formula]))
            adjoint = writing.number(chain.adjoints[id(link.node)])
            numbers.append(writing.product([adjoint, factor.value]))
        if len(uses) > _MAX_TERMS:
            more = writing.words(words["more terms"].format(count=len(uses) - _MAX_TERMS))
            for terms in (names, formulas, numbers):
                terms.append(more)
        return left, (*(writing.total(terms) for terms in (names, formulas, numbers)), result)

    # -------------------------------------------------------------------------------------- tables

    def _tables(self, words: Mapping[str, str]) -> Iterator[Block]:
        chain = self.chain
        yield Heading(sentence(words["forward"]), 2)
        headers = tuple(words[key] for key in ("value", "formula", "numbers", "result"))
        yield from self._table(headers, chain.nodes, self._forward_row, words)
        yield Heading(sentence(words["backward"], output=chain.letter(self.output)), 2)
        headers = tuple(words[key] for key in ("adjoint", "chain rule", "numbers", "result"))
        yield from self._table(headers, chain.nodes[::-1], self._backward_row, words)

    def _table(
        self, headers: tuple[str, ...], nodes: Sequence[Value], row: Any, words: Mapping[str, str]
    ) -> Iterator[Block]:
        first, last = _ends(nodes, _MAX_LINES)
        rows = [row(node, words) for node in first]
        if last:
            count = f"{len(nodes) - len(first) - len(last):,}"
            rows.append(("…", words["left out"].format(count=count), "", ""))
            rows += [row(node, words) for node in last]
        yield Table(headers, tuple(rows))

    def _forward_row(self, node: Value, words: Mapping[str, str]) -> tuple[str | Written, ...]:
        chain = self.chain
        number = writing.number(node.data)
        if is_leaf(node):
            return chain.letter(node), words["given"], "", number
        return chain.letter(node), chain.formula(node), chain.substituted(node), number

    def _backward_row(self, node: Value, words: Mapping[str, str]) -> tuple[str | Written, ...]:
        left, steps = self._adjoint(node, [], words)
        if len(steps) == 1:
            itself = writing.quotient(self.chain.letter(node), self.chain.letter(node))
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
        gradient = self.chain.adjoints.get(id(target), 0.0)
        left, right, both = (
            (here - behind) / step,
            (ahead - here) / step,
            (ahead - behind) / 2 / step,
        )
        # Rounding moves a difference by a few units in the last place of the values, over the step;
        # bending moves the two sides apart by the step times a second derivative of moderate size.
        doubt = 2.0**-50 * max(abs(behind), abs(here), abs(ahead)) / step
        bent = 2.0**-10 * max(abs(left), abs(right), 2.0**-10)
        verdict = "check agrees" if abs(both - gradient) <= doubt + bent else "check differs"
        if abs(left - right) > doubt + 16 * bent:
            verdict = "check kink"
        elif 0 < abs(gradient) <= doubt:
            verdict = "check lost"
        return sentence(
            f"{words['check']}{words[verdict]}",
            wrt=self.chain_name(target),
            output=self.chain.letter(self.output),
            step=writing.number(step),
            sign=writing.equals(writing.number(both)),
            difference=writing.number(both),
            gradient=writing.number(gradient),
            left=writing.number(left),
            right=writing.number(right),
        )


def _again(output: Value, targets: list[Value], names: dict[str, Value], lang: str) -> Explanation:
    return Explanation(Chain(output, names, max_nodes=sys.maxsize), targets, lang)


def _numbered(whole: Written, i: int) -> Written:
    """The part of a derivative that comes along path i."""
    return Written(
        f"({whole.text}){superscript(f'({i})')}",
        (
            "msup",
            ("fence", "(", whole.mark, ")"),
            ("mrow", ("mo", "("), ("mn", str(i)), ("mo", ")")),
        ),
    )


def _share(path: Sequence[Link]) -> float:
    """The product along a path, from the output down, as backward multiplies it."""
    share = 1.0
    for link in path:
        if not share or link.slope is None:
            return 0.0
        share = link.slope * share
    return share + 0.0  # no minus before a zero


def _many(count: int, words: Mapping[str, str]) -> str:
    if count < 10**9:
        return f"{count:,}"
    power = int((count.bit_length() - 1) * math.log10(2))  # the digits themselves may be thousands
    return words["more than"].format(number=f"10{superscript(str(power))}")


def _ends(nodes: Sequence[Value], most: int) -> tuple[list[Value], list[Value]]:
    """All nodes; or, if they are too many, the first and the last ones."""
    if len(nodes) <= most:
        return list(nodes), []
    return list(islice(nodes, most // 2)), list(nodes[-(most // 2) :])


__all__ = ["MAX_PATHS", "Explanation", "explain"]
