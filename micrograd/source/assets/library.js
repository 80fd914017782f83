// The powers of 2 from 0/16 to 15/16: the nearest number of each, and what is left
const ROOTS = [
  1.0, 0, 1.0442737824274138, 8.551889706e-17, 1.0905077326652577, -3.04678208e-17,
  1.1387886347566916, 8.912812676e-17, 1.189207115002721, 3.982015231e-17, 1.241857812073484,
  4.658027592e-17, 1.2968395546510096, 2.538250279e-17, 1.3542555469368927, 7.70094838e-17,
  1.4142135623730951, -9.667293313e-17, 1.4768261459394993, -3.483994557e-17, 1.5422108254079407,
  7.94983481e-17, 1.6104903319492543, 2.470719257e-17, 1.681792830507429, 8.199010021e-17,
  1.7562521603732995, 2.960140695e-17, 1.8340080864093424, 3.283107224e-17, 1.9152065613971474,
  -1.061994606e-16,
];
// e to the power x + y, divided by 2 to the power k: [high, low, k], with 63 bits after the point
function exponential(x, y) {
  const n = Math.round(x * 23.083120654223414);
  const j = n & 15;
  const power = ROOTS[2 * j];
  const a = x - n * 0.04332169878489367;
  const b = y - n * 1.0291218489310676e-13;
  const r = a + b;
  const near = r + 3145728 - 3145728; // and the product of the two leading parts is exact
  const head = power + 201326592 - 201326592;
  const series = 1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r / 40320))));
  const rest = r - near + (b - (r - a)) + r * r * (0.5 + r * series);
  const sum = power + head * near;
  const lost = head * near - (sum - power);
  const small = lost + (ROOTS[2 * j + 1] * (1 + r) + (power - head) * near + power * rest);
  const high = sum + small;
  return [high, small - (high - sum), (n - j) / 16];
}

// The exact product of x and y, as its nearest number and what is left
function product(x, y) {
  const p = x * y;
  const a = x * 134217729 - (x * 134217729 - x);
  const b = y * 134217729 - (y * 134217729 - y);
  return [p, a * b - p + a * (y - b) + (x - a) * b + (x - a) * (y - b)];
}

// The logarithm of a positive number as two numbers, with 63 bits after the point
function logarithm(x) {
  const found = Math.log(x);
  const [high, low, k] = exponential(found, 0);
  return [found, (x / 2 ** k - high - low) / high];
}

// Rounded only once, which the functions of Math are not
function exp(x) {
  if (!(Math.abs(x) < 708)) return Math.exp(x);
  const [high, , k] = exponential(x, 0);
  return high * 2 ** k;
}

function log(x) {
  if (!(x > 1e-300 && x < 1e300)) return Math.log(x);
  const [found, rest] = logarithm(x);
  return found + rest;
}

function pow(x, y) {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  const size = Math.abs(x);
  if (!(size > 1e-300 && size < 1e300 && Math.abs(y) < 1e17) || y === 0) return Math.pow(x, y);
  const [found, rest] = logarithm(size);
  const [p, lost] = product(found, y);
  if (!(Math.abs(p) < 708) || (x < 0 && y % 1 !== 0)) return Math.pow(x, y);
  const [high, , k] = exponential(p, lost + rest * y);
  return (x < 0 && y % 2 !== 0 ? -high : high) * 2 ** k;
}

function hypot(x, y) {
  const [a, b] = [Math.max(Math.abs(x), Math.abs(y)), Math.min(Math.abs(x), Math.abs(y))];
  if (b === 0 || !(a < Infinity)) return Math.hypot(x, y);
  if (a > 1e150 || a < 1e-120) {
    const unit = a > 1 ? 2 ** 600 : 2 ** -600;
    return hypot(a / unit, b / unit) * unit;
  }
  const root = Math.sqrt(a * a + b * b);
  const [[large, first], [small, second], [square, third]] = [a, b, root].map((z) => product(z, z));
  return root - (square - large - small + (third - first - second)) / (2 * root);
}
