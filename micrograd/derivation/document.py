"""Documents of words, formulas and tables, printed as text, Markdown, HTML and LaTeX."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from textwrap import dedent
from typing import Any, NamedTuple

from micrograd.writing.labels import columns
from micrograd.writing.marks import latex, mathml
from micrograd.writing.notation import Formula, distinct, equals

Sentence = tuple["str | Formula", ...]


class Heading(NamedTuple):
    """A heading."""

    words: Sentence
    level: int = 1


class Paragraph(NamedTuple):
    """Words with formulas among them."""

    words: Sentence


class Equations(NamedTuple):
    """Equations below each other, each as a left side and the right sides, step by step."""

    equations: tuple[tuple[Formula, tuple[Formula, ...]], ...]


class TableBlock(NamedTuple):
    """Rows of cells under headers."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str | Formula, ...], ...]


Block = Heading | Paragraph | Equations | TableBlock


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


# --------------------------------------------------------------------------------------------- text


def as_text(blocks: Sequence[Block]) -> str:
    """Plain text, with columns that line up on a terminal."""
    return "\n\n".join("\n".join(_text_lines(block)) for block in blocks) + "\n"


def as_equations(blocks: Sequence[Block]) -> str:
    """The equations alone, as plain text."""
    lines = (
        line for block in blocks if isinstance(block, Equations) for line in _text_lines(block)
    )
    return dedent("\n".join(lines))


def _text_lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(words, level):
            yield _text(words)
            yield ("=" if level == 1 else "-") * columns(_text(words))
        case Paragraph(words):
            yield _text(words)
        case Equations(equations):
            widest = max(columns(left.text) for left, _ in equations)
            for left, steps in equations:
                indent = _padded(left.text, widest)
                for step in distinct(steps):
                    yield from _beside(f"  {indent} {equals(step)} ", step.text)
                    indent = " " * widest
        case TableBlock(headers, rows):
            cells = [headers, *(tuple(map(_cell_text, row)) for row in rows)]
            widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
            cells.insert(1, tuple("─" * width for width in widths))
            for row in cells:
                line = "  ".join(map(_padded, row, widths))
                yield f"  {line}".rstrip()


def _beside(start: str, text: str) -> Iterator[str]:
    """The lines of a formula; those of a matrix stand below each other."""
    first, *others = text.split("\n")
    yield start + first
    yield from (" " * columns(start) + line for line in others)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _text(words: Sentence) -> str:
    return "".join(map(_cell_text, words))


def _cell_text(cell: str | Formula) -> str:
    return cell if isinstance(cell, str) else cell.text


# ----------------------------------------------------------------------------------------- Markdown


def as_markdown(blocks: Sequence[Block]) -> str:
    """Markdown with formulas in LaTeX between dollar signs."""
    return "\n\n".join(map(_markdown, blocks)) + "\n"


def _markdown(block: Block) -> str:
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
        if isinstance(block, Equations):
            for left, steps in block.equations:
                first, *others = _by_mark(steps)
                lines.append(f"{latex(left.mark)} {_sign(first)} {latex(first.mark)}")
                lines += [f"  {_sign(step)} {latex(step.mark)}" for step in others]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _by_mark(steps: Sequence[Formula]) -> list[Formula]:
    """The steps without those that are typeset like the one before, even if their texts differ."""
    return [
        step
        for i, step in enumerate(steps)
        if i == 0 or latex(step.mark) != latex(steps[i - 1].mark)
    ]


def _sign(step: Formula) -> str:
    return "&=" if step.exact else r"&\approx"


# --------------------------------------------------------------------------------------------- HTML


def as_html(blocks: Sequence[Block], *, level: int = 1) -> str:
    """Elements of HTML with formulas in MathML; headings begin at `level`."""
    return "\n".join(_html(block, level) for block in blocks)


def _html(block: Block, level: int) -> str:
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
                for step in _by_mark(steps):
                    rows.append(
                        f"<mtr><mtd>{side}</mtd><mtd><mo>{equals(step)}</mo></mtd>"
                        f"<mtd>{mathml(step.mark)}</mtd></mtr>"
                    )
                    side = ""
            columns = 'class="aligned" columnalign="right center left"'
            table = f"<mtable {columns}>{''.join(rows)}</mtable>"
            return f'<div class="scroll"><math display="block">{table}</math></div>'
        case TableBlock(headers, rows_):
            head = "".join(f"<th>{html.escape(header)}</th>" for header in headers)
            body = "".join(
                f"<tr>{''.join(f'<td>{_html_words((cell,))}</td>' for cell in row)}</tr>"
                for row in rows_
            )
            return (
                f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
                f"<tbody>{body}</tbody></table></div>"
            )


def _html_words(words: Sentence) -> str:
    shown = "".join(
        html.escape(word) if isinstance(word, str) else f"<math>{mathml(word.mark)}</math>"
        for word in words
    )
    # A style sheet can keep these on one line: a formula, and the punctuation after it.
    together = r"(<math>(?:(?!</math>).)*</math>[^\w\s<])"
    return re.sub(together, r'<span class="kept">\1</span>', shown)
