// The derivation of a gradient as on a blackboard, with numbers that follow.
const marks = values.map((value) => value.mark);
const MOST_LINES = 24;

const quotient = (above, below, d = "∂") => ["/", ["r", d, above], ["r", d, below]];
// Gradients have d on a board where ∂ would also mean a part of one: that along an arrow from the
// output, for a value from which there are other ways, too.
let whole_ = "∂";
const total = (value) => quotient(top_, value, whole_);
const isMixed = (value) => {
  const isArrow = edges.filter((edge) => edge.tail === value).map((edge) => edge.head === top_);
  return new Set(isArrow).size > 1;
};
const fenced = (mark) => ["(", "(", mark, ")"];
const math = (...parts) => {
  const made = element("math", element("mrow", ...parts));
  put(made, { display: "block" });
  return made;
};
const signs = (text) => formula(["mo", text], marks);

// A factor that belongs to an edge.
function factor(edge, mark) {
  const made = element("mrow", formula(mark, marks));
  made.dataset.edge = edge.id;
  const label = edge.group.getAttribute("aria-label");
  return put(made, { tabindex: 0, role: "group", "aria-label": label });
}

// The local derivative as a formula, at the branch that holds; its number if no formula applies.
// Beside the mark stands when it needs brackets: 1 for a sum, beside other factors; 2 for a product
// with a minus sign, after anything.
function slopeOf(edge, conditions) {
  let found = edge.slopes;
  const passed = [];
  while (found && !Array.isArray(found)) {
    const holds = Boolean(graph.formulas(v)[found.test]);
    passed.push(found.marks[holds ? 0 : 1]);
    found = holds ? found.then : found.else;
  }
  const [mark, f, loose] = found || [];
  if (!found || !same(numberOf(mark, f), edge.slope)) return number_(edge);
  for (const each of passed) conditions.set(JSON.stringify(each), each);
  return [mark, loose];
}

// What a formula gives: a name and a whole number need no function.
const numberOf = (mark, f) =>
  f !== undefined
    ? graph.formulas(v)[f]
    : typeof mark === "number"
      ? v[values[mark].node]
      : Number(mark);
const same = (a, b) =>
  Object.is(a, b) || a === b || Math.abs(a - b) <= 1e-9 * (1 + Math.abs(a) + Math.abs(b));
const number_ = (edge) => [figure(edge.slope), edge.slope < 0 ? 2 : 0];
const placed = ([mark, loose], isAlone, isFirst) =>
  (loose === 1 && !isAlone) || (loose === 2 && !isFirst) ? fenced(mark) : mark;

// A product over the segments; `write` gives the mark of an edge and when it needs brackets,
// `isShown` whether it is there.
function chain(found, write, isShown) {
  const times = (list) => list.flatMap((each, i) => (i ? [signs("·"), ...each] : each));
  const path = (way, isAlone, isFirst) => {
    const shown = way.filter(isShown);
    const factors = shown.length ? shown : way.slice(0, 1);
    return times(
      factors.map((edge, i) => {
        const mark = placed(write(edge), isAlone && factors.length < 2, isFirst && !i);
        return [factor(edge, mark)];
      })
    );
  };
  const shown = found.filter((paths) => paths.length > 1 || paths[0].some(isShown));
  const isAlone = shown.length < 2;
  return times(
    (shown.length ? shown : found.slice(0, 1)).map((paths, j) => {
      const isSum = paths.length > 1;
      const terms = paths.flatMap((way, i) => [
        ...(i ? [signs("+")] : []),
        ...path(way, isAlone || isSum, !i && (!j || isSum)),
      ]);
      return isSum && !isAlone ? [signs("("), ...terms, signs(")")] : terms;
    })
  );
}

// The pieces that a line can be broken into, before signs, and their places.
function piecesOf({ nodes }) {
  const pieces = [];
  for (const node of nodes) {
    const { left, right } = node.getBoundingClientRect();
    const isSign = /^[=≈·+]$/.test(node.textContent) && node.localName === "mo";
    if (isSign || !pieces.length) pieces.push({ nodes: [], left });
    const piece = pieces[pieces.length - 1];
    piece.nodes.push(node);
    piece.right = right;
  }
  return pieces;
}

// Breaks a line; what follows is indented.
function breakLine(line, pieces, room) {
  let last = line.parts[0],
    start = pieces[0].left;
  for (const { nodes, left, right } of pieces) {
    if (right - start > room && left > start) {
      const next = math(...nodes);
      next.classList.add("broken");
      last.after(next);
      line.parts.push(next);
      [last, start] = [next, left - 24];
    } else if (last !== line.parts[0]) last.firstChild.append(...nodes);
  }
}

// Gives nodes the texts of others; false if they differ in more than texts.
function follow(olds, news) {
  return (
    olds.length === news.length &&
    [...olds].every((old, i) => {
      const made = news[i];
      if (old.nodeName !== made.nodeName) return false;
      if (old.nodeType === Node.TEXT_NODE) {
        if (old.data !== made.data) old.data = made.data;
        return true;
      }
      if (old.dataset.edge !== made.dataset.edge) return false;
      if (old.dataset.edge) put(old, { "aria-label": made.getAttribute("aria-label") });
      return follow(old.childNodes, made.childNodes);
    })
  );
}

