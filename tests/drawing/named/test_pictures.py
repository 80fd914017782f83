"""A compact picture: one box for each named value, with its formula, its value and its gradient."""

import json
import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings

from micrograd import Value, define, explain, where
from micrograd.drawing import draw, draw_dot, draw_formula
from micrograd.drawing.formats import WRITERS
from micrograd.drawing.named.builder import named_picture
from micrograd.drawing.named.layout import FORMULA, laid_out
from micrograd.drawing.named.roles import ROLES
from micrograd.drawing.spans import line_width, plain
from micrograd.engine.graph import order
from micrograd.writing import languages
from nn import MLP
from tests.counting import calls
from tests.drawing.common import SVG
from tests.drawing.named.graphs import ARTICLES, called, leaves
from tests.drawing.test_text_formats import LABELS


def neuron():
    x, w, b, t = leaves(x=2.0, w=-3.0, b=6.5, t=1.0)
    y = called("y_hat", called("z", w * x + b).sigmoid())
    return called("L", (y - t) ** 2)


def boxes(graph):
    return {box.label.split(" = ")[0]: box for box in graph.picture.boxes}


def partials(graph):
    """The texts on the arrows, by the names of the boxes that they join."""
    names = {box.name: box.label.split(" = ")[0] for box in graph.picture.boxes}
    return {(names[arrow.tail], names[head]): arrow.text for arrow, head in graph.picture.arrows()}


def own(graph):
    return WRITERS["svg"](graph.picture, graph.theme)


# ------------------------------------------------------------------------------------ what is shown


def test_each_named_value_is_a_box_with_its_formula():
    assert [box.label for box in draw(neuron()).picture.boxes] == [
        *("w", "x", "b", "z = w·x + b", "ŷ = σ(z)", "t", "L = (ŷ − t)²")
    ]


@pytest.mark.parametrize("article", ARTICLES)
def test_every_value_with_a_label_has_a_box_and_no_other(article):
    out = ARTICLES[article]()
    named = sum(1 for node in order(out) if node.label)
    shown = draw(out).picture.boxes
    made_up = [box for box in shown if re.match("v[₀-₉]+$", box.label.split(" = ")[0])]
    assert len(shown) - len(made_up) == named


def test_an_arrow_has_the_partial_as_a_formula():
    assert partials(draw(neuron())) == {
        ("w", "z"): "x",
        ("x", "z"): "w",
        ("b", "z"): "1",
        ("z", "ŷ"): "ŷ·(1 − ŷ)",
        ("ŷ", "L"): "2·(ŷ − t)",
        ("t", "L"): "−2·(ŷ − t)",
    }


def test_on_request_it_has_the_number_too():
    shown = partials(draw(neuron(), numbers=True, digits=3))
    y = 1 / (1 + math.exp(-0.5))
    assert shown["z", "ŷ"] == f"ŷ·(1 − ŷ) = {y * (1 - y):.3g}"
    assert shown["b", "z"] == "1"


def test_choices_are_shown_as_the_numbers_make_them():
    x = Value(-2.0, label="x")
    assert partials(draw(called("y", x.relu()))) == {("x", "y"): "0"}
    y = Value(1.0, label="y")
    either = called("L", where((x > 0) ^ (y > 0), x * y + x, y))
    assert partials(draw(either)) == {("x", "L"): "y + 1", ("y", "L"): "x"}


def test_conditions_are_joined_by_words():
    x, y = Value(-2.0, label="x"), Value(1.0, label="y")
    for test, english, chinese in (
        ((x > 0) ^ (y > 0), "x > 0 xor y > 0; y, x > 0 xor y ≤ 0", "x > 0 异或 y > 0"),
        (~((x > 0) | (y > 0)), "x ≤ 0 and y ≤ 0; y, x > 0 or y > 0", "x ≤ 0 且 y ≤ 0"),
    ):
        output = called("L", where(test, x, y))
        assert boxes(draw(output))["L"].label == f"L = {{x, {english}}}"
        assert chinese in boxes(draw(output, lang="zh"))["L"].label


