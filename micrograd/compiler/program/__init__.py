"""Programs: a few wide instructions on slots, forwards and backwards.

- `program` has the class `Program`, and `slots` the places of its numbers.
- `instructions` and `loop_instructions` are what a program is made of; `printing` writes them.
- `reverse` derives the backward pass, a list of the same instructions, with the `flows` of
  operations and the `adjoints` of the slots that are `active`.
"""
