"""Programs as machine code.

- `machine`: LLVM compiles for this processor, and the code is kept on disk.
- `writing`, `lowering`: functions in LLVM's language; formulas of the table in it.
- `kernels`, `driver`: what an instruction does, and the loop over blocks of samples.
- `linking`, `tapes`, `executor`: a program as rows of words that the driver carries out, in places
  that are used again where no gradient needs them.

Needs llvmlite, the compiler library of Numba.
"""
