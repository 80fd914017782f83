"""The operators that JavaScript and C have in common, as a vocabulary of ready formulas."""

from __future__ import annotations

from collections.abc import Callable

from micrograd.table.interpreters import (
    CHOICE,
    COMPARISON,
    POWER,
    SIGN,
    SIGNS,
    SUM,
    Text,
    Texts,
    in_brackets,
    infix,
)


def operators(equal: str, unequal: str) -> dict[str, Callable[..., Text]]:
    """The vocabulary; the languages differ in the signs of equality."""
    python = Texts()
    signs = {**SIGNS, "eq": equal, "ne": unequal}
    return {
        **{name: python[name] for name in ("add", "sub", "mul", "div")},
        "_div": python["div"],
        "neg": lambda x: (f"-{in_brackets(x, POWER)}", SIGN),  # `--` would be another operator
        **{f"_{name}": infix(sign, COMPARISON, SUM, SUM) for name, sign in signs.items()},
        "_truth": lambda x: (f"{in_brackets(x, SUM)} {unequal} 0", COMPARISON),
        "_or": infix("||", CHOICE, COMPARISON, COMPARISON),
        "_and": infix("&&", CHOICE, COMPARISON, COMPARISON),
        "_where": _choice,
    }


def _choice(test: Text, then: Text, otherwise: Text) -> Text:
    first, second = (in_brackets(each, COMPARISON) for each in (test, then))
    return f"{first} ? {second} : {otherwise[0]}", CHOICE
