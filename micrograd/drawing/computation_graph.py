"""`ComputationGraph`: a `graphviz.Digraph` that draws itself with any renderer there is.

Where there is none at all, SVG is the project's own, and PNG is that as resvg draws it. This is the
one place that imports `graphviz`, and therefore imported on use. Nothing global of that package is
changed, and only its public names are relied upon.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import graphviz  # type: ignore[import-untyped]

from micrograd import files
from micrograd.drawing import dot, formats, raster
from micrograd.drawing import renderer as renderers
from micrograd.drawing.picture import Picture
from micrograd.drawing.themes import Theme

LONGEST_SHOWN = 5_000
"""Lines of DOT text up to which a graph draws itself in a notebook (over 1,000 values)."""

_LONGEST_TEXT = 20_000  # characters of text that stand in for a picture

PathLike = str | os.PathLike[str]


class ComputationGraph(graphviz.Digraph):  # type: ignore[misc]
    """A drawing. All of `graphviz.Digraph` is there; see `micrograd.drawing.draw_dot`.

    `picture` is what is shown, in the colours of `theme`; `mermaid`, `tikz`, `json`, `tree` and
    `write` tell of it, and not of what is added to the DOT text afterwards. `timeout` limits the
    seconds that a renderer may take.
    """

    timeout: float = renderers.TIMEOUT
    picture: Picture = Picture([], [], [])
    theme: Theme = Theme()

    def copy(self) -> ComputationGraph:
        """A copy, which can be changed."""
        twin: ComputationGraph = super().copy()
        twin.picture, twin.theme = self.picture, self.theme
        return twin

    def mermaid(self) -> str:
        """The picture as a flowchart of Mermaid."""
        return formats.WRITERS["mermaid"](self.picture, self.theme)

    def tikz(self) -> str:
        """The picture as a LaTeX document for XeLaTeX, or pdfLaTeX if all letters are Latin."""
        return formats.WRITERS["tikz"](self.picture, self.theme)

    def json(self) -> str:
        """The picture as JSON; `micrograd.drawing.data` says what it contains."""
        return formats.WRITERS["json"](self.picture, self.theme)

    def tree(self) -> str:
        """The picture as text for a terminal, from each root down to its operands."""
        return formats.WRITERS["tree"](self.picture, self.theme)

    def write(self, path: PathLike) -> str:
        """Write the file in the format of its suffix, and return its path.

        .svg, .png, .pdf and .jpg are drawn as `pipe` draws them; .gv and .dot are DOT, .mmd
        Mermaid, .tex LaTeX, .json JSON and .txt the tree. The file is written as a whole or not at
        all. Raises ValueError for another suffix.
        """
        kind = formats.SUFFIXES[files.suffix(path, formats.SUFFIXES)]
        if kind in formats.DRAWN:
            return files.write(path, self.pipe(kind))
        return files.write(path, self.source if kind == "dot" else getattr(self, kind)())

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
        Without a renderer SVG and, if resvg is installed, PNG are drawn by simpler means, unless
        something was added to the DOT text.

        Raises ValueError for a format that Graphviz does not know, RenderingError if the renderer
        does not make a picture, and RendererNotFound if it is needed and there is none.
        """
        options = self._options(format, renderer, formatter, neato_no_op, engine)
        picture = self._drawn(options)
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
        files.write(result, self._drawn(options))
        if cleanup:
            os.remove(source)
        if view or quiet_view:
            graphviz.view(result, quiet=quiet_view)
        return result

    def save(
        self,
        filename: PathLike | None = None,
        directory: PathLike | None = None,
        *,
        skip_existing: bool | None = False,
    ) -> str:
        """Write the DOT text as a whole or not at all; the path of the file.

        The parameters are those of `graphviz.Digraph.save`.
        """
        if filename is not None:
            self.filename = os.fspath(filename)
        if directory is not None:
            self.directory = os.fspath(directory)
        path = str(self.filepath)
        if not (skip_existing and os.path.exists(path)):
            files.write(path, str(self.source).encode(self.encoding))
        return path

    def _drawn(self, options: list[str]) -> bytes:
        try:
            return self._rendered(options)
        except renderers.RendererNotFound as error:
            kind = options[1].removeprefix("-T").partition(":")[0].lower()
            is_ours = kind in ("svg", "png") and self._is_as_drawn(options)
            if renderers.is_chosen() or not is_ours:
                raise
            drawn = formats.WRITERS["svg"](self.picture, self.theme)
            if kind == "svg":
                return drawn.encode()
            return raster.png(drawn, raster.unknown_letter(drawn) or "a", error)

    def _is_as_drawn(self, options: list[str]) -> bool:
        """Whether the DOT text still says what the picture shows, and its layout is the usual."""
        usual = dot.attributes(self.picture, self.theme)
        return (
            options[0] == "-Kdot"
            and all(getattr(self, name) == usual[name] for name in usual)
            and self.body == dot.statements(self.picture, self.theme)
        )

    def _rendered(self, options: list[str]) -> bytes:
        kind = next(option[2:] for option in options if option.startswith("-T"))
        source = str(self.source)
        letter = raster.unknown_letter(source) if kind.lower() in _RASTER else ""
        if not letter or Path(renderers.find()).stem != "graphviz-pure":
            return renderers.run(source, options, self.timeout)
        if kind.lower() != "png":
            raise renderers.RenderingError(
                f"graphviz-pure has no font for {letter!r} in the format {kind!r}: "
                "use format='svg' or 'png'"
            )
        as_svg = ["-Tsvg" if option == f"-T{kind}" else option for option in options]
        return raster.png(renderers.run(source, as_svg, self.timeout).decode(), letter)

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
        """What a notebook shows: the picture, or why there is none and a tree.

        Never raises.
        """
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
            text = f"{error}\n\n{self.tree() if self.picture.boxes else self.source}"
            if len(text) > _LONGEST_TEXT:
                text = f"{text[:_LONGEST_TEXT]}\n… (the whole of it is in .source and .tree())"
            words = {"text/plain": text, "text/html": f"<pre>{html.escape(text)}</pre>"}
            return {kind: text for kind, text in words.items() if kind not in unwanted}


_PICTURES = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpeg"}
_RASTER = ("png", "jpg", "jpeg", "jpe")
