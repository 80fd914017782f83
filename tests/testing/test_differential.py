"""Random expressions: `backward` against 90-digit arithmetic, and against other engines.

The reference knows no rule of calculus. It evaluates the expression in mpmath, with functions of
its own, and takes the central difference D = (f(x + h) - f(x - h)) / 2h at h = 1e-30. D is off by
h²/6 times the third derivative and by the rounding 1e-90 |f| / h: 1e-60 in size, and less than
REFERENCE for functions as steep as those drawn here.

The tolerance is a bound of the float program's rounding, and nothing else. The program is run once
more on `Bounded` numbers, forwards and backwards, by the same formulas: every operation passes on
the errors of its operands, times its steepness, and adds its own rounding (Wilkinson's running
error analysis). What it neglects, in quotients and functions, are products of two errors, so twice
the bound holds.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings

from micrograd import Value, define
from micrograd.ops import ROWS, TABLE, Operation, Row
from micrograd.table.formulas import calls, fold
from micrograd.table.interpreters import IEEE
from micrograd.testing.expression import Expression, ExpressionStep
from micrograd.testing.strategies import DIFFERENTIABLE, expressions

pytestmark = pytest.mark.slow

mpmath = pytest.importorskip("mpmath", reason="the reference needs mpmath: pip install mpmath")

UNIT = 2.0**-53  # the relative error of a rounded sum, product or quotient
ULPS = 4  # of a function of the math library, in units of the last place
TINY = 2.0**-1074  # the error of a result that underflows
STEP = 2.0**-20  # less than the margin that expressions keep from kinks and borders

Gradient = list[Any]


# -------------------------------------------------------------------------- what is to be tested


def backward(expression: Expression) -> tuple[float, Gradient]:
    """The result and the gradient by the engine."""
    leaves = [Value(x) for x in expression.at]
    out = expression(*leaves)
    out.backward()
    return out.data, [leaf.grad for leaf in leaves]


# ---------------------------------------------------------------------------------- the reference

mp = mpmath.mp.clone()
mp.dps = 90
H = mp.mpf(10) ** -30
REFERENCE = 1e-40


def truth(condition: bool) -> Any:
    return mp.mpf(1 if condition else 0)


def softplus(x: Any) -> Any:
    return mp.log(1 + mp.exp(x))


# By mpmath's own names, and what it calls otherwise.
MPMATH: dict[str, Callable[..., Any]] = {
    row.name: getattr(mp, row.name) for row in ROWS if hasattr(mp, row.name)
} | {
    "abs": abs,
    "gauss": lambda x: mp.exp(-x * x),
    "log2": lambda x: mp.log(x, 2),
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": softplus,
    "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x: x if x > 0 else x / 100,
    "elu": lambda x: x if x > 0 else mp.exp(x) - 1,
    "gelu": lambda x: x * mp.ncdf(x),
    "silu": lambda x: x / (1 + mp.exp(-x)),
    "mish": lambda x: x * mp.tanh(softplus(x)),
    "step": lambda x: truth(x > 0),
    "maximum": max,
    "minimum": min,
    "lt": lambda x, y: truth(x < y),
    "le": lambda x, y: truth(x <= y),
    "gt": lambda x, y: truth(x > y),
    "ge": lambda x, y: truth(x >= y),
    "eq": lambda x, y: truth(x == y),
    "ne": lambda x, y: truth(x != y),
    "where": lambda x, y, z: y if x != 0 else z,
    "round": mp.nint,
    "trunc": lambda x: mp.sign(x) * mp.floor(abs(x)),
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "floordiv": lambda x, y: mp.floor(x / y),
    "copysign": lambda x, y: abs(x) if math.copysign(1, y) > 0 else -abs(x),
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "lgamma": lambda x: mp.re(mp.loggamma(x)),
    "sinc": lambda x: mp.sincpi(x),  # that of mpmath is not normalized
    "ndtr": mp.ncdf,
    "log_ndtr": lambda x: mp.log(mp.ncdf(x)),
    "exp2": lambda x: mp.mpf(2) ** x,
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "log_sigmoid": lambda x: -softplus(-x),
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "logit": lambda x: mp.log(x / (1 - x)),
    "xlogy": lambda x, y: x * mp.log(y) if x else mp.mpf(0),
    "softsign": lambda x: x / (1 + abs(x)),
    "celu": lambda x: x if x > 0 else mp.exp(x) - 1,
    "clip": lambda x, y, z: min(max(x, y), z),
    # What the formulas of the other rows are made of.
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "pow": operator.pow,
}


def by_formula(row: Row, vocabulary: dict[str, Callable[..., Any]]) -> Callable[..., Any]:
    """The formula of a row in a vocabulary."""
    known = TABLE[row.name]

    def function(*operands: Any) -> Any:
        return fold(known.expression, vocabulary, dict(zip(known.operands, operands, strict=True)))

    return function


for _row in ROWS:  # those that have no function of their own above
    if _row.name not in MPMATH and not _row.operator:
        primitive = TABLE[_row.name].is_primitive
        MPMATH[_row.name] = getattr(mp, _row.name) if primitive else by_formula(_row, MPMATH)


def reference(expression: Expression, **more: Callable[..., Any]) -> tuple[Any, Gradient]:
    """The result and the gradient to 40 digits. `more` are the functions of rows just defined."""
    vocabulary = MPMATH | more
    at = [mp.mpf(x) for x in expression.at]

    def difference(index: int) -> Any:
        above, below = (
            expression(*at[:index], at[index] + h, *at[index + 1 :], vocabulary=vocabulary)
            for h in (H, -H)
        )
        return (above - below) / (2 * H)

    return expression(*at, vocabulary=vocabulary), [difference(i) for i in range(len(at))]


# ---------------------------------------------------------------------------------- the tolerance


class Bounded:
    """A float, and a bound of its distance from the number that exact arithmetic gives."""

    def __init__(self, data: float, error: float = 0.0) -> None:
        self.data = float(data)
        self.error = error

    @staticmethod
    def of(number: Any) -> Bounded:
        """A number in a formula is near the real number, such as 1 / sqrt(2), that is meant."""
        if isinstance(number, Bounded):
            return number
        return Bounded(number, 0.0 if float(number).is_integer() else UNIT * abs(number))

    def __neg__(self) -> Bounded:
        return Bounded(-self.data, self.error)

    def __add__(self, other: Any) -> Bounded:
        other = Bounded.of(other)
        data = self.data + other.data
        error = self.error + other.error
        whole = not error and self.data.is_integer() and other.data.is_integer()
        return Bounded(data, 0.0 if whole and abs(data) < 2**53 else error + UNIT * abs(data))

    def __mul__(self, other: Any) -> Bounded:
        other = Bounded.of(other)
        data = self.data * other.data
        # An exact 0 times what has no bound is 0.
        shares = (abs(self.data), other.error), (abs(other.data), self.error)
        error = sum(size * share for size, share in shares if size and share)
        if self.error and other.error:  # all there is where both numbers have come out as 0
            error += self.error * other.error
        return Bounded(data, error + UNIT * abs(data) + TINY)

    def __truediv__(self, other: Any) -> Bounded:
        other = Bounded.of(other)
        data = IEEE["div"](self.data, other.data)  # a branch that is not taken may divide by 0
        if not other.data:
            return Bounded(data, math.inf)
        if math.isinf(other.data):  # the real number is beyond the largest float at least
            return Bounded(data, (abs(self.data) + self.error) / sys.float_info.max + TINY)
        error = (self.error + abs(data) * other.error) / abs(other.data)
        return Bounded(data, error + UNIT * abs(data) + TINY)

    def __pow__(self, other: Any) -> Bounded:
        return _primitive(TABLE["pow"], self, other)

    def __mod__(self, other: Any) -> Bounded:
        return _primitive(TABLE["mod"], self, other)

    def __floordiv__(self, other: Any) -> Bounded:
        return _primitive(TABLE["floordiv"], self, other)

    def __rmod__(self, other: Any) -> Bounded:
        return Bounded.of(other) % self

    def __rfloordiv__(self, other: Any) -> Bounded:
        return Bounded.of(other) // self

    def __sub__(self, other: Any) -> Bounded:
        return self + -Bounded.of(other)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Any) -> Bounded:
        return Bounded.of(other) - self

    def __rtruediv__(self, other: Any) -> Bounded:
        return Bounded.of(other) / self

    def __rpow__(self, other: Any) -> Bounded:
        return Bounded.of(other) ** self

    def __lt__(self, other: Any) -> bool:
        return self.data < Bounded.of(other).data

    def __le__(self, other: Any) -> bool:
        return self.data <= Bounded.of(other).data

    def __gt__(self, other: Any) -> bool:
        return self.data > Bounded.of(other).data

    def __ge__(self, other: Any) -> bool:
        return self.data >= Bounded.of(other).data

    def __eq__(self, other: Any) -> bool:
        return self.data == Bounded.of(other).data

    __hash__ = None

    def __bool__(self) -> bool:
        return self.data != 0


JUMPS = "sign step floor ceil round trunc mod floordiv copysign".split()


def _primitive(row: Operation, *operands: Any) -> Bounded:
    """A function of the math library.

    Its steepness is that of a chord: of the length STEP, or, where there may be a jump, as long as
    the error.
    """
    known = [Bounded.of(operand) for operand in operands]
    point = [operand.data for operand in known]
    data = row.value(*point)
    # Between its zeros, lgamma is a sum of terms of the size of 2.
    error = ULPS * 2 * UNIT * max(abs(data), 2.0 if row.name == "lgamma" else 0.0) + TINY
    if row.name in JUMPS and row.name != "mod":  # these do not round
        error = 0.0
    for index, operand in enumerate(known):
        if operand.error:
            x = operand.data
            h = max(operand.error, math.ulp(x)) if row.name in JUMPS else STEP
            moved = (row.value(*point[:index], x + s, *point[index + 1 :]) for s in (h, -h))
            change = max(abs(value - data) for value in moved)
            error += change if row.name in JUMPS else change / h * operand.error
    return Bounded(data, math.inf if math.isnan(error) else error)


def _on_bounded(row: Operation, *operands: Any) -> Any:
    if row.name == "where":
        condition, then, otherwise = operands
        return then if condition else otherwise
    if row.operator and row.name != "abs":
        return getattr(operator, row.operator)(*map(Bounded.of, operands))
    if row.is_primitive:
        return _primitive(row, *operands)
    names = dict(zip(row.operands, operands, strict=True))
    result = Bounded.of(fold(row.expression, Rounding(), names))
    # A formula may say 0 for what is smaller than any float, as that of erfc does from 28 on.
    return Bounded(result.data, result.error + TINY)


class Rounding(dict[str, Callable[..., Any]]):
    """The vocabulary of Bounded numbers: primitives, and the other rows by their formulas."""

    def __init__(self) -> None:
        super().__init__({name: partial(_on_bounded, row) for name, row in TABLE.items()})


def tolerance(expression: Expression) -> tuple[float, list[float]]:
    """Bounds of the rounding errors of the result and of the gradient by `backward`."""
    vocabulary = Rounding()
    slots = [Bounded(x) for x in expression.at]
    steps = []
    for name, places in expression.steps:
        operands = [slots[p] if type(p) is int else Bounded(p) for p in places]
        out = Bounded.of(vocabulary[name](*operands))
        named = dict(zip(TABLE[name].operands, operands, strict=True), out=out)
        steps.append([fold(slope, vocabulary, named) for slope in TABLE[name].slopes])
        slots.append(out)
    shares: list[list[Bounded]] = [[] for _ in slots]
    shares[-1].append(Bounded(1.0))
    for number, (_, places) in reversed(list(enumerate(expression.steps))):
        adjoint = _sum(shares[len(expression.at) + number])
        for place, slope in zip(places, steps[number], strict=True):
            if type(place) is int:
                shares[place].append(adjoint * slope)
    gradient = [2 * _sum(shares[index]).error for index in range(len(expression.at))]
    return 2 * slots[-1].error, gradient


def _sum(terms: list[Bounded]) -> Bounded:
    """The sum in any order: each addition rounds at most the sum of the sizes."""
    size = sum(abs(term.data) for term in terms)
    error = sum(term.error for term in terms) + len(terms) * UNIT * size
    return Bounded(sum(term.data for term in terms), error)


def disagreement(expression: Expression, **more: Callable[..., Any]) -> str:
    """What differs from the reference by more than rounding explains; "" if nothing does."""
    (value, gradient), (exact, slopes) = backward(expression), reference(expression, **more)
    error, errors = tolerance(expression)
    if not abs(value - exact) <= error:
        return f"the result is {value!r}, not {mp.nstr(exact, 20)} ± {error:.1e}"
    for name, got, slope, bound in zip(expression.names, gradient, slopes, errors, strict=True):
        if not abs(got - slope) <= bound + REFERENCE:
            return f"d/d{name} is {got!r}, not {mp.nstr(slope, 20)} ± {bound:.1e}"
    return ""


# -------------------------------------------------------------------------------------- the tests

many = settings(max_examples=2_000)


@pytest.mark.exhaustive
@many
@given(expressions())
def test_two_thousand_random_gradients_are_those_of_exact_arithmetic(expression):
    assert not disagreement(expression)


def test_a_jump_within_the_rounding_of_a_quotient_may_be_on_either_side():
    third = ExpressionStep("mul", (0, -1.0)), ExpressionStep("div", (1, 3.0))
    steps = (*third, ExpressionStep("mod", (0, 2)))  # 1 % (-1/3); no float is -1/3
    assert not disagreement(Expression(("x",), (1.0,), steps))


def test_numbers_that_are_whole_have_no_error_which_a_jump_would_enlarge():
    names = "round", "floor", "sinc", "sinh"
    steps = tuple(ExpressionStep(name, (place,)) for place, name in enumerate(names))
    expression = Expression(("x",), (-2.0,), steps)
    assert not disagreement(expression)
    assert max(tolerance(expression)[1]) < 1e-15


def test_a_result_that_is_smaller_than_any_float_may_be_zero():
    expression = Expression(("x",), (28.4,), (ExpressionStep("erfc", (0,)),))
    assert backward(expression)[0] == 0.0
    assert not disagreement(expression)
    assert tolerance(expression)[0] <= 2 * TINY


def test_what_overflows_within_a_formula_has_a_bound():
    expression = Expression(
        ("x",), (7.3,), (ExpressionStep("sinh", (0,)), ExpressionStep("silu", (1,)))
    )
    assert not disagreement(expression)
    assert max(tolerance(expression)[1]) < 1e-9


@settings(max_examples=100)
@given(expressions(max_operations=40, variables=2))
def test_long_random_gradients_are_those_of_exact_arithmetic(expression):
    assert not disagreement(expression)


def test_the_tolerance_of_most_gradients_is_below_a_trillionth():
    relative = []

    @settings(max_examples=150, database=None, phases=[Phase.generate])
    @given(expressions())
    def collect(expression):
        gradient, bounds = backward(expression)[1], tolerance(expression)[1]
        relative.extend(b / max(abs(g), 1.0) for g, b in zip(gradient, bounds, strict=True) if g)

    collect()
    assert median(relative) < 1e-12


MUTATIONS = {
    "a millionth too large": "1.000001 * ({})",
    "of the wrong sign": "-({})",
    "zero": "0 * ({})",
    "one more": "1 + ({})",
}
WITH_PARTIALS = [
    (row, index)
    for row in ROWS
    if row.name in DIFFERENTIABLE
    for index, text in enumerate(row.partials)
    if text != "0"
]


@pytest.mark.exhaustive
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_planted_wrong_partial_is_caught_by_the_same_comparison(mutation):
    for row, index in WITH_PARTIALS:
        partials = list(row.partials)
        partials[index] = MUTATIONS[mutation].format(partials[index])
        define("planted", row.formula, partials, domain=row.domain, kink=row.kink)
        exact = MPMATH.get(row.name) or getattr(operator, row.operator)
        caught = find(  # an error if no expression shows the mistake
            expressions(rows=["planted", "mul"]),
            lambda expression, exact=exact: disagreement(expression, planted=exact),
            settings=settings(max_examples=2000, phases=[Phase.generate], database=None),
        )
        assert "planted(" in caught.source


# ---------------------------------------------------------------------------------- other engines


def vocabulary_of(numpy: Any, number: Callable[[Any], Any]) -> dict[str, Callable[..., Any]]:
    """The functions of a library with NumPy's names, on arrays without dimensions."""
    names = (
        "exp expm1 log log1p log2 log10 sqrt sin cos tan sinh cosh square sign maximum minimum"
    ).split()
    functions = {name: getattr(numpy, name) for name in names}
    functions |= {f"a{name}": getattr(numpy, f"arc{name}") for name in "sin cos tan tan2".split()}
    functions |= {f"a{name}h": getattr(numpy, f"arc{name}h") for name in "sin cos tan".split()}

    def tanh(x: Any) -> Any:
        small = numpy.exp(-2.0 * numpy.abs(x))
        saturated = numpy.sign(x) * (1.0 - small) / (1.0 + small)
        return numpy.where(numpy.abs(x) < 0.5, numpy.tanh(x), saturated)

    functions |= {
        "reciprocal": lambda x: 1 / x,
        # PyTorch's slope of tanh is 1 - out², which loses all digits where tanh is nearly 1.
        "tanh": tanh,
        "hypot": lambda x, y: numpy.sqrt(x * x + y * y),
        "sigmoid": lambda x: numpy.exp(-numpy.logaddexp(number(0.0), -x)),
        "softplus": lambda x: numpy.logaddexp(number(0.0), x),
        "relu": lambda x: numpy.maximum(x, number(0.0)),
        "leaky_relu": lambda x: numpy.maximum(x, 0.01 * x),
        # The slope of its own expm1 is the result + 1, which loses all digits for large -x.
        "expm1": lambda x: numpy.where(x < -1.0, numpy.exp(x) - 1.0, numpy.expm1(x)),
        "elu": lambda x: numpy.maximum(x, functions["expm1"](numpy.minimum(x, number(0.0)))),
        "silu": lambda x: x * functions["sigmoid"](x),
        "mish": lambda x: x * tanh(functions["softplus"](x)),
        # The formula of the table has a kink at 1/2, where Autograd's slope would be 0.
        "logit": lambda x: numpy.where(
            x < 0.25, numpy.log(x) - numpy.log1p(-x), numpy.log1p((2 * x - 1) / (1 - x))
        ),
        # In the formula of the table, the case of x = 0 is a constant.
        "xlogy": lambda x, y: x * numpy.log(y),
        "step": lambda x: number(1.0 * (x > 0)),
        "lt": lambda x, y: number(1.0 * (x < y)),
        "le": lambda x, y: number(1.0 * (x <= y)),
        "gt": lambda x, y: number(1.0 * (x > y)),
        "ge": lambda x, y: number(1.0 * (x >= y)),
        "eq": lambda x, y: number(1.0 * (x == y)),
        "ne": lambda x, y: number(1.0 * (x != y)),
        "where": lambda x, y, z: numpy.where(x != 0, y, z),
    }
    plain = {row.name: getattr(operator, row.operator) for row in ROWS if row.operator}
    functions = plain | functions
    functions |= {
        row.name: by_formula(row, functions)
        for row in ROWS
        if row.name not in functions and calls(TABLE[row.name].expression) <= functions.keys()
    }

    def on_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *operands: function(*map(number, operands))

    return {name: on_numbers(function) for name, function in functions.items()}


