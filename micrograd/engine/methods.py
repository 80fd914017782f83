"""The base class of Value, to which `micrograd.engine.value` attaches the methods of the table.

Type checkers read `methods.pyi` instead, which `python -m micrograd.engine.stubs` writes.
"""

import math
from collections.abc import Callable
from typing import Any


class Methods:
    """The methods of Value that are written from the table of operations."""

    __slots__ = ()

    __hash__ = object.__hash__  # by identity, although the table defines `__eq__`


def _called(name: str) -> Callable[..., Any]:
    def method(self: Any, *operands: Any) -> Any:
        return getattr(self, name)(*operands)

    method.__doc__ = (
        f"Apply the operation `{name}`, under the name by which NumPy or Python calls it.\n\n"
        "Args:\n    *operands: the other operands, Values or numbers."
    )
    return method


# NumPy applies a function to an array of objects by calling the method of that name of each.
_OTHER_NAMES = {
    **{f"arc{name}": f"a{name}" for name in "sin cos tan sinh cosh tanh tan2".split()},
    "rint": "round",
    "fabs": "__abs__",
    "floor_divide": "__floordiv__",
    "remainder": "__mod__",
    "__floor__": "floor",
    "__ceil__": "ceil",
    "__trunc__": "trunc",
    "conjugate": "__pos__",
}
for _other, _name in _OTHER_NAMES.items():
    setattr(Methods, _other, _called(_name))


def _scaled(factor: float) -> Callable[..., Any]:
    def method(self: Any) -> Any:
        return self * factor

    method.__doc__ = "Apply the operation `mul`, under the name by which NumPy converts an angle."
    return method


def _remainder() -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return (abs(self) % abs(other)).copysign(self)

    method.__doc__ = (
        "Apply the operation `mod`, under the name by which NumPy keeps the dividend's sign.\n\n"
        "Args:\n    other: the divisor, a Value or a number."
    )
    return method


for _name, _factor in (("degrees", 180 / math.pi), ("radians", math.pi / 180)):
    setattr(Methods, _name, _scaled(_factor))
_AGAIN = {"rad2deg": "degrees", "deg2rad": "radians"}
for _other, _name in _AGAIN.items():
    setattr(Methods, _other, getattr(Methods, _name))
setattr(Methods, "fmod", _remainder())  # noqa: B010 (type checkers read methods.pyi)
