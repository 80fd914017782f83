"""The house: who may import whom, what is exported, and how light it is to enter."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import micrograd
import micrograd.nn
import nn
from micrograd.engine import functions, stubs
from micrograd.ops import ROWS, TABLE

ROOT = Path(__file__).parent.parent

# Each room may import those above it. A folder is one room.
ROOMS = (
    "micrograd.files",
    "micrograd.locks",
    "micrograd.table",
    "micrograd.ops",
    "micrograd.source",
    "micrograd.writing",
    "micrograd.engine",
    "micrograd.transforms",
    "micrograd.anomaly",
    "micrograd.compiler",
    "micrograd.derivation",
    "micrograd.export",
    "micrograd.drawing",
    "micrograd.live",
    "micrograd",
    "nn.options",
    "nn.storage",
    "nn.datasets",
    "nn.initializers",
    "nn.module",
    "nn.layers",
    "nn.functional",
    "nn.models",
    "nn.losses",
    "nn.optimizers",
    "nn.schedules",
    "nn.samples",
    "nn.classification",
    "nn.metrics",
    "nn.objective",
    "nn.prediction",
    "nn.onnx",
    "nn.derivations",
    "nn.pages",
    "nn.plots",
    "nn.history",
    "nn.callbacks",
    "nn.progress",
    "nn.requests",
    "nn.loop",
    "nn.training",
    "nn.sklearn",
    "nn.cells",
    "nn.tables",
    "nn.columns",
    "nn",
    "micrograd.testing",
    "micrograd.nn",
    "micrograd.commands",
    "micrograd.__main__",
)
# The same for the rooms of the compiler.
COMPILER = (
    *("program", "tracing", "loops", "planning", "executor", "numpy", "reference", "stopping"),
    *("native", "jax", "sources", "calling"),
)
# Third-party libraries stay at the rim.
GUESTS = {
    "numpy": {
        *("micrograd.engine", "micrograd.transforms", "micrograd.compiler"),
        *("nn.storage", "nn.datasets"),
        *("nn.samples", "nn.metrics", "nn.objective", "nn.prediction", "nn.plots", "nn.training"),
        *("nn.pages", "nn.onnx"),
        *("nn.optimizers", "nn.requests", "nn.sklearn", "nn.columns", "nn.classification"),
        *("nn.loop", "micrograd.commands", "micrograd.testing"),
    },
    "scipy": {"micrograd.compiler", "nn.optimizers", "nn.sklearn"},
    "sklearn": {"nn.datasets", "nn.sklearn"},
    "tqdm": {"nn.progress"},
    "onnx": {"nn.onnx"},
    "shtab": {"micrograd.commands"},
    "matplotlib": {"nn.plots"},
    "PIL": {"nn.plots", "micrograd.drawing"},
    "jax": {"micrograd.compiler"},
    "llvmlite": {"micrograd.compiler"},
    "graphviz": {"micrograd.drawing"},
    "resvg_py": {"micrograd.drawing"},
    "typst": {"micrograd.drawing"},
    "hypothesis": {"micrograd.testing"},
    # For type checkers, which bring it.
    "typing_extensions": {"micrograd.transforms", "micrograd.compiler"},
}

LIGHT = (
    "numpy scipy graphviz llvmlite numba jax hypothesis matplotlib torch tqdm sklearn PIL onnx "
    "typing_extensions"
).split()


@cache
def modules() -> dict[str, Path]:
    files = [path for package in ("micrograd", "nn") for path in (ROOT / package).rglob("*.py")]
    names = {}
    for path in sorted(files):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


@cache
def imports(path: Path) -> set[str]:
    """The modules that a file imports; `from a import b` may mean the module a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & modules().keys()
            found |= inner or {str(node.module)}
    return found


def room(module: str) -> str:
    matching = [name for name in ROOMS if module == name or module.startswith(f"{name}.")]
    return max(matching, key=len)


def test_a_room_imports_only_rooms_above_it():
    wrong = [
        f"{module} imports {imported}"
        for module, path in modules().items()
        for imported in imports(path)
        if imported.split(".")[0] in ("micrograd", "nn") and room(imported) != room(module)
        if ROOMS.index(room(imported)) >= ROOMS.index(room(module))
    ]
    assert wrong == []


def test_a_room_of_the_compiler_imports_only_rooms_above_it():
    def inner(module: str) -> int:
        return COMPILER.index(module.split(".")[2])

    wrong = [
        f"{module} imports {imported}"
        for module, path in modules().items()
        if module.startswith("micrograd.compiler.")
        for imported in imports(path)
        if imported.startswith("micrograd.compiler.") and inner(imported) > inner(module)
    ]
    assert wrong == []
    found = {path.stem for path in (ROOT / "micrograd" / "compiler").iterdir()}
    assert {name for name in found if not name.startswith("_")} == {*COMPILER}


def test_every_module_has_a_room():
    assert {room(module) for module in modules()} == set(ROOMS)
    unplaced = [m for m in modules() if m.count(".") == 1 and m not in ROOMS]
    assert not unplaced


def test_third_party_libraries_are_imported_only_at_the_rim():
    wrong = [
        f"{module} imports {name}"
        for module, path in modules().items()
        for name in {imported.split(".")[0] for imported in imports(path)}
        if name not in sys.stdlib_module_names and name not in ("micrograd", "nn")
        if room(module) not in GUESTS.get(name, ())
    ]
    assert wrong == []


@pytest.mark.parametrize("module", ["micrograd", "nn", "micrograd.nn", "micrograd.engine"])
def test_importing_is_light(module):
    code = (
        f"import sys, json, {module}; print(json.dumps([m for m in {LIGHT} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


@pytest.mark.slow
def test_all_of_nn_is_there_without_scikit_learn():
    code = "import sys; sys.modules['sklearn'] = None; from nn import *; print(fit.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "fit"


def test_importing_micrograd_does_not_import_the_neural_networks():
    code = "import sys, micrograd; print('nn' in sys.modules or 'micrograd.nn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_there_is_one_public_function_per_row_of_the_table():
    for row in ROWS:
        assert callable(getattr(micrograd, row.name))
    assert set(functions.__all__) == {"define", *(row.name for row in ROWS)}


def test_the_public_names_are_exported_and_exist():
    promised = {"Value", "define", "exp", "log", "tanh", "relu", "where", "maximum", "draw_dot"}
    promised |= {"explain", "step_page", "detect_anomaly", "grad", "derivative", "compile"}
    assert promised <= set(micrograd.__all__)
    for package in (micrograd, nn, micrograd.nn):
        assert all(hasattr(package, name) for name in package.__all__)
        assert len(set(package.__all__)) == len(package.__all__)


def test_karpathys_address_gives_the_same_classes():
    assert all(getattr(micrograd.nn, name) is getattr(nn, name) for name in micrograd.nn.__all__)


@pytest.mark.parametrize("name", ["methods", "functions"])
def test_the_stub_for_type_checkers_is_fresh(name):
    written = (ROOT / "micrograd" / "engine" / f"{name}.pyi").read_text(encoding="utf-8")
    built_in = {row.name: TABLE[row.name] for row in ROWS}
    assert written == getattr(stubs, name)(built_in), "run `python -m micrograd.engine.stubs`"


def test_both_packages_are_marked_as_typed():
    assert (ROOT / "micrograd" / "py.typed").exists()
    assert (ROOT / "nn" / "py.typed").exists()


def test_text_of_formulas_is_read_in_one_file():
    reading = {name for name, path in modules().items() if "ast" in imports(path)}
    assert reading == {"micrograd.table.reading"}
