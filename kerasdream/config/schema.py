"""The JSON Schema of a run file, every registered entry's parameters included, for editors to complete and check."""

from __future__ import annotations

from typing import Any

from kerasdream.config import presets
from kerasdream.config.run_config import LISTS, SECTIONS, VERSION, VIEWS
from kerasdream.config.sums import Sum
from kerasdream.plugins.registry import KINDS, SUM, Registration, Registry
from kerasdream.plugins.signature import model_of


def json_schema(registry: Registry) -> dict[str, Any]:
    """Returns the schema (draft 2020-12) as plain data."""
    definitions: dict[str, Any] = {}
    sections = {key: _hoisted(model.model_json_schema(), definitions) for key, model in SECTIONS.items()}
    sourced = {"anyOf": [{"type": "string"}, {"required": sections["image"].pop("required")}]}
    sections["image"] = {"anyOf": [{"type": "string", "minLength": 1}, sections["image"]]}
    lists = {}
    for key in LISTS:
        forms = [_entry(registration, definitions) for registration in registry.entries[key].values()]
        reference = {"$ref": f"#/$defs/{KINDS[key].replace(' ', '_')}"}
        several = {"type": "array", "items": reference, **({"minItems": 1} if key == "objectives" else {})}
        lists[key] = {"anyOf": [several, reference]}
        if key == "objectives":
            forms.append(_sum(lists[key], definitions))
        definitions[KINDS[key].replace(" ", "_")] = {"anyOf": forms}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kerasdream run file",
        "type": "object",
        "properties": {
            "version": {"type": "integer", "const": VERSION},
            presets.KEY: {
                "enum": presets.names(),
                "description": "Start from this preset: what else is here goes over what it says.",
            },
            "seed": {"type": "integer", "minimum": 0, "exclusiveMaximum": 2**32},
            "plugins": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Plugin files and folders, in this file's folder or below.",
            },
            "model": _model(registry, definitions),
            "views": {"enum": list(VIEWS), "description": "Tiles, or crops; auto: crops if a class is asked for."},
            "parametrization": {
                "anyOf": [_entry(r, definitions) for r in registry.entries["parametrizations"].values()]
            },
            **sections,
            **lists,
        },
        "anyOf": [{"required": ["image"], "properties": {"image": sourced}}, {"required": [presets.KEY]}],
        "additionalProperties": False,
        "$defs": definitions,
    }


def parameters_schema(registration: Registration, definitions: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema of one entry's parameters; what it refers to goes into ``definitions``."""
    model = model_of(registration)
    schema = _hoisted(model.model_json_schema(by_alias=True), definitions)
    schema.pop("title", None)
    schema["description"] = registration.summary
    return schema


def _entry(registration: Registration, definitions: dict[str, Any]) -> dict[str, Any]:
    """``{name: parameters}``, ``{name: first parameter}``, or ``name`` alone where nothing is required."""
    parameters = parameters_schema(registration, definitions)
    values = [parameters, *(_short(first) for first in list(parameters.get("properties", {}).values())[:1])]
    forms: list[dict[str, Any]] = [
        {
            "type": "object",
            "properties": {registration.name: {"anyOf": values} if len(values) > 1 else values[0]},
            "required": [registration.name],
            "additionalProperties": False,
        }
    ]
    if not parameters.get("required"):
        forms[0]["properties"][registration.name] = {"anyOf": [*values, {"type": "null"}]}
        forms.append({"const": registration.name, "description": registration.summary})
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _sum(summands: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """``{sum: summands}``, or ``{sum: {of: summands, weight: ...}}``."""
    whole = _hoisted(Sum.model_json_schema(by_alias=True), definitions)
    whole["properties"] = {"of": summands, **whole["properties"]}
    whole["required"] = ["of"]
    return {
        "type": "object",
        "properties": {SUM: {"anyOf": [summands, whole]}},
        "required": [SUM],
        "additionalProperties": False,
    }


def _short(parameter: dict[str, Any]) -> dict[str, Any]:
    """A first parameter as it may stand for all of them; a mapping would be read as the parameters themselves."""
    options = [one for one in parameter.get("anyOf", ()) if "additionalProperties" not in one]
    return {**parameter, "anyOf": options} if options else parameter


def _model(registry: Registry, definitions: dict[str, Any]) -> dict[str, Any]:
    """A name, ``{name: ..., parameters}`` or ``{file: ..., parameters}``."""
    forms: list[dict[str, Any]] = [{"enum": [n for n in registry.entries["models"] if n != "file"]}]
    for registration in registry.entries["models"].values():
        parameters = parameters_schema(registration, definitions)
        if registration.name != "file":
            parameters["properties"] = {"name": {"const": registration.name}, **parameters["properties"]}
            parameters["required"] = ["name", *parameters.get("required", [])]
        forms.append(parameters)
    return {"anyOf": forms}


def _hoisted(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Moves a schema's own definitions to the shared ones (pydantic's names for them are unique by content)."""
    definitions.update(schema.pop("$defs", {}))
    return schema
