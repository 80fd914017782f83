"""A scalar automatic-differentiation engine: one table of operations, many interpreters."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from micrograd.engine import functions
from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.functions import *  # noqa: F403 (one function per row of the table)
from micrograd.engine.value import Value

if TYPE_CHECKING:
    from micrograd.anomaly import detect_anomaly
    from micrograd.compiler import compile  # noqa: A004
    from micrograd.derivation import explain
    from micrograd.drawing import draw_dot
    from micrograd.drawing.page import step_page
    from micrograd.transforms.functions import (
        derivative,
        grad,
        hessian,
        hvp,
        jacobian,
        jvp,
        value_and_grad,
        vjp,
    )

__all__ = [
    "Value",
    "compile",
    "derivative",
    "detect_anomaly",
    "draw_dot",
    "explain",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "step_page",
    "value_and_grad",
    "vjp",
    *functions.__all__,
]

# The rooms that are opened when something in them is asked for, so that the import stays light.
_ROOMS = dict.fromkeys(
    ("derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"),
    "micrograd.transforms.functions",
) | {
    "compile": "micrograd.compiler",
    "detect_anomaly": "micrograd.anomaly",
    "draw_dot": "micrograd.drawing",
    "explain": "micrograd.derivation",
    "step_page": "micrograd.drawing.page",
}


__version__: str  # of the installed distribution, or "unknown" if it is not installed


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("micrograd-engine")
        except PackageNotFoundError:
            return "unknown"
    if name in _ROOMS:
        found = globals()[name] = getattr(import_module(_ROOMS[name]), name)
        return found
    if name in VOCABULARY:  # an operation that was defined since
        return VOCABULARY[name]
    raise AttributeError(f"module 'micrograd' has no attribute {name!r}")
