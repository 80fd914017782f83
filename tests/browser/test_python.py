"""The wheel in the Python of a browser (Pyodide), which has 32 bits: in Node and in Chromium.

Each piece of code runs there and here, and both must give the same.
"""

from __future__ import annotations

import textwrap

import pytest

from tests.browser.pythons import Failed

pytestmark = pytest.mark.exhaustive

ULP = 2.0**-52


def here(code):
    """The value of the last line of the code, which is an expression."""
    *lines, last = textwrap.dedent(code).strip().split("\n")
    names = {}
    exec("\n".join(lines), names)
    return eval(last, names)


NEURON = """
from micrograd import Value
x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.5, label="b")
y = (x * w + b).tanh()
y.label = "y"
y.backward()
"""
"""The libraries of C may differ in the last place of tanh, so that of 0.5 is compared as text."""


def test_a_backward_pass_gives_the_same_gradients(python):
    code = f"{NEURON}\n[y.data, x.grad, w.grad, b.grad]"
    # Each number has at most three roundings after tanh, and that of tanh itself is magnified by
    # at most two.
    assert python.run(code) == pytest.approx(here(code), rel=6 * ULP)


def test_the_integers_of_this_python_have_32_bits(python):
    assert python.run("import sys\nsys.maxsize") == 2**31 - 1


@pytest.mark.parametrize(
    "last",
    [
        'explain(y, w).text(lang="zh")',
        "explain(y, w).html()",
        "draw_dot(y).source",
        "draw_dot(y, local_partials=True).tree()",
        "step_page(y)",
    ],
)
def test_derivations_graphs_and_pages_are_the_same_texts(python, last):
    code = f"{NEURON}\nfrom micrograd import draw_dot, explain, step_page\n{last}"
    assert python.run(code) == here(code)


def test_a_notebook_shows_a_graph_as_our_own_svg(python):
    code = f"{NEURON}\nfrom micrograd import draw_dot\n"
    shown = python.run(f"{code}draw_dot(y)._repr_mimebundle_()")
    ours = here(
        f"{code}from micrograd.drawing.formats import WRITERS\n"
        "WRITERS['svg'](draw_dot(y).picture, draw_dot(y).theme)"
    )
    assert shown == {"image/svg+xml": ours}


def test_a_format_without_a_renderer_is_refused_with_what_a_browser_can_do(python):
    with pytest.raises(Failed, match=r"RendererNotFound: .*svg") as refused:
        python.run(f"{NEURON}\nfrom micrograd import draw_dot\ndraw_dot(y).pipe('pdf')")
    assert "apt " not in str(refused.value)
    assert "pip install" not in str(refused.value)


def test_gradients_are_checked(python):
    code = """
    from micrograd.testing import check_gradients
    check_gradients(lambda x, w: (x * w).tanh() / w, 2.0, -0.75)
    "all right"
    """
    assert python.run(code) == "all right"


def test_a_wrong_gradient_is_found(python):
    code = """
    from micrograd import Value
    from micrograd.testing import check_gradients
    def wrong(x):
        return Value(x.data ** 3, (x,), "cube", local_grads=[2 * x.data])
    check_gradients(wrong, 2.0)
    """
    with pytest.raises(Failed, match="GradientMismatch"):
        python.run(code)


def test_a_network_of_values_is_trained_without_numpy(python):
    code = """
    import random
    from nn import MLP
    model = MLP(2, [4, 1], generator=random.Random(1))
    points = [((0.0, 0.0), -1.0), ((0.0, 1.0), 1.0), ((1.0, 0.0), 1.0), ((1.0, 1.0), -1.0)]
    losses = []
    for _ in range(30):
        loss = sum((model(point) - wanted) ** 2 for point, wanted in points)
        model.zero_grad()
        loss.backward()
        for parameter in model.parameters():
            parameter.data -= 0.02 * parameter.grad
        losses.append(loss.data)
    losses
    """
    losses = python.run(code)
    assert losses[-1] < losses[0]
    assert losses == pytest.approx(here(code), rel=1e-12)


@pytest.mark.parametrize(
    "step",
    ["y * 1.5 + x", "1.0 - y", "where(x > 0, x, y)", "Value(y.data, (x, y), 'by hand')"],
)
def test_a_deep_graph_is_freed_without_an_overflow(python, step):
    # Python 3.13 and later on WebAssembly crash when 5,000 operations are freed by recursion.
    code = f"""
    from micrograd import Value, where
    x = y = Value(1.0)
    for _ in range(20_000):
        y = {step}
    y.backward()
    del y
    "freed"
    """
    assert python.run(code) == "freed"


def test_the_series_of_a_deep_graph_are_freed_without_an_overflow(python):
    code = """
    from micrograd import taylor
    def f(x):
        for _ in range(10_000):
            x = x * 0.5 + 0.25
        return x
    taylor(f, 1.0, 1)
    """
    assert python.run(code) == [0.5, 0.0]


@pytest.fixture
def numpy(python):
    try:
        python.load("numpy")
        python.run("import numpy")
    except Failed as error:
        if "nothing after" in str(error) or "No module named 'numpy'" in str(error):
            pytest.skip("this Pyodide has no NumPy: name a folder that has, MICROGRAD_PYODIDE")
        raise


FIT = """
import random
from nn import MLP, fit, predict
from nn.datasets import make_moons
X, labels = make_moons(60, noise=0.1, random_state=7)
model = MLP(2, [8, 8, 1], generator=random.Random(7))
options = {"loss": "hinge", "lr": 0.02, "batch_size": 20, "epochs": 20}
history = fit(model, X, 2 * labels - 1, **options, progress=False)
"""


@pytest.mark.usefixtures("numpy")
def test_a_compiled_function_gives_the_same_numbers(python):
    code = """
    from micrograd import Value, compile
    w = Value(0.5)
    f = compile(lambda x, y: (x * w).tanh() * y + x**2, [w], batched=True, backend="numpy")
    mean, slopes = f.value_and_grad([0.5, -1.0, 2.0], [1.0, 2.0, -3.0])
    [*f([0.5, -1.0, 2.0], [1.0, 2.0, -3.0]).tolist(), float(mean), *slopes.tolist()]
    """
    assert python.run(code) == pytest.approx(here(code), rel=1e-14)


@pytest.mark.usefixtures("numpy")
def test_a_network_is_fitted_and_predicts(python):
    code = f"{FIT}\n[*history['loss'], *predict(model, X[:5]).ravel().tolist()]"
    found = python.run(code)
    assert found == pytest.approx(here(code), rel=1e-9)


@pytest.mark.usefixtures("numpy")
def test_an_error_names_the_line_of_the_user_and_none_of_the_standard_library(python):
    code = """import copy
from micrograd import compile
compile(lambda x: copy.copy(x))(1.0)"""
    with pytest.raises(Failed, match="at <exec>, line 3"):
        python.run(code)
