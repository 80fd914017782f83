// What the network gets as its inputs: functions of the coordinates of a point. Each has its mark,
// its text in Python, and the text that is read aloud.
const coordinate = (i) => ["_", ["i", "x"], `${i + 1}`];
const squared = (mark) => ["^", mark, "2"];
const sine = (mark) => ["r", ["mtext", "sin "], mark];

const FEATURES = {
  classification: {
    x1: { of: ([a]) => a, mark: coordinate(0), python: "X[:, 0]", text: "x₁" },
    x2: { of: ([, b]) => b, mark: coordinate(1), python: "X[:, 1]", text: "x₂" },
    square1: {
      of: ([a]) => a * a,
      mark: squared(coordinate(0)),
      python: "X[:, 0] ** 2",
      text: "x₁²",
    },
    square2: {
      of: ([, b]) => b * b,
      mark: squared(coordinate(1)),
      python: "X[:, 1] ** 2",
      text: "x₂²",
    },
    product: {
      of: ([a, b]) => a * b,
      mark: ["r", coordinate(0), coordinate(1)],
      python: "X[:, 0] * X[:, 1]",
      text: "x₁x₂",
    },
    sine1: {
      of: ([a]) => Math.sin(3 * a),
      mark: sine(["r", "3", coordinate(0)]),
      python: "np.sin(3 * X[:, 0])",
      text: "sin 3x₁",
    },
    sine2: {
      of: ([, b]) => Math.sin(3 * b),
      mark: sine(["r", "3", coordinate(1)]),
      python: "np.sin(3 * X[:, 1])",
      text: "sin 3x₂",
    },
  },
  regression: {
    x: { of: ([a]) => a, mark: ["i", "x"], python: "X[:, 0]", text: "x" },
    square: { of: ([a]) => a * a, mark: squared(["i", "x"]), python: "X[:, 0] ** 2", text: "x²" },
    cube: {
      of: ([a]) => a * a * a,
      mark: ["^", ["i", "x"], "3"],
      python: "X[:, 0] ** 3",
      text: "x³",
    },
    sine: {
      of: ([a]) => Math.sin(3 * a),
      mark: sine(["r", "3", ["i", "x"]]),
      python: "np.sin(3 * X[:, 0])",
      text: "sin 3x",
    },
  },
};
FEATURES.surface = FEATURES.classification;
const PLAIN = { classification: ["x1", "x2"], regression: ["x"], surface: ["x1", "x2"] };

const isPlain = ({ kind, features }) => `${features}` === `${PLAIN[kind]}`;
const featuresOf = ({ kind, features }) => features.map((name) => FEATURES[kind][name]);

// The inputs of the network at a point.
const inputsAt = (point, settings) =>
  isPlain(settings) ? point : featuresOf(settings).map(({ of }) => of(point));
