"""Bad options are refused with their names, and numbers of NumPy are accepted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from micrograd import Value
from nn import MLP, Dropout, Layer, Neuron, datasets, initializers, optimizers, schedules
from nn.callbacks import EarlyStopping
from nn.losses import huber_loss
from nn.options import OptionError, by_name, flag, one_of, real, several, whole

NO_NUMBER = [math.nan, math.inf, -math.inf, "1", None, True, [1.0], 1j]
NO_RATE = [*NO_NUMBER, -0.1]
NO_RATES = [each for each in NO_RATE if each != [1.0]]  # which may be a list for the groups
NO_COUNT = [0, -1, 2.5, "3", None, True, math.nan, [3]]
NO_FLAG = ["False", "no", 0, 1, None, []]


def optimizer():
    return optimizers.SGD([Value(1.0)], lr=0.1)


# The class or function, the option, and values that are refused.
CASES = [
    *((kind, "lr", NO_RATE) for kind in optimizers.OPTIMIZERS.values()),
    *((kind, "maximize", NO_FLAG) for kind in optimizers.OPTIMIZERS.values()),
    *((kind, "weight_decay", NO_RATE) for kind in optimizers.OPTIMIZERS.values()),
    (optimizers.SGD, "momentum", NO_RATE),
    (optimizers.SGD, "nesterov", NO_FLAG),
    (optimizers.RMSprop, "alpha", NO_RATE),
    (optimizers.RMSprop, "centered", NO_FLAG),
    (optimizers.Adam, "eps", NO_RATE),
    (optimizers.Adam, "amsgrad", NO_FLAG),
    *(
        (kind, "betas", [0.9, "ab", (0.9, 1), (True, 0.9), (0.9, math.nan), (0.9,), None])
        for kind in optimizers.OPTIMIZERS.values()
        if hasattr(kind, "betas")
    ),
    (optimizers.NAdam, "momentum_decay", NO_RATE),
    (optimizers.NAdam, "decoupled_weight_decay", NO_FLAG),
    (optimizers.RAdam, "decoupled_weight_decay", NO_FLAG),
    (optimizers.Adadelta, "rho", [*NO_RATE, 1.1]),
    (optimizers.Adadelta, "eps", NO_RATE),
    (optimizers.Adagrad, "lr_decay", NO_RATE),
    (optimizers.LBFGS, "lr", NO_RATE),
    (optimizers.LBFGS, "line_search_fn", ["", "armijo", 3, True]),
    (optimizers.LBFGS, "max_iter", NO_COUNT),
    (optimizers.LBFGS, "max_eval", [each for each in NO_COUNT if each is not None]),
    (optimizers.LBFGS, "history_size", NO_COUNT),
    (optimizers.LBFGS, "tolerance_grad", NO_RATE),
    (optimizers.LBFGS, "tolerance_change", NO_RATE),
    (schedules.StepLR, "step_size", NO_COUNT),
    (schedules.ExponentialLR, "gamma", NO_RATE),
    (schedules.CosineAnnealingLR, "T_max", NO_COUNT),
    (schedules.LinearLR, "start_factor", [*NO_RATE, 0, 1.5]),
    (schedules.LinearLR, "end_factor", [*NO_RATE, 1.5]),
    (schedules.LinearLR, "total_iters", NO_COUNT),
    (schedules.ConstantLR, "factor", [*NO_RATE, 0, 1.5]),
    (schedules.ConstantLR, "total_iters", NO_COUNT),
    (schedules.PolynomialLR, "total_iters", NO_COUNT),
    (schedules.PolynomialLR, "power", NO_RATE),
    (schedules.CosineAnnealingWarmRestarts, "T_0", NO_COUNT),
    (schedules.CosineAnnealingWarmRestarts, "T_mult", NO_COUNT),
    (schedules.CosineAnnealingWarmRestarts, "eta_min", NO_RATE),
    (schedules.OneCycleLR, "max_lr", [*NO_RATES, [0.1, 0.2], []]),
    (schedules.OneCycleLR, "total_steps", NO_COUNT),
    (schedules.OneCycleLR, "pct_start", [*NO_RATE, 1.5]),
    (schedules.OneCycleLR, "anneal_strategy", ["", "cosine", 3, None]),
    (schedules.OneCycleLR, "cycle_momentum", NO_FLAG),
    (schedules.OneCycleLR, "base_momentum", [*NO_RATE, 1.0]),
    (schedules.OneCycleLR, "max_momentum", [*NO_RATE, 1.0]),
    (schedules.OneCycleLR, "div_factor", [*NO_RATE, 0]),
    (schedules.OneCycleLR, "final_div_factor", [*NO_RATE, 0]),
    (schedules.OneCycleLR, "three_phase", NO_FLAG),
    (schedules.ReduceLROnPlateau, "mode", ["", "least", 3, None]),
    (schedules.ReduceLROnPlateau, "factor", [*NO_RATE, 1.0]),
    (schedules.ReduceLROnPlateau, "patience", [each for each in NO_COUNT if each != 0]),
    (schedules.ReduceLROnPlateau, "threshold", NO_RATE),
    (schedules.ReduceLROnPlateau, "threshold_mode", ["", "relative", 3, None]),
    (schedules.ReduceLROnPlateau, "cooldown", [each for each in NO_COUNT if each != 0]),
    (schedules.ReduceLROnPlateau, "min_lr", [*NO_RATES, [0.1, 0.2]]),
    (schedules.ReduceLROnPlateau, "eps", NO_RATE),
    (schedules.MultiStepLR, "milestones", ["13", 3, None, [1.5], ["1"], [True], [-1]]),
    (schedules.LambdaLR, "lr_lambda", [0.5, None, "x"]),
    (EarlyStopping, "patience", NO_COUNT),
    (EarlyStopping, "min_delta", NO_RATE),
    (EarlyStopping, "restore_best", NO_FLAG),
    (EarlyStopping, "monitor", [3, True, ["loss"]]),
    (EarlyStopping, "mode", ["", "least", 3, True]),
    (initializers.uniform, "low", [*NO_NUMBER]),
    (initializers.uniform, "high", [*NO_NUMBER, -2.0]),
    (initializers.constant, "number", NO_NUMBER),
    (datasets.make_moons, "shuffle", NO_FLAG),
    (datasets.make_circles, "factor", [*NO_NUMBER, -0.1, 1.0]),
    (
        datasets.make_blobs,
        "center_box",
        [3, "ab", (0,), (1, 0), (0, math.inf), (math.nan, 1), None],
    ),
    (datasets.make_blobs, "shuffle", NO_FLAG),
]
GIVEN = {
    optimizers: lambda: ([Value(1.0)],),
    schedules: lambda: (optimizer(),),
}
# Options that are needed besides.
NEEDED = {
    schedules.MultiStepLR: {"gamma": 0.5},
    schedules.CosineAnnealingWarmRestarts: {"T_0": 2},
    schedules.OneCycleLR: {"max_lr": 0.5, "total_steps": 10},
}


@pytest.mark.parametrize(
    ("kind", "name", "values"), CASES, ids=[f"{kind.__name__}-{name}" for kind, name, _ in CASES]
)
def test_an_option_that_makes_no_sense_is_refused_by_its_name(kind, name, values):
    given = next((make() for each, make in GIVEN.items() if hasattr(each, kind.__name__)), ())
    for value in values:
        with pytest.raises(ValueError, match=name.rstrip("s")):
            kind(*given, **{**NEEDED.get(kind, {}), name: value})


def test_the_rate_of_a_custom_schedule_is_checked():
    class Own(schedules.Schedule):
        def rate(self, base, epoch):
            return wrong

    for wrong in NO_RATE:
        with pytest.raises(ValueError, match="the rate of Own is a number of at least 0"):
            Own(optimizer())
        with pytest.raises(ValueError, match="what lr_lambda gives is a number of at least 0"):
            schedules.LambdaLR(optimizer(), lambda epoch, wrong=wrong: wrong)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Layer(True, 2),
        lambda: Layer(2, 2.0),
        lambda: Neuron("2"),
        lambda: MLP(2, {4, 1}),  # its order is chance
        lambda: MLP(2, {4: 1}),
        lambda: MLP(2, "44"),
        lambda: MLP(2, [True]),
        lambda: Dropout("0.5"),
        lambda: datasets.train_test_split("abc"),
        lambda: datasets.train_test_split({1, 2, 3}),
        lambda: datasets.train_test_split(x for x in range(3)),
        lambda: datasets.train_test_split([1, 2, 3], shuffle="False"),
        lambda: datasets.train_test_split([1, 2, 3], stratify="aab"),
        lambda: datasets.batches(10, 3, 0, shuffle="no"),
        lambda: schedules.SequentialLR(optimizer(), "ab", [1]),
        lambda: huber_loss(1.0, 2.0, delta="1"),
        lambda: optimizers.clip_grad_norm_([Value(1.0)], "1"),
        lambda: optimizers.clip_grad_norm_([Value(1.0)], 1.0, norm_type="2"),
    ],
)
def test_arguments_of_a_wrong_kind_are_a_type_error(make):
    with pytest.raises(TypeError):
        make()


def test_the_length_of_a_gradient_is_found_without_clipping_it():
    x = Value(1.0)
    x.grad = 3.0
    assert optimizers.clip_grad_norm_([x], math.inf) == 3.0
    assert x.grad == 3.0


def test_true_and_nan_are_not_probabilities():
    for wrong in (True, math.nan, 1.0, -0.1):
        with pytest.raises(ValueError, match="p is a probability from 0"):
            Dropout(wrong)


def test_options_may_be_numbers_of_numpy():
    assert schedules.StepLR(optimizer(), np.int64(2), gamma=np.float32(0.5)).step_size == 2
    assert optimizers.SGD([Value(1.0)], lr=np.float64(0.5), nesterov=np.False_).lr == 0.5
    assert EarlyStopping(np.int32(3)).patience == 3


def test_whole_numbers_may_be_arrays_without_axes():
    assert [whole(each, "epochs") for each in (np.array(3), np.int8(3))] == [3, 3]
    for wrong in (np.array([3]), np.array(3.0), np.array(True), np.True_):
        with pytest.raises(OptionError, match="epochs is a whole number of at least 1, got "):
            whole(wrong, "epochs")


def test_a_check_says_what_is_allowed_and_what_was_given():
    for call, words in (
        (lambda: real("a", "x"), "x is a finite number, got 'a'"),
        (lambda: real(2, "x", least=0, below=1), "x is a number of at least 0 and below 1, got 2"),
        (lambda: real(10**400, "x", above=0), "x is a number above 0, got 1000"),
        (lambda: whole(1.5, "x"), "x is a whole number of at least 1, got 1.5"),
        (lambda: flag("False", "x"), "x is True or False, got 'False'"),
        (lambda: one_of(["a"], "x", ("a", "b")), r"x is one of a, b, got \['a'\]"),
        (lambda: by_name("c", "x", {"a": 1, "b": 2}), r"unknown x 'c': give one of a, b$"),
        (lambda: by_name(["a"], "x", {"a": 1}, "a function"), "x .*: give one of a, or a function"),
        (lambda: several(3, "x"), "x is a list, got 3"),
    ):
        for kind in (ValueError, TypeError, OptionError):
            with pytest.raises(kind, match=words):
                call()


def test_a_single_name_is_a_list_of_one():
    assert several("accuracy", "metrics") == ["accuracy"]
    assert several(("a", "b"), "metrics") == ["a", "b"]
    assert several(len, "callbacks") == [len]
