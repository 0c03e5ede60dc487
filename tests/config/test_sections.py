"""For a new setting, one field in a section is enough: the schema, recipes and error messages follow from it."""

import re
from pathlib import Path

import pytest

from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.resolve import resolve
from kerasdream.config.sections import PARTS, SECTIONS, RunFile, Sum
from kerasdream.errors import ConfigError

ROOT = Path(__file__).parents[2]
FIELDS = [(key, name) for key, model in SECTIONS.items() for name in model.model_fields]


@pytest.fixture(scope="module")
def code_in_docs():
    """The code spans and blocks of the documentation."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


def test_every_setting_has_a_description_and_is_in_the_json_schema(schema):
    for name, field in RunFile.model_fields.items():
        assert field.description, name
        assert name in schema.schema["properties"]
    for key, model in {**SECTIONS, "sum": Sum}.items():
        for name, field in model.model_fields.items():
            assert (field.description or "").endswith("."), (key, name)
    assert set(schema.schema["properties"]) == {*RunFile.model_fields, *PARTS}


@pytest.mark.parametrize(("key", "name"), FIELDS)
def test_field_of_a_section_is_in_the_schema_the_recipe_the_errors_and_the_docs(schema, code_in_docs, key, name):
    section = schema.schema["properties"][key]
    section = section["anyOf"][1] if key == "image" else section
    assert section["properties"][name]["description"] == SECTIONS[key].model_fields[name].description
    config = resolve(parse("image: photo.jpg", "f.yaml"), Path("."))
    assert name in config.data[key]
    with pytest.raises(ConfigError) as caught:
        resolve(
            YamlDocument({"image": {"source": "x.jpg"}} | {key: {"source": "x.jpg", name: {"no": 1}}}, "f"), Path(".")
        )
    assert (key, name) in {problem.path[:2] for problem in caught.value.problems}
    assert re.search(rf"\b{name}\b", code_in_docs), f"{key}.{name} is not documented"


def test_seed_has_one_range_in_validation_and_schema(schema):
    assert schema.schema["properties"]["seed"]["exclusiveMaximum"] == 2**32
    assert resolve(parse(f"image: x.jpg\nseed: {2**32 - 1}", "f"), Path(".")).seed == 2**32 - 1
    with pytest.raises(ConfigError, match=f"seed: expected a number less than {2**32}, not {2**32}"):
        resolve(parse(f"image: x.jpg\nseed: {2**32}", "f"), Path("."))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("version: true", "version: expected 1, the only version this kerasdream can read, not true"),
        ("version: '1'", "version: expected 1, the only version this kerasdream can read, not '1'"),
        ("seed: 1.5", "seed: expected a valid integer, not 1.5"),
        ("views: crop", "views: expected 'auto', 'tiles' or 'crops', not crop"),
        ("plugins: mine.py", "plugins: expected a list, not mine.py"),
        ("engine: fast", "engine: expected a mapping of precision, jit, not fast"),
    ],
)
def test_top_level_settings_are_validated_like_sections(setting, message):
    with pytest.raises(ConfigError) as caught:
        resolve(parse(f"image: x.jpg\n{setting}", "f.yaml"), Path("."))
    assert str(caught.value) == f"f.yaml:2:1: {message}"
