"use strict";
// The page holds its script compressed, and its policy knows the script by its hash.
{
  const text = atob(document.getElementById("story").textContent);
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  new Response(unpacked).text().then((script) => {
    const program = document.createElement("script");
    program.textContent = script;
    document.body.append(program);
  });
}
