"""`explain_layers(model, X, y)`: forward pass, deltas and gradients of a network in matrix form."""

from __future__ import annotations

from functools import partial
from typing import Any

from micrograd.derivation import document
from micrograd.derivation.document import Block
from micrograd.writing import languages, matrices
from nn import samples
from nn.derivations.contents import Contents
from nn.derivations.evaluation import Derivation, derivation
from nn.derivations.network import stages
from nn.derivations.sheet import floats
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
    most: int = matrices.MOST,
    lang: str = "en",
) -> LayersExplanation:
    """Derive the gradients of a network in matrix form, for one sample or for a batch.

    The samples are the columns of the matrices, so that a layer is `Z = W X + b`, where W has a row
    for each neuron and a column for each input, as `nn` stores it. The formulas follow from the
    layers, from the partials in the table of operations, and from the formula of the loss. They are
    evaluated with the numbers and compared with `backward()`. No gradient is changed, and dropout
    does nothing. The bounds of rounding take about a second for 50,000 weights times samples.

    Args:
        model: a `Neuron`, a `Layer`, an `MLP`, or a `Sequential` of these.
        X: the inputs, of shape (samples, inputs), as in `fit`; or the inputs of one sample.
        y: the targets, as in `fit`; or those of one sample.
        loss: a name in `nn.losses.LOSSES`, or a function of one sample's output and target.
        reduction: `"mean"` over all numbers that are compared, or `"sum"`.
        bias: False leaves out the biases, which must be 0.
        numbers: whether each formula is followed by its numbers.
        most: the most rows and columns of a matrix that are written down, 3 or more.
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
    h⁽¹⁾ = σ(z⁽¹⁾)    (4×1)
    z⁽²⁾ = W⁽²⁾ h⁽¹⁾    (1×1)
    ŷ    = σ(z⁽²⁾)    (1×1)
    L    = (ŷ − y)²
    δ⁽²⁾ = ∂L/∂ŷ ⊙ ∂ŷ/∂z⁽²⁾    (1×1)
         = 2(ŷ − y) ⊙ ŷ ⊙ (1 − ŷ)
    δ⁽¹⁾ = (W⁽²⁾ᵀ δ⁽²⁾) ⊙ h⁽¹⁾ ⊙ (1 − h⁽¹⁾)    (4×1)
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
    if most < 3:
        raise ValueError(f"most is at least 3, got {most}")
    if function in LOSSES.values():
        function = partial(function, reduction=reduction)
    array = samples.numbers(X, "X")
    if array.ndim == 1:
        array, y = array[None, :], [y]
    rows = samples.inputs(array)
    if rows.shape[1] != layers[0].inputs:
        raise ValueError(f"the model takes {layers[0].inputs} inputs, and X has {rows.shape[1]}")
    targets = samples.targets(y, len(rows), layers[-1].size, name)
    mean = reduction == "mean"
    found = derivation(model, layers, rows.tolist(), targets.tolist(), function, mean=mean)
    return LayersExplanation(found, numbers=numbers, most=most, lang=lang)


class LayersExplanation:
    """The gradients of a network in matrix form; it shows itself in a notebook.

    `explain_layers` makes it. `gradients` are the derivatives, and `derivation` is everything that
    was computed, as data.

    Args:
        derivation: the formulas and the numbers.
        numbers: whether each formula is followed by its numbers.
        most: the most rows and columns of a matrix that are written down.
        lang: the language that a notebook shows.

    >>> from nn import Layer
    >>> layer = Layer(2, 1, nonlin=False, initializer="zeros")
    >>> explanation = explain_layers(layer, [[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0])
    >>> explanation
    <matrix form of a 2–1 network for 2 samples>
    >>> explanation.gradients
    [([[-7.0, -10.0]], [-3.0])]
    """

    def __init__(self, derivation: Derivation, *, numbers: bool, most: int, lang: str) -> None:
        self.derivation, self.numbers, self.most, self.lang = derivation, numbers, most, lang

    @property
    def gradients(self) -> list[tuple[list[list[float]], list[float]]]:
        """For each layer, the derivatives with respect to the weights and to the biases.

        The first is a matrix with a row for each neuron. The second is empty without biases.
        """
        return [
            (floats(each.weight_slopes), [x for (x,) in floats(each.bias_slopes)])
            for each in self.derivation.numbers
        ]

    @property
    def loss(self) -> float:
        """The loss of all samples."""
        return self.derivation.engine.total.data

    @property
    def difference(self) -> float:
        """The largest difference between a derivative here and by `backward()`."""
        return self.derivation.agreement.difference

    @property
    def bound(self) -> float:
        """A bound of the rounding errors in these differences."""
        return self.derivation.agreement.bound

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
        """Return the derivation as elements of HTML, with formulas in MathML and a style for them.

        Args:
            lang: the language of the words; that of the explanation by default.
            level: the level of the first heading, 1 to 6.
        """
        return document.as_styled_html(self.blocks(lang), level=level)

    def equations(self) -> str:
        """Return the equations alone, as plain text."""
        return document.as_equations(self.blocks())

    def latex(self) -> str:
        """Return the equations as one `aligned` block, for math mode with amsmath."""
        return document.as_aligned(self.blocks())

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        count, sizes = self.derivation.samples, self.derivation.sizes
        return f"<matrix form of a {sizes} network for {count} sample{'s' * (count != 1)}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows."""
        return {"text/plain": self.text(), "text/markdown": self.markdown()}

    def blocks(self, lang: str | None = None) -> list[Block]:
        """Return the derivation as the blocks of a document.

        Args:
            lang: the language of the words; that of the explanation by default.
        """
        words = languages.words(lang or self.lang, "explain")  # for formulas of numbers
        words = {**words, **languages.words(lang or self.lang, "layers")}
        shown = Contents(self.derivation, words, numbers=self.numbers, most=self.most)
        return shown.blocks()
