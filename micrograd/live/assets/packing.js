"use strict";
// The text that `packing.py` packed: a tab or the end of a line, and digits, stand for what stood
// in it before.
function unpacked(text) {
  const digit = (i) => text.charCodeAt(i) - 35 - (text[i] > "<");
  const copy = (start, long) => found.slice(found.length - start, found.length - start + long);
  let found = "";
  for (let i = 0; i < text.length; i++) {
    const number = 91 * digit(i + 1) + digit(i + 2);
    if (text[i] === "\t") {
      found += copy(number, digit(i + 3) + 5);
      i += 3;
    } else if (text[i] === "\n") {
      found += copy(number >> 3, (number & 7) + 4);
      i += 2;
    } else found += text[i];
  }
  return found;
}
// The script of the page, which the policy knows by its hash.
const program = document.createElement("script");
program.textContent = unpacked(document.getElementById("story").textContent);
document.body.append(program);
