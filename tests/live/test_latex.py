"""The LaTeX that a live page copies: its own script in Node, with elements but without a page."""

import json

import pytest

from micrograd.drawing.frame import asset, brief
from micrograd.writing.marks import ACCENTS, latex
from micrograd.writing.names import read
from tests.export.common import NODE, needs_node, run

ELEMENTS = """
globalThis.document = {
    createElementNS: (_, localName) => ({
        localName,
        children: [],
        append(...parts) {
            this.children.push(...parts.filter((part) => part.localName));
            this.textContent = parts.map((part) => part.textContent ?? part).join("");
            this.lastChild = parts[parts.length - 1];
        },
        setAttribute() {},
        querySelector: () => null,
    }),
};
"""


def copied(marks):
    """What a page copies for each mark."""
    scripts = ELEMENTS + asset("formulas.js") + asset("latex.js", "micrograd.live")
    shown = json.dumps([brief(mark, {}) for mark in marks])
    made = f"{shown}.map((mark) => latex(formula(mark, [])))"
    return json.loads(run(NODE, "-e", f"{scripts}\nconsole.log(JSON.stringify({made}))"))


def without_spaces(text):
    return text.replace(" ", "")


@pytest.mark.slow
@needs_node
def test_a_copied_name_has_the_accents_primes_and_letters_that_the_engine_writes():
    names = ["x_dot", "x_ddot", "x_hat", "x_tilde", "x_bar", "theta_dot", "x'", "x''"]
    marks = [read(name).mark for name in names]
    marks += [("mover", ("mi", "x"), accent) for accent in ACCENTS]
    found = map(without_spaces, copied(marks))
    assert [*found] == [without_spaces(latex(mark)) for mark in marks]


@pytest.mark.slow
@needs_node
def test_a_copied_name_is_never_something_of_the_language_javascript():
    names = ["valueOf", "toString", "constructor"]
    words = [rf"\operatorname{{{name}}}" for name in names]
    assert copied([("mi", name) for name in names]) == words
    assert copied([("mi", "__proto__")]) == [r"\text{\_\_proto\_\_}"]


@pytest.mark.slow
@needs_node
def test_a_bracket_that_begins_a_case_is_no_length_of_latex():
    fence = ("fence", "[", ("mi", "x"), "]")
    (text,) = copied([("cases", (fence, ("mi", "y")), (fence, ("mi", "z")))])
    assert r"\\\lbrack x\rbrack" in text
