"""What every test and doctest finds: the table as the package brings it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from micrograd import ops
from micrograd.engine import definitions, methods
from micrograd.table import interpreters

# Modules that need an extra of the package; their doctests are not looked for without it.
_NEEDED = {"jax": "micrograd/compiler/jax/*.py", "llvmlite": "micrograd/compiler/native/*.py"}
collect_ignore_glob = [files for library, files in _NEEDED.items() if find_spec(library) is None]

if find_spec("hypothesis"):
    from hypothesis import settings

    # Machines are busy at times: no example has a deadline. CI draws the same ones each time.
    settings.register_profile("micrograd", deadline=None, derandomize="CI" in os.environ)
    settings.load_profile("micrograd")


@pytest.fixture(autouse=True)
def table() -> Iterator[dict[str, ops.Operation]]:
    """The table of operations; what a test defines is gone after it."""
    places = (ops.TABLE, interpreters.FLOATS, interpreters.IEEE, definitions.VOCABULARY)
    before = [dict(place) for place in places]
    names = set(vars(methods.Methods))
    yield ops.TABLE
    for place, content in zip(places, before, strict=True):
        place.clear()
        place.update(content)
    for name in set(vars(methods.Methods)) - names:
        delattr(methods.Methods, name)
