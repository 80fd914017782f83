"""The base class of Value, to which `micrograd.engine.value` attaches the methods of the table.

Type checkers read `methods.pyi` instead, which `python -m micrograd.engine.stubs` writes.
"""


class Methods:
    """The methods of Value that are written from the table of operations."""

    __slots__ = ()

    __hash__ = object.__hash__  # by identity, although the table defines `__eq__`
