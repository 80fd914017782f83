"""Checks of gradients that are computed outside the engine: by hand, by JAX, by PyTorch.

The function and its gradient know nothing of Values. Its arguments are numbers, arrays, or nested
lists, tuples and dicts of them, which become one flat array of doubles (`Arguments`). Differences
(`numerical.py`) and, where the function computes with complex numbers, complex steps are the
witnesses. A few entries are compared one by one; many are moved together in random directions, and
halving finds an entry that is wrong. `suspicion.py` says what the mistake looks like.
"""

from __future__ import annotations

import inspect
import itertools
import math
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from micrograd.testing.directions import first_wrong
from micrograd.testing.numerical import noise_of, slopes
from micrograd.testing.options import Options
from micrograd.testing.report import Problem, Report
from micrograd.testing.suspicion import Surroundings, suspicion

_FEW = 256  # entries that are compared one by one
_SAMPLE = 128  # entries that are looked at where a large array is wrong
_SHOWN = 3  # wrong entries of an array that are named
_SEARCHES = 24  # kinks that are searched in a large array
_SMALLEST = 16  # entries that are not divided any more
# How far a gradient may round, relative to the largest entry, by the bytes of its numbers.
_ROUNDING = {8: 2.0**-30, 4: 2.0**-12, 2: 2.0**-5}
_COMPLEX = 2.0**-44  # rounding of a complex step, relative to the largest entry
_NARROW = 1e-2  # of the largest entry: a wider bound confirms nothing
_TINY = 2.0**-300


# ------------------------------------------------------------------------------------- arguments


class Leaf(NamedTuple):
    """A number or an array among the arguments: its name, its place, and where its entries are."""

    name: str
    path: tuple[Any, ...]
    original: Any
    shape: tuple[int, ...]
    entries: slice


def _library(thing: Any) -> str:
    return type(thing).__module__.partition(".")[0]


def to_array(thing: Any) -> np.ndarray:
    """A number, or an array of any library, as an array of NumPy."""
    if _library(thing) == "torch":
        thing = thing.detach().cpu()
        return np.asarray(thing if thing.dtype.itemsize > 2 else thing.float())
    return np.asarray(thing)


def _like(original: Any, array: np.ndarray) -> Any:
    """An array in the type of the original."""
    if _library(original) == "torch":
        return original.new_tensor(array.copy(), requires_grad=original.requires_grad)
    if _library(original) in ("jax", "jaxlib"):
        return sys.modules["jax"].numpy.asarray(array, original.dtype)
    if isinstance(original, np.generic | np.ndarray):
        found = array.astype(array.dtype if array.dtype.kind == "c" else original.dtype)
        return found if isinstance(original, np.ndarray) else found[()]
    return array.item() if array.ndim == 0 else array


def _parts(tree: Any) -> Iterator[tuple[Any, Any]] | None:
    """The keys and the parts of a list, a tuple or a dict."""
    if isinstance(tree, Mapping):
        return iter(tree.items())
    return enumerate(tree) if isinstance(tree, list | tuple) else None


