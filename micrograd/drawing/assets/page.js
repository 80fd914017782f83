// The page's script. Everything that it writes, it writes as text: nothing is parsed as HTML.
const story = JSON.parse(document.getElementById("story").textContent);
const { values, steps, words } = story;
const marks = values.map((value) => value.mark);
const at = (id) => document.getElementById(id);
let language = story.lang;
let current = 0;
let timer = null;

const languages = Object.keys(words);
const following = () => languages[(languages.indexOf(language) + 1) % languages.length];
const say = (key, parts = {}) =>
  words[language][key].replace(/\{(\w+)\}/g, (_, name) => parts[name]);
// A name keeps to itself, whichever way its script runs.
const isolated = (name) => `\u2068${name}\u2069`;

// ------------------------------------------------------------------------------- the picture

const group = (id) => at("picture").querySelector(`#${CSS.escape(id)}`);
const boxes = values.map((_, i) => {
  const box = group(`n${i}`);
  const texts = box.querySelectorAll("text");
  return {
    box, operation: group(`n${i}op`), out: group(`n${i}out`),
    data: texts[texts.length - 3], grad: texts[texts.length - 1],
    words: { data: texts[texts.length - 4], grad: texts[texts.length - 2] },
  };
});
const svg = at("picture").querySelector("svg");
svg.style.minWidth = `${svg.viewBox.baseVal.width * 0.8}px`; // smaller letters cannot be read
const arrows = values.map((_, i) => {
  const found = [];
  for (let place = 0; place < 64; place++) {
    const arrow = group(`n${i}e${place}`);
    if (arrow) found.push(arrow);
  }
  return found;
});
// Where each value is computed, and where its gradient was last added to.
const computed = values.map((_, i) => steps.findIndex((step) => step.value === i));
const added = values.map((_, i) => steps.reduce((last, step, k) => (step.receiver === i ? k : last), -1));

function draw() {
  const known = new Set();
  const grads = values.map(() => null);
  steps.slice(0, current + 1).forEach((step) => {
    if (step.kind === "given" || step.kind === "forward") known.add(step.value);
    else grads[step.receiver] = step.grad;
  });
  const step = steps[current];
  values.forEach((value, i) => {
    const { box, operation, out, data, grad } = boxes[i];
    data.textContent = known.has(i) ? value.data : "";
    grad.textContent = grads[i] === null ? "—" : grads[i];
    const own = [box, operation, out, ...arrows[i]].filter(Boolean);
    own.forEach((part) => {
      part.classList.toggle("unknown", !known.has(i));
      part.classList.remove("current", "receiving", "flowing");
    });
    if (i === step.value) [box, operation].filter(Boolean).forEach((part) => part.classList.add("current"));
    if (step.kind === "backward" && i === step.receiver) box.classList.add("receiving");
    const row = at("table").querySelectorAll("tbody tr")[i];
    row.classList.toggle("current", i === (step.receiver === undefined ? step.value : step.receiver));
    row.children[1].textContent = known.has(i) ? value.data : "";
    row.children[2].textContent = grads[i] === null ? "—" : grads[i];
  });
  if (step.edge) {
    const out = group(`n${step.value}out`);
    [group(step.edge), out].filter(Boolean).forEach((arrow) => arrow.classList.add("flowing"));
  }
}

function showCurrent() {
  const frame = at("picture");
  const step = steps[current];
  const seen = frame.getBoundingClientRect();
  const box = boxes[step.receiver === undefined ? step.value : step.receiver].box.getBoundingClientRect();
  if (box.left < seen.left || box.right > seen.right) {
    frame.scrollLeft += (box.left + box.right - seen.left - seen.right) / 2;
  }
  if (box.top < seen.top || box.bottom > seen.bottom) {
    frame.scrollTop += (box.top + box.bottom - seen.top - seen.bottom) / 2;
  }
}

