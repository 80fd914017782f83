"""What type checkers see of models, predictions and options."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from nn.losses import LOSSES, LossName

PROGRAM = """
from micrograd import Value, tanh
from nn import MLP, Layer, Module, Neuron, Sequential, fit, predict
class Mine(Module):
    def __call__(self, x: list[float]) -> Value:
        return Value(x[0])
def use(model: Module) -> None:
    reveal_type(model([1.0]))
reveal_type(MLP(2, [1])([1.0, 2.0]))
reveal_type(Sequential(Layer(1, 2, activation="tanh"), tanh)([1.0]))
reveal_type(Neuron(2)([1.0, 2.0]))
reveal_type(Mine()([1.0]))
reveal_type(predict(Mine(), [[1.0]]))
fit(Mine(), [[1.0]], [1.0], loss="mse")
fit(Mine(), [[1.0]], [1.0], loss=lambda p, t: (p - t) ** 2)
MLP(2, [1], activation=lambda v: v * v)
fit(Mine(), [[1.0]], [1.0], loss="msee")
MLP(2, [1], activation="reluu")
"""
OUTPUT = "micrograd.engine.value.Value | list[micrograd.engine.value.Value]"


def test_the_names_of_losses_are_those_of_the_table():
    assert get_args(LossName) == tuple(LOSSES)


@pytest.mark.exhaustive
def test_calls_have_types_and_names_are_literals(tmp_path):
    api = pytest.importorskip("mypy.api")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    options = ["--strict", "--cache-dir", str(tmp_path / "cache")]
    said, errors, _ = api.run([*options, str(tmp_path / "program.py")])
    assert errors == ""
    assert re.findall(r'Revealed type is "(.*)"', said) == [
        OUTPUT,
        OUTPUT,
        OUTPUT,
        "micrograd.engine.value.Value",
        "micrograd.engine.value.Value",
        "numpy.ndarray[tuple[Any, ...], numpy.dtype[numpy.float64]]",
    ]
    wrong = [
        line.split(": ", 2)[2][:30].strip() for line in said.splitlines() if ": error: " in line
    ]
    assert wrong == ['Argument "loss" to "fit" has i', 'Argument "activation" to "MLP"']
