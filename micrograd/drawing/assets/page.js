// The page that steps through a compact picture.
const { values, steps, arrows } = story;
const SVG = "http://www.w3.org/2000/svg";
const still = matchMedia("(prefers-reduced-motion: reduce)");
const views = [...document.querySelectorAll("#picture svg")]; // for wide and for narrow frames
const LEAST = 11; // pixels: smaller letters cannot be read, then the picture scrolls
for (const view of views) {
  const { width, height } = view.viewBox.baseVal;
  const sizes = [...view.querySelectorAll("[font-size]")].map((each) => each.getAttribute("font-size"));
  const least = LEAST / Math.min(...sizes);
  view.style.minWidth = `${least * width}px`;
  view.style.minHeight = `${least * height}px`;
}
let current = 0;
let timer = null;
let speed = 1;
let pending = 0; // counts animations: a step stops that of the step before

// A name keeps to itself, whichever way its script runs.
const isolated = (name) => `\u2068${name}\u2069`;

// ---------------------------------------------------------------------------------- formulas

// A line is a list of spans: a text alone, a text and its classes, or the two scripts of a letter,
// each of which is a line. It may be broken before and after these signs only.
const TAGS = { sub: "sub", sup: "sup" };
const SIGNS = /( [+−=≈<>≤≥≠⊙∈] )/;

function written(line) {
  const made = [];
  let word = null;
  const add = (node) => {
    if (!word) made.push(word = piece("part"));
    word.append(node);
  };
  for (const span of line) {
    const [text, ...classes] = typeof span === "string" ? [span] : span;
    if (!classes.length) {
      for (const each of text.split(SIGNS).filter(Boolean)) {
        if (SIGNS.test(each)) {
          made.push(each);
          word = null;
        } else {
          add(each);
        }
      }
      continue;
    }
    add(
      Array.isArray(text)
        ? piece("scripts", ...span.map((line) => piece("script", ...line.map(styled))))
        : styled(span),
    );
  }
  return made;
}

function styled([text, ...classes]) {
  const node = document.createElement(classes.map((each) => TAGS[each]).find(Boolean) || "span");
  node.className = classes.join(" ");
  node.textContent = text;
  return node;
}

function piece(className, ...children) {
  const made = document.createElement("span");
  made.className = className;
  made.append(...children);
  return made;
}

// The parts of an equation: lines are broken between them, or where they are too long.
function equation({ text, parts, matrix }) {
  const made = document.createElement("p");
  made.setAttribute("role", "math");
  made.setAttribute("aria-label", text);
  made.append(...parts.map((part) => piece("part", ...written(part))));
  if (matrix) {
    made.append(piece("matrix", ...matrix.map((row) => piece("row", ...row.map(
      (cell) => piece("cell", cell))))));
  }
  return made;
}

// ------------------------------------------------------------------------------- the picture

const group = (id) => views.map((view) => view.querySelector(`#${CSS.escape(view.id + id)}`)).filter(Boolean);
const boxes = values.map(({ id }) => group(id).map((box) => (
  { box, data: box.querySelector(".data"), grad: box.querySelector(".grad"), beside: box.querySelector(".data + .grad") })));
const wires = arrows.map(([id]) => group(id));
// Where each value is computed, and where its gradient is known.
const computed = values.map((_, i) => steps.findIndex(
  (step) => step.boxes.includes(i) && (step.kind === "given" || step.kind === "forward")));
const received = values.map((_, i) => steps.findIndex((step) => step.receivers.includes(i)));
const SPACE = "\u2003";

const isBack = (step) => ["start", "backward", "sum"].includes(step.kind);

function flowing(step) {
  return arrows.flatMap(([, tail, head], k) => (
    (step.kind === "forward" && step.boxes.includes(head))
    || (isBack(step) && step.kind !== "start" && step.receivers.includes(tail)) ? [k] : []));
}

