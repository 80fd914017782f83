"""Programs as source text that runs without this library: `c` and `numpy`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd.compiler.sources.c import Argument, CFile
from micrograd.compiler.sources.numpy import NumpyFile
from micrograd.compiler.stopping import CheckedExecutor
from micrograd.engine.callables import positional_parameters
from micrograd.transforms.structures import LEAF, Structure, count_leaves

LANGUAGES = ("c", "numpy")


def source_of(
    f: Callable[..., Any] | None,
    language: str,
    executor: CheckedExecutor,
    arguments: tuple[Structure, ...],
    result: Structure,
) -> str:
    """A program as source text; see `CompiledFunction.source`.

    Args:
        f: the function that was traced, for its names; None if it is no longer known.
        language: `"c"` or `"numpy"`.
        executor: the program, with plain products and with products that stop at zero.
        arguments: the structures of its arguments.
        result: the structure of its result.

    Raises:
        ValueError: the language is not known.
        NotImplementedError: an operation is defined by a Python function.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language is one of {', '.join(LANGUAGES)}, got {language!r}")
    plain, exact = executor.program, executor.reference.program
    given = [
        Argument(name, None if structure == LEAF else count_leaves(structure))
        for name, structure in zip(_names(f, len(arguments)), arguments, strict=True)
    ]
    own = getattr(f, "__name__", "f")
    name = own if own.isidentifier() else "f"
    if language == "numpy":
        return NumpyFile(exact, name, given, is_number=result == LEAF).text()
    return CFile(plain, exact, name, given, gradient=result == LEAF).text()


def _names(f: Callable[..., Any] | None, count: int) -> list[str]:
    """The names of the arguments, as far as they are known."""
    found = [] if f is None else [each.name for each in positional_parameters(f)]
    return [*found, *(f"x{i}" for i in range(len(found) + 1, count + 1))][:count]
