"""Karpathy's address for the neural networks, which live in the package `nn`."""

import random  # programs that begin with `from micrograd.nn import *` call random.seed

from micrograd.engine import Value
from nn import MLP, Dropout, Layer, Module, Neuron, Sequential

__all__ = ["MLP", "Dropout", "Layer", "Module", "Neuron", "Sequential", "Value", "random"]
