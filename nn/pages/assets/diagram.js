// The network: a button for each input and neuron, with its picture of the plane, and a line for
// each weight.
const SVG = "http://www.w3.org/2000/svg";

function made(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") node.className = value;
    else if (key === "text") node.textContent = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

class Diagram {
  constructor(app) {
    this.app = app;
    this.frame = at("diagram");
    this.svg = at("lines");
    this.nodes = [];
    this.lines = [];
    new ResizeObserver(() => this.place()).observe(this.frame.parentElement);
  }

  build() {
    const { network } = this.app.experiment;
    this.app.plane.peeked = null;
    this.frame.querySelectorAll(".node, .column").forEach((each) => each.remove());
    this.svg.replaceChildren();
    this.nodes = network.sizes.map((size, column) =>
      Array.from({ length: size }, (_, j) => this.node(column - 1, j)),
    );
    this.heads = network.sizes.map((_, column) => this.head(column));
    this.lines = Array.from(network.parameters, (_, place) => {
      const known = network.described(place);
      return known.isBias ? null : this.line(place, known);
    });
    this.marked = null;
    this.place();
  }

  node(layer, j) {
    const canvas = made("canvas", { "aria-hidden": "true" });
    const button = made("button", { class: "node", type: "button" }, canvas);
    const name = element("math");
    const label = made("span", { class: "name", "aria-hidden": "true" }, name);
    const value = made("span", { class: "number value" });
    const gradient = made("span", { class: "number gradient" });
    button.append(label, value, gradient);
    name.append(
      formula(
        new Names(this.app.experiment.network, featuresOf(this.app.settings)).h(layer, j),
        [],
      ),
    );
    button.dataset.name =
      layer < 0 ? this.app.settings.features[j] : `layers.${layer}.neurons.${j}`;
    if (layer >= 0) button.addEventListener("click", () => this.app.show(button.dataset.name));
    else button.tabIndex = -1;
    const { plane } = this.app;
    const numbers = () => (layer < 0 ? plane.fed : plane.planes[layer])[j];
    button.addEventListener("pointerenter", () => plane.peek(numbers));
    button.addEventListener("pointerleave", () => plane.peek(null));
    this.frame.append(button);
    return { button, canvas, value, gradient };
  }

  // What stands above a column: how many neurons it has, and their activation.
  head(column) {
    const { app } = this;
    const { network, settings } = app.experiment;
    const head = made("div", { class: "column" });
    const last = network.sizes.length - 1;
    if (column === 0) {
      head.append(made("span", { class: "title", text: say("inputs") }));
    } else {
      const isOutput = column === last;
      if (isOutput) {
        head.append(made("span", { class: "title", text: say("output") }));
      } else {
        const title = { layer: column };
        const count = made("span", { class: "count", text: network.sizes[column] });
        head.append(
          made(
            "span",
            { class: "stepper" },
            this.button("−", say("remove neuron", title), `fewer-${column}`, () =>
              app.resize(column - 1, -1),
            ),
            count,
            this.button("+", say("add neuron", title), `more-${column}`, () =>
              app.resize(column - 1, 1),
            ),
          ),
        );
      }
      const select = made("select", {
        id: `activation-${column}`,
        "aria-label": isOutput
          ? say("output activation")
          : say("activation of layer", { layer: column }),
      });
      fill(select, ["", ...Object.keys(ACTIVATIONS)], (name) => name || say("linear"));
      select.value = network.activations[column - 1];
      select.addEventListener("change", () => {
        if (isOutput) app.change({ output: select.value });
        else
          app.change({
            activation: settings.activation.map((each, i) =>
              i === column - 1 ? select.value : each,
            ),
          });
      });
      head.append(select);
    }
    this.frame.append(head);
    return head;
  }

  button(text, label, id, act) {
    const button = made("button", { type: "button", id, text, "aria-label": label, title: label });
    button.addEventListener("click", act);
    return button;
  }

  line(place, { layer, neuron, i, name }) {
    const group = document.createElementNS(SVG, "g");
    const [seen, wide] = [0, 1].map(() => document.createElementNS(SVG, "path"));
    wide.classList.add("wide");
    const title = document.createElementNS(SVG, "title");
    group.append(title, seen, wide);
    group.dataset.name = name;
    group.addEventListener("click", () => this.app.show(name));
    this.svg.append(group);
    return { group, title, seen, wide, layer, neuron, i, place };
  }

  // The places follow from the available width.
  place() {
    const { experiment } = this.app;
    if (!this.nodes.length || !experiment) return;
    const columns = this.nodes.length;
    const width = Math.max(this.frame.parentElement.clientWidth, columns * 76);
    const tallest = Math.max(...experiment.network.sizes);
    const size = width / columns < 100 ? 32 : 40;
    const gap = Math.max(size + 9, Math.min(64, 420 / tallest));
    const top = 70;
    const height = top + tallest * gap + 14;
    const middle = (count, j) => top + (tallest * gap) / 2 + (j - (count - 1) / 2) * gap;
    const left = isPlain(experiment.settings) ? 38 : 78; // the names of inputs stand there
    const across = (column) => left + (column / (columns - 1)) * (width - left - 38);
    this.frame.style.width = `${width}px`;
    this.frame.style.height = `${height}px`;
    this.frame.style.setProperty("--node", `${size}px`);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.nodes.forEach((column, c) =>
      column.forEach(({ button }, j) => {
        button.style.left = `${across(c) - size / 2}px`;
        button.style.top = `${middle(column.length, j) - size / 2}px`;
      }),
    );
    this.heads.forEach((head, c) => {
      head.style.left = `${across(c)}px`;
    });
    for (const line of this.lines) {
      if (!line) continue;
      const [x0, x1] = [across(line.layer) + size / 2, across(line.layer + 1) - size / 2];
      const y0 = middle(this.nodes[line.layer].length, line.i);
      const y1 = middle(this.nodes[line.layer + 1].length, line.neuron);
      const bend = (x1 - x0) * 0.45;
      const path = `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
      line.seen.setAttribute("d", path);
      line.wide.setAttribute("d", path);
    }
    if (this.app.plane.planes) this.draw();
  }

  // Pictures and lines. `withNumbers` also writes all digits into the elements.
  draw() {
    const { plane, experiment, chosen } = this.app;
    const { network } = experiment;
    [plane.fed, ...plane.planes].forEach((layer, c) =>
      layer.forEach((numbers, j) => {
        plane.drawNeuron(this.nodes[c][j].canvas, numbers);
      }),
    );
    for (const line of this.lines) {
      if (!line) continue;
      const w = network.parameters[line.place];
      const width = (0.4 + Math.min(7, 1.9 * Math.abs(w)) || 0.4).toFixed(1);
      if (line.width !== width) line.seen.setAttribute("stroke-width", (line.width = width));
      const kind = w < 0 ? "negative" : "positive";
      if (line.kind !== kind) line.seen.setAttribute("class", (line.kind = kind));
    }
    this.mark(chosen);
  }

  // All digits, for scripts outside of the page.
  write() {
    const { experiment } = this.app;
    const gradient = experiment.gradientOver();
    for (const line of this.lines) {
      if (!line) continue;
      line.group.dataset.value = experiment.network.parameters[line.place];
      line.group.dataset.gradient = gradient[line.place];
      line.title.textContent = say("weight and gradient", {
        value: shortText(experiment.network.parameters[line.place]),
        gradient: shortText(gradient[line.place]),
      });
    }
    this.nodes.slice(1).forEach((column, l) =>
      column.forEach(({ button }, j) => {
        const place = experiment.network.place(l, j, experiment.network.sizes[l]);
        button.dataset.bias = experiment.network.parameters[place];
        button.dataset.gradient = gradient[place];
        button.setAttribute("aria-label", this.described(l, j));
      }),
    );
    this.nodes[0].forEach(({ button }, i) =>
      button.setAttribute(
        "aria-label",
        say("input", { name: featuresOf(experiment.settings)[i].text }),
      ),
    );
  }

  described(l, j) {
    const { network, points, inputs } = this.app.experiment;
    const place = { layer: l + 1, neuron: j + 1 };
    const { sample } = this.app;
    if (sample >= points.length) return say("neuron", place);
    network.forward(inputs[sample]);
    return say("neuron with value", {
      ...place,
      value: shortText(network.layers[l].h[j]),
      sample: sample + 1,
    });
  }

  mark(chosen) {
    const name = chosen ? chosen.name : "";
    if (this.marked === name) return;
    this.marked = name;
    for (const column of this.nodes) {
      for (const { button } of column) {
        const isChosen = button.dataset.name === name;
        button.classList.toggle("chosen", isChosen);
        if (button.tabIndex === 0) button.setAttribute("aria-pressed", isChosen);
      }
    }
    for (const line of this.lines) {
      if (line) line.group.classList.toggle("chosen", line.group.dataset.name === name);
    }
  }
}
