"""`custom_derivative`, and the transforms of any structures."""

import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from micrograd import (
    Value,
    compile,  # noqa: A004
    custom_derivative,
    grad,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linearize,
    maximum,
    register_structure,
    value_and_grad,
    value_and_jacobian,
    vjp,
    where,
)
from micrograd.testing import check_gradients


def newton(a):
    x = a
    while abs(x * x - a) > 1e-15 * a:
        x = (x + a / x) / 2
    return x


root = custom_derivative(newton, vjp=lambda args, x, g: (g / (2 * x),))
forward_root = custom_derivative(newton, jvp=lambda args, x, tangents: tangents[0] / (2 * x))


@pytest.mark.parametrize("f", [root, forward_root])
def test_a_root_is_differentiated_implicitly_in_any_order(f):
    assert f(9.0) == 3.0
    assert grad(f)(4.0) == 0.25
    assert grad(grad(f))(4.0) == pytest.approx(-1 / 32)
    assert grad(grad(grad(f)))(4.0) == pytest.approx(3 / 256)
    assert jvp(f, (4.0,), (2.0,))[1] == 0.5
    assert check_gradients(lambda x: f(x * x) * x, 1.5, order=2)


def transposed(A):
    return [list(row) for row in zip(*A, strict=True)]


@custom_derivative(
    vjp=lambda args, x, g: (lambda u: ([[-ui * xj for xj in x] for ui in u], u))(
        solve(transposed(args[0]), g)
    )
)
def solve(A, b):
    return np.linalg.solve(np.array(A, float), np.array(b, float)).tolist()


def by_hand(A, b):
    d = A[0][0] * A[1][1] - A[0][1] * A[1][0]
    return [(A[1][1] * b[0] - A[0][1] * b[1]) / d, (A[0][0] * b[1] - A[1][0] * b[0]) / d]


def test_a_linear_solve_is_differentiated_implicitly_in_any_order():
    A, b = [[3.0, 1.0], [1.0, 2.0]], [1.0, 2.0]
    for number in (0, 1):
        f, g = (lambda A, b, s=s: sum(x**3 for x in s(A, b)) for s in (solve, by_hand))
        np.testing.assert_allclose(jacobian(solve, number)(A, b), jacobian(by_hand, number)(A, b))
        np.testing.assert_allclose(hessian(f, number)(A, b), hessian(g, number)(A, b))


def test_it_works_on_values_and_refuses_to_be_compiled_with_a_loop_that_looks_at_numbers():
    x = Value(4.0)
    (root(x) * 3).backward()
    assert x.grad == 0.75
    with pytest.raises(TypeError, match=r"(?s)newton has a custom derivative, and .* while abs"):
        compile(root, backend="numpy")(4.0)


def test_a_rule_is_told_of_defaults_whether_or_not_an_argument_is_given_by_name():
    told = []

    def rule(args, out, g):
        told.append(tuple(args))
        return (args[1] * g,)  # the gradient of the default is left out

    scaled = custom_derivative(lambda x, by=2.0: x * by, vjp=rule)
    slopes = [grad(lambda x, given=given: scaled(x, **given))(5.0) for given in ({}, {"by": 3.0})]
    assert slopes == [2.0, 3.0]
    assert told == [(5.0, 2.0), (5.0, 3.0)]
    assert grad(lambda x: scaled(x, 4.0))(5.0) == 4.0
    with pytest.raises(ValueError, match="returned 1 numbers, and 2 are needed"):
        grad(lambda by: scaled(5.0, by))(3.0)
    pushed = custom_derivative(lambda x, by=2.0: x * by, jvp=lambda args, out, t: t[0] * args[1])
    assert jvp(pushed, (5.0,), (1.0,)) == (10.0, 2.0)


def test_an_argument_may_be_given_by_name_past_a_default():
    told = []

    def rule(args, out, g):
        told.append(tuple(args))
        return (args[1] * args[2] * g,)

    scaled = custom_derivative(lambda x, by=2.0, k=1.0: x * by * k, vjp=rule)
    assert grad(lambda x: scaled(x, k=3.0))(5.0) == 6.0
    assert told == [(5.0, 2.0, 3.0)]
    with pytest.raises(TypeError, match="<lambda>: missing a required argument: 'x'"):
        scaled(k=3.0)