def _flat(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The numbers, arrays and whatever else is in a tree, with their places."""
    parts = _parts(tree)
    if parts is None:
        yield path, tree
        return
    for key, part in parts:
        yield from _flat(part, (*path, key))


def _replaced(tree: Any, new: Mapping[tuple[Any, ...], Any], path: tuple[Any, ...] = ()) -> Any:
    """The tree with other things at some places."""
    parts = _parts(tree)
    if parts is None:
        return new.get(path, tree)
    made = [(key, _replaced(part, new, (*path, key))) for key, part in parts]
    if isinstance(tree, Mapping):
        return dict(made)
    items = [part for _, part in made]
    return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)


def _is_variable(thing: Any, with_whole: bool) -> bool:
    """Whether it is a number or an array of numbers with a fraction."""
    if isinstance(thing, bool | str | bytes) or thing is None or callable(thing):
        return False
    if isinstance(thing, int):
        return with_whole
    if isinstance(thing, float):
        return True
    dtype = str(getattr(thing, "dtype", "")).rpartition(".")[2]  # "torch.float32"
    return dtype.startswith(("float", "bfloat"))


class Arguments:
    """The arguments of a function, and the flat array of the numbers that vary.

    Arrays of integers, labels for instance, and whatever is not a number are constants.

    Args:
        f: the function, for the names of its parameters.
        at: the arguments.
        with_whole: whether numbers of Python that are whole vary, too.
    """

    def __init__(self, f: Callable[..., Any], at: tuple[Any, ...], with_whole: bool) -> None:
        self.at, self.names = at, _names(f, len(at))
        self.leaves: list[Leaf] = []
        start, numbers = 0, []
        for path, thing in _flat(at):
            if _is_variable(thing, with_whole):
                array = to_array(thing)
                entries = slice(start, start + array.size)
                name = self.names[path[0]] + "".join(f"[{key!r}]" for key in path[1:])
                self.leaves.append(Leaf(name, path, thing, array.shape, entries))
                numbers.append(array.astype(float).ravel())
                start += array.size
        self.x = np.concatenate(numbers) if numbers else np.zeros(0)
        varying = {leaf.path[0] for leaf in self.leaves}
        self.varying = [index for index in range(len(at)) if index in varying]
        self.is_numpy = all(
            _library(leaf.original) in ("numpy", "builtins") for leaf in self.leaves
        )
        self.itemsize = min(
            [8, *(to_array(leaf.original).dtype.itemsize for leaf in self.leaves)]
        )

    def build(self, flat: np.ndarray) -> tuple[Any, ...]:
        """The arguments with other numbers. Constants that are arrays are copied."""
        new = {
            leaf.path: _like(leaf.original, flat[leaf.entries].reshape(leaf.shape))
            for leaf in self.leaves
        }
        for path, thing in _flat(self.at):
            if path not in new and isinstance(thing, np.ndarray):
                new[path] = thing.copy()
        return tuple(_replaced(self.at, new))


def _names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of the parameters that get so many arguments."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{index}]" for index in range(count - len(names))]
        elif parameter.kind is not parameter.KEYWORD_ONLY:
            names.append(parameter.name)
    return (names + [f"x{index}" for index in range(len(names), count)])[:count]


# ------------------------------------------------------------------------------------ the function


class _Outputs(NamedTuple):
    """The numbers that a function returned, in a flat array, and the arrays that they were."""

    flat: np.ndarray
    arrays: list[np.ndarray]
    originals: list[Any]
    itemsize: int


def _outputs(result: Any) -> _Outputs:
    originals = [part for _, part in _flat(result)]
    arrays = [to_array(part) for part in originals]
    for array in arrays:
        if array.dtype.kind not in "iufbc" and "float" not in str(array.dtype):
            raise TypeError(f"the function must return numbers, got {array!r}")
    flat = [array.astype(complex if array.dtype.kind == "c" else float) for array in arrays]
    sizes = [array.dtype.itemsize for array in arrays if array.dtype.kind == "f"]
    joined = np.concatenate([array.ravel() for array in flat]) if flat else np.zeros(0)
    return _Outputs(joined, arrays, originals, min([8, *sizes]))


class _Claim(NamedTuple):
    """What is to be checked: a function of a flat array, and its derivatives by another way.

    `gradients` has an array for each leaf, outputs × its shape, or None where there is none.
    """

    function: Callable[[np.ndarray], np.ndarray]
    value: np.ndarray
    floor: np.ndarray | float
    itemsize: int
    gradients: list[np.ndarray | None]
    shown: str  # the name of the value whose derivatives these are; empty for a gradient
    cotangent: np.ndarray | None = None
    outputs: tuple[int, ...] | None = None
    contributions: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass
class ArrayReport(Report):
    """The result of `check_gradients` for a gradient that is computed outside the engine.

    Like `Report`, it is true if everything is confirmed, and `is_wrong` or `is_undecided` else.
    It prints as a table of the arguments, followed by the entries that are wrong and by what the
    mistake looks like. `names`, `gradient` and `point` are those of the wrong entries.

    Args:
        function: the name of the function.
        names: the names of the wrong entries.
        point: the numbers there.
        rows: what was found about each argument: its name, its shape, the verdict, the witness, and
            the largest difference.

    >>> from micrograd.testing import check_gradients
    >>> print(check_gradients(lambda x: x**3, 2.0, gradient=lambda x: 3 * x * x))
    <lambda>: ok, value 8.0
      gradient  shape  verdict  compared with             largest difference
      dx        ()     ok       all entries, complex step 0e+00
    """

    rows: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def _heading(self) -> str:
        value = "" if math.isnan(self.value) else f", value {self.value!r}"
        return f"{self.function}: {self._verdict}{value}"

    def _rows(self) -> list[list[str]]:
        head = ["gradient", "shape", "verdict", "compared with", "largest difference"]
        return [head, *map(list, self.rows)]

    def panel(self, index: int) -> str:
        """Nothing: the sentence of the problem says it all."""
        return ""


# ------------------------------------------------------------------------------------ the check


def check_arrays(
    f: Callable[..., Any],
    at: tuple[Any, ...],
    options: Options,
    *,
    order: int = 1,
    wrt: Any = None,
    **given: Callable[..., Any] | None,
) -> ArrayReport:
    """The report on a gradient, a Jacobian or a backward pass that was written elsewhere.

    Args:
        f: the function.
        at: its arguments.
        options: what the user chose.
        order: the order of the derivatives to check, which must be 1.
        wrt: must be None.
        **given: one of `gradient`, `jacobian` and `vjp`; the others are None.
    """
    chosen = {name: function for name, function in given.items() if function is not None}
    if len(chosen) > 1:
        raise ValueError(f"give one of gradient, jacobian and vjp, got {' and '.join(chosen)}")
    ((kind, function),) = chosen.items()
    if not callable(function):
        raise TypeError(f"{kind} must be a function, got {function!r}")
    if order > 1 or wrt is not None:
        raise ValueError(
            f"order and wrt are for gradients of the engine; {kind}= is checked for order 1, with"
            " respect to the arguments"
        )
    return _Check(f, at, options, kind, function).report


class _Check:
    """A check in progress."""

    def __init__(
        self,
        f: Callable[..., Any],
        at: tuple[Any, ...],
        options: Options,
        kind: str,
        given: Callable[..., Any],
    ) -> None:
        self.f, self.options = f, options
        self.name = _title(f)
        self.report = ArrayReport(self.name, [], [], math.nan)
        self.rng = random.Random(4)  # noqa: S311 (directions, not secrets)
        self.arguments = Arguments(f, at, with_whole=False)
        is_jacobian = kind == "jacobian"
        make = partial(self._backward if kind == "vjp" else self._direct, given, is_jacobian)
        found = make()
        if self._has_whole(found[0]):
            self.arguments = Arguments(f, at, with_whole=True)
            found = make()
        if not self.arguments.leaves:
            raise TypeError(
                f"{self.name} got no number that varies: {at!r}; integers are taken for labels, so"
                " pass floats or an array of floats"
            )
        self.claim = self._claim(*found, is_jacobian=is_jacobian)
        if kind == "gradient":
            self.report.value = float(self.claim.value.sum())
        self.witness = _Witness(self.claim, self.arguments, options)
        self._compare()

    def _has_whole(self, claimed: Any) -> bool:
        """Whether whole numbers of Python vary: the gradient has parts for them, or all are."""
        at = self.arguments.at
        whole = [index for index, part in enumerate(at) if type(part) is int]
        if not self.arguments.leaves:
            return bool(whole)
        is_full = isinstance(claimed, tuple) and len(claimed) == len(at)
        return is_full and bool(whole) and all(claimed[index] is not None for index in whole)

    # ------------------------------------------------------------------------- what is claimed

    def _direct(self, given: Callable[..., Any], is_jacobian: bool) -> tuple[Any, ...]:
        result = self.f(*self.arguments.build(self.arguments.x))
        outputs = _outputs(result)
        if not is_jacobian and outputs.flat.size != 1:
            remedy = "give jacobian= or vjp= instead"
            if isinstance(result, tuple):
                remedy = f"check the part that is the value: lambda *at: {self.name}(*at)[0]"
            raise ValueError(
                f"gradient= is for functions that return a number, but {self.name} returned"
                f" {outputs.flat.size} numbers; {remedy}"
            )
        claimed = given(*self.arguments.build(self.arguments.x))

        def function(flat: np.ndarray) -> np.ndarray:
            return _outputs(self.f(*self.arguments.build(flat))).flat

        return claimed, outputs, function, None, None

    def _backward(self, backward: Callable[..., Any], _: bool) -> tuple[Any, ...]:
        arguments = self.arguments.build(self.arguments.x)
        before = [to_array(part).copy() for _, part in _flat(arguments) if _is_array(part)]
        result = self.f(*arguments)
        after = [to_array(part) for _, part in _flat(arguments) if _is_array(part)]
        if not all(map(_same, before, after)):
            self.report.notes.append(f"{self.name} changes its arguments in place")
        taken = _positional(backward)
        outs, cache = (result,), ()
        if isinstance(result, tuple) and taken == len(result) > 1:
            outs, cache = result[:-1], result[-1:]
        elif isinstance(result, tuple) and len(result) == 2 and taken is None:
            outs, cache = result[:1], result[1:]
        elif isinstance(result, tuple) and taken == 1 and len(result) == 2:
            parts = [part for _, part in _flat(result[1])]
            if not all(map(_is_array, parts)):
                raise TypeError(
                    f"{self.name} returned a result and a cache, but {_title(backward)} takes only"
                    " the gradient of the result; it must take (dout, cache)"
                )
        outputs = _outputs(outs)
        rng = np.random.default_rng(5)
        signs = rng.choice([-1.0, 1.0], outputs.flat.size)
        cotangent = signs * rng.uniform(0.5, 1.0, outputs.flat.size)
        if outputs.itemsize < 8:
            cotangent = cotangent.astype(np.float16).astype(float)

        def called(scale: float) -> Any:
            douts = []
            start = 0
            for array, original in zip(outputs.arrays, outputs.originals, strict=True):
                part = scale * cotangent[start : start + array.size].reshape(array.shape)
                douts.append(_like(original, part))
                start += array.size
            tree = {path: dout for (path, _), dout in zip(_flat(outs), douts, strict=True)}
            replaced = _replaced(outs, tree)
            given = [to_array(d).copy() for d in douts]
            made = backward(*replaced, *cache)
            if not all(map(_same, given, map(to_array, douts))):
                self.report.notes.append(f"{_title(backward)} changes dout in place")
            return made

        claimed = called(1.0)
        again = self.f(*self.arguments.build(self.arguments.x))
        outs, cache = (again[: len(outs)], again[len(outs) :]) if cache else ((again,), ())
        self.doubled = called(2.0)

        def function(flat: np.ndarray) -> np.ndarray:
            made = self.f(*self.arguments.build(flat))
            return _outputs(made[: len(outs)] if cache else made).flat

        return claimed, outputs, function, cotangent, backward

    def _claim(
        self,
        claimed: Any,
        outputs: _Outputs,
        function: Callable[[np.ndarray], np.ndarray],
        cotangent: np.ndarray | None,
        backward: Any,
        *,
        is_jacobian: bool,
    ) -> _Claim:
        value, itemsize = outputs.flat, min(outputs.itemsize, self.arguments.itemsize)
        if cotangent is None:
            shape = outputs.arrays[0].shape if is_jacobian and len(outputs.arrays) == 1 else ()
            gradients = self._matched(claimed, shape)
            shown = self.name if is_jacobian else ""
            return _Claim(function, value, 0.0, itemsize, gradients, shown, outputs=shape)
        weights: np.ndarray = cotangent

        def weighted(flat: np.ndarray) -> np.ndarray:
            return np.array([(weights * function(flat)).sum()])

        def contributions(entries: np.ndarray) -> np.ndarray:
            found = slopes(function, self.arguments.x, value, itemsize=itemsize, only=entries)
            made = weights[:, None] * found.value
            return made.reshape(*outputs.arrays[0].shape, len(entries))

        floor = {8: 2.0**-52, 4: 2.0**-23, 2: 2.0**-10}[itemsize] * abs(weights * value).sum()
        is_single = len(outputs.arrays) == 1
        gradients = self._matched(claimed, ())
        doubled = self._matched(self.doubled, ())
        for leaf, once, twice in zip(self.arguments.leaves, gradients, doubled, strict=True):
            if once is None or twice is None or not np.isfinite(once).all():
                continue
            size = max(abs(once).max(initial=0), abs(twice).max(initial=0))
            if (abs(twice - 2 * once) > 64 * _ROUNDING[itemsize] * size).any():
                how = "does not depend on dout" if _same(once, twice) else "is not linear in dout"
                self.report.suspicions.append(f"d{leaf.name} {how}")
        return _Claim(
            weighted,
            np.array([(weights * value).sum()]),
            floor,
            itemsize,
            gradients,
            "",
            weights.reshape(outputs.arrays[0].shape) if is_single else None,
            (),
            contributions if is_single else None,
        )

    def _matched(self, claimed: Any, outputs: tuple[int, ...]) -> list[np.ndarray | None]:
        """For each leaf, what is claimed: outputs × the shape of the leaf, or None."""
        arguments, at = self.arguments, self.arguments.at
        parts: list[Any]
        if isinstance(claimed, Mapping) and not all(isinstance(a, Mapping) for a in at[:1]):
            parts = []
            for name in arguments.names:
                known = [key for key in (name, f"d{name}", f"grad_{name}") if key in claimed]
                parts.append(claimed[known[0]] if known else None)
        elif isinstance(claimed, tuple | list) and len(at) > 1:
            parts = [None] * len(at)
            if len(claimed) == len(at):
                parts = list(claimed)
            elif len(claimed) == len(arguments.varying):
                for index, part in zip(arguments.varying, claimed, strict=True):
                    parts[index] = part
            else:
                raise ValueError(
                    f"the gradient of {self.name} has {len(claimed)} parts, but there are"
                    f" {len(arguments.varying)} arguments with numbers that vary:"
                    f" {', '.join(arguments.names[index] for index in arguments.varying)}"
                )
        elif len(at) == 1:
            is_wrapped = isinstance(claimed, tuple) and len(claimed) == 1
            parts = [claimed[0] if is_wrapped and not isinstance(at[0], tuple) else claimed]
        else:  # as jax.grad and torch.func.grad do
            first = arguments.varying[0] if arguments.varying else 0
            parts = [None] * len(at)
            parts[first] = claimed
        found: list[np.ndarray | None] = []
        for leaf in arguments.leaves:
            part = parts[leaf.path[0]]
            for key in leaf.path[1:]:
                if part is None:
                    break
                try:
                    part = part[key]
                except (KeyError, IndexError, TypeError):
                    raise ValueError(
                        f"the gradient has no part for {leaf.name}: it must have the structure of"
                        " the argument"
                    ) from None
            if part is None:
                note = f"d{leaf.name} is not given, and not checked"
                if note not in self.report.notes:
                    self.report.notes.append(note)
            found.append(None if part is None else to_array(part).astype(float))
        return found

    # ------------------------------------------------------------------------- the comparison

    def _compare(self) -> None:
        self.expected: dict[str, np.ndarray] = {}
        self.bounds: dict[str, np.ndarray] = {}
        wrongs = []
        for leaf, got in zip(self.arguments.leaves, self.claim.gradients, strict=True):
            if got is None:
                continue
            shape = ((self.claim.outputs or ()) if self.claim.shown else ()) + leaf.shape
            if got.shape != shape and got.size == math.prod(shape) == 1:
                got = got.reshape(shape)
            if got.shape != shape:
                self._misshapen(leaf, got, shape)
                continue
            matrix = got.reshape(len(self.claim.value), -1)
            wrong = self._compare_leaf(leaf, matrix)
            if wrong is not None:
                wrongs.append((leaf, matrix, wrong))
        for leaf, got, wrong in wrongs:
            self._accuse(leaf, got, wrong)

    def _compare_leaf(self, leaf: Leaf, got: np.ndarray) -> np.ndarray | None:
        """The true gradient and what is wrong of it, outputs × entries; None if nothing is."""
        undecided = len(self.report.undecided)
        count = got.shape[1]
        self.largest = 0.0
        if count <= _FEW:
            expected, wrong = self._entries(leaf, got, np.arange(count))
            heard = f"all entries, {self.witness.name}" if count > 1 else self.witness.name
        else:
            found = self._search(leaf, got)
            heard = f"random directions, {self.witness.name}"
            expected, wrong = found or (np.full_like(got, np.nan), np.zeros(got.shape, bool))
        is_open = len(self.report.undecided) > undecided
        verdict = "WRONG" if wrong.any() else "UNDECIDED" if is_open else "ok"
        self._row(leaf, verdict, heard, f"{self.largest:.0e}")
        self.expected[leaf.name] = expected
        return wrong if wrong.any() else None

    def _row(self, leaf: Leaf, *cells: str) -> None:
        name = self._title(leaf)
        shape = " × ".join(map(str, leaf.shape)) or "number"
        self.report.rows.append((name, shape, *cells))  # type: ignore[arg-type]

    def _entries(
        self, leaf: Leaf, got: np.ndarray, indices: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The true gradient at some entries, nan elsewhere; and which of them are wrong."""
        expected, wrong = np.full(got.shape, np.nan), np.zeros(got.shape, bool)
        at = indices + leaf.entries.start
        true, error = self.witness.entries(at)
        scale = float(abs(true).max(initial=0, where=np.isfinite(true)))
        accepted = self.options.atol + self.options.rtol * abs(true)
        bound = 2 * error + _ROUNDING[self.claim.itemsize] * scale + accepted
        apart = abs(got[:, indices] - true)
        is_wrong = ~(apart <= bound) & np.isfinite(true) & np.isfinite(error)
        size = 1e-4 * abs(self.claim.value)[:, None] / np.maximum(abs(self.arguments.x[at]), 1)
        enough = np.maximum(_NARROW * scale, size) + accepted
        is_loose = ~is_wrong & ~(bound <= enough)
        kink = 1e-3 if self.claim.itemsize == 8 else 3e-2
        doubtful = np.flatnonzero((is_wrong | is_loose).any(axis=0))
        for place, sides in zip(doubtful, self.witness.sides(at[doubtful]), strict=True):
            (left, right), error_of_sides = sides
            is_kink = abs(right - left) > 4 * error_of_sides + kink * scale
            low, high = np.minimum(left, right), np.maximum(left, right)
            slack = error_of_sides + bound[:, place]
            claimed = got[:, indices[place]]
            name = self._entry(leaf, 0, int(indices[place]), got.shape)
            if is_kink.any():
                text = f"{left[is_kink][0]:.6g} on the left, {right[is_kink][0]:.6g} on the right"
                one = claimed[is_kink][0]
                if ((low - slack <= claimed) & (claimed <= high + slack))[is_kink].all():
                    self.report.notes.append(f"{name} at a kink: {one:.6g} lies between {text}")
                else:
                    self.report.undecided.append(f"{name} at a kink: {one:.6g}, but {text}")
                is_wrong[is_kink, place] = False
                apart[is_kink, place] = 0.0
                is_loose[is_kink, place] = False
        for output, place in np.argwhere(is_loose):
            name = self._entry(leaf, output, int(indices[place]), got.shape)
            self.report.undecided.append(
                f"{name}: got {got[output, indices[place]]:.6g}, {true[output, place]:.6g}"
                f" ± {error[output, place]:.0e}, which confirms nothing"
            )
        expected[:, indices], wrong[:, indices] = true, is_wrong
        self.bounds[leaf.name] = np.full(got.shape, np.nan)
        self.bounds[leaf.name][:, indices] = bound
        finite = np.isfinite(apart)
        self.largest = max(self.largest, float(apart.max(initial=0, where=finite)))
        return expected, wrong

    # ------------------------------------------------------------------------- large arrays

    def _search(self, leaf: Leaf, got: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """A sample of the entries if one is wrong, by random directions and halving."""
        groups, kinks, name = [list(range(got.shape[1]))], 0, f"d{leaf.name}"
        for _ in range(8 * _SEARCHES):
            if not groups:
                return None
            group = groups.pop()
            says = [self._says(leaf, got, group) for _ in range(2)]
            if all(agrees for agrees, _ in says):
                if all(is_narrow for _, is_narrow in says):
                    continue
                if len(group) > _SMALLEST:
                    groups += [group[: len(group) // 2], group[len(group) // 2 :]]
                    continue
                break
            index = first_wrong(group, lambda part: not self._says(leaf, got, part)[0])
            open_before = len(self.report.undecided)
            notes_before = len(self.report.notes)
            _, wrong = self._entries(leaf, got, np.array([index]))
            if wrong.any():
                del self.report.undecided[open_before:]
                return self._entries(leaf, got, self._sample(leaf, index))
            was_kink = len(self.report.undecided) + len(self.report.notes)
            kinks += 1
            if was_kink == open_before + notes_before or kinks == _SEARCHES:
                self.report.undecided.append(
                    f"{name}: differences in random directions disagree, but no entry that is"
                    " wrong was found"
                )
                return None
            groups.append([other for other in group if other != index])
        self.report.undecided.append(
            f"{name}: differences in random directions are too inaccurate to show a wrong entry"
        )
        return None

    def _says(self, leaf: Leaf, got: np.ndarray, group: Sequence[int]) -> tuple[bool, bool]:
        """Whether a random direction agrees, and whether one wrong entry would show."""
        steps = np.array([self.rng.choice((-1, 1)) * self.rng.uniform(0.5, 1) for _ in group])
        direction = np.zeros_like(self.arguments.x)
        direction[leaf.entries.start + np.asarray(group)] = steps
        true, error = self.witness.along(direction)
        parts = got[:, group] * steps
        size = np.sqrt((parts**2).sum(axis=1))
        accepted = self.options.atol * abs(steps).sum() + self.options.rtol * abs(true)
        bound = 2 * error + 4 * _ROUNDING[self.claim.itemsize] * size + accepted
        apart = abs(parts.sum(axis=1) - true)
        agrees = bool((apart <= bound).all())
        typical = size / math.sqrt(len(group))
        is_narrow = bool((bound <= 0.3 * typical + 1e-6 * abs(self.claim.value) + accepted).all())
        self.largest = max(self.largest, float(apart.max(initial=0)))
        return agrees, is_narrow

    def _sample(self, leaf: Leaf, index: int) -> np.ndarray:
        """Entries in line with one that is wrong along each axis, and some at random."""
        place = np.unravel_index(index, leaf.shape)
        chosen = {index}
        for axis, count in enumerate(leaf.shape):
            for other in self.rng.sample(range(count), min(count, _SAMPLE // 4)):
                moved = (*place[:axis], other, *place[axis + 1 :])
                chosen.add(int(np.ravel_multi_index(moved, leaf.shape)))
        chosen |= {self.rng.randrange(math.prod(leaf.shape)) for _ in range(_SAMPLE // 2)}
        return np.array(sorted(chosen))

    # ------------------------------------------------------------------------- what is wrong

    def _title(self, leaf: Leaf) -> str:
        return f"d{self.claim.shown}/d{leaf.name}" if self.claim.shown else f"d{leaf.name}"

    def _entry(self, leaf: Leaf, output: int, index: int, shape: tuple[int, ...]) -> str:
        """The name of an entry, such as dW[2, 0], or df[1]/dW[2, 0] of a Jacobian."""

        def indexed(name: str, number: int, sizes: tuple[int, ...]) -> str:
            places = ", ".join(map(str, np.unravel_index(number, sizes))) if sizes else ""
            return f"{name}[{places}]" if places else name

        inner = indexed(f"d{leaf.name}", index, leaf.shape)
        if not self.claim.shown:
            return inner
        return f"{indexed(f'd{self.claim.shown}', output, self.claim.outputs or ())}/{inner}"

    def _accuse(self, leaf: Leaf, got: np.ndarray, wrong: np.ndarray) -> None:
        report, expected = self.report, self.expected[leaf.name]
        apart = np.where(wrong, abs(got - expected), -1)
        places = np.argwhere(wrong)
        shown = sorted(map(tuple, places), key=lambda p: -apart[p])[:_SHOWN]
        for output, index in sorted(shown):
            name = self._entry(leaf, output, int(index), got.shape)
            one, true = float(got[output, index]), float(expected[output, index])
            bound = float(self.bounds[leaf.name][output, index])
            a, b = _told_apart(one, true)
            sentence = f"{name}: got {a}, {b} ± {bound:.0e}"
            problem = Problem(sentence, len(report.names), one, true, bound, self.witness.name)
            report.problems.append(problem)
            report.names.append(name)
            report.gradient.append(one)
            report.point.append(float(self.arguments.x[leaf.entries.start + int(index)]))
        known = int(np.isfinite(expected).sum())
        if known > 1:
            looked = "" if known == expected.size else " that were looked at"
            count = int(wrong.sum())
            report.notes.append(
                f"{count} of {known} entries of {self._title(leaf)}{looked} {'is' if count == 1 else 'are'}"
                " wrong"
            )
        shape = ((self.claim.outputs or ()) if self.claim.shown else ()) + leaf.shape
        text = suspicion(
            got.reshape(shape), expected.reshape(shape), wrong.reshape(shape), self._around(leaf)
        )
        if text:
            report.suspicions.append(f"{self._title(leaf)}: {text}")

    def _around(self, leaf: Leaf) -> Surroundings:
        arguments = self.arguments
        parts = {
            other.name: arguments.x[other.entries].reshape(other.shape)
            for other in arguments.leaves
        }
        sizes: dict[int, str] = {}
        for path, thing in _flat(arguments.at):
            if _is_array(thing):
                name, shape = arguments.names[path[0]], to_array(thing).shape
                if shape and not sizes:
                    sizes[shape[0]] = "the batch size, the first axis of " + name
                for axis, count in enumerate(shape):
                    sizes.setdefault(count, f"the size of axis {axis} of {name}")
                sizes.setdefault(math.prod(shape), f"the number of entries of {name}")
        contributions, cotangent = self.claim.contributions, self.claim.cotangent
        if cotangent is not None:
            summed = cotangent.size // max(parts[leaf.name].size, 1)
            sizes.setdefault(summed, "the number of outputs over which it is a sum")
        return Surroundings(
            variable=parts[leaf.name],
            sizes=sizes,
            cotangent=cotangent,
            others=parts,
            gradients={
                name: found.reshape(parts[name].shape)
                for name, found in self.expected.items()
                if name != leaf.name and found.size == parts[name].size
            },
            terms=contributions
            and (lambda places: contributions(places + leaf.entries.start)),
            is_double=self.claim.itemsize == 8,
        )

    def _misshapen(self, leaf: Leaf, got: np.ndarray, shape: tuple[int, ...]) -> None:
        """Report a gradient of another shape than its argument."""
        sentence = f"d{leaf.name} has the shape {got.shape}, but it should have {shape}"
        self.report.problems.append(Problem(sentence))
        self._row(leaf, "WRONG", "shape", "")
        if math.prod(shape) > _FEW:
            return
        indices = np.arange(leaf.entries.start, leaf.entries.stop)
        expected = self.witness.entries(indices)[0].reshape(shape)
        tried: list[tuple[str, Callable[[], np.ndarray]]] = [
            ("it is transposed", lambda: got.T),
            ("it has the right numbers in another shape", lambda: got.reshape(shape)),
            ("it is not multiplied by dout", lambda: got),
        ]
        for count in range(1, got.ndim + 1):
            for axes in itertools.combinations(range(got.ndim), count):
                words = " and ".join(map(str, axes))
                total = got.sum(axis=axes, keepdims=len(shape) == got.ndim)
                tried.append((f"it is not summed over axis {words}", lambda total=total: total))
        size = abs(expected).max(initial=0)
        for words, made in tried:
            try:
                candidate = made()
            except ValueError:
                continue
            if candidate.shape == shape and (abs(candidate - expected) <= 1e-4 * size).all():
                self.report.suspicions.append(f"d{leaf.name}: {words}")
                return


def _told_apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    for digits in (6, 9, 12, 17):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def _is_array(thing: Any) -> bool:
    return hasattr(thing, "dtype") and hasattr(thing, "shape")


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other, equal_nan=True))


def _title(f: Callable[..., Any]) -> str:
    name = getattr(f, "__name__", type(f).__name__)
    return "f" if name == "<lambda>" else name


def _positional(f: Callable[..., Any]) -> int | None:
    """How many arguments a function needs; None if it cannot be told."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is p.empty for p in parameters)


# ------------------------------------------------------------------------------------ witnesses


class _Witness:
    """Differences, and complex steps where they agree with these in random directions."""

    def __init__(self, claim: _Claim, arguments: Arguments, options: Options) -> None:
        self.claim, self.x, self.step = claim, arguments.x, options.eps
        self.floor = claim.floor
        if claim.itemsize < 8:  # rounding inside the function exceeds that of its value
            noise = noise_of(claim.function, self.x, claim.value, claim.itemsize)
            self.floor = np.maximum(self.floor, noise)
        self.asked = [name for name in ("difference", "complex step") if name in options.modes]
        if not self.asked:
            raise ValueError(
                'modes: a gradient computed elsewhere is compared with "difference" and "complex'
                ' step"; neither was named'
            )
        fits = "complex step" in self.asked and arguments.is_numpy and claim.itemsize == 8
        self.is_complex = fits
        rng = np.random.default_rng(6)
        for _ in range(2 * fits):
            signs = rng.choice([-1.0, 1.0], len(self.x))
            self.along(signs * rng.uniform(0.5, 1.0, len(self.x)))
        if self.asked == ["complex step"] and not self.is_complex:
            raise ValueError(
                'modes: "complex step" needs a function that computes with complex numbers in'
                ' double precision; add "difference"'
            )

    @property
    def name(self) -> str:
        """The name of the witness that is heard."""
        return "complex step" if self.is_complex else "difference"

    def _differences(self, **chosen: Any) -> tuple[np.ndarray, np.ndarray]:
        claim = self.claim
        return slopes(
            claim.function, self.x, claim.value, itemsize=claim.itemsize, floor=self.floor,
            step=self.step, **chosen,
        )  # fmt: skip

    def along(self, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The derivative of each output in a direction, and its error."""
        exact = self._complex(direction) if self.is_complex else None
        if exact is not None and self.asked == ["complex step"]:
            return exact, self._rounding(exact)
        found, error = (part[:, 0] for part in self._differences(directions=[direction]))
        if exact is None:
            return found, error
        rounding = self._rounding(exact)
        if (abs(exact - found) <= 2 * error + rounding).all():
            return exact, rounding
        self.is_complex = False
        return found, error

    def entries(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The derivatives by some entries, outputs × entries, and their errors."""
        if self.is_complex:
            columns = []
            for index in indices:
                direction = np.zeros_like(self.x)
                direction[index] = 1.0
                columns.append(self._complex(direction))
            if all(column is not None for column in columns):
                found = np.array(columns).T
                return found, np.full_like(found, self._rounding(found).max(initial=0))
            self.is_complex = False
        return self._differences(only=indices)

    def sides(self, indices: np.ndarray) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray]]:
        """The slopes on the left and on the right of some entries, and their error."""
        for index in indices:
            axis = np.zeros_like(self.x)
            axis[index] = 1.0
            found, error = self._differences(directions=[-axis, axis], is_forward=True)
            yield (0.0 - found[:, 0], found[:, 1]), error.max(axis=1)

    def _rounding(self, found: np.ndarray) -> np.ndarray:
        size = float(abs(found).max(initial=0)) + 2.0**-8 * abs(self.claim.value)
        return np.broadcast_to(_COMPLEX * np.max(size), found.shape)

    def _complex(self, direction: np.ndarray) -> np.ndarray | None:
        """The derivative by a complex step; None if the function does not admit it."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("error")
                found = self.claim.function(self.x + 1j * _TINY * direction)
        except Exception:  # whatever code for real numbers does with complex ones
            return self._silent()
        if found.dtype.kind != "c" or not np.isfinite(found).all():
            return self._silent()
        return found.imag / _TINY

    def _silent(self) -> None:
        self.is_complex = False
