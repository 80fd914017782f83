"""The table of operations: every row is right, and a wrong row is noticed."""

from __future__ import annotations

import math
import operator
import random
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from micrograd import Value, define
from micrograd.engine import functions, graph
from micrograd.ops import ROWS, SERVING, STOPPING, TABLE, Operation, Row, checked
from micrograd.table.formulas import FormulaError, calls, fold
from micrograd.table.interpreters import ON_FLOATS
from tests.numeric import VALUES, first_disagreement, is_smooth, second_disagreement

BUILT_IN = [TABLE[row.name] for row in ROWS]
KNOWN = {row.name: len(row.partials) for row in ROWS}
# detach has no true derivative, and the order of polygamma is a constant
SMOOTH = [row for row in BUILT_IN if row.domain != "0" and not row.constants]
UNIT = 2**16
ROOT = Path(__file__).parent.parent

numbers = st.just(0.0) | st.integers(-4 * UNIT, 4 * UNIT).map(lambda k: k / UNIT)


def every(rows: list[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


# Points are drawn from one square for all rows and filtered by domain; acosh keeps a third of them.
hypothesis_of = settings(max_examples=20, suppress_health_check=[HealthCheck.filter_too_much])


@pytest.mark.slow
@every([*SMOOTH, *STOPPING.values()])
@hypothesis_of
@given(data=st.data())
def test_every_partial_agrees_with_numeric_differentiation(row, data):
    point = data.draw(st.tuples(*[numbers] * row.arity))
    assume(is_smooth(row, point))
    assert not first_disagreement(row, point)


@pytest.mark.slow
@every(SMOOTH)
@hypothesis_of
@given(data=st.data())
def test_every_partial_read_as_a_formula_on_values_gives_the_second_derivative(row, data):
    point = data.draw(st.tuples(*[numbers] * row.arity))
    assume(is_smooth(row, point))
    assert not second_disagreement(row, point)


def points(row: Operation, count: int = 40) -> list[tuple[float, ...]]:
    """The same smooth points in every run."""
    rng = random.Random(row.name)
    found: list[tuple[float, ...]] = []
    while len(found) < count:
        point = tuple(
            rng.choice((0, 1)) * rng.randint(-4 * UNIT, 4 * UNIT) / UNIT for _ in row.operands
        )
        if is_smooth(row, point):
            found.append(point)
    return found


MUTATIONS = {
    "sign": "-({})",
    "1 % too large": "1.01 * ({})",
    "zero": "0 * ({})",
    "one more": "1 + ({})",
}


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS)
@every(SMOOTH)
def test_every_wrong_partial_is_caught(row, mutation):
    for index, partial in enumerate(row.partials):
        if partial == "0" and mutation != "one more":
            continue  # 0 with another sign or size is the same rule
        partials = list(row.partials)
        partials[index] = MUTATIONS[mutation].format(partial)
        mutant = checked(row.row._replace(partials=partials), KNOWN)
        assert any(first_disagreement(mutant, point) for point in points(row)), partials


@pytest.mark.slow
def test_the_sampled_points_find_nothing_wrong_with_the_true_table():
    for row in SMOOTH:
        for point in points(row):
            assert not first_disagreement(row, point)


def test_the_table_is_closed_under_differentiation():
    for row in BUILT_IN:
        for expression in (row.expression, *row.slopes):
            assert calls(expression) <= set(TABLE)


def test_the_table_has_the_promised_operations():
    promised = (
        "add sub mul div pow neg exp expm1 log log1p log2 log10 sqrt square reciprocal sin cos tan"
        " asin acos atan sinh cosh tanh asinh acosh atanh sigmoid softplus relu leaky_relu elu gelu"
        " silu mish abs sign step erf detach maximum minimum hypot atan2 lt le gt ge where"
    )
    assert set(promised.split()) <= set(TABLE)


@every(BUILT_IN)
def test_every_row_says_how_it_is_typeset_and_where_it_holds(row):
    assert row.typeset
    assert row.document.startswith(row.name)


def test_detach_passes_the_number_and_no_gradient():
    x = Value(3.0)
    (x * x.detach()).backward()
    assert x.grad == 3.0


# ------------------------------------------------------------------------ numbers follow IEEE 754

SPECIALS = (
    *(0.0, -0.0, 0.5, 1.0, -1.0, 2.0, -2.5, 3.0, -3.0, 1e-300, 710.0, -750.0, 1e308, -1e308),
    *(5e-324, math.inf, -math.inf, math.nan),
)
NUMPY = {
    "add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "pow": "float_power",
    "neg": "negative", "abs": "abs", "sign": "sign", "square": "square", "reciprocal": "reciprocal",
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "atan2": "arctan2", "lt": "less", "le": "less_equal", "gt": "greater",
    "ge": "greater_equal",
} | {  # the same name in both
    name: name
    for name in (
        "exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh tanh maximum minimum hypot"
    ).split()
}  # fmt: skip


def same(got: float, expected: float, ulps: int = 4) -> bool:
    if math.isnan(expected) or math.isinf(expected) or expected == 0:
        return got == expected or (math.isnan(got) and math.isnan(expected))
    return abs(got - expected) <= ulps * math.ulp(expected)


@pytest.mark.parametrize("name", NUMPY)
def test_numbers_follow_ieee_754_as_numpy_does(name):
    np = pytest.importorskip("numpy")
    row, reference = TABLE[name], getattr(np, NUMPY[name])
    operands = [(x,) for x in SPECIALS]
    if row.arity == 2:
        operands = [(x, y) for x in SPECIALS for y in SPECIALS]
    for point in operands:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = float(reference(*map(np.float64, point)))
        got = row.evaluate(*point)[0]
        assert same(got, expected), f"{name}{point}: {got}, NumPy {expected}"
        assert same(getattr(functions, name)(*point), expected)
        values = [Value(x) for x in point]
        assert same(getattr(functions, name)(*values).data, expected)


@every(BUILT_IN)
def test_no_number_makes_an_operation_or_its_partials_raise(row):
    rng = random.Random(row.name)
    for _ in range(300):
        data, partials = row.evaluate(*(rng.choice(SPECIALS) for _ in row.operands))
        assert type(data) is float
        assert all(p is None or type(p) is float for p in partials)


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("sigmoid", -1000.0, 0.0),
        ("sigmoid", 1000.0, 1.0),
        ("softplus", -1000.0, 0.0),
        ("softplus", 1000.0, 1000.0),
        ("tanh", 1000.0, 1.0),
        ("silu", -1000.0, 0.0),
        ("silu", 1000.0, 1000.0),
        ("mish", 1000.0, 1000.0),
        ("mish", -1000.0, 0.0),
        ("gelu", 1000.0, 1000.0),
        ("gelu", -1000.0, 0.0),
        ("elu", -1000.0, -1.0),
        ("elu", 1000.0, 1000.0),
    ],
)
def test_the_activations_are_stable_far_from_zero(name, x, expected):
    data, (partial,) = TABLE[name].evaluate(x)
    assert data == expected
    assert partial in (0.0, 1.0, None)


