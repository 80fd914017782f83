"""What can be measured in a compact picture: widths, sizes of letters, and overlaps.

The letters are measured in DejaVu Sans by Pillow, not by the project's own widths. A text that fits
in this font fits in the other usual ones, which are narrower.
"""

import math
import re
import xml.etree.ElementTree as ET
from functools import cache
from itertools import combinations

import pytest

from micrograd import Value
from micrograd.drawing import draw, draw_dot
from micrograd.drawing.formats import WRITERS
from micrograd.drawing.metrics import text_width
from micrograd.drawing.named.layout import leading
from micrograd.drawing.spans import (
    APART,
    LOWERED,
    RAISED,
    SCRIPT,
    line_width,
    of_mark,
    overhang,
    placed,
    plain,
)
from micrograd.writing.notation import named
from tests.drawing.common import EACH_RENDERER, SVG
from tests.drawing.named.graphs import ARTICLES, called, chance

ImageFont = pytest.importorskip("PIL.ImageFont")
ROOM = 0.51  # for the rounding of coordinates to a tenth, and of sizes of cells to one pixel


@cache
def font():
    from matplotlib import get_data_path

    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", 1000)


def length(text, size):
    """The width of a text; Pillow's font has no Chinese letters, which are as wide as high."""
    wide = re.sub("[^\u3000-\u9fff]", "", text)
    narrow = re.sub("[\u3000-\u9fff]", "", text)
    return font().getlength(narrow, features=["-kern"]) * size / 1000 + len(wide) * size


SVGS = [*EACH_RENDERER, pytest.param(None, id="own SVG")]


@pytest.fixture(params=SVGS)
def drawn(request, monkeypatch):
    """Draws a graph as SVG with each renderer in turn, and without any."""

    def svg(graph):
        if request.param is None:
            return ET.fromstring(WRITERS["svg"](graph.picture, graph.theme))
        monkeypatch.setenv("MICROGRAD_DOT", request.param)
        return ET.fromstring(graph.pipe("svg"))

    return svg


# ----------------------------------------------------------------------------------------- reading


def numbers(text):
    return [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", text)]


def extent(xs, ys):
    return min(xs), min(ys), max(xs), max(ys)


def sizes(text):
    """The pieces of a line with their sizes: the text itself and its parts."""
    size = float(text.get("font-size"))
    yield text.text or "", size
    for part in text:
        yield part.text or "", float(part.get("font-size", size))
        yield part.tail or "", size


def place(text):
    """The rectangle that a line of text covers, from its capitals to its base line."""
    assert text.get("text-anchor") == "middle"
    wide = sum(length(piece, size) for piece, size in sizes(text))
    x, y, size = (float(text.get(name)) for name in ("x", "y", "font-size"))
    moves = [float(part.get("dx", 0)) for part in text]  # two scripts of a letter begin together
    after = moves[-1] + length("\u00a0", size) if any(moves) else 0.0
    assert abs(sum(moves)) < 0.3, "what is moved to the left is made up for at the end"
    return x - wide / 2, y - 0.73 * size, x + wide / 2 - after, y


class Drawing:
    """The boxes, the texts on arrows, and points of the lines of an SVG."""

    def __init__(self, svg):
        self.width = float(svg.get("width"))
        assert svg.get("viewBox").split()[2:] == [svg.get("width"), svg.get("height")] or (
            abs(float(svg.get("viewBox").split()[2]) - self.width) < 1
        )
        self.texts = list(svg.iter(f"{SVG}text"))
        self.boxes, self.notes, self.lines = {}, [], []
        for group in svg.iter(f"{SVG}g"):
            kind, name = group.get("class", "").split(" ")[0], group.get("id")
            if kind == "node" and not name.endswith("t"):
                self.boxes[name] = self._shape(group), list(group.iter(f"{SVG}text"))
            elif kind in ("node", "edge"):
                written = list(map(place, group.iter(f"{SVG}text")))
                if written:
                    lefts, tops, rights, ends = zip(*written, strict=True)
                    self.notes.append((min(lefts), min(tops), max(rights), max(ends)))
                if kind == "edge":
                    for path in group.iter(f"{SVG}path"):
                        self.lines.append(points(path.get("d")))
                    for tip in group.iter(f"{SVG}polygon"):
                        at = numbers(tip.get("points"))
                        self.lines.append(list(zip(at[::2], at[1::2], strict=True)))

    @staticmethod
    def _shape(group):
        for shape in group:
            if shape.tag == f"{SVG}rect":
                x, y, wide, tall = (float(shape.get(n)) for n in ("x", "y", "width", "height"))
                return x, y, x + wide, y + tall
            if shape.tag in (f"{SVG}path", f"{SVG}polygon"):
                at = numbers(shape.get("d") or shape.get("points"))
                return extent(at[::2], at[1::2])
        raise AssertionError(group.get("id"))


def points(path, steps=24):
    """Points of the curves of a path: the commands M and C."""
    at = numbers(path)
    pairs = [complex(*pair) for pair in zip(at[::2], at[1::2], strict=True)]
    found = []
    for i in range(0, len(pairs) - 1, 3):
        a, b, c, d = pairs[i : i + 4]
        for step in range(steps + 1):
            t = step / steps
            u = 1 - t
            z = u**3 * a + 3 * u * u * t * b + 3 * u * t * t * c + t**3 * d
            found.append((z.real, z.imag))
    return found


def inside(point, rectangle, margin=1.0):
    (x, y), (left, top, right, end) = point, rectangle
    return left + margin < x < right - margin and top + margin < y < end - margin


def apart(one, other):
    return any(one[i + 2] <= other[i] + ROOM or other[i + 2] <= one[i] + ROOM for i in (0, 1))


def assert_clear(svg, width):
    """Everything that is measured."""
    drawing = Drawing(svg)
    assert drawing.width <= width + ROOM
    assert drawing.boxes
    for text in drawing.texts:
        for piece, size in sizes(text):
            assert size >= 11 or not piece.strip(), (piece, size)
    for name, (box, texts) in drawing.boxes.items():
        assert texts, name
        for text in texts:
            left, top, right, end = place(text)
            assert box[0] + 2 <= left, (name, "".join(text.itertext()))
            assert right <= box[2] - 2, (name, "".join(text.itertext()))
            assert box[1] <= top
            assert end <= box[3] - 1
        for one, other in combinations(map(place, texts), 2):
            assert apart(one, other)
    pieces = [box for box, _ in drawing.boxes.values()] + drawing.notes
    for one, other in combinations(pieces, 2):
        assert apart(one, other)
    for line in drawing.lines:
        reach = extent(*zip(*line, strict=True))
        for piece in pieces:
            near = not apart(reach, piece)  # few pieces are
            assert not (near and any(inside(point, piece) for point in line))
    return drawing


# ------------------------------------------------------------------------------------- the measures


@pytest.mark.slow
@pytest.mark.parametrize("width", [700, 390])
@pytest.mark.parametrize("article", ARTICLES)
def test_no_text_is_small_and_none_lies_on_a_line_or_a_box(article, width, drawn):
    graph = draw(ARTICLES[article](), width=width)
    drawing = assert_clear(drawn(graph), width)
    assert len(drawing.boxes) == len(graph.picture.boxes)
    assert len(drawing.notes) == sum(1 for _ in graph.picture.arrows())


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"numbers": True}, {"hide": "inputs", "digits": 2}])
@pytest.mark.parametrize("article", ["one_layer", "two_layers", "cross_entropy"])
def test_texts_are_as_clear_with_other_options(article, options, drawn):
    assert_clear(drawn(draw(ARTICLES[article](), width=390, **options)), 390)


