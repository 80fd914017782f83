"""What notebooks show of a history and of a model: tables and curves, with all text escaped."""

from __future__ import annotations

import html
import math
import re
from xml.etree import ElementTree

import pytest

from nn import MLP, Dropout, Layer, Module, Sequential
from nn.history import HEIGHT, MOST_POINTS, WIDTH, History, _curves
from tests.nn.trainings import X, Y, fitted, network


def pictures(shown):
    found = [ElementTree.fromstring(each) for each in re.findall("<svg.*?</svg>", shown)]
    return [
        [each.get("points") for each in one.iter() if each.tag.endswith("line")] for one in found
    ]


def cells(shown):
    rows = re.findall("<tr>(.*?)</tr>", shown)
    return [
        [html.unescape(cell) for cell in re.findall("<t[hd]>(.*?)</t[hd]>", row)] for row in rows
    ]


def test_a_history_is_a_curve_for_each_measure_and_a_table():
    history = fitted(network(), metrics=["accuracy", "rmse"], validation=(X[:5], Y[:5]), epochs=25)
    shown = history._repr_html_()
    titles = re.findall("<title>(.*?)</title>", shown)
    assert titles == ["loss, val_loss", "accuracy, val_accuracy", "rmse, val_rmse"]
    assert [len(lines) for lines in pictures(shown)] == [2, 2, 2]
    header, *rows = cells(shown)
    assert header == ["epoch", *history]
    assert [row[0] for row in rows] == ["1", "4", "6", "9", "12", "14", "17", "20", "22", "25"]
    assert rows[-1][1:] == [f"{history[name][-1]:.4g}" for name in history]
    assert repr(history)[1:-1] in html.unescape(shown)


def test_a_history_of_no_epoch_or_of_one_is_shown():
    assert History()._repr_html_() == "<p>History of 0 epochs</p>"
    shown = History({"loss": [0.5]})._repr_html_()
    (line,) = pictures(shown)[0]
    assert len(line.split()) == 2  # a point is a line to itself
    assert cells(shown) == [["epoch", "loss"], ["1", "0.5"]]


def test_text_in_a_history_is_escaped():
    shown = History({"loss": [1.0, 0.5], "<b>&'\"": [1.0, 2.0]})._repr_html_()
    assert "<b>" not in shown
    assert cells(shown)[0] == ["epoch", "loss", "<b>&'\""]
    assert len(pictures(shown)) == 2


@pytest.mark.parametrize(
    "line",
    [
        [1.0],
        [0.0, 0.0, 0.0],
        [1e-300, 1e300],
        [-1e308, 1e308],
        [5e-324, 1.0],
        [1.0, math.nan, 2.0, math.inf, 3.0],
        [1e-3, 1.0, 10.0],
        list(range(100_000)),
    ],
)
def test_every_curve_lies_within_its_picture(line):
    points = [point for one in pictures(_curves({"loss": line}))[0] for point in one.split()]
    places = [tuple(map(float, point.split(","))) for point in points]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert len(places) <= MOST_POINTS + 2
    assert len({y for _, y in places}) > 1 or len({y for y in line if math.isfinite(y)}) == 1


def test_a_curve_is_interrupted_where_it_is_not_finite():
    assert len(pictures(_curves({"loss": [1.0, 2.0, math.nan, 3.0, 4.0]}))[0]) == 2
    assert _curves({"loss": [math.nan]}) == _curves({}) == ""


def test_a_model_is_a_table_of_its_layers():
    class Named(Module):
        def __init__(self):
            self.layer = Layer(2, 3)

        def __repr__(self):
            return "<Named & shown>"

    model = Sequential(MLP(2, [16, 1]), Dropout(0.1))
    assert [" ".join(row) for row in cells(model._repr_html_())] == [
        " ".join(re.split("  +", line)) for line in model.summary().splitlines()
    ]
    shown = Named()._repr_html_()
    assert "<Named" not in shown
    assert cells(shown)[1] == ["(all)", "<Named & shown>", "9"]
