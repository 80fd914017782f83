"""Optimizers, named and constructed as those of PyTorch: `Adam(model.parameters(), lr=0.01)`.

Each is a rule on arrays of numbers, `update(numbers, gradient)`, which keeps what it remembers in
arrays of its own. `step()` applies it to the parameters, which are Values; `nn.fit` to arrays.

>>> from micrograd import Value
>>> x = Value(5.0)
>>> optimizer = SGD([x], lr=0.1)
>>> for _ in range(100):
...     optimizer.zero_grad()
...     ((x - 3) ** 2).backward()
...     optimizer.step()
>>> round(x.data, 6)
3.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from micrograd import Value


class Optimizer:
    """Base of the optimizers; `parameters` are the Values that it changes, `lr` may be set.

    An optimizer of one's own has a method `update`, and names in `memory` the arrays that it keeps;
    they begin at zero.
    """

    memory: ClassVar[tuple[str, ...]] = ()

    def __init__(self, parameters: Iterable[Value], **options: Any) -> None:
        self.parameters = _checked(parameters)
        self._options = tuple(options)
        for name, value in options.items():
            setattr(self, name, value)
        self.steps = 0
        self.state = {name: np.zeros(len(self.parameters)) for name in self.memory}
        self._scratch = np.empty((2, len(self.parameters)))

    lr: float

    def zero_grad(self) -> None:
        """Forget the gradients of the parameters."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self) -> None:
        """Change the parameters by their gradients."""
        numbers = np.array([p.data for p in self.parameters], dtype=float)
        gradient = np.array([p.grad for p in self.parameters], dtype=float)
        changed = self.update(numbers, gradient)
        for parameter, number in zip(self.parameters, changed.tolist(), strict=True):
            parameter.data = number

    def update(self, numbers: Any, gradient: Any) -> Any:
        """New numbers after one step, as an array; neither argument is changed."""
        raise NotImplementedError(f"{type(self).__name__} has no rule: define update")

    def state_dict(self) -> dict[str, Any]:
        """All that further steps depend on, for `load_state_dict` and for a checkpoint."""
        return {
            "name": type(self).__name__,
            "steps": self.steps,
            "options": {name: getattr(self, name) for name in self._options},
            "state": {name: array.copy() for name, array in self.state.items()},
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave. Raises ValueError if that was another optimizer's."""
        if not isinstance(saved, dict) or set(saved) != {"name", "steps", "options", "state"}:
            raise ValueError("this is not what the state_dict of an optimizer gives")
        if saved["name"] != type(self).__name__:
            raise ValueError(f"the state is one of {saved['name']}, not of {type(self).__name__}")
        if set(saved["options"]) != set(self._options):
            raise ValueError(f"the state has other options: {', '.join(saved['options'])}")
        arrays = {name: np.array(array, dtype=float) for name, array in saved["state"].items()}
        shapes = {name: array.shape for name, array in arrays.items()}
        expected = {name: array.shape for name, array in self.state.items()}
        if shapes != expected:
            raise ValueError(f"the state has arrays {shapes}, this optimizer has {expected}")
        for name, value in saved["options"].items():
            setattr(self, name, value)
        self.state, self.steps = arrays, int(saved["steps"])

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._options)
        return f"{type(self).__name__}({len(self.parameters)} parameters, {options})"

    def _decayed(self, numbers: Any, gradient: Any, weight_decay: float) -> Any:
        """The gradient with that of the penalty `weight_decay / 2 * |numbers|²`."""
        if not weight_decay:
            return gradient
        decayed = np.multiply(numbers, weight_decay, out=self._scratch[1])
        return np.add(decayed, gradient, out=decayed)


class SGD(Optimizer):
    """Gradient descent: `v = momentum * v + (1 - dampening) * g`, `x = x - lr * v`.

    With `nesterov`, the step is `g + momentum * v` (Nesterov 1983, in the form of Sutskever and
    others, 2013). Without momentum, the step is g.
    """

    memory = ("velocity",)

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.001,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        _not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (not momentum or dampening):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")
        super().__init__(
            parameters,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
        )

    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool

    def update(self, numbers: Any, gradient: Any) -> Any:  # noqa: D102 (see Optimizer)
        self.steps += 1
        g, v = self._decayed(numbers, gradient, self.weight_decay), self.state["velocity"]
        if self.momentum:
            if self.steps == 1:
                np.copyto(v, g)
            else:
                v *= self.momentum
                v += np.multiply(g, 1 - self.dampening, out=self._scratch[0])
            g = g + self.momentum * v if self.nesterov else v
        return numbers - self.lr * g


