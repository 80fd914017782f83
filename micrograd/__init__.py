"""A scalar automatic-differentiation engine: one table of operations, many interpreters."""

from micrograd import functions
from micrograd.drawing import draw_dot
from micrograd.engine import Value
from micrograd.functions import *  # noqa: F403 (one function per row of the table)

__all__ = ["Value", "draw_dot", *functions.__all__]
