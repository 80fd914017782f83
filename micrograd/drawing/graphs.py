"""The computation graph as a picture: `draw_dot(root)`, and `draw(output)` as in a book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from micrograd.drawing import dot, themes
from micrograd.drawing.film import adjoints
from micrograd.drawing.named import dot as named_dot
from micrograd.drawing.named.builder import DIGITS, WIDTH, named_picture
from micrograd.drawing.picture import Picture, checked_direction
from micrograd.drawing.picture_builder import MAX_NODES, build_picture, checked_roots
from micrograd.drawing.themes import Theme
from micrograd.engine.value import Value
from micrograd.writing.numbers import significant

if TYPE_CHECKING:
    from micrograd.drawing.computation_graph import ComputationGraph


def draw_dot(
    root: Value | Iterable[Value],
    format: str = "svg",  # noqa: A002 (the name that its callers know)
    rankdir: str = "LR",
    *,
    direction: str | None = None,
    theme: str | Theme = "light",
    local_partials: bool = False,
    contributions: bool = False,
    path: Any = None,
    focus: Value | None = None,
    radius: int = 2,
    model: Any = None,
    level: str = "operation",
    names: Mapping[str, Any] | Any | None = None,
    max_nodes: int = MAX_NODES,
    lang: str = "en",
    hide: Any = (),
    numbers: bool = False,
    digits: int | None = None,
    roles: Mapping[Any, str] | None = None,
    width: int | None = None,
) -> ComputationGraph:
    """Draw the graph below a value, or below each of several, as a `graphviz.Digraph`.

    Every value is a box with its label, `data` and `grad`; every operation is an oval. The gradient
    is `—` until a backward pass has reached the value, and again after `zero_grad`. Plain numbers
    are shown where they were written, within the operation.

    With `level="named"` the picture is compact, as in a book: one box for each named value, with
    its formula, below it the value in black and the gradient in red, and on each arrow the partial
    derivative as a formula. It is at most `width` pixels wide.

    Args:
        root: a Value, or a list of Values.
        format: the format of `.render()` and `.pipe()`, such as "svg", "png" or "pdf".
        rankdir: the direction of reading: "LR", "TB", "RL" or "BT".
        direction: the same as `rankdir`, which it overrides.
        theme: "light", "dark", "print" or a `Theme`; or "auto", in which an SVG follows the scheme
            of the reader's screen.
        local_partials: whether to write on each arrow the derivative of the operation with respect
            to that operand.
        contributions: whether to write on each arrow what flowed back along it in the last backward
            pass, `upstream · local = contribution`, after `+=` if the gradient is a sum of several.
        path: `(x, loss)` highlights everything that leads from x to loss, and `x` everything that
            leads from x to a root; a list highlights several paths.
        focus: a value. Only what is at most `radius` operations from it is shown; dashed boxes
            count what is left out.
        radius: the number of operations around the focus.
        model: a network whose neurons and layers are framed: any object with `.layers`, whose
            members have `.neurons`, which have `.w` and `.b`.
        level: "operation"; or "neuron", to draw each neuron of the model as one box with its
            weights as arrows; or "layer", to draw each layer as one box; or "named", to draw each
            named value as one box.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        max_nodes: the most boxes that are drawn.
        lang: the language of the words in the picture and of the text for those who cannot see it,
            "en" or "zh".
        hide: for level="named", what is not shown: Values or their names; all "constants" (given
            values without a name), "inputs", "weights", "targets" or "activations"; all "gradients"
            or "values"; or "input gradients", "target gradients" and so on.
        numbers: for level="named", whether each partial is followed by its value.
        digits: how many significant digits numbers have; by default, four with level="named", and
            four decimals otherwise.
        roles: for level="named", the role of values that is not told by their names: a mapping from
            Values or names to "input", "weight", "target", "activation", "loss" or "value".
        width: for level="named", how wide the picture may be, in pixels: 700 for an article, 390
            for a phone. It is read from left to right if it is narrow enough, else from top to
            bottom; `direction` chooses one of them. By default, 700.

    Returns:
        A graph that shows itself in a notebook. `.render(path)` writes a file, `.pipe()` returns
        the picture, and `.source` is the DOT text. These are drawn by Graphviz, or by the renderer
        in `pip install graphviz-pure resvg-py`. Without either, SVG is drawn by simpler means,
        and so is PNG if resvg-py is installed; other formats are refused. `.mermaid()`, `.tikz()`,
        `.json()` and `.tree()` return the graph in other languages, and `.write(path)` chooses by
        the suffix.

    Raises:
        TypeError: if the root, the focus or the path is not made of Values.
        ValueError: if there would be more than `max_nodes` boxes, if what is asked for is not in
            the graph, or if an option is not for this level.

    >>> x = Value(3.0, label="x")
    >>> graph = draw_dot(x * x + 1)
    >>> print(graph.tree(), end="")
    n2                 = □ + 1  data 10  grad —
    └── n1             = *      data 9   grad —
        ├── x                   data 3   grad —
        └── x (above)
    """
    reading = checked_direction(rankdir if direction is None else direction)
    colors = themes.chosen(theme)
    others = {"path": path, "focus": focus, "local_partials": local_partials or None}
    others["contributions"] = contributions or None
    own = {"hide": hide or None, "numbers": numbers or None, "roles": roles, "width": width}
    for name, given in (others if level == "named" else own).items():
        if given is not None:
            raise ValueError(f"{name}= is not for level={level!r}")
    if level == "named":
        chosen = direction is not None or rankdir != "LR"
        picture = named_picture(
            checked_roots(root),
            names=names,
            model=model,
            roles=roles,
            hide=hide,
            numbers=numbers,
            digits=DIGITS if digits is None else digits,
            width=WIDTH if width is None else width,
            direction=reading if chosen else "",
            lang=lang,
            max_nodes=max_nodes,
        )
        return _graph(picture, colors, format)
    with significant(digits):
        picture = build_picture(
            root,
            local_partials=local_partials,
            contributions=contributions,
            path=path,
            focus=focus,
            radius=radius,
            model=model,
            level=level,
            names=names,
            max_nodes=max_nodes,
            direction=reading,
            lang=lang,
        )
    return _graph(picture, colors, format)


def draw(
    output: Value | Iterable[Value],
    *,
    names: Mapping[str, Any] | Any | None = None,
    model: Any = None,
    hide: Any = (),
    numbers: bool = False,
    digits: int = DIGITS,
    roles: Mapping[Any, str] | None = None,
    width: int = WIDTH,
    direction: str | None = None,
    theme: str | Theme = "auto",
    lang: str = "en",
    max_nodes: int = MAX_NODES,
) -> ComputationGraph:
    """Draw how a value is computed, and its derivatives, as in a book.

    This is `draw_dot(output, level="named")` in the colours of the reader's screen. No backward
    pass is needed: the gradients shown are the derivatives of `output`, and no `.grad` is read or
    changed. For several outputs, the gradients are those of the last backward pass.

    Args:
        output: a Value, or a list of Values.
        names: the caller's variables, such as `locals()`, or a model, for values without a label.
        model: a network, whose parameters are weights, and are called by their places.
        hide: what is not shown, as for `draw_dot`.
        numbers: whether each partial is followed by its value.
        digits: how many significant digits numbers have.
        roles: the roles of values, as for `draw_dot`.
        width: how wide the picture may be, in pixels.
        direction: "LR", "TB", "RL" or "BT"; by default, whichever fits the width.
        theme: "auto", "light", "dark", "print" or a `Theme`.
        lang: the language of the text for those who cannot see the picture, "en" or "zh".
        max_nodes: the most boxes that are drawn.

    Returns:
        A graph that shows itself in a notebook; `.write("picture.svg")`, or another suffix such as
        .png, .pdf, .tex or .mmd, writes a file.

    Raises:
        TypeError: if the output is not made of Values.
        ValueError: if there would be more than `max_nodes` boxes, or an option is wrong.

    >>> x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.5, label="b")
    >>> z = x * w + b
    >>> z.label = "z"
    >>> print(draw(z).tree(), end="")
    z = x·w + b  data 0.5  grad 1
    ├── x        data 2    grad −3  <- w
    ├── w        data −3   grad 2   <- x
    └── b        data 6.5  grad 1   <- 1
    """
    reading = "" if direction is None else checked_direction(direction)
    roots = checked_roots(output)
    gradients = adjoints(roots[0], names) if len(roots) == 1 else None
    picture = named_picture(
        roots,
        names=names,
        model=model,
        roles=roles,
        hide=hide,
        numbers=numbers,
        digits=digits,
        width=width,
        direction=reading,
        lang=lang,
        max_nodes=max_nodes,
        gradients=gradients,
    )
    return _graph(picture, themes.chosen(theme), "svg")


def _graph(picture: Picture, colors: Theme, kind: str) -> ComputationGraph:
    from micrograd.drawing.computation_graph import ComputationGraph

    writer = named_dot if picture.width else dot
    graph = ComputationGraph(
        format=kind, body=writer.statements(picture, colors), **writer.attributes(picture, colors)
    )
    graph.picture, graph.theme, graph.drawn = picture, colors, graph.statements()
    return graph