class Adagrad(Optimizer):
    """`s = s + g²`, `x = x - lr * g / (√s + eps)` (Duchi, Hazan and Singer, 2011).

    The rate falls as `lr / (1 + (steps - 1) * lr_decay)`.
    """

    memory = ("sum",)

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.01,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        _not_negative(
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        super().__init__(parameters, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps)
        self.state["sum"] += initial_accumulator_value

    lr_decay: float
    weight_decay: float
    eps: float

    def update(self, numbers: Any, gradient: Any) -> Any:  # noqa: D102
        self.steps += 1
        g, s = self._decayed(numbers, gradient, self.weight_decay), self.state["sum"]
        s += np.multiply(g, g, out=self._scratch[0])
        rate = self.lr / (1 + (self.steps - 1) * self.lr_decay)
        return numbers - rate * g / (np.sqrt(s, out=self._scratch[0]) + self.eps)


class RMSprop(Optimizer):
    """`s = alpha * s + (1 - alpha) * g²`, `x = x - lr * g / (√s + eps)` (Hinton, 2012).

    `centered` takes the square of a mean of g from s (Graves, 2013); with `momentum` the steps
    gather in a velocity.
    """

    memory = ("square", "mean", "velocity")

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        _not_negative(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)
        super().__init__(
            parameters,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
        )

    alpha: float
    eps: float
    weight_decay: float
    momentum: float
    centered: bool

    def update(self, numbers: Any, gradient: Any) -> Any:  # noqa: D102
        self.steps += 1
        g, square = self._decayed(numbers, gradient, self.weight_decay), self.state["square"]
        spare = self._scratch[0]
        _follow(square, g, self.alpha, spare, times=g)
        spread = square
        if self.centered:
            mean = _follow(self.state["mean"], g, self.alpha, spare)
            spread = square - mean * mean
        step = g / (np.sqrt(spread, out=spare) + self.eps)
        if self.momentum:
            velocity = self.state["velocity"]
            velocity *= self.momentum
            velocity += step
            step = velocity
        return numbers - self.lr * step


class Adam(Optimizer):
    """`m` and `v` follow g and g²; `x = x - lr * m̂ / (√v̂ + eps)` (Kingma and Ba, 2015).

    m̂ and v̂ are corrected for having begun at 0. `amsgrad` takes the largest v̂ so far (Reddi, Kale
    and Kumar, 2018). `weight_decay` adds its gradient to g; see AdamW.
    """

    memory = ("mean", "square", "largest")

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        _not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
        betas = (float(betas[0]), float(betas[1]))
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas are two numbers from 0 up to, not including, 1, got {betas}")
        super().__init__(
            parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad
        )

    betas: tuple[float, float]
    eps: float
    weight_decay: float
    amsgrad: bool

    def update(self, numbers: Any, gradient: Any) -> Any:  # noqa: D102
        return self._moved(numbers, self._decayed(numbers, gradient, self.weight_decay))

    def _moved(self, numbers: Any, g: Any) -> Any:
        self.steps += 1
        (first, second), (mean, square) = self.betas, (self.state["mean"], self.state["square"])
        spare = self._scratch[0]
        _follow(mean, g, first, spare)
        _follow(square, g, second, spare, times=g)
        if self.amsgrad:
            square = np.maximum(self.state["largest"], square, out=self.state["largest"])
        size = self.lr / (1 - first**self.steps)
        step = np.sqrt(square, out=spare)
        step /= math.sqrt(1 - second**self.steps)
        step += self.eps
        np.divide(mean, step, out=step)
        step *= size
        return numbers - step


class AdamW(Adam):
    """Adam; the numbers themselves shrink by `lr * weight_decay` (Loshchilov and Hutter, 2019)."""

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad)

    def update(self, numbers: Any, gradient: Any) -> Any:  # noqa: D102
        return self._moved(numbers * (1 - self.lr * self.weight_decay), gradient)


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    kind.__name__.lower(): kind for kind in (SGD, Adagrad, RMSprop, Adam, AdamW)
}
"""The optimizers by their names in lower case."""


