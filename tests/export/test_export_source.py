"""The code that `export_source` writes compiles, runs, and computes what the engine computes."""

import json
import math
import random
import re

import pytest

import micrograd
from micrograd import Value, define, derivative, export_source, value_and_grad
from micrograd.engine.graph import is_leaf, order
from micrograd.engine.value import apply
from micrograd.ops import TABLE
from nn import MLP
from tests.export.common import (
    C_OPTIONS,
    CC,
    CODING,
    NAMES,
    NODE,
    decoded,
    needs_cc,
    needs_node,
    points,
    run,
    ulps,
)

LANGUAGES = [
    "python",
    pytest.param("javascript", marks=needs_node),
    pytest.param("c", marks=needs_cc),
]
C_NUMBERS = {"inf": "INFINITY", "-inf": "-INFINITY", "nan": "NAN"}
MAIN = """
#include <stdio.h>
int main(void) {{
    double gradient[{size}];
    {calls}
    return 0;
}}
"""


def flat(thing):
    return [x for each in thing for x in flat(each)] if isinstance(thing, list) else [thing]


def called_in_python(source, name, calls):
    scope = {}
    exec(compile(source, "exported.py", "exec"), scope)
    return [[value, *flat(gradient)] for value, gradient in (scope[name](*at) for at in calls)]


def called_in_node(source, name, calls):
    each = f"(at) => {{ const {{ value, gradient }} = {name}(...at); "
    each += "return [value, ...gradient.flat(9)]; }"
    end = f"{CODING}\nconsole.log(encoded({json.dumps(calls)}.map({each})));"
    return decoded(run(NODE, "-", input=f"{source}\n{{ {end} }}"))


def called_in_c(source, name, calls, folder):
    lines = []
    for at in calls:
        texts = []
        for each in at:
            numbers = [C_NUMBERS.get(repr(x), repr(x)) for x in map(float, flat(each))]
            is_list = isinstance(each, list)
            texts.append(f"(const double[]){{{', '.join(numbers)}}}" if is_list else numbers[0])
        size = len(flat(list(at)))
        lines.append(f'printf("%.17g", {name}({", ".join([*texts, "gradient"])}));')
        lines.append(f'for (int i = 0; i < {size}; i++) printf(" %.17g", gradient[i]);')
        lines.append('printf("\\n");')
    size = max(1, max(len(flat(list(at))) for at in calls))
    (folder / "f.c").write_text(source + MAIN.format(size=size, calls="\n    ".join(lines)))
    level = "-O0" if len(source) > 100_000 else "-O1"  # the optimizer takes half a minute
    run(CC, *C_OPTIONS, level, "-o", str(folder / "f"), str(folder / "f.c"), "-lm")
    return [[float(x) for x in line.split()] for line in run(str(folder / "f")).splitlines()]


def called(language, source, calls, folder, name="f"):
    """The value and the flat gradient at each point, by the exported code."""
    if language == "python":
        return called_in_python(source, name, calls)
    if language == "javascript":
        return called_in_node(source, name, calls)
    return called_in_c(source, name, calls, folder)


def by_engine(function, calls):
    places = range(len(calls[0]))
    found = []
    for at in calls:
        value, gradient = value_and_grad(function, argnums=tuple(places))(*at)
        found.append([value, *flat(list(gradient))])
    return found


# ------------------------------------------------------------------------------------ all rows


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_row_in_python_is_that_of_the_engine_to_the_last_bit(name):
    row, calls = TABLE[name], points(TABLE[name])
    values = [Value(0.5, label=x) for x in row.operands]
    found = called_in_python(export_source(apply(row, *values), "python"), "f", calls)
    for at, numbers in zip(calls, found, strict=True):
        value, partials = row.evaluate(*at)
        expected = [value, *(partial or 0.0 for partial in partials)]
        assert [ulps(a, b) for a, b in zip(numbers, expected, strict=True)] == [0] * len(numbers), (
            at
        )


# ----------------------------------------------------------------------------------- expressions


