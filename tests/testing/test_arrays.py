"""Gradients that are computed outside the engine: by hand in NumPy, by JAX, by PyTorch."""

from __future__ import annotations

import re
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from micrograd import define, gelu, ndtr, sigmoid, silu, tanh
from micrograd.ops import TABLE
from micrograd.testing import GradientMismatch, activations, check_gradients, check_operation
from micrograd.writing.messages import message
from tests.testing import layers, networks
from tests.testing.layers import backward, mistaken

LAYERS = {**layers.LAYERS, **networks.LAYERS}
MISTAKES = [*layers.MISTAKES, *networks.MISTAKES]
KINKED = ("residual", "dense", "pooled")  # without complex steps


def wrong(f, *at, **given) -> GradientMismatch:
    with pytest.raises(GradientMismatch) as caught:
        check_gradients(f, *at, **given)
    return caught.value


# ------------------------------------------------------------------------------------ layers


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)
def test_right_layers_are_confirmed(layer):
    assert check_gradients(layer, *LAYERS[layer], vjp=backward(layer))


STEPS = {
    "hundredths": lambda x: np.floor(x * 100),
    "powers of 2": lambda x: np.floor(x * 32) / 32,
    "finer powers of 2": lambda x: np.floor(x * 64) / 64,
    "a table": lambda x: np.searchsorted(np.linspace(-3, 3, 500), x).astype(float),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_step_functions_are_not_accused_of_their_derivative_of_0(name):
    step, x = STEPS[name], np.random.default_rng(1).standard_normal((4, 5))
    for f, given in (
        (step, {"vjp": lambda d: d * 0}),
        (lambda x: step(x).sum(), {"gradient": lambda x: x * 0}),
        (lambda x: step(x[0]), {"jacobian": lambda x: np.zeros((5, 4, 5))}),
    ):
        report = check_gradients(f, x, raise_exception=False, **given)
        assert not report.is_wrong, report


@pytest.mark.slow
@pytest.mark.parametrize("modes", ["difference", "complex step"])
def test_each_witness_confirms_alone(modes):
    for layer, at in LAYERS.items():
        if layer.__name__ not in KINKED or modes == "difference":
            assert check_gradients(layer, *at, vjp=backward(layer), modes=modes), layer.__name__


def mistake_id(mistake):
    layer, written, by_mistake, _ = mistake
    return f"{layer.__name__}: {written} as {by_mistake}"


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES, ids=mistake_id)
def test_every_mistake_is_caught_and_named(mistake):
    layer, written, by_mistake, words = mistake
    error = wrong(layer, *LAYERS[layer], vjp=mistaken(layer, written, by_mistake))
    assert error.report.is_wrong
    assert words in f"{error}\n{error.report}"
    for suspicion in error.report.suspicions:  # in Chinese, too, but for names and code
        assert not re.search("[a-z]{2,} [a-z]{2,}", message(f"suspicion: {suspicion}", "zh")), (
            suspicion
        )


@pytest.mark.slow
def test_what_a_mistake_looks_like_is_said_in_single_precision_too():
    layer, at = networks.heads, [part.astype(np.float32) for part in LAYERS[networks.heads]]
    error = wrong(layer, *at, vjp=mistaken(layer, "dx += dk @ Wk.T", ""))
    assert "dx: the path through Wk is missing" in str(error)


# ------------------------------------------------------------------------------------ conventions


def cube(x, y):
    return (x**3 * y).sum()


X, Y = np.array([1.0, -2.0, 0.5]), np.array([0.3, 2.0, 1.5])


