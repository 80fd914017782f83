"""Formulas of the table as source text in other programming languages.

- `language` is a vocabulary of the table that writes formulas as source text. `javascript`, `c` and
  `python` are three of them: `operators` and functions of their libraries, found by name, and
  `substitutes` for the functions that they lack. `assets/library.js` has functions that are more
  accurate than those of JavaScript.
- `trees` prepares formulas, and finds what occurs in them more than once; `names` makes
  identifiers.

`javascript` also has what pages need: `expression`, `runtime` and `array_functions`.
"""
