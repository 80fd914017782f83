"""The frames around what belongs to a layer, a neuron and a sample, and what is called w1 there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from micrograd.drawing.models import layer_title
from micrograd.drawing.scene import Scene
from micrograd.drawing.units import Application, Unit
from micrograd.engine.value import Value


class Group(NamedTuple):
    """A frame with a title; `parent` is the name of the frame around it, or nothing."""

    name: str
    label: str
    parent: str


class Grouping:
    """Frames, parents first, and the names of those in which values stand."""

    def __init__(self, scene: Scene, words: Mapping[str, str]) -> None:
        self.words = words
        self.groups: dict[str, Group] = {}
        self.group_of: dict[Value, str] = {}
        self.several = any(application.sample > 1 for application in scene.found)
        for application in sorted(scene.found, key=lambda each: each.layer):
            for unit in application.units:
                if not scene.folded:
                    self._frame_operations(unit, application)
                elif unit.output in scene.folded and unit.neuron.number:
                    name = f"layer{application.layer}sample{application.sample}"
                    title = self.titled(layer_title(application.layer, words), application)
                    self.group_of[unit.output] = self._group(name, title)

    def _frame_operations(self, unit: Unit, application: Application) -> None:
        neuron, name = unit.neuron, ""
        if neuron.number:
            name = self._group(f"layer{neuron.layer}", layer_title(neuron.layer, self.words))
        title = neuron._replace(layer=0).titled(self.words)
        name = self._group(f"{name}neuron{neuron.number}", title, name)
        for parameter in unit.parameters:
            self.group_of.setdefault(parameter, name)
        if self.several:
            number = application.sample
            title = self.words["sample"].format(sample=number)
            name = self._group(f"{name}sample{number}", title, name)
        self.group_of.update(dict.fromkeys(unit.inner, name))

    def _group(self, name: str, label: str, parent: str = "") -> str:
        self.groups.setdefault(name, Group(name, label, parent))
        return name

    def titled(self, title: str, application: Application) -> str:
        """The title, with `, sample 2` where there are several."""
        if not self.several:
            return title
        return self.words["in sample"].format(title=title, sample=application.sample)


def parameter_names(scene: Scene, words: Mapping[str, str]) -> dict[Value, str]:
    """What the parameters of the model are called: w1, w2 and so on, and b.

    Where they do not stand in a frame, the neuron's name comes first.
    """
    names: dict[Value, str] = {}
    for application in scene.found:
        for unit in application.units:
            of = "{name}"
            if scene.folded:
                of = words["of"].format(place=unit.neuron.titled(words), name="{name}")
            for i, weight in enumerate(unit.neuron.weights, 1):
                names.setdefault(weight, of.format(name=f"w{i}"))
            if unit.neuron.bias is not None:
                names.setdefault(unit.neuron.bias, of.format(name="b"))
    return names
