"""Build a site with JupyterLite, in which the tour runs in the browser: `python -m docs.lite`.

Needs `pip install '.[lite]'`, in this folder. The site is a folder of files for any web server. The
browser fetches Pyodide and its packages from Pyodide's own server, unless `--pyodide` names a
folder: that of an archive with all packages, or that of the package of npm, which has no NumPy.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CONTENT = (ROOT / "examples" / "tour.ipynb",)
WHEELS = (str(ROOT), "graphviz>=0.20", "comm")  # the last is one that the kernel needs
KERNEL = ("ipython", "jedi", "micropip")  # packages of Pyodide that the kernel needs


def build(out: Path, pyodide: Path | None = None) -> None:
    """Write the site.

    Args:
        out: the folder of the site.
        pyodide: a folder with the files of Pyodide, which become part of the site.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        wheels = folder / "pypi"
        run(folder, "pip", "wheel", "-q", "--no-deps", "-w", str(wheels), *WHEELS)
        (folder / "content").mkdir()
        for path in CONTENT:
            shutil.copy(path, folder / "content")
        if pyodide is not None:
            complete(Path(shutil.copytree(pyodide, folder / "static" / "pyodide")))
        options = ["--lite-dir", str(folder), "--contents", str(folder / "content")]
        options += ["--output-dir", str(out.resolve()), "--no-sourcemaps"]
        run(folder, "jupyterlite_core", "build", *options)


def run(folder: Path, module: str, *arguments: str) -> None:
    """Run a module of this Python in a folder; what it prints is shown only if it fails."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(  # noqa: S603 (no shell)
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def complete(folder: Path) -> None:
    """Fetch the packages that the kernel needs and the folder lacks, from PyPI.

    They are pure Python. Pyodide checks packages against the checksums of its own builds, so these
    checksums are replaced too.
    """
    path = folder / "pyodide-lock.json"
    lock = json.loads(path.read_text(encoding="utf-8"))
    missing = [
        package
        for package in needed(lock["packages"], KERNEL)
        if not (folder / package["file_name"]).exists()
    ]
    if not missing:
        return
    version = ".".join(lock["info"]["python"].split(".")[:2])
    options = ["--no-deps", "--only-binary", ":all:", "--python-version", version]
    names = [f"{package['name']}=={package['version']}" for package in missing]
    run(folder, "pip", "download", "-q", *options, *names)
    for package in missing:
        content = (folder / package["file_name"]).read_bytes()
        package["sha256"] = hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(lock), encoding="utf-8")


def needed(packages: dict[str, Any], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The packages with these names, and those that they depend on."""
    found: dict[str, dict[str, Any]] = {}
    todo = list(names)
    while todo:
        name = todo.pop().lower().replace("_", "-")
        if name not in found:
            found[name] = packages[name]
            todo += packages[name]["depends"]
    return list(found.values())


def main() -> None:
    """Read the command line and build the site."""
    parser = argparse.ArgumentParser(description="Build a site with JupyterLite and the tour.")
    parser.add_argument("--out", type=Path, default=Path("site"), help="folder of the site")
    parser.add_argument("--pyodide", type=Path, help="folder with Pyodide, for use without network")
    options = parser.parse_args()
    if find_spec("jupyterlite_core") is None:
        raise SystemExit("JupyterLite is missing: pip install '.[lite]'")
    build(options.out, options.pyodide)
    print(f"To see it: python -m http.server --directory {options.out}")
    print("Then open http://localhost:8000/lab/index.html?path=tour.ipynb")


if __name__ == "__main__":
    main()
