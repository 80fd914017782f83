"""A new primitive of the table is one line: every interpreter finds its function by name."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import micrograd

pytestmark = pytest.mark.slow

GAMMA = r'Row("gamma", "gamma(x)", ["out * digamma(x)"], r"\Gamma(x)", domain="x > 0"),'
ABSENT = 'Row("absent", "absent(x)", ["1"]),'
ROOT = Path(micrograd.__file__).parent.parent


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The folder of a copy of the package with two more lines in its table."""
    place = tmp_path_factory.mktemp("package")
    shutil.copytree(Path(micrograd.__file__).parent, place / "micrograd")
    table = place / "micrograd" / "ops.py"
    text = table.read_text(encoding="utf-8")
    head = "_ROWS = (\n"
    assert text.count(head) == 2  # the other is `_SERVING_ROWS`
    table.write_text(text.replace(head, f"{head}    {GAMMA}\n    {ABSENT}\n", 1), encoding="utf-8")
    return place


@pytest.fixture
def run(package, tmp_path):
    """A function that runs a program on that package, and returns what it prints."""

    def running(program):
        environment = os.environ | {
            "PYTHONPATH": str(package),
            "MICROGRAD_CACHE_DIR": str(tmp_path),
        }
        program = "from micrograd import Value, absent, gamma\n" + textwrap.dedent(program)
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=package,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return running


def test_a_primitive_is_differentiated_to_any_order(run):
    program = """
        from micrograd import derivative, digamma, polygamma
        x = Value(5.0)
        first = derivative(x.gamma(), x)
        second = derivative(first, x).data
        psi = digamma(5.0)
        print(gamma(5.0), first.data == 24 * psi)
        print(abs(second / (24 * (psi * psi + polygamma(1, 5.0))) - 1) < 1e-15)
    """
    assert run(program).split() == ["24.0", "True", "True"]


def test_a_primitive_follows_ieee_where_the_library_would_raise(run):
    assert run("print(gamma(200.0), gamma(float('nan')), gamma(Value(-1.0)).data)") == "inf nan nan"


@pytest.mark.parametrize("backend", ["reference", "numpy", "numba", "jax"])
def test_a_primitive_is_compiled(run, backend):
    needed = {"numba": "llvmlite", "jax": "jax"}.get(backend, "scipy")
    pytest.importorskip(needed, reason=f"pip install {needed} to compile it")
    program = f"""
        import numpy as np
        from micrograd import compile, digamma
        f = compile(lambda x: gamma(x) * x, batched=True, backend="{backend}")
        x = np.array([5.0, 0.5])
        value, slopes = f.value_and_grad(x)
        near = np.array([24.0, np.sqrt(np.pi)])
        for got, true in ((value, near * x), (slopes, near * (1 + x * digamma(x)))):
            print(np.allclose(got, true, rtol=1e-14))
    """
    assert run(program).split() == ["True", "True"]


@pytest.mark.parametrize("language", ["python", "c"])
def test_a_primitive_is_written_as_source(run, tmp_path, language):
    if language == "c" and not shutil.which("cc"):
        pytest.skip("there is no C compiler")
    source = tmp_path / f"f.{language}"
    program = f"""
        from micrograd import export_source
        print(export_source(gamma(Value(5.0, label="x")), language="{language}"))
    """
    source.write_text(run(program), encoding="utf-8")
    if language == "python":
        names: dict[str, Any] = {}
        exec(source.read_text(encoding="utf-8"), names)
        value = names["f"](5.0)[0]
    else:
        library = tmp_path / "f.so"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-x", "c", source, "-o", library, "-lm"], check=True
        )
        function = ctypes.CDLL(str(library)).f
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double, ctypes.c_void_p]
        value = function(5.0, None)
    assert abs(value / 24.0 - 1.0) <= 1e-15


def test_a_primitive_is_checked_and_drawn_in_random_expressions(run):
    program = """
        from hypothesis import find
        from micrograd.testing import check_gradients
        from micrograd.testing.operations import check_operation
        from micrograd.testing.strategies import expressions
        print(bool(check_gradients(lambda x: gamma(x) * x, 2.0)), bool(check_operation("gamma")))
        print("gamma(x)" in find(expressions(rows=["gamma"]), lambda e: True).source)
    """
    assert run(program).split() == ["True"] * 3


def test_a_primitive_is_written_as_text_and_in_latex(run):
    program = """
        from micrograd import explain
        from micrograd.derivation.cards import rule_card
        x = Value(8.0, label="x")
        print(rule_card("gamma").latex(), explain(gamma(x) * 2, x).text())
        y = gamma(x) * x
        y.label = "y"
        print(explain(y, x, style="board").equations())
    """
    written = run(program)
    assert r"\Gamma(x)" in written
    assert "Γ(8)" in written
    assert "∂y/∂x = y·ψ(x) + Γ(x)" in written


MISSING = {
    "floats": "absent(2.0)",
    "eager floats": "absent(Value(2.0))",
    "NumPy": "compile(absent, batched=True, backend='numpy')([2.0])",
    "C library": "compile(absent, batched=True, backend='numba')([2.0])",
    "JAX": "compile(absent, batched=True, backend='jax')([2.0])",
    "JavaScript": "export_source(gamma(Value(2.0)), language='javascript')",
}


@pytest.mark.parametrize("interpreter", MISSING)
def test_a_primitive_that_an_interpreter_lacks_is_an_error_that_names_both(run, interpreter):
    pytest.importorskip({"C library": "llvmlite", "JAX": "jax"}.get(interpreter, "numpy"))
    program = f"""
        from micrograd import compile, export_source
        try:
            {MISSING[interpreter]}
        except NotImplementedError as error:
            print(error)
    """
    message = run(program)
    name = "gamma" if interpreter == "JavaScript" else "absent"
    assert f"operation '{name}' is a primitive" in message
    assert interpreter.removeprefix("eager ") in message
    places = re.findall(r"(\w+) in (micrograd/[\w/]+\.py)", message)
    assert places
    for table, file in places:
        assert table in (ROOT / file).read_text(encoding="utf-8")