def tricky(x, y):
    """Shared parts, powers, a branch that is not taken, a tie, and zero times infinity."""
    a = micrograd.where(x > 0, x.log() if isinstance(x, Value) else micrograd.log(x), 0.0 * x)
    shared = micrograd.tanh(x * y + 0.5)
    return a * y + shared * shared + micrograd.maximum(x, y) ** 3 / (1 + abs(y)) + x**-2.0 % 0.75


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_function_computes_what_the_engine_does_at_ordinary_and_special_numbers(
    language, tmp_path
):
    numbers = [0.0, -0.0, 1.0, 0.3, -1.7, 2.5, math.inf, -math.inf, math.nan]
    calls = [(x, y) for x in numbers for y in numbers]
    found = called(language, export_source(tricky, language), calls, tmp_path, "tricky")
    for at, one, other in zip(calls, found, by_engine(tricky, calls), strict=True):
        for a, b in zip(one, other, strict=True):
            close = math.isfinite(b) and abs(a - b) <= 1e-14 * (1 + abs(b))
            assert ulps(a, b) <= 4 or close, (at, a, b)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "exponent", [-3.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0, 7.5, 8.0, 9.0, math.inf]
)
def test_constant_powers_are_those_of_the_engine_at_every_base(exponent, language, tmp_path):
    numbers = [0.0, -0.0, 0.7, -1.3, 1.0, -1.0, 1e-200, 1e200, math.inf, -math.inf, math.nan]
    calls = [(x,) for x in numbers]
    source = export_source(Value(0.5, label="x") ** exponent, language)
    for (x,), found in zip(calls, called(language, source, calls, tmp_path), strict=True):
        value, partials = TABLE["pow"].evaluate(x, exponent)
        limit = 0 if language == "python" else 4
        assert ulps(found[0], value) <= limit, x
        assert ulps(found[1], partials[0] or 0.0) <= limit, x


@pytest.mark.slow
@needs_cc
def test_tanh_in_c_is_within_two_units_in_the_last_place(tmp_path):
    mpmath = pytest.importorskip("mpmath")
    calls = [(math.copysign(2.0 ** (k / 250), k % 2 - 0.5),) for k in range(-2000, 1100)]
    source = export_source(Value(0.5, label="x").tanh(), "c")
    with mpmath.workprec(120):
        for (x,), (got, _) in zip(calls, called("c", source, calls, tmp_path), strict=True):
            assert abs(mpmath.tanh(x) - got) <= 2 * math.ulp(got), x


@pytest.mark.parametrize("language", LANGUAGES)
def test_nested_lists_are_arguments_and_gradients_keep_their_structure(language, tmp_path):
    def network(w, x, bias):
        hidden = [micrograd.tanh(sum(a * b for a, b in zip(row, x, strict=True))) for row in w]
        return hidden[0] * hidden[1] + bias

    rng = random.Random(1)
    calls = [
        ([[rng.uniform(-1, 1) for _ in range(3)] for _ in range(2)], [0.5, -1.0, 2.0], 0.25)
        for _ in range(3)
    ]
    source = export_source(network, language, example=calls[0])
    found = called(language, source, calls, tmp_path, "network")
    for one, other in zip(found, by_engine(network, calls), strict=True):
        assert one == pytest.approx(other, rel=1e-15, abs=1e-16)
    if language == "python":
        scope = {}
        exec(source, scope)
        (rows, x, bias) = scope["network"](*calls[0])[1]
        assert ([len(row) for row in rows], len(x), bias) == ([3, 3], 3, 1.0)


HOSTILE = [
    *("class", "function", "double", "math", "Math", "exp", "v1", "t1", "d_x", "gradient", "f"),
    *("α", "权重", "*/ x", 'a"b', "a\nb", "\\", "??/", "\u202e", "w[0]", "1st", "_", "__proto__"),
    *("x", "x ", "é", "e\u0301", "None", "self", "NaN", "mg_relu", "_gauss", "completed"),
]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_names_never_reach_the_code(language, tmp_path):
    for start in range(0, len(HOSTILE), 11):
        names = HOSTILE[start : start + 11]
        values = [Value(0.1 * i + 0.3, label=name) for i, name in enumerate(names)]
        out = micrograd.relu(sum((v.exp() * v).gelu() ** 2 for v in values))
        out.label = names[0]
        out.backward()
        source = export_source(out, language, name=names[-1])
        name = re.findall(r"^(?:def|double|function) (\w+)\(", source, re.MULTILINE)[-1]
        at = tuple(value.data for value in values)
        (found,) = called(language, source, [at], tmp_path, name)
        expected = [out.data, *(value.grad for value in values)]
        assert found == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("language", LANGUAGES)
