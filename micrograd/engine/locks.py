"""Locks that a fork leaves usable: of the threads, only the one that forked is in the child."""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import RLock
from typing import Any


def reentrant_lock() -> Any:
    """A reentrant lock; in the child of a fork it is free, unless the forking thread holds it."""
    lock = RLock()
    free_in_children(lock)
    return lock


def free_in_children(lock: Any) -> None:
    """Free a reentrant lock in the child of a fork, if a thread that is not there held it."""

    def free() -> None:
        if not lock._is_owned():  # as the standard library does with its own locks
            lock._at_fork_reinit()

    in_children(free)


def in_children(repair: Callable[[], None]) -> None:
    """Call this in the child of every fork; where there are none, as on Windows, never."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=repair)
