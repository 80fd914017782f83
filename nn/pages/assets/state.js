// What a reader can choose. The address of the page has what differs from the first settings:
// #layers=8,8&activation=tanh&seed=3&steps=100.
const story = JSON.parse(document.getElementById("story").textContent);
const at = (id) => document.getElementById(id);

const MOST = story.most;
const KINDS = ["classification", "regression", "surface"];
const isCurve = ({ kind }) => kind === "regression"; // one input; a surface has two
const hasClasses = ({ kind }) => kind === "classification";
const PENALTIES = ["none", "l1", "l2"];
const RATES = [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const STRENGTHS = [0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1];
const SPEEDS = ["slow", "step", "epoch", "fast"];

// Targets of the two classes, and the number between them in the output. A loss is free if any
// numbers may be targets, as those of a curve.
const TARGETS = {
  bce_with_logits: { low: 0, high: 1, threshold: 0 },
  bce: { low: 0, high: 1, threshold: 0.5 },
  mse: { low: -1, high: 1, threshold: 0, isFree: true },
  l1: { low: -1, high: 1, threshold: 0, isFree: true },
  huber: { low: -1, high: 1, threshold: 0, isFree: true },
  hinge: { low: -1, high: 1, threshold: 0 },
  squared_hinge: { low: -1, high: 1, threshold: 0 },
  cross_entropy: { low: 0, high: 1, threshold: 0 },
  kl_div: { low: 0, high: 1, threshold: Math.log(0.5) },
};
const targetsOf = (loss) => TARGETS[loss] || TARGETS.mse;
const REGRESSION_LOSSES = Object.keys(TARGETS).filter((loss) => TARGETS[loss].isFree);
const OWN = "own"; // points that the reader sets
const GIVEN = "given"; // points that the page was made with

const FIRST = {
  classification: {
    data: "moons",
    samples: 200,
    layers: [5, 4],
    loss: "bce_with_logits",
    optimizer: "adam",
    rate: 0.03,
  },
  regression: {
    data: "line",
    samples: 40,
    layers: [],
    loss: "mse",
    optimizer: "sgd",
    rate: 0.1,
    init: "uniform",
  },
  surface: {
    data: "plane",
    samples: 200,
    layers: [4, 3],
    loss: "mse",
    optimizer: "adam",
    rate: 0.03,
  },
};

function firstSettings(kind) {
  return {
    kind,
    noise: null,
    test: 30,
    classes: 2,
    seed: 0,
    activation: ["tanh"],
    output: "",
    penalty: "none",
    strength: 0,
    batch: 0,
    init: "xavier_uniform",
    speed: "epoch",
    flat: 0, // whether a region has one colour, however certain the network is
    tests: 1, // whether the samples of the test are shown
    features: PLAIN[kind],
    points: [],
    show: "",
    sample: 0,
    steps: 0,
    ...FIRST[kind],
    ...(story.settings.kind === kind ? story.settings : {}),
  };
}

const dataSets = (kind) => [
  ...(story.points && story.points.kind === kind ? [GIVEN] : []),
  ...Object.keys(SETS[kind]),
  OWN,
];
const losses = (kind) => (kind === "classification" ? Object.keys(LOSSES) : REGRESSION_LOSSES);
const initializers = () => [...(story.model ? ["model"] : []), ...Object.keys(INITIALIZERS)];
const recipe = (name) => DATA[name] || CURVES[name] || SURFACES[name];

// How each setting is read from text; what cannot be read is undefined.
const oneOf = (list) => (text) => (list.includes(text) ? text : undefined);
const between =
  (low, high, { whole = false } = {}) =>
  (text) => {
    const number = text.trim() === "" ? NaN : Number(text);
    if (!Number.isFinite(number)) return undefined;
    return Math.min(high, Math.max(low, whole ? Math.round(number) : number));
  };
const isActivation = (name) => name === "" || Object.hasOwn(ACTIVATIONS, name);
const READERS = {
  data: (text, kind) => oneOf(dataSets(kind))(text),
  samples: between(10, MOST.points, { whole: true }),
  noise: between(0, 1),
  test: between(0, 80, { whole: true }),
  classes: between(2, MOST.classes, { whole: true }),
  seed: between(0, 2 ** 32 - 1, { whole: true }),
  features: (text, kind) => {
    const names = Object.keys(FEATURES[kind]).filter((name) => text.split(",").includes(name));
    return names.length ? names : undefined;
  },
  layers: (text) => {
    const sizes =
      text === "" || text === "none"
        ? []
        : text.split(",").map(between(1, MOST.neurons, { whole: true }));
    return sizes.length <= MOST.layers && !sizes.includes(undefined) ? sizes : undefined;
  },
  activation: (text) => {
    const names = text.split(",").map((name) => (name === "linear" ? "" : name));
    return names.every(isActivation) ? names : undefined;
  },
  output: (text) =>
    isActivation(text === "linear" ? "" : text) ? text.replace("linear", "") : undefined,
  loss: (text, kind) => oneOf(losses(kind))(text),
  optimizer: oneOf(Object.keys(OPTIMIZERS)),
  rate: between(0, 100),
  penalty: oneOf(PENALTIES),
  strength: between(0, 10),
  batch: between(0, MOST.points, { whole: true }),
  init: (text) => oneOf(initializers())(text),
  speed: oneOf(SPEEDS),
  flat: between(0, 1, { whole: true }),
  tests: between(0, 1, { whole: true }),
  points: (text) => {
    const found = text
      .split(";")
      .filter(Boolean)
      .slice(0, MOST.points)
      .map((each) => each.split(",").map(Number));
    return found.every((each) => each.length > 1 && each.every(Number.isFinite))
      ? found
      : undefined;
  },
  show: (text) => (/^layers\.\d+\.neurons\.\d+(\.w\.\d+|\.b)?$/.test(text) ? text : undefined),
  sample: between(0, MOST.points, { whole: true }),
  steps: between(0, MOST.steps, { whole: true }),
};

function textOf(key, value) {
  if (key === "layers") return value.join(",") || "none";
  if (key === "activation") {
    const names = value.map((name) => name || "linear");
    return new Set(names).size > 1 ? names.join(",") : names[0] || "tanh";
  }
  if (key === "output") return value || "linear";
  if (key === "points") return value.map((point) => point.join(",")).join(";");
  return String(value);
}

function fromAddress(address) {
  const asked = new URLSearchParams(address.replace(/^#/, ""));
  const kind = KINDS.includes(asked.get("kind")) ? asked.get("kind") : story.settings.kind;
  const found = firstSettings(kind);
  if (asked.has("data") && !asked.has("noise")) found.noise = null;
  for (const [key, text] of asked) {
    const value = Object.hasOwn(READERS, key) ? READERS[key](text, kind) : undefined;
    if (value !== undefined) found[key] = value;
  }
  const hidden = listed(asked.get("hide"));
  return { settings: settled(found), lang: asked.get("lang"), hidden };
}

function toAddress(settings, lang, hidden) {
  const parts = [];
  if (settings.kind !== story.settings.kind) parts.push(`kind=${settings.kind}`);
  const begun = firstSettings(settings.kind);
  const first = settled({
    ...begun,
    noise: settings.data === begun.data ? begun.noise : null,
    data: settings.data,
  });
  for (const key of Object.keys(READERS)) {
    const text = textOf(key, settings[key]);
    if (text !== textOf(key, key === "data" ? begun.data : first[key]))
      parts.push(`${key}=${encodeURIComponent(text).replace(/%2C/g, ",").replace(/%3B/g, ";")}`);
  }
  if (lang !== story.lang) parts.push(`lang=${lang}`);
  if (hidden.length) parts.push(`hide=${hidden.map(encodeURIComponent).join(",")}`);
  return parts.join("&");
}

// Settings that fit one another.
function settled(settings) {
  const found = { ...settings };
  const { kind, layers } = found;
  const set = recipe(found.data);
  if (found.noise === null) found.noise = set ? set.noise : 0;
  if (found.data === GIVEN && kind === "classification") found.classes = story.points.labels.length;
  else if (!(set && set.classes) && found.data !== OWN) found.classes = 2;
  if (kind === "classification" && found.classes < 2) found.classes = 2;
  const names = found.activation;
  found.activation = layers.map((_, i) =>
    i < names.length ? names[i] : names[names.length - 1] || "tanh",
  );
  if (!losses(kind).includes(found.loss)) found.loss = FIRST[kind].loss;
  if (found.init === "model" && !fitsModel(found)) found.init = "xavier_uniform";
  return found;
}

function sizesOf({ kind, layers, loss, classes, features }) {
  if (kind !== "classification") return [features.length, ...layers, 1];
  return [features.length, ...layers, loss === "cross_entropy" || classes > 2 ? classes : 1];
}

const activationsOf = ({ layers, activation, output }) => [
  ...layers.map((_, i) => activation[i]),
  output,
];

function fitsModel(settings) {
  const { model } = story;
  return (
    Boolean(model) &&
    `${model.sizes}` === `${sizesOf(settings)}` &&
    `${model.activations}` === `${activationsOf(settings)}`
  );
}
