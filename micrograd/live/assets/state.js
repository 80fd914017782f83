// What the reader has chosen, and all numbers that follow from it.
const at = (id) => document.getElementById(id);
const { inputs, learn } = story;
const values = story.values.map(([name, node, text, mark, data, closed]) => ({
  name,
  node,
  text: text || name,
  mark: mark || ["mi", name],
  data,
  closed,
}));
const steps = story.steps.map(([value, operands, slopes, sweep]) => ({
  value,
  operands,
  slopes,
  sweep,
}));
const number = (x) =>
  typeof x === "string" ? { inf: Infinity, "-inf": -Infinity, nan: NaN }[x] : x;
const samples = story.samples.map((row) => row.map(number));
const leaves = values.map((_, i) => i).filter((i) => values[i].data !== undefined);
const top_ = values.length - 1;
const MOST_STEPS = 100000;
const OWN = -1; // the numbers of the sliders, not those of a sample
const ALL = samples.length; // the mean over all samples

// An edge leads from a value to one of its operands.
const edges = steps.flatMap((step) =>
  step.operands.map((operand, k) => ({
    head: step.value,
    tail: operand,
    id: `n${values[step.value].node}e${k}`,
    slopes: step.slopes[k],
    sweep: step.sweep,
    slope: 0,
    flow: 0,
  }))
);

const state = {
  begin: values.map((value) => number(value.data)), // before descent
  steps: 0,
  rate: story.rate,
  sample: samples.length > 1 ? ALL : samples.length ? 0 : OWN,
  wrt: learn.length ? learn[0] : leaves[0],
  nudge: 0.3,
  hide: [], // parts of the page, and leaves that have no slider
};
const first = { ...state, begin: [...state.begin] };
let now = [...state.begin]; // the numbers of the leaves
let numbers = new Float64Array(values.length);
let gradients = new Float64Array(values.length);
let history = { losses: [], path: [] };

// ------------------------------------------------------------------------------- the engine

const v = new Float64Array(story.nodes),
  g = new Float64Array(story.nodes);
const d = new Float64Array(story.nodes),
  p = new Float64Array(story.arrows);
const product = (x, y) => (x !== 0 && y !== 0 ? x * y : 0); // 0 times infinity is 0

function place(row, held) {
  for (const i of leaves) v[values[i].node] = held[i];
  if (row !== null)
    inputs.forEach((i, k) => {
      v[values[i].node] = samples[row][k];
    });
}

const rows = () => (state.sample === ALL && samples.length ? samples.map((_, i) => i) : [null]);
const isMean = () => state.sample === ALL && samples.length > 0;

// The output, or its mean over the samples, at other numbers of the leaves.
function outputAt(held) {
  let sum = 0;
  const all = rows();
  for (const row of all) {
    place(row, held);
    graph.forward(v);
    sum += v[story.nodes - 1];
  }
  return sum / all.length;
}

// The derivatives of a value with respect to its operands, by the sweep between them.
function slopesOf(step, k, add) {
  for (const arrow of step.sweep) d[graph.tails[arrow]] = 0;
  for (const operand of step.operands) d[values[operand].node] = 0;
  d[values[step.value].node] = 1;
  for (const arrow of step.sweep) {
    d[graph.tails[arrow]] += product(d[graph.heads[arrow]], p[arrow]);
  }
  step.operands.forEach((operand, i) => add(k + i, d[values[operand].node]));
}

// Values, gradients, and what flows along the edges.
function compute() {
  const all = rows();
  numbers = new Float64Array(values.length).fill(-0); // which keeps the sign of a zero added to it
  gradients = new Float64Array(values.length);
  for (const edge of edges) edge.slope = edge.flow = 0;
  for (const row of all) {
    place(row, now);
    graph.forward(v);
    graph.backward(v, g, p);
    values.forEach(({ node }, i) => {
      numbers[i] += v[node];
      gradients[i] += g[node];
    });
    let k = 0;
    for (const step of steps) {
      const flowing = g[values[step.value].node];
      slopesOf(step, k, (i, slope) => {
        edges[i].slope += slope;
        edges[i].flow += product(flowing, slope);
      });
      k += step.operands.length;
    }
  }
  const share = (list) =>
    list.forEach((x, i) => {
      list[i] = x / all.length;
    });
  if (all.length > 1) {
    share(numbers);
    for (const i of leaves) if (!inputs.includes(i)) numbers[i] = now[i]; // not a sum of roundings
    share(gradients);
    for (const edge of edges) {
      edge.slope /= all.length;
      edge.flow /= all.length;
    }
  }
}

// The output and its gradient with respect to what learns, and nothing else.
function lossAndGradient() {
  const all = rows(),
    sums = learn.map(() => 0);
  let loss = 0;
  for (const row of all) {
    place(row, now);
    graph.forward(v);
    graph.backward(v, g, p);
    loss += v[story.nodes - 1];
    learn.forEach((i, k) => {
      sums[k] += g[values[i].node];
    });
  }
  return [loss / all.length, sums.map((sum) => sum / all.length)];
}

