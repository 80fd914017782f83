// The text that `packing.py` packed: a tab and three signs stand for what stood in it before.
function unpacked(text) {
  let found = "";
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\t") {
      const [far, rest, long] = [1, 2, 3].map((k) => text.charCodeAt(i + k) - 63);
      const start = found.length - 64 * far - rest;
      found += found.slice(start, start + long + 5);
      i += 3;
    } else found += text[i];
  }
  return found;
}
