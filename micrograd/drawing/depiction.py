"""From a graph to the picture of it: `depict(root)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from micrograd.drawing.boxes import Painter, more
from micrograd.drawing.picture import Arrow, Box, Picture, Step
from micrograd.drawing.scene import LEVELS, Scene
from micrograd.drawing.selection import consumers, neighbourhood, paths
from micrograd.engine.graph import order
from micrograd.engine.value import Value
from micrograd.writing import languages
from micrograd.writing.labels import shortened

MAX_NODES = 400
"""Values that a picture can hold before nobody can read it."""


def depict(
    root: Value | Iterable[Value],
    *,
    local_partials: bool = False,
    contributions: bool = False,
    path: Any = None,
    focus: Value | None = None,
    radius: int = 2,
    model: Any = None,
    level: str = "operation",
    names: Mapping[str, Any] | None = None,
    max_nodes: int = MAX_NODES,
    direction: str = "LR",
    lang: str = "en",
) -> Picture:
    """The graph below the roots; see `micrograd.drawing.draw_dot` for what can be asked for.

    Raises TypeError if a root is no Value, ValueError if there is none, if there are more than
    `max_nodes` values, or if what is asked for does not occur in the graph.
    """
    words = languages.words(lang, "picture")
    roots = _roots(root)
    _check_level(level, model)
    if focus is None and level == "operation" and len(nodes := order(roots)) > max_nodes:
        raise _too_large(len(nodes), max_nodes, model, level)
    scene = Scene(roots, model, level)
    variables = _variables(names)
    ways = [] if path is None else paths(scene, path, variables)
    users = consumers(scene) if focus is not None or contributions else {}
    kept = set(scene.shown)
    if focus is not None:
        kept = neighbourhood(scene, focus, radius, variables, users)
    if len(kept) > max_nodes:
        raise _too_large(len(kept), max_nodes, model, level, focused=focus is not None)
    painter = Painter(scene, variables, ways if path is not None else None, kept, words)
    painter.local_partials = local_partials
    if contributions:
        painter.shared = {value for value, above in users.items() if len(above) > 1}
    boxes = [painter.box(value) for value in scene.shown if value in kept]
    if focus is not None:
        boxes = _with_what_is_left_out(boxes, scene, kept, users, painter)
    tops = dict.fromkeys(place for root in roots for place in scene.places(root))
    used = {box.group for box in boxes}
    frames = painter.grouping.groups
    for name in list(used):
        while name and (name := frames[name].parent):
            used.add(name)
    return Picture(
        boxes=boxes,
        groups=[frame for name, frame in frames.items() if name in used],
        roots=[painter.names[top] for top in tops if top in kept],
        direction=direction,
        words=words,
    )


def _variables(names: Mapping[str, Any] | None) -> Mapping[int, str]:
    if names is None:
        return {}
    from micrograd.derivation.naming import variable_names

    return variable_names(names)


# --------------------------------------------------------------------------------- what is refused


def _roots(root: Any) -> list[Value]:
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
    hint = ", which has no order: give a list" if isinstance(thing, set | frozenset) else ""
    return f"{type(thing).__name__} {shortened(repr(thing))}{hint}"


def _check_level(level: Any, model: Any) -> None:
    if level not in LEVELS:
        raise ValueError(f"level is one of {', '.join(map(repr, LEVELS))}, got {level!r}")
    if level != "operation" and model is None:
        raise ValueError(
            f"level={level!r} needs to know the network: give model=, "
            "the MLP, layer or neuron that the graph was computed with"
        )


def _too_large(
    count: int, limit: int, model: Any, level: str, *, focused: bool = False
) -> ValueError:
    advice = ["draw a smaller part, such as one sample, one neuron or an intermediate value"]
    if focused:
        advice.append("give a smaller radius")
    else:
        advice.append("the surroundings of one value with focus=value")
    if level != "layer":
        finer = "level='neuron'" if level == "operation" else "level='layer'"
        known = "" if model is not None else "model=model, "
        advice.append(f"a network in less detail with {known}{finer}")
    return ValueError(
        f"a drawing of {count:,} values cannot be read (limit {limit:,}): "
        f"{', '.join(advice)}, or raise the limit with max_nodes={count}"
    )


# --------------------------------------------------------------------------------- what is left out


def _with_what_is_left_out(
    boxes: list[Box],
    scene: Scene,
    kept: set[Value],
    users: Mapping[Value, Sequence[Value]],
    painter: Painter,
) -> list[Box]:
    values = {painter.names[value]: value for value in kept}
    off = None if painter.ways is None else False
    found, above = [], []
    for box in boxes:
        value = values[box.name]
        lost = {link.tail for link in scene.links(value)} - kept
        if lost:
            name = f"{box.name}below"
            found.append(
                Box(name, "omitted", more(len(lost), painter.words), on_path=off, group=box.group)
            )
        found.append(box)
        lost = set(users[value]) - kept
        if lost:
            name = f"{box.name}above"
            step = Step(name, "", [Arrow(f"{name}e", box.name, on_path=off, omitted=True)])
            above.append(
                Box(name, "omitted", more(len(lost), painter.words), step=step, on_path=off)
            )
    return found + above
