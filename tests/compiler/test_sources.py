"""Programs as C and as NumPy compute what the program computes."""

import ctypes
import math
import random
from itertools import pairwise

import numpy as np
import pytest

import micrograd
from micrograd import (
    Value,
    compile,  # noqa: A004
    custom_derivative,
    define,
    exp,
    grad,
    hessian,
    hypot,
    log,
    sin,
    sqrt,
    tanh,
    where,
)
from micrograd.compiler.sources import c, statements, sums
from micrograd.compiler.sources.cheaper import unseen
from micrograd.ops import TABLE
from micrograd.source.trees import Definition
from micrograd.table.floats import to_float
from micrograd.table.formulas import Call
from nn import MLP
from tests.export.common import C_OPTIONS, CC, needs_cc, run

LOOPS = {(c, "SMALL"): -1, (c, "SMALL_EXACT"): -1}
MANNERS = {
    "straight": {},
    "straight, but exact in loops": {(c, "SMALL_EXACT"): -1},
    "loops": LOOPS,
    "loops over everything": {**LOOPS, (sums, "UNROLLED"): 0},
    "tables": {
        **LOOPS,
        (sums, "UNROLLED"): 0,
        (statements, "TABLED"): 0,
    },
}


@pytest.fixture(params=MANNERS)
def manner(request, monkeypatch):
    """How the instructions are written, whatever the size of the program."""
    for (module, name), value in MANNERS[request.param].items():
        monkeypatch.setattr(module, name, value)
    return request.param


class InC:
    """A compiled function in C, as a shared library."""

    def __init__(self, program, folder, name="f"):
        self.text = program.source("c")
        file, library = folder / f"{name}.c", folder / f"{name}.so"
        file.write_text(self.text, encoding="utf-8")
        options = (*C_OPTIONS, "-pedantic", "-O0", "-ffp-contract=off", "-shared", "-fPIC")
        run(CC, *options, "-o", str(library), str(file), "-lm")
        self.library, self.name = ctypes.CDLL(str(library)), name

    def call(self, length, *arrays):
        """Call the function for batches; arrays that it fills are passed as they are."""
        function = getattr(self.library, f"{self.name}_batch")
        function.restype = ctypes.c_double
        kind = ctypes.POINTER(ctypes.c_double)
        held = [None if each is None else np.ascontiguousarray(each, float) for each in arrays]
        given = [each if each is None else each.ctypes.data_as(kind) for each in held]
        mean = function(ctypes.c_long(length), *given)
        return mean, held

    def value_and_grad(self, length, width, *arrays):
        """The mean, the values and the gradient of a batch."""
        mean, held = self.call(length, *arrays, np.full(length, 7.0), np.full(width, 7.0))
        return mean, held[-2], held[-1]


def equal(found, expected, *, ulps=2):
    """Whether numbers agree within units in the last place of the largest one.

    The same formulas are evaluated; only sums may be added in another order.
    """
    found, expected = (np.ravel(np.asarray(each, float)) for each in (found, expected))
    finite = expected[np.isfinite(expected)]
    most = ulps * np.spacing(np.abs(finite).max()) if len(finite) else 0.0
    with np.errstate(invalid="ignore"):
        near = np.abs(found - expected) <= most
    return bool((near | (found == expected) | (np.isnan(found) & np.isnan(expected))).all())


def flat(parts):
    return np.concatenate([np.ravel(np.asarray(each, float)) for each in parts])


def kinks(x, y):
    return where(x > y, x * y, abs(x)) + micrograd.maximum(x, y) - micrograd.relu(-y)


def many(x, y):
    vector = np.tanh(np.outer(x, x) @ x * y + x)
    return (vector * vector).sum() - 0.5 * vector[0] + sum(each * y for each in x)


def recurrence(x, y):
    a, b = x, y
    for _ in range(60):
        a, b = sin(a) * 0.9 + b * 0.3, a - 0.1 * b
    return a * b


def widest(x, y):
    return micrograd.maximum(micrograd.maximum(x[0] * y, x[1]), micrograd.maximum(x[2], y))


