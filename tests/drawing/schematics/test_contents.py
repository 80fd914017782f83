"""Schematics show the numbers of the model, the data or the function that they are drawn from."""

import math
import re
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise

import numpy as np
import pytest

from micrograd import Value
from micrograd.drawing import (
    draw_curve,
    draw_dot_product,
    draw_layers,
    draw_losses,
    draw_matrices,
    draw_network,
    draw_neuron,
    draw_points,
    draw_table,
    draw_threshold_neuron,
    draw_training_loop,
    draw_valley,
)
from micrograd.drawing.schematics import matrices
from micrograd.ops import TABLE
from nn import MLP, Layer, Neuron
from tests.drawing.schematics.figures import BATCH, CORNERS, LINE, layer, nearest, squared
from tests.drawing.schematics.geometry import SVG

LAYER_OF_TWO = MLP(2, [2, 1])


def texts(drawing):
    shown = ("".join(e.itertext()) for e in ET.fromstring(drawing.svg).iter(f"{SVG}text"))
    return [text.rstrip("\u00a0") for text in shown]  # the room beside two scripts of a letter


def elements(drawing, kind):
    return list(ET.fromstring(drawing.svg).iter(f"{SVG}{kind}"))


@pytest.mark.parametrize("dtype", [float, "float32", int])
@pytest.mark.parametrize(
    "drawn",
    [
        draw_losses,
        lambda xs: draw_points(list(zip(xs, xs, strict=True))),
        lambda xs: draw_dot_product(xs, xs),
        lambda xs: draw_neuron(list(xs), xs),
        lambda xs: draw_matrices(LAYER_OF_TWO, [xs[:2]]),
        lambda xs: draw_valley(lambda w: w * w, xs[0]),
        lambda xs: draw_table([(x,) for x in xs], {"y": xs}),
        lambda xs: draw_network(LAYER_OF_TWO, sample=xs[:2]),
    ],
)
def test_numbers_of_numpy_are_drawn_as_plain_numbers_are(drawn, dtype):
    numbers = [3, 2, 1]
    assert drawn(np.array(numbers, dtype)).svg == drawn(numbers).svg


def test_a_neuron_shows_its_inputs_weights_sum_and_output():
    drawing = draw_neuron([0.1, 0.2, 0.0], [8.5, 0.65, 1.2], names=["fingers", "wlrec", "nfans"])
    shown = texts(drawing)
    assert {"fingers", "wlrec", "nfans", "8.5", "0.65", "1.2", "0.1", "0.2", "0"} <= {*shown}
    assert shown.count("0.98") == 2  # the sum and the output
    assert "y = w1·fingers + w2·wlrec + w3·nfans = 0.98" in shown
    assert drawing.description.endswith("The output is 0.98.")


def test_a_neuron_of_a_model_has_its_bias_and_activation():
    neuron = Neuron(2, activation="sigmoid")
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 1.0, -2.0, 0.5
    shown = texts(draw_neuron(neuron, [Value(3.0, label="u"), 1.0]))
    out = neuron([3.0, 1.0]).data
    assert f"{out:.4g}" in shown
    assert {"u", "b", "−2", "σ(z)", "z = w1·u + w2·x2 + b = 1.5"} <= {*shown}


@pytest.mark.parametrize("activation", ["tanh", "relu", None])
def test_the_activation_of_a_neuron_that_does_not_name_it_is_observed(activation):
    class Theirs:
        def __init__(self):
            self.w, self.b = [Value(0.5), Value(-2.0)], Value(0.25)

        def __call__(self, x):
            z = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
            return getattr(z, activation)() if activation else z

    out = Theirs()([1.0, 2.0]).data
    drawing = draw_neuron(Theirs(), [1.0, 2.0])
    assert f"The output is {f'{out:.4g}'.replace('-', '−')}." in drawing.description
    named = {"tanh": "tanh(z)", "relu": "max(0, z)", None: "output"}[activation]
    assert named in texts(drawing)
    numbers = texts(draw_matrices(Theirs(), [[1.0, 2.0]]))
    assert f"{out:.4g}".replace("-", "−") in numbers


