"""`explain_layers(model, X, y)`: forward pass, deltas and gradients of a network in matrix form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from micrograd.derivation import document
from micrograd.derivation.document import (
    Block,
    Equations,
    Heading,
    Paragraph,
    Sentence,
    TableBlock,
    sentence,
)
from micrograd.writing import languages, matrices, notation
from micrograd.writing.notation import Formula
from nn import samples
from nn.derivations.evaluation import (
    Agreement,
    Engine,
    Numbers,
    compared,
    evaluated,
    probabilities,
    run,
)
from nn.derivations.loss_form import loss_form
from nn.derivations.network import Stage, stages
from nn.derivations.rules import Rules, rules
from nn.derivations.sheet import Sheet, sheet, transposed
from nn.derivations.writing import Equation, Writer
from nn.losses import LOSSES
from nn.objective import Loss, loss_function, sees_model


def explain_layers(
    model: Any,
    X: Any,
    y: Any,
    *,
    loss: Loss = "mse",
    reduction: str = "mean",
    bias: bool = True,
    numbers: bool = False,
    lang: str = "en",
) -> LayersExplanation:
    """Derive the gradients of a network in matrix form, for one sample or for a batch.

    The samples are the columns of the matrices, so that a layer is `Z = W X + b`, where W has a row
    for each neuron and a column for each input, as `nn` stores it. The formulas follow from the
    layers, from the partials in the table of operations, and from the formula of the loss. They are
    evaluated with the numbers and compared with `backward()`. No gradient is changed, and dropout
    does nothing.

    Args:
        model: a `Neuron`, a `Layer`, an `MLP`, or a `Sequential` of these.
        X: the inputs, of shape (samples, inputs), as in `fit`; or the inputs of one sample.
        y: the targets, as in `fit`; or those of one sample.
        loss: a name in `nn.losses.LOSSES`, or a function of one sample's output and target.
        reduction: `"mean"` over all numbers that are compared, or `"sum"`.
        bias: False leaves out the biases, which must be 0.
        numbers: whether each formula is followed by its numbers.
        lang: the language that a notebook shows, "en" or "zh".

    Returns:
        An explanation, which shows itself in a notebook; `.text()`, `.markdown()`, `.latex()` and
        `.html()` write it down.

    Raises:
        TypeError: for a model with other layers, or whose layers share weights.
        ValueError: if X or y has the wrong shape, or targets that the loss does not take.
        ArithmeticError: if the formulas disagree with `backward()`.

    >>> from nn import MLP
    >>> model = MLP(3, [4, 1], activation="sigmoid", output_activation="sigmoid")
    >>> print(explain_layers(model, [0, 1, 1], 1, bias=False).equations())
    z⁽¹⁾ = W⁽¹⁾ x    (4×1)
    h⁽¹⁾ = sigmoid(z⁽¹⁾)    (4×1)
    z⁽²⁾ = W⁽²⁾ h⁽¹⁾    (1×1)
    ŷ    = sigmoid(z⁽²⁾)    (1×1)
    L    = (ŷ - y)²
    δ⁽²⁾ = ∂L/∂ŷ ⊙ ∂ŷ/∂z⁽²⁾    (1×1)
         = 2·(ŷ - y) ⊙ ŷ ⊙ (1 - ŷ)
    δ⁽¹⁾ = (W⁽²⁾ᵀ δ⁽²⁾) ⊙ h⁽¹⁾ ⊙ (1 - h⁽¹⁾)    (4×1)
    ∂L/∂W⁽¹⁾ = δ⁽¹⁾ xᵀ    (4×3)
    ∂L/∂W⁽²⁾ = δ⁽²⁾ h⁽¹⁾ᵀ    (1×4)
    """
    languages.checked(lang)
    layers = stages(model, bias=bias)
    name, function = loss_function(loss)
    if sees_model(function):
        raise TypeError("a loss that sees the model has no matrix form: give one of output, target")
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is 'mean' or 'sum', got {reduction!r}")
    if function in LOSSES.values():
        function = partial(function, reduction=reduction)
    array = samples.numbers(X, "X")
    if array.ndim == 1:
        array, y = array[None, :], [y]
    rows = samples.inputs(array)
    if rows.shape[1] != layers[0].inputs:
        raise ValueError(f"the model takes {layers[0].inputs} inputs, and X has {rows.shape[1]}")
    targets = samples.targets(y, len(rows), layers[-1].size, name).tolist()
    inputs, mean = rows.tolist(), reduction == "mean"
    engine = run(model, layers, inputs, targets, function, mean=mean)
    outputs = [[each.data for each in row] for row in engine.outputs]
    form = loss_form(function, outputs, targets)
    formulas = rules(layers, form, outputs, targets, mean=mean)
    found = evaluated(layers, formulas, inputs, targets, engine)
    return LayersExplanation(
        layers,
        formulas,
        found,
        (transposed(sheet(inputs)), transposed(sheet(targets))),
        engine,
        compared(found, formulas, engine),
        numbers=numbers,
        lang=lang,
    )


class LayersExplanation:
    """The gradients of a network in matrix form; it shows itself in a notebook.

    `explain_layers` makes it.

    Attributes:
        gradients: for each layer, the matrix of the derivatives with respect to its weights, and
            the list of those with respect to its biases, which is empty if it has none.
        loss: the loss of all samples.
        difference: the largest difference between a derivative here and by `backward()`.
        bound: the largest difference that rounding can make.
        numbers: whether each formula is followed by its numbers.
        lang: the language that a notebook shows.

    >>> from nn import Layer
    >>> layer = Layer(2, 1, nonlin=False, initializer="zeros")
    >>> explanation = explain_layers(layer, [[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0])
    >>> explanation
    <matrix form of a 2–1 network for 2 samples>
    >>> explanation.gradients
    [([[-7.0, -10.0]], [-3.0])]
    """

    def __init__(
        self,
        layers: Sequence[Stage],
        formulas: Rules,
        found: Sequence[Numbers],
        given: tuple[Sheet, Sheet],
        engine: Engine,
        agreement: Agreement,
        *,
        numbers: bool,
        lang: str,
    ) -> None:
        self._layers, self._formulas, self._found, self._given = layers, formulas, found, given
        self._output_slopes = transposed(engine.slopes)
        self.loss, self._agreement = engine.total.data, agreement
        self.numbers, self.lang = numbers, lang
        self.difference, self.bound = agreement.difference, agreement.bound

    @property
    def gradients(self) -> list[tuple[list[list[float]], list[float]]]:
        """The derivatives with respect to the weights and the biases of each layer."""
        return [
            (_floats(each.weight_slopes), [x for (x,) in _floats(each.bias_slopes)])
            for each in self._found
        ]

    def text(self, lang: str | None = None) -> str:
        """Return the derivation as plain text.

        Args:
            lang: the language of the words; that of the explanation by default.
        """
        return document.as_text(self.blocks(lang))

    def markdown(self, lang: str | None = None) -> str:
        """Return the derivation in Markdown, with formulas in LaTeX for KaTeX or MathJax.

        Args:
            lang: the language of the words; that of the explanation by default.
        """
        return document.as_markdown(self.blocks(lang))

    def html(self, lang: str | None = None, *, level: int = 1) -> str:
        """Return the derivation as elements of HTML, with formulas in MathML.

        Args:
            lang: the language of the words; that of the explanation by default.
            level: the level of the first heading, 1 to 6.
        """
        return document.as_html(self.blocks(lang), level=level)

    def equations(self) -> str:
        """Return the equations alone, as plain text."""
        return document.as_equations(self.blocks())

    def latex(self) -> str:
        """Return the equations as one `aligned` block, for math mode with amsmath."""
        return document.as_aligned(self.blocks())

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        count = self._samples
        return f"<matrix form of a {self._sizes} network for {count} sample{'s' * (count != 1)}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows."""
        return {"text/plain": self.text(), "text/markdown": self.markdown()}

    @property
    def _samples(self) -> int:
        return len(self._given[0][0])

    @property
    def _sizes(self) -> str:
        return "–".join(map(str, (self._layers[0].inputs, *(each.size for each in self._layers))))

    # ------------------------------------------------------------------------------------- content

    def blocks(self, lang: str | None = None) -> list[Block]:
        """Return the derivation as the blocks of a document.

        Args:
            lang: the language of the words; that of the explanation by default.
        """
        lang = lang or self.lang
        words = languages.words(lang, "layers")
        writer = Writer(self._layers, self._formulas, self._samples, words)
        backward = tuple(self._backward(writer))
        delta, sums = writer.of_any_layer()
        about_delta = sentence(
            words["deltas" if writer.last else "delta"], delta=delta, loss=writer.loss, sums=sums
        )
        blocks: list[Block] = [
            Heading(sentence(words["title"], sizes=self._sizes)),
            Paragraph(_joined(self._conventions(writer, words, backward), lang)),
            self._table(writer, words),
        ]
        if self.numbers:
            blocks.append(Equations(tuple(self._given_numbers(writer))))
        blocks += [
            Heading((words["forward"],), 2),
            Equations((*self._forward(writer), *writer.definitions())),
            *_paragraphs(self._remarks(writer, words), lang),
            Heading((words["backward"],), 2),
            Paragraph(about_delta),
            Equations(backward),
            Heading((words["gradients"],), 2),
            Equations(tuple(self._slopes(writer))),
        ]
        if self._samples > 1 and any(each.biases for each in self._layers):
            column = matrices.symbol("δ", "l" if writer.last else None, "s")
            blocks.append(Paragraph(sentence(words["column"], column=column, delta=delta)))
        return [*blocks, Paragraph(self._check(words))]

    def _conventions(
        self, writer: Writer, words: Mapping[str, str], backward: Sequence[Equation]
    ) -> Iterator[Sentence]:
        """What a reader must know about the notation."""
        if self._samples == 1:
            yield (words["sample"],)
        else:
            names = {"inputs": writer.values(-1), "targets": writer.targets}
            yield sentence(words["batch"], count=self._samples, **names)
        weights, biases = (matrices.symbol(x, "l" if writer.last else None) for x in "Wb")
        yield sentence(words["weights"], weights=weights)
        if self._samples > 1 and any(each.biases for each in self._layers):
            yield sentence(words["broadcast"], biases=biases)
        shown = [step.text for _, steps in backward for step in steps]
        if any("⊙" in text for text in shown):
            yield (words["entries"],)
        if any("1[" in text for text in shown):
            yield (words["indicator"],)
        if "∑ " in writer.total().text:
            yield (words["sum"],)

    def _remarks(self, writer: Writer, words: Mapping[str, str]) -> Iterator[Sentence]:
        """What the formula of the loss needs to be understood."""
        formulas = self._formulas
        if formulas.divisor > 1:
            things = words["of samples" if formulas.form.share == 1 else "of entries"]
            yield sentence(
                words["divisor"], divisor=writer.divisor, count=formulas.divisor, things=things
            )
        if formulas.form.kind == "softmax":
            key = "probabilities" if self._samples > 1 else "probabilities of one"
            yield sentence(words[key], probabilities=writer.probabilities, outputs=writer.outputs)
        if condition := writer.condition():
            yield sentence(words["case"], condition=condition)
        if formulas.form.kind in ("mixed", "unknown"):
            slope = notation.quotient(writer.loss, writer.outputs)
            yield sentence(words[formulas.form.kind], slope=slope)

    def _table(self, writer: Writer, words: Mapping[str, str]) -> TableBlock:
        """What is given, with its shapes."""
        inputs, targets = self._given
        rows: list[tuple[Formula, str, Formula]] = [
            (writer.values(-1), words["inputs"], _shape(inputs)),
            (writer.targets, words["targets"], _shape(targets)),
        ]
        for i, each in enumerate(self._found):
            keys = (
                ("weights of", "biases of") if writer.last else ("weights of all", "biases of all")
            )
            weights, biases = (words[key].format(layer=i + 1) for key in keys)
            rows.append((writer.weights(i), weights, _shape(each.weights)))
            if each.biases:
                rows.append((writer.biases(i), biases, _shape(each.biases)))
        headers = words["quantity"], words["meaning"], words["shape"]
        return TableBlock(headers, tuple(rows))

    def _given_numbers(self, writer: Writer) -> Iterator[Equation]:
        inputs, targets = self._given
        yield writer.values(-1), (_written(inputs),)
        yield writer.targets, (_written(targets),)
        for i, each in enumerate(self._found):
            yield writer.weights(i), (_written(each.weights),)
            if each.biases:
                yield writer.biases(i), (_written(each.biases),)

    def _line(self, name: Formula, steps: Sequence[Formula], matrix: Sheet) -> Equation:
        """An equation with the shape of what is computed, and its numbers if they are asked for."""
        first = matrices.shaped(steps[0], len(matrix), len(matrix[0]))
        numbers = [_written(matrix)] if self.numbers else []
        return name, (first, *steps[1:], *numbers)

    def _forward(self, writer: Writer) -> Iterator[Equation]:
        for i, each in enumerate(self._found):
            yield self._line(writer.sums(i), [writer.weighted(i)], each.sums)
            yield self._line(writer.values(i), [writer.activated(i)], each.outputs)
        if self._formulas.form.kind == "softmax":
            shares = probabilities(self._found[-1].outputs)
            yield self._line(writer.probabilities, [writer.softmax()], shares)
        yield from writer.definitions_of_loss()
        value = [notation.number(self.loss)] if self.numbers else []
        yield writer.loss, (writer.total(), *value)

    def _backward(self, writer: Writer) -> Iterator[Equation]:
        last = writer.last
        if self.numbers and self._formulas.form.kind in ("mixed", "unknown"):
            yield notation.quotient(writer.loss, writer.outputs), (_written(self._output_slopes),)
        yield self._line(writer.delta(last), [*writer.last_delta()], self._found[last].delta)
        for i in reversed(range(last)):
            yield self._line(writer.delta(i), [writer.hidden_delta(i)], self._found[i].delta)

    def _slopes(self, writer: Writer) -> Iterator[Equation]:
        for i, each in enumerate(self._found):
            delta = writer.delta(i)
            product = matrices.multiplied(delta, matrices.transposed(writer.values(i - 1)))
            weights = notation.quotient(writer.loss, writer.weights(i))
            yield self._line(weights, [product], each.weight_slopes)
            if each.biases:
                summed = delta
                if self._samples > 1:
                    summed = matrices.summed(writer.delta(i, "s"), "s")
                biases = notation.quotient(writer.loss, writer.biases(i))
                yield self._line(biases, [summed], each.bias_slopes)

    def _check(self, words: Mapping[str, str]) -> Sentence:
        count, difference, bound = self._agreement
        if not difference:
            return sentence(words["exact"], count=count)
        sizes = {"difference": notation.number(difference), "bound": notation.number(bound)}
        return sentence(words["check"], count=count, **sizes)


def _floats(matrix: Sheet) -> list[list[float]]:
    return [[ball.mid for ball in row] for row in matrix]


def _written(matrix: Sheet) -> Formula:
    return matrices.matrix(_floats(matrix))


def _shape(matrix: Sheet) -> Formula:
    return matrices.shape(len(matrix), len(matrix[0]))


def _paragraphs(sentences: Iterator[Sentence], lang: str) -> list[Block]:
    words = _joined(sentences, lang)
    return [Paragraph(words)] if words else []


def _joined(sentences: Iterator[Sentence], lang: str) -> Sentence:
    """Sentences one after the other."""
    between = languages.words(lang, "layers")["between sentences"]
    parts: list[str | Formula] = []
    for each in sentences:
        parts += [*([between] if parts and between else []), *each]
    return tuple(parts)
