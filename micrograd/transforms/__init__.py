"""Transforms of functions: gradients and Jacobians, products with them, and Taylor series."""

from micrograd.transforms import functions, matrices
from micrograd.transforms.custom import custom_derivative
from micrograd.transforms.functions import *
from micrograd.transforms.lookup import take
from micrograd.transforms.matrices import *
from micrograd.transforms.structures import register_structure
from micrograd.transforms.taylor import taylor

__all__ = [
    *functions.__all__,
    *matrices.__all__,
    "custom_derivative",
    "register_structure",
    "take",
    "taylor",
]
