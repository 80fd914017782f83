"""What the errors say where a function of NumPy refuses arrays of Values."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")

import micrograd  # noqa: E402
from micrograd import Value, compile, grad, jacobian, jvp, vjp  # noqa: E402, A004
from micrograd.engine.numpy_functions import REMEDIES, remedy  # noqa: E402
from micrograd.ops import TABLE  # noqa: E402

special = pytest.importorskip("scipy.special")
linalg = pytest.importorskip("scipy.linalg")
stats = pytest.importorskip("scipy.stats")
X = np.array([0.3, 1.7, -0.6])
MATRIX = np.array([[2.0, 0.5], [0.3, 1.5]])
REFUSED = {
    "logaddexp": lambda x: np.logaddexp(x, 0.0),
    "copysign": lambda x: np.copysign(x, -1.0),
    "heaviside": lambda x: np.heaviside(x, 0.0),
    "isfinite": np.isfinite,
    "signbit": np.signbit,
    "modf": np.modf,
    "float_power": lambda x: np.float_power(x, 2.0),
    "logaddexp2": lambda x: np.logaddexp2(x, 0.0),
    "logical_xor": lambda x: np.logical_xor(x, x),
    "any": np.any,
    "nonzero": np.nonzero,
    "gradient": np.gradient,
    "cov": np.cov,
    "geomspace": lambda x: np.geomspace(x * x, 1.0, 3),
    "interp": lambda x: np.interp(x, [0.0, 1.0], [0.0, 1.0]),
    "fft": np.fft.fft,
    "i0": np.i0,
    "histogram": np.histogram,
    "norm": lambda x: np.linalg.norm(x, 3),
}
OF_MATRICES = {
    name: getattr(np.linalg, name) for name in "inv det slogdet svd eigh pinv cholesky qr".split()
}


def spelled(name):
    room = "linalg." if name == "norm" or name in OF_MATRICES else "fft." * (name == "fft")
    return f"np.{room}{name}"


TRANSFORMS = {
    "grad": grad,
    "jacobian": jacobian,
    "jvp": lambda f: lambda x: jvp(f, (x,), (x,)),
    "vjp": lambda f: lambda x: vjp(f, x),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_transform_says_what_to_write_instead(transform):
    cases = {**dict.fromkeys(REFUSED, X), **dict.fromkeys(OF_MATRICES, MATRIX)}
    for name, x in cases.items():
        with pytest.raises(TypeError) as caught:
            TRANSFORMS[transform]((REFUSED | OF_MATRICES)[name])(x)
        use = f"micrograd.{name}" if name in TABLE else REMEDIES[name]
        text = f"{spelled(name)} does not work on arrays of Values: use {use}"
        assert str(caught.value).endswith(text), name


def test_a_compiled_function_says_what_to_write_instead():
    for name in ("modf", "logaddexp2", "cov", "interp", "norm"):
        with pytest.raises(TypeError, match=f"{spelled(name)} does not work on arrays of "):
            compile(REFUSED[name], backend="numpy")(X)
    for name, f in OF_MATRICES.items():
        if name != "qr":
            with pytest.raises(TypeError, match=f"{spelled(name)} does not work"):
                compile(f, backend="numpy")(MATRIX)


def test_a_function_without_a_remedy_of_its_own_is_refused_too():
    for f in (lambda x: np.bincount([0, 1, 1], weights=x), np.spacing, np.sort_complex):
        with pytest.raises(TypeError, match="arrays of Values: use the numbers"):
            grad(f)(X)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda x: np.reshape(x, (2, 2)),
        lambda x: x @ np.ones((2, 2)),
        lambda x: x[0].no_such_thing,
        lambda x: np.no_such_thing,
        lambda x: (1).no_such_thing,
    ],
)
def test_other_mistakes_keep_their_own_words(mistake):
    with pytest.raises((ValueError, AttributeError, TypeError)) as caught:
        grad(mistake)(X)
    assert "arrays of Values" not in str(caught.value)


def test_what_python_asks_for_is_not_blamed_on_numpy():
    with pytest.raises(TypeError, match=r"has no truth value: .* test v\.data for the number"):
        bool(Value(1.0))
    with pytest.raises(TypeError, match=r"float\(v\) would cut the computation graph"):
        float(Value(1.0))


OF_NUMBERS = {
    "copysign": (np.copysign, 2),
    "logaddexp": (np.logaddexp, 2),
    "float_power": (np.float_power, 2),
    "isnan": (np.isnan, 1),
    "isfinite": (np.isfinite, 1),
    "sinc": (np.sinc, 1),
    "erf": (special.erf, 1),
    "xlogy": (special.xlogy, 2),
    "ndtr": (special.ndtr, 1),
    "expit": (special.expit, 1),
    "gammaln": (special.gammaln, 1),
    "psi": (special.psi, 1),
}


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_functions_that_refuse_arrays_of_objects_take_a_value_by_itself(name):
    f, arity = OF_NUMBERS[name]
    numbers = [0.7, 1.3][:arity]
    found = f(*map(Value, numbers))
    assert found.data == pytest.approx(float(f(*numbers)), rel=1e-14)
    step = 1e-6
    left, right = (float(f(0.7 + h, *numbers[1:])) for h in (-step, step))
    slope = grad(lambda x: f(x, *numbers[1:]))(0.7)
    assert slope == pytest.approx((right - left) / (2 * step), abs=1e-8)
    compiled = compile(lambda *x: f(*x), backend="numpy")
    assert compiled(*numbers) == pytest.approx(found.data, rel=1e-14)
    of_both = f(np.array(values([0.7, 0.2])), *map(Value, numbers[1:])) if arity == 2 else found
    assert np.ravel(of_both)[0].data == pytest.approx(found.data, rel=1e-14)


@pytest.mark.parametrize(
    "name", ["frexp", "heaviside", "modf", "logaddexp2", "gcd", "interp", "cov"]
)
def test_a_function_without_an_operation_names_the_remedy_for_a_value_by_itself(name):
    f, x = getattr(np, name), Value(0.7)
    others = {"interp": ([0.0, 1.0], [0.0, 1.0]), "cov": ()}
    with pytest.raises(TypeError) as caught:
        f(x, *others.get(name, [0.5] * (getattr(f, "nin", 1) - 1)))
    assert str(caught.value) == remedy(name)


def test_functions_of_scipy_are_named_as_such():
    with pytest.raises(TypeError, match=r"^scipy\.special\.erf .*: use micrograd\.erf$"):
        grad(lambda x: special.erf(x).sum())(X)
    assert remedy("expit").endswith("use micrograd.sigmoid")


@pytest.mark.parametrize(
    ("f", "told"),
    [
        (lambda x: special.logsumexp(x), r"scipy\.special\.logsumexp .* micrograd\.logsumexp$"),
        (lambda x: special.log_softmax(x), r"special\.log_softmax .* micrograd\.log_softmax$"),
        (lambda x: linalg.solve(np.eye(2), x), r"scipy\.linalg\.solve .*\.custom_derivative, as"),
        (lambda x: stats.norm.logpdf(x), r"scipy\.stats\.logpdf .*: use its formula in functions"),
    ],
)
def test_a_function_written_in_python_is_named_rather_than_what_it_calls(f, told):
    with pytest.raises(TypeError, match=told):
        jacobian(f)([0.5, 1.5])


def test_a_value_is_not_put_into_an_array_of_floats():
    def add_to_numbers(v):
        x = np.arange(3.0)
        x += v
        return x.sum()

    for run in (lambda: add_to_numbers(Value(1.0)), lambda: grad(add_to_numbers)(X)):
        with pytest.raises(TypeError, match=r"^an array of numbers takes no Values: write x = x"):
            run()
    with pytest.raises(TypeError, match=r"takes no Values: .*dtype=object\n  at .*, line \d+"):
        compile(add_to_numbers, backend="numpy")(X)
    x = np.arange(3.0)
    y = x.astype(object)
    y += Value(1.0)
    assert [each.data for each in y] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.bool_, np.longdouble])
def test_a_number_of_numpy_on_the_left_is_a_number(kind):
    x = kind(1)
    for f in (
        *(lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b),
        *(lambda a, b: a**b, lambda a, b: a // b, lambda a, b: a % b),
        *(lambda a, b: a == b, lambda a, b: a < b),
    ):
        assert f(x, Value(2.0)).data == f(1.0, Value(2.0)).data
    assert [each.data for each in divmod(np.float64(7.0), Value(2.0))] == [3.0, 1.0]


@pytest.mark.parametrize("f", [np.percentile, np.quantile, np.nanpercentile, np.nanquantile])
def test_quantiles_of_values_are_those_of_numbers_with_slopes(f):
    share = 0.3 if "quantile" in f.__name__ else 30.0
    assert f([Value(1.0), Value(2.0)], share).data == pytest.approx(1.3)
    assert f(np.array(Value(1.0)), share).data == 1.0
    assert grad(lambda x: f(x, share))([1.0, 2.0]) == pytest.approx([0.7, 0.3])


def test_a_value_by_itself_has_no_spread():
    for x in (Value(3.0), np.array(Value(3.0))):
        found = [np.asarray(f(x)).item() for f in (np.std, np.var)]  # NumPy 2.5 gives arrays
        assert [each.data for each in found] == [0.0, 0.0]


def test_what_is_masked_remains_masked_beside_a_value():
    for found in (np.multiply(np.ma.masked, Value(2.0)), np.ma.masked < Value(2.0)):
        assert found is np.ma.masked
    masked = np.ma.array([1.0, 3.0], mask=[False, True])
    for found in (masked * Value(2.0), Value(2.0) * masked):
        assert found.mask.tolist() == [False, True]
        assert found.data[0].data == 2.0


def test_functions_of_other_libraries_are_asked_first():
    class Theirs:
        def __array_function__(self, function, types, args, options):
            return f"their {function.__name__}"

    assert np.dot(Value(2.0), Theirs()) == np.dot(Theirs(), Value(2.0)) == "their dot"


def test_an_array_of_one_number_keeps_its_kind_beside_a_value():
    class Kept(np.ndarray):
        pass

    assert type(np.array(2.0).view(Kept) * Value(3.0)) is Kept
    assert type(np.array(2.0) * Value(3.0)) is Value


def test_a_value_beside_an_array_of_traced_values_gives_one_that_can_be_compared():
    weight = Value(2.0)
    found = compile(lambda x: micrograd.where(weight * x > 1.0, x, 0.0), backend="numpy")(X)
    assert found.tolist() == [0.0, 1.7, 0.0]


def values(numbers):
    return np.array([*map(Value, numbers), None], dtype=object)[:-1]


@pytest.mark.parametrize("name", ["degrees", "rad2deg", "radians", "deg2rad"])
def test_angles_are_converted(name):
    x = values(X)
    found = getattr(np, name)(x)
    assert [each.data for each in found] == pytest.approx(getattr(np, name)(X), rel=1e-15)
    found.sum().backward()
    assert [each.grad for each in x] == pytest.approx([getattr(np, name)(1.0)] * 3, rel=1e-15)
    program = compile(lambda x: getattr(np, name)(x), backend="numpy")
    assert program(X) == pytest.approx(getattr(np, name)(X), rel=1e-15)


@pytest.mark.parametrize("dividend", [5.3, -5.3])
@pytest.mark.parametrize("divisor", [2.1, -2.1])
def test_fmod_has_the_sign_of_the_dividend(dividend, divisor):
    x, y = values([dividend]), values([divisor])
    (found,) = np.fmod(x, y)
    assert found.data == np.fmod(dividend, divisor)
    found.backward()
    assert (x[0].grad, y[0].grad) == (1.0, -np.trunc(dividend / divisor))


def test_traced_arrays_are_asked_whether_they_are_finite():
    x = np.array([1.0, -np.inf, np.nan])
    for name in ("isfinite", "isinf", "signbit"):
        ask = getattr(np, name)
        found = compile(lambda x, ask=ask: micrograd.where(ask(x), 1.0, 0.0), backend="numpy")(x)
        assert found.tolist() == ask(x).tolist(), name
    square = compile(lambda x: np.float_power(x, 2.0), backend="numpy")
    assert square(X) == pytest.approx(X * X, rel=1e-15)


OVER_AXES = {
    "max": lambda x, where: np.max(x),
    "min of given axes": lambda x, where: x.min(axis=(0, 1)),
    "ptp": lambda x, where: np.ptp(x),
    "all": lambda x, where: where(np.all(x > 0), 1.0, 2.0),
    "any": lambda x, where: where((x > 2).any(), 1.0, 2.0),
}


@pytest.mark.parametrize("name", OVER_AXES)
def test_a_compiled_function_reduces_several_axes_at_once(name):
    f, x = OVER_AXES[name], np.array([[0.3, 1.7, -0.6], [0.9, 2.5, 0.2]])
    found = compile(lambda x: f(x, micrograd.where), backend="numpy")(x)
    assert found == pytest.approx(float(f(x, np.where)), rel=1e-15)


def test_a_mask_of_traced_values_for_a_reduction_is_refused():
    with pytest.raises(TypeError, match=r"np\.max does not work on arrays of Values"):
        compile(lambda x: np.max(x, where=x > 0, initial=0.0), backend="numpy")(X)
