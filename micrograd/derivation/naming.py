"""Names of values: their labels, the caller's variables, or v₁, v₂ and so on.

>>> x, w = Value(2.0), [Value(3.0), Value(4.0)]
>>> label_all({"x": x, "w": w})
['x', 'w_1', 'w_2']
>>> w[1].label
'w_2'
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from micrograd.derivation.parameters import is_model, living_labels, parameter_labels
from micrograd.engine.graph import is_leaf, operation
from micrograd.engine.value import Value
from micrograd.writing.names import indexed
from micrograd.writing.notation import Name, named

_LETTERS = "vusrqt"
"""Letters for values without a name: the first whose series x₁, x₂ is not taken."""
_DEEPEST = 4  # levels of nested lists that are searched for Values


def label_all(names: Any, *, overwrite: bool = False) -> list[str]:
    """Label the Values of a mapping such as `locals()` by their names.

    Values in lists, tuples and NumPy arrays are counted from 1, as in mathematics: the first entry
    of `w` is labelled `w_1`, which is shown as w₁, and an entry of a matrix `W_{12}`. The entry
    `"b"` of a dict `w` is labelled `w_b`. The parameters of a model are called by their places,
    whatever the name of the model is: the weight of neuron 1 for input 2 in layer 1 is labelled
    `w^{(1)}_{12}`, which is shown as w⁽¹⁾₁₂. If a Value has several names, the first counts; a
    place in a model takes precedence over all of them. Names that begin with an underscore are
    skipped.

    Args:
        names: a mapping from names to Values, to models, and to nested lists, tuples, dicts and
            NumPy arrays of them; or a model.
        overwrite: whether to replace existing labels.

    Returns:
        The labels that were set.

    Raises:
        TypeError: if `names` is neither a mapping nor a model.

    >>> x = [Value(2.0), Value(3.0)]
    >>> loss = (x[0] - x[1]) ** 2
    >>> label_all(dict(x=x, loss=loss))
    ['x_1', 'x_2', 'loss']
    """
    chosen: dict[int, tuple[str, Value]] = {}
    for label, _, value in _named_values(names, "label_all"):
        chosen.setdefault(id(value), (label, value))
    labels = []
    for label, value in chosen.values():
        if overwrite or not label_of(value).strip():
            value.label = label
            labels.append(label)
    return labels


def variable_names(
    names: Mapping[str, Any] | Any | None, nodes: Sequence[Value] = ()
) -> dict[int, str]:
    """The name of each Value in a mapping such as `locals()`, by the id of the Value.

    They are the labels that `label_all` would set. Leaves among `nodes` that are parameters of a
    model of `nn` are named, too. Names that begin with an underscore are skipped, because a
    notebook has many that the user did not choose.

    Raises:
        TypeError: if `names` is neither a mapping nor a model.
    """
    found: dict[int, str] = {}
    if names is not None:
        for label, _, value in _named_values(names, "names"):
            found.setdefault(id(value), label)
    leaves = [
        node
        for node in nodes
        if id(node) not in found and is_leaf(node) and not label_of(node).strip()
    ]
    return found | living_labels(leaves)


def spellings(names: Mapping[str, Any] | Any | None) -> dict[str, Value]:
    """The Values in a mapping by what Python calls them, such as `w[0]`."""
    if names is None:
        return {}
    return {spelling: value for _, spelling, value in _named_values(names, "names")}


def _named_values(names: Any, asker: str) -> Iterator[tuple[str, str, Value]]:
    """Each Value with its label and with what Python calls it; those of models come first."""
    if is_model(names):
        yield from ((label, label, value) for label, value in parameter_labels(names))
        return
    if not isinstance(names, Mapping):
        raise TypeError(
            f"{asker} takes a mapping from names to Values, such as locals(), or a model, "
            f"got {type(names).__name__}"
        )
    chosen = [
        (name, thing)
        for name, thing in list(names.items())
        if isinstance(name, str) and not name.startswith("_")
    ]
    for models in (True, False):
        for name, thing in chosen:
            yield from _values(name, name, (), thing, _DEEPEST, models)


def _values(
    name: str, spelling: str, places: tuple[int, ...], thing: Any, levels: int, models: bool
) -> Iterator[tuple[str, str, Value]]:
    """The Values in a thing, or those in the models in it; `places` are those within `name`."""
    if isinstance(thing, Value):
        if not models:
            yield indexed(name, *places), spelling, thing
    elif isinstance(thing, list | tuple):
        for i, each in enumerate(thing if levels else ()):
            yield from _values(name, f"{spelling}[{i}]", (*places, i + 1), each, levels - 1, models)
    elif isinstance(thing, dict):
        for key, each in thing.items() if levels else ():
            inner = f"{indexed(name, *places)}_{key}" if str(key).isidentifier() else None
            said = f"{spelling}[{key!r}]"
            yield from _values(inner or said, said, (), each, levels - 1, models)
    elif _is_array(thing):
        for place in product(*map(range, thing.shape)):
            at = f"{spelling}[{', '.join(map(str, place))}]" if place else f"{spelling}[()]"
            inside = (*places, *(i + 1 for i in place))
            yield from _values(name, at, inside, thing[place], 0, models)
    elif models and is_model(thing):
        yield from ((label, label, value) for label, value in parameter_labels(thing))


def _is_array(thing: Any) -> bool:
    numpy = sys.modules.get("numpy")  # there are arrays only if it has been imported
    return numpy is not None and isinstance(thing, numpy.ndarray) and thing.dtype == object


def name_values(nodes: Sequence[Value], variables: Mapping[int, str]) -> dict[Value, Name]:
    """A name for each value; `nodes` are in topological order.

    A label is used first, then the caller's variable, then v₁, v₂, … in order; or u₁, u₂, …, if
    there are a v₁ and a v₂. A name that occurs again, even in another spelling, is numbered: x,
    x⁽²⁾, x⁽³⁾.
    """
    chosen: dict[Value, Name] = {}
    taken: set[Any] = set()  # names must differ as text and as marks
    again: list[tuple[Value, Name]] = []
    for node in nodes:
        label = label_of(node)
        name = named(label if label.strip() else variables.get(id(node), ""))
        if name.text in taken or name.mark in taken:
            again.append((node, name))
        elif name.text.strip():
            taken |= {name.text, name.mark}
            chosen[node] = name
    for node, plain in again:  # numbered last, as there may be a label x⁽²⁾
        name, times = plain, 1
        while name.text in taken or name.mark in taken:
            times += 1
            name = plain.numbered(times)
        taken |= {name.text, name.mark}
        chosen[node] = name
    series = (x for x in _LETTERS if not {named(f"{x}1").text, named(f"{x}2").text} <= taken)
    letter = next(series, "v")
    number = 0
    for node in nodes:
        if node not in chosen:
            number += 1
            while (name := named(f"{letter}{number}")).text in taken:
                number += 1
            chosen[node] = name
    for node, name in chosen.items():
        row = operation(node)
        name.is_condition = row is not None and row.is_comparison
    return chosen


def unlabelled(names: Mapping[Value, Name]) -> dict[str, Value]:
    """The values without a label, by these names for them: `names` for a drawing."""
    return {name.text: value for value, name in names.items() if not label_of(value).strip()}


def label_of(node: Value) -> str:
    """The label as text, whatever type it was set to."""
    if node.label is None:
        return ""
    try:
        return str(node.label)
    except Exception:
        return f"<{type(node.label).__name__}>"
