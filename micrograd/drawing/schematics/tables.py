"""Tables of numbers: truth tables, training sets with predictions, and dot products."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from micrograd.drawing.schematics.canvas import (
    MARGIN,
    NAME,
    Canvas,
    Words,
    breadth,
    broken,
    digits,
    name_within,
    size_of,
)
from micrograd.drawing.svg_elements import SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing import notation
from micrograd.writing.notation import Formula

MOST_ROWS, MOST_COLUMNS = 40, 12

_ROW, _LINE, _PAD = 30.0, 22.0, 12.0


def draw_table(
    inputs: Iterable[Sequence[Any]],
    outputs: Mapping[str, Any],
    *,
    names: Sequence[str] = (),
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw a truth table, or a training set with targets and predictions.

    Args:
        inputs: the samples, one row for each.
        outputs: further columns by their headings: a list with a number for each row, or a function
            of a row, such as a model.
        names: the headings of the inputs; x₁, x₂, … by default.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if a row or a column has another length, or there are more than 40 rows or 12
            columns.

    >>> corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
    >>> table = draw_table(corners, {"AND": lambda x: x[0] * x[1]}, names=["a", "b"])
    >>> table.description
    'Columns a, b, AND. 0 0 | 0; 0 1 | 0; 1 0 | 0; 1 1 | 1.'
    """
    canvas = Canvas(width, theme, lang)
    rows = [list(row) for row in inputs]
    count = len(rows[0]) if rows else 0
    headings = [*names] or [f"x_{i + 1}" for i in range(count)]
    if any(len(row) != len(headings) for row in rows):
        raise ValueError(f"each row has {len(headings)} inputs, one for each name")
    columns = [_column(name, column, rows) for name, column in outputs.items()]
    if not 0 < len(rows) <= MOST_ROWS or len(headings) + len(columns) > MOST_COLUMNS:
        raise ValueError(
            f"a table has 1 to {MOST_ROWS} rows and at most {MOST_COLUMNS} columns, got "
            f"{len(rows)} and {len(headings) + len(columns)}"
        )
    shown = [
        [digits(x) for x in row] + [digits(column[i]) for column in columns]
        for i, row in enumerate(rows)
    ]
    count = len(headings) + len(columns)
    room = (canvas.width - 2 * MARGIN) / count - 2 * _PAD
    header = [name_within(name, max(room, 40.0)) for name in (*headings, *outputs)]
    bottom = draw_grid(canvas, 10.0, header, shown, after=len(headings))
    listed = "; ".join(
        " ".join(row[: len(headings)]) + " | " + " ".join(row[len(headings) :]) for row in shown
    )
    texts = ", ".join(formula.text for formula in header)
    seen = canvas.words["table seen"].format(columns=texts, rows=listed)
    return canvas.drawing("a table", canvas.words["table"], seen, bottom + 10.0)


def _column(name: str, column: Any, rows: Sequence[Sequence[Any]]) -> list[Any]:
    if callable(column):
        found = [column(row) for row in rows]
        return [each[0] if isinstance(each, list | tuple) else each for each in found]
    numbers = list(column)
    if len(numbers) != len(rows):
        raise ValueError(f"the column {name!r} has {len(numbers)} numbers for {len(rows)} rows")
    return numbers


