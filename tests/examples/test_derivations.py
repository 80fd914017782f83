"""The derivations of the five articles, their computation graphs and plots."""

from __future__ import annotations

import dataclasses
import sys
import xml.etree.ElementTree as ET
from math import exp

import pytest

from examples import (
    article_1_weighted_sum,
    article_2_two_layers,
)
from examples._common import LANGUAGES, outcome
from examples._story import Derivation, Figure, Matrices
from micrograd.derivation.document import as_markdown
from micrograd.writing.notation import latex, number
from nn.derivations import explain_layers
from tests.examples.common import NUMBERS

pytestmark = pytest.mark.slow

GRAPHS = {
    1: ("weighted_sum", "dot_product"),
    2: ("restaurant", "one_layer", "two_layers"),
    3: ("one_point", "four_points"),
    4: ("one_sample",),
    5: ("dense_layer", "dead_neuron", "cross_entropy"),
}
DERIVATIONS = [(article, name) for article in GRAPHS for name in GRAPHS[article]]

# ---------------------------------------------------------------------------------- the pictures


def figures(report):
    """All pictures of a companion."""
    for part in report.parts:
        if isinstance(part, Figure):
            yield part
        if isinstance(part, Derivation):
            yield part.graph


@pytest.mark.parametrize("article", NUMBERS)
def test_every_picture_is_a_well_formed_svg_in_both_languages_and_for_both_widths(reports, article):
    for figure in figures(reports[article]):
        assert set(figure.wide) == set(figure.narrow) == set(LANGUAGES)
        for drawn in (*figure.wide.values(), *figure.narrow.values()):
            root = ET.fromstring(drawn.path.read_text(encoding="utf-8"))
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert min(drawn.width, drawn.height) > 40


@pytest.mark.parametrize("article", NUMBERS)
def test_every_picture_is_also_a_png_and_says_what_is_seen(reports, article):
    pytest.importorskip("resvg_py")
    for figure in figures(reports[article]):
        assert figure.alt.en
        assert figure.alt.zh
        for lang in LANGUAGES:
            assert figure.images[lang].read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_no_two_pictures_of_a_companion_have_the_same_file(reports):
    for report in reports.values():
        assert len(set(report.files)) == len(report.files)


def test_without_a_folder_nothing_is_drawn():
    report = article_1_weighted_sum.run()
    assert report.files == []
    assert report.skipped == {}


def test_without_resvg_the_numbers_and_pictures_are_there_and_the_png_files_are_skipped(
    monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    report = article_1_weighted_sum.run(tmp_path)
    assert all(row.agrees for row in report.rows)
    assert (tmp_path / "article_1_neuron.zh.svg").is_file()
    assert not (tmp_path / "article_1_neuron.zh.png").exists()
    text = "\n".join(outcome([report]))
    names = [name for each in report.skipped.values() for name in each]
    assert {"article_1_neuron.en.png", "article_1_neuron.zh.png"} <= {*names}
    assert f"skipped {len(names)} files, such as {names[0]}: " in text
    assert "pip install" in text


def test_a_single_file_that_is_skipped_is_named():
    report = article_1_weighted_sum.run()
    skipped = {"no TeX": ["a.pdf"], "no resvg": ["a.png", "b.png"]}
    assert [*outcome([dataclasses.replace(report, skipped=skipped)])] == [
        "skipped a.pdf: no TeX",
        "skipped 2 files, such as a.png: no resvg",
    ]


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
def test_the_derivation_has_a_graph_in_both_languages_and_its_steps(reports, article, name):
    written = {path.name for path in reports[article].files}
    stem = f"article_{article}_{name}"
    assert {f"{stem}.en.svg", f"{stem}.zh.svg", f"{stem}.steps.html"} <= written


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
def test_the_derivation_is_checked_in_both_widths_and_is_the_same_in_both(
    reports, article, name, lang
):
    told = derivation(reports, article, name)
    checks = {"en": "Check by central differences", "zh": "数值验证（中心差分"}
    for narrow in (False, True):
        text = as_markdown(told.blocks(lang, narrow=narrow))
        assert text.count(checks[lang]) == len(told.explanation.targets)
        for gradient in told.explanation.gradients:
            assert f"${latex(number(gradient).mark)}$" in text


def test_the_loss_of_two_layers_is_that_of_the_network_that_is_trained():
    model, _, loss = article_2_two_layers.two_layers()
    x, y = article_2_two_layers.INPUTS[1], article_2_two_layers.TARGETS[1]
    prediction = article_2_two_layers.forward(model, x)
    assert loss.data == pytest.approx((y - prediction.data) ** 2, abs=4e-14)
    assert prediction.data == pytest.approx(model(x).data, abs=4e-14)


def test_the_matrix_form_of_two_layers_gives_the_gradient_of_all_samples(reports):
    model = article_2_two_layers.network(article_2_two_layers.SEED)
    article_2_two_layers.sum_of_squares(model).backward()
    (matrices,) = [part for part in reports[2].parts if isinstance(part, Matrices)]
    explanation = explain_layers(
        model,
        article_2_two_layers.INPUTS,
        article_2_two_layers.TARGETS,
        reduction="sum",
        bias=False,
    )
    assert matrices.blocks("en") == explanation.blocks("en")[1:]  # without the title
    for layer, (by_formula, _) in zip(model.layers, explanation.gradients, strict=True):
        for neuron, row in zip(layer.neurons, by_formula, strict=True):
            assert [w.grad for w in neuron.w] == [pytest.approx(x, abs=4e-14) for x in row]