@pytest.mark.parametrize(
    ("name", "point", "expected"),
    [
        ("relu", (0.0,), (0.0,)),
        ("leaky_relu", (0.0,), (0.01,)),
        ("elu", (0.0,), (1.0,)),
        ("abs", (0.0,), (0.0,)),
        ("sign", (0.0,), (0.0,)),
        ("step", (0.0,), (0.0,)),
        ("maximum", (2.0, 2.0), (0.5, 0.5)),
        ("minimum", (2.0, 2.0), (0.5, 0.5)),
        ("hypot", (0.0, 0.0), (0.0, 0.0)),
        ("atan2", (0.0, 0.0), (0.0, 0.0)),
        ("pow", (0.0, 0.0), (0.0, 0.0)),
        ("pow", (0.0, 2.0), (0.0, 0.0)),
    ],
)
def test_the_convention_at_a_kink_or_tie_is_the_one_written_in_the_row(name, point, expected):
    partials = TABLE[name].evaluate(*point)[1]
    assert tuple(p or 0.0 for p in partials) == expected
    assert TABLE[name].note


@pytest.mark.slow
@every(BUILT_IN)
def test_the_generated_method_agrees_with_the_row_to_the_bit(row):
    rng = random.Random(row.name)
    for _ in range(200):
        point = [rng.choice((*SPECIALS, rng.gauss(0, 1), rng.gauss(0, 1))) for _ in row.operands]
        data, partials = row.evaluate(*point)
        for constants in range(2**row.arity - 1):
            operands = [x if constants >> i & 1 else Value(x) for i, x in enumerate(point)]
            node = functions_on(row, operands)
            held = list(graph.partials(node))
            assert bits(node.data) == bits(data)
            for operand, got, expected in zip(operands, held, partials, strict=True):
                assert bits(got) == bits(expected if isinstance(operand, Value) else None)


