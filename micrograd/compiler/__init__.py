"""The compiler: a function of scalars is traced once, planned, and run over whole batches.

- `function`, `arguments`: what a caller sees.
- `tracing`: runs the function on values without numbers. What it does is a `graph`.
- `planning` turns a graph into a `program` of few wide instructions: `simplifying` its constants
  and powers, recovering weighted `sums`, `folds` of maxima and products of `matrices`, grouping
  equal operations, and turning what is long and narrow into a tape. `adjoints` says which adjoints
  a program needs, and which instruction writes each of them first.
- `numpy`, `native` and `jax` hold the executors, which run a program by the formulas of the table.
- `stopping`: derivatives inside a function, where a factor of zero meets an infinite one.
"""

from micrograd.compiler.function import CompiledFunction, compile  # noqa: A004
from micrograd.compiler.recorder import TraceError

__all__ = ["CompiledFunction", "TraceError", "compile"]
