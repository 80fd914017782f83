"""What training prints while it runs."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

from tests.nn.trainings import fitted, network


def test_lines_are_printed_where_there_is_no_terminal(capsys):
    fitted(network(), epochs=200, batch_size=None, metrics="accuracy", progress="auto")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("epoch   1/200  loss 0.")
    assert lines[-1].startswith("epoch 200/200  loss 0.")
    assert lines[-1].endswith(" %")
    assert len(lines) == 21


def test_an_early_end_is_reported(capsys):
    fitted(network(), epochs=200, callbacks=[lambda s: s.epoch == 7 and s.stop()], progress="auto")
    assert capsys.readouterr().out.splitlines()[-1].startswith("epoch   7/200")


def test_an_interruption_is_reported(capsys, interrupting):
    fitted(network(), optimizer=interrupting, progress="auto")
    assert "interrupted in epoch 2" in capsys.readouterr().out


def test_a_report_is_in_the_language_asked_for(capsys, interrupting):
    settings = {"metrics": ["accuracy", "r2"], "validation": 0.5, "lang": "zh"}
    fitted(network(), epochs=2, progress="auto", **settings)
    first = capsys.readouterr().out.splitlines()[0]
    number = r"-?[\d.e+-]+"
    assert re.fullmatch(
        f"第 1/2 轮  损失 {number}  准确率 {number} %  r2 {number}  "
        f"验证损失 {number}  验证准确率 {number} %  验证r2 {number}",
        first,
    )
    fitted(network(), optimizer=interrupting, progress="auto", lang="zh")
    assert capsys.readouterr().out.splitlines()[-1] == "在第 2 轮中断，已学到的都保留"


@pytest.mark.parametrize(("given", "meant"), [(0, False), (1, True), (np.True_, True)])
def test_a_number_says_as_much_as_true_or_false(monkeypatch, capsys, given, meant):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    fitted(network(), epochs=1, progress=given)
    assert bool(capsys.readouterr().out) is meant


@pytest.mark.parametrize("given", [1, np.True_, True])
def test_a_bar_is_shown_without_a_terminal_if_it_is_wanted(capsys, given):
    pytest.importorskip("tqdm")
    fitted(network(), epochs=1, progress=given)
    printed = capsys.readouterr()
    assert "1/1" in printed.err
    assert not printed.out


def test_nothing_is_printed_unless_it_is_wanted(capfd):
    fitted(network())
    assert capfd.readouterr() == ("", "")


def test_a_bar_fills_on_a_terminal(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fitted(network(), epochs=3, progress="auto")
    printed = capsys.readouterr()
    assert "3/3" in printed.err
    assert printed.out == ""


def test_without_tqdm_lines_take_the_place_of_the_bar(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    fitted(network(), epochs=3, progress=True)
    assert capsys.readouterr().out.count("epoch ") == 3
