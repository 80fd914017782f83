// Colours, and pictures of the plane in canvases.
const palette = {};

function rgb(color) {
  const found = color.trim().replace("#", "");
  return [0, 2, 4].map((i) => parseInt(found.slice(i, i + 2), 16));
}

function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  palette.classes = Array.from({ length: MOST.classes }, (_, k) => color(`class-${k}`));
  palette.paper = color("paper");
  palette.ink = color("ink");
  palette.faint = color("faint");
  palette.line = color("group-line");
  palette.curve = color("accent");
  palette.shades = palette.classes.map((each) => shades(rgb(palette.paper), rgb(each)));
}

// 256 colours from the paper to a colour that is not too loud.
function shades(paper, color) {
  return Array.from({ length: 256 }, (_, i) => {
    const share = (i / 255) * 0.55;
    const [r, g, b] = paper.map((part, k) => Math.round(part + (color[k] - part) * share));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}

const signed = (x) => {
  const strength = Math.min(255, Math.round(Math.abs(x) * 255)) || 0;
  return palette.shades[x > 0 ? 1 : 0][strength];
};

// The colour of a mark for a number from -1 to 1, which stands out from the same number's area.
function shaded(x) {
  const [from, to] = [palette.paper, palette.classes[x > 0 ? 1 : 0]].map(rgb);
  return `rgb(${from.map((part, k) => Math.round(part + (to[k] - part) * Math.abs(x))).join(" ")})`;
}

// Fills a square canvas of `size` pixels a side with colours; `color(k)` is that of point k.
function paint(canvas, size, color) {
  if (canvas.width !== size || canvas.height !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  if (!canvas.image || canvas.image.width !== size) {
    canvas.image = context.createImageData(size, size);
    canvas.pixels = new Int32Array(canvas.image.data.buffer);
  }
  for (let k = 0; k < size * size; k++) canvas.pixels[k] = color(k);
  context.putImageData(canvas.image, 0, 0);
}

// A canvas with the resolution of the screen; returns its context, and its size in units of CSS.
function cleared(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// The points of a square grid: an array for each coordinate, row by row from the top.
function grid(x, y, size) {
  const across = new Float64Array(size * size);
  const up = new Float64Array(size * size);
  for (let row = 0, k = 0; row < size; row++) {
    for (let column = 0; column < size; column++, k++) {
      across[k] = x.low + ((column + 0.5) / size) * (x.high - x.low);
      up[k] = y.high - ((row + 0.5) / size) * (y.high - y.low);
    }
  }
  return [across, up];
}

// Marks of the classes, which differ in shape too.
function drawMark(context, shape, x, y, radius) {
  context.beginPath();
  if (shape === 0) {
    context.arc(x, y, radius, 0, 2 * Math.PI);
  } else {
    const [corners, turn] = [[], [4, Math.PI / 4], [3, -Math.PI / 2], [4, 0], [5, -Math.PI / 2]][
      shape
    ];
    const r = radius * (corners === 3 ? 1.35 : 1.2);
    for (let i = 0; i < corners; i++) {
      const angle = turn + (2 * Math.PI * i) / corners;
      context.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
    }
    context.closePath();
  }
}

// Curves over the epochs of a history: `curves` are keys of its entries, each with a colour.
function drawCurves(canvas, history, curves, { low = 0, high = null } = {}) {
  const { context, width, height } = cleared(canvas);
  const keys = curves.map(({ key }) => key);
  const top = high === null ? extreme(Math.max, history, keys, 1e-9) * 1.05 : high;
  const last = Math.max(history[history.length - 1].epoch, 1);
  const [left, right, floor, ceiling] = [2, width - 4, height - 3, 4];
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
  for (const { key, color, dash = [] } of curves) {
    context.beginPath();
    for (const each of history) {
      if (Number.isFinite(each[key])) {
        context.lineTo(
          left + (each.epoch / last) * (right - left),
          floor - ((each[key] - low) / (top - low)) * (floor - ceiling),
        );
      }
    }
    context.setLineDash(dash);
    context.strokeStyle = color;
    context.lineWidth = 1.8;
    context.stroke();
  }
  context.setLineDash([]);
}

// The largest or smallest of a number and the finite ones of a history.
function extreme(of, history, keys, found) {
  for (const each of history)
    for (const key of keys) if (Number.isFinite(each[key])) found = of(found, each[key]);
  return found;
}
