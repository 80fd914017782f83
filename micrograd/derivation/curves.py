"""Curves of functions: where they are drawn, on which axes, and the small picture of a rule card.

A curve is drawn only where the function is defined. It is interrupted where it jumps or has a pole,
which is found by halving the step between two points.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from micrograd.derivation.conditions import is_smooth
from micrograd.ops import Operation
from micrograd.table.formulas import Tree, fold, variables
from micrograd.table.interpreters import IEEE

Point = tuple[float, float]
Piece = list[Point]
Function = Callable[[float], float]
"""A function of a number; nan where it is not defined."""

STEPS = 240
_REACHES = (6.0, 5.0, 4.0, 3.0, 2.0, 1.0)


class Frame(NamedTuple):
    """The ranges of two axes."""

    left: float
    right: float
    bottom: float
    top: float


# ------------------------------------------------------------------------------------------- curves


def pieces(function: Function, frame: Frame, steps: int = STEPS) -> list[Piece]:
    """The curve of a function within a frame, as runs of points; an isolated point is one."""
    left, right, bottom, top = frame
    places = [left + (right - left) * i / steps for i in range(steps + 1)]
    found: list[Piece] = [[]]
    before = (places[0], math.nan)
    for x in places:
        point = (x, function(x))
        first, second = _closer(function, before, point, (top - bottom) / 20)
        if first is not None:
            if found[-1] and found[-1][-1] != first:
                found[-1].append(first)
            found.append([])
        if second is not None and second != point:
            found[-1].append(second)
        elif first is None and second is None:
            found[-1] += _between(function, before, point, (top - bottom) / 20)
        if math.isfinite(point[1]):
            found[-1].append(point)
        before = point
    return [inside for piece in found for inside in _within(piece, bottom, top)]


def _between(function: Function, before: Point, after: Point, most: float, depth: int = 6) -> Piece:
    """Points between two others, so that neighbours do not differ much in height."""
    if depth == 0 or not abs(after[1] - before[1]) > most:
        return []
    x = (before[0] + after[0]) / 2
    middle = (x, function(x))
    if not math.isfinite(middle[1]):
        return []
    halves = ((before, middle), (middle, after))
    first, second = (_between(function, *half, most, depth - 1) for half in halves)
    return [*first, middle, *second]


def _closer(
    function: Function, before: Point, after: Point, most: float
) -> tuple[Point | None, Point | None]:
    """The ends of the curve on both sides of a jump or an edge; None and None if it goes on."""
    defined = [math.isfinite(y) for _, y in (before, after)]
    if not any(defined) or (all(defined) and abs(after[1] - before[1]) <= most):
        return None, None
    height = abs(after[1] - before[1])
    for _ in range(45):
        x = (before[0] + after[0]) / 2
        middle = (x, function(x))
        is_left = _gap(before, middle) >= _gap(middle, after)
        before, after = (before, middle) if is_left else (middle, after)
        if all(defined) and _gap(before, after) < height / 2:
            return None, None  # steep, but no jump
    return tuple(p if math.isfinite(p[1]) else None for p in (before, after))  # type: ignore[return-value]


def _gap(first: Point, second: Point) -> float:
    """How far the function moves between two points; infinity if it is undefined at one."""
    defined = math.isfinite(first[1]) + math.isfinite(second[1])
    if defined == 2:
        return abs(second[1] - first[1])
    return math.inf if defined else -math.inf


def _within(piece: Piece, bottom: float, top: float) -> Iterator[Piece]:
    """The parts of a piece that are between two heights, cut where it leaves them."""
    part: Piece = []
    for before, point in zip([None, *piece], piece, strict=False):
        if before is not None and before != point:
            for height in sorted((bottom, top), key=lambda h: abs(h - before[1])):
                if min(before[1], point[1]) < height < max(before[1], point[1]):
                    share = (height - before[1]) / (point[1] - before[1])
                    part.append((before[0] + share * (point[0] - before[0]), height))
                    if not bottom <= point[1] <= top:
                        yield part
                        part = []
        if bottom <= point[1] <= top:
            part.append(point)
    if part:
        yield part


def loose_ends(found: Iterable[Piece], frame: Frame) -> list[Point]:
    """The ends of the pieces that are within the frame and not at its border."""
    return [piece[i] for piece in found for i in (0, -1) if _is_inside(piece[i], frame)]


def _is_inside(point: Point, frame: Frame) -> bool:
    x, y = point
    edge_x, edge_y = 1e-6 * (frame.right - frame.left), 1e-6 * (frame.top - frame.bottom)
    return (
        frame.left + edge_x < x < frame.right - edge_x
        and frame.bottom + edge_y < y < frame.top - edge_y
    )


# --------------------------------------------------------------------------------------------- axes


def fitted(values: Iterable[float], least: float = 0.0) -> tuple[float, float]:
    """A range that contains the finite values with a margin, and is at least `least` long.

    A few values far from the others, such as those beside a pole, are left out.
    """
    known = sorted(value for value in values if math.isfinite(value))
    if not known:
        return -1.0, 1.0
    low, high = known[0], known[-1]
    inner = [known[round(share * (len(known) - 1))] for share in (0.12, 0.88)]
    if high - low > 6 * (inner[1] - inner[0]) > 0:
        room = 0.4 * (inner[1] - inner[0])
        low, high = max(low, inner[0] - room), min(high, inner[1] + room)
    if high - low < least or high == low:
        middle, reach = (low + high) / 2, max(least / 2, 0.5 if high == low else 0.0)
        low, high = middle - reach, middle + reach
    room = 0.08 * (high - low)
    return low - room, high + room


def suited(function: Function) -> tuple[float, float]:
    """A range of x that shows what is special about a function.

    It is the widest of several ranges around 0 in which the function does not look like a wall, cut
    to where the function is defined.
    """
    chosen = 4.0
    for reach in _REACHES:
        low, high = fitted(value for _, value in _sampled(function, -reach, reach))
        if high - low <= 5 * reach:
            chosen = reach
            break
    defined = [x for x, value in _sampled(function, -chosen, chosen) if math.isfinite(value)]
    if not defined or (defined[0], defined[-1]) == (-chosen, chosen):
        return -chosen, chosen
    room = 0.12 * (defined[-1] - defined[0]) or 1.0
    return max(defined[0] - room, -chosen), min(defined[-1] + room, chosen)


def _sampled(function: Function, left: float, right: float) -> list[Point]:
    places = (left + (right - left) * i / STEPS for i in range(STEPS + 1))
    return [(x, function(x)) for x in places]


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two others, at most `most` of them."""
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    while True:
        for factor in (1, 2, 5, 10):
            size = factor * step
            first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
            if last - first < most:
                return [float(f"{i * size:.12g}") + 0.0 for i in range(first, last + 1)]
        step *= 10


