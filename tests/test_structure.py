"""The shape of the project: few modules at the top, short modules and functions, tests that mirror the package."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "kerasdream", ROOT / "tests"

MODULES_AT_THE_TOP = 15
LINES_OF_A_MODULE = 350
LINES_OF_A_FUNCTION = 50

GUARDS = {"test_benchmarks", "test_layers", "test_package", "test_public_names", "test_structure"}
"""Tests of the project as a whole, directly in tests/."""

OTHER_FOLDERS = {"docs", "fuzz", "proof"}
"""Folders of tests that belong to no package."""


def test_few_modules_are_at_the_top():
    assert len(list(PACKAGE.glob("*.py"))) <= MODULES_AT_THE_TOP


def test_modules_are_short():
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in PACKAGE.rglob("*.py")}
    too_long = [f"{file.relative_to(ROOT)}: {count}" for file, count in lines.items() if count > LINES_OF_A_MODULE]
    assert not too_long, "\n".join(too_long)


def test_functions_are_short():
    too_long = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1}"
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > LINES_OF_A_FUNCTION
    ]
    assert not too_long, "\n".join(too_long)


def test_tests_mirror_the_package():
    """tests/images/test_reading.py tests kerasdream/images/reading.py, as does test_reading_errors.py."""
    astray = []
    for file in TESTS.rglob("test_*.py"):
        folder, words = file.parent.relative_to(TESTS), file.stem.removeprefix("test_").split("_")
        if (folder.parts and folder.parts[0] in OTHER_FOLDERS) or (file.parent == TESTS and file.stem in GUARDS):
            continue
        names = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
        modules = [PACKAGE / folder / module for name in names for module in (name, f"{name}.py", f"{name}_.py")]
        if not any(module.exists() for module in modules):
            astray.append(str(file.relative_to(ROOT)))
    assert not astray, "\n".join(astray)


def test_samples_of_the_proofs_are_disjoint_and_complete(request):
    (sampled,) = (plugin.sampled for plugin in request.config.pluginmanager.get_plugins() if hasattr(plugin, "sampled"))
    names = {f"test[{number}]" for number in range(29)}
    samples = [sampled(names, part, 12) for part in range(1, 13)]
    assert set.union(*samples) == names
    assert sum(map(len, samples)) == len(names)
    assert {len(sample) for sample in samples} == {2, 3}