def draw_dot_product(
    a: Iterable[Any],
    b: Iterable[Any],
    *,
    names: tuple[str, str] = ("a", "b"),
    columns: Sequence[str] = (),
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw two vectors column by column, with the products below them and their sum.

    A product is on green ground if it is positive, and on pink ground if it is negative.

    Args:
        a: the numbers of one vector.
        b: those of the other.
        names: what the vectors are called.
        columns: headings of the columns, such as the names of inputs; none by default.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if the vectors differ in length, or have more than 12 numbers.

    >>> draw_dot_product([0, 1, 1, 0], [-1, 1, 0, 0], names=("c", "e")).description
    'c = (0, 1, 1, 0), e = (−1, 1, 0, 0); the products are 0, 1, 0, 0 and their sum c · e is 1.'
    """
    canvas = Canvas(width, theme, lang)
    first, second = ([float(getattr(x, "data", x)) for x in each] for each in (a, b))
    if len(first) != len(second) or not 0 < len(first) <= MOST_COLUMNS:
        raise ValueError(
            f"a dot product has two vectors of the same length, at most {MOST_COLUMNS}; got "
            f"{len(first)} and {len(second)}"
        )
    products = [x * y for x, y in zip(first, second, strict=True)]
    room = (canvas.width - 2 * MARGIN) / (len(first) + 2) - 2 * _PAD
    left, right = (name_within(name, max(room, 40.0) / 2) for name in names)
    both = notation.product([left, right])
    rows: list[list[Words]] = [
        [name, *map(digits, numbers)]
        for name, numbers in ((left, first), (right, second), (both, products))
    ]
    sum_of = digits(sum(products))
    rows[2].append(f"= {sum_of}")
    rows[0].append("")
    rows[1].append("")
    header: list[Words] = [
        "",
        *(name_within(name, max(room, 40.0)) for name in columns),
        canvas.words["sum"],
    ]
    if not columns:
        header = []
    tints = {
        (2, i): "unit_head" if product > 0 else "loss_fill"
        for i, product in enumerate(products, 1)
        if product
    }
    bottom = draw_grid(canvas, 10.0, header, rows, tints=tints, heads=1)
    vectors = [", ".join(map(digits, each)) for each in (first, second, products)]
    seen = canvas.words["dot seen"].format(
        a=left.text, first=vectors[0], b=right.text, second=vectors[1], products=vectors[2],
        dot=both.text, sum=sum_of,
    )  # fmt: skip
    title = canvas.words["dot"].format(dot=both.text)
    return canvas.drawing("a dot product", title, seen, bottom + 10.0)


# --------------------------------------------------------------------------------------------- grid


def draw_grid(
    canvas: Canvas,
    top: float,
    header: Sequence[Words],
    rows: Sequence[Sequence[Words]],
    *,
    after: int = 0,
    tints: Mapping[tuple[int, int], str] | None = None,
    heads: int = 0,
) -> float:
    """Draw cells in rows and columns, centred, and return the bottom.

    Words that are too long are broken into lines. A line stands after column number `after`, and
    `tints` has the background of cells by row and column. The first `heads` columns are bold.
    """
    lines = [list(header), *map(list, rows)] if header else [list(row) for row in rows]
    room = canvas.width - 2 * MARGIN
    widths = _widths(lines, room)
    left = (canvas.width - sum(widths)) / 2
    y = top
    for i, row in enumerate(lines):
        wrapped = [broken([cell], w - _PAD) for cell, w in zip(row, widths, strict=True)]
        height = _ROW + _LINE * (max(map(len, wrapped)) - 1)
        is_header = bool(header) and i == 0
        if is_header:
            canvas.box((left, y), (sum(widths), height), fill="value_head")
        x = left
        for j, (cell, across) in enumerate(zip(wrapped, widths, strict=True)):
            tint = (tints or {}).get((i - bool(header), j))
            if tint:
                canvas.box((x + 3.0, y + 3.0), (across - 6.0, height - 6.0), fill=tint, round_=4.0)
            _cell(canvas, cell, (x + across / 2, y + height / 2), bold=is_header or j < heads)
            x += across
        y += height
        canvas.line([(left, y), (left + sum(widths), y)], "group_line", pen=1.0)
    if after:
        x = left + sum(widths[:after])
        canvas.line([(x, top), (x, y)], "line")
    return y


def _cell(
    canvas: Canvas, lines: Sequence[Sequence[Words]], at: tuple[float, float], *, bold: bool
) -> None:
    y = at[1] - _LINE * (len(lines) - 1) / 2
    for line in lines:
        for piece in line:
            if isinstance(piece, Formula) or piece.strip():
                size = size_of(piece)
                canvas.text((at[0], y), piece, size=size, bold=bold and isinstance(piece, str))
        y += _LINE


def _widths(lines: Sequence[Sequence[Words]], room: float) -> list[float]:
    """The widths of the columns: what they need, or less of the widest if there is no room."""
    needed = [
        max(
            breadth(cell, NAME if isinstance(cell, Formula) else 14.0, bold=True) for cell in column
        )
        + 2 * _PAD
        for column in zip(*lines, strict=True)
    ]
    if sum(needed) > room:
        share = room / len(needed)
        small = [each for each in needed if each <= share]
        wide = (room - sum(small)) / max(len(needed) - len(small), 1)
        needed = [each if each <= share else wide for each in needed]
    spare = min((room - sum(needed)) / len(needed), 30.0)
    return [each + max(spare, 0.0) for each in needed]
