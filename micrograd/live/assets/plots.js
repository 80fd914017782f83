// Curves: the output along a leaf with its tangent, the loss during descent, and the valley.
const WIDTH = 320,
  HEIGHT = 190;
const LEFT = 54,
  RIGHT = 310,
  TOP = 10,
  BOTTOM = 168; // of what is inside the axes

// A scale from numbers to pixels.
const scale =
  ([low, high], [start, end]) =>
  (x) =>
    start + ((x - low) / (high - low || 1)) * (end - start);

// The range of numbers, without the largest of those that diverge, and with a margin.
function range(list, isWhole = false) {
  const finite = list.filter(isFinite).sort((a, b) => a - b);
  if (!finite.length) return [-1, 1];
  const low = finite[0],
    high = finite[finite.length - 1],
    middle = finite[Math.floor(finite.length * 0.8)];
  const most = isWhole ? high : Math.min(high, middle + 4 * (middle - low) || high);
  const room = (most - low) * 0.08 || Math.max(Math.abs(low) * 0.1, 0.5);
  return [low - room, most + room];
}

class Plot {
  constructor(id, xs, ys, labels) {
    this.x = scale(xs, [LEFT, RIGHT]);
    this.y = scale(ys, [BOTTOM, TOP]);
    this.svg = svgElement("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": labels.told,
    });
    const clip = svgElement(
      "clipPath",
      { id: `${id}-frame` },
      svgElement("rect", {
        x: LEFT,
        y: TOP,
        width: RIGHT - LEFT + 5, // for a dot at the end
        height: BOTTOM - TOP,
      })
    );
    this.inside = svgElement("g", { "clip-path": `url(#${id}-frame)` });
    this.svg.append(clip);
    at(id).replaceChildren(this.svg); // where texts have a width
    this.line("axis", [LEFT, TOP], [LEFT, BOTTOM], this.svg);
    this.line("axis", [LEFT, BOTTOM], [RIGHT, BOTTOM], this.svg);
    const [left, right, low, high] = [...xs, ...ys].map((x) => short(Number(x.toPrecision(3))));
    this.text(left, LEFT, HEIGHT - 8, "start");
    this.text(right, RIGHT, HEIGHT - 8, "end");
    this.text(labels.x, (LEFT + RIGHT) / 2, HEIGHT - 8, "middle", 160);
    this.text(high, LEFT - 5, TOP + 9, "end");
    this.text(low, LEFT - 5, BOTTOM, "end");
    this.text(labels.y, LEFT - 5, (TOP + BOTTOM) / 2, "end", LEFT - 6);
    this.svg.append(this.inside);
  }

  // A text, or as much of it as has room.
  text(content, x, y, anchor, room = Infinity) {
    const made = svgElement("text", { x, y, "text-anchor": anchor }, content);
    this.svg.append(made);
    let letters = [...content];
    while (12 * letters.length > room && made.getComputedTextLength() > room) {
      letters = letters.slice(0, -1);
      made.textContent = `${letters.join("")}…`;
    }
  }

  line(kind, [x, y], [x2, y2], into = this.inside) {
    if ([x, y, x2, y2].every(isFinite))
      into.append(svgElement("line", { class: kind, x1: x, y1: y, x2, y2 }));
  }

  // Points in numbers; what is not finite, here or in pixels, interrupts the curve.
  curve(kind, points) {
    let path = "",
      isOn = false;
    for (const [x, y] of points) {
      const at_ = [this.x(x), Math.max(-1e4, Math.min(1e4, this.y(y)))];
      const isSeen = [x, y, ...at_].every(isFinite);
      if (isSeen) path += `${isOn ? "L" : "M"}${at_[0].toFixed(1)},${at_[1].toFixed(1)}`;
      isOn = isSeen;
    }
    if (path) this.inside.append(svgElement("path", { class: kind, d: path }));
  }

  dot(x, y, r = 4) {
    const [cx, cy] = [this.x(x), this.y(y)];
    if (isFinite(cx) && isFinite(cy)) this.inside.append(svgElement("circle", { cx, cy, r }));
  }
}

const between = (low, high, count) =>
  Array.from({ length: count + 1 }, (_, i) => low + ((high - low) * i) / count);
const moved = (i, x) => {
  const held = [...now];
  held[i] = x;
  return held;
};
const thinned = (list, most = 300) => {
  const every = Math.ceil(list.length / most);
  return list.filter((_, i) => i % every === 0 || i === list.length - 1);
};
const fineness = () => Math.max(24, Math.min(120, Math.floor(60000 / rows().length / story.nodes)));

// The range in which a leaf is shown: around its number, and around where it has been.
function reach(i, list) {
  const finite = list.filter(isFinite);
  const low = Math.min(...finite),
    high = Math.max(...finite);
  const room = Math.max(1, 0.6 * (high - low), Math.abs(low) * 0.3, Math.abs(high) * 0.3);
  return finite.length ? [low - room, high + room] : [-border(0), border(0)];
}

