"""A new primitive of the table is one line: every interpreter finds its function by name."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import micrograd

pytestmark = pytest.mark.slow

CBRT = r'Row("cbrt", "cbrt(x)", ["1 / (3 * out * out)"], r"\sqrt[3]{x}", domain="abs(x) > 0"),'
ABSENT = 'Row("absent", "absent(x)", ["1"]),'


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The folder of a copy of the package with two more lines in its table."""
    place = tmp_path_factory.mktemp("package")
    shutil.copytree(Path(micrograd.__file__).parent, place / "micrograd")
    table = place / "micrograd" / "ops.py"
    text = table.read_text(encoding="utf-8")
    head = "_ROWS = (\n"
    assert text.count(head) == 2  # the other is `_SERVING_ROWS`
    table.write_text(text.replace(head, f"{head}    {CBRT}\n    {ABSENT}\n", 1), encoding="utf-8")
    return place


@pytest.fixture
def run(package, tmp_path):
    """A function that runs a program on that package, and returns what it prints."""

    def running(program):
        environment = os.environ | {
            "PYTHONPATH": str(package),
            "MICROGRAD_CACHE_DIR": str(tmp_path),
        }
        program = "from micrograd import Value, absent, cbrt\n" + textwrap.dedent(program)
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


needs_cbrt = pytest.mark.skipif(not hasattr(math, "cbrt"), reason="Python 3.10 has no math.cbrt")


@needs_cbrt
def test_a_primitive_is_differentiated_to_any_order(run):
    program = """
        from micrograd import derivative
        x = Value(-8.0)
        first = derivative(x.cbrt(), x)
        print(cbrt(-8.0), first.data, abs(derivative(first, x).data - 1 / 144) < 1e-16)
    """
    assert run(program) == f"-2.0 {1 / 12} True"


@needs_cbrt
def test_a_primitive_follows_ieee_where_the_library_would_raise(run):
    assert (
        run("print(cbrt(float('inf')), cbrt(float('nan')), cbrt(Value(0.0)).data)") == "inf nan 0.0"
    )


@needs_cbrt
@pytest.mark.parametrize("backend", ["numpy", "numba", "jax"])
def test_a_primitive_is_compiled(run, backend):
    pytest.importorskip({"numba": "llvmlite"}.get(backend, backend))
    program = f"""
        import numpy as np
        from micrograd import compile
        f = compile(lambda x: cbrt(x) * x, batched=True, backend="{backend}")
        value, slopes = f.value_and_grad(np.array([8.0, -27.0]))
        for got, true in ((value, [16, 81]), (slopes, [8 / 3, -4])):
            print(np.allclose(got, true, rtol=1e-15))
    """
    assert run(program).split() == ["True", "True"]


@needs_cbrt
def test_a_primitive_is_checked_and_drawn_in_random_expressions(run):
    program = """
        from hypothesis import find
        from micrograd.testing import check_gradients
        from micrograd.testing.operations import check_operation
        from micrograd.testing.strategies import expressions
        print(bool(check_gradients(lambda x: cbrt(x) * x, 2.0)), bool(check_operation("cbrt")))
        print("cbrt(x)" in find(expressions(rows=["cbrt"]), lambda e: True).source)
    """
    assert run(program).split() == ["True"] * 3


@needs_cbrt
def test_a_primitive_is_written_as_text_and_in_latex(run):
    program = """
        from micrograd import explain
        from micrograd.derivation.cards import rule_card
        x = Value(8.0, label="x")
        print(rule_card("cbrt").latex(), explain(cbrt(x) * 2, x).text())
    """
    written = run(program)
    assert r"\sqrt[3]{x}" in written
    assert "cbrt(8)" in written


MISSING = {
    "floats": "absent(2.0)",
    "eager floats": "absent(Value(2.0))",
    "NumPy": "compile(absent, batched=True, backend='numpy')([2.0])",
    "C library": "compile(absent, batched=True, backend='numba')([2.0])",
    "JAX": "compile(absent, batched=True, backend='jax')([2.0])",
}


@pytest.mark.parametrize("interpreter", MISSING)
def test_a_primitive_that_an_interpreter_lacks_is_an_error_that_names_both(run, interpreter):
    pytest.importorskip({"C library": "llvmlite", "JAX": "jax"}.get(interpreter, "numpy"))
    program = f"""
        from micrograd import compile
        try:
            {MISSING[interpreter]}
        except NotImplementedError as error:
            print(error)
    """
    message = run(program)
    assert "operation 'absent' is a primitive" in message
    assert interpreter.removeprefix("eager ") in message
