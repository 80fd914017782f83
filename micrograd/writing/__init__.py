"""How mathematics is written: numbers, names, and formulas in text, LaTeX and MathML.

- `numbers`: a number in a few characters.
- `labels`: text that a user wrote, shortened, made harmless and measured.
- `notation`: names, numbers and operations as formulas, in text and as trees of marks.
- `template`: the marks of an operation, from the LaTeX in the table of operations.
- `marks`: trees of marks, printed as LaTeX and MathML.
- `languages`: all words that readers see, one file for each language.
"""
