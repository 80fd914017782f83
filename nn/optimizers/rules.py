"""The optimizers by name, and those of them that are unlike Adam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nn.optimizers.adam import Adam, Adamax, AdamW, NAdam, RAdam
from nn.optimizers.optimizer import Array, Optimizer
from nn.options import real


@dataclass(eq=False)
class SGD(Optimizer):
    """Gradient descent: `v = momentum * v + (1 - dampening) * g`, then `x = x - lr * v`.

    v starts as the first gradient; without momentum it is always the gradient g (Polyak 1964,
    doi:10.1016/0041-5553(64)90137-5). With `nesterov` the step is along `g + momentum * v`
    (Nesterov 1983; this form is from Sutskever and others 2013,
    https://proceedings.mlr.press/v28/sutskever13.html).

    Args:
        parameters: the Values to change, or groups of them.
        lr: the learning rate.
        momentum: how much of the velocity v is kept at each step.
        dampening: how much the momentum ignores of the new gradient.
        weight_decay: the weight w of the penalty `w / 2 * |x|²`, whose gradient is added to g.
        nesterov: whether to use Nesterov's form, which needs a momentum above 0 and no dampening.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> SGD([Value(1.0)], lr=0.5).update(np.array([1.0]), np.array([1.0]))
    array([0.5])
    """

    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False

    memory = ("velocity",)

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102 (see Optimizer)
        x, g = self._decayed(x, g)
        if self.momentum:
            v = self.momentum * self.state["velocity"] + (1 - self.dampening) * g
            self.state["velocity"] = v = g.copy() if self.steps == 1 else v
            g = g + self.momentum * v if self.nesterov else v
        return x - self.lr * g

    def _check(self) -> None:
        super()._check()
        if self.nesterov and (not self.momentum or self.dampening):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")


@dataclass(eq=False)
class Adagrad(Optimizer):
    """Adagrad: `s = s + g²`, then `x = x - rate * g / (√s + eps)`.

    Parameters whose gradients were small so far make larger steps (Duchi, Hazan and Singer 2011,
    https://jmlr.org/papers/v12/duchi11a.html).

    Args:
        parameters: the Values to change, or groups of them.
        lr: the learning rate of the first step.
        lr_decay: the rate in step t is `lr / (1 + (t - 1) * lr_decay)`.
        weight_decay: the weight w of the penalty `w / 2 * |x|²`, whose gradient is added to g.
        initial_accumulator_value: the value of s before the first step.
        eps: a small number that keeps the divisor above 0.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> Adagrad([Value(1.0)], lr=0.5, eps=0.0).update(np.array([1.0]), np.array([4.0]))
    array([0.5])
    """

    lr: float = 0.01
    lr_decay: float = 0.0
    weight_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10

    memory = ("sum",)

    def _begin(self) -> None:
        super()._begin()
        self.state["sum"] += self.initial_accumulator_value

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        x, g = self._decayed(x, g)
        self.state["sum"] += g * g
        rate = self.lr / (1 + (self.steps - 1) * self.lr_decay)
        new: Array = x - rate * (g / (np.sqrt(self.state["sum"]) + self.eps))
        return new


@dataclass(eq=False)
class RMSprop(Optimizer):
    """RMSprop: `x = x - lr * g / (√s + eps)`, where s is a moving average of g².

    Hinton 2012, lecture 6 of "Neural networks for machine learning",
    https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; the centered form is
    from Graves 2013, arXiv:1308.0850.

    Args:
        parameters: the Values to change, or groups of them.
        lr: the learning rate.
        alpha: how much of the average is kept at each step.
        eps: a small number that keeps the divisor above 0.
        weight_decay: the weight w of the penalty `w / 2 * |x|²`, whose gradient is added to g.
        momentum: how much of the velocity is kept; with 0 there is no velocity.
        centered: whether to divide by the standard deviation of g instead of its root mean square.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> optimizer = RMSprop([Value(1.0)], lr=0.5, alpha=0.0, eps=0.0)
    >>> optimizer.update(np.array([1.0]), np.array([4.0]))
    array([0.5])
    """

    lr: float = 0.01
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0
    centered: bool = False

    memory = ("square", "mean", "velocity")

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        x, g = self._decayed(x, g)
        s = self._follow("square", self.alpha, g * g)
        if self.centered:
            mean = self._follow("mean", self.alpha, g)
            s = np.maximum(s - mean * mean, 0.0)  # rounding may take a variance of 0 below 0
        change = g / (np.sqrt(s) + self.eps)
        if self.momentum:
            change = self.state["velocity"] = self.momentum * self.state["velocity"] + change
        new: Array = x - self.lr * change
        return new


@dataclass(eq=False)
class Adadelta(Optimizer):
    """Adadelta: `x = x - lr * d` with `d = g * √(u + eps) / √(s + eps)`.

    s and u are moving averages of g² and of d². The steps have the unit of the parameters, so that
    the learning rate is usually 1 (Zeiler 2012, arXiv:1212.5701).

    Args:
        parameters: the Values to change, or groups of them.
        lr: the learning rate.
        rho: how much of the averages is kept at each step, from 0 to 1.
        eps: a small number that lets the first steps begin.
        weight_decay: the weight w of the penalty `w / 2 * |x|²`, whose gradient is added to g.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> Adadelta([Value(1.0)], rho=0.0, eps=0.25).update(np.array([1.0]), np.array([0.0]))
    array([1.])
    """

    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6
    weight_decay: float = 0.0

    memory = ("square", "change")

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        x, g = self._decayed(x, g)
        s = self._follow("square", self.rho, g * g)
        d = np.sqrt((self.state["change"] + self.eps) / (s + self.eps)) * g
        self._follow("change", self.rho, d * d)
        return x - self.lr * d

    def _check(self) -> None:
        super()._check()
        real(self.rho, "rho", least=0, most=1)


@dataclass(eq=False)
class Lion(Optimizer):
    """Lion: a step of size `lr` against the sign of `beta1 * m + (1 - beta1) * g`.

    m is a moving average of g, which keeps `beta2` of itself. Weight decay is decoupled, as in
    `AdamW`. All parameters move by the same amount, so the learning rate is 3 to 10 times smaller
    than that of Adam, and the weight decay as much larger (Chen and others 2023, arXiv:2302.06675,
    algorithm 2).

    Args:
        parameters: the Values to change, or groups of them.
        lr: the learning rate, which is the size of a step.
        betas: how much of m counts in a step, and how much of it is kept, two numbers in [0, 1).
        weight_decay: the rate at which the parameters shrink, relative to `lr`.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> Lion([Value(1.0)], lr=0.25).update(np.array([1.0]), np.array([4.0]))
    array([0.75])
    """

    lr: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0

    memory = ("mean",)
    decoupled_weight_decay = True

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        x, g = self._decayed(x, g)
        (beta1, beta2), m = self.betas, self.state["mean"]
        direction = np.sign(beta1 * m + (1 - beta1) * g)
        self._follow("mean", beta2, g)
        return x - self.lr * direction


_KINDS = (SGD, Adagrad, Adadelta, RMSprop, Adam, AdamW, NAdam, RAdam, Adamax, Lion)

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {kind.__name__.lower(): kind for kind in _KINDS}
"""The optimizers by their names in lower case."""
