"""`micrograd live`: it writes the page, takes samples from a file, and names mistakes."""

import pytest

from micrograd.__main__ import main
from tests.live.common import story_of

EXPRESSION = "(tanh(w*x + b) - y)**2"
POINT = ["w=1", "x=2", "b=0", "y=1"]


@pytest.mark.slow
def test_the_page_is_written(tmp_path, capsys):
    path = tmp_path / "page.html"
    assert main(["live", EXPRESSION, *POINT, "-o", str(path), "--learn", "w", "--lang", "zh"]) == 0
    assert capsys.readouterr().out == f"已写入 {path}\n"
    text = path.read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in text
    assert f"<title>{EXPRESSION}</title>" in text
    assert story_of(text)["learn"] == [0]


def test_without_a_file_the_page_is_printed(capsys):
    assert main(["live", "x * x", "x=3"]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")


def test_samples_give_names_their_values(tmp_path, capsys):
    table = tmp_path / "points.csv"
    table.write_text("x,y\n1,2\n2,3.5\n", encoding="utf-8")
    assert main(["live", EXPRESSION, "w=1", "b=0", "--data", str(table)]) == 0
    assert story_of(capsys.readouterr().out)["samples"] == [[1.0, 2.0], [2.0, 3.5]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x,y\n", "no rows below the names of its columns"),
        ("x,y\n1\n", "line 2 has 1 cell, but the first line has 2"),
        ("x,y\n1,a\n", "the column 'y' has words, such as 'a', instead of numbers"),
        ("x,y\n1,2\n,3\n", "line 3, column 'x': the value is missing"),
        ("x,z\n1,2\n", "unknown name 'y'"),
    ],
)
def test_mistakes_in_samples_are_named(content, message, tmp_path, capsys):
    table = tmp_path / "points.csv"
    table.write_text(content, encoding="utf-8")
    assert main(["live", EXPRESSION, "w=1", "b=0", "--data", str(table)]) == 2
    assert message in capsys.readouterr().err


def test_mistakes_in_options_are_named(capsys, tmp_path):
    assert main(["live", EXPRESSION, *POINT, "--learn", "v"]) == 2
    assert "'v' is not a leaf of the graph" in capsys.readouterr().err
    assert main(["live", EXPRESSION, *POINT, "--rate", "0"]) == 2
    assert "rate is a positive number" in capsys.readouterr().err
    assert main(["live", EXPRESSION, *POINT, "--data", str(tmp_path / "none.csv")]) == 2
    assert "cannot read" in capsys.readouterr().err
