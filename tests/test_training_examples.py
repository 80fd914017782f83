"""The programs that train a network: each claim holds, and the pictures are made."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("numpy")

ROOT = Path(__file__).parent.parent
# Each program, the number that its claim is about, and its pictures.
PROGRAMS = {
    "moons": (r"two moons: (\d+) % of 100", 100.0, {"moons.png", "moons.gif"}),
    "spiral": (r"spiral: ([\d.]+) % of 300", 95.0, {"spiral.png", "spiral_loss.png"}),
    "digits": (r"held-out accuracy ([\d.]+) %", 97.0, {"digits.png"}),
    "iris": (r"held-out accuracy ([\d.]+) %", 93.0, {"iris_loss.png"}),
    "regression": (r"without noise ([\d.]+)", None, {"regression.png"}),
}


def program(name):
    if name in ("digits", "iris"):
        pytest.importorskip("sklearn", reason="pip install 'micrograd-engine[train]'")
    return import_module(f"examples.{name}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_claim_of_the_program_holds(name):
    pattern, least, _ = PROGRAMS[name]
    result = program(name).run()
    (number,) = (float(found[1]) for line in result.lines if (found := re.search(pattern, line)))
    assert result.holds
    assert number <= 0.1 if least is None else number >= least


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_the_same_in_every_run(name):
    def lines():
        told = program(name).run(epochs=2).lines
        return [re.sub(r"[\d.]+ s$", "", line) for line in told]  # but for the time that it takes

    assert lines() == lines()


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_pictures_are_written_where_they_are_wanted(name, tmp_path):
    pytest.importorskip("matplotlib")
    program(name).run(epochs=2, out=tmp_path / "pictures")
    written = {file.name: file.stat().st_size for file in (tmp_path / "pictures").iterdir()}
    assert set(written) == PROGRAMS[name][2]
    assert min(written.values()) > 5_000


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def test_a_claim_that_does_not_hold_is_an_exit_code():
    done = run("examples.spiral", "--epochs", "1")
    assert done.returncode == 1
    assert done.stdout.startswith("spiral: ")


def test_the_batch_on_eight_devices_gives_the_gradient_of_one():
    pytest.importorskip("jax", reason="pip install 'micrograd-engine[jax]'")
    done = run("examples.sharding", XLA_FLAGS="")
    assert done.returncode == 0, done.stderr
    assert "8 devices, samples on each: [512]" in done.stdout
