"""Frees a deep graph without recursion, where Python itself does not.

When the root of a graph is freed, its operands are freed, then theirs, and so on. Python stops this
recursion before the stack is used up, except Python 3.13 and later on WebAssembly: there the stack
is that of the browser, whose size Python does not know, and a chain of 5,000 operations ended the
whole interpreter. So on that platform only, nodes have a finalizer, which makes a step of training
on Values 10 to 20 % slower.
"""

from __future__ import annotations

import sys
from typing import Any

IS_NEEDED = sys.platform == "emscripten" and sys.version_info >= (3, 13)
"""Whether nodes need the finalizer `unlink`."""

_released: list[Any] = []  # operands of nodes that are gone
_is_freeing = False


def unlink(node: Any) -> None:
    """Take the operands from a node that is being freed, and free them one after another.

    Freeing an operand may call this function again for it, which then only adds to the list.

    Args:
        node: a node to which no reference is left.
    """
    global _is_freeing
    try:
        _released.append(node._x)
        _released.append(node._y)
    except AttributeError:  # an error was raised while the node was being made
        return
    node._x = node._y = None
    if not _is_freeing:
        _is_freeing = True
        try:
            while _released:
                _released.pop()
        finally:
            _is_freeing = False
