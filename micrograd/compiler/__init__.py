"""The compiler: a function of scalars, traced once, run over whole batches.

- `tracing`: the function is run on values without numbers; what it does is a `graph`.
- `simplifying`, `sums`, `folds`, `matrices`, `planning`: constants and powers are simplified,
  weighted sums, maxima and matrix products recovered, operations grouped; what is narrow becomes a
  tape. The result is a `program` of few wide instructions.
- `adjoints`: which adjoints a program needs, and who writes each of them first.
- `numpy_executor` (on `numpy_memory`, `numpy_linear`, `numpy_tape` and `ufuncs`), `native` and
  `jax_executor` (on `jax_operations` and `jax_tape`) run a program, by the formulas of the
  table.
- `arguments`, `compiled`: what a caller sees.
"""

from micrograd.compiler.compiled import CompiledFunction, compile  # noqa: A004
from micrograd.compiler.tracing import TraceError

__all__ = ["CompiledFunction", "TraceError", "compile"]
