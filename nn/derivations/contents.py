"""The document of a network in matrix form: what it says, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from micrograd.derivation.document import (
    Block,
    Equations,
    Heading,
    Paragraph,
    Sentence,
    TableBlock,
    listed,
    sentence,
)
from micrograd.writing import matrices, notation
from micrograd.writing.notation import Formula
from nn.derivations.evaluation import Derivation, probabilities
from nn.derivations.sheet import Sheet, floats, transposed
from nn.derivations.writing import Equation, Writer

_OF_ALL = "weights of all", "biases of all"


class Contents:
    """The blocks of the document.

    Args:
        derivation: the formulas and the numbers.
        words: the texts of a language.
        numbers: whether each formula is followed by its numbers.
        most: the most rows and columns of a matrix that are written down.
    """

    def __init__(
        self, derivation: Derivation, words: Mapping[str, str], *, numbers: bool, most: int
    ) -> None:
        self.derivation, self.words = derivation, words
        self.numbers, self.most = numbers, most
        self.rules, self.matrices = derivation.rules, derivation.numbers
        self.samples = derivation.samples
        self.has_biases = any(each.biases for each in derivation.stages)
        self.writer = Writer(derivation.stages, derivation.rules, self.samples, words)

    def blocks(self) -> list[Block]:
        """Return the blocks in order."""
        backward = tuple(self._backward())
        delta, sums = self.writer.of_any_layer()
        key = "deltas" if self.writer.last else "delta"
        names = {"delta": delta, "loss": self.writer.loss, "sums": sums}
        blocks: list[Block] = [
            Heading(sentence(self.words["title"], sizes=self.derivation.sizes)),
            Paragraph(self._joined(self._conventions(backward))),
            self._table(),
        ]
        if self.numbers:
            given = ((name, (self._written(matrix),)) for name, _, matrix in self._given())
            blocks.append(Equations(tuple(given)))
        blocks += [
            Heading((self.words["forward"],), 2),
            Equations((*self._forward(), *self.writer.definitions())),
            *self._paragraphs(self._remarks()),
            Heading((self.words["backward"],), 2),
            Paragraph(sentence(self.words[key], **names)),
            Equations(backward),
            Heading((self.words["gradients"],), 2),
            Equations(tuple(self._slopes())),
        ]
        if self.samples > 1 and self.has_biases:
            column = matrices.symbol("δ", "l" if self.writer.last else None, "s")
            blocks.append(Paragraph(sentence(self.words["column"], column=column, delta=delta)))
        return [*blocks, *self._paragraphs(self._check())]

    def _conventions(self, backward: Sequence[Equation]) -> Iterator[Sentence]:
        """What a reader must know about the notation."""
        if self.samples == 1:
            yield (self.words["sample"],)
        else:
            names = {"inputs": self.writer.values(-1), "targets": self.writer.targets}
            yield sentence(self.words["batch"], count=self.samples, **names)
        weights, biases = (matrices.symbol(x, "l" if self.writer.last else None) for x in "Wb")
        yield sentence(self.words["weights"], weights=weights)
        if self.samples > 1 and self.has_biases:
            yield sentence(self.words["broadcast"], biases=biases)
        shown = [step.text for _, steps in backward for step in steps]
        if any("⊙" in text for text in shown):
            yield (self.words["entries"],)
        if any("1[" in text for text in shown):
            yield (self.words["indicator"],)
        if "∑ " in self.writer.total().text:
            yield (self.words["sum"],)

    def _remarks(self) -> Iterator[Sentence]:
        """What the formula of the loss needs to be understood."""
        formulas = self.rules
        if formulas.divisor > 1:
            things = self.words["of samples" if formulas.form.share == 1 else "of entries"]
            yield sentence(
                self.words["divisor"],
                divisor=self.writer.divisor,
                count=formulas.divisor,
                things=things,
            )
        if formulas.form.kind == "softmax":
            key = "probabilities" if self.samples > 1 else "probabilities of one"
            yield sentence(
                self.words[key],
                probabilities=self.writer.probabilities,
                outputs=self.writer.outputs,
            )
        if condition := self.writer.condition():
            yield sentence(self.words["case"], condition=condition)
        if formulas.form.kind in ("mixed", "unknown"):
            slope = notation.quotient(self.writer.loss, self.writer.outputs)
            yield sentence(self.words[formulas.form.kind], slope=slope)

    def _given(self) -> Iterator[tuple[Formula, str, Sheet]]:
        """What is given: its name, what it is, and its numbers."""
        yield self.writer.values(-1), self.words["inputs"], self.derivation.inputs
        yield self.writer.targets, self.words["targets"], self.derivation.targets
        keys = ("weights of", "biases of") if self.writer.last else _OF_ALL
        for i, each in enumerate(self.matrices):
            weights, biases = (self.words[key].format(layer=i + 1) for key in keys)
            yield self.writer.weights(i), weights, each.weights
            if each.biases:
                yield self.writer.biases(i), biases, each.biases

    def _table(self) -> TableBlock:
        """What is given, with its shapes."""
        headers = self.words["quantity"], self.words["meaning"], self.words["shape"]
        rows = ((name, meaning, _shape(matrix)) for name, meaning, matrix in self._given())
        return TableBlock(headers, tuple(rows))

    def _written(self, matrix: Sheet) -> Formula:
        return matrices.matrix(floats(matrix), self.most)

    def _line(self, name: Formula, steps: Sequence[Formula], matrix: Sheet) -> Equation:
        """An equation with the shape of what is computed, and its numbers if they are asked for."""
        first = matrices.shaped(steps[0], len(matrix), len(matrix[0]))
        numbers = [self._written(matrix)] if self.numbers else []
        return name, (first, *steps[1:], *numbers)

    def _forward(self) -> Iterator[Equation]:
        for i, each in enumerate(self.matrices):
            yield self._line(self.writer.sums(i), [self.writer.weighted(i)], each.sums)
            yield self._line(self.writer.values(i), [self.writer.activated(i)], each.outputs)
        if self.rules.form.kind == "softmax":
            shares = probabilities(self.matrices[-1].outputs)
            yield self._line(self.writer.probabilities, [self.writer.softmax()], shares)
        yield from self.writer.definitions_of_loss()
        value = [notation.number(self.derivation.engine.total.data)] if self.numbers else []
        yield self.writer.loss, (self.writer.total(), *value)

    def _backward(self) -> Iterator[Equation]:
        last = self.writer.last
        if self.numbers and self.rules.form.kind in ("mixed", "unknown"):
            slopes = self._written(transposed(self.derivation.engine.slopes))
            yield notation.quotient(self.writer.loss, self.writer.outputs), (slopes,)
        for i in reversed(range(last + 1)):
            steps = [*self.writer.last_delta()] if i == last else [self.writer.hidden_delta(i)]
            yield self._line(self.writer.delta(i), steps, self.matrices[i].delta)

    def _slopes(self) -> Iterator[Equation]:
        for i, each in enumerate(self.matrices):
            delta = self.writer.delta(i)
            product = matrices.multiplied(delta, matrices.transposed(self.writer.values(i - 1)))
            weights = notation.quotient(self.writer.loss, self.writer.weights(i))
            yield self._line(weights, [product], each.weight_slopes)
            if each.biases:
                summed = delta
                if self.samples > 1:
                    summed = matrices.summed(self.writer.delta(i, "s"), "s")
                biases = notation.quotient(self.writer.loss, self.writer.biases(i))
                yield self._line(biases, [summed], each.bias_slopes)

    def _check(self) -> Iterator[Sentence]:
        count, difference, bound, infinite = self.derivation.agreement
        sizes = {"difference": notation.number(difference), "bound": notation.number(bound)}
        yield sentence(self.words["check" if difference else "exact"], count=count, **sizes)
        if infinite:
            yield sentence(self.words["infinite"], count=infinite)

    def _paragraphs(self, sentences: Iterable[Sentence]) -> list[Block]:
        words = self._joined(sentences)
        return [Paragraph(words)] if words else []

    def _joined(self, sentences: Iterable[Sentence]) -> Sentence:
        """Sentences one after the other."""
        return listed([*sentences], self.words["between sentences"])


def _shape(matrix: Sheet) -> Formula:
    return matrices.shape(len(matrix), len(matrix[0]))
