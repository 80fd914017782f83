"""`Value` keeps the protocols of Python: format, order, equality, hash, docstrings, tracebacks."""

import inspect
import operator
import traceback

import pytest

import micrograd
from micrograd import Value, define, generation, ops
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


def test_values_compare_equal_and_hash_by_identity():
    a, b = Value(1.0), Value(1.0)
    assert a != b
    assert (a == b) is False
    assert (a == 1.0) is False
    assert len({a, b}) == 2
    assert a in [b, a]
    assert a not in [b]
    before = hash(a)
    a.data = 7.0
    assert hash(a) == before


def test_a_value_is_no_sequence_and_no_index():
    v = Value(1.0)
    for call in (len, iter, list, operator.index, lambda v: v[0], lambda v: [1, 2][v]):
        with pytest.raises(TypeError):
            call(v)


def test_methods_have_docstrings_and_source():
    for row in ops.TABLE.values():
        for name in generation.method_names(row):
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