def test_the_gradient_is_the_derivative_and_no_grad_is_read_or_changed():
    out = neuron()
    shown = boxes(draw(out))
    assert [node.grad for node in order(out)] == [0] * len(order(out))
    out.backward()
    out.backward()  # now the leaves have twice the derivative
    again = boxes(draw(out))
    assert {name: box.grad for name, box in again.items()} == {
        name: box.grad for name, box in shown.items()
    }
    assert shown["b"].grad != boxes(draw_dot(out, level="named"))["b"].grad
    assert json.loads(draw(out).json())["nodes"][2]["grad"] == pytest.approx(again["b"].numbers[1])


def test_draw_dot_shows_the_gradients_of_the_last_backward_pass():
    out = neuron()
    assert {box.grad for box in draw_dot(out, level="named").picture.boxes} == {"—"}
    out.backward()
    assert boxes(draw_dot(out, level="named"))["L"].grad == "1"


def test_numbers_are_rounded_and_not_padded():
    toes, w = leaves(toes=8.5, w=0.1)
    shown = boxes(draw(called("y", toes * w), digits=3))
    assert (shown["y"].data, shown["toes"].grad) == ("0.85", "0.1")


def test_a_step_written_by_hand_has_numbers_on_its_arrows():
    x = Value(3.0, label="x")
    y = Value(9.0, (x,), "sq", "y")

    def step():
        x.grad += 6.0 * y.grad

    y._backward = step
    graph = draw(y)
    assert partials(graph) == {("x", "y"): "6"}
    assert boxes(graph)["y"].label == "y = sq(x)"


def test_an_operation_of_the_user_is_drawn():
    define("cube", "x * x * x", ["3 * x * x"])
    x = Value(2.0, label="x")
    assert partials(draw(called("y", x.cube()))) == {("x", "y"): "3·x²"}


def test_several_roots_are_drawn():
    x = Value(2.0, label="x")
    graph = draw([called("a", x * 2), called("b", x * 3)])
    assert [box.label for box in graph.picture.boxes] == ["x", "a = x·2", "b = x·3"]
    assert graph.picture.roots == ["n1", "n2"]


# ------------------------------------------------------------------------------------------ options


@pytest.mark.parametrize(
    ("hide", "gone"),
    [
        ("inputs", {"x"}),
        ("weights", {"w", "b"}),
        (["targets", "x"], {"t", "x"}),
        ("y_hat", {"ŷ"}),
        ("activations", {"ŷ"}),
    ],
)
def test_what_is_hidden_has_no_box_and_no_arrows_but_stays_in_formulas(hide, gone):
    everything, shown = boxes(draw(neuron())), boxes(draw(neuron(), hide=hide))
    assert everything.keys() - shown.keys() == gone
    assert shown["z"].label == "z = w·x + b"


def test_values_are_hidden_by_themselves():
    out = neuron()
    leaf = next(node for node in order(out) if node.label == "b")
    assert "b" not in boxes(draw(out, hide=leaf))
    assert "b" not in boxes(draw(out, hide=[leaf, "x"]))


def test_constants_are_given_values_without_a_name():
    x = Value(2.0, label="x")
    graph = draw(called("y", x * Value(3.0)), hide="constants")
    assert list(boxes(graph)) == ["x", "y"]


def test_numbers_are_hidden_by_their_kind():
    shown = boxes(draw(neuron(), hide=["input gradients", "target gradients"]))
    assert not shown["x"].grad
    assert not shown["t"].grad
    assert shown["w"].grad
    assert not any(box.grad for box in boxes(draw(neuron(), hide="gradients")).values())
    assert not any(box.data for box in boxes(draw(neuron(), hide="values")).values())


def test_roles_follow_from_names_models_and_the_caller():
    shown = {name: box.role for name, box in boxes(draw(neuron())).items()}
    assert shown == {
        "x": "input",
        "w": "weight",
        "b": "weight",
        "z": "value",
        "ŷ": "activation",
        "t": "target",
        "L": "loss",
    }
    model = MLP(2, [1])
    out = model([Value(1.0, label="x1"), Value(2.0, label="x2")])
    roles = [box.role for box in draw(out, model=model).picture.boxes if box.kind == "leaf"]
    assert sorted(roles) == ["input", "input", "weight", "weight", "weight"]
    assert boxes(draw(neuron(), roles={"x": "weight", "z": "activation"}))["x"].role == "weight"


