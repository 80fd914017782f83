"""The programs that train a network: each claim holds, and the pictures are made."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
# Each program, the numbers that its claim is about with their bounds, and its pictures.
PROGRAMS = {
    "moons": ({"accuracy": (1.0, 1.0)}, {"moons.png", "moons.gif"}),
    "spiral": ({"accuracy": (0.95, 1.0)}, {"spiral.png", "spiral_loss.png"}),
    "digits": ({"accuracy": (0.97, 1.0)}, {"digits.png"}),
    "iris": ({"accuracy": (0.93, 1.0), "setosa": (1.0, 1.0)}, {"iris_loss.png"}),
    "regression": ({"curve": (0, 0.1), "network": (0, 0.25)}, {"regression.png"}),
    "pinn": ({"error": (0, 0.001), "residual": (0, 0.01)}, {"pinn.png"}),
}
WITHOUT = """
import runpy, sys
sys.modules[sys.argv.pop(1)] = None
name = sys.argv.pop(1)
runpy.run_module(name, run_name="__main__")
"""


def program(name):
    if name in ("digits", "iris"):
        pytest.importorskip("sklearn", reason="pip install scikit-learn")
    return import_module(f"examples.{name}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_claim_of_the_program_holds(name):
    result = program(name).run()
    assert result.holds is True
    for number, (least, most) in PROGRAMS[name][0].items():
        assert least <= result.numbers[number] <= most


def test_the_network_is_much_nearer_to_the_points_than_their_mean():
    numbers = program("regression").run().numbers
    assert numbers["network"] < numbers["mean"] / 3


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "least", "mean", "most"), [("digits", 0.966, 0.974, 0.985), ("iris", 0.9, 0.956, 1.0)]
)
def test_ten_splits_give_what_the_program_says(name, least, mean, most):
    run = program(name).run
    found = [run(seed=seed).numbers["accuracy"] for seed in range(10)]
    # An image more or less, by rounding on another processor, is 0.0017.
    assert np.mean(found) == pytest.approx(mean, abs=0.004)
    assert least - 0.005 <= min(found)
    assert max(found) <= most + 0.005


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_the_same_in_every_run(name):
    first, second = (program(name).run(epochs=2).numbers for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_pictures_are_written_where_they_are_wanted(name, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    module, out = program(name), tmp_path / "new" / "pictures"
    monkeypatch.setattr(sys, "argv", [name, "--epochs", "2", "--out", str(out)])
    module.main(module.run, module.EPOCHS)
    written = {file.name: file.stat().st_size for file in out.iterdir()}
    assert set(written) == PROGRAMS[name][1]
    assert min(written.values()) > 5_000
    told = capsys.readouterr().out
    assert all(f"wrote {out / file}\n" in told for file in written)


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_a_claim_that_holds_is_exit_code_0_and_nothing_is_written_by_default():
    done = run("-m", "examples.regression")
    assert done.returncode == 0, done.stderr
    assert "wrote" not in done.stdout
    assert "always predicting the mean" in done.stdout


def test_a_claim_that_does_not_hold_is_exit_code_1():
    done = run("-m", "examples.spiral", "--epochs", "1")
    assert done.returncode == 1
    assert done.stdout.startswith("spiral: ")


@pytest.mark.parametrize("name", ["digits", "iris"])
def test_missing_data_is_exit_code_2_with_a_remedy(name):
    done = run("-c", WITHOUT, "sklearn", f"examples.{name}")
    assert done.returncode == 2
    assert f"load_{name} needs scikit-learn: pip install scikit-learn" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", PROGRAMS)
def test_missing_matplotlib_is_exit_code_2_before_the_training(name, tmp_path):
    done = run("-c", WITHOUT, "matplotlib", f"examples.{name}", "--out", str(tmp_path / "new"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("--out needs Matplotlib: pip install matplotlib")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("epochs", ["0", "-1", "2.5", "many"])
def test_an_impossible_number_of_epochs_is_reported_without_a_traceback(epochs):
    done = run("-m", "examples.moons", f"--epochs={epochs}")
    assert done.returncode == 2
    assert f"expected a whole number of at least 1, got {epochs!r}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_reported_without_a_traceback(tmp_path):
    pytest.importorskip("matplotlib")
    occupied = tmp_path / "file"
    occupied.touch()
    done = run("-m", "examples.moons", "--out", str(occupied))
    assert done.returncode == 2
    assert f"cannot write to {occupied}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.exhaustive
def test_the_batch_on_eight_devices_gives_the_gradient_of_one():
    pytest.importorskip("jax", reason="pip install jax")
    done = run("-m", "examples.sharding", XLA_FLAGS="")
    assert done.returncode == 0, done.stderr
    assert "8 devices, samples on each: [512]" in done.stdout


@pytest.mark.exhaustive
def test_two_processes_train_to_the_weights_of_one():
    pytest.importorskip("jax", reason="pip install 'micrograd-engine[jax]'")
    done = run("-m", "examples.processes", XLA_FLAGS="")
    assert done.returncode == 0, done.stderr
    assert "2 processes with 2 devices each" in done.stdout
    assert "65 weights" in done.stdout


@pytest.mark.parametrize("size", [(8, 5), (6.4, 4), (3, 3)])
def test_the_letters_of_a_saved_plot_can_be_read_on_a_phone(size, tmp_path):
    pytest.importorskip("matplotlib")
    from matplotlib import image, rcParams
    from matplotlib.figure import Figure

    from examples._training import save

    axes = Figure(figsize=size, layout="constrained").subplots()
    axes.plot([0, 1])
    save(axes, tmp_path / "plot.png")
    inches = image.imread(tmp_path / "plot.png").shape[1] / 200
    assert rcParams["font.size"] / (72 * inches) * 350 >= 10.7
