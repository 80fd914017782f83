"""A scalar automatic-differentiation engine: one table of operations, many interpreters."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from micrograd.engine import functions
from micrograd.engine.definitions import VOCABULARY
from micrograd.engine.functions import *
from micrograd.engine.value import Value
from micrograd.ops import reserve

if TYPE_CHECKING:
    from micrograd.anomaly import detect_anomaly
    from micrograd.compiler import compile  # noqa: A004
    from micrograd.derivation import explain
    from micrograd.derivation.naming import label_all
    from micrograd.drawing import draw, draw_dot
    from micrograd.drawing.page import step_page
    from micrograd.engine.arrays import *
    from micrograd.export import export_source
    from micrograd.live.page import live_page
    from micrograd.transforms.custom import custom_derivative
    from micrograd.transforms.functions import *
    from micrograd.transforms.lookup import take
    from micrograd.transforms.loops import *
    from micrograd.transforms.matrices import *
    from micrograd.transforms.structures import register_structure
    from micrograd.transforms.taylor import taylor

__all__ = [
    "Value",
    "compile",
    "custom_derivative",
    "derivative",
    "detect_anomaly",
    "dot",
    "draw",
    "draw_dot",
    "explain",
    "export_source",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "label_all",
    "linearize",
    "live_page",
    "log_softmax",
    "logsumexp",
    "mean",
    "norm",
    "prod",
    "register_structure",
    "repeat",
    "scan",
    "softmax",
    "step_page",
    "take",
    "taylor",
    "value_and_grad",
    "value_and_jacobian",
    "var",
    "vjp",
    "while_",
    *functions.__all__,
]

# The rooms that are opened when something in them is asked for, so that the import stays light.
_ROOMS = {
    name: room
    for room, names in {
        "micrograd.anomaly": "detect_anomaly",
        "micrograd.compiler": "compile",
        "micrograd.derivation": "explain",
        "micrograd.derivation.naming": "label_all",
        "micrograd.drawing": "draw draw_dot",
        "micrograd.drawing.page": "step_page",
        "micrograd.export": "export_source",
        "micrograd.live.page": "live_page",
        "micrograd.engine.arrays": "dot log_softmax logsumexp mean norm prod softmax var",
        "micrograd.transforms.custom": "custom_derivative",
        "micrograd.transforms.functions": "derivative grad hvp jvp linearize value_and_grad vjp",
        "micrograd.transforms.lookup": "take",
        "micrograd.transforms.loops": "repeat scan while_",
        "micrograd.transforms.matrices": "hessian jacfwd jacobian jacrev value_and_jacobian",
        "micrograd.transforms.structures": "register_structure",
        "micrograd.transforms.taylor": "taylor",
        "nn.pages": "playground",  # not in `__all__`, as `import *` does not open `nn`
    }.items()
    for name in names.split()
}
_MODULES = ("nn", "testing")  # `micrograd.testing` works after `import micrograd` alone
reserve([*_ROOMS, *_MODULES])  # an operation of that name could not be reached

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
    if name in _MODULES:
        return import_module(f"micrograd.{name}")
    if name in VOCABULARY:  # an operation that was defined since
        return VOCABULARY[name]
    raise AttributeError(f"module 'micrograd' has no attribute {name!r}")
