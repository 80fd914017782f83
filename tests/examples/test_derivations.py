"""The derivations of the five articles, their computation graphs and plots."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from math import exp

import pytest

from examples import (
    article_1_weighted_sum,
    article_2_two_layers,
    article_3_fitting_a_line,
    article_4_nine_lines,
)
from examples._common import LANGUAGES, outcome
from micrograd import Value
from micrograd.writing.notation import latex, number

pytestmark = pytest.mark.slow

GRAPHS = {
    1: ("weighted_sum", "dot_product"),
    2: ("restaurant", "one_layer", "two_layers"),
    3: ("one_point", "four_points"),
    4: ("one_sample",),
    5: ("dense_layer", "dead_neuron", "cross_entropy"),
}
PLOTS = {
    1: ("sensitivity_and_contribution",),
    2: ("loss",),
    3: ("error_of_the_first_point",),
    4: (),
    5: ("spiral", "training", "decision_regions"),
}
DERIVATIONS = [(article, name) for article in GRAPHS for name in GRAPHS[article]]

# ---------------------------------------------------------------------------------- the pictures


def renderer_is_missing() -> bool:
    drawing = pytest.importorskip("micrograd.drawing")
    try:
        drawing.draw_dot(Value(1.0)).pipe(format="svg")
    except drawing.RendererNotFound:
        return True
    return False


@pytest.mark.parametrize(("article", "name"), DERIVATIONS)
def test_the_computation_graph_is_a_well_formed_svg(reports, article, name):
    if renderer_is_missing():
        pytest.skip("no Graphviz renderer")
    (path,) = [file for file in reports[article].files if file.stem == f"article_{article}_{name}"]
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "grad" in "".join(root.itertext())


@pytest.mark.parametrize(
    ("article", "name"), [(article, name) for article in PLOTS for name in PLOTS[article]]
)
def test_the_plot_is_a_png(reports, article, name):
    pytest.importorskip("matplotlib")
    (path,) = [file for file in reports[article].files if file.stem == f"article_{article}_{name}"]
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_the_picture_of_the_weighted_sum_shows_gradients_beside_contributions(reports):
    if renderer_is_missing():
        pytest.skip("no Graphviz renderer")
    (path,) = [file for file in reports[1].files if file.stem == "article_1_weighted_sum"]
    words = "".join(ET.fromstring(path.read_text(encoding="utf-8")).itertext())
    for label in ("toes", "w_toes", "[toes·w_toes]", "prediction"):
        assert label in words


def test_without_a_folder_nothing_is_drawn():
    report = article_1_weighted_sum.run()
    assert report.files == []
    assert report.skipped == {}


def test_without_matplotlib_the_numbers_are_there_and_the_plot_is_skipped(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    report = article_3_fitting_a_line.run(tmp_path)
    assert all(row.agrees for row in report.rows)
    assert list(tmp_path.glob("*.png")) == []
    text = "\n".join(outcome([report]))
    assert "skipped article_3_error_of_the_first_point.png: matplotlib is missing" in text
    assert "pip install 'micrograd-engine[plot]'" in text


def test_without_a_renderer_the_numbers_are_there_and_the_graphs_are_skipped(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRAD_DOT", "no-such-renderer")
    report = article_1_weighted_sum.run(tmp_path)
    assert all(row.agrees for row in report.rows)
    assert list(tmp_path.glob("*.svg")) == []
    text = "\n".join(outcome([report]))
    assert "skipped article_1_weighted_sum.svg, article_1_dot_product.svg: " in text
    assert "pip install" in text


# ------------------------------------------------------------------------------ the derivations

# The derivatives of each derivation, from formulas that stand here and not in the engine.
_Y2 = 1 / (1 + exp(-0.6))  # article 2: one layer predicts the sigmoid of 0.5 + 0.1
_Y4 = 1 / (1 + exp(0.16595599 - 0.44064899 + 0.99977125))  # article 4: the second sample
GRADIENTS: dict[tuple[int, str], tuple[float, ...]] = {
    (1, "weighted_sum"): (0.2, 0.65),
    (1, "dot_product"): (2,),
    (2, "restaurant"): (0,),
    (2, "one_layer"): (-2 * (1 - _Y2) * _Y2 * (1 - _Y2),),
    (3, "one_point"): (-2,),
    (3, "four_points"): (-(1 * 2 + 2 * 4 + 3 * 6 + 4 * 8) / 4,),
    (4, "one_sample"): (-(1 - _Y4) * _Y4 * (1 - _Y4),),
    (5, "dense_layer"): (2.5, 1 - 0.5 + 0.87),
    (5, "dead_neuron"): (0,),
    (5, "cross_entropy"): (exp(0.5) / (exp(0.5) + exp(1) + exp(-1)) - 1,),
}
DIGITS = 1e-8  # the weights of article 4 are given to eight digits, and no slope here exceeds 1


def derivation(reports, article, name):
    (found,) = [each for each in reports[article].derivations if each.name == name]
    return found


@pytest.mark.parametrize(("article", "name"), DERIVATIONS)
def test_the_derivation_is_written_in_both_languages_with_its_graph_and_its_steps(
    reports, article, name
):
    written = {path.name for path in reports[article].files}
    stem = f"article_{article}_{name}"
    assert {f"{stem}.en.md", f"{stem}.zh.md", f"{stem}.steps.html"} <= written
    assert {f"{stem}.svg", f"{stem}.gv"} & written


def test_every_derivation_is_listed_here(reports):
    told = [(n, each.name) for n, report in reports.items() for each in report.derivations]
    assert told == DERIVATIONS


@pytest.mark.parametrize(("article", "name"), GRADIENTS)
def test_the_derivation_arrives_at_the_derivative_that_calculus_gives(reports, article, name):
    expected = [pytest.approx(x, abs=DIGITS) for x in GRADIENTS[article, name]]
    assert derivation(reports, article, name).explanation.gradients == expected


@pytest.mark.parametrize(("article", "name"), DERIVATIONS)
def test_the_derivation_arrives_at_the_gradient_of_the_backward_pass(reports, article, name):
    explanation = derivation(reports, article, name).explanation
    assert explanation.gradients == [target.grad for target in explanation.targets]


def test_the_hidden_weight_of_two_layers_has_the_gradient_that_differences_give(reports):
    explanation = derivation(reports, 2, "two_layers").explanation
    (weight,) = explanation.targets
    step = 2.0**-17  # the cube root of the rounding error
    ahead, behind = (explanation.chain.replayed(weight, weight.data + h) for h in (step, -step))
    # The error is a third derivative (here below 1) times step**2 / 6, plus 2**-53 / step.
    assert explanation.gradient == pytest.approx((ahead - behind) / (2 * step), abs=1e-10)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("article", "name"), DERIVATIONS)
def test_the_markdown_has_title_picture_numbers_and_check(reports, article, name, lang):
    told = derivation(reports, article, name)
    (path,) = [f for f in reports[article].files if f.name == told.markdown.within(lang)]
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {told.title.within(lang)}\n")
    assert told.remark.within(lang) in text
    assert (f"]({told.graph.path.name})" in text) is not bool(told.graph.reason)
    for gradient in told.explanation.gradients:
        assert f"${latex(number(gradient).mark)}$" in text
    checks = {"en": "Check by central differences", "zh": "数值验证（中心差分"}
    assert text.count(checks[lang]) == len(told.explanation.targets)


def test_a_missing_renderer_leaves_the_picture_out_of_the_markdown(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROGRAD_DOT", "no-such-renderer")
    monkeypatch.setattr(article_4_nine_lines, "ITERATIONS", 1)
    report = article_4_nine_lines.run(tmp_path)
    text = (tmp_path / "article_4_one_sample.en.md").read_text(encoding="utf-8")
    assert "![" not in text
    assert report.derivations[0].graph.path.suffix == ".gv"
    assert (tmp_path / "article_4_one_sample.steps.html").is_file()


def test_the_loss_of_two_layers_is_that_of_the_network_that_is_trained():
    network, loss = article_2_two_layers.two_layers()
    x, y = article_2_two_layers.INPUTS[1], article_2_two_layers.TARGETS[1]
    assert loss.data == pytest.approx((y - network(x).data) ** 2, abs=4e-14)
