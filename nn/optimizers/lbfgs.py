"""`LBFGS`, which minimises a whole problem at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd import Value
from nn.optimizers.line_search import Place, search
from nn.optimizers.optimizer import Array, Optimizer
from nn.options import OptionError, whole

Function = Callable[[Array], tuple[float, Array]]


@dataclass(eq=False)
class LBFGS(Optimizer):
    """The quasi-Newton method L-BFGS, for small problems with all samples at once.

    Each iteration goes along the gradient times an estimate of the inverse Hessian, made from the
    latest steps (Nocedal 1980, doi:10.1090/S0025-5718-1980-0572855-7), as far as the strong Wolfe
    conditions ask for, or by `lr` times that vector without a line search. The steps are those of
    PyTorch. `step` leaves the parameters with the best numbers that were found, even after an
    error or Ctrl-C. What the curvature is estimated from is kept for the next call.

    Args:
        parameters: the Values to change, in one group.
        lr: the length of a step without a line search, or of the first step that it tries; 1 is the
            whole vector. The very first step is shorter if the gradient is large.
        max_iter: the most iterations of one call.
        max_eval: the most evaluations of the loss before an iteration; `max_iter * 5 // 4` by
            default.
        tolerance_grad: end when no component of the gradient is larger than this.
        tolerance_change: end when an iteration changes the loss by less than this, or no parameter
            by more than this, or when the slope along the step is flatter than this.
        history_size: the number of past steps from which the curvature is estimated.
        line_search_fn: `"strong_wolfe"`, or None for steps of fixed length.
        maximize: whether to climb instead of descend.

    >>> x = Value(5.0)
    >>> def closure():
    ...     x.grad = 0.0
    ...     loss = (x - 3) ** 2
    ...     loss.backward()
    ...     return loss
    >>> LBFGS([x]).step(closure) < 1e-9
    True
    >>> round(x.data, 4)
    3.0
    """

    lr: float = 1.0
    max_iter: int = 20
    max_eval: int | None = None
    tolerance_grad: float = 1e-7
    tolerance_change: float = 1e-9
    history_size: int = 100
    line_search_fn: str | None = "strong_wolfe"

    memory = ("moves", "changes")  # of the numbers and of the gradient, a row for each past step

    def step(self, closure: Callable[[], Value] | None = None) -> float:
        """Minimise a loss of Values, and return the smallest loss that was found.

        Args:
            closure: a function that zeroes the gradients, computes the loss, calls its `backward()`
                and returns it, as in PyTorch.
        """
        if closure is None:
            raise TypeError(
                "LBFGS evaluates the loss several times in a step: give step a closure that zeroes "
                "the gradients, computes the loss, calls its backward() and returns it"
            )

        def value_and_grad(numbers: Array) -> tuple[float, Array]:
            self.write(numbers)
            return closure().data, self.gradient()

        return self.minimize(value_and_grad)

    def minimize(self, value_and_grad: Function) -> float:
        """Minimise a function of an array, and return the smallest value that was found.

        Args:
            value_and_grad: a function that takes the numbers of the parameters, of shape
                (parameters,), and returns the loss and its gradient, as
                `lambda p: program.value_and_grad(X, y, parameters=p)` does.

        Raises:
            ValueError: if the loss is nan or infinite at the start.
        """
        sign = -1.0 if self.maximize else 1.0
        least, best, evaluations = math.inf, self.numbers(), 0
        most = self.max_iter * 5 // 4 if self.max_eval is None else self.max_eval

        def watched(numbers: Array) -> tuple[float, Array]:
            nonlocal least, best, evaluations
            value, gradient = value_and_grad(numbers)
            evaluations += 1
            if sign * value < least:
                least, best = sign * float(value), numbers.copy()
            elif least == math.inf:
                raise ValueError(
                    f"the loss is {value} where LBFGS begins: start from other numbers"
                )
            return value, gradient

        try:
            numbers = best
            value, gradient = watched(numbers)
            for _ in range(self.max_iter):
                numbers, value, gradient, ended = self.iterate(numbers, value, gradient, watched)
                if ended or evaluations >= most:
                    break
        finally:
            self.write(best)
        return sign * least

    def iterate(
        self,
        numbers: Array,
        value: float,
        gradient: Array,
        value_and_grad: Function,
        most: int = 25,
    ) -> tuple[Array, float, Array, bool]:
        """Make one iteration on arrays.

        Args:
            numbers: the numbers of the parameters, of shape (parameters,).
            value: the loss there.
            gradient: the gradient there, of the shape of `numbers`.
            value_and_grad: a function of such numbers that returns the loss and its gradient.
            most: the most evaluations of a line search.

        Returns:
            The next numbers, the loss and the gradient there, and whether the iterations have
            converged, so that another one would change nothing worth while.
        """
        if np.abs(gradient).max() <= self.tolerance_grad:
            return numbers, value, gradient, True
        sign = -1.0 if self.maximize else 1.0
        g, f = sign * gradient, sign * value
        direction, first = -self._times_inverse_hessian(g), not len(self.state["moves"])
        length = self.lr * (1.0 if self.steps else min(1.0, 1 / float(np.abs(g).sum())))
        self.steps += 1
        if not length or g @ direction > -self.tolerance_change:  # 0 at the end of a schedule
            return numbers, value, gradient, True
        if self.line_search_fn is None:
            after = numbers + length * direction
            new_value, new_gradient = value_and_grad(after)
        else:

            def at(t: float) -> tuple[float, Array]:
                there, slope = value_and_grad(numbers + t * direction)
                return sign * float(there), sign * slope

            start = Place(0.0, float(f), g, float(g @ direction))
            found = search(at, start, direction, length, most, self.tolerance_change)
            if not found.t and first:  # rounding hides any further descent
                return numbers, value, gradient, True
            if not found.t:  # the estimate misleads: try the gradient itself
                self._begin()
                return self.iterate(numbers, value, gradient, value_and_grad, most)
            after = numbers + found.t * direction
            new_value, new_gradient = sign * found.loss, sign * found.gradient
        move, change = after - numbers, sign * new_gradient - g
        if move @ change > 1e-10:
            kept = {"moves": move, "changes": change}
            for name, row in kept.items():
                self.state[name] = np.vstack([self.state[name], row])[-self.history_size :]
        ended = bool(
            np.abs(move).max() <= self.tolerance_change
            or abs(new_value - value) < self.tolerance_change
        )
        return after, float(new_value), new_gradient, ended

    def update(self, numbers: Array, gradient: Array, present: Any = None) -> Array:
        """Raise TypeError, since a gradient is not enough for a step: use `minimize` or `iterate`.

        Args:
            numbers: as for other optimizers.
            gradient: as for other optimizers.
            present: as for other optimizers.
        """
        raise TypeError("LBFGS evaluates the loss several times in a step: use minimize or iterate")

    def _times_inverse_hessian(self, g: Array) -> Array:
        """Return the product with the estimate, by the two loops of Nocedal 1980."""
        moves, changes = self.state["moves"], self.state["changes"]
        if not len(moves):
            return g
        q: Array = g.copy()
        shares = np.zeros(len(moves))
        curvatures = np.einsum("ij,ij->i", moves, changes)
        for i in reversed(range(len(moves))):
            shares[i] = moves[i] @ q / curvatures[i]
            q -= shares[i] * changes[i]
        q *= curvatures[-1] / (changes[-1] @ changes[-1])
        for i, (move, change) in enumerate(zip(moves, changes, strict=True)):
            q += move * (shares[i] - change @ q / curvatures[i])
        return q

    def _begin(self) -> None:
        self.state = {name: np.zeros((0, len(self.parameters))) for name in self.memory}

    def _shapes(self, arrays: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
        rows = min(len(arrays.get("moves", ())), self.history_size)
        return dict.fromkeys(self.memory, (rows, len(self.parameters)))

    def _groups(self) -> list[tuple[list[Value], dict[str, Any]]]:
        groups = super()._groups()
        if len(groups) > 1:
            raise OptionError(f"LBFGS takes one group of parameters, got {len(groups)}")
        return groups

    def _check(self) -> None:
        super()._check()
        for name in ("max_iter", "history_size"):
            whole(getattr(self, name), name)
        if self.max_eval is not None:
            whole(self.max_eval, "max_eval")
        if self.line_search_fn not in (None, "strong_wolfe"):
            raise OptionError(
                f"line_search_fn is 'strong_wolfe' or None, got {self.line_search_fn!r}"
            )
