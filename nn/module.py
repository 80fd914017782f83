"""`Module`: a thing with parameters."""

from __future__ import annotations

from micrograd import Value


class Module:
    """Base of neurons, layers and networks."""

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = 0

    def parameters(self) -> list[Value]:
        """The values that training changes, always in the same order."""
        return []
