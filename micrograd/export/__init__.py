"""Functions and their gradients as source text in other languages.

- `source` has `export_source`, and `layouts` what a file looks like in each language.
- `program` turns a graph, a formula or a function into straight-line code, forwards and backwards.
- `pages` writes graphs for pages that compute.

`micrograd.source` writes the formulas.
"""

from micrograd.export.source import export_source

__all__ = ["export_source"]
