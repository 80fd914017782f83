"""`Operation`: a checked row of the table of operations, and the table itself.

The rows are written in `micrograd.ops`. Import the table from there, where it is filled.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import zip_longest
from typing import Any, NamedTuple
from unicodedata import is_normalized

from micrograd.locks import forkable_property
from micrograd.table.formulas import (
    LETTERS,
    OPERANDS,
    RESULT,
    Call,
    FormulaError,
    Tree,
    calls,
    flow,
    gated,
    variables,
    with_truths,
)
from micrograd.table.interpreters import ERRORS, FLOATS, IEEE, ON_FLOATS, ON_IEEE, Interpreter
from micrograd.table.reading import parse

Partials = tuple[float | None, ...]


class Row(NamedTuple):
    """A row as written in the table, not checked yet; `micrograd.ops` explains the columns."""

    name: str
    formula: str
    partials: Sequence[Any]  # texts; of an operation defined by a function, also functions
    typeset: str = ""
    symbol: str = ""
    domain: str = ""
    kink: str = ""
    note: str = ""
    note_zh: str = ""
    operator: str = ""
    textbook: Sequence[str] = ()
    traced: Sequence[str] = ()


_NAN = Call("sub", (float("inf"), float("inf")))
EQUALITIES = frozenset({"__eq__", "__ne__"})
COMPARISONS = frozenset({"__lt__", "__le__", "__gt__", "__ge__"}) | EQUALITIES


class Operation:
    """A checked row of the table: its columns, and its formulas as trees."""

    name: str
    formula: str
    partials: Sequence[str]
    typeset: str
    symbol: str
    domain: str
    kink: str
    note: str
    note_zh: str
    operator: str
    textbook: Sequence[str]
    traced: Sequence[str]
    slopes: tuple[Tree, ...]
    """The partials as trees."""

    def __init__(self, row: Row, expression: Tree, slopes: tuple[Tree, ...]) -> None:
        self.__dict__.update(row._asdict())
        self.row = row
        self.expression = expression
        self.slopes = slopes
        self._flows: dict[tuple[int, str], Tree | None] = {}

    def __repr__(self) -> str:
        return f"<operation {self.name}({', '.join(self.operands)}) = {self.formula}>"

    function: Callable[..., Any] | None = None
    """The function on floats that computes the operation, if a user defined it by one."""
    array_function: Callable[..., Any] | None = None
    """The same function on NumPy arrays."""

    @property
    def is_known(self) -> bool:
        """Whether the trees of the partials are known already."""
        return True

    @property
    def arity(self) -> int:
        """The number of operands."""
        return len(self.row.partials)

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the operands in the formula."""
        return LETTERS[: self.arity]

    @property
    def constants(self) -> frozenset[int]:
        """The places of the operands that must be constants: their partial is nan."""
        return frozenset(i for i, slope in enumerate(self.slopes) if slope == _NAN)

    @property
    def is_primitive(self) -> bool:
        """Whether the formula only calls the row itself, so that vocabularies must define it."""
        return self.expression == Call(self.name, self.operands)

    @forkable_property
    def computed(self) -> Tree:
        """The formula with truth values kept apart from numbers."""
        return with_truths(self.expression)

    def flow(self, place: int, product: str = "mul") -> Tree | None:
        """The formula for what flows back to an operand; None if that is always 0.

        Args:
            place: the position of the operand.
            product: the name of the operation that multiplies the adjoint and the partial.
        """
        if (place, product) not in self._flows:
            slope = with_truths(self.slopes[place])
            self._flows[place, product] = flow(slope, product)
        return self._flows[place, product]

    @forkable_property
    def traced_slopes(self) -> tuple[Tree, ...]:
        """The partials that a traced function is given, to be differentiated again."""
        return tuple(
            self.read(text) if text else tree
            for text, tree in zip_longest(self.traced, self.slopes)
        )

    @property
    def is_comparison(self) -> bool:
        """Whether the result has a truth value."""
        return self.operator in COMPARISONS

    @property
    def is_equality(self) -> bool:
        """Whether the operator is `==` or `!=`, which compare two Values by identity."""
        return self.operator in EQUALITIES

    @forkable_property
    def document(self) -> str:
        """The docstring of the method and the function: formula, derivatives, domain and note."""
        formula, *partials = self.told_texts
        slopes = (f"d/d{x}: {text}" for x, text in zip(self.operands, partials, strict=True))
        first = f"{self.name}({', '.join(self.operands)})"
        return "\n\n".join(
            part
            for part in (
                f"{first}." if formula == first else f"{first} = {formula}.",
                f"Local derivatives, {RESULT} being the result: {'; '.join(slopes)}.",
                f"Domain: {self.domain}." if self.domain else "",
                self.note,
            )
            if part
        )

    @property
    def told_texts(self) -> tuple[str, ...]:
        """The formula and the partials as a textbook writes them, for readers."""
        own = (self.formula, *self.partials)
        return tuple(text or known for text, known in zip_longest(self.textbook, own))

    @forkable_property
    def told(self) -> tuple[Tree, ...]:
        """The trees of `told_texts`, which are parsed when they are first needed."""
        own = (self.expression, *self.slopes)
        return tuple(
            self.read(text) if text else tree for text, tree in zip_longest(self.textbook, own)
        )

    def read(self, text: str, place: str = "") -> Tree:
        """Parse a formula of the operands and the result, such as the domain."""
        return read(text, (*self.operands, RESULT), place or self.name)

    def __reduce__(self) -> tuple[Callable[[str], Operation], tuple[str]]:
        return lookup, (self.name,)

    def value(self, *operands: float) -> float:
        """The result at floats."""
        try:
            result: float = FLOATS[self.name](*operands)
        except ERRORS:
            result = IEEE[self.name](*operands)
        return result

    def evaluate(self, *operands: float) -> tuple[float, Partials]:
        """The result and the local partials at floats; None for one where no gradient passes."""
        try:
            return self._quick(*operands)
        except ERRORS:
            return self._complete(*operands)

    @forkable_property
    def _quick(self) -> Callable[..., tuple[float, Partials]]:
        return self._kernel(ON_FLOATS)

    @forkable_property
    def _complete(self) -> Callable[..., tuple[float, Partials]]:
        return self._kernel(ON_IEEE)

    def _kernel(self, numbers: Interpreter) -> Callable[..., tuple[float, Partials]]:
        value = numbers.text(self.expression)
        slopes = "".join(f"{numbers.text(gated(with_truths(slope)))}, " for slope in self.slopes)
        kernel: Callable[..., tuple[float, Partials]] = numbers.meaning(
            f"lambda {', '.join(self.operands)}: (lambda out: (out, ({slopes})))({value})"
        )
        return kernel


