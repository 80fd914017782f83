"""A graph as a page computes with it: data in JSON, and functions in JavaScript.

The page runs the engine's own sweep over all nodes (`micrograd.export.pages`). It shows the named
ones: for each named value and each of its operands, the local derivative is what the sweep gives
between the two, so it follows the engine's conventions at every number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from micrograd.derivation.definitions import Definition, definitions
from micrograd.derivation.naming import label_of, variable_names
from micrograd.drawing.frame import brief
from micrograd.drawing.json_graph import strict
from micrograd.drawing.named.roles import role
from micrograd.engine.graph import is_leaf, order
from micrograd.engine.value import Value
from micrograd.export.pages import arrows, graph_functions
from micrograd.live.slopes import Writer, branches, closed_forms
from micrograd.source.javascript import JAVASCRIPT
from micrograd.table.formulas import Tree
from micrograd.writing.notation import named

MOST_NODES = 2_000


class Story:
    """What a live page knows of the graph below a value.

    Args:
        output: the value at the top.
        names: the caller's variables, or a model, for values without a label.
        max_values: the most named values that are shown.

    Raises:
        TypeError: an operation was made by hand.
        NotImplementedError: an operation was defined by a Python function.
        ValueError: the graph is too large.
    """

    def __init__(self, output: Value, names: Any = None, max_values: int = 100) -> None:
        if not isinstance(output, Value):
            raise TypeError(
                f"live_page takes a Value, got {type(output).__name__}"
                f"{': give what it returns, f(x)' if callable(output) else ''}"
            )
        self.nodes = order([output])
        self.cut = definitions([output], names)
        self.values = [node for node in self.nodes if node in self.cut.names]
        if len(self.values) > max_values:
            raise ValueError(
                f"a live page of {len(self.values):,} named values cannot be read (limit "
                f"{max_values:,}): name fewer values, show a smaller part of the graph, or raise "
                f"the limit with max_values={len(self.values)}"
            )
        if len(self.nodes) > MOST_NODES:
            raise ValueError(
                f"a live page computes at most {MOST_NODES:,} values, the graph has "
                f"{len(self.nodes):,}: show a smaller part of it"
            )
        self.places = {node: i for i, node in enumerate(self.nodes)}
        self.sweep = graph_functions(self.nodes)
        called = variable_names(names, self.nodes)
        self._written = {
            value: (label_of(value).strip() or called.get(id(value), "").strip())
            for value in self.values
        }
        self.names = self._names()

    def _names(self) -> dict[Value, str]:
        """The names as they are written in the program, unless two values have the same."""
        written = self._written
        texts = {value: self.cut.names[value].text for value in self.values}
        often = [*written.values()]
        taken = {*texts.values()}
        return {
            value: name
            if name and often.count(name) == 1 and (name == texts[value] or name not in taken)
            else texts[value]
            for value, name in written.items()
        }

    @property
    def leaves(self) -> list[Value]:
        """The leaves, which have sliders."""
        return [value for value in self.values if is_leaf(value)]

    def leaf(self, which: Any, place: str) -> Value:
        """The leaf that a Value or a name means.

        Args:
            which: the leaf, or its name.
            place: the option in which it was given, for messages.
        """
        if isinstance(which, Value):
            found = [leaf for leaf in self.leaves if leaf is which]
        else:
            text = named(which).text if isinstance(which, str) and which.strip() else ""
            found = [leaf for leaf in self.leaves if self.names[leaf] == which] or [
                leaf for leaf in self.leaves if text and self.cut.names[leaf].text == text
            ]
        if not found:
            known = ", ".join(repr(self.names[leaf]) for leaf in self.leaves)
            raise ValueError(
                f"{place}: {which!r} is not a leaf of the graph; the leaves are {known}"
            )
        return found[0]

    def weights(self) -> list[Value]:
        """The leaves that learn by default: those that have names of weights."""
        return [
            leaf
            for leaf in self.leaves
            if self._written[leaf] and role(leaf, self.cut.names[leaf]) == "weight"
        ]

    # --------------------------------------------------------------------------------------- data

    def data(self) -> tuple[dict[str, Any], str]:
        """The graph as data, and the script with its functions."""
        places = {self.cut.names[value].mark: i for i, value in enumerate(self.values)}
        shown = {name.text: name for name in self.cut.names.values()}
        texts = {self.cut.key(value): f"v[{self.places[value]}]" for value in self.values}
        writer = Writer(shown, texts, lambda mark: brief(mark, places))
        steps = [self._step(step, writer) for step in self.cut]
        forms = closed_forms(self.cut)
        data = {
            "nodes": len(self.nodes),
            "arrows": len(arrows(self.nodes)),
            "values": [self._value(value, writer, forms) for value in self.values],
            "steps": steps,
        }
        return data, self._script(writer)

    def _value(self, value: Value, writer: Writer, forms: Mapping[str, Tree]) -> list[Any]:
        """A named value: its name, its node, its text and mark if they differ from the name.

        A leaf has its number, too, and the closed form of its derivative if there is a short one.
        """
        name, shown = self.names[value], self.cut.names[value]
        text = 0 if shown.text == name else shown.text
        mark = 0 if shown.mark == ("mi", name) else brief(shown.mark, {})
        data = [name, self.places[value], text, mark]
        if is_leaf(value):
            form = forms.get(shown.text)
            data += [strict(value.data), *([] if form is None else [writer.data(form)])]
        return data

    def _step(self, step: Definition, writer: Writer) -> list[Any]:
        """A definition: its value, its operands, their slopes, and the arrows between them."""
        indices = {value: i for i, value in enumerate(self.values)}
        slopes = [branches(step, key) for key in step.operands]
        return [
            indices[step.value],
            [indices[operand] for operand in step.operands.values()],
            [each if each is None else writer.data(each) for each in slopes],
            [*self._sweep(step)],
        ]

    def _sweep(self, step: Definition) -> Iterator[int]:
        """The arrows from a named value down to its operands, in the order of `backward()`."""
        inside = order(step.value, until=step.operands.values())
        between = {self.places[node] for node in inside} - {
            self.places[operand] for operand in step.operands.values()
        }
        by_head: dict[int, list[int]] = {}
        for i, (head, _) in enumerate(arrows(self.nodes)):
            by_head.setdefault(head, []).append(i)
        for head in sorted(between, reverse=True):
            yield from by_head.get(head, ())

    def _script(self, writer: Writer) -> str:
        """One object with the functions of the graph; names of operations do not leave it."""
        own = self.sweep.split("\n\n")
        functions = dict.fromkeys([*JAVASCRIPT.runtime(writer.used), *own])
        formulas = "".join(f"  {text},\n" for text in writer.functions)
        text = re.sub(r"\bstopping_mul\(", "$(", "\n".join(functions))  # half of a long sweep
        text = text.replace("+= c[k] = ", "+= ")  # the page adds up what flows itself
        return (
            f"const graph = (() => {{\n{text}\nreturn {{ forward, backward,\n"
            f"heads, tails,\nformulas: (v) => [\n{formulas}] }};\n}})();\n"
        )


def settings(
    story: Story, learning: list[Value], inputs: list[Value], samples: list[list[float]]
) -> dict[str, Any]:
    """What the page begins with, as data: the leaves that learn, and the samples."""
    indices = {value: i for i, value in enumerate(story.values)}
    return {
        "learn": [indices[leaf] for leaf in learning],
        "inputs": [indices[leaf] for leaf in inputs],
        "samples": [[strict(x) for x in row] for row in samples],
    }
