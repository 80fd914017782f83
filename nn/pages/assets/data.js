// The data sets, which are those of `nn.datasets` for the same seed. Points are lists of inputs; a
// label is the number of a class or, for a curve, the number y.

function spaced(low, high, count, { open = false } = {}) {
  const step = (high - low) / (open ? count : count - 1);
  return Array.from({ length: count }, (_, i) =>
    i === count - 1 && !open && count > 1 ? high : low + (count > 1 ? i * step : 0),
  );
}

function shuffled(points, labels, random) {
  const order = random.permutation(points.length);
  return [order.map((i) => points[i]), order.map((i) => labels[i])];
}

function blurred(points, noise, random) {
  for (const point of points) for (const i of point.keys()) point[i] += random.normal(noise);
  return points;
}

const classesOf = (...sizes) => sizes.flatMap((size, k) => Array.from({ length: size }, () => k));

const halves = (count) => [Math.floor(count / 2), count - Math.floor(count / 2)];

// Where the centre of each blob is.
const centres = (classes) =>
  Array.from({ length: classes }, (_, k) => [
    Math.cos((2 * Math.PI * k) / classes),
    Math.sin((2 * Math.PI * k) / classes),
  ]);

const DATA = {
  moons: {
    noise: 0.15,
    draw({ samples, noise }, random) {
      const [outer, inner] = halves(samples);
      const points = [
        ...spaced(0, Math.PI, outer).map((a) => [Math.cos(a), Math.sin(a)]),
        ...spaced(0, Math.PI, inner).map((a) => [1 - Math.cos(a), 1 - Math.sin(a) - 0.5]),
      ];
      const [X, y] = shuffled(points, classesOf(outer, inner), random);
      return [blurred(X, noise, random), y];
    },
  },
  circles: {
    noise: 0.1,
    draw({ samples, noise }, random) {
      const [outer, inner] = halves(samples);
      const circle = (count, radius) =>
        spaced(0, 2 * Math.PI, count, { open: true }).map((a) => [
          Math.cos(a) * radius,
          Math.sin(a) * radius,
        ]);
      const points = [...circle(outer, 1), ...circle(inner, 0.5)];
      const [X, y] = shuffled(points, classesOf(outer, inner), random);
      return [blurred(X, noise, random), y];
    },
  },
  xor: {
    noise: 0.15,
    draw({ samples, noise }, random) {
      const corners = Array.from({ length: samples }, (_, i) => i % 4);
      const points = corners.map((c) => [Math.floor(c / 2), c % 2]);
      return [blurred(points, noise, random), corners.map((c) => Math.floor(c / 2) ^ (c % 2))];
    },
  },
  spiral: {
    noise: 0.1,
    classes: true,
    draw({ samples, noise, classes }, random) {
      const count = Math.floor(samples / classes);
      const radii = spaced(0, 1, count);
      const points = Array.from({ length: classes }, (_, k) => {
        const angles = spaced(4 * k, 4 * (k + 1), count).map((a) => a + noise * random.normal(1));
        return angles.map((a, i) => [radii[i] * Math.sin(2.5 * a), radii[i] * Math.cos(2.5 * a)]);
      });
      return [points.flat(), classesOf(...Array.from({ length: classes }, () => count))];
    },
  },
  blobs: {
    noise: 0.3,
    classes: true,
    draw({ samples, noise, classes }, random) {
      const sizes = Array.from(
        { length: classes },
        (_, k) => Math.floor(samples / classes) + (k < samples % classes ? 1 : 0),
      );
      const points = centres(classes).flatMap((middle, k) =>
        Array.from({ length: sizes[k] }, () => middle.map((x) => x + random.normal(noise))),
      );
      return shuffled(points, classesOf(...sizes), random);
    },
  },
};

// Curves: y as a function of x, and how Python writes it.
const CURVES = {
  line: { y: (x) => 2 * x, python: "2 * x" },
  sine: { y: (x) => Math.sin(3 * x), python: "np.sin(3 * x)" },
  parabola: { y: (x) => x * x, python: "x * x" },
  bend: { y: (x) => Math.abs(x), python: "abs(x)" },
};
for (const curve of Object.values(CURVES)) {
  curve.noise = 0.1;
  curve.draw = ({ samples, noise }, random) => {
    const x = spaced(-1, 1, samples);
    return [x.map((each) => [each]), x.map((each) => curve.y(each) + random.normal(noise))];
  };
}

// Surfaces: y as a function of two inputs, and how Python writes it.
const BUMPS = [-0.6, 0, 0.6].flatMap((a, i) => [
  [a, 0.4, i % 2 ? -1 : 1],
  [a, -0.4, i % 2 ? 1 : -1],
]);
const SURFACES = {
  plane: { y: ([a, b]) => (a + b) / 2, python: "(X[:, 0] + X[:, 1]) / 2" },
  gaussians: {
    y: ([a, b]) =>
      BUMPS.reduce((sum, [p, q, s]) => sum + s * Math.exp(-12 * ((a - p) ** 2 + (b - q) ** 2)), 0),
    python:
      `sum(s * np.exp(-12 * ((X[:, 0] - p) ** 2 + (X[:, 1] - q) ** 2)) for p, q, s in ` +
      `${JSON.stringify(BUMPS)})`,
  },
};
for (const surface of Object.values(SURFACES)) {
  surface.noise = 0.05;
  surface.draw = ({ samples, noise }, random) => {
    const X = Array.from({ length: samples }, () => [random.uniform(-1, 1), random.uniform(-1, 1)]);
    return [X, X.map((point) => surface.y(point) + random.normal(noise))];
  };
}

const SETS = { classification: DATA, regression: CURVES, surface: SURFACES };

// The places of the samples for training and for the test, as `train_test_split` draws them.
function split(count, share, seed) {
  const order = new NumPyRandom(seed).permutation(count);
  const test = share ? Math.min(Math.ceil(share * count), count - 1) : 0;
  if (!test) return { train: order.map((_, i) => i), test: [] };
  return { train: order.slice(test), test: order.slice(0, test) };
}