function tell() {
  const step = steps[current];
  const before = steps.slice(0, current).some((earlier) => earlier.receiver === step.receiver);
  const kind = step.kind === "backward" && before ? "again" : step.kind;
  const name = (i) => (i === undefined ? "" : isolated(values[i].name));
  at("counter").textContent = say("step", { step: current + 1, steps: steps.length });
  at("sentence").textContent = say(kind, { value: name(step.value), receiver: name(step.receiver) });
  at("formulas").replaceChildren(...step.lines.map((line) => {
    const math = element("math", formula(line, marks));
    math.setAttribute("display", "block");
    return math;
  }));
  at("slider").value = current + 1;
  at("slider").setAttribute("aria-valuetext", `${current + 1}: ${at("formulas").lastChild.textContent}`);
}

function label() {
  document.documentElement.lang = say("language tag");
  document.title = document.querySelector("h1").textContent = words[language].title;
  for (const id of ["first", "previous", "next", "last", "theme"]) {
    at(id).title = say(id);
    at(id).setAttribute("aria-label", say(id));
  }
  at("theme").textContent = "◐";
  at("language").textContent = words[following()]["language name"];
  at("play").textContent = say(timer ? "pause" : "play");
  at("slider").setAttribute("aria-label", say("slider"));
  at("picture").setAttribute("aria-label", say("picture"));
  at("hint").textContent = say("hint");
  for (const { words: written } of boxes) {
    written.data.textContent = say("data");
    written.grad.textContent = say("grad");
  }
  at("table").querySelector("summary").textContent = say("values");
  ["name", "data", "grad"].forEach((key, i) => {
    at("table").querySelectorAll("th")[i].textContent = say(key);
  });
}

// ------------------------------------------------------------------------------------ moving

function go(step, { remember = true } = {}) {
  current = Math.max(0, Math.min(steps.length - 1, step));
  draw();
  showCurrent();
  tell();
  const spoken = language === story.lang ? "" : `${language}-`;
  if (remember) history.replaceState(null, "", `#${spoken}${current + 1}`);
}

function play(on) {
  clearInterval(timer);
  timer = null;
  if (on) {
    if (current === steps.length - 1) go(0);
    timer = setInterval(() => (current === steps.length - 1 ? play(false) : go(current + 1)), 1200);
  }
  label();
}

function visit(i) {
  play(false);
  go(current === computed[i] && added[i] >= 0 ? added[i] : computed[i]);
}

// The address may name a language and a step: #12, #zh, #zh-12.
function fromAddress() {
  const [, asked, step] = /^#?(?:([a-z_]+)\b-?)?(\d*)/i.exec(location.hash);
  if (languages.includes(asked) && asked !== language) {
    language = asked;
    label();
  }
  return step ? Number.parseInt(step, 10) - 1 : 0;
}

const moves = {
  ArrowLeft: () => current - 1, ArrowRight: () => current + 1,
  Home: () => 0, End: () => steps.length - 1,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const control = event.target.closest("button, input, summary, g.node");
  if (event.key in moves) {
    play(false);
    go(moves[event.key]());
  } else if (event.key === " " && !control) {
    play(!timer);
  } else {
    return;
  }
  event.preventDefault();
});
at("slider").max = steps.length;
at("slider").addEventListener("input", () => { play(false); go(at("slider").value - 1); });
const buttons = { first: "Home", previous: "ArrowLeft", next: "ArrowRight", last: "End" };
for (const [id, key] of Object.entries(buttons)) {
  at(id).addEventListener("click", () => { play(false); go(moves[key]()); });
}
at("play").addEventListener("click", () => play(!timer));
at("language").addEventListener("click", () => {
  language = following();
  label();
  go(current);
});
at("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
addEventListener("hashchange", () => go(fromAddress(), { remember: false }));

values.forEach((value, i) => {
  const { box } = boxes[i];
  box.setAttribute("tabindex", "0");
  box.setAttribute("role", "button");
  box.setAttribute("aria-label", value.name);
  box.addEventListener("click", () => visit(i));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      visit(i);
    }
  });
  const row = document.createElement("tr");
  const name = document.createElement("button");
  const math = element("math", formula(value.mark, marks));
  name.append(math);
  name.setAttribute("aria-label", value.name);
  name.addEventListener("click", () => visit(i));
  const cells = [0, 1, 2].map(() => document.createElement("td"));
  cells[0].append(name);
  row.append(...cells);
  at("table").querySelector("tbody").append(row);
});
label();
go(fromAddress(), { remember: false });
