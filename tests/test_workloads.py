"""The workloads that measure the compiler compute the same numbers as hand-written JAX."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.timing import Times

jax = pytest.importorskip("jax")

from benchmarks.workloads import measuring, workload  # noqa: E402 (they need JAX)
from benchmarks.workloads.catalogue import ALL  # noqa: E402

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def run(*options: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "benchmarks.workloads", *options]
    return subprocess.run(program, cwd=ROOT, capture_output=True, encoding="utf-8")


@pytest.mark.exhaustive
@pytest.mark.usefixtures("quick_xla")  # XLA is a witness here, and the last digits do not matter
@pytest.mark.parametrize("name", ALL)
def test_each_workload_agrees_with_jax(name: str) -> None:
    task = ALL[name].made(small=True)
    by_jax = workload.jitted(task)
    for backend in ("numpy", "auto"):
        assert workload.disagreement(task, workload.by_program(task, backend)(), by_jax) <= 1


def test_another_formula_does_not_agree() -> None:
    task = ALL["Hopfield, 64 units"].made(small=True)
    by_jax = workload.jitted(task)
    energy = task.ours
    for factor, agrees in ((1, True), (1 + 1e-8, False)):
        wrong = task._replace(ours=lambda x, factor=factor: factor * energy(x))
        found = workload.disagreement(task, workload.by_program(wrong, "numpy")(), by_jax)
        assert (found <= 1) is agrees


def test_a_program_that_differs_is_not_timed() -> None:
    sized = ALL["Hopfield, 64 units"]

    def wrong(*sizes: int) -> workload.Workload:
        task = sized.make(*sizes)
        return task._replace(ours=lambda x: 2 * task.ours(x))

    with pytest.raises(ValueError, match="numpy differs"):
        measuring.measure(sized._replace(make=wrong), ["numpy"], measuring.Effort(1, 1), small=True)


@pytest.mark.slow
def test_the_program_prints_and_draws_ratios(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / "ratios.svg"
    done = run("--quick", "--only", "Rosenbrock", "--backends", "numpy", "--plot", str(file))
    assert done.returncode == 0, done.stderr
    for words in ("Rosenbrock, 1,000 variables", "geometric mean", "at most 1"):
        assert words in done.stdout
    assert "Rosenbrock" in file.read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_unknown_workload_is_refused() -> None:
    done = run("--only", "nothing like this")
    assert done.returncode == 2
    assert "--list prints the names" in done.stderr


def test_ratios_are_those_to_jax() -> None:
    measured = {
        measuring.HAND: measuring.Measured(2.0, Times(4.0, 8.0, 3)),
        "jax": measuring.Measured(1.0, Times(1.0, 4.0, 3)),
    }
    assert measuring.ratios(measured) == {"jax": (0.25, 0.5, 0.5)}
    assert "0.25" in measuring.summary([measured])