def test_without_weights_there_are_no_targets():
    x, y = leaves(x=1.0, y=2.0)
    assert boxes(draw(called("z", x * y)))["y"].role == "input"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hide": "nobody"}, "hide: 'nobody' is not in the graph; hide takes Values, their names"),
        ({"hide": ["x", "w", "b", "z", "y_hat", "t", "L"]}, "nothing to draw: hide="),
        ({"hide": [3]}, "hide: 3 is not in the graph"),
        ({"digits": 0}, "digits is a number of significant digits from 1 to 17, got 0"),
        ({"width": 100}, "width is a number of pixels from 200, got 100"),
        ({"roles": {"x": "hero"}}, "roles: 'x' is 'hero', which is not one of input, weight"),
        ({"direction": "up"}, "rankdir is one of"),
        ({"lang": "xx"}, "lang is one of"),
        ({"max_nodes": 3}, "a drawing of 7 named values cannot be read"),
        ({"theme": "blue"}, "use one of 'light', 'dark', 'print', 'auto'"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        draw(neuron(), **options)


def test_options_of_one_level_are_refused_by_the_others():
    out = neuron()
    with pytest.raises(ValueError, match="hide= is not for level='operation'"):
        draw_dot(out, hide="inputs")
    with pytest.raises(ValueError, match="path= is not for level='named'"):
        draw_dot(out, level="named", path=out)


# ---------------------------------------------------------------------------------- what it is seen


@pytest.mark.parametrize("lang", languages.languages())
def test_the_picture_is_described_in_words(lang):
    svg = ET.fromstring(own(draw(neuron(), lang=lang)))
    assert svg.get("role") == "img"
    assert svg.findtext(f"{SVG}title") == {
        "en": "Computation graph of L",
        "zh": "计算图：L",
    }.get(lang, svg.findtext(f"{SVG}title"))
    told = svg.findtext(f"{SVG}desc")
    for box in draw(neuron()).picture.boxes:
        assert all(part in told for part in (box.label, box.data, box.grad))


def test_graphviz_describes_it_too_and_no_tooltip_is_the_name_of_a_node():
    text = str(draw(neuron()).pipe("svg", encoding="utf-8"))
    titles = re.findall("<title>(.*?)</title>", text)
    assert "Computation graph of L" in titles
    assert "z = w·x + b → ŷ = σ(z)" in titles
    assert not [title for title in titles if re.match(r"n\d|%3", title)]


def test_a_role_has_the_same_colour_in_the_box_and_in_every_formula():
    graph = draw(neuron(), theme="light")
    svg = ET.fromstring(own(graph))
    weight = graph.theme.weight_ink
    parts = [part for part in svg.iter(f"{SVG}tspan") if part.text in ("w", "b")]
    in_boxes = [part.get("fill") for part in parts if part.get("fill") != graph.theme.backward]
    assert in_boxes == [weight] * 4  # in the boxes of w and of b, and in that of z


def linear(color):
    """Red, green and blue as amounts of light."""
    parts = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(color):
    return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear(color), strict=True))


# Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113: no red and no green cones.
BLIND = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        *((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216)),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        *((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413)),
        (-0.011820, 0.042940, 0.968881),
    ),
}


def lab(color, eyes):
    """The colour as these eyes see it, in CIELAB."""
    seen = [sum(a * b for a, b in zip(row, linear(color), strict=True)) for row in BLIND[eyes]]
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    xyz = [sum(a * b for a, b in zip(row, seen, strict=True)) for row in rows]
    f = [
        (v / n) ** (1 / 3) if v / n > 0.008856 else 7.787 * v / n + 16 / 116
        for v, n in zip(xyz, (0.9505, 1.0, 1.089), strict=True)
    ]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