def test_without_inputs_a_neuron_has_names_only():
    shown = texts(draw_neuron(["w1", "w_b"], activation="relu"))
    assert {"w1", "wb", "x1", "x2", "Σ", "y", "y = max(0, z)"} <= {*shown}
    assert not any(re.fullmatch(r"[\d.]+", text) for text in shown)


def test_of_many_inputs_some_are_left_out_of_the_picture_but_not_of_the_sum():
    shown = texts(draw_neuron([1.0] * 12, list(range(12))))
    assert shown.count("⋮") == 2
    assert "66" in shown
    assert "x12" in shown
    assert "x8" not in shown


def test_a_threshold_neuron_fires_if_its_sum_exceeds_the_threshold():
    for (a, b), fires in zip(CORNERS, (0, 0, 0, 1), strict=True):
        shown = texts(draw_threshold_neuron([1, 1], 1.5, [a, b]))
        assert shown[shown.index("y") + 1] == str(fires)
        assert "z > 1.5" in shown
    at_threshold = texts(draw_threshold_neuron([1], 1, [1]))
    assert at_threshold[at_threshold.index("y") + 1] == "0"
    assert {"dendrites", "cell body", "axon", "terminals", "weighted sum"} <= {*at_threshold}


def test_layers_are_fully_connected_and_have_their_shapes():
    drawing = draw_layers([4, 3, 2])
    assert len(elements(drawing, "circle")) == 9
    assert len(elements(drawing, "path")) == 4 * 3 + 3 * 2
    assert {"x1", "x4", "h1", "h3", "y2", "W(1): 3×4", "b(1): 3", "W(2): 2×3"} <= {*texts(drawing)}
    assert "4, 3, 2" in drawing.description
    assert "the 18 lines are the weights" in drawing.description


def test_lines_show_sign_and_size_of_a_weight_also_without_colours():
    model = Layer(2, 1, nonlin=False)
    model.neurons[0].w[0].data, model.neurons[0].w[1].data = 2.0, -1.0
    lines = elements(draw_layers(model, theme="print"), "path")
    assert [line.get("stroke-width") for line in lines] == ["3", "1.8"]
    assert [line.get("stroke-dasharray") for line in lines] == [None, "5 3"]


def test_the_numbers_of_a_layer_stand_below_it():
    shown = texts(draw_layers(layer(), parameters=True))
    assert [text for text in shown if re.fullmatch(r"−?[\d.]+", text)] == (
        "0.2 0.8 −0.5 1 0.5 −0.91 0.26 −0.5 −0.26 −0.27 0.17 0.87 2 3 0.5".split()
    )


def test_without_a_model_the_parameters_have_names():
    shown = texts(draw_layers([2, 3, 1], parameters=True))
    assert {"w32(1)", "w13(2)", "b2(1)", "b1(2)"} <= {*shown}  # the narrower script first
    assert {"w12", "w21", "b1"} <= {*texts(draw_layers([2, 2], parameters=True))}


def test_matrices_have_the_outputs_of_the_article():
    shown = texts(draw_matrices(layer(), BATCH))
    numbers = [text for text in shown if re.fullmatch(r"−?[\d.]+", text)]
    # Each column is a sample, so that the article's rows are the columns here.
    assert numbers[-9:] == "4.8 8.9 1.41 1.21 −1.81 1.051 2.385 0.2 0.026".split()
    assert [text for text in shown if "×" in text] == ["3×4", "4×3", "3×1", "3×3"]
    assert {"W", "X", "b", "Ŷ"} <= {*shown}