// ------------------------------------------------------------------------------- descent

function remember(loss) {
  history.losses.push(loss);
  if (learn.length <= 2) history.path.push(learn.map((i) => now[i]));
}

function restart() {
  history = { losses: [], path: [] };
  if (learn.length) remember(outputAt(now));
}

// Takes steps, and stops when the numbers are no longer finite.
function descend(count) {
  for (let i = 0; i < count && state.steps < MOST_STEPS; i++) {
    const [, slopes] = lossAndGradient();
    if (!slopes.every(isFinite)) return false;
    learn.forEach((leaf, k) => {
      now[leaf] -= state.rate * slopes[k];
    });
    state.steps += 1;
    remember(outputAt(now));
  }
  return state.steps < MOST_STEPS;
}

// Begins at the numbers of the address or of the sliders, and takes as many steps again.
function replay(count) {
  now = [...state.begin];
  if (state.sample >= 0 && state.sample < ALL)
    inputs.forEach((i, k) => {
      now[i] = samples[state.sample][k];
    });
  state.steps = 0;
  restart();
  if (count && learn.length) descend(count);
}

// What has been learned so far is where descent begins now.
function settle() {
  state.begin = [...now];
  state.steps = 0;
  restart();
}

// ------------------------------------------------------------------------------- the address

const taken = new Set(leaves.flatMap((i) => [values[i].name, values[i].text]));
const KEYS = {}; // a setting has another key where a value has its name
for (const key of ["steps", "rate", "sample", "wrt", "nudge", "lang", "hide"]) {
  KEYS[key] = key;
  while (taken.has(KEYS[key])) KEYS[key] += ".";
}

// A number as typed: "-2", "1e-3", "inf", "nan", in wide signs too; undefined if it is not a number.
function read(text) {
  const plain = text
    .replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0))
    .trim()
    .replace(/[\u2212\u2013]/g, "-")
    .replace(/^\+/, "")
    .toLowerCase();
  const special = /^(-?)(inf|infinity|∞)$/.exec(plain);
  if (special) return special[1] ? -Infinity : Infinity;
  if (plain === "nan") return NaN;
  return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(plain) ? Number(plain) : undefined;
}

const leafCalled = (name) =>
  leaves.find((i) => values[i].name === name) ?? leaves.find((i) => values[i].text === name);

function readAddress() {
  const asked = new URLSearchParams(location.hash.replace(/^#/, "").replace(/\+/g, "%2B"));
  Object.assign(state, { ...first, begin: [...first.begin] });
  const sample = asked.get(KEYS.sample);
  if (sample === "all" && samples.length) state.sample = ALL;
  else if (samples.length && Number(sample) >= 1 && Number(sample) <= samples.length)
    state.sample = Math.floor(Number(sample)) - 1;
  for (const [name, text] of asked) {
    const leaf = leafCalled(name),
      x = read(text);
    if (leaf === undefined || x === undefined) continue;
    state.begin[leaf] = x;
    if (inputs.includes(leaf)) state.sample = OWN;
  }
  const rate = read(asked.get(KEYS.rate) || "");
  if (rate > 0 && rate < Infinity) state.rate = rate;
  const nudge = read(asked.get(KEYS.nudge) || "");
  if (isFinite(nudge)) state.nudge = nudge;
  const wrt = leafCalled(asked.get(KEYS.wrt) || "");
  if (wrt !== undefined) state.wrt = wrt;
  state.hide = listed(asked.get(KEYS.hide));
  const lang = asked.get(KEYS.lang);
  if (languages.includes(lang)) language = lang;
  const count = read(asked.get(KEYS.steps) || "");
  replay(count > 0 ? Math.min(Math.floor(count), MOST_STEPS) : 0);
}

function address() {
  const asked = new URLSearchParams();
  for (const i of leaves) {
    const isOfSample = state.sample !== OWN && inputs.includes(i);
    if (!isOfSample && !Object.is(state.begin[i], first.begin[i]))
      asked.set(values[i].name, exact(state.begin[i]));
  }
  if (state.sample === OWN && samples.length)
    for (const i of inputs) asked.set(values[i].name, exact(state.begin[i]));
  if (state.steps) asked.set(KEYS.steps, state.steps);
  for (const key of ["rate", "nudge"])
    if (state[key] !== first[key]) asked.set(KEYS[key], state[key]);
  if (state.sample !== first.sample && state.sample !== OWN)
    asked.set(KEYS.sample, state.sample === ALL ? "all" : state.sample + 1);
  if (state.wrt !== first.wrt) asked.set(KEYS.wrt, values[state.wrt].name);
  if (language !== story.lang) asked.set(KEYS.lang, language);
  if (state.hide.length) asked.set(KEYS.hide, state.hide);
  return `#${asked}`.replace(/\+/g, "%20"); // a plus is read as the sign of a number
}
