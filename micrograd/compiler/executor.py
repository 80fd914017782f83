"""What an executor is, and the table of backends.

An executor runs one program, for batches of any length. A program has parameters, whose numbers are
the same for the whole batch, and inputs, which have a row of numbers each. If the program is not
batched, each input is one number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from math import isfinite
from typing import Any, NamedTuple, Protocol

import numpy as np

from micrograd.compiler.program import Program

Shortcut = Callable[[Sequence[Any], Any], "tuple[float, Any] | None"]
"""`shortcut(args, parameters)` gives a mean and its gradient, or None if it cannot."""


class Gradients(NamedTuple):
    """What `Executor.value_and_grad` returns.

    Args:
        value: the output: a number, or an array of one number for each sample.
        parameters: the gradient with respect to the parameters, an array of shape
            `(program.parameters,)`; None if the adjoints of the inputs were asked for.
        inputs: the adjoints of the inputs, an array of shape `(program.inputs, length)`, or
            `(program.inputs,)` if the program is not batched; None if they were not asked for.
        finite: whether all adjoints that were asked for are finite.

    >>> Gradients(2.0, np.array([1.0]), None, finite=True).value
    2.0
    """

    value: Any
    parameters: Any
    inputs: Any
    finite: bool


class Executor(Protocol):
    """Runs one program. It may be called from several threads at once, and it can be pickled.

    An executor may use plain products: where a factor of zero meets an infinity, it gives nan. It
    reports that something is not finite, and then the results are computed again by the reference
    executor (see `micrograd.compiler.stopping`). `MakeExecutor` says how it is made.
    """

    program: Program

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> tuple[list[Any], bool]:
        """Compute the outputs of the program.

        Args:
            parameters: the numbers of the parameters, a list or an array of shape
                `(program.parameters,)`.
            inputs: arrays with one row for each input, of shape `(rows, length)`; together they
                have `program.inputs` rows. If the program is not batched, of shape `(rows,)`.
            length: the number of samples, which may be 0; 1 if the program is not batched.

        Returns:
            The outputs, each an array of one number for each sample, or a number where it does not
            depend on an input of a batch; and whether all of them are finite. An executor that was
            made with `checked=False` may skip the check and return True.
        """

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Compute the one output of the program and its gradient.

        Args:
            parameters: as for `values`.
            inputs: as for `values`.
            length: as for `values`; at least 1 if `mean` is true.
            mean: whether the mean of the output over the batch is differentiated. Otherwise it is
                the sum over the batch, whose adjoints of the inputs are the gradients of each
                sample, and `value` has the output of each sample.
        """

    def bound(self, args: Sequence[Any], length: int) -> Shortcut | None:
        """Return a faster way to repeat a call of `value_and_grad` with a mean, or None.

        Args:
            args: the arguments of the compiled function in the call before, arrays of samples.
            length: the number of samples.

        Returns:
            A function of the next arguments and an array of parameters, for use in this thread. It
            returns the mean and its gradient, or None if the arguments have other shapes or types
            or if a result is not finite; then the call goes the usual way.
        """
        return None


class MakeExecutor(Protocol):
    """What makes an executor, such as its class."""

    def __call__(
        self, program: Program, dtype: Any, *, inputs: bool, checked: bool, threads: int
    ) -> Executor:
        """Make the executor of a program.

        Args:
            program: the program.
            dtype: `numpy.dtype` of float64 or float32: the precision of all numbers.
            inputs: whether the adjoints of the inputs are asked for; otherwise those of the
                parameters are.
            checked: whether `values` has to check that all outputs are finite.
            threads: the number of threads that may share a large batch.
        """


class Backend(NamedTuple):
    """Where the executor of a backend is, and what it needs.

    Args:
        module: the module that defines the executor; it imports the library.
        executor: the name of the class in it.
        package: the package that has to be installed, if any, as pip calls it.

    >>> BACKENDS["numpy"].load("numpy").__name__
    'NumpyExecutor'
    """

    module: str
    executor: str
    package: str = ""

    def load(self, name: str) -> MakeExecutor:
        """Import the executor; raises ImportError, which says what to install, if it cannot."""
        try:
            made: MakeExecutor = getattr(import_module(self.module), self.executor)
        except ImportError as error:
            raise ImportError(
                f"backend={name!r} needs {self.package}: pip install {self.package} ({error})"
            ) from error
        return made


BACKENDS = {
    "numpy": Backend("micrograd.compiler.numpy.executor", "NumpyExecutor"),
    "numba": Backend("micrograd.compiler.native.executor", "NativeExecutor", "llvmlite"),
    "jax": Backend("micrograd.compiler.jax.executor", "JaxExecutor", "jax"),
    "reference": Backend("micrograd.compiler.reference", "ReferenceExecutor"),
}
"""The backends by name. `"auto"` is "numba" where that is installed and fits, else "numpy"."""


def load(backend: str) -> MakeExecutor:
    """Return what makes the executors of a backend.

    Args:
        backend: a name in BACKENDS, or `"auto"`.

    Raises:
        ImportError: if the library of the backend is not installed.

    >>> load("reference").__name__
    'ReferenceExecutor'
    """
    if backend != "auto":
        return BACKENDS[backend].load(backend)
    try:
        load("numba")
    except ImportError:
        return load("numpy")
    return _made_automatically


def _made_automatically(program: Program, dtype: Any, **options: Any) -> Executor:
    """Make an executor of machine code, or of NumPy if an operation is a function on arrays."""
    on_arrays = any(row.function is not None for row in program.operations())
    return load("numpy" if on_arrays else "numba")(program, dtype, **options)


def are_finite(arrays: Sequence[Any]) -> bool:
    """Return whether all numbers are finite; False in doubt, as their sum may overflow.

    >>> are_finite([np.ones(2), 3.0]), are_finite([np.array([1.0, np.inf])])
    (True, False)
    """
    with np.errstate(all="ignore"):
        return all(isfinite(np.add.reduce(each, axis=None)) for each in arrays)
