"""Reads the equations of `explain_layers` as text, and evaluates them with NumPy."""

from __future__ import annotations

import re

import numpy as np

from micrograd.ops import TABLE
from micrograd.table.interpreters import IEEE
from micrograd.writing.notation import name_in_text


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=0))
    return powers / powers.sum(axis=0)


_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def python(text):
    """The text of a formula as an expression of Python on arrays."""
    text = re.sub(
        r"(?:([\d.]+)·)?10(⁻?[⁰¹²³⁴-⁹]+)",
        lambda found: f"{found[1] or 1}e{found[2].translate(_RAISED)}",
        text.replace("−", "-"),
    )
    if " otherwise" in text:
        *cases, last = text.strip("{}").split("; ")
        source = python(last.removesuffix(" otherwise"))
        for case in reversed(cases):
            value, test = case.split(" if ")
            source = f"np.where({python(test)}, {python(value)}, {source})"
        return source
    text = re.sub(r"(?<![\w.])(\d[\d.]*)(?=[^\W\d])(?!e[-\d])", r"\1·", text)  # 2z
    text = re.sub(r"(?<!\w)z\(", "z·(", text)
    text = re.sub(r"([^\W\d]+)²\(", r"squared(\1, ", text)  # tanh²(z)
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", re.sub(r"√(\w+)", r"√(\1)", text))
    text = text.replace("√", "np.sqrt").replace("≠", "!=")
    text = re.sub("⁽([¹²³⁴])⁾", lambda found: f"_{'¹²³⁴'.index(found[1]) + 1}", text)
    text = re.sub(r"∑ₛ (\w+)ₛ", r"across(\1)", text)
    text = text.replace(") ∑", ")·∑")
    text = re.sub(r"∑ (.*)$", r"total(\1)", text)
    text = text.replace("ᵀ", ".T").replace("′", "_prime")
    text = re.sub(r"[₀-₉]", lambda found: str("₀₁₂₃₄₅₆₇₈₉".index(found[0])), text)
    text = re.sub(r"1\[([^][]*)\]", r"(1.0 * (\1))", text)
    text = re.sub(r"((?<![\w.])\d[\d.]*|\))\(", r"\1*(", text)  # 2(ŷ - y)
    for shown, meant in (("⊙", "*"), ("·", "*"), ("≤", "<="), ("≥", ">="), ("²", "**2")):
        text = text.replace(shown, meant)
    text = re.sub(r" = (?=[-\w]+$)", " == ", text)
    return re.sub(r"([\w.]+) ([^\W\d]\w*(?:\.T)?)", r"\1 @ \2", text)


def evaluated(explanation, model, X, y):
    """What the equations of an explanation give, by the names on their left sides."""
    text = explanation.text("en")
    many = len(model.layers) > 1
    names = {
        "π": np.pi,
        **{name_in_text(name): np.vectorize(IEEE[name], otypes=[float]) for name in TABLE},
        "log2": np.log2,
        "log10": np.log10,
        "np": np,
        "softmax": softmax,
        "squared": lambda function, x: function(x) ** 2,
        "total": np.sum,
        "across": lambda matrix: matrix.sum(axis=1, keepdims=True),
    }
    columns = np.array(X).T, np.array(y, dtype=float).reshape(len(X), -1).T
    for letter, matrix in zip("xy", columns, strict=True):
        names |= {letter: matrix, letter.upper(): matrix}
    for i, layer in enumerate(model.layers, 1):
        suffix = f"_{i}" if many else ""
        names[f"W{suffix}"] = np.array([[w.data for w in n.w] for n in layer.neurons])
        names[f"b{suffix}"] = np.array([[n.b.data] for n in layer.neurons])
    if count := re.search(r"Here n = ([\d]+)", text):
        names["n"] = int(count[1])
    equations, later = [], []
    for line in explanation.equations().splitlines():
        left, right = re.fullmatch(r"(.*?) [=≈] (.*)", line).groups()
        equations.append([left.strip() or equations[-1][0], right.strip()])
    for left, right in equations:  # functions first, since they are used before they are defined
        if call := re.fullmatch(r"([^()⁽]+)\((.*)\)", left):
            name, arguments = python(call[1]), python(call[2])
            names[name] = eval(f"lambda {arguments}: {python(right)}", names)
        else:
            later.append((left, right))
    for left, right in later:
        formula, _, shape = right.partition("    (")
        if "∂" in formula:
            continue
        left = re.sub(r"∂L/∂([Wb])", r"slope_\1", left)
        value = np.asarray(eval(python(formula), names), dtype=float)
        if shape:
            rows, across = map(int, shape.rstrip(")").split("×"))
            value = np.broadcast_to(value, (rows, across)) if value.ndim == 0 else value
            assert value.shape == (rows, across), (left, right)
            names.setdefault("shapes", {})[left] = value.shape
        name = python(left)
        if name in names and not left.startswith("slope"):
            np.testing.assert_allclose(value, names[name], rtol=1e-9, atol=1e-12, err_msg=right)
        names[name] = value
    return names
