"""`CommandError`: why a command cannot be carried out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CommandError(Exception):
    """A command cannot be carried out; its message is printed, and the exit status is 2."""


@contextmanager
def reported(
    *errors: type[Exception], reading: Path | None = None, writing: Path | None = None
) -> Iterator[None]:
    """Turn errors that are not faults of the program into a CommandError.

    Args:
        *errors: the errors whose message is kept, besides ValueError.
        reading: the file that is read, for the message of an OSError.
        writing: the file that is written. If no file is given, an OSError passes.
    """
    try:
        yield
    except Exception as error:
        action = f"read {reading}" if writing is None else f"write to {writing}"
        if isinstance(error, OSError) and (reading or writing):
            raise CommandError(f"cannot {action}: {error.strerror or error}") from error
        if not isinstance(error, (ValueError, *errors)):
            raise
        raise CommandError(str(error)) from error
