"""Documents of words, formulas and tables, printed as text, Markdown, HTML and LaTeX."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from textwrap import dedent
from typing import Any, NamedTuple

from micrograd.writing import numbers
from micrograd.writing.html import table
from micrograd.writing.labels import columns, filled, in_columns, pieces
from micrograd.writing.marks import MATH_STYLE, latex, mathml
from micrograd.writing.notation import Formula, equals, joined

Sentence = tuple["str | Formula", ...]


class Heading(NamedTuple):
    """A heading."""

    words: Sentence
    level: int = 1


class Paragraph(NamedTuple):
    """Words with formulas among them; in text, in lines of a width unless it is 0."""

    words: Sentence
    width: int = 0


Step = Formula | tuple[Formula, ...]
"""A right side of an equation; several formulas are its lines."""
Equation = tuple[Formula, tuple[Step, ...]]


class Equations(NamedTuple):
    """Equations one below another, each as a left side and the right sides, step by step.

    In text, right sides stand beside the left ones or, if `is_narrow`, below them.
    """

    equations: tuple[Equation, ...]
    is_narrow: bool = False


class Let(NamedTuple):
    """Definitions: one after the other in a sentence, or as equations where one is long."""

    word: str
    comma: str
    equations: tuple[Equation, ...]
    width: int
    is_narrow: bool = False

    def blocks(self) -> tuple[PlainBlock, ...]:
        """The sentence; or the word and the equations, if a definition does not fit in a line."""
        words: list[str | Formula] = []
        for left, (right,) in self.equations:
            lines = lines_of(right)
            whole = joined(equals(lines[0]), [left, lines[0]])
            others = columns(f"{self.word} {self.comma.rstrip()}")
            is_long = columns(whole.text) > self.width - others
            if len(lines) > 1 or "\n" in whole.text or is_long:
                return Paragraph((self.word,)), Equations(self.equations, self.is_narrow)
            words += [self.comma if words else f"{self.word} ", whole]
        return (Paragraph(tuple(words), self.width),)


class TableBlock(NamedTuple):
    """Rows of cells under headers."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str | Formula, ...], ...]


PlainBlock = Heading | Paragraph | Equations | TableBlock
Block = PlainBlock | Let


def _plain(blocks: Iterable[Block]) -> Iterator[PlainBlock]:
    """The blocks, with sentences or equations in place of definitions."""
    for block in blocks:
        yield from block.blocks() if isinstance(block, Let) else (block,)


def sentence(template: str, **parts: Any) -> Sentence:
    """A text of a language with formulas, numbers or sentences in its places `{…}`."""
    words: list[str | Formula] = []
    for piece in re.split(r"(\{[a-z]+\})", template):
        part = parts[piece[1:-1]] if piece.startswith("{") else piece
        if isinstance(part, tuple):
            words += part
        elif part != "":
            words.append(part if isinstance(part, Formula) else str(part))
    return tuple(words)


def listed(parts: Sequence[str | Formula | Sentence], comma: str) -> Sentence:
    """The parts with a comma, or whatever separates them, between any two."""
    words: list[str | Formula] = []
    for part in parts:
        words += [comma] if words and comma else []
        words += part if isinstance(part, tuple) else [part]
    return tuple(words)


_BRACKETS = re.compile(r"\\left(?![a-z])|\\right(?![a-z])|[()\s]")


def lines_of(step: Step) -> tuple[Formula, ...]:
    """The lines of a right side."""
    return step if isinstance(step, tuple) else (step,)


def _as_written(line: Formula) -> object:
    return line.text, line.mark


def _as_typeset(line: Formula) -> object:
    return _BRACKETS.sub("", latex(line.mark))  # ln Φ(x) = ln(Φ(x)) would say nothing


def right_sides(
    steps: Sequence[Step], shown: Callable[[Formula], object] = _as_written
) -> Iterator[tuple[str, tuple[Formula, ...]]]:
    """The right sides in lines, each with its sign; those that look like the one before are left
    out. `shown` is how a line looks.
    """
    before = None
    for step in steps:
        lines = lines_of(step)
        look = [*map(shown, lines)]
        if look != before:
            yield "=" if all(line.exact for line in lines) else "≈", lines
        before = look


# --------------------------------------------------------------------------------------------- text


def as_text(blocks: Sequence[Block]) -> str:
    """Plain text, with columns that line up on a terminal."""
    shown = _plain(map(_typographic, blocks))
    return "\n\n".join("\n".join(_text_lines(block)) for block in shown) + "\n"


def _typographic(block: Any) -> Any:
    """The block with the minus signs of print in the texts of its formulas."""
    match block:
        case Formula():
            return replace(block, text=numbers.typographic(block.text))
        case tuple():
            parts = map(_typographic, block)
            return type(block)(*parts) if hasattr(block, "_fields") else tuple(parts)
    return block


def as_equations(blocks: Sequence[Block]) -> str:
    """The equations alone, as plain text."""
    shown = (_typographic(block) for block in blocks if isinstance(block, Equations))
    return dedent("\n".join(line for block in shown for line in _text_lines(block)))


