"""A PNG shows letters of every script, or says why it cannot."""

import importlib.util
import struct
import sys

import pytest

from micrograd import Value
from micrograd.drawing import RenderingError, draw_dot, renderers
from tests.drawing.common import PURE

pytestmark = pytest.mark.skipif(not PURE, reason="graphviz-pure is not installed")
RESVG = pytest.mark.skipif(
    not importlib.util.find_spec("resvg_py"), reason="resvg-py is not installed"
)


@pytest.fixture(autouse=True)
def pure(monkeypatch):
    monkeypatch.setenv("MICROGRAD_DOT", PURE or "")


def size(png):
    return struct.unpack(">II", png[16:24])


@RESVG
def test_chinese_letters_are_drawn_with_the_fonts_of_the_computer():
    import resvg_py

    if not renderers._family(resvg_py):
        pytest.skip("no font is installed")
    one, other = (draw_dot(Value(1.0, label=label)).pipe("png") for label in ("损失", "梯度"))
    assert one.startswith(b"\x89PNG")
    assert size(one) == size(other)
    assert one != other  # two boxes in place of letters would be the same


def test_european_letters_need_no_other_program(monkeypatch):
    monkeypatch.setattr(renderers, "png", lambda *_: pytest.fail("resvg was asked"))
    graph = draw_dot(Value(1.0, label="Größe → ∂L/∂w Ж λ …"))
    assert graph.pipe("png").startswith(b"\x89PNG")
    assert b"<svg" in draw_dot(Value(1.0, label="损失")).pipe("svg")


def test_without_resvg_the_remedy_is_told_and_no_boxes_are_drawn(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    graph = draw_dot(Value(1.0, label="损失"))
    with pytest.raises(RenderingError, match="to draw '损' as pixels needs resvg-py") as error:
        graph.write(tmp_path / "a.png")
    for part in ("pip install resvg-py", "resvg-py", "apt install graphviz", "format='svg'"):
        assert part in str(error.value)
    assert not any(tmp_path.iterdir())


def test_without_a_font_the_remedy_is_told(monkeypatch):
    class Blind:
        @staticmethod
        def svg_to_bytes(**_):
            return b"blank"

    monkeypatch.setitem(sys.modules, "resvg_py", Blind)
    with pytest.raises(RenderingError, match="no font for '损' was found"):
        draw_dot(Value(1.0, label="损失")).pipe("png")


def test_a_jpeg_with_chinese_letters_is_refused():
    with pytest.raises(RenderingError, match="no font for '损' in the format 'jpg'"):
        draw_dot(Value(1.0, label="损失")).pipe("jpg")
