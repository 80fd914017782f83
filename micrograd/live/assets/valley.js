// The valley as terraces: for each level, the area where the output is higher. Its borders are lines
// of equal output, between whose points the output is taken as linear.
const LEVELS = 10;

// The paths of all terraces, from the lowest, over a grid of heights; each is drawn over those before.
function terraces(heights) {
  const count = heights.length - 1;
  const sorted = heights
    .flat()
    .filter(isFinite)
    .sort((a, b) => a - b);
  const borders = between(0, 1, LEVELS).map(
    (part) => sorted[Math.floor(part * (sorted.length - 1))]
  );
  const known = heights.map((line) => line.map((z) => (isFinite(z) ? z : Infinity)));
  const x = scale([0, count], [LEFT, RIGHT]);
  const y = scale([0, count], [TOP, BOTTOM]);
  const place = ([column, row]) => `${x(column).toFixed(1)},${y(row).toFixed(1)}`;
  const shape = ([left, top], [right, bottom]) =>
    `M${place([left, top])}H${x(right).toFixed(1)}V${y(bottom).toFixed(1)}H${x(left).toFixed(1)}z`;
  return [
    shape([0, 0], [count, count]),
    ...borders.slice(0, -1).map((border_) => {
      let path = "";
      for (let row = 0; row < count; row++) {
        const above = known[row].map((z, i) => (z > border_) + (known[row + 1][i] > border_));
        for (let start = 0, end = 1; start < count; start = end++) {
          while (above[start] === 2 && above[end] === 2 && end < count && above[end + 1] === 2) end++;
          if (above[start] === 2 && above[end] === 2) path += shape([start, row], [end, row + 1]);
          else if (above[start] || above[end]) path += part(known, row, start, border_, place);
        }
      }
      return path;
    }),
  ];
}

// The part of a cell that is higher than a border.
function part(known, row, column, border_, place) {
  const corners = [
    [column, row],
    [column + 1, row],
    [column + 1, row + 1],
    [column, row + 1],
  ];
  const points = corners.flatMap((here, i) => {
    const next = corners[(i + 1) % 4];
    const [a, b] = [here, next].map(([i_, j]) => known[j][i_]);
    const found = a > border_ ? [here] : [];
    if (a > border_ !== b > border_) {
      const share_ = Number.isFinite(a) && Number.isFinite(b) ? (border_ - a) / (b - a) : 0.5;
      found.push(here.map((from, k) => from + share_ * (next[k] - from)));
    }
    return found;
  });
  return points.length > 2 ? `M${points.map(place).join("L")}z` : "";
}