def _text_lines(block: PlainBlock) -> Iterator[str]:
    match block:
        case Heading(words, level):
            yield _text(words)
            yield ("=" if level == 1 else "-") * columns(_text(words))
        case Paragraph(words, width):
            yield from _wrapped(words, width) if width else (_text(words),)
        case Equations(equations, is_narrow):
            widest = 1 if is_narrow else max(columns(left.text) for left, _ in equations)
            for left, steps in equations:
                if is_narrow:
                    yield f"  {left.text}"
                start = "" if is_narrow else left.text
                indent = start + " " * (widest - columns(start))
                for sign, (first, *others) in right_sides(steps):
                    yield from _beside(f"  {indent} {sign} ", first.text)
                    indent = " " * widest
                    for other in others:
                        yield from _beside(f"  {indent}   ", other.text)
        case TableBlock(headers, rows):
            cells = [headers, *(tuple(map(_cell_text, row)) for row in rows)]
            widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
            cells.insert(1, tuple("─" * width for width in widths))
            yield from (f"  {line}" for line in in_columns(cells))


def _wrapped(words: Sentence, width: int) -> Iterator[str]:
    """The sentence in lines, broken between words and around formulas, not within them."""
    parts: list[str] = []
    for word in words:
        parts += [word.text] if isinstance(word, Formula) else pieces(word)
    return filled(parts, width)


def _beside(start: str, text: str) -> Iterator[str]:
    """The lines of a formula; those of a matrix stand one below another."""
    first, *others = text.split("\n")
    yield start + first
    yield from (" " * columns(start) + line for line in others)


def _text(words: Sentence) -> str:
    return "".join(map(_cell_text, words))


def _cell_text(cell: str | Formula) -> str:
    return cell if isinstance(cell, str) else cell.text


# ----------------------------------------------------------------------------------------- Markdown


def as_markdown(blocks: Sequence[Block]) -> str:
    """Markdown with formulas in LaTeX between dollar signs."""
    return "\n\n".join(map(_markdown, _plain(blocks))) + "\n"


def _markdown(block: PlainBlock) -> str:
    match block:
        case Heading(words, level):
            return f"{'#' * (level + 1)} {_inline(words)}"
        case Paragraph(words):
            return _inline(words)
        case Equations():
            return f"$$\n{as_aligned([block])}\n$$"
        case TableBlock(headers, rows):
            lines = [headers, ("---",) * len(headers)]
            lines += [tuple(_inline((cell,)) for cell in row) for row in rows]
            return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _inline(words: Sentence) -> str:
    return "".join(word if isinstance(word, str) else f"${latex(word.mark)}$" for word in words)


# -------------------------------------------------------------------------------------------- LaTeX


def as_aligned(blocks: Sequence[Block]) -> str:
    """The equations alone, as one `aligned` block for math mode."""
    lines = []
    for block in blocks:
        if isinstance(block, Equations | Let):
            for left, steps in block.equations:
                side = latex(left.mark)
                for sign, (first, *others) in right_sides(steps, _as_typeset):
                    lines.append(f"{side} {_SIGNS[sign]} {latex(first.mark)}")
                    lines += [rf"  &\quad {latex(line.mark)}" for line in others]
                    side = " "
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


_SIGNS = {"=": "&=", "≈": r"&\approx"}


# --------------------------------------------------------------------------------------------- HTML


STYLE = (
    f"{MATH_STYLE}"
    "mtable.aligned > mtr > mtd { padding: 0.28em 0.15em; text-align: left; } "
    "mtable.aligned > mtr > mtd:first-child { text-align: right; text-align: -webkit-right; } "
    ".scroll { overflow-x: auto; }"
)
"""Style for these elements: a font that has the bars, and equations aligned at their signs."""


def as_html(blocks: Sequence[Block], *, level: int = 1) -> str:
    """Elements of HTML with formulas in MathML; headings begin at `level`."""
    return "\n".join(_html(block, level) for block in _plain(blocks))


def as_styled_html(blocks: Sequence[Block], *, level: int = 1) -> str:
    """Elements of HTML together with their style, for a page that does not style them."""
    return f"<style>{STYLE}</style>\n{as_html(blocks, level=level)}"


def _html(block: PlainBlock, level: int) -> str:
    match block:
        case Heading(words, deeper):
            tag = f"h{min(6, level + deeper - 1)}"
            return f"<{tag}>{_html_words(words)}</{tag}>"
        case Paragraph(words):
            return f"<p>{_html_words(words)}</p>"
        case Equations(equations):
            rows = []
            for left, steps in equations:
                side = mathml(left.mark)
                for sign, lines in right_sides(steps, _as_typeset):
                    for i, line in enumerate(lines):
                        sign_ = "" if i else f"<mo>{sign}</mo>"
                        right = mathml(line.mark if i == 0 else ("mrow", ("gap",), line.mark))
                        rows.append(
                            f"<mtr><mtd>{side}</mtd><mtd>{sign_}</mtd><mtd>{right}</mtd></mtr>"
                        )
                        side = ""
            columns = 'class="aligned" columnalign="right center left"'
            shown = f"<mtable {columns}>{''.join(rows)}</mtable>"
            return f'<div class="scroll"><math display="block">{shown}</math></div>'
        case TableBlock(headers, rows_):
            shown = table(headers, rows_, lambda cell: _html_words((cell,)))
            return f'<div class="scroll">{shown}</div>'


def _html_words(words: Sentence) -> str:
    shown = "".join(
        html.escape(word) if isinstance(word, str) else f"<math>{mathml(word.mark)}</math>"
        for word in words
    )
    # A style sheet can keep these on one line: a formula, and the punctuation after it.
    together = r"(<math>(?:(?!</math>).)*</math>[^\w\s<])"
    return re.sub(together, r'<span class="kept">\1</span>', shown)
