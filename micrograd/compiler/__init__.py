"""The compiler: a function of scalars is traced, planned, and run over whole batches.

- `compiling` has `compile`, and `function` what it returns: it looks up the program for the
  `arguments` of a call. `binding` handles static and keyword arguments, `inlining` Values;
  `staging`, `shortcuts` and `results` move numbers to programs and back.
- `derivatives` makes programs for the derivatives with respect to the requested `targets`, using
  the `sparsity` of Jacobians; `gradients` handles several targets at once.
- `tracing` runs the function on values without numbers (`traced`); the `recorder` makes a `graph`
  of what it does.
- `loops` has what `repeat`, `scan` and `while_` record in a trace: loops, and their derivatives.
- `planning` turns a graph into a `program` of a few wide `instructions` (also `loop_instructions`)
  on `slots`. It uses `simplifying` for constants and powers, finds weighted `sums`, `folds` of
  maxima and products of `matrices`, groups equal operations, and turns what is long and narrow into
  a tape.
- `reverse` derives the backward pass, which is a list of the same instructions, with the `flows` of
  operations and the `adjoints` that are `active`.
- `executor` says what an executor is, and has the table of backends. `numpy`, `native` and `jax`
  hold the executors, which take the meaning of operations from the formulas of the table.
- `reference` is the plainest executor. `stopping` uses it for results that are infinite or nan.
- `sources` writes programs in C and as functions of NumPy.
"""

from micrograd.compiler import matrix_products as _matrix_products  # noqa: F401 (records `@`)
from micrograd.compiler.compiling import compile  # noqa: A004
from micrograd.compiler.function import CompiledFunction
from micrograd.compiler.loops import tracing as _tracing  # noqa: F401 (records `repeat` in a trace)
from micrograd.compiler.recorder import TraceError

__all__ = ["CompiledFunction", "TraceError", "compile"]
