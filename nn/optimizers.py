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
from collections.abc import Callable, Iterable, Set
from copy import copy
from dataclasses import KW_ONLY, dataclass, field, fields
from numbers import Real
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from micrograd import Value
from nn.options import OptionError, flag, real, whole

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm_",
    "clipped",
]

Array: TypeAlias = "NDArray[np.float64]"
_MOST_STEPS = 2**53  # a count is a float in the formulas


@dataclass(eq=False)
class _Holder:
    """What holds the parameters of a model, to change their numbers."""

    parameters: list[Value] = field(repr=False)

    def __post_init__(self) -> None:
        self.parameters = _checked(self.parameters)

    def zero_grad(self) -> None:
        """Forget the gradients of the parameters."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def _numbers(self) -> Array:
        return np.array([p.data for p in self.parameters], dtype=float)

    def _gradient(self) -> Array:
        return np.array([p.grad for p in self.parameters], dtype=float)

    def _write(self, numbers: Array) -> None:
        for parameter, number in zip(self.parameters, numbers.tolist(), strict=True):
            parameter.data = number


@dataclass(eq=False)
class Optimizer(_Holder):
    """Base of the optimizers. Its options, such as `lr`, may be set at any time.

    An optimizer of one's own defines `rule`, and names in `memory` the arrays that it finds in
    `state`; they begin at zero. Its options are fields of a dataclass.
    """

    lr: float = 0.001
    _: KW_ONLY
    maximize: bool = False

    memory: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check()
        count = len(self.parameters)
        self.steps = 0
        self.state: dict[str, Array] = {name: np.zeros(count) for name in self.memory}
        self._spare = np.empty((3, count))  # arrays to compute in; they remember nothing

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters by their gradients; a closure computes these, and is returned."""
        loss = None if closure is None else closure()
        self._write(self.update(self._numbers(), self._gradient()))
        return loss

    def update(self, numbers: Array, gradient: Array) -> Array:
        """New numbers after one step; neither argument is changed."""
        if not numbers.shape == gradient.shape == (len(self.parameters),):
            raise ValueError(
                f"this optimizer has {len(self.parameters)} parameters: update takes as many "
                f"numbers and their gradient, got shapes {numbers.shape} and {gradient.shape}"
            )
        self.steps += 1
        return self.rule(numbers, -gradient if self.maximize else gradient)

    def rule(self, x: Array, g: Array) -> Array:
        """The numbers after x, where the gradient is g, in step `steps`, counted from 1."""
        raise NotImplementedError(f"{type(self).__name__} has no rule: define rule(self, x, g)")

    def options(self) -> dict[str, Any]:
        """The options by name, as the constructor takes them."""
        names = (each.name for each in fields(self))
        return {name: getattr(self, name) for name in names if name != "parameters"}

    def state_dict(self) -> dict[str, Any]:
        """All that further steps depend on, for `load_state_dict` and for a checkpoint."""
        return {
            "name": type(self).__name__,
            "steps": self.steps,
            "options": self.options(),
            "state": {name: array.copy() for name, array in self.state.items()},
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave. Raises ValueError, and changes nothing, if that was
        another optimizer's.
        """
        if (
            not isinstance(saved, dict)
            or set(saved) != {"name", "steps", "options", "state"}
            or not isinstance(saved["options"], dict)
            or not isinstance(saved["state"], dict)
        ):
            raise ValueError("this is not what the state_dict of an optimizer gives")
        if saved["name"] != type(self).__name__:
            raise ValueError(f"the state is one of {saved['name']}, not of {type(self).__name__}")
        if set(saved["options"]) != set(self.options()):
            raise ValueError(
                f"the state has other options: {', '.join(map(str, saved['options']))}; "
                f"this optimizer has {', '.join(self.options())}"
            )
        steps = saved["steps"]
        if type(steps) is not int or not 0 <= steps < _MOST_STEPS:
            raise ValueError(f"steps is a count, got {repr(steps)[:40]}")
        try:
            arrays = {name: np.array(array, dtype=float) for name, array in saved["state"].items()}
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"the state has arrays of numbers: {error}") from error
        shapes = {name: array.shape for name, array in arrays.items()}
        expected = {name: array.shape for name, array in self.state.items()}
        if shapes != expected:
            raise ValueError(f"the state has arrays {shapes}, this optimizer has {expected}")
        loaded = copy(self)
        vars(loaded).update(saved["options"], state=arrays, steps=steps)
        loaded._check()
        vars(self).update(vars(loaded))

    def _check(self) -> None:
        """Raise ValueError if an option is out of range: as a rule, a number below 0."""
        for each in fields(self):
            if isinstance(each.default, bool):
                flag(getattr(self, each.name), each.name)
            elif isinstance(each.default, Real):
                real(getattr(self, each.name), each.name, least=0)

    def _decayed(self, x: Array, g: Array, weight_decay: float) -> Array:
        """The gradient with that of the penalty `weight_decay / 2 * |x|²`."""
        if not weight_decay:
            return g
        decayed: Array = np.multiply(x, weight_decay, out=self._spare[2])
        decayed += g
        return decayed

    def _follow(self, name: str, rate: float, new: Array) -> Array:
        """The moving average of that name: `average = rate * average + (1 - rate) * new`."""
        average = self.state[name]
        average *= rate
        average += np.multiply(new, 1 - rate, out=self._spare[0])
        return average

    def _squared(self, g: Array) -> Array:
        squared: Array = np.multiply(g, g, out=self._spare[1])
        return squared


@dataclass(eq=False)
class SGD(Optimizer):
    """Gradient descent: `v = momentum * v + (1 - dampening) * g`, `x = x - lr * v`.

    v begins as the first g (Polyak 1964); without momentum it is g. With `nesterov` the step is
    along `g + momentum * v` (Nesterov 1983, as in Sutskever and others 2013).
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
    """`s = s + g²`, `x = x - lr * g / (√s + eps)` (Duchi, Hazan and Singer 2011).

    s begins as `initial_accumulator_value`; in step t the rate is `lr / (1 + (t - 1) * lr_decay)`.
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
    """s follows g²; `x = x - lr * g / (√s + eps)` (Hinton 2012, lecture 6 of "Neural networks for
    machine learning").

    `centered` divides by the deviation of g from its mean (Graves 2013, arXiv:1308.0850); with
    `momentum` the steps gather in a velocity.
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
            np.maximum(s, 0.0, out=s)  # rounding takes a variance of 0 below it
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
    """m follows g, and v follows g²; `x = x - lr * m̂ / (√v̂ + eps)` (Kingma and Ba 2015,
    arXiv:1412.6980).

    m̂ and v̂ are corrected for having begun at 0. `amsgrad` takes the largest v so far (Reddi, Kale
    and Kumar 2018, arXiv:1904.09237). `weight_decay` adds its gradient to g; see AdamW.
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
    """Adam, where the numbers themselves shrink by `lr * weight_decay` (Loshchilov and Hutter
    2019, arXiv:1711.05101).
    """

    weight_decay: float = 0.01

    def rule(self, x: Array, g: Array) -> Array:  # noqa: D102
        return self._moved(x * (1 - self.lr * self.weight_decay), g)


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    kind.__name__.lower(): kind for kind in (SGD, Adagrad, RMSprop, Adam, AdamW)
}
"""The optimizers by their names in lower case."""


# --------------------------------------------------------------------------------- whole problems


@dataclass(eq=False)
class LBFGS(_Holder):
    """L-BFGS-B of SciPy's `minimize`: for small problems, on all samples at once.

    A quasi-Newton method (Byrd, Lu, Nocedal and Zhu 1995). `step(closure)` makes up to `max_iter`
    iterations; the closure clears the gradients, computes the loss, calls `backward()` and returns
    it, as in PyTorch. `minimize(f)` does so with a function of an array of numbers that gives value
    and gradient, as `program.value_and_grad(…, parameters=numbers)` does.

    It ends when no slope is above `tolerance_grad`, or an iteration lowers the loss by less than
    its share `tolerance_change`. The parameters get the best numbers found, also on an error or
    Ctrl-C.
    """

    _: KW_ONLY
    max_iter: int = 20
    max_eval: int | None = None
    tolerance_grad: float = 1e-7
    tolerance_change: float = 1e-9
    history_size: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_iter", "history_size"):
            whole(getattr(self, name), name)
        if self.max_eval is not None:
            whole(self.max_eval, "max_eval")
        for name in ("tolerance_grad", "tolerance_change"):
            real(getattr(self, name), name, least=0)

    def step(self, closure: Callable[[], Value]) -> float:
        """Minimise the loss of the closure. Returns the least found."""

        def value_and_grad(numbers: Array) -> tuple[float, Array]:
            self._write(numbers)
            return closure().data, self._gradient()

        return self.minimize(value_and_grad)

    def minimize(self, value_and_grad: Callable[[Array], tuple[float, Array]]) -> float:
        """Minimise a function of the parameters' numbers. Returns the least value found."""
        try:
            from scipy.optimize import minimize
        except ImportError as error:
            raise ImportError(
                f"LBFGS needs SciPy: pip install 'micrograd-engine[train]' ({error})"
            ) from error
        least, best = math.inf, self._numbers()

        def watched(numbers: Array) -> tuple[float, Array]:
            nonlocal least, best
            value, gradient = value_and_grad(numbers)
            if value < least:
                least, best = float(value), numbers.copy()
            elif least == math.inf:
                raise ValueError(f"the loss is {value} where LBFGS begins: begin elsewhere")
            return value, gradient

        options = {
            "maxiter": self.max_iter,
            "maxfun": self.max_iter * 5 // 4 if self.max_eval is None else self.max_eval,
            "gtol": self.tolerance_grad,
            "ftol": self.tolerance_change,
            "maxcor": self.history_size,
        }
        try:
            minimize(watched, best, jac=True, method="L-BFGS-B", options=options)
        finally:
            self._write(best)
        return least


# -------------------------------------------------------------------------------------- clipping


def clipped(gradient: Array, max_norm: float) -> Array:
    """The gradient in its direction, no longer than `max_norm` (Pascanu, Mikolov and Bengio 2013).

    As PyTorch's `clip_grad_norm_`, which adds 1e-6 to the length.
    """
    return gradient * min(max_norm / (_length(gradient) + 1e-6), 1.0)


def clip_grad_norm_(
    parameters: Value | Iterable[Value],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Shorten the gradient of the parameters to `max_norm`. Returns its length before."""
    found = _checked([parameters] if isinstance(parameters, Value) else parameters)
    if max_norm != math.inf:
        real(max_norm, "max_norm", least=0)
    if norm_type != math.inf:
        real(norm_type, "norm_type", above=0)
    gradient = np.array([p.grad for p in found], dtype=float)
    length = _length(gradient) if norm_type == 2 else float(np.linalg.norm(gradient, norm_type))
    if error_if_nonfinite and not math.isfinite(length):
        raise RuntimeError(f"the gradient has the length {length}: it cannot be clipped")
    factor = min(max_norm / (length + 1e-6), 1.0)
    for parameter in found:
        parameter.grad *= factor
    return length


def _length(gradient: Array) -> float:
    with np.errstate(over="ignore"):
        length = math.sqrt(gradient @ gradient)
    # Squares leave the range of floats before a length does.
    return length if math.isfinite(length) else math.hypot(*gradient.tolist())


# ---------------------------------------------------------------------------------- what is given


def _checked(parameters: Iterable[Value]) -> list[Value]:
    if isinstance(parameters, Value):
        raise TypeError("an optimizer takes a list of parameters: [x], not x")
    if isinstance(parameters, Set) or not isinstance(parameters, Iterable):
        hint = "a set has no order" if isinstance(parameters, Set) else "give model.parameters()"
        kind = type(parameters).__name__
        raise TypeError(f"an optimizer takes a list of parameters, got {kind}: {hint}")
    found = list(parameters)
    if not found:
        raise ValueError("an optimizer needs at least one parameter, got an empty list")
    for i, each in enumerate(found):
        if not isinstance(each, Value):
            raise TypeError(f"parameters are Values, got {type(each).__name__} at position {i}")
    if len({id(each) for each in found}) < len(found):
        raise ValueError("a parameter comes twice")
    return found
