"""`define` makes operations from formulas; what it refuses leaves no trace."""

import contextlib
import math
import subprocess
import sys
import textwrap
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import micrograd
from micrograd import Value, define
from micrograd.engine import methods
from micrograd.ops import STOPPING
from micrograd.table import interpreters
from tests.engine.common import INF, gradient


def test_a_defined_operation_is_a_method_a_function_and_a_word_of_formulas(table):
    wave = define("wave_t", "sin(x) * exp(-x)", ["exp(-x) * (cos(x) - sin(x))"])
    x = Value(0.5)
    y = x.wave_t()
    y.backward()
    assert wave.__name__ == "wave_t"
    assert wave(Value(0.5)).data == y.data == wave(0.5)
    assert type(wave(1)) is float
    assert y._op == "wave_t"
    assert tuple(y._children) == (x,)
    slope = math.exp(-0.5) * (math.cos(0.5) - math.sin(0.5))
    assert x.grad == pytest.approx(slope, rel=8 * 2.0**-53)
    double = define("double_wave_t", "2 * wave_t(x)", ["2 * exp(-x) * (cos(x) - sin(x))"])
    assert double(Value(0.5)).data == 2 * y.data
    assert "sin(x) * exp(-x)" in wave.__doc__
    define("wave_symbol_t", "x", ["1"], symbol="~")
    assert Value(1.0).wave_symbol_t()._op == "~"


def test_a_defined_operation_of_two_operands_takes_numbers_on_either_side(table):
    blend = define("blend_t", "x * y + y", ["y", "x + 1"])
    for f, expected, gradients in [
        (lambda a, b: blend(a, b), 8.0, [2.0, 4.0]),
        (lambda a, b: a.blend_t(b), 8.0, [2.0, 4.0]),
        (lambda a, b: blend(a, 2), 8.0, [2.0, 0]),
        (lambda a, b: blend(3, b), 8.0, [0, 4.0]),
        (lambda a, b: blend(b, a), 9.0, [3.0, 3.0]),
        (lambda a, b: blend(a, a), 12.0, [7.0, 0]),
    ]:
        a, b = Value(3.0), Value(2.0)
        y = f(a, b)
        y.backward()
        assert (y.data, [a.grad, b.grad]) == (expected, gradients)
    assert blend(3, 2) == 8.0


def test_a_defined_operation_may_have_three_operands(table):
    fma = define("fma_t", "x * y + z", ["y", "x", "1"])
    a, b, c = Value(2.0), Value(3.0), Value(4.0)
    y = fma(a, b, c)
    assert tuple(y._children) == (a, b, c)
    (y * 2).backward()
    assert [v.grad for v in (a, b, c)] == [6.0, 4.0, 2.0]
    y = fma(2.0, b, 1)
    assert tuple(y._children) == (b,)
    assert y.data == 7.0
    a.grad = 0
    a.fma_t(a, a).backward()
    assert a.grad == 5.0
    assert fma(1, 2, 3) == 5.0
    nested = define("fma_twice_t", "fma_t(x, y, fma_t(x, x, y))", ["y + 2 * x", "x + 1"])
    assert nested(2.0, 3.0) == 13.0
    assert gradient(nested, 2.0, 3.0) == [7.0, 3.0]


def test_a_defined_operation_follows_ieee(table):
    safe = define("quotient_t", "1 / x + log(x)", ["-1 / (x * x) + 1 / x"])
    assert math.isnan(safe(0.0)) or safe(0.0) == INF
    assert math.isnan(Value(0.0).quotient_t().data) or Value(0.0).quotient_t().data == INF
    assert define("tower_t", "exp(exp(x))", ["out * exp(x)"])(Value(1000.0)).data == INF


def test_ones_own_row_may_be_defined_again_and_the_last_one_counts(table):
    define("again_t", "x", ["1"])
    assert define("again_t", "x * x", ["2 * x"])(3) == 9.0
    assert gradient(lambda x: x.again_t(), 3.0) == [6.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("again_u", "x * y", ["y", "x"]), "another number of operands"),
        (("again_u", "user_u(x)", ["1"]), "a formula that comes back to itself"),
    ],
    ids=["arity", "cycle"],
)
def test_redefining_a_row_never_breaks_the_rows_that_use_it(table, change, message):
    define("again_u", "x", ["1"])
    define("user_u", "again_u(x) + 1", ["1"])
    with contextlib.suppress(ValueError):  # it may be refused
        define(*change)
    assert Value(2.0).user_u().data == 3.0, f"after {message}"


@pytest.mark.parametrize("name", ["add", "tanh", "where", "relu", "lt", "detach"])
def test_a_built_in_row_is_not_redefined(table, name):
    before = table[name]
    with pytest.raises(ValueError, match=name):
        define(name, "x", ["1"])
    assert table[name] is before


TAKEN = (
    "data grad label backward x y z out self other lambda if None True _row __add__ stopping_mul"
)
NO_NAMES = ["", " ", "a b", "1a", "a-b", "a.b", "a\n", "f()"]
LOOK_ALIKES = ["\uff44ata", "ba\uff43kward", "\ufb01x"]  # Python reads them as data, backward, fix