// How far the output goes when a leaf is moved, compared with what the derivative predicts.
function drawNudge() {
  const i = state.wrt,
    x = now[i],
    y = numbers[top_],
    slope = gradients[i],
    by = state.nudge;
  const reached = outputAt(moved(i, x + by));
  const xs = reach(i, [x, x + by]);
  const points = between(...xs, fineness()).map((each) => [each, outputAt(moved(i, each))]);
  const guess = y + product(slope, by);
  const ys = range([...points.map(([, each]) => each), y, reached]);
  const name = values[i].text,
    of = values[top_].text;
  const plot = new Plot("curve", xs, ys, {
    x: name,
    y: of,
    told: say("curve told", { output: of, name }),
  });
  plot.curve("curve", points);
  plot.curve(
    "tangent",
    xs.map((each) => [each, y + slope * (each - x)])
  );
  const at_ = plot.x(x + by);
  plot.line("axis", [plot.x(x), plot.y(y)], [at_, plot.y(y)]);
  plot.line("rise", [at_ - 2.5, plot.y(y)], [at_ - 2.5, plot.y(reached)]);
  plot.line("guess", [at_ + 2.5, plot.y(y)], [at_ + 2.5, plot.y(guess)]);
  plot.dot(x, y);
  plot.dot(x + by, reached, 3);
  const lines = [
    ["change", reached - y, [["mtext", "Δ"], top_]],
    ["predicted", product(slope, by), [total(i), ["mo", "·"], ["mtext", "Δ"], i]],
    ["difference", reached - y - product(slope, by), []],
  ];
  at("changes").tBodies[0].replaceChildren(
    ...lines.map(([key, value, mark]) => {
      const row = make("tr", { "data-change": exact(value) });
      const [word, sign, result] = [
        make("th", { scope: "row" }, say(key)),
        make("td"),
        make("td", {}, short(value)),
      ];
      if (mark.length) sign.append(element("math", ...mark.map((each) => formula(each, marks))));
      row.id = key;
      row.append(word, sign, result);
      return row;
    })
  );
}

function drawLosses() {
  const list = thinned(history.losses.map((loss, i) => [i, loss]));
  const ys = range(
    list.map(([, loss]) => loss),
    true
  );
  const of = values[top_].text;
  const plot = new Plot("losses", [0, Math.max(10, state.steps)], ys, {
    x: say("steps"),
    y: of,
    told: say("losses told", { output: of }),
  });
  plot.curve("path", list);
  plot.dot(...list[list.length - 1]);
}

// The loss over one weight as a curve, or over two as a map, with the steps of descent in it.
function drawValley() {
  const path = thinned(history.path),
    of = values[top_].text;
  const names = learn.map((i) => values[i].text);
  at("walked").textContent = say(learn.length === 1 ? "walked curve" : "walked map");
  if (learn.length === 1) {
    const xs = reach(
      learn[0],
      path.map(([x]) => x)
    );
    const points = between(...xs, fineness()).map((x) => [x, outputAt(moved(learn[0], x))]);
    const steps_ = thinned(history.path.map(([x], i) => [x, history.losses[i]]));
    const ys = range([...points, steps_[0]].map(([, y]) => y));
    const plot = new Plot("hills", xs, ys, {
      x: names[0],
      y: of,
      told: say("valley told", { output: of, names: names[0] }),
    });
    plot.curve("curve", points);
    plot.curve("path", steps_);
    for (const [x, y] of thinned(steps_, 60)) plot.dot(x, y, 2.5);
    return;
  }
  const [xs, ys] = [0, 1].map((k) =>
    reach(
      learn[k],
      path.map((each) => each[k])
    )
  );
  const plot = new Plot("hills", xs, ys, {
    x: names[0],
    y: names[1],
    told: say("valley told", { output: of, names: names.join(say("comma")) }),
  });
  const count = Math.max(
    16,
    Math.min(40, Math.floor(Math.sqrt(240000 / rows().length / story.nodes)))
  );
  const heights = between(ys[1], ys[0], count).map((y) =>
    between(...xs, count).map((x) => {
      const held = moved(learn[0], x);
      held[learn[1]] = y;
      return outputAt(held);
    })
  );
  terraces(heights).forEach((d, level) => {
    const area = svgElement("path", { class: "hill", d });
    area.style.fill = `color-mix(in srgb, var(--leaf-line) ${5 + 7 * level}%, var(--paper))`;
    plot.inside.append(area);
  });
  plot.curve("path", path);
  for (const [x, y] of thinned(path, 60)) plot.dot(x, y, 2.5);
  plot.dot(...path[path.length - 1], 4);
}
