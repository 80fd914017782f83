"""The optimizers that make a step for each gradient: SGD, Adagrad, RMSprop, Adam and AdamW."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nn.optimizers.optimizer import Array, Optimizer
from nn.options import OptionError, real


@dataclass(eq=False)
class SGD(Optimizer):
    """Gradient descent: `v = momentum * v + (1 - dampening) * g`, then `x = x - lr * v`.

    v starts as the first gradient; without momentum it is always the gradient g (Polyak 1964,
    doi:10.1016/0041-5553(64)90137-5). With `nesterov` the step is along `g + momentum * v`
    (Nesterov 1983; this form is from Sutskever and others 2013,
    https://proceedings.mlr.press/v28/sutskever13.html).

    Args:
        parameters: the Values to change.
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
        g = self._decayed(x, g, self.weight_decay)
        if self.momentum:
            v = self.state["velocity"]
            if self.steps == 1:
                v[:] = g
            else:
                v *= self.momentum
                v += np.multiply(g, 1 - self.dampening, out=self._spare[0])
            g = g + self.momentum * v if self.nesterov else v
        change: Array = np.multiply(g, self.lr, out=self._spare[0])
        return x - change

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
        parameters: the Values to change.
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

    def __post_init__(self) -> None:
        super().__post_init__()
        self.state["sum"] += self.initial_accumulator_value

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        g = self._decayed(x, g, self.weight_decay)
        s = self.state["sum"]
        s += self._squared(g)
        rate = self.lr / (1 + (self.steps - 1) * self.lr_decay)
        change = np.sqrt(s, out=self._spare[0])
        change += self.eps
        np.divide(g, change, out=change)
        change *= rate
        return x - change


@dataclass(eq=False)
class RMSprop(Optimizer):
    """RMSprop: `x = x - lr * g / (√s + eps)`, where s is a moving average of g².

    Hinton 2012, lecture 6 of "Neural networks for machine learning",
    https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; the centered form is
    from Graves 2013, arXiv:1308.0850.

    Args:
        parameters: the Values to change.
        lr: the learning rate.
        alpha: how much of the average is kept at each step.
        eps: a small number that keeps the divisor above 0.
        weight_decay: the weight w of the penalty `w / 2 * |x|²`, whose gradient is added to g.
        momentum: how much of the velocity is kept; with 0 there is no velocity.
        centered: whether to divide by the standard deviation of g instead of its root mean square.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> RMSprop([Value(1.0)], lr=0.5, alpha=0.0, eps=0.0).update(np.array([1.0]), np.array([4.0]))
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
        g = self._decayed(x, g, self.weight_decay)
        s = self._follow("square", self.alpha, self._squared(g))
        if self.centered:
            mean = self._follow("mean", self.alpha, g)
            s = np.subtract(s, self._squared(mean), out=self._spare[1])
            np.maximum(s, 0.0, out=s)  # rounding may take a variance of 0 below 0
        change = np.sqrt(s, out=self._spare[0])
        change += self.eps
        np.divide(g, change, out=change)
        if self.momentum:
            velocity = self.state["velocity"]
            velocity *= self.momentum
            velocity += change
            np.copyto(change, velocity)
        change *= self.lr
        return x - change


@dataclass(eq=False)
class Adam(Optimizer):
    """Adam: `x = x - lr * m̂ / (√v̂ + eps)`, where m and v are moving averages of g and g².

    m̂ and v̂ are m and v, corrected for having started at 0 (Kingma and Ba 2015, arXiv:1412.6980).

    Args:
        parameters: the Values to change.
        lr: the learning rate.
        betas: how much of m and of v is kept at each step, two numbers in [0, 1).
        eps: a small number that keeps the divisor above 0.
        weight_decay: the weight w of the penalty `w / 2 * |x|²`, whose gradient is added to g.
        amsgrad: whether to use the largest v so far (Reddi, Kale and Kumar 2018, arXiv:1904.09237).
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> Adam([Value(1.0)], lr=0.5, eps=0.0).update(np.array([1.0]), np.array([4.0])).round(9)
    array([0.5])
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False

    memory = ("mean", "square", "largest")

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        return self._moved(x, self._decayed(x, g, self.weight_decay))

    def _moved(self, x: Array, g: Array) -> Array:
        (beta1, beta2), t = self.betas, self.steps
        m = self._follow("mean", beta1, g)
        v = self._follow("square", beta2, self._squared(g))
        if self.amsgrad:
            v = np.maximum(self.state["largest"], v, out=self.state["largest"])
        # √v̂ + eps = (√v + eps * c) / c: the faster order of the paper's section 2.
        c = math.sqrt(1 - beta2**t)
        change = np.sqrt(v, out=self._spare[0])
        change += self.eps * c
        np.divide(m, change, out=change)
        change *= self.lr * c / (1 - beta1**t)
        return x - change

    def _check(self) -> None:
        super()._check()
        try:
            beta1, beta2 = (real(each, "beta", least=0, below=1) for each in self.betas)
        except (TypeError, ValueError):
            raise OptionError(
                f"betas are two numbers from 0 up to, not including, 1, got {self.betas!r}"
            ) from None
        self.betas = beta1, beta2  # a pair again, where a file gave a list


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with decoupled weight decay: each step first multiplies x by `1 - lr * weight_decay`.

    Loshchilov and Hutter 2019, arXiv:1711.05101.

    Args:
        parameters: the Values to change.
        lr: the learning rate.
        betas: how much of m and of v is kept at each step, two numbers in [0, 1).
        eps: a small number that keeps the divisor above 0.
        weight_decay: the rate at which the parameters shrink, relative to `lr`.
        amsgrad: whether to use the largest v so far, as in `Adam`.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> AdamW([Value(1.0)], lr=0.5, weight_decay=0.5).update(np.array([1.0]), np.array([0.0]))
    array([0.75])
    """

    weight_decay: float = 0.01

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        return self._moved(x * (1 - self.lr * self.weight_decay), g)


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    kind.__name__.lower(): kind for kind in (SGD, Adagrad, RMSprop, Adam, AdamW)
}
"""The optimizers by their names in lower case."""
