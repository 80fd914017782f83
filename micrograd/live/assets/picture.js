// The picture: boxes and arrows, sliders on the leaves, and what lights up together.
const NARROW = matchMedia("(max-width: 740px)");
const boxes = values.map(() => ({}));
const SVG = "http://www.w3.org/2000/svg";

// Sets attributes of an element, and returns it.
function put(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const on = (element, type, act) => element.addEventListener(type, act);

function svgElement(tag, attributes, ...children) {
  const made = put(document.createElementNS(SVG, tag), attributes);
  made.append(...children);
  return made;
}

function make(tag, attributes = {}, text = "") {
  const made = put(document.createElement(tag), attributes);
  made.textContent = text;
  return made;
}

const ROLES = {
  input: "leaf",
  weight: "weight",
  target: "value",
  activation: "unit",
  loss: "loss",
  value: "value",
};

// A line of text around a point; a span is text, or text, whether it is italic, and for a script how
// far it is moved to the right and below the line.
function textLine(spans, x, y, attributes = {}) {
  let raised = 0;
  const made = svgElement("text", { x, y, "text-anchor": "middle", ...attributes });
  for (const span of spans) {
    const [text, isItalic, dx = 0, y = 0] = typeof span === "string" ? [span] : span;
    const part = svgElement("tspan", { dx, dy: (y - raised).toFixed(1) }, text);
    if (isItalic) put(part, { "font-style": "italic" });
    if (y) put(part, { "font-size": 11.25 });
    raised = y;
    made.append(part);
  }
  return made;
}

// A curve through points, which leaves and enters each of them in the direction of reading.
function curveThrough(points, across) {
  let path = `M${points[0]},${points[1]}`;
  for (let i = 2; i < points.length; i += 2) {
    const [x, y, x2, y2] = points.slice(i - 2, i + 2);
    path += across
      ? `C${(x + x2) / 2},${y} ${(x + x2) / 2},${y2} ${x2},${y2}`
      : `C${x},${(y + y2) / 2} ${x2},${(y + y2) / 2} ${x2},${y2}`;
  }
  return path;
}

// Shrinks the picture a little where its frame is a little too narrow; a narrower one scrolls.
function fit() {
  const share = (at("scroll").clientWidth - 2) / parseFloat(at("picture").style.width);
  at("picture").style.zoom = share < 1 && share > 0.8 ? share : 1;
}

// Draws the picture for the width of the window.
function build() {
  const {
    size: [width, height],
    across,
    boxes: drawn,
    wires,
  } = story.layouts[NARROW.matches ? story.layouts.length - 1 : 0];
  const svg = svgElement("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
  Object.assign(at("picture").style, { width: `${width}px`, height: `${height}px` });
  at("picture").replaceChildren(svg);
  document.querySelector("main").classList.toggle("tall", height > 600); // then cards are beside it
  fit();
  edges.forEach((edge, k) => {
    const parts = wires[k].filter((part) => part.length > 2).map((part) => {
      const points = [...part]; // each is the distance from the one before
      for (let i = 2; i < points.length; i++) points[i] += points[i - 2];
      return points;
    });
    const end = parts[parts.length - 1].slice(-2);
    const tip = [
      [-7, -3.5],
      [0, 0],
      [-7, 3.5],
    ].map(([along, aside]) =>
      across ? [end[0] + along, end[1] + aside] : [end[0] + aside, end[1] + along]
    );
    edge.paths = parts.map((part) => svgElement("path", { d: curveThrough(part, across) }));
    edge.group = svgElement(
      "g",
      { id: edge.id, class: "edge", role: "img", "data-edge": edge.id },
      ...edge.paths.map((path) => svgElement("path", { d: path.getAttribute("d"), class: "wide" })),
      ...edge.paths,
      svgElement("polygon", { points: tip.join(" ") })
    );
    const place_ = wires[k].length > 2 ? wires[k][2] : null;
    edge.text = place_ ? textLine([""], place_[0], place_[1] + 5) : null;
    if (edge.text) edge.group.append(edge.text);
    svg.append(edge.group);
  });
  values.forEach((value, i) => {
    const [x, y, wide, tall, role, lines] = drawn[i];
    const isLeaf = leaves.includes(i);
    const rect = svgElement("rect", { x, y, width: wide, height: tall, rx: 6 });
    const box = svgElement(
      "g",
      {
        id: `n${value.node}`,
        class: `node ${ROLES[role]}`,
        role: isLeaf ? "button" : "img",
        tabindex: 0,
      },
      rect,
      ...lines.map((line, k) => textLine(line, x + wide / 2, y + (isLeaf ? 17 : 19) + 19.5 * k))
    );
    box.dataset.name = value.name;
    boxes[i] = { box, rect };
    svg.append(box);
    if (isLeaf) {
      Object.assign(boxes[i], controls(value, i, [x, y + tall - 54, wide]));
      svg.before(boxes[i].all); // keys reach the sliders first
      on(box, "click", () => choose(i));
      on(box, "keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          choose(i);
        }
      });
    } else {
      const text = svgElement("text", {
        x: x + wide / 2,
        y: y + 18 + 19.5 * lines.length,
        "text-anchor": "middle",
        class: "numbers",
      });
      [boxes[i].data, boxes[i].grad] = ["data", "grad"].map((kind) =>
        text.appendChild(svgElement("tspan", { class: kind }))
      );
      box.append(text);
    }
  });
}

