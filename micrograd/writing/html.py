"""Tables as HTML, for notebooks. All text is escaped.

>>> table(["a"], [["<b>"]])
'<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table.

    Args:
        header: the names of the columns.
        rows: the cells of each row: texts or numbers.

    >>> table(["a"], [[1], [2]]).count("<tr>")
    3
    """

    def row(cells: Sequence[object], kind: str) -> str:
        return f"<tr>{''.join(f'<{kind}>{escape(str(cell))}</{kind}>' for cell in cells)}</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return f"<table><thead>{row(header, 'th')}</thead><tbody>{body}</tbody></table>"
