"""A picture as JSON, for other programs.

The text is an object with these members:

- `format`: "micrograd graph"; `version`: 1, which changes if the meaning of the members does
- `direction`: LR, TB, RL or BT; `roots`: the ids of the roots that are shown
- `groups`: the frames of layers, neurons and samples, outer ones first: `id`, `label`, and the id
  of the frame around it as `parent`, or null
- `nodes`, in topological order, each with an `id` and a `kind`:
  `leaf` and `value` have `label`, `data`, `grad` and `group`;
  `operation` has a `text`;
  `neuron` has what a value has, and the `activation`;
  `layer` has `label`, `activation`, the first `outputs` as texts, and as `more` a text that says
  how many others there are;
  `omitted` has a `label`
- `edges`: `id`, `from`, `to`, the `text` that stands on it and the `weight`, or null
- nodes and edges have `path`, true or false, where paths are highlighted

A `grad` is null until a backward pass has reached the value. Numbers that are not finite are
strings, "nan", "inf" or "-inf", because strict JSON has no such numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from micrograd.drawing.picture import Box, Picture
from micrograd.writing.labels import shortened
from micrograd.writing.numbers import NO_GRADIENT, as_float

VERSION = 1


def document(picture: Picture) -> str:
    """The whole text, with a line for each node and each edge."""
    groups = [
        {"id": frame.name, "label": frame.label, "parent": frame.parent or None}
        for frame in picture.frames
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
    """The text of a thing in JSON, which cannot end a `<script>` around it."""
    return json.dumps(thing, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _nodes(box: Box) -> Iterator[dict[str, Any]]:
    oval, operation = box.oval, box.operation
    if oval is not None:
        yield {"id": oval.name, "kind": "operation", "text": oval.text, **_path(oval.on_path)}
    node: dict[str, Any] = {"id": box.name, "kind": box.kind, "label": box.label}
    if operation is not None and box.kind in ("neuron", "layer"):
        node["activation"] = operation.text or None
    if box.kind == "layer":
        node["outputs"] = [row._asdict() for row in box.rows]
        node["more"] = box.more or None
    if box.numbers is not None:
        data, grad = box.numbers
        node["data"] = strict(data)
        node["grad"] = None if box.grad == NO_GRADIENT else strict(grad)
    if box.kind != "omitted":
        node["group"] = box.frame or None
    yield node | _path(box.on_path)


def _path(mark: bool | None) -> dict[str, bool]:
    return {} if mark is None else {"path": mark}


def strict(number: Any) -> float | str:
    """The number, or a text if JSON has no such number."""
    known = as_float(number)
    if known is None:
        return shortened(str(number))
    return known if math.isfinite(known) else str(known)
