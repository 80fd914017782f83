"""The compiler: a function of scalars is traced, planned, and run over whole batches.

The rooms, from the first to the last; each imports only those before it:

- `program`: a few wide instructions on slots, and the backward pass that follows from them.
- `tracing`: the function runs on values without numbers; the result is a graph.
- `loops`: what `repeat`, `scan` and `while_` record in a trace, and the derivatives of loops.
- `planning` turns a graph into a program.
- `executor` says what an executor is, and has the table of backends. `numpy`, `native` and `jax`
  hold the executors, which take the meaning of operations from the formulas of the table;
  `reference` is exact at infinities, and `stopping` uses it for results that are infinite or nan.
- `sources` writes programs in C and as functions of NumPy.
- `calling`: what `compile` returns, and what happens from its arguments to its results.
"""

from micrograd.compiler.calling.compiling import compile  # noqa: A004
from micrograd.compiler.calling.function import CompiledFunction
from micrograd.compiler.loops import tracing as _tracing  # noqa: F401 (records `repeat` in a trace)
from micrograd.compiler.tracing import matrix_products as _matrix_products  # noqa: F401 (records `@`)
from micrograd.compiler.tracing.recorder import TraceError

__all__ = ["CompiledFunction", "TraceError", "compile"]
