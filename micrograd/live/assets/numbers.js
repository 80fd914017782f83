// Numbers as readers see them.

// Four digits, with a typographic minus sign.
function short(x) {
  if (Number.isNaN(x)) return "nan";
  if (!isFinite(x)) return x > 0 ? "∞" : "−∞";
  const size = Math.abs(x),
    isFar = size !== 0 && (size < 1e-3 || size >= 1e6);
  return (isFar ? x.toExponential(2) : String(Number(x.toPrecision(4))))
    .replace(/-/g, "−")
    .replace("e+", "e");
}

// All digits, as it can be typed.
const exact = (x) =>
  Object.is(x, -0) ? "-0" : String(x).replace("Infinity", "inf").replace("NaN", "nan");

// A number as a mark of a formula.
function figure(x) {
  const text = short(Math.abs(x));
  const [digits, exponent] = text.split("e");
  const mark =
    exponent === undefined
      ? ["mn", digits]
      : ["r", ["mn", digits], "·", ["^", ["mn", "10"], ["mn", exponent]]];
  return x < 0 ? ["r", "-", mark] : mark;
}

// The border of a slider: 1, 2 or 5 times a power of ten, with some room beyond the number.
function border(x) {
  const least = isFinite(x) ? Math.max(1, 1.6 * Math.abs(x)) : 1;
  const unit = 10 ** Math.floor(Math.log10(least));
  const times = [1, 2, 5, 10].find((each) => each * unit >= least) || 10;
  return Math.min(times * unit, 1e300);
}
