"""The operations of the table as functions of Values and numbers, such as `maximum(v, 0)`.

Given numbers alone, a function returns a float. Type checkers read `functions.pyi` instead, which
`python -m micrograd.engine.stubs` writes.
"""

from micrograd.engine.definitions import VOCABULARY, define
from micrograd.ops import ROWS

globals().update((row.name, VOCABULARY[row.name]) for row in ROWS)
__all__ = ["define", *(row.name for row in ROWS)]
