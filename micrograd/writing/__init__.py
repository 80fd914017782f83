"""How mathematics is written: numbers, names, and formulas in text, LaTeX and MathML.

- `numbers`: a number in a few characters.
- `labels`: what a user wrote as a label, made harmless and short.
- `layout`: formulas as trees of marks on paper, read from LaTeX, printed as LaTeX and MathML.
"""
