"""`draw_dot` refuses what it cannot draw, and says what it got."""

import pytest

from micrograd import Value
from micrograd.drawing import draw_dot


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("x", "got str 'x'"),
        (3, "got int 3"),
        (None, "got NoneType None"),
        (b"x", "got bytes"),
        ({"loss": Value(1.0)}, "got dict"),
        ({Value(1.0)}, "which has no order: give a list"),
        ([Value(1.0), 2.0], "got float 2.0 at position 1"),
        ([[Value(1.0)]], "got list .* at position 0"),
        (Value, "got type"),
    ],
)
def test_what_is_no_value_is_refused(root, told):
    with pytest.raises(TypeError, match=told):
        draw_dot(root)


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_dot([])


@pytest.mark.parametrize("rankdir", ["lr", "", None, "LR];x", 3, ["LR"]])
def test_an_unknown_direction_is_refused(rankdir):
    with pytest.raises(ValueError, match="rankdir is one of LR, RL, TB, BT"):
        draw_dot(Value(1.0), rankdir=rankdir)


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="unknown format"):
        draw_dot(Value(1.0), "svgg")
    with pytest.raises(ValueError, match="unknown format 'svgg'"):
        draw_dot(Value(1.0)).pipe("svgg")
    with pytest.raises(ValueError, match="unknown engine"):
        draw_dot(Value(1.0)).pipe(engine="-o/tmp/x")
