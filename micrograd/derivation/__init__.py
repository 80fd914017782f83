"""Derivations: why a gradient is what it is, with every number the engine's own.

- `naming`: what the values of a graph are called.
- `writing`: formulas of the table, written for given operands.
- `partials`: a local partial as a formula, with the branch that the numbers took.
- `chain`: the chain rule over a graph as data: links, contributions, paths.
- `document`: words and formulas as text, Markdown, HTML and LaTeX.
- `explanation`: `explain(output, wrt)`.
- `cards`, `curves`: what the table says of one operation, with its curve.
"""

from micrograd.derivation.cards import RuleCard, rule_card, rule_cards
from micrograd.derivation.explanation import Explanation, explain

__all__ = ["Explanation", "RuleCard", "explain", "rule_card", "rule_cards"]
