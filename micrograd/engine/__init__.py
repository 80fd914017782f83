"""The engine: what a `Value` is, its operations, and `backward()`."""

from micrograd.engine.value import Value

__all__ = ["Value"]
