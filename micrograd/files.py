"""Write files atomically: completely or not at all, even if the disk is full or the process dies.

The new content is written to a file beside the old one, `.NAME.xxxxxxxx.saving`, and synchronised
to the disk; then it takes the name of the old file in one step. A process that is killed leaves its
`.saving` file behind, and the next process that writes the same name removes it. A process locks
its own file and the lock ends with the process, so an abandoned file is one that is not locked.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
from collections.abc import Iterable
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

ABANDONED = 3600.0
"""Seconds after which a `.saving` file counts as abandoned, on systems without file locks."""


def suffix(path: str | os.PathLike[str], known: Iterable[str]) -> str:
    """The suffix of the path in lower case; ValueError with a list if it is not a known one."""
    kind = Path(path).suffix.lower()
    if kind not in known:
        raise ValueError(
            f"{os.fspath(path)!r}: the suffix says what is written, one of {', '.join(known)}"
        )
    return kind


def write(path: str | os.PathLike[str], content: str | bytes) -> str:
    """Write the file as `replace` does, and return its path as text.

    A device or a pipe, such as /dev/stdout, has no old content to keep and is written to directly.
    Text is encoded as UTF-8.
    """
    whole = content.encode() if isinstance(content, str) else content
    if _is_stream(path):
        with open(path, "wb") as file:
            file.write(whole)
    else:
        replace(path, whole)
    return os.fspath(path)


def replace(path: str | os.PathLike[str], content: bytes) -> None:
    """Write the file, and create the folders that it is in.

    An existing file keeps its permissions. If the path is a symbolic link, the file that it points
    to is replaced. Raises OSError as `open` does, and also if the path exists but is not a regular
    file. If anything fails, the old file is unchanged and no other file is left behind.
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


def _is_stream(path: str | os.PathLike[str]) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _status(target: Path) -> os.stat_result | None:
    """The status of the existing file, or None if there is no file."""
    try:
        found = os.stat(target)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        kind = errno.EISDIR if stat.S_ISDIR(found.st_mode) else errno.EINVAL
        raise OSError(kind, "not a regular file, so it is not replaced", os.fspath(target))
    return found


def _created(target: Path) -> tuple[Path, int]:
    """A new file for the content of the target, open and locked."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        path = target.with_name(f"{_prefix(target)}{os.urandom(4).hex()}.saving")
        descriptor = os.open(path, flags, 0o666)
        # Before it was locked, another process may have removed it as abandoned.
        with contextlib.suppress(OSError):
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return path, descriptor
        os.close(descriptor)


def _remove_abandoned(target: Path) -> None:
    """Remove the files that killed processes left behind when they were writing the target."""
    name = re.compile(re.escape(_prefix(target)) + r"[0-9a-f]{8}\.saving")
    with contextlib.suppress(PermissionError):  # some folders can be written to but not listed
        for each in os.listdir(target.parent):
            if name.fullmatch(each):
                with contextlib.suppress(OSError):  # it is being written, or was just removed
                    _remove_if_abandoned(os.path.join(target.parent, each))


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
    return f".{target.name[:40]}."  # file systems limit the length of a name


def _like(path: Path, old: os.stat_result) -> None:
    """Give the file the permissions of another and, if that is allowed, its owner."""
    new = os.stat(path)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(OSError):
            os.chown(path, old.st_uid, old.st_gid)
    os.chmod(path, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: Path) -> None:
    """Let the new name survive a loss of power, on systems where folders can be synchronised."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
