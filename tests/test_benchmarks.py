"""The benchmark runs, says what it skips, and compares engines that compute the same numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import eager


def run(*options: str) -> str:
    program = [sys.executable, eager.__file__, "--quick", *options]
    return subprocess.run(program, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def test_the_program_prints_every_table_without_peers() -> None:
    printed = run("--no-peers", "--rounds", "1")
    for words in (
        "The standard step, 10 samples, 1 rounds",
        "bytes per node",
        "ns per operation",
        "dearest / cheapest length",
        "import micrograd:",
    ):
        assert words in printed
    assert "this engine" in printed
    assert "Karpathy" not in printed
    assert "skipped" not in printed


@pytest.mark.parametrize(
    ("name", "promised"),
    [
        ("pictures", ["explain 50 values: text", "DOT text of 250", "refuse to draw 5,000 values"]),
        ("compiled", ["NumPy by hand", "compiled, numpy", "us for each node", "chain"]),
    ],
)
def test_the_other_benchmarks_run(name: str, promised: list[str]) -> None:
    program = [sys.executable, str(Path(eager.__file__).with_name(f"{name}.py")), "--quick"]
    printed = subprocess.run(program, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
    for words in promised:
        assert words in printed


def test_all_engines_compute_the_same_loss_and_gradients(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    printed = run("--peers", str(tmp_path), "--json", str(file))
    results: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    if len(results["steps"]) == 1:
        pytest.skip(f"no peers: {results['skipped']}")
    # Each node adds at most one rounding to a sum.
    for name, step in results["steps"].items():
        assert step["difference"] <= step["nodes"] * sys.float_info.epsilon, name
        assert results["names"][name] in printed


def test_a_gradient_that_differs_is_noticed() -> None:
    ours = {"loss": 0.5, "gradients": [0.0, 3.0]}
    assert eager.difference(ours, ours) == 0
    assert eager.difference({"loss": 0.5, "gradients": [0.25, 3.0]}, ours) == 0.25
    assert eager.difference({"loss": 0.5, "gradients": [0.0, 6.0]}, ours) == 1


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
