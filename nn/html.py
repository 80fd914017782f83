"""Curves as HTML, for notebooks. All text is escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 28, 26  # the margins around the curves
MOST_POINTS = 400
FAR = 30  # a curve whose largest number is so many times the smallest has a logarithmic scale


def curves(lines: Mapping[str, Sequence[float]]) -> str:
    """Return curves over the epochs, from 1, as an SVG picture, or "" without a finite number.

    The scale is logarithmic if the numbers are positive and far apart.

    Args:
        lines: the numbers of each curve, by its name.

    >>> curves({"loss": [1.0, 0.5, 0.25]}).count("<polyline")
    1
    """
    numbers = [y for line in lines.values() for y in line if math.isfinite(y)]
    if not numbers:
        return ""
    low, high, length = min(numbers), max(numbers), max(map(len, lines.values()))
    logarithmic = low > 0 and high / low > FAR

    def height(y: float) -> float:
        """Return how high a number is, from 0 to 1."""
        a, b, c = (math.log(n) if logarithmic else n / 2 for n in (low, y, high))
        return (b - a) / (c - a) if c > a else 0.5

    def place(epoch: int, y: float) -> str:
        across = (epoch - 1) / max(length - 1, 1)
        x = LEFT + across * (WIDTH - LEFT - RIGHT)
        return f"{x:.1f},{HEIGHT - BOTTOM - height(y) * (HEIGHT - TOP - BOTTOM):.1f}"

    parts = []
    middle = math.sqrt(low) * math.sqrt(high) if logarithmic else low / 2 + high / 2
    for y in dict.fromkeys((low, middle, high)):
        x, top = place(1, y).split(",")
        parts.append(
            f'<path d="M{x} {top}H{WIDTH - RIGHT}" stroke="currentColor" opacity=".2"/>'
            f'<text x="{LEFT - 6}" y="{float(top) + 4:.1f}" text-anchor="end">{y:.3g}</text>'
        )
    for epoch in dict.fromkeys((1, length)):
        x = place(epoch, low).split(",")[0]
        anchor = "start" if epoch == 1 else "end"
        parts.append(f'<text x="{x}" y="{HEIGHT - 8}" text-anchor="{anchor}">{epoch}</text>')
    parts.append(f'<text x="{WIDTH // 2}" y="{HEIGHT - 8}" text-anchor="middle">epoch</text>')
    across = LEFT
    for k, (name, line) in enumerate(lines.items()):
        colour = COLOURS[k % len(COLOURS)]
        parts.append(f'<text x="{across}" y="16" fill="{colour}">{escape(name)}</text>')
        across += 7 * len(name) + 16
        for points in _pieces(line):
            drawn = " ".join(place(*point) for point in points)
            cap = 'stroke-linecap="round" stroke-linejoin="round"'
            parts.append(
                f'<polyline points="{drawn}{f" {drawn}" * (len(points) == 1)}" fill="none" '
                f'stroke="{colour}" stroke-width="{2 if len(points) > 1 else 5}" {cap}/>'
            )
    title = escape(", ".join(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" font-family="sans-serif" font-size="12" '
        f'fill="currentColor"><title>{title}</title>{"".join(parts)}</svg>'
    )


def _pieces(line: Sequence[float]) -> list[list[tuple[int, float]]]:
    """Return the epochs and numbers of a curve, in pieces where it is not finite."""
    step = math.ceil(len(line) / MOST_POINTS)
    pieces: list[list[tuple[int, float]]] = [[]]
    for epoch, y in enumerate(line, 1):
        if not math.isfinite(y):
            pieces.append([])
        elif (epoch - 1) % step == 0 or epoch == len(line):
            pieces[-1].append((epoch, float(y)))
    return [piece for piece in pieces if piece]
