"""Checks for other people's tests: gradients against independent witnesses.

from micrograd.testing import check_gradients
check_gradients(f, 0.5, [1.0, 2.0])  # a report, or GradientMismatch
"""

from micrograd.testing.check import check_gradients
from micrograd.testing.mutation import mutation_report
from micrograd.testing.operations import check_operation, gradient_checked
from micrograd.testing.report import GradientMismatch, Report

check_grads = check_gradients  # the name in JAX

__all__ = [
    "GradientMismatch",
    "Report",
    "check_gradients",
    "check_grads",
    "check_operation",
    "gradient_checked",
    "mutation_report",
]