def long_chain(steps):
    """Each of many values is computed from the one before."""
    operations = [Value.sin, lambda v: v * 1.3, Value.tanh, lambda v: v + 0.2, Value.exp]
    value = Value(0.7, label="x")
    for i in range(steps):
        value = called(f"v_{i + 1}", operations[i % len(operations)](value))
    return value


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("width", [700, 390])
@pytest.mark.parametrize("steps", [10, 30])
def test_a_long_chain_is_folded_into_rows(steps, width, numbers, drawn):
    graph = draw(long_chain(steps), width=width, numbers=numbers)
    drawing = assert_clear(drawn(graph), width)
    columns = {(700, False): 3, (390, True): 1}.get((width, numbers), 2)
    rows = {round(graph.picture.layout.centres[name][1]) for name in drawing.boxes}
    assert len(rows) == -(-len(drawing.boxes) // columns)
    assert len(drawing.notes) == steps


def test_a_short_chain_and_one_with_a_direction_are_not_folded():
    for options in ({"steps": 5}, {"steps": 12, "direction": "TB"}):
        graph = draw(long_chain(options.pop("steps")), width=390, **options)
        lefts = {round(x) for x, _ in graph.picture.layout.centres.values()}
        assert len(lefts) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_texts_are_as_clear_in_random_graphs(seed, drawn):
    assert_clear(drawn(draw(chance(seed), width=[700, 390][seed % 2])), [700, 390][seed % 2])


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(6, 150))
def test_texts_are_as_clear_in_many_random_graphs(seed):
    graph = draw(chance(seed, size=8 + seed % 50), width=[700, 390, 1000][seed % 3])
    assert_clear(
        ET.fromstring(WRITERS["svg"](graph.picture, graph.theme)), [700, 390, 1000][seed % 3]
    )


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
def test_texts_are_as_clear_in_every_direction(direction, drawn):
    graph = draw_dot(ARTICLES["one_layer"](), level="named", direction=direction)
    assert_clear(drawn(graph), graph.picture.layout.size[0])
    assert graph.picture.direction == direction


