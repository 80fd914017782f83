// The large picture: the plane with its regions, or the curve; and the data in it.
const SIZE = 64; // of the grid on which the neurons are pictured

class Plane {
  constructor(app) {
    this.app = app;
    this.heat = at("heat");
    this.canvas = at("points");
    this.cursor = null; // set by the arrow keys
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("click", (event) => this.click(...this.placeOf(event)));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  get experiment() {
    return this.app.experiment;
  }

  // ------------------------------------------------------------------------------- coordinates

  toScreen(a, b, width = this.canvas.clientWidth, height = this.canvas.clientHeight) {
    const { x, y } = this.experiment;
    return [
      ((a - x.low) / (x.high - x.low)) * width,
      ((y.high - b) / (y.high - y.low)) * height,
    ];
  }

  placeOf(event) {
    const frame = this.canvas.getBoundingClientRect();
    const { x, y } = this.experiment;
    return [
      x.low + ((event.clientX - frame.left) / frame.width) * (x.high - x.low),
      y.high - ((event.clientY - frame.top) / frame.height) * (y.high - y.low),
    ];
  }

  nearest(a, b) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [x, y] = this.toScreen(a, b, width, height);
    let found = { k: -1, distance: Infinity };
    const { points, test, settings } = this.experiment;
    points.forEach((_, k) => {
      if (!settings.tests && test.includes(k)) return; // it is not shown
      const [p, q] = this.toScreen(...this.experiment.at(k), width, height);
      const distance = Math.hypot(p - x, q - y);
      if (distance < found.distance) found = { k, distance };
    });
    return found;
  }

  // ---------------------------------------------------------------------------------- drawing

  draw() {
    const { settings } = this.experiment;
    this.heat.hidden = isCurve(settings);
    if (!isCurve(settings)) {
      if (this.peeked) this.drawNeuron(this.heat, this.peeked(), 1);
      else this.drawRegions();
    }
    this.drawPoints();
  }

  // While the pointer is over a neuron, its picture is the large one.
  peek(numbers) {
    this.peeked = numbers;
    if (!this.app.isPlaying) this.draw();
  }

  // The neurons' numbers on the grid, or along x.
  survey(size = SIZE) {
    const { experiment } = this;
    if (this.surveyed !== experiment || this.size !== size) {
      const { x, y, settings } = experiment;
      this.inputs =
        isCurve(settings)
          ? [
              Float64Array.from(
                { length: 2 * size },
                (_, i) => x.low + (i / (2 * size - 1)) * (x.high - x.low),
              ),
            ]
          : grid(x, y, size);
      this.fed = featuresOf(settings).map(({ of }) =>
        this.inputs[0].map((_, k) => of(this.inputs.map((column) => column[k]))),
      );
      this.surveyed = experiment;
      this.size = size;
    }
    this.planes = experiment.network.over(this.fed);
  }

  drawRegions() {
    const { experiment } = this;
    const flat = experiment.settings.flat && hasClasses(experiment.settings);
    const outputs = this.planes[this.planes.length - 1];
    if (outputs.length === 1) {
      const shown = flat ? Math.sign : (x) => x;
      paint(this.heat, this.size, (k) => signed(shown(experiment.certainty(outputs[0][k]))));
      return;
    }
    const isFlat = experiment.settings.loss !== "cross_entropy";
    paint(this.heat, this.size, (k) => {
      let best = 0;
      for (let c = 1; c < outputs.length; c++) if (outputs[c][k] > outputs[best][k]) best = c;
      if (flat) return palette.shades[best][255];
      let sum = 0;
      for (const each of outputs) sum += Math.exp((isFlat ? 2 : 1) * (each[k] - outputs[best][k]));
      const lead = (1 / sum - 1 / outputs.length) / (1 - 1 / outputs.length);
      return palette.shades[best][Math.round(255 * lead) || 0];
    });
  }

  drawPoints() {
    const { context, width, height } = cleared(this.canvas);
    const { experiment } = this;
    const { points, labels, train, test, settings } = experiment;
    if (isCurve(settings)) this.drawCurve(context, width, height);
    const radius = points.length > 150 ? 3.1 : 3.8;
    const mark = (k, isTest) => {
      const [x, y] = this.toScreen(...this.experiment.at(k), width, height);
      drawMark(context, hasClasses(settings) ? labels[k] : 0, x, y, radius);
      context.lineWidth = isTest ? 1.4 : 0.9;
      if (settings.kind === "surface") {
        context.fillStyle = shaded(experiment.certainty(labels[k]));
        context.strokeStyle = isTest ? palette.ink : palette.faint;
      } else {
        const color = palette.classes[isCurve(settings) ? 1 : labels[k]];
        context.fillStyle = isTest ? palette.paper : color;
        context.strokeStyle = isTest ? color : palette.paper;
      }
      context.fill();
      context.stroke();
    };
    if (settings.tests) test.forEach((k) => mark(k, true));
    train.forEach((k) => mark(k, false));
    const chosen = this.app.sample;
    if (chosen < points.length) {
      const [x, y] = this.toScreen(...experiment.at(chosen));
      context.beginPath();
      context.arc(x, y, radius + 4, 0, 2 * Math.PI);
      context.strokeStyle = palette.ink;
      context.lineWidth = 1.6;
      context.stroke();
    }
    if (this.cursor) {
      const [x, y] = this.toScreen(...this.cursor);
      context.beginPath();
      for (const [dx, dy] of [
        [9, 0],
        [0, 9],
      ]) {
        context.moveTo(x - dx, y - dy);
        context.lineTo(x + dx, y + dy);
      }
      context.strokeStyle = palette.ink;
      context.lineWidth = 1.2;
      context.stroke();
    }
  }

