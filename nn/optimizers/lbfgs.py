"""`LBFGS`, which minimises a whole problem at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from micrograd import Value
from nn.optimizers.optimizer import Array, ParameterHolder
from nn.options import real, whole


@dataclass(eq=False)
class LBFGS(ParameterHolder):
    """The quasi-Newton method L-BFGS-B, for small problems with all samples at once.

    It is SciPy's `minimize` (Byrd, Lu, Nocedal and Zhu 1995, doi:10.1137/0916069). The parameters
    get the best numbers that were found, even after an error or Ctrl-C. `nn.fit` does not take it.

    Args:
        parameters: the Values to change.
        max_iter: the most iterations of one call.
        max_eval: the most evaluations of the loss; `max_iter * 5 // 4` by default.
        tolerance_grad: end when no component of the gradient is larger than this.
        tolerance_change: end when an iteration lowers the loss by less than this share of it.
        history_size: the number of past steps from which the curvature is estimated.

    Raises:
        ImportError: when it is used without SciPy.

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
        """Minimise a loss of Values, and return the smallest loss that was found.

        Args:
            closure: a function that zeroes the gradients, computes the loss, calls its `backward()`
                and returns it, as in PyTorch.
        """

        def value_and_grad(numbers: Array) -> tuple[float, Array]:
            self.write(numbers)
            return closure().data, self.gradient()

        return self.minimize(value_and_grad)

    def minimize(self, value_and_grad: Callable[[Array], tuple[float, Array]]) -> float:
        """Minimise a function of an array, and return the smallest value that was found.

        Args:
            value_and_grad: a function that takes the numbers of the parameters, of shape
                (parameters,), and returns the loss and its gradient, as
                `lambda p: program.value_and_grad(X, y, parameters=p)` does.

        Raises:
            ValueError: if the loss is nan or infinite at the start.
        """
        try:
            from scipy.optimize import minimize
        except ImportError as error:
            raise ImportError(
                f"LBFGS needs SciPy: pip install 'micrograd-engine[train]' ({error})"
            ) from error
        least, best = math.inf, self.numbers()

        def watched(numbers: Array) -> tuple[float, Array]:
            nonlocal least, best
            value, gradient = value_and_grad(numbers)
            if value < least:
                least, best = float(value), numbers.copy()
            elif least == math.inf:
                raise ValueError(
                    f"the loss is {value} where LBFGS begins: start from other numbers"
                )
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
            self.write(best)
        return least