def test_a_gradient_is_one_array_or_one_for_each_argument():
    assert check_gradients(cube, X, Y, gradient=lambda x, y: (3 * x * x * y, x**3))
    assert check_gradients(cube, X, Y, gradient=lambda x, y: {"dx": 3 * x * x * y, "y": x**3})
    both = {"x": 3 * X * X * Y, "dx": 0 * X, "grad_x": 0 * X, "grad_y": X**3}
    assert check_gradients(cube, X, Y, gradient=lambda x, y: both)
    report = check_gradients(cube, X, Y, gradient=lambda x, y: 3 * x * x * y)
    assert report
    assert report.notes == ["dy is not given, and not checked"]
    assert check_gradients(lambda x: x**3, 2.0, gradient=lambda x: 3 * x * x)
    assert check_gradients(lambda x, y: x**3 * y, 2, 3, gradient=lambda x, y: (3 * x**2 * y, x**3))


def test_trees_of_arrays_have_gradients_of_the_same_structure():
    def f(parameters, x):
        return ((x @ parameters["w"][0] + parameters["b"]) ** 2).sum()

    def df(parameters, x):
        d = 2 * (x @ parameters["w"][0] + parameters["b"])
        return {"w": [x.T @ d], "b": d.sum(axis=0)}, None

    parameters = {"w": [np.ones((2, 3))], "b": np.zeros(3)}
    assert check_gradients(f, parameters, np.ones((4, 2)), gradient=df)
    assert check_gradients(lambda pair: (pair[0] ** 2).sum(), (X,), gradient=lambda p: (2 * p[0],))
    error = wrong(
        f,
        parameters,
        np.ones((4, 2)),
        gradient=lambda p, x: ({"w": [0 * p["w"][0]], "b": df(p, x)[0]["b"]}, None),
    )
    assert error.input.startswith("dparameters['w'][0][")
    with pytest.raises(ValueError, match=r"no part for parameters\['b'\]"):
        check_gradients(f, parameters, np.ones((4, 2)), gradient=lambda p, x: ({"w": p["w"]}, None))


def test_a_jacobian_has_the_shapes_of_result_and_argument():
    assert check_gradients(
        lambda x: np.sin(x) * x[0],
        X,
        jacobian=lambda x: np.diag(np.cos(x) * x[0]) + np.outer(np.sin(x), [1, 0, 0]),
    )
    error = wrong(lambda x: np.sin(x) * x[0], X, jacobian=lambda x: np.diag(np.cos(x) * x[0]))
    assert error.input in ("df[0]/dx[0]", "df[1]/dx[0]", "df[2]/dx[0]")
    error = wrong(lambda x: np.cumsum(x), X, jacobian=lambda x: np.triu(np.ones((3, 3))))
    assert "it is transposed" in str(error)


def test_a_backward_pass_takes_dout_and_a_cache_if_there_is_one():
    tanh = np.tanh
    assert check_gradients(tanh, X, vjp=lambda dout: dout * (1 - tanh(X) ** 2))
    assert check_gradients(lambda x: (tanh(x), tanh(x)), X, vjp=lambda dout, t: dout * (1 - t * t))
    assert check_gradients(
        lambda x: (x * x, 3 * x, x), X, vjp=lambda da, db, x: 2 * x * da + 3 * db
    )
    both = check_gradients(
        lambda x: (x * x, 3 * x), X, vjp=lambda douts: 2 * X * douts[0] + 3 * douts[1]
    )
    assert both
    with pytest.raises(TypeError, match=r"vjp takes only .* must take \(dout, cache\)"):
        check_gradients(lambda x: (x * x, {"x": "no array"}), X, vjp=lambda dout: dout)


def test_layers_that_are_objects_keep_their_cache_themselves():
    class Tanh:
        def forward(self, x):
            self.out = np.tanh(x)
            return self.out

        def backward(self, dout):
            return dout * (1 - self.out**2)

    layer = Tanh()
    assert check_gradients(layer.forward, X, vjp=layer.backward)
    error = wrong(layer.forward, X, vjp=lambda dout: dout * (1 + layer.out**2))
    assert error.report.function == "forward"


