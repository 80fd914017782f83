// What a neuron computes, and how the gradient of a weight comes about, for one sample.
class Explanation {
  constructor(app) {
    this.app = app;
    this.place = at("explanation");
  }

  draw() {
    const { chosen, experiment, sample } = this.app;
    const { network, objective, points, inputs, targets } = experiment;
    const body = [];
    const isKnown = chosen && sample < points.length;
    at("explanation-title").textContent = this.title();
    if (!chosen) {
      body.push(made("p", { class: "hint", text: say("choose") }));
    } else if (!isKnown) {
      body.push(made("p", { class: "hint", text: say("no samples") }));
    } else {
      this.names = new Names(network, featuresOf(experiment.settings));
      this.total = objective.sample(inputs[sample], targets[sample]);
      this.gradient = new Float64Array(network.parameters.length);
      network.backward(this.gradient);
      body.push(this.ofSample());
      const known = chosen.place === undefined ? null : network.described(chosen.place);
      body.push(...(known ? this.ofWeight(known) : this.ofNeuron(chosen)));
    }
    const focused =
      document.activeElement && this.place.contains(document.activeElement)
        ? document.activeElement.id
        : "";
    if (focused && document.activeElement.tagName === "INPUT") return; // it is being typed into
    this.place.replaceChildren(...body);
    if (focused && at(focused)) at(focused).focus();
  }

  title() {
    const { chosen, experiment } = this.app;
    if (!chosen) return say("explanation");
    const known = chosen.place === undefined ? chosen : experiment.network.described(chosen.place);
    const place = { layer: known.layer + 1, neuron: known.neuron + 1, input: known.i + 1 };
    if (chosen.place === undefined) return say("neuron", place);
    return say(known.isBias ? "bias of" : "weight of", place);
  }

  ofSample() {
    const { experiment, sample } = this.app;
    const { inputs, targets, settings, labels } = experiment;
    const { names } = this;
    const written = inputs[sample].flatMap((x, i) => [
      ...(i ? [["mtext", ", "]] : []),
      ["r", names.input(i), "=", num(x)],
    ]);
    const target =
      targets[sample].length === 1
        ? num(targets[sample][0])
        : [
            "(",
            "(",
            ["r", ...targets[sample].flatMap((t, i) => (i ? [",", num(t)] : [num(t)]))],
            ")",
          ];
    const line = equation(["r", ...written, ["mtext", ", "], ["i", "y"], "=", target]);
    const text =
      settings.kind === "classification"
        ? say("sample of class", { sample: sample + 1, label: this.app.labelOf(labels[sample]) })
        : say("the sample", { sample: sample + 1 });
    line.prepend(made("span", { class: "lead", text }));
    return line;
  }

  // ------------------------------------------------------------------------------------ neurons

  ofNeuron({ layer, neuron }) {
    const { network } = this.app.experiment;
    const { names } = this;
    const { nin, name, z, h, start } = network.layers[layer];
    const x = this.below(layer);
    const weights = Array.from(
      { length: nin },
      (_, i) => network.parameters[network.place(layer, neuron, i)],
    );
    const bias = network.parameters[start + neuron * (nin + 1) + nin];
    const [zName, hName] = [names.z(layer, neuron), names.h(layer, neuron)];
    const found = [
      equation(
        zName,
        "=",
        ...plus([
          names.bias(layer, neuron),
          ...weights.map((_, i) => times(names.weight(layer, neuron, i), names.h(layer - 1, i))),
        ]),
      ),
      equation(
        ["mtext", ""],
        "=",
        ...plus([num(bias), ...weights.map((w, i) => times(factor(w), factor(x[i])))]),
        "=",
        num(z[neuron]),
      ),
      equation(
        hName,
        "=",
        activationMark(name, 0, zName, hName),
        "=",
        ...(name ? [activationMark(name, 0, num(z[neuron]), num(h[neuron])), "="] : []),
        num(h[neuron]),
      ),
      ...(layer === names.last ? this.ofLoss() : []),
      ...this.delta(layer, neuron),
      this.table(layer, neuron, weights, bias),
    ];
    return found;
  }

