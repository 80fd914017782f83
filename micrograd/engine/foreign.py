"""Refuses what another library differentiates: here its derivative would silently be lost."""

from __future__ import annotations

from typing import Any


def refuse_foreign(thing: Any, place: str) -> None:
    """TypeError for what JAX or PyTorch differentiates, whose derivative would be lost.

    Args:
        thing: a number or an array.
        place: what the message calls it.
    """
    refuse_traced(type(thing), place)
    if getattr(thing, "requires_grad", False):
        raise TypeError(
            f"{place} takes no tensor that PyTorch differentiates, whose derivative would be lost: "
            "give tensor.detach(), or use the functions of torch"
        )


def refuse_traced(kind: type, place: str) -> None:
    """TypeError for the type of a value that JAX traces.

    Args:
        kind: the type.
        place: what the message calls the value.
    """
    if kind.__module__.startswith("jax") and "Tracer" in (each.__name__ for each in kind.__mro__):
        raise TypeError(
            f"{place} takes no value that JAX traces ({kind.__name__}), whose derivative would be "
            "lost: differentiate with micrograd, by grad or the value_and_grad of a compiled "
            "function, or use the functions of jax.numpy inside jax.grad, jax.jit and jax.vmap"
        )
