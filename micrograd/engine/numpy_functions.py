"""What to write in place of functions of NumPy and SciPy that refuse arrays of Values.

NumPy computes some functions for its own kinds of numbers only, and says so in its own words.
"""

from __future__ import annotations

import re
import sys
from types import FrameType
from typing import Any

from micrograd.ops import TABLE

_NAMES = {
    "micrograd.log2(micrograd.exp2(x) + micrograd.exp2(y))": "logaddexp2",
    "micrograd.where(x > 0, 1.0, 0.0)": "heaviside",
    "micrograd.ne(x, x)": "isnan",
    "micrograd.eq(abs(x), np.inf)": "isinf",
    "micrograd.lt(abs(x), np.inf)": "isfinite",
    "micrograd.lt(x, 0)": "signbit",
    "x ** y": "float_power",
    "x // y and x % y": "divmod",
    "micrograd.trunc(x) and x - micrograd.trunc(x)": "modf",
    "micrograd.norm(x), or sum(abs(x) ** p) ** (1 / p)": "norm",
    "micrograd.mean of products of x - micrograd.mean(x)": "cov corrcoef",
    "micrograd.exp(np.linspace(micrograd.log(a), micrograd.log(b), n))": "geomspace",
    "differences of slices, such as (x[2:] - x[:-2]) / 2": "gradient",
    "comparisons of micrograd, such as x > 0": "all any argwhere count_nonzero flatnonzero nonzero "
    "logical_not logical_or logical_xor",
    "micrograd.where, or micrograd.take for a position that is computed": "interp",
    "a product with a constant matrix": "bincount fft rfft",
    "np.histogram of the numbers, which has no derivative": "histogram",
    "micrograd.custom_derivative, as for a linear solve": "cholesky det eig eigh inv lstsq pinv qr "
    "roots slogdet solve svd",
    "micrograd.define with this function and its derivative": "i0",
    "micrograd.where(micrograd.ne(x, x), 0.0, x)": "nan_to_num",
    "micrograd.sigmoid": "expit",
    "micrograd.logsumexp": "logsumexp",
    "micrograd.log_softmax": "log_softmax",
    "micrograd.lgamma": "gammaln",
    "micrograd.digamma": "psi",
}
REMEDIES = {name: remedy for remedy, names in _NAMES.items() for name in names.split()}
"""What takes the place of a function, by its name; others are operations of the table."""

_NONE = "the numbers, v.data, where no derivative is needed"

_OF_SCIPY = f"its formula in functions of micrograd, micrograd.custom_derivative, or {_NONE}"

_REFUSED = re.compile(
    r"ufunc '(\w+)'.* not supported for the input types|no callable (\w+) method|dtype\('O'\)|"
    r"'(?:Value|Traced)' object has no attribute '(\w+)'|'(?:int|float)' object has no attribute|"
    r"Cannot interpret 'Value|^object arrays are not supported$"
)


def remedy(name: str) -> str:
    """What to do instead of calling a function of NumPy.

    >>> remedy("logaddexp")
    'np.logaddexp does not work on arrays of Values: use micrograd.logaddexp'
    """
    room, _, name = name.rpartition(".")  # a room of SciPy, if there is one
    name = name.lstrip("_")
    otherwise = REMEDIES.get(name, _OF_SCIPY if room else _NONE)
    found = f"micrograd.{name}" if name in TABLE else otherwise
    who = f"{room}.{name}" if room else _spelled(name) if name else "this function of NumPy"
    return f"{who} does not work on arrays of Values: use {found}"


def _spelled(name: str) -> str:
    """A function of NumPy or SciPy as one calls it, such as `np.linalg.det`."""
    numpy: Any = sys.modules.get("numpy")
    if callable(getattr(numpy, name, None)):
        return f"np.{name}"
    for room in ("linalg", "fft"):
        if hasattr(getattr(numpy, room, None), name):
            return f"np.{room}.{name}"
    return f"{'scipy.special' if hasattr(sys.modules.get('scipy.special'), name) else 'np'}.{name}"


def explanation(error: Exception) -> str | None:
    """What to do about an error of NumPy that an array of Values caused; None for other errors."""
    if " output from dtype('O')" in str(error):
        return (
            "an array of numbers takes no Values: write x = x + v instead of x += v, and make an "
            "array that Values are put into with dtype=object"
        )
    name = refusing(error)
    return None if name is None else remedy(name)


def asking() -> str:
    """The function of NumPy that asks a Value for a bool or a float, or an empty text."""
    frame: FrameType | None = sys._getframe(2)
    name = ""
    while frame is not None and _is_of_numpy(frame):
        name, frame = frame.f_code.co_name, frame.f_back
    return name


def wants_array() -> bool:
    """Whether NumPy's own code, such as that of `percentile`, needs an array from a ufunc.

    It says so by `out=...`, which NumPy leaves out when it asks a Value for the result.
    """
    frame = sys._getframe(3)
    return Ellipsis in frame.f_code.co_consts and _is_of_numpy(frame)


def refusing(error: Exception) -> str | None:
    """The function of NumPy that refused an array of Values by this error, as far as it is known.

    None if the error is about something else, or if somebody has explained it already.
    """
    found = _REFUSED.search(str(error))
    if not found or isinstance(error.__cause__, TypeError):
        return None
    name = next(filter(None, found.groups()), "")
    traceback = error.__traceback__
    while traceback is not None:
        if of_scipy := _scipy(traceback.tb_frame):
            return of_scipy
        if _is_of_numpy(traceback.tb_frame):
            return traceback.tb_frame.f_code.co_name
        traceback = traceback.tb_next
    is_of_numpy = "ufunc" in str(error) or "dtype('O')" in str(error) or name in REMEDIES
    return name if is_of_numpy else None


def _scipy(frame: FrameType) -> str:
    """The public function of SciPy that the frame runs, such as `scipy.linalg.solve`, or no text.

    A method, such as `logpdf` of a distribution, is named after the room of its class.
    """
    module = str(frame.f_globals.get("__name__", ""))
    room, name = module.partition("._")[0], frame.f_code.co_name
    is_known = hasattr(sys.modules.get(room), name) or "self" in frame.f_locals
    is_public = not name.startswith("_") and is_known
    return f"{room}.{name}" if module.partition(".")[0] == "scipy" and is_public else ""


def _is_of_numpy(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "numpy"
