"""The operations of the table as methods of Value; `micrograd.engine.value` attaches them.

Type checkers read `methods.pyi` instead, which `python -m micrograd.engine.stubs` writes.
"""


class Methods:
    """The part of Value that comes from the table."""

    __slots__ = ()

    __hash__ = object.__hash__  # by identity, also beside the `__eq__` of the table