// Shows the lines of a derivation. Most differ from those before in numbers only, and new elements
// would take most of a frame's time; so would measuring each line after changing another.
let shown = [];
function showLines(lines) {
  const room = at("lines").clientWidth;
  const before = shown;
  shown = lines.map((line, i) => {
    const [old, nodes] = [before[i], [...line.firstChild.children]];
    if (old && old.room === room && follow(old.nodes, nodes)) return old;
    if (old) old.parts[0].before(line);
    else at("lines").append(line);
    return { parts: [line], nodes, room };
  });
  for (const old of before) if (!shown.includes(old)) for (const part of old.parts) part.remove();
  const long = shown.filter(({ parts }) =>
    parts.some((part) => part.getBoundingClientRect().width > room)
  );
  for (const { parts, nodes } of long) {
    parts[0].firstChild.append(...nodes);
    for (const part of parts.splice(1)) part.remove();
  }
  const pieces = long.map(piecesOf);
  long.forEach((line, i) => breakLine(line, pieces[i], room));
}

function board() {
  const way = wayTo(state.wrt),
    conditions = new Map();
  const result = gradients[state.wrt];
  const lines = [];
  const line = (...nodes) => {
    const made = math(...nodes);
    const isRepeated = lines.length && lines[lines.length - 1].textContent.endsWith(made.textContent);
    if (!isRepeated) lines.push(made);
  };
  const equals = (x) => signs(read(short(x)) === x || Number.isNaN(x) ? "=" : "≈");
  const whole = () => formula(total(state.wrt), marks);
  if (!isMean()) {
    // the functions of the graph read its numbers
    place(null, now);
    graph.forward(v);
  }
  const byName = (edge) => [quotient(edge.head, edge.tail), 0];
  const write = (edge) => (isMean() ? byName(edge) : slopeOf(edge, conditions));
  const isOne = (edge) => JSON.stringify(write(edge)[0]) === '"1"';
  const found = way.values.length ? segments(way) : [];
  whole_ = (found ? [state.wrt] : way.values).some(isMixed) ? ["mtext", "d"] : "∂";
  if (!way.values.length) {
    line(whole(), signs("="), formula(figure(result), marks));
  } else if (found) {
    const count = found.flat(2).length;
    const end = [equals(result), formula(figure(result), marks)];
    if (count > 1) line(whole(), signs("="), ...chain(found, byName, () => true));
    else line(whole(), ...(isMean() ? end : []));
    if (!isMean()) {
      line(signs("="), ...chain(found, write, (edge) => !isOne(edge)));
      const factors = found.flat(2).filter((edge) => !isOne(edge)); // one alone is the result
      if (factors.length > 1) line(signs("≈"), ...chain(found, number_, (edge) => !isOne(edge)));
    }
    const [mark, f] = (!isMean() && values[state.wrt].closed) || [];
    if (mark !== undefined && same(numberOf(mark, f), result))
      line(signs("="), formula(mark, marks));
    if (count > 1 || !isMean()) line(...end);
  } else {
    for (const value of way.values.slice(1)) {
      const uses = way.edges.filter((edge) => edge.tail === value).slice(0, MOST_PATHS);
      const terms = uses.flatMap((edge, i) => [
        ...(i ? [signs("+")] : []),
        ...(edge.head === top_
          ? [factor(edge, placed(write(edge), true, !i))]
          : isOne(edge)
            ? [factor(edge, total(edge.head))]
            : [
                formula(total(edge.head), marks),
                signs("·"),
                factor(edge, placed(write(edge), false, false)),
              ]),
      ]);
      if (way.edges.filter((edge) => edge.tail === value).length > uses.length)
        terms.push(signs("+"), signs("…"));
      const end = formula(figure(gradients[value]), marks);
      const text = terms.map((node) => node.textContent).join("");
      line(
        formula(total(value), marks),
        signs("="),
        ...terms,
        ...(text === end.textContent ? [] : [equals(gradients[value]), end])
      );
    }
    if (lines.length > MOST_LINES)
      lines.splice(MOST_LINES / 2, lines.length - MOST_LINES, math(signs("⋮")));
  }
  const focused = document.activeElement?.closest?.("#lines [data-edge]");
  const before = focused ? [...at("lines").querySelectorAll("[data-edge]")].indexOf(focused) : -1;
  showLines(lines);
  if (before >= 0) at("lines").querySelectorAll("[data-edge]")[before]?.focus();
  tell(conditions);
}

// The branches that the formulas above are for, and what the numbers are.
function tell(conditions) {
  const shown = [...conditions.values()].flatMap((mark, i) => [
    ...(i ? [say("comma")] : [" "]),
    inline(mark),
  ]);
  const parts = [];
  if (!wayTo(state.wrt).values.length && state.wrt !== top_) parts.push(say("no path"));
  if (isMean()) parts.push(say("mean", { count: samples.length }));
  if (shown.length) parts.push(say("branch"), ...shown);
  at("conditions").replaceChildren(...parts);
}

const inline = (mark) => element("math", formula(mark, marks));
