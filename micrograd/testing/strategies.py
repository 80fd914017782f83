"""Strategies for Hypothesis: numbers, random expressions with shared subexpressions, networks.

They serve the tests of anything that computes gradients:

    from hypothesis import given
    from micrograd.testing.strategies import expressions

    @given(expressions())
    def test_my_gradient(expression):
        assert my_gradient(expression, expression.at) == approx(...)

An expression is a function of floats, of Values, or of another type of number; `expression.at` is
a point where all of it is smooth. A test that fails shows a short Python program that fails, too.

An engine other than ours is tested in the same way. Its operators are used where Python has them;
`vocabulary=` says what it calls the other operations. These may be methods, as in `decimal`,
functions of a module, as in `cmath`, or an infix operator in place of ours:

>>> import cmath, operator
>>> from decimal import Decimal
>>> from micrograd.testing.expression import ExpressionStep
>>> steps = ExpressionStep("mul", (0, 0)), ExpressionStep("log", (1,))
>>> f = Expression(("x",), (3.0,), steps)  # log(x * x)
>>> print(f(Decimal(3), vocabulary={"log": lambda x: x.ln()}))
2.197224577336219382790490474
>>> module = {name: getattr(cmath, name) for name in ("exp", "log", "tanh")}
>>> f(3j, vocabulary=module)
(2.1972245773362196+3.141592653589793j)
>>> f({1, 2}, vocabulary={"mul": operator.and_, "log": sorted})
[1, 2]
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple

try:
    from hypothesis import assume
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError as error:
    raise ImportError(
        f"micrograd.testing.strategies needs Hypothesis: pip install hypothesis ({error})"
    ) from error

from micrograd.ops import SERVING, TABLE, Operation, lookup, read
from micrograd.table.formulas import COMPARISONS, Call, Tree, variables
from micrograd.table.interpreters import ON_IEEE
from micrograd.testing import options
from micrograd.testing.arithmetic import domain
from micrograd.testing.expression import BUILT_IN, Expression, ExpressionStep, Operand, WithSource

if TYPE_CHECKING:
    from nn import MLP

__all__ = ["DIFFERENTIABLE", "Expression", "Network", "expressions", "networks", "scalars"]

# Without `detach`, whose domain 0 says that its partial is a derivative nowhere, without operations
# that need a constant, and without the rows in which the partials of others are written.
DIFFERENTIABLE = tuple(
    name
    for name in BUILT_IN
    if TABLE[name].domain != "0" and not TABLE[name].constants and name not in SERVING
)

MARGIN = 2.0**-5  # distance of a smooth point from the border of a domain and from a kink
LARGEST, SMALLEST = 1e3, 1e-6  # size of the results (0 is one, too) and of the partials

# ------------------------------------------------------------------------------------ numbers

_ORDINARY = (  # Hypothesis shrinks towards the first
    st.integers(-10, 10).map(float)
    | st.integers(-20, 20).map(lambda k: k / 2)
    | st.integers(-100, 100).map(lambda k: k / 10)
    | st.integers(-8_000_000, 8_000_000).map(lambda k: k / 1_000_000)
)
_EDGES = st.sampled_from(
    (0.0, -0.0, 1.0, -1.0, 2.0**-52, 1e-300, 5e-324, -5e-324, 1e300, -1e300, 2.0**1023)
)


def scalars(
    domain: str = "",
    *,
    edges: bool = False,
    infinite: bool = False,
    nan: bool = False,
) -> SearchStrategy[float]:
    """Floats of at most 11 in size: small integers, halves, decimals of one digit or six.

    Args:
        domain: a condition on `x` in the language of the table, such as `TABLE["log"].domain`.
        edges: whether to add zeros of both signs, ones, and the smallest and largest numbers.
        infinite: whether to add both infinities.
        nan: whether to add nan.

    >>> from hypothesis import find
    >>> find(scalars("x > 0"), lambda x: x != 1)
    2.0
    """
    numbers: SearchStrategy[float] = _ORDINARY
    if edges:
        numbers |= _EDGES
    if infinite:
        numbers |= st.sampled_from((math.inf, -math.inf))
    if nan:
        numbers |= st.just(math.nan)
    if not domain:
        return numbers
    inside = ON_IEEE.compiled(("x",), read(domain, ("x",), "scalars"))

    def moved(number: float) -> float:
        """The number, or its image by the first map that leads into the domain."""
        images = (number, -number, number / 16, 1 + abs(number), -1 - abs(number))
        return next((image for image in images if inside(image)), number)

    return numbers.map(moved).filter(inside)


# -------------------------------------------------------------------------------- expressions


def expressions(
    *,
    rows: str | Iterable[str] = DIFFERENTIABLE,
    variables: int | str | Iterable[str] | None = None,
    max_operations: int = 10,
    smooth: bool = True,
) -> SearchStrategy[Expression]:
    """Random expressions, each with a point at which it can be evaluated.

    At the point, every operation is inside its domain, and its result is of moderate size.

    Args:
        rows: the operations to choose from, a name or a list of names, also of rows that you have
            defined. A failure shrinks towards the first of them.
        variables: the number of the variables, or their names; by default there are one to three.
        max_operations: the largest number of operations.
        smooth: whether every operation is also a margin away from the borders of its domain and
            from its kinks. If not, kinks and ties are likely.

    Raises:
        ValueError: a row is unknown or has no derivative, or a name cannot be that of a variable.

    >>> from hypothesis import find
    >>> find(expressions(rows=["mul"], variables=["x"]), lambda expression: True).steps
    (ExpressionStep(operation='mul', operands=(0, 0)),)
    """
    rows = options.names("rows", rows, "row")
    options.whole("max_operations", max_operations)
    for name in rows:
        if name not in TABLE:
            raise ValueError(f"expressions(): no operation {name!r} here; define it first")
        if TABLE[name].domain == "0":
            raise ValueError(f"expressions(): {name!r} is not differentiable, by its domain")
    if isinstance(variables, int):
        if isinstance(variables, bool) or variables < 1:
            raise ValueError(f"expressions() needs at least one variable, got {variables!r}")
        variables = _letters(variables)
    if variables is not None:
        variables = options.names("variables", variables, "variable")
        for name in variables:
            if not name.isidentifier() or iskeyword(name) or name in TABLE:
                raise ValueError(f"expressions(): {name!r} cannot be the name of a variable")
        if len({*variables}) != len(variables):
            raise ValueError(f"expressions() needs each name once, got {variables!r}")
    return _expressions(rows, variables, max_operations, smooth)


def _letters(number: int) -> Sequence[str]:
    return tuple("xyz"[:number]) if number <= 3 else [f"x{k}" for k in range(1, number + 1)]


@st.composite
def _expressions(
    draw: DrawFn,
    rows: Sequence[str],
    variables: Sequence[str] | None,
    max_operations: int,
    smooth: bool,
) -> Expression:
    choices = tuple(map(lookup, rows))  # at each draw, because a row may be defined again
    names = tuple(_letters(draw(st.integers(1, 3))) if variables is None else variables)
    numbers = _inside_any(frozenset(choices))
    if not smooth:
        numbers = _SPECIAL | numbers
    slots = _Slots([draw(numbers) for _ in names], smooth)
    for row, places in draw(st.lists(_plans(choices), min_size=1, max_size=max_operations)):
        operands = slots.operands(places)
        # Where the row does not suit the operands that came out, the next that does takes over.
        start = choices.index(row)
        for other in (*choices[start:], *choices[:start]):
            if slots.suit(other, operands):
                slots.append(other, operands)
                break
    assume(slots.steps)
    return Expression(names, tuple(slots.values[: len(names)]), _living(slots.steps, len(names)))


# A plan for a step does not refer to earlier steps by number, so that Hypothesis can leave out any
# of them when it shrinks: an operand is a constant, or a number of slots to count back.
Place = int | float
Plan = tuple[Operation, list[Place]]

_SPECIAL = st.sampled_from((0.0, 1.0, -1.0))  # where kinks and ties are


@st.composite
def _plan(draw: DrawFn, rows: SearchStrategy[Operation]) -> Plan:
    row = draw(rows)
    return row, [draw(_places()) for _ in row.operands]


@st.composite
def _places(draw: DrawFn) -> Place:
    """The newest slot, so that little is computed in vain; any slot; or a constant."""
    place = draw(st.integers(0, 79))
    return 0 if place < 32 else place if place < 64 else draw(_ORDINARY)


@lru_cache(maxsize=256)
def _plans(rows: tuple[Operation, ...]) -> SearchStrategy[Plan]:
    """Plans in which rows of several operands are three times as likely, since they are few."""
    several = [row for row in rows if row.arity > 1]
    return _plan(st.sampled_from([*rows, *several, *several]))


class _Slots:
    """The numbers computed so far, and the steps that made them."""

    def __init__(self, at: Sequence[float], smooth: bool) -> None:
        self.values = list(at)
        self.steps: list[ExpressionStep] = []
        self.smooth = smooth
        self.flat: set[Operand] = set()  # slots that are constant near the point

    def operands(self, places: Iterable[Place]) -> list[Operand]:
        n = len(self.values)
        found = [p if type(p) is float else n - 1 - int(p) % n for p in places]
        if all(type(operand) is float for operand in found):
            found[0] = n - 1
        return found

    def numbers(self, operands: Iterable[Operand]) -> list[float]:
        return [self.values[o] if type(o) is int else float(o) for o in operands]

    def is_flat(self, operand: Operand) -> bool:
        return type(operand) is float or operand in self.flat

    def append(self, row: Operation, operands: Sequence[Operand]) -> None:
        operands = operands[: row.arity]
        if {*row.partials} == {"0"} or all(map(self.is_flat, operands)):
            self.flat.add(len(self.values))
        self.steps.append(ExpressionStep(row.name, tuple(operands)))
        self.values.append(row.value(*self.numbers(operands)))

    def suit(self, row: Operation, operands: Sequence[Operand]) -> bool:
        """Whether the row can be applied to the first of the operands, as many as it takes."""
        operands = operands[: row.arity]
        if len(operands) < row.arity or all(type(operand) is float for operand in operands):
            return False
        numbers = self.numbers(operands)
        out, partials = row.evaluate(*numbers)
        sizes = (abs(out), *(abs(partial or 0.0) for partial in partials))
        if not all(size <= LARGEST for size in sizes) or 0 < abs(out) < SMALLEST:
            return False
        guard = _guard(row)
        if not self.smooth:
            return bool(guard.inside(*numbers))
        # What is constant nearby stays on its side of a kink, or on it. (At the cut of atan2, the
        # side is the sign of a zero, which few other kinds of number have.)
        fixed = all(
            self.is_flat(operands[index]) and str(numbers[index]) != "-0.0"
            for index in guard.kinked
        )
        return (
            bool(guard.inside(*numbers))
            and abs(guard.border(*numbers)) >= MARGIN
            and (fixed or abs(guard.kink(*numbers)) >= MARGIN)
        )


class _Guard(NamedTuple):
    inside: Callable[..., float]  # true in the domain
    border: Callable[..., float]  # the distance from the border of the domain
    kink: Callable[..., float]  # the distance from a kink
    kinked: list[int]  # the operands whose kink it is


# Where the result itself jumps, in the manner of the column `kink`.
_JUMPS = {"where": "x", "atan2": "where(y < 0, x, 1)"}


@lru_cache(maxsize=256)
def _guard(row: Operation) -> _Guard:
    condition, kink = row.read(row.domain or "1"), row.read(row.kink or _JUMPS.get(row.name, "1"))
    border: Tree = 1.0
    if isinstance(condition, Call) and condition.name in COMPARISONS:
        border = Call("sub", condition.operands)
    return _Guard(
        inside=domain(row),
        border=ON_IEEE.compiled(row.operands, border),
        kink=ON_IEEE.compiled(row.operands, kink),
        kinked=[row.operands.index(name) for name in variables(kink)],
    )


@lru_cache(maxsize=256)
def _inside_any(rows: frozenset[Operation]) -> SearchStrategy[float]:
    """Numbers inside the domain of one of the rows, for domains that depend on one operand."""
    domains = {"" for row in rows if not row.domain}
    for row in rows:
        names = {name for name in row.operands if re.search(rf"\b{name}\b", row.domain)}
        if len(names) == 1:
            domains.add(re.sub(rf"\b{names.pop()}\b", "x", row.domain))
    return st.one_of([scalars(domain) for domain in sorted(domains) or [""]])


def _living(steps: Sequence[ExpressionStep], variables: int) -> tuple[ExpressionStep, ...]:
    """The steps on which the last one depends."""
    alive = {variables + len(steps) - 1}
    for slot in range(variables + len(steps) - 1, variables - 1, -1):
        if slot in alive:
            alive.update(o for o in steps[slot - variables].operands if type(o) is int)
    kept = sorted(alive | {*range(variables)})
    number = {slot: place for place, slot in enumerate(kept)}
    return tuple(
        ExpressionStep(name, tuple(number[o] if type(o) is int else o for o in operands))
        for slot, (name, operands) in enumerate(steps, variables)
        if slot in alive
    )


# ----------------------------------------------------------------------------------- networks


@dataclass(frozen=True, repr=False)
class Network(WithSource):
    """A multilayer perceptron with data.

    Args:
        seed: of the random weights.
        sizes: the number of inputs, and of the neurons of each layer.
        activation: the activation of the hidden layers.
        inputs: the samples.
        targets: a number for each sample.
        model: the network.

    >>> from nn import MLP
    >>> Network(0, (1, 1), "relu", [[0.5]], [1.0], MLP(1, [1]))
    <Network
        import random
        from nn import MLP
    <BLANKLINE>
        random.seed(0)
        model = MLP(1, [1], activation='relu')
        inputs = [[0.5]]
        targets = [1.0]
    >
    """

    seed: int
    sizes: tuple[int, ...]
    activation: str
    inputs: list[list[float]]
    targets: list[float]
    model: MLP

    @property
    def source(self) -> str:
        """A Python program that makes the same network and data."""
        first, *others = self.sizes
        return "\n".join(
            (
                "import random",
                "from nn import MLP",
                "",
                f"random.seed({self.seed})",
                f"model = MLP({first}, {others}, activation={self.activation!r})",
                f"inputs = {self.inputs}",
                f"targets = {self.targets}",
            )
        )


def networks(
    *,
    activations: str | Iterable[str] = ("relu", "tanh", "sigmoid"),
    max_inputs: int = 3,
    max_layers: int = 2,
    max_width: int = 4,
    max_samples: int = 4,
) -> SearchStrategy[Network]:
    """Small networks of one output with random weights, and data for them.

    Args:
        activations: the activations to choose from, a name or a list of names.
        max_inputs: the largest number of inputs.
        max_layers: the largest number of layers.
        max_width: the largest number of neurons of a hidden layer.
        max_samples: the largest number of samples.

    >>> from hypothesis import find
    >>> find(networks(), lambda network: len(network.sizes) > 2).model
    MLP of [Layer of [ReLUNeuron(1)], Layer of [LinearNeuron(1)]]
    """
    from nn import MLP

    activations = options.names("activations", activations)
    options.whole("max_inputs", max_inputs)
    options.whole("max_layers", max_layers)
    options.whole("max_width", max_width)
    options.whole("max_samples", max_samples)

    @st.composite
    def drawn(draw: DrawFn) -> Network:
        hidden = draw(st.lists(st.integers(1, max_width), max_size=max_layers - 1))
        sizes = (draw(st.integers(1, max_inputs)), *hidden, 1)
        activation: Any = draw(st.sampled_from(activations))
        sample = st.lists(_ORDINARY, min_size=sizes[0], max_size=sizes[0])
        data = draw(st.lists(st.tuples(sample, _ORDINARY), min_size=1, max_size=max_samples))
        seed = draw(st.integers(0, 2**16))
        state = random.getstate()  # the weights are drawn by the global generator
        try:
            random.seed(seed)
            model = MLP(sizes[0], sizes[1:], activation=activation)
        finally:
            random.setstate(state)
        inputs, targets = [x for x, _ in data], [y for _, y in data]
        return Network(seed, sizes, activation, inputs, targets, model)

    return drawn()
