"""`micrograd export`: the suffix says which language, and mistakes are named."""

import pytest

from micrograd.__main__ import main


@pytest.mark.parametrize(
    ("name", "begins", "holds"),
    [
        ("f.js", "// f(x, w)", "module.exports = { f };"),
        ("f.mjs", "// f(x, w)", "export function f(x, w)"),
        ("f.py", "# f(x, w)", "def f(x, w):"),
        ("f.C", "// f(x, w)", "double f(double x, double w, double gradient[2])"),
    ],
)
def test_the_suffix_of_the_file_determines_the_language(name, begins, holds, tmp_path, capsys):
    path = tmp_path / name
    assert main(["export", "tanh(x * w)", "-o", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith(begins)
    assert holds in text
    assert capsys.readouterr().out == f"wrote {path}\n"


def test_without_a_file_the_source_is_printed(capsys):
    assert main(["export", "-x * y", "y", "x", "--language", "Python", "--name", "area"]) == 0
    assert "def area(y, x):" in capsys.readouterr().out


def test_names_may_follow_the_options(capsys):
    assert main(["export", "-x * y", "y", "--language", "python", "x"]) == 0
    assert "def f(y, x):" in capsys.readouterr().out


def test_comments_are_in_the_language_asked_for(capsys):
    assert main(["export", "x * 权重", "--lang", "zh"]) == 0
    assert "// 返回函数值" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["x +"], "is not a formula"),
        (["x * y", "x"], "unknown name 'y'"),
        (["x * y", "x=2", "y"], "when it is called: give names only, x y"),
        (["x", "-o", "f.rs"], "the suffix of f.rs is not one of js, mjs, py, c"),
        (["x", "--language", "rust"], "language is one of javascript, python, c, got 'rust'"),
        (["x", "-o", f"{__file__}/f.js"], "cannot write to"),
    ],
)
def test_mistakes_are_named(words, complaint, capsys):
    assert main(["export", *words]) == 2
    assert complaint in capsys.readouterr().err
