// The page: settings, the experiment that they make, and the views of it.
class App {
  constructor() {
    this.frames = 0;
    this.isPlaying = false;
    this.hidden = []; // parts of the page, by the address
    this.tool = "0"; // what a click adds: the number of a class, or "remove"
    this.plane = new Plane(this);
    this.diagram = new Diagram(this);
    this.explanation = new Explanation(this);
    this.walk = new Walk(this);
    this.valley = new Valley(this);
    this.controls = new Controls(this);
  }

  open(address) {
    const { settings, lang, hidden } = fromAddress(address);
    if (languages.includes(lang)) language = lang;
    label();
    this.hidden = hidden;
    this.controls.hide(hidden);
    this.begin(settings, { steps: settings.steps });
  }

  // A new experiment.
  begin(settings, { steps = 0 } = {}) {
    const wasPlaying = this.isPlaying;
    this.walk.close();
    this.settings = { ...settings, steps: 0 };
    this.experiment = new Experiment(this.settings);
    this.sample = Math.min(settings.sample, Math.max(0, this.experiment.points.length - 1));
    this.choose(settings.show);
    Object.assign(this.settings, { sample: this.sample, show: this.chosen ? settings.show : "" });
    this.plane.survey();
    this.diagram.build();
    if (isCurve(settings)) this.valley.build();
    this.controls.show();
    this.catchUp(steps, 250);
    if (wasPlaying) this.play(true);
  }

  // As many steps as the address says; those that take long are done between frames.
  catchUp(steps, milliseconds) {
    const { experiment } = this;
    const end = performance.now() + milliseconds;
    while (experiment.steps < steps && experiment.isFinite && performance.now() < end)
      experiment.step();
    this.draw();
    if (experiment.steps < steps && experiment.isFinite) {
      requestAnimationFrame(() => {
        if (this.experiment === experiment && !experiment.isEdited && !this.isPlaying)
          this.catchUp(steps, 30);
      });
    }
  }

  // Settings that a reader has changed. Those of training keep the weights.
  change(changes) {
    const settings = settled({ ...this.settings, ...changes });
    if ("data" in changes && !("noise" in changes))
      settings.noise = settled({ ...settings, noise: null }).noise;
    const views = ["speed", "flat", "tests"];
    const keeps = [...views, "optimizer", "rate", "penalty", "strength", "batch"];
    const changed = Object.keys(changes);
    if (changed.every((key) => keeps.includes(key)))
      this.adjust(settings, changed.every((key) => views.includes(key)));
    else this.begin(settings);
  }

  changeKind(kind) {
    if (kind === this.settings.kind) return;
    this.play(false);
    this.begin(settled(firstSettings(kind)));
  }

  // Settings of training make a network that the address alone does not give again.
  adjust(settings, isView) {
    const { experiment } = this;
    const before = this.settings;
    this.settings = experiment.settings = settings;
    Object.assign(experiment.objective, { penalty: settings.penalty, strength: settings.strength });
    if (settings.optimizer !== before.optimizer)
      experiment.optimize = OPTIMIZERS[settings.optimizer](experiment.gradient.length);
    if (settings.batch !== before.batch) experiment.queue = [];
    if (experiment.steps && !isView) experiment.isEdited = true;
    this.controls.show();
    this.draw();
  }

  resize(layer, by) {
    const layers = this.settings.layers.slice();
    layers[layer] = Math.max(1, Math.min(MOST.neurons, layers[layer] + by));
    const focused = document.activeElement ? document.activeElement.id : "";
    this.change({ layers });
    if (at(focused)) at(focused).focus();
    this.announce(say("layer has", { layer: layer + 1, count: layers[layer] }));
  }

  addLayer(by) {
    const { layers } = this.settings;
    if (by > 0 && layers.length < MOST.layers) {
      this.change({ layers: [...layers, layers.length ? layers[layers.length - 1] : 4] });
    } else if (by < 0 && layers.length) {
      this.change({ layers: layers.slice(0, -1) });
    }
    this.announce(say("layers", { count: this.settings.layers.length }));
  }

  // ------------------------------------------------------------------------------------ training

  play(on) {
    if (on && this.walk.isOpen) this.walk.close();
    this.isPlaying = on && this.experiment.train.length > 0;
    at("play").classList.toggle("on", this.isPlaying);
    at("play").dataset.label = this.isPlaying ? "pause" : "play";
    label();
    if (this.isPlaying && !this.pending) this.pending = requestAnimationFrame(() => this.tick());
    if (!this.isPlaying) this.draw();
  }

  tick() {
    this.pending = null;
    if (!this.isPlaying) return;
    this.frame();
    if (this.isPlaying) this.pending = requestAnimationFrame(() => this.tick());
  }

