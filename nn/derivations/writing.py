"""Writes the formulas of a network in matrix form, with names for its matrices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from micrograd.derivation.algebra import simplified
from micrograd.derivation.derivatives import has_decimals
from micrograd.ops import TABLE
from micrograd.table.formulas import RESULT, Call, Tree, size
from micrograd.writing import blackboard, matrices, notation
from micrograd.writing.notation import Formula
from micrograd.writing.template import ATOM
from nn.derivations.loss_form import OUTPUT, TARGET
from nn.derivations.network import Stage
from nn.derivations.rules import LONGEST, Rules

_LOSS, _TERM = Formula("L", ("mi", "L")), Formula("ℓ", ("mi", "ℓ"))
_SCALE = "c"  # the variable for 1/n

Equation = tuple[Formula, tuple[Formula, ...]]


class Writer:
    """The names and the formulas of a network.

    Args:
        stages: its layers.
        rules: its formulas.
        samples: the number of samples.
        words: the texts of a language.
    """

    loss = _LOSS
    divisor = notation.named("n")

    def __init__(
        self, stages: Sequence[Stage], rules: Rules, samples: int, words: Mapping[str, str]
    ) -> None:
        self.stages, self.rules, self.samples, self.words = stages, rules, samples, words
        self.last = len(stages) - 1
        size = stages[-1].size
        self.targets = self._value("y", size)
        self.outputs = self._value("ŷ", size)
        self.probabilities = self._value("p", size)
        self._entries = {OUTPUT: self.outputs, TARGET: self.targets}
        activations = (each.activation for each in stages)
        self._slopes = dict(zip(activations, rules.slopes, strict=True))
        defined = [tree for tree in self._slopes if self._is_defined(tree)]
        self.functions: dict[Tree, Formula] = {
            tree: notation.named("f" if len(defined) == 1 else f"f{i}")
            for i, tree in enumerate(defined, 1)
        }

    # --------------------------------------------------------------------------------------- names

    def _layer(self, i: int) -> int | None:
        return i + 1 if self.last else None

    def _value(self, letter: str, size: int, layer: int | None = None, column: str = "") -> Formula:
        """A value of each neuron: a matrix if there are several neurons and samples."""
        is_matrix = self.samples > 1 and size > 1 and not column
        return matrices.symbol(letter.upper() if is_matrix else letter, layer, column)

    def weights(self, i: int) -> Formula:
        """The weights of layer i."""
        return matrices.symbol("W", self._layer(i))

    def biases(self, i: int) -> Formula:
        """The biases of layer i."""
        return matrices.symbol("b", self._layer(i))

    def values(self, i: int) -> Formula:
        """The outputs of layer i; the inputs of the network for -1."""
        if i < 0:
            return self._value("x", self.stages[0].inputs)
        return self.outputs if i == self.last else self._value("h", self.stages[i].size, i + 1)

    def sums(self, i: int) -> Formula:
        """The weighted sums of layer i."""
        return self._value("z", self.stages[i].size, self._layer(i))

    def delta(self, i: int, column: str = "") -> Formula:
        """The derivatives with respect to the weighted sums of layer i, or a column of them."""
        return matrices.symbol("δ", self._layer(i), column)

    def of_any_layer(self) -> tuple[Formula, Formula]:
        """The names of the delta and of the weighted sums of any layer."""
        layer = "l" if self.last else None
        sums = matrices.symbol("Z" if self.samples > 1 else "z", layer)
        return matrices.symbol("δ", layer), sums if self.last else self.sums(0)

    # ------------------------------------------------------------------------------------- forward

    def weighted(self, i: int) -> Formula:
        """The formula of the weighted sums of layer i."""
        product = matrices.multiplied(self.weights(i), self.values(i - 1))
        return notation.total([product, self.biases(i)] if self.stages[i].biases else [product])

    def activated(self, i: int) -> Formula:
        """The formula of the outputs of layer i."""
        tree = self.stages[i].activation
        if tree in self.functions:
            return matrices.applied(self.functions[tree], self.sums(i))
        return notation.formula(tree, {"x": self.sums(i)})

    def softmax(self) -> Formula:
        """The formula of the probabilities."""
        return matrices.applied(Formula("softmax", ("func", "softmax")), self.outputs)

    def total(self) -> Formula:
        """The formula of the loss."""
        kind = self.rules.form.kind
        before: Formula | None = None  # a number before the sign of a sum
        no_mean = self.rules.divisor == 1
        if kind == "softmax":
            logs = notation.operation(TABLE["log"], [self.probabilities])
            term = matrices.summed(matrices.hadamard(self.targets, logs))
            return self._scaled(Call("neg", ("s",)), {"s": term})
        if kind == "entries":
            several = self.samples * self.stages[-1].size > 1
            if self.loss_is_defined:
                term = matrices.applied(_TERM, self.outputs, self.targets)
            else:
                loss = self.rules.loss
                match loss:
                    case Call("mul", (float() as number, rest)) if several and no_mean:
                        before, loss = _as_fraction(number), rest
                term = matrices.elementwise(loss, self._entries)
        else:
            several = self.samples > 1
            size, column = self.stages[-1].size, "s" if several else ""
            pair = [self._value(letter, size, column=column) for letter in "ŷy"]
            term = matrices.applied(_TERM, *pair)
        if several:
            term = matrices.summed(term, "" if kind == "entries" else "s")
        if before is not None:
            return matrices.scaled(before, term)
        return self._scaled("s", {"s": term}, {"s"})

    # ------------------------------------------------------------------------------------ backward

    def last_delta(self) -> Iterator[Formula]:
        """The formulas of the delta of the last layer, step by step."""
        slope = notation.quotient(_LOSS, self.outputs)
        inner = self._activation_slope(self.last)
        first, is_negative = self._loss_slope()
        if inner is not None:
            yield matrices.hadamard(slope, notation.quotient(self.outputs, self.sums(self.last)))
        elif first is not None:
            yield slope
        if first is None:
            yield slope if inner is None else matrices.hadamard(slope, inner)
        else:
            product = first if inner is None else matrices.hadamard(first, inner)
            yield notation.formula(Call("neg", ("x",)), {"x": product}) if is_negative else product
        if self.rules.last is not None:
            yield self._scaled(self.rules.last, self._entries)

    def hidden_delta(self, i: int) -> Formula:
        """The formula of the delta of layer i, from that of the next layer."""
        above = self.weights(i + 1), self.delta(i + 1)
        back = matrices.multiplied(matrices.transposed(above[0]), above[1])
        inner = self._activation_slope(i)
        return back if inner is None else matrices.hadamard(back.bracketed(ATOM), inner)

    def _activation_slope(self, i: int) -> Formula | None:
        """The derivative of the activation of layer i; None if it is 1."""
        tree, slope = self.stages[i].activation, self.rules.slopes[i]
        if slope == 1:
            return None
        if tree in self.functions:
            return matrices.applied(matrices.derived(self.functions[tree]), self.sums(i))
        return matrices.elementwise(slope, {"x": self.sums(i), RESULT: self.values(i)})

    def _loss_slope(self) -> tuple[Formula | None, bool]:
        """The derivative of the loss with respect to the outputs, and whether it is negated.

        It is None if it has no formula.
        """
        if self.rules.form.kind == "softmax":
            names = {OUTPUT: self.probabilities, TARGET: self.targets}
            return self._scaled(Call("sub", (OUTPUT, TARGET)), names), False
        if self.rules.form.kind != "entries":
            return None, False
        if self.loss_is_defined:
            term = matrices.applied(matrices.derived(_TERM), self.outputs, self.targets)
            return self._scaled("s", {"s": term}, {"s"}), False
        match self.rules.loss_slope:
            case Call("neg", (slope,)):
                return self._scaled(slope, self._entries), True
        return self._scaled(self.rules.loss_slope, self._entries), False

    def _scaled(
        self, tree: Tree, names: Mapping[str, Formula], scalars: set[str] | None = None
    ) -> Formula:
        """A formula over n, unless that is 1."""
        count = self.rules.divisor
        if count == 1:
            return matrices.elementwise(tree, names, scalars or ())
        tree, number = _with_scale(tree)
        named = {**names, _SCALE: matrices.fraction(number, self.divisor)}
        return matrices.elementwise(tree, named, {_SCALE, *(scalars or ())})

    # --------------------------------------------------------------------------------- definitions

    @property
    def loss_is_defined(self) -> bool:
        """Whether the loss of an entry is a function with a name, because it has cases."""
        return matrices.has_choice(self.rules.loss_slope) or matrices.has_choice(self.rules.loss)

    def _is_defined(self, activation: Tree) -> bool:
        """Whether an activation is a function with a name."""
        slope = self._slopes[activation]
        match activation:
            case "x":
                return False
            case Call(name, ("x",)) if "\\cdot" not in TABLE[name].typeset:
                is_long = matrices.has_choice(slope) or size(slope) > LONGEST
                row = TABLE[name]
                says_little = row.typeset.startswith(r"\operatorname")  # as elu does
                return is_long or (says_little and not row.is_primitive)
        return True

    def definitions(self) -> Iterator[Equation]:
        """The functions that have names here, and their derivatives."""
        z = notation.named("z")
        for tree, function in self.functions.items():
            whole = matrices.applied(function, z)
            steps = [self._written(tree, {"x": z})]
            match tree:
                case Call(name, ("x",)) if not TABLE[name].is_primitive:
                    called = matrices.applied(Formula(name, ("func", name)), z)
                    steps = [called, self._written(TABLE[name].told[0], {"x": z})]
            yield whole, tuple(steps)
            prime = matrices.applied(matrices.derived(function), z)
            yield prime, (self._written(self._slopes[tree], {"x": z, RESULT: whole}),)

    def definitions_of_loss(self) -> Iterator[Equation]:
        """The loss of an entry and its derivative, if they have names here."""
        if self.rules.form.kind == "entries" and self.loss_is_defined:
            names = {OUTPUT: notation.named("ŷ"), TARGET: notation.named("y")}
            pair = tuple(names.values())
            yield matrices.applied(_TERM, *pair), (self._written(self.rules.loss, names),)
            prime = matrices.applied(matrices.derived(_TERM), *pair)
            yield prime, (self._written(self.rules.loss_slope, names),)

    def condition(self) -> Formula | None:
        """What holds for all entries and has decided the case of the loss."""
        if self.rules.condition is None:
            return None
        return matrices.elementwise(self.rules.condition, self._entries)

    def _written(self, tree: Tree, names: Mapping[str, Formula]) -> Formula:
        """A formula of numbers as on a board, as a list of cases if it is a choice."""
        decimals = matrices.has_choice(tree) or has_decimals(tree, slope=True)
        tree = simplified(tree, decimals=decimals)
        cases: list[tuple[Formula, Formula]] = []
        while isinstance(tree, Call) and tree.name == "where":
            test, then, tree = tree.operands
            shown = (blackboard.written(each, names, self.words) for each in (then, test))
            cases.append((next(shown), next(shown)))
        return notation.cases(cases, blackboard.written(tree, names, self.words), self.words)


def _as_fraction(number: float) -> Formula:
    """A number as a factor, 0.5 as (1/2)."""
    below = 1 / number if number else 0.0
    if below.is_integer() and abs(below) > 1:
        return matrices.fraction(1.0, notation.number(below))
    return notation.number(number)


def _with_scale(tree: Tree) -> tuple[Tree, float]:
    """The formula with the variable for `number/n` as its first factor, and the number."""
    match tree:
        case Call("neg", (inner,)):
            scaled, number = _with_scale(inner)
            return Call("neg", (scaled,)), number
        case Call("mul", (float() as number, other)):
            return Call("mul", (_SCALE, other)), number
        case Call("mul", (left, right)) if isinstance(left, Call):
            scaled, number = _with_scale(left)
            if number != 1:
                return Call("mul", (scaled, right)), number
    return Call("mul", (_SCALE, tree)), 1.0