class _BuiltIn(Operation):
    """A row of the package, which is checked when its formulas are first needed.

    An import needs few of them, and tests check all.
    """

    def __init__(self, row: Row, known: dict[str, int]) -> None:
        super().__init__(complete(row), row.name, ())
        del self.__dict__["expression"], self.__dict__["slopes"]  # until they are needed
        self._check = partial(checked, row, known)

    @forkable_property
    def _checked(self) -> Operation:
        return self._check()

    @forkable_property
    def expression(self) -> Tree:
        """The formula as a tree."""
        return self._checked.expression

    @forkable_property
    def slopes(self) -> tuple[Tree, ...]:
        """The partials as trees."""
        return self._checked.slopes


TABLE: dict[str, Operation] = {}
"""The operations by name: the rows of `micrograd.ops`, then those that users have defined."""
STOPPING: dict[str, Operation] = {}
"""The products of the chain rule, which users cannot call."""

GIVEN: dict[str, Operation] = {}
"""What a derivative that is given becomes in a program, which users cannot call."""

_built_in: set[str] = set()
_reserved = {*OPERANDS, RESULT, "self", "other"}
_listeners: list[Callable[[Operation], None]] = []


def on_define(listener: Callable[[Operation], None]) -> Callable[[Operation], None]:
    """Call a function with each row that a user adds. Returns it, so this can be a decorator."""
    _listeners.append(listener)
    return listener


def reserve(names: Iterable[str]) -> None:
    """Do not allow these names for rows that a user adds."""
    _reserved.update(names)


def read(text: str, names: Sequence[str], place: str) -> Tree:
    """Parse a formula of these names, which may call every row; `place` begins error messages."""
    known = {row.name: row.arity for row in TABLE.values()}
    return parse(text, names=names, known=known, place=place)


def lookup(name: str) -> Operation:
    """The row of that name. The KeyError for an unknown name tells the user to define it first."""
    try:
        return TABLE.get(name) or STOPPING.get(name) or GIVEN[name]
    except KeyError:
        raise KeyError(
            f"no operation {name!r} here: call micrograd.define({name!r}, …) first"
        ) from None


