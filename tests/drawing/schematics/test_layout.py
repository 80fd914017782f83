"""Every schematic can be read: no small letters, and no label on a line or on another label."""

import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from micrograd.drawing import (
    draw_curve,
    draw_layers,
    draw_neuron,
    draw_points,
    draw_table,
    draw_valley,
)
from micrograd.drawing.themes import THEMES
from tests.drawing.schematics.figures import FIGURES, LONG_NAMES, NAMED
from tests.drawing.schematics.geometry import SVG, faults, texts
from tests.drawing.test_labels import HOSTILE

LONG = "the number of games that were won in the last season"

every = pytest.mark.parametrize("figure", FIGURES)


@pytest.mark.slow
@every
@pytest.mark.parametrize("width", [700, 390])
def test_no_label_lies_on_a_line_or_another_label_or_is_too_small(figure, width):
    for lang in ("en", "zh"):
        assert faults(FIGURES[figure](lang=lang, width=width).svg) == []


@pytest.mark.slow
@pytest.mark.parametrize("figure", NAMED)
@pytest.mark.parametrize("width", [700, 390])
def test_a_name_of_twenty_letters_is_written_out(figure, width):
    for lang, (names, output) in LONG_NAMES.items():
        drawing = NAMED[figure](lang=lang, width=width)
        assert faults(drawing.svg) == []
        shown, with_much_room = (
            "\n".join(box.text for box in texts(ET.fromstring(each.svg)))
            for each in (drawing, NAMED[figure](lang=lang, width=2000))
        )
        assert "…" not in shown
        given = {name for name in (*names, output) if name in with_much_room}
        assert given
        assert {name for name in given if name not in shown} == set()


@pytest.mark.parametrize("name", ["prediction", "预测的得分"])
def test_a_usual_name_stands_in_the_output_of_a_neuron(name):
    for width in (700, 390):
        drawing = draw_neuron([0.5, 1.5], [1, 2], activation="tanh", output=name, width=width)
        assert [box.text for box in texts(ET.fromstring(drawing.svg))].count(name) == 1
        assert faults(drawing.svg) == []


def test_symbols_of_names_without_room_are_explained_below_and_in_the_description():
    drawing = draw_neuron([0.5, 1.5], [1, 2], names=[LONG, "b"], width=390)
    shown = [box.text for box in texts(ET.fromstring(drawing.svg))]
    assert {"x1", "x2"} <= {*shown}
    assert f"x₁ = {LONG}." in drawing.description
    assert "x₂ = b." in drawing.description
    below = " ".join(shown).replace("\u00a0", " ").replace("  ", " ")
    assert f"x1 = {LONG} x2 = b" in below


def test_a_sentence_below_a_figure_is_written_to_its_end():
    drawing = draw_valley(lambda w: w * w, 1.0, names=("a weight of this layer", "the whole loss"))
    shown = [box.text for box in texts(ET.fromstring(drawing.svg))]
    assert max(map(len, shown)) > 60
    assert not [text for text in shown if "…" in text]


def test_the_test_finds_what_is_wrong():
    def found(content):
        return faults(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40">{content}</svg>'
        )

    label = '<text x="10" y="20" font-size="14">label</text>'
    assert found(label) == []
    assert found(label.replace("14", "10")) == ["letters of 10"]
    assert found(label.replace('x="10"', 'x="70"')) == ["'label' leaves the picture"]
    assert found(label + label) == ["'label' on 'label'"]
    assert found(label + '<path d="M0 15L80 15"/>') == ["'label' on a line"]
    assert found(label + '<circle cx="30" cy="14" r="9"/>') == ["'label' on a line"]
    assert found(label + '<rect x="1" y="1" width="20" height="30" stroke="red"/>') == [
        "'label' on a line"
    ]
    assert found(label + '<rect x="1" y="1" width="80" height="30" stroke="red"/>') == []


@pytest.mark.slow
@every
def test_the_description_is_in_the_chosen_language(figure):
    for lang, tag in (("en", "en"), ("zh", "zh-Hans")):
        drawing = FIGURES[figure](lang=lang)
        root = ET.fromstring(drawing.svg)
        title, description = (root.findtext(f"{SVG}{kind}") for kind in ("title", "desc"))
        assert (title, description) == (drawing.title, drawing.description.strip())
        assert (root.get("role"), root.get("lang")) == ("img", tag)
        assert bool(re.search("[\u4e00-\u9fff]", title + description)) is (lang == "zh")
        assert len(title) < 70
        assert "{" not in title + description


def colors(svg):
    return set(re.findall("#[0-9a-f]{6}", svg))


@pytest.mark.slow
@every
def test_the_colours_are_those_of_the_theme_and_may_follow_the_reader(figure):
    for theme in ("light", "dark", "print"):
        assert colors(FIGURES[figure](theme=theme).svg) <= set(THEMES[theme])
    svg = FIGURES[figure](theme="auto").svg
    assert "prefers-color-scheme:dark" in svg
    assert set(THEMES["dark"]) & colors(svg) >= {THEMES["dark"].paper, THEMES["dark"].ink}


@pytest.mark.slow
@every
def test_the_width_is_what_was_asked_for(figure):
    for width in (390, 700.5):
        root = ET.fromstring(FIGURES[figure](width=width).svg)
        assert float(root.get("width")) == width
        assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


def test_an_impossible_width_language_or_theme_is_refused():
    with pytest.raises(ValueError, match="width is a number of pixels, at least 360; got 100"):
        draw_table([[1]], {}, width=100)
    with pytest.raises(ValueError, match="lang is one of en, "):
        draw_table([[1]], {}, lang="xx")
    with pytest.raises(ValueError, match="unknown theme"):
        draw_table([[1]], {}, theme="pink")


@pytest.mark.slow
@pytest.mark.parametrize("label", [*HOSTILE, LONG], ids=range(len(HOSTILE) + 1))
def test_any_label_is_shown_as_text_and_finds_room(label):
    if not label.strip():
        return
    for width in (700, 390):
        for drawing in (
            draw_neuron([0.5, 1.5], [1, 2], names=[label, "b"], width=width),
            draw_layers([2, 1], names=[label, "b"], width=width),
            draw_table([[1, 2]], {label: [3]}, names=["a", label], width=width),
            draw_points({label: [(0, 1), (1, 2)]}, labels=[label, "b"], width=width),
        ):
            assert faults(drawing.svg) == []
            kinds = {e.tag.removeprefix(SVG) for e in ET.fromstring(drawing.svg).iter()}
            assert kinds <= set("svg title desc rect circle path polygon text tspan".split())


def test_it_is_written_as_svg_and_as_png(tmp_path):
    drawing = draw_curve("tanh", 0.5, width=400)
    assert drawing._repr_svg_() == drawing.svg
    ET.parse(drawing.write(tmp_path / "curve.svg"))
    pytest.importorskip("resvg_py")
    path = drawing.write(tmp_path / "curve.png", scale=2)
    content = (tmp_path / "curve.png").read_bytes()
    assert path.endswith("curve.png")
    assert struct.unpack(">II", content[16:20] + content[16:20])[0] == 800


def test_schematics_need_neither_numpy_nor_a_renderer_nor_matplotlib():
    program = (
        "import sys; from micrograd.drawing import draw_curve, draw_layers\n"
        "draw_curve('sigmoid', 1.0); draw_layers([2, 3, 1])\n"
        "print({'graphviz', 'numpy', 'matplotlib', 'PIL', 'resvg_py'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