@pytest.mark.parametrize("eyes", BLIND)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_roles_differ_for_the_colour_blind_too(theme, eyes):
    colors = draw(neuron(), theme=theme).theme
    lines = {getattr(colors, line) for line, _, _ in ROLES.values()}
    assert len(lines) == 5  # targets and other values share one, and differ in their backgrounds
    seen = [lab(color, eyes) for color in sorted(lines)]
    distances = [math.dist(a, b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(distances) > 14  # 2.3 is the least that is noticed


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_all_texts_are_dark_or_light_enough_to_be_read(theme):
    colors = draw(neuron(), theme=theme).theme
    for _, fill, ink in ROLES.values():
        for letters in ("ink", "backward", ink, *(role[2] for role in ROLES.values())):
            pair = sorted((luminance(getattr(colors, letters)), luminance(getattr(colors, fill))))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (fill, letters)


def test_auto_follows_the_scheme_of_the_reader():
    light, auto, dark = (own(draw(neuron(), theme=theme)) for theme in ("light", "auto", "dark"))
    (style,) = re.findall("<style>(.*?)</style>", auto)
    assert style.startswith("@media (prefers-color-scheme:dark){")
    rules = dict(re.findall(r'\[((?:fill|stroke)="#\w+")\]\{(?:fill|stroke):(#\w+)\}', style))
    used = set(re.findall(r'((?:fill|stroke)="#\w+")', auto.replace(style, "")))
    assert used == rules.keys()  # every colour has one for the dark
    assert set(rules.values()) == set(re.findall(r'(?:fill|stroke)="(#\w+)"', dark))
    assert "<style>" not in light + dark


# ---------------------------------------------------------------------------------- other formats


@pytest.mark.slow
def test_a_png_has_any_scale(tmp_path):
    graph = draw(neuron())
    sizes = []
    for scale in (1, 2, 3.5):
        png = graph.pipe("png", scale=scale)
        assert png.startswith(b"\x89PNG")
        sizes.append(int.from_bytes(png[16:20], "big"))
    wide = graph.picture.layout.size[0]
    for size, scale in zip(sizes, (1, 2, 3.5), strict=True):
        assert abs(size - scale * wide) <= 2 * scale
    graph.write(tmp_path / "a.png", scale=2)
    assert int.from_bytes((tmp_path / "a.png").read_bytes()[16:20], "big") == sizes[1]
    with pytest.raises(ValueError, match="scale is a number above 0"):
        graph.pipe("png", scale=0)


@pytest.fixture
def without_graphviz(monkeypatch):
    """The renderers, where nothing draws DOT text."""
    from micrograd.drawing import renderers

    def none():
        raise renderers.RendererNotFound("no renderer")

    monkeypatch.delenv("MICROGRAD_DOT", raising=False)
    monkeypatch.setattr(renderers, "find", none)
    return renderers


def test_typst_writes_pdf_of_lines_and_letters_instead_of_pixels(without_graphviz):
    pytest.importorskip("typst", reason="typst is not installed (extra pdf)")
    x, w = Value(2.0, label="权重"), Value(-3.0, label="w^{(1)}_{12}")
    for page in (draw(x * w).pipe("pdf"), draw_formula(explain(x * w, x)).pdf()):
        assert page.startswith(b"%PDF")
        assert b"FontFile" in page
        assert not re.search(rb"/Subtype\s*/Image", page)


@pytest.mark.slow
def test_png_and_pdf_are_drawn_without_a_renderer_too(without_graphviz):
    pytest.importorskip("resvg_py")
    pytest.importorskip("PIL")
    graph = draw(neuron())
    assert graph.pipe("svg").decode() == own(graph)
    assert graph.pipe("png").startswith(b"\x89PNG")
    assert graph.pipe("pdf").startswith(b"%PDF")
    with pytest.raises(without_graphviz.RendererNotFound):
        graph.pipe("ps")


def test_mermaid_is_plain_text():
    text = draw(neuron()).mermaid()
    assert '"z = w·x + b<br/>0.5<br/>∂L/∂z = −0.1774"' in text
    assert '|"ŷ·(1 − ŷ)"|' in text
    assert not re.search(r"#\d+;", text)


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_writes_it_the_same_each_time(write):
    one, other = (WRITERS[write](g.picture, g.theme) for g in (draw(neuron()), draw(neuron())))
    assert one == other
    assert one.endswith("\n")


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(label=LABELS)
def test_a_hostile_label_is_harmless_in_every_format(label):
    x = Value(2.0, label=label)
    y = called("y", x * Value(3.0, label="w"))
    graph = draw(y)
    svg = ET.fromstring(own(graph))
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} <= {
        *("svg", "g", "rect", "path", "polygon", "text", "tspan", "title", "desc", "style")
    }
    json.loads(graph.json())
    for line in graph.mermaid().splitlines():
        assert re.match(r'flowchart|    (n\d+\["[^"<]*(<br/>[^"<]*)*"\]$|n\d+ -->|class)', line)
    tikz = graph.tikz()
    shown = re.sub(r"\\(?:text|mathit|operatorname)\{[^{}]*\}", "", tikz)
    assert "\\input" not in shown
    assert "\\write" not in shown


@pytest.mark.slow
def test_hostile_labels_are_drawn_by_graphviz():
    from tests.drawing.test_labels import HOSTILE

    for label in HOSTILE:
        graph = draw(called("y", Value(2.0, label=label) * 3))
        svg = ET.fromstring(graph.pipe("svg"))
        assert f"{SVG}script" not in {each.tag for each in svg.iter()}
        assert not [each for each in svg.iter() if any(key.startswith("on") for key in each.attrib)]


@pytest.mark.slow
def test_the_work_for_a_long_chain_grows_as_the_chain_does():
    def drawn(count):
        x = [Value(float(i), label=f"x{i}") for i in range(count)]
        out = x[0]
        for i in range(1, count):
            out = called(f"s{i}", out * x[i] + x[i - 1])
        return draw(out)

    assert len(drawn(200).picture.boxes) == 399
    # Twice as much for twice the values; it would be four times if each looked at all others.
    assert calls(lambda: drawn(100)) < 3 * calls(lambda: drawn(50))


def test_a_formula_that_is_too_wide_is_broken_before_signs():
    x = [Value(1.0, label=f"x{i}") for i in range(1, 11)]
    out = x[0]
    for each in x[1:]:
        out = out + each
    graph = draw(called("total", out), width=390)
    (name,) = graph.picture.roots
    lines = [plain(line) for line in graph.picture.layout.lines[name]]
    assert "".join(lines) == "total = " + " + ".join(f"x{'₁₂₃₄₅₆₇₈₉'[i]}" for i in range(9)) + (
        " + x₁₀"
    )
    assert len(lines) > 1


@pytest.mark.parametrize("width", [390, 700])
def test_long_names_are_cut_only_where_they_fill_the_width(width):
    names = ("the temperature of the living room", "everything that matters in the world", "bias")
    x, w, b = (Value(0.5, label=name) for name in names)
    z = x * w + b
    z.label = "a very long name of a value that somebody chose"
    picture = named_picture([z.tanh()], max_nodes=10)._replace(width=width, direction="")
    for lines in laid_out(picture).lines.values():
        for line in lines:
            if plain(line).endswith("…"):
                assert line_width(line, FORMULA) > 0.6 * width


@pytest.mark.parametrize(("number", "slope"), [(-1.3, "sgn(y)"), (0.4, "y")])
def test_the_branches_that_are_not_taken_leave_no_zeros_on_the_arrow(number, slope):
    y = Value(number, label="y")
    top = where(abs(y) < 1, 0.5 * y * y, abs(y) - 0.5)
    (arrow,) = [
        arrow for box in draw(top).picture.boxes if box.operation for arrow in box.operation.arrows
    ]
    assert plain(arrow.formula) == slope


@pytest.mark.parametrize("target", [1, Value(1.0, label="y")])
def test_the_output_of_a_network_has_a_name_so_that_arrows_to_its_loss_are_short(target):
    model = MLP(2, [8, 1], activation="tanh")
    output = model([Value(0.5, label="x_1"), Value(-1.0, label="x_2")])
    for loss in ((output - target) ** 2, (target - output) ** 2):
        picture = draw(called("L", loss), names=model, width=390).picture
        box = picture.boxes[-1]
        assert "z⁽²⁾₁" in box.label
        assert all(len(arrow.text) < 16 for arrow in box.operation.arrows)
