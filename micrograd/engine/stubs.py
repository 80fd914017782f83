"""Writes `methods.pyi` and `functions.pyi` from the table: `python -m micrograd.engine.stubs`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from micrograd.engine.method_source import method_names
from micrograd.files import write
from micrograd.ops import TABLE, Operation

_NOTE = "# Written by `python -m micrograd.engine.stubs` from the table of operations.\n"


def methods(table: Mapping[str, Operation]) -> str:
    """The text of `methods.pyi`."""
    lines = [_NOTE + "from typing import Any\n", "from micrograd.engine.value import Value\n"]
    lines.append("class Methods:")
    lines.append("    __slots__: tuple[str, ...]")
    for row in table.values():
        for name in method_names(row):
            if row.is_equality:  # a bool for a Value, a Value for a number
                lines.append(f"    def {name}(self, other: object) -> Any: ...")
                continue
            others = "".join(f", {y}: Value | float" for y in _OTHERS[row.arity])
            lines.append(f"    def {name}(self{others}) -> Value: ...")
    return "\n".join(lines) + "\n"


_OTHERS = {1: (), 2: ("other",), 3: ("y", "z")}


def functions(table: Mapping[str, Operation]) -> str:
    """The text of `functions.pyi`."""
    lines = [
        _NOTE + "from typing import Any, Literal, TypeAlias, overload\n",
        "from numpy.typing import NDArray\n",
        "from micrograd.engine.definitions import define",
        "from micrograd.engine.signatures import Array, Scalar",
        "from micrograd.engine.value import Value\n",
        "__all__ = [",
        *(f'    "{name}",' for name in ("define", *table)),
        "]",
        "# The names that an activation may have.",
        "UnaryName: TypeAlias = Literal[",
        *(f'    "{row.name}",' for row in table.values() if row.arity == 1),
        "]",
    ]
    for row in table.values():
        lines += _overloads(row)
    return "\n".join(lines) + "\n"


def _overloads(row: Operation) -> list[str]:
    """Numbers give a float; a Value in any place gives a Value, and an array gives an array."""

    def line(kinds: list[str], result: str) -> str:
        signature = ", ".join(f"{x}: {kind}" for x, kind in zip(row.operands, kinds, strict=True))
        return f"@overload\ndef {row.name}({signature}) -> {result}: ..."

    lines = [line(["float"] * row.arity, "float")]
    for special, others, result in (
        ("Value", "Scalar", "Value"),
        ("Array", "Scalar | Array", "NDArray[Any]"),
    ):
        lines += [
            line([special if x == place else others for x in row.operands], result)
            for place in row.operands
        ]
    return lines


if __name__ == "__main__":
    here = Path(__file__).parent
    write(here / "methods.pyi", methods(TABLE))
    write(here / "functions.pyi", functions(TABLE))
