"""`micrograd playground`: settings as in the address of the page, and a model from a file."""

import json
import re

import pytest

from micrograd.__main__ import main
from nn import MLP
from nn.pages.contents import SETTINGS


def story(text):
    return json.loads(re.search(r'id="story">(.*?)</script>', text, re.DOTALL)[1])


def test_it_writes_a_page_with_these_settings(tmp_path, capsys):
    path = tmp_path / "page.html"
    words = ["data=spiral", "layers=8,8", "activation=tanh,sin", "rate=0.1", "seed=3"]
    assert main(["playground", *words[:2], "--lang", "zh", "-o", str(path), *words[2:]]) == 0
    assert capsys.readouterr().out == f"已写入 {path}\n"
    found = story(path.read_text("utf-8"))
    assert found["lang"] == "zh"
    assert found["settings"] == {
        "data": "spiral",
        "layers": [8, 8],
        "activation": ["tanh", "sin"],
        "rate": 0.1,
        "seed": 3,
        "kind": "classification",
    }


def test_the_help_names_every_setting(capsys):
    with pytest.raises(SystemExit):
        main(["playground", "--help"])
    assert set(SETTINGS) <= set(re.findall(r"\w+", capsys.readouterr().out))


def test_without_a_file_the_page_is_printed(capsys):
    assert main(["playground", "kind=regression", "layers=none"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("<!DOCTYPE html>")
    assert story(out)["settings"] == {"kind": "regression", "layers": []}


def test_it_opens_with_a_model_from_a_file(tmp_path, capsys):
    model = MLP(2, [3, 1], activation="tanh")
    model.save(tmp_path / "model.npz")
    assert main(["playground", "--model", str(tmp_path / "model.npz")]) == 0
    found = story(capsys.readouterr().out)["model"]
    assert found["parameters"] == [p.data for p in model.parameters()]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["layers"], "expected NAME=VALUE, such as layers=8,8, got 'layers'"),
        (["path=x"], "expected NAME=VALUE"),
        (["sed=1"], "playground has no setting 'sed'"),
        (["loss=abs"], "loss is one of mse"),
        (["dta=xor"], "it has data, kind, "),
        (["data=sprial"], "got 'sprial'; did you mean 'spiral'?"),
        (["--model", "nowhere.npz"], "cannot read nowhere.npz"),
    ],
)
def test_mistakes_are_named(words, complaint, capsys):
    assert main(["playground", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(tmp_path, capsys):
    assert main(["playground", "-o", str(tmp_path)]) == 2
    assert f"cannot write to {tmp_path}" in capsys.readouterr().err
