"""`replace`: a file that is written whole or not at all, even if the process is killed.

The new content goes to a file beside the old one, `.NAME.xxxxxxxx.saving`, then to the disk, and
then takes the old one's name in one step. A process that is killed leaves its `.saving` file; the
next one that writes the same name removes it. The lock that a process holds on its own file, and
that ends with the process, tells such a file from one that is being written.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

ABANDONED = 3600.0
"""Seconds after which a `.saving` file is nobody's, where there are no locks to ask."""


def replace(path: str | os.PathLike[str], content: bytes) -> None:
    """Write the file, and the folders that it is in.

    Of an existing file the permissions stay. A symbolic link stays too: what it points to is
    replaced. Raises OSError as `open` does, and also if there is something that is no regular file.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    old = _status(target)
    _remove_abandoned(target)
    temporary, descriptor = _created(target)
    try:
        with open(descriptor, "wb") as file:
            if old is not None:
                _like(temporary, old)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
            if fcntl is not None:
                os.replace(temporary, target)  # while it is locked
        if fcntl is None:
            os.replace(temporary, target)  # Windows renames no open file
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(temporary)
        raise
    _sync_folder(target.parent)


def _status(target: Path) -> os.stat_result | None:
    """Of the file that is there, if there is one."""
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        kind = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL
        raise OSError(kind, "no regular file, so it is not replaced", os.fspath(target))
    return found


def _created(target: Path) -> tuple[Path, int]:
    """A new file for the content of the target, open and locked."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        path = target.with_name(f"{_prefix(target)}{secrets.token_hex(4)}.saving")
        descriptor = os.open(path, flags, 0o666)
        # Another process may have taken it for abandoned before the lock.
        with contextlib.suppress(OSError):
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return path, descriptor
        os.close(descriptor)


def _remove_abandoned(target: Path) -> None:
    """Remove what killed processes left when they wrote the target."""
    name = re.compile(re.escape(_prefix(target)) + r"[0-9a-f]{8}\.saving")
    for each in os.scandir(target.parent):
        if name.fullmatch(each.name):
            with contextlib.suppress(OSError):  # it is being written, or has just been removed
                _remove_if_abandoned(each.path)


def _remove_if_abandoned(path: str) -> None:
    if fcntl is None:
        if time.time() - os.stat(path).st_mtime > ABANDONED:
            os.remove(path)
        return
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.remove(path)
    finally:
        os.close(descriptor)


def _prefix(target: Path) -> str:
    return f".{target.name[:40]}."  # file names are short


def _like(path: Path, old: os.stat_result) -> None:
    """Give the file the owner, if that is allowed, and the permissions of another."""
    new = os.stat(path)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(OSError):
            os.chown(path, old.st_uid, old.st_gid)
    os.chmod(path, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: Path) -> None:
    """Let the new name survive a loss of power, where folders can be written out."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