# Another engine writes some functions differently, so that it has roundings of its own.
OTHER_ROUNDINGS = 64


def rows_in(vocabulary: dict[str, Callable[..., Any]]) -> list[str]:
    """The rows to compare; another engine may lack a primitive, such as erf."""
    # Autograd's functions of these have no or other derivatives, at ties for instance.
    left_out = {"mod", "floordiv", "logaddexp", "clip", "sinc", "floor", "ceil", "round", "trunc"}
    return [name for name in DIFFERENTIABLE if name in vocabulary and name not in left_out]


def agrees_with(gradient: Gradient, expression: Expression) -> bool:
    got, errors = backward(expression)[1], tolerance(expression)[1]
    return all(
        abs(g - other) <= OTHER_ROUNDINGS * max(bound, TINY)
        for g, other, bound in zip(got, gradient, errors, strict=True)
    )


def test_random_gradients_agree_with_those_of_hips_autograd():
    reason = "pip install autograd to compare with it"
    autograd = pytest.importorskip("autograd", reason=reason)
    numpy = pytest.importorskip("autograd.numpy", reason=reason)
    vocabulary = vocabulary_of(numpy, lambda x: x)

    @settings(max_examples=200)
    @given(expressions(rows=rows_in(vocabulary)))
    def compare(expression):
        def on_list(at):
            return 0.0 * sum(at) + expression(*at, vocabulary=vocabulary)

        with numpy.errstate(all="ignore"):
            gradient = autograd.grad(on_list)(list(expression.at))
        assert agrees_with([float(g) for g in gradient], expression)

    compare()


def test_random_gradients_agree_with_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    number = partial(torch.as_tensor, dtype=torch.float64)
    vocabulary = vocabulary_of(torch, number)

    @settings(max_examples=200)
    @given(expressions(rows=rows_in(vocabulary)))
    def compare(expression):
        leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in expression.at]
        out = expression(*leaves, vocabulary=vocabulary)
        if out.requires_grad:
            out.backward()
        gradient = [0.0 if leaf.grad is None else leaf.grad.item() for leaf in leaves]
        assert agrees_with(gradient, expression)

    compare()
