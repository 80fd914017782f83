"""`compile(f)`: a function of scalars, traced once and then run as a program.

>>> f = compile(lambda x, y: x * y + x)
>>> f(0.5, -1.5)
-0.25
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from micrograd.compiler.calling.binding import Static, read_static
from micrograd.compiler.calling.function import CompiledFunction
from micrograd.compiler.calling.targets import read_parameters
from micrograd.compiler.calling.variants import Options
from micrograd.compiler.executor import BACKENDS, load
from micrograd.engine.value import Value

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypedDict, Unpack

    from micrograd.transforms.signatures import ArrayFunction, ListFunction, ScalarFunction

    class _Further(TypedDict, total=False):
        threads: int
        in_axes: InAxes
        static: Static
        limit: int | None

    class _Options(_Further, total=False):
        backend: str
        dtype: Any


InAxes = int | None | Sequence[int | None]


@overload
def compile(  # noqa: A001
    f: ScalarFunction, *, batched: Literal[False] = False, **options: Unpack[_Options]
) -> CompiledFunction[float, float, Any]: ...
@overload
def compile(  # noqa: A001
    f: ScalarFunction,
    parameters: Iterable[Value],
    batched: Literal[False] = False,
    **options: Unpack[_Options],
) -> CompiledFunction[float, float, NDArray[Any]]: ...
@overload
def compile(  # noqa: A001
    f: ScalarFunction | ArrayFunction, *, batched: Literal[True], **options: Unpack[_Options]
) -> CompiledFunction[NDArray[Any], NDArray[Any], Any]: ...
@overload
def compile(  # noqa: A001
    f: ScalarFunction | ArrayFunction,
    parameters: Iterable[Value],
    batched: Literal[True],
    **options: Unpack[_Options],
) -> CompiledFunction[NDArray[Any], float, NDArray[Any]]: ...
@overload
def compile(  # noqa: A001
    f: ListFunction,
    parameters: Iterable[Value] = (),
    batched: Literal[False] = False,
    **options: Unpack[_Options],
) -> CompiledFunction[list[float]]: ...
@overload
def compile(  # noqa: A001
    f: ArrayFunction,
    parameters: Iterable[Value] = (),
    batched: bool = False,
    **options: Unpack[_Options],
) -> CompiledFunction[NDArray[Any]]: ...
@overload
def compile(  # noqa: A001
    f: Callable[..., Any],
    parameters: Any = (),
    batched: bool = False,
    backend: str = "auto",
    dtype: Any = None,
    **options: Unpack[_Further],
) -> CompiledFunction[Any]: ...
@overload
def compile(  # noqa: A001
    f: None = None,
    parameters: Any = (),
    batched: bool = False,
    backend: str = "auto",
    dtype: Any = None,
    **options: Unpack[_Further],
) -> Callable[[Callable[..., Any]], CompiledFunction[Any]]: ...
def compile(  # noqa: A001 (the name of the public function)
    f: Callable[..., Any] | None = None,
    parameters: Any = (),
    batched: bool = False,
    backend: str = "auto",
    dtype: Any = None,
    *,
    threads: int = 1,
    in_axes: InAxes = 0,
    static: Static = (),
    limit: int | None = None,
) -> Any:
    """Return `f` as a program that runs without creating Values.

    The first call traces `f` on values without numbers; a call with a different structure of
    arguments traces it again. While `f` is traced, no other thread may compute with its parameters;
    programs may run.

    `f` may choose by comparing values, including in arrays: `where(x > 0, x, 0)`, and with `&`,
    `|`, `^` and `~` between comparisons of arrays. It cannot branch on them (`if`) or index with
    them.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers; None in
            them is kept. Left out, `@compile(batched=True)` is a decorator.
        parameters: Values that `f` uses and that training changes: one after the other, as
            `model.parameters()` gives them, or in any structure, such as a dict of lists, in which
            their gradient is returned; for a model, it is a dict with a number under each name.
            Their current numbers are read at each call, and a Value that was computed from them is
            computed again. Other Values that `f` uses are constants, with the numbers that they
            have when `f` is traced.
        batched: whether every argument is a batch; `f` is written for one sample. In a batch, an
            array has the samples along its first axis, a list has one entry for each sample, and a
            dict has a batch under each key.
        backend: what runs the program. `"numpy"`; `"numba"`, machine code made by the compiler
            library of Numba; `"jax"`; `"auto"` (the default), which is `"numba"` if it is installed
            and `"numpy"` otherwise; or `"reference"`, which is exact at infinities and slow, and
            which tests compare the others with.
        dtype: float64 (the default) or float32: the precision of all numbers.
        threads: the number of threads that share a large batch. More than one needs `"numba"`.
        in_axes: which arguments of a batched function are batches, with an entry for each: 0 for a
            batch, and None for an argument that all samples share. It is computed with only once.
            By default, all are batches. Keyword arguments are batches.
        static: the positions or names of arguments whose values are fixed when `f` is traced, such
            as the number of steps of a loop: ints stay ints, and each value has its own program.
            They must be hashable, and have no gradient.
        limit: the largest number of operations that a trace may record, so that a loop that is far
            too long raises an error instead of filling the memory: an operation takes about 0.6 KB.
            A long trace reports its progress on the terminal.

    Returns:
        A function of the same arguments; see `CompiledFunction`.

    Raises:
        TraceError: at a call, if `f` reads the number of a value, branches on one, or does
            something different when it is run again. It is a TypeError, and its message names the
            line and the remedy.
        ImportError: if the library of the backend is not installed.

    >>> w = Value(2.0)
    >>> f = compile(lambda x: w * x * x, [w], batched=True)
    >>> f([1.0, 3.0]).tolist()
    [2.0, 18.0]
    >>> mean, gradient = f.value_and_grad([1.0, 3.0])
    >>> mean, gradient.tolist()
    (10.0, [5.0])
    >>> power = compile(lambda x, n: x**n if n > 0 else 1.0, static="n")
    >>> power(3.0, 2), power(3.0, n=0)
    (9.0, 1.0)
    >>> compile(lambda x, w: w * x, batched=True, in_axes=(0, None))([1.0, 3.0], 2.0).tolist()
    [2.0, 6.0]
    """
    if f is None:
        options = {"backend": backend, "dtype": dtype, "threads": threads, "limit": limit}
        options |= {"parameters": parameters, "batched": batched}
        return partial(compile, in_axes=in_axes, static=static, **options)
    if not callable(f):
        raise TypeError(f"compile takes a function, got {type(f).__name__}")
    if backend not in ("auto", *BACKENDS):
        raise ValueError(f"backend is one of auto, {', '.join(BACKENDS)}, got {backend!r}")
    held = read_parameters(parameters)
    if type(threads) is not int or threads < 1:
        raise ValueError(
            f"threads is the number of threads, a whole number of at least 1, got {threads!r}"
        )
    if threads > 1 and backend not in ("auto", "numba"):
        raise ValueError(f'threads={threads} needs backend="numba": {backend!r} does not take it')
    if limit is not None and (type(limit) is not int or limit < 1):
        raise ValueError(f"limit is a number of operations of at least 1, got {limit!r}")
    try:
        kind = np.dtype(float if dtype is None else dtype)
    except TypeError:
        kind = np.dtype(object)
    if kind not in (np.dtype(np.float64), np.dtype(np.float32)):
        raise ValueError(f"dtype is float64 or float32, got {dtype!r}")
    axes = _read_axes(in_axes, batched=batched)
    make = load(backend)
    if threads > 1:
        load("numba")  # if it is missing, the error says what to install
    positions = read_static(f, static)
    return CompiledFunction(
        f, Options(held, bool(batched), kind, make, threads, axes, positions, limit)
    )


def _read_axes(in_axes: InAxes, *, batched: bool) -> tuple[int | None, ...] | None:
    given = in_axes if isinstance(in_axes, Sequence) else (in_axes,)
    if any(each is not None and (type(each) is not int or each != 0) for each in given):
        raise ValueError(
            "in_axes has 0 for an argument that is a batch, with the samples along the first axis, "
            f"and None for one that all samples share, got {in_axes!r}"
        )
    if in_axes is None or (None in given and not batched):
        raise ValueError(
            "in_axes needs batched=True, and an argument that is a batch, such as (0, None)"
        )
    return tuple(given) if isinstance(in_axes, Sequence) else None
