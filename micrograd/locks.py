"""Locks that stay usable after a fork, when only the forking thread is left in the child."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from threading import RLock
from typing import Any, TypeVar

_T = TypeVar("_T")


def reentrant_lock() -> Any:
    """A reentrant lock, which is free in the child of a fork unless the forking thread holds it."""
    lock = RLock()
    free_in_children(lock)
    return lock


class forkable_property(cached_property[_T]):  # noqa: N801
    """A `cached_property` whose lock, which it has up to Python 3.11, is free in children, too.

    There is one lock for all instances of a class: the child of a fork would wait for ever while
    another thread of the parent computes the property of any of them.
    """

    def __init__(self, func: Callable[[Any], _T]) -> None:
        super().__init__(func)
        if hasattr(self, "lock"):
            free_in_children(self.lock)


def free_in_children(lock: Any) -> None:
    """Release a reentrant lock in the child of a fork, if another thread of the parent held it."""

    def free() -> None:
        if not lock._is_owned():  # as the standard library does with its own locks
            lock._at_fork_reinit()

    in_children(free)


def in_children(repair: Callable[[], None]) -> None:
    """Call `repair` in the child of every fork. On Windows, which has no fork, do nothing."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=repair)
