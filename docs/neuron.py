"""Draws the picture of the README: `python docs/neuron.py` writes neuron.svg beside this file."""

from __future__ import annotations

from pathlib import Path

from micrograd import Value, draw_dot
from micrograd.files import write


def neuron() -> Value:
    """The neuron of the README, with its gradients and the names of the formula."""
    x1, w1 = Value(2.0, label="x1"), Value(-3.0, label="w1")
    x2, w2 = Value(0.0, label="x2"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.label = "o"
    o.backward()
    return o


if __name__ == "__main__":
    svg = draw_dot(neuron(), local_partials=True).pipe(format="svg", encoding="utf-8")
    write(Path(__file__).with_name("neuron.svg"), svg)
