"""The JSON Schema of a run file, with the parameters of every registered part, for editors to complete and check."""

from __future__ import annotations

from typing import Any

from kerasdream.config import presets
from kerasdream.config.ensembles import ENSEMBLE, NETWORKS
from kerasdream.config.sections import LISTS, SECTIONS, RunFile, Sum
from kerasdream.plugins.registry import KINDS, SUM, Registration, Registry
from kerasdream.plugins.signature import model_of


def json_schema(registry: Registry) -> dict[str, Any]:
    """Return the schema (draft 2020-12) as plain data."""
    definitions: dict[str, Any] = {}
    settings, sourced = _settings(definitions)
    parametrizations = [_entry(registration, definitions) for registration in registry.of("parametrizations")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kerasdream run file",
        "type": "object",
        "properties": {
            **settings,
            "model": _model(registry, definitions),
            "parametrization": {"anyOf": parametrizations},
            **_lists(registry, definitions),
        },
        "anyOf": [{"required": ["image"], "properties": {"image": sourced}}, {"required": [presets.KEY]}],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _settings(definitions: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schemas of all keys but the parts, and that of an image with a source, which a preset may give."""
    schema = RunFile.model_json_schema()
    sections = {key: schema["$defs"].pop(model.__name__) for key, model in SECTIONS.items()}
    settings = {**_hoisted(schema, definitions)["properties"], **sections}
    settings[presets.KEY] = {
        "anyOf": [{"enum": [*presets.names(), None]}, {"type": "string", "pattern": presets.FILE}],
        "description": RunFile.model_fields[presets.KEY].description,
    }
    source = sections["image"]["properties"]["source"]
    sourced = {"anyOf": [{"type": ["string", "array"]}, {"required": sections["image"].pop("required")}]}
    settings["image"] = {"anyOf": [*source["oneOf"], sections["image"]]}
    return settings, sourced


def _lists(registry: Registry, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of the keys that hold a list of entries, or a single one."""
    lists = {}
    for key in LISTS:
        name = KINDS[key].replace(" ", "_")
        forms = [_entry(registration, definitions) for registration in registry.of(key)]
        reference = {"$ref": f"#/$defs/{name}"}
        several = {"type": "array", "items": reference, **({"minItems": 1} if key == "objectives" else {})}
        lists[key] = {"anyOf": [several, reference]}
        if key == "objectives":
            forms.append(_sum(lists[key], definitions))
        definitions[name] = {"anyOf": forms}
    return lists


def parameters_schema(registration: Registration, definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one entry's parameters; definitions that it refers to are added to ``definitions``."""
    model = model_of(registration)
    schema = _hoisted(model.model_json_schema(by_alias=True), definitions)
    schema.pop("title", None)
    schema["description"] = registration.summary
    return schema


def _entry(registration: Registration, definitions: dict[str, Any]) -> dict[str, Any]:
    """Allow ``{name: parameters}``, ``{name: first parameter}``, and ``name`` alone if nothing is required."""
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
    """Allow ``{sum: summands}`` and ``{sum: {of: summands, weight: ...}}``."""
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
    """Return the forms of a first parameter without its name; a mapping would be read as the parameters."""
    options = [one for one in parameter.get("anyOf", ()) if "additionalProperties" not in one]
    return {**parameter, "anyOf": options} if options else parameter


def _model(registry: Registry, definitions: dict[str, Any]) -> dict[str, Any]:
    """Allow a name, ``{name: ..., parameters}``, ``{file: ..., parameters}`` and ``{ensemble: networks}``."""
    forms: list[dict[str, Any]] = [{"enum": [n for n in registry.entries["models"] if n not in ("file", ENSEMBLE)]}]
    for registration in registry.entries["models"].values():
        parameters = parameters_schema(registration, definitions)
        if registration.name != "file":
            parameters["properties"] = {"name": {"const": registration.name}, **parameters["properties"]}
            parameters["required"] = ["name", *parameters.get("required", [])]
        forms.append(parameters)
        if registration.name == ENSEMBLE:
            short = {ENSEMBLE: parameters["properties"][NETWORKS]}
            forms.append({"type": "object", "properties": short, "required": [ENSEMBLE], "additionalProperties": False})
    return {"anyOf": forms}


def _hoisted(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Move a schema's own definitions to the shared ones (pydantic's names for them are unique by content)."""
    definitions.update(schema.pop("$defs", {}))
    return schema
