"""A drawing highlights all that lies on a way between two values."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micrograd import Value
from micrograd.drawing import draw_dot
from micrograd.engine.graph import operands, order
from tests.drawing.common import boxes, chain


def lit(root, path, **options):
    """The names of values, operations and arrows that are highlighted."""
    found = set()
    for box in boxes(root, path=path, **options):
        found |= {box.name} if box.on_path else set()
        if box.operation and box.operation.on_path:
            found.add(box.operation.name)
            found |= {arrow.name for arrow in box.operation.arrows if arrow.on_path}
    return found


def test_values_operations_and_arrows_on_the_path_are_highlighted():
    x, y = Value(2.0), Value(3.0)
    product_ = x * y
    out = (product_ + y).exp()
    assert lit(out, (x, out)) == {
        *("n0", "n2", "n2op", "n2e0"),
        *("n3", "n3op", "n3e0", "n4", "n4op", "n4e0"),
    }
    assert lit(out, (x, product_)) == {"n0", "n2", "n2op", "n2e0"}
    assert lit(out, (out, out)) == {"n4"}


def test_without_a_path_nothing_is_highlighted_and_nothing_subdued():
    assert {box.on_path for box in boxes(chain(3))} == {None}
    assert "aside" not in draw_dot(chain(3)).source


def test_a_single_value_leads_to_every_root():
    x, y = Value(2.0), Value(3.0)
    roots = [x.exp(), y.exp(), x * y]
    assert lit(roots, x) == {
        *("n0", "n1", "n1op", "n1e0"),
        *("n4", "n4op", "n4e0"),
    }


def test_two_paths_do_not_make_a_third():
    a, b = Value(1.0), Value(2.0)
    c = a * b
    d, e = c.exp(), c.tanh()
    out = d + e
    both = lit(out, [(a, c), (c, d)])
    assert both == {"n0", "n2", "n2op", "n2e0", "n3", "n3op", "n3e0"}
    # b leads to c and d to out, but nothing was asked about the way from c to d.
    assert "n3e0" not in lit(out, [(b, c), (d, out)])


def test_an_operation_that_uses_a_value_twice_is_reached_twice():
    x = Value(3.0)
    assert lit(x * x, x) == {"n0", "n1", "n1op", "n1e0", "n1e1"}


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12))
def test_a_value_is_highlighted_if_there_is_a_way_through_it(pairs):
    values = [Value(1.0), Value(2.0)]
    for i, j in pairs:
        values.append(values[i % len(values)] * values[j % len(values)])
    out = values[-1]
    nodes = order(out)
    below = {node: {id(each) for each in order(node)} for node in nodes}
    x = nodes[0]
    names = {f"n{i}": node for i, node in enumerate(nodes)}
    found = boxes(out, path=(x, out))
    for box in found:
        node = names[box.name]
        assert box.on_path is (id(x) in below[node])
        for arrow in box.operation.arrows if box.operation else ():
            assert arrow.on_path is (id(x) in below[names[arrow.tail]])
    assert len(found) == len(nodes)
    assert all(operand is not None for node in nodes for operand in operands(node))


def test_a_path_that_does_not_exist_is_refused_by_name():
    x, y = Value(2.0, label="x"), Value(3.0)
    out = x.exp()
    out.label = "out"
    with pytest.raises(ValueError, match="path: 'out' is not below 'x'"):
        draw_dot([out, y], path=(out, x))
    with pytest.raises(ValueError, match=r"path: Value\(3\) is not below 'out'"):
        draw_dot(out, path=y)
    with pytest.raises(ValueError, match="path: 'y' is not below 'out'"):
        draw_dot(out, path=y, names={"y": y})
    elsewhere = x.tanh()
    with pytest.raises(ValueError, match="'x' is not below"):
        draw_dot(out, path=(x, elsewhere))


@pytest.mark.parametrize("path", ["x", 3, [1], [("x", "y")], (Value(1.0), 2), object()])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TypeError, match="path is a Value, a pair of Values"):
        draw_dot(Value(1.0), path=path)


def test_every_other_format_shows_the_path_too():
    x = Value(2.0, label="x")
    graph = draw_dot((x * Value(3.0)).exp(), path=x)
    assert graph.tree().count("*  ") == 3
    assert '"path": true' in graph.json()
    assert '"path": false' in graph.json()
    assert "leafPath" in graph.mermaid()
    assert "leafAside" in graph.mermaid()
    assert re.search(r"draw=graphleaflinepath,[^]]*\] \(n0\)", graph.tikz())
    assert re.search(r"draw=graphleaflineaside,[^]]*\] \(n1\)", graph.tikz())


@pytest.mark.slow
def test_paths_of_a_deep_graph_are_found_without_recursion():
    x = Value(1.0)
    out = x
    for _ in range(20_000):
        out = out * 1.0
    assert len(lit(out, x, max_nodes=30_000)) == 1 + 3 * 20_000


def test_a_way_past_a_value_does_not_light_it():
    x = Value(1.0)
    a, b = x.exp(), x.tanh()
    out = a * b
    for one, other in product((a, b), repeat=2):
        found = lit(out, (one, out))
        index = {id(node): f"n{i}" for i, node in enumerate(order(out))}
        assert (index[id(other)] in found) is (one is other)