def _follow(average: Any, new: Any, rate: float, spare: Any, times: Any = None) -> Any:
    """`average = rate * average + (1 - rate) * new * times`, in place; `spare` is overwritten.

    In this order of the factors the roundings are those of PyTorch.
    """
    average *= rate
    np.multiply(new, 1 - rate, out=spare)
    if times is not None:
        spare *= times
    average += spare
    return average


def _checked(parameters: Iterable[Value]) -> list[Value]:
    if isinstance(parameters, Value):
        raise TypeError("an optimizer takes a list of parameters: [x], not x")
    found = list(parameters)
    if not found:
        raise ValueError("an optimizer needs at least one parameter, got an empty list")
    for i, each in enumerate(found):
        if not isinstance(each, Value):
            raise TypeError(f"parameters are Values, got {type(each).__name__} at position {i}")
    if len({id(each) for each in found}) < len(found):
        raise ValueError("a parameter comes twice")
    return found


def _not_negative(**options: float) -> None:
    for name, value in options.items():
        if not value >= 0:
            raise ValueError(f"{name} is a number of at least 0, got {value!r}")


# --------------------------------------------------------------------------------- whole problems


class LBFGS:
    """L-BFGS-B of SciPy's `minimize`: for small problems, on all samples at once.

    A quasi-Newton method (Byrd, Lu, Nocedal and Zhu, 1995). `step(closure)` runs up to `max_iter`
    iterations; the closure clears the gradients, computes the loss, calls `backward()` and returns
    it, as in PyTorch. `minimize(f)` does the same for a function of an array of numbers that gives
    value and gradient, as `program.value_and_grad(…, parameters=numbers)` does.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        max_iter: int = 20,
        *,
        tolerance_grad: float = 1e-7,
        history_size: int = 10,
    ) -> None:
        self.parameters = _checked(parameters)
        self.options = {"maxiter": max_iter, "gtol": tolerance_grad, "maxcor": history_size}

    def zero_grad(self) -> None:
        """Forget the gradients of the parameters."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self, closure: Callable[[], Value]) -> float:
        """Minimise; the parameters get the best numbers found. Returns the loss there."""

        def value_and_grad(numbers: Any) -> tuple[float, Any]:
            self._set(numbers)
            loss = closure()
            return float(loss.data), np.array([p.grad for p in self.parameters], dtype=float)

        return self.minimize(value_and_grad)

    def minimize(self, value_and_grad: Callable[[Any], tuple[float, Any]]) -> float:
        """Minimise a function of the parameters' numbers; they get the best ones found."""
        try:
            from scipy.optimize import minimize
        except ImportError as error:
            raise ImportError(
                f"LBFGS needs SciPy: pip install 'micrograd-engine[train]' ({error})"
            ) from error
        start = np.array([p.data for p in self.parameters], dtype=float)
        found = minimize(
            value_and_grad, start, jac=True, method="L-BFGS-B", options=dict(self.options)
        )
        self._set(found.x)
        return float(found.fun)

    def _set(self, numbers: Any) -> None:
        for parameter, number in zip(self.parameters, numbers.tolist(), strict=True):
            parameter.data = number


# -------------------------------------------------------------------------------------- clipping


def clipped(gradient: Any, max_norm: float) -> Any:
    """A gradient no longer than `max_norm`, in the same direction."""
    norm = float(np.linalg.norm(gradient))
    return gradient * min(1.0, max_norm / (norm + 1e-6))


def clip_grad_norm_(parameters: Sequence[Value], max_norm: float) -> float:
    """Shorten the gradient of the parameters to `max_norm`; returns its length before.

    As PyTorch's function of this name, which adds 1e-6 to the length.
    """
    found = _checked(parameters)
    if not max_norm > 0:
        raise ValueError(f"max_norm is a length above 0, got {max_norm!r}")
    gradient = np.array([p.grad for p in found], dtype=float)
    for parameter, number in zip(found, clipped(gradient, max_norm).tolist(), strict=True):
        parameter.grad = number
    return float(np.linalg.norm(gradient))
