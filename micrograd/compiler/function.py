"""`compile(f)`: a function of scalars, traced once and then run as a program.

>>> from micrograd import tanh
>>> f = compile(lambda x, y: tanh(x * y) + x)
>>> f(0.5, -1.5)
-0.1351489523872873
>>> f.value_and_grad(0.5, -1.5)
(-0.1351489523872873, (0.10512128757800276, 0.2982929041406657))
"""

from __future__ import annotations

import pickle
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, overload

import numpy as np

from micrograd.compiler.arguments import batch_columns, numbers, refuse_tensors
from micrograd.compiler.executor import BACKENDS, Call, MakeExecutor, load
from micrograd.compiler.program import Program
from micrograd.compiler.recorder import TraceError
from micrograd.compiler.results import gradient, placed, regular, store, store_parameters
from micrograd.compiler.shortcuts import Shortcuts, shortcut
from micrograd.compiler.staging import REAL
from micrograd.compiler.stopping import CheckedExecutor
from micrograd.compiler.tracing import refuse_programs_of, trace, tracing
from micrograd.engine.graph import Node
from micrograd.engine.lines import line_of_function, line_of_user
from micrograd.engine.locks import reentrant_lock
from micrograd.engine.value import Value
from micrograd.transforms.structures import LEAF, Structure, count_leaves, flatten, unflatten

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypedDict, TypeVar, Unpack

    from micrograd.transforms.signatures import ArrayFunction, ListFunction, ScalarFunction

    class _Options(TypedDict, total=False):
        backend: str
        dtype: Any
        threads: int

    Result = TypeVar("Result", default=Any)
    Mean = TypeVar("Mean", default=Any)  # the value of value_and_grad
    Slopes = TypeVar("Slopes", default=Any)
else:
    from typing import TypeVar

    Result, Mean, Slopes = TypeVar("Result"), TypeVar("Mean"), TypeVar("Slopes")

MOST_STRUCTURES = 16
"""Structures of arguments whose programs a compiled function keeps."""
_MANY = (
    f"{{!r}} was called with more than {MOST_STRUCTURES} structures of arguments, such as lists of "
    "different lengths. It keeps the programs of the last ones and traces the function again for "
    "others, which is slow: fill lists up to a few lengths, or compile the function for each use"
    "\n  at {}"
)


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
    parameters: Iterable[Value] = (),
    batched: bool = False,
    backend: str = "auto",
    dtype: Any = None,
    *,
    threads: int = 1,
) -> CompiledFunction[Any]: ...
def compile(  # noqa: A001 (the name of the public function)
    f: Callable[..., Any],
    parameters: Iterable[Value] = (),
    batched: bool = False,
    backend: str = "auto",
    dtype: Any = None,
    *,
    threads: int = 1,
) -> CompiledFunction[Any]:
    """Return `f` as a program that runs without creating Values.

    The first call traces `f` on values without numbers; a call with a different structure of
    arguments traces it again. While `f` is traced, no other thread may compute with its parameters;
    programs may run.

    `f` may choose by comparing values, also in arrays: `where(x > 0, x, 0)`, and with `&`, `|`, `^`
    and `~` between comparisons of arrays. It cannot branch on them (`if`) or index with them.

    Args:
        f: a function of numbers, or of nested lists, tuples, dicts and arrays of numbers.
        parameters: Values that `f` uses and that training changes. Their current numbers are read
            at each call, and a Value that was computed from them is computed again. Other Values
            that `f` uses are constants, with the numbers that they have when `f` is traced.
        batched: whether every argument is a batch; `f` is written for one sample. In a batch, an
            array has the samples along its first axis, a list has one entry for each sample, and a
            dict has a batch under each key.
        backend: what runs the program. `"numpy"`; `"numba"`, machine code made by the compiler
            library of Numba; `"jax"`; `"auto"` (the default), which is `"numba"` if it is installed
            and `"numpy"` otherwise; or `"reference"`, which is slow and plain, and which the others
            are compared with in tests.
        dtype: float64 (the default) or float32: the precision of all numbers.
        threads: the number of threads that share a large batch; only `"numba"` uses more than one.

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
    """
    if not callable(f):
        raise TypeError(f"compile takes a function, got {type(f).__name__}")
    if backend not in ("auto", *BACKENDS):
        raise ValueError(f"backend is one of auto, {', '.join(BACKENDS)}, got {backend!r}")
    held = list(parameters)
    for i, each in enumerate(held):
        if type(each) is not Value:
            raise TypeError(f"parameters are Values, got {type(each).__name__} at position {i}")
    if len({id(each) for each in held}) < len(held):
        raise ValueError("a parameter is given twice")
    if type(threads) is not int or threads < 1:
        raise ValueError(
            f"threads is the number of threads, a whole number of at least 1, got {threads!r}"
        )
    kind = np.dtype(float if dtype is None else dtype)
    if kind not in (np.dtype(np.float64), np.dtype(np.float32)):
        raise ValueError(f"dtype is float64 or float32, got {dtype!r}")
    return CompiledFunction(f, held, bool(batched), kind, load(backend), threads)


