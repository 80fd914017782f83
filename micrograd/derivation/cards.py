"""Rule cards: what the table of operations says of one operation, for a reader of an article.

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

from __future__ import annotations

from collections.abc import Iterator, Mapping

from micrograd.derivation import writing
from micrograd.derivation.curves import HELD, curve
from micrograd.derivation.document import (
    Aligned,
    Block,
    Heading,
    Paragraph,
    Sentence,
    as_aligned,
    as_html,
    as_markdown,
    as_text,
    sentence,
)
from micrograd.derivation.writing import Written
from micrograd.ops import TABLE, Operation
from micrograd.table.formulas import OPERANDS, RESULT, Call, Tree
from micrograd.writing import languages
from micrograd.writing.layout import Mark
from micrograd.writing.names import named
from micrograd.writing.template import ATOM, LOOSE

_LETTERS = {x: writing.name(named(x)) for x in OPERANDS}
_RESULT = writing.name(named("f"))


def rule_card(operation: str, lang: str = "en") -> RuleCard:
    """The card of one row of the table; ValueError if there is no such row."""
    if operation not in TABLE:
        raise ValueError(f"no operation {operation!r}: the table has {', '.join(TABLE)}")
    languages.checked(lang)
    return RuleCard(TABLE[operation], lang)


def rule_cards(lang: str = "en") -> list[RuleCard]:
    """The cards of all rows, in the order of the table."""
    return [rule_card(name, lang) for name in TABLE]


class RuleCard:
    """Formula, derivatives, domain, convention and curve of an operation."""

    def __init__(self, row: Operation, lang: str) -> None:
        self.row, self.lang = row, lang

    def text(self, lang: str | None = None) -> str:
        """Plain text."""
        return as_text(self.blocks(lang))

    def markdown(self, lang: str | None = None) -> str:
        """Markdown with formulas in LaTeX."""
        return as_markdown(self.blocks(lang))

    def latex(self) -> str:
        """Formula and derivatives as one `aligned` block."""
        return as_aligned(self.blocks())

    def html(self, lang: str | None = None, *, level: int = 2) -> str:
        """Elements of HTML with formulas in MathML, and the curve."""
        words = languages.words(lang or self.lang, "card")
        shown = as_html([Paragraph(self._caption(words))])
        return (
            f'<section class="card">{as_html(self.blocks(lang), level=level)}'
            f"<figure>{self.curve()}<figcaption>{shown}</figcaption></figure></section>"
        )

    def curve(self) -> str:
        """The function as a line and its derivative as a dashed one, as SVG."""
        return curve(self.row)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}

    # ------------------------------------------------------------------------------------- content

    def blocks(self, lang: str | None = None) -> list[Block]:
        """The card as a document."""
        words = languages.words(lang or self.lang, "card")
        return [
            Heading((self.row.name,)),
            Aligned((*self._equations(words),)),
            *(Paragraph(line) for line in self._remarks(words, lang or self.lang)),
        ]

    def _equations(self, words: Mapping[str, str]) -> Iterator[tuple[Written, tuple[Written, ...]]]:
        row = self.row
        operands = [_LETTERS[x] for x in row.operands]
        definition = _cases(row.told[0], words) if not row.is_primitive else None
        call = writing.operation(row, operands)
        yield _RESULT, (call, definition) if definition else (call,)
        for operand, slope in zip(operands, row.told[1:], strict=True):
            yield writing.quotient(_RESULT, operand), (_cases(slope, words),)

    def _remarks(self, words: Mapping[str, str], lang: str) -> Iterator[Sentence]:
        row = self.row
        if row.domain == "0":
            yield sentence(words["stopped"])
        elif row.kink and not row.domain and not _is_smooth(row):
            yield sentence(words["away"], places=writing.unequal(*self._kink()))
        else:
            domain: str | Written = words["everywhere"]
            if row.domain:
                domain = _condition(row.read(row.domain), _LETTERS, words)
            yield sentence(words["domain"], domain=domain)
            if row.kink and not _is_smooth(row):
                yield sentence(words["kink"], kink=writing.equation(self._kink()))
        note = languages.words(lang, "note").get(row.name) or row.note
        if lang == "zh" and row.note_zh:  # of an operation that a user defined
            note = row.note_zh
        if note:
            yield sentence(words["note"], note=note)

    def _kink(self) -> tuple[Written, Written]:
        """The two sides that are equal where a derivative jumps."""
        match self.row.read(self.row.kink):
            case Call("sub", (left, right)):
                return writing.formula(left, _LETTERS), writing.formula(right, _LETTERS)
            case tree:
                return writing.formula(tree, _LETTERS), writing.number(0.0)

    def _caption(self, words: Mapping[str, str]) -> Sentence:
        caption = sentence(words["curve"], operand=_LETTERS["x"])
        held = [
            writing.equation([_LETTERS[y], writing.number(HELD[y])]) for y in self.row.operands[1:]
        ]
        if not held:
            return caption
        listed = tuple(part for each in held for part in (", ", each))[1:]
        return (*caption, *sentence(words["held"], operands=listed))


def _is_smooth(row: Operation) -> bool:
    """Whether only a second derivative jumps where the one operand is 0, as that of elu does."""
    if row.kink != "x" or row.arity > 1:
        return False
    before, after = row.evaluate(-1e-9), row.evaluate(1e-9)
    sides = zip((before[0], *before[1]), (after[0], *after[1]), strict=True)
    return all(abs((a or 0.0) - (b or 0.0)) < 1e-6 for a, b in sides)


def _cases(tree: Tree, words: Mapping[str, str]) -> Written:
    """A formula; a choice that is the whole of it as a list of cases."""
    letters = _LETTERS | {RESULT: _RESULT}
    cases: list[tuple[Written, Written]] = []
    while isinstance(tree, Call) and tree.name == "where":
        test, then, tree = tree.operands
        condition = _condition(test, letters, words)
        if isinstance(test, str):
            condition = writing.unequal(condition, writing.number(0.0))
        cases.append((writing.formula(then, letters), condition))
    last = writing.formula(tree, letters)
    if not cases:
        return last
    texts = [f"{value.text} {words['if']} {test.text}" for value, test in cases]
    texts.append(f"{last.text} {words['otherwise']}")
    marks: list[Mark] = [(value.mark, _when(test, words)) for value, test in cases]
    marks.append((last.mark, ("mtext", words["otherwise"])))
    return Written(words["next case"].join(texts), ("cases", *marks), LOOSE, ATOM)


def _condition(tree: Tree, letters: Mapping[str, Written], words: Mapping[str, str]) -> Written:
    """A condition as a reader expects it: `abs(x) > 0` says that x is not 0."""
    match tree:
        case Call(
            "mul",
            (Call("gt" | "ge" | "le" | "lt") as left, Call("gt" | "ge" | "le" | "lt") as right),
        ):
            first, second = (_condition(side, letters, words) for side in (left, right))
            both = ("mrow", first.mark, ("mtext", f" {words['and']} "), second.mark)
            return Written(f"{first.text} {words['and']} {second.text}", both, LOOSE, LOOSE)
        case Call("gt" | "le" as sign, (Call("abs" | "hypot", sizes), 0.0)):
            written = [writing.formula(size, letters) for size in sizes]
            zero = writing.number(0.0)
            if sign == "le":
                return writing.equation([*written, zero])
            if len(written) == 1:
                return writing.unequal(written[0], zero)
            return writing.unequal(writing.point(written), writing.point([zero, zero]))
    return writing.formula(tree, letters)


def _when(test: Written, words: Mapping[str, str]) -> Mark:
    return ("mrow", ("mtext", f"{words['if']}\u00a0"), test.mark)
