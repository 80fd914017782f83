"""A compact picture for a frame: with as much in it as can be read there.

A page shows a picture in a frame of a given size. If the whole picture would be too small in it,
the partials on the arrows are left out, and if that is not enough, the given weights, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from micrograd.drawing.named.builder import placed
from micrograd.drawing.named.layout import Layout
from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.drawing.svg_elements import Point

_ENOUGH = (0.9, 0.8)  # the scale at which a picture is taken: the first one, a later one
_WIDER = (1.0, 1.15, 1.3, 1.6)  # than the frame, since a picture may be made smaller


def simpler(picture: Picture) -> list[Picture]:
    """The picture, then simpler ones."""
    light = without_weights(picture)
    return [picture, without_partials(picture), light, with_names_only(light)]


def best(pictures: Iterable[Picture], frame: Point, enough: float = 0.0) -> Picture:
    """The first of the pictures that is large enough in the frame, or the largest.

    `enough` is the scale at which one is taken, or 0 for the usual ones.
    """
    found: list[tuple[float, Picture]] = []
    for each in pictures:
        found.append(_largest(each, frame))
        if found[-1][0] >= (enough or _ENOUGH[len(found) > 1]):
            return found[-1][1]
    return max(found, key=lambda pair: pair[0])[1]


def scale(picture: Picture, frame: Point) -> float:
    """How much smaller than its own size a picture is in a frame; at most 1."""
    layout: Layout = picture.layout
    wide, tall = layout.size
    return min(frame[0] / wide, frame[1] / tall, 1.0)


def _largest(picture: Picture, frame: Point) -> tuple[float, Picture]:
    largest = 0.0, picture
    for candidate in _candidates(picture, frame[0]):
        size = scale(candidate, frame)
        if size > largest[0] + 1e-9:
            largest = size, candidate
        if size == 1:
            break
    return largest


def _candidates(picture: Picture, width: float) -> Iterator[Picture]:
    for wider in _WIDER:
        for direction in ("LR", "TB"):
            yield placed(picture._replace(width=int(wider * width), direction=direction))


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

    def box(each: Box) -> Box:
        if each.operation is None:
            return each
        arrows = [new for arrow in each.operation.arrows if (new := changed(arrow))]
        return each._replace(operation=each.operation._replace(arrows=arrows))

    return picture._replace(boxes=[box(each) for each in picture.boxes])
