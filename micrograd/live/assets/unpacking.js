"use strict";
// The script of the page, which the policy knows by its hash, is deflated, and written in base64.
const packed = atob(document.getElementById("story").textContent);
const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
const script = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
new Response(script).text().then((text) => {
  const program = document.createElement("script");
  program.textContent = text;
  document.body.append(program);
});
