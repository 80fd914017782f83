"""Derivations: why a gradient has its value, with all numbers from the engine.

- `naming`: the names of the values of a graph.
- `partials`: a local partial as a formula, with the branch that the numbers take.
- `chain`: the chain rule over a graph as data: edges, contributions, paths.
- `document`: words and formulas as text, Markdown, HTML and LaTeX.
- `explanation`: `explain(output, wrt)`.
- `definitions`: a graph as formulas of its named values, and the partials between them.
- `algebra`, `choices`: formulas simplified as on a blackboard, and their branches.
- `evidence`: whether a simplified formula is the derivative, by bounds of rounding errors.
- `board`: `explain(output, wrt, style="board")`.
- `cards`, `curves`: what the table says about one operation, with its curve.
"""

from micrograd.derivation.cards import RuleCard, rule_card, rule_cards
from micrograd.derivation.explanation import Explanation, explain

__all__ = ["Explanation", "RuleCard", "explain", "rule_card", "rule_cards"]
