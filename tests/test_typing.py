"""Types of results: what `mypy --strict` knows in a script of a user is what they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")

from micrograd import Value  # noqa: E402

ROOT = Path(__file__).parent.parent
SCRIPT = """
import math

import numpy as np
from numpy.typing import NDArray

import micrograd as mg
from micrograd import Value, derivative, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

def square(x: Value) -> Value:
    return x * x

def product(x: Value, y: Value) -> Value:
    return x * y

def loss(w: list[Value], scale: float = 1.0) -> Value:
    return mg.norm(w) * scale

def squares(x: list[Value]) -> list[Value]:
    return [mg.square(each) for each in x]

def scaled(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 2.0 * x

def with_aux(x: Value) -> tuple[Value, list[Value]]:
    return x * x, [x]

@mg.custom_derivative(vjp=lambda args, x, g: (g / (2 * x),))
def root(x: float) -> float:
    return math.sqrt(x)

array: NDArray[np.float64] = np.ones(3)
v = Value(1.0)
parameters = {"w": [1.0], "b": [2.0]}
swish = mg.define("swish_typed", "x * sigmoid(x)", ["sigmoid(x) + out * (1 - sigmoid(x))"])
"""
REVEALED = {
    # A gradient has the type of the argument.
    "grad(square)(2.0)": "float",
    "grad(square)(2)": "float",
    "grad(square)(v)": "Value",
    "grad(grad(square))(2.0)": "float",
    "grad(loss)([1.0, 2.0], scale=2.0)": "list[float]",
    "grad(lambda x: x**3)(2.0)": "float",
    'grad(lambda p: p["w"][0])(parameters)': "dict[str, list[float]]",
    "grad(lambda w: w @ w)(array)": "NDArray[float64]",
    "grad(product, argnums=1)(1.0, 2.0)": "float",
    "grad(lambda x, y: x[0] * y[0], 1)(array, [2.0])": "list[float]",
    "grad(lambda x, y: x[0] * y, (0, 1))([1.0], 2)": "tuple[list[float], float]",
    "grad(product, argnums=range(2))(1.0, 2.0)": "tuple[float, ...]",
    "grad(mg.tanh)(1.0)": "float",
    "grad(with_aux, has_aux=True)(1.0)": "tuple[Any, Any]",
    "jvp(with_aux, (1.0,), (1.0,), has_aux=True)": "tuple[Any, Any, Any]",
    "value_and_grad(square)(2.0)": "tuple[float, float]",
    "value_and_grad(square)(v)": "tuple[Value, Value]",
    "value_and_grad(loss)([1.0, 2.0])": "tuple[float, list[float]]",
    "value_and_grad(lambda w: w @ w)(array)": "tuple[float, NDArray[float64]]",
    "value_and_grad(product, (0, 1))(2.0, 3.0)": "tuple[float, tuple[float, float]]",
    "hvp(loss, [2.0, 3.0], [1.0, 0.0])": "list[float]",
    "derivative(square(v), v)": "Value",
    "derivative(square(v), [v])": "list[Value]",
    # A product with the Jacobian has the structure of the result.
    "jvp(product, (2.0, 3.0), (1.0, 0.0))": "tuple[float, float]",
    "jvp(product, (v, v), (1.0, 0.0))": "tuple[Value, Value]",
    "jvp(squares, ([2.0, 3.0],), ([1.0, 0.0],))": "tuple[list[float], list[float]]",
    "vjp(product, 2.0, 3.0)[0]": "float",
    "vjp(product, 2.0, 3.0)[1](1)": "tuple[float, float]",
    "vjp(squares, [2.0])[1]([1.0])": "tuple[list[float]]",
    "jvp(scaled, (array,), (array,))": "tuple[NDArray[Any], NDArray[Any]]",
    "vjp(scaled, array)[0]": "NDArray[Any]",
    "vjp(scaled, array)[1](array)": "tuple[NDArray[float64]]",
    "mg.linearize(scaled, array)[1](array)": "NDArray[Any]",
    "mg.linearize(product, 2, 3)[1](1, 0)": "float",
    # A Jacobian is an array.
    "jacobian(squares)([2.0, 3.0])": "NDArray[float64]",
    "jacobian(square)(2.0)": "NDArray[float64]",
    "jacobian(squares)([v])": "NDArray[object_]",
    "mg.jacfwd(squares)(array)": "NDArray[float64]",
    "mg.jacrev(squares)(array)": "NDArray[float64]",
    "mg.value_and_jacobian(squares)([2.0])": "tuple[list[float], NDArray[float64]]",
    "jacobian(scaled)(array)": "NDArray[float64]",
    "mg.value_and_jacobian(scaled)(array)": "tuple[NDArray[Any], NDArray[float64]]",
    "hessian(loss)([2.0, 3.0])": "NDArray[float64]",
    "hessian(lambda x: x[0] * x[1])([2.0, 3.0])": "NDArray[float64]",
    "mg.taylor(square, 0.0, 3)": "list[float]",
    "mg.taylor(square, 0.0, 3, directions=[1, 2])": "list[list[float]]",
    "mg.taylor(squares, [0.0], 3, direction=[1.0])": "list[list[float]]",
    # Operations: numbers give a number, a Value a Value, and an array an array.
    "swish(1.0)": "float",
    "swish(v)": "Value",
    "swish(array)": "NDArray[Any]",
    "root(2.0)": "float",
    "root(v)": "Value",
    "mg.relu(array)": "NDArray[Any]",
    "mg.exp([1.0])": "NDArray[Any]",
    "mg.maximum(array, 0)": "NDArray[Any]",
    "mg.where(v, 2, 3.0)": "Value",
    "mg.softmax([1.0, 2.0])": "list[float]",
    "mg.softmax((1, 2))": "list[float]",
    "mg.softmax([v, v])": "list[Value]",
    "mg.log_softmax(array)": "NDArray[Any]",
    "mg.softmax([[1.0, 2.0]])": "NDArray[Any]",
    "mg.norm([1, 2])": "float",
    "mg.norm([v, v])": "Value",
    "mg.norm(array)": "float",
    "mg.mean([[1.0, 2.0]])": "float",
    "mg.var(squares([v, v]), ddof=1)": "Value",
    "mg.dot(array, [1.0, 2.0, 3.0])": "float",
    "mg.dot([v], [1.0])": "Value",
    # A program gives numbers.
    "mg.compile(square)(2.0)": "float",
    "mg.compile(squares)([2.0])": "list[float]",
    "mg.compile(square, batched=True)(array)": "NDArray[Any]",
    "mg.compile(square, [], batched=True, backend='numpy')([1.0])": "NDArray[Any]",
    "mg.compile(scaled)(array)": "NDArray[Any]",
    "mg.compile(lambda x: x, [], False, 'numpy')(2.0)": "Any",
    "mg.compile(square).value_and_grad(2.0)": "tuple[float, Any]",
    "mg.compile(product, [v]).value_and_grad(v.data, 2.0)": "tuple[float, NDArray[Any]]",
    "mg.compile(square, batched=True).value_and_grad(array)": "tuple[NDArray[Any], Any]",
    "mg.compile(square, [v], batched=True).value_and_grad(array)": "tuple[float, NDArray[Any]]",
    "mg.compile(square, [v], True).value_and_grad(array)": "tuple[float, NDArray[Any]]",
    "mg.compile(lambda x: x).value_and_grad(2.0)": "tuple[Any, Any]",
    "mg.compile(square).value_and_grad(2.0, argnums=0)": "tuple[Any, Any]",
    "mg.compile(square, {'a': v}).value_and_grad(2.0)": "tuple[Any, Any]",
    "mg.compile(square).hvp(2.0, 1.0)": "float",
    "mg.compile(batched=True)(square)(array)": "Any",
    "mg.compile(square, limit=100, in_axes=0)(2.0)": "float",
    "mg.compile(loss).hvp([2.0], [1.0])": "list[float]",
    "mg.compile(square).jvp((2.0,), (1.0,))": "tuple[float, float]",
    "mg.compile(squares).vjp([2.0])[0]": "list[float]",
    "mg.compile(squares).value_and_jacobian([2.0])": "tuple[list[float], Any]",
}
ACCEPTED = (
    "from collections.abc import Callable",
    "of_number: Callable[[float], float] = grad(square)",
    "of_list: Callable[[list[float]], list[float]] = grad(loss)",
    "of_array: Callable[[NDArray[np.float64]], NDArray[np.float64]] = mg.relu",
)
REFUSED = {
    "grad(squares)": "a gradient of several numbers",
    "hvp(squares, [1.0], [1.0])": "a gradient of several numbers",
    "value_and_grad(squares)": "a gradient of several numbers",
    'mg.softmax("scores")': "text",
    'swish("1.0")': "text",
    "grad(square)(x=1.0)": "the argument by its name, which is not differentiated",
}


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """What mypy says about each line of `REVEALED`, `ACCEPTED` and `REFUSED`, after the script."""
    api = pytest.importorskip("mypy.api", reason="pip install mypy")
    folder = tmp_path_factory.mktemp("typing")
    revealed = [f"reveal_type({expression})" for expression in REVEALED]
    lines = [*SCRIPT.splitlines(), *revealed, *ACCEPTED, *REFUSED]
    (folder / "script.py").write_text("\n".join(lines) + "\n")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MYPYPATH", str(ROOT))
        told, failures, _ = api.run(["script.py"])
    assert not failures
    found = {line: [] for line in lines}
    for number, message in re.findall(r"^script\.py:(\d+): (.*)$", told, re.MULTILINE):
        found[lines[int(number) - 1]].append(message)
    return found


def shortened(message):
    kind = message.removeprefix('note: Revealed type is "').removesuffix('"')
    kind = re.sub(r"numpy\.ndarray\[.*?, numpy\.dtype\[(?:numpy\.)?(\w+)\]\]", r"NDArray[\1]", kind)
    return kind.replace("micrograd.engine.value.", "").replace("builtins.", "")


@pytest.mark.exhaustive
def test_results_have_these_types_for_a_type_checker(messages):
    revealed = {each: messages[f"reveal_type({each})"] for each in REVEALED}
    found = {each: " ".join(map(shortened, told)) for each, told in revealed.items()}
    assert found == REVEALED


@pytest.mark.exhaustive
def test_a_script_without_a_mistake_is_accepted(messages):
    assert {
        line: messages[line] for line in (*SCRIPT.splitlines(), *ACCEPTED) if messages[line]
    } == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_work_is_refused_before_it_runs(line, messages):
    assert any(message.startswith("error: ") for message in messages[line])


@pytest.fixture
def names():
    """The names of the script after it has run."""
    found = {}
    exec(SCRIPT, found)
    return found


def is_of(thing, kind):
    """Whether a result is of a type as `REVEALED` writes it."""
    name, _, inner = kind.removesuffix("]").partition("[")
    parts = re.findall(r"(?:[^,\[]|\[.*?\]+)+", inner)
    parts = [part.strip() for part in parts]
    if name == "NDArray":
        return isinstance(thing, np.ndarray) and inner in ("Any", thing.dtype.type.__name__)
    if name == "dict":
        return type(thing) is dict and all(is_of(each, parts[1]) for each in thing.values())
    if name == "list":
        return type(thing) is list and all(is_of(each, parts[0]) for each in thing)
    if name == "tuple":
        parts = parts[:1] * len(thing) if parts[1:] == ["..."] else parts
        return type(thing) is tuple and len(thing) == len(parts) and all(map(is_of, thing, parts))
    return name == "Any" or type(thing) is {"float": float, "Value": Value}[name]


@pytest.mark.slow
@pytest.mark.parametrize("expression", REVEALED)
def test_results_have_these_types_when_the_script_runs(expression, names):
    assert is_of(eval(expression, names), REVEALED[expression])
