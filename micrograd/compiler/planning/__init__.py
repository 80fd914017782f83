"""Planning: a graph becomes a program of a few wide instructions.

- `planner` groups equal operations, and turns what is long and narrow into a tape.
- `sums`, `folds`, `matrices` and `lookups` find weighted sums, maxima of many, products of matrices
  and lookups in tables.
- `levels` says what is computed side by side.
- `loops` plans loops.
"""
