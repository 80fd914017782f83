"""Says which loops executors can follow backwards, step by step.

It runs the instructions of the step backwards as often as the loop has run them forwards. What they
read of a step is kept when the loop runs. So adjoints of parameters are added up over a whole batch
by the same products of matrices as those of other instructions. The other way to differentiate a
loop is to trace its derivative (`micrograd.compiler.loops.derivatives`), which is a loop of its own
for each sample; it is better for short steps, which become straight code.
"""

from __future__ import annotations

from micrograd.compiler.program.active import Active
from micrograd.compiler.program.loop_instructions import Loop
from micrograd.compiler.program.program import Program, with_bodies


def can_follow(program: Program, active: Active) -> bool:
    """Return whether all loops of a program can be followed backwards.

    Loops within loops cannot, and neither can stacks of `u` whose adjoints would be sums over a
    batch.
    """
    for each in with_bodies(program.instructions):
        if isinstance(each, Loop):
            if any(isinstance(inner, Loop) for inner in with_bodies(each.body)):
                return False
            for stack, column in each.columns:
                if each.varies != program.stacks[stack].varies and active.stacks[stack][column]:
                    return False
    return len(program.outputs) == 1
