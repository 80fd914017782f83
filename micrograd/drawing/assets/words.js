// The words of the page, in the language that the reader has chosen.
const languages = Object.keys(story.words);
let language = story.lang;

const say = (key, parts = {}) =>
  story.words[language][key].replace(/\{(\w+)\}/g, (_, name) => parts[name]);
const following = () => languages[(languages.indexOf(language) + 1) % languages.length];

// Elements name their words: data-say for their text, data-label for what is read aloud.
function label() {
  document.documentElement.lang = say("language tag");
  document.title = at("title").textContent = story.words[language].title;
  for (const each of document.querySelectorAll("[data-say]"))
    each.textContent = say(each.dataset.say);
  for (const each of document.querySelectorAll("[data-label]")) {
    each.setAttribute("aria-label", say(each.dataset.label));
    if (each.tagName === "BUTTON") each.title = say(each.dataset.label);
  }
  at("language").textContent = story.words[following()]["language name"];
}

// Hides parts of the page, and controls with their labels.
function hide(names) {
  for (const each of document.querySelectorAll(".gone")) each.classList.remove("gone");
  for (const name of names) {
    const part = at(`${name}-part`) || at(name);
    if (part) (part.closest("label") || part).classList.add("gone");
  }
}
const listed = (text) => (text || "").split(",").filter(Boolean);

// Fills a select with options; `text` says what each is called.
function fill(select, values, text = String) {
  const before = select.value;
  select.replaceChildren(
    ...values.map((value) => {
      const option = document.createElement("option");
      option.value = value;
      option.textContent = text(value);
      return option;
    }),
  );
  if (values.map(String).includes(before)) select.value = before;
}
