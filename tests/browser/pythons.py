"""A Python of Pyodide, which runs the wheel in Node or in Chromium."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import AbstractContextManager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
SECONDS = 600
"""How long the start or an answer may take; on a busy computer, a start has taken a minute."""


class Failed(Exception):
    """The code raised an error, or there was no answer."""


class Python(AbstractContextManager):
    """Runs code with the wheels; `folder` has the files of Pyodide."""

    def run(self, code):
        """The value of the last line, as JSON could write it."""
        return self._answered({"run": code})

    def load(self, package):
        """The names of the packages of Pyodide that were loaded."""
        return self._answered({"load": package})

    def _answered(self, question):
        answer = self.ask(question)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer.get("value")


class InNode(Python):
    def __init__(self, folder, wheels):
        self._process = subprocess.Popen(
            ["node", HERE / "node.mjs", folder, *wheels],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )

    def ask(self, question):
        limit = threading.Timer(SECONDS, self._process.kill)
        limit.start()
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            limit.cancel()
        if not answer:
            raise Failed("Node has ended")
        return json.loads(answer)

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()


class _Handler(SimpleHTTPRequestHandler):
    def guess_type(self, path):  # that of a module, which not every system knows
        return "text/javascript" if str(path).endswith("js") else super().guess_type(path)

    def log_message(self, *_):
        pass


class Server(AbstractContextManager):
    """Serves a folder to this computer; `address` ends in a slash."""

    def __init__(self, folder):
        handler = partial(_Handler, directory=str(folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


ASK = """([question, seconds]) => new Promise((resolve) => {
    const late = () => resolve({error: `no answer after ${seconds} s`});
    const timer = setTimeout(late, 1000 * seconds);
    const settle = (answer) => { clearTimeout(timer); resolve(answer); };
    worker.onmessage = ({data}) => settle(data);
    worker.onerror = (event) => settle({error: event.message || "the worker has ended"});
    worker.postMessage(question);
})"""


class InChromium(Python):
    """Runs code in a worker of a page of `browser`; `site` is an empty folder for what it loads."""

    def __init__(self, folder, wheels, browser, site):
        (site / "pyodide").symlink_to(folder, target_is_directory=True)
        (site / "wheels").mkdir()
        for path in (HERE / "session.mjs", HERE / "worker.mjs"):
            (site / path.name).symlink_to(path)
        for wheel in wheels:
            (site / "wheels" / wheel.name).symlink_to(wheel)
        (site / "index.html").write_text("<!DOCTYPE html><title>Python</title>")
        self._server = Server(site)
        self._page = browser.new_page()
        self._page.goto(self._server.address)
        script = "worker.mjs?" + "&".join(wheel.name for wheel in wheels)
        self._page.evaluate(
            "script => { window.worker = new Worker(script, {type: 'module'}); }", script
        )

    def ask(self, question):
        return self._page.evaluate(ASK, [question, SECONDS])

    def __exit__(self, *_):
        self._page.close()
        self._server.__exit__()
