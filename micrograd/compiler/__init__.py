"""The compiler: a function of scalars, traced once, run over whole batches.

- `tracing`: the function is run on values without numbers; what it does is a `graph`.
- `sums`, `matrices`, `planning`: weighted sums and matrix products are recovered from the graph,
  operations grouped; the result is a `program` of few wide instructions.
- `numpy_executor`, `jax_executor` run a program, by the table's formulas as `micrograd.kernels`
  writes them for arrays.
- `arguments`, `compiled`: what a caller sees.
"""

from micrograd.compiler.compiled import CompiledFunction, compile  # noqa: A004
from micrograd.compiler.tracing import TraceError

__all__ = ["CompiledFunction", "TraceError", "compile"]
