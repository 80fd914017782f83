"""A network with its gradient as a C program, for devices on which no Python runs.

python -m examples.c_source

`export_source` writes the loss of a 2-8-8-1 network on one sample, and its derivatives with respect
to all 105 parameters, as C99 that needs nothing but `math.h`. This computer's compiler (`cc`, or
the one named by the variable CC) turns it into a library. The claim is that the loss and all
derivatives agree with those of `backward()` within 1e-13 at a hundred samples.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from micrograd import Value, export_source
from nn import MLP

from ._training import Result, report

SAMPLES = 100
Vector = list[float]


def network() -> MLP:
    """The network, with the weights that it is exported with."""
    return MLP(2, [8, 8, 1], activation="tanh", generator=random.Random(0))


def loss(model: Any, x: Any, y: Any) -> Any:
    """The squared error on one sample."""
    return (model(x) - y) ** 2


def source(model: Any) -> str:
    """C source of the loss; its parameters are those of the model, and then a sample."""
    x, y = [Value(0.0), Value(0.0)], Value(0.0)
    order = [*model.parameters(), *x, y]
    return export_source(loss(model, x, y), "c", parameters=order, name="loss")


def compiled(text: str, folder: Path) -> Any:
    """The function of C source, compiled into a library.

    Raises:
        FileNotFoundError: no C compiler was found.
    """
    command = os.environ.get("CC", "cc").split()
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(
            f"this example needs a C compiler, and {command[0]!r} was not found: install one, or "
            "set the variable CC to another"
        )
    file, library = folder / "loss.c", folder / "loss.so"
    file.write_text(text, encoding="utf-8")
    options = ["-std=c99", "-O2", "-shared", "-fPIC", "-o", library, file, "-lm"]
    subprocess.run([*command, *options], check=True)  # noqa: S603 (the user's compiler)
    function = ctypes.CDLL(str(library)).loss
    function.restype = ctypes.c_double
    return function


def by_engine(model: Any, x: Vector, y: float) -> tuple[float, Vector]:
    """The loss at a sample, and its derivatives with respect to the parameters."""
    model.zero_grad()
    value = loss(model, x, y)
    value.backward()
    return value.data, [p.grad for p in model.parameters()]


def by_c(function: Any, numbers: Vector) -> tuple[float, Vector]:
    """The loss and derivatives computed by the library, which takes and fills arrays."""
    array = ctypes.c_double * len(numbers)
    gradient = array()
    return function(array(*numbers), gradient), list(gradient)


def run() -> Result:
    """Export, compile and compare; the claim is that both agree."""
    generator, model = random.Random(1), network()
    parameters = [p.data for p in model.parameters()]
    text = source(model)
    largest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        function = compiled(text, Path(folder))
        for _ in range(SAMPLES):
            *x, y = (generator.gauss(0, 1) for _ in range(3))
            value, gradient = by_engine(model, x, y)
            value_c, gradient_c = by_c(function, [*parameters, *x, y])
            pairs = zip([value, *gradient], [value_c, *gradient_c], strict=False)
            largest = max(largest, *(abs(a - b) for a, b in pairs))
    lines = [
        f"{len(text.splitlines()):,} lines of C for a loss of {len(parameters)} parameters",
        f"largest difference from backward() at {SAMPLES} samples: {largest:.0e}",
    ]
    return Result({"difference": largest}, lines, largest <= 1e-13)


def main() -> int:
    """Return 0 if the claim holds, 1 if not, 2 without a compiler."""
    try:
        return report(run())
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
