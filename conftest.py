"""What every test and doctest finds: the table of operations as the package brings it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from micrograd import formulas, methods, ops, vocabulary


@pytest.fixture(autouse=True)
def table() -> Iterator[dict[str, ops.Operation]]:
    """The table of operations; what a test defines is gone after it."""
    places = (ops.TABLE, formulas.FLOATS, formulas.IEEE, vocabulary.VOCABULARY)
    before = [dict(place) for place in places]
    names = set(vars(methods.Methods))
    yield ops.TABLE
    for place, content in zip(places, before, strict=True):
        place.clear()
        place.update(content)
    for name in set(vars(methods.Methods)) - names:
        delattr(methods.Methods, name)
