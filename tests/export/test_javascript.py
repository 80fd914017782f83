"""JavaScript computes every row of the table as the engine does, in Node and in a browser."""

import math
import random

import pytest

from micrograd import define
from micrograd.ops import TABLE, Row, checked
from micrograd.source.javascript import JAVASCRIPT, expression, runtime
from micrograd.table.formulas import Call
from tests.export.common import (
    CODING,
    NAMES,
    assert_engine_agrees,
    by_name,
    decoded,
    encoded,
    in_node,
    needs_node,
    tasks,
    trees,
    ulps,
)


def program(names):
    """A program that makes the values and partials of rows; a point begins with the row's place."""
    rows = [TABLE[name] for name in names]
    functions = [
        f"({', '.join(row.operands)}) => {{ const out = {expression(value)}; "
        f"return [out, {', '.join(map(expression, slopes))}]; }}"
        for row in rows
        for value, *slopes in [trees(row)]
    ]
    called = runtime(tree for row in rows for tree in trees(row))
    listed = ",\n".join(functions)
    return (
        f"{called}\nconst functions = [{listed}];\n"
        "const results = rows.map(([place, ...at]) => functions[place](...at));"
    )


@pytest.fixture(scope="module")
def of_node():
    return by_name(NAMES, in_node(program(NAMES), tasks(NAMES)))


@pytest.fixture(scope="module")
def of_browser(browser):
    body = f"{CODING}\nconst rows = decoded(given);\n{program(NAMES)}\nreturn encoded(results);"
    page = browser.new_page()
    text = page.evaluate(f"(given) => {{ {body} }}", encoded(tasks(NAMES)))
    page.close()
    return by_name(NAMES, decoded(text))


@pytest.mark.slow
@needs_node
@pytest.mark.parametrize("name", NAMES)
def test_values_and_partials_in_node_are_those_of_the_engine(name, of_node):
    assert_engine_agrees(name, of_node[name])


def assert_within_4_units(results, most):
    """No number is further from the engine's than 4 units, and at least so many are equal.

    The functions of the engine and of the page are within a unit of the true number, and those that
    formulas call here within half a unit and 1/1000. A formula multiplies such an error by the
    number of its factors, by 2 where they are squares, and by 2 beside a power of 2.
    """
    beyond, numbers, equal = [], 0, 0
    for name, found in results.items():
        for at, row in found:
            value, partials = TABLE[name].evaluate(*at)
            expected = [value, *(0.0 if partial is None else partial for partial in partials)]
            for place, (a, b) in enumerate(zip(row, expected, strict=True)):
                numbers += 1
                equal += ulps(a, b) == 0
                if ulps(a, b) > 4:
                    beyond.append((ulps(a, b), name, place, at))
    assert numbers > 40_000
    assert not beyond
    assert equal > most * numbers


@pytest.mark.slow
@needs_node
def test_no_value_or_partial_in_node_is_more_than_4_units_from_the_engines(of_node):
    assert_within_4_units(of_node, most=0.99)


def test_no_value_or_partial_in_a_browser_is_more_than_4_units_from_the_engines(of_browser):
    assert_within_4_units(of_browser, most=0.99)


@pytest.mark.slow
@needs_node
@pytest.mark.parametrize("name", ["exp", "log", "pow", "hypot"])
def test_functions_that_formulas_call_round_only_once(name):
    mpmath = pytest.importorskip("mpmath")
    rng = random.Random(name)
    at = [
        [rng.uniform(2, 30), rng.uniform(-100, 100)][: 1 + (name in ("pow", "hypot"))]
        for _ in range(500)
    ]
    texts = "\n".join(JAVASCRIPT.runtime(["_exp", "_log", "pow", "hypot"]))
    found = in_node(f"{texts}\nconst results = rows.map((at) => [{name}(...at)]);", at)
    true = {"pow": lambda x, y: x**y}.get(name) or getattr(mpmath, name)
    with mpmath.workprec(200):
        for operands, (result,) in zip(at, found, strict=True):
            exact = true(*map(mpmath.mpf, operands))
            # The logarithm in a power has 63 bits after the point; the power multiplies its error.
            rest = 2.0**-10 * (1 + abs(operands[-1]) * (name == "pow"))
            assert abs(exact - result) <= (0.5 + rest) * math.ulp(result), operands


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_values_and_partials_in_a_browser_are_those_of_the_engine(name, of_browser):
    assert_engine_agrees(name, of_browser[name])


@needs_node
def test_rows_that_users_define_are_written_too_whatever_their_names():
    slope = "sigmoid(y * x) + out * y * (1 - sigmoid(y * x))"
    define("t1", "x * sigmoid(y * x)", [slope, "x * out * (1 - sigmoid(y * x))"])
    define("new", "where(x > y, floor(x) - t1(x, y), t1(x, y) * t1(x, y))", ["0", "0"])
    define("gauss_by_parts", "gauss(x + 2)", ["0"])
    define("fround", "x + 1", ["1"])
    names = ["t1", "new", "gauss_by_parts", "fround"]
    for name, results in by_name(names, in_node(program(names), tasks(names))).items():
        assert_engine_agrees(name, results)


def test_a_row_defined_by_a_python_function_is_refused_by_name():
    define("bessel_t", math.sin, ["cos(x)"])
    with pytest.raises(NotImplementedError, match="'bessel_t' is defined by a Python function"):
        runtime([Call("exp", (Call("bessel_t", ("x",)),))])


def test_a_name_that_is_not_an_operation_never_gets_into_the_code():
    with pytest.raises(KeyError, match="no operation"):
        expression(Call("alert(1);//", ("x",)))
    with pytest.raises(KeyError, match="no operation"):
        runtime([Call("alert(1);//", ("x",))])


def test_a_primitive_that_javascript_lacks_is_refused_by_name(table):
    table["dawson"] = checked(Row("dawson", "dawson(x)", ["1 - 2 * x * out"]), {"dawson": 1})
    with pytest.raises(NotImplementedError, match="'dawson' is a primitive, and JavaScript"):
        runtime([Call("dawson", ("x",))])