  below(layer) {
    const { network } = this.app.experiment;
    return layer ? network.layers[layer - 1].h : network.input;
  }

  // The parameters of a neuron, with their gradients; each can be chosen.
  table(layer, neuron, weights, bias) {
    const { network } = this.app.experiment;
    const mean = this.app.experiment.gradientOver();
    const table = made(
      "table",
      {},
      made(
        "thead",
        {},
        made(
          "tr",
          {},
          ...["parameter", "value", "of this sample", "of the batch"].map((key) =>
            made("th", { scope: "col", text: say(key) }),
          ),
        ),
      ),
    );
    const body = made("tbody");
    [...weights, bias].forEach((w, i) => {
      const place = network.place(layer, neuron, i);
      const isBias = i === weights.length;
      const mark = isBias ? this.names.bias(layer, neuron) : this.names.weight(layer, neuron, i);
      const button = made(
        "button",
        { type: "button", id: `choose-${place}` },
        element("math", formula(mark, [])),
      );
      button.setAttribute(
        "aria-label",
        say(isBias ? "bias of" : "weight of", {
          layer: layer + 1,
          neuron: neuron + 1,
          input: i + 1,
        }),
      );
      button.addEventListener("click", () => this.app.show(network.described(place).name));
      body.append(
        made(
          "tr",
          {},
          made("td", {}, button),
          ...[w, this.gradient[place], mean[place]].map((x, k) =>
            made("td", { class: k ? "gradient" : "", text: shortText(x) }),
          ),
        ),
      );
    });
    table.append(body);
    return made("div", { class: "scroll" }, table);
  }

  // ------------------------------------------------------------------------------------ weights

  // By the chain rule, from the loss back to a weight or a bias.
  ofWeight({ layer, neuron, i, isBias }) {
    const { app, names } = this;
    const { network } = app.experiment;
    const place = network.place(layer, neuron, i);
    const name = isBias ? names.bias(layer, neuron) : names.weight(layer, neuron, i);
    const input = isBias ? ["mn", "1"] : names.h(layer - 1, i);
    const x = isBias ? 1 : this.below(layer)[i];
    const d = network.layers[layer].d[neuron];
    const gradient = this.gradient[place];
    return [
      this.editor(name, place),
      ...this.chain(layer),
      ...this.delta(layer, neuron),
      equation(
        byPartial(loss, name),
        "=",
        times(byPartial(loss, names.z(layer, neuron)), byPartial(names.z(layer, neuron), name)),
        "=",
        times(names.delta(layer, neuron), input),
        "=",
        times(factor(d), factor(x)),
        "=",
        num(gradient),
      ),
      this.ofBatch(name, place),
    ];
  }

  // The flows of the layers above, from which this one is computed.
  chain(layer) {
    const { layers } = this.app.experiment.network;
    const found = this.ofLoss();
    for (let l = layers.length - 1; l > layer; l--) {
      const { nout } = layers[l];
      const isShort = l < layers.length - 1 && (nout > 3 || layers[l + 1].nout > 3);
      for (let j = 0; j < nout; j++) found.push(...this.delta(l, j, { isShort }));
    }
    return found;
  }

  // The loss of the sample and, for a single output, its derivative.
  ofLoss() {
    const { names } = this;
    const { settings, targets, network } = this.app.experiment;
    const known = story.formulas[`loss ${settings.loss}`];
    const { h, g } = network.layers[names.last];
    const isSingle = h.length === 1;
    const given = [
      [names.output(0), ["i", "y"]],
      [num(h[0]), num(targets[this.app.sample][0])],
    ];
    const written = (which) =>
      known && isSingle ? given.flatMap((parts) => [bracketed(known[which], parts), "="]) : [];
    const line = equation(loss, "=", ...written(0), num(this.total));
    line.prepend(made("span", { class: "lead", text: called("loss", settings.loss) }));
    if (settings.loss === "cross_entropy") return [line, ...this.ofSoftmax(h, g)];
    if (!isSingle) return [line];
    return [line, equation(byPartial(loss, names.output(0)), "=", ...written(1), num(g[0]))];
  }