  drawCurve(context, width, height) {
    const { points, inputs, labels, network, x, y } = this.experiment;
    context.strokeStyle = palette.line;
    context.lineWidth = 1;
    context.beginPath();
    const [zeroX, zeroY] = this.toScreen(0, 0);
    if (x.low < 0 && x.high > 0) context.rect(zeroX, 0, 0, height);
    if (y.low < 0 && y.high > 0) context.rect(0, zeroY, width, 0);
    context.stroke();
    const k = this.app.sample;
    if (k < points.length) {
      // the error of the sample
      const [px, py] = this.toScreen(points[k][0], labels[k]);
      const [, qy] = this.toScreen(0, network.forward(inputs[k])[0]);
      context.strokeStyle = palette.classes[0];
      context.setLineDash([4, 3]);
      context.beginPath();
      context.moveTo(px, py);
      context.lineTo(px, qy);
      context.stroke();
      context.setLineDash([]);
    }
    const curve = this.peeked ? this.peeked() : this.planes[this.planes.length - 1][0];
    context.beginPath();
    this.inputs[0].forEach((a, i) => context.lineTo(...this.toScreen(a, curve[i], width, height)));
    context.strokeStyle = palette.curve;
    context.lineWidth = 2.4;
    context.stroke();
  }

  // The picture of one neuron, or of an input.
  drawNeuron(canvas, numbers, step = 2) {
    if (isCurve(this.experiment.settings)) {
      this.drawNeuronCurve(canvas, numbers);
      return;
    }
    let most = 1;
    for (const x of numbers) if (Math.abs(x) > most && Math.abs(x) < Infinity) most = Math.abs(x);
    const { size } = this;
    const side = size / step;
    paint(canvas, side, (k) =>
      signed(numbers[step * (Math.floor(k / side) * size + (k % side))] / most),
    );
  }

  drawNeuronCurve(canvas, numbers) {
    const { context, width, height } = cleared(canvas);
    let most = 1;
    for (const x of numbers) if (Math.abs(x) > most && Math.abs(x) < Infinity) most = Math.abs(x);
    context.beginPath();
    context.moveTo(0, height / 2);
    context.lineTo(width, height / 2);
    context.strokeStyle = palette.line;
    context.lineWidth = 1;
    context.stroke();
    context.beginPath();
    numbers.forEach((y, i) =>
      context.lineTo((i / (numbers.length - 1)) * width, (height / 2) * (1 - (0.85 * y) / most)),
    );
    context.strokeStyle = palette.curve;
    context.lineWidth = 1.6;
    context.stroke();
  }

  // ------------------------------------------------------------------------------------ acting

  hover(event) {
    if (event.pointerType === "touch" || this.app.walk.isOpen) return;
    const { k, distance } = this.nearest(...this.placeOf(event));
    if (distance < 25) this.app.chooseSample(k);
  }

  click(a, b) {
    if (this.experiment.settings.data === OWN) {
      const { k, distance } = this.nearest(a, b);
      if (this.app.tool === "remove") {
        if (distance < 12) this.app.removePoint(k);
      } else {
        this.app.addPoint(a, b);
      }
      return;
    }
    const { k } = this.nearest(a, b);
    if (k >= 0) this.app.chooseSample(k);
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const { x, y } = this.experiment;
    if (event.key in moves) {
      const [dx, dy] = moves[event.key];
      const middle = [(x.low + x.high) / 2, (y.low + y.high) / 2];
      const [a, b] = this.cursor || middle;
      const step = event.shiftKey ? 1 / 10 : 1 / 40;
      this.cursor = [
        Math.min(x.high, Math.max(x.low, a + dx * step * (x.high - x.low))),
        Math.min(y.high, Math.max(y.low, b + dy * step * (y.high - y.low))),
      ];
      this.app.announce(`${shortText(this.cursor[0])}, ${shortText(this.cursor[1])}`);
    } else if ((event.key === "Enter" || event.key === " ") && this.cursor) {
      this.click(...this.cursor);
    } else if (event.key === "Escape") {
      this.cursor = null;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.drawPoints();
  }
}
