"""What a named value is for: input, weight, target, activation, loss, or none of these.

A graph does not say what its values are for. The parameters of a model are weights; else a value
that no operation made is recognised by its name, as authors name them: `w`, `b`, `θ` are weights,
`y` and `t` are targets where something else is computed from weights, all others are inputs. What
an activation function made is an activation, and the root is the loss. `roles=` overrides all of
this.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from micrograd.derivation.naming import label_of
from micrograd.drawing.neurons import USUAL
from micrograd.engine.graph import is_leaf, operation
from micrograd.engine.value import Value
from micrograd.writing.notation import Name

ROLES = {
    "input": ("leaf_line", "leaf_fill", "leaf_ink"),
    "weight": ("weight_line", "weight_fill", "weight_ink"),
    "target": ("value_line", "value_head", "ink"),
    "activation": ("unit_line", "unit_fill", "unit_ink"),
    "loss": ("loss_line", "loss_fill", "loss_ink"),
    "value": ("value_line", "value_fill", "ink"),
}
"""The roles, with the fields of `Theme` for the border, the background and the name."""

BIASES = frozenset("b B bias 偏置".split())
_WEIGHTS = BIASES.union("w W u U v V θ Θ β ω weight 权重".split())
_TARGETS = frozenset("y t Y T target label truth 目标 标签 真值".split())
_ACTIVATIONS = USUAL | {"step", "hardtanh"}


def role(value: Value, name: Name, *, is_root: bool = False, is_weight: bool = False) -> str:
    """The role of a value, as far as it can be told.

    >>> from micrograd.writing.notation import named
    >>> [role(Value(1.0), named(label)) for label in ("w1", "x1", "y", "w^{(1)}_{12}")]
    ['weight', 'input', 'target', 'weight']
    """
    if is_leaf(value):
        base = name.symbol.base if name.symbol is not None else name.text
        if is_weight or base in _WEIGHTS:
            return "weight"
        return "target" if base in _TARGETS else "input"
    if is_root:
        return "loss"
    row = operation(value)
    return "activation" if row is not None and row.name in _ACTIVATIONS else "value"


def roles_of(
    names: Mapping[Value, Name],
    roots: Collection[Value],
    given: Mapping[Any, str] | None = None,
    parameters: Collection[int] = (),
) -> dict[Value, str]:
    """The roles of named values. If none is a weight, what looks like a target is an input.

    Args:
        names: the values with their names.
        roots: the values at the top.
        given: roles that the caller gave, by Value or by name.
        parameters: the ids of parameters of a model.
    """
    found = {
        node: (given or {}).get(node)
        or (given or {}).get(name.text)
        or (given or {}).get(label_of(node))
        or role(node, name, is_root=node in roots, is_weight=id(node) in parameters)
        for node, name in names.items()
    }
    if "weight" not in found.values():
        found |= {n: "input" for n, each in found.items() if each == "target" and is_leaf(n)}
    return found


def checked_roles(roles: Mapping[Any, str] | None) -> dict[Any, str]:
    """The roles that the caller gave, by Value or by name.

    Raises:
        ValueError: if there is no such role.
    """
    given = dict(roles or {})
    for thing, each in given.items():
        if each not in ROLES:
            raise ValueError(
                f"roles: {thing!r} is {each!r}, which is not one of {', '.join(ROLES)}"
            )
    return given
