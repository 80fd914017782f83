"""`check_gradients`: a gradient against witnesses that know nothing of each other.

An examination (`examination.py`) looks at the first derivatives of one output. This file makes such
functions of all the rest: further outputs, and derivatives, one by one or combined at random.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from micrograd.engine.value import Value
from micrograd.testing import options as reading
from micrograd.testing.arithmetic import Observer
from micrograd.testing.directions import first_wrong
from micrograd.testing.examination import examined
from micrograd.testing.options import MODES, Options
from micrograd.testing.recording import Subject
from micrograd.testing.report import GradientMismatch, Report
from micrograd.transforms.functions import derivative
from micrograd.transforms.structures import flatten

_FEW = 9  # functions that are checked one by one
_WORK = 20_000  # functions times inputs times values of a run, up to which they are


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
    gradient: Callable[..., Any] | None = None,
    jacobian: Callable[..., Any] | None = None,
    vjp: Callable[..., Any] | None = None,
) -> Report:
    """Check the gradient of `f` at a point against independent witnesses.

    The report is in one of three states. It is true if an independent witness confirmed every entry
    of the gradient (*ok*). It is false if a witness disagrees (*wrong*), and also if nothing is
    wrong but something was not confirmed (*undecided*): no witness had anything to say, the value
    or the gradient is infinite or nan, the function jumps, or the rules meet at a kink where each
    is right by its own convention and the derivative is another. The report says what was not
    confirmed, so `assert check_gradients(...)` fails with the reason; pytest shows it as a table if
    `conftest.py` has the line `pytest_plugins = ["micrograd.testing.pytest_plugin"]`.

    Many inputs, outputs and second derivatives are first taken together in random directions, in
    which a wrong entry shows. Only what disagrees is searched until the entry is found.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers, as given
            in `at`. It is called with Values in their place. All its outputs are checked.
        *at: the point, one argument each.
        order: the highest order of the derivatives to check, from 1 to 4.
        eps: the first step of the differences, a positive number, in place of the automatic one.
        atol: an absolute difference that is accepted in any case.
        rtol: a difference, relative to the derivative, that is accepted in any case. Without these
            two, a disagreement is accepted within a bound that the report states: the witness's
            own estimate of its error, the rounding that the graph can accumulate, and the noise of
            the function, which is estimated where code written by hand may compute in single
            precision or stop at a tolerance.
        modes: the witnesses to hear, a name or a list of names of "reverse", "forward",
            "difference", "complex step", "exact", "series" and "taylor"; "rev", "fwd", "fd" and
            "complex" for short. The reverse mode is always checked. "series", the Taylor series
            of `f`, is heard on derivatives of order 2 and higher. "reverse", "forward" and "series"
            share the rules under test, so if nothing else is named they are compared with
            differences, as in JAX.
            With `gradient`, `jacobian` or `vjp`, "difference" and "complex step" are heard.
        raise_exception: whether to raise GradientMismatch if something is wrong. An undecided
            report is returned in either case.
        wrt: a model or a list of Values. `f(*at)` is then differentiated with respect to these;
            they are changed in place and put back.
        backward: the backward pass to check, in place of the engine's.
        gradient: the gradient of `f`, if it is computed outside the engine: by hand, by
            `jax.grad(f)`, by `torch.func.grad(f)`. `f` is then called with numbers and arrays as
            they are given in `at` and returns a number; `gradient(*at)` returns an array for each
            argument, or only for the first one. Arrays of integers are constants.
        jacobian: the same for a function that returns an array. The shape of the Jacobian is that
            of the result, followed by that of the argument.
        vjp: a backward pass that was written by hand. `f(*at)` returns the result, or a tuple of
            the result and a cache; `vjp(dout, cache)`, or `vjp(dout)` without a cache, returns the
            gradients of all arguments, as a tuple or as a dict such as `{"dW": …}`.

    Returns:
        The report.

    Raises:
        GradientMismatch: an AssertionError, if something is wrong and `raise_exception` is true.
        TypeError: an option is of the wrong type.
        ValueError: an option makes no sense.

    >>> from micrograd import Value, tanh
    >>> report = check_gradients(lambda x, y: tanh(x * y) + x, 0.5, -1.5)
    >>> bool(report)
    True
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

    A layer of NumPy whose backward pass forgets the batch size:

    >>> import numpy as np
    >>> def loss(w, x):
    ...     return np.mean((x @ w) ** 2)
    >>> def dloss(w, x):
    ...     return 2 * x.T @ (x @ w), None
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> check_gradients(loss, np.array([1.0, -1.0]), x, gradient=dloss)
    Traceback (most recent call last):
    ...
    micrograd.testing.report.GradientMismatch: dw[0]: got -18, -6 ± 6e-09
      gradient  shape  verdict  compared with              largest difference
      dw        2      WRONG    all entries, complex step  2e+01
      also: dw[1]: got -24, -8 ± 7e-09
      note: dx is not given, and not checked
      note: 2 of 2 entries of dw are wrong
      suspicion: dw: a division by 3 is missing: the size of axis 0 of x, the batch size?
    """
    __tracebackhide__ = True  # of pytest: a failure ends at the user's line
    if not callable(f):
        raise TypeError(f"check_gradients checks a function, got {f!r}")
    highest = reading.order(order)
    chosen = reading.options(modes, eps, atol, rtol, backward)
    functions = {"gradient": gradient, "jacobian": jacobian, "vjp": vjp}
    if given := {name: each for name, each in functions.items() if each is not None}:
        from micrograd.testing.arrays import check_arrays  # needs NumPy

        report: Report = check_arrays(f, at, chosen, order=highest, wrt=wrt, **given)
    else:
        report = _checked(Subject(f, at, wrt), chosen, highest)
    if raise_exception and report.is_wrong:
        raise GradientMismatch(report.first_wrong())
    return report


def _checked(subject: Subject, options: Options, order: int) -> Report:
    """The report on all outputs, and on the derivatives up to an order."""
    report = examined(subject, options)
    others = range(1, subject.outputs)
    report.deeper += _reports(
        others,
        _are_few(subject, subject.outputs),
        partial(_combined_outputs, subject),
        lambda other: examined(other, options),
    )
    if order > 1 and subject.point and not report.is_wrong:
        # A derivative of the derivative is computed by the engine's own passes.
        own = options._replace(backward=Value.backward)
        report.deeper += _wrong_beside(subject, own) or _derivatives(subject, own, order)
    return report


# ------------------------------------------------------------------------------------ higher orders


def _wrong_beside(subject: Subject, options: Options) -> list[Report]:
    """The report on a point nearby, if something is wrong there.

    A rule may be right at the point and wrong beside it. No check of its derivative would notice,
    since that is the derivative of the wrong slopes.
    """
    observer = Observer()
    here = subject.record(subject.point).branches(observer)
    for level in (8, 16, 24):
        point = subject.moved(subject.everywhere, 2.0**-level)
        there = subject.tried(point)
        if there and math.isfinite(there.value) and there.branches(observer) == here:
            with subject.placed(point):
                report = _checked(subject.at_point(point), options, 1)
            if not report.is_wrong:
                break
            report.first_wrong().notes.append(
                "this is a point beside the given one, where the gradient is right; a rule that is"
                " wrong so near to it has a wrong second derivative"
            )
            return [report]
    return []


def _derivatives(subject: Subject, options: Options, order: int) -> list[Report]:
    """The reports on the first derivatives of all outputs."""
    inputs, count = range(len(subject.point)), subject.outputs
    each = [{number: 1.0} for number in range(count)]
    if not _are_few(subject, count * len(inputs) ** (order - 1)):
        each = [_weights(range(count))]
    few = _are_few(subject, len(inputs) ** (order - 1))
    found = []
    for weights in each:
        one = subject if count == 1 else _combined_outputs(subject, weights)
        found += _reports(
            inputs,
            few,
            partial(_derivative, one),
            lambda other: _checked(other, options, order - 1),
        )
    return found


# ------------------------------------------------------------------------------- many functions


def _are_few(subject: Subject, functions: int) -> bool:
    """Whether so many functions are to be checked one by one."""
    count = len(subject.point)
    work = functions * count * (count + subject.operations)
    return functions == 1 or (functions <= _FEW and work <= _WORK)


def _weights(numbers: Sequence[int]) -> dict[int, float]:
    rng = random.Random(2)  # noqa: S311 (weights, not secrets)
    return {number: rng.choice((-1, 1)) * rng.uniform(0.5, 1) for number in numbers}


def _reports(
    numbers: Sequence[int],
    few: bool,
    made: Callable[[dict[int, float]], Subject],
    check: Callable[[Subject], Report],
) -> list[Report]:
    """The reports on these functions if they are few, else on all together.

    A combination with random weights is wrong if any of the functions is. If it is wrong, the
    result is the report on one that is wrong.
    """

    def checked(chosen: Sequence[int]) -> Report:
        return check(made({chosen[0]: 1.0} if len(chosen) == 1 else _weights(chosen)))

    if few or not numbers:
        return [checked([number]) for number in numbers]
    report = checked(numbers)
    if not report.is_wrong:
        return [report]
    # Second derivatives are symmetric: the input that is at fault often shows which derivative is.
    likely = report.problems[0].index if report.problems else None
    if likely is not None and likely in numbers and (single := checked([likely])).is_wrong:
        return [single]
    single = checked([first_wrong(numbers, lambda part: checked(part).is_wrong)])
    return [single if single.is_wrong else report]


def _combined_outputs(subject: Subject, weights: dict[int, float]) -> Subject:
    """The sum of some outputs, each with a weight."""

    def weighted(*args: Any) -> Any:
        leaves = flatten(subject.f(*args))[0]
        total: Any = 0.0
        for number, weight in weights.items():
            leaf = leaves[number]
            total = total + weight * (leaf if isinstance(leaf, Value) else float(leaf))
        return total

    if len(weights) == 1:
        return subject.with_function(subject.f, *weights)
    weighted.__name__ = f"the weighted sum of {len(weights)} outputs of {subject.function_name}"
    return subject.with_function(weighted)


def _derivative(subject: Subject, weights: dict[int, float]) -> Subject:
    """The first derivative with respect to one input, or in the direction of the weights."""

    def first_derivative(*args: Any) -> Any:
        output = flatten(subject.f(*args))[0][subject.output]
        wrt = subject.parameters if subject.parameters is not None else flatten(args)[0]
        if not isinstance(output, Value):
            return 0.0
        slopes = derivative(output, [wrt[index] for index in weights])
        if list(weights.values()) == [1.0]:
            return slopes[0]
        return sum(weight * slope for weight, slope in zip(weights.values(), slopes, strict=True))

    name = f"the derivative of {subject.function_name} in a random direction"
    if len(weights) == 1:
        name = subject.derivative_name(*weights)
    first_derivative.__name__ = name
    made = subject.with_function(first_derivative)
    made.beneath, made.along = subject, weights
    return made
