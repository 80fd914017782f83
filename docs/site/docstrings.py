"""Docstrings in Chinese, for the reference: their paragraphs and the entries of parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from docs.site import (
    zh_details,
    zh_details_drawing,
    zh_details_nn,
    zh_details_training,
    zh_recurring,
    zh_summaries,
)
from micrograd.ops import TABLE
from micrograd.writing import languages

TEXTS = {
    **zh_summaries.SUMMARIES,
    **zh_recurring.DETAILS,
    **zh_details.DETAILS,
    **zh_details_drawing.DETAILS,
    **zh_details_nn.DETAILS,
    **zh_details_training.DETAILS,
}
"""The translations of all texts, in one line each."""

_OF_OPERATIONS = {
    r"Local derivatives, out being the result: (.*)": r"局部导数（out 指结果）：\1",
    r"Domain: 0\.": "可导范围：无。",
    r"Domain: (.*)": r"可导范围：\1",
}
"""Paragraphs that are generated from the table of operations, and their translations."""


_MARKUP = re.compile(r"(?<!\\)([*|]|(?<=\w)_(?=\W|$))")
"""What reStructuredText would take for markup, unless a backslash precedes it."""


def marked(line: str) -> str:
    r"""A line of a docstring as reStructuredText: single backquotes mark code.

    >>> print(marked("the `x` of f(*x)"))
    the ``x`` of f(\*x)
    >>> print(marked("函数`f`（`x`）"))
    函数\ ``f``\ （\ ``x``\ ）
    """
    parts = re.split(r"(``.*?``|:\w+:`[^`]*`|`[^`]*`)", line)
    parts[::2] = [_MARKUP.sub(r"\\\1", text) for text in parts[::2]]
    parts[1::2] = [
        code if code[0] == ":" or code[:2] == "``" else f"`{code}`" for code in parts[1::2]
    ]
    for i in range(1, len(parts), 2):  # code ends only at a space or at certain marks
        before, after = parts[i - 1][-1:], parts[i + 1][:1]
        parts[i] = (r"\ " * (before > "~")) + parts[i] + (r"\ " * (after > "~"))
    return "".join(parts)


def summary(text: str) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join(inspect.cleandoc(text).partition("\n\n")[0].split())


def chinese(paragraph: str) -> str:
    """The translation of a paragraph in one line, or an empty string without a translation.

    >>> chinese("Return 0.")
    '返回 0。'
    >>> chinese("Domain: x > 0.")
    '可导范围：x > 0。'
    """
    for pattern, translation in _OF_OPERATIONS.items():
        if re.fullmatch(pattern, paragraph):
            text = re.sub(pattern, translation, paragraph)
            return re.sub(r"\.$", "。", text)
    return TEXTS.get(paragraph, "")


class Piece(NamedTuple):
    """A paragraph of a docstring, or the entry of a parameter, an error or a result.

    Attributes:
        head: what stands before the text: an indentation, and the name of a parameter.
        text: the text in one line; empty for a heading, an example or a blank line.
        lines: the lines as they are written.
    """

    head: str
    text: str
    lines: list[str]


_SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields):")
_ENTRY = re.compile(r" *(- |\*{0,2}\w[\w`, *]*: )")


def pieces(lines: Iterable[str]) -> Iterator[Piece]:
    """Cut a docstring in Google's style into its pieces.

    Args:
        lines: its lines, without common indentation.

    >>> for piece in pieces(["Add.", "", "Args:", "    x: a number", "        or two."]):
    ...     print(piece[:2])
    ('', 'Add.')
    ('', '')
    ('', '')
    ('    x: ', 'a number or two.')
    """
    for is_blank, found in groupby(lines, key=lambda line: not line.strip()):
        block = list(found)
        if is_blank or block[0].lstrip().startswith(">>>"):
            yield Piece("", "", block)
            continue
        section = _SECTION.fullmatch(block[0])
        if section:
            yield Piece("", "", block[:1])
            del block[0]
        has_names = section and section[1] not in ("Returns", "Yields")
        indent = re.match(" *", block[0]).end() if block else 0  # type: ignore[union-attr]
        entry: list[str] = []
        for line in block:
            starts = line[indent : indent + 1] != " " if has_names else line.startswith("- ")
            if entry and starts:
                yield _piece(entry, indent)
                entry = []
            entry.append(line)
        if entry:
            yield _piece(entry, indent if has_names else 0)


def _piece(lines: list[str], indent: int) -> Piece:
    head = _ENTRY.match(lines[0]) if indent or lines[0].startswith("- ") else None
    start = head.end() if head else re.match(" *", lines[0]).end()  # type: ignore[union-attr]
    text = " ".join([lines[0][start:], *map(str.strip, lines[1:])]).strip()
    return Piece(lines[0][:start], text, lines)


def translated(lines: Sequence[str], name: str) -> list[str]:
    """The lines of a docstring, in Chinese as far as it is translated.

    Args:
        lines: the docstring.
        name: what it describes, such as "micrograd.tanh".
    """
    key = name.rpartition(".")[2]
    note = languages.words("zh", "note").get(key, "") if key in TABLE else ""
    notes = {TABLE[key].note: note} if note else {}
    found: list[str] = []
    for piece in pieces(lines):
        text = piece.text and (notes.get(piece.text) or chinese(piece.text))
        found += [piece.head + text] if text else piece.lines
    return found