def test_labels_and_options_are_constants():
    def loss(scores, labels, weight, name):
        assert name == "mean"
        return weight * scores[np.arange(3), labels].sum()

    def dloss(scores, labels, weight, name):
        d = np.zeros_like(scores)
        d[np.arange(3), labels] = weight
        return d, None, None, None

    at = np.ones((3, 2)), np.array([0, 1, 1]), 3, "mean"
    assert check_gradients(loss, *at, gradient=dloss)
    assert check_gradients(loss, *at, gradient=lambda *at: dloss(*at)[0])
    assert check_gradients(  # the gradient alone is that of the first argument that varies
        lambda labels, scores: loss(scores, labels, 3, "mean"),
        at[1],
        at[0],
        gradient=lambda labels, scores: dloss(scores, labels, 3, "mean")[0],
    )


# ------------------------------------------------------------------------------------ patterns


SQUARE = np.arange(1.0, 10).reshape(3, 3)
PATTERNS = {
    "the sign is wrong": lambda g, x: -g,
    "a factor of 2 too many": lambda g, x: 2 * g,
    "a factor of 2 is missing": lambda g, x: g / 2,
    "it is transposed": lambda g, x: g.T.copy(),
    "a division by 3 is missing": lambda g, x: 3 * g,
    "divided by 9 once too often": lambda g, x: g / 9,
    "it is 1.7 times the derivative": lambda g, x: 1.7 * g,
    "zeros where there should be numbers": lambda g, x: 0 * g,
    "not finite": lambda g, x: np.where(x == 5, np.nan, g),
    "only row 1 is wrong": lambda g, x: g * np.array([[1], [3.3], [1]]),
    "only column 2 is wrong; it is 0 there": lambda g, x: g * np.array([1, 1, 0]),
    "axis 1 is reversed": lambda g, x: g[:, ::-1],
    "shifted by one along axis 0": lambda g, x: np.roll(g, 1, axis=0),
    "+0.1 times the variable itself": lambda g, x: g + 0.1 * x,
    "a constant of +0.5": lambda g, x: g + 0.5,
}


@pytest.mark.parametrize("words", PATTERNS)
def test_patterns_are_recognised(words):
    def f(x):
        return (np.sin(x) * weights).sum()

    weights = np.random.default_rng(0).normal(size=(3, 3))
    error = wrong(f, SQUARE, gradient=lambda x: PATTERNS[words](np.cos(x) * weights, x))
    assert words in str(error)


def test_a_shape_that_is_wrong_is_explained():
    def layer(x, b):
        return x * b

    x, b = np.ones((4, 3)) * 2, np.arange(3.0)
    for made, words in (
        (lambda d: d * x, "db: it is not summed over axis 0"),
        (lambda d: (d * x).sum(axis=0)[:, None], "db: it has the right numbers in another shape"),
    ):
        error = wrong(layer, x, b, vjp=lambda dout, made=made: (dout * b, made(dout)))
        assert words in str(error)
        assert "but it should have (3,)" in str(error)


def test_a_single_wrong_entry_is_named_with_numbers():
    def gradient(x):
        g = 2 * x
        g[2, 0] = -0.3
        return g

    x = np.full((3, 2), 0.075)
    error = wrong(lambda W: (W**2).sum(), x, gradient=gradient)
    assert str(error).startswith("dW[2, 0]: got -0.3, 0.15 ± ")
    assert (error.input, error.got) == ("dW[2, 0]", -0.3)
    assert error.expected == pytest.approx(0.15)
    assert "1 of 6 entries of dW is wrong" in str(error)


def test_a_backward_pass_that_is_not_linear_is_wrong_even_if_it_is_right_once():
    def vjp(dout, x):
        return 2 * x * np.clip(dout, -1, 1)

    assert "dx is not linear in dout" in str(wrong(lambda x: (x * x, x), X, vjp=vjp))


# ------------------------------------------------------------------------------------ states


@pytest.mark.slow
def test_kinks_are_never_wrong():
    x = np.random.default_rng(0).normal(size=20)
    x[3] = x[7] = 0.0
    for size in (1, 40):
        for at_kink in (0.0, 0.5, 1.0):
            many = np.tile(x, size)

            def gradient(x, at_kink=at_kink):
                return np.where(x == 0, at_kink, x > 0)

            report = check_gradients(lambda x: np.maximum(x, 0).sum(), many, gradient=gradient)
            assert report or (report.is_undecided and size > 1)
            if size == 1:
                assert any("dx[3] at a kink" in note for note in report.notes)
    report = check_gradients(
        lambda x: np.maximum(x, 0).sum(), x, gradient=lambda x: np.where(x == 0, 7, x > 0)
    )
    assert report.is_undecided


