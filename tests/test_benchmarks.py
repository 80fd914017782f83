"""The benchmarks run, say what they skip, and compare engines that compute the same numbers."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from benchmarks import eager, gpt, greeks, source, step
from benchmarks.compiled import BACKENDS
from benchmarks.timing import TOLERANCE, Effort, Engine, Times, available, compare, difference


def run(*options: str) -> str:
    program = [sys.executable, eager.__file__, "--quick", *options]
    return subprocess.run(program, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


@pytest.mark.slow
def test_the_program_prints_every_table_without_peers() -> None:
    printed = run("--no-peers", "--rounds", "1")
    for words in (
        "The standard step, 10 samples, 1 rounds",
        "bytes per node",
        "ns per operation",
        "slowest / fastest length",
        "import micrograd:",
    ):
        assert words in printed
    assert "this engine" in printed
    assert "Karpathy" not in printed
    assert "skipped" not in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "promised"),
    [
        (
            "compiled --no-peers --backends numpy --only greeks --points 20",
            ["price and five greeks at 20 points"],
        ),
        ("checking", ["125 inputs, order 1", "12 inputs, order 2", "LayerNorm, all outputs"]),
        ("numerical", ["this library", "Rosenbrock, 5, hessian", "median error"]),
        ("tables", ["30 rows, processor time", "each cell", "200"]),
        ("pictures", ["explain 50 values: text", "DOT text of 250", "refuse to draw 5,000 values"]),
        (
            "compiled --no-peers --backends numpy",
            [
                "standard step, 10 samples",
                "NumPy by hand",
                "compiled, numpy",
                "GPT, 424 parameters, 4 tokens, one document",
                "price and five greeks at 1,000 points",
                "right-deep sum",
                "recurrence",
            ],
        ),
    ],
)
def test_the_other_benchmarks_run(name: str, promised: list[str]) -> None:
    name, *options = name.split()
    file = str(Path(eager.__file__).with_name(f"{name}.py"))
    program = [sys.executable, file, "--quick", *options]
    printed = subprocess.run(program, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    for words in promised:
        assert words in printed


@pytest.mark.slow
@pytest.mark.parametrize("name", source.FUNCTIONS)
def test_c_of_casadi_gives_the_same_numbers(name: str) -> None:
    pytest.importorskip("casadi")
    if not which("cc"):
        pytest.skip("no C compiler is installed (package gcc)")
    *_, results = source.measure(source.FUNCTIONS[name], rounds=1, calls=1)
    assert difference(results[:, :1].T, results[:, 1:].T) <= 1e-12


@pytest.mark.exhaustive
def test_operations_are_timed_beside_functions_of_jax_that_compute_the_same() -> None:
    pytest.importorskip("jax")
    pytest.importorskip("llvmlite")
    file = str(Path(eager.__file__).with_name("elementary.py"))
    program = [sys.executable, file, "--quick", "exp", "atan2", "mish", "x ** 3"]
    printed = subprocess.run(program, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    assert re.findall(r"^(exp|atan2|mish|x \*\* 3) ", printed, re.MULTILINE) == program[3:]
    assert printed.count("slower than JAX") == 4
    assert "the difference is" not in printed


@pytest.mark.exhaustive
def test_programs_are_compared_with_jax_on_its_device() -> None:
    pytest.importorskip("jax")
    program = [sys.executable, str(Path(eager.__file__).with_name("gpu.py")), "--quick"]
    printed = subprocess.run(program, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    assert printed.startswith("JAX ")
    for words in ("standard step, 10", "MLP 784", "GPT, 424", "five greeks", "bundle adjustment"):
        assert words in printed
    assert printed.count("compiled, jax") == printed.count("JAX by hand, fetched") == 5


@pytest.mark.slow
def test_how_the_steps_scale_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    times = {n: {"compiled, numpy": Times(n * 1e-6, n * 2e-6, 3)} for n in (1, 100)}
    step.plot(times, tmp_path / "scaling.svg")
    assert (tmp_path / "scaling.svg").read_text(encoding="utf-8").count("<svg") == 1


@pytest.mark.slow
def test_each_engine_is_drawn_in_a_colour_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = ["NumPy by hand", *(f"compiled, {each}" for each in BACKENDS), *step.PEERS]
    step.plot({1: dict.fromkeys(names, Times(1e-6, 2e-6, 3))}, tmp_path / "scaling.svg")
    drawn = (tmp_path / "scaling.svg").read_text(encoding="utf-8")
    legend = drawn[drawn.index('id="legend_1"') :]
    frame = 1
    assert len(set(re.findall(r"stroke: (#\w{6})", legend))) == len(names) + frame


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
@pytest.mark.parametrize(("before", "kept"), [("", False), ("timing.keep_freed_memory()", True)])
def test_arrays_of_a_comparison_are_not_mapped_anew(before: str, kept: bool) -> None:
    lines = [
        "import resource, numpy",
        "from benchmarks import timing",
        before,
        "[numpy.ones(100_000) for _ in range(8)]",
        "start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt",
        "[numpy.ones(100_000) for _ in range(8)]",
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start)",
    ]
    root = Path(eager.__file__).parents[1]
    program = [sys.executable, "-c", "\n".join(lines)]
    printed = subprocess.run(program, cwd=root, check=True, stdout=subprocess.PIPE).stdout
    assert (int(printed) < 500) is kept  # eight arrays are some 1,500 pages


@pytest.fixture
def double_precision() -> Iterator[None]:
    """JAX, if it is installed, computes in float64."""
    if not find_spec("jax"):
        yield
        return
    import jax

    with jax.enable_x64(True):
        yield


def made(make: Callable[[], Engine]) -> Engine:
    try:
        return make()
    except ImportError as reason:
        pytest.skip(str(reason))


# These take long to compile or must be downloaded; the benchmark itself compares them.
LONG = ("torch.compile", "Karpathy's micrograd")


@pytest.mark.slow
@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("name", [name for name in step.PEERS if name not in LONG])
def test_peers_take_the_same_step(name: str) -> None:
    points = step.points(7)
    result = made(step.PEERS[name])(*points)()
    assert difference(result, step.numpy_by_hand()(*points)()) <= TOLERANCE


@pytest.mark.exhaustive
@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("samples", [0, 2])
@pytest.mark.parametrize("name", [name for name in gpt.PEERS if name not in LONG])
def test_peers_have_the_same_gpt(name: str, samples: int) -> None:
    model = gpt.small()
    documents = gpt.some(samples, 4)
    result = made(partial(gpt.PEERS[name], model))(*documents)()
    ours = gpt.compiled(model, samples > 0, "numpy")(*documents)()
    assert difference(result, ours) <= TOLERANCE


@pytest.mark.slow
@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("name", greeks.PEERS)
def test_peers_give_the_same_greeks(name: str) -> None:
    points = greeks.points(9)
    result = made(greeks.PEERS[name])(*points)()
    assert difference(result, greeks.compiled("numpy")(*points)()) <= TOLERANCE


def test_an_engine_that_computes_something_else_is_not_timed() -> None:
    engines: dict[str, Engine] = {"right": lambda: lambda: [1.0], "wrong": lambda: lambda: [1.001]}
    with pytest.raises(SystemExit, match="wrong computes something else"):
        compare(engines, (), Effort(1, 1))
    times = compare({"right": engines["right"]}, (), Effort(3, 1))
    assert times["right"].rounds == 3
    assert 0 < times["right"].minimum <= times["right"].median


def test_what_cannot_be_made_is_skipped_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    def missing() -> int:
        raise ImportError("no such thing")

    assert available({"three": lambda: 3, "nothing": missing}) == {"three": 3}
    assert capsys.readouterr().out == "skipped nothing: no such thing\n"


@pytest.mark.slow
def test_all_engines_compute_the_same_loss_and_gradients(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    printed = run("--peers", str(tmp_path), "--json", str(file))
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if len(results["steps"]) == 1:
        pytest.skip(f"no peers: {results['skipped']}")
    # Each node adds at most one rounding to a sum.
    for name, result in results["steps"].items():
        assert result["difference"] <= result["nodes"] * sys.float_info.epsilon, name
        assert results["names"][name] in printed


def test_a_gradient_that_differs_is_noticed() -> None:
    ours = {"loss": 0.5, "gradients": [0.0, 3.0]}
    assert eager.difference(ours, ours) == 0
    assert eager.difference({"loss": 0.5, "gradients": [0.25, 3.0]}, ours) == 0.25
    assert eager.difference({"loss": 0.5, "gradients": [0.0, 6.0]}, ours) == 1


@pytest.mark.slow
def test_a_peer_that_cannot_be_installed_is_skipped_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "none"))
    peers, missing = eager.find_peers(tmp_path)
    assert "karpathy" not in peers
    assert "micrograd==0.1.0" in missing["karpathy"]


def test_a_worker_that_ends_is_an_error_that_names_it(tmp_path: Path) -> None:
    with (
        eager.Worker("no such engine", tmp_path, 1) as worker,
        pytest.raises(RuntimeError, match="no such engine"),
    ):
        worker("step")
