"""The numbers of a live page are those of the engine, however the page is driven."""

import math
import random

import pytest

import micrograd
from micrograd import Value, define, live_page, relu, where
from micrograd.engine.definitions import VOCABULARY
from micrograd.live.story import Story
from micrograd.ops import TABLE
from tests.drawing.test_labels import HOSTILE
from tests.export.common import NAMES, ulps
from tests.live.conftest import expected

pytestmark = pytest.mark.slow


def assert_same(found, wanted, most=8):
    assert found.keys() == wanted.keys()
    for name, pair in wanted.items():
        for one, other in zip(found[name], pair, strict=True):
            assert ulps(one, other) <= most or math.isclose(one, other, rel_tol=1e-13), (
                name,
                one,
                other,
            )


def neuron(w=-0.5, x=2.0, b=0.3, y=1.0):
    w, x, b, y = (Value(n, label=label) for n, label in ((w, "w"), (x, "x"), (b, "b"), (y, "y")))
    z = w * x + b
    h = z.tanh()
    loss = (h - y) ** 2
    z.label, h.label, loss.label = "z", "h", "L"
    return loss


def test_the_page_opens_with_the_numbers_of_the_graph_and_follows_addresses_and_typing(live):
    page = live(neuron())
    assert_same(page.numbers(), expected(neuron()))
    page.go("#w=-2&x=1e-3&b=1e+2")
    assert_same(page.numbers(), expected(neuron(-2.0, 1e-3, 100.0)))
    page.type("w", "0.1")
    assert_same(page.numbers(), expected(neuron(0.1, 1e-3, 100.0)))
    for text, number in (
        ("inf", math.inf),
        ("−∞", -math.inf),
        ("nan", math.nan),
        (" 1e300 ", 1e300),
        ("－１．５", -1.5),
        ("-1e400", -math.inf),
    ):
        page.type("x", text)
        assert_same(page.numbers(), expected(neuron(0.1, number, 100.0)))


def test_what_is_not_a_number_changes_nothing_and_is_marked(live):
    page = live(neuron())
    page.type("w", "two")
    assert_same(page.numbers(), expected(neuron()))
    assert page.page.locator('[data-number="w"]').get_attribute("aria-invalid") == "true"
    page.type("w", "2")
    assert page.page.locator('[data-number="w"]').get_attribute("aria-invalid") == "false"
    assert_same(page.numbers(), expected(neuron(2.0)))


def test_the_sign_of_a_zero_is_kept(live):
    page = live(neuron())
    page.type("w", "-0")
    page.until("location.hash.includes('w=-0')")
    assert math.copysign(1.0, page.numbers()["w"][0]) == -1.0
    x = Value(1.0, label="x")
    page = live(1 / x, "#x=-0")
    assert page.numbers()["x"] == (0.0, -math.inf)
    assert page.numbers().popitem()[1][0] == -math.inf


def test_a_slider_moves_with_the_keys_and_every_number_follows(live):
    page = live(neuron())
    page.slider("w").focus()
    for _ in range(5):
        page.page.keyboard.press("ArrowRight")
    w = page.numbers()["w"][0]
    assert w > -0.5
    assert w == float(page.slider("w").input_value())
    assert_same(page.numbers(), expected(neuron(w)))


def test_the_address_keeps_what_was_set(live):
    page = live(neuron(), "#b=2")
    page.type("w", "0.7")
    page.until("location.hash.includes('w=0.7')")
    address = page.page.evaluate("location.hash")
    assert_same(live(neuron(), address).numbers(), expected(neuron(0.7, 2.0, 2.0)))


def test_the_address_keeps_names_with_spaces_and_signs(live):
    def product(numbers):
        names = ("learning rate", "a+b=c", "50 % & 权重")
        leaves = [Value(x, label=name) for x, name in zip(numbers, names, strict=True)]
        out = leaves[0] * leaves[1] * leaves[2]
        out.label = "L"
        return out

    page = live(product([1.0, 2.0, 3.0]))
    for name, text in (("learning rate", "1e+20"), ("a+b=c", "-4"), ("50 % & 权重", "5")):
        page.type(name, text)
    page.until("location.hash.includes('=5')")
    address = page.page.evaluate("location.hash")
    page.page.goto("about:blank")
    page.page.goto(f"file://{page.path}{address}")
    assert_same(page.numbers(), expected(product([1e20, -4.0, 5.0])))


def of_row(row, numbers):
    """An operation of leaves, which are called p0, p1 and p2, times a number."""
    given = [
        number if i in row.constants else Value(number, label=f"p{i}")
        for i, number in enumerate(numbers)
    ]
    out = VOCABULARY[row.name](*given)
    result = out * 1.5
    out.label, result.label = "q", "L"
    return result


