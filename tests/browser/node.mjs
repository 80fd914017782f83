// node node.mjs PYODIDE WHEEL …: answers each line of JSON on standard input with a line of JSON.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

import { start } from "./session.mjs";

const [, , folder, ...paths] = process.argv;
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const wheels = paths.map((path) => new Uint8Array(readFileSync(path)));
const answer = await start(loadPyodide, `${folder}/`, wheels);
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
