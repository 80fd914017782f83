// The page holds its script compressed, and its policy knows the script by its hash.
{
  const text = atob(document.getElementById("story").textContent);
  const bytes = inflated(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  const program = document.createElement("script");
  program.textContent = new TextDecoder().decode(bytes);
  document.body.append(program);
}
