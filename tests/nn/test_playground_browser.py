"""The playground in a real browser: its numbers are those of the engine, and it can be operated.

Needs Chromium (Debian's package `chromium`, or Chrome) and Playwright (`pip install playwright`).
"""

import math
import random

import numpy as np
import pytest

from micrograd import define
from micrograd.writing import languages
from nn import MLP, Layer, Sequential, datasets, load_model, loss_and_grad, playground, predict
from nn.datasets import batches, train_test_split
from nn.initializers import INITIALIZERS
from nn.losses import LOSSES, l1_penalty, l2_penalty
from nn.optimizers import SGD, Adam
from nn.pages import functions
from nn.pages.contents import CURVES, FEATURES, SURFACES
from tests.drawing.test_browser import Opened
from tests.drawing.test_labels import HOSTILE

pytestmark = pytest.mark.slow


class Playground(Opened):
    """The page, and the numbers that it shows to scripts."""

    def get(self, name):
        return self.page.evaluate(f"playground.{name}")

    def change(self, **settings):
        self.page.evaluate("(settings) => playground.change(settings)", settings)

    def set_parameters(self, numbers):
        self.page.evaluate("(numbers) => { playground.parameters = numbers; }", numbers)

    def text_of(self, selector):
        return self.page.locator(selector).text_content()


@pytest.fixture
def opened(browser, tmp_path):
    pages = []

    def open_page(address="", *arguments, options=None, **settings):
        path = tmp_path / f"page{len(pages)}.html"
        playground(*arguments, path, **settings) if arguments else playground(path=path, **settings)
        pages.append(Playground(browser, path, address, **(options or {})))
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()


def model_of(page):
    """The network of the page in Python, with its weights."""
    sizes, settings = page.get("sizes"), page.get("settings")
    names = [*settings["activation"][: len(sizes) - 2], settings["output"]]
    model = Sequential(
        *(
            Layer(nin, nout, **({"activation": name} if name else {"nonlin": False}))
            for nin, nout, name in zip(sizes, sizes[1:], names, strict=False)
        )
    )
    for parameter, number in zip(model.parameters(), page.get("parameters"), strict=True):
        parameter.data = number
    return model


