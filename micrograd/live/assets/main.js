// The page: controls, and what follows when something changes.
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
let running = 0; // the timer of the next step while descent runs
let drawing = 0;
let writing = 0;
let seen = location.hash; // the address that was read or written last

// Numbers follow at once; curves with the next frame, and the address a little later.
function update() {
  compute();
  show();
  board();
  showControls();
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    drawNudge();
    if (learn.length) drawLosses();
    if (learn.length === 1 || learn.length === 2) drawValley();
  });
  clearTimeout(writing);
  writing = setTimeout(() => {
    if (location.hash === seen) {
      // otherwise the address has changed, and is about to be read
      try {
        window.history.replaceState(null, "", address());
      } catch {
        /* a frame without an address */
      }
      seen = location.hash;
    }
    at("status").textContent = say("now", {
      output: values[top_].text,
      value: short(numbers[top_]),
      name: values[state.wrt].text,
      gradient: short(gradients[state.wrt]),
    });
  }, 300);
}

function set(i, x) {
  stop();
  if (state.sample !== OWN && inputs.includes(i)) state.sample = OWN;
  now[i] = x;
  settle();
  update();
}

function choose(i) {
  state.wrt = i;
  update();
}

function stop() {
  clearTimeout(running);
  running = 0;
}

// Takes a step for each frame; with reduced motion, several at once, and shows them less often.
function run() {
  const [count, pause] = CALM.matches ? [20, 500] : [1, 16];
  running = descend(count) ? setTimeout(run, pause) : 0;
  update();
}

function showControls() {
  at("wrt").value = state.wrt;
  at("sample").value = state.sample;
  at("delta").textContent = `Δ${values[state.wrt].text}`;
  for (const [field, slider, value, place_] of [
    ["nudge", "far", state.nudge, state.nudge],
    ["rate", "fast", state.rate, Math.log10(state.rate)],
  ]) {
    showNumber(at(field), exact(value).replace(/^-/, "−"));
    at(slider).value = place_;
    put(at(slider), {
      "aria-label": field === "rate" ? say("rate") : at("delta").textContent,
      "aria-valuetext": short(value),
    });
  }
  at("run").textContent = say(running ? "pause" : "run");
  put(at("run"), { "aria-pressed": Boolean(running) });
  at("taken").textContent = say("taken", {
    count: state.steps,
    output: values[top_].text,
    value: short(numbers[top_]),
  });
  at("taken").dataset.steps = state.steps;
}

function type(field, slider, key, isGood, of) {
  const set = (x) => {
    state[key] = x;
    update();
  };
  onNumber(at(field), set, isGood);
  on(at(slider), "input", () => set(of(Number(at(slider).value))));
}
type("nudge", "far", "nudge", isFinite, (x) => x);
type(
  "rate",
  "fast",
  "rate",
  (x) => x > 0 && x < Infinity,
  (x) => Number((10 ** x).toPrecision(2))
);

on(at("wrt"), "change", () => choose(Number(at("wrt").value)));
on(at("sample"), "change", () => {
  stop();
  state.sample = Number(at("sample").value);
  if (state.sample >= 0 && state.sample < ALL)
    inputs.forEach((i, k) => {
      now[i] = samples[state.sample][k];
    });
  settle();
  update();
});
on(at("step"), "click", () => {
  stop();
  descend(1);
  update();
});
on(at("run"), "click", () => {
  if (running) {
    stop();
    update();
  } else run();
});
on(at("reset"), "click", () => {
  stop();
  replay(0);
  update();
});
on(at("copy"), "click", () => {
  const area = make("textarea", {}, written()); // a frame has no access to the clipboard itself
  document.body.append(area);
  area.select();
  at("copy").textContent = say(document.execCommand("copy") ? "copied" : "copy");
  area.remove();
  at("copy").focus();
  setTimeout(() => {
    at("copy").textContent = say("copy");
  }, 1500);
});
on(at("language"), "click", () => {
  language = following();
  speak();
});
on(at("theme"), "click", () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
});

const CARDS = ["derivation", "nudge", "descent", "valley", "cards"];
const PARTS = ["title", "buttons", "samples", "legend", ...CARDS];
const isPart = (name) => PARTS.includes(name) && leafCalled(name) === undefined;

function speak() {
  label();
  hide(state.hide.includes("all") ? PARTS : state.hide.filter(isPart));
  fill(at("wrt"), leaves, (i) => values[i].text);
  const choices = [...(samples.length > 1 ? [ALL] : []), ...samples.map((_, i) => i), OWN];
  fill(at("sample"), choices, (k) =>
    k === ALL
      ? say("all", { count: ALL })
      : k === OWN
        ? say("own")
        : say("number", { number: k + 1 })
  );
  at("language").lang = say("language tag") === "en" ? "zh-Hans" : "en";
  update();
}

on(window, "hashchange", () => {
  stop();
  seen = location.hash;
  readAddress();
  speak();
});
on(window, "resize", fit);
on(NARROW, "change", () => {
  build();
  update();
});

at("samples").hidden = !samples.length;
at("cards").hidden = !learn.length;
at("valley").hidden = !(learn.length === 1 || learn.length === 2);
readAddress();
build();
speak();
