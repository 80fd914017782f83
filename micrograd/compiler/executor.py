"""What an executor is, and the table of backends.

An executor runs one program, for batches of any length. A program has parameters, whose numbers are
the same for the whole batch, and inputs, which have a row of numbers each. If the program is not
batched, each input is one number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from micrograd.compiler.program.program import Program


class Layout(NamedTuple):
    """A prepared call that can be repeated: arrays to fill, a run, and arrays to read.

    All arrays belong to the executor, and the next run in the same thread writes to them again.

    Args:
        parameters: where the numbers of the parameters go.
        inputs: where the inputs go: of shape `(program.inputs, length)`, or `(program.inputs,)` if
            the program is not batched; None if they have to be on devices.
        run: computes everything; it returns whether all adjoints are finite. If it makes new arrays
            for what is found, it returns them instead: the results and the gradient.
            `run(parameters, arguments)` reads these where they are, if the executor
            `reads_devices`; None stands for what was laid out.
        results: where the results are then: a row for each output, or its number in a program that
            is not batched; for a mean, one number, the sum over the batch.
        slopes: where the gradient is then: an array of shape `(program.parameters,)`, or of the
            shape of `inputs`; None for a call of `values`.
        watched: whether `run` also says whether all results are finite.
        reads_devices: whether `run` takes parameters and arguments that are on devices.

    >>> double = np.zeros(1)
    >>> layout = Layout(np.zeros(0), double, lambda: True, double, None)
    >>> layout.inputs[:] = 3.0
    >>> layout.run(), layout.results.tolist()
    (True, [3.0])
    """

    parameters: Any
    inputs: Any
    run: Callable[..., bool | tuple[Any, Any]]
    results: Any
    slopes: Any
    watched: bool = False
    reads_devices: bool = False


class Direct(NamedTuple):
    """A prepared call for large batches: it reads the arrays of the caller, and returns new ones.

    Args:
        parameters: where the numbers of the parameters go.
        run: takes the inputs as `Executor.values` does. It returns the results, as `Layout` has
            them or as the blocks that were asked for; the gradient with respect to the parameters,
            or a list of the adjoints of each input array; and whether all of that is finite. It
            returns None if it is not prepared for arrays with such strides.

    >>> Direct(np.zeros(0), lambda inputs: ([inputs[0] * 2], None, True)).run([np.ones((1, 2))])[0]
    [array([[2., 2.]])]
    """

    parameters: Any
    run: Callable[[Sequence[Any]], tuple[Any, Any, bool] | None]


Call = Literal["values", "each", "mean"]
"""What a call computes: all outputs, or one output, or its mean over a batch, and its gradient."""


Shapes = Sequence[tuple[int, bool]]
"""Of each of several arrays, the number of its rows, and whether it is laid out by sample."""


class Blocks:
    """Rows of numbers in several arrays, one below the other, each with its own memory layout.

    Args:
        arrays: the arrays, of shapes `(rows, length)`. Only the rows of one of them can be taken,
            or none.

    >>> Blocks([np.zeros((2, 3)), np.ones((1, 3))])[2:3]
    array([[1., 1., 1.]])
    """

    ndim = 2

    def __init__(self, arrays: Sequence[Any]) -> None:
        self._arrays, start = {}, 0
        self._none = arrays[0][:0]
        for each in arrays:
            stop = start + len(each)
            self._arrays[start, stop] = each
            start = stop

    def __getitem__(self, rows: slice) -> Any:
        return self._arrays[rows.start, rows.stop] if rows.start < rows.stop else self._none


class OnDevices:
    """An argument on the devices of a backend that `reads_devices`: columns, as of other arguments.

    Args:
        array: an array of numbers that is not NumPy's; in a batch, with the samples along axis 0.
        batched: whether it is a batch.

    >>> OnDevices(np.array([[1.0, 2.0], [3.0, 4.0]]), batched=True)[:, :1].shape
    (2, 1)
    """

    def __init__(self, array: Any, *, batched: bool) -> None:
        self.array, self.batched = array, batched
        size = math.prod(array.shape[batched:])
        self.shape: tuple[int, ...] = (size, len(array)) if batched else (size,)
        self.size = math.prod(self.shape)

    def __getitem__(self, at: tuple[slice, slice]) -> OnDevices:
        return OnDevices(self.array[at[1]], batched=True)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        numbers = np.asarray(self.array, dtype)
        return numbers.reshape(self.shape[::-1]).T


class Gradients(NamedTuple):
    """What `Executor.value_and_grad` returns.

    Args:
        value: the output: a number, or an array of one number for each sample.
        parameters: the gradient with respect to the parameters, an array of shape
            `(program.parameters,)`; None if the adjoints of the inputs were asked for.
        inputs: the adjoints of the inputs, an array of shape `(program.inputs, length)`, or the
            same as `Blocks`; of shape `(program.inputs,)` if the program is not batched; None if
            they were not asked for.
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
    reads_devices: bool = False
    """Whether inputs and parameters may be arrays on devices, the inputs as `OnDevices`."""
    follows_loops: bool = False
    """Whether `value_and_grad` follows loops backwards; otherwise their gradient is traced."""

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> tuple[Any, bool]:
        """Compute the outputs of the program.

        Args:
            parameters: the numbers of the parameters, a list or an array of shape
                `(program.parameters,)`.
            inputs: arrays with one row for each input, of shape `(rows, length)`; together they
                have `program.inputs` rows. If the program is not batched, of shape `(rows,)`.
            length: the number of samples, which may be 0; 1 if the program is not batched.

        Returns:
            The outputs, as a new array with a row of one number per sample for each output, or with
            one number for each if the program is not batched; and whether all of them are finite.
            An executor that was made with `checked=False` may skip the check and return True.
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

    def layout(self, call: Call, length: int) -> Layout | None:
        """Lay out a call for use in this thread, or return None if that would save nothing.

        Args:
            call: what is computed.
            length: the number of samples, which is at least 1; 1 if the program is not batched.
        """
        return None

    def direct(
        self, call: Call, inputs: Sequence[Any], length: int, blocks: Shapes | None
    ) -> Direct | None:
        """Prepare calls with large arrays for this thread, or return None if that saves nothing.

        Args:
            call: what is computed.
            inputs: arrays like those of the calls, of the precision of the program.
            length: the number of samples.
            blocks: for values, which arrays the results are written to, one below the other: the
                number of rows of each, and whether the numbers of a sample are neighbours in it.
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


def gathered(outputs: Sequence[Any], program: Program, length: int, dtype: Any) -> Any:
    """Return outputs, each a row or a number for all samples, as `Executor.values` returns them."""
    if not program.batched:
        return np.array(outputs, dtype)
    rows = np.empty((len(outputs), length), dtype)
    for row, each in zip(rows, outputs, strict=True):
        row[:] = each
    return rows


def are_finite(arrays: Sequence[Any]) -> bool:
    """Return whether all numbers are finite; False in doubt, as their sum may overflow.

    >>> are_finite([np.ones(2), 3.0]), are_finite([np.array([1.0, np.inf])])
    (True, False)
    """
    with np.errstate(all="ignore"):
        return all(math.isfinite(np.add.reduce(each, axis=None)) for each in arrays)
