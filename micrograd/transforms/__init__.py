"""Transforms of functions: gradients and Jacobians, products with them, and Taylor series."""

from micrograd.transforms.custom import custom_derivative
from micrograd.transforms.functions import (
    derivative,
    grad,
    hvp,
    jvp,
    linearize,
    value_and_grad,
    vjp,
)
from micrograd.transforms.lookup import take
from micrograd.transforms.matrices import hessian, jacfwd, jacobian, jacrev, value_and_jacobian
from micrograd.transforms.structures import register_structure
from micrograd.transforms.taylor import taylor

__all__ = [
    "custom_derivative",
    "derivative",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "register_structure",
    "take",
    "taylor",
    "value_and_grad",
    "value_and_jacobian",
    "vjp",
]
