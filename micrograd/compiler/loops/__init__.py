"""Loops in traced functions: how they are recorded and differentiated.

A loop is one node of a graph. Its row, a `LoopRow`, has the graph of one step. Because such a node
has at most three operands, those of a loop are a chain of nodes (`Chain`), and a `Result` takes one
result out of it. Numbers of all steps are kept in a *stack*: what a step gets from outside (`Pack`)
or gives (`Result`), and the states before each step, which the derivative needs. An `Element` is
one number of a stack.

- `rows` has the rows of loops; `tracing` records loops, and replays graphs on traced values.
- `derivatives` has the derivatives of loops, which are loops: backwards over the kept states for
  the reverse mode, and along with the loop itself for the forward mode.
- `following` says which loops executors can follow backwards, in place of a loop that is a
  derivative; `micrograd.compiler.program.reverse` derives what they run.
"""
