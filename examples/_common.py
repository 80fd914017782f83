"""What the programs of the articles share.

- `_words`: a text in both languages.
- `_rows`: numbers, where they come from, and what the engine computed.
- `_formulas`: formulas in texts, written as in LaTeX.
- `_story`, `_report`: what a companion says, and the files of its pictures.
- `_documents`, `_index`, `_markdown`, `_latex`: the companions as files.
- `_program`: the command line of a program, and its report on a terminal.
- `_mathematics`: the weighted sum, gradient descent, a layer with given weights.
- `_spiral`: the second half of article 5.
"""

from ._documents import write_documents, write_index
from ._mathematics import descent, dot, total
from ._program import heading, lines, main, outcome, show
from ._report import Article, Report
from ._rows import ROUNDING, Row, exactly, printed, summary
from ._words import LANGUAGES, Words

__all__ = [
    "LANGUAGES",
    "ROUNDING",
    "Article",
    "Report",
    "Row",
    "Words",
    "descent",
    "dot",
    "exactly",
    "heading",
    "lines",
    "main",
    "outcome",
    "printed",
    "show",
    "summary",
    "total",
    "write_documents",
    "write_index",
]
