"""A picture as text for a terminal: from each root down to its operands, as `tree` lists folders.

A value that is used several times is printed once, and marked `(above)` where it occurs again. What
lies very deep is marked `(below)` and printed further down at the margin, so that lines stay short.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from unicodedata import bidirectional, category

from micrograd.drawing.picture import Arrow, Box, Picture
from micrograd.writing.labels import in_columns, without_turns

DEEPEST = 24  # levels


def text(picture: Picture) -> str:
    """The whole text, with the numbers in columns."""
    return "".join(f"{line}\n" for line in in_columns(_lines(picture)))


def _lines(picture: Picture) -> Iterator[Sequence[str]]:
    boxes = {box.name: box for box in picture.boxes}
    names = _names(picture)
    used = {arrow.tail for arrow, _ in picture.arrows()}
    tops = [name for name in boxes if name not in used and name not in picture.roots]
    tops.sort(key=lambda name: boxes[name].kind == "omitted")
    waiting = [*picture.roots, *tops][::-1]
    printed: set[str] = set()
    while waiting:
        top = waiting.pop()
        box = boxes[top]
        inner = [arrow.tail for arrow in box.arrows]
        if top in printed or (box.kind == "omitted" and inner and printed.issuperset(inner)):
            continue
        deep: list[str] = []
        stack: list[tuple[Arrow, str, str, int]] = [(Arrow("", top), "", "", 0)]
        while stack:
            arrow, before, below, depth = stack.pop()
            box = boxes[arrow.tail]
            arrows = box.arrows
            if box.name in printed or (depth == DEEPEST and arrows):
                where = picture.words["above" if box.name in printed else "below"]
                deep += [box.name] * (box.name not in printed)
                yield _marked(arrow, f"{before}{names[box.name]} {where}", "", "", "")
                continue
            printed.add(box.name)
            made = box.operation.text if box.operation else ""
            operation = f"= {terminal_text(made)}" if made else ""
            yield _marked(
                arrow, f"{before}{names[box.name]}", operation, *_numbers(box, picture.words)
            )
            last = len(arrows) - 1
            for i in range(last, -1, -1):
                turn, rest = ("└── ", "    ") if i == last else ("├── ", "│   ")
                stack.append((arrows[i], f"{below}{turn}", f"{below}{rest}", depth + 1))
        waiting += reversed(deep)


def _marked(arrow: Arrow, name: str, operation: str, data: str, grad: str) -> Sequence[str]:
    path = "*" if arrow.on_path else ""
    flow = terminal_text(f"<- {arrow.text}") if arrow.text else ""
    return path, name, operation, data, grad, flow


def _numbers(box: Box, words: Mapping[str, str]) -> tuple[str, str]:
    if box.rows:
        data = ", ".join([*(row.data for row in box.rows), *([box.more] if box.more else [])])
        return f"{words['data']} {terminal_text(data)}", ""
    if box.numbers is None:
        return "", ""
    data, grad = terminal_text(box.data), terminal_text(box.grad)
    return f"{words['data']} {data}", f"{words['grad']} {grad}"


def _names(picture: Picture) -> dict[str, str]:
    """What each box is called: its label, with its name if several have the same label."""
    times = Counter(box.label for box in picture.boxes)
    names, titles = {}, picture.titles()
    for box in picture.boxes:
        label = terminal_text(titles.get(box.label, box.label))
        if box.kind != "omitted" and times[box.label] > 1:
            label = f"{label} [{box.name}]" if label else box.name
        names[box.name] = label or box.name
    return names


def terminal_text(text: str) -> str:
    """The text on one line of a terminal, without characters that a terminal obeys.

    Text that runs from right to left is isolated, so that what follows stays where it is.
    """
    text = without_turns(text.replace("\n", " ⏎ "))
    text = "".join("\ufffd" if category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    if any(bidirectional(c) in _TURNING for c in text):
        text = f"\u2068{text}\u2069"
    return text


_TURNING = frozenset("R AL AN RLE RLO RLI LRE LRO LRI FSI PDF PDI".split())
