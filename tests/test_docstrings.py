"""What the docstrings of public names must say: every parameter by name, and an example."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

from docs.site.reference import MODULES, exported, is_method, is_ours
from micrograd.ops import TABLE

_ENTRY = re.compile(r"^\*{0,2}(\w+)(?: \(.+?\))?:", re.MULTILINE)


def public():
    """Every public function and class, and the public methods of the classes, by name."""
    found = {}
    for name in MODULES:
        for thing in exported(import_module(name)).values():
            of_the_table = getattr(thing, "__name__", "") in TABLE  # its docstring is generated
            if not callable(thing) or not is_ours(thing) or of_the_table:
                continue
            found[f"{thing.__module__}.{thing.__qualname__}"] = thing
            if not inspect.isclass(thing):
                continue
            for method, function in inspect.getmembers(thing, is_method):
                if not method.startswith("_") and method not in TABLE and is_ours(function):
                    found[f"{function.__module__}.{function.__qualname__}"] = function
    return found


PUBLIC = public()


def parameters(thing):
    """The parameters that a caller gives."""
    try:
        signature = inspect.signature(thing)
    except ValueError:  # a class with a constructor in C
        return []
    return [name for name in signature.parameters if name not in ("self", "cls")]


def described(text):
    """The parameters that a docstring in Google's style names in its section `Args`."""
    section = re.search(r"^Args:\n((?:(?: +.*)?\n)+)", f"{text}\n", re.MULTILINE)
    return _ENTRY.findall(inspect.cleandoc(f"\n{section[1]}")) if section else []


def test_every_public_name_describes_its_parameters_in_their_order():
    wrong = {
        name: {"described": named, "taken": parameters(thing)}
        for name, thing in PUBLIC.items()
        if (named := described(inspect.getdoc(thing) or "")) != parameters(thing)
    }
    assert wrong == {}


def test_examples_stand_outside_of_the_sections():
    """An example indented below `Raises` would be shown as a list of exceptions."""
    texts = {name: inspect.getdoc(thing) or "" for name, thing in PUBLIC.items()}
    assert [name for name in texts if re.search(r"^ +>>> ", texts[name], re.MULTILINE)] == []


def test_every_public_function_and_class_has_an_example_that_runs():
    things = {name: thing for name, thing in PUBLIC.items() if "<locals>" not in name}
    assert [
        name
        for name, thing in things.items()
        if inspect.isclass(thing) or "." not in thing.__qualname__
        if ">>> " not in (inspect.getdoc(thing) or "")
    ] == []
