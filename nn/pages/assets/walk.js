// One sample through the network and back, one layer at a time.
class Walk {
  constructor(app) {
    this.app = app;
    this.step = 0; // 0 is closed
    this.timer = null;
    at("walk-next").addEventListener("click", () => this.go(this.step + 1));
    at("walk-back").addEventListener("click", () => this.go(this.step - 1));
    at("walk-play").addEventListener("click", () => this.play(!this.timer));
    at("walk-end").addEventListener("click", () => this.go(0));
  }

  get isOpen() {
    return this.step > 0;
  }

  // The inputs, each layer, the loss, and each layer backwards.
  get length() {
    return 2 + 2 * this.app.experiment.network.layers.length;
  }

  play(on) {
    clearInterval(this.timer);
    this.timer = null;
    if (on) {
      this.app.play(false);
      if (this.step === this.length) this.step = 0;
      this.go(this.step + 1);
      this.timer = setInterval(
        () => (this.step < this.length ? this.go(this.step + 1) : this.play(false)),
        1800,
      );
    }
    this.label();
  }

  go(step) {
    if (step > 0) this.app.play(false);
    this.step = Math.max(0, Math.min(this.length, step));
    if (!this.step) {
      clearInterval(this.timer);
      this.timer = null;
    }
    this.draw();
    this.label();
  }

  close() {
    if (this.isOpen) this.go(0);
  }

  label() {
    at("walk-play").textContent = say(this.timer ? "pause" : "walk");
    at("walk-back").disabled = this.step < 2;
    at("walk-next").disabled = this.step >= this.length;
    at("walk-end").hidden = !this.isOpen;
  }

  draw() {
    const { experiment, diagram, sample } = this.app;
    const { network, objective, points, inputs, targets } = experiment;
    const { nodes, lines, frame } = diagram;
    const layers = network.layers.length;
    frame.classList.toggle("walking", this.isOpen);
    const isKnown = this.isOpen && sample < points.length;
    const total = isKnown ? objective.sample(inputs[sample], targets[sample]) : NaN;
    const gradient = new Float64Array(network.parameters.length);
    if (isKnown) network.backward(gradient);
    const forwards = Math.min(this.step - 1, layers); // the last layer whose values are known
    const reached = 2 * layers + 3 - this.step; // the first layer whose gradients are known
    const current = this.step <= layers + 1 ? forwards : Math.min(reached, layers);
    nodes.forEach((column, c) =>
      column.forEach(({ button, value, gradient: flow }, j) => {
        const isForward = isKnown && c <= forwards;
        const isBackward = isKnown && c > 0 && c >= reached;
        button.classList.toggle("known", isForward);
        button.classList.toggle("current", isKnown && c === current);
        const number = c ? network.layers[c - 1].h[j] : network.input[j];
        value.textContent = isForward ? shortText(number) : "";
        flow.textContent = isBackward ? shortText(network.layers[c - 1].d[j]) : "";
      }),
    );
    for (const line of lines) {
      if (!line) continue;
      const leads = isKnown && line.layer + 1 === current;
      line.group.classList.toggle("flowing", leads && this.step <= layers + 1);
      line.group.classList.toggle("returning", leads && this.step > layers + 2);
    }
    at("walk-text").textContent = this.isOpen ? this.told(total, isKnown) : "";
    this.app.plane.drawPoints();
  }

  told(total, isKnown) {
    if (!isKnown) return say("no samples");
    const layers = this.app.experiment.network.layers.length;
    const { step } = this;
    const sample = this.app.sample + 1;
    if (step === 1) return say("walk inputs", { sample });
    if (step <= layers + 1)
      return say(step === layers + 1 ? "walk output" : "walk layer", { layer: step - 1 });
    if (step === layers + 2) return say("walk loss", { loss: shortText(total) });
    const layer = 2 * layers + 3 - step;
    return say(layer === layers ? "walk back output" : "walk back", { layer, next: layer + 1 });
  }
}
