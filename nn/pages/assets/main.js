// Starts the page, and defines what scripts outside of it can use, always with all digits.
readPalette();
const app = new App();
app.open(location.hash);
addEventListener("hashchange", () => app.open(location.hash));

globalThis.playground = Object.freeze({
  get settings() {
    return structuredClone(app.settings);
  },
  get sizes() {
    return app.experiment.network.sizes.slice();
  },
  get names() {
    return Array.from(
      app.experiment.network.parameters,
      (_, i) => app.experiment.network.described(i).name,
    );
  },
  get parameters() {
    return Array.from(app.experiment.network.parameters);
  },
  set parameters(numbers) {
    app.experiment.network.parameters.set(numbers);
    app.restartHere();
  },
  get data() {
    const { points, inputs, labels, targets, train, test } = app.experiment;
    return structuredClone({ points, inputs, labels, targets, train, test });
  },
  get steps() {
    return app.experiment.steps;
  },
  get batch() {
    return [...app.experiment.nextBatch()];
  },
  // The mean loss over samples without the penalty; and the gradient of the loss with the penalty.
  loss(places = app.experiment.train) {
    return app.experiment.objective.mean(app.experiment.inputs, app.experiment.targets, places);
  },
  gradient(places) {
    return Array.from(app.experiment.gradientOver(places));
  },
  get penalty() {
    return app.experiment.objective.penalised;
  },
  predict(point) {
    return Array.from(app.experiment.network.forward(inputsAt(point, app.settings)));
  },
  change(settings) {
    app.change(settings);
  },
  step(count = 1) {
    for (let i = 0; i < count; i++) app.experiment.step();
    app.draw();
  },
  frame() {
    // one frame of playing; returns the milliseconds that it took
    const before = performance.now();
    app.isPlaying = true;
    app.frame();
    app.isPlaying = false;
    return performance.now() - before;
  },
  get program() {
    return pythonProgram(app.experiment);
  },
  file() {
    return Array.from(archive(app.experiment.network));
  },
});
