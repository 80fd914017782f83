"""The picture of a program: one bar for each instruction, as wide as its results are many."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from micrograd import Value, compile  # noqa: A004
from micrograd.drawing import draw_program
from micrograd.drawing.programs import MOST_BARS
from micrograd.writing.languages.en import WORDS

SVG = "{http://www.w3.org/2000/svg}"


def compiled():
    w = [Value(0.1 * i) for i in range(6)]
    f = compile(
        lambda x: (
            sum((w[3 * i] * x[0] + w[3 * i + 1] * x[1] + w[3 * i + 2]).tanh() for i in (0, 1))
            + sum(p * p for p in w)
        ),
        w,
        batched=True,
        backend="numpy",
    )
    f([[1.0, 2.0], [3.0, 4.0]])
    return f


def bars(drawing):
    """The breadth of each bar, without the paper and the two of the legend."""
    root = ET.fromstring(drawing.svg)
    return [float(each.get("width")) for each in root.iter(f"{SVG}rect") if each.get("rx")][2:]


def texts(drawing):
    return [each.text for each in ET.fromstring(drawing.svg).iter(f"{SVG}text")]


def test_every_instruction_is_a_bar_after_those_of_parameters_and_inputs():
    program = compiled()
    shown = texts(draw_program(program))
    assert len(bars(draw_program(program))) == 2 + len(program.program.instructions)
    assert "parameters" in shown
    assert "inputs" in shown
    for text in program.program.told(WORDS["program"]):
        assert text in shown


def test_a_program_that_computes_nothing_is_drawn():
    f = compile(lambda: 3.0, backend="numpy")
    assert f() == 3.0
    assert "<svg" in draw_program(f).svg


def test_more_results_make_a_wider_bar():
    breadths = bars(draw_program(compiled()))
    assert breadths[0] == max(breadths)  # six parameters
    assert breadths[1] < breadths[0]  # two inputs


def test_the_words_can_be_chinese_and_the_theme_dark():
    assert "每个样本各算一次" in texts(draw_program(compiled(), lang="zh"))
    assert draw_program(compiled(), theme="dark").svg != draw_program(compiled()).svg
    with pytest.raises(ValueError, match="lang is one of en, "):
        draw_program(compiled(), lang="xx")


def test_a_long_program_is_cut_and_says_how_much_is_missing():
    def f(x):
        # Levels of four different operations: too wide for a tape, too many for a picture.
        for _ in range(80):
            x = [x[0].sin() + 1, x[1].cos() + 2, x[2].tanh() * x[0], x[3].exp() * 1e-3]
        return sum(x)

    program = compile(f, backend="numpy")
    program([0.1, 0.2, 0.3, 0.4])
    count = len(program.program.instructions) + 1
    if count > MOST_BARS:
        assert f"{count - MOST_BARS} more instructions" in texts(draw_program(program))
    assert len(bars(draw_program(program))) <= MOST_BARS


def test_a_function_that_was_not_called_has_no_program_to_draw():
    with pytest.raises(ValueError, match="not called yet"):
        draw_program(compile(lambda x: x))


def test_it_shows_itself_in_a_notebook_and_is_written_to_a_file(tmp_path):
    drawing = draw_program(compiled())
    assert drawing._repr_svg_() == drawing.svg
    assert repr(drawing).startswith("<a drawing of a program")
    path = drawing.write(tmp_path / "program.svg")
    assert (tmp_path / "program.svg").read_text(encoding="utf-8") == drawing.svg
    assert path.endswith("program.svg")