@pytest.mark.parametrize("part", range(8))
def test_every_operation_of_the_table_at_easy_points_kinks_and_infinities(live, part):
    page = live(neuron())
    special = [0.0, 1.0, -1.0, 3.0, math.inf, -math.inf, math.nan]
    for name in NAMES[part::8]:
        row, rng = TABLE[name], random.Random(name)
        first = [1.0 if i in row.constants else 0.75 for i in range(row.arity)]
        page.show(of_row(row, first))
        for turn in range(7):
            drawn = [rng.choice(special) if turn < 5 else rng.uniform(-3, 3) for _ in first]
            numbers = [first[i] if i in row.constants else x for i, x in enumerate(drawn)]
            page.go("#" + "&".join(f"p{i}={n!r}" for i, n in enumerate(numbers)))
            assert_same(page.numbers(), expected(of_row(row, numbers)))


def random_graph(seed, numbers):
    """A graph of random operations on five leaves, some of whose values have names."""
    rng = random.Random(seed)
    values = [Value(n, label=f"a{i}") for i, n in enumerate(numbers)]
    leaves = list(values)
    for i in range(14):
        x, y = rng.choice(values), rng.choice(values)
        made = rng.choice(
            [
                lambda x, y: x * y,
                lambda x, y: x + 0.5 * y,
                lambda x, y: x - y,
                lambda x, y: x / (1 + y * y),
                lambda x, y: x.tanh(),
                lambda x, y: relu(x),
                lambda x, y: where(x > y, x, y * 2),
                lambda x, y: micrograd.maximum(x, y),
                lambda x, y: (x * 0.1).exp(),
                lambda x, y: micrograd.sigmoid(x) ** 2,
            ]
        )(x, y)
        if rng.random() < 0.4:
            made.label = f"m{i}"
        values.append(made)
    total = sum((v for v in values[5:]), Value(0.0, label="zero"))
    for leaf in leaves:
        total = total + leaf * 0.01
    total.label = "L"
    return total


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_at_random_numbers(live, seed):
    rng = random.Random(seed + 1000)
    numbers = [rng.uniform(-2, 2) for _ in range(5)]
    page = live(random_graph(seed, numbers))
    for _ in range(4):
        names = expected(random_graph(seed, numbers))
        found = page.numbers()
        assert found.keys() == names.keys()
        for name, pair in names.items():
            assert found[name] == pytest.approx(pair, rel=1e-11, abs=1e-12), name
        numbers = [rng.choice([0.0, 1.0, rng.uniform(-2, 2)]) for _ in range(5)]
        page.go("#" + "&".join(f"a{i}={n!r}" for i, n in enumerate(numbers)))


@pytest.mark.parametrize("seed", range(4))
def test_what_flows_into_a_value_adds_up_to_its_gradient(live, seed):
    page = live(random_graph(seed, [0.5, -1.0, 1.5, 0.0, 2.0]))
    flows, gradients = {}, page.numbers()
    for tail, head, slope, flow in page.page.evaluate(
        """() => edges.map((edge) => [values[edge.tail].name, values[edge.head].name,
        Number(edge.group.dataset.slope), Number(edge.group.dataset.flow)])"""
    ):
        assert flow == pytest.approx(gradients[head][1] * slope, rel=1e-14)
        flows[tail] = flows.get(tail, 0.0) + flow
    assert flows.keys() == gradients.keys() - {"L"}
    for name, flow in flows.items():
        assert flow == pytest.approx(gradients[name][1], rel=1e-11, abs=1e-12), name


def test_zero_times_infinity_stops_what_flows(live):
    x = Value(0.0, label="x")
    root = x.sqrt()
    root.label = "r"
    out = where(x > 0, root, 0.0)
    out.label = "L"
    page = live(out)
    assert page.numbers()["x"] == (0.0, 0.0)
    assert page.page.locator('g.edge[data-slope="inf"]').get_attribute("data-flow") == "0"


def test_rows_that_users_define(live):
    define("story", "x ** 3 - x", ["3 * x ** 2 - 1"])
    define("update", "story(x) * x", ["story(x) + x * (3 * x ** 2 - 1)"])

    def graph(x):
        x = Value(x, label="x")
        out = x.story() + x.update().tanh()
        out.label = "L"
        return out

    page = live(graph(0.5))
    page.go("#x=-1.25")
    assert_same(page.numbers(), expected(graph(-1.25)))


def test_hostile_names_are_text(live):
    out = Value(0.0, label="zero")
    for i, label in enumerate(HOSTILE):
        out = out + Value(0.1 * i, label=label) * 2
    page = live(out)
    shown = {name: value.data for value, name in Story(out).names.items()}
    assert len(shown) > len(HOSTILE)
    assert {name: value for name, (value, _) in page.numbers().items()} == shown