def test_the_gradient_of_an_only_argument_needs_no_tuple_beside_defaults():
    tripled = custom_derivative(lambda x, n=3: x * n, vjp=lambda args, out, g: args[1] * g)
    assert grad(tripled)(4.0) == 3.0
    assert grad(lambda x: tripled(x, n=5))(4.0) == 5.0


def test_arguments_of_a_function_with_a_rule_may_be_given_by_name_or_left_out():
    @custom_derivative(vjp=lambda args, out, g: (g * out / args[0], g * 0.0))
    def scaled(x, factor=3.0):
        return factor * x

    assert scaled(x=2.0) == scaled(factor=3.0, x=2.0) == 6.0
    assert grad(lambda x: scaled(x=x))(2.0) == 3.0
    assert grad(lambda x: scaled(x, factor=5.0))(2.0) == 5.0

    @custom_derivative(vjp=lambda args, out, g: (g,))
    def shifted(x, *, by):
        return x + by

    with pytest.raises(TypeError, match="takes by name alone: by"):
        shifted(1.0, by=2.0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'offset'"):
        scaled(1.0, offset=2.0)


def test_none_is_the_gradient_of_what_is_not_differentiated():
    class Scaled:
        factor = 3.0

        @custom_derivative(vjp=lambda args, out, g: (None, g * args[0].factor, None, None))
        def __call__(self, x, mode, weights):
            return self.factor * x if mode == "up" else 0.0 * weights["w"]

    assert grad(lambda x: Scaled()(x, "up", {"w": 2.0}))(5.0) == 3.0
    assert grad(lambda w: Scaled()(5.0, "up", {"w": w}))(2.0) == 0.0
    assert compile(lambda x: Scaled()(x, "up", {"w": x})).value_and_grad(5.0) == (15.0, 3.0)


def test_a_rule_of_other_arguments_is_refused_where_it_is_given():
    with pytest.raises(TypeError, match=r"function jvp\(args, result, tangents\): too many"):
        custom_derivative(newton, jvp=lambda primals, tangents: tangents[0])
    with pytest.raises(
        TypeError, match=r"needs a function vjp\(args, result, cotangent\): missing"
    ):
        custom_derivative(newton, vjp=lambda args, result, cotangent, more: cotangent)
    assert grad(custom_derivative(newton, vjp=lambda *all: (all[2] / (2 * all[1]),)))(9.0) == 1 / 6


def test_wrong_rules_are_refused():
    with pytest.raises(TypeError, match="either jvp= or vjp="):
        custom_derivative(newton)
    with pytest.raises(ValueError, match="vjp of newton returned 2 numbers, and 1 are needed"):
        grad(custom_derivative(newton, vjp=lambda args, x, g: (g, g)))(4.0)


# ------------------------------------------------------------------------------- any structures

Pair = namedtuple("Pair", "x y")


@dataclass
class Line:
    slope: float
    offset: float


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


register_structure(Point, lambda p: ((p.x, p.y), None), lambda _, xy: Point(*xy))


def test_named_tuples_dataclasses_and_registered_types_are_structures():
    assert grad(lambda p: p.x * p.y)(Pair(2.0, 3.0)) == Pair(3.0, 2.0)
    assert grad(lambda line: line.slope * 2 + line.offset)(Line(1.0, 5.0)) == Line(2.0, 1.0)
    found = grad(lambda p: p.x * p.y)(Point(2.0, 3.0))
    assert (found.x, found.y) == (3.0, 2.0)
    assert jacobian(lambda line: [line.slope, line.offset])(Line(1.0, 2.0)).slope.tolist() == [1, 0]


class Options(dict):
    """A dict whose entries are attributes, as several libraries have them."""

    __getattr__ = dict.__getitem__


@pytest.mark.parametrize("kind", [dict, OrderedDict, Options, Counter])
def test_a_kind_of_dict_reaches_the_function_and_the_gradient(kind):
    seen = []
    found = grad(lambda p: seen.append(type(p)) or p["x"] * p["y"])(kind({"x": 2.0, "y": 3.0}))
    assert type(found) is seen[0] is kind
    assert found == {"x": 3.0, "y": 2.0}
    assert list(found) == ["x", "y"]
    program = compile(lambda p: p["x"] * p["y"], backend="numpy")
    value, slopes = program.value_and_grad(kind({"x": 2.0, "y": 3.0}))
    assert (value, type(slopes), slopes) == (6.0, kind, found)


class Zeros(dict):
    """A dict that is made from keys alone."""

    def __init__(self, keys):
        super().__init__(dict.fromkeys(keys, 0.0))


def test_a_kind_of_dict_that_cannot_be_made_from_a_dict_becomes_one():
    assert grad(lambda p: p["x"] ** 2)(defaultdict(float, x=2.0)) == {"x": 4.0}
    zeros = Zeros(["x"])
    zeros["x"] = 2.0
    assert grad(lambda p: p["x"] ** 2)(zeros) == {"x": 4.0}


def test_jacobians_and_hessians_have_the_structures_of_result_and_argument():
    def f(p):
        return {"a": p["w"] * 2, "b": [p["v"][0] * p["w"], p["w"]]}

    found = jacobian(f)({"w": 3.0, "v": [2.0, 5.0]})
    assert found["a"]["w"].tolist() == 2.0
    assert found["a"]["v"].tolist() == [0.0, 0.0]
    assert found["b"]["w"].tolist() == [2.0, 1.0]
    assert found["b"]["v"].tolist() == [[3.0, 0.0], [0.0, 0.0]]
    second = hessian(lambda p: p["w"] ** 2 * p["v"][0])({"w": 3.0, "v": [2.0]})
    assert second["w"]["w"].tolist() == 4.0
    assert second["w"]["v"].tolist() == [6.0]
    assert second["v"]["w"].tolist() == [6.0]


def test_both_modes_give_the_same_jacobian():
    f = lambda x, y: [x[0] * y, x[1] * x[0], y * y]  # noqa: E731
    for transform in (jacobian, jacfwd, jacrev):
        dx, dy = transform(f, (0, 1))([2.0, 3.0], 4.0)
        assert dx.tolist() == [[4.0, 0.0], [3.0, 2.0], [0.0, 0.0]]
        assert dy.tolist() == [2.0, 0.0, 8.0]


def test_what_is_returned_beside_the_result_comes_back_as_numbers():
    f = lambda x: (x * x, {"double": x + x, "name": "f"})  # noqa: E731
    aux = {"double": 6.0, "name": "f"}
    assert grad(f, has_aux=True)(3.0) == (6.0, aux)
    assert value_and_grad(f, has_aux=True)(3.0) == ((9.0, aux), 6.0)
    assert jacobian(f, has_aux=True)(3.0) == (6.0, aux)
    assert hessian(f, has_aux=True)(3.0)[1] == aux
    assert value_and_jacobian(f, has_aux=True)(3.0) == ((9.0, aux), 6.0)
    with pytest.raises(TypeError, match="the function returns a pair"):
        grad(lambda x: x, has_aux=True)(1.0)
    assert jvp(f, (3.0,), (2.0,), has_aux=True) == (9.0, 12.0, aux)
    value, pullback, beside = vjp(f, 3.0, has_aux=True)
    assert (value, pullback(2.0), beside) == (9.0, (12.0,), aux)
    value, pushed, beside = linearize(f, 3.0, has_aux=True)
    assert (value, pushed(2.0), beside) == (9.0, 12.0, aux)
    with pytest.raises(TypeError, match="has_aux=True: the function returns a pair"):
        vjp(lambda x: x, 1.0, has_aux=True)
    # Inside another transform, what is returned beside can be differentiated, too.
    assert grad(lambda x: jvp(lambda y: (y, x * y), (x,), (1.0,), has_aux=True)[2])(3.0) == 6.0


def test_a_linearized_function_is_run_once():
    calls = []

    def f(x, y):
        calls.append(1)
        return [x * y, x]

    value, along = linearize(f, 2.0, 3.0)
    assert value == [6.0, 2.0]
    assert (along(1.0, 0.0), along(0.0, 1.0)) == ([3.0, 1.0], [2.0, 0.0])
    assert len(calls) == 1
    with pytest.raises(ValueError, match="a different structure"):
        along(1.0)


def test_the_gradient_of_the_root_can_be_given():
    x = Value(3.0)
    y = x * x
    y.backward(gradient=0.5)
    assert (x.grad, y.grad, y.item()) == (3.0, 0.5, 9.0)
    y.zero_grad()
    assert (x.grad, y.grad) == (0, 0)
    with pytest.raises(TypeError, match="backward: gradient takes a real number"):
        y.backward(gradient="1")


def test_dicts_of_a_derivative_may_have_another_order():
    area = custom_derivative(
        lambda sides: sides["a"] * sides["b"],
        vjp=lambda args, _, g: ({"b": g * args[0]["a"], "a": g * args[0]["b"]},),
    )
    assert grad(area)({"a": 2.0, "b": 5.0}) == {"a": 5.0, "b": 2.0}
    both = custom_derivative(
        lambda x: {"a": 2 * x, "b": 3 * x}, jvp=lambda _, __, t: {"b": 3 * t[0], "a": 2 * t[0]}
    )
    assert jvp(both, (1.0,), (1.0,))[1] == {"a": 2.0, "b": 3.0}


@pytest.mark.parametrize(
    ("argument", "found"),
    [({"a": 2.0}, {"b": 1.0}), ([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[1.0] * 2] * 3)],
)
def test_a_different_structure_with_as_many_numbers_is_refused(argument, found):
    f = custom_derivative(lambda _: 1.0, vjp=lambda _, __, ___: (found,))
    with pytest.raises(ValueError, match="vjp of <lambda> returned a different structure"):
        grad(f)(argument)


def test_a_rule_may_refer_to_the_variable_of_an_outer_transform():
    def outer(y):
        return grad(custom_derivative(lambda x: 3 * x, vjp=lambda _, __, g: (g * y,)))(2.0)

    assert grad(outer)(5.0) == 1.0


def test_a_slope_that_is_not_a_number_is_named():
    f = custom_derivative(lambda x: x, vjp=lambda _, __, ___: ({1.0},))
    with pytest.raises(TypeError, match="the vjp of <lambda> takes a real number, got set"):
        grad(f)(2.0)


def test_a_registered_subclass_of_a_list_is_taken_apart_as_registered():
    class Vector(list):
        pass

    register_structure(Vector, lambda v: (list(v), None), lambda _, parts: Vector(parts))
    found = grad(lambda v: v[0] * v[1])(Vector([2.0, 3.0]))
    assert type(found) is Vector
    assert found == [3.0, 2.0]


@pytest.mark.parametrize("kind", ["a name", float, Value])
def test_only_classes_of_structures_are_registered(kind):
    with pytest.raises(TypeError, match="register_structure takes a class of structures"):
        register_structure(kind, lambda x: ((x,), None), lambda _, parts: parts[0])


def test_a_dataclass_that_changes_its_fields_is_refused():
    @dataclass
    class Positive:
        x: float

        def __post_init__(self):
            self.x = maximum(self.x, 0.0)

    with pytest.raises(TypeError, match="__post_init__ changes the field 'x'"):
        grad(lambda p: -p.x)(Positive(3.0))


def test_arrays_of_other_things_beside_a_result_keep_their_type():
    labels = np.array([1, 2])
    _, aux = grad(lambda x: (x * x, (x, labels, labels > 1, labels.astype(str))), has_aux=True)(3.0)
    assert aux[0] == 3.0
    assert [each.dtype.kind for each in aux[1:]] == ["i", "b", "U"]


def test_a_rule_divides_by_zero_as_values_do():
    root = custom_derivative(lambda x: x**0.5, vjp=lambda _, out, g: (g / (2 * out),))
    assert grad(root)(0.0) == math.inf
    assert grad(lambda x: where(x > 0, root(x), 0.0))(0.0) == 0