def _equality(operation, function):
    """The operator with a number; the function for two Values, which `==` compares by identity."""
    return lambda x, y: (function if isinstance(x, Value) and isinstance(y, Value) else operation)(
        x, y
    )


def functions_on(row: Operation, operands: list[Value | float]) -> Value:
    """The row applied through its operator or method, as a user would."""
    first, *rest = operands
    operators = {
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "div": lambda x, y: x / y,
        "pow": lambda x, y: x**y,
        "mod": lambda x, y: x % y,
        "floordiv": lambda x, y: x // y,
        "eq": _equality(operator.eq, functions.eq),
        "ne": _equality(operator.ne, functions.ne),
        "lt": lambda x, y: x < y,
        "le": lambda x, y: x <= y,
        "gt": lambda x, y: x > y,
        "ge": lambda x, y: x >= y,
        "neg": lambda x: -x,
        "abs": abs,
    }
    if row.name in ("lt", "le", "gt", "ge") and not isinstance(first, Value):
        return getattr(functions, row.name)(*operands)  # Python itself would swap the operands
    if row.name in operators:
        return operators[row.name](*operands)
    if isinstance(first, Value):
        return getattr(first, row.name)(*rest)
    return getattr(functions, row.name)(*operands)


def bits(number: float | None) -> str:
    return "None" if number is None else number.hex() if type(number) is float else repr(number)


# ---------------------------------------------------------------------------- the language of rows


@pytest.mark.parametrize(
    "row",
    [
        Row(name="bad", formula="nosuch(x)", partials=["1"]),
        Row(name="bad", formula="x * y", partials=["y"]),
        Row(name="bad", formula="x", partials=["1", "0"]),
        Row(name="bad", formula="y", partials=["1"]),
        Row(name="bad", formula="1", partials=[]),
        Row(name="bad", formula="x +", partials=["1"]),
        Row(name="bad", formula="", partials=["1"]),
        Row(name="bad", formula="x", partials="1"),
        Row(name="bad", formula="x", partials=[1]),
        Row(name="bad", formula=3, partials=["1"]),
        Row(name="bad", formula="x", partials=["w"]),
        Row(name="bad", formula="out", partials=["1"]),
        Row(name="bad", formula="bad(x)", partials=["1"]),
        Row(name="bad", formula="tanh(x, x)", partials=["1"]),
        Row(name="bad", formula="tanh", partials=["1"]),
        Row(name="bad", formula="x", partials=["1"], domain="x > nosuch"),
        Row(name="bad", formula="x", partials=["1"], kink="x.real"),
        Row(name="bad", formula="__import__('os').getcwd()", partials=["1"]),
        Row(name="bad", formula="x.real", partials=["1"]),
        Row(name="bad", formula="(lambda: x)()", partials=["1"]),
        Row(name="bad", formula="[x for x in (x,)]", partials=["1"]),
        Row(name="bad", formula="(x := 2)", partials=["1"]),
        Row(name="bad", formula="f'{x}'", partials=["1"]),
        Row(name="bad", formula="x if x else 1", partials=["1"]),
        Row(name="bad", formula="x < 1 < 2", partials=["1"]),
        Row(name="bad", formula="x is 1", partials=["1"]),
        Row(name="bad", formula="x and 1", partials=["1"]),
        Row(name="bad", formula="x @ 2", partials=["1"]),
        Row(name="bad", formula="x @ x", partials=["1"]),
        Row(name="bad", formula="~x", partials=["1"]),
        Row(name="bad", formula="x * True", partials=["1"]),
        Row(name="bad", formula="x * 1j", partials=["1"]),
        Row(name="bad", formula="x * 'a'", partials=["1"]),
        Row(name="bad", formula="maximum(x, *x)", partials=["1"]),
        Row(name="bad", formula="maximum(x, y=x)", partials=["1"]),
        Row(name="bad", formula="x; x", partials=["1"]),
        Row(name="bad", formula="x\n\n = 3", partials=["1"]),
        Row(name="bad", formula="x\0", partials=["1"]),
        Row(name="bad", formula="(" * 5000 + "x" + ")" * 5000, partials=["1"]),
        Row(name="bad", formula="-" * 9000 + "x", partials=["1"]),
        Row(name="bad", formula="x + " * 5000 + "x", partials=["1"]),
    ],
    ids=lambda row: str(row.formula)[:24],
)
def test_a_row_that_is_not_arithmetic_on_known_operations_is_a_value_error_naming_it(row):
    with pytest.raises(ValueError, match="'bad'"):
        checked(row, KNOWN)


