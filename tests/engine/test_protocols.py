"""`Value` keeps the protocols of Python: format, order, equality, hash, docstrings, tracebacks."""

import inspect
import math
import operator
import traceback
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import micrograd
from micrograd import Value, define, grad, ops, where
from micrograd.engine import method_source
from tests.engine.common import NAN


def test_format_applies_to_the_number():
    v = Value(1.23456)
    assert f"{v:.3f}" == "1.235"
    assert f"{v:>8.1f}|" == "     1.2|"
    assert f"{v:e}" == "1.234560e+00"
    assert f"{v}" == str(v) == repr(v) == "Value(data=1.23456, grad=0)"
    assert repr(Value(-0.0)) == "Value(data=-0.0, grad=0)"
    assert repr(Value(NAN)) == "Value(data=nan, grad=0)"


def test_values_are_sorted_and_compared_by_their_numbers():
    values = [Value(number) for number in (3.0, -1.0, 2.0)]
    assert [v.data for v in sorted(values)] == [-1.0, 2.0, 3.0]
    assert max(values) is values[0]
    assert min(values) is values[1]
    assert max(*values, key=lambda v: -v.data) is values[1]
    assert max(values[0], 1.0) is values[0]
    assert ("yes" if values[1] < 0 else "no") == "yes"
    assert 0 < values[2] < 5


def test_values_among_themselves_compare_and_hash_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert (a == b) is False
    assert (a != b) is True
    assert (a == a) is True
    assert (a != a) is False
    assert len({a, b}) == 2
    assert [a, b].index(b) == 1
    assert a in [b, a]
    assert a not in [b]
    assert {a: 1, b: 2}[b] == 2
    before = hash(a)
    a.data = 7.0
    assert hash(a) == before


NUMBERS = [
    2,
    2.0,
    True + 1,
    np.int64(2),
    np.float32(2.0),
    np.float64(2.0),
    np.array(2.0),
    Fraction(2),
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: type(number).__name__)
def test_a_value_is_compared_with_a_number_by_its_number(number):
    x = Value(2.0)
    for same, other in ((x == number, x != number), (number == x, number != x)):
        assert bool(same) is True
        assert bool(other) is False
    assert (Value(2.5) == number).data == 0
    assert Value(2.5) != number
    assert isinstance(x == number, Value)


def test_a_comparison_with_a_number_is_an_operation_without_gradient():
    x = Value(3.0)
    chosen = where(x == 3, x * x, -x)
    chosen.backward()
    assert (chosen.data, x.grad) == (9.0, 6.0)
    assert [(Value(d) != 3.0).data for d in (3.0, math.nan, -0.0)] == [0.0, 1.0, 1.0]
    assert (Value(0.0) == -0.0).data == 1.0
    assert grad(lambda x: (x == 2.0) * x)(2.0) == 1.0


def test_a_value_is_found_among_numbers_and_differs_from_what_is_not_a_number():
    x = Value(2.0)
    assert x in [1.0, 2.0]
    assert x not in [1.0, 3.0]
    assert [1.0, 2.0].index(x) == 1
    assert (np.array([1.0, 2.0]) == x).tolist() == [False, True]
    assert (x != np.array([1.0, 2.0])).tolist() == [True, False]
    for thing in (None, "2.0", [2.0], {}, object()):
        assert (x == thing) is False
        assert (x != thing) is True
    for number in (2j, Decimal(2)):
        with pytest.raises(TypeError, match="takes a real number"):
            _ = x == number


def test_a_value_is_neither_a_sequence_nor_an_index():
    v = Value(1.0)
    for call in (len, iter, list, operator.index, lambda v: v[0], lambda v: [1, 2][v]):
        with pytest.raises(TypeError):
            call(v)


def test_methods_have_docstrings_and_source():
    for row in ops.TABLE.values():
        for name in method_source.method_names(row):
            method = getattr(Value, name)
            assert row.name in method.__doc__
            source = inspect.getsource(method)
            assert source.startswith(f"def {method.__name__}(self")
            assert "return" in source
        function = getattr(micrograd, row.name)
        assert function.__doc__
        assert function.__name__ == row.name
    assert "1 - out * out" in Value.tanh.__doc__
    assert "tanh(" in inspect.getsource(Value.tanh)


def test_a_traceback_shows_the_line_of_a_method():
    with pytest.raises(TypeError) as caught:
        Value(1.0) + "3"
    text = "".join(traceback.format_exception(caught.value))
    frame = next(f for f in caught.traceback if f.name == "__add__")
    line = str(frame.statement).strip()
    assert line
    assert line in inspect.getsource(Value.__add__)
    assert line in text


def test_a_defined_method_has_source_too(table):
    define("cubed_for_source", "x * x * x", ["3 * x * x"])
    assert "x * x * x" in inspect.getsource(Value.cubed_for_source)
    define("cubed_for_source", "x ** 3", ["3 * x ** 2"])
    assert "pow(x, 3" in inspect.getsource(Value.cubed_for_source)
    assert "tanh(" in inspect.getsource(Value.tanh)


def test_an_override_may_call_the_method_that_it_overrides(table):
    define("twice_t", "x * 2", ["2"])

    class Louder(Value):
        def twice_t(self):
            return super().twice_t() + 1

    assert [Louder(1.0).twice_t().data for _ in range(2)] == [3.0, 3.0]


def test_functions_take_their_operands_by_name():
    assert micrograd.maximum(x=1.0, y=2.0) == 2.0
    assert micrograd.where(x=0, y=1.0, z=Value(2.0)).data == 2.0


@pytest.mark.parametrize("y", [2.0, -0.75])
def test_divmod_gives_quotient_and_remainder(y):
    x = Value(7.5)
    for found, expected in (
        (divmod(x, y), divmod(7.5, y)),
        (divmod(x, Value(y)), divmod(7.5, y)),
        (divmod(y, x), divmod(y, 7.5)),
    ):
        assert tuple(each.data for each in found) == expected
    assert grad(lambda x: divmod(x, y)[0] + 3.0 * divmod(x, y)[1])(7.5) == 3.0
    with pytest.raises(TypeError):
        divmod(x, "2")