# ----------------------------------------------------------------------------------------- of a row


class Section(NamedTuple):
    """One operand of an operation varies, and the others are held."""

    row: Operation
    operand: str
    held: dict[str, float]
    tests: tuple[Tree, ...]  # formulas that are not 0 where there is a derivative

    def at(self, x: float) -> tuple[float, float]:
        """The result and its derivative with respect to the operand; nan where undefined."""
        operands, names = {**self.held, self.operand: x}, self.row.operands
        out, slopes = self.row.evaluate(*[operands[name] for name in names])
        slope = slopes[names.index(self.operand)]
        if not math.isfinite(out) or not all(fold(test, IEEE, operands) for test in self.tests):
            return out, math.nan
        return out, 0.0 if slope is None else slope

    def frame(self) -> Frame:
        """Axes that suit the function and its derivative."""
        left, right = suited(lambda x: self.at(x)[0])
        points = [self.at(x) for x, _ in _sampled(lambda _: 0.0, left, right)]
        low, high = fitted((out for out, _ in points), least=1.5)
        slopes = fitted(slope for _, slope in points)
        room = (high - low) / 2
        return Frame(
            left,
            right,
            max(min(low, slopes[0]), low - room),
            min(max(high, slopes[1]), high + room),
        )


def section(row: Operation) -> Section:
    """The curve that shows most of an operation.

    The operand that varies is the first one, unless the domain restricts another one only.
    """
    used = variables(row.read(row.domain)) if row.domain else set()
    varies = next(iter(used)) if len(used) == 1 and not row.kink else row.operands[0]
    held = {"x": 1.0, "y": 1.5} if row.arity < 3 else {"x": 1.0, "y": -1.0, "z": 2.0}
    texts = (row.domain, "" if is_smooth(row) else row.kink)
    tests = tuple(row.read(text) for text in texts if text not in ("", "0"))
    others = {name: held[name] for name in row.operands if name != varies}
    return Section(row, varies, others, tests)


