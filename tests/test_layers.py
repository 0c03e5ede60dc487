"""Imports: packages are stacked in layers and import only what lies below them; modules never import in circles.

Every import counts: at module level, inside functions and under ``TYPE_CHECKING``.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import kerasdream

ROOT = Path(kerasdream.__file__).parent

LAYERS = """
    __main__
    cli
    __init__ pytest_plugin
    testing callbacks concepts
    atlas api
    session
    results
    dreaming
    config engine builtin
    models
    plugins
    components
    events
    plan images
    output_names schedules ops hookspecs _files _memory
    errors
"""
"""From top to bottom. Packages on one line do not import one another."""

RANKS = {name: -row for row, line in enumerate(LAYERS.splitlines()) for name in line.split()}

TENSORFLOW = ("engine", "testing")
KERAS = (*TENSORFLOW, "models", "callbacks", "api", "ops")
"""The packages and modules that may import TensorFlow and Keras, or name their types."""

AT_THE_TOP = ("numpy", "PIL", "pydantic", "pydantic_core")
"""Packages that are imported at module level only. SciPy is not one of them: it takes 0.3 s to import, and commands
such as ``kerasdream list`` load every built-in part."""


class Import(NamedTuple):
    """One imported name."""

    file: Path
    line: int
    name: str
    in_function: bool
    for_types: bool

    def __str__(self):
        return f"{self.file.relative_to(ROOT.parent)}:{self.line} imports {self.name}"

    @property
    def importer(self):
        """The module that imports, as a dotted name without ``kerasdream``."""
        parts = self.file.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)

    @property
    def package(self):
        """The first part of the imported name."""
        return self.name.partition(".")[0]


def imports_in(file):
    """Yield every import of a file."""

    def visit(node, in_function, for_types):
        if isinstance(node, ast.Import):
            yield from (Import(file, node.lineno, alias.name, in_function, for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}:{node.lineno} is a relative import"
            for alias in node.names:
                yield Import(file, node.lineno, f"{node.module}.{alias.name}", in_function, for_types)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for_types = True
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            in_function = True
        for child in ast.iter_child_nodes(node):
            yield from visit(child, in_function, for_types)

    return visit(ast.parse(file.read_text(encoding="utf-8")), in_function=False, for_types=False)


def public_names():
    """The module that each name of the root is imported from, as its stub says; importing the name loads only that."""
    tree = ast.parse((ROOT / "__init__.pyi").read_text(encoding="utf-8"))
    return {
        alias.name: f"{node.module}.{alias.name}" if node.module else alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


FILES = sorted(ROOT.rglob("*.py"))
IMPORTS = [found for file in FILES for found in imports_in(file)]
MODULES = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in FILES}
PUBLIC = public_names()


def module_of(name):
    """Return the module that defines an imported name, without ``kerasdream.``; the root is ``__init__``."""
    first, _, rest = name.partition(".")[2].partition(".")
    parts = [*PUBLIC.get(first, first).split("."), *filter(None, rest.split("."))]
    while parts and ".".join(parts) not in MODULES:
        parts.pop()
    return ".".join(parts) or "__init__"


INTERNAL = [(found, module_of(found.name)) for found in IMPORTS if found.package == "kerasdream"]


def test_every_package_has_a_layer():
    assert {module.partition(".")[0] for module in MODULES} == set(RANKS)


def test_imports_point_down():
    upward = []
    for found, module in INTERNAL:
        own, other = found.importer.partition(".")[0], module.partition(".")[0]
        if own != other and RANKS[own] <= RANKS[other]:
            upward.append(f"{found}, but {other} is not below {own}")
    assert not upward, "\n".join(upward)


def test_no_modules_import_each_other_in_a_circle():
    graph = {}
    for found, module in INTERNAL:
        if module != found.importer:
            graph.setdefault(found.importer, set()).add(module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError("these modules import one another: " + " <- ".join(error.args[1])) from None


def test_tensorflow_and_keras_are_imported_in_few_places():
    places = {"tensorflow": TENSORFLOW, "keras": KERAS}
    misplaced = [
        str(found)
        for found in IMPORTS
        if found.package in places
        and found.importer.partition(".")[0] not in places[found.package]
        and not found.for_types
    ]
    assert not misplaced, "\n".join(misplaced)


def test_numpy_pillow_and_pydantic_are_imported_at_module_level():
    lazy = [str(found) for found in IMPORTS if found.in_function and found.package in AT_THE_TOP]
    assert not lazy, "\n".join(lazy)
