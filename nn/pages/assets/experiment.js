// One experiment: data, a network, and its training, made from the settings.
class Experiment {
  constructor(settings) {
    this.settings = settings;
    this.drawData();
    const sizes = sizesOf(settings);
    this.network = new Network(sizes, activationsOf(settings));
    this.encodeTargets(sizes[sizes.length - 1]);
    this.objective = new Objective(
      this.network,
      settings.loss,
      settings.penalty,
      settings.strength,
    );
    this.gradient = new Float64Array(this.network.parameters.length);
    if (settings.init === "model") this.network.parameters.set(story.model.parameters);
    else initialise(this.network, settings.init, settings.seed);
    this.restart();
  }

  restart() {
    this.first = this.network.parameters.slice();
    this.optimize = OPTIMIZERS[this.settings.optimizer](this.gradient.length);
    this.order = new NumPyRandom(this.settings.seed);
    this.queue = [];
    this.steps = this.epochs = 0;
    this.isEdited = false;
    this.path = [this.first];
    this.history = [this.measured()];
  }

  drawData() {
    const { settings } = this;
    const { data, seed, test, classes, points } = settings;
    if (data === GIVEN) {
      [this.points, this.labels] = [story.points.X, story.points.y];
    } else if (data === OWN) {
      const own = points.filter((each) => each.length === (isCurve(settings) ? 2 : 3));
      this.points = own.map((each) => each.slice(0, -1));
      this.labels = own.map((each) => each[each.length - 1]);
      if (hasClasses(settings)) {
        this.labels = this.labels.map((k) => Math.min(classes - 1, Math.max(0, Math.round(k))));
      }
    } else {
      [this.points, this.labels] = recipe(data).draw(this.settings, new NumPyRandom(seed));
    }
    this.inputs = this.points.map((point) => inputsAt(point, this.settings));
    Object.assign(this, split(this.points.length, data === OWN ? 0 : test / 100, seed));
    this.measureFrame();
  }

  // The part of the plane that is shown: for a curve, x and y. And how far numbers reach from 0.
  measureFrame() {
    const columns = isCurve(this.settings)
      ? [this.points.map(([x]) => x), this.labels]
      : [0, 1].map((i) => this.points.map((point) => point[i]));
    const ranges = columns.map((column) => {
      const low = Math.min(...column, this.settings.data === OWN ? -1 : Infinity);
      const high = Math.max(...column, this.settings.data === OWN ? 1 : -Infinity);
      return { middle: (low + high) / 2, half: ((high - low) / 2 || 1) * 1.15 };
    });
    if (!isCurve(this.settings)) {
      // as many units up as across, unless the data are flat
      const most = Math.max(...ranges.map(({ half }) => half));
      for (const range of ranges) if (range.half > most / 4) range.half = most;
    }
    [this.x, this.y] = ranges.map(({ middle, half }) => ({
      low: middle - half,
      high: middle + half,
    }));
    this.reach = Math.max(...this.labels.map(Math.abs), 0) || 1;
  }

  // Where a sample is drawn.
  at(k) {
    return isCurve(this.settings) ? [this.points[k][0], this.labels[k]] : this.points[k];
  }

  encodeTargets(outputs) {
    const { loss } = this.settings;
    if (!hasClasses(this.settings)) {
      this.targets = this.labels.map((y) => [y]);
      return;
    }
    let { low, high, threshold } = targetsOf(loss);
    const { isFree } = targetsOf(loss);
    if (this.settings.data === GIVEN && isFree && outputs === 1 && story.points.numbers) {
      [low, high] = story.points.numbers;
      threshold = (low + high) / 2;
    }
    this.code = { low, high, threshold };
    this.targets = this.labels.map((label) =>
      outputs === 1
        ? [label ? high : low]
        : Array.from({ length: outputs }, (_, k) => (k === label ? high : low)),
    );
  }

  // Which class the outputs stand for.
  decision(outputs) {
    if (outputs.length === 1) return outputs[0] > this.code.threshold ? 1 : 0;
    return outputs.indexOf(Math.max(...outputs));
  }

  // From -1 for class 0 to 1 for class 1, and from the least to the largest number of a surface.
  certainty(output) {
    if (!hasClasses(this.settings)) return Math.max(-1, Math.min(1, output / this.reach));
    if (this.settings.loss === "bce_with_logits") return Math.tanh(output / 2);
    const { low, high, threshold } = this.code;
    const edge = this.settings.loss === "kl_div" ? 1 : (high - low) / 2;
    return Math.max(-1, Math.min(1, (output - threshold) / edge));
  }

  // The places of the samples of the next step.
  nextBatch() {
    const { batch } = this.settings;
    const { train } = this;
    if (!batch || batch >= train.length) return train;
    if (!this.queue.length) {
      const order = this.order.permutation(train.length).map((i) => train[i]);
      for (let i = 0; i < order.length; i += batch) this.queue.push(order.slice(i, i + batch));
    }
    return this.queue[0];
  }

  step() {
    if (!this.train.length) return;
    const batch = this.nextBatch();
    this.objective.mean(this.inputs, this.targets, batch, this.gradient);
    this.optimize(this.network.parameters, this.gradient, this.settings.rate);
    this.queue.shift();
    this.steps += 1;
    if (!this.queue.length) this.endEpoch();
  }

  endEpoch() {
    this.epochs += 1;
    this.history.push(this.measured());
    this.path.push(this.network.parameters.slice());
    if (this.history.length > 2000) {
      // every other one is enough for a curve
      this.history = this.history.filter((_, i) => i % 2 === 0);
      this.path = this.path.filter((_, i) => i % 2 === 0);
    }
  }

  epoch() {
    do this.step();
    while (this.queue.length);
  }

  measured() {
    const found = { epoch: this.epochs };
    for (const part of ["train", "test"]) {
      const places = this[part];
      found[part] = places.length ? this.objective.mean(this.inputs, this.targets, places) : NaN;
      if (hasClasses(this.settings))
        found[`${part} accuracy`] = this.accuracy(places);
    }
    return found;
  }

  accuracy(places) {
    const right = places.filter(
      (k) => this.decision(this.network.forward(this.inputs[k])) === this.labels[k],
    );
    return right.length / places.length;
  }

  get isFinite() {
    return this.network.parameters.every(Number.isFinite);
  }

  // The gradient of the objective over samples, by default those of the next step.
  gradientOver(places = this.nextBatch()) {
    const found = new Float64Array(this.gradient.length);
    if (places.length) this.objective.mean(this.inputs, this.targets, places, found);
    return found;
  }
}