@pytest.mark.parametrize("name", [*TAKEN.split(), *STOPPING, *NO_NAMES, *LOOK_ALIKES], ids=ascii)
def test_names_that_are_taken_or_invalid_are_refused(table, name):
    before, attributes = dict(table), set(vars(methods.Methods))
    with pytest.raises(ValueError, match="operation"):
        define(name, "x * x", ["2 * x"])
    assert dict(table) == before
    assert set(vars(methods.Methods)) == attributes
    assert Value(1.0).data == 1.0


@pytest.mark.parametrize("name", [None, 3, ["a"], b"a"])
def test_a_name_is_text(table, name):
    with pytest.raises((ValueError, TypeError)):
        define(name, "x", ["1"])


HOSTILE_FORMULAS = [
    "x.real",
    "x.__class__",
    "exp.__globals__",
    "(1).__class__",
    "__import__('os').getcwd()",
    "__import__(x)",
    "__builtins__",
    "open(x)",
    "eval(x)",
    "getattr(x, x)",
    "(lambda: x)()",
    "(lambda x: x)(x)",
    "[x for x in x]",
    "sum(x for x in x)",
    "{x: x}",
    "{x}",
    "[x]",
    "(x,)",
    "x, x",
    "(a := x)",
    "a := x",
    "f'{x}'",
    "'x'",
    "x * 'x'",
    "b'x'",
    "x[0]",
    "x[0:1]",
    "exp(*x)",
    "exp(**x)",
    "exp(x=x)",
    "exp(x, base=x)",
    "exp(x, **x)",
    "maximum(x, *x)",
    "maximum(x)",
    "exp(x, x)",
    "exp",
    "x + exp",
    "x(1)",
    "x < x < x",
    "0 < x <= 1",
    "x is 1",
    "x is not 1",
    "x is x",
    "x in x",
    "x and x",
    "not x",
    "~x",
    "x @ x",
    "x & x",
    "x << x",
    "x if x else x",
    "True",
    "x + True",
    "x + None",
    "x + ...",
    "x + 1j",
    "yield x",
    "await x",
    "x; x",
    "x = 1",
    "x +",
    "",
    "   ",
    "x)",
    "(x",
    "import os",
    "nosuch(x)",
    "nosuch",
    "\u0445 * \u0445",
    "x + \u0395",
    "x \u2212 1",
    "x\x00",
    "\ud800",
    "9**9**9",
    "1.0",
    "y",
    "x + z",
    "out",
    "x + out",
    "self(x)",
    "hostile_t(x)",
    "x + " + "1" * 5000,
    "x" + " + x" * 20_000,
    "exp(" * 400 + "x" + ")" * 400,
    "(" * 5_000 + "x" + ")" * 5_000,
    "-" * 5_000 + "x",
]


def assert_refused(table, call, *words):
    """`call` raises a ValueError with these words and changes no vocabulary of the table."""
    rooms = (table, interpreters.FLOATS, interpreters.IEEE, vars(methods.Methods))
    before = [dict(room) for room in rooms]
    with pytest.raises(ValueError, match=words[0]) as caught:
        call()
    assert all(word in str(caught.value) for word in words)
    assert [dict(room) for room in rooms] == before


@pytest.mark.parametrize("text", HOSTILE_FORMULAS, ids=lambda text: ascii(text[:30]))
def test_a_formula_that_is_not_arithmetic_is_refused_and_changes_nothing(table, text):
    assert_refused(table, lambda: define("hostile_t", text, ["1"]), "hostile_t")


LEGAL_PARTIALS = ("1.0", "out", "x + out", "9**9**9", "hostile_t(x)")


@pytest.mark.parametrize(
    "text", [t for t in HOSTILE_FORMULAS if t not in LEGAL_PARTIALS], ids=lambda t: ascii(t[:30])
)
def test_a_partial_that_is_not_arithmetic_is_refused_and_changes_nothing(table, text):
    assert_refused(table, lambda: define("hostile_t", "x", [text]), "hostile_t", "partial")


@pytest.mark.parametrize("text", ["x.real", "open(x)", "x +", "y", "out", "nosuch(x)"])
@pytest.mark.parametrize("column", ["domain", "kink"])
def test_the_other_formulas_of_a_row_are_checked_too(table, column, text):
    assert_refused(
        table, lambda: define("hostile_t", "x", ["1"], **{column: text}), "hostile_t", column
    )


@pytest.mark.parametrize(
    "partials",
    [[], ["1", "1"], "1", None, 1, {"1"}, [1], [None], [b"1"], (text for text in ["1"])],
    ids=lambda partials: type(partials).__name__ + str(partials) * isinstance(partials, list),
)
def test_partials_are_a_list_of_formulas_one_per_operand(table, partials):
    assert_refused(table, lambda: define("hostile_t", "x", partials), "hostile_t")


@pytest.mark.parametrize("formula", [None, 1, b"x", ["x"]], ids=lambda x: type(x).__name__)
def test_a_formula_is_text(table, formula):
    assert_refused(table, lambda: define("hostile_t", formula, ["1"]), "hostile_t")


