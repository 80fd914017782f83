// The ways from the output down to a value, for the chain rule.
const MOST_PATHS = 6;
const MOST_FACTORS = 9;

// All values between the output and a value, the output first, and the edges between them.
function wayTo(target) {
  const reached = new Set([target]);
  for (const step of steps) {
    if (step.value !== target && step.operands.some((operand) => reached.has(operand)))
      reached.add(step.value);
  }
  const needed = new Set([top_]),
    found = [],
    edgesFound = [];
  for (const step of [...steps].reverse()) {
    if (!needed.has(step.value) || !reached.has(step.value)) continue;
    if (step.value === target) continue;
    found.push(step.value);
    for (const edge of edges) {
      if (edge.head === step.value && reached.has(edge.tail)) {
        needed.add(edge.tail);
        edgesFound.push(edge);
      }
    }
  }
  return { values: found.length ? [...found, target] : [], edges: edgesFound };
}

// The paths between each two values that all paths pass; null if there are many.
function segments({ values: passed, edges: between }) {
  const place = new Map(passed.map((value, i) => [value, i]));
  const below = new Map(
    passed.map((value) => [value, between.filter((edge) => edge.head === value)])
  );
  const knots = [];
  let furthest = 0;
  passed.forEach((value, i) => {
    if (i === furthest) knots.push(value);
    for (const edge of below.get(value)) furthest = Math.max(furthest, place.get(edge.tail));
  });
  const found = [];
  for (let k = 0; k + 1 < knots.length; k++) {
    const paths = [],
      stack = [[knots[k], []]];
    while (stack.length) {
      const [value, path] = stack.pop();
      if (value === knots[k + 1]) paths.push(path);
      else
        stack.push(
          ...below
            .get(value)
            .map((edge) => [edge.tail, [...path, edge]])
            .reverse()
        );
      if (paths.length + stack.length > MOST_PATHS || path.length > MOST_FACTORS) return null;
    }
    found.push(paths);
  }
  return found.flat(2).length <= 2 * MOST_FACTORS ? found : null;
}
