"""Rule cards: what the table says about one operation, written for readers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from micrograd.derivation import document
from micrograd.derivation.conditions import Conditions, is_smooth
from micrograd.derivation.curves import curve, section
from micrograd.derivation.document import Block, Equations, Heading, Paragraph, Sentence, sentence
from micrograd.ops import SERVING, TABLE, Operation
from micrograd.table.formulas import LETTERS, RESULT, Call, Tree, rebuilt
from micrograd.writing import languages, notation
from micrograd.writing.constants import with_constants
from micrograd.writing.messages import meant
from micrograd.writing.notation import Formula, named

_RESULT = named("f")
_LETTERS = {x: named(x) for x in LETTERS} | {RESULT: _RESULT, "π": named("π")}

_UNDEFINED = Call("sub", (math.inf, math.inf))  # how the table marks a missing derivative


def rule_card(operation: str, lang: str = "en") -> RuleCard:
    """Return the rule card of an operation.

    Args:
        operation: the name of a row of the table, such as "tanh" or "mul".
        lang: the language of the words, "en" or "zh".

    Raises:
        ValueError: if there is no such operation or no such language.

    >>> print(rule_card("tanh").text())
    tanh
    ====
    <BLANKLINE>
      f     = tanh(x)
      ∂f/∂x = 1 − f²
    <BLANKLINE>
    Differentiable for all numbers.
    <BLANKLINE>
    """
    if operation not in TABLE:
        names = _listed()
        raise ValueError(
            f"no operation {operation!r}: the table has {', '.join(names)}{meant(operation, names)}"
        )
    languages.checked(lang)
    return RuleCard(TABLE[operation], lang)


def rule_cards(lang: str = "en") -> list[RuleCard]:
    """Return the cards of all operations, in the order of the table.

    Rows that only serve the formulas of other rows, such as `sech2`, are left out; `rule_card` has
    a card for each of them, too.

    Args:
        lang: the language of the words, "en" or "zh".

    >>> rule_cards()[0].row.name
    'add'
    """
    return [rule_card(name, lang) for name in _listed()]


def _listed() -> list[str]:
    return [name for name in TABLE if name not in SERVING]


class RuleCard:
    r"""The formula, derivatives, domain, conventions and curve of an operation.

    Args:
        row: the row of the table.
        lang: the language of the words.

    >>> print(rule_card("mul").latex())
    \begin{aligned}
    f &= x \cdot y \\
    \frac{\partial f}{\partial x} &= y \\
    \frac{\partial f}{\partial y} &= x
    \end{aligned}
    """

    def __init__(self, row: Operation, lang: str) -> None:
        self.row, self.lang = row, lang

    def text(self, lang: str | None = None) -> str:
        """Return the card as plain text.

        Args:
            lang: the language of the words; that of the card by default.
        """
        return document.as_text(self.blocks(lang))

    def markdown(self, lang: str | None = None) -> str:
        """Return the card in Markdown, with formulas in LaTeX.

        Args:
            lang: the language of the words; that of the card by default.
        """
        return document.as_markdown(self.blocks(lang))

    def latex(self) -> str:
        """Return the formula and the derivatives as one `aligned` block."""
        return document.as_aligned(self.blocks())

    def html(self, lang: str | None = None, *, level: int = 2) -> str:
        """Return the card as elements of HTML, with formulas in MathML, and the curve in SVG.

        Args:
            lang: the language of the words; that of the card by default.
            level: the level of the heading, 1 to 6.
        """
        caption = self._caption(languages.words(lang or self.lang, "card"))
        return (
            f'<section class="card">{document.as_html(self.blocks(lang), level=level)}'
            f"<figure>{self.curve(lang)}<figcaption>{document.as_html([Paragraph(caption)])}"
            "</figcaption></figure></section>"
        )

    def curve(self, lang: str | None = None) -> str:
        """Return an SVG with the function as a line and its derivative as a dashed one.

        Args:
            lang: the language of the alternative text; that of the card by default.
        """
        words = languages.words(lang or self.lang, "card")
        caption = document.as_text([Paragraph(self._caption(words))]).strip()
        return curve(self.row, f"{self.row.name}: {caption}")

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}

    # ------------------------------------------------------------------------------------- content

    def blocks(self, lang: str | None = None) -> list[Block]:
        """Return the card as the blocks of a document.

        Args:
            lang: the language of the words; that of the card by default.
        """
        lang = lang or self.lang
        words, row = languages.words(lang, "card"), self.row.name
        name = languages.operation_name(row, lang)
        heading = row if name == row else words["heading"].format(name=name, row=row)
        return [
            Heading((heading,)),
            Equations((*self._equations(words),)),
            *(Paragraph(line) for line in self._remarks(words, lang)),
        ]

    def _equations(self, words: Mapping[str, str]) -> Iterator[tuple[Formula, tuple[Formula, ...]]]:
        row = self.row
        operands = [_LETTERS[x] for x in row.operands]
        definition = () if row.is_primitive else (_cases(row.told[0], words),)
        result = notation.operation(row, operands)
        if row.name in notation.RELATIONS:  # f = x = y would say something else
            result = Formula(f"[{result.text}]", ("fence", "[", result.mark, "]"))
        yield _RESULT, (result, *definition)
        for operand, slope in zip(operands, row.told[1:], strict=True):
            yield notation.quotient(_RESULT, operand), (_cases(slope, words),)

    def _remarks(self, words: Mapping[str, str], lang: str) -> Iterator[Sentence]:
        row = self.row
        where = Conditions(_LETTERS, words).differentiable(row, smooth=is_smooth(row))
        passed = [_LETTERS[x] for x, slope in zip(row.operands, row.slopes, strict=True) if slope]
        if row.domain == "0":
            yield sentence(words["stopped"])
        elif where is None and 0 < len(passed) < row.arity:
            yield sentence(words["partly"], operands=document.listed(passed, words["list"]))
        else:
            yield sentence(words["domain" if where else "everywhere"], domain=where or "")
        note = languages.words(lang, "note").get(row.name) or row.note
        if lang == "zh" and row.note_zh:  # of an operation that a user defined
            note = row.note_zh
        if note:
            yield sentence(words["note"], note=note)

    def _caption(self, words: Mapping[str, str]) -> Sentence:
        shown = section(self.row)
        caption = sentence(words["curve"], operand=_LETTERS[shown.operand])
        held = [
            notation.equation([_LETTERS[name], notation.number(x)])
            for name, x in shown.held.items()
        ]
        operands = document.listed(held, ", ")
        return (*caption, *sentence(words["held"], operands=operands)) if held else caption


def _symbolic(tree: Tree) -> Tree:
    """The formula with numbers as they are written in a book: 1.1284… is 2 / √π."""
    match rebuilt(tree, _symbolic):
        case Call("mul", (Call("div", (1.0, root)), other)):  # x / √(2π) for 1 / √(2π) · x
            return Call("div", (other, root))
        case Call("mul", (Call("neg", (number,)), other)):
            return Call("neg", (Call("mul", (number, other)),))
        case Call() as found:
            return found
    return with_constants(tree)


def _cases(tree: Tree, words: Mapping[str, str]) -> Formula:
    """A formula, or a list of cases if it is a choice."""
    if tree == _UNDEFINED:
        return notation.words(words["undefined"])
    conditions = Conditions(_LETTERS, words)
    tests: list[Tree] = []
    cases: list[tuple[Formula, Formula]] = []
    tree = _symbolic(tree)
    while isinstance(tree, Call) and tree.name == "where":
        test, then, tree = tree.operands
        if isinstance(then, Call) and then.name == "where":  # a choice within the choice
            both, inner, other = then.operands
            tree = Call("where", (test, other, tree))
            test, then = Call("mul", (test, both)), inner
        cases.append((notation.formula(then, _LETTERS), conditions.condition(test, tests)))
        tests.append(test)
    return notation.cases(cases, notation.formula(tree, _LETTERS), words)
