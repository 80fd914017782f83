"""Source text of functions in other languages, with their gradients."""