def test_what_is_random_or_not_given_is_undecided():
    rng = np.random.default_rng(0)
    report = check_gradients(lambda x: (x * (rng.random(3) > 0.5)).sum(), X, gradient=lambda x: x)
    assert report.is_undecided
    assert "not deterministic" in str(report)
    assert check_gradients(lambda x: x.sum(), X, gradient=lambda x: None).is_undecided


def test_what_changes_its_arguments_in_place_is_noted():
    def relu(x):
        x[x < 0] = 0
        return x.copy(), x

    def relu_backward(dout, x):
        dout[x <= 0] = 0
        return dout

    report = check_gradients(relu, X, vjp=relu_backward)
    assert report
    assert report.notes == [
        "relu changes its arguments in place",
        "relu_backward changes dout in place",
    ]


def transposed_slope(A):
    d, slope = np.zeros(A.shape), np.cos(A[:, 1:] * A[:, :-1])
    d[:, 1:] += slope * A[:, :-1]
    d[:, :-1] += slope * A[:, 1:]
    return d.T


@pytest.mark.slow
def test_a_large_array_of_30_000_numbers_needs_few_calls_and_its_wrong_entry_is_found():
    rng = np.random.default_rng(0)
    W, v = rng.normal(size=(100, 300)), rng.normal(size=300)

    count = 0

    def f(W, v):
        nonlocal count
        count += 1
        return np.sin(W @ v).sum()

    def gradient(W, v, factor=1.0):
        d = np.outer(np.cos(W @ v), v)
        d[17, 30] *= factor
        return d, W.T @ np.cos(W @ v)

    assert check_gradients(f, W, v, gradient=gradient)
    error = wrong(f, W, v, gradient=lambda W, v: gradient(W, v, 1.01))
    assert error.input == "dW[17, 30]"
    error = wrong(f, W, v, gradient=lambda W, v: (-gradient(W, v)[0], gradient(W, v)[1]))
    assert "dW: the sign is wrong" in str(error)
    square = rng.normal(size=(100, 100))
    error = wrong(lambda A: np.sin(A[:, 1:] * A[:, :-1]).sum(), square, gradient=transposed_slope)
    assert "dA: it is transposed" in str(error)
    one_by_one = 3 * 2 * (W.size + v.size)  # three checks by central differences
    assert count < one_by_one / 50


@pytest.mark.parametrize("size", [6, 1000])
def test_single_precision_has_tolerances_that_fit(size):
    x = np.random.default_rng(0).normal(size=size).astype(np.float32)

    def gradient(x, factor=1):
        return factor * 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)

    def f(x):
        return (np.tanh(x) ** 2).sum()

    assert check_gradients(f, x, gradient=gradient)
    error = wrong(f, x, gradient=lambda x: gradient(x, np.float32(1.05)))
    assert error.got / error.expected == pytest.approx(1.05, abs=2e-3)


# ---------------------------------------------------------------------------- other libraries


@pytest.mark.slow
def test_gradients_of_jax_are_checked():
    jax = pytest.importorskip("jax")

    def f(p, x):
        return jax.numpy.mean(jax.numpy.tanh(x @ p["w"] + p["b"]) ** 2)

    p = {"w": jax.numpy.array(LAYERS[next(iter(LAYERS))][0][:3]), "b": jax.numpy.zeros(5)}
    x = jax.numpy.ones((2, 3))
    assert check_gradients(f, p, x, gradient=jax.grad(f))
    assert check_gradients(f, p, x, gradient=jax.grad(f, argnums=(0, 1)))
    error = wrong(f, p, x, gradient=lambda p, x: jax.tree.map(lambda g: 2 * g, jax.grad(f)(p, x)))
    assert "dp['w']: it is twice the derivative" in str(error)


