"""`draw_dot` refuses what it cannot draw, and says what it got."""

import pytest

from micrograd import Value, explain, live_page, step_page
from micrograd.drawing import draw_dot
from nn import MLP, playground


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("x", "got str 'x'"),
        (3, "got int 3"),
        (None, "got NoneType None"),
        (b"x", "got bytes"),
        ({"loss": Value(1.0)}, "got dict .*: give its values as a list"),
        (MLP(2, [1]), r"got MLP .*: draw what it returns, draw_dot\(model\(x\), model=model\)"),
        (lambda x: x, r"got function .*: draw what it returns, f\(x\) for a Value x"),
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


@pytest.mark.parametrize("write", [explain, step_page, live_page])
def test_a_function_or_a_model_in_place_of_its_result_is_refused(write):
    for given in (MLP(2, [1]), lambda x: x):
        with pytest.raises(TypeError, match=r"got .*: give what it returns, f\(x\)"):
            write(given)


@pytest.mark.parametrize("name", ["page.svg", "page.PDF", "page.png"])
def test_a_page_is_not_written_under_the_name_of_a_picture(name, tmp_path):
    x = Value(2.0, label="x")
    for write in (
        lambda path: step_page(x * x, path),
        lambda path: live_page(x * x, path),
        lambda path: playground(MLP(2, [1]), path),
    ):
        with pytest.raises(ValueError, match=rf"{name}': a page .* is HTML: .* in \.html, or"):
            write(tmp_path / name)
    assert not list(tmp_path.iterdir())
