"""Where the texts and the lines of an SVG are, to test that none lies on another.

The widths of texts are those of DejaVu Sans, unless a browser gives their boxes. Only the elements
that schematics consist of are understood; any other is refused.
"""

import cmath
import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import NamedTuple

from micrograd.drawing.metrics import BOLD, text_width

SVG = "{http://www.w3.org/2000/svg}"


class Box(NamedTuple):
    text: str
    left: float
    top: float
    right: float
    bottom: float


def texts(root):
    """The box of each text, from the letters' baseline and height."""
    for element in root.iter(f"{SVG}text"):
        size = float(element.get("font-size"))
        runs = [(element.text or "", size)]
        for span in element:
            runs += [(span.text or "", float(span.get("font-size", size))), (span.tail or "", size)]
        across = sum(text_width(text, each) for text, each in runs)
        across *= BOLD if element.get("font-weight") == "bold" else 1.0
        moves = [float(span.get("dx", 0)) for span in element]  # for two scripts of one letter
        after = moves[-1] + text_width("\u00a0", size) if any(moves) else 0.0
        x, y = float(element.get("x")), float(element.get("y"))
        left = x - {"middle": across / 2, "end": across}.get(element.get("text-anchor"), 0.0)
        text = "".join(text for text, _ in runs)
        yield Box(text, left, y - 0.72 * size, left + across - after, y + 0.14 * size)


def sizes(root):
    """All sizes of letters."""
    return [float(e.get("font-size")) for e in root.iter() if e.get("font-size")]


def lines(root):
    """All segments that are drawn, each as two complex numbers."""
    for element in root.iter():
        kind = element.tag.removeprefix(SVG)
        if kind == "path":
            if element.get("fill-opacity"):
                continue  # an area
            for part in re.findall(r"M([^M]*)", element.get("d")):
                numbers = [float(x) for x in re.findall(r"-?[\d.]+", part)]
                points = [complex(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
                yield from pairwise(points)
        elif kind == "circle":
            middle = complex(float(element.get("cx")), float(element.get("cy")))
            radius = float(element.get("r"))
            rim = [middle + cmath.rect(radius, i * math.pi / 12) for i in range(25)]
            yield from pairwise(rim)
        elif kind in ("rect", "polygon"):
            if kind == "rect":
                if element.get("stroke") is None:
                    continue  # a background
                x, y, w, h = (float(element.get(key, 0)) for key in ("x", "y", "width", "height"))
                corners = [complex(*p) for p in ((x, y), (x + w, y), (x + w, y + h), (x, y + h))]
            else:
                corners = [
                    complex(*map(float, p.split(","))) for p in element.get("points").split()
                ]
            yield from zip(corners, [*corners[1:], corners[0]], strict=True)
        elif kind not in ("svg", "title", "desc", "style", "text", "tspan"):
            raise ValueError(f"an element {kind}")


def crosses(box, segment, margin=0.5):
    """Whether a segment passes through a box, by clipping it (Liang and Barsky 1984)."""
    start, end = segment
    step = end - start
    first, last = 0.0, 1.0
    for at, change, low, high in (
        (start.real, step.real, box.left + margin, box.right - margin),
        (start.imag, step.imag, box.top + margin, box.bottom - margin),
    ):
        if change == 0:
            if not low < at < high:
                return False
            continue
        a, b = sorted(((low - at) / change, (high - at) / change))
        first, last = max(first, a), min(last, b)
    return first < last


def overlap(one, other, margin=0.5):
    return (
        one.left + margin < other.right - margin
        and other.left + margin < one.right - margin
        and one.top + margin < other.bottom - margin
        and other.top + margin < one.bottom - margin
    )


def faults(svg, boxes=None):
    """What is wrong with a drawing, in words."""
    root = ET.fromstring(svg)
    boxes = list(texts(root)) if boxes is None else boxes
    across, down = float(root.get("width")), float(root.get("height"))
    found = [f"letters of {size:g}" for size in sizes(root) if size < 11]
    for box in boxes:
        if box.left < 0 or box.top < 0 or box.right > across or box.bottom > down:
            found.append(f"{box.text!r} leaves the picture")
    for i, one in enumerate(boxes):
        found += [f"{one.text!r} on {b.text!r}" for b in boxes[i + 1 :] if overlap(one, b)]
    drawn = list(lines(root))
    for box in boxes:
        if any(crosses(box, segment) for segment in drawn):
            found.append(f"{box.text!r} on a line")
    for start, end in drawn:
        for point in (start, end):
            if not (-1 <= point.real <= across + 1 and -1 <= point.imag <= down + 1):
                found.append(f"a line leaves the picture at {point}")
    return found
