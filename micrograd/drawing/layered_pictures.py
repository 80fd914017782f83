"""Pictures of a network for the steps of `layered`: a box for each neuron, or for each layer.

They are the compact picture of the graph, with everything within a neuron, and its parameters,
drawn as one box that has arrows from its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from micrograd.drawing.layered import Layered
from micrograd.drawing.named.fitting import stacked
from micrograd.drawing.named.layout import FORMULA
from micrograd.drawing.picture import Arrow, Box, OperationNode, Picture
from micrograd.drawing.spans import Line, line_width, plain
from micrograd.drawing.steps import in_order
from micrograd.engine.value import Value

_LONGEST = 230.0  # formula that is shown, in pixels


def pictures(layered: Layered) -> list[Picture]:
    """The picture with a box for each neuron, in two forms, and that with one for each layer.

    The last is left out if a layer takes what was computed from its own outputs.
    """
    neurons = _of_neurons(layered)
    return [neurons, stacked(neurons), *_ordered(_of_layers(layered))]


def _ordered(picture: Picture) -> list[Picture]:
    """The picture with its boxes in topological order; none if there is no such order.

    Boxes of several samples that became one may stand before what a later sample needs.
    """
    if _is_ordered(picture):
        return [picture]
    found = {box.name: box for box in picture.boxes}
    given = [box for box in picture.boxes if box.operation is None]
    computed = [found[name] for part in in_order(picture, ()) for name in part.boxes]
    picture = picture._replace(boxes=[*given, *computed])
    return [picture] if _is_ordered(picture) else []


def _is_ordered(picture: Picture) -> bool:
    places = {box.name: i for i, box in enumerate(picture.boxes)}
    return all(places[arrow.tail] < places[head] for arrow, head in picture.arrows())


def _of_neurons(layered: Layered) -> Picture:
    heads: dict[str, Box] = {}
    for layer in layered.layers:
        for unit in layer.units:
            box = layered.boxes[layered.ids[unit.output]]
            tails = [layered.ids[x] for x in unit.inputs if isinstance(x, Value)]
            heads[box.name] = _contracted(box, tails, box.title, "u")
    return _rewired(layered, heads, {})


def _of_layers(layered: Layered) -> Picture:
    stands: dict[str, str] = {}  # for each box of a layer, the one that stands for the layer
    heads: dict[str, Box] = {}
    for i, layer in enumerate(layered.layers):
        inputs = [layered.ids[x] for row in layer.inputs for x in row if isinstance(x, Value)]
        given = [name for name in inputs if layered.boxes[name].operation is None]
        if given and given[0] not in stands:
            stands |= dict.fromkeys(given, given[0])
            heads[given[0]] = _without_numbers(layered.boxes[given[0]], layered.symbol("x", i))
        names = [layered.ids[unit.output] for unit in layer.units]
        stands |= dict.fromkeys(names, names[0])
        *_, last = layered.forward(i)
        bare = _without_numbers(layered.boxes[names[0]], last.symbols)
        heads[names[0]] = _contracted(bare, inputs, last.symbols, "l")
    return _rewired(layered, heads, stands)


def _without_numbers(box: Box, line: Line) -> Box:
    return box._replace(formula=line, label=plain(line), data="", grad="")


def _contracted(box: Box, tails: Sequence[str], line: Line, letter: str) -> Box:
    arrows = [Arrow(f"{box.name}{letter}{k}", tail) for k, tail in enumerate(tails)]
    operation = OperationNode(box.name, "", arrows)
    return box._replace(operation=operation, formula=line, label=plain(line))


def _rewired(layered: Layered, heads: Mapping[str, Box], stands: Mapping[str, str]) -> Picture:
    """The picture with `heads` in place of neurons, without anything within them.

    Arrows from a box lead from the one that stands for it.
    """
    units = [unit for layer in layered.layers for unit in layer.units]
    within = {value for unit in units for value in (*unit.inner, *unit.parameters)}
    gone = {layered.ids[value] for value in within if value in layered.ids} | stands.keys()
    kept = [
        heads.get(box.name, box)
        for box in layered.picture.boxes
        if box.name in heads or box.name not in gone
    ]
    kept = [_shortened(box) for box in _by_number(layered, kept)]
    present = {box.name for box in kept}

    def wired(box: Box) -> Box:
        arrows: dict[str, Arrow] = {}
        for arrow in box.arrows:
            tail = stands.get(arrow.tail, arrow.tail)
            if tail in present:
                arrows.setdefault(tail, arrow._replace(tail=tail, formula=()))
        return box.with_arrows(list(arrows.values()))

    return layered.picture._replace(boxes=[wired(box) for box in kept])


def _shortened(box: Box) -> Box:
    """The box with its name alone if its formula is long."""
    is_long = line_width(box.formula, FORMULA) > _LONGEST
    return box._replace(formula=box.title) if is_long else box


def _by_number(layered: Layered, boxes: list[Box]) -> list[Box]:
    """The boxes with the neurons of each layer in order, unless one is used before the last."""
    boxes = list(boxes)
    for layer in layered.layers:
        names = [layered.ids[unit.output] for unit in layer.units]
        places = [i for i, box in enumerate(boxes) if box.name in names]
        between = boxes[min(places) : max(places)]
        tails = {arrow.tail for box in between for arrow in box.arrows}
        if len(places) == len(names) and tails.isdisjoint(names):
            found = {box.name: box for box in boxes}
            for place, name in zip(places, names, strict=True):
                boxes[place] = found[name]
    return boxes
