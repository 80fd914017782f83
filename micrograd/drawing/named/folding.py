"""A chain of boxes in rows that are read in turn from left to right and from right to left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from micrograd.drawing.svg_elements import Point

_FEWEST = 8  # boxes of a chain that is folded
_GAP = 18.0  # between a box and a text, and between two boxes, in a row
_DROP = 14.0  # the same from one row to the next


def chain(links: Sequence[tuple[str, str, str]], boxes: Collection[str]) -> list[str]:
    """The boxes and texts from the first to the last, if each but the last has one user.

    Args:
        links: the name, the start and the end of each arrow.
        boxes: the pieces that are boxes, not texts on arrows.
    """
    after = {tail: head for _, tail, head in links}
    start = next(iter({*after} - {*after.values()}), None)
    if len(boxes) < _FEWEST or len(after) < len(links) or len({*after.values()}) < len(links):
        return []
    found = [] if start is None else [start]
    while found and found[-1] in after:
        found.append(after[found[-1]])
    return found if len(found) == len(links) + 1 else []


def folded(
    pieces: Sequence[str], boxes: Collection[str], sizes: Mapping[str, Point], room: float
) -> dict[str, Point]:
    """The centres of the pieces of a chain, placed in rows; empty if two columns do not fit.

    The arrow from one row to the next is vertical, with its text, at the end of the row.
    """
    order = [name for name in pieces if name in boxes]
    notes = [name for name in pieces if name not in boxes]
    wide = max(sizes[name][0] for name in order)
    between = max((sizes[name][0] for name in notes), default=0.0)
    between += _GAP * (2 if notes else 1)
    most = int((room + between) // (wide + between))
    if most < 2:
        return {}
    across = -(-len(order) // -(-len(order) // most))  # columns, with rows as full as one another
    tall = max(sizes[name][1] for name in order)
    below = max((sizes[name][1] for name in notes), default=0.0)
    below += _DROP * (2 if notes else 1)
    centres: dict[str, Point] = {}
    for i, name in enumerate(order):
        row, place = divmod(i, across)
        column = place if row % 2 == 0 else across - 1 - place
        centres[name] = column * (wide + between), row * (tall + below)
    for before, name, after in zip(pieces, pieces[1:], pieces[2:], strict=False):
        if name not in boxes:
            (x, y), (u, v) = centres[before], centres[after]
            half = (sizes[before][0] - sizes[after][0]) / 4 * ((u > x) - (u < x))
            centres[name] = (x + u) / 2 + half, (y + v) / 2
    return centres


def straight_wires(
    links: Sequence[tuple[str, str, str]],
    sizes: Mapping[str, Point],
    centres: Mapping[str, Point],
) -> dict[str, list[complex]]:
    """The arrows between neighbours, as straight curves from border to border."""
    found = {}
    for name, tail, head in links:
        start, end = complex(*centres[tail]), complex(*centres[head])
        way = end - start
        side = 0 if abs(way.real) > abs(way.imag) else 1
        along = way / abs(way)
        start += sizes[tail][side] / 2 * along
        end -= sizes[head][side] / 2 * along
        found[name] = [start, start + (end - start) / 3, end - (end - start) / 3, end]
    return found
