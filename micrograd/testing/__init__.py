"""Checks of gradients against independent witnesses, for the tests of users.

    from micrograd.testing import check_gradients
    check_gradients(f, 0.5, [1.0, 2.0])  # a report, or GradientMismatch

`check_gradients` runs the function on Values, which records its graph, and takes the gradient that
the engine's backward pass gives. It then asks witnesses for the same derivatives: methods that do
not share the rules under test, such as differences of the function and complex steps of its
formulas. Gradient and witness agree if they differ by no more than a bound, which is derived from
rounding, from the noise of the function and from the witness's own error. If they disagree, the
operation at fault is searched and named. A check proceeds in this order:

1. `check.py`, `options.py`: options are read; every output, and with `order=2` every first
   derivative, becomes a function to be examined, alone or in a random combination.
2. `examination.py`: one output is examined. `recording.py` runs the function and holds its graph
   (`Subject`, `Recording`); the run is repeated to see whether it is deterministic and pure.
3. `evidence.py`: what is known about the gradient: its rounding errors (`rounding.py`: ball
   arithmetic), the noise of the function (`noise.py`), and how far a witness may differ.
4. `directions.py`: many inputs are moved together in random directions; if a witness disagrees,
   halving finds the inputs to look at one by one.
5. `comparison.py`: these inputs are compared with what each witness says. `witnesses.py` has the
   witnesses: the forward mode, differences (`differences.py`: Richardson extrapolation, kinks),
   the complex step, exact fractions (`arithmetic.py`: the formulas on other numbers), and for
   derivatives of order 2 and higher the function's Taylor series (`series.py`).
   `resolution.py` takes a second look at a difference that disagrees.
6. `blame.py`, `culprit.py`: if something is wrong, the operation at fault, the user's line and a
   short reproduction.
7. `report.py`: the report that is printed, and the error. `pytest_plugin.py` shows the report in an
   assertion that fails.

A gradient that is computed outside the engine is checked in `arrays.py`, by the differences of
`numerical.py`; `suspicion.py` says what its mistakes look like: `patterns.py` has the usual ones,
`linear_layers.py` those that several gradients show together.

`operations.py` checks rows of the table, and `mutation.py` the checker itself, with rules that are
wrong on purpose. `strategies.py` and `expression.py` are random expressions for Hypothesis.
"""

from typing import TYPE_CHECKING, Any

from micrograd.testing.check import check_gradients
from micrograd.testing.mutation import mutation_report
from micrograd.testing.operations import check_operation, gradient_checked
from micrograd.testing.report import GradientMismatch, Report

if TYPE_CHECKING:
    from micrograd.testing.numerical import (
        numerical_gradient,
        numerical_hessian,
        numerical_jacobian,
    )

check_grads = check_gradients  # the name in JAX

__all__ = [
    "GradientMismatch",
    "Report",
    "check_gradients",
    "check_grads",
    "check_operation",
    "gradient_checked",
    "mutation_report",
    "numerical_gradient",
    "numerical_hessian",
    "numerical_jacobian",
]


def __getattr__(name: str) -> Any:
    if name in __all__:  # they need NumPy, which is imported on use
        from micrograd.testing import numerical

        found = globals()[name] = getattr(numerical, name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
