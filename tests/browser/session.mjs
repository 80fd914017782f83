// One Python of Pyodide, for Node and for a worker of a browser: see pythons.py.

const TO_JS = { dict_converter: Object.fromEntries };

// The promise, or an error after some seconds: a network may never answer.
const within = (seconds, promise) =>
  Promise.race([
    promise,
    new Promise((_, reject) =>
      setTimeout(() => reject(new Error(`nothing after ${seconds} s`)), 1000 * seconds),
    ),
  ]);

// Start a Python from the files of `indexURL` and unpack wheels into it. The function that is
// returned answers {load: package} and {run: code}, the latter with the value of the last line.
export async function start(loadPyodide, indexURL, wheels) {
  const quiet = () => {};
  const python = await loadPyodide({ indexURL, stdout: quiet, stderr: quiet });
  for (const wheel of wheels) python.unpackArchive(wheel, "wheel");
  return async ({ load, run }) => {
    try {
      if (load) {
        const options = { messageCallback: quiet, errorCallback: quiet };
        const loaded = await within(30, python.loadPackage(load, options));
        return { value: loaded.map((each) => each.name) };
      }
      const found = await python.runPythonAsync(run);
      return { value: found?.toJs ? found.toJs(TO_JS) : found };
    } catch (error) {
      return { error: String(error) };
    }
  };
}
