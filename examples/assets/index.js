"use strict";
// The language stands in the address: #zh, or #zh-article-3. Without one, it is the reader's own.
const editions = [...document.querySelectorAll("main")];
const languages = editions.map((edition) => edition.id);
const pattern = new RegExp(`^#(${languages.join("|")})(?=-|$)`);

function chosen() {
  const found = location.hash.match(pattern);
  if (found) return found[1];
  const own = navigator.language.toLowerCase();
  return languages.find((language) => own.startsWith(language)) || languages[0];
}

function show() {
  const language = chosen();
  for (const edition of editions) {
    edition.hidden = edition.id !== language;
    if (edition.hidden) continue;
    document.documentElement.lang = edition.lang;
    document.title = edition.dataset.title;
  }
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName !== "MAIN") target.scrollIntoView();
}

// The part that is being read: the last heading above the upper third of the window.
function place(edition) {
  const above = [...edition.querySelectorAll("h2[id], h3[id]")].filter(
    (heading) => heading.getBoundingClientRect().top < innerHeight / 3);
  return above.length ? above[above.length - 1].id.slice(edition.id.length) : "";
}

for (const link of document.querySelectorAll(".switch a")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    location.hash = link.hash + place(link.closest("main"));
  });
}
addEventListener("hashchange", show);
show();