def inner(x, y):
    return grad(lambda t: tanh(t * y) * t)(x) + grad(grad(exp))(x * y)


ARRAYS = (many, widest)
FUNCTIONS = [kinks, many, recurrence, widest, inner, lambda x, y: x, lambda x, y: y * 0 + 3]
BATCHED = (kinks, many, FUNCTIONS[-1])


@pytest.mark.slow
@needs_cc
@pytest.mark.parametrize(
    ("function", "batched"), [*((f, False) for f in FUNCTIONS), *((f, True) for f in BATCHED)]
)
def test_c_gives_the_values_and_gradients_of_the_program(function, batched, manner, tmp_path):
    draw = np.random.default_rng(0)
    length = 5
    x = draw.normal(size=(length, 20) if function in ARRAYS else length)
    y = draw.normal(size=length)
    f = compile(lambda x, y: function(x, y), batched=batched, backend="reference")
    f(x if batched else x[0], y if batched else y[0])
    own = InC(f, tmp_path)
    for i in range(length):
        at = slice(i, i + 1)
        _, value, gradient = own.value_and_grad(1, x[0].size + 1, x[at], y[at])
        expected = f.value_and_grad(*((x[at], y[at]) if batched else (x[i], y[i])))
        assert equal(value, expected[0])
        assert equal(gradient, flat(expected[1]), ulps=8)  # sums of up to 20 terms
    _, values, gradients = own.value_and_grad(length, length * (x[0].size + 1), x, y)
    assert values[-1] == value[0]
    assert equal(gradients[-x[0].size - 1 :], gradient, ulps=0)


ROWS_WITH_FORMULAS = [row.name for row in TABLE.values() if row.function is None]


def stopped(x, y):
    total = 0.0
    for name in "sqrt log reciprocal exp square tanh sigmoid softplus asin gelu cbrt abs".split():
        total = total + where(y > 0, getattr(micrograd, name)(x), x * y)
    return total + x**2 + x**y + hypot(x, y) - micrograd.atan2(x, y) + x / y


SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.5, 1e300, 5e-324, math.inf, -math.inf, math.nan)


@pytest.mark.slow
@needs_cc
def test_infinities_and_nan_are_stopped_in_c_as_in_the_program(manner, tmp_path):
    program = compile(lambda x, y: stopped(x, y), backend="reference")
    program(1.0, 2.0)
    own = InC(program, tmp_path)
    for x in SPECIAL:
        for y in SPECIAL:
            _, value, gradient = own.value_and_grad(1, 2, np.array(x), np.array(y))
            expected, slopes = program.value_and_grad(x, y)
            assert equal(value, expected, ulps=16), (x, y)  # a sum of 19 terms
            for a, b in zip(gradient, slopes, strict=True):
                assert equal(a, b, ulps=16), (x, y)


@pytest.mark.slow
@needs_cc
def test_c_has_the_mean_gradient_of_parameters(manner, tmp_path):
    random.seed(0)
    net = MLP(2, [16, 16, 1])
    parameters = net.parameters()

    def f(x, y):
        return (1 - y * net(x)).relu() + 1e-4 * sum(p * p for p in parameters)

    program = compile(f, parameters, batched=True, backend="reference")
    x = np.random.default_rng(0).normal(size=(7, 2))
    y = np.sign(x[:, 0])
    mean, gradient = program.value_and_grad(x, y)
    numbers = np.array([p.data for p in parameters])
    own = InC(program, tmp_path)
    found = own.value_and_grad(7, len(numbers), numbers, x, y)
    # Sums of 16 terms and over seven samples, which a library adds up in an order of its own.
    assert equal(found[0], mean, ulps=16)
    assert equal(found[1], program(x, y), ulps=16)
    assert equal(found[2], gradient, ulps=16)


@needs_cc
def test_without_a_gradient_c_computes_the_values(tmp_path):
    program = compile(lambda x: exp(x) * x, backend="reference")
    program(1.0)
    own = InC(program, tmp_path)
    _, (_, values, _) = own.call(2, np.array([1.0, 2.0]), np.zeros(2), None)
    assert equal(values, [math.e, 2 * math.exp(2)])


