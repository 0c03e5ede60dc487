"""``kerasdream new-plugin``: write a plugin that works, is tested and is ready to publish."""

from __future__ import annotations

import re
import tempfile
import time
from importlib import metadata, resources
from keyword import iskeyword
from pathlib import Path
from string import Template

from kerasdream.errors import OutputError, PluginError
from kerasdream.plugins.registry import KINDS, Registry

LICENSES = "MIT", "Apache-2.0"
WHAT = {**KINDS, "commands": "command"}
"""Kind -> what one of them is called; each kind has a folder of templates."""

CHECKS = {
    "models": "check_model",
    "objectives": "check_objective",
    "priors": "check_prior",
    "parametrizations": "check_parametrization",
    "transforms": "check_transform",
    "ascent": "check_rule",
    "postprocess": "check_postprocess",
    "outputs": "check_output",
}
"""Kind -> the function of ``kerasdream.testing`` that its tests call."""

EXAMPLE_TEST = """
EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_the_example_runs(tmp_path):
    config = kerasdream.load_config(EXAMPLE, ["octaves.count=1", "octaves.steps=1", "image.size=[64, 64]"])
    result = kerasdream.run(config, folder=tmp_path)
    assert all(path.is_file() for path in result.paths)
"""


def write_plugin(name: str, folder: Path, *, kind: str, author: str, license: str, registry: Registry) -> Path:
    """Write a distribution: one module, tests, an example run file, README and LICENSE.

    Args:
        name: name of the part, ``sparkle``; the distribution is called ``kerasdream-sparkle``.
        folder: where to create the distribution's folder.
        kind: the kind of part: ``objectives``, ..., ``commands``.
        author: for setup.cfg and LICENSE.
        license: one of ``LICENSES``.
        registry: the parts already registered, whose names are taken.

    Returns:
        The new folder.

    Raises:
        PluginError: the name is invalid or taken.
        OutputError: the folder exists or cannot be written.
    """
    name = name.removeprefix("kerasdream-").replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or iskeyword(name):
        raise PluginError(
            f"{name!r} is not a valid plugin name; expected lower-case letters, digits and _, as in sparkle"
        )
    taken = registry.entries.get(kind, {}).get(name)
    if taken:
        raise PluginError(f"{taken} already has this name; choose another")
    distribution = f"kerasdream-{name.replace('_', '-')}"
    target = folder / distribution
    if target.exists():
        raise OutputError(f"{target} already exists; remove it, or choose another name or folder (-o)")
    files = _files(name, distribution, kind, author, license)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{distribution}-") as unfinished:
            new = Path(unfinished) / distribution
            for path, text in files.items():
                (new / path).parent.mkdir(parents=True, exist_ok=True)
                (new / path).write_text(text, encoding="utf-8")
            new.rename(target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}") from None
    return target


def rendered(kind: str, file: str, **values: str) -> str:
    """Return one template, filled in."""
    path = resources.files("kerasdream.plugins") / "templates" / kind / f"{file}.tmpl"
    return Template(path.read_text(encoding="utf-8")).substitute(values)


def _files(name: str, distribution: str, kind: str, author: str, license: str) -> dict[str, str]:
    """Return path -> text of every file."""
    what, module, runs, command = WHAT[kind], f"kerasdream_{name}", kind in KINDS, name.replace("_", "-")
    values = {
        "name": name,
        "command": command,
        "distribution": distribution,
        "module": module,
        "what": f"{'an' if what[0] in 'aeiou' else 'a'} {what}",
        "a_what": f"{'An' if what[0] in 'aeiou' else 'A'} {what}",
        "author": author or f"the authors of {distribution}",
        "license": license,
        "year": str(time.localtime().tm_year),
        "version": metadata.version("kerasdream"),
        "use": f"kerasdream list {kind} {name}" if runs else f"kerasdream {command} --help",
        "try": "kerasdream run example.yaml" if runs else f"kerasdream {command} photo.jpg",
    }
    tests = rendered(kind, "test.py", name=name, command=command, module=module)
    parts = f'["{kind}/{name}"]' if runs else "[]"
    loads = f"\n\ndef test_the_plugin_loads():\n    assert check_plugin({module}) == {parts}\n\n\n"
    if runs:
        checks = ", ".join(sorted([CHECKS[kind], "check_plugin"]))
        imports = (
            "from pathlib import Path\n\nimport kerasdream\n"
            f"from kerasdream.testing import {checks}\n\nimport {module}\nfrom {module} import {name}\n"
        )
        tests = f"{imports}{EXAMPLE_TEST}{loads}{tests}"
    else:
        tests = f"from kerasdream.testing import PHOTO, check_command, check_plugin\n\nimport {module}\n{loads}{tests}"
    return {
        **{file: rendered("plugin", file, **values) for file in ("setup.cfg", "pyproject.toml", "README.md")},
        "LICENSE": rendered("licenses", license, year=values["year"], author=values["author"]),
        f"{module}.py": rendered(kind, "module.py", name=name, command=command),
        f"tests/test_{name}.py": tests,
        **({"example.yaml": rendered(kind, "example.yaml", name=name)} if runs else {}),
    }
