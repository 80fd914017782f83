"""A drawing function written for the class of Karpathy's lecture runs unchanged."""

import graphviz

from micrograd.drawing import renderers
from tests.drawing.common import expression


def test_a_drawing_function_written_for_the_original_class_runs(renderer):
    def trace(root):
        nodes, arrows = set(), set()

        def build(v):
            if v not in nodes:
                nodes.add(v)
                for child in v._prev:
                    arrows.add((child, v))
                    build(child)

        build(root)
        return nodes, arrows

    def draw(root):
        dot = graphviz.Digraph(format="svg", graph_attr={"rankdir": "LR"})
        nodes, arrows = trace(root)
        for n in nodes:
            text = f"{{ {n.label} | data {n.data:.4f} | grad {n.grad:.4f} }}"
            dot.node(name=str(id(n)), label=text, shape="record")
            if n._op:
                dot.node(name=str(id(n)) + n._op, label=n._op)
                dot.edge(str(id(n)) + n._op, str(id(n)))
        for tail, head in arrows:
            dot.edge(str(id(tail)), str(id(head)) + head._op)
        return dot

    z = expression()
    z.backward()
    dot = draw(z)
    svg = renderers.run(dot.source, ["-Tsvg"])
    assert svg.count(b'class="node"') == 12
    assert svg.count(b'class="edge"') == 12
