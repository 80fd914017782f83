"""`explain_layers`: the gradients of a network in matrix form, derived from its layers.

- `network`: a model as a list of layers `H = f(W H + b)`.
- `loss_form`: what the derivative of a loss with respect to the outputs is.
- `calculus`, `rules`: the formulas of the derivatives, as trees.
- `sheet`, `evaluation`: their numbers, and the comparison with `backward()`.
- `writing`, `contents`: the formulas and the document, in words and symbols.
- `explanation`: `explain_layers`.
"""

from nn.derivations.explanation import LayersExplanation, explain_layers

__all__ = ["LayersExplanation", "explain_layers"]
