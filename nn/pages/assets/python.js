// The program in Python that does the same, with the same numbers.
const quoted = (text) => JSON.stringify(text);

function pythonData({ kind, data, samples, noise, classes, seed, points }) {
  const state = `random_state=${seed}`;
  switch (data) {
    case "moons":
      return [`X, y = make_moons(${samples}, noise=${noise}, ${state})`, "make_moons"];
    case "circles":
      return [
        `X, y = make_circles(${samples}, noise=${noise}, factor=0.5, ${state})`,
        "make_circles",
      ];
    case "xor":
      return [`X, y = xor(${samples}, noise=${noise}, ${state})`, "xor"];
    case "spiral":
      return [
        `X, y = spiral(${Math.floor(samples / classes)}, ${classes}, noise=${noise}, ${state})`,
        "spiral",
      ];
    case "blobs":
      return [
        `angles = 2 * np.pi * np.arange(${classes}) / ${classes}\n` +
          `X, y = make_blobs(${samples}, centers=np.stack([np.cos(angles), np.sin(angles)], 1), cluster_std=${noise}, ${state})`,
        "make_blobs",
      ];
    case OWN:
      return [
        `X = ${JSON.stringify(points.map((p) => p.slice(0, -1)))}\ny = ${JSON.stringify(points.map((p) => p[p.length - 1]))}`,
        "",
      ];
    case GIVEN:
      return ["X, y = data  # as given to playground(…, data=data)", ""];
    case "plane":
    case "gaussians":
      return [
        `rng = np.random.RandomState(${seed})\nX = rng.uniform(-1, 1, size=(${samples}, 2))\n` +
          `y = ${SURFACES[data].python} + rng.normal(scale=${noise}, size=${samples})`,
        "",
      ];
    default:
      return [
        `x = np.linspace(-1, 1, ${samples})\n` +
          `X, y = x.reshape(-1, 1), ${CURVES[data].python} + np.random.RandomState(${seed}).normal(scale=${noise}, size=${samples})`,
        "",
      ];
  }
}

function pythonTargets({ kind, loss, data }, { code, network }) {
  if (kind !== "classification" || loss === "cross_entropy") return "";
  const labels = data === GIVEN ? "np.unique(y, return_inverse=True)[1]" : "np.asarray(y)";
  const { low, high } = code;
  const outputs = network.outputs.length;
  if (outputs > 1)
    return `y = np.where(${labels}[:, None] == np.arange(${outputs}), ${high}, ${low})`;
  return low === 0 && high === 1 && data !== GIVEN
    ? ""
    : `y = np.where(${labels} == 1, ${high}, ${low})`;
}

function pythonModel({ layers, activation, output, init, seed }, { network }) {
  if (init === "model") return "model = …  # as given to playground(model)";
  const drawn = `initializer=${quoted(init)}, generator=generator`;
  const alike = new Set(activation.slice(0, layers.length));
  const head = `generator = random.Random(${seed})\n`;
  if (alike.size <= 1 && !alike.has("")) {
    const options = [
      ...(alike.size ? [`activation=${quoted(activation[0])}`] : []),
      ...(output ? [`output_activation=${quoted(output)}`] : []),
      drawn,
    ];
    return `${head}model = MLP(${network.sizes[0]}, [${network.sizes.slice(1).join(", ")}], ${options.join(", ")})`;
  }
  const made = network.layers.map(
    ({ nin, nout, name }) =>
      `    Layer(${nin}, ${nout}, ${name ? `activation=${quoted(name)}` : "nonlin=False"}, ${drawn}),`,
  );
  return `${head}model = Sequential(\n${made.join("\n")}\n)`;
}

function pythonProgram(experiment) {
  const { settings } = experiment;
  const { loss, optimizer, rate, penalty, strength, batch, test, seed, data } = settings;
  const [drawn, name] = pythonData(settings);
  const isSplit = experiment.test.length > 0;
  const isBatched = batch > 0 && batch < experiment.train.length;
  const parts = isSplit ? ["X_train", "y_train"] : ["X", "y"];
  const penalised =
    penalty !== "none" && strength > 0 ? `, penalty={${quoted(penalty)}: ${strength}}` : "";
  const made = {
    sgd: "SGD(model.parameters(), lr=LR)",
    momentum: "SGD(model.parameters(), lr=LR, momentum=0.9)",
    adam: "Adam(model.parameters(), lr=LR)",
  };
  const imported = [...(name ? [name] : []), ...(isSplit ? ["train_test_split"] : [])];
  const model = pythonModel(settings, experiment);
  const columns = featuresOf(settings).map(({ python }) => python);
  const lines = [
    "import random",
    "",
    "import numpy as np",
    "",
    `from nn import ${model.includes("Sequential") ? "Layer, Sequential" : "MLP"}, fit`,
    ...(imported.length ? [`from nn.datasets import ${imported.join(", ")}`] : []),
    `from nn.optimizers import ${optimizer === "adam" ? "Adam" : "SGD"}`,
    "",
    drawn,
    ...(isPlain(settings) ? [] : [`X = np.column_stack([${columns.join(", ")}])`]),
    ...[pythonTargets(settings, experiment)].filter(Boolean),
    ...(isSplit
      ? [
          `X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=${test / 100}, random_state=${seed})`,
        ]
      : []),
    model,
    `optimizer = ${made[optimizer].replace("LR", rate)}`,
    ...(isBatched ? [`# ${say("python batches")}`] : []),
    `fit(model, ${parts.join(", ")}, loss=${quoted(loss)}, optimizer=optimizer, ` +
      `batch_size=${isBatched ? batch : "None"}, epochs=${experiment.epochs}${penalised})`,
  ];
  return `${lines.join("\n")}\n`;
}