@pytest.mark.slow
def test_gradients_of_pytorch_are_checked():
    torch = pytest.importorskip("torch")

    def f(w, x):
        return torch.tanh(x @ w).pow(2).mean()

    w, x = torch.ones(3, 4, dtype=torch.float64) / 7, torch.eye(3, dtype=torch.float64)
    assert check_gradients(f, w, x, gradient=torch.func.grad(f))
    assert check_gradients(f, w.float(), x.float(), gradient=torch.func.grad(f, argnums=(0, 1)))
    assert "the sign is wrong" in str(
        wrong(f, w, x, gradient=lambda w, x: -torch.func.grad(f)(w, x))
    )


# ---------------------------------------------------------------------------- options, reports


def test_bad_input_is_refused_with_a_remedy():
    square, double = (lambda x: x * x), (lambda x: 2 * x)
    for options, words in (
        ({"gradient": double, "vjp": double}, "one of gradient, jacobian and vjp"),
        ({"gradient": double, "order": 2}, "order 1"),
        ({"gradient": double, "modes": "exact"}, "neither was named"),
    ):
        with pytest.raises(ValueError, match=words):
            check_gradients(square, 2.0, **options)
    with pytest.raises(TypeError, match="dx must be a number or an array of numbers, got 'a'"):
        check_gradients(square, 2.0, gradient=lambda x: "a")
    with pytest.raises(TypeError, match="gradient must be a function"):
        check_gradients(square, 2.0, gradient=4.0)
    with pytest.raises(ValueError, match="jacobian= or vjp="):
        check_gradients(square, X, gradient=double)

    def loss(x):
        return (x * x).sum(), 2 * x

    with pytest.raises(ValueError, match=r"lambda \*at: loss\(\*at\)\[0\]"):
        check_gradients(loss, X, gradient=double)
    with pytest.raises(TypeError, match="an array of floats"):
        check_gradients(square, np.array([1, 2]), jacobian=double)
    with pytest.raises(ValueError, match="3 parts, but there are 2 arguments"):
        check_gradients(cube, X, Y, gradient=lambda x, y: (x, y, x))


def test_tolerances_of_the_user_are_accepted():
    assert check_gradients(lambda x: x * x, 3.0, gradient=lambda x: 2.001 * x, rtol=1e-2)
    assert check_gradients(lambda x: x * x, 3.0, gradient=lambda x: 2.001 * x, atol=1e-2)
    wrong(lambda x: x * x, 3.0, gradient=lambda x: 2.001 * x, atol=1e-4)


def test_a_report_shows_itself_in_a_notebook_with_its_names_escaped():
    def f(x):
        return x * x

    f.__name__ = "<f & g>"
    report = check_gradients(f, 3.0, gradient=lambda x: 3 * x, raise_exception=False)
    html = report._repr_html_()
    assert "&lt;f &amp; g&gt;: WRONG" in html
    assert "<f & g>" not in html
    assert html.count("<table>") == html.count("</table>") == 1
    assert "<td>dx</td>" in html
    own = check_gradients(lambda x: x * x, 3.0)._repr_html_()
    assert "<td>6.0</td>" in own


def test_a_traceback_ends_at_the_line_of_the_user():
    wrong_row = define("wrong_row_", "x * x", ["x"])
    for call in (
        lambda: check_gradients(lambda x: x * x, 3.0, gradient=lambda x: 3 * x),
        lambda: check_gradients(lambda x: x * x.data, 3.0),
        lambda: check_operation(wrong_row),
        lambda: check_operation([wrong_row]),
    ):
        with pytest.raises(GradientMismatch) as caught:
            call()
        shown = caught.traceback.filter(caught)
        assert str(shown[-1].path) == __file__