@pytest.mark.parametrize("power", ["9 ** 9 ** 9 ** 9", "(-8) ** 0.5", "10 ** 400", "0 ** -1"])
def test_a_constant_power_that_is_not_a_finite_number_is_refused_at_once(power):
    with pytest.raises(ValueError, match="constant power"):
        checked(Row(name="tower", formula=f"x * {power}", partials=["1"]), KNOWN)


def test_an_integer_too_large_for_a_float_is_an_infinity():
    row = checked(Row(name="huge", formula="x + 1" + "0" * 400, partials=["1"]), KNOWN)
    assert row.evaluate(1.0)[0] == math.inf


@pytest.mark.slow
@settings(max_examples=300)
@given(st.text(alphabet="xyzout0123456789.+-*/()<=>, expwhrabs_'\"[]{}:\\@&|^~!%", max_size=40))
def test_any_text_is_a_formula_or_a_formula_error(text):
    row = Row(name="any", formula=text, partials=["1"])
    try:
        operation = checked(row, KNOWN)
    except FormulaError:
        with pytest.raises(ValueError, match="'any'"):
            checked(row, KNOWN)
    else:
        assert type(operation.evaluate(0.5)[0]) is float


def test_a_formula_means_the_same_on_values_as_on_floats():
    for row in BUILT_IN:
        if row.is_primitive or row.is_equality:  # Python's == of two Values is by identity
            continue
        point = points(row, 1)[0] if row in SMOOTH else (0.5,) * row.arity
        operands = dict(zip(row.operands, map(Value, point), strict=True))
        on_values = fold(row.expression, VALUES, operands)
        assert same(on_values.data, row.value(*point))


def test_a_factor_of_zero_stops_a_product_before_what_is_not_finite():
    product = STOPPING["stopping_mul"]
    for y in (math.inf, -math.inf, math.nan):
        assert product.evaluate(0.0, y)[0] == product.evaluate(y, 0.0)[0] == 0.0
        assert same(product.evaluate(0.0, y)[1][0], y)
        assert product.evaluate(0.0, y)[1][1] == 0.0
    assert product.evaluate(0.0, 3.0) == (0.0, (3.0, 0.0))
    assert product.evaluate(2.0, 3.0) == (6.0, (3.0, 2.0))
    assert product.evaluate(2.0, math.inf) == (math.inf, (math.inf, 2.0))


def test_a_row_that_serves_others_is_called_by_a_built_in_row():
    for name in SERVING:
        users = [TABLE[row.name] for row in ROWS if row.name != name]
        assert any(name in calls(tree) for row in users for tree in (row.expression, *row.slopes))


def test_what_the_documentation_names_is_not_hidden_among_the_rows_that_serve_others():
    documents = ("README.md", "docs/guide.md", "CHANGELOG.md")
    written = "".join(Path(ROOT, name).read_text("utf-8") for name in documents)
    assert not [name for name in SERVING if f"`{name}`" in written]


@pytest.mark.parametrize("x", [-1.0, 0.5, 2.0])
def test_a_part_that_occurs_often_is_computed_once_wherever_it_is_reached(x):
    formula = "where(x > 0, exp(x) + exp(x) * exp(x), 1) + where(x > 1, 0, exp(x) - 1 / exp(x))"
    row = define("often_t", formula, ["0"])
    e = math.exp(x)
    expected = (e + e * e if x > 0 else 1) + (0 if x > 1 else e - 1 / e)
    assert row(x) == expected == row(Value(x)).data
    assert ON_FLOATS.text(TABLE["often_t"].expression).count("exp(") == 2  # one for each branch
