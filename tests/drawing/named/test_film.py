"""A film of a compact picture, and formulas as pictures."""

import io
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from micrograd import Value
from micrograd.drawing import RenderingError, draw, film, film_strip
from micrograd.drawing.film import _drawn
from micrograd.drawing.spans import plain
from micrograd.drawing.steps import Known, steps
from micrograd.drawing.themes import THEMES
from tests.drawing.common import SVG
from tests.drawing.named.graphs import ARTICLES, called, leaves
from tests.drawing.named.test_measures import place

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("resvg_py")


def neuron():
    x, w = leaves(x=2.0, w=-1.0)
    y = called("y", called("z", w * x).tanh())
    return called("L", (y - Value(1.0, label="t")) ** 2)


@pytest.mark.slow
def test_a_film_is_an_animated_gif_that_ends_with_all_numbers(tmp_path):
    path = tmp_path / "steps.gif"
    assert film(neuron(), path, seconds=0.5) == str(path)
    with Image.open(path) as gif:
        count = len(steps(draw(neuron()).picture))
        assert (gif.format, gif.n_frames, gif.info["duration"]) == ("GIF", count, 500)
        assert gif.info["loop"] == 0
        first = gif.convert("RGB").tobytes()
        gif.seek(gif.n_frames - 1)
        assert gif.convert("RGB").tobytes() != first


@pytest.mark.parametrize("article", ARTICLES)
def test_values_appear_first_and_then_gradients_each_once(article):
    picture = draw(ARTICLES[article]()).picture
    everything = {box.name for box in picture.boxes}
    known = [Known()]
    for step in steps(picture):
        assert known[-1].grads.isdisjoint(step.receivers)
        known.append(known[-1].after(step))
    assert known[-1] == (everything, everything)
    for before, after in pairwise(known):
        assert before.data <= after.data
        assert before.grads <= after.grads
        assert before.data == everything or not after.grads


def test_each_step_has_its_formula():
    walk = steps(draw(neuron(), digits=3).picture)
    told = [[plain(equation.brief) for equation in step.equations] for step in walk]
    assert told == [
        ["x = 2", "w = −1", "t = 1"],
        ["z = w·x = −2"],
        ["y = tanh(z) ≈ −0.964"],
        ["L = (y − t)² ≈ 3.86"],
        ["∂L/∂L = 1"],
        ["∂L/∂y = 2·(y − t) ≈ −3.93", "∂L/∂t = −2·(y − t) ≈ 3.93"],
        ["∂L/∂z = ∂L/∂y·(1 − y²) ≈ −0.278"],
        ["∂L/∂w = ∂L/∂z·x ≈ −0.555", "∂L/∂x = ∂L/∂z·w ≈ 0.278"],
    ]


def test_gradients_of_shared_values_are_shown_when_their_sum_is_complete():
    x = Value(2.0, label="x")
    *_, last = steps(draw(called("y", called("a", x * 3) * called("b", x.exp()))).picture)
    assert last.kind == "sum"
    assert plain(last.equations[0].brief).startswith("∂y/∂x = ∂y/∂a·3 + ∂y/∂b·b")


def test_the_last_step_of_a_film_shows_the_gradients_of_all_weights():
    inputs = [Value(0.5, label=f"x_{i}") for i in range(1, 4)]
    weights = [Value(0.2 * i, label=f"w_{i}") for i in range(1, 4)]
    z = sum(w * x for w, x in zip(weights, inputs, strict=True))
    z.label = "z"
    y = z.tanh()
    y.label = "y"
    *_, last = _drawn(draw(y).picture, THEMES["light"])
    assert "⋯" not in last
    caption = "".join(ET.fromstring(last).itertext())
    assert caption.count("∂y/∂z·") == 6


def test_captions_fit_the_picture():
    for drawn in _drawn(draw(ARTICLES["two_layers"]()).picture, THEMES["light"]):
        width = float(re.search('width="([0-9.]+)"', drawn)[1])
        assert width <= 700
        for line in ET.fromstring(drawn).findall(f"{SVG}text"):
            left, _, right, _ = place(line)
            assert 0 < left < right < width


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "steps.mp4"}, "one of .gif"),
        ({"seconds": 0}, "seconds is how long"),
        ({"max_nodes": 2}, "cannot be read"),
        ({"scale": -1}, "scale is a number"),
        ({"hide": "L"}, "the output itself cannot be hidden"),
    ],
)
def test_a_wrong_option_of_a_film_is_named(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        film(neuron(), tmp_path / options.pop("path", "a.gif"), **options)
    assert not any(tmp_path.iterdir())


def test_a_film_strip_has_the_digits_that_are_asked_for(tmp_path):
    paths = film_strip(neuron(), tmp_path, digits=2)
    text = paths[-1].read_text(encoding="utf-8")
    assert ">−0.96<" in text
    assert not re.search(r"\d\.\d{3}\d*<", text)
    with pytest.raises(ValueError, match="digits is a number of significant digits"):
        film_strip(neuron(), tmp_path, digits=0)


def test_without_pillow_the_remedy_is_named(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(RenderingError, match="pip install pillow"):
        film(neuron(), tmp_path / "a.gif")


@pytest.mark.slow
def test_pictures_of_the_film_are_as_large_as_asked_for(tmp_path):
    film(neuron(), tmp_path / "a.gif", scale=2)
    with Image.open(io.BytesIO((tmp_path / "a.gif").read_bytes())) as gif:
        assert gif.width >= 2 * draw(neuron()).picture.layout.size[0] - 1
