"""Types for annotations: numbers, arrays, and functions of either. Only type checkers need them.

Operations give a float where all operands are numbers, a Value where one is a Value, and an array
where one is an array or a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, overload

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from micrograd.engine.value import Value

Scalar: TypeAlias = "Value | float"
Array: TypeAlias = "list[Any] | tuple[Any, ...] | NDArray[Any]"
Real: TypeAlias = "np.floating[Any] | np.integer[Any] | np.bool_"
Reals: TypeAlias = "Iterable[float] | Iterable[Iterable[float]] | NDArray[Real]"
Scalars: TypeAlias = "Iterable[Scalar] | Iterable[Iterable[Scalar]] | NDArray[np.object_]"


class ScalarFunction(Protocol):
    """A function of numbers and Values: a float for numbers, a Value if one is a Value."""

    @overload
    def __call__(self, *operands: float) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *operands: Scalar) -> Value: ...


class Elementwise(Protocol):
    """An operation as a function, which also takes arrays and nested lists."""

    @overload
    def __call__(self, *operands: float) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *operands: Scalar) -> Value: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *operands: Scalar | Array) -> NDArray[Any]: ...
