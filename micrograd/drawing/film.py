"""`film_strip(output, folder)`: one picture for each step, for media that take images only."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from micrograd.drawing.steps import MAX_STEPS_NODES, Step, Story
from micrograd.drawing.stills import still
from micrograd.drawing.svg import Svg
from micrograd.drawing.themes import Theme, chosen
from micrograd.engine import Value
from micrograd.files import write
from micrograd.notation.labels import width
from micrograd.notation.numbers import NO_GRADIENT

_FONT = "Helvetica,Arial,sans-serif"
_SIZE = 12
_LINE = 17


def film_strip(
    output: Value,
    folder: str | os.PathLike[str],
    *,
    names: Mapping[str, Any] | None = None,
    theme: Theme | str = "light",
    max_nodes: int = MAX_STEPS_NODES,
) -> list[Path]:
    """Write `step-01.svg`, `step-02.svg`, … into `folder`, which is made; the paths, in order.

    The steps are those of `step_page`, with the formulas of each below the graph. Raises ValueError
    if there are more than `max_nodes` values.
    """
    colors = chosen(theme)
    story = Story(output, names, max_nodes)
    drawn = still(story, colors)
    out = Path(folder)
    digits = max(2, len(str(len(story.steps))))
    paths = []
    for i in range(len(story.steps)):
        path = out / f"step-{i + 1:0{digits}}.svg"
        write(path, _frame(story, i, drawn, colors))
        paths.append(path)
    return paths


def _frame(story: Story, i: int, drawn: str, theme: Theme) -> str:
    svg = Svg(drawn)
    data, gradients = story.known(i + 1)
    for k, (number, gradient) in enumerate(zip(data, gradients, strict=True)):
        value, grad = svg.numbers(f"n{k}")
        value.text, grad.text = number, gradient or NO_GRADIENT
        if not number:
            for name in _around(svg, k):
                svg.groups[name].set("opacity", "0.3")
    step = story.steps[i]
    _emphasise(svg, [f"n{step.value}", f"n{step.value}op"], theme.accent)
    if step.kind == "backward":
        arrow = f"n{step.value}e{step.place}"
        _emphasise(svg, [f"n{step.operand}", arrow, f"n{step.value}out"], theme.backward)
    _caption(svg, f"{i + 1} / {len(story.steps)}", step, theme, _tallest(story))
    return svg.text()


def _around(svg: Svg, k: int) -> list[str]:
    """A value, its operation, and the arrows to and from that."""
    own = (f"n{k}", f"n{k}op", f"n{k}out")
    return [name for name in svg.groups if name in own or name.startswith(f"n{k}e")]


def _emphasise(svg: Svg, names: list[str], color: str) -> None:
    for name in names:
        if name in svg.groups:
            for shape in svg.shapes(name):
                if shape.get("stroke", "none") != "none":
                    shape.set("stroke", color)
                    shape.set("stroke-width", "2.5")


def _tallest(story: Story) -> int:
    return max(len(step.lines) for step in story.steps)


def _caption(svg: Svg, counter: str, step: Step, theme: Theme, most: int) -> None:
    """The formulas below the graph; the picture is as large in every step."""
    left, top, wide, tall = svg.box
    lines = [counter, *(line.text for line in step.lines)]
    wide = max(wide, *(width(line, _SIZE) + 16 for line in lines))
    height = tall + (most + 1) * _LINE + 10
    svg.root.set("viewBox", f"{left:g} {top:g} {wide:g} {height:g}")
    svg.root.set("font-family", _FONT)
    svg.root.set("width", f"{wide:g}pt")
    svg.root.set("height", f"{height:g}pt")
    paper = ET.Element("rect", {"fill": theme.paper, "x": f"{left:g}", "y": f"{top:g}"})
    paper.set("width", f"{wide:g}")
    paper.set("height", f"{height:g}")
    svg.root.insert(0, paper)
    for i, line in enumerate(lines):
        text = ET.SubElement(svg.root, "text")
        text.set("x", f"{left + 8:g}")
        text.set("y", f"{top + tall + (i + 1) * _LINE:g}")
        text.set("font-size", str(_SIZE))
        text.set("fill", theme.faint if i == 0 else theme.ink)
        text.text = line
