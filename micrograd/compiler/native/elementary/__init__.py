"""Elementary functions without branches, on all lanes at once, in double and single precision.

Each function is written once for both formats, which differ in the tables of `coefficients`. Where
the result does not have the digits of its format by itself, it is a sum of a large term and a small
correction. Most results are within 1 unit in the last place of the true number, and all within 5;
`tests/compiler/test_elementary.py` states the bound of each function and checks it.

What needs exact products calls LLVM's `fma`, which is slow on processors without such an
instruction (before 2013).
"""

from micrograd.compiler.native.elementary.functions import constant, functions

__all__ = ["constant", "functions"]