// What is typed into a field and is not a number stays there, and is marked.
const isWrong = (field) => field.getAttribute("aria-invalid") === "true";
function onNumber(field, act, isGood = () => true) {
  on(field, "change", () => {
    const x = read(field.value);
    const isNumber = x !== undefined && isGood(x);
    put(field, { "aria-invalid": !isNumber });
    if (isNumber) act(x);
  });
  on(field, "keydown", ({ key }) => {
    if (key !== "Escape") return;
    put(field, { "aria-invalid": false });
    update(); // the number is again that before typing
  });
}
function showNumber(field, text) {
  if (document.activeElement === field && isWrong(field)) return;
  field.value = text;
  put(field, { "aria-invalid": false });
}

// A slider, a field for the number, and the gradient, at the lower end of a box.
function controls(value, i, [left, top, width]) {
  const all = make("div", { class: "controls" });
  const field = make("input", {
    class: "number",
    "data-number": value.name,
    autocomplete: "off",
    inputmode: "text",
    spellcheck: "false",
  });
  const grad = make("span", { class: "grad" });
  const slider = make("input", { type: "range", "data-slider": value.name });
  Object.assign(all.style, { left: `${left}px`, top: `${top}px`, width: `${width}px` });
  on(slider, "input", () => set(i, Number(slider.value)));
  onNumber(field, (x) => set(i, x));
  on(field, "keydown", (event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    set(i, Number((now[i] + by * Number(slider.step)).toPrecision(12)));
  });
  on(field, "blur", () => {
    if (!isWrong(field)) field.value = short(numbers[i]);
  });
  on(field, "focus", () => {
    field.value = exact(numbers[i]);
    field.select();
  });
  all.append(field, grad, slider);
  return { all, field, grad, slider };
}

const isGiven = (i) => isMean() && inputs.includes(i);
const isFixed = (i) =>
  [values[i].name, values[i].text, "sliders"].some((name) => state.hide.includes(name));

// The share of colour for a number: more for larger ones, and never all.
const share = (x) => Math.round(20 / (1 + 1 / Math.abs(x))) || 0; // none for nan
const tint = (x) => (x > 0 ? "var(--positive)" : "var(--negative)");

function setBorder(slider, x) {
  const reach = Number(slider.max);
  if (!(
    slider.hasAttribute("max") &&
    Math.abs(x) <= reach &&
    reach <= 40 * Math.max(1, Math.abs(x))
  )) {
    const most = border(x);
    slider.max = most;
    slider.min = -most;
    slider.step = Number((most / 200).toPrecision(3));
  }
  slider.value = isFinite(x) ? x : x > 0 ? slider.max : x < 0 ? slider.min : 0;
}

// Shows all numbers.
function show() {
  values.forEach((value, i) => {
    const { box, rect, data, grad, field, slider } = boxes[i];
    const x = numbers[i],
      slope = gradients[i];
    Object.assign(box.dataset, { value: exact(x), gradient: exact(slope) });
    const told = say("value told", { name: value.text, value: short(x), gradient: short(slope) });
    put(box, { "aria-label": told });
    rect.style.fill = `color-mix(in srgb, ${tint(x)} ${share(x)}%, var(--paper))`;
    box.classList.toggle("chosen", i === state.wrt);
    if (!field) {
      data.textContent = short(x);
      grad.textContent = `\u2003${short(slope)}`;
      return;
    }
    grad.textContent = short(slope);
    showNumber(field, document.activeElement === field ? exact(x) : short(x));
    setBorder(slider, x);
    slider.hidden = isFixed(i);
    field.disabled = slider.disabled = slider.hidden || isGiven(i);
    put(field, { "aria-label": say("number of", { name: value.text }) });
    put(slider, { "aria-label": value.text, "aria-valuetext": told });
  });
  const most = Math.max(...edges.map((edge) => Math.abs(edge.flow)).filter(isFinite), 0);
  const onWay = new Set(wayTo(state.wrt).edges);
  for (const edge of edges) {
    const { flow, group } = edge;
    const size = isFinite(flow) ? (most ? Math.abs(flow) / most : 0) : 1;
    const color = flow === 0 ? "var(--line)" : tint(flow);
    for (const path of edge.paths) {
      path.style.stroke = color;
      path.style.strokeWidth = 1 + 5 * size;
      path.style.strokeDasharray = flow === 0 ? "3 3" : "";
    }
    group.querySelector("polygon").style.fill = color;
    if (edge.text) edge.text.textContent = short(edge.slope);
    Object.assign(group.dataset, { slope: exact(edge.slope), flow: exact(flow) });
    group.classList.toggle("aside", !onWay.has(edge));
    if (onWay.has(edge)) put(group, { tabindex: 0 });
    else group.removeAttribute("tabindex");
    put(group, {
      "aria-label": say("edge told", {
        head: values[edge.head].text,
        tail: values[edge.tail].text,
        slope: short(edge.slope),
        flow: short(flow),
      }),
    });
  }
}

// Everything that belongs to one edge lights up together, under the pointer, the focus or a tap.
function light(event) {
  const asked =
    event.type === "pointerleave" || event.type === "focusout"
      ? null
      : event.target.closest?.("[data-edge]");
  for (const each of document.querySelectorAll(".lit")) each.classList.remove("lit");
  if (!asked) return;
  for (const each of document.querySelectorAll(`[data-edge="${asked.dataset.edge}"]`))
    each.classList.add("lit");
}
for (const type of ["pointerover", "pointerleave", "focusin", "focusout", "click"])
  on(document, type, light);
