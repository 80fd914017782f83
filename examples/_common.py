"""What the programs of the articles share.

- `_words`: a text in both languages.
- `_rows`: the numbers of the article beside those of the engine.
- `_report`: what a program computed, and the files that it wrote.
- `_program`: the command line of a program, and its report on a terminal.
- `_mathematics`: the weighted sum, gradient descent.
"""

from ._mathematics import descent, dot, total, weighted_sum
from ._program import HEADING, lines, main, outcome, show
from ._report import Article, Derivation, Picture, Report
from ._rows import ROUNDING, Row, exactly, printed
from ._words import LANGUAGES, Words

__all__ = [
    "HEADING",
    "LANGUAGES",
    "ROUNDING",
    "Article",
    "Derivation",
    "Picture",
    "Report",
    "Row",
    "Words",
    "descent",
    "dot",
    "exactly",
    "lines",
    "main",
    "outcome",
    "printed",
    "show",
    "total",
    "weighted_sum",
]
