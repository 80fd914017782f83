"""Tables of numbers: truth tables, training sets with predictions, and dot products."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from micrograd.drawing.metrics import BOLD
from micrograd.drawing.schematics.canvas import (
    MARGIN,
    NAME,
    Canvas,
    Words,
    breadth,
    broken,
    digits,
    number,
    shared,
    size_of,
)
from micrograd.drawing.svg_elements import SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing import notation
from micrograd.writing.notation import Formula, named

MOST_ROWS, MOST_COLUMNS = 40, 12

_ROW, _LINE = 30.0, 22.0
_PAD, _NARROW = 12.0, 4.0  # beside the text in a cell, usually and at least


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
        ValueError: if a row or a column has another length, there are more than 40 rows or 12
            columns, or the width has no room for them.

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
    numbers = [[*row, *(column[i] for column in columns)] for i, row in enumerate(rows)]
    shown = _written(canvas, numbers)
    needed = [
        2 * _NARROW + max(breadth(named(name), NAME), *map(breadth, column))
        for name, column in zip((*headings, *outputs), zip(*shown, strict=True), strict=True)
    ]
    symbols = [f"x_{i + 1}" for i in range(count)] + [f"y_{i + 1}" for i in range(len(outputs))]
    rooms = shared(needed, canvas.width - 2 * MARGIN)
    header = [
        canvas.name(name, room - 2 * _NARROW + 0.01, symbol)
        for name, room, symbol in zip((*headings, *outputs), rooms, symbols, strict=True)
    ]
    bottom = draw_grid(canvas, 10.0, header, shown, after=len(headings))
    listed = canvas.words["next row"].join(
        " ".join(row[: len(headings)]) + " | " + " ".join(row[len(headings) :]) for row in shown
    )
    texts = canvas.words["next"].join(formula.text for formula in header)
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


def _written(
    canvas: Canvas, rows: Sequence[Sequence[Any]], *, besides: float = 0.0
) -> list[list[str]]:
    """Numbers with as many digits as there is room for in columns.

    Raises:
        ValueError: if there is no room even for two digits.
    """
    for count in (4, 3, 2):
        texts = [[digits(x, count) for x in row] for row in rows]
        widths = [max(map(breadth, column)) for column in zip_longest(*texts, fillvalue="")]
        room = canvas.width - 2 * MARGIN - besides - 2 * _NARROW * len(widths)
        if sum(widths) <= room:
            return texts
    raise ValueError(
        f"{canvas.width:g} pixels have no room for {len(widths)} columns of numbers: "
        "use a larger width, or fewer columns"
    )


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

    A product has a green background if it is positive, and a pink one if it is negative.

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
        ValueError: if the vectors differ in length, have more than 12 numbers, or need more room.

    >>> draw_dot_product([0, 1, 1, 0], [-1, 1, 0, 0], names=("c", "e")).description
    'c = (0, 1, 1, 0), e = (−1, 1, 0, 0); the products are 0, 1, 0, 0 and their sum c · e is 1.'
    """
    canvas = Canvas(width, theme, lang)
    first, second = ([number(x) for x in each] for each in (a, b))
    if len(first) != len(second) or not 0 < len(first) <= MOST_COLUMNS:
        raise ValueError(
            f"a dot product has two vectors of the same length, at most {MOST_COLUMNS}; got "
            f"{len(first)} and {len(second)}"
        )
    products = [x * y for x, y in zip(first, second, strict=True)]
    room = (canvas.width - 2 * MARGIN) / (len(first) + 2) - 2 * _NARROW  # in equal columns
    total = sum(products)
    columns_ = zip(first, second, products, strict=True)
    taken = sum(max(breadth(digits(x)) for x in each) + 2 * _NARROW for each in columns_)
    taken += breadth(f"·= {digits(total)}") + 4 * _NARROW
    free = canvas.width - 2 * MARGIN - taken  # for both names, if no number is shortened
    left, right = (canvas.name(each, free / 2, s) for each, s in zip(names, "ab", strict=True))
    both = notation.product([left, right])
    besides = breadth(both, NAME) + breadth("= ")
    texts = _written(canvas, [first, second, [*products, total]], besides=besides)
    rows: list[list[Words]] = [[left, *texts[0], ""], [right, *texts[1], ""]]
    rows.append([both, *texts[2][:-1], f"= {texts[2][-1]}"])
    header: list[Words] = []
    if columns:
        header = [
            "",
            *canvas.names(columns, room, [str(i + 1) for i in range(len(columns))]),
            canvas.words["sum"],
        ]
    tints = {
        (2, i): "unit_head" if product > 0 else "loss_fill"
        for i, product in enumerate(products, 1)
        if product
    }
    bottom = draw_grid(canvas, 10.0, header, rows, tints=tints, heads=1)
    vectors = [", ".join(map(digits, each)) for each in (first, second, products)]
    seen = canvas.words["dot seen"].format(
        a=left.text, first=vectors[0], b=right.text, second=vectors[1], products=vectors[2],
        dot=both.text, sum=digits(total),
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
        is_header = bool(header) and i == 0
        bold = BOLD if is_header else 1.0
        rooms = ((across - 2 * _NARROW) / bold + 0.01 for across in widths)
        wrapped = [broken([cell], room) for cell, room in zip(row, rooms, strict=True)]
        height = _ROW + _LINE * (max(map(len, wrapped)) - 1)
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
    """The widths of the columns: what they need; with too little room, the widest get less."""
    texts = [
        max(breadth(cell, size_of(cell), bold=i == 0) for i, cell in enumerate(column))
        for column in zip(*lines, strict=True)
    ]
    pad = (room - sum(texts)) / (2 * len(texts))
    needed = [each + 2 * min(max(pad, _NARROW), _PAD) for each in texts]
    if pad < _NARROW:
        needed = shared(needed, room)
    spare = min((room - sum(needed)) / len(needed), 30.0)
    return [each + max(spare, 0.0) for each in needed]
