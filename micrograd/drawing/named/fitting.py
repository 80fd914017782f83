"""A compact picture for a frame: with as much in it as can be read there.

A page shows a picture in a frame of a given size. If the whole picture would be too small in it,
the partials on the arrows are left out, and if that is not enough, the given weights, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from micrograd.drawing.named.builder import placed
from micrograd.drawing.named.layout import MARGIN, NOTE, NUMBERS, PAD, Layout, numbers_widths
from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.placement import BETWEEN
from micrograd.drawing.spans import SCRIPT, Line
from micrograd.drawing.svg_elements import Point

_SMALLEST = 11.0  # letters, in pixels
READABLE = _SMALLEST / NUMBERS  # the scale at which only scripts may be too small
_ENOUGH = (0.9, READABLE)  # the scale at which a picture is taken: the first one, a later one
_HOPELESS = 0.7  # a picture that is smaller by this factor is not tried in other forms
_MOST_ARROWS, _MANY = 80, 40  # arrows that can be told apart; boxes that are placed in one way
_WIDER = (1.0, 1.13, 1 / READABLE)  # than the frame, since a picture may be made smaller


def simpler(picture: Picture) -> list[Picture]:
    """The picture, then simpler ones."""
    light = without_weights(picture)
    names = with_names_only(light)
    return [picture, without_partials(picture), light, names, stacked(names)]


def best(pictures: Sequence[Picture], frame: Point, enough: float = 0.0) -> Picture:
    """The first of the pictures that is large enough in the frame, or the largest.

    `enough` is the scale at which one is taken, or 0 for the usual ones.
    """
    found: list[tuple[float, Picture]] = []
    for each in pictures:
        is_last = each is pictures[-1]
        if not is_last and sum(1 for _ in each.arrows()) > _MOST_ARROWS:
            continue
        least = enough or _ENOUGH[len(found) > 0]
        size, layout = _largest(each, frame, 0.0 if is_last else _HOPELESS * least)
        if size >= least:
            return layout
        found.append((size, layout))
    return max(found, key=lambda pair: pair[0])[1]


def scale(picture: Picture, frame: Point) -> float:
    """How much smaller than its own size a picture is in a frame; at most 1."""
    layout: Layout = picture.layout
    wide, tall = layout.size
    return min(frame[0] / wide, frame[1] / tall, 1.0)


def _largest(picture: Picture, frame: Point, hopeless: float) -> tuple[float, Picture]:
    """The layout with the largest scale; no more are tried if the first ones are hopeless."""
    largest = 0.0, picture
    for wider in _WIDER:
        for direction in ("LR", "TB"):
            width = max(200, int(wider * frame[0]))
            candidate = _legible(picture._replace(width=width, direction=direction), frame)
            largest = max(largest, (scale(candidate, frame), candidate), key=lambda pair: pair[0])
            if largest[0] == 1:
                return largest
        if largest[0] < hopeless or len(picture.boxes) > _MANY:
            break
    return largest


def _legible(picture: Picture, frame: Point) -> Picture:
    """The picture with its layout, in which scripts are so large that they can be read."""
    drawn = _relaxed(placed(picture))
    share = 1.03 * _SMALLEST / (NOTE * scale(drawn, frame))  # the picture will be a little larger
    if share <= 1.03 * SCRIPT:
        return drawn

    def larger(line: Line) -> Line:
        return tuple(span._replace(share=min(share, 1.0)) for span in line)

    boxes = [box._replace(formula=larger(box.formula)) for box in drawn.boxes]
    return placed(
        with_arrows(
            drawn._replace(boxes=boxes),
            lambda arrow: arrow._replace(formula=larger(arrow.formula)),
        )
    )


def _relaxed(drawn: Picture) -> Picture:
    """The picture with gradients beside the values in all rows that have room for that."""
    layout: Layout = drawn.layout
    beside = {box.name: box._replace(is_stacked=False) for box in drawn.boxes if box.is_stacked}
    rows: dict[float, list[Box]] = {}
    for name, box in beside.items():
        rows.setdefault(layout.centres[name][1], []).append(box)
    for row in rows.values():
        wide = sum(sum(numbers_widths(box)) + 2 * PAD + BETWEEN for box in row)
        if wide > drawn.width - 2 * MARGIN:
            beside = {name: box for name, box in beside.items() if box not in row}
    boxes = [beside.get(box.name, box) for box in drawn.boxes]
    return placed(drawn._replace(boxes=boxes)) if beside else drawn


def stacked(picture: Picture) -> Picture:
    """The picture with gradients below the values, which makes boxes narrower."""
    return picture._replace(boxes=[box._replace(is_stacked=True) for box in picture.boxes])


def without_partials(picture: Picture) -> Picture:
    """The picture with bare arrows."""
    return with_arrows(picture, lambda arrow: arrow._replace(formula=()))


def without_weights(picture: Picture) -> Picture:
    """The picture with bare arrows and without the given weights."""
    gone = {box.name for box in picture.boxes if box.role == "weight"}
    kept = [box for box in picture.boxes if box.name not in gone]
    bare = without_partials(picture._replace(boxes=kept))
    return with_arrows(bare, lambda arrow: None if arrow.tail in gone else arrow)


def with_names_only(picture: Picture) -> Picture:
    """The picture with names instead of formulas, but for the root."""
    boxes = [
        box if box.name in picture.roots else box._replace(formula=box.title)
        for box in picture.boxes
    ]
    return picture._replace(boxes=boxes)


def with_arrows(picture: Picture, changed: Callable[[Arrow], Arrow | None]) -> Picture:
    """The picture with each arrow changed, or left out."""
    boxes = [
        box.with_arrows([new for arrow in box.arrows if (new := changed(arrow))])
        for box in picture.boxes
    ]
    return picture._replace(boxes=boxes)