def assert_same(a, b):
    """Within 1e-12 of the largest of the numbers; nan and infinities are the same."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    finite = np.isfinite(a)
    assert a.shape == b.shape
    assert (finite == np.isfinite(b)).all()
    np.testing.assert_array_equal(a[~finite], b[~finite])
    if finite.any():
        assert np.abs(a[finite] - b[finite]).max() <= 1e-12 * max(1, np.abs(b[finite]).max())


def assert_engine_agrees(page, places=None):
    """The loss and the gradient of the page with those of `backward()`; returns the loss."""
    model, data, settings = model_of(page), page.get("data"), page.get("settings")
    places = data["train"][:25] if places is None else places
    total = 0.0
    for k in places:
        outputs, targets = model(data["inputs"][k]), data["targets"][k]
        single = len(targets) == 1
        total += LOSSES[settings["loss"]](outputs, targets[0] if single else targets)
    loss = total / len(places)
    penalty = {"none": lambda p: 0.0, "l1": l1_penalty, "l2": l2_penalty}[settings["penalty"]]
    (loss + settings["strength"] * penalty(model.parameters())).backward()
    assert_same(page.page.evaluate("(k) => playground.loss(k)", places), loss.data)
    gradient = [p.grad for p in model.parameters()]
    assert_same(page.page.evaluate("(k) => playground.gradient(k)", places), gradient)
    return loss.data


# ------------------------------------------------------------------------------------------ numbers


# Biases with which the operation is defined, where it is not for all numbers.
DEFINED = {
    **dict.fromkeys(("log", "log2", "log10", "sqrt", "rsqrt", "lgamma", "digamma"), 2.5),
    "log1p": 1.5,
    "acosh": 3.5,
    "logit": 0.5,
    "reciprocal": 2.5,
}


def test_the_gradients_of_every_activation_are_those_of_the_engine(opened):
    define("wavy", "sin(x) * tanh(x)", ["cos(x) * tanh(x) + sin(x) * sech2(x)"])
    page = opened()
    rng = random.Random(1)
    for name in functions.activations():
        is_narrow = name in DEFINED or name in ("asin", "acos", "atanh")
        layers = [rng.randint(1, 5) for _ in range(1 if is_narrow else rng.randint(1, 3))]
        page.change(layers=layers, activation=[name], output="" if is_narrow else name, loss="mse",
                    seed=rng.randrange(1000), data=rng.choice(["circles", "xor"]))  # fmt: skip
        size = 0.1 if is_narrow else 0.6
        numbers = [
            rng.uniform(-size, size) + DEFINED.get(name, 0.0) * each.endswith(".b")
            for each in page.get("names")
        ]
        page.set_parameters(numbers)
        assert math.isfinite(assert_engine_agrees(page)), name


def test_the_gradients_of_other_inputs_are_those_of_the_engine(opened):
    page = opened("#features=x1,square2,product,sine1&layers=3&data=spiral")
    a, b = page.get("data.points")[5]
    assert page.get("data.inputs")[5] == pytest.approx([a, b * b, a * b, math.sin(3 * a)], 1e-15)
    assert_engine_agrees(page)
    page = opened("#kind=regression&features=square,cube,sine")
    (a,) = page.get("data.points")[5]
    assert page.get("data.inputs")[5] == pytest.approx([a * a, a**3, math.sin(3 * a)], 1e-15)
    assert_engine_agrees(page)


def test_infinities_and_nan_are_those_of_the_engine(opened):
    page = opened()
    for name in ("log", "exp", "asin", "cosh", "rsqrt", "tan", "digamma", "sqrt"):
        page.change(layers=[3, 2], activation=[name], loss="mse", data="moons")
        page.set_parameters([(7 * k % 5 - 2) * 1.7 for k in range(len(page.get("names")))])
        assert_engine_agrees(page)


def test_a_new_loss_is_found_by_its_name(opened, monkeypatch):
    monkeypatch.setitem(LOSSES, "quartic", lambda p, t: (p - t) ** 4)
    page = opened(loss="quartic", layers=[3])
    assert page.page.locator("#loss option[value=quartic]").text_content() == "quartic"
    assert_engine_agrees(page)
    page.page.locator(".node[data-name='layers.0.neurons.0']").click()
    assert page.text_of("#explanation-title") == "Layer 1, neuron 1"


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_gradients_of_every_loss_are_those_of_the_engine(opened, classes):
    page = opened()
    rng = random.Random(classes)
    for name in LOSSES:
        output = {"bce": "sigmoid", "kl_div": "log_sigmoid"}.get(name, "")
        page.change(loss=name, data="blobs", classes=classes, layers=[4, 3], seed=7, output=output)
        outputs = 1 if classes == 2 and name != "cross_entropy" else classes
        assert page.get("sizes") == [2, 4, 3, outputs]
        page.set_parameters([rng.uniform(-3, 3) for _ in page.get("parameters")])
        assert math.isfinite(assert_engine_agrees(page))
        for penalty in ("l1", "l2"):
            page.change(penalty=penalty, strength=0.03)
            assert_engine_agrees(page, rng.sample(range(200 // classes), 9))
        page.change(penalty="none")


def test_the_gradients_of_curves_are_those_of_the_engine(opened):
    page = opened(kind="regression")
    for loss in ("mse", "l1", "huber"):
        page.change(loss=loss, data="sine", layers=[5, 2], activation=["gelu"], seed=5)
        assert_engine_agrees(page)


def test_the_gradients_of_surfaces_are_those_of_the_engine(opened):
    page = opened("#kind=surface&steps=3")
    for data in SURFACES:
        for loss in ("mse", "l1", "huber"):
            page.change(data=data, loss=loss, features=["x1", "product"], seed=len(loss))
            assert page.get("sizes") == [2, 4, 3, 1]
            assert page.get("data.targets") == [[y] for y in page.get("data.labels")]
            assert_engine_agrees(page)
    page.page.locator(".node[data-name='layers.2.neurons.0']").click()
    named, *numbers = page.page.locator("#explanation mtable").all_text_contents()
    assert named == "0.5·(ŷ−y)2,|ŷ−y|≤1|ŷ−y|−0.5,|ŷ−y|>1".replace("ŷ", "yˆ")
    assert "y" not in numbers[0]


def test_the_colours_of_a_surface_are_numbers_and_points_have_those_of_their_numbers(opened):
    page = opened("#kind=surface&data=own&points=0,0,-3;0.5,0.5,1.5&layers=none&tests=1")
    scale = [page.text_of(f"#scale-{end}") for end in ("low", "high")]
    assert scale == ["−3", "3"]
    page.set_parameters([0.0, 0.0, -3.0])
    pixel = page.page.evaluate("new Int32Array(document.getElementById('heat').pixels)[0]")
    assert pixel == page.page.evaluate("palette.shades[0][255]")
    page.set_parameters([0.0, 0.0, 1.5])
    pixel = page.page.evaluate("new Int32Array(document.getElementById('heat').pixels)[0]")
    assert pixel == page.page.evaluate("palette.shades[1][128]")
    colors = page.page.evaluate("[shaded(app.experiment.certainty(-3)), palette.classes[0]]")
    numbers = [int(part) for part in colors[0][4:-1].split()]
    assert numbers == [int(colors[1][k : k + 2], 16) for k in (1, 3, 5)]
    page.page.locator("#tool--0\\.5").check()
    page.page.locator("#points").click(position={"x": 40, "y": 40})
    assert page.get("data.labels") == [-3, 1.5, -0.5]
    assert page.page.locator("#accuracy-part").is_hidden()
    page.page.click("#language")
    assert page.text_of("#scale-of").startswith("数据与输出中 y 的颜色")
    page.page.check("#classification", force=True)
    assert page.text_of("#scale-low") == "负"


def test_a_factor_of_zero_lets_no_infinity_pass(opened):
    page = opened("#layers=1&activation=sqrt&data=own&points=0,0,1&loss=mse")
    page.set_parameters([1.0, 1.0, 0.0, 0.0, 0.5])
    assert_engine_agrees(
        page, [0]
    )  # the slope of the root is infinite, and the weight after it is 0
    assert page.get("gradient()")[:3] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ["moons", "circles", "xor", "spiral", "blobs"])
def test_the_data_are_those_of_the_library(opened, name):
    page = opened()
    page.change(data=name, samples=90, noise=0.2, seed=11, classes=3, test=30)
    data = page.get("data")
    angles = 2 * np.pi * np.arange(3) / 3
    X, y = {
        "moons": lambda: datasets.make_moons(90, noise=0.2, random_state=11),
        "circles": lambda: datasets.make_circles(90, noise=0.2, factor=0.5, random_state=11),
        "xor": lambda: datasets.xor(90, noise=0.2, random_state=11),
        "spiral": lambda: datasets.spiral(30, 3, noise=0.2, random_state=11),
        "blobs": lambda: datasets.make_blobs(
            90, centers=np.stack([np.cos(angles), np.sin(angles)], 1), cluster_std=0.2,
            random_state=11,
        ),
    }[name]()  # fmt: skip
    assert_same(data["points"], X)
    assert data["labels"] == y.tolist()
    train, test = train_test_split(np.arange(90), test_size=0.3, random_state=11)
    assert (data["train"], data["test"]) == (train.tolist(), test.tolist())


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_first_weights_are_those_of_the_library(opened, name):
    page = opened()
    for seed in (0, 3, 2**31 + 5):
        page.change(layers=[8, 5], init=name, seed=seed)
        model = MLP(2, [8, 5, 1], initializer=name, generator=random.Random(seed))
        assert_same(page.get("parameters"), [p.data for p in model.parameters()])


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_training_takes_the_steps_of_the_library(opened, optimizer):
    page = opened()
    page.change(optimizer=optimizer, rate=0.1, batch=20, layers=[3], seed=2, samples=70,
                penalty="l2", strength=0.01)  # fmt: skip
    model, data = model_of(page), page.get("data")
    X, y = np.array(data["points"]), np.array(data["targets"])[:, 0]
    train, generator = np.array(data["train"]), np.random.RandomState(2)
    made = {
        "sgd": lambda p: SGD(p, lr=0.1),
        "momentum": lambda p: SGD(p, lr=0.1, momentum=0.9),
        "adam": lambda p: Adam(p, lr=0.1),
    }[optimizer](model.parameters())
    numbers = made.numbers()
    steps = 0
    for _ in range(4):
        for batch in batches(len(train), 20, generator):
            rows = train[batch]
            _, gradient = loss_and_grad(
                model, X[rows], y[rows], loss="bce_with_logits", penalty={"l2": 0.01}
            )
            numbers = made.update(numbers, gradient)
            made.write(numbers)
            steps += 1
    page.page.evaluate(f"playground.step({steps})")
    assert_same(np.round(page.get("parameters"), 10), np.round(numbers, 10))


@pytest.mark.parametrize(
    "settings",
    [
        {"data": "moons", "layers": [4, 3]},
        {"data": "circles", "loss": "hinge", "layers": [3, 2], "activation": ["relu", "sin"]},
        {"data": "spiral", "classes": 3, "loss": "cross_entropy", "layers": [6]},
        {"data": "blobs", "classes": 4, "loss": "mse", "output": "tanh", "layers": [5]},
        {"data": "xor", "loss": "bce", "output": "sigmoid", "layers": [], "penalty": "l1",
         "strength": 0.01},
        {"data": "circles", "features": ["x2", "square1", "product", "sine2"], "layers": [2]},
    ],
)  # fmt: skip
def test_the_program_in_python_gives_the_same_weights(opened, settings):
    page = opened()
    page.change(test=30, seed=4, samples=60, optimizer="momentum", rate=0.05, **settings)
    page.page.evaluate("playground.step(25)")
    assert_program_agrees(page)


def test_the_program_of_a_curve_gives_the_same_weights(opened):
    page = opened(kind="regression", data="bend", layers=[3], seed=9)
    page.page.evaluate("playground.step(25)")
    assert_program_agrees(page)


def test_the_program_of_a_surface_gives_the_same_weights(opened):
    page = opened(kind="surface", seed=9)
    for data in SURFACES:
        page.change(data=data, samples=60, layers=[3])
        page.page.evaluate("playground.step(25)")
        assert_program_agrees(page)


def test_python_knows_the_inputs_of_the_page(opened):
    names = opened().page.evaluate(
        "Object.entries(FEATURES).map(([kind, all]) => [kind, Object.keys(all)])"
    )
    assert {kind: tuple(each) for kind, each in names} == FEATURES


def test_python_knows_the_data_sets_of_the_page(opened):
    curves, surfaces, planes = opened().page.evaluate(
        "[CURVES, SURFACES, DATA].map((sets) => Object.keys(sets))"
    )
    assert (tuple(curves), tuple(surfaces)) == (CURVES, SURFACES)
    names = [key for key in languages.words("en", "playground names") if key.startswith("data ")]
    assert {f"data {each}" for each in (*planes, *curves, *surfaces, "given", "own")} == set(names)


def assert_program_agrees(page):
    names = {}
    program = page.get("program").replace("epochs=25", "epochs=25, progress=False")
    exec(compile(program, "program", "exec"), names)
    numbers = [p.data for p in names["model"].parameters()]
    assert np.abs(np.array(numbers) - page.get("parameters")).max() < 1e-9


# -------------------------------------------------------------------------------------- the model


def test_a_model_from_python_is_shown_and_can_be_trained_on(opened):
    model = MLP(2, [4, 3, 1], activation="gelu", output_activation="tanh")
    X, y = datasets.make_moons(40, noise=0.1, random_state=0)
    page = opened("", model, data=(X, 2 * y - 1))
    assert page.get("parameters") == [p.data for p in model.parameters()]
    assert_same(
        page.page.evaluate("playground.predict([0.3, -0.7])"), [predict(model, [[0.3, -0.7]])[0]]
    )
    assert assert_engine_agrees(page) > 0
    page.page.evaluate("playground.step(5)")
    assert page.get("parameters") != [p.data for p in model.parameters()]
    page.page.click("#reset")
    assert page.get("parameters") == [p.data for p in model.parameters()]


@pytest.mark.parametrize(
    "address",
    [
        "#layers=3,2&steps=9",
        "#data=spiral&classes=4&loss=cross_entropy&layers=7&activation=sin",
        "#kind=regression&layers=none",
    ],
)
def test_the_saved_file_is_the_model(opened, address, tmp_path):
    page = opened(address)
    with page.page.expect_download() as download:
        page.page.click("#save")
    path = tmp_path / "saved.npz"
    download.value.save_as(path)
    model = load_model(path)
    assert [p.data for p in model.parameters()] == page.get("parameters")
    assert list(model.state_dict()) == page.get("names")
    fresh = model_of(page)
    for parameter in fresh.parameters():
        parameter.data = 0.0
    fresh.load(path)
    assert fresh.state_dict() == model.state_dict()
    point = [0.3, -0.4][: page.get("sizes")[0]]
    assert_same(
        page.page.evaluate("(point) => playground.predict(point)", point),
        np.ravel(predict(model, [point])),
    )


# --------------------------------------------------------------------------------------- operating


def test_elements_carry_their_names_and_all_digits(opened):
    page = opened("#layers=3,2&steps=4")
    parameters = dict(zip(page.get("names"), page.get("parameters"), strict=True))
    gradient = dict(zip(page.get("names"), page.get("gradient()"), strict=True))
    lines = page.page.eval_on_selector_all(
        "#lines g",
        "all => all.map(({dataset: d}) => [d.name, Number(d.value), Number(d.gradient)])",
    )
    assert len(lines) == 2 * 3 + 3 * 2 + 2
    assert all((parameters[name], gradient[name]) == (w, g) for name, w, g in lines)
    shown = page.page.locator("#train-loss")
    assert float(shown.get_attribute("data-value")) == page.get("loss()")


def test_the_address_keeps_the_state(opened):
    page = opened()
    page.page.select_option("#optimizer", "momentum")
    page.page.click("#more-layers")
    page.page.select_option("#activation", "sin")
    page.page.locator("#seed").fill("12")
    page.page.locator("#seed").press("Enter")
    for _ in range(3):
        page.page.click("#step")
    address = page.page.url.split("#")[1]
    for part in ("optimizer=momentum", "layers=5,4,4", "activation=sin", "seed=12", "steps=3"):
        assert part in address
    again = opened(f"#{address}")
    assert again.get("parameters") == page.get("parameters")
    assert again.get("steps") == 3


def test_nonsense_in_the_address_is_ignored(opened):
    page = opened(
        "#layers=a,b&activation=__proto__&rate=1e999&seed=-1&data=constructor&loss=&kind=toString&"
        "show=layers.9.neurons.0&sample=9999&points=1,x&toString=1"
    )
    found = page.get("settings")
    assert (found["layers"], found["activation"], found["data"]) == ([5, 4], ["tanh"] * 2, "moons")
    assert found["seed"] == 0


def test_playing_trains_and_pausing_stops(opened):
    page = opened()
    page.page.click("#play")
    while page.get("steps") <= 20:
        page.page.wait_for_timeout(20)
    assert page.page.get_attribute("#play", "aria-label") == "Pause"
    page.page.click("#play")
    steps = page.get("steps")
    page.page.wait_for_timeout(100)
    assert page.get("steps") == steps
    assert float(page.page.get_attribute("#train-loss", "data-value")) < 0.5


def test_everything_can_be_done_by_keys(opened):
    page = opened()
    page.page.locator("body").press("ArrowRight")
    assert page.get("steps") == 1
    assert page.text_of("#announced").startswith("Step 1: the mean loss is ")
    page.page.locator("body").press("r")
    assert page.get("steps") == 0
    page.page.locator("#more-1").press("Enter")
    assert page.get("sizes") == [2, 6, 4, 1]
    assert page.page.evaluate("document.activeElement.id") == "more-1"
    page.page.locator("#data-moons").press("ArrowRight")
    assert page.get("settings.data") == "circles"
    points, parameters = page.get("data.points"), page.get("parameters")
    page.page.locator("#again").press("Enter")
    assert page.get("settings.seed") == 1
    assert page.get("data.points") != points
    assert page.get("parameters") != parameters
    assert page.page.input_value("#seed") == "1"
    page.page.locator(".node[data-name='layers.1.neurons.0']").press("Enter")
    assert page.text_of("#explanation-title") == "Layer 2, neuron 1"
    page.page.locator("#explanation button").first.press("Enter")
    assert page.text_of("#explanation-title") == "Layer 2, neuron 1: weight of input 1"
    page.page.locator("#parameter").fill("0.25")
    page.page.locator("#parameter").press("Enter")
    assert 0.25 in page.get("parameters")


def test_points_are_set_by_clicks_and_by_keys(opened):
    page = opened("#data=own")
    assert page.get("data.points") == []
    page.page.locator("#points").click(position={"x": 60, "y": 60})
    page.page.locator("#tool-1").check()
    page.page.locator("#points").focus()
    for key in ("ArrowRight", "ArrowUp", "Enter"):
        page.page.keyboard.press(key)
    data = page.get("data")
    assert data["labels"] == [0, 1]
    assert data["points"][0][0] < 0 < data["points"][0][1]
    assert all(0 < x < 0.2 for x in data["points"][1])
    page.page.click("#step")
    assert "points=" in page.page.url
    assert page.get("steps") == 1
    page.page.locator("#tool-remove").check()
    page.page.locator("#points").click(position={"x": 60, "y": 60})
    assert page.get("data.labels") == [1]
    page.page.click("#clear")
    assert page.get("data.labels") == []


def test_a_screen_reader_hears_names_roles_and_values(opened):
    page = opened("#layers=3&steps=2")
    for role, name in (
        ("button", "Play"), ("button", "One step"), ("button", "Reset"), ("combobox", "Loss"),
        ("combobox", "Activation of layer 1"), ("slider", "Noise"), ("spinbutton", "Seed"),
        ("radio", "moons"), ("button", "Add a neuron to layer 1"), ("radio", "Classification"),
    ):  # fmt: skip
        assert page.page.get_by_role(role, name=name).count() == 1, name
    node = page.page.locator(".node[data-name='layers.0.neurons.2']")
    assert "Layer 1, neuron 3: " in node.get_attribute("aria-label")
    assert "after epoch 2: 0." in page.page.get_attribute("#loss-curve", "aria-label")
    unnamed = page.page.eval_on_selector_all(
        "button, input, select, canvas:not([aria-hidden])",
        "all => all.filter(e => !e.getAttribute('aria-label') && !e.textContent.trim() && "
        "!(e.labels && e.labels.length)).map(e => e.outerHTML)",
    )
    assert unnamed == []


def test_the_gradient_of_a_weight_is_derived_for_the_sample_under_the_pointer(opened):
    page = opened("#layers=3,2&activation=sigmoid&steps=5&show=layers.0.neurons.1.w.0")
    place = page.get("names").index("layers.0.neurons.1.w.0")
    for sample in (3, 8):
        box = page.page.locator("#points").bounding_box()
        x, y = page.page.evaluate(f"app.plane.toScreen(...app.experiment.at({sample}))")
        page.page.mouse.move(box["x"] + x, box["y"] + y)
        chosen = page.get("settings.sample")
        gradient = page.page.evaluate(f"playground.gradient([{chosen}])")[place]
        d = page.page.evaluate("app.experiment.network.layers[0].d[1]")
        x = page.get(f"data.points[{chosen}][0]")
        assert d * x == gradient
        shown = ["∂L∂w21(1)", "∂L∂z2(1)·∂z2(1)∂w21(1)", "δ2(1)·x1", f"{mark(d)}·{mark(x)}"]
        assert "=".join([*shown, mark(gradient).strip("()")]) in page.text_of("#explanation")


def mark(x):
    """A number as the page shows it in a product."""
    size = abs(x)
    text = f"{size:.2e}" if size < 1e-3 else f"{float(f'{size:.4g}'):g}"
    if "e" in text:
        digits, exponent = text.split("e")
        text = f"{digits}×10{int(exponent)}".replace("-", "−")
    return f"(−{text})" if x < 0 else text


def test_the_picture_of_a_neuron_is_large_while_the_pointer_is_over_it(opened):
    page = opened("#layers=2&steps=20")
    look = "document.getElementById('heat').toDataURL()"
    before = page.page.evaluate(look)
    page.page.locator(".node[data-name='layers.0.neurons.1']").hover()
    assert page.page.evaluate(look) != before
    page.page.mouse.move(5, 5)
    assert page.page.evaluate(look) == before


def test_regions_have_one_colour_and_samples_of_the_test_are_hidden_if_the_reader_wants(opened):
    page = opened("#steps=30&data=circles")
    colors = "new Set(document.getElementById('heat').pixels).size"
    drawn = "document.getElementById('points').toDataURL()"
    assert page.page.evaluate(colors) > 20
    page.page.check("#flat")
    assert page.page.evaluate(colors) == 2
    page.change(data="blobs", classes=4)
    page.page.evaluate("playground.step(60)")
    assert page.page.evaluate(colors) == 4
    with_tests = page.page.evaluate(drawn)
    page.page.uncheck("#tests")
    assert page.page.evaluate(drawn) != with_tests
    k = page.get("data.test")[0]
    page.page.evaluate(f"app.plane.click(...app.experiment.at({k}))")
    assert page.get("settings.sample") in page.get("data.train")
    page.page.select_option("#speed", "step")
    for part in ("flat=1", "tests=0", "speed=step", "steps=60"):
        assert part in page.page.url
    assert opened(f"#{page.page.url.split('#')[1]}").page.is_checked("#flat")


def test_a_click_into_the_valley_begins_there(opened):
    page = opened("#kind=regression&steps=5")
    box = page.page.locator("#valley").bounding_box()
    page.page.locator("#valley").click(position={"x": box["width"] / 4, "y": box["height"] / 2})
    w, b = page.get("parameters")
    assert page.get("steps") == 0
    page.page.click("#step")
    assert math.dist(page.get("parameters"), (2, 0)) < math.dist((w, b), (2, 0))


def test_one_sample_walks_forwards_and_back(opened):
    page = opened("#layers=3,2&sample=4")
    told = []
    for _ in range(8):
        page.page.click("#walk-next")
        told.append(page.text_of("#walk-text"))
    assert page.page.locator("#walk-next").is_disabled()
    assert [text.split(":")[0].split(".")[0] for text in told] == [
        "The inputs of sample 5", "Forwards, layer 1", "Forwards, layer 2", "Forwards, layer 3",
        "The prediction is compared with the target", "Backwards, layer 3", "Backwards, layer 2",
        "Backwards, layer 1",
    ]  # fmt: skip
    values = page.page.locator(".node .value").all_text_contents()
    assert len(values) == 8
    assert all(values)
    assert sum(map(bool, page.page.locator(".node .gradient").all_text_contents())) == 6


def test_the_language_is_switched_in_place(opened):
    page = opened("#layers=3&steps=3&show=layers.0.neurons.0")
    before = page.get("parameters")
    page.page.click("#language")
    assert page.page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert page.text_of("#explanation-title") == "第 1 层第 1 个神经元"
    assert page.get("parameters") == before
    assert page.page.url.endswith("&lang=zh")
    body = page.text_of("body").split("{")[0]
    assert "undefined" not in body


def test_the_page_says_how_many_samples_there_are_of_data_that_were_given(opened):
    page = opened(data=([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["a", "b", "a"]))
    assert page.text_of("#samples-value") == "3"
    page.change(data="moons")
    assert page.text_of("#samples-value") == str(page.get("settings.samples"))


def test_hostile_labels_are_shown_and_never_run(opened):
    X = [[i / 7, (i * 3 % 5) / 5] for i in range(20)]
    names = HOSTILE[3:8]
    page = opened(data=(X, [names[i % 5] for i in range(20)]), title="<img src=x onerror=alert(1)>",
                  layers=[2])  # fmt: skip
    assert page.text("h1") == "<img src=x onerror=alert(1)>"
    assert set(page.page.locator("#legend span").all_text_contents()) == set(names)
    page.page.locator(".node[data-name='layers.0.neurons.0']").click()
    assert page.page.evaluate("document.querySelectorAll('img, iframe, a, script').length") == 2


@pytest.mark.parametrize("width", [390, 700, 1200])
@pytest.mark.parametrize(
    "address",
    [
        "#layers=8,8&show=layers.0.neurons.1.w.1",
        "#kind=regression&layers=4&show=layers.0.neurons.0",
    ],
)
def test_no_page_is_wider_than_the_window(opened, width, address):
    page = opened(address, options={"viewport": {"width": width, "height": 800}})
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_address_hides_what_a_teacher_does_not_want_to_be_changed(opened):
    page = opened("#hide=rate,data,python,title&seed=3").page
    for name in ("#rate", "#data-part", "#python", "#title"):
        assert not page.locator(name).is_visible()
    for name in ("#optimizer", "#network-part", "#play"):
        assert page.locator(name).is_visible()
    page.click("#step")
    page.wait_for_function("location.hash.includes('steps=1')")
    assert "hide=rate,data,python,title" in page.url


@pytest.mark.parametrize("hidden", ["bar", "play,step,reset"])
def test_keys_do_not_reach_what_the_address_hides(opened, hidden):
    page = opened(f"#hide={hidden}")
    for key in ("ArrowRight", " ", "ArrowRight"):
        page.page.keyboard.press(key)
    page.page.wait_for_timeout(300)
    assert page.get("steps") == 0
    assert not page.page.locator("[data-say=keys]").is_visible()
    page.page.evaluate("location.hash = '#hide=reset'")
    page.page.wait_for_function("document.getElementById('play').offsetWidth")
    page.page.keyboard.press("ArrowRight")
    assert page.get("steps") == 1
    page.page.keyboard.press("r")
    assert page.get("steps") == 1


def test_hidden_layers_and_activations_have_no_controls_in_the_diagram(opened):
    page = opened("#hide=layers,activation&layers=4,2").page
    controls = page.locator(".stepper button, .column select, #activation").filter(visible=True)
    assert controls.count() == 0
    page.click("#step")
    page.click("#language")  # which makes the diagram again
    assert controls.count() == 0
    page.evaluate("location.hash = '#hide=lines,diagram&layers=4,2'")  # names of no part
    page.wait_for_function("!location.hash.includes('activation')")
    assert page.locator("#diagram").is_visible()
    assert controls.count() > 8
