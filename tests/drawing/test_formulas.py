"""Formulas as pictures: set in two dimensions, in the colours of roles."""

import re
import xml.etree.ElementTree as ET
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings

from micrograd import Value, explain
from micrograd.drawing import draw_formula
from micrograd.drawing.setting import Setter
from micrograd.ops import TABLE
from micrograd.writing import notation
from micrograd.writing.notation import named
from tests.drawing.common import SVG
from tests.drawing.named.graphs import ARTICLES, called, leaves
from tests.drawing.test_text_formats import LABELS


def derivation():
    x, w = leaves(x=2.0, w=-1.0)
    y = called("y", called("z", w * x).tanh())
    return explain(called("L", (y - 1) ** 2), w)


def texts(drawing):
    return list(ET.fromstring(drawing.svg).iter(f"{SVG}text"))


def test_a_derivation_is_a_picture_of_its_equations():
    drawing = draw_formula(derivation())
    assert repr(drawing).startswith("<a drawing of a formula")
    letters = [text.text for text in texts(drawing)]
    assert letters[:4] == ["∂", "L", "∂", "w"]
    svg = ET.fromstring(drawing.svg)
    assert svg.findtext(f"{SVG}title") == "Formula"
    assert svg.findtext(f"{SVG}desc") == derivation().equations()


def test_names_have_the_colours_of_their_roles():
    drawing = draw_formula(derivation(), theme="light")
    fills = {text.text: text.get("fill") for text in texts(drawing)}
    assert fills["w"] != fills["x"] != fills["∂"] != fills["w"]


@cache
def explained(article, style):
    return explain(ARTICLES[article](), style=style)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["board", "full"])
@pytest.mark.parametrize(
    "article", ["one_layer", "two_layers", "cross_entropy", "four_points", "chinese"]
)
@pytest.mark.parametrize("width", [700, 390])
def test_no_letter_is_small_or_outside_and_no_two_overlap(article, style, width):
    drawing = draw_formula(explained(article, style), width=width)
    svg = ET.fromstring(drawing.svg)
    wide, tall = float(svg.get("width")), float(svg.get("height"))
    assert style == "full" or wide <= width
    places = []
    for text in texts(drawing):
        size, x, y = (float(text.get(name)) for name in ("font-size", "x", "y"))
        assert size >= 11
        if length := text.get("textLength"):
            left, right = x, x + float(length)
        else:
            left, right = x - size * 0.15, x + size * 0.15
        assert left >= 0
        assert right <= wide
        assert size * 0.6 <= y <= tall
        high = 0.7 if text.text.isdigit() else 0.5
        low = 0.2 if text.text in ("(", ")") else 0.0
        places.append((left, y - high * size, right, y + low * size))
    left, top, right, bottom = np.array(places).T
    beside = right[:, None] <= left + 0.3
    above = bottom[:, None] <= top + 0.3
    is_same = np.eye(len(places), dtype=bool)
    assert (is_same | beside | beside.T | above | above.T).all()


def test_a_fraction_has_a_bar_between_its_parts():
    mark = ("mfrac", ("mi", "a"), ("mi", "b"))
    above, below, bar = Setter({}, 20.0).set(mark, 20.0).parts
    assert above.y < bar.path[0][1][1] < below.y - 0.7 * below.size
    assert above.size == below.size < 20


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.told])
def test_every_operation_and_its_partials_are_set(row):
    known = {name: named(name) for name in (*row.operands, "out")}
    for tree in row.told:
        drawing = draw_formula(notation.formula(tree, known))
        assert ET.fromstring(drawing.svg).findtext(f"{SVG}title") == "Formula"


@settings(deadline=None, max_examples=40)
@given(label=LABELS)
def test_hostile_names_are_harmless(label):
    drawing = draw_formula(explain(Value(2.0, label=label) * 3))
    tags = {each.tag.removeprefix(SVG) for each in ET.fromstring(drawing.svg).iter()}
    assert tags <= {"svg", "rect", "text", "path", "title", "desc", "style"}


def test_it_is_written_as_svg_png_and_pdf(tmp_path):
    pytest.importorskip("resvg_py")
    pytest.importorskip("PIL")
    drawing = draw_formula(derivation())
    drawing.write(tmp_path / "a.svg")
    for scale in (1, 2):
        png = drawing.png(scale=scale)
        wide = int(re.search('width="([0-9]+)"', drawing.svg)[1])
        assert int.from_bytes(png[16:20], "big") == scale * wide
    drawing.write(tmp_path / "a.png", scale=3)
    drawing.write(tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match=r"one of \.svg, \.png, \.pdf"):
        drawing.write(tmp_path / "a.gif")


@pytest.mark.parametrize("style", ["full", "board"])
def test_boards_and_matrices_are_drawn(style):
    from nn import MLP
    from nn.derivations import explain_layers

    out = ARTICLES["cross_entropy"]()
    drawing = draw_formula(explain(out, style=style))
    assert drawing.description == explain(out, style=style).equations()
    matrices = explain_layers(MLP(2, [2, 1]), [[1.0, 2.0]], [1.0], numbers=True)
    drawing = draw_formula(matrices, theme="light")
    svg = ET.fromstring(drawing.svg)
    assert float(svg.get("width")) <= 720
    assert len(list(svg.iter(f"{SVG}path"))) >= 8  # brackets


def test_anything_but_a_formula_is_refused():
    with pytest.raises(TypeError, match="draw_formula takes what explain returned, or a Formula"):
        draw_formula("x")


def test_a_derivation_with_long_names_is_no_wider_than_it_may_be():
    x, w = (Value(0.5, label=f"the {name} of everything in the whole world") for name in "xw")
    z = x * w
    z.label = "product of the two names above"
    svg = draw_formula(explain(z.tanh(), w), width=700).svg
    assert float(re.search(r'width="([\d.]+)"', svg)[1]) <= 700
