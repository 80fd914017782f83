"""`check_gradients`: a gradient against witnesses that know nothing of each other.

>>> from micrograd import tanh
>>> report = check_gradients(lambda x, y: tanh(x * y) + x, 0.5, -1.5)
>>> bool(report)
True
>>> from micrograd import Value
>>> def cube(x):
...     out = Value(x.data**3, (x,), "cube")
...     def backward():
...         x.grad += 2 * x.data**2 * out.grad
...     out._backward = backward
...     return out
>>> check_gradients(cube, 2.0)
Traceback (most recent call last):
...
micrograd.testing.report.GradientMismatch: d cube/dx: reverse says 8.0, ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from micrograd.engine.value import Value
from micrograd.testing import options as reading
from micrograd.testing.combinations import derivatives, outputs
from micrograd.testing.examination import examined
from micrograd.testing.options import MODES, Options
from micrograd.testing.recording import Subject
from micrograd.testing.report import GradientMismatch, Report


def check_gradients(
    f: Callable[..., Any],
    *at: Any,
    order: int = 1,
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = 0.0,
    modes: str | Iterable[str] = MODES,
    raise_exception: bool = True,
    wrt: Any = None,
    backward: Callable[[Value], Any] = Value.backward,
) -> Report:
    """Check the gradient of `f` at a point against independent witnesses.

    The result is a report in one of three states. It is true if an independent witness confirmed
    every entry (*ok*). It is false if one disagrees (*wrong*), and also if nothing is wrong but
    something was not confirmed (*undecided*): no witness had anything to say, the value or the
    gradient is infinite or nan, the function jumps, or the rules meet at a kink where each is right
    by its own convention and the derivative is another. The report says what was not heard, so
    `assert check_gradients(...)` fails with the reason.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers, as given
            in `at`. It computes on the Values that it gets in their place. All its outputs are
            checked.
        at: the point, one argument each.
        order: the highest order of the derivatives to check, from 1 to 4.
        eps: the first step of the differences, a positive number, in place of the automatic one.
        atol: an absolute difference that is accepted in any case.
        rtol: a difference, relative to the derivative, that is accepted in any case. Without these
            two, a disagreement is accepted within a bound that the report states: the witness's
            own estimate of its error, the rounding that the graph can accumulate, and the noise of
            the function, which is estimated where code written by hand may compute in single
            precision or stop at a tolerance.
        modes: the witnesses to hear, a name or a list of names of "reverse", "forward",
            "difference", "complex step", "exact" and "taylor"; "rev", "fwd", "fd" and "complex"
            for short. The reverse mode is always checked. "reverse" and "forward" share the rules
            under test, so if nothing else is named they are compared with differences, as in JAX.
        raise_exception: whether to raise GradientMismatch if something is wrong. An undecided
            report is returned in either case.
        wrt: a model or a list of Values. `f(*at)` is then differentiated with respect to these;
            they are changed in place and put back.
        backward: the backward pass to check, in place of the engine's.

    Many inputs, outputs and second derivatives are first taken together in random directions, in
    which a wrong entry shows; only what disagrees is searched until the entry is found.

    Raises:
        GradientMismatch: an AssertionError, if something is wrong and `raise_exception` is true.
        TypeError: an option is of the wrong type.
        ValueError: an option makes no sense.
    """
    if not callable(f):
        raise TypeError(f"check_gradients checks a function, got {f!r}")
    highest = reading.order(order)
    chosen = reading.options(modes, eps, atol, rtol, backward)
    report = _checked(Subject(f, at, wrt), chosen, highest)
    if raise_exception and report.is_wrong:
        raise GradientMismatch(_first_wrong(report))
    return report


def _checked(subject: Subject, options: Options, order: int) -> Report:
    """The report on all outputs, and on the derivatives up to an order."""
    report = examined(subject, options)
    report.deeper += outputs(subject, lambda other: examined(other, options))
    if order > 1 and not report.is_wrong:
        # A derivative of the derivative is computed by the engine's own passes.
        own = options._replace(backward=Value.backward)
        report.deeper += derivatives(subject, order, lambda d: _checked(d, own, order - 1))
    return report


def _first_wrong(report: Report) -> Report:
    if report.problems:
        return report
    return next(_first_wrong(deeper) for deeper in report.deeper if deeper.is_wrong)
