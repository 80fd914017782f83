"""What several files of the specification of `micrograd.drawing` share."""

import shutil
import sysconfig
import xml.etree.ElementTree as ET

import pytest

from micrograd import Value
from micrograd.drawing.picture_builder import build_picture

SYSTEM_DOT = shutil.which("dot")
PURE = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts")) or shutil.which(
    "graphviz-pure"
)
SVG = "{http://www.w3.org/2000/svg}"


def needs(program, name):
    return pytest.param(
        program, id=name, marks=pytest.mark.skipif(not program, reason=f"{name} is not installed")
    )


EACH_RENDERER = [needs(PURE, "graphviz-pure"), needs(SYSTEM_DOT, "dot")]


def shown_texts(graph):
    """The lines of text in each node of the SVG, by the node's name."""
    svg = ET.fromstring(graph.pipe("svg"))
    return {
        group.findtext(f"{SVG}title"): [
            (text.text or "").replace("\xa0", " ") for text in group.iter(f"{SVG}text")
        ]
        for group in svg.iter(f"{SVG}g")
        if group.get("class", "").split()[:1] == ["node"]
    }


def boxes(root, **options):
    """The boxes of the picture."""
    return build_picture(root, **options).boxes


def expression():
    x, y = Value(2.0, label="x"), Value(-3.0, label="y")
    z = (x * y + 10).tanh() - 2 / x
    z.label = "z"
    return z


def chain(length):
    x = Value(1.0)
    for _ in range(length):
        x = x + 1
    return x
