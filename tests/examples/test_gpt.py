"""The GPT of scalars: what it computes, that it is the same compiled, and that it learns.

The losses and gradients of eager mode and of a program differ by roundings: of each operation, and
of sums that are added up in another order. Among the adjoints of these networks no number is above
1, so each operation adds at most one unit of 2**-52.
"""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from examples import gpt
from micrograd import compile  # noqa: A004
from micrograd.engine.graph import order

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
EPSILON = sys.float_info.epsilon


def network(seed=0, **sizes):
    return gpt.untrained(np.random.default_rng(seed), **sizes)


def tiny(seed=0):
    return network(seed, context=4, width=4, heads=2)


def one(name, context):
    """Tokens, targets and mask of one name, as lists."""
    return [array[0].tolist() for array in gpt.documents([name], context)]


# --------------------------------------------------------------------------------- the model


def test_it_has_as_many_parameters_as_microgpt():
    assert len(network().parameters()) == 4192


def test_untrained_it_takes_every_letter_for_about_as_likely():
    losses = compile(network().loss, batched=True)(*gpt.documents(gpt.known_names(), 16))
    assert losses.mean() == pytest.approx(math.log(27), abs=0.1)


def test_a_position_does_not_see_the_letters_after_it():
    model = tiny()
    first, second = (
        [[logit.data for logit in row] for row in model.logits(one(name, 4)[0])]
        for name in ("anna", "anno")
    )
    assert first == second  # the last letter is the fifth token
    changed = [[logit.data for logit in row] for row in model.logits(one("anx", 4)[0])]
    assert changed[:3] == first[:3]
    assert changed[3] != first[3]


def test_what_a_document_is_filled_up_with_changes_nothing():
    model = tiny()
    tokens, targets, mask = one("al", 4)
    filled = model.loss(tokens, targets, mask).data
    assert mask == [1, 1, 1, 0]
    assert filled == model.loss(tokens[:3], targets[:3], mask[:3]).data


def test_the_loss_is_the_mean_of_what_softmax_says_of_each_letter():
    model = tiny()
    tokens, targets, mask = one("ana", 4)
    logits = np.array([[each.data for each in row] for row in model.logits(tokens)])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log([shares[t] @ targets[t] for t in range(4)]).mean()
    assert model.loss(tokens, targets, mask).data == pytest.approx(expected, rel=64 * EPSILON)


def test_softmax_bears_logits_of_any_size():
    values = [gpt.Value(x) for x in (1000.0, 999.0, -1000.0)]
    shares = [each.data for each in gpt.softmax(values)]
    assert shares == pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.e), 0], rel=4 * EPSILON)
    loss = gpt.cross_entropy(values, [0.0, 0.0, 1.0])
    assert loss.data == pytest.approx(2000 + math.log1p(math.exp(-1)), rel=4 * EPSILON)


# ------------------------------------------------------------------------------ compiled


@pytest.mark.parametrize(
    ("model", "name", "backend"),
    [
        (tiny(), "ana", "numpy"),
        (tiny(1), "maria", "numpy"),
        pytest.param(  # XLA compiles for long
            *(network(context=2, width=2, heads=2), "al", "jax"), marks=pytest.mark.exhaustive
        ),
        (network(), "jo", "numpy"),
    ],
    ids=["tiny", "tiny and cut off", "tiny by JAX", "full"],
)
@pytest.mark.usefixtures("quick_xla")
def test_a_program_computes_what_eager_mode_does(model, name, backend):
    if backend == "jax":
        pytest.importorskip("jax", reason="pip install jax")
    document = one(name, len(model.position))
    loss = model.loss(*document)
    loss.backward()
    gradient = [p.grad for p in model.parameters()]
    assert max(map(abs, gradient)) < 1
    tolerance = len(order(loss)) * EPSILON
    for batched in (False, True):
        program = compile(model.loss, model.parameters(), batched=batched, backend=backend)
        arguments = [np.array([each, each]) if batched else each for each in document]
        value, slopes = program.value_and_grad(*arguments)
        assert value == pytest.approx(loss.data, rel=0, abs=tolerance)
        assert slopes == pytest.approx(gradient, rel=0, abs=tolerance)


# ------------------------------------------------------------------------------ the training


def trained():
    generator = np.random.default_rng(0)
    model = gpt.untrained(generator, context=8, width=8, heads=2)
    names = gpt.known_names()
    losses = list(gpt.train(model, names, generator, steps=60, batch=16, rate=0.05))
    return losses, gpt.sample(model, generator, count=10), model


@pytest.fixture(scope="module")
def learned():
    return trained()


def test_the_loss_falls(learned):
    losses, _, _ = learned
    assert losses[0] > 3.2
    assert sum(losses[-10:]) / 10 < 2.5  # letters by their frequency alone: 2.83


def test_it_writes_names(learned):
    _, written, _ = learned
    assert len(set(written)) > 5
    for name in written:
        assert 1 <= len(name) <= 8
        assert set(name) < set(gpt.ALPHABET) - {"\n"}


def test_the_same_seed_gives_the_same_bits(learned):
    losses, written, model = learned
    again = trained()
    assert (losses, written) == again[:2]
    assert [p.data for p in model.parameters()] == [p.data for p in again[2].parameters()]


def test_without_chance_it_always_writes_the_same(learned):
    names = gpt.sample(learned[2], np.random.default_rng(5), count=3, temperature=0)
    assert len(set(names)) == 1


def test_the_names_are_plain_and_in_order():
    names = gpt.known_names()
    assert len(names) == len(set(names)) == 2000
    assert names == sorted(names)
    assert all(set(name) < set(gpt.ALPHABET) and len(name) < 16 for name in names)


def test_the_program_prints_its_loss_and_what_it_writes():
    program = [sys.executable, "-m", "examples.gpt", "--steps", "2", "--batch", "2"]
    printed = subprocess.run(
        program, check=True, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    ).stdout
    assert "2,000 names, 4,192 parameters" in printed
    assert "step     2   loss 3." in printed
    assert printed.splitlines()[-2].count(", ") == 19
