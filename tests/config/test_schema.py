"""The JSON Schema accepts and rejects what validation does."""

from pathlib import Path

import yaml

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def test_schema_agrees_with_validation(schema):
    schema.check_schema(schema.schema)
    for path in CONFIGS:
        assert list(schema.iter_errors(yaml.safe_load(path.read_text()))) == [], path
    for wrong in (
        {"image": "x.jpg", "sead": 1},
        {"seed": 1},
        {"image": {"source": "x.jpg", "max_side": "big"}},
        {"image": "x.jpg", "objectives": [{"l2": {"layer": "a", "weigth": 1}}]},
        {"image": "x.jpg", "objectives": [{"l2": {}}]},
        {"image": "x.jpg", "objectives": ["l2"]},
        {"image": "x.jpg", "ascent": [{"normalize": {"by": "size"}}]},
        {"image": "x.jpg", "model": {"name": "vgg16", "weigths": None}},
    ):
        assert list(schema.iter_errors(wrong)), wrong
    for fine in (
        {"image": "x.jpg", "ascent": ["normalize", {"rate": {"from": 1, "to": 2}}]},
        {"image": "x.jpg", "objectives": {"l2": "a"}},
        {"image": "x.jpg", "objectives": [{"l2": {"layer": "a", "weight": {"keys": {"0": 1}}}}]},
        {"image": "x.jpg", "model": {"file": "a.keras", "input_range": [0, 255]}},
    ):
        assert list(schema.iter_errors(fine)) == [], fine
