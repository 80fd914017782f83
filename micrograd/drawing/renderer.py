"""The program that turns DOT text into a picture: how it is found and run.

RuntimeError
 └ RenderingError        a renderer was found, but made no picture
    └ RendererNotFound   there is none
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

VARIABLE = "MICROGRAD_DOT"
TIMEOUT = 120.0

INSTALL_GRAPHVIZ = """\
  apt install graphviz                     (Debian, Ubuntu)
  brew install graphviz                    (macOS)
  choco install graphviz                   (Windows)"""
_INSTALL = f"""\
  pip install 'micrograd-engine[render]'   (a renderer from PyPI)
{INSTALL_GRAPHVIZ}"""
_WITHOUT = "Without one, SVG is drawn all the same, and PNG if the package resvg-py is installed."
_STILL = "The DOT text needs no renderer: it is .source, and .save(path) writes it to a file."


class RenderingError(RuntimeError):
    """The renderer made no picture; the message says why and what to do."""


class RendererNotFound(RenderingError):  # noqa: N818 (a name like graphviz's ExecutableNotFound)
    """There is no program that draws DOT text; the message says how to get one."""


def _not_found(reason: str) -> RendererNotFound:
    without = f"Without {VARIABLE}, whatever is installed is used." if is_chosen() else _WITHOUT
    return RendererNotFound(f"{reason}. Install one:\n{_INSTALL}\n{without}\n{_STILL}")


def is_chosen() -> bool:
    """Whether the user named a renderer, which is then used or is an error."""
    return bool(os.environ.get(VARIABLE))


def find() -> str:
    """The path of the renderer: `$MICROGRAD_DOT`, else `dot`, else `graphviz-pure`.

    `graphviz-pure` is also found in a virtual environment that was not activated. Raises
    RendererNotFound.
    """
    if chosen := os.environ.get(VARIABLE):
        if path := shutil.which(chosen):
            return path
        raise _not_found(f"{VARIABLE} is {chosen!r}, which is no program that can be run")
    if path := shutil.which("dot"):
        return path
    for folder in (sysconfig.get_path("scripts"), os.path.dirname(sys.executable or ""), None):
        if folder != "" and (path := shutil.which("graphviz-pure", path=folder)):
            return path
    raise _not_found("no Graphviz renderer found")


def run(source: str, options: list[str], timeout: float = TIMEOUT) -> bytes:
    """What the renderer makes of DOT text; its warnings are dropped.

    `options` are those of the command line, `-Tsvg` for instance. Raises RenderingError.
    """
    import subprocess

    program = find()
    name = Path(program).stem
    try:
        done = subprocess.run(  # noqa: S603 (the user's own program, and no shell)
            [program, *options],
            input=source.encode(),
            capture_output=True,
            timeout=timeout,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired:
        raise RenderingError(
            f"{name} was stopped after {timeout:g} seconds: draw a smaller part of the graph, "
            f"or set .timeout on it. {_STILL}"
        ) from None
    except OSError as error:  # also where there are no processes, as in a browser
        raise _not_found(f"{program} could not be run: {error}") from error
    if done.returncode == 0 and done.stdout:
        return done.stdout
    complaint = done.stderr.decode(errors="replace").strip()
    if "not recognized" in complaint:
        wanted = next(option[2:] for option in options if option.startswith("-T"))
        raise RenderingError(
            f"{name} cannot write the format {wanted!r}: use format='svg' or 'png', "
            f"or install Graphviz itself:\n{INSTALL_GRAPHVIZ}\n({complaint[:300]})"
        )
    raise RenderingError(
        f"{program} failed with exit code {done.returncode}: {complaint[-500:] or 'no output'}\n"
        f"To use another renderer, set {VARIABLE} to its path. {_STILL}"
    )