@pytest.mark.parametrize("activation", ["relu", "tanh", lambda z: z * z])
def test_matrices_of_a_network_end_with_what_the_model_returns(activation):
    model = MLP(4, [3, 2])
    for part in model.layers:
        for neuron in part.neurons:
            neuron.activation = activation
    shown = texts(draw_matrices(model, BATCH))
    numbers = [text for text in shown if re.fullmatch(r"−?[\d.]+(e−?\d+)?", text)]
    outputs = [model(row) for row in BATCH]
    expected = [output[i].data for i in range(2) for output in outputs]
    got = [float(text.replace("−", "-")) for text in numbers[-len(expected) :]]
    assert got == pytest.approx(expected, rel=6e-4)


def test_a_large_matrix_is_shown_in_part_with_its_shape():
    shown = texts(draw_matrices(MLP(10, [9]), [[1.0] * 10] * 12))
    assert {"10×12", "9×10", "9×12", "⋯", "⋮"} <= {*shown}


def curve_points(drawing, color):
    """The points of the longest line of that colour; a shorter one is in the legend."""
    paths = [p for p in elements(drawing, "path") if p.get("stroke") == color]
    path = max(paths, key=lambda p: len(p.get("d")))
    numbers = [float(x) for x in re.findall(r"-?[\d.]+", path.get("d"))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def test_a_curve_and_its_derivative_fill_their_own_axes():
    drawing = draw_curve("sigmoid", over=(-6, 6))
    for color in ("#2166ac", "#b4431f"):
        heights = [y for _, y in curve_points(drawing, color)]
        assert max(heights) - min(heights) > 150  # of 250
    assert {"σ(x)", "σ′(x)", "0.2", "0.5"} <= {*texts(drawing)}


def test_a_tangent_has_the_slope_of_the_engine():
    drawing = draw_curve("sigmoid", at=1.0)
    value, (slope,) = TABLE["sigmoid"].evaluate(1.0)
    assert f"tangent at x = 1, slope {slope:.4g}" in texts(drawing)
    assert f"the value is {value:.4g}" in drawing.description
    x = Value(-0.5)
    y = x**3 - 3 * x
    y.backward()
    drawing = draw_curve(lambda x: x**3 - 3 * x, at=-0.5, name="g")
    assert f"tangent at x = −0.5, slope −{abs(x.grad):.4g}" in texts(drawing)
    assert "g′(x)" in texts(drawing)


def test_there_is_no_tangent_where_there_is_no_derivative():
    with pytest.raises(ValueError, match="no derivative at 0"):
        draw_curve("relu", at=0.0)
    with pytest.raises(ValueError, match=r"no derivative at -1, so there is no tangent"):
        draw_curve("log", at=-1.0)
    with pytest.raises(ValueError, match="no operation 'sigmoidd'"):
        draw_curve("sigmoidd")
    with pytest.raises(ValueError, match="mul has 2 operands"):
        draw_curve("mul")
    with pytest.raises(ValueError, match=r"over is a range such as \(-6, 6\)"):
        draw_curve("tanh", over=(2, 1))


@pytest.mark.slow
def test_every_operation_of_one_operand_has_a_curve():
    for row in TABLE.values():
        if row.arity == 1:
            assert draw_curve(row.name).svg.count("<path") > 2


def test_the_steps_of_a_valley_are_those_of_gradient_descent():
    drawing = draw_valley(squared, 0.0, lr=0.03, steps=20)
    last = 2 * (1 - 0.775**20)
    assert drawing.description == (
        f"Steps: 20. w goes from 0 to {last:.4g}, and J from 15 to {3.75 * (last - 2) ** 2:.4g}."
    )
    dots = [e for e in elements(drawing, "circle") if e.get("stroke") == "#b4431f"]
    assert len(dots) == 21 + 1  # one is in the legend
    walked = [3, 2.5, 1]
    assert "Steps: 2. w goes from 3 to 1," in draw_valley(lambda w: w * w, walked).description
    with pytest.raises(ValueError, match="use a smaller learning rate"):
        draw_valley(lambda w: w**4, 10.0, lr=1.0)
    with pytest.raises(ValueError, match="1 to 400 steps"):
        draw_valley(lambda w: w * w, 1.0, steps=1000)


def test_the_line_is_that_of_least_squares():
    assert draw_points(LINE, "line").description == "Points: 4; line: y = 2·x."
    noisy = [(0, 1), (1, 0), (2, 0.5)]  # slope -0.25, 0.75 at 0
    assert "y = −0.25·x + 0.75" in draw_points(noisy, "line").description
    with pytest.raises(ValueError, match="all points have the same x"):
        draw_points([(1, 2), (1, 3)], "line")
    with pytest.raises(ValueError, match="fit is a function of x, or 'line'"):
        draw_points(LINE, "parabola")
    with pytest.raises(ValueError, match="pairs of numbers"):
        draw_points([(1, 2, 3)])
    with pytest.raises(ValueError, match="finite numbers"):
        draw_points([(1, math.nan)])


def test_classes_differ_by_shape_also_without_colours():
    drawing = draw_points(CORNERS, labels=["no", "yes", "yes", "no"], theme="print")
    assert {"no", "yes"} <= {*texts(drawing)}
    boxes = [e for e in elements(drawing, "rect") if e.get("stroke")]
    assert (len(boxes), len(elements(drawing, "circle"))) == (2 + 1, 2 + 1)
    with pytest.raises(ValueError, match="2 labels"):
        draw_points(CORNERS, labels=[0, 1])


def areas(drawing):
    """The rectangles of each tinted area: left, top, width, height."""
    found = []
    for path in elements(drawing, "path"):
        if path.get("fill-opacity"):
            pieces = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)H[\d.]+z", path.get("d"))
            found.append([tuple(map(float, piece)) for piece in pieces])
    return found