def _is_pickled(f: Any) -> bool:
    try:
        pickle.dumps(f)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


def _refuse_keywords(keywords: dict[str, Any]) -> None:
    raise TypeError(
        f"a compiled function takes its arguments in order, got the keyword {next(iter(keywords))}"
        ": leave its name out, or bind an option that is not a number first, as in "
        f"compile(lambda x: f(x, option=…))\n  at {line_of_user()}"
    )


# Reads the slot itself: another thread may be tracing a function with the same parameters, which
# are traced values meanwhile.
_number = vars(Node)["data"].__get__


class _Variant(NamedTuple):
    """A program for one structure of arguments."""

    executor: CheckedExecutor
    arguments: tuple[Structure, ...]
    result: Structure


class _Arguments(NamedTuple):
    """The numbers of one call."""

    variant: _Variant
    inputs: list[Any]
    length: int


_keeping = reentrant_lock()  # held while the programs of a function change


class CompiledFunction(Generic[Result, Mean, Slopes]):
    """A function that runs as a program; `compile` makes it, and `print` shows its last program.

    A type checker knows the result of a call if it knows that of the function: `float` for a
    number, a list of floats for a list, and an array for a batch of numbers. Otherwise it is `Any`.
    It also knows the value of `value_and_grad`, and the gradient with respect to parameters.

    Args:
        f: the function that is traced; None once there are programs and it was pickled.
        parameters: the Values whose numbers are read at each call.
        batched: whether every argument is a batch.
        dtype: `numpy.dtype` of float64 or float32.
        make: makes the executor of a program.
        threads: the number of threads that may share a large batch.

    >>> f = compile(lambda x: x.tanh() * 2, backend="numpy")
    >>> f(0.0)
    0.0
    >>> print(f)
    program of 2 instructions
      parameters u[0:0], inputs u[0]
      u[2] = tanh(u[0])
      u[3] = mul(u[2], u[1])
      return u[3]
    """

    def __init__(
        self,
        f: Callable[..., Any] | None,
        parameters: list[Value],
        batched: bool,
        dtype: Any,
        make: MakeExecutor,
        threads: int = 1,
    ) -> None:
        self.f, self.parameters, self.batched = f, parameters, batched
        self.dtype, self._make, self._threads = dtype, make, threads
        self._variants: OrderedDict[tuple[Structure, ...], _Variant] = OrderedDict()
        self._by_shapes: dict[tuple[tuple[int, ...], ...], _Variant] = {}  # of the last arrays
        self._shortcuts = Shortcuts(), Shortcuts()  # of values, and of value_and_grad
        self._last: _Variant | None = None
        self._warned = False

    def __call__(
        self, *args: Any, parameters: Any = None, out: Any = None, **keywords: Any
    ) -> Result:
        """Return the value of the function; for a batch, one for each sample along axis 0.

        Args:
            *args: the arguments of the function.
            parameters: an array of numbers to use in place of the current numbers of the
                parameters, in their order. Many parameters are read faster from an array.
            out: an array that the value is written to, and that is returned; it has the shape of
                the value and the precision of the program.
            **keywords: refused, as arguments are taken by position only.

        Raises:
            TypeError: if the value is not a number or an array, and `out` is given.
            ValueError: if `out` has another shape.

        >>> out = np.zeros(2)
        >>> compile(lambda x: x * x, batched=True)(np.array([1.0, 3.0]), out=out) is out, out[1]
        (True, np.float64(9.0))
        """
        if keywords:
            _refuse_keywords(keywords)
        for again, variant in self._shortcuts[0].each:
            found = again(args, parameters, out)
            if found is not None:
                self._last = variant
                return found  # type: ignore[no-any-return]
        call = self._call(args)
        variant = call.variant
        rows = variant.executor.values(self._numbers(parameters), call.inputs, call.length)
        self._prepare(self._shortcuts[0], "values", args, call)
        if out is not None:
            return store(placed([variant.result]), rows, out, "the value")  # type: ignore[no-any-return]
        return regular(variant.result, rows)  # type: ignore[no-any-return]

    def value_and_grad(
        self, *args: Any, parameters: Any = None, out: Any = None, **keywords: Any
    ) -> tuple[Mean, Slopes]:
        """Return the value and the gradient.

        Args:
            *args: the arguments of the function.
            parameters: an array of numbers to use in place of the current numbers of the
                parameters, in their order.
            out: an array that the gradient is written to, and that is returned with the value; for
                several arguments, a tuple of arrays.
            **keywords: refused, as arguments are taken by position only.

        Returns:
            If the function was compiled with parameters: the value, or its mean over the batch,
            and the gradient of that as an array, in the order of the parameters. Otherwise the
            value, an array of one for each sample of a batch, and the gradient with respect to the
            arguments: with the structure of the argument, or a tuple if there are several. Arrays
            have the precision of the program; those for several arguments may share their memory.

        Raises:
            ValueError: if the function does not return one number, if the batch is empty and a
                mean is asked for, or if `out` has another shape.

        >>> compile(lambda x, y: x * y).value_and_grad(2.0, 3.0)
        (6.0, (3.0, 2.0))
        """
        if keywords:
            _refuse_keywords(keywords)
        for again, variant in self._shortcuts[1].each:
            found = again(args, parameters, out)
            if found is not None:
                self._last = variant
                return found  # type: ignore[no-any-return]
        call = self._call(args)
        variant = call.variant
        if variant.result != LEAF:
            raise ValueError("value_and_grad needs a function that returns one number")
        mean = self.batched and bool(self.parameters)
        if mean and not call.length:
            raise ValueError("the mean over an empty batch is undefined: give at least one sample")
        value, of_parameters, adjoints, _ = variant.executor.value_and_grad(
            self._numbers(parameters), call.inputs, call.length, mean=mean
        )
        self._prepare(self._shortcuts[1], "mean" if mean else "each", args, call)
        if self.batched and not mean:
            value = np.broadcast_to(value, (call.length,)).copy()
        else:
            value = float(value)
        if self.parameters:
            slopes = of_parameters if out is None else store_parameters(of_parameters, out)
        elif out is None:
            slopes = gradient(placed(variant.arguments), adjoints)
        else:
            slopes = store(placed(variant.arguments), adjoints, out, "an argument")
        return value, slopes

    def __copy__(self) -> CompiledFunction[Result, Mean, Slopes]:
        """Return itself, as copying a function does."""
        return self

    def __deepcopy__(self, memo: Any) -> CompiledFunction[Result, Mean, Slopes]:
        """Return itself, with the same parameters."""
        return self

    def __str__(self) -> str:
        if self._last is None:
            return "a compiled function that was not called yet: its program is made by a call"
        return str(self.program)

    @property
    def program(self) -> Program:
        """The program of the last call; raises ValueError before the first one."""
        if self._last is None:
            raise ValueError(
                "the function was not called yet: its program is made by a call, "
                "which says how its arguments are nested"
            )
        return self._last.executor.program

    def __repr__(self) -> str:
        name = getattr(self.f, "__name__", "a function")
        return f"<compiled {name}, {len(self._variants)} programs>"

    def _repr_html_(self) -> str:
        from micrograd.writing.html import table

        if self._last is None:
            return table(["compiled function"], [[str(self)]])
        return table(["", "instruction"], enumerate(map(str, self.program.instructions), start=1))

    def __getstate__(self) -> dict[str, Any]:
        kept = self.__dict__.copy()
        if self._variants:
            kept["f"] = None  # the programs do without it, and it often cannot be pickled
        elif self.parameters or not _is_pickled(self.f):
            # The function might find other Values than the copies of its parameters.
            raise ValueError(
                f"{self!r} was not called yet, so it has no program to pickle: call it once "
                f"before\n  at {line_of_user()}"
            )
        del kept["_shortcuts"]
        return kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._shortcuts = Shortcuts(), Shortcuts()

    # ------------------------------------------------------------------------------------- calling

    def _current_numbers(self) -> list[float]:
        refuse_programs_of(self.parameters)
        return [*map(_number, self.parameters)]

    def _numbers(self, given: Any) -> Any:
        """Return the numbers of the parameters: those given, or the current ones."""
        if given is None:
            return self._current_numbers()
        if type(given) is np.ndarray and given.dtype.kind in REAL:
            array = np.asarray(given, dtype=self.dtype)
        else:
            array = np.asarray(numbers(given, "parameters")[0], dtype=self.dtype)
        if array.shape != (len(self.parameters),):
            raise ValueError(
                f"parameters is an array of {len(self.parameters)} numbers, got shape {array.shape}"
            )
        return array

    def _prepare(
        self, shortcuts: Shortcuts, kind: Call, args: Sequence[Any], call: _Arguments
    ) -> None:
        """Make a shortcut for further calls like this one, if there was one already."""
        variant, _, length = call
        key = variant, length, tuple(map(type, args))
        if not length or not shortcuts.is_due(key):
            return
        executor, made = variant.executor, None
        layout = executor.layout(kind, length)
        if layout is not None:
            made = shortcut(
                kind,
                args,
                variant.arguments,
                variant.result,
                layout,
                self._current_numbers if self.parameters else None,
                batched=self.batched,
                checked=executor.stopping is not None,
            )
        shortcuts.add(key, made, variant)

    def _call(self, args: Sequence[Any]) -> _Arguments:
        call = (self._call_on_arrays(args) if self.batched else None) or self._call_on_any(args)
        self._last = call.variant
        return call

    def _call_on_arrays(self, args: Sequence[Any]) -> _Arguments | None:
        """Return a call on arrays whose shapes are those of the last one, or None otherwise."""
        parts, shapes, length = [], [], -1
        for each in args:
            if type(each) is not np.ndarray or each.dtype.kind not in REAL:
                return None
            shape = each.shape
            if not shape or shape[0] != length > -1:
                return None
            length = shape[0]
            shapes.append(shape[1:])
            parts.append(each.reshape(length, -1).T if length else each)
        variant = self._by_shapes.get(tuple(shapes))
        return None if variant is None or not length else _Arguments(variant, parts, length)

    def _call_on_any(self, args: Sequence[Any]) -> _Arguments:
        parts, structures, lengths = [], [], []
        for i, argument in enumerate(args):
            place = f"argument {i}"
            if self.batched:
                columns, structure, length = batch_columns(argument, place)
                lengths.append(length)
            else:
                columns, structure = numbers(argument, place)
            parts.append(columns)
            structures.append(structure)
        if len(set(lengths)) > 1:
            raise ValueError(f"the arguments are batches of different lengths: {lengths}")
        if self.batched and not lengths:
            raise ValueError("a batched function needs an argument that says how many samples")
        length = lengths[0] if lengths else 1
        variant = self._variant(self._key(structures))
        if all(type(each) is np.ndarray for each in args):
            self._by_shapes = {tuple(each.shape[1:] for each in args): variant}
        if self.batched and not length:
            parts = [np.zeros((variant.executor.program.inputs, 0))]
        return _Arguments(variant, parts, length)

    def _key(self, structures: Sequence[Structure | None]) -> tuple[Structure, ...]:
        """Return the structures; that of an empty list is taken from the last call that fits."""
        known = [structure for structure in structures if structure is not None]
        if len(known) == len(structures):
            return tuple(known)
        for key in reversed(self._variants):
            pairs = zip(key, structures, strict=False)
            if len(key) == len(structures) and all(s in (None, k) for k, s in pairs):
                return key
        raise ValueError("an empty list does not say what a sample is: call with a sample first")

    def _variant(self, key: tuple[Structure, ...]) -> _Variant:
        found = self._variants.get(key)
        if found is None:
            with tracing:  # one lock for all, as a function that is traced may call another
                found = self._variants.get(key) or self._new_variant(key)
        with _keeping:
            for used in (self._last, found):
                if used is not None:
                    self._variants[used.arguments] = used
                    self._variants.move_to_end(used.arguments)
            too_many = len(self._variants) > MOST_STRUCTURES
            while len(self._variants) > MOST_STRUCTURES:
                self._variants.popitem(last=False)
        if too_many and not self._warned:
            self._warned = True
            warnings.warn(_MANY.format(self, line_of_user()), stacklevel=2)
        return found

    def _new_variant(self, key: tuple[Structure, ...]) -> _Variant:
        for i, structure in enumerate(key):
            refuse_tensors(structure, f"argument {i}")
        f = self.f
        if f is None:
            raise ValueError(
                "these arguments have a different structure from those before it was pickled; "
                "compile the function again"
            )
        results: list[Structure] = []

        def run(leaves: Sequence[Any]) -> list[Any]:
            arguments, start = [], 0
            for structure in key:
                size = count_leaves(structure)
                arguments.append(unflatten(structure, leaves[start : start + size]))
                start += size
            outputs, structure = flatten(f(*arguments))
            results.append(structure)
            return outputs

        try:
            graph = trace(run, self.parameters, sum(map(count_leaves, key)))
        except TraceError as error:
            if "\n  at " in str(error):
                raise
            raise TraceError(f"{error}\n  at {line_of_function(f)}") from error
        executor = CheckedExecutor(
            graph,
            self._make,
            self.dtype,
            batched=self.batched,
            inputs=not self.parameters,
            threads=self._threads,
        )
        return _Variant(executor, key, results[0])
