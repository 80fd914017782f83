"""Adam and its relatives, which divide a moving average of the gradient by its usual size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nn.optimizers.optimizer import Array, Optimizer


@dataclass(eq=False)
class _Adaptive(Optimizer):
    """Base of Adam and its relatives, which divide an average of g by its usual size."""

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0

    memory: ClassVar[tuple[str, ...]] = ("mean", "square")


@dataclass(eq=False)
class Adam(_Adaptive):
    """Adam: `x = x - lr * m̂ / (√v̂ + eps)`, where m and v are moving averages of g and g².

    m̂ and v̂ are m and v, corrected for having started at 0 (Kingma and Ba 2015, arXiv:1412.6980).

    Args:
        parameters: the Values to change, or groups of them.
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

    amsgrad: bool = False

    memory = ("mean", "square", "largest")

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        x, g = self._decayed(x, g)
        (beta1, beta2), t = self.betas, self.steps
        m = self._follow("mean", beta1, g)
        v = self._follow("square", beta2, g * g)
        if self.amsgrad:
            v = self.state["largest"] = np.maximum(self.state["largest"], v)
        # √v̂ + eps = (√v + eps * c) / c: the faster order of the paper's section 2.
        c = math.sqrt(1 - beta2**t)
        new: Array = x - self.lr * c / (1 - beta1**t) * (m / (np.sqrt(v) + self.eps * c))
        return new


@dataclass(eq=False)
class AdamW(Adam):
    """Adam with decoupled weight decay: each step first multiplies x by `1 - lr * weight_decay`.

    Loshchilov and Hutter 2019, arXiv:1711.05101.

    Args:
        parameters: the Values to change, or groups of them.
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

    decoupled_weight_decay = True


@dataclass(eq=False)
class NAdam(_Adaptive):
    """Adam with Nesterov's momentum: the step looks ahead along the average of the gradient.

    Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ. The momentum of step t is
    `beta1 * (1 - 0.96 ** (t * momentum_decay) / 2)`. PyTorch rounds the product of the momenta to
    its default dtype, float32; with `torch.set_default_dtype(torch.float64)` it has these numbers.

    Args:
        parameters: the Values to change, or groups of them.
        lr: the learning rate.
        betas: how much of the averages of g and of g² is kept at each step, two numbers in [0, 1).
        eps: a small number that keeps the divisor above 0.
        weight_decay: the weight w of the penalty `w / 2 * |x|²`, whose gradient is added to g.
        momentum_decay: how fast the momentum rises from half of beta1 to beta1.
        decoupled_weight_decay: whether the weight decay is that of `AdamW` instead.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> NAdam([Value(1.0)], lr=0.5, betas=(0.0, 0.0)).update(np.array([1.0]), np.array([4.0]))
    array([0.5])
    """

    lr: float = 0.002
    momentum_decay: float = 0.004
    decoupled_weight_decay: bool = False

    memory = ("mean", "square", "mu_product")

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        x, g = self._decayed(x, g)
        (beta1, beta2), t = self.betas, self.steps
        mu, ahead = (
            beta1 * (1 - 0.5 * 0.96 ** (each * self.momentum_decay)) for each in (t, t + 1)
        )
        product = self.state["mu_product"] = mu * self.state["mu_product"]
        m = self._follow("mean", beta1, g)
        v = self._follow("square", beta2, g * g)
        size = np.sqrt(v / (1 - beta2**t)) + self.eps
        step = g * ((1 - mu) / (1 - product)) + m * (ahead / (1 - product * ahead))
        new: Array = x - self.lr * step / size
        return new

    def _begin(self) -> None:
        super()._begin()
        self.state["mu_product"] += 1


@dataclass(eq=False)
class RAdam(_Adaptive):
    """Adam that corrects its first steps, in which the average of g² rests on too few gradients.

    While the correction is undefined, for the first five steps with the default `betas`, the steps
    are those of SGD with momentum (Liu and others 2020, arXiv:1908.03265).

    Args:
        parameters: the Values to change, or groups of them.
        lr: the learning rate.
        betas: how much of the averages of g and of g² is kept at each step, two numbers in [0, 1).
        eps: a small number that keeps the divisor above 0.
        weight_decay: the weight w of the penalty `w / 2 * |x|²`, whose gradient is added to g.
        decoupled_weight_decay: whether the weight decay is that of `AdamW` instead.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> RAdam([Value(1.0)], lr=0.125).update(np.array([1.0]), np.array([4.0])).round(9)
    array([0.5])
    """

    decoupled_weight_decay: bool = False

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        x, g = self._decayed(x, g)
        (beta1, beta2), t = self.betas, self.steps
        m = self._follow("mean", beta1, g)
        v = self._follow("square", beta2, g * g)
        rate = self.lr / (1 - beta1**t)
        c = 1 - beta2**t
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * t * beta2**t / c  # of the average, in gradients
        if length <= 5:
            return x - rate * m
        above, below = (length - 4) * (length - 2) * longest, (longest - 4) * (longest - 2) * length
        return x - rate * math.sqrt(c * above / below) * m / (np.sqrt(v) + self.eps)


@dataclass(eq=False)
class Adamax(_Adaptive):
    """Adam with a maximum in place of a root: `x = x - lr * m̂ / u`.

    m̂ is the average of g, corrected for having started at 0, and `u = max(beta2 * u, |g| + eps)`
    (Kingma and Ba 2015, arXiv:1412.6980, algorithm 2).

    Args:
        parameters: the Values to change, or groups of them.
        lr: the learning rate.
        betas: how much of m and of u is kept at each step, two numbers in [0, 1).
        eps: a small number that keeps the divisor above 0.
        weight_decay: the weight w of the penalty `w / 2 * |x|²`, whose gradient is added to g.
        maximize: whether to climb instead of descend.

    >>> from micrograd import Value
    >>> Adamax([Value(1.0)], lr=0.5, eps=0.0).update(np.array([1.0]), np.array([4.0])).round(9)
    array([0.5])
    """

    lr: float = 0.002

    memory = ("mean", "largest")

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        x, g = self._decayed(x, g)
        beta1, beta2 = self.betas
        m = self._follow("mean", beta1, g)
        u = self.state["largest"] = np.maximum(beta2 * self.state["largest"], np.abs(g) + self.eps)
        return x - self.lr / (1 - beta1**self.steps) * m / u