  // The shares of the classes, and how they differ from the target.
  ofSoftmax(h, g) {
    const { names } = this;
    const target = this.app.experiment.targets[this.app.sample];
    const most = Math.max(...h);
    const sum = h.reduce((total, each) => total + Math.exp(each - most), 0);
    const power = (mark) => ["^", ["i", "e"], mark];
    const below = ["r", ...plus(Array.from(h, (_, k) => power(names.output(k))))];
    return Array.from(h, (each, k) => {
      const share = Math.exp(each - most) / sum;
      const name = single("p", k);
      return equation(
        name,
        "=",
        ["/", power(names.output(k)), below],
        "=",
        num(share),
        ["mtext", ",  "],
        byPartial(loss, names.output(k)),
        "=",
        ["r", name, "-", single("y", k)],
        "=",
        ["r", num(share), "-", num(target[k])],
        "=",
        num(g[k]),
      );
    });
  }

  // δ = ∂L/∂z of a neuron: what arrives at it, times the slope of its activation.
  delta(layer, neuron, { isShort = false } = {}) {
    const { names } = this;
    const { network } = this.app.experiment;
    const { layers } = network;
    const { name, z, h, g, d, slope } = layers[layer];
    const [zName, hName] = [names.z(layer, neuron), names.h(layer, neuron)];
    const slopeNumber = slope(z[neuron], h[neuron]);
    const left = isShort
      ? [names.delta(layer, neuron)]
      : [names.delta(layer, neuron), "=", byPartial(loss, zName)];
    const isLast = layer === layers.length - 1;
    const arrives = isLast ? [byPartial(loss, hName)] : this.arriving(layer, neuron);
    const sum = arrives.length > 1 && name ? inBrackets(arrives) : arrives;
    const found = [];
    if (isShort) {
      found.push(
        equation(...left, "=", times(factor(g[neuron]), factor(slopeNumber)), "=", num(d[neuron])),
      );
    } else if (name) {
      found.push(
        equation(
          ...left,
          "=",
          ...sum,
          "·",
          activationMark(name, 1, zName, hName),
          "=",
          times(factor(g[neuron]), factor(slopeNumber)),
          "=",
          num(d[neuron]),
        ),
      );
    } else {
      found.push(equation(...left, "=", ...sum, "=", num(d[neuron])));
    }
    return found;
  }

  // What the neurons of the next layer send back, as the terms of a sum.
  arriving(layer, neuron) {
    const { names } = this;
    const { nout } = this.app.experiment.network.layers[layer + 1];
    return plus(
      Array.from({ length: nout }, (_, k) =>
        times(names.weight(layer + 1, k, neuron), names.delta(layer + 1, k)),
      ),
    );
  }

  // The mean over the samples of the next step, the penalty, and what a plain step would change.
  ofBatch(name, place) {
    const { experiment } = this.app;
    const batch = experiment.nextBatch();
    const { penalty, strength } = experiment.settings;
    const total = experiment.gradientOver()[place];
    const w = experiment.network.parameters[place];
    const share = penalty === "l2" ? 2 * strength * w : strength * Math.sign(w);
    const isPenalised = penalty !== "none" && strength > 0;
    const parts = [["mover", byPartial(loss, name), "‾"], "="];
    if (isPenalised) parts.push(num(total - share), "+", factor(share), "=");
    const line = equation(...parts, num(total));
    const key = isPenalised ? "batch with penalty" : "mean of batch";
    line.prepend(made("span", { class: "lead", text: say(key, { count: batch.length }) }));
    return line;
  }

  // A field in which the number of a parameter can be changed.
  editor(name, place) {
    const { app } = this;
    const input = made("input", { type: "number", step: "any", id: "parameter" });
    input.value = String(app.experiment.network.parameters[place]);
    input.setAttribute("aria-label", this.title());
    input.addEventListener("change", () => app.setParameter(place, Number(input.value)));
    return made("p", { class: "equation" }, element("math", formula(["r", name, "="], [])), input);
  }
}
