"""`examples/layers.py`: values and gradients are PyTorch's, also when compiled.

PyTorch's numbers, of version 2.13.0 in double precision, are in `layers_by_pytorch.json`, which
`python -m tests.test_layers_example` writes. Where PyTorch is installed, its own are compared too.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")

from examples.layers import LAYERS, inputs, loss_of, run  # noqa: E402
from micrograd import Value, compile, value_and_grad  # noqa: A004, E402
from micrograd.testing import check_gradients  # noqa: E402

RECORDED = Path(__file__).with_name("layers_by_pytorch.json")
TOLERANCE = 1e-10  # the recorded numbers have 12 digits after the point


def by_pytorch(layer):
    """The result of a layer, the loss, and its gradient by each argument, all by PyTorch."""
    import torch
    from torch.nn import functional

    args = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs(layer)]
    if layer.__name__ == "attention":
        result = functional.scaled_dot_product_attention(*args)
    elif layer.__name__ == "layer_norm":
        result = functional.layer_norm(args[0], args[0].shape[1:], *args[1:])
    elif layer.__name__ == "convolution":
        result = functional.relu(functional.conv2d(args[0][None], *args[1:])[0])
    else:
        x, h, c, W, U, b = args
        pair = torch.lstm_cell(x[None], (h[None], c[None]), W, U, b, torch.zeros_like(b))
        result = torch.cat(pair)
    loss = (result**3).mean()
    loss.backward()
    return {
        "result": result.detach().numpy(),
        "loss": loss.item(),
        "gradients": [x.grad.numpy() for x in args],
    }


def recorded(layer):
    found = json.loads(RECORDED.read_text())[layer.__name__]
    return {"result": np.array(found["result"]), "loss": found["loss"]} | {
        "gradients": [np.array(each) for each in found["gradients"]]
    }


def differentiated(f, args):
    return value_and_grad(f, range(len(args)))(*args)


def compiled(f, args):
    return compile(f, backend="numpy").value_and_grad(*args)


def assert_same(found, wanted):
    found = np.array(found, dtype=float)
    assert found.shape == np.shape(wanted)
    assert np.abs(found - wanted).max() <= TOLERANCE


def layers(test):
    return pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)(test)


@layers
@pytest.mark.parametrize("way", [differentiated, compiled])
@pytest.mark.parametrize("source", [recorded, by_pytorch])
def test_loss_and_gradients_are_pytorchs(layer, way, source):
    if source is by_pytorch:
        pytest.importorskip("torch")
    wanted = source(layer)
    loss, gradients = way(loss_of(layer), inputs(layer))
    assert_same(loss, wanted["loss"])
    assert len(gradients) == len(wanted["gradients"])
    for found, expected in zip(gradients, wanted["gradients"], strict=True):
        assert_same(found, expected)


@layers
def test_the_result_is_pytorchs_on_numbers_on_values_and_compiled(layer):
    args, wanted = inputs(layer), recorded(layer)["result"]
    assert_same(layer(*args), wanted)
    assert_same(compile(layer, backend="numpy")(*args), wanted)
    of_values = np.array(layer(*(np.vectorize(Value, otypes=[object])(x) for x in args)))
    assert_same([x.data for x in of_values.ravel()], wanted.ravel())


@pytest.mark.slow
@layers
def test_the_gradients_are_confirmed_by_the_checker(layer):
    check_gradients(loss_of(layer), *inputs(layer))


def test_the_claim_of_the_program_holds():
    found = run()
    assert found.holds is True
    assert set(found.numbers) == {layer.__name__ for layer in LAYERS}
    assert sum("  gradient  " in line for line in found.lines) == len(LAYERS)


def main():
    """Record PyTorch's numbers."""

    def rounded(x):
        return np.round(x, 12).tolist()

    found = {}
    for layer in LAYERS:
        numbers = by_pytorch(layer)
        gradients = [rounded(each) for each in numbers["gradients"]]
        found[layer.__name__] = {key: rounded(numbers[key]) for key in ("result", "loss")}
        found[layer.__name__]["gradients"] = gradients
    lines = [f'"{name}": {json.dumps(numbers)}' for name, numbers in found.items()]
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
