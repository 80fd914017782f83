"""`examples/operation.py`, `handwritten.py`, `c_source.py` and `pinn.py`: the claims hold."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
mpmath = pytest.importorskip("mpmath")

from examples import c_source, handwritten, pinn  # noqa: E402
from micrograd import Value, define, grad  # noqa: E402
from micrograd.testing import check_gradients, check_operation  # noqa: E402
from nn import MLP  # noqa: E402

ROOT = Path(__file__).parent.parent
needs_compiler = pytest.mark.skipif(
    shutil.which(os.environ.get("CC", "cc").split()[0]) is None, reason="there is no C compiler"
)


@pytest.fixture
def operation(monkeypatch):
    """The program, imported anew: it defines an operation, which each test forgets."""
    monkeypatch.delitem(sys.modules, "examples.operation", raising=False)
    return import_module("examples.operation")


def test_the_claims_of_the_programs_hold(operation):
    assert operation.run().holds is True
    assert handwritten.run().holds is True


@pytest.mark.parametrize("x", [-0.3678, -0.3, -1e-5, 1e-300, 0.1, 1.0, math.e, 50.0, 1e10, 1e300])
def test_the_value_of_the_operation_is_that_of_mpmath(operation, x):
    # Next to the edge, W changes by 1 / (1 + W) times the relative change of x.
    exact = mpmath.lambertw(x)
    error = 8 * sys.float_info.epsilon * max(1, 1 / abs(1 + exact))
    assert operation.lambert_w(x) == pytest.approx(float(exact.real), rel=float(error))


@pytest.mark.parametrize(
    ("x", "w"), [(-1.0, math.nan), (math.nan, math.nan), (math.inf, math.inf), (0.0, 0.0)]
)
def test_the_operation_follows_the_conventions_of_floats(operation, x, w):
    assert operation.lambert_w(x) == pytest.approx(w, nan_ok=True)


def test_derivatives_of_the_operation_are_those_of_mpmath(operation):
    second = mpmath.diff(mpmath.lambertw, 0.7, 2)
    assert grad(grad(operation.lambert_w))(0.7) == pytest.approx(float(second.real), rel=1e-12)


def test_a_wrong_derivative_of_the_operation_would_be_found(operation):
    define("wrong_w", operation._lambert_w, ["exp(-out) / (2 + out)"], domain="x > -exp(-1)")
    assert not check_operation("wrong_w", raise_exception=False)


def test_each_mistake_is_found_and_only_its_gradients_are_blamed():
    for mistake, wrong in handwritten.MISTAKES.items():
        assert handwritten.blamed(handwritten.check(mistake)) == wrong
    assert handwritten.blamed(handwritten.check(handwritten.backward)) == set()


def test_what_the_mistakes_look_like_is_said():
    said = "\n".join(handwritten.run().lines)
    for clue in ("a division by 6 is missing", "the sign is wrong", "it is transposed"):
        assert clue in said


@pytest.mark.slow
@needs_compiler
def test_the_library_in_c_gives_the_numbers_of_the_engine():
    found = c_source.run()
    assert found.holds is True
    assert "105 parameters" in found.lines[0]


@needs_compiler
def test_the_comparison_sees_the_numbers_of_the_library(tmp_path):
    """A derivative that is changed in the source is noticed."""
    model = MLP(2, [8, 1], activation="tanh")
    text = c_source.source(model)
    changed = text.replace("gradient[0] = ", "gradient[0] = 1.0 + ")
    assert changed != text
    numbers = [*(p.data for p in model.parameters()), 0.3, -0.2, 0.5]
    _, gradient = c_source.by_c(c_source.compiled(changed, tmp_path), numbers)
    _, by_engine = c_source.by_engine(model, [0.3, -0.2], 0.5)
    assert gradient[0] - 1 == pytest.approx(by_engine[0])
    assert gradient[1 : len(by_engine)] == pytest.approx(by_engine[1:])


def test_without_a_compiler_the_exit_status_is_2_with_a_remedy():
    done = subprocess.run(
        [sys.executable, "-m", "examples.c_source"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CC": "no_such_compiler"},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a C compiler, and 'no_such_compiler' was not found: install one" in done.stderr


def test_the_loss_of_the_equation_is_0_for_its_solution():
    """Near t = 0, the angle is the series a − sin(a) t²/2 + sin(a) cos(a) t⁴/24."""
    a, t = pinn.START, 0.01

    def model(scaled):
        (x,) = scaled
        t = x * pinn.SECONDS
        return math.sin(a) * (math.cos(a) * t * t / 24 - 0.5)

    # The next term of the angle is of order 6, so that θ″ is wrong by t⁴ at most.
    assert abs(pinn.loss(model, [Value(t)], None)) < t**8
    assert pinn.loss(lambda scaled: 0.0 * scaled[0], [Value(t)], None) > 0.9


def test_the_loss_of_the_equation_has_the_right_derivatives():
    model = MLP(1, [3, 1], activation="tanh")
    check_gradients(lambda t: pinn.loss(model, [t], None), 0.7)
