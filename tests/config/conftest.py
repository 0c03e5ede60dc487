"""What the tests of run files share."""

import jsonschema
import pytest

from kerasdream.config.schema import json_schema
from kerasdream.plugins.manager import discover


@pytest.fixture(scope="session")
def schema():
    """The JSON Schema of a run file, with the built-in parts, as a validator."""
    return jsonschema.Draft202012Validator(json_schema(discover(installed=False).registry))
