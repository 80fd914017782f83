"""Tracing: a function runs on values without numbers, and what it does becomes a graph.

- `tracer` runs the function twice and compares; `traced` has the values, `recorder` writes down
  what they do, and `progress` says how far a long trace is.
- `recorded` has all of it in arrays, and makes a graph with one node for equal operations.
- `graph` is the result: the rows and operands of all nodes, in arrays.
- `simplifying` computes what is constant and turns small powers into products.
- `inner_products` and `matrix_products` record sums of products, and `@`, as one node.
- `structural` has the rows of stacks of numbers, and of nodes with several results.
"""
