"""Optimizers: the numbers of PyTorch, with every option, on arrays and on Values alike."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path

import numpy as np
import pytest

from micrograd import Value
from nn import MLP
from nn.optimizers import (
    LBFGS,
    OPTIMIZERS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Optimizer,
    RMSprop,
    clip_grad_norm_,
    clipped,
)

STEPS = 100
CASES = [
    (SGD, {"lr": 0.05}),
    (SGD, {"lr": 0.02, "momentum": 0.9}),
    (SGD, {"lr": 0.02, "momentum": 0.9, "dampening": 0.3}),
    (SGD, {"lr": 0.02, "momentum": 0.8, "nesterov": True}),
    (SGD, {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    (Adagrad, {}),
    (Adagrad, {"lr": 0.1, "lr_decay": 0.02, "weight_decay": 0.01}),
    (Adagrad, {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-6}),
    (RMSprop, {}),
    (RMSprop, {"lr": 0.005, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.05}),
    (RMSprop, {"lr": 0.02, "centered": True}),
    (RMSprop, {"lr": 0.02, "centered": True, "momentum": 0.7, "eps": 1e-4}),
    (Adam, {}),
    (Adam, {"lr": 0.05, "betas": (0.8, 0.99), "eps": 1e-6}),
    (Adam, {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True}),
    (AdamW, {}),
    (AdamW, {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True}),
    (AdamW, {"lr": 0.001, "maximize": True}),
]
START = np.array([1.5, -2.0, 0.3])


def slope(numbers):
    """The gradient of a bent, narrow valley."""
    x, y, z = numbers
    return np.array([2 * x + 0.4 * y + math.cos(x), 6 * y + 0.4 * x, 0.5 * z**3 - 0.2 * z + 0.1])


def path(kind, options):
    optimizer, numbers = kind([Value(each) for each in START], **options), [START]
    for _ in range(STEPS):
        numbers.append(optimizer.update(numbers[-1], slope(numbers[-1])))
    return np.array(numbers)


def identity(case):
    kind, options = case
    return f"{kind.__name__}({', '.join(f'{name}={value}' for name, value in options.items())})"


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_a_hundred_steps_agree_with_pytorch(case):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    kind, options = case
    parameter = torch.tensor(START, requires_grad=True)
    other = getattr(torch.optim, kind.__name__)([parameter], **options)
    expected = [START]
    for _ in range(STEPS):
        parameter.grad = torch.tensor(slope(parameter.detach().numpy()))
        other.step()
        expected.append(parameter.detach().numpy().copy())
    assert path(kind, options) == pytest.approx(np.array(expected), rel=1e-12, abs=1e-12)


RECORDED = json.loads((Path(__file__).parent / "optimizers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_a_hundred_steps_end_where_pytorch_was_recorded_to_end(case):
    assert path(*case)[-1] == pytest.approx(RECORDED[identity(case)], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam", "AdamW"])
def test_the_arguments_are_those_of_pytorch_in_their_order(name):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    there = inspect.signature(getattr(torch.optim, name)).parameters
    here = list(inspect.signature(OPTIMIZERS[name.lower()]).parameters.values())[1:]
    positional = [each.name for each in here if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert positional == list(there)[1 : len(positional) + 1]
    assert {each.name: each.default for each in here} == {
        each.name: there[each.name].default for each in here
    }


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_steps_on_values_are_those_on_arrays(case):
    kind, options = case
    values = [Value(each) for each in START]
    optimizer = kind(values, **options)
    for _ in range(STEPS):
        optimizer.zero_grad()
        for value, each in zip(values, slope([v.data for v in values]), strict=True):
            value.grad += float(each)
        optimizer.step()
    assert [v.data for v in values] == path(kind, options)[-1].tolist()


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_the_rule_changes_neither_the_numbers_nor_the_gradient_that_it_is_given(case):
    kind, options = case
    optimizer = kind([Value(each) for each in START], **options)
    numbers, gradient = START.copy(), slope(START)
    for _ in range(3):
        new = optimizer.update(numbers, gradient)
        assert new is not numbers
        assert (numbers == START).all()
        assert (gradient == slope(START)).all()


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_a_loaded_state_continues_with_the_same_bits(case):
    kind, options = case
    first = kind([Value(each) for each in START], **options)
    numbers = START
    for _ in range(7):
        numbers = first.update(numbers, slope(numbers))
    second = kind([Value(each) for each in START])
    second.load_state_dict(first.state_dict())
    for _ in range(5):
        ahead = first.update(numbers, slope(numbers))
        assert second.update(numbers, slope(numbers)).tobytes() == ahead.tobytes()
        numbers = ahead


def test_betas_from_a_file_become_a_pair_again():
    saved = Adam([Value(1.0)], betas=(0.5, 0.75)).state_dict()
    saved["options"]["betas"] = [0.5, 0.75]
    optimizer = Adam([Value(1.0)])
    optimizer.load_state_dict(saved)
    assert optimizer.betas == (0.5, 0.75)


def test_a_state_is_a_copy():
    optimizer = Adam([Value(1.0)])
    saved = optimizer.state_dict()
    optimizer.update(np.ones(1), np.ones(1))
    assert saved["steps"] == 0
    assert saved["state"]["mean"].tolist() == [0.0]


def adam(**changed):
    return {**Adam([Value(1.0)]).state_dict(), **changed}


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ({}, "not what the state_dict"),
        (SGD([Value(1.0)]).state_dict(), "one of SGD, not of Adam"),
        (Adam([Value(1.0), Value(2.0)]).state_dict(), "arrays"),
        (adam(options={"lr": 1.0}), "other options: lr; this optimizer has lr, maximize, betas"),
        (adam(options=None), "not what the state_dict"),
        (adam(state=3), "not what the state_dict"),
        (adam(steps=-1), "steps is a count, got -1"),
        (adam(options={**Adam([Value(1.0)]).options(), "lr": "0.1"}), "lr is a number"),
        (adam(options={**Adam([Value(1.0)]).options(), "betas": 0.9}), "betas are two numbers"),
    ],
)
def test_a_foreign_state_is_refused_and_changes_nothing(state, complaint):
    optimizer = Adam([Value(1.0)])
    before = repr(optimizer.state_dict())
    with pytest.raises(ValueError, match=complaint):
        optimizer.load_state_dict(state)
    assert repr(optimizer.state_dict()) == before


def test_every_optimizer_has_a_name_and_shows_its_options():
    assert set(OPTIMIZERS) == {"sgd", "adagrad", "rmsprop", "adam", "adamw"}
    assert repr(AdamW([Value(1.0)], lr=0.5)) == (
        "AdamW(lr=0.5, maximize=False, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01, "
        "amsgrad=False)"
    )


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: SGD([]), "at least one parameter"),
        (lambda: SGD([Value(1.0)], lr=-1), "lr is a number of at least 0, got -1"),
        (lambda: SGD([Value(1.0)], lr=math.nan), "lr is a number"),
        (lambda: SGD([Value(1.0)], nesterov=True), "nesterov needs a momentum"),
        (
            lambda: SGD([Value(1.0)], momentum=0.5, dampening=0.5, nesterov=True),
            "nesterov needs .* no dampening",
        ),
        (lambda: Adam([Value(1.0)], betas=(0.9, 1.0)), "betas are two numbers"),
        (lambda: Adam([Value(1.0)], betas=(0.9,)), "betas are two numbers"),
        (lambda: RMSprop([Value(1.0)], alpha=-0.1), "alpha is a number"),
        (lambda: Adagrad([Value(1.0)], initial_accumulator_value=-1), "initial_accumulator_value"),
        (lambda: SGD([Value(1.0)], lr=None), "lr is a number of at least 0, got None"),
        (lambda: SGD([p := Value(1.0), p]), "given twice"),
    ],
)
def test_bad_options_are_refused(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()


def test_parameters_must_be_values():
    with pytest.raises(TypeError, match="got float at position 1"):
        SGD([Value(1.0), 2.0])
    with pytest.raises(TypeError, match=r"\[x\], not x"):
        SGD(Value(1.0))
    with pytest.raises(TypeError, match=r"got MLP: give model.parameters\(\)"):
        SGD(MLP(1, [1]))
    with pytest.raises(TypeError, match="got set: a set has no order"):
        SGD({Value(1.0), Value(2.0)})


def test_a_custom_optimizer_needs_only_a_rule():
    class Signed(Optimizer):
        def rule(self, x, g):
            return x - self.lr * np.sign(g)

    x = Value(1.0)
    optimizer = Signed([x], lr=0.25)
    (x * 3).backward()
    optimizer.step()
    assert x.data == 0.75
    with pytest.raises(NotImplementedError, match="define rule"):
        Optimizer([x], lr=1.0).step()


def test_an_array_for_other_parameters_is_refused():
    for numbers, gradient in [(1, 1), (3, 3), (2, 3), (3, 2)]:
        with pytest.raises(ValueError, match=r"this optimizer has 2 parameters: .* got shapes"):
            SGD([Value(1.0), Value(2.0)]).update(np.ones(numbers), np.ones(gradient))


def test_a_closure_computes_the_gradient_and_its_loss_is_returned():
    x = Value(2.0)
    optimizer = SGD([x], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = x * x
        loss.backward()
        return loss

    assert optimizer.step(closure).data == 4.0
    assert x.data == 1.0


@pytest.mark.filterwarnings("error")
def test_a_constant_gradient_has_no_negative_variance():
    # PyTorch takes the root of a variance that rounding has made negative, which gives nan.
    gradient = np.linspace(0.1, 1, 100)
    optimizer, numbers = RMSprop([Value(1.0) for _ in gradient], centered=True), np.ones(100)
    for _ in range(5_000):
        numbers = optimizer.update(numbers, gradient)
    assert np.isfinite(numbers).all()


def test_lbfgs_finds_the_valley_of_rosenbrock():
    pytest.importorskip("scipy")
    x, y = Value(-1.2), Value(1.0)
    optimizer = LBFGS([x, y], max_iter=200)

    def closure():
        optimizer.zero_grad()
        loss = (1 - x) ** 2 + 100 * (y - x * x) ** 2
        loss.backward()
        return loss

    assert optimizer.step(closure) < 1e-10
    assert (x.data, y.data) == pytest.approx((1.0, 1.0), abs=1e-4)


def test_lbfgs_minimises_a_compiled_loss():
    pytest.importorskip("scipy")
    from micrograd import compile  # noqa: A004

    w = [Value(0.0), Value(0.0)]
    program = compile(lambda x, y: (w[0] * x + w[1] - y) ** 2, w, batched=True)
    x = np.linspace(-1, 1, 20)
    found = LBFGS(w).minimize(lambda p: program.value_and_grad(x, 3 * x + 1, parameters=p))
    assert found < 1e-10
    assert [p.data for p in w] == pytest.approx([3.0, 1.0], abs=1e-5)


def test_lbfgs_keeps_the_best_numbers_when_it_is_interrupted():
    pytest.importorskip("scipy")
    x, losses = Value(5.0), []

    def closure():
        if len(losses) == 2:
            raise KeyboardInterrupt
        x.grad = 0.0
        loss = (x - 3) ** 2
        loss.backward()
        losses.append((loss.data, x.data))
        return loss

    with pytest.raises(KeyboardInterrupt):
        LBFGS([x]).step(closure)
    assert x.data == min(losses)[1]


def test_lbfgs_refuses_a_start_where_the_loss_is_nan():
    pytest.importorskip("scipy")
    x = Value(5.0)
    with pytest.raises(ValueError, match="the loss is nan where LBFGS begins"):
        LBFGS([x]).minimize(lambda p: (math.nan, p))
    assert x.data == 5.0


def test_a_gradient_is_shortened_to_the_norm_and_not_lengthened():
    # PyTorch divides by the length plus 1e-6.
    assert clipped(np.array([3.0, 4.0]), 1.0) == pytest.approx([0.6, 0.8], rel=1e-6)
    assert clipped(np.array([3.0, 4.0]), 10.0).tolist() == [3.0, 4.0]
    values = [Value(0.0), Value(0.0)]
    values[0].grad, values[1].grad = 3.0, 4.0
    assert clip_grad_norm_(values, 10.0) == 5.0
    assert [v.grad for v in values] == [3.0, 4.0]
    assert clip_grad_norm_(values, 1.0) == 5.0
    assert [v.grad for v in values] == pytest.approx([0.6, 0.8], rel=1e-6)
    with pytest.raises(ValueError, match="max_norm"):
        clip_grad_norm_(values, -1.0)
    assert clipped(np.array([3e200, 4e200]), 1.0) == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
def test_clipping_agrees_with_pytorch(norm_type):
    torch = pytest.importorskip("torch", reason="pip install torch to compare with it")
    gradient = [0.3, -2.0, 7.5]
    parameter = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    parameter.grad = torch.tensor(gradient, dtype=torch.float64)
    length = torch.nn.utils.clip_grad_norm_([parameter], 1.25, norm_type)
    values = [Value(0.0) for _ in gradient]
    for value, each in zip(values, gradient, strict=True):
        value.grad = each
    assert clip_grad_norm_(values, 1.25, norm_type) == pytest.approx(length.item(), rel=1e-15)
    assert [v.grad for v in values] == pytest.approx(parameter.grad.numpy(), rel=1e-15)
    if norm_type == 2:
        assert clipped(np.array(gradient), 1.25) == pytest.approx(parameter.grad.numpy(), rel=1e-15)


def test_a_gradient_without_a_finite_norm_is_an_error_if_wanted():
    x = Value(0.0)
    x.grad = math.inf
    with pytest.raises(RuntimeError, match="length inf: it cannot be clipped"):
        clip_grad_norm_(x, 1.0, error_if_nonfinite=True)
    assert x.grad == math.inf
