// Answers messages in a worker of a browser, so that the page stays responsive. The address of the
// worker ends in the names of the wheels: worker.mjs?first.whl&second.whl

import { loadPyodide } from "./pyodide/pyodide.mjs";
import { start } from "./session.mjs";

async function started() {
  const names = new URL(import.meta.url).search.slice(1).split("&");
  const content = names.map(async (name) => (await fetch(`wheels/${name}`)).arrayBuffer());
  const folder = new URL("pyodide/", import.meta.url).href;
  return start(loadPyodide, folder, await Promise.all(content));
}

const answer = started(); // without waiting: a message that came meanwhile would be lost
onmessage = async ({ data }) => postMessage(await (await answer)(data));