WIDTH, HEIGHT = 260.0, 190.0
_EDGE = 8.0
_COLOURS = {"function": "#3f73b0", "slope": "#b4431f"}


def curve(row: Operation, alternative: str) -> str:
    """An SVG with the operation as a line and its derivative as a dashed one.

    `alternative` says in words what is shown.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" '
        f'width="{WIDTH:g}" height="{HEIGHT:g}" role="img" class="curve" fill="none" '
        f'font-family="sans-serif" font-size="11"><title>{alternative}</title>'
        f"{_drawn(row)}</svg>"
    )


@lru_cache(maxsize=256)  # a page shows the same card in several languages
def _drawn(row: Operation) -> str:
    """The axes and both curves, without any words."""
    shown = section(row)
    frame, at = shown.frame(), cache(shown.at)
    curves = "".join(
        _path(pieces(lambda x, k=k: at(x)[k], frame), frame, name)  # type: ignore[misc]
        for k, name in ((1, "slope"), (0, "function"))
    )
    return f"{_axes(frame)}{curves}"


def to_picture(point: Point, frame: Frame) -> Point:
    """Where a point is in the picture."""
    x = (point[0] - frame.left) / (frame.right - frame.left)
    y = (frame.top - point[1]) / (frame.top - frame.bottom)
    return _LEFT + x * (WIDTH - _LEFT - _EDGE), _EDGE + y * (HEIGHT - _EDGE - _BELOW)


_LEFT, _BELOW = 34.0, 22.0


def _axes(frame: Frame) -> str:
    """Grid lines with their numbers at the left and below, the lines through 0 darker."""
    left, top = to_picture((frame.left, frame.top), frame)
    right, bottom = to_picture((frame.right, frame.bottom), frame)
    lines = {False: "", True: ""}
    labels = ""
    for tick in ticks(frame.left, frame.right, 7):
        x = to_picture((tick, 0.0), frame)[0]
        lines[tick == 0] += f"M{x:.1f} {top:.1f}V{bottom:.1f}"
        labels += (
            f'<text x="{x:.1f}" y="{bottom + 15:.1f}" text-anchor="middle">{_label(tick)}</text>'
        )
    for tick in ticks(frame.bottom, frame.top, 5):
        y = to_picture((0.0, tick), frame)[1]
        lines[tick == 0] += f"M{left:.1f} {y:.1f}H{right:.1f}"
        labels += (
            f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{_label(tick)}</text>'
        )
    return (
        f'<path class="grid" stroke="#dde3e9" d="{lines[False]}"/>'
        f'<path class="axes" stroke="#9aa5b1" d="{lines[True]}"/>'
        f'<g class="numbers" fill="#68737f">{labels}</g>'
    )


def _label(tick: float) -> str:
    return f"{tick:g}".replace("-", "−")


def _path(found: Sequence[Piece], frame: Frame, name: str) -> str:
    """The curve; where a derivative ends within the frame, there is an open circle."""
    lines, dots = "", ""
    for piece in found:
        places = [to_picture(point, frame) for point in piece]
        if len(places) > 1:
            lines += "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    ends = loose_ends(found, frame) if name == "slope" else [p[0] for p in found if len(p) == 1]
    for x, y in (to_picture(end, frame) for end in ends):
        dots += f'<circle class="{name} end" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'
    color = _COLOURS[name]
    dashes = ' stroke-dasharray="5 3.5"' if name == "slope" else ""
    fill = "#ffffff" if name == "slope" else color
    line = f'<path class="{name}" stroke="{color}" stroke-width="1.8"{dashes} d="{lines}"/>'
    return line + (f'<g stroke="{color}" fill="{fill}">{dots}</g>' if dots else "")