// Before they have arrived, the numbers of the current step are not shown.
function draw(arrived) {
  const shown = (at) => at >= 0 && (arrived ? at <= current : at < current);
  const step = steps[current];
  const back = isBack(step);
  values.forEach((value, i) => {
    const data = shown(computed[i]) ? value.data : "";
    const grad = shown(received[i]) ? value.grad : "";
    for (const texts of boxes[i]) {
      if (texts.data) texts.data.textContent = data;
      if (texts.grad) texts.grad.textContent = grad && data && texts.beside ? SPACE + grad : grad;
      const { classList } = texts.box;
      classList.toggle("unknown", computed[i] > current);
      classList.toggle("current", step.boxes.includes(i) && step.kind !== "given");
      classList.toggle("receiving", back && step.receivers.includes(i));
    }
    const row = at("table").querySelectorAll("tbody tr")[i];
    row.classList.toggle("current", (back ? step.receivers : step.boxes).includes(i));
    row.children[1].textContent = data;
    row.children[2].textContent = grad;
  });
  const lit = new Set(flowing(step));
  wires.forEach((found, k) => found.forEach((arrow) => {
    arrow.classList.toggle("unknown", computed[arrows[k][2]] > current);
    arrow.classList.toggle("forwards", lit.has(k) && !back);
    arrow.classList.toggle("backwards", lit.has(k) && back);
  }));
}

// A dot travels along each arrow, then the numbers appear where it arrives.
function animate() {
  const own = ++pending;
  document.querySelectorAll(".traveller").forEach((dot) => dot.remove());
  const step = steps[current];
  const moving = flowing(step).flatMap((k) => wires[k]).filter((arrow) => arrow.getClientRects().length);
  if (still.matches || !moving.length) {
    draw(true);
    return;
  }
  draw(false);
  const back = isBack(step);
  const dots = moving.map((arrow) => {
    const paths = [...arrow.querySelectorAll("path")];
    const dot = document.createElementNS(SVG, "circle");
    dot.setAttribute("class", `traveller ${back ? "backwards" : "forwards"}`);
    dot.setAttribute("r", "5");
    arrow.append(dot);
    return { dot, paths, lengths: paths.map((path) => path.getTotalLength()) };
  });
  const begun = performance.now();
  const tick = () => {
    if (own !== pending) return;
    const share = Math.min(1, (performance.now() - begun) * speed / 700);
    for (const { dot, paths, lengths } of dots) {
      let way = (back ? 1 - share : share) * lengths.reduce((sum, each) => sum + each, 0);
      const k = lengths.findIndex((length, i) => way <= length || i === lengths.length - 1 || (way -= length, false));
      const { x, y } = paths[k].getPointAtLength(way);
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", y);
    }
    if (share < 1) {
      requestAnimationFrame(tick);
    } else {
      dots.forEach(({ dot }) => dot.remove());
      draw(true);
    }
  };
  requestAnimationFrame(tick);
}

function showCurrent() {
  const frame = at("picture");
  const step = steps[current];
  const seen = frame.getBoundingClientRect();
  const [first] = step.receivers.length ? step.receivers : step.boxes;
  const found = boxes[first].map(({ box }) => box.getBoundingClientRect()).find((box) => box.width);
  if (!found) return;
  if (found.left < seen.left || found.right > seen.right) {
    frame.scrollLeft += (found.left + found.right - seen.left - seen.right) / 2;
  }
  if (found.top < seen.top || found.bottom > seen.bottom) {
    frame.scrollTop += (found.top + found.bottom - seen.top - seen.bottom) / 2;
  }
}

const OF_LAYERS = { forward: "forward layer", backward: "backward layer" };
const CHINESE = "[\u3400-\u9fff]";
const SPACED = [`(${CHINESE}) (\u2068${CHINESE})`, `(${CHINESE}\u2069) (${CHINESE})`];

// A sentence with its names. A Chinese name has no spaces around it.
function sentence(text) {
  const close = SPACED.reduce((told, each) => told.replace(new RegExp(each, "gu"), "$1$2"), text);
  return close.split(/(\u2068[^\u2069]*\u2069)/).map(
    (part, i) => (i % 2 ? piece(part.length < 30 ? "name" : "part", part) : part));
}

