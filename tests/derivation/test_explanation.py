"""`explain` writes the chain rule down: path by path, summed where they meet, in two languages."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import micrograd
from micrograd import Value, explain
from micrograd.testing.strategies import expressions
from micrograd.writing.numbers import number, typographic
from tests.derivation.common import evaluated, meeting, neuron


def derivation(text):
    """The lines of the equations of a plain text."""
    return [
        line[2:]
        for line in text.splitlines()
        if line.startswith("  ") and (" = " in line or " ≈ " in line)
    ]


def test_a_single_path_is_a_product_in_names_formulas_numbers_and_its_value():
    names = neuron()
    assert explain(names["o"], names["w1"]).text(tables=False) == (
        "The derivative of o with respect to w₁\n"
        "======================================\n"
        "\n"
        "One path leads from w₁ to o. The chain rule multiplies the local derivatives along it:\n"
        "\n"
        "  ∂o/∂w₁ = ∂o/∂v₄ · ∂v₄/∂v₃ · ∂v₃/∂v₁ · ∂v₁/∂w₁\n"
        "         = (1 − o²) · 1 · 1 · x₁\n"
        "         ≈ (1 − 0.7071²) · 1 · 1 · 2\n"
        "         ≈ 0.5000 · 1 · 1 · 2\n"
        "         ≈ 1.0000\n"
    )


def test_where_paths_meet_their_contributions_add_up_and_the_text_says_why():
    x, y = meeting()
    text = explain(y, x).text(tables=False)
    assert [line for line in text.splitlines() if line.startswith("Path")] == [
        "Path 1: x → v₁ → v₃ → L",
        "Path 2: x → v₁ → v₃ → L",
        "Path 3: x → v₂ → v₃ → L",
        "Path 4: x → v₄ → v₅ → v₆ → L",
    ]
    assert "(+=)" in text
    assert text.endswith("        = 2 + 2 + (−0.75) + (−3)\n        = 0.25\n")
    assert explain(y, x).gradient == 0.25


def test_the_branch_that_a_number_takes_is_told():
    x = Value(-2.0, label="x")
    y = x.relu() * 3
    y.label = "y"
    text = explain(y, x).text(tables=False)
    assert "The branches that the numbers take: x ≤ 0." in text
    assert derivation(text)[1:] == ["      = 3 · 0", "      = 0"]


def test_too_many_paths_are_collected_value_by_value():
    x = Value(0.5, label="x")
    y = x
    for _ in range(6):
        y = y * y
    y.label = "y"
    text = explain(y, x).text(tables=False)
    assert "64 paths lead from x to y" in text
    lines = derivation(text)
    assert lines[0] == "ȳ  = 1"
    assert lines[1] == "v̄₅ = ȳ · ∂y/∂v₅|₁ + ȳ · ∂y/∂v₅|₂"
    assert lines[-1] == typographic(f"      ≈ {number(64 * 0.5**63)}")
    assert "Path" not in text.replace("paths", "")


def test_a_long_chain_is_collected_too_and_its_middle_left_out():
    x = Value(1.0, label="x")
    y = x
    for _ in range(999):
        y = y * 1.001
    text = explain(y, x).text()
    assert "… 940 more lines …" in text
    assert len(text.splitlines()) < 500


def test_no_remark_stands_for_one_line():
    for operations, said in ((60, []), (61, ["… 2 more lines …"] * 3)):
        x = Value(1.0, label="x")
        y = x
        for _ in range(operations):
            y = y * 1.001
        assert re.findall("… [0-9,]+ more lines? …", explain(y, x).text()) == said


def test_more_paths_than_there_are_atoms_are_counted_roughly():
    x = Value(0.5, label="x")
    y = x
    for _ in range(300):
        y = y * y
    assert "More than 10⁹⁰ paths" in explain(y, x).text(tables=False)
    assert "超过 10⁹⁰ 条路径" in explain(y, x).text("zh", tables=False)


def test_sums_of_many_terms_are_cut():
    w = Value(2.0, label="w")
    total = sum((w * float(i) for i in range(1, 100)), Value(0.0))
    assert "+ … 91 more" in explain(total, w).text(tables=False)


def test_no_path_means_the_derivative_0():
    x, z = Value(1.0, label="x"), Value(2.0, label="z")
    y = x * 2
    explanation = explain(y, z)
    assert explanation.gradient == 0.0
    assert "was not computed from z" in explanation.text()
    assert "∂v₁/∂z = 0" in explanation.text()


def test_the_output_itself_has_the_derivative_1():
    _, y = meeting()
    assert explain(y, y).gradient == 1.0
    assert "has the derivative 1" in explain(y, y).text()


def test_inner_values_can_be_explained():
    names = neuron()
    inner = names["o"]._children[0]
    assert derivation(explain(names["o"], inner).text(tables=False)) == [
        "∂o/∂v₄ = 1 − o²",
        "       ≈ 1 − 0.7071²",
        "       ≈ 0.5000",
    ]


def test_several_targets_share_one_explanation():
    names = neuron()
    explanation = explain(names["o"], [names["w1"], names["x1"]])
    assert explanation.gradients == [explain(names["o"], names[n]).gradient for n in ("w1", "x1")]
    text = explanation.text()
    assert text.count("The derivative of o") == 2
    assert text.count("Forward") == 1
    with pytest.raises(ValueError, match=r"use \.gradients"):
        _ = explanation.gradient


def test_no_minus_stands_before_a_zero():
    x, w = Value(-2.0, label="x"), Value(0.0, label="w")
    text = explain(w * x * -3.0, [x, w]).text(tables=False)
    assert "= 0\n" in text
    assert not re.search(r"-0(?![.\d])", text)


def test_a_gradient_that_stops_at_a_zero_is_explained_as_zero():
    x = Value(0.0, label="x")
    y = micrograd.where(x > 0, x.log(), 0 * x)
    explanation = explain(y, x)
    y.backward()
    assert explanation.gradient == x.grad == 0.0


def test_names_come_from_the_callers_variables():
    a, weights = Value(2.0), [Value(3.0), Value(4.0)]
    total = a * weights[0] + weights[1]
    text = explain(total, a, names=locals()).text()
    assert "The derivative of total with respect to a" in text
    assert "a·w" in text
    assert "weights₁" in text


# ------------------------------------------------------------------------------------------ tables


def table(text, heading):
    """The rows of a table of the plain text, as lists of cells."""
    lines = text.split(heading)[1].splitlines()
    start = next(i for i, line in enumerate(lines) if "──" in line)
    widths = [len(cell) for cell in lines[start].split()]
    rows = []
    for line in lines[start + 1 :]:
        if not line.strip():
            break
        rows.append(re.split(r" {2,}", line.strip()))
    assert widths
    return rows


def test_the_forward_table_computes_every_value_in_turn():
    names = neuron()
    rows = table(explain(names["o"], names["w1"]).text(), "Forward")
    assert rows[0] == ["x₁", "given", "2"]
    assert rows[2] == ["v₁", "x₁·w₁", "2·(−3)", "−6"]
    assert rows[-1] == ["o", "tanh(v₄)", "tanh(0.8814)", "0.7071"]


def test_the_backward_table_has_the_chain_rule_of_every_value():
    names = neuron()
    rows = table(explain(names["o"], names["w1"]).text(), "Backward")
    assert rows[0] == ["ō", "∂o/∂o", "1"]
    assert ["v̄₁", "v̄₃ · ∂v₃/∂v₁", "0.5000 · 1", "0.5000"] in rows
    assert ["w̄₁", "v̄₁ · ∂v₁/∂w₁", "0.5000 · 2", "1.0000"] in rows
    assert len(rows) == 10


def test_gradients_of_values_with_long_names_are_written_as_quotients():
    error = Value(3.0, label="error")
    loss = error**2
    loss.label = "loss"
    assert "∂loss/∂error" in explain(loss, error).text()
    assert (
        r"\frac{\partial\mathit{loss}}{\partial\mathit{error}}" in explain(loss, error).markdown()
    )


def test_a_name_of_several_words_stands_in_brackets_where_it_is_differentiated():
    part = Value(3.0, label="won * w")
    y = part * 2
    y.label = "y"
    assert "∂y/∂[won·w] = 2" in explain(y, part).text()
    assert r"\partial\lbrack\text{won} \cdot \text{w}\rbrack}" in explain(y, part).latex()


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(expressions(), st.data())
def test_the_printed_numbers_recompute(expression, data):
    leaves = [Value(x, label=f"x{i}") for i, x in enumerate(expression.at)]
    out = expression(*leaves)
    if not isinstance(out, Value):
        return
    wrt = data.draw(st.sampled_from(leaves))
    explanation = explain(out, wrt)
    out.backward()
    assert explanation.gradient == wrt.grad or wrt.grad != wrt.grad
    rows = table(explanation.text(), "Forward")
    shown = {row[0]: row[-1] for row in rows}
    for node in explanation.chain.nodes:
        assert shown[explanation.chain.name(node).text] == typographic(number(node.data))
    # Factors are printed with four digits, so their product is off by less than 1e-3 for a factor.
    for path in explanation.chain.paths(wrt) if "Path" in explanation.text() else ():
        factors = [explanation.chain.factor(edge) for edge in path]
        product = 1.0
        for edge in path:
            product *= edge.slope or 0.0
        printed = 1.0
        for factor in factors:
            printed *= evaluated(factor.value.text)
        assert printed == pytest.approx(product, rel=1e-3 * len(path), abs=1e-300)


# ---------------------------------------------------------------------------------------- the check


def test_a_check_by_differences_stands_beside_the_gradient():
    names = neuron()
    text = explain(names["o"], names["w1"]).text(tables=False, check=True)
    assert "with w₁ moved by ± 2.289·10⁻⁵, the rate of change of o ≈ 1.0000, which agrees" in text
    chinese = explain(names["o"], names["w1"]).text("zh", tables=False, check=True)
    assert "o 的变化率 ≈ 1.0000，与上面的导数 1.0000 一致。" in chinese


def test_a_wrong_rule_is_seen_in_the_check():
    wrong = micrograd.define("wrong_for_check", "tanh(x)", ["1 - x * x"])
    x = Value(0.5, label="x")
    text = explain(wrong(x), x).text(tables=False, check=True)
    assert "≈ 0.7864, which does NOT agree with the derivative above, 0.75." in text


def test_a_check_at_a_kink_says_so_and_gives_both_sides():
    x = Value(0.0, label="x")
    text = explain(x.relu() * 3, x).text(tables=False, check=True)
    assert "bends here, with the rate 0 before and 3 after" in text
    assert "折点，左侧变化率为 0，右侧为 3" in explain(x.relu() * 3, x).text("zh", check=True)


def test_a_check_that_rounding_has_swallowed_says_so():
    x = Value(1.0, label="x")
    text = explain((x + 1e14) * 1e-5, x).text(tables=False, check=True)
    assert "lost in rounding" in text


def test_there_is_no_check_of_what_was_made_by_hand_and_the_text_says_so():
    x = Value(2.0, label="x")
    y = Value(4.0, (x,), "twice", local_grads=(2.0,))
    text = explain(y, x).text(check=True)
    assert "There is no check by differences: v₁ was made by hand" in text


# ------------------------------------------------------------------------------ languages, formats


def test_chinese_text_has_chinese_words_and_the_same_equations():
    x, y = meeting()
    english, chinese = explain(y, x).text(), explain(y, x).text("zh")
    assert chinese.startswith("L 对 x 的导数\n=============\n")
    assert derivation(english) == derivation(chinese)
    words = re.sub(r"backward\(\)|relu|L|x|v|[^A-Za-z]", "", chinese)
    assert words == ""


def test_the_language_can_be_chosen_at_once_and_an_unknown_one_is_refused():
    x, y = meeting()
    assert explain(y, x, lang="zh").text() == explain(y, x).text("zh")
    for attempt in (
        lambda: explain(y, x, lang="xx"),
        lambda: explain(y, x).text("xx"),
        lambda: explain(y, x).markdown("ZH"),
    ):
        with pytest.raises(ValueError, match="lang is one of en, "):
            attempt()


def test_columns_of_chinese_text_line_up():
    x = Value(2.0, label="输入")
    y = x * 3
    y.label = "输出"
    from micrograd.writing.labels import columns

    lines = explain(y, x).text("zh").split("前向")[1].splitlines()
    head, rule, *rows = [line for line in lines if line.startswith("  ")][:4]
    column = columns(rule[: rule.rindex(" ") + 1])
    for line in (head, *rows):
        at = next(i for i in range(len(line) + 1) if columns(line[:i]) == column)
        assert line[at - 2 : at] == "  "
        assert line[at] != " "


def test_markdown_has_headings_formulas_and_tables():
    names = neuron()
    text = explain(names["o"], names["w1"]).markdown("zh")
    assert text.startswith("## $o$ 对 $w_{1}$ 的导数\n")
    assert "$$\n\\begin{aligned}\n\\frac{\\partial o}{\\partial w_{1}} &= " in text
    assert "| $v_{1}$ | $x_{1} \\cdot w_{1}$ | $2 \\cdot (-3)$ | $-6$ |" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.count("|") == 5


def test_a_picture_can_show_the_names_of_the_derivation():
    names = neuron()
    graph = micrograd.draw_dot(names["o"], names=explain(names["o"]).names)
    for name in ("v₁", "v₂", "v₃", "v₄", "x₁"):
        assert f"<B>{name}</B>" in graph.source


def test_equations_are_those_of_the_text_alone():
    x, y = meeting()
    assert explain(y, x).equations().splitlines()[:2] == [
        "(∂L/∂x)⁽¹⁾ = ∂L/∂v₃ · ∂v₃/∂v₁ · ∂v₁/∂x|₁",
        "           = 1 · 1 · x",
    ]
    assert derivation(explain(y, x).text(tables=False)) == explain(y, x).equations().splitlines()


def test_latex_is_one_aligned_block():
    x, y = meeting()
    written = explain(y, x).latex()
    assert written.startswith("\\begin{aligned}\n")
    assert written.endswith("\n\\end{aligned}")
    assert written.count("aligned") == 2
    for line in written.splitlines()[1:-1]:
        assert line.count("&=") == 1


def test_html_has_mathml_and_headings_at_the_level_asked_for():
    import xml.etree.ElementTree as ET

    x, y = meeting()
    shown = ET.fromstring(f"<div>{explain(y, x).html('zh', level=3)}</div>")
    tags = [element.tag for element in shown.iter()]
    assert {"h3", "h4", "math", "mfrac", "table", "p"} <= set(tags)
    assert not {"h1", "h2"} & set(tags)


def test_a_notebook_shows_markdown_and_text():
    x, y = meeting()
    explanation = explain(y, x, lang="zh")
    assert explanation._repr_mimebundle_() == {
        "text/plain": explanation.text("zh"),
        "text/markdown": explanation.markdown("zh"),
    }
    assert str(explanation) == explanation.text("zh")
    assert repr(explanation) == "<explanation of L with respect to x>"


# ------------------------------------------------------------------------------------------ errors


def test_without_a_target_all_leaves_are_explained_and_names_stand_for_values():
    names = neuron()
    everything = explain(names["o"])
    assert everything.text(tables=False).count("The derivative of o") == 5
    by_name = explain(names["o"], "w1")
    assert by_name.text() == explain(names["o"], names["w1"]).text()
    assert explain(names["o"], ["w_1", names["b"], "v3"]).gradients == [
        explain(names["o"], each).gradient for each in ("w1", "b", "v3")
    ]
    with pytest.raises(ValueError, match="no value is called 'w9'; those that no operation made"):
        explain(names["o"], "w9")


def test_one_symbol_does_not_stand_for_two_derivatives():
    """What the output takes from a value directly is not all that it takes from it."""
    z = Value(2.0, label="z")
    loss = z * z.exp() + z
    loss.label = "loss"
    text = explain(loss, z).text(tables=False)
    assert "(∂loss/∂z)⁽³⁾ = ∂loss/∂z|₂" in text
    assert "∂v₂/∂z is" not in text
    assert "∂loss/∂z|₂ is the derivative with respect to operand 2 alone" in text
    assert "∂v₂/∂z|₁" not in text  # z reaches v₂ by v₁ as well, but v₂ is not what is asked for


@pytest.mark.parametrize("wrt", [3.0, [], [1.0], {}, set()])
def test_what_is_no_value_is_refused_as_wrt(wrt):
    with pytest.raises(TypeError, match="as wrt, got"):
        explain(Value(1.0) * 2, wrt)


@pytest.mark.slow
def test_what_is_too_large_to_read_is_refused_without_recursion():
    x = y = Value(1.0)
    for _ in range(300_000):
        y = y + 1.0
    with pytest.raises(ValueError, match="explain one sample"):
        explain(y, x)


def test_explaining_is_the_same_in_every_run():
    assert explain(*reversed(meeting())).text() == explain(*reversed(meeting())).text()


# ----------------------------------------------------------------------------- what was wrong once


def test_numbers_do_not_run_into_each_other_in_latex():
    x = Value(0.5, label="x")
    y = x.leaky_relu() * 2
    assert r"\max(0.01 \cdot 0.5, 0.5)" in explain(y, x).markdown()


def test_eight_paths_are_written_down_and_nine_are_not():
    for count, written in ((8, True), (9, False)):
        x = Value(2.0, label="x")
        y = sum((x * float(i) for i in range(1, count)), x * 1.0 if count else x)
        text = explain(y, x).text(tables=False)
        assert (f"Path {count}: " in text) is written


def test_the_accumulated_form_has_names_formulas_and_numbers():
    x = Value(0.5, label="x")
    y = x
    for _ in range(20):
        y = y.tanh()
    y.label = "y"
    text = explain(y, x).text(tables=False)
    assert "The way from x to y is long." in text
    last = derivation(text)
    start = next(i for i, line in enumerate(last) if line.startswith("x̄ "))
    assert last[start].endswith("= v̄₁ · ∂v₁/∂x")
    assert last[start + 1].strip() == "= v̄₁ · (1 − v₁²)"


@pytest.mark.parametrize("step", ["adds a constant", "sets"])
def test_a_step_by_hand_that_is_no_chain_rule_is_refused(step):
    v = Value(2.0, label="v")
    o = Value(10.0, (v,), "mine")

    def backward():
        v.grad = 5 * o.grad if step == "sets" else v.grad + 1

    o._backward = backward
    with pytest.raises(ValueError, match=r"_backward of v₁, written by hand, does not add"):
        explain(o * 5 + v * v, v)


def test_a_change_after_the_explanation_was_made_is_noticed():
    x, y = meeting()
    explanation = explain(y, x)
    x.data = 7.0
    with pytest.raises(ValueError, match="was changed after the graph was built"):
        explanation.text()
    assert "was changed" in explanation._repr_mimebundle_()["text/plain"]


def test_an_explanation_can_be_copied_and_pickled():
    import copy
    import pickle

    w1, x = Value(3.0), Value(2.0, label="x")
    explanation = explain(w1 * x + w1, w1, names=locals(), lang="zh")
    for twin in (copy.deepcopy(explanation), pickle.loads(pickle.dumps(explanation))):
        assert twin.text() == explanation.text()
        assert twin.targets[0] is not w1


def test_a_gradient_that_a_literal_zero_stops_is_explained():
    a = Value(0.0, label="a")
    text = explain(micrograd.where(a > 0, a.log(), a * 2), a).text(tables=False)
    assert "0 · inf" in text
    assert "A factor that is literally 0, as in a branch that is not taken" in text


def test_labels_that_differ_only_in_spelling_are_told_apart_in_latex():
    p, q = Value(2.0, label="w[0]"), Value(3.0, label="w0")
    r, s = Value(5.0, label="x"), Value(7.0, label="x⁽²⁾")
    t = Value(11.0, label="x")
    names = explain(p * q * r * s * t, p).chain.names.values()
    assert len({name.text for name in names}) == len({name.mark for name in names}) == 9


def test_a_label_that_cannot_be_told_is_no_harm():
    class Evil:
        def __str__(self):
            raise RuntimeError("no")

    x = Value(2.0)
    x.label = Evil()
    assert "<Evil>" in explain(x * 3, x).text()


def test_a_comparison_in_an_equation_stands_in_brackets():
    from micrograd.drawing.walkthrough import Walkthrough

    x = Value(3.0, label="x")
    lines = [step.equations[0].text for step in Walkthrough(x > 1).steps]
    assert "v₁ = (x > 1) = (3 > 1) = 1" in lines


@pytest.mark.parametrize("style", ["full", "board"])
def test_a_value_outside_the_graph_does_not_take_the_name_of_one_in_it(style):
    x = Value(2.0, label="x")
    for y in (x * x, x):
        for outside in (Value(3.0), Value(3.0, label="x")):
            text = explain(y, outside, style=style).text()
            assert "/∂x⁽²⁾ = 0" in text
            assert "∂x = 0" not in text
    assert "/∂x = 0" in explain(Value(2.0, label="w") ** 2, Value(3.0), style=style).text()
