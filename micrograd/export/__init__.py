"""Functions and their gradients as source text in other languages.

- `source` has `export_source`, and `layouts` what a file looks like in each language.
- `program` turns a graph, a formula or a function into straight-line code, forwards and backwards.
- `language` is a vocabulary of the table that writes formulas as source text. `javascript`, `c` and
  `python` are three of them: `operators` and functions of their libraries, found by name, and
  `substitutes` for the functions that they lack.
- `trees` prepares formulas, and finds what occurs in them more than once; `names` makes
  identifiers.

`javascript` also has what pages need: `expression`, `runtime` and `array_functions`.
"""

from micrograd.export.source import export_source

__all__ = ["export_source"]
