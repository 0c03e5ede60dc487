"""The public API: exported, listed and documented names are the same, and plugins use nothing else."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import kerasdream
from kerasdream.plugins.registry import KINDS
from kerasdream.plugins.scaffold import rendered

ROOT = Path(__file__).parents[1]
PUBLIC_MODULES = {"kerasdream", *(f"kerasdream.{name}" for name in ("callbacks", "events", "images", "ops", "testing"))}


def listed(stub):
    """The names in the ``__all__`` of a stub file."""
    (names,) = (
        node.value
        for node in ast.parse(stub.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return ast.literal_eval(names)


def test_exported_names_are_the_listed_ones():
    names = listed(ROOT / "kerasdream" / "__init__.pyi")
    assert sorted(names) == sorted(kerasdream.__all__)
    for name in names:
        assert getattr(kerasdream, name) is not None, name
    with pytest.raises(AttributeError):
        kerasdream.no_such_name  # noqa: B018


def test_exported_names_are_documented():
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted([*documented, "__version__"]) == sorted(kerasdream.__all__)
    for name in set(documented) - {"LOGITS", "hookimpl"}:
        assert (getattr(kerasdream, name).__doc__ or "").strip(), name


def test_importing_everything_public_loads_no_tensorflow():
    code = "from kerasdream import *; import sys; print({'keras', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def sources():
    """(name, text) of the Python that may use public names only: first-party plugins, templates, the docs' plugins."""
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for kind in (*KINDS, "commands"):
        for file in ("module.py", "test.py"):
            yield f"{kind}/{file}", rendered(kind, file, name="sparkle", command="sparkle", module="kerasdream_sparkle")
    for page in sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]):
        for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)):
            yield f"{page.relative_to(ROOT)} block {number + 1}", block


def private(text):
    """Yield what a piece of Python uses of kerasdream that is not public."""
    for node in ast.walk(ast.parse(text)):
        used = []
        if isinstance(node, ast.ImportFrom):
            used = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            used = [alias.name for alias in node.names]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in PUBLIC_MODULES:
            used = [ast.unparse(node)]
        yield from (name for name in used if name.startswith("kerasdream.") and not is_public(name))


def is_public(name):
    """Whether a dotted name is a public module or a public name of one."""
    module, _, last = name.rpartition(".")
    listed = module in PUBLIC_MODULES and (module == "kerasdream.ops" or last in import_module(module).__all__)
    return name in PUBLIC_MODULES or listed


def test_plugins_templates_and_docs_use_public_names_only():
    assert [(name, found) for name, text in sources() for found in private(text)] == []
    assert len(list(private("from kerasdream.config import x; import kerasdream.api; kerasdream.api.y"))) == 3


BEYOND_PUBLIC = {
    "objectives/class_.py": {"kerasdream.models.imagenet"},  # the names of the classes
    "__init__.py": {  # registers the networks
        "kerasdream.models.applications",
        "kerasdream.models.efficientnet_lite",
        "kerasdream.models.ensemble.ensemble",
        "kerasdream.models.file.file",
    },
}
"""What built-in parts may import of kerasdream in addition to public names and each other."""


def test_built_in_parts_use_public_names_only():
    """Each of their files is a template for a plugin."""
    folder, used = ROOT / "kerasdream" / "builtin", {}
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        names = {name for name in private(text) if not name.startswith("kerasdream.builtin.")}
        if names:
            used[path.relative_to(folder).as_posix()] = names
        assert "import keras\n" not in text, path  # kerasdream.ops loads it on first use
    assert used == BEYOND_PUBLIC


def test_prose_mentions_public_names_only():
    """What the pages call ``kerasdream.name`` is public; files and entry points are written otherwise."""
    for page in sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]):
        for name in re.findall(r"`kerasdream\.(\w+)", page.read_text(encoding="utf-8")):
            assert name in {*kerasdream.__all__, "testing"}, (page, name)
