"""Karpathy's address for the neural networks, which live in the package `nn`."""

from nn import MLP, Layer, Module, Neuron

__all__ = ["MLP", "Layer", "Module", "Neuron"]
