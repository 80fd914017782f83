"""One picture of a graph in which every number of its steps has room."""

from __future__ import annotations

from micrograd.drawing.steps import Story
from micrograd.drawing.svg import Svg
from micrograd.drawing.themes import Theme
from micrograd.graph import walking


def still(story: Story, theme: Theme | str = "light") -> str:
    """The SVG of a story's graph at its end; without a renderer, placed by simpler means."""
    from micrograd.drawing import draw_dot
    from micrograd.drawing.renderer import RenderingError

    nodes = story.chain.nodes
    with walking:
        before = [(node, node.grad) for node in nodes]
        try:
            for node, digits in zip(nodes, story.room_for_gradients(), strict=True):
                node.grad = "x" * digits  # type: ignore[assignment]  # a text that is shown as it is
            graph = draw_dot(
                story.chain.output,
                theme=theme,
                names=story.chain.unlabelled(),
                max_nodes=len(nodes),
            )
        finally:
            for node, grad in before:
                node.grad = grad
    try:
        drawn = str(graph.pipe("svg", encoding="utf-8"))
    except RenderingError:
        from micrograd.drawing.simple import simple_svg

        drawn = simple_svg(graph.picture, theme)
    return finished(story, drawn)


def finished(story: Story, drawn: str) -> str:
    """The picture with each gradient as it is at the end."""
    svg = Svg(drawn)
    _, gradients = story.known(len(story.steps))
    for i, gradient in enumerate(gradients):
        svg.numbers(f"n{i}")[1].text = gradient or "—"
    return svg.text()