@needs_cc
def test_several_results_are_an_array_in_c(manner, tmp_path):
    program = compile(lambda x: [hessian(lambda z: sqrt(z[0] * z[1]))(x), x], backend="reference")
    x = np.array([[1.0, 2.0], [3.0, 0.5]])
    expected = [flat(map(np.ravel, program(each))) for each in x]
    _, held = InC(program, tmp_path).call(2, x, np.zeros(12))
    assert equal(held[-1], expected)


@needs_cc
def test_zero_times_infinity_is_zero_in_c(manner, tmp_path):
    program = compile(lambda x: where(x > 0, log(x), 0.0) + sqrt(x) ** 2, backend="reference")
    program(1.0)
    own = InC(program, tmp_path)
    for at in (0.0, -1.0, math.inf, 4.0):
        _, value, gradient = own.value_and_grad(1, 1, np.array([at]))
        with np.errstate(all="ignore"):
            expected = program.value_and_grad(at)
        assert equal(value, expected[0])
        assert equal(gradient, expected[1])


@needs_cc
def test_a_given_derivative_is_written_in_c(manner, tmp_path):
    own_square = custom_derivative(lambda a: a * a, vjp=lambda args, out, g: (3 * g * args[0],))
    program = compile(lambda x, y: own_square(x) * y, backend="reference")
    expected = program.value_and_grad(2.0, 0.5)
    _, value, gradient = InC(program, tmp_path).value_and_grad(1, 2, np.array(2.0), np.array(0.5))
    assert (value[0], tuple(gradient)) == expected == (2.0, (3.0, 4.0))


@needs_cc
def test_names_that_c_does_not_accept_are_changed(tmp_path):
    def double(int, v1, 温度, p):  # noqa: A002
        return int * v1 + 温度 * p

    program = compile(double, backend="reference")
    program(1.0, 2.0, 3.0, 4.0)
    own = InC(program, tmp_path, "double_")
    _, value, gradient = own.value_and_grad(1, 4, *map(np.array, (1.0, 2.0, 3.0, 4.0)))
    assert value == [14.0]
    assert gradient.tolist() == [2.0, 1.0, 4.0, 3.0]


def plain_part(f, *at):
    """The part of the C of a function that is used as long as all numbers are finite."""
    program = compile(f, backend="reference")
    program(*at)
    return program.source("c").split("mg_plain(")[1].split("mg_exact(")[0]


def test_c_divides_once_by_a_number():
    assert plain_part(lambda x, y: 1 / sqrt(x * y), 2.0, 3.0).count(" / ") == 1
    assert plain_part(lambda x, y: x / y + y, 2.0, 3.0).count(" / ") == 2


@pytest.mark.slow
@needs_cc
def test_c_steps_where_a_quotient_is_whole(tmp_path):
    define("stepped_here", "x + 0 * y", ["floor(x / y)", "x / y"])
    program = compile(lambda x, y: micrograd.stepped_here(x, y) + log(y) + x / y, backend="numpy")
    _, slopes = program.value_and_grad(49.0, 49.0)
    own = InC(program, tmp_path)
    _, _, gradient = own.value_and_grad(1, 2, np.array(49.0), np.array(49.0))
    assert equal(gradient, slopes)


@pytest.mark.slow
@needs_cc
def test_c_looks_for_infinities_only_where_each_other_one_leads(tmp_path):
    def f(x):
        total = x[0]
        for each in x[1:5]:
            total = total * x[5] + each
        return total

    program = compile(f, backend="reference")
    program(np.ones(6))
    own = InC(program, tmp_path)
    assert "check = gradient ? gradient[0] + gradient[5] : 0.0;" in own.text
    for at in ([1.0, 2.0, 3.0, 4.0, 0.0, 1e200], [1e300, 0.0, 0.0, 1.0, -1e300, 1e160], [0.0] * 6):
        value, slopes = program.value_and_grad(np.array(at))
        _, found, gradient = own.value_and_grad(1, 6, at)
        assert equal([*found, *gradient], [value, *slopes])