function tell() {
  const step = steps[current];
  const names = (found) => found.map((i) => isolated(values[i].name)).join(say("comma"));
  const kind = step.layer === undefined ? step.kind : OF_LAYERS[step.kind];
  at("counter").textContent = `${current + 1} / ${steps.length}`;
  at("sentence").replaceChildren(...sentence(say(kind, {
    value: names(step.boxes), receiver: names(step.receivers), layer: step.layer || "",
  })));
  at("formulas").replaceChildren(...step.equations.map(equation));
  at("formulas").classList.toggle("list", step.kind === "given");
  at("formulas").classList.toggle("back", isBack(step));
  at("text").scrollTop = 0;
  at("slider").value = current + 1;
  at("slider").setAttribute("aria-valuetext",
    say("step", { step: current + 1, steps: steps.length }) + say("colon") + at("sentence").textContent);
}

function labelled() {
  label();
  at("play").textContent = say(timer ? "pause" : "play");
  tell();
}

// ------------------------------------------------------------------------------------ moving

function go(step, { remember = true, moves = true } = {}) {
  const before = current;
  current = Math.max(0, Math.min(steps.length - 1, step));
  tell();
  if (moves && current === before + 1) {
    animate();
  } else {
    pending += 1;
    document.querySelectorAll(".traveller").forEach((dot) => dot.remove());
    draw(true);
  }
  showCurrent();
  const spoken = language === story.lang ? "" : `${language}-`;
  const hasAddress = location.protocol !== "about:"; // unlike the frame in a notebook
  if (remember && hasAddress) history.replaceState(null, "", `#${spoken}${current + 1}`);
}

// Longer steps are shown for longer.
function pause() {
  const lines = Math.min(steps[current].equations.length, 6);
  return (1400 + 350 * lines) / speed;
}

function play(on) {
  clearTimeout(timer);
  timer = null;
  if (on) {
    if (current === steps.length - 1) go(0);
    const forward = () => {
      if (current === steps.length - 1) return play(false);
      go(current + 1);
      timer = setTimeout(forward, pause());
    };
    timer = setTimeout(forward, pause());
  }
  at("play").textContent = say(timer ? "pause" : "play");
}

function visit(i) {
  play(false);
  go(current === computed[i] && received[i] >= 0 ? received[i] : computed[i]);
}

// The address may name a language and a step: #12, #zh, #zh-12.
function fromAddress() {
  const [, asked, step] = /^#?(?:([a-z_]+)\b-?)?(\d*)/i.exec(location.hash);
  if (languages.includes(asked) && asked !== language) {
    language = asked;
    labelled();
  }
  return step ? Number.parseInt(step, 10) - 1 : 0;
}

const moves = {
  ArrowLeft: () => current - 1, ArrowRight: () => current + 1,
  Home: () => 0, End: () => steps.length - 1,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const control = event.target.closest("button, input, select, summary, g.node");
  if (event.key in moves && !event.target.closest("select")) {
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
at("slider").addEventListener("input", () => { play(false); go(at("slider").value - 1, { moves: false }); });
const buttons = { first: "Home", previous: "ArrowLeft", next: "ArrowRight", last: "End" };
for (const [id, key] of Object.entries(buttons)) {
  at(id).addEventListener("click", () => { play(false); go(moves[key]()); });
}
at("play").addEventListener("click", () => play(!timer));
fill(at("speed"), [0.5, 1, 2, 4], (each) => `${each}×`);
at("speed").value = speed;
at("speed").addEventListener("change", () => { speed = Number(at("speed").value); });
at("language").addEventListener("click", () => {
  language = following();
  labelled();
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
  for (const { box } of boxes[i]) {
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
  }
  const row = document.createElement("tr");
  const name = document.createElement("button");
  name.append(...written(value.line));
  name.setAttribute("aria-label", value.name);
  name.addEventListener("click", () => visit(i));
  const cells = [0, 1, 2].map(() => document.createElement("td"));
  cells[0].append(name);
  row.append(...cells);
  at("table").querySelector("tbody").append(row);
});
labelled();
go(fromAddress(), { remember: false, moves: false });
