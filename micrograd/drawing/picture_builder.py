"""From a graph to the picture of it: `build_picture(root)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from micrograd.derivation.naming import label_of, variable_names
from micrograd.derivation.parameters import parameter_labels
from micrograd.drawing.boxes import BoxBuilder
from micrograd.drawing.graph_view import LEVELS, GraphView, checked_level, neighbourhood, paths
from micrograd.drawing.picture import Arrow, Box, OperationNode, Picture
from micrograd.engine.graph import order
from micrograd.engine.value import Value
from micrograd.writing import languages
from micrograd.writing.labels import shortened

MAX_NODES = 400
"""The most values in a picture, unless the caller allows more."""


def build_picture(
    root: Value | Iterable[Value],
    *,
    local_partials: bool = False,
    contributions: bool = False,
    path: Any = None,
    focus: Value | None = None,
    radius: int = 2,
    model: Any = None,
    level: str = "operation",
    names: Mapping[str, Any] | Any | None = None,
    max_nodes: int = MAX_NODES,
    direction: str = "LR",
    lang: str = "en",
) -> Picture:
    """The picture of the graph below the roots; `micrograd.drawing.draw_dot` explains the options.

    Raises:
        TypeError: if a root is not a Value.
        ValueError: if there is no root, if there are more than `max_nodes` values, or if what is
            asked for does not occur in the graph.
    """
    words = languages.words(lang, "picture")
    roots = checked_roots(root)
    checked_level(level, LEVELS, model)
    if focus is None and level == "operation" and len(nodes := order(roots)) > max_nodes:
        raise _too_large(len(nodes), max_nodes, model, level)
    view = GraphView(roots, model, level)
    variables = variable_names(names, order(roots))
    if model is not None:
        for label, value in parameter_labels(model):
            variables.setdefault(id(value), label)
    ways = None if path is None else paths(view, path, variables)
    users = view.consumers() if focus is not None or contributions else {}
    kept = set(view.shown)
    if focus is not None:
        kept = neighbourhood(view, focus, radius, variables, users)
    if len(kept) > max_nodes:
        raise _too_large(len(kept), max_nodes, model, level, focused=focus is not None)
    shared = {value for value, above in users.items() if len(above) > 1} if contributions else None
    builder = BoxBuilder(view, variables, ways, kept, words, local_partials, shared)
    boxes = [builder.box(value) for value in view.shown if value in kept]
    if focus is not None:
        boxes = _with_what_is_left_out(boxes, builder, users)
    tops = dict.fromkeys(place for root in roots for place in view.places(root))
    used = {box.frame for box in boxes}
    frames = builder.framing.frames
    for name in list(used):
        while name and (name := frames[name].parent):
            used.add(name)
    return Picture(
        boxes=boxes,
        frames=[frame for name, frame in frames.items() if name in used],
        roots=[builder.names[top] for top in tops if top in kept],
        direction=direction,
        words=words,
        title=_title(roots, variables, words),
    )


def _title(roots: Sequence[Value], variables: Mapping[int, str], words: Mapping[str, str]) -> str:
    names = [label_of(root) or variables.get(id(root), "") for root in roots]
    named = words["next output"].join(shortened(name) for name in names if name.strip())
    return words["graph of"].format(output=named) if named else words["graph"]


# --------------------------------------------------------------------------------- what is refused


def checked_roots(root: Any) -> list[Value]:
    """The Values to draw; ValueError if there are none, TypeError for anything else."""
    if isinstance(root, Value):
        return [root]
    if isinstance(root, str | bytes | set | frozenset | Mapping) or not isinstance(root, Iterable):
        raise TypeError(f"a drawing needs a Value or a list of Values, got {_kind(root)}")
    roots = list(root)
    if not roots:
        raise ValueError("nothing to draw: the list of Values is empty")
    for i, each in enumerate(roots):
        if not isinstance(each, Value):
            raise TypeError(f"a drawing needs Values, got {_kind(each)} at position {i}")
    return roots


def _kind(thing: Any) -> str:
    hint = ""
    if isinstance(thing, set | frozenset):
        hint = ", which has no order: give a list"
    elif isinstance(thing, Mapping):
        hint = ": give its values as a list"
    elif hasattr(thing, "parameters"):
        hint = ": draw what it returns, draw_dot(model(x), model=model)"
    elif callable(thing):
        hint = ": draw what it returns, f(x) for a Value x"
    return f"{type(thing).__name__} {shortened(repr(thing))}{hint}"


def _too_large(
    count: int, limit: int, model: Any, level: str, *, focused: bool = False
) -> ValueError:
    advice = ["draw a smaller part, such as one sample, one neuron or an intermediate value"]
    if focused:
        advice.append("give a smaller radius")
    else:
        advice.append("the surroundings of one value with focus=value")
    if level != "layer":
        coarser = "level='neuron'" if level == "operation" else "level='layer'"
        known = "" if model is not None else "model=model, "
        advice.append(f"a network in less detail with {known}{coarser}")
    return ValueError(
        f"a drawing of {count:,} values cannot be read (limit {limit:,}): "
        f"{', '.join(advice)}, or raise the limit with max_nodes={count}"
    )


# --------------------------------------------------------------------------------- what is left out


def _with_what_is_left_out(
    boxes: list[Box], builder: BoxBuilder, users: Mapping[Value, Sequence[Value]]
) -> list[Box]:
    """The boxes, and dashed ones that count the values left out below and above each."""
    kept = builder.kept
    values = {builder.names[value]: value for value in kept}
    off = None if builder.ways is None else False
    found, above = [], []
    for box in boxes:
        value = values[box.name]
        lost = {each.tail for each in builder.view.inputs(value)} - kept
        if lost:
            more = builder.more(len(lost))
            found.append(Box(f"{box.name}below", "omitted", more, on_path=off, frame=box.frame))
        found.append(box)
        lost = set(users[value]) - kept
        if lost:
            name, more = f"{box.name}above", builder.more(len(lost))
            arrow = Arrow(f"{name}e", box.name, on_path=off, omitted=True)
            above.append(
                Box(name, "omitted", more, operation=OperationNode(name, "", [arrow]), on_path=off)
            )
    return found + above