def test_a_file_in_c_says_that_arrays_must_not_overlap():
    program = compile(lambda x: [x, 2 * x], backend="reference")
    program(1.0)
    assert "// No array that it fills may overlap another.\n" in program.source("c")


def test_c_has_no_power_with_a_small_whole_exponent():
    assert "pow" not in plain_part(lambda x, y: x**3 + y**8, 2.0, 3.0)


def test_c_subtracts_what_has_a_minus():
    text = plain_part(lambda x, y: sin(x - y) - micrograd.cos(x) * y, 2.0, 3.0)
    assert " + -" not in text
    assert " * -" not in text


def test_c_stores_each_derivative_as_soon_as_it_is_known():
    lines = plain_part(lambda x: x[0] * x[1] * x[2] * x[3], np.ones(4)).splitlines()
    stores = [i for i, line in enumerate(lines) if "gradient[" in line and " = d" in line]
    assert all(" = " in lines[i - 1] and "const double d" in lines[i - 1] for i in stores)
    assert len(stores) > 2


def test_matrix_products_and_wide_groups_are_loops():
    net = MLP(100, [50, 10])
    program = compile(lambda x: sum(net(x)), net.parameters(), batched=True, backend="reference")
    program(np.ones((1, 100)))
    for language, most in (("c", 210), ("numpy", 100)):
        assert len(program.source(language).splitlines()) < most


@pytest.mark.slow
def test_a_long_recurrence_is_a_loop_over_tables():
    def f(x, y):
        for _ in range(5_000):
            x, y = x * 0.9 + sin(y), x
        return x

    program = compile(f, backend="reference")
    program(1.0, 2.0)
    lines = program.source("c").splitlines()
    assert any("switch (" in line for line in lines)
    assert len([line for line in lines if "static const int" not in line]) < 10_000
    with pytest.raises(NotImplementedError, match=r"narrow part of .* steps"):
        program.source("numpy")


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_numpy_source_gives_the_values_of_the_program(function, batched):
    draw = np.random.default_rng(0)
    x = draw.normal(size=(5, 20) if function in ARRAYS else 5)
    y = draw.normal(size=5)
    f = compile(lambda x, y: function(x, y), batched=batched, backend="reference")
    at = (x, y) if batched else (x[0], y[0])
    expected = f(*at)
    space = {}
    exec(f.source("numpy"), space)
    assert equal(space["f"](*at), expected, ulps=8)


def test_many_sums_of_parameters_are_written_in_numpy():
    w = [Value(0.1 * k) for k in range(40)]

    def f(x):
        return sum((a * 2.0 - b * a * 3.0) ** 2 * x for a, b in pairwise(w))

    program = compile(f, w, batched=True, backend="reference")
    x, space = np.arange(3.0), {}
    expected = program(x)
    exec(program.source("numpy"), space)
    assert equal(space["f"]([each.data for each in w], x), expected, ulps=8)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS_WITH_FORMULAS)
def test_every_row_is_written_in_numpy(name):
    row = TABLE[name]
    special = (0.0, -0.0, 0.5, -0.75, 3.0, 1e300, math.inf, -math.inf, math.nan)
    draw = random.Random(name)
    points = [[draw.choice(special) for _ in row.operands] for _ in range(40)]
    fixed = 1.0 if row.constants else None

    def f(*x):
        return getattr(micrograd, name)(*((fixed, *x[1:]) if fixed else x))

    program = compile(f, backend="reference")
    program(*points[0])
    space = {}
    exec(program.source("numpy"), space)
    for at in points:
        expected = row.value(fixed, *at[1:]) if fixed else row.value(*at)
        assert equal(space["f"](*at), to_float(expected), ulps=8), at


def test_what_cannot_be_written_is_refused():
    program = compile(lambda x: hypot(x, 1.0), backend="reference")
    with pytest.raises(ValueError, match="not called yet"):
        program.source("c")
    program(1.0)
    with pytest.raises(ValueError, match="language is one of c, numpy, got 'fortran'"):
        program.source("fortran")
    define("of_python_here", math.sin, ["cos(x)"], array=np.sin)
    program = compile(lambda x: micrograd.of_python_here(x), backend="reference")
    program(1.0)
    for language in ("c", "numpy"):
        with pytest.raises(NotImplementedError, match="of_python_here"):
            program.source(language)


