"""Copies and pickles keep the graph, shared values, and subclasses."""

import copy
import io
import math
import pickle

import pytest

import micrograd
from micrograd import Value, define
from micrograd.engine import value
from tests.engine.common import chain, sinh_like


def graph_with_everything():
    x, y = Value(2.0, label="x"), Value(3.0)
    h = x * y
    x.note = {"about": [1, 2]}
    h.label = "h"
    root = micrograd.where(h > 1, h + 2 * x, y) - Value(1.0, (h,), "by hand", local_grads=(0.5,))
    root.backward()
    return x, y, h, root


def described(root):
    nodes = value.order(root)
    numbers = {node: i for i, node in enumerate(nodes)}
    return [
        (
            *(node.data, node.grad, node._op, node.label, vars(node).get("note")),
            *(node._local_grads, [numbers[child] for child in node._children]),
        )
        for node in nodes
    ]


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


def pickled_in_python(thing):
    import io

    file = io.BytesIO()
    pickle._Pickler(file).dump(thing)
    return pickle.loads(file.getvalue())


COPIERS = pytest.mark.parametrize(
    "copier",
    [copy.deepcopy, pickled, pickled_in_python]
    + [lambda v, p=p: pickle.loads(pickle.dumps(v, protocol=p)) for p in (0, 1, 2, 4)],
)


@COPIERS
def test_a_copy_has_the_same_graph_numbers_and_attributes(copier):
    *_, root = graph_with_everything()
    copied = copier(root)
    assert copied is not root
    assert described(copied) == described(root)
    assert not set(value.order(copied)) & set(value.order(root))


@COPIERS
def test_backward_on_a_copy_reaches_the_copied_leaves_only(copier):
    x = Value(2.0)
    y = x * x * x
    copied = copier(y)
    copied.backward()
    (leaf,) = [node for node in value.order(copied) if not node._children]
    assert (leaf.grad, x.grad) == (12.0, 0)


@COPIERS
def test_copies_of_lists_keep_what_is_shared(copier):
    x, y, h, root = graph_with_everything()
    other = h * y
    for things in ([x, y, h, root, other], [root, other, h, y, x], [other, x, root, h, y]):
        copied = copier([*things, things[0]])
        assert copied[-1] is copied[0]
        back = dict(zip(things, copied, strict=False))
        assert tuple(back[other]._children) == (back[h], back[y])
        assert tuple(back[h]._children) == (back[x], back[y])
        assert back[h] in value.order(back[root])
        back[x].grad = back[y].grad = 0
        back[other].backward()
        assert (back[x].grad, back[y].grad) == (9.0, 12.0)


@pytest.mark.slow
@COPIERS
def test_deep_lists_keep_what_is_shared(copier):
    x = Value(1.0)
    values = [x]
    for _ in range(1_200):
        values.append(values[-1] + x)
    for things in (values, values[::-1], [values[-1], values[500], x]):
        copied = copier(things)
        back = dict(zip(things, copied, strict=True))
        assert back[x] in back[values[-1]]._children
        back[values[-1]].backward()
        assert back[x].grad == 1201.0
    assert x.grad == 0


@pytest.mark.parametrize("turn", [1, -1], ids=["leaves first", "root first"])
def test_the_pickle_of_a_list_grows_with_the_graph_not_with_its_square(turn):
    sizes = []
    for length in (200, 400, 800):
        values = [Value(1.0)]
        for _ in range(length):
            values.append(values[-1] * 0.5)
        sizes.append(len(pickle.dumps(values[::turn])))
    # twice as many values: twice the bytes (references may take 2 bytes or 5), not four times
    assert sizes[2] - sizes[1] < 3 * (sizes[1] - sizes[0])


def test_a_dictionary_of_values_keeps_its_graph():
    x = Value(3.0)
    h = x * x
    state = pickled({"loss": h * 2, "h": h, "parameters": {"x": x}})
    state["loss"].backward()
    assert state["parameters"]["x"].grad == 12.0
    assert state["h"].grad == 2.0


