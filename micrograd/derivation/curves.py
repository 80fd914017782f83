"""The curve of an operation and of its derivative, as a small SVG.

The numbers are the table's; a curve is interrupted where it is nan or leaves the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from micrograd.ops import Operation

HELD = {"y": 2.0, "z": -1.0}  # the other operands, while x runs along the axis
REACH = 4.0  # the axes run from -REACH to REACH

_SIZE = 180
_SCALE = _SIZE / (2 * REACH)
_STEPS = 200

Point = tuple[float, float]


def curve(row: Operation) -> str:
    """An SVG with the operation as a line and its derivative for x as a dashed one."""
    values, slopes = [], []
    for i in range(_STEPS + 1):
        x = REACH * (2 * i / _STEPS - 1)
        out, (slope, *_) = row.evaluate(x, *(HELD[y] for y in row.operands[1:]))
        values.append((x, out))
        slopes.append((x, out * 0.0 if slope is None else slope + out * 0.0))  # nan where f is
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}" '
        f'width="{_SIZE}" height="{_SIZE}" role="img" class="curve" fill="none">'
        f"<title>{row.name}</title>{_axes()}"
        f"{_line(slopes, 'slope', '#b4431f')}{_line(values, 'function', '#3f73b0')}</svg>"
    )


def _axes() -> str:
    middle = _SIZE // 2
    ticks = "".join(
        f"M{_place(i):g} {middle - 3}v6M{middle - 3} {_place(i):g}h6"
        for i in range(1 - int(REACH), int(REACH))
        if i
    )
    return (
        f'<path class="axes" stroke="#9aa5b1" d="M0 {middle}H{_SIZE}M{middle} 0V{_SIZE}{ticks}"/>'
        f'<g fill="#7b8794" font-family="sans-serif" font-size="9" text-anchor="middle">'
        f'<text x="{_place(1):g}" y="{middle + 13}">1</text>'
        f'<text x="{middle - 9}" y="{_place(-1) + 3:g}">1</text></g>'
    )


def _line(points: Iterable[Point], name: str, color: str) -> str:
    pieces = "".join(
        "M" + "L".join(f"{_place(x):.1f} {_place(-y):.1f}" for x, y in piece)
        for piece in _pieces(points)
        if len(piece) > 1
    )
    dashes = ' stroke-dasharray="4 3"' if name == "slope" else ""
    return f'<path class="{name}" stroke="{color}" stroke-width="1.8"{dashes} d="{pieces}"/>'


def _pieces(points: Iterable[Point]) -> Iterator[Sequence[Point]]:
    """The points in runs without a jump, within the picture."""
    piece: list[Point] = []
    for x, y in points:
        inside = math.isfinite(y) and abs(y) <= REACH
        jumps = bool(piece) and abs(y - piece[-1][1]) > REACH / 10
        if not inside or jumps:
            yield piece
            piece = []
        if inside:
            piece.append((x, y))
    yield piece


def _place(x: float) -> float:
    return (x + REACH) * _SCALE
