"""The reference of the site: it describes all that is public, in both languages."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from operator import attrgetter

import pytest

import micrograd
from docs import build
from docs.site import (
    code_links,
    docstrings,
    reference,
)
from docs.site.languages import WORDS
from micrograd.engine.methods import Methods
from micrograd.ops import TABLE
from tests.test_docstrings import PUBLIC
from tests.test_readme import DOCUMENTS
from tests.test_site import ENGLISH, text_of


def described():
    """What the pages of the interface describe, as `module.name` of where it is defined."""
    for page in dict(reference.interface("en")).values():
        for full in re.findall(r":: (\S+)", page):
            module = max((m for m in reference.MODULES if full.startswith(f"{m}.")), key=len)
            thing = attrgetter(full[len(module) + 1 :])(import_module(module))
            yield f"{thing.__module__}.{thing.__qualname__}"


def test_the_reference_describes_every_public_name():
    page = dict(reference.interface("en"))["micrograd"]
    (line,) = re.findall(f"   {WORDS['en']['aliases']}.*", page)
    aliases = set(re.findall(r"``(\w+)``", line))
    assert {"arccos", "arctan2", "rint"} <= aliases
    under_other_names = Methods.__module__  # which has only those of NumPy and Python
    alone = {
        name
        for name, thing in PUBLIC.items()
        if "<locals>" not in name and thing.__module__ != under_other_names
    }
    assert alone <= set(described())
    assert aliases == {
        name
        for name in reference.methods(micrograd.Value)
        if getattr(micrograd.Value, name).__module__ == under_other_names
    }


def first_paragraphs():
    """Of everything in the reference, by name: modules, public names, and methods."""
    for module in reference.MODULES:
        yield module, import_module(module)
    for full in set(reference.homes().values()):
        module = max((m for m in reference.MODULES if full.startswith(f"{m}.")), key=len)
        thing = attrgetter(full[len(module) + 1 :])(import_module(module))
        yield full, thing
        for method in reference.methods(thing) if inspect.isclass(thing) else ():
            if not reference.is_alias(getattr(thing, method)):
                yield f"{full}.{method}", getattr(thing, method)


def texts_of(thing):
    """The texts of a docstring; of a module, only the first."""
    found = [p.text for p in docstrings.pieces((inspect.getdoc(thing) or "").split("\n")) if p.text]
    return found[:1] if inspect.ismodule(thing) else found


def test_every_docstring_of_the_reference_is_in_chinese_too():
    """What is new, or was reworded, has no translation yet, and what is gone has none left."""
    texts = {name: texts_of(thing) for name, thing in first_paragraphs()}
    of_rows = {name for name in texts if name.rpartition(".")[2] in TABLE}
    assert all(re.match(r"\w+\([xyz, ]+\)[. ]", texts[name][0]) for name in of_rows)
    english = {text for name, found in texts.items() if name not in of_rows for text in found}
    said = {text: docstrings.chinese(text) for text in english}
    assert {text for text, chinese in said.items() if not chinese} == set()
    assert set(docstrings.TEXTS) <= english
    assert all(re.search("[\u4e00-\u9fff]|^Karpathy|arXiv", text) for text in said.values())


def test_a_docstring_is_cut_into_pieces_whose_lines_are_all_of_it():
    for name, thing in first_paragraphs():
        lines = (inspect.getdoc(thing) or "").split("\n")
        found = list(docstrings.pieces(lines))
        assert [line for piece in found for line in piece.lines] == lines, name
        for piece in found:
            if piece.text:
                words = " ".join(line.strip() for line in piece.lines)
                assert f"{piece.head}{piece.text}".strip() == words, name


def test_a_result_is_not_taken_for_a_type():
    """In the section Returns, what stands before a colon in the first line would be a type."""
    for name, thing in first_paragraphs():
        for found in re.findall(r"\n(?:Returns|Yields):\n +(.*)", inspect.getdoc(thing) or ""):
            for line in (found, docstrings.chinese(found)):
                assert ":" not in re.sub("`[^`]*`|https://", "", line), name


def test_the_parameters_of_a_function_are_in_chinese():
    text = "\n".join(
        docstrings.translated(inspect.getdoc(micrograd.jvp).split("\n"), "micrograd.jvp")
    )
    assert "\n    f: 以数，或由数组成的嵌套列表" in text
    assert "\nReturns:\n    `f(*primals)` 的值，以及它沿切向量方向的导数" in text
    assert "\n    ValueError: 切向量的结构与参数不同。\n" in text
    examples = [line for line in inspect.getdoc(micrograd.jvp).split("\n") if ">>>" in line]
    assert examples
    assert all(line in text for line in examples)


def test_the_docstring_of_an_operation_is_in_chinese():
    lines = inspect.getdoc(micrograd.abs).split("\n")
    assert docstrings.translated(lines, "micrograd.abs") == [
        "abs(x).",
        "",
        "局部导数（out 指结果）：d/dx: sign(x)。",
        "",
        "在 0 处的导数取 0。",
    ]


def test_a_translation_of_a_docstring_keeps_its_code_and_punctuation():
    for english, chinese in docstrings.TEXTS.items():
        assert set(re.findall("`[^`]+`", english)) == set(re.findall("`[^`]+`", chinese)), english
        assert chinese[-1] == {".": "。", ":": "："}[english[-1]], english
        plain = re.sub("`[^`]+`", "", chinese)
        assert not re.search("[\u4e00-\u9fff] ?[,;:?!]|[,;:?!][\u4e00-\u9fff]", plain), chinese


def test_a_text_is_translated_in_one_place():
    tables = [
        docstrings.zh_summaries.SUMMARIES,
        *(
            vars(docstrings)[name].DETAILS
            for name in dir(docstrings)
            if "zh_" in name[:3] and "summ" not in name
        ),
    ]
    assert sum(map(len, tables)) == len(docstrings.TEXTS)


def test_the_page_of_a_module_begins_with_a_table_of_its_names():
    page = dict(reference.interface("zh"))["micrograd"]
    table, _, rest = page.partition(".. autoclass::")
    assert (
        "   * - :py:obj:`grad <micrograd.grad>`\n     - 返回一个函数，计算 ``f`` 的梯度。\n"
        in table
    )
    assert ":py:obj:`tanh <micrograd.tanh>`" in table.splitlines()[-2]
    assert "also" not in table
    assert ":: micrograd.grad\n" in rest


def test_the_names_in_an_example_lead_to_the_reference():
    code = '<div class="highlight"><pre>{}</pre></div>'
    names = '<span class="n">Value</span> <span class="n">x</span>'
    first = code.format(f"&gt;&gt;&gt; from micrograd import (Value,\n... draw)\n{names}")
    page = code_links.linked(
        f"{code.format(names)}<p>{names}</p>{first}{code.format(names)}", "../"
    )
    link = (
        '<a class="api" href="../reference/micrograd.html#micrograd.Value">'
        '<span class="n">Value</span></a> <span class="n">x</span>'
    )
    assert page == f"{code.format(names)}<p>{names}</p>{first.replace(names, link)}" + code.format(
        link
    )


OTHERS = {  # what pages import beside the interface: Karpathy's addresses, and parts of the design
    *("micrograd.engine", "micrograd.nn", "micrograd.ops", "micrograd.writing"),
}


def test_the_reference_has_every_module_that_documents_import_from():
    texts = [text_of(path) for path in (*ENGLISH.values(), *map(build.ROOT.joinpath, DOCUMENTS))]
    named = set(re.findall(r"from ((?:micrograd|nn)[\w.]*) import", "".join(texts)))
    assert len(named) > 10
    assert named <= {*reference.MODULES, *OTHERS}


@pytest.mark.slow
def test_the_reference_has_every_command_and_every_rule():
    from micrograd.commands.main import COMMANDS
    from micrograd.derivation import rule_cards

    for lang in WORDS:
        assert reference.commands(lang).count("\nmicrograd ") == len(COMMANDS)
        assert reference.cards(lang).count('class="card"') == len(rule_cards(lang))


def test_the_reference_has_every_variable_error_and_format():
    from micrograd.anomaly import AnomalyError
    from micrograd.drawing.formats import SUFFIXES

    sources = [path for folder in ("micrograd", "nn", "tests") for path in files(folder)]
    variables = {v for path in sources for v in re.findall(r"\bMICROGRAD_[A-Z_]+", text_of(path))}
    errors = {each.__name__ for each in (AnomalyError, *PUBLIC.values()) if is_error(each)}
    for name, words in (("environment", variables), ("errors", errors), ("files", SUFFIXES)):
        assert len(words) > 2
        assert {
            word for word in words if word not in text_of(ENGLISH[f"reference/{name}"])
        } == set()


def files(folder):
    return (build.ROOT / folder).rglob("*.py")


def is_error(thing):
    return inspect.isclass(thing) and issubclass(thing, Exception)
