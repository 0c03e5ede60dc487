"""Turn the entries of a run file into specs of parts: names against the registry, parameters against the signature.

A ``sum`` entry is expanded into its summands, each with its weight multiplied by the sum's, and with the sum's mask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kerasdream._files import at_home, is_too_long, not_to_be_opened
from kerasdream.components import Network, Parametrization
from kerasdream.config.document import KeyPath
from kerasdream.config.ensembles import ENSEMBLE, NETWORKS, for_each, named_entry, with_members
from kerasdream.config.messages import Errors, shown, without_space
from kerasdream.config.overrides import OverridePlace
from kerasdream.config.plugin_files import Trust, check_code
from kerasdream.config.recorded import Recorded, files_in, not_a_base_name
from kerasdream.config.sections import FIRST, LISTS, Sum
from kerasdream.config.validation import validated
from kerasdream.errors import ImageError, OutputError
from kerasdream.images.masks import Mask
from kerasdream.images.several import is_glob, matching
from kerasdream.models import model_entry, unusable, why_not
from kerasdream.output_names import NAMES, filled
from kerasdream.plugins.registry import KINDS, PYTHON, SUM, Registration, Registry
from kerasdream.plugins.signature import (
    code_parameters,
    is_weighted,
    layer_parameters,
    model_of,
    picture_parameters,
    trusted_parameters,
)
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import MARKS, is_schedule


@dataclass(frozen=True)
class Context:
    """What the entries of a run file are checked against.

    Attributes:
        base: the folder that relative paths are relative to.
        complete: whether all plugins are loaded; if not, unknown part names are not reported: they may come from them.
        unused: the names of installed plugins that are not in use.
        network: the name of the run's network, once it is known; selects from ``{network: layer}``.
        networks: the names of an ensemble's networks, for each of which ``{network: layer}`` may name a layer.
        trust: which Python files that the entries name may be run.
        recorded: if they are from the recipe of a picture: the files that they may name.
    """

    base: Path
    registry: Registry
    errors: Errors
    complete: bool = True
    unused: tuple[str, ...] = ()
    network: str | None = None
    networks: tuple[str, ...] = ()
    trust: Trust = "folder"
    recorded: Recorded | None = None


def model_spec(value: Any, context: Context, path: KeyPath = ("model",)) -> PartSpec | None:
    """Return the spec of the ``model`` key: a name, a mapping with ``name``, ``file`` or ``ensemble``; a ``Network``.

    Args:
        path: the place of the entry: of a network in an ensemble, inside it.
    """
    if isinstance(value, Network):
        return PartSpec.of("models", value)
    parameters = model_entry(named_entry(value) if isinstance(value, dict) else value)
    if parameters is None:
        context.errors.add(path, f"expected a name, {{name: ...}} or {{file: ...}}, not {shown(value)}")
        return None
    name = parameters.pop("name", "file")
    if reason := _file_of_that_name(name, path, context):
        context.errors.add(path, reason)
        return None
    made = _spec("models", name, parameters, path, path, context)
    if made is not None and (reason := unusable(made)):
        context.errors.add(path, reason)
    return _ensemble(made, context) if made is not None and name == ENSEMBLE else made


def _file_of_that_name(name: Any, path: KeyPath, context: Context) -> str:
    """Return what is wrong with a file or folder that is given where a network's name is expected; nothing if none."""
    if not isinstance(name, str) or name in context.registry.entries["models"]:
        return ""
    document = context.errors.document
    typed_here = isinstance(document.where(path), OverridePlace)
    if context.recorded and not typed_here:
        return ""
    file = (Path() if typed_here else document.folder(path, context.base)) / at_home(name)
    return why_not(file) if not is_too_long(file) and file.exists() else ""


def _ensemble(model: PartSpec, context: Context) -> PartSpec | None:
    """Return the spec of an ensemble, its networks checked."""
    items = [named_entry(item) if isinstance(item, dict) else item for item in model.values[NETWORKS]]
    members = [model_spec(item, context, (*model.path, NETWORKS, index)) for index, item in enumerate(items)]
    found = [member for member in members if member is not None]
    return with_members(model, found) if len(found) == len(members) else None


def specs(key: str, items: Any, context: Context, at: KeyPath = ()) -> tuple[PartSpec, ...]:
    """Return the specs of a list of entries; a single entry needs no list, and a sum is expanded.

    Args:
        at: the place of the list, by default ``(key,)``.
    """
    found: list[PartSpec] = []
    at = at or (key,)
    if isinstance(items, (dict, str, *LISTS[key])):
        items = [items]
    if not isinstance(items, (list, tuple)):
        context.errors.add(at, f"expected a list of {KINDS[key]}s, not {shown(items)}")
        return ()
    for index, item in enumerate(items):
        if isinstance(item, LISTS[key]):
            found.append(PartSpec.of(key, item))
        elif key == "objectives" and isinstance(item, dict) and list(item) == [SUM]:
            found += _summands(item[SUM], (*at, index, SUM), context)
        elif key == "objectives" and context.networks:
            found += _averaged(item, (*at, index), context)
        elif entry := spec(key, item, (*at, index), context):
            found.append(entry)
    return tuple(found)


