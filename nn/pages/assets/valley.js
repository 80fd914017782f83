// The valley of the loss over two parameters, and the path of descent in it.
const VALLEY = { paused: 56, playing: 28 }; // points along a side
const BANDS = 12;

const below = (n) => [...String(n)].map((digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]).join("");
const above = (n) => [...String(n)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");

class Valley {
  constructor(app) {
    this.app = app;
    this.heat = at("valley-heat");
    this.canvas = at("valley");
    this.canvas.addEventListener("click", (event) => this.jump(event));
    for (const id of ["valley-x", "valley-y"]) {
      at(id).addEventListener("change", () => {
        this.range = null;
        this.draw(true);
      });
    }
  }

  build() {
    const { network } = this.app.experiment;
    const names = Array.from(network.parameters, (_, i) => network.described(i));
    ["valley-x", "valley-y"].forEach((id, k) => {
      const before = at(id).value;
      fill(
        at(id),
        names.map((_, i) => String(i)),
        (i) => this.called(names[i]),
      );
      at(id).value =
        before && before < names.length ? before : String(Math.min(k, names.length - 1));
    });
    if (at("valley-x").value === at("valley-y").value) {
      at("valley-x").value = "0";
      at("valley-y").value = String(names.length - 1);
    }
    this.range = null;
  }

  called({ layer, neuron, i, isBias }) {
    const { sizes } = this.app.experiment.network;
    if (sizes.length === 2 && sizes[0] === 1) return isBias ? "b" : "w";
    const index = [neuron, ...(isBias ? [] : [i])].map((n) => below(n + 1));
    return `${isBias ? "b" : "w"}⁽${above(layer + 1)}⁾${index.join(Math.max(neuron, i) > 8 ? " " : "")}`;
  }

  get chosen() {
    return [Number(at("valley-x").value), Number(at("valley-y").value)];
  }

  // Around where the two parameters were and are.
  fit() {
    const { path, network } = this.app.experiment;
    const points = this.chosen.map((i) =>
      [...path.map((each) => each[i]), network.parameters[i]].filter(Number.isFinite),
    );
    const covers = (range, numbers) =>
      numbers.every((x) => Math.abs(x - range.middle) < range.half);
    if (this.range && points.every((numbers, k) => covers(this.range[k], numbers))) return false;
    const half = Math.max(
      2,
      ...points.map((numbers) => 0.7 * (Math.max(...numbers) - Math.min(...numbers))),
    );
    this.range = points.map((numbers) => ({
      middle: (Math.max(...numbers) + Math.min(...numbers)) / 2,
      half: Math.min(half, 1e6),
    }));
    return true;
  }

  draw(isComplete) {
    const isNew = this.fit();
    const isFixed = this.app.experiment.network.parameters.length === 2; // whatever is learned
    if (isNew || isComplete || !isFixed)
      this.survey(isComplete || isFixed ? VALLEY.paused : VALLEY.playing);
    this.drawPath();
  }

  survey(size) {
    const { network, objective, inputs, targets, train } = this.app.experiment;
    const [a, b] = this.chosen;
    const [x, y] = this.range;
    const kept = network.parameters.slice();
    const losses = new Float64Array(size * size);
    for (let row = 0, k = 0; row < size; row++) {
      for (let column = 0; column < size; column++, k++) {
        network.parameters[a] = x.middle + x.half * ((2 * (column + 0.5)) / size - 1);
        network.parameters[b] = y.middle - y.half * ((2 * (row + 0.5)) / size - 1);
        losses[k] = Math.log(objective.mean(inputs, targets, train) + objective.penalised + 1e-3);
      }
    }
    network.parameters.set(kept);
    const finite = losses.filter(Number.isFinite);
    const [low, high] = finite.reduce(
      ([l, h], each) => [Math.min(l, each), Math.max(h, each)],
      [Infinity, -Infinity],
    );
    paint(this.heat, size, (k) => {
      const height = Number.isFinite(losses[k]) ? (losses[k] - low) / (high - low || 1) : 1;
      return palette.shades[1][Math.round((Math.floor(height * BANDS) / BANDS) * 255)];
    });
  }

  toScreen(numbers, width, height) {
    const [p, q] = this.chosen.map(
      (i, k) => (numbers[i] - this.range[k].middle) / this.range[k].half,
    );
    return [((p + 1) / 2) * width, ((1 - q) / 2) * height];
  }

  drawPath() {
    const { context, width, height } = cleared(this.canvas);
    const { path, network } = this.app.experiment;
    context.beginPath();
    for (const each of [...path, network.parameters])
      context.lineTo(...this.toScreen(each, width, height));
    context.strokeStyle = palette.curve;
    context.lineWidth = 1.8;
    context.stroke();
    const [x, y] = this.toScreen(network.parameters, width, height);
    context.beginPath();
    context.arc(x, y, 5, 0, 2 * Math.PI);
    context.fillStyle = palette.curve;
    context.strokeStyle = palette.paper;
    context.lineWidth = 1.5;
    context.fill();
    context.stroke();
  }

  // A click puts the two parameters at that place.
  jump(event) {
    const frame = this.canvas.getBoundingClientRect();
    const [x, y] = this.range;
    const [a, b] = this.chosen;
    const { parameters } = this.app.experiment.network;
    parameters[a] = x.middle + x.half * ((2 * (event.clientX - frame.left)) / frame.width - 1);
    parameters[b] = y.middle - y.half * ((2 * (event.clientY - frame.top)) / frame.height - 1);
    this.app.restartHere();
  }
}
