"""What every test of a drawing may ask for: each renderer in turn."""

import pytest

from tests.drawing.common import EACH_RENDERER


@pytest.fixture(params=EACH_RENDERER)
def renderer(request, monkeypatch):
    """Each renderer in turn, chosen as a user would choose it."""
    monkeypatch.setenv("MICROGRAD_DOT", request.param)
    return request.param