def _averaged(item: Any, path: KeyPath, context: Context) -> Iterator[PartSpec]:
    """Yield an objective for each network of an ensemble for which it names a layer; together they are the mean."""

    def layers_of(name: str) -> Sequence[str]:
        known = context.registry.entries["objectives"].get(name)
        return () if known is None else layer_parameters(known.factory)

    items = for_each(item, context.networks, layers_of)
    for entry in (spec("objectives", one, path, context) for one in items):
        if entry is not None:
            yield entry if len(items) == 1 else _within(entry, 1 / len(items), None)


def spec(kind: str, item: Any, path: KeyPath, context: Context) -> PartSpec | None:
    """Return the spec of one entry: ``name``, ``{name: first parameter}`` or ``{name: {parameter: value}}``."""
    if isinstance(item, Parametrization):
        return PartSpec.of(kind, item)
    if isinstance(item, str):
        item = {item: {}}
    if not isinstance(item, dict) or len(item) != 1:
        context.errors.add(path, f"expected one {KINDS[kind]}, {{NAME: {{parameter: value}}}}, not {shown(item)}")
        return None
    ((name, parameters),) = item.items()
    if name == PYTHON:
        context.errors.add(path, "was given as a Python object, which a recipe cannot store; run it from Python again")
        return None
    return _spec(kind, name, parameters, path, (*path, name), context)


def _spec(kind: str, name: Any, given: Any, at: KeyPath, path: KeyPath, context: Context) -> PartSpec | None:
    """Check a name, at ``at``, against the registry, and its parameters, at ``path``, against the signature."""
    errors = context.errors
    try:
        registration = context.registry.get(kind, str(name))
    except KeyError as error:
        spaced = without_space(str(name), context.registry.entries[kind])
        hint = f" (not in use: {', '.join(context.unused)}; see kerasdream plugins)" if context.unused else ""
        if context.complete:
            errors.add(at, f"unknown {KINDS[kind]} {name!r}; {spaced}" if spaced else error.args[0] + hint)
        return None
    schema = model_of(registration)
    given = {} if given is None else given
    if not isinstance(given, dict) or _is_schedule(given, schema):
        if not schema.model_fields:
            errors.add(path, f"{name!r} takes no parameters, not {shown(given)}")
            return None
        given = {FIRST: given}
    if FIRST in given:
        first = next(iter(schema.model_fields), FIRST)
        given = {first: given[FIRST], **{name: value for name, value in given.items() if name != FIRST}}
    parameters = validated(schema, given, path, errors, network=context.network)
    if parameters is None:
        return None
    if _names_strange_files(registration.kind, parameters, path, context):
        return None
    made = _finished(registration, parameters, path, context)
    unusable = [reason for file in made.files if (reason := not_to_be_opened(file))]
    for reason in unusable:
        errors.add(path, reason)
    unmatched = [name for name in picture_parameters(registration.factory) if made.values[name] == ()]
    return None if unusable or any(getattr(parameters, name) is not None for name in unmatched) else made


def _finished(registration: Registration, parameters: BaseModel, path: KeyPath, context: Context) -> PartSpec:
    """Return the spec of validated parameters: paths are absolute in its values, and file names in its recipe."""
    fields = type(parameters).model_fields
    document = context.errors.document
    folders = {name: document.folder((*path, name), context.base) for name in fields}
    values = {name: _absolute(getattr(parameters, name), folders[name]) for name in fields}
    for name in code_parameters(registration.factory):
        if values[name] is not None:
            check_code((*path, name), values[name], context.base, context.trust, context.errors)
    values |= dict.fromkeys(trusted_parameters(registration.factory), context.trust == "anywhere")
    plain = parameters.model_dump(mode="json", by_alias=True)
    for name in picture_parameters(registration.factory):
        values[name] = found = _pictures(getattr(parameters, name), folders[name], (*path, name), context.errors)
        names = [each.name for each in found]
        plain[name] = names[0] if len(names) == 1 else names or None
    for name, value in values.items():
        if isinstance(value, Path):
            plain[name] = value.name
        elif isinstance(value, dict):
            plain[name] |= {key: each.name for key, each in value.items() if isinstance(each, Path)}
    if "mask" in plain and plain["mask"] is None and is_weighted(registration.kind, registration.factory):
        del plain["mask"]  # Omit an unset mask from the recipe.
    plain |= {name: value.plain for name, value in values.items() if isinstance(value, Mask)}
    if registration.kind == "outputs":
        try:
            filled(plain["path"], dict.fromkeys(NAMES, "x"))
        except OutputError as error:
            context.errors.add((*path, "path"), str(error))
        plain["path"] = Path(plain["path"]).name
    return PartSpec(
        registration.kind,
        registration.name,
        registration.factory,
        registration.plugin,
        values,
        plain,
        path,
        place=str(context.errors.document.where(path)),
    )


