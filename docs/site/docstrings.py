"""Docstrings in Chinese, for the reference: their first paragraph, and all of an operation's."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence

from docs.site.zh_summaries import SUMMARIES
from micrograd.ops import TABLE
from micrograd.writing import languages

_OF_OPERATIONS = {
    r"Local derivatives, out being the result: (.*)": r"局部导数（out 指结果）：\1",
    r"Domain: 0\.": "可导范围：无。",
    r"Domain: (.*)": r"可导范围：\1",
    r"Apply the operation (.*), under the name by which NumPy or Python calls it\.": (
        r"即运算 \1，用的是 NumPy 或 Python 的名字。"
    ),
}
"""Paragraphs that are generated from the table of operations, and their translations."""


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
    return SUMMARIES.get(paragraph, "")


def translated(lines: Sequence[str], name: str) -> list[str]:
    """The lines of a docstring, in Chinese as far as it is translated.

    Args:
        lines: the docstring.
        name: what it describes, such as "micrograd.tanh".
    """
    key = name.rpartition(".")[2]
    note = languages.words("zh", "note").get(key, "") if key in TABLE else ""
    notes = {TABLE[key].note: note} if note else {}
    paragraphs = "\n".join(lines).split("\n\n")
    count = len(paragraphs) if key in TABLE else 1
    for i, paragraph in enumerate(paragraphs[:count]):
        text = " ".join(paragraph.split())
        paragraphs[i] = notes.get(text) or chinese(text) or paragraph
    return "\n\n".join(paragraphs).split("\n")
