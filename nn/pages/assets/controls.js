// What an address can hide: parts of the page, and the controls of settings.
const PARTS = [
  ...["title", "language", "theme", "kind", "bar", "reset", "play", "step", "speed", "rate"],
  ...["optimizer", "activation", "loss", "penalty", "strength", "batch", "init", "seed", "data"],
  ...["sets", "noise", "samples", "test", "classes", "again", "features", "network", "explanation"],
  ...["output", "flat", "tests", "valley", "python", "save"],
];
const isGone = (id) => Boolean(at(id).closest(".gone"));

// The controls, and the numbers beside them.
class Controls {
  constructor(app) {
    this.app = app;
    const on = (id, event, act) => at(id).addEventListener(event, act);
    on("play", "click", () => app.play(!app.isPlaying));
    on("step", "click", () => app.step());
    on("reset", "click", () => app.reset());
    on("fewer-layers", "click", () => app.addLayer(-1));
    on("more-layers", "click", () => app.addLayer(1));
    on("save", "click", () => app.save());
    on("sample", "input", () => app.chooseSample(Number(at("sample").value) - 1));
    on("clear", "click", () => app.begin({ ...app.settings, points: [] }));
    on("again", "click", () => app.change({ seed: (app.settings.seed + 1) % 2 ** 32 }));
    on("python", "toggle", () => this.read());
    on("activation", "change", () => {
      if (at("activation").value !== "mixed")
        app.change({ activation: app.settings.layers.map(() => at("activation").value) });
    });
    for (const kind of KINDS) on(kind, "change", () => app.changeKind(kind));
    const numbers = ["rate", "strength", "samples", "noise", "test", "batch", "classes", "seed"];
    for (const id of ["loss", "optimizer", "penalty", "init", "speed", ...numbers]) {
      on(id, "change", () => {
        const value = READERS[id](at(id).value, app.settings.kind);
        if (value === undefined) this.show();
        else app.change({ [id]: value });
      });
    }
    for (const id of ["flat", "tests"])
      on(id, "change", () => app.change({ [id]: Number(at(id).checked) }));
    for (const id of ["noise", "test", "samples"])
      on(id, "input", () => this.write(id, at(id).value));
    on("language", "click", () => this.speak(following()));
    on("theme", "click", () => {
      const root = document.documentElement;
      const dark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      this.repaint();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  repaint() {
    readPalette();
    this.drawThumbnails();
    this.app.draw();
  }

  speak(lang) {
    language = lang;
    label();
    this.app.diagram.build();
    if (isCurve(this.app.settings)) this.app.valley.build();
    this.show();
    this.app.walk.draw();
    this.app.draw();
  }

  // Columns of the diagram are made again and again: the style sheet hides what stands in them.
  hide(names) {
    hide(names.filter((name) => PARTS.includes(name)));
    document.body.dataset.hidden = names.join(" ");
    const keys = document.querySelector("[data-say=keys]");
    keys.classList.toggle("gone", ["play", "step", "reset"].some(isGone));
  }

  key(event) {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.target.closest("input, select, button, summary, canvas")
    )
      return;
    const button = { " ": "play", ArrowRight: "step", r: "reset" }[event.key];
    if (!button || isGone(button)) return;
    event.preventDefault();
    at(button).click();
  }

  // ------------------------------------------------------------------------------------ settings

  show() {
    const { app } = this;
    const { settings, experiment } = app;
    const { kind } = settings;
    document.body.dataset.kind = kind;
    for (const each of KINDS) at(each).checked = each === kind;
    fill(at("loss"), losses(kind), (name) => called("loss", name));
    fill(at("optimizer"), Object.keys(OPTIMIZERS), (name) => called("optimizer", name));
    fill(at("penalty"), PENALTIES, (name) => called("penalty", name));
    fill(
      at("init"),
      initializers().filter((name) => name !== "model" || fitsModel(settings)),
      (name) => called("init", name),
    );
    fill(at("speed"), SPEEDS, (name) => called("speed", name));
    fill(at("rate"), withOwn(RATES, settings.rate));
    fill(at("strength"), withOwn(STRENGTHS, settings.strength));
    fill(at("batch"), withOwn([0, 1, 5, 10, 20, 50], settings.batch), (n) =>
      n ? String(n) : say("whole"),
    );
    fill(
      at("classes"),
      Array.from({ length: MOST.classes - 1 }, (_, i) => i + 2),
    );
    const names = new Set(settings.activation);
    fill(
      at("activation"),
      [...(names.size > 1 ? ["mixed"] : []), "", ...Object.keys(ACTIVATIONS)],
      (name) => (name === "mixed" ? say("mixed") : name || say("linear")),
    );
    at("activation").value = names.size > 1 ? "mixed" : settings.activation[0] || "";
    at("activation").disabled = !settings.layers.length;
    for (const id of [
      "loss",
      "optimizer",
      "penalty",
      "init",
      "speed",
      "rate",
      "strength",
      "batch",
      "classes",
      "seed",
      "samples",
      "noise",
      "test",
    ]) {
      at(id).value = settings[id];
      this.write(id, settings[id]);
    }
    for (const id of ["flat", "tests"]) at(id).checked = Boolean(settings[id]);
    at("strength").disabled = settings.penalty === "none";
    const set = recipe(settings.data);
    const isMade = Boolean(set);
    at("samples").disabled = at("noise").disabled = !isMade;
    if (!isMade) this.write("samples", app.experiment.points.length);
    at("test").disabled = settings.data === OWN;
    at("classes").parentElement.hidden =
      !hasClasses(settings) || !(settings.data === OWN || (set && set.classes));
    at("fewer-layers").disabled = !settings.layers.length;
    at("more-layers").disabled = settings.layers.length >= MOST.layers;
    at("layer-count").textContent = say("layers", { count: settings.layers.length });
    at("sample").max = experiment.points.length;
    at("sample").value = app.sample + 1;
    at("valley-part").hidden = !isCurve(settings);
    at("accuracy-part").hidden = !hasClasses(settings);
    at("own").hidden = settings.data !== OWN;
    this.showSets();
    this.showFeatures();
    this.showTools();
    this.showLegend();
    this.showScale();
    app.walk.label();
  }

  write(id, value) {
    const output = at(`${id}-value`);
    if (output) output.textContent = id === "test" ? `${value} %` : value;
  }

  // A picture of each data set to choose from.
  showSets() {
    const { settings } = this.app;
    const names = dataSets(settings.kind);
    const place = at("sets");
    const key = `${language} ${names}`;
    if (this.sets !== key) {
      this.sets = key;
      place.replaceChildren(
        ...names.map((name) => {
          const input = made("input", {
            type: "radio",
            name: "data",
            value: name,
            id: `data-${name}`,
          });
          input.addEventListener("change", () => this.app.change({ data: name }));
          const canvas = made("canvas", { "aria-hidden": "true" });
          return made(
            "label",
            { class: "set" },
            input,
            canvas,
            made("span", { text: called("data", name) }),
          );
        }),
      );
      this.drawThumbnails();
    }
    at(`data-${settings.data}`).checked = true;
  }

  drawThumbnails() {
    const { settings } = this.app;
    const { kind } = settings;
    for (const canvas of at("sets").querySelectorAll("canvas")) {
      const name = canvas.previousSibling.value;
      const first = firstSettings(kind);
      const set = recipe(name);
      const shown = {
        ...first,
        data: name,
        samples: isCurve(settings) ? 40 : 90,
        test: 0,
        seed: 1,
        noise: set ? set.noise / 2 : 0,
        classes: name === "blobs" ? 3 : 2,
        points: [],
      };
      if (name === OWN) {
        const { context, width, height } = cleared(canvas);
        context.strokeStyle = palette.faint;
        context.lineWidth = 1.5;
        context.beginPath();
        for (const [dx, dy] of [
          [7, 0],
          [0, 7],
        ]) {
          context.moveTo(width / 2 - dx, height / 2 - dy);
          context.lineTo(width / 2 + dx, height / 2 + dy);
        }
        context.stroke();
        continue;
      }
      const drawn = Object.assign(Object.create(Experiment.prototype), { settings: shown });
      drawn.drawData();
      const { context, width, height } = cleared(canvas);
      drawn.points.forEach((point, k) => {
        const [a, b] = drawn.at(k);
        const x = ((a - drawn.x.low) / (drawn.x.high - drawn.x.low)) * width;
        const y = ((drawn.y.high - b) / (drawn.y.high - drawn.y.low)) * height;
        context.fillStyle = kind === "surface"
            ? shaded(drawn.certainty(drawn.labels[k]))
            : palette.classes[isCurve(settings) ? 1 : drawn.labels[k]];
        context.beginPath();
        context.arc(x, y, 1.5, 0, 2 * Math.PI);
        context.fill();
      });
    }
  }

  // The inputs of the network; at least one stays.
  showFeatures() {
    const { app } = this;
    const { kind, features } = app.settings;
    at("features").replaceChildren(
      ...Object.entries(FEATURES[kind]).map(([name, { text }]) => {
        const input = made("input", {
          type: "checkbox",
          id: `feature-${name}`,
          "aria-label": say("input", { name: text }),
        });
        input.checked = features.includes(name);
        input.disabled = input.checked && features.length === 1;
        input.addEventListener("change", () => {
          const all = Object.keys(FEATURES[kind]);
          app.change({
            features: all.filter((each) =>
              each === name ? input.checked : features.includes(each),
            ),
          });
          at(`feature-${name}`).focus();
        });
        return made(
          "label",
          { class: "tool" },
          input,
          element("math", formula(FEATURES[kind][name].mark, [])),
        );
      }),
    );
  }

  // What a click into the plane does, for own points.
  showTools() {
    const { app } = this;
    const { kind, classes } = app.settings;
    const tools = {
      classification: Array.from({ length: classes }, (_, k) => `${k}`),
      regression: ["0"],
      surface: ["-1", "-0.5", "0", "0.5", "1"], // numbers y
    }[kind];
    if (![...tools, "remove"].includes(app.tool)) app.tool = "0";
    at("tools").replaceChildren(
      ...[...tools, "remove"].map((tool) => {
        const input = made("input", { type: "radio", name: "tool", id: `tool-${tool}` });
        input.checked = tool === app.tool;
        input.addEventListener("change", () => {
          app.tool = tool;
        });
        const text =
          tool === "remove"
            ? say("remove")
            : hasClasses(app.settings)
              ? app.labelOf(Number(tool))
              : isCurve(app.settings)
                ? say("add point")
                : `y = ${tool.replace("-", "−")}`;
        return made("label", { class: "tool" }, input, made("span", { text }));
      }),
    );
  }

  showLegend() {
    const { app } = this;
    const { classes } = app.settings;
    const entries = !hasClasses(app.settings)
      ? []
      : Array.from({ length: classes }, (_, k) => {
          const canvas = made("canvas", { class: "swatch", "aria-hidden": "true" });
          return [made("li", {}, canvas, made("span", { text: app.labelOf(k) })), canvas, k];
        });
    at("legend").replaceChildren(...entries.map(([entry]) => entry));
    for (const [, canvas, k] of entries) {
      const { context, width, height } = cleared(canvas);
      drawMark(context, k, width / 2, height / 2, 4.5);
      context.fillStyle = palette.classes[k];
      context.fill();
    }
  }

  // What the colours of areas say: numbers for a surface, else their sign and size.
  showScale() {
    const { experiment, settings } = this.app;
    const isSurface = settings.kind === "surface";
    const most = Number(experiment.reach.toPrecision(2));
    at("scale-low").textContent = isSurface ? shortText(-most) : say("negative");
    at("scale-high").textContent = isSurface ? shortText(most) : say("positive");
    at("scale-of").textContent = say(isSurface ? "scale of surface" : "scale");
  }

  // ------------------------------------------------------------------------------------- numbers

  told() {
    const last = this.app.experiment.measured();
    return say("told", { step: this.app.experiment.steps, loss: shortText(last.train) });
  }

  read() {
    const { experiment } = this.app;
    const { history, steps, epochs, settings } = experiment;
    const known = history[history.length - 1];
    const now = known.epoch === epochs && !experiment.queue.length ? known : experiment.measured();
    at("epoch").textContent = epochs;
    at("steps").textContent = steps;
    const write = (id, number, text) => {
      at(id).textContent = text(number);
      at(id).dataset.value = number;
    };
    write("train-loss", now.train, fixed);
    write("test-loss", now.test, fixed);
    const curves = (key) => [
      { key: `test${key}`, color: palette.faint, dash: [4, 3] },
      { key: `train${key}`, color: palette.curve },
    ];
    drawCurves(at("loss-curve"), history, curves(""));
    if (hasClasses(settings)) {
      write("train-accuracy", now["train accuracy"], percent);
      write("test-accuracy", now["test accuracy"], percent);
      const least = extreme(Math.min, history, ["train accuracy", "test accuracy"], 0.5);
      drawCurves(at("accuracy-curve"), history, curves(" accuracy"), {
        low: Math.max(0, least - 0.05),
        high: 1.02,
      });
    }
    if (!this.app.isPlaying) this.describe(now);
    if (at("python").open) at("program").textContent = pythonProgram(experiment);
  }

  // What is read aloud of the pictures.
  describe(now) {
    const { epochs, points, settings } = this.app.experiment;
    const tell = (id, key, parts) => at(id).setAttribute("aria-label", say(key, parts));
    tell("loss-curve", "loss curve", {
      train: fixed(now.train),
      test: fixed(now.test),
      epoch: epochs,
    });
    if (hasClasses(settings))
      tell("accuracy-curve", "accuracy curve", {
        train: percent(now["train accuracy"]),
        test: percent(now["test accuracy"]),
        epoch: epochs,
      });
    tell("points", isCurve(settings) ? "curve picture" : "plane picture", {
      count: points.length,
      sample: this.app.sample + 1,
    });
  }
}

const withOwn = (list, own) => (list.includes(own) ? list : [...list, own].sort((a, b) => a - b));
const known = (write) => (x) => (Number.isNaN(x) ? "–" : write(x));
const fixed = known((x) =>
  Math.abs(x) < 0.001 || Math.abs(x) >= 1000 ? shortText(x) : x.toFixed(4),
);
const percent = known((x) => `${(100 * x).toFixed(x === 1 ? 0 : 1)} %`);
