"""`ComputationGraph`: a `graphviz.Digraph` that is drawn by any renderer, in any format.

The module `formats` lists them. Without a renderer, an SVG file is written by `svg`, and a PNG file
is drawn from it by resvg. Only this module imports `graphviz`, so it is imported on use. Nothing
global in that package is changed, and only its public names are used.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import graphviz  # type: ignore[import-untyped]

from micrograd import files
from micrograd.drawing import renderers, themes, tikz
from micrograd.drawing.formats import DRAWN, SUFFIXES, WRITERS
from micrograd.drawing.picture import Picture
from micrograd.drawing.svg_elements import accessible, letter_of
from micrograd.drawing.themes import Theme
from micrograd.drawing.typeset import typeset

LONGEST_SHOWN = 5_000
"""The most lines of DOT text that are drawn in a notebook unasked: over 1,000 values."""

_LONGEST_TEXT = 20_000  # characters of the text that replaces a picture

PathLike = str | os.PathLike[str]


class ComputationGraph(graphviz.Digraph):  # type: ignore[misc]
    """A drawing, as `micrograd.drawing.draw_dot` returns it: a `graphviz.Digraph`, and more.

    `picture` is what is shown, in the colours of `theme`. `mermaid`, `tikz`, `json`, `tree` and
    `write` use it, and ignore what was added to the DOT text afterwards; `drawn` are the statements
    without that. `timeout` is the number of seconds that a renderer may take.
    """

    timeout: float = renderers.TIMEOUT
    picture: Picture = Picture([], [], [])
    theme: Theme = Theme()
    drawn: Sequence[Any] = ()

    def copy(self) -> ComputationGraph:
        """Return a copy, which can be changed."""
        twin: ComputationGraph = super().copy()
        twin.picture, twin.theme, twin.drawn = self.picture, self.theme, self.drawn
        return twin

    def statements(self) -> list[Any]:
        """The lines of the DOT text, and the attributes of the graph, of nodes and of arrows."""
        attributes = self.graph_attr, self.node_attr, self.edge_attr
        return [[*self.body], *map(dict, attributes)]

    @property
    def title(self) -> str:
        """A short alternative text."""
        return self.picture.title

    @property
    def description(self) -> str:
        """What is seen in a compact picture, in words; "" for other pictures."""
        return self.picture.description

    def mermaid(self) -> str:
        """Return the picture as a flowchart of Mermaid."""
        return WRITERS["mermaid"](self.picture, self.theme)

    def tikz(self, *, standalone: bool | None = None) -> str:
        r"""Return the picture for LaTeX: XeLaTeX, or pdfLaTeX if all letters are Latin.

        Args:
            standalone: whether to return a whole document, rather than a snippet for `\input` in a
                document that loads the packages `tikz` and `xcolor`. By default, a compact picture
                is a snippet; other pictures cannot be snippets, and are documents.

        Raises:
            ValueError: if a snippet is asked for and the picture is not compact.
        """
        if standalone is False and not self.picture.width:
            raise ValueError('only level="named" has a snippet: draw_dot(…, level="named")')
        if standalone:
            return tikz.document(typeset(self.picture), self.theme)
        return WRITERS["tikz"](self.picture, self.theme)

    def json(self) -> str:
        """Return the picture as JSON; `micrograd.drawing.json_graph` describes the members."""
        return WRITERS["json"](self.picture, self.theme)

    def tree(self) -> str:
        """Return the picture as text for a terminal, from each root down to its operands."""
        return WRITERS["tree"](self.picture, self.theme)

    def write(self, path: PathLike, *, scale: float = 1.0) -> str:
        """Write a file in the format of its suffix, and return its path.

        The file is written completely or not at all.

        Args:
            path: the file. For the suffixes .svg, .png, .pdf and .jpg the picture is drawn as by
                `pipe`; .gv and .dot are DOT, .mmd Mermaid, .tex LaTeX, .json JSON and .txt the
                tree.
            scale: how many times as many pixels a PNG has in each direction, such as 2 for a sharp
                picture on a screen of high resolution.

        Raises:
            ValueError: if the suffix is another.
        """
        kind = SUFFIXES[files.suffix(path, SUFFIXES)]
        if kind in DRAWN:
            return files.write(path, self.pipe(kind, scale=scale))
        is_dot = kind == "dot"
        return files.write(path, self.source if is_dot else WRITERS[kind](self.picture, self.theme))

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
        scale: float = 1.0,
    ) -> bytes | str:
        """Return the picture.

        Without a renderer, SVG and, if resvg is installed, PNG are drawn by simpler means, unless
        something was added to the DOT text. The renderer's warnings are never shown.

        Args:
            format: the format, such as "svg", "png" or "pdf"; that of the graph by default.
            renderer: Graphviz's renderer of the output, such as "cairo".
            formatter: Graphviz's formatter of the output.
            neato_no_op: whether neato keeps the positions of nodes.
            quiet: accepted as in `graphviz.Digraph.pipe`; has no effect.
            engine: the layout engine; that of the graph by default.
            encoding: how to decode the picture, if it should be text.
            scale: how many times as many pixels a PNG or JPEG has in each direction.

        Returns:
            Bytes, or text if an encoding is given.

        Raises:
            ValueError: if Graphviz does not know the format, or the scale is not a number above 0.
            RenderingError: if the renderer does not make a picture; RendererNotFound if one is
                needed and none is installed.
        """
        options = self._options(format, renderer, formatter, neato_no_op, engine)
        picture = self._drawn(options, renderers.checked_scale(scale))
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
        """Write the DOT text and the picture to files, and return the path of the picture.

        Errors are those of `graphviz.Digraph.render` and of `pipe`. The DOT text is written even if
        there is no renderer.

        Args:
            filename: the file for the DOT text; the picture is `filename.svg`, for example.
            directory: the folder for both files.
            view: whether to open the picture in a program of the system.
            cleanup: whether to remove the DOT text when the picture has been written.
            format: the format, such as "svg", "png" or "pdf"; that of the graph by default.
            renderer: Graphviz's renderer of the output, such as "cairo".
            formatter: Graphviz's formatter of the output.
            neato_no_op: whether neato keeps the positions of nodes.
            quiet: accepted as in `graphviz.Digraph.render`; has no effect.
            quiet_view: whether to open the picture and ignore the messages of the viewer.
            outfile: the file for the picture, whose suffix gives the format.
            engine: the layout engine; that of the graph by default.
            raise_if_result_exists: whether to refuse to replace a picture.
            overwrite_source: whether the picture may replace the DOT text.
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
        """Write the DOT text completely or not at all, and return the path of the file.

        Args:
            filename: the file; the usual one of the graph by default.
            directory: the folder; that of the graph by default.
            skip_existing: whether to leave a file that exists as it is.
        """
        if filename is not None:
            self.filename = os.fspath(filename)
        if directory is not None:
            self.directory = os.fspath(directory)
        path = str(self.filepath)
        if not (skip_existing and os.path.exists(path)):
            files.write(path, str(self.source).encode(self.encoding))
        return path

    def _drawn(self, options: list[str], scale: float = 1.0) -> bytes:
        kind = options[1].removeprefix("-T").partition(":")[0].lower()
        kinds = ("svg", "png", "pdf") if self.picture.width else ("svg", "png")
        is_ours = kind in kinds and self._is_as_drawn(options)
        try:
            if is_ours and self.picture.width and self._is_best_without_graphviz(kind):
                return self._own(kind, scale)
            drawn = self._rendered(options, scale)
        except renderers.RendererNotFound as error:
            if not is_ours or renderers.is_chosen():
                raise
            return self._own(kind, scale, error)
        if kind != "svg":
            return drawn
        # The tooltips of arrows are the names of nodes.
        text = _ARROW_TITLE.sub(r"\1", drawn.decode())
        text = accessible(text, self.picture.title, self.picture.description)
        return themes.following(text, self.theme).encode()

    def _own(
        self, kind: str, scale: float, lacking: renderers.RenderingError | None = None
    ) -> bytes:
        """The project's own SVG, or what resvg or typst make of it; `lacking` is why."""
        drawn = WRITERS["svg"](self.picture, self.theme)
        if kind == "svg":
            return drawn.encode()
        convert = renderers.pdf if kind == "pdf" else renderers.png
        return convert(drawn, letter_of(drawn), lacking, scale)

    def _is_best_without_graphviz(self, kind: str) -> bool:
        """Whether a compact picture is drawn by resvg or typst even if there is a renderer.

        Graphviz's SVG has the same places, but its texts fall apart in other fonts, and
        graphviz-pure writes no PDF.
        """
        if kind == "png":
            return renderers.has_resvg()
        if kind == "pdf" and not renderers.has_typst():
            return Path(renderers.find()).stem == "graphviz-pure"
        return True

    def _is_as_drawn(self, options: list[str]) -> bool:
        """Whether nothing was added to the DOT text, and the layout is the usual one."""
        return options[0] == "-Kdot" and self.statements() == self.drawn

    def _rendered(self, options: list[str], scale: float = 1.0) -> bytes:
        kind = next(option[2:] for option in options if option.startswith("-T"))
        source = str(self.source)
        is_raster = kind.lower() in _RASTER
        letter = renderers.unknown_letter(source) if is_raster else ""
        if not letter or Path(renderers.find()).stem != "graphviz-pure":
            if is_raster and (scale != 1 or self.picture.width):
                resolution = _PIXELS if self.picture.width else _RESOLUTION
                options = [*options, f"-Gdpi={resolution * scale:g}"]
            return renderers.run(source, options, self.timeout)
        if kind.lower() != "png":
            raise renderers.RenderingError(
                f"graphviz-pure has no font for {letter!r} in the format {kind!r}: "
                "use format='svg' or 'png'"
            )
        as_svg = ["-Tsvg" if option == f"-T{kind}" else option for option in options]
        drawn = renderers.run(source, as_svg, self.timeout).decode()
        return renderers.png(drawn, letter, None, scale)

    def _options(
        self,
        format: str | None,  # noqa: A002
        renderer: str | None,
        formatter: str | None,
        neato_no_op: bool | int | None,
        engine: str | None,
    ) -> list[str]:
        """The command line for a renderer; ValueError for an unknown format or engine."""
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
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **_: Any
    ) -> dict[str, bytes | str]:
        """What a notebook shows: the picture, or a tree and why there is no picture.

        It never raises an exception.
        """
        usual = getattr(self, "_jupyter_mimetype", "image/svg+xml")  # graphviz.set_jupyter_format
        unwanted = set(exclude or ())
        chosen = {usual} if include is None else set(include)
        try:
            if len(self.body) > LONGEST_SHOWN:
                raise renderers.RenderingError(
                    f"a graph of {len(self.body):,} lines of DOT text is not drawn unasked: "
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
_ARROW_TITLE = re.compile(r'(<g id="[^"]*" class="edge[^"]*">\s*)<title>[^<]*</title>\s*')
_PIXELS, _RESOLUTION = 72.0, 96.0  # to an inch: a pixel for each point, and Graphviz's usual ones
