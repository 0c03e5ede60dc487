"""Built-in parts use of kerasdream only what any plugin may use, so that each file is a template for one."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import kerasdream

FOLDER = Path(kerasdream.__file__).parent / "builtin"
MODULES = "kerasdream", "kerasdream.events", "kerasdream.images"
EXCEPTIONS = {
    "objectives/class_.py": {"kerasdream.models.imagenet"},  # the names of the classes
    "__init__.py": {  # registers the networks
        "kerasdream.models.applications.FACTORIES",
        "kerasdream.models.efficientnet_lite0.efficientnet_lite0",
        "kerasdream.models.file.file",
    },
}


def imported(text):
    """Yield every name that a piece of Python imports, inside functions and for type checks too."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def allowed(name):
    if name.split(".")[0] in ("keras", "tensorflow"):
        return False
    if not name.startswith("kerasdream") or name.startswith("kerasdream.builtin."):
        return True
    module, _, last = name.rpartition(".")
    return module in MODULES and last in import_module(module).__all__


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_part_imports_public_names_only(path):
    exceptions = EXCEPTIONS.get(str(path.relative_to(FOLDER)), set())
    found = {name for name in imported(path.read_text(encoding="utf-8")) if not allowed(name)}
    assert found == exceptions


def test_private_names_are_found():
    text = "import keras\nfrom kerasdream.components import Rule\ndef f():\n    from kerasdream.plan import plan\n"
    assert [name for name in imported(text) if not allowed(name)] == [
        "keras",
        "kerasdream.components.Rule",
        "kerasdream.plan.plan",
    ]
