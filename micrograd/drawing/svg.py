"""The SVG of a renderer, taken apart: which group is which value, and where its numbers stand.

Only elements and attributes that draw are kept, so nothing in the result follows a link, loads a
file or runs.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping

NAMESPACE = "http://www.w3.org/2000/svg"
_DRAWING = {
    "svg": ("viewBox",),
    "g": ("id", "class", "transform"),
    "polygon": ("points", "fill", "stroke", "stroke-width", "stroke-dasharray"),
    "polyline": ("points", "fill", "stroke", "stroke-width", "stroke-dasharray"),
    "path": ("d", "fill", "stroke", "stroke-width", "stroke-dasharray"),
    "ellipse": ("cx", "cy", "rx", "ry", "fill", "stroke", "stroke-width"),
    "text": ("x", "y", "text-anchor", "fill", "font-weight", "font-style", "font-size"),
}


class Svg:
    """An SVG as a tree, with the groups of its values, operations and arrows by their `id`."""

    def __init__(self, text: str) -> None:
        source = ET.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", text))  # noqa: S314 (a renderer's)
        kept = _kept(source)
        if kept is None:
            raise ValueError(f"an SVG begins with svg, got {source.tag}")
        self.root = kept
        self.groups = {
            group.get("id", ""): group for group in self.root.iter("g") if group.get("id")
        }

    def numbers(self, value: str) -> tuple[ET.Element, ET.Element]:
        """The texts of `data` and of `grad` of a value, which are the last and third last."""
        texts = [*self.groups[value].iter("text")]
        return texts[-3], texts[-1]

    def shapes(self, name: str) -> Iterator[ET.Element]:
        """The lines and areas of a group."""
        for element in self.groups[name].iter():
            if element.tag not in ("g", "text"):
                yield element

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height."""
        left, top, width, height = map(float, self.root.get("viewBox", "0 0 0 0").split())
        return left, top, width, height

    def recoloured(self, classes: Mapping[str, str]) -> None:
        """Name colours by classes, `f-…` for a fill and `s-…` for a stroke, for a style sheet."""
        for element in self.root.iter():
            names = [element.get("class", "")]
            for attribute in ("fill", "stroke"):
                color = element.attrib.pop(attribute, "")
                if color.lower() in classes:
                    names.append(f"{attribute[0]}-{classes[color.lower()]}")
                elif color not in ("", "black", "transparent"):
                    element.set(attribute, color)
            if name := " ".join(filter(None, names)):
                element.set("class", name)

    def text(self) -> str:
        """The SVG as text, without an XML declaration."""
        self.root.set("xmlns", NAMESPACE)
        return ET.tostring(self.root, encoding="unicode")


def _kept(element: ET.Element) -> ET.Element | None:
    tag = str(element.tag).rpartition("}")[2]
    if tag not in _DRAWING:
        return None
    kept = ET.Element(tag)
    for name in _DRAWING[tag]:
        if name in element.attrib:
            kept.set(name, _shortened(name, element.attrib[name]))
    kept.text = element.text if tag == "text" else None
    children: list[ET.Element | None] = [*map(_kept, element)]
    kept.extend(child for child in children if child is not None)
    return kept


def _shortened(name: str, value: str) -> str:
    """Coordinates to a tenth of a point."""
    if name in _PLACES:
        return re.sub(r"-?\d+\.\d+", _tenths, value)
    return value


_PLACES = frozenset(("points", "d", "x", "y", "cx", "cy", "rx", "ry"))


def _tenths(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")