def test_all_rows_of_a_module_are_checked_in_one_line():
    module = ModuleType("my_operations")
    module.tanh, module.other = tanh, len
    with pytest.raises(ValueError, match="'my_operations' has no operation to check"):
        check_operation(module)
    module.triple_ = define("triple_", "3 * x", ["3"])
    module.cubed_ = define("cubed_", "x * x * x", ["3 * x * x"])
    reports = check_operation(module, points=6)
    assert reports
    assert [*reports] == ["triple_", "cubed_"]
    assert str(reports).splitlines()[0] == "triple_  ok, 6 of 6 points agree"
    module.cubed_ = define("cubed_", "x * x * x", ["3 * x"])
    reports = check_operation(module, points=6, raise_exception=False)
    assert not reports
    assert "cubed_   WRONG" in str(reports)
    assert "<td>cubed_</td>" in reports._repr_html_()
    with pytest.raises(TypeError, match="a module or a list"):
        check_operation(SimpleNamespace())


def test_lost_digits_look_like_no_other_mistake():
    error = wrong(
        lambda x: np.sum(np.tanh(x)),
        np.array([-9.911906316786311, 159.2, -31.3, 50.5]),
        gradient=lambda x: 1 - np.tanh(x) ** 2,
    )
    (suspicion,) = error.report.suspicions
    assert suspicion == "dx: only the last digits differ: do nearly equal numbers cancel?"


def test_a_mask_that_is_forgotten_is_not_called_an_added_constant():
    X = np.random.default_rng(0).normal(size=(4, 5))
    report = check_gradients(
        lambda X: np.maximum(X, 0).sum(), X, gradient=np.ones_like, raise_exception=False
    )
    (suspicion,) = report.suspicions
    assert suspicion.endswith("is a mask or a condition forgotten?")


def test_complex_gradients_are_refused():
    with pytest.raises(TypeError, match="must be a number or an array of numbers"):
        check_gradients(lambda x: (x**2).sum(), np.ones(2), gradient=lambda x: 2j * x)


@pytest.mark.parametrize("x", [1e8, 1e9])
def test_the_gradient_of_an_oscillation_far_out_is_not_called_wrong(x):
    def sine(x):
        return float(np.sin(x).sum())  # of real numbers only

    assert check_gradients(sine, np.array([x]), gradient=np.cos)
    with_wrong_sign = check_gradients(
        sine, np.array([x]), gradient=lambda x: -np.cos(x), raise_exception=False
    )
    assert not with_wrong_sign


@pytest.mark.parametrize("ratio", [1.0, 1e2, 1e4, 1e8])
def test_a_wrong_entry_is_found_beside_much_larger_ones(ratio):
    def f(x):
        return x[0] * ratio + x[1]

    assert check_gradients(f, np.ones(2), gradient=lambda x: np.array([ratio, 1.0]))
    wrong(f, np.ones(2), gradient=lambda x: np.array([ratio, 1.01]))


