"""What is not a number, a conversion or a truth value is refused with advice."""

import math
import operator
from decimal import Decimal

import numpy as np
import pytest

import micrograd
from micrograd import Value, compile, grad, scan, taylor  # noqa: A004
from micrograd.testing import check_gradients, numerical_gradient
from nn import MLP, predict
from nn.losses import cross_entropy, mse_loss


@pytest.mark.parametrize(
    ("bad", "remedy"),
    [
        ("3", "float("),
        (b"3", "float("),
        (None, "return"),
        (1j, ".real"),
        ([1.0], "each"),
        ((1.0,), "each"),
        ({"a": 1}, "each"),
        (np.array([1.0, 2.0]), "each"),
        (Decimal("0.5"), "float("),
        (object(), "object"),
        (print, "number"),
    ],
)
def test_a_value_of_something_else_is_a_type_error_with_advice(bad, remedy):
    with pytest.raises(TypeError, match=r"(?s)Value.*" + remedy.replace("(", r"\(")):
        Value(bad)


def test_a_value_of_a_value_is_a_type_error_with_advice():
    with pytest.raises(TypeError, match=r"v\.data"):
        Value(Value(1.0))


@pytest.mark.exhaustive
@pytest.mark.parametrize("transform", ["grad", "jit", "vmap"])
def test_what_jax_traces_is_refused_since_its_derivative_would_be_lost(transform):
    jax = pytest.importorskip("jax")
    network = MLP(2, [1])
    of_a_number = [
        Value,
        micrograd.sin,
        lambda x: micrograd.where(1.0, x, 2.0),
        lambda x: micrograd.maximum(0.0, x),
        lambda x: Value(2.0) * x,
        lambda x: x - Value(2.0),
        lambda x: Value(2.0) == x,
        lambda x: network([x, 1.0]),
        lambda x: taylor(lambda t: t * t, x, 2)[1],
        grad(lambda t: t * t),
        compile(lambda t: t * t),
    ]
    of_an_array = [
        micrograd.tanh,
        micrograd.mean,
        micrograd.softmax,
        lambda x: micrograd.dot(x, x),
        network,
        grad(lambda t: t[0] * t[1]),
        compile(lambda t: t[0] * t[1]),
        lambda x: predict(network, x[None]),
    ]
    for functions, x in ((of_a_number, 1.0), (of_an_array, jax.numpy.ones(2))):
        for f in functions:
            given = jax.numpy.stack([jax.numpy.asarray(x)] * 2) if transform == "vmap" else x
            with pytest.raises(TypeError, match=r"JAX traces .* lost: .*grad.* jax\.numpy"):
                getattr(jax, transform)(f)(given)


def test_a_tensor_that_pytorch_differentiates_is_refused_and_others_are_numbers():
    class Tensor:
        shape, dtype = (), float

        def __init__(self, requires_grad):
            self.requires_grad = requires_grad

        def item(self):
            return 2.0

    for f in (Value, micrograd.square, micrograd.mean, lambda x: x * Value(3.0)):
        with pytest.raises(TypeError, match=r"derivative would be lost: give tensor\.detach"):
            f(Tensor(requires_grad=True))
    assert micrograd.square(Tensor(requires_grad=False)) == 4.0


@pytest.mark.parametrize("combine", [operator.add, operator.sub, operator.mul, operator.truediv])
@pytest.mark.parametrize(
    ("bad", "remedy"), [("3", r"float\("), (None, "return"), (1j, r"\.real"), ([1.0], "each")]
)
def test_arithmetic_with_something_else_is_a_type_error_with_advice(combine, bad, remedy):
    with pytest.raises(TypeError, match=remedy):
        combine(Value(1.0), bad)
    with pytest.raises(TypeError, match=remedy):
        combine(bad, Value(1.0))


@pytest.mark.parametrize("bad", ["3", None, 1j, {1.0}])
def test_powers_comparisons_and_functions_refuse_what_is_not_a_number(bad):
    for call in (
        lambda: Value(1.0) ** bad,
        lambda: bad ** Value(1.0),
        lambda: Value(1.0) < bad,
        lambda: bad >= Value(1.0),
        lambda: Value(1.0).maximum(bad),
        lambda: micrograd.maximum(bad, Value(1.0)),
        lambda: micrograd.exp(bad),
        lambda: micrograd.where(Value(1.0), bad, 1.0),
    ):
        with pytest.raises(TypeError, match=r"float\(|return|\.real|each"):
            call()


def test_the_math_module_is_answered_with_the_method_to_use():
    for function in (math.exp, math.log, math.sqrt, math.tanh):
        with pytest.raises(TypeError, match=r"v\.exp\(\)"):
            function(Value(1.0))


def test_an_array_of_floats_takes_no_value_and_the_remedy_works():
    array, x = np.zeros(2), Value(3.0)
    with pytest.raises(TypeError, match="dtype=object"):
        array[0] = x * x
    array = np.zeros(2, dtype=object)
    array[0] = x * x
    array.sum().backward()
    assert x.grad == 6.0


@pytest.mark.parametrize(
    "convert", [float, int, complex, "%f".__mod__, round, lambda v: round(v, 2)]
)
def test_conversions_that_would_cut_the_graph_are_refused(convert):
    with pytest.raises(TypeError, match=r"\.data"):
        convert(Value(1.0))


