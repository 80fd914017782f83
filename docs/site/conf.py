"""The settings of Sphinx, for both languages; `docs/build.py` sets the language."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.search.en import SearchEnglish

sys.path.insert(0, str(Path(__file__).parents[2]))

from docs.site.code_links import linked
from docs.site.docstrings import marked, translated
from docs.site.keywords import cut
from docs.site.languages import OTHER, WORDS
from micrograd import __version__
from micrograd.writing.marks import MATH_STYLE

project = "micrograd-engine"
author = "micrograd-engine"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
myst_enable_extensions = ["deflist", "colon_fence", "attrs_inline"]
myst_heading_anchors = 4
default_role = "code"
root_doc = "index"
exclude_patterns = []

autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 80
napoleon_numpy_docstring = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
highlight_language = "python"

smartquotes_action = "qe"  # two hyphens are the beginning of an option: --lang

html_theme = "furo"
html_title = project
html_context = {"math_style": MATH_STYLE}
html_favicon = "static/icon.svg"
html_static_path = ["static", "../../examples/assets/frames.js"]
html_css_files = ["site.css"]
html_js_files = ["site.js", "frames.js"]
templates_path = ["templates"]
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/languages.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


class SearchChinese(SearchEnglish):
    """Search in Chinese text by pairs of neighbouring characters, in English text by words.

    Any phrase is found, without a dictionary: text and query are cut in the same way.
    """

    lang = "zh"
    language_name = "English"  # the stemmer that Sphinx gives to the page
    js_splitter_code = """
var splitQuery = (query) => {
  const found = [];
  for (const run of query.match(/[\\u4e00-\\u9fff]+|[\\p{L}\\p{N}_]+/gu) || [])
    for (const word of run.match(/[\\u4e00-\\u9fff]+|[^\\u4e00-\\u9fff]+/g))
      if (word.length > 2 && /[\\u4e00-\\u9fff]/.test(word))
        for (let i = 0; i + 1 < word.length; i++) found.push(word.slice(i, i + 2));
      else found.push(word);
  return found;
};
"""

    def split(self, text: str) -> list[str]:
        """The words of a text, as the function above cuts a query."""
        return cut(text)


def plain_docstring(
    app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Make a docstring valid reStructuredText: in it, single backquotes mark code."""
    is_example = False
    for i, line in enumerate(lines):
        is_example = line.lstrip().startswith(">>>") or (is_example and bool(line.strip()))
        if not is_example:
            lines[i] = marked(line)


def in_chinese(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Translate a docstring, as it is written in the source."""
    if app.config.language.startswith("zh"):
        lines[:] = translated(lines, name)


def with_dashes(app: Any, doctree: nodes.document) -> None:
    """Put a dash between a parameter and its description, where Sphinx has two hyphens."""
    for text in doctree.findall(nodes.Text):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(" – "))


def with_links(app: Any, pagename: str, *rest: Any) -> None:
    """Link the names of the interface in the examples of a page."""
    context = rest[1]
    if "body" in context:
        context["body"] = linked(context["body"], "../" * pagename.count("/"))


def in_both_languages(app: Any, pagename: str, *rest: Any) -> None:
    """Give templates the address of the same page in the other language."""
    context = rest[1]
    lang = app.config.language[:2]
    up = "../" * (pagename.count("/") + 1)
    context["other_language"] = WORDS[OTHER[lang]]["name"]
    context["other_tag"] = WORDS[OTHER[lang]]["tag"]
    context["other_page"] = f"{up}{OTHER[lang]}/{pagename}.html"


def setup(app: Any) -> dict[str, bool]:
    """Register the above."""
    app.add_search_language(SearchChinese)
    app.connect("autodoc-process-docstring", in_chinese, priority=100)  # before napoleon
    app.connect("autodoc-process-docstring", plain_docstring, priority=900)
    app.connect("doctree-read", with_dashes)
    app.connect("html-page-context", in_both_languages)
    app.connect("html-page-context", with_links)
    return {"parallel_read_safe": True}
