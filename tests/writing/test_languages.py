"""The words are in one place: complete, used, and a language is one file."""

import re
from pathlib import Path
from string import Formatter

import pytest

import micrograd
from micrograd import Value, draw_dot, explain, step_page
from micrograd.compiler import compile  # noqa: A004
from micrograd.derivation import rule_card
from micrograd.drawing import draw_network, draw_program, film_strip
from micrograd.ops import ROWS, TABLE
from micrograd.writing import languages
from nn import MLP

ROOT = Path(micrograd.__file__).parent.parent
ENGLISH = languages.en.WORDS
OF_THE_TABLE = ("note", "operation")  # their keys are the names of its rows
TEXTS = ("help", "message")  # their keys are English texts: test_command_help.py, test_messages.py
TRANSLATED = [part for part in ENGLISH if part not in (*OF_THE_TABLE, *TEXTS)]
NAMES = "playground names"  # their keys are made of names; tests/nn/test_playground.py has them all


def table(lang):
    return __import__(f"micrograd.writing.languages.{lang}", fromlist=["WORDS"]).WORDS


def places(text):
    return {(name, spec) for _, name, spec, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("part", TRANSLATED)
def test_chinese_has_every_key_of_english(part):
    assert list(table("zh")[part]) == list(ENGLISH[part])


def test_chinese_has_the_note_of_every_row_that_has_one():
    notes = {row.name: row.note for row in ROWS if row.note}
    assert set(table("zh")["note"]) == set(notes)
    for name, note in notes.items():
        assert note in rule_card(name).text("en")
        assert table("zh")["note"][name] in rule_card(name).text("zh")


def test_chinese_has_names_for_arithmetic_and_a_heading_says_the_row_too():
    assert rule_card("mul", "zh").text().startswith("乘法（mul）\n")
    assert rule_card("tanh", "zh").text().startswith("tanh\n")
    assert rule_card("mul").text().startswith("mul\n")
    assert languages.operation_name("add", "zh") == "加法"


def recipe():
    """The language that CONTRIBUTING.md adds."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (code,) = re.findall("```python\n(WORDS = .*?)```", text, re.S)
    names = {}
    exec(code, names)
    return names["WORDS"]


@pytest.mark.parametrize("lang", [*languages.languages(), "the recipe's"])
def test_a_language_has_no_unknown_keys_and_the_places_of_english(lang):
    known = {**ENGLISH, **dict.fromkeys(OF_THE_TABLE, TABLE)}
    for part, texts in (recipe() if lang == "the recipe's" else table(lang)).items():
        assert part in TEXTS or set(texts) <= set(known[part])
        for key, text in texts.items():
            if part in TRANSLATED:
                assert places(text) == places(ENGLISH[part][key]), (part, key)


def test_chinese_is_written_with_chinese_punctuation():
    for texts in table("zh").values():
        for text in texts.values():
            assert not re.search("[\u4e00-\u9fff}][,;?!]|[,;:?!][\u4e00-\u9fff]", text), text
            assert "，，" not in text
            assert not re.search("[\u4e00-\u9fff] [\u4e00-\u9fff]", text), text


SPEAKERS = {
    "language": ["micrograd/drawing/frame.py", "micrograd/drawing/assets/page.js"],
    "explain": [
        "micrograd/derivation/explanation.py",
        "micrograd/derivation/board.py",
        "micrograd/writing/blackboard/line.py",
        "micrograd/writing/notation.py",
    ],
    "card": [
        "micrograd/derivation/c*.py",
        "micrograd/commands/rules.py",
        "micrograd/writing/notation.py",
    ],
    "layers": ["nn/derivations/*.py", "micrograd/writing/notation.py"],
    "picture": ["micrograd/drawing/**/*.py"],
    "page": [
        "micrograd/drawing/page.py",
        "micrograd/drawing/steps.py",
        "micrograd/drawing/assets/*",
    ],
    "live": ["micrograd/live/page.py", "micrograd/live/assets/*"],
    "network": ["micrograd/drawing/network.py"],
    "program": ["micrograd/drawing/programs.py", "micrograd/compiler/program/printing.py"],
    "schematic": ["micrograd/drawing/schematics/*.py"],
    "export": ["micrograd/export/source.py"],
    "doctor": ["micrograd/commands/doctor.py"],
    "plot": ["nn/plots/*.py"],
    "progress": ["nn/progress.py"],
    "playground": ["nn/pages/*.py", "nn/pages/assets/*"],
}


@pytest.mark.parametrize("part", [part for part in TRANSLATED if part != NAMES])
def test_every_key_is_used(part):
    files = (path for pattern in SPEAKERS[part] for path in ROOT.glob(pattern))
    sources = "".join(path.read_text("utf-8") for path in files)
    quoted = set(re.findall(r"""["'](?:language )?([\w ]+)["']""", sources))
    assert set(ENGLISH[part]) <= quoted


# ------------------------------------------------------------------------------- one more language


def test_a_third_language_is_one_file(tok):
    assert languages.languages()[0] == "en"
    assert {"tok", "zh"} < set(languages.languages())
    x = Value(2.0, label="x")
    loss = x.relu() * 3.0
    loss.label = "loss"
    derivation = explain(loss, x).text(tok)
    assert "jo" in derivation
    assert re.search(r"∂loss/∂loss +open +1\n", derivation)
    assert "The derivative of loss with respect to x" in derivation
    card = rule_card("relu", tok).text()
    assert "Convention: ala la ala." in card
    assert "lon ale." in rule_card("tanh", tok).text()
    graph = draw_dot(loss, lang=tok)
    pictures = [graph.source, graph.mermaid(), graph.tikz(), graph.tree()]
    assert all("nanpa" in text and "grad" in text for text in pictures)
    model = MLP(1, [2])
    assert "nena 1" in draw_dot(model([x]), model=model, lang=tok).source
    page = step_page(loss, lang=tok)
    assert '<html lang="tok">' in page
    for text in ('"next":"kama"', '"language name":"toki pona"', '"{value} li jo."', '"中文"'):
        assert text in page
    assert ">kama</text>" in draw_network(MLP(2, [1]), lang=tok).svg
    program = compile(lambda v: v * v, [x], backend="numpy")
    program(2.0)
    assert ">ilo</text>" in draw_program(program, lang=tok).svg


def test_a_third_language_is_drawn_by_plots(tok):
    pytest.importorskip("matplotlib")
    from nn import plots

    ax = plots.loss_curves({"loss": [1.0, 0.5]}, lang=tok)
    assert ax.get_ylabel() == "ike"
    assert ax.get_xlabel() == "epoch"


def test_a_third_language_is_known_to_the_command_line(tok, capsys):
    from micrograd.__main__ import main

    assert main(["rules", "tanh", "--lang", tok]) == 0
    assert "lon ale." in capsys.readouterr().out
    assert main(["check", "x * x", "x=2", "--lang", tok]) == 0
    assert "x * x at x = 2.0: pona, value 4.0" in capsys.readouterr().out
    assert main(["check", "x", "x", "--lang", tok]) == 2
    assert capsys.readouterr().err == "micrograd: o pana e NAME=NUMBER, x li ike\n"


def test_a_language_without_a_name_is_called_by_its_code(tok, monkeypatch):
    monkeypatch.delitem(table(tok), "language")
    assert languages.words(tok, "language") == {"name": "tok", "tag": "tok"}


def test_a_picture_of_a_network_speaks_chinese_throughout():
    model = MLP(2, [10, 1])
    out = model([Value(1.0, label="x1"), Value(2.0, label="x2")])
    out.backward()
    for level in ("operation", "neuron", "layer"):
        graph = draw_dot(out, model=model, level=level, focus=out, lang="zh", max_nodes=500)
        text = graph.mermaid() + graph.tree()
        assert "第 2 层" in text.replace("#32;", " ")
        assert "数值" in text
        assert not re.search("data|grad|layer [0-9]|neuron [0-9]| more|above", text)
    graph = draw_dot(out, model=model, level="layer", lang="zh")
    assert "第 1 层（10 个神经元）" in graph.source
    assert "…… 还有 2 个" in graph.source
    names = draw_dot(out, model=model, level="neuron", lang="zh", max_nodes=500).tree()
    assert "第 1 层第 1 个神经元" in names


def test_a_film_and_the_command_draw_speak_chinese_too(tmp_path, capsys):
    from micrograd.__main__ import main

    (first, *_) = film_strip(Value(2.0, label="x") * 3, tmp_path, lang="zh")
    assert "计算图：" in first.read_text("utf-8")
    assert main(["draw", "x * 3", "x=2", "--lang", "zh"]) == 0
    assert "梯度" in capsys.readouterr().out


def test_a_program_is_drawn_in_chinese_throughout():
    f = compile(lambda x: [a * 2 + b * c for a, b, c in zip(x, x[1:], x[2:], strict=False)])
    f([1.0, 2.0, 3.0, 4.0, 5.0])
    assert ">3 个加权和，共 6 项</text>" in draw_program(f, lang="zh").svg
    assert " = 3 sums of 6 terms" in str(f)


def every_face(lang):
    x = Value(2.0, label="x")
    program = compile(lambda v: v * v, [x], backend="numpy")
    program(2.0)
    return {
        "explain": lambda: explain(x * x, x, lang=lang),
        "text": lambda: explain(x * x, x).text(lang),
        "card": lambda: rule_card("tanh", lang),
        "picture": lambda: draw_dot(x * x, lang=lang),
        "page": lambda: step_page(x * x, lang=lang),
        "network": lambda: draw_network(MLP(1, [1]), lang=lang),
        "program": lambda: draw_program(program, lang=lang),
        "words": lambda: languages.words(lang, "plot"),
    }


@pytest.mark.parametrize("face", every_face("xx"))
@pytest.mark.parametrize("lang", ["xx", "ZH", "../zh", "__init__", 3, ["en"]])
def test_an_unknown_language_is_the_same_error_everywhere(face, lang):
    known = ", ".join(languages.languages())
    message = re.escape(f"lang is one of {known}, got {lang!r}")
    with pytest.raises(ValueError, match=message):
        every_face(lang)[face]()
