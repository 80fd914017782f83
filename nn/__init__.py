"""A small neural-network library of scalars, on `micrograd`."""

from nn.layers import MLP, Layer, Neuron
from nn.module import Module

__all__ = ["MLP", "Layer", "Module", "Neuron"]
