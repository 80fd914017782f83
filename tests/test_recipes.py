"""The examples of the recipes in CONTRIBUTING.md work where the recipes put them."""

from __future__ import annotations

import argparse
import doctest
import json
import math
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import pytest

from micrograd import Value, define, draw, draw_dot
from micrograd.compiler import compile  # noqa: A004
from micrograd.compiler.executor import BACKENDS, Backend, Executor, Gradients
from micrograd.compiler.numpy.executor import NumpyExecutor
from micrograd.compiler.program.program import Program
from micrograd.ops import TABLE, Row
from micrograd.testing import check_operation
from nn import MLP, losses
from nn.optimizers import rules
from nn.schedules import formulas

RECIPES = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", RECIPES, flags=re.DOTALL)


def example(part: str) -> str:
    """The example with these words."""
    (found,) = (each for each in EXAMPLES if part in each)
    return found


def ran(part: str, names: dict[str, Any]) -> dict[str, Any]:
    """What an example defines beside these names; the examples in its docstrings hold."""
    code, module = example(part), ModuleType("recipe")
    vars(module).update(names)
    exec(code, vars(module))
    new = {key: each for key, each in vars(module).items() if names.get(key) is not each}
    for key, each in new.items():
        if getattr(each, "__doc__", None) and f" {key}(" in code:
            for test in doctest.DocTestFinder(recurse=False).find(each, key, globs=vars(module)):
                assert doctest.DocTestRunner().run(test).failed == 0
    return new


@pytest.mark.slow
def test_the_row_passes_its_check():
    row = eval(example('"signed_square"'), {"Row": Row})
    options = {"typeset": row.typeset, "kink": row.kink, "note": row.note}
    if row.name not in TABLE:
        define(row.name, row.formula, row.partials, **options)
    assert bool(check_operation(row.name))


def test_the_loss_is_right_far_away():
    loss = ran("def log_cosh_loss", vars(losses))["log_cosh_loss"]
    assert loss(-1000.0, 0.0) == 1000 - math.log(2)


def test_the_optimizer_takes_steps_of_one_size():
    made = ran("class SignSGD", vars(rules))["SignSGD"]
    x, y = Value(1.0), Value(-3.0)
    x.grad, y.grad = 0.5, -7.0
    made([x, y], lr=0.25).step()
    assert (x.data, y.data) == (0.75, -2.75)
    with pytest.raises(ValueError, match="lr"):
        made([x], lr=-1.0)


def test_the_schedule_multiplies_its_factors():
    made = ran("class MultiplicativeLR", {**vars(formulas), "math": math})["MultiplicativeLR"]
    schedule = made(rules.SGD([Value(0.0)], lr=1.0), lambda epoch: 0.5)
    assert [schedule.rate(1.0, epoch) for epoch in range(3)] == [1.0, 0.5, 0.25]


@pytest.mark.slow
@pytest.mark.parametrize("level", ["operation", "neuron", "layer", "named"])
def test_the_format_has_the_text_of_every_box(level):
    write = ran("GraphML", {})["document"]
    model = MLP(2, [12, 1])
    out = model([Value(1.0, label="<x>"), 2.0])
    graph = draw(out, model=model) if level == "named" else draw_dot(out, model=model, level=level)
    drawn = ET.fromstring(write(graph.picture, graph.theme))
    texts = " ".join(drawn.itertext())
    assert "layer 2" in texts or "w⁽²⁾₁₂" in texts
    assert ("… 4 more" in texts) is (level == "layer")
    names = [each.get("id") for each in drawn.iter() if each.tag.endswith("node")]
    ends = [each.get("target") for each in drawn.iter() if each.tag.endswith("edge")]
    assert len(set(names)) == len(names)
    assert set(ends) <= set(names)


def test_the_executor_is_a_backend_that_gives_the_numbers_of_numpy(monkeypatch):
    names = {each.__name__: each for each in (Executor, Gradients, NumpyExecutor, Program)}
    names |= {"Any": Any, "Sequence": Sequence, "perf_counter": perf_counter}
    module = ModuleType("timed_executor")
    vars(module).update(ran("class TimedExecutor", names))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(BACKENDS, "timed", Backend(module.__name__, "TimedExecutor"))
    x = [0.5, -1.0]
    timed, usual = (
        compile(lambda v: v.tanh() * v, batched=True, backend=backend).value_and_grad(x)
        for backend in ("timed", "numpy")
    )
    assert [each.tolist() for each in timed] == [each.tolist() for each in usual]


def test_the_command_prints_the_gradient(capsys):
    names = ran("The command `gradient`", {})
    parser = argparse.ArgumentParser()
    names["add_options"](parser)
    names["gradient"](parser.parse_args(["x * w", "x=2", "w=-3"]))
    found = json.loads(capsys.readouterr().out)
    assert found == {"value": -6.0, "gradient": {"x": -3.0, "w": 2.0}}
