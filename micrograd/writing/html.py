"""Tables as HTML, for notebooks. All text is escaped.

>>> table(["a"], [["<b>"]])
'<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    shown: Callable[[Any], str] = lambda cell: escape(str(cell)),
) -> str:
    """Return a table.

    Args:
        header: the names of the columns.
        rows: the cells of each row: texts or numbers.
        shown: what a cell is as HTML.

    >>> table(["a"], [[1], [2]]).count("<tr>")
    3
    """

    def row(cells: Sequence[Any], kind: str) -> str:
        return f"<tr>{''.join(f'<{kind}>{shown(cell)}</{kind}>' for cell in cells)}</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return f"<table><thead>{row(header, 'th')}</thead><tbody>{body}</tbody></table>"
