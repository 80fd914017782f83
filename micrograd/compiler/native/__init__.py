"""The executor that runs programs as machine code, which LLVM makes.

- `machine` compiles functions for this processor and keeps the code on disk.
- `writing` writes functions in LLVM's language, and `lowering` the formulas of the table, with the
  functions of `elementary`.
- `kernels` has the functions for instructions: `elementwise`, `products` and `sums`. `driver` is
  the loop over blocks of samples that calls them.
- `straight` writes a graph as straight code. `regions` writes the batched part of a program so, and
  `fusion` decides when.
- `linking` turns a program into `rows` of words that the driver carries out, and `tapes` does so
  for tapes. Neighbouring results are computed in `runs`, and
  `chains` are runs that one kernel computes together; `slopes` finds values that are computed with
  their slopes. `memory` has the arrays of a call, and `executor` calls the driver.

It needs llvmlite, the compiler library of Numba.
"""
