"""A name is typeset alike in every format, and data keep the spelling of the user."""

import json

import pytest

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.drawing.picture_builder import build_picture
from micrograd.drawing.spans import of_mark, svg_spans
from micrograd.drawing.svg import svg
from micrograd.drawing.themes import THEMES
from micrograd.drawing.typeset import typeset
from micrograd.writing.names import read

# The label, its text, and what TikZ has.
NAMES = [
    ("w^{(1)}_{12}", "w⁽¹⁾₁₂", "w^{( 1 )}_{12}"),
    ("W_{1,2}", "W₁,₂", "W_{1,2}"),
    ("x₁", "x₁", "x_{1}"),
    ("x_1", "x₁", "x_{1}"),
    ("y_hat", "ŷ", r"\hat{y}"),
    ("theta_0", "θ₀", r"\theta_{0}"),
    ("alpha", "α", r"\alpha"),
    ("x'", "x′", r"x^{\prime}"),
    ("w[0][1]", "w₀,₁", "w_{0,1}"),
    ("won * w", "[won·w]", r"\lbrack \text{\sffamily won} \cdot \text{\sffamily w} \rbrack"),
    ("权重_1", "权重₁", r"\text{\sffamily {\graphwide 权重}}_{1}"),
]


@pytest.mark.parametrize(("label", "text", "mathematics"), NAMES)
def test_a_name_is_typeset_alike_in_every_format(label, text, mathematics):
    root = Value(1.0, label=label) * 2.0
    graph = draw_dot(root)
    assert f"<B>{text}</B>" in graph.source.replace("&#93;", "]")
    drawn = svg(typeset(build_picture(root)), THEMES["light"])
    assert svg_spans(of_mark(read(label).mark), str, 15) in drawn
    written = graph.mermaid()
    for code, sign in (("#91;", "["), ("#93;", "]"), ("#44;", ",")):
        written = written.replace(code, sign)
    assert f'"{text}<br/>' in written
    assert f" {text} " in graph.tree()
    assert f"${mathematics}$" in graph.tikz()


@pytest.mark.parametrize("label", [label for label, *_ in NAMES])
def test_json_and_labels_keep_the_spelling_of_the_user(label):
    leaf = Value(1.0, label=label)
    nodes = json.loads(draw_dot(leaf * 2.0).json())["nodes"]
    assert nodes[0]["label"] == leaf.label == label


def test_labels_that_would_look_alike_are_shown_as_they_are():
    graph = draw_dot([Value(1.0, label="w1"), Value(2.0, label="w_1"), Value(3.0, label="w2")])
    assert all(f"<B>{text}</B>" in graph.source for text in ("w1", "w_1", "w₂"))
    assert "$w_{2}$" in graph.tikz()
    assert r"$\text{\sffamily w1}$" in graph.tikz()
