// Opens the page in the other language at the same heading.
for (const link of document.querySelectorAll("a.language-switch"))
  link.addEventListener("click", () => {
    const headings = [...document.querySelectorAll("article section[id]")];
    const here = headings.filter((each) => each.getBoundingClientRect().top < innerHeight / 2).length;
    if (here > 1) link.href = `${link.href.split("#")[0]}#section-${here}`;
  });
addEventListener("DOMContentLoaded", () => {
  const asked = /^#section-(\d+)$/.exec(location.hash);
  if (asked) document.querySelectorAll("article section[id]")[asked[1] - 1]?.scrollIntoView();
});
