"""From YAML to a ``RunConfig``: read, merge, validate; recipes and the JSON Schema."""
