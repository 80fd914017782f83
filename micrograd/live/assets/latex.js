// The derivation that is shown, as LaTeX: written from the elements on the page.
const GREEK =
  "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma sigma tau upsilon phi chi psi omega";
const WRITTEN = {
  __proto__: null, // a letter may be called "constructor"
  "−": "-",
  "·": "\\cdot ",
  "∂": "\\partial ",
  "≈": "\\approx ",
  "≤": "\\le ",
  "≥": "\\ge ",
  "≠": "\\ne ",
  "∞": "\\infty ",
  "⋮": "\\vdots ",
  "…": "\\dots ",
  "×": "\\times ",
  "∑": "\\sum ",
  "′": "\\prime ",
  "{": "\\{",
  "}": "\\}",
  "[": "\\lbrack ", // a bracket after the end of a row would be a length
  "]": "\\rbrack ",
  "\u2009": "\\,",
};
GREEK.split(" ").forEach((name, i) => {
  WRITTEN[String.fromCharCode(945 + i)] = `\\${name} `;
  const capital = String.fromCharCode(913 + i); // those that look like Latin letters have no command
  if (/[ΓΔΘΛΞΠΣΥΦΨΩ]/.test(capital))
    WRITTEN[capital] = `\\${name[0].toUpperCase()}${name.slice(1)} `;
});
const ACCENTS = { "ˆ": "hat", "~": "tilde", "‾": "bar", "˙": "dot", "¨": "ddot" };
const asText = (text) =>
  text
    .replace(/[\\~^]/g, (sign) => `\\text${{ "\\": "backslash", "~": "asciitilde", "^": "asciicircum" }[sign]}\n`)
    .replace(/[#$%&_{}]/g, "\\$&")
    .replace(/\n/g, "{}");

const FUNCTIONS = /^(arc)?(sin|cos|tan)$|^(sin|cos|tan)h$|^(ln|log|exp|max|min)$/;
function inItalics(text) {
  if (FUNCTIONS.test(text)) return `\\${text} `;
  if (/^[a-z]$/i.test(text)) return text;
  return /^[a-z]+$/i.test(text) ? `\\operatorname{${text}}` : `\\text{${asText(text)}}`;
}

const base = (text) => (text.length > 1 ? `{${text}}` : text);

function latex(node) {
  const text = node.textContent;
  const parts = () => [...node.children].map(latex);
  const [first, second, third] = node.localName === "mrow" ? [] : parts();
  switch (node.localName) {
    case "mi":
      return WRITTEN[text] || inItalics(text);
    case "mn": case "mo":
      return [...text].map((sign) => WRITTEN[sign] || sign).join("");
    case "mtext":
      return `\\text{${asText(text)}}`;
    case "msup":
      return `${base(first)}^{${second}}`;
    case "msub":
      return `${base(first)}_{${second}}`;
    case "msubsup":
      return `${base(first)}_{${second}}^{${third}}`;
    case "mfrac":
      return `\\frac{${first}}{${second}}`;
    case "munderover":
      return `${first}_{${second}}^{${third}}`;
    case "mroot":
      return `\\sqrt[${second}]{${first}}`;
    case "msqrt":
      return `\\sqrt{${parts().join("")}}`;
    case "mover":
      return `\\${ACCENTS[node.lastChild.textContent]}{${first}}`;
    case "mtable":
      return `\\begin{array}{ll}${[...node.children].map((row) => [...row.children].map(latex).join("&")).join("\\\\")}\\end{array}`;
    default:
      return parts()
        .join("")
        .replace(/^\\\{(?=\\begin)(.*)$/, "\\left\\{$1\\right.");
  }
}

// All lines, aligned at their first sign of equality.
function written() {
  const lines = shown.map(({ nodes }) => {
    const equals = nodes.findIndex((node) => /^[=≈]$/.test(node.textContent));
    const line = nodes.map((node, i) => `${i === equals ? "&" : ""}${latex(node)}`).join("");
    return equals < 0 ? line : `${line} \\\\\n`; // a name alone stands before the next line
  });
  return `\\begin{aligned}\n${lines.join("").replace(/ \\\\\n$/, "")}\n\\end{aligned}`;
}
