"""A drawing has the colours of its theme and no others."""

import re

import pytest

from micrograd import Value
from micrograd.drawing import Theme, draw_dot, draw_network
from micrograd.drawing.formats import WRITERS
from micrograd.drawing.themes import THEMES, blend
from nn import MLP
from tests.drawing.common import expression


def luminance(color):
    """The relative luminance of WCAG 2."""
    parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_read_on_what_it_stands_on(name):
    theme = THEMES[name]
    for fill in (theme.leaf_fill, theme.value_fill, theme.unit_fill, theme.paper):
        assert contrast(theme.ink, fill) >= 7
        assert contrast(theme.faint, fill) >= 4.5  # WCAG AA
        assert contrast(theme.backward, fill) >= 4.5
    for fill in (theme.leaf_head, theme.value_head, theme.unit_head, theme.step_fill):
        assert contrast(theme.ink, fill) >= 7


def test_the_theme_for_paper_is_grey():
    for color in THEMES["print"]:
        assert color[1:3] == color[3:5] == color[5:7]


@pytest.mark.parametrize("name", THEMES)
def test_every_colour_in_the_text_is_one_of_the_theme(name):
    theme = THEMES[name]
    allowed = {*theme, *theme.subdued(), *theme.highlighted()}
    x = Value(2.0, label="x")
    graph = draw_dot((x * 3 + Value(1.0)).tanh(), theme=name, path=x)
    own = WRITERS["svg"](graph.picture, graph.theme)
    for text in (graph.source, graph.mermaid(), own):
        assert set(re.findall(r"#[0-9a-f]{6}", text)) <= allowed
    assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', own)) <= {*allowed, "none"}
    assert re.findall(r"bgcolor=\"?(#\w+)", graph.source) == [theme.paper]


def test_a_theme_of_ones_own_is_the_light_one_with_other_colours():
    x = Value(1.0, label="x")
    source = draw_dot(x, theme=Theme(leaf_head="#123456")).source
    assert "#123456" in source
    assert source.replace("#123456", Theme().leaf_head) == draw_dot(x).source


def test_the_light_theme_is_the_usual_one():
    assert draw_dot(expression()).source == draw_dot(expression(), theme="light").source


@pytest.mark.parametrize(
    "draw",
    [
        lambda **options: draw_dot(Value(1.0), **options),
        lambda **options: draw_network(MLP(1, [1]), **options),
    ],
)
def test_an_unknown_theme_and_a_colour_that_is_none_are_refused(draw):
    with pytest.raises(
        ValueError, match="unknown theme 'neon': use one of 'light', 'dark', 'print'"
    ):
        draw(theme="neon")
    for color in ("red", "#fff", "#1234567", '#12345"', "#12345g", "#123456\n", None):
        with pytest.raises(ValueError, match="ink is a colour written #rrggbb"):
            draw(theme=Theme(ink=color))
    with pytest.raises(TypeError, match="theme is a name or a Theme, got dict"):
        draw(theme={"ink": "#000000"})


def test_a_blend_lies_between_two_colours():
    assert blend("#000000", "#ffffff", 0) == "#000000"
    assert blend("#000000", "#ffffff", 1) == "#ffffff"
    assert blend("#102030", "#304050", 0.5) == "#203040"