def test_users_own_operations_are_written(language, tmp_path):
    define(
        "swish_t", "x * sigmoid(y * x)", ["sigmoid(y * x) + out * y * (1 - sigmoid(y * x))", "0"]
    )
    define("new", "swish_t(x, 2) - floor(x)", ["1"])
    source = export_source("new(x) * swish_t(x, y)", language)

    def function(x, y):
        return micrograd.new(x) * micrograd.swish_t(x, y)

    calls = [(0.5, 2.0), (-1.5, 0.25)]
    found = called(language, source, calls, tmp_path)
    for one, other in zip(found, by_engine(function, calls), strict=True):
        assert one == pytest.approx(other, rel=1e-14)


# ------------------------------------------------------------------------------------ structure


def chain(length):
    x, w = Value(0.3, label="x"), Value(0.7, label="w")
    v = x
    for i in range(length // 2):
        v = (v * w).tanh() if i % 2 else v + x
    return v


def fan(length):
    values = [Value(math.sin(i), label=f"x{i}") for i in range(length // 4)]
    weight = Value(0.7, label="w")
    return sum((each * weight).sin() * 0.1 for each in values)


@pytest.mark.slow
@pytest.mark.parametrize("make", [chain, pytest.param(fan, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_three_thousand_operations_can_be_written(language, make, tmp_path):
    out = make(3_000)  # more than Python and C nest
    out.backward()
    values = [node for node in order(out) if is_leaf(node)]
    numbers = [value.data for value in values]
    at = (numbers,) if len(numbers) > 20 else tuple(numbers)
    (found,) = called(language, export_source(out, language), [at], tmp_path)
    expected = [out.data, *(value.grad for value in values)]
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_network_is_written_with_its_weights(language, tmp_path):
    random.seed(1)
    model = MLP(2, [4, 1], activation="gelu")
    source = export_source(model, language, example=[[0.0, 0.0]], names=["point"], name="net")
    calls = [([0.5, -1.5],), ([2.0, 0.0],)]
    for at, found in zip(calls, called(language, source, calls, tmp_path, "net"), strict=True):
        point = [Value(x) for x in at[0]]
        out = model(point)
        out.backward()
        assert found == pytest.approx([out.data, *(x.grad for x in point)], rel=1e-13)


@pytest.mark.parametrize("language", LANGUAGES)
def test_operations_on_zeros_of_different_signs_are_different_ones(language, tmp_path):
    x = Value(-1.0, label="x")
    out = micrograd.atan2(0.0, x) - micrograd.atan2(-0.0, x) + micrograd.copysign(1.0, -0.0 * x)
    (found,) = called(language, export_source(out, language), [(-1.0,)], tmp_path)
    assert found[0] == out.data == 2 * math.pi + 1.0
    text = export_source("atan2(0, x) - atan2(-0.0, x) + sqrt(x * 0) / sqrt(x * -0.0)", language)
    (found,) = called(language, text, [(-1.0,)], tmp_path)
    assert math.isnan(found[0])


def test_equal_operations_are_done_once():
    source = export_source("sin(x * y) * cos(x * y) + (x * y)", "javascript")
    assert source.count("x * y;") == 1
    assert source.count("Math.sin(") == source.count("Math.cos(") == 1


def test_what_needs_no_adjoint_has_none():
    x, c = Value(2.0, label="x"), Value(3.0, label="c")
    out = (c * c).exp() * x
    source = export_source(out, "python", parameters=[x])
    assert "d_" not in source
    assert "def f(x):" in source


def test_parameters_may_be_chosen_and_the_other_leaves_keep_their_numbers():
    x, w, b = (Value(v, label=n) for n, v in (("x", 2.0), ("w", -3.0), ("b", 6.5)))
    source = export_source((x * w + b).tanh(), "python", parameters=[w, x])
    found = called_in_python(source, "f", [(-3.0, 2.0)])[0]
    slopes = derivative((x * w + b).tanh(), [w, x])
    assert found == [(x * w + b).tanh().data, *(float(s.data) for s in slopes)]


def test_values_without_labels_have_the_names_of_the_caller():
    rate, time = Value(2.0), Value(3.0)
    assert "def f(rate, time)" in export_source(rate * time, "python", names=locals())


def test_a_graph_of_one_leaf_and_of_a_constant():
    assert called_in_python(export_source("x", "python"), "f", [(3.0,)]) == [[3.0, 1.0]]
    source = export_source(lambda x: 2.0, "python")
    assert called_in_python(source, "f", [(3.0,)]) == [[2.0, 0.0]]


def test_the_comment_says_what_the_function_computes_in_either_language():
    english, chinese = (export_source("tanh(α)", "c", lang=lang) for lang in ("en", "zh"))
    assert english.startswith(
        "// f(α) = tanh(α)\n// The value and the derivatives with respect to alpha"
    )
    assert "α is written alpha." in english
    assert "α 写作 alpha。" in chinese


def test_an_es_module_exports_the_function_and_a_script_lets_node_require_it():
    assert "export function f(x)" in export_source("exp(x)", module=True)
    assert "export " not in export_source("exp(x)")


@needs_node
def test_both_kinds_of_javascript_can_be_imported(tmp_path):
    (tmp_path / "f.js").write_text(export_source("exp(x)"))
    (tmp_path / "f.mjs").write_text(export_source("exp(x)", module=True))
    script = "console.log(require('./f.js').f(0).value)"
    assert run(NODE, "-e", script, cwd=tmp_path) == "1\n"
    module = "import { f } from './f.mjs'; import g from './f.js'; "
    module += "console.log(f(0).value + g.f(0).value)"
    (tmp_path / "use.mjs").write_text(module)
    assert run(NODE, "use.mjs", cwd=tmp_path) == "2\n"


# --------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: export_source("x", "rust"),
            ValueError,
            "one of javascript, python, c, got 'rust'",
        ),
        (lambda: export_source("x +"), ValueError, "expression"),
        (lambda: export_source("x * y", names=["x"]), ValueError, "unknown name 'y'"),
        (
            lambda: export_source(3.0),
            TypeError,
            "takes a Value, the text of an expression",
        ),
        (lambda: export_source("x * y", names=["x", "x"]), ValueError, "'x' is given twice"),
        (lambda: export_source("tanh(exp)", names=["exp"]), ValueError, "'exp' is an operation"),
        (lambda: export_source(lambda x: x, names=["a", "b"]), (ValueError, TypeError), "2|given"),
        (lambda: export_source("x", "c", module=True), ValueError, "module=True is for JavaScript"),
        (lambda: export_source("x", example=[1.0]), TypeError, "example= is for a function"),
        (lambda: export_source(abs, parameters=[]), TypeError, "parameters= is for a Value"),
        (lambda: export_source("x", lang="xx"), ValueError, "lang is one of"),
        (lambda: export_source(lambda x: x if x > 0 else -x), TypeError, "branches"),
        (lambda: export_source(lambda d: d["a"], example=[{"a": 1.0}]), TypeError, "d is a dict"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_operation_made_by_hand_is_refused():
    x = Value(2.0)
    out = Value(4.0, (x,), "double")
    with pytest.raises(TypeError, match="'double' is an operation made by hand"):
        export_source(out)


@pytest.mark.parametrize("language", ["javascript", "python", "c"])
def test_an_operation_defined_by_a_python_function_is_refused_by_name(language):
    define("bessel_t", math.sin, ["cos(x)"])
    with pytest.raises(NotImplementedError, match="'bessel_t' is defined by a Python function"):
        export_source("exp(bessel_t(x))", language)
