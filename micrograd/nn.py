"""Karpathy's address for the neural networks, which live in the package `nn`."""

from nn import MLP, Dropout, Layer, Module, Neuron, Sequential

__all__ = ["MLP", "Dropout", "Layer", "Module", "Neuron", "Sequential"]
