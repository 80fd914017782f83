"""Calling: what `compile` returns, and what happens from its arguments to its results.

- `compiling` has `compile`, and `function` what it returns. `binding` handles static and keyword
  arguments, `inlining` Values, `variants` looks up the program for the `arguments` of a call.
- `staging`, `shortcuts` and `results` move numbers to programs and back.
- `derivatives` makes programs for the derivatives with respect to the requested `targets`, using
  the `sparsity` of Jacobians; `gradients` handles several targets at once.
"""
