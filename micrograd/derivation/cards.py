"""Rule cards: what the table says about one operation, written for readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from micrograd.derivation import document
from micrograd.derivation.curves import HELD, curve
from micrograd.derivation.document import Block, Equations, Heading, Paragraph, Sentence, sentence
from micrograd.ops import SERVING, TABLE, Operation
from micrograd.table.formulas import LETTERS, RESULT, Call, Tree
from micrograd.writing import languages, notation
from micrograd.writing.marks import Mark
from micrograd.writing.notation import Formula, named
from micrograd.writing.template import ATOM, LOOSE

_RESULT = named("f")
_LETTERS = {x: named(x) for x in LETTERS} | {RESULT: _RESULT}
_ZERO = notation.number(0.0)


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
      ∂f/∂x = 1 - f²
    <BLANKLINE>
    Defined and differentiable for all numbers.
    <BLANKLINE>
    """
    if operation not in TABLE:
        raise ValueError(f"no operation {operation!r}: the table has {', '.join(_listed())}")
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
        words = languages.words(lang or self.lang, "card")
        shown = document.as_html([Paragraph(self._caption(words))])
        return (
            f'<section class="card">{document.as_html(self.blocks(lang), level=level)}'
            f"<figure>{self.curve()}<figcaption>{shown}</figcaption></figure></section>"
        )

    def curve(self) -> str:
        """Return an SVG with the function as a line and its derivative as a dashed one."""
        return curve(self.row)

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
        yield _RESULT, (notation.operation(row, operands), *definition)
        for operand, slope in zip(operands, row.told[1:], strict=True):
            yield notation.quotient(_RESULT, operand), (_cases(slope, words),)

    def _remarks(self, words: Mapping[str, str], lang: str) -> Iterator[Sentence]:
        row = self.row
        if row.domain == "0":
            yield sentence(words["stopped"])
        elif row.kink and not row.domain and not _is_smooth(row):
            yield sentence(words["away"], places=notation.unequal(*self._kink()))
        else:
            domain: str | Formula = words["everywhere"]
            if row.domain:
                domain = _condition(row.read(row.domain), words)
            yield sentence(words["domain"], domain=domain)
            if row.kink and not _is_smooth(row):
                yield sentence(words["kink"], kink=notation.equation(self._kink()))
        note = languages.words(lang, "note").get(row.name) or row.note
        if lang == "zh" and row.note_zh:  # of an operation that a user defined
            note = row.note_zh
        if note:
            yield sentence(words["note"], note=note)

    def _kink(self) -> tuple[Formula, Formula]:
        """The two sides that are equal where a derivative jumps."""
        match self.row.read(self.row.kink):
            case Call("sub", (left, right)):
                return notation.formula(left, _LETTERS), notation.formula(right, _LETTERS)
            case tree:
                return notation.formula(tree, _LETTERS), _ZERO

    def _caption(self, words: Mapping[str, str]) -> Sentence:
        caption = sentence(words["curve"], operand=_LETTERS["x"])
        held = [
            part
            for y in self.row.operands[1:]
            for part in (", ", notation.equation([_LETTERS[y], notation.number(HELD[y])]))
        ]
        return (*caption, *sentence(words["held"], operands=tuple(held[1:]))) if held else caption


def _is_smooth(row: Operation) -> bool:
    """Whether only a second derivative jumps where the one operand is 0, as that of elu does."""
    if row.kink != "x" or row.arity > 1:
        return False
    before, after = row.evaluate(-1e-9), row.evaluate(1e-9)
    sides = zip((before[0], *before[1]), (after[0], *after[1]), strict=True)
    return all(abs((a or 0.0) - (b or 0.0)) < 1e-6 for a, b in sides)


def _cases(tree: Tree, words: Mapping[str, str]) -> Formula:
    """A formula, or a list of cases if it is a choice."""
    cases: list[tuple[Formula, Formula]] = []
    while isinstance(tree, Call) and tree.name == "where":
        test, then, tree = tree.operands
        condition = _condition(test, words)
        if isinstance(test, str):
            condition = notation.unequal(condition, _ZERO)
        cases.append((notation.formula(then, _LETTERS), condition))
    last = notation.formula(tree, _LETTERS)
    if not cases:
        return last
    texts = [f"{value.text} {words['if']} {test.text}" for value, test in cases]
    texts.append(f"{last.text} {words['otherwise']}")
    tests = [("mrow", ("mtext", f"{words['if']}\u00a0"), test.mark) for _, test in cases]
    marks: list[Mark] = [(value.mark, test) for (value, _), test in zip(cases, tests, strict=True)]
    marks.append((last.mark, ("mtext", words["otherwise"])))
    return Formula(words["next case"].join(texts), ("cases", *marks), LOOSE, ATOM)


def _condition(tree: Tree, words: Mapping[str, str]) -> Formula:
    """A condition as a reader expects it: `abs(x) > 0` says that x is not 0."""
    match tree:
        case Call(
            "mul",
            (Call("gt" | "ge" | "le" | "lt") as left, Call("gt" | "ge" | "le" | "lt") as right),
        ):
            first, second = (_condition(side, words) for side in (left, right))
            both = ("mrow", first.mark, ("mtext", f" {words['and']} "), second.mark)
            return Formula(f"{first.text} {words['and']} {second.text}", both, LOOSE, LOOSE)
        case Call("gt" | "le" as sign, (Call("abs" | "hypot", sizes), 0.0)):
            written = [notation.formula(size, _LETTERS) for size in sizes]
            if sign == "le":
                return notation.equation([*written, _ZERO])
            if len(written) == 1:
                return notation.unequal(written[0], _ZERO)
            return notation.unequal(notation.point(written), notation.point([_ZERO, _ZERO]))
    return notation.formula(tree, _LETTERS)
