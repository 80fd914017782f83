"""Files that are written as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def suffix(path: str | os.PathLike[str], known: Iterable[str]) -> str:
    """The suffix of the path in lower case; ValueError, which lists the known ones, for another."""
    kind = Path(path).suffix.lower()
    if kind not in known:
        raise ValueError(
            f"{os.fspath(path)!r}: the suffix says what is written, one of {', '.join(known)}"
        )
    return kind


def write(path: str | os.PathLike[str], content: str | bytes) -> str:
    """Write the file and the folders that it is in; the path as text.

    What was there before stays until all is written.
    """
    whole = content.encode() if isinstance(content, str) else content
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(whole)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(name)
        raise
    return os.fspath(path)
