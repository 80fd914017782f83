"""Fixtures that several tests of `nn` share."""

from __future__ import annotations

import pytest

from tests.nn.trainings import Interrupting


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


@pytest.fixture
def interrupting():
    Interrupting.pressed = False
    return Interrupting