def add_row(row: Row, make: Callable[[Row, dict[str, int]], Operation] | None = None) -> Operation:
    """Check a user's row and add it to the table.

    It replaces a row of the same name that a user added before. Raises FormulaError, a ValueError
    that names the row, if anything in it is wrong; then nothing is changed. `make` is what checks
    the row, by default `checked`.
    """
    make = make or checked
    name = f"operation {row.name!r}"
    if not isinstance(row.name, str) or not row.name.isidentifier() or keyword.iskeyword(row.name):
        raise FormulaError(f"{name}: a name is a Python identifier")
    if row.name.startswith("_") or row.name in _reserved or not is_normalized("NFKC", row.name):
        raise FormulaError(f"{name}: the name is reserved; choose another")
    if row.name in _built_in:
        raise FormulaError(f"{name} is a row of the table already; choose another name")
    operation = make(row, {known.name: known.arity for known in TABLE.values()})
    _refuse_to_break_users(operation)
    places: list[dict[str, Any]] = [TABLE, FLOATS, IEEE]
    before = [place.get(row.name) for place in places]
    try:
        _enter([operation])
        for listener in _listeners:
            listener(operation)
    except BaseException:
        for place, entry in zip(places, before, strict=True):
            place.pop(row.name, None)
            if entry is not None:
                place[row.name] = entry
        raise
    return operation


def _refuse_to_break_users(operation: Operation) -> None:
    """FormulaError if a new row would break the rows that call the one it replaces."""
    below = set() if operation.is_primitive else calls(operation.expression)
    while deeper := set().union(*(calls(TABLE[name].expression) for name in below)) - below:
        below |= deeper
    if operation.name in below:
        raise FormulaError(f"operation {operation.name!r}: the formula leads back to itself")
    replaced = TABLE.get(operation.name, operation)
    for user in TABLE.values():
        if not user.is_known:
            continue
        called = calls(user.expression).union(*map(calls, user.slopes))
        if operation.name in called and replaced.arity != operation.arity:
            raise FormulaError(
                f"operation {operation.name!r}: {user.name!r} calls it with {replaced.arity} "
                f"operands; it cannot be replaced by one of {operation.arity}"
            )


def checked(row: Row, known: dict[str, int]) -> Operation:
    """Parse and check a row; FormulaError if it is wrong.

    Args:
        row: the row.
        known: the rows that it may call, with their numbers of operands.
    """
    name = f"operation {row.name!r}"
    if isinstance(row.partials, str) or not isinstance(row.partials, Sequence):
        raise FormulaError(f"{name}: partials is a list of formulas, one per operand")
    expression = parse(row.formula, names=OPERANDS, known=known, place=f"{name}: formula")
    used = variables(expression)
    arity = len(used)
    names = OPERANDS[:arity]
    if not used or used != set(names):
        raise FormulaError(
            f"{name}: the formula {row.formula!r} uses {', '.join(sorted(used)) or 'no operand'}; "
            "its operands are x, or x and y, or x, y and z"
        )
    if len(row.partials) != arity:
        raise FormulaError(f"{name}: {arity} operands need {arity} partials, got {row.partials!r}")
    slopes = tuple(
        parse(
            text,
            names=(*names, RESULT),
            known=known | {row.name: arity},
            place=f"{name}: partial for {operand}",
        )
        for operand, text in zip(names, row.partials, strict=True)
    )
    for column in ("domain", "kink"):
        if text := getattr(row, column):
            parse(text, names=names, known=known, place=f"{name}: {column}")
    return Operation(complete(row), expression, slopes)


def complete(row: Row) -> Row:
    """Fill in the columns that may be left out."""
    arguments = ", ".join(LETTERS[: len(row.partials)])
    typeset = rf"\operatorname{{{row.name}}}({arguments})".replace("_", r"\_")
    return row._replace(
        partials=tuple(row.partials),
        typeset=row.typeset or typeset,
        symbol=row.symbol or row.name,
    )


def _enter(operations: Sequence[Operation]) -> None:
    """Add checked rows to the table, and let other formulas call them."""
    _supply(operations)
    TABLE.update((operation.name, operation) for operation in operations)


def _supply(operations: Sequence[Operation]) -> None:
    """Let formulas on floats call checked rows."""
    for operation in operations:
        ON_FLOATS.enter(operation)
        ON_IEEE.enter(operation)


def enter_built_in(rows: Sequence[Row], stopping: Sequence[Row], given: Sequence[Row]) -> None:
    """Add the rows of the package to `TABLE`, `STOPPING` and `GIVEN`."""
    known = {row.name: len(row.partials) for row in rows}
    _enter([_BuiltIn(row, known) for row in rows])
    _built_in.update(known)
    products = {row.name: len(row.partials) for row in stopping}
    STOPPING.update((row.name, _BuiltIn(row, known | products)) for row in stopping)
    _supply([*STOPPING.values()])
    reserve(products)
    GIVEN.update((row.name, _BuiltIn(row, known)) for row in given)
    _supply([*GIVEN.values()])
    reserve(GIVEN)
