"""An operation of your own: Lambert's W, the inverse of w·eʷ.

python -m examples.operation

The value is a Python function, found by Newton's method; the derivative is a formula that uses the
result: from w·eʷ = x follows W′ = e⁻ʷ / (1 + w). From then on, W is differentiated to any order,
and is part of pictures, derivations and compiled programs like any other operation. The claim is
that `check_operation` confirms it, that the third derivative is the known one, and that a diode's
current computed with W satisfies the equation of the circuit, even when compiled.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from micrograd import compile, define, exp, grad  # noqa: A004
from micrograd.testing import check_operation

from ._training import Result, report

OHMS, SATURATION, THERMAL = 100.0, 1e-9, 0.025  # resistance; current and voltage of the diode


def _lambert_w(x: float) -> float:
    """The solution w ≥ −1 of w·eʷ = x; nan for x < −1/e, where no solution exists."""
    if math.isnan(x) or x * math.e < -1:
        return math.nan
    if x in (0.0, math.inf):
        return x
    w = math.log1p(x) if x > -0.3 else math.sqrt(2 * (1 + x * math.e)) - 1
    if x > math.e:
        w -= math.log(w)
    for _ in range(50):
        # Newton's step for w − x·e⁻ʷ, which does not overflow.
        rest = x * math.exp(-w)
        change = (w - rest) / (1 + rest) if 1 + rest else 0.0
        w -= change
        if abs(change) <= 1e-16 * abs(w):
            break
    return w


lambert_w = define(
    "lambert_w",
    _lambert_w,
    ["exp(-out) / (1 + out)"],
    array=np.vectorize(_lambert_w, otypes=[float]),
    typeset=r"\mathrm{W}(x)",
    domain="x > -exp(-1)",
)


def current(volts: Any) -> Any:
    """The current through a diode and a resistor in series, in amperes."""
    scale = OHMS * SATURATION / THERMAL
    shifted = (volts + OHMS * SATURATION) / THERMAL
    return THERMAL / OHMS * lambert_w(scale * exp(shifted)) - SATURATION


def run() -> Result:
    """Check the operation and use it; the claim is that all numbers are right."""
    checked = check_operation("lambert_w")
    third = grad(grad(grad(lambert_w)))(0.0)
    volts = np.linspace(0.1, 2, 20)
    program = compile(current, batched=True, backend="numpy")
    amperes, slopes = program(volts), np.array([grad(current)(v) for v in volts])
    # Kirchhoff's law and its derivative, which do not mention W.
    rest = OHMS * amperes + THERMAL * np.log1p(amperes / SATURATION) - volts
    conductance = 1 / (OHMS + THERMAL / (amperes + SATURATION))
    numbers = {
        "omega": lambert_w(1.0),
        "third derivative": third,
        "volts that are left": float(np.abs(rest).max()),
        "conductance": float(np.abs(slopes / conductance - 1).max()),
    }
    lines = [
        str(checked),
        f"W(1) = {numbers['omega']:.15f}, the omega constant; W‴(0) = {third:g}",
        f"current at {volts[-1]:g} V: {1000 * amperes[-1]:.6f} mA",
        f"Kirchhoff's law holds within {numbers['volts that are left']:.0e} V",
        f"largest relative error of the conductance {numbers['conductance']:.0e}",
    ]
    holds = (
        bool(checked)
        and abs(third - 9) <= 1e-12
        and max(numbers["volts that are left"], numbers["conductance"]) <= 1e-13
    )
    return Result(numbers, lines, holds)


if __name__ == "__main__":
    raise SystemExit(report(run()))
