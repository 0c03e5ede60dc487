"""Parts as plain data: what each does, its parameters with types and defaults, the plugin it comes from."""

from __future__ import annotations

from typing import Any

from kerasdream.plugins.manager import Plugins
from kerasdream.plugins.registry import Registration
from kerasdream.plugins.signature import layer_parameters, model_of, picture_parameters
from kerasdream.schedules import MARKS

BOUNDS = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
"""Bounds in a JSON Schema, and how they are printed."""

PICTURES = "picture, folder, pattern or a list of them"
"""How a parameter annotated ``PictureFiles`` is described."""

WORDS = {
    "number": "number",
    "integer": "whole number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
    "object": "mapping",
}


def part_row(registration: Registration, plugins: Plugins) -> dict[str, Any]:
    """Return one part: its help, plugin, location and parameters."""
    return {
        "kind": registration.kind,
        "name": registration.name,
        "summary": registration.summary,
        "help": registration.help.partition("\nArgs:")[0].strip(),  # the parameters have rows of their own
        "plugin": registration.plugin,
        "origin": next(plugin.origin for plugin in plugins.found if plugin.name == registration.plugin),
        "where": registration.where,
        "parameters": parameter_rows(registration),
    }


def parameter_rows(registration: Registration) -> list[dict[str, Any]]:
    """Return the parameters of a part, including ``weight`` if it has one."""
    model = model_of(registration)
    schema = model.model_json_schema(by_alias=True)
    layers, pictures = layer_parameters(registration.factory), picture_parameters(registration.factory)
    rows = []
    for name, field in model.model_fields.items():
        required = field.is_required()
        kind = PICTURES if name in pictures else _words(schema["properties"][name], schema.get("$defs", {}))
        rows.append(
            {
                "name": name,
                "type": kind.replace("text", "layer name") if name in layers else kind,
                "required": required,
                "default": None if required else schema["properties"][name].get("default"),
                "help": field.description or "",
            }
        )
    return rows


def _words(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Describe in words what a JSON Schema accepts: ``number ≥ 0 or a schedule``."""
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        words = [word for option in options for word in _words(option, definitions).split(" or ")]
        return " or ".join(dict.fromkeys(words))
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        return "a schedule" if MARKS & target.get("properties", {}).keys() else f"{{{', '.join(target['properties'])}}}"
    if "enum" in schema or "const" in schema:
        return " or ".join(map(str, schema.get("enum", [schema.get("const")])))
    if schema.get("format") == "path":
        return "file"
    if "prefixItems" in schema:
        return f"[{', '.join(_words(item, definitions) for item in schema['prefixItems'])}]"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"{{network: {_words(schema['additionalProperties'], definitions)}}}"
    if schema.get("type") == "array":
        return f"list of {_words(schema.get('items', {}), definitions)}"
    bounds = "".join(f" {sign} {schema[key]:g}" for key, sign in BOUNDS if key in schema)
    return WORDS.get(schema.get("type", ""), schema.get("type", "anything")) + bounds