def test_a_short_story_is_read_from_left_to_right_and_a_long_one_from_top_to_bottom():
    y = called("y", (Value(0.5, label="x") * 2).tanh())
    assert draw(called("L", y**2)).picture.direction == "LR"
    assert draw(ARTICLES["two_layers"]()).picture.direction == "TB"


@pytest.mark.parametrize("width", [700, 390])
def test_a_formula_is_not_broken_while_its_row_has_room(width):
    lines = draw(ARTICLES["four_points"](), width=width).picture.layout.lines
    (whole,) = [line for line in lines.values() if plain(line[0]).startswith("J =")]
    assert len(whole) == 1


@pytest.mark.parametrize("width", [700, 390])
def test_no_name_is_cut_only_to_read_from_left_to_right(width):
    x, y, w, z = (Value(2.0, label=name) for name in "xywz")
    long, third = called("another rather long name too", x * y), called("third", z / w)
    graph = draw(called("a very long label of a value here", long + third), width=width)
    lines = [plain(line) for lines in graph.picture.layout.lines.values() for line in lines]
    assert "a very long label of a value here" in " ".join(lines)
    assert not [line for line in lines if "…" in line]


def test_the_widths_are_those_of_the_font():
    letters = "".join(map(chr, range(33, 127))) + "ŷθσ∂αβΣ·−×≈₁₂¹²⁽⁾⁻√"
    for letter in letters:
        assert math.isclose(text_width(letter, 100), length(letter, 100), abs_tol=0.06), letter


@pytest.mark.slow
def test_a_picture_that_many_long_arrows_pass_fits_the_width():
    xs = [Value(i / 64, label=f"x_{i}") for i in range(64)]
    total = called("s_0", xs[0].tanh())
    for i, x in enumerate(xs[1:], 1):
        total = called(f"s_{i}", total * x)
    for i, x in enumerate(xs):  # each is needed again at the end
        total = called(f"t_{i}", total + x.sin())
    drawing = draw(total, width=390)
    assert float(ET.fromstring(WRITERS["svg"](drawing.picture, drawing.theme)).get("width")) <= 390


def test_the_two_scripts_of_a_letter_begin_at_the_same_place():
    for label, expected in (("w^{(1)}_{12}", ["12", "("]), ("x_{123}^2", ["2", "123"])):
        line = of_mark(named(label).mark)
        found = list(placed(line, 15.0))
        (one, other) = (i for i, (span, _, _) in enumerate(found) if span.text in expected)
        assert [found[i][0].text for i in (one, other)] == expected  # the narrower one first
        back = -found[other][1]
        narrow = length(expected[0], 15.0 * SCRIPT)
        assert narrow * 0.7 < back < narrow * 1.1
        assert {math.copysign(1, y) for span, _, y in found if span.shift} == {-1.0, 1.0}
        assert line_width(line, 15.0) < sum(length(s.text, 15.0) for s in line) - 0.9 * back


def test_a_letter_with_one_script_is_not_moved():
    line = of_mark(named("w_12").mark)
    assert [dx for _, dx, _ in placed(line, 15.0)] == [0.0] * len(line)
    assert overhang(line, 15.0) == 0.0


@pytest.mark.slow
def test_lines_with_two_scripts_are_in_the_middle_of_their_boxes_in_the_browser(browser, tmp_path):
    x, w = Value(2.0, label="x^{(1)}_{123}"), Value(-3.0, label="w^{(1)}_{12}")
    graph = draw(x * w + x.tanh())
    (tmp_path / "a.svg").write_text(WRITERS["svg"](graph.picture, graph.theme), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "a.svg").as_uri())
    found = page.evaluate(
        """() => [...document.querySelectorAll("g.node")].map((group) => {
          const { x, width } = group.querySelector("rect").getBBox();
          const text = group.querySelector("text");
          const count = text.textContent.trimEnd().length;
          const places = Array.from({ length: count }, (_, i) => text.getExtentOfChar(i));
          const right = Math.max(...places.map((each) => each.x + each.width));
          return x + width / 2 - (places[0].x + right) / 2;
        })"""
    )
    page.close()
    assert len(found) == 3
    assert max(map(abs, found)) < 1.0


def test_scripts_above_each_other_do_not_reach_into_the_next_line():
    line = of_mark(named("w^{(1)}_{12}").mark)
    below, above = LOWERED + APART, APART - RAISED  # of the base lines of the scripts
    brackets = SCRIPT * (0.75 + 0.25)  # the height and the depth of a bracket
    assert leading([line, line]) >= below + above + brackets
    assert leading([line]) == leading([of_mark(named("x1").mark)] * 2) < leading([line, line])


def test_a_picture_is_not_read_from_left_to_right_if_that_breaks_its_formulas():
    x, y, z = (Value(number, label=name) for number, name in ((0.7, "x"), (-1.3, "y"), (2, "z")))
    graph = draw(called("D", (x - y) ** 2 + (y - z) ** 2 + (z - x) ** 2), width=390)
    assert max(map(len, graph.picture.layout.lines.values())) <= 2
