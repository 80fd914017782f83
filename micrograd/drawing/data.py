"""A picture as JSON, for programs.

An object with these members:

- `format`: "micrograd graph"; `version`: 1, and another if what is written here changes
- `direction`: LR, TB, RL or BT; `roots`: the ids of the roots that are shown
- `groups`: the frames of layers, neurons and samples, outer ones first: `id`, `label`, and the id
  of the frame around it as `parent`, or null
- `nodes`, in topological order, each with an `id` and a `kind`:
  `leaf` and `value` have `label`, `data`, `grad` and `group`;
  `operation` has a `text`;
  `neuron` has what a value has, and the `activation`;
  `layer` has `label`, `activation`, the first `outputs`, each as a text, and how many there are
  besides as `more`;
  `omitted` has a `label`
- `edges`: `id`, `from`, `to`, the `text` that stands on it and the `weight`, or null
- nodes and edges have `path`, true or false, where paths are highlighted

A `grad` is null until a backward pass has reached the value. What is no finite number is a string,
such as "nan", "inf" or "-inf", so that the text is JSON in the strict sense.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from micrograd.drawing.picture import Box, Picture
from micrograd.table.floats import to_float
from micrograd.writing.labels import shortened
from micrograd.writing.numbers import NO_GRADIENT

VERSION = 1


def document(picture: Picture) -> str:
    """The whole text: each node and each edge on a line of its own."""
    groups = [
        {"id": group.name, "label": group.label, "parent": group.parent or None}
        for group in picture.groups
    ]
    edges = [
        {
            "id": arrow.name,
            "from": arrow.tail,
            "to": head,
            "text": arrow.text or None,
            "weight": None if arrow.weight is None else strict(arrow.weight),
            **_path(arrow.on_path),
        }
        for arrow, head in picture.arrows()
    ]
    head = {
        "format": "micrograd graph",
        "version": VERSION,
        "direction": picture.direction,
        "roots": picture.roots,
    }
    parts = [f"  {_text(key)}: {_text(value)}" for key, value in head.items()]
    nodes = [node for box in picture.boxes for node in _nodes(box)]
    for name, members in (("groups", groups), ("nodes", nodes), ("edges", edges)):
        listed = ",\n".join(f"    {_text(member)}" for member in members)
        parts.append(f'  "{name}": [\n{listed}\n  ]' if members else f'  "{name}": []')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _text(thing: Any) -> str:
    """JSON in which no text ends a `<script>` around it."""
    return json.dumps(thing, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _nodes(box: Box) -> Iterator[dict[str, Any]]:
    step = box.step
    if step is not None and box.has_operation:
        yield {"id": step.name, "kind": "operation", "text": step.text, **_path(step.on_path)}
    node: dict[str, Any] = {"id": box.name, "kind": box.kind, "label": box.label}
    if step is not None and box.kind in ("neuron", "layer"):
        node["activation"] = step.text or None
    if box.kind == "layer":
        node["outputs"] = [row._asdict() for row in box.rows]
        node["more"] = box.more or None
    if box.numbers is not None:
        data, grad = box.numbers
        node["data"] = strict(data)
        node["grad"] = None if box.grad == NO_GRADIENT else strict(grad)
    if box.kind != "omitted":
        node["group"] = box.group or None
    yield node | _path(box.on_path)


def _path(mark: bool | None) -> dict[str, bool]:
    return {} if mark is None else {"path": mark}


def strict(number: Any) -> float | str:
    """A number, or a text where JSON has no number for it."""
    try:
        number = to_float(number)
    except (TypeError, ValueError, OverflowError):
        return shortened(str(number))
    return number if math.isfinite(number) else str(number)
