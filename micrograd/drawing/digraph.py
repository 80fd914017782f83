"""`ComputationGraph`: a `graphviz.Digraph` that draws itself with any renderer there is.

The one place that imports `graphviz`, and therefore imported on use. Nothing global of that package
is changed, and only its public names are relied upon.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import graphviz  # type: ignore[import-untyped]

from micrograd.drawing import renderer as renderers

LONGEST_SHOWN = 5_000
"""Lines of DOT text up to which a graph draws itself in a notebook (over 1,000 values)."""

_LONGEST_TEXT = 20_000  # characters of DOT text that stand in for a picture

PathLike = str | os.PathLike[str]


class ComputationGraph(graphviz.Digraph):  # type: ignore[misc]
    """A drawing. All of `graphviz.Digraph` is there; see `micrograd.drawing.draw_dot`.

    `timeout` limits the seconds that a renderer may take.
    """

    timeout: float = renderers.TIMEOUT

    def pipe(
        self,
        format: str | None = None,  # noqa: A002
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = False,
        *,
        engine: str | None = None,
        encoding: str | None = None,
    ) -> bytes | str:
        """The picture: bytes, or text if an `encoding` is given.

        The parameters are those of `graphviz.Digraph.pipe`; a renderer's warnings are never shown.
        Raises ValueError for a format that Graphviz does not know, RenderingError if the renderer
        does not make a picture, and RendererNotFound if there is none.
        """
        options = self._options(format, renderer, formatter, neato_no_op, engine)
        picture = renderers.run(self.source, options, self.timeout)
        return picture if encoding is None else picture.decode(encoding)

    def render(
        self,
        filename: PathLike | None = None,
        directory: PathLike | None = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,  # noqa: A002
        renderer: str | None = None,
        formatter: str | None = None,
        neato_no_op: bool | int | None = None,
        quiet: bool = False,
        quiet_view: bool = False,
        *,
        outfile: PathLike | None = None,
        engine: str | None = None,
        raise_if_result_exists: bool = False,
        overwrite_source: bool = False,
    ) -> str:
        """Write the DOT text to `filename` and the picture beside it; the path of the picture.

        The picture is `filename.svg`, or `outfile`, whose suffix then gives the format. `view`
        opens it; `cleanup` removes the DOT text, which otherwise stays even if there is no
        renderer. Parameters and errors are those of `graphviz.Digraph.render` and of `pipe`.
        """
        folder = self.directory if directory is None else directory
        if outfile is not None:
            inferred = Path(outfile).suffix[1:].lower()
            format = format or inferred or None  # noqa: A001
            filename = filename or Path(outfile).with_suffix(".gv")
        options = self._options(format, renderer, formatter, neato_no_op, engine)
        source = os.path.join(folder, filename or self.filename)
        if outfile is None:
            _, *kinds = options[1].removeprefix("-T").split(":")
            result = ".".join([source, *reversed(kinds), format or self.format])
        else:
            result = os.path.join(folder, outfile)
        if raise_if_result_exists and os.path.exists(result):
            raise graphviz.FileExistsError(f"output file exists: {result!r}")
        if os.path.abspath(result) == os.path.abspath(source) and not overwrite_source:
            raise ValueError(f"outfile {result!r} is also the file of the DOT text")
        self.save(filename, directory=directory)
        Path(result).write_bytes(renderers.run(self.source, options, self.timeout))
        if cleanup:
            os.remove(source)
        if view or quiet_view:
            graphviz.view(result, quiet=quiet_view)
        return result

    def _options(
        self,
        format: str | None,  # noqa: A002
        renderer: str | None,
        formatter: str | None,
        neato_no_op: bool | int | None,
        engine: str | None,
    ) -> list[str]:
        """The command line for a renderer; ValueError for a format or engine that is none."""
        format = format or self.format  # noqa: A001
        engine = engine or self.engine
        renderer = renderer or self.renderer
        formatter = formatter or self.formatter
        for kind, name, known in (
            ("format", format, graphviz.FORMATS),
            ("engine", engine, graphviz.ENGINES),
        ):
            if name.lower() not in known:
                raise ValueError(f"unknown {kind} {name!r}: use one of {', '.join(sorted(known))}")
        if formatter and not renderer:
            raise graphviz.RequiredArgumentError("formatter given without renderer")
        output = ":".join(filter(None, (format, renderer, formatter)))
        return [f"-K{engine}", f"-T{output}", *([f"-n{neato_no_op:d}"] if neato_no_op else [])]

    def _repr_mimebundle_(
        self,
        include: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        **_: Any,
    ) -> dict[str, bytes | str]:
        """What a notebook shows: the picture, or the DOT text and why. Never raises."""
        usual = getattr(self, "_jupyter_mimetype", "image/svg+xml")  # graphviz.set_jupyter_format
        unwanted = set(exclude or ())
        chosen = {usual} if include is None else set(include)
        try:
            if len(self.body) > LONGEST_SHOWN:
                raise renderers.RenderingError(
                    f"a graph of {len(self.body):,} lines of DOT text is not drawn by itself: "
                    "call .render(path), or draw a smaller part"
                )
            return {
                kind: self.pipe(name, encoding="utf-8" if name == "svg" else None)
                for kind, name in _PICTURES.items()
                if kind in chosen - unwanted
            }
        except Exception as error:
            words = self._in_words(str(error))
            return {kind: text for kind, text in words.items() if kind not in unwanted}

    def _in_words(self, hint: str) -> dict[str, bytes | str]:
        text = self.source
        if len(text) > _LONGEST_TEXT:
            text = f"{text[:_LONGEST_TEXT]}\n… (the whole of it is in .source)"
        return {
            "text/plain": f"{hint}\n\n{text}",
            "text/html": (
                f"<pre>{html.escape(hint)}</pre>"
                f"<details><summary>DOT</summary><pre>{html.escape(text)}</pre></details>"
            ),
        }


_PICTURES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpeg"}
