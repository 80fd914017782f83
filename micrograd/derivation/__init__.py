"""Derivations: the chain rule written out, with every number the engine's own."""