@pytest.mark.parametrize(
    "test",
    [bool, operator.not_, lambda v: 1 if v else 0, lambda v: v and v, lambda v: any([v])],
)
def test_only_a_comparison_has_a_truth_value(test):
    for value in (
        Value(1.0),
        Value(0.0),
        Value(1.0) + 1,
        (Value(1.0) < 2) * 1,
        Value(1.0, (), "<"),
    ):
        with pytest.raises(TypeError, match=r"v > 0|\.data"):
            test(value)
    test(Value(1.0) < 2)


def test_a_wrong_number_of_operands_is_a_type_error():
    for call in (micrograd.exp, micrograd.maximum, micrograd.where):
        with pytest.raises(TypeError):
            call()
        with pytest.raises(TypeError):
            call(1.0, 2.0, 3.0, 4.0)
    with pytest.raises(TypeError, match="maximum"):
        micrograd.maximum(Value(1.0))


def test_children_and_local_gradients_are_checked():
    x = Value(1.0)
    with pytest.raises(ValueError, match="local_grads"):
        Value(1.0, (x, x), local_grads=(1.0,))
    with pytest.raises(ValueError, match="local_grads"):
        Value(1.0, (x,), (1.0, 2.0))
    with pytest.raises(TypeError, match="children"):
        Value(1.0, (1.0,), "+")
    with pytest.raises(TypeError, match="_backward"):
        x._backward = None


@pytest.mark.parametrize(
    "number",
    [np.complex128(1j), np.str_("3"), np.array("3"), np.array(1j)],
    ids=repr,
)
def test_a_number_of_numpy_that_is_not_real_is_refused(number):
    with pytest.raises(TypeError):
        Value(number)
    with pytest.raises(TypeError):
        micrograd.exp(number)


def test_scalars_of_numpy_are_numbers():
    for number in (np.float32(0.5), np.int64(3), np.array(2.0), np.bool_(True)):
        assert type(Value(number).data) is float


@pytest.mark.parametrize("combine", [operator.add, operator.mul, operator.pow, operator.lt])
def test_a_decimal_is_refused_with_advice_on_either_side(combine):
    for operands in ((Value(2.0), Decimal("0.5")), (Decimal("0.5"), Value(2.0))):
        with pytest.raises(TypeError, match=r"got Decimal Decimal\('0.5'\); convert it with float"):
            combine(*operands)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arrays_whose_mask_or_product_would_be_lost_are_refused():
    masked = np.ma.array([1.0, -2.0], mask=[False, True])
    for call in (
        micrograd.relu,
        micrograd.mean,
        grad(lambda x: (x * x).sum()),
        lambda x: mse_loss(x, [1.0, 2.0]),
        MLP(2, [1]),
        lambda x: numerical_gradient(np.sum, x),
        lambda x: check_gradients(np.sum, x, gradient=np.ones_like),
    ):
        with pytest.raises(TypeError, match="the array has masked entries; give them numbers"):
            call(masked)
    for call in (Value, grad(lambda x: x * x), lambda x: mse_loss([x, 1.0], [1.0, 2.0])):
        with pytest.raises(TypeError, match="masked ent"):
            call(masked[1])
    with pytest.raises(TypeError, match="masked entries"):
        cross_entropy([1.0, 2.0], masked)
    with pytest.raises(TypeError, match="masked entries"):
        scan(lambda total, x: (total + x, x), 0.0, masked)
    for transform in (grad, compile):
        with pytest.raises(TypeError, match=r"np\.matrix"):
            transform(lambda x: (x * x).sum())(np.asmatrix([[1.0, 2.0], [3.0, 4.0]]))
    for call in (
        lambda x: mse_loss(x, x),
        lambda x: numerical_gradient(np.sum, x),
        lambda x: check_gradients(np.sum, x, gradient=np.ones_like),
    ):
        with pytest.raises(TypeError, match=r"np\.matrix"):
            call(np.asmatrix([[1.0, 2.0], [3.0, 4.0]]))


def test_an_order_that_is_not_whole_is_refused_with_its_name():
    with pytest.raises(TypeError, match=r"taylor: order is a whole number from 0, got 2\.0"):
        taylor(micrograd.exp, 0.0, 2.0)


@pytest.mark.parametrize("loss", [lambda p: (p - 1) * (p - 1), lambda p: p.tanh() + p.exp()])
def test_a_step_that_makes_a_value_of_the_data_is_named(loss):
    p = Value(3.0)
    loss(p).backward()
    p.data = p - 0.1 * p.grad
    with pytest.raises(TypeError, match=r"write p\.data = p\.data - step instead of p - step"):
        loss(p).backward()


@pytest.mark.parametrize("truth", [True, np.True_, np.array(True)], ids=["bool", "bool_", "array"])
def test_a_comparison_is_combined_with_a_truth_value_on_either_side(truth):
    x = Value(2.0)
    for operands in ((x > 0, truth), (truth, x > 0)):
        assert [operator.and_(*operands).data, operator.xor(*operands).data] == [1, 0]
    for number in (np.array(1.0), np.float64(1)):
        with pytest.raises(TypeError, match="only comparisons"):
            (x > 0) & number


@pytest.mark.parametrize("combine", [operator.and_, operator.or_, operator.xor])
@pytest.mark.parametrize("other", [Value(1.0), 1, 0.5, "a", None])
def test_only_comparisons_are_combined_by_logical_operators(combine, other):
    for operands in ((Value(1.0) > 0, other), (other, Value(1.0) > 0), (Value(1.0), True)):
        with pytest.raises(TypeError, match="only comparisons, such as x > 0, can be combined"):
            combine(*operands)
    with pytest.raises(TypeError, match="only comparisons"):
        ~Value(1.0)
