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

    def degrees(self: Any) -> Any:
        """Apply the operation `mul`, under the name by which NumPy converts an angle."""
        return self * (180 / math.pi)

    def radians(self: Any) -> Any:
        """Apply the operation `mul`, under the name by which NumPy converts an angle."""
        return self * (math.pi / 180)

    rad2deg, deg2rad = degrees, radians

    def fmod(self: Any, other: Any) -> Any:
        """Apply the operation `mod`, under the name by which NumPy keeps the dividend's sign.

        Args:
            other: the divisor, a Value or a number.
        """
        return (abs(self) % abs(other)).copysign(self)


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