def _slope_of(name):
    return {
        "tanh": lambda x: 1 - np.tanh(x) ** 2,
        "sigmoid": lambda x: sigmoid(x) * sigmoid(-x),
        "silu": lambda x: sigmoid(x) * (1 + x * sigmoid(-x)),
        "gelu": lambda x: ndtr(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
    }[name]


SIGMOID_SLOPE = "sigmoid(x) * (1 - sigmoid(x))"


@pytest.mark.parametrize(
    ("name", "mistaken", "written"),
    [
        ("tanh", lambda x: 1 - np.tanh(x), "1 - tanh(x) in place of 1 - tanh(x)**2"),
        ("tanh", lambda x: 1 - x**2, "1 - x**2 in place of 1 - tanh(x)**2"),
        (
            "sigmoid",
            lambda x: 1 - sigmoid(x) ** 2,
            f"1 - sigmoid(x)**2 in place of {SIGMOID_SLOPE}",
        ),
        (
            "silu",
            lambda x: x * sigmoid(x) * sigmoid(-x),
            f"x * {SIGMOID_SLOPE} in place of sigmoid(x) + x * {SIGMOID_SLOPE}",
        ),
        ("gelu", ndtr, "ndtr(x) in place of ndtr(x) + x * exp(-x**2 / 2) / sqrt(2 * pi)"),
    ],
)
def test_a_wrong_derivative_of_an_activation_is_named(name, mistaken, written):
    f = {"tanh": np.tanh, "sigmoid": sigmoid, "silu": silu, "gelu": gelu}[name]
    rng = np.random.default_rng(5)
    x, w = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    slope = _slope_of(name)
    assert check_gradients(lambda x: np.sum(w * f(x)), x, gradient=lambda x: w * slope(x))
    error = wrong(lambda x: np.sum(w * f(x)), x, gradient=lambda x: w * mistaken(x))
    (suspicion,) = error.report.suspicions
    assert suspicion == f"dx: it fits {name} with the derivative {written}"
    assert not re.search("[a-z]{2,} [a-z]{2,}", message(f"suspicion: {suspicion}", "zh"))


def test_the_derivatives_of_activations_are_written_as_the_table_has_them():
    x = np.linspace(0.1, 3.0, 7)
    for name, (right, _) in activations._WRITTEN.items():
        found = activations._computed(activations._read(right), x=x)
        np.testing.assert_allclose(found, [TABLE[name].evaluate(each)[1][0] for each in x], 1e-12)


def test_an_argument_that_is_forgotten_or_mixed_up_is_named():
    rng = np.random.default_rng(6)
    x, g, h = rng.normal(size=(3, 3, 4))

    def f(x, g, h):
        return np.sum(np.sin(x * g) * np.cos(h * x))

    def gradients(x, g, h):
        slope = g * np.cos(x * g) * np.cos(h * x) - h * np.sin(x * g) * np.sin(h * x)
        return (
            slope,
            x * np.cos(x * g) * np.cos(h * x),
            -x * np.sin(x * g) * np.sin(h * x),
        )

    one = np.ones_like(g)
    assert check_gradients(f, x, g, h, gradient=gradients)
    for at, words in (
        ((x, one, h), "it is the gradient with g = 1: is g forgotten?"),
        ((x, g, 0 * h), "it is the gradient with h = 0: is h forgotten?"),
        ((x, g, x), "it is the gradient with x in the place of h: are they mixed up?"),
    ):
        found = gradients(*at)[0], *gradients(x, g, h)[1:]
        report = wrong(f, x, g, h, gradient=lambda *at, found=found: found).report
        (suspicion,) = report.suspicions
        assert suspicion == f"dx: {words}"
        assert not re.search("[a-z]{2,} [a-z]{2,}", message(f"suspicion: {suspicion}", "zh"))


def test_sums_and_masks_of_the_output_are_named():
    rng = np.random.default_rng(7)
    x, g = rng.normal(size=(5, 3)), rng.normal(size=3)
    mask = (rng.uniform(size=(5, 3)) > 0.4).astype(float)

    def normalized(x, g):
        centered = x - x.mean(0)
        return centered / centered.std(0) * g, x

    def dg(dout, x):
        return None, (dout * (x - x.mean(0))).sum(0)

    (suspicion,) = wrong(normalized, x, g, vjp=dg).report.suspicions
    assert suspicion.startswith("dg: it is the sum of dout * (x - its mean)")
    assert not re.search("[a-z]{2,} [a-z]{2,}", message(f"suspicion: {suspicion}", "zh"))
    dropped = wrong(
        lambda x, mask: (x * mask, mask), x, mask, vjp=lambda dout, mask: (dout * (1 - mask), None)
    )
    (suspicion,) = dropped.report.suspicions
    assert suspicion == "dx: it is the gradient for 1 - mask: is the mask inverted?"


def test_a_function_that_changes_an_array_of_integers_gets_a_copy_each_time():
    labels = np.array([1, 2])

    def weighted(x, t):
        t += 1
        return float((x * t).sum())

    at = np.array([0.5, 0.25]), labels
    check_gradients(weighted, *at, gradient=lambda x, t: (t + 1.0, None))
    assert labels.tolist() == [1, 2]