def _names_strange_files(kind: str, parameters: BaseModel, path: KeyPath, context: Context) -> bool:
    """Report each file that a recipe from a picture names and may not; return whether there are any."""
    recorded, document = context.recorded, context.errors.document
    if recorded is None:
        return False
    found: list[tuple[KeyPath, str]] = []
    for name in type(parameters).model_fields:
        for inner, file in files_in(getattr(parameters, name)):
            if not isinstance(document.where((*path, name, *inner)), OverridePlace):
                found.append(((*path, name, *inner), recorded.refused(str(file))))
    written = document.where((*path, "path"))
    if kind == "outputs" and not isinstance(written, OverridePlace):
        found.append(((*path, "path"), not_a_base_name(getattr(parameters, "path"))))  # noqa: B009
    refused = [(where, reason) for where, reason in found if reason]
    for where, reason in refused:
        context.errors.add(where, reason)
    return bool(refused)


def _absolute(value: Any, base: Path) -> Any:
    """Return a file parameter, or each in a mapping, relative to ``base``; any other value unchanged."""
    if isinstance(value, dict):
        return {name: _absolute(each, base) for name, each in value.items()}
    if isinstance(value, Mask):
        return replace(value, path=_absolute(value.path, base))
    return base / at_home(value) if isinstance(value, Path) else value


def _pictures(value: Path | list[Path] | None, base: Path, path: KeyPath, errors: Errors) -> tuple[Path, ...]:
    """Return one or several pictures, or none, relative to ``base``; patterns are written out."""
    found: list[Path] = []
    for each in value if isinstance(value, list) else [] if value is None else [value]:
        try:
            matches = matching(str(each), base) if is_glob(str(each), base) else [_absolute(each, base)]
        except ImageError as error:
            errors.add(path, str(error))
            continue
        if not matches:
            errors.add(path, f"no file matches {shown(str(each))}; expected a picture, a folder, a pattern or a list")
        found += matches
    pictures = tuple(dict.fromkeys(found))
    for name, count in Counter(picture.name for picture in pictures).items():
        if count > 1:
            errors.add(path, f"{count} pictures are called {shown(name)}; rename them: the recipe leaves out folders")
    return pictures


def _is_schedule(given: Mapping[Any, Any], schema: type[BaseModel]) -> bool:
    """Whether a mapping is a schedule for an entry's first parameter: ``rate: {from: 0.03, to: 0.01}``."""
    return bool(MARKS & given.keys()) and not given.keys() & schema.model_fields.keys()


def _summands(value: Any, path: KeyPath, context: Context) -> Iterator[PartSpec]:
    """Yield the objectives of a sum, ``[...]`` or ``{of: [...], weight: 2, mask: mask.png}``."""
    errors = context.errors
    written_out = isinstance(value, dict) and "of" in value
    of, at = (value["of"], (*path, "of")) if written_out else (value, path)
    given = {name: setting for name, setting in value.items() if name != "of"} if written_out else {}
    whole = validated(Sum, given, path, errors) or Sum()
    if _names_strange_files("objectives", whole, path, context):
        return
    if of is None or of == []:
        errors.add(at, "expected at least one objective")
        return
    for entry in specs("objectives", of, context, at):
        in_both = {
            "mask": entry.mask and whole.mask,
            "schedule of weights": is_schedule(entry.weight) and is_schedule(whole.weight),
        }
        names = [name for name, clash in in_both.items() if clash]
        for name in names:
            errors.add(entry.path, f"has a {name}, and so has the sum around it; remove one of them")
        if not names:
            folder = errors.document.folder((*path, "mask"), context.base)
            yield _within(entry, whole.weight, _absolute(whole.mask, folder))


def _within(entry: PartSpec, weight: Any, mask: Mask | None) -> PartSpec:
    """Return an entry with the weight and the mask of a sum added to its own."""
    if is_schedule(entry.weight):
        weight = entry.weight.times(weight)
    else:
        weight = weight.times(entry.weight) if is_schedule(weight) else entry.weight * weight
    values = {**entry.values, "weight": weight}
    plain = {**entry.plain, "weight": weight.model_dump(mode="json", by_alias=True) if is_schedule(weight) else weight}
    if mask:
        values["mask"] = mask
        plain["mask"] = mask.plain
    return replace(entry, values=values, plain=plain)
