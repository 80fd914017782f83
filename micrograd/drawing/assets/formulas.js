"use strict";
// Formulas as MathML. A mark is a list of a tag and its parts; a number or a sign is its text alone,
// and a name is its place in a list of marks. Everything is written as text, nothing as HTML.
const MATHML = "http://www.w3.org/1998/Math/MathML";

function element(tag, ...children) {
  const made = document.createElementNS(MATHML, tag);
  made.append(...children);
  if (/^[()[\]]$/.test(children)) // Chromium leaves gaps around brackets that may grow
    made.setAttribute("stretchy", false);
  return made;
}

const TAGS = { r: "mrow", i: "mi", "^": "msup", _: "msub", "/": "mfrac", "(": "fence", u: "func" };

function formula(mark, names) {
  const written = (part) => formula(part, names);
  if (typeof mark === "number") return written(names[mark]);
  if (typeof mark === "string") return written([/^\d/.test(mark) ? "mn" : "mo", mark]);
  const [brief, ...parts] = mark;
  const tag = TAGS[brief] || brief;
  switch (tag) {
    case "mi": case "mn":
      return element(tag, parts[0]);
    case "mtext": // MathML trims spaces
      return element(tag, parts[0].replace(/^ | $/g, "\u00a0"));
    case "mo":
      return element("mo", { "-": "\u2212", " ": "\u2009" }[parts[0]] || parts[0]);
    case "func":
      return element("mi", parts[0]);
    case "mover": {
      const over = element("mover", written(parts[0]), element("mo", parts[1]));
      over.setAttribute("accent", true);
      return over;
    }
    case "fence": {
      const row = element("mrow", element("mo", parts[0]), written(parts[1]), element("mo", parts[2]));
      if (row.querySelector("mfrac,msqrt,mtable"))
        for (const mark of row.children)
          mark.removeAttribute("stretchy");
      return row;
    }
    case "cases":
      return element("mrow", element("mo", "{"), element("mtable", ...parts.map(
        ([value, test]) => element("mtr",
          element("mtd", written(value), element("mo", ",")), element("mtd", written(test))))));
    default: {
      const gap = (part, i) => // as in ln σ(x)
        i && parts[i - 1][0] === "u" && Array.isArray(part) && part[0] !== "(";
      return element(
        tag,
        ...parts.flatMap((part, i) => {
          if (!gap(part, i)) return written(part);
          const room = element("mspace");
          room.setAttribute("width", "0.17em");
          return [room, written(part)];
        })
      );
    }
  }
}