def test_the_plane_is_tinted_by_the_class_of_each_place():
    drawing = draw_points(CORNERS, labels=[0, 1, 2, 0], regions=nearest, equal=True)
    assert "the plane is tinted by the predicted class" in drawing.description
    tinted = areas(drawing)
    sizes = [sum(wide * high for _, _, wide, high in area) for area in tinted]
    assert sizes[0] / 2 == pytest.approx(sizes[1], rel=0.02) == pytest.approx(sizes[2], rel=0.02)
    places = [(float(e.get("cx")), float(e.get("cy"))) for e in elements(drawing, "circle")]
    x, y = places[-1]  # the last corner is of the first class

    def around(area):
        return any(a <= x <= a + wide and b <= y <= b + high for a, b, wide, high in area)

    assert [around(area) for area in tinted] == [True, False, False]
    with pytest.raises(ValueError, match=r"regions returns \['3'\], not among labels"):
        draw_points(CORNERS, labels=[0, 1, 2, 0], regions=lambda places: [3] * len(places))


def test_equal_axes_have_the_same_scale():
    drawing = draw_points([(0, 0), (4, 0), (0, 1)], equal=True)
    (x0, y0), (x4, _), (_, y1) = [
        (float(e.get("cx")), float(e.get("cy"))) for e in elements(drawing, "circle")
    ]
    assert x4 - x0 == pytest.approx(4 * (y0 - y1), abs=0.5)