def test_a_shallow_copy_shares_its_operands():
    x = Value(2.0)
    y = x * x
    twin = copy.copy(y)
    assert twin is not y
    assert tuple(twin._children) == (x, x)
    twin.backward()
    assert x.grad == 4.0
    twin.note = 1
    assert not hasattr(y, "note")


def test_a_copied_comparison_still_has_its_truth_value():
    test = Value(1.0) < Value(2.0)
    for copied in (copy.copy(test), copy.deepcopy(test), pickled(test)):
        assert bool(copied) is True


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_graph_with_a_step_by_hand_refuses_to_be_copied(copier):
    x = Value(2.0)
    out = sinh_like(x)
    with pytest.raises(TypeError, match=r"_backward.*(define|local_grads)"):
        copier(out)


@pytest.mark.parametrize("copier", [copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"loss": [v, v]}])
def test_a_step_by_hand_below_is_refused_too(copier, wrap):
    deep = chain(2_000, sinh_like(Value(2.0)))
    with pytest.raises(TypeError, match=r"_backward.*(define|local_grads)"):
        copier(wrap(deep))


def test_a_pickle_of_a_defined_operation_names_what_is_missing(table):
    bump = define("bump_for_pickle", "exp(-(x * x))", ["-2 * x * out"])
    text = pickle.dumps(bump(Value(0.5)) * 2)
    restored = pickle.loads(text)
    restored.backward()
    assert restored.data == 2 * math.exp(-0.25)
    del table["bump_for_pickle"]
    with pytest.raises(KeyError, match=r"define.*bump_for_pickle"):
        pickle.loads(text)


class Named(Value):
    """A subclass, as a user may write it."""

    def __init__(self, data, name):
        super().__init__(data)
        self.name = name

    def shout(self):
        return self.name.upper()


def test_a_subclass_computes_and_is_copied():
    a, b = Named(2.0, "a"), Named(3.0, "b")
    for f, gradients in [
        (lambda: a * b, (3.0, 2.0)),
        (lambda: a * 3 - b, (3.0, -1.0)),
        (lambda: Value(1.0) / a, (-0.25, 0)),
        (lambda: a + Value(1.0) + b.exp() * 0, (1.0, 0)),
        (lambda: micrograd.maximum(a, b), (0, 1.0)),
    ]:
        a.grad = b.grad = 0
        root = f()
        root.backward()
        assert (a.grad, b.grad) == gradients
    assert bool(a < b) is True
    for copier in (copy.copy, copy.deepcopy, pickled):
        twin = copier(a)
        assert type(twin) is Named
        assert (twin.shout(), twin.data) == ("A", 2.0)
    assert type(value.order(pickled(a * b))[0]) is Named


@pytest.mark.slow
def test_pickling_is_not_deep_while_another_pickler_lives():
    y = Value(1.0)
    for _ in range(5_000):
        y = y * 1.0
    others = [pickle.Pickler(io.BytesIO()) for _ in range(2)]
    others[0].dump(y)
    others[1].dump([*reversed(list_of(y))])
    for _ in range(2):
        back = pickle.loads(pickle.dumps([y, y * 2]))
        assert back[1]._children == (back[0],)


def list_of(root):
    """A chain from its leaf to its root."""
    found = [root]
    while found[-1]._children:
        found.append(found[-1]._children[0])
    return found[::-1]


def test_the_ids_of_announced_values_are_not_used_again_while_their_pickler_lives():
    pickler = pickle.Pickler(io.BytesIO())
    root = Value(1.0) * 2
    root.note = lambda: None  # cannot be pickled, so that the pickler does not keep the root itself
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickler.dump(root)
    before = id(root)
    del root
    assert before not in {id(each) for each in [Value(0.0) for _ in range(1000)]}
