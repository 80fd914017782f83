"use strict";
// The data of the page, and its elements. Everything that a script writes, it writes as text:
// nothing is parsed as HTML.
const story = JSON.parse(document.getElementById("story").textContent);
const at = (id) => document.getElementById(id);
