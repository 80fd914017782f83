"""`CommandError`: why a command cannot be carried out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CommandError(Exception):
    """A command cannot be carried out; its message is printed, and the exit status is 2."""


@contextmanager
def reported(
    access: str = "", path: Path | None = None, *errors: type[Exception]
) -> Iterator[None]:
    """Turn errors that are not faults of the program into a CommandError.

    Args:
        access: what is done with a file, such as "read" or "write to", for the message of an
            OSError. Without it, an OSError is left alone.
        path: the file.
        *errors: errors to report with their own message, besides ValueError.
    """
    mistakes: tuple[type[Exception], ...] = (ValueError, *errors)
    try:
        yield
    except OSError as error:
        if not access:
            raise
        raise CommandError(f"cannot {access} {path}: {error.strerror or error}") from error
    except mistakes as error:
        raise CommandError(str(error)) from error
