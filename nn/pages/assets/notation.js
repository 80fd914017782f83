// Names, numbers and equations of the network, as marks for `formula`.
function shortText(x) {
  if (!Number.isFinite(x)) return String(x).replace("Infinity", "∞").replace("-", "−");
  const size = Math.abs(x);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5)
      ? x.toExponential(2)
      : String(Number(x.toPrecision(4)));
  return text.replaceAll("-", "−");
}

// A number as a mark; a negative one in brackets where `isFactor`.
function num(x, { isFactor = false } = {}) {
  const text = shortText(Math.abs(x));
  const [digits, exponent] = text.replaceAll("−", "-").split("e");
  let mark = ["mn", digits];
  if (exponent) mark = ["r", mark, "×", ["^", "10", sign(Number(exponent))]];
  if (!(x < 0)) return mark;
  return isFactor ? ["(", "(", ["r", "-", mark], ")"] : ["r", "-", mark];
}
const factor = (x) => num(x, { isFactor: true });
const sign = (n) => (n < 0 ? ["r", "-", `${-n}`] : `${n}`);

const raised = (l) => ["mn", `(${l + 1})`];
const indexed = (letter, l, ...below) => {
  const wide = below.some((i) => i > 8);
  const index = below.flatMap((i, n) => (n && wide ? [",", `${i + 1}`] : [`${i + 1}`]));
  return ["msubsup", ["i", letter], index.length === 1 ? index[0] : ["r", ...index], raised(l)];
};
const single = (letter, i) => ["_", ["i", letter], `${i + 1}`];

// Names of the values of a network.
class Names {
  constructor(network, features) {
    this.network = network;
    this.features = features;
    this.last = network.layers.length - 1;
  }

  input(i) {
    return this.features[i].mark;
  }

  weight(l, j, i) {
    return indexed("w", l, j, i);
  }

  bias(l, j) {
    return indexed("b", l, j);
  }

  z(l, j) {
    return indexed("z", l, j);
  }

  output(j) {
    const hat = ["mover", ["i", "y"], "ˆ"];
    return this.network.outputs.length === 1 ? hat : ["_", hat, `${j + 1}`];
  }

  // The result of a neuron; of the network, if it is in the last layer.
  h(l, j) {
    if (l < 0) return this.input(j);
    return l === this.last ? this.output(j) : indexed("h", l, j);
  }

  delta(l, j) {
    return indexed("δ", l, j);
  }
}

const loss = ["i", "L"];
const byPartial = (of, by) => ["/", ["r", ["i", "∂"], of], ["r", ["i", "∂"], by]];

// The formula of an activation, or of its slope, for an input z and a result h.
function activationMark(name, which, z, h) {
  if (!name) return which ? ["mn", "1"] : z;
  return bracketed(story.formulas[name][which], [z, h]);
}

const isNegative = (mark) =>
  Array.isArray(mark) && mark[0] === "r" && mark[1] === "-" && mark.length === 3;

// Puts names or numbers into a formula. Negative numbers are put in brackets, but not twice.
function bracketed(mark, names, isInside = true) {
  if (typeof mark === "number") {
    return isNegative(names[mark]) && !isInside ? ["(", "(", names[mark], ")"] : names[mark];
  }
  if (!Array.isArray(mark)) return mark;
  if (typeof mark[0] !== "string") return mark.map((cell) => bracketed(cell, names)); // of cases
  return mark.map((part, i) =>
    i ? bracketed(part, names, mark[0] === "(" || (mark[0] === "^" && i === 2)) : part,
  );
}

// An equation that breaks into lines before its signs: `parts` are marks.
function equation(...parts) {
  const line = document.createElement("p");
  line.className = "equation";
  let leading = null;
  for (const part of parts.flatMap(breakable)) {
    if (typeof part === "string") {
      leading = part;
      continue;
    }
    const math = element("math");
    if (leading !== null) {
      const operator = formula(["mo", leading], []);
      operator.setAttribute("form", "infix");
      math.append(operator);
      leading = null;
    }
    math.append(formula(part, []));
    line.append(math);
  }
  return line;
}

// A sum in parts, between which an equation can break.
function breakable(mark) {
  if (!Array.isArray(mark) || mark[0] !== "r" || !mark.includes("+", 2)) return [mark];
  const found = [];
  let part = ["r"];
  for (const each of mark.slice(1)) {
    if (each === "+" && part.length > 1) {
      found.push(part, "+");
      part = ["r"];
    } else {
      part.push(each);
    }
  }
  return [...found, part];
}

// The parts of an equation in brackets, between which it can still break.
function inBrackets(parts) {
  const found = parts.slice();
  found[0] = ["r", ["mo", "("], found[0]];
  found[found.length - 1] = ["r", found[found.length - 1], ["mo", ")"]];
  return found;
}

// Terms joined by plus signs.
const plus = (terms) => terms.flatMap((term, i) => (i ? ["+", term] : [term]));
const times = (...factors) => ["r", ...factors.flatMap((each, i) => (i ? ["·", each] : [each]))];

// What a thing that has a name is called, such as the loss "mse"; else its name.
const called = (kind, name) => story.words[language][`${kind} ${name}`] || name;
