"""What several files of the specification of `micrograd.derivation` share."""

import math
import re

from micrograd import Value, explain
from micrograd.ops import TABLE
from micrograd.table.interpreters import IEEE
from micrograd.writing.notation import name_in_text


def neuron():
    """The neuron of the README, by its labels."""
    x1, w1 = Value(2.0, label="x1"), Value(-3.0, label="w1")
    x2, w2 = Value(0.0, label="x2"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.label = "o"
    return {"x1": x1, "w1": w1, "x2": x2, "w2": w2, "b": b, "o": o}


def meeting():
    """Paths that meet: x is used four times."""
    x = Value(2.0, label="x")
    y = x * x + 3 / x - (x - 1).relu() ** 3
    y.label = "L"
    return x, y


_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def evaluated(text):
    """A printed formula of numbers, evaluated by Python's own rules of precedence."""
    source = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda found: f"**({found[0].translate(_RAISED)})", text)
    for shown, python in (
        ("·", "*"),
        ("^", "**"),
        ("≤", "<="),
        ("≥", ">="),
        ("inf", "_inf"),
        ("log₂", "log2"),
        ("log₁₀", "log10"),
        (" = ", " == "),
        ("≠", "!="),
    ):
        source = source.replace(shown, python)
    functions = {name_in_text(name): IEEE[name] for name in TABLE} | {
        name: IEEE[name] for name in ("log2", "log10")
    }
    return float(eval(source, {**functions, "_inf": math.inf, "nan": math.nan}))


def values(**numbers):
    return [Value(number, label=name) for name, number in numbers.items()]


def board(output, wrt, **options):
    return explain(output, wrt, style="board", **options)


def last_symbols(output, wrt, **options):
    """The last line in symbols of the derivation, without its sign."""
    text = board(output, wrt, numbers=False, **options).equations()
    return re.split(r"\n *= |^.*? = ", text.strip(), flags=re.MULTILINE)[-1]


def sum_of_squares(deviations):
    return sum(each**2 for each in deviations)
