"""Types of the functions that transforms return. Only type checkers need them.

A gradient has the type of the argument, not of the parameter: a function of Values may be called
with numbers, and then its gradient consists of numbers. Some things cannot be said:

- Integers inside of containers become floats: the gradient at `[1, 2]` is a list of floats.
- Inside of a function that is being differentiated, the result of `grad(f)(2.0)` is a Value.
- A value is a Value also where Values are deeper in the arguments than in a list or a dict.
- Nested lists with rows of different lengths have no array as their Jacobian.
- The result is `Any`, or a tuple of it, with `has_aux`, for most `argnums`, and for Jacobians of
  and with respect to dicts and the like.
- The result is `Any` for a lambda with a result of unknown type, unless it can only be a number, as
  for `grad`: a number, a list and an array give results of different types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from micrograd.engine.signatures import Real, Scalar
    from micrograd.engine.value import Value

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)
V = TypeVar("V", bound="Values")

# What has a shape: a number, a vector or a matrix.
Regular: TypeAlias = "float | Sequence[float] | Sequence[Sequence[float]] | NDArray[Real]"
RegularValues: TypeAlias = (
    "Scalar | Sequence[Scalar] | Sequence[Sequence[Scalar]] | NDArray[np.object_]"
)
# Arguments that are known to contain Values.
Values: TypeAlias = "Value | Sequence[Value] | Mapping[Any, Value] | NDArray[np.object_]"
# Functions by their result.
ScalarFunction: TypeAlias = "Callable[..., Scalar | Real]"
ListFunction: TypeAlias = "Callable[..., list[Value] | list[float] | list[Scalar]]"
ArrayFunction: TypeAlias = "Callable[..., NDArray[Any]]"
RegularFunction: TypeAlias = "Callable[..., Regular | RegularValues]"


class Gradient(Protocol):
    """The gradient with respect to the first argument, which is of its type."""

    @overload
    def __call__(self, x: float, /, *args: Any, **options: Any) -> float: ...
    @overload
    def __call__(self, x: T, /, *args: Any, **options: Any) -> T: ...


class GradientOfSecond(Protocol):
    """The gradient with respect to the second argument, which is of its type."""

    @overload
    def __call__(self, x: Any, y: float, /, *args: Any, **options: Any) -> float: ...
    @overload
    def __call__(self, x: Any, y: T, /, *args: Any, **options: Any) -> T: ...


class GradientsOfTwo(Protocol):
    """The gradients with respect to the first two arguments, which are of their types."""

    @overload
    def __call__(
        self, x: float, y: float, /, *args: Any, **options: Any
    ) -> tuple[float, float]: ...
    @overload
    def __call__(self, x: T, y: float, /, *args: Any, **options: Any) -> tuple[T, float]: ...
    @overload
    def __call__(self, x: float, y: T, /, *args: Any, **options: Any) -> tuple[float, T]: ...
    @overload
    def __call__(self, x: T, y: U, /, *args: Any, **options: Any) -> tuple[T, U]: ...


class GradientOfAny(Protocol):
    """The gradient with respect to some argument; its type is known if all are numbers."""

    @overload
    def __call__(self, *args: float, **options: Any) -> float: ...
    @overload
    def __call__(self, *args: Any, **options: Any) -> Any: ...


class Gradients(Protocol):
    """The gradients with respect to several arguments; of known types if all are numbers."""

    @overload
    def __call__(self, *args: float, **options: Any) -> tuple[float, ...]: ...
    @overload
    def __call__(self, *args: Any, **options: Any) -> tuple[Any, ...]: ...


class ValueAndGradient(Protocol):
    """The value, and the gradient with respect to the first argument."""

    @overload
    def __call__(self, x: float, /, *args: Any, **options: Any) -> tuple[float, float]: ...
    @overload
    def __call__(self, x: V, /, *args: Any, **options: Any) -> tuple[Value, V]: ...
    @overload
    def __call__(self, x: T, /, *args: Any, **options: Any) -> tuple[float, T]: ...


class ValueAndGradientsOfTwo(Protocol):
    """The value, and the gradients with respect to the first two arguments."""

    @overload
    def __call__(
        self, x: float, y: float, /, *args: Any, **options: Any
    ) -> tuple[float, tuple[float, float]]: ...
    @overload
    def __call__(self, x: V, y: U, /, *args: Any, **options: Any) -> tuple[Value, tuple[V, U]]: ...
    @overload
    def __call__(
        self, x: T, y: float, /, *args: Any, **options: Any
    ) -> tuple[float, tuple[T, float]]: ...
    @overload
    def __call__(self, x: T, y: U, /, *args: Any, **options: Any) -> tuple[float, tuple[T, U]]: ...


class Jacobian(Protocol):
    """Derivatives as an array, with respect to a number, a vector or a matrix."""

    @overload
    def __call__(self, x: Regular, /, *args: Any, **options: Any) -> NDArray[np.float64]: ...
    @overload
    def __call__(self, x: RegularValues, /, *args: Any, **options: Any) -> NDArray[np.object_]: ...
    @overload
    def __call__(self, x: Any, /, *args: Any, **options: Any) -> Any: ...


class ValueAndJacobian(Protocol[T_co]):
    """The value, and its derivatives as an array."""

    @overload
    def __call__(
        self, x: Regular, /, *args: Any, **options: Any
    ) -> tuple[T_co, NDArray[np.float64]]: ...
    @overload
    def __call__(self, x: Any, /, *args: Any, **options: Any) -> tuple[Any, Any]: ...
