"""`CompiledFunction`: a function with its programs, which a call chooses by its arguments.

>>> from micrograd import compile
>>> f = compile(lambda x, y: x * y + x * x)
>>> f(0.5, -1.5)
-0.5
>>> f.value_and_grad(0.5, -1.5)
(-0.5, (-0.5, 0.5))
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

import numpy as np

from micrograd.compiler.calling.derivatives import Derivatives
from micrograd.compiler.calling.gradients import chosen_gradients
from micrograd.compiler.calling.inlining import call_on_values, is_on_values
from micrograd.compiler.calling.shortcuts import Shortcuts
from micrograd.compiler.calling.targets import Targets, read_targets
from micrograd.compiler.loops.tracing import unrolled
from micrograd.compiler.program.instructions import Lookup
from micrograd.compiler.program.loop_instructions import Loop
from micrograd.compiler.program.program import Program
from micrograd.compiler.tracing.recorder import EnclosingError, TraceError
from micrograd.compiler.tracing.tracer import tracing
from micrograd.engine.lines import line_of_user
from micrograd.transforms.structures import LEAF

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Result = TypeVar("Result", default=Any)
    Mean = TypeVar("Mean", default=Any)  # the value of value_and_grad
    Slopes = TypeVar("Slopes", default=Any)
else:
    from typing import TypeVar

    Result, Mean, Slopes = TypeVar("Result"), TypeVar("Mean"), TypeVar("Slopes")

_UNKNOWN_STEPS = (
    "source writes the steps of a loop one after the other, but here the number of steps is known "
    "only when the program runs: make it an int, for example by naming it in static="
)


def _itself(program: Any, option: bool) -> Callable[..., Any]:
    return lambda *args: program.f(*args)


def _is_pickled(f: Any) -> bool:
    try:
        pickle.dumps(f)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return True


class CompiledFunction(Derivatives[Result], Generic[Result, Mean, Slopes]):
    """A function that runs as a program; `compile` makes it, and `print` shows its last program.

    A type checker knows the result of a call if it knows that of the function: `float` for a
    number, a list of floats for a list, and an array for a batch of numbers. Otherwise it is `Any`.
    It also knows the value of `value_and_grad`, and the gradient with respect to parameters.

    Args:
        f: the function that is traced; None once there are programs and it was pickled.
        options: how it is compiled.

    >>> from micrograd import compile
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

    def __call__(
        self, *args: Any, parameters: Any = None, out: Any = None, **keywords: Any
    ) -> Result:
        """Return the value of the function; for a batch, one for each sample along axis 0.

        On Values, and in a function that is being traced or differentiated, this calls the function
        itself, so that its derivatives of any order are known there.

        Args:
            *args: the arguments of the function.
            parameters: an array of numbers to use in place of the current numbers of the
                parameters, in their order. Many parameters are read faster from an array.
            out: an array to write the value to, which is also returned; it must have the shape of
                the value and the precision of the program.
            **keywords: further arguments of the function, by name; in a batch, they are batches.

        Raises:
            TypeError: if the value is not a number or an array, and `out` is given.
            ValueError: if `out` has another shape.

        >>> from micrograd import compile
        >>> out = np.zeros(2)
        >>> compile(lambda x: x * x, batched=True)(np.array([1.0, 3.0]), out=out) is out, out[1]
        (True, np.float64(9.0))
        """
        if keywords or self._has_static:
            program, args, _ = self._specialized(args, keywords)
            return program(*args, parameters=parameters, out=out)  # type: ignore[no-any-return]
        for again, variant in self._shortcuts[0].each:
            found = again(args, parameters, out)
            if found is not None:
                self._last = variant
                return found  # type: ignore[no-any-return]
        try:
            call = self._call(args)
            numbers = self._all_numbers(parameters, call)
        except TypeError as error:
            if self.f is None or parameters is not None or out is not None:
                raise
            if not (isinstance(error, EnclosingError) or is_on_values(args, self.parameters)):
                raise
            return call_on_values(self.f, args, self._axes_of(len(args)), batched=self.batched)  # type: ignore[no-any-return]
        variant = call.variant
        rows = variant.executor.values(numbers, call.inputs, call.length)
        self._prepare(self._shortcuts[0], "values", args, call)
        return variant.value(rows, out)  # type: ignore[no-any-return]

    @overload
    def value_and_grad(
        self,
        *args: Any,
        parameters: Any = None,
        out: Any = None,
        argnums: None = None,
        has_aux: Literal[False] = False,
        **keywords: Any,
    ) -> tuple[Mean, Slopes]: ...
    @overload
    def value_and_grad(
        self,
        *args: Any,
        parameters: Any = None,
        out: Any = None,
        argnums: Targets | None = None,
        has_aux: bool = False,
        **keywords: Any,
    ) -> tuple[Any, Any]: ...
    def value_and_grad(
        self,
        *args: Any,
        parameters: Any = None,
        out: Any = None,
        argnums: Targets | None = None,
        has_aux: bool = False,
        **keywords: Any,
    ) -> tuple[Any, Any]:
        """Return the value and the gradient.

        Args:
            *args: the arguments of the function.
            parameters: numbers to use in place of the current numbers of the parameters: an array
                in their order, or numbers in their structure.
            out: an array to write the gradient to, which is also returned with the value; for
                several arguments, a tuple of arrays. Only without `argnums` and `has_aux`.
            argnums: what to differentiate with respect to: positions of arguments, as in
                `micrograd.value_and_grad`, and `"parameters"`. The default is the parameters, or
                all arguments of a function without parameters. `("parameters", 0)` asks for the
                parameters and the first argument.
            has_aux: whether the function returns a pair; only its first part is differentiated.
            **keywords: further arguments of the function, which are not differentiated.

        Returns:
            The value and the gradient, or a tuple of gradients for several `argnums`. The gradient
            with respect to an argument has its structure; that with respect to the parameters is an
            array, or has the structure in which they were given to `compile`.

            For a batch, the value has a number for each sample, and so has a gradient with respect
            to an argument. But if the parameters are among the `argnums`, the value is the mean
            over the batch, and all gradients are those of the mean. With `has_aux`, the value is a
            pair of this and the second part of the result. Arrays have the precision of the
            program; those for several arguments may share their memory.

        Raises:
            ValueError: if the function does not return one number, if the batch is empty and a
                mean is asked for, or if `out` has another shape.

        >>> from micrograd import Value, compile
        >>> compile(lambda x, y: x * y).value_and_grad(2.0, 3.0)
        (6.0, (3.0, 2.0))
        >>> line = {"w": Value(2.0), "b": Value(1.0)}
        >>> f = compile(lambda x: line["w"] * x + line["b"], line)
        >>> f.value_and_grad(3.0, argnums=("parameters", 0))
        (7.0, ({'w': 3.0, 'b': 1.0}, 2.0))
        """
        if keywords or self._has_static:
            if argnums is not None:
                targets, single = read_targets(argnums, len(args), self.parameters)
                argnums = targets[0] if single else targets
            program, args, places = self._specialized(args, keywords)
            if argnums is None and not self.parameters:
                argnums = places if len(places) != 1 else places[0]
            return program.value_and_grad(  # type: ignore[no-any-return]
                *args, parameters=parameters, argnums=argnums, has_aux=has_aux, out=out
            )
        if argnums is not None or has_aux or (self._axes is not None and not self.parameters):
            if out is not None:
                raise ValueError("out= is for gradients without argnums, has_aux and in_axes")
            return chosen_gradients(self, args, argnums, parameters, has_aux=has_aux)
        for again, variant in self._shortcuts[1].each:
            found = again(args, parameters, out)
            if found is not None:
                self._last = variant
                return found  # type: ignore[no-any-return]
        call = self._call(args)
        variant = call.variant
        if variant.result != LEAF:
            raise ValueError(
                "value_and_grad needs a function that returns one number, and this one returns "
                "several: use .jacobian"
            )
        mean = self._mean
        if mean and not call.length:
            raise ValueError("the mean over an empty batch is undefined: give at least one sample")
        value, of_parameters, adjoints, _ = variant.executor.value_and_grad(
            self._all_numbers(parameters, call), call.inputs, call.length, mean=mean
        )
        self._prepare(self._shortcuts[1], "mean" if mean else "each", args, call)
        if self.batched and not mean:
            value = np.broadcast_to(value, (call.length,)).copy()
        else:
            value = float(value)
        slopes = adjoints if self._inputs else of_parameters
        return value, self._gradient(variant, slopes, out)

    def __copy__(self) -> CompiledFunction[Result, Mean, Slopes]:
        """Return itself, as copying a function does."""
        return self

    def __deepcopy__(self, memo: Any) -> CompiledFunction[Result, Mean, Slopes]:
        """Return itself, with the same parameters."""
        return self

    @property
    def _ran(self) -> CompiledFunction[Any]:
        """The function of the last call: this one, or this one with its static arguments bound."""
        return self._bound if self._last is None and self._bound is not None else self

    def __str__(self) -> str:
        if self._ran._last is None:
            return "a compiled function that was not called yet: its program is made by a call"
        return str(self.program)

    @property
    def program(self) -> Program:
        """The program of the last call; raises ValueError before the first one."""
        last = self._ran._last
        if last is None:
            raise ValueError(
                "the function was not called yet: its program is made by a call, "
                "which says how its arguments are nested"
            )
        return last.executor.program

    def source(self, language: str) -> str:
        """Return the program of the last call as source text that does not need this library.

        Args:
            language: `"c"`: a file of C99, with a function that returns the value and fills an
                array with the gradient, as `value_and_grad` does, and one for batches, which are
                arrays of one sample after the other. `"numpy"`: a function on arrays that returns
                the values.

        Raises:
            ValueError: the language is not known, or the function was not called yet.
            NotImplementedError: an operation is defined by a Python function, or the program cannot
                be written for another reason, such as a loop whose number of steps is not known.

        >>> from micrograd import compile
        >>> f = compile(lambda x, y: x.tanh() * y)
        >>> f(0.5, 2.0)
        0.9242343145200195
        >>> f.source("c").splitlines()[-1]
        '}'
        """
        from micrograd.compiler.sources import source_of

        if self._ran is not self:
            return self._ran.source(language)
        program, variant = self.program, self._last
        assert variant is not None  # noqa: S101 (for type checkers: there is a program)
        if self._axes is not None:
            raise NotImplementedError("source is for programs without in_axes")
        if any(isinstance(each, Loop | Lookup) for each in program.instructions):
            try:
                with tracing, unrolled():
                    variant = self._new_variant(variant.arguments)
            except TraceError as error:
                raise NotImplementedError(_UNKNOWN_STEPS) from error
        return source_of(self.f, language, *variant[:3])

    @property
    def is_called(self) -> bool:
        """Whether there is a program of this function or of one of its derivatives."""
        return bool(self._variants) or any(each.is_called for each in self._derived.values())

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Return the function itself as `__wrapped__`, for `inspect.signature` and messages."""
            f = self.__dict__.get("f")
            if name == "__wrapped__" and f is not None:
                return f
            raise AttributeError(f"a compiled function has no attribute {name!r}")

    def __repr__(self) -> str:
        name = getattr(self.f, "__name__", "a function")
        return f"<compiled {name}, {len(self._variants)} programs>"

    def _repr_html_(self) -> str:
        from micrograd.writing.html import table

        if self._ran._last is None:
            return table(["compiled function"], [[str(self)]])
        return table(["", "instruction"], enumerate(map(str, self.program.instructions), start=1))

    def __getstate__(self) -> dict[str, Any]:
        kept = self.__dict__.copy()
        derived = {key: each for key, each in self._derived.items() if each.is_called}
        if self.is_called:
            kept["f"] = None  # the programs do without it, and it often cannot be pickled
        elif self.parameters or not _is_pickled(self.f):
            # The function might find other Values than the copies of its parameters.
            raise ValueError(
                f"{self!r} was not called yet, so it has no program to pickle: call it once "
                f"before\n  at {line_of_user()}"
            )
        del kept["_shortcuts"], kept["_bound"]
        kept["_derived"] = derived
        return kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._bound = None
        self._shortcuts = Shortcuts(), Shortcuts()

    def _of_arguments(self, *, mean: bool) -> CompiledFunction[Any]:
        """Return this function with gradients with respect to the arguments."""
        mean = mean and self.batched
        if (self._inputs, self._mean) == (True, mean):
            return self
        made: CompiledFunction[Any] = self._program(_itself, mean)
        made._inputs, made._mean = True, mean
        return made