def test_a_pickled_function_is_written_with_other_names():
    import pickle

    w = Value(2.0)
    program = compile(lambda x: w * x, [w], backend="reference")
    program(1.0)
    again = pickle.loads(pickle.dumps(program))
    assert "double f(const double parameters[1], double x1," in again.source("c")


@needs_cc
def test_the_steps_of_a_loop_are_written_one_by_one(tmp_path):
    def f(x, y):
        return micrograd.repeat(lambda s: (sin(s[0]) + s[1] * 0.3, s[0] - 0.1 * s[1]), (x, y), 9)[0]

    program = compile(f, backend="reference")
    expected, slopes = program.value_and_grad(0.5, 0.25)
    _, value, gradient = InC(program, tmp_path).value_and_grad(1, 2, np.array(0.5), np.array(0.25))
    assert equal(value, expected)
    assert equal(gradient, slopes, ulps=8)


def test_a_result_is_not_checked_if_another_one_shows_that_it_is_infinite():
    """A divisor does not show it: what is divided by infinity is 0."""
    lines = [
        Definition("a", Call("mul", ("x", "x"))),
        Definition("b", Call("div", ("a", "y"))),
        Definition("c", Call("sub", ("b", Call("exp", ("z",))))),
        Definition("d", Call("div", ("y", "z"))),
        Definition("e", Call("exp", ("d",))),
    ]
    assert unseen(lines, ["a", "b", "c", "d", "e", "x", "y", "z"]) == {"c", "e", "z", "d"}


@pytest.mark.slow
@needs_cc
@pytest.mark.parametrize("most", [4, 10_000])
def test_an_optimizing_compiler_has_no_warnings(most, monkeypatch, tmp_path):
    monkeypatch.setattr(c, "SMALL", -1)
    monkeypatch.setattr(c, "_ON_STACK", most)
    program = compile(many, backend="reference")
    program(np.ones(5), 2.0)
    (tmp_path / "f.c").write_text(program.source("c"))
    run(CC, *C_OPTIONS, "-O1", "-c", "-o", str(tmp_path / "f.o"), str(tmp_path / "f.c"))
    assert (tmp_path / "f.o").exists()


@pytest.mark.parametrize("batched", [False, True])
def test_a_file_in_c_says_whether_threads_may_share_it(batched, monkeypatch):
    monkeypatch.setattr(c, "SMALL", -1)
    w = [Value(float(i)) for i in range(5)]
    program = compile(lambda x: many(np.array(w), x), w, batched=batched, backend="reference")
    program(np.ones(1) if batched else 1.0)
    for most, is_shared in ((10_000, False), (4, True)):
        monkeypatch.setattr(c, "_ON_STACK", most)
        assert ("one thread at a time" in program.source("c")) == is_shared


def test_shared_arguments_are_refused():
    program = compile(lambda x, w: x * w, batched=True, in_axes=(0, None), backend="reference")
    program(np.ones(2), 3.0)
    with pytest.raises(NotImplementedError, match="in_axes"):
        program.source("c")


@pytest.mark.parametrize("language", ["c", "numpy"])
def test_a_loop_whose_number_of_steps_is_not_known_is_refused(language):
    for f, *at in (
        (lambda x, n: micrograd.repeat(lambda s: s * x, 1.0, n), 0.5, 3),
        (lambda x: micrograd.while_(lambda s: s < 3.0, lambda s: s * x, 1.0), 2.0),
    ):
        program = compile(f, backend="reference")
        program(*at)
        with pytest.raises(NotImplementedError, match="number of steps is known only when"):
            program.source(language)


def test_with_static_arguments_the_source_is_that_of_the_last_call():
    program = compile(lambda x, n: x * n, backend="reference", static="n")
    for n in (2, 3):
        program(5.0, n)
        space = {}
        exec(program.source("numpy"), space)
        assert space["f"](5.0, []) == 5.0 * n
        assert str(program).startswith("program of 1 instructions")
