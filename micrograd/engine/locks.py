"""Locks that stay usable after a fork, when only the forking thread is left in the child."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import RLock
from typing import Any


def reentrant_lock() -> Any:
    """A reentrant lock, which is free in the child of a fork unless the forking thread holds it."""
    lock = RLock()
    free_in_children(lock)
    return lock


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