def test_names_of_settings_may_be_names_of_values(live):
    steps, rate = Value(2.0, label="steps"), Value(3.0, label="rate")
    page = live(steps * rate, "#steps=5&rate=-1")
    assert page.numbers()["steps"] == (5.0, -1.0)


# ------------------------------------------------------------------------------------- descent


def descent(loss, names, rate, steps, **numbers):
    """The numbers after steps of descent, by the engine."""
    for _ in range(steps):
        out = loss(**numbers)
        gradients = expected(out)
        for name in names:
            numbers[name] -= rate * gradients[name][1]
    return numbers


def test_steps_in_the_address_and_by_the_button_are_those_of_the_engine(live):
    page = live(neuron(), "#w=-2&steps=100&rate=0.05", learn=["w", "b"])
    found = page.numbers()
    reached = descent(neuron, ["w", "b"], 0.05, 100, w=-2.0, x=2.0, b=0.3, y=1.0)
    for name, pair in expected(neuron(**reached)).items():
        assert found[name] == pytest.approx(pair, rel=1e-12), name
    page.page.click("#step")
    page.page.click("#step")
    reached = descent(neuron, ["w", "b"], 0.05, 2, **reached)
    assert page.numbers()["w"][0] == pytest.approx(reached["w"], rel=1e-12)
    assert page.page.locator("#taken").get_attribute("data-steps") == "102"
    page.page.click("#reset")
    assert page.numbers()["w"][0] == -2.0
    assert page.page.locator("#taken").get_attribute("data-steps") == "0"


def test_descent_runs_and_pauses(live):
    page = live(neuron(), learn="w")
    page.page.click("#run")
    page.until("Number(document.getElementById('taken').dataset.steps) > 5")
    page.page.click("#run")
    steps = int(page.page.locator("#taken").get_attribute("data-steps"))
    reached = descent(neuron, ["w"], 0.1, steps, w=-0.5, x=2.0, b=0.3, y=1.0)
    assert page.numbers()["w"][0] == pytest.approx(reached["w"], rel=1e-11)
    assert page.page.locator("#hills .path").count() == 1


def line(w=0.5, b=0.0, x=0.0, y=0.0):
    w, b, x, y = (Value(n, label=label) for n, label in ((w, "w"), (b, "b"), (x, "x"), (y, "y")))
    loss = (w * x + b - y) ** 2
    loss.label = "L"
    return loss


X, Y = [1.0, 2.0, 3.0, 4.5], [2.1, 3.9, 6.2, 9.0]


def mean_loss(w, b):
    w, b = Value(w, label="w"), Value(b, label="b")
    out = sum((w * x + b - y) ** 2 for x, y in zip(X, Y, strict=True)) / len(X)
    out.label = "L"
    return out


def test_samples_at_once_give_the_mean_loss_and_descend_on_it(live):
    page = live(line(), data={"x": X, "y": Y})
    for name, pair in expected(mean_loss(0.5, 0.0)).items():
        if name in ("w", "b", "L"):
            assert page.numbers()[name] == pytest.approx(pair, rel=1e-13)
    edges = page.page.evaluate(
        """() => edges.map(({ tail, group: { dataset: d } }) =>
        [values[tail].name, Number(d.slope), Number(d.flow)])"""
    )
    for name, slope, flow in edges:  # all lead straight to the loss
        assert slope == flow == pytest.approx(page.numbers()[name][1], rel=1e-13)
    page.go("#steps=40&rate=0.03")
    reached = descent(mean_loss, ["w", "b"], 0.03, 40, w=0.5, b=0.0)
    assert page.numbers()["w"][0] == pytest.approx(reached["w"], rel=1e-12)
    assert page.numbers()["L"][0] == pytest.approx(mean_loss(**reached).data, rel=1e-12)


def test_a_sample_is_chosen_by_the_address_and_in_the_list(live):
    page = live(line(), "#sample=3", data=[{"x": x, "y": y} for x, y in zip(X, Y, strict=True)])
    assert_same(page.numbers(), expected(line(x=X[2], y=Y[2])))
    page.page.select_option("#sample", "0")
    assert_same(page.numbers(), expected(line(x=X[0], y=Y[0])))
    page.type("x", "7")  # a number of the reader's own
    assert_same(page.numbers(), expected(line(x=7.0, y=Y[0])))


def test_operations_of_python_functions_are_an_error():
    define("by_python", lambda x: x * 2, ["2"])
    x = Value(1.0, label="x")
    with pytest.raises(NotImplementedError, match="by_python"):
        live_page(x.by_python())