  // One picture of the training: as many steps as the speed says, then all views.
  frame() {
    const { experiment } = this;
    const { speed } = this.settings;
    this.frames += 1;
    if (speed === "slow") {
      if (this.frames % 15) return;
      experiment.step();
    } else if (speed === "step") {
      experiment.step();
    } else {
      for (let i = 0; i < (speed === "fast" ? 5 : 1); i++) experiment.epoch();
    }
    if (!experiment.isFinite) {
      this.play(false);
      this.announce(say("diverged"));
      return;
    }
    this.draw();
  }

  step() {
    this.play(false);
    this.experiment.step();
    this.draw();
    this.announce(this.controls.told());
  }

  reset() {
    this.play(false);
    this.begin(this.settings);
    this.announce(say("was reset"));
  }

  setParameter(place, number) {
    if (!Number.isFinite(number)) return;
    this.experiment.network.parameters[place] = number;
    this.restartHere();
  }

  // The weights were set by hand: training starts from here.
  restartHere() {
    this.experiment.restart();
    this.experiment.isEdited = true;
    this.draw();
  }

  // ------------------------------------------------------------------------------------- showing

  draw() {
    const { experiment, isPlaying } = this;
    // While it plays, a frame has the plane or the network, so that weak machines keep up.
    const isTurn = this.frames % 2;
    if (!isPlaying || isTurn) {
      this.plane.survey();
      this.plane.draw();
    }
    if (!isPlaying || !isTurn) this.diagram.draw();
    this.controls.read();
    if (!isPlaying || this.frames % 8 === 0) this.explanation.draw();
    if (isCurve(experiment.settings)) {
      if (!isPlaying || experiment.network.parameters.length < 3 || this.frames % 6 === 0)
        this.valley.draw(!isPlaying);
    }
    if (!isPlaying) {
      this.diagram.write();
      this.remember();
    }
  }

  choose(name) {
    this.chosen = null;
    const [, layer, neuron, weight, i] =
      /^layers\.(\d+)\.neurons\.(\d+)(?:\.(w|b)(?:\.(\d+))?)?$/.exec(name) || [];
    const { network } = this.experiment;
    if (layer === undefined || !(layer < network.layers.length)) return;
    const { nin, nout } = network.layers[layer];
    if (!(neuron < nout) || (i !== undefined && !(i < nin))) return;
    this.chosen = { name, layer: Number(layer), neuron: Number(neuron) };
    if (weight)
      this.chosen.place = network.place(
        Number(layer),
        Number(neuron),
        weight === "b" ? nin : Number(i),
      );
  }

  show(name) {
    this.choose(this.chosen && this.chosen.name === name ? "" : name);
    this.settings.show = this.chosen ? name : "";
    this.diagram.mark(this.chosen);
    this.explanation.draw();
    this.remember();
    this.announce(this.explanation.title());
  }

  chooseSample(k) {
    const { points } = this.experiment;
    if (!points.length || k === this.sample) return;
    this.sample = Math.max(0, Math.min(points.length - 1, k));
    this.settings.sample = this.sample;
    at("sample").value = this.sample + 1;
    this.plane.drawPoints();
    this.explanation.draw();
    if (this.walk.isOpen) this.walk.draw();
    if (!this.isPlaying) this.remember();
  }

  labelOf(k) {
    return this.settings.data === GIVEN ? story.points.labels[k] : say("class", { number: k + 1 });
  }

  addPoint(a, b) {
    const round = (x) => Number(x.toFixed(3));
    const own = this.settings.points;
    if (own.length >= MOST.points) return;
    const point =
      isCurve(this.settings)
        ? [round(a), round(b)]
        : [round(a), round(b), Number(this.tool) || 0];
    this.keepWeights(() => this.begin({ ...this.settings, points: [...own, point] }));
    this.announce(say("points", { count: own.length + 1 }));
  }

  removePoint(k) {
    this.keepWeights(() =>
      this.begin({ ...this.settings, points: this.settings.points.filter((_, i) => i !== k) }),
    );
    this.announce(say("points", { count: this.settings.points.length }));
  }

  // New points do not undo what was learned.
  keepWeights(act) {
    const kept = this.experiment.network.parameters;
    act();
    this.experiment.network.parameters.set(kept);
    this.restartHere();
  }

  announce(text) {
    at("announced").textContent = text;
  }

  remember() {
    const { experiment, settings } = this;
    const steps = experiment.isEdited || experiment.steps > MOST.steps ? 0 : experiment.steps;
    try {
      history.replaceState(null, "", `#${toAddress({ ...settings, steps }, language, this.hidden)}`);
    } catch {
      /* a page in a frame may have no address */
    }
  }

  save() {
    const link = made("a", { download: "playground.npz" });
    link.href = URL.createObjectURL(new Blob([archive(this.experiment.network)]));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}
