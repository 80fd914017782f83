"""The table of operations: the language of its formulas, and what a row of it is."""