def seen_by(color, matrix):
    """A colour in linear light as a colour-blind eye sees it, as lightness and two hues."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    ]
    seen = [min(max(sum(m * c for m, c in zip(row, linear, strict=True)), 0), 1) for row in matrix]
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    x, y, z = (
        (sum(m * c for m, c in zip(row, seen, strict=True)) / w) ** (1 / 3)
        for row, w in zip(to_xyz, white, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


EYES = (  # full colour vision; protanopia, deuteranopia, tritanopia (Machado et al. 2009)
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eye", EYES)
def test_three_classes_differ_for_every_eye_as_points_and_as_areas(theme, eye):
    drawing = draw_points(CORNERS, labels=[0, 1, 2, 0], regions=nearest, theme=theme)
    paths = [p for p in elements(drawing, "path") if p.get("fill-opacity")]
    paper = elements(drawing, "rect")[0].get("fill")

    def tint(path):
        share = float(path.get("fill-opacity"))
        pairs = zip(
            *(re.findall("[0-9a-f]{2}", c.lower()) for c in (path.get("fill"), paper)), strict=True
        )
        mixed = (round(share * int(a, 16) + (1 - share) * int(b, 16)) for a, b in pairs)
        return "#" + "".join(f"{c:02x}" for c in mixed)

    for colors in ([p.get("fill") for p in paths], [tint(p) for p in paths]):
        shades = [seen_by(color, eye) for color in colors]
        assert min(math.dist(a, b) for a, b in combinations(shades, 2)) > 12


def test_losses_side_by_side_have_axes_of_their_own():
    lists = {"a": [4.0, 2.0], "b": [1.0, 0.5, 0.25]}
    drawing = draw_losses(lists, name="e_1", by="epoch", beside=True)
    shown = texts(drawing)
    assert (shown.count("epoch"), shown.count("e1")) == (2, 2)
    assert "a: 4 at the start, 2 at epoch 1." in drawing.description
    first, second = (
        [y for _, y in curve_points(drawing, color)] for color in ("#2166ac", "#b4431f")
    )
    assert first[0] == second[0]  # each begins at the top
    assert draw_losses(lists, beside=True, width=390).svg != drawing.svg
    with pytest.raises(ValueError, match="by is 'iteration' or 'epoch', got 'hour'"):
        draw_losses([1.0], by="hour")


def test_the_output_of_a_neuron_can_be_named():
    assert {"ŷ", "ŷ = w1·x1"} <= {*texts(draw_neuron([2.0], output="y_hat"))}


def test_the_words_of_a_neuron_of_one_input_speak_of_one():
    drawing = draw_neuron([2.0], output="y_hat")
    assert drawing.description == "The input x₁ is multiplied by the weight w₁."
    assert "are multiplied" in draw_neuron([2.0, 1.0]).description


def test_a_loss_is_drawn_on_a_linear_axis_from_zero():
    drawing = draw_losses([4.0, 2.0, 1.0, 0.5])
    heights = [y for _, y in curve_points(drawing, "#2166ac")]
    steps = [b - a for a, b in pairwise(heights)]
    assert steps[0] == pytest.approx(2 * steps[1], abs=0.3) == pytest.approx(4 * steps[2], abs=0.6)
    assert {"loss", "iteration", "0"} <= {*texts(drawing)}
    several = draw_losses({"a": [1.0, 0.5], "b": [2.0, math.nan, 1.0]})
    assert "a: 1 at the start, 0.5 at iteration 1." in several.description
    assert several.title == "The loss by iteration"
    errors = draw_losses({"一": [1.0, 0.5], "二": [2.0, 1.0]}, name="e_1", lang="zh")
    assert errors.title == "e₁ 随迭代次数的变化"  # not of the loss
    assert "。 " not in errors.description
    for wrong in ([], {"a": []}, [math.inf]):
        with pytest.raises(ValueError, match="losses"):
            draw_losses(wrong)


def test_a_table_has_given_and_computed_columns():
    model = MLP(2, [1])
    drawing = draw_table(CORNERS, {"AND": lambda x: x[0] * x[1], "y_hat": model})
    assert {"x1", "x2", "AND", "ŷ"} <= {*texts(drawing)}
    assert f"1 1 | 1 {f'{model(CORNERS[3]).data:.4g}'.replace('-', '−')}." in drawing.description
    with pytest.raises(ValueError, match="the column 'y' has 2 numbers for 4 rows"):
        draw_table(CORNERS, {"y": [0, 1]})
    with pytest.raises(ValueError, match="1 to 40 rows"):
        draw_table([[i] for i in range(41)], {})
    with pytest.raises(ValueError, match="one for each name"):
        draw_table(CORNERS, {}, names=["a"])


def test_a_dot_product_shows_what_each_column_adds():
    drawing = draw_dot_product([0, 1, 1, 0], [-1, 1, 0, 0], names=("c", "e"))
    assert "= 1" in texts(drawing)
    with pytest.raises(ValueError, match="360 pixels have no room for 13 columns of numbers"):
        draw_dot_product([1 / 3] * 12, [1 / 3] * 12, width=360)
    with pytest.raises(ValueError, match="the same length"):
        draw_dot_product([1], [1, 2])


def test_the_loop_has_the_learning_rate_and_the_number_of_iterations():
    assert {"w ← w − 0.03·∂L/∂w", "repeat 100 times"} <= {
        *texts(draw_training_loop(lr=0.03, iterations=100))
    }
    assert "w ← w − η·∂L/∂w" in texts(draw_training_loop())


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ValueError, match="2 weights need 2 inputs, got 3"):
        draw_neuron([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="2 weights need 2 names, got 1"):
        draw_neuron([1, 2], names=["a"])
    with pytest.raises(ValueError, match="at least one weight"):
        draw_neuron([])
    with pytest.raises(ValueError, match="no operation 'nope'"):
        draw_neuron([1], activation="nope")
    with pytest.raises(TypeError, match="is not a neuron"):
        draw_layers(3)
    with pytest.raises(ValueError, match="at least one neuron"):
        draw_layers([2, 0])
    with pytest.raises(ValueError, match="there is room for 1 to 3 layers"):
        draw_layers([2, 2, 2, 2, 2], width=390)
    with pytest.raises(ValueError, match="3 inputs need 3 names, got 2"):
        draw_layers([3, 1], names=["a", "b"])
    with pytest.raises(ValueError, match="X has samples of 4 numbers"):
        draw_matrices(layer(), [[1, 2]])


@pytest.mark.parametrize("width", [390, 700])
def test_a_dot_product_shows_whole_names_where_there_is_room(width):
    drawing = draw_dot_product(
        [8.5, 9.5, 9], [0.1, 0.17, 0.16], names=("fingers", "weights"), width=width
    )
    assert {"fingers", "weights", "fingers·weights"} <= {*texts(drawing)}


@pytest.mark.parametrize("at", [0.5, -0.125, 0.01])
def test_the_point_of_the_tangent_is_seen_beside_a_pole(at):
    drawing = draw_curve(lambda x: 1 / x, at=at)
    assert len(elements(drawing, "circle")) == 2


@pytest.mark.parametrize(
    ("name", "prime"),
    [
        ("tanh", "tanh′(x)"),
        ("relu", "(max(0, x))′"),  # max′(0, x) would be something else
        ("softplus", "(ln(1 + ex))′"),
    ],
)
def test_only_a_function_of_x_itself_has_a_prime_after_its_name(name, prime):
    assert prime in texts(draw_curve(name))


def test_a_function_called_by_a_formula_is_written_as_the_formula():
    drawing = draw_curve(lambda x: x * x - 1, name="x² − 1")
    assert {"x² − 1", "(x² − 1)′"} <= {*texts(drawing)}
    assert drawing.title == "The function x² − 1 and its derivative"


def test_of_a_large_matrix_only_the_numbers_that_are_shown_are_written(monkeypatch):
    written = []
    digits = matrices.digits
    monkeypatch.setattr(matrices, "digits", lambda *given: written.append(given) or digits(*given))
    matrix = matrices.matrix_of("W", [[0.5] * 90] * 70, 700.0)
    assert len(written) == (matrices.MOST_ENTRIES - 1) ** 2
    assert matrix.rows[-2] == ("⋮",) * matrices.MOST_ENTRIES