@pytest.mark.parametrize("depth", [10, 50, 100, 150, 200, 300, 350, 400, 600, 900, 1200, 2400])
@pytest.mark.parametrize(
    "nest",
    [
        pytest.param(lambda n: "x" + "+x" * n, id="sum"),
        pytest.param(lambda n: "-" * n + "x", id="signs"),
        pytest.param(lambda n: "x*(" * n + "x" + ")" * n, id="parentheses"),
        pytest.param(lambda n: "exp(" * n + "x" + ")" * n, id="calls"),
        pytest.param(lambda n: "x" + "**x" * n, id="towers"),
    ],
)
def test_a_nested_formula_either_works_or_is_refused_and_changes_nothing(table, nest, depth):
    rooms = (table, interpreters.FLOATS, interpreters.IEEE, vars(methods.Methods))
    before = [dict(room) for room in rooms]
    for columns in (
        {"formula": nest(depth), "partials": ["1"]},
        {"formula": "x", "partials": [nest(depth)]},
    ):
        try:
            deep = define("nested_t", **columns)
        except ValueError:
            assert [dict(room) for room in rooms] == before
        else:
            assert type(deep(0.0)) is float
            deep(Value(0.0)).backward()
            del table["nested_t"], interpreters.FLOATS["nested_t"], interpreters.IEEE["nested_t"]
            delattr(methods.Methods, "nested_t")


def test_huge_numbers_in_a_formula_are_infinite_and_computed_at_once(table):
    code = """
        from micrograd import Value, define
        for text in ("x + 9**9**9", "x + " + "1" * 4000, "x + 1e999"):
            try:
                tower = define("tower_t", text, ["1"])
            except ValueError as error:
                assert "tower_t" in str(error)
            else:
                assert tower(1.0) == float("inf")
                assert tower(Value(1.0)).data == float("inf")
        print("done")
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert result.stdout == "done\n", result.stderr


def test_names_of_python_and_of_the_vocabularies_are_unknown_to_formulas(table):
    for text in ("print(x)", "int(x)", "float(x)", "pow(x)", "div(x)", "min(x, x)", "_exp(x)"):
        assert_refused(table, lambda text=text: define("hostile_t", text, ["1"]), "hostile_t")


def test_a_defined_operation_is_an_attribute_of_the_package_while_it_is_defined(table):
    define("exported_t", "x * 2", ["2"])
    assert micrograd.exported_t(Value(3.0)).data == 6.0
    with pytest.raises(AttributeError, match="nosuch_t"):
        _ = micrograd.nosuch_t


def test_a_method_that_a_user_put_on_the_class_is_not_hidden(table):
    Value.taken_t = lambda self: "mine"
    try:
        with pytest.raises(ValueError, match="taken_t"):
            define("taken_t", "x", ["1"])
        assert "taken_t" not in table
        assert Value(1.0).taken_t() == "mine"
    finally:
        del Value.taken_t


@pytest.mark.parametrize("found", [None, "1", "a", 1j, [1.0], Value(1.0)])
def test_a_function_that_returns_no_real_number_is_named(found):
    f = define("test_no_number", lambda _: found, [lambda x: x])
    with pytest.raises(TypeError, match="'test_no_number': its function returns a real number"):
        f(2.0)


def test_the_modules_for_tests_and_networks_are_attributes_of_the_package():
    code = "import micrograd as m; m.testing.check_gradients(m.tanh, 0.5); print(m.nn.MLP(1, [1]))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "MLP of [Layer of [LinearNeuron(1)]]\n"


@pytest.mark.parametrize("name", ["norm", "softmax", "compile", "taylor", "testing", "nn"])
def test_names_of_the_package_are_reserved(name):
    with pytest.raises(ValueError, match=f"operation {name!r}: the name is reserved"):
        define(name, "x", ["1"])


@pytest.mark.parametrize("found", [Decimal(2), Fraction(2), True + 1, np.float32(2), np.array(2)])
def test_a_function_may_return_any_real_number(found):
    assert define("test_any_number", lambda _: found, [lambda x: x])(1.0) == 2.0


@pytest.mark.parametrize("name", ["new", "apply", "Value", "coerce", "ERRORS", "float", "type"])
def test_the_name_of_an_operation_never_hides_a_function_that_methods_call(table, name):
    define(name, "x * y + 1", ["y", "x"])
    x = Value(3.0)
    out = getattr(x, name)(2.0) + (2.0 - x).exp2()
    out.backward()
    assert (out.data, x.grad) == (7.5, 2.0 - 0.5 * 0.6931471805599453)


@pytest.mark.parametrize(
    ("text", "slope", "number"),
    [("x % 3", "1", -7 % 3), ("x // 3", "0", -7 // 3), ("2 * x // 3 % 4", "0", -14 // 3 % 4)],
)
def test_remainders_are_written_in_formulas_as_in_python(text, slope, number):
    found = define("remainder_t", text, [slope])
    x = Value(-7.0)
    out = found(x)
    out.backward()
    assert (out.data, x.grad) == (number, float(slope))
