"""Transforms of functions: `grad`, `jvp`, `vjp`, `hvp`, `jacobian`, `hessian`, `derivative`."""

from micrograd.transforms.functions import (
    derivative,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)

__all__ = ["derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]
