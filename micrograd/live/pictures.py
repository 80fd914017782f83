"""Where a live page draws its picture: the places of the compact picture, with room for sliders.

There is one layout for a wide and one for a narrow window, each as large as it is shown. The page's
script draws it, so that a layout takes little space in the file.
"""

from __future__ import annotations

from typing import Any

from micrograd.drawing.named.builder import named_picture
from micrograd.drawing.named.layout import FORMULA, Layout, laid_out, note_name
from micrograd.drawing.picture import Box, Picture
from micrograd.drawing.spans import Line, Span, placed
from micrograd.drawing.svg_elements import Point
from micrograd.engine.value import Value

WIDE, NARROW = 720, 342
LEAF = (130.0, 50.0)  # width and height of a slider and a field for the number, in pixels: five of
# them stand side by side on a wide page, and two on a phone, with arrows beside them
MOST_NOTES = 14  # arrows with numbers on them, beyond which there are none
_NUMBER, _SLOPE = "−0.000000", "−0.0000"  # as wide as most numbers


def layouts(output: Value, names: Any, max_values: int) -> list[dict[str, Any]]:
    """The wide and the narrow layout, or the only one if both are the same, as data for the page.

    Args:
        output: the value at the top of the graph.
        names: the caller's variables, or a model, for values without a label.
        max_values: the most named values.

    Each has the `size` of the picture; whether it is read `across`; and the named values and the
    edges in the order of the page's data. An entry of `boxes` has the corner, the size, the role
    and the lines of text. An entry of `wires` has the points that a curve passes, each as its
    distance from the last one, or those of two curves and the place of the number between them.
    """
    picture = named_picture(
        [output], names=names, hide=("values", "gradients"), max_nodes=max_values
    )
    count = sum(1 for _ in picture.arrows())
    note = (Span(_SLOPE, "mn"),) if count <= MOST_NOTES else ()
    boxes = [_with_room(box, note) for box in picture.boxes]
    wide, narrow = (
        _data(drawn, laid_out(drawn, fold=False))
        for width in (WIDE, NARROW)
        for drawn in [picture._replace(boxes=boxes, direction="", width=width)]
    )
    return [wide] if wide == narrow else [wide, narrow]


def _with_room(box: Box, note: Line) -> Box:
    if box.operation is None:
        return box._replace(room=LEAF)
    box = box.with_arrows([arrow._replace(formula=note) for arrow in box.arrows])
    return box._replace(data=_NUMBER, grad=_NUMBER)


def _data(picture: Picture, layout: Layout) -> dict[str, Any]:
    return {
        "size": layout.size,
        "across": layout.direction == "LR",
        "boxes": [_box(box, layout) for box in picture.boxes],
        "wires": [_wire(arrow.name, layout) for arrow, _ in picture.arrows()],
    }


def _box(box: Box, layout: Layout) -> list[Any]:
    (x, y), (wide, tall) = layout.centres[box.name], layout.sizes[box.name]
    lines = [_spans(line) for line in layout.lines[box.name]]
    return [round(x - wide / 2), round(y - tall / 2), round(wide), round(tall), box.role, lines]


def _spans(line: Line) -> list[Any]:
    """The spans of a line: upright letters on the line as their text alone, others as a list.

    The list has the text, whether it is italic, and for a script how far it is moved to the right,
    and below the line.
    """
    spans: list[Any] = []
    for span, dx, y in placed(line, FORMULA):
        is_italic = int(span.tag == "mi")
        if span.shift:
            spans.append([span.text, is_italic, round(dx, 1), round(y, 1)])
        elif is_italic:
            spans.append([span.text, is_italic])
        elif spans and isinstance(spans[-1], str):
            spans[-1] += span.text
        else:
            spans.append(span.text)
    return spans


def _wire(arrow: str, layout: Layout) -> list[Any]:
    """The points of an arrow, in pairs of parts if it has a number, and the number's place."""
    note = note_name(arrow)
    if note not in layout.centres:
        return [_points(layout.wires[arrow])]
    x, y = layout.centres[note]
    parts = [_points(layout.wires[name]) for name in (f"{arrow}s", arrow)]
    return [*parts, [round(x), round(y)]]


def _points(wire: list[Point]) -> list[int]:
    """The points of a curve, each as its distance from the last one, without its controls."""
    points = [(round(x), round(y)) for x, y in wire[::3]]
    kept = [
        point
        for i, point in enumerate(points)
        if not (0 < i < len(points) - 1 and _is_between(points[i - 1], point, points[i + 1]))
    ]
    steps = zip(kept, [(0, 0), *kept], strict=False)
    return [there - here for point, last in steps for there, here in zip(point, last, strict=True)]


def _is_between(before: Point, point: Point, after: Point) -> bool:
    """Whether three points are on a line along an axis."""
    return any(before[k] == point[k] == after[k] for k in (0, 1))
