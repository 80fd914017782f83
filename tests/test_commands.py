"""`micrograd explain`, `draw` and `rules`: an expression typed by a person, explained and drawn."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from micrograd.__main__ import main
from micrograd.ops import ROWS, SERVING

NEURON = ["tanh(x1*w1 + x2*w2 + b)", "x1=2", "w1=-3", "x2=0", "w2=1", "b=6.88"]


# ------------------------------------------------------------------------------------------ explain


def test_explain_derives_the_gradient_in_the_language_asked_for(capsys):
    assert main(["explain", *NEURON, "--wrt", "w1", "--lang", "zh", "--style", "full"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("f 对 w₁ 的导数\n")
    assert "         ≈ (1 − 0.7064²) · 1 · 1 · 2\n" in printed
    assert "反向" in printed


@pytest.mark.parametrize("command", ["explain", "check"])
def test_values_may_follow_the_options(command, capsys):
    options = [] if command == "check" else ["--wrt", "x"]
    assert main([command, "x * y", *options, "--lang", "en", "x=2", "y=3"]) == 0
    after = capsys.readouterr().out
    assert main([command, "x * y", "x=2", "y=3", *options, "--lang", "en"]) == 0
    assert capsys.readouterr().out == after
    with pytest.raises(SystemExit):
        main([command, "x * y", "--lang", "en", "x=2", "--nothing=3"])
    assert "unrecognized arguments: --nothing=3" in capsys.readouterr().err
    assert main([command, "x * y", "--lang", "en", "x=2", "y"]) == 2
    assert "expected NAME=NUMBER, such as x=0.5, got 'y'" in capsys.readouterr().err


def test_explain_takes_every_name_unless_some_are_chosen(capsys):
    assert main(["explain", "x * y", "x=2", "y=3"]) == 0
    assert capsys.readouterr().out.count("∂f/∂") == 2
    assert main(["explain", "x * y", "x=2", "y=3", "--wrt", "y, x", "--style", "full"]) == 0
    printed = capsys.readouterr().out
    assert printed.index("with respect to y") < printed.index("with respect to x")


def test_explain_prints_markdown_and_latex(capsys):
    chosen = ["--wrt", "w1", "--style", "full"]
    assert main(["explain", *NEURON, *chosen, "--format", "markdown", "--check"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("## The derivative of $f$ with respect to $w_{1}$\n")
    assert "moved by" in printed
    assert main(["explain", *NEURON, "--wrt", "w_1", "--format", "latex"]) == 0
    assert capsys.readouterr().out.startswith("\\begin{aligned}\n")


@pytest.mark.parametrize(
    ("suffix", "beginning"),
    [
        (".txt", "设 v₁"),
        (".md", "设 $v_{1}"),
        (".tex", "\\begin{aligned}\n"),
        (".html", '<!DOCTYPE html>\n<html lang="zh-Hans">'),
        (".svg", "<svg"),
    ],
)
def test_the_suffix_of_a_derivation_says_what_is_written(suffix, beginning, tmp_path):
    path = tmp_path / f"dw{suffix}"
    neuron = ["(sigmoid(w*x + b) - t)**2", "--wrt", "w", "--lang", "zh"]
    assert main(["explain", *neuron, "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8").startswith(beginning)


def test_a_derivation_has_no_other_suffix_and_no_check_as_a_picture(tmp_path, capsys):
    assert main(["explain", "x * y", "-o", str(tmp_path / "a.docx")]) == 2
    assert ".txt, .md, .tex, .html, .svg" in capsys.readouterr().err
    picture = tmp_path / "a.svg"
    assert main(["explain", "x * y", "x=1", "y=2", "--check", "-o", str(picture)]) == 2
    assert "omit --check" in capsys.readouterr().err
    assert main(["explain", "x * y", "--theme", "dark"]) == 2
    assert "--theme is for pictures" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_formulas_have_the_colours_asked_for(tmp_path):
    written = {}
    for theme in ("light", "dark"):
        path = tmp_path / f"{theme}.svg"
        assert main(["explain", "x * y", "--theme", theme, "-o", str(path)]) == 0
        written[theme] = path.read_text(encoding="utf-8")
    assert written["light"] != written["dark"]


@pytest.mark.parametrize("command", [["live", "x * w", "x=1", "w=2"], ["playground"]])
def test_a_page_is_not_written_into_a_file_that_a_picture_is_expected_in(command, tmp_path, capsys):
    assert main([*command, "-o", str(tmp_path / "a.png")]) == 2
    assert ".html" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_expression_may_begin_with_a_minus(capsys):
    assert main(["explain", "-x * y", "x=2", "y=-3", "--wrt", "y"]) == 0
    assert "= −2\n" in capsys.readouterr().out


def test_the_result_is_called_f_unless_a_variable_is(capsys):
    assert main(["explain", "f * 2", "f=3", "--style", "full", "--no-tables"]) == 0
    assert "The derivative of v₁ with respect to f" in capsys.readouterr().out


def test_explain_shows_a_blackboard_unless_every_value_is_asked_for(capsys):
    neuron = ["(sigmoid(w*x + b) - t)**2", "w=1", "x=2", "b=-0.5", "t=1"]
    assert main(["explain", *neuron, "--wrt", "w"]) == 0
    assert capsys.readouterr().out == (
        "let v₁ = w·x + b,  v₂ = σ(v₁),  f = (v₂ − t)²\n"
        "\n"
        "  ∂f/∂w = ∂f/∂v₂ · ∂v₂/∂v₁ · ∂v₁/∂w\n"
        "        = 2(v₂ − t) · v₂(1 − v₂) · x\n"
        "        ≈ −0.1088\n"
    )


def test_explain_needs_no_values_for_a_derivation_in_symbols(capsys):
    assert main(["explain", "(sigmoid(w*x + b) - t)**2", "--wrt", "w"]) == 0
    assert capsys.readouterr().out.endswith("= 2(v₂ − t) · v₂(1 − v₂) · x\n")
    assert main(["explain", "x * y", "--width", "5"]) == 2
    assert "width is at least 20 columns, got 5" in capsys.readouterr().err
    assert main(["explain", "x * y", "--check"]) == 2
    assert "--check needs a value for each name" in capsys.readouterr().err
    assert main(["explain", "x * y", "x=1", "--style", "full", "--width", "60"]) == 2
    assert "--width is an option of --style board" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["x + y", "x=1"], "unknown name 'y'; the names are x, at column 5"),
        (["x +", "x=1"], "at column"),
        (["x", "x"], "NAME=NUMBER"),
        (["x * 2", "x=one"], "'one' is not a number"),
        (["x * 2", "x=1", "--wrt", "z"], "--wrt z: there is no such name; the names are x"),
        (["x * 2", "x=1", "--wrt", ""], "--wrt : there is no such name"),
        (["2 + 1"], "'2 + 1' is a number that depends on no name"),
        (["__import__('os').system('true')", "x=1"], "not allowed"),
        (["x.data", "x=1"], "not allowed"),
        (["x" + " + x" * 6000, "x=1"], "limit"),
        (["(" * 300 + "x" + ")" * 300, "x=1"], "not a formula"),
    ],
)
def test_wrong_arguments_are_an_error_that_says_what_is_wrong(words, complaint, capsys):
    for command in ("explain", "draw"):
        if command == "explain" or "--wrt" not in words:
            assert main([command, *words]) == 2
            error = capsys.readouterr().err
            assert complaint in error
            assert "Traceback" not in error


# --------------------------------------------------------------------------------------------- draw


def test_draw_prints_a_tree_if_no_file_is_named(capsys):
    assert main(["draw", *NEURON]) == 0
    printed = capsys.readouterr().out
    assert "tanh" in printed
    assert "w₁" in printed


def test_draw_writes_what_the_suffix_says(tmp_path, capsys):
    beginnings = {
        "html": "<!DOCTYPE html>",
        "md": "```mermaid\n",
        "tex": "\\documentclass",
        "mmd": "flowchart",
        "gv": "digraph",
        "json": "{",
    }
    for suffix, beginning in beginnings.items():
        path = tmp_path / f"neuron.{suffix}"
        assert main(["draw", *NEURON, "-o", str(path), "--lang", "zh"]) == 0
        assert capsys.readouterr().out == f"已写入 {path}\n"
        assert path.read_text(encoding="utf-8").startswith(beginning)
    assert json.loads((tmp_path / "neuron.json").read_text(encoding="utf-8"))
    assert "对 $w_{1}$ 的导数" in (tmp_path / "neuron.md").read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in (tmp_path / "neuron.html").read_text(encoding="utf-8")


def test_draw_draws_gradients_partials_and_contributions(tmp_path, capsys):
    path = tmp_path / "a.svg"
    options = ["--partials", "--contributions", "--theme", "dark", "--direction", "TB"]
    if main(["draw", *NEURON, "-o", str(path), *options]) == 2:
        assert "no Graphviz renderer" in capsys.readouterr().err
        pytest.skip("no Graphviz renderer")
    words = " ".join(ET.parse(path).getroot().itertext())
    assert "1.0019" in words


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["-o", "a.docx"], "a.docx"),
        (["-o", "a"], "suffix"),
        (["-o", "a.sgv"], ".svg, .png"),
        (["-o", "a.htm"], ".html, .md, .gif"),
        (["-o", "a.gv", "--theme", "pink"], "unknown theme 'pink'"),
        (["-o", "a.gv", "--direction", "UP"], "LR, RL, TB, BT"),
    ],
)
def test_draw_says_what_it_cannot_do(options, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", "x * 2", "x=1", *options]) == 2
    assert complaint in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_without_a_renderer_draw_says_how_to_get_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MICROGRAD_DOT", "no-such-program")
    assert main(["draw", "x * 2", "x=1", "-o", str(tmp_path / "a.svg")]) == 2
    assert "pip install" in capsys.readouterr().err
    for suffix in ("html", "md", "tex", "mmd", "gv", "json", "txt"):
        assert main(["draw", "x * 2", "x=1", "-o", str(tmp_path / f"a.{suffix}")]) == 0


def test_a_folder_that_does_not_take_the_file_is_an_error_without_a_traceback(tmp_path, capsys):
    occupied = tmp_path / "file"
    occupied.touch()
    for name in ("a.html", "a.md", "a.gv"):
        assert main(["draw", "x * 2", "x=1", "-o", str(occupied / name)]) == 2
        assert f"cannot write to {occupied / name}" in capsys.readouterr().err


# -------------------------------------------------------------------------------------------- rules


def test_rules_prints_the_cards_that_are_named_or_all(capsys):
    assert main(["rules", "tanh", "relu", "--lang", "zh"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("tanh\n====\n")
    assert "约定：在 0 处的导数取 0。" in printed
    assert main(["rules"]) == 0
    printed = capsys.readouterr().out
    for row in ROWS:
        heading = f"\n\n{row.name}\n{'=' * len(row.name)}\n"
        assert (heading in f"\n\n{printed}") == (row.name not in SERVING)
    assert main(["rules", "sech2"]) == 0
    assert capsys.readouterr().out.startswith("sech2\n=====\n")


@pytest.mark.slow
def test_rules_writes_pages(tmp_path, capsys):
    path = tmp_path / "rules.html"
    assert main(["rules", "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8").count("<svg") == len(ROWS) - len(SERVING)
    assert main(["rules", "log", "-o", str(tmp_path / "rules.md")]) == 0
    assert (tmp_path / "rules.md").read_text(encoding="utf-8").startswith("## log\n")
    capsys.readouterr()
    assert main(["rules", "-o", str(tmp_path / "rules.pdf")]) == 2
    assert "must end in .html or .md" in capsys.readouterr().err
    assert main(["rules", "tan_h"]) == 2
    told = capsys.readouterr().err
    assert "no operation 'tan_h'" in told
    assert "sech2" not in told


def test_a_closed_pipe_is_not_an_error():
    done = subprocess.run(
        f'"{sys.executable}" -m micrograd rules | head -n 1',
        shell=True,
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"add\n"
    assert done.stderr == b""


def test_draw_makes_compact_pictures_and_films(tmp_path, capsys):
    path = tmp_path / "a.mmd"
    assert (
        main(["draw", "tanh(x * w + b)", "x=2", "w=-3", "b=6.5", "--compact", "-o", str(path)]) == 0
    )
    text = path.read_text(encoding="utf-8")
    assert "tanh(x·w + b)" in text or "x·w + b" in text
    assert "data" not in text
    pytest.importorskip("resvg_py")
    pytest.importorskip("PIL")
    film = tmp_path / "a.gif"
    assert main(["draw", "x * w", "x=2", "w=-3", "-o", str(film), "--width", "390"]) == 0
    assert film.read_bytes().startswith(b"GIF89a")
    capsys.readouterr()
    assert main(["draw", "x * w", "x=2", "w=-3", "--width", "390"]) == 2
    assert "add --compact" in capsys.readouterr().err
    assert main(["draw", "x * w", "x=2", "w=-3", "--compact", "--partials"]) == 2
    assert "local_partials= is not for level='named'" in capsys.readouterr().err
