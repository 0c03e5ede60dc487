"""What a picture is made from and with: the recipe, checksums of files and plugins, and versions."""

from __future__ import annotations

import platform
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING, Any

from kerasdream.config.recorded import checksum, plugin_checksum

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig
    from kerasdream.images import Picture
    from kerasdream.plan.plan import Plan


class Provenance:
    """Makes the manifests of a run's pictures. Checksums are computed once."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config

    @cached_property
    def files(self) -> dict[str, str]:
        """The files that the network and the other parts are made from: base name → SHA-256.

        Missing files are left out; making their part reports them.
        """
        files = [file for entry in self.config.entries for file in entry.files]
        return {file.name: checksum(file) for file in files if file.exists()}

    @cached_property
    def plugins(self) -> dict[str, str]:
        """The plugins that are not installed: base name → SHA-256."""
        return {path.name: plugin_checksum(path) for path in self.config.plugin_files}

    def requested(self, picture: Picture) -> dict[str, Any]:
        """Return what a picture is to be made from: the recipe, and files and plugins by base name and checksum."""
        data = self.config.data
        return {
            "recipe": {**data, "image": {**data["image"], "source": picture.name}},
            "source": {"name": picture.name, **({"sha256": picture.sha256} if picture.sha256 else {})},
            **({"files": self.files} if self.files else {}),
            **({"plugins": self.plugins} if self.plugins else {}),
        }

    def manifest(self, picture: Picture, plan: Plan) -> dict[str, Any]:
        """Return what is stored in the picture: the request, with automatic values resolved, and the versions."""
        requested, octaves = self.requested(picture), self.config.octaves
        recipe = requested["recipe"]
        recipe["tiles"] = {**recipe["tiles"], "size": plan.cutting.size}
        counted = {"count": len(plan.sizes)} if octaves.count == "auto" else {}
        stepped = {"steps": plan.octave_steps[0]} if octaves.steps == "auto" else {}
        recipe["octaves"] = {**recipe["octaves"], **counted, **stepped}
        return {
            "kerasdream": metadata.version("kerasdream"),
            **requested,
            "versions": {
                "python": platform.python_version(),
                **{name: metadata.version(name) for name in ("tensorflow", "keras", "numpy", "pillow")},
                **self.config.distributions,
            },
        }
