"""A compact picture in LaTeX: a snippet in math mode for an article, or a whole document."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings

import micrograd
from micrograd import Value, explain
from micrograd.drawing import draw, draw_dot
from micrograd.drawing.spans import math_mode, of_mark
from micrograd.writing.marks import latex_text
from micrograd.writing.notation import named
from tests.drawing.named.graphs import ARTICLES, called
from tests.drawing.test_text_formats import LABELS, TREACHEROUS
from tests.drawing.test_tikz import BOTH, assert_compiles

ROOT = Path(micrograd.__file__).parent.parent
ARTICLE = r"""\documentclass{article}
\usepackage{iftex,amsmath,tikz,xcolor}
\ifPDFTeX\usepackage[utf8]{inputenc}\fi
\begin{document}
%s
\end{document}
"""


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("w^{(1)}_{12}", r"w^{( 1 )}_{12}"),
        ("y_hat", r"\hat{y}"),
        ("theta_0", r"\theta_{0}"),
        ("loss", r"\mathit{loss}"),
        ("x'", r"x^{\prime}"),
        ("权重", r"\text{权重}"),
    ],
)
def test_names_are_in_math_mode(label, shown):
    assert math_mode(of_mark(named(label).mark), latex_text) == shown


def test_a_snippet_is_the_default_and_documents_are_asked_for():
    graph = draw(ARTICLES["one_layer"]())
    assert graph.tikz().startswith("\\begingroup\n\\definecolor{graphbackward}")
    assert "\\documentclass" not in graph.tikz()
    assert r"$\textcolor{graphunitink}{\hat{y}} = \sigma ( z )$" in graph.tikz()
    assert graph.tikz(standalone=True).startswith("\\documentclass")
    old = draw_dot(ARTICLES["one_layer"]())
    assert old.tikz() == old.tikz(standalone=True)
    with pytest.raises(ValueError, match='only level="named" has a snippet'):
        old.tikz(standalone=False)


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", BOTH)
def test_the_pictures_of_the_articles_compile(program, tmp_path):
    snippets = [
        draw(build(), theme=theme).tikz()
        for name, build in ARTICLES.items()
        for theme in ("light", "dark")
        if name != "chinese"
    ]
    assert_compiles(program, ARTICLE % "\n\n".join(snippets), tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", BOTH)
def test_a_long_chain_is_not_taller_than_a_page(program, tmp_path):
    x = Value(0.5, label="h_0")
    for i in range(30):
        x = x.sin()
        x.label = f"h_{i + 1}"
    assert_compiles(program, ARTICLE % draw(x).tikz(), tmp_path)
    log = (tmp_path / "graph.log").read_text(encoding="utf-8", errors="replace")
    assert "Overfull \\vbox" not in log


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", BOTH)
def test_a_document_compiles(program, tmp_path):
    name = "chinese" if program == "xelatex" else "two_layers"
    assert_compiles(program, draw(ARTICLES[name](), theme="dark").tikz(standalone=True), tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", BOTH[:1])
def test_hostile_labels_compile(program, tmp_path):
    labels = [label for label in TREACHEROUS if label.strip()]
    snippets = [draw(called("y", Value(2.0, label=label) * 3)).tikz() for label in labels]
    assert_compiles(program, ARTICLE % "\n\n".join(snippets), tmp_path)


@settings(deadline=None, max_examples=50)
@given(label=LABELS)
def test_braces_are_balanced_whatever_a_label_says(label):
    text = draw(called("y", Value(2.0, label=label) * 3)).tikz()
    plain = text.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
    assert plain.count("{") == plain.count("}")


@pytest.mark.exhaustive
@pytest.mark.parametrize("program", BOTH)
def test_the_document_of_the_how_to_page_compiles(program, tmp_path):
    page = (ROOT / "docs/site/en/howto/latex.md").read_text("utf-8")
    (document,) = re.findall("^```latex\n(.*?)^```", page, flags=re.M | re.DOTALL)
    x, w = Value(2.0, label="x"), Value(-0.5, label="w")
    y = (w * x).tanh()
    y.label = "y"
    (tmp_path / "gradient.tex").write_text(explain(y, w, style="board").latex(), "utf-8")
    draw(y, theme="print").write(tmp_path / "neuron.tex")
    assert_compiles(program, document, tmp_path)
