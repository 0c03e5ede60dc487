"""Plugins that fail in a run: each is one message with file and line, and no picture is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import kerasdream
from kerasdream import run
from kerasdream.errors import KerasdreamError

IMPORTS = """\
from kerasdream import (
    Energy, LayerName, Network, Objective, Output, Parametrization, Postprocess, Projection, Rule, Transform,
    hookimpl, ops,
)
"""

PHOTO = Path(kerasdream.__file__).parent / "testing" / "raccoon.jpg"


@dataclass(frozen=True)
class Broken:
    """A factory, parts of the error message it leads to, and its kind."""

    text: str
    words: list[str]
    kind: str = "objectives"


AT_USE = {
    "factory raises": Broken("def broken(*, layer: LayerName) -> Objective:\n    1 / 0", ["line 6: ZeroDivisionError"]),
    "factory returns something else": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    pass", ["returned nothing; expected Objective"]
    ),
    "objective of no layers": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    return Objective((), lambda a: 0)",
        ["looks at the layers (); expected at least one name"],
    ),
    "objective that sums up no pictures": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a, b: b, summary=list)",
        ["has the reference None; expected the path of at least one picture"],
    ),
    "objective whose summary raises": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n"
        f"    return Objective(layer, lambda a, b: b, reference=['{PHOTO}'], summary=lambda pictures: 1 / 0)",
        ["failed in line 6: ZeroDivisionError"],
    ),
    "energy with a strange radius": Broken(
        "def broken() -> Energy:\n    return Energy(lambda picture: picture[..., 0], radius=None)",
        ["has the radius None; expected a whole number of pixels"],
        kind="priors",
    ),
    "transform with a strange margin": Broken(
        "def broken() -> Transform:\n    return Transform(phase=2.5)",
        ["has the phase 2.5; expected a whole number of pixels"],
        kind="transforms",
    ),
    "output with a strange path": Broken(
        "def broken(*, path: str) -> Output:\n    return Output(None, print)",
        ["has the path None; expected a text such as {stem}-dream.png"],
        kind="outputs",
    ),
    "objective raises": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a['lost'])",
        ["failed in line 6: KeyError: 'lost'"],
    ),
    "objective of the wrong shape": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a[layer])",
        ["returned shape (?, ?, ?, 8) for 'c2'", "expected (n, h, w) or (n,)"],
    ),
    "objective that gives one number a channel": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n"
        "    return Objective(layer, lambda a: ops.mean(a[layer], axis=(0, 1, 2)))",
        ["returned shape (8,)", "expected one number for each of n pictures, (n,)"],
    ),
    "objective that forgets the batch": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a[layer][0])",
        ["returned shape (?, ?, 8)", "expected (n, h, w), the positions of 'c2', (?, ?, ?)"],
    ),
    "objective that is NaN": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n"
        "    return Objective(layer, lambda a: ops.log(-1 - a[layer][..., 0] ** 2))",
        ["the score is not finite at octave 1, step 1: broken c2 = nan"],
    ),
    "objective whose slope is infinite": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n"
        "    return Objective(layer, lambda a: ops.sqrt(ops.sum(0 * a[layer], axis=-1)))",
        ["the gradient is not finite, though the scores are, at octave 1, step 1: broken c2 = 0"],
    ),
    "energy raises": Broken(
        "def broken() -> Energy:\n    return Energy(lambda picture: picture.lost, radius=0)",
        ["AttributeError"],
        kind="priors",
    ),
    "energy of the wrong shape": Broken(
        "def broken() -> Energy:\n    return Energy(lambda picture: picture, radius=0)",
        ["returned shape (?, ?, ?, 3); expected (n, height, width)"],
        kind="priors",
    ),
    "projection raises": Broken(
        "def broken() -> Projection:\n    return Projection(lambda picture: picture / None)",
        ["TypeError"],
        kind="priors",
    ),
    "projection of the wrong shape": Broken(
        "def broken() -> Projection:\n    return Projection(lambda picture: picture[:-1])",
        ["returned shape (39, 56, 3); expected the shape of the picture, (40, 56, 3)"],
        kind="priors",
    ),
    "projection that is NaN": Broken(
        "def broken() -> Projection:\n    return Projection(lambda picture: picture * float('nan'))",
        ["returned numbers that are not finite"],
        kind="priors",
    ),
    "transform raises": Broken(
        "def broken() -> Transform:\n    return Transform(lambda views, seed: views.lost)",
        ["AttributeError"],
        kind="transforms",
    ),
    "transform of the wrong shape": Broken(
        "def broken() -> Transform:\n    return Transform(lambda views, seed: views[..., :1])",
        ["returned shape (?, ?, ?, 1); expected the shape of the views, (?, ?, ?, 3)"],
        kind="transforms",
    ),
    "rule raises": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: memory[3])",
        ["TypeError"],
        kind="ascent",
    ),
    "rule without memory": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: gradient)",
        ["expected (gradient, memory)"],
        kind="ascent",
    ),
    "layer that is not there, named by a plain str": Broken(
        "def broken(*, layer: str) -> Objective:\n    return Objective('c22', lambda a: a['c22'][..., 0])",
        ["looks at 'c22'", "has no such layer", "did you mean 'c2'"],
    ),
    "rule of the wrong shape": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: (ops.mean(gradient), memory))",
        ["returned shape (); expected a gradient of shape (?, ?, ?)"],
        kind="ascent",
    ),
    "rule that is NaN": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: (gradient * float('nan'), memory))",
        ["returned a gradient that is not finite"],
        kind="ascent",
    ),
    "rule whose memory cannot be saved": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: (gradient, {1}))",
        ["remembers a set, which cannot be saved for a run to be resumed"],
        kind="ascent",
    ),
    "parametrization without a state": Broken(
        "def broken() -> Parametrization:\n    return Parametrization(lambda picture, seed: None)",
        ["returned nothing; expected an array"],
        kind="parametrizations",
    ),
    "parametrization raises": Broken(
        "def broken() -> Parametrization:\n    return Parametrization(lambda picture, seed: picture.lost)",
        ["AttributeError"],
        kind="parametrizations",
    ),
    "parametrization of the wrong shape": Broken(
        "def broken() -> Parametrization:\n"
        "    return Parametrization(lambda picture, seed: picture, lambda state, height, width: state[:, :, :1])",
        ["returned shape (40, 56, 1); expected (height, width, 3), (40, 56, 3)"],
        kind="parametrizations",
    ),
    "parametrization whose picture raises": Broken(
        "def broken() -> Parametrization:\n"
        "    return Parametrization(\n"
        "        lambda picture, seed: picture,\n"
        "        lambda state, height, width: state.lost)",
        ["failed in line 8: AttributeError", "lost"],
        kind="parametrizations",
    ),
    "parametrization whose picture is not finite": Broken(
        "def broken() -> Parametrization:\n"
        "    return Parametrization(lambda picture, seed: picture, lambda state, height, width: ops.log(state - 9))",
        ["returned a picture that is not finite"],
        kind="parametrizations",
    ),
    "parametrization without a gradient": Broken(
        "def broken() -> Parametrization:\n"
        "    return Parametrization(lambda picture, seed: picture, lambda state, *size: ops.stop_gradient(state))",
        ["without a gradient with respect to the state"],
        kind="parametrizations",
    ),
    "postprocess raises": Broken(
        "def broken() -> Postprocess:\n    return Postprocess(lambda picture, source: picture.lost)",
        ["AttributeError"],
        kind="postprocess",
    ),
    "postprocess that returns nothing": Broken(
        "def broken() -> Postprocess:\n    return Postprocess(lambda picture, source: None)",
        ["returned nothing; expected an array"],
        kind="postprocess",
    ),
    "postprocess to whole numbers": Broken(
        "def broken() -> Postprocess:\n    return Postprocess(lambda picture, source: (127 * picture).astype('uint8'))",
        ["returned uint8; expected float32 in [-1, 1]"],
        kind="postprocess",
    ),
    "output raises when opened": Broken(
        "def broken(*, path: str) -> Output:\n    return Output(path, lambda path: path.lost)",
        ["AttributeError"],
        kind="outputs",
    ),
    "output that is no context manager": Broken(
        "def broken(*, path: str) -> Output:\n    return Output(path, lambda path: None)",
        ["returned nothing; expected a context manager"],
        kind="outputs",
    ),
    "output raises when closed": Broken(
        "import contextlib\n@contextlib.contextmanager\ndef closing(path):\n    yield lambda event: None\n    1 / 0\n"
        "def broken(*, path: str) -> Output:\n    return Output(path, closing)",
        ["ZeroDivisionError"],
        kind="outputs",
    ),
    "model that is none": Broken(
        "def broken() -> Network:\n    return object()", ["returned an object; expected Network"], kind="models"
    ),
    "model raises": Broken("def broken() -> Network:\n    1 / 0", ["line 6: ZeroDivisionError"], kind="models"),
    "model whose preprocessing has the wrong shape": Broken(
        "def broken() -> Network:\n"
        "    import keras\n"
        "    x = keras.Input((None, None, 3))\n"
        "    model = keras.Model(x, keras.layers.Conv2D(2, 3, name='c2')(x))\n"
        "    return Network('broken', model, lambda picture: picture[0])",
        ["returned shape (8, 8, 3); expected (n, height, width, channels)"],
        kind="models",
    ),
}


@pytest.mark.parametrize("kind", AT_USE)
def test_plugin_that_fails_in_a_run_is_one_error(folder, tmp_path, kind):
    broken = AT_USE[kind]
    text = f"{IMPORTS}{broken.text}\n\n@hookimpl\ndef register_{broken.kind}(register):\n    register(broken)\n"
    (folder / "plug.py").write_text(text)
    entry = {"objectives": "broken: {layer: c2}", "outputs": "broken: {path: out.x}"}.get(broken.kind, "broken")
    one = {"parametrizations": "parametrization", "models": "model"}.get(broken.kind)
    keys = {
        "plugins": "[plug.py]",
        "image": "photo.png",
        "model": "{file: tiny.keras, input_range: [-1, 1]}",
        "objectives": "[l2: c2]",
        "octaves": "{count: 1, steps: 2}",
        one or broken.kind: "broken" if one else f"[{entry}]",
    }
    (folder / "plug.yaml").write_text("\n".join(f"{key}: {value}" for key, value in keys.items()))
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(KerasdreamError) as caught:
        run(folder / "plug.yaml", folder=out)
    (message,) = str(caught.value).splitlines()
    line = 1 + next(i for i, line in enumerate(text.splitlines()) if line.startswith("def broken"))
    assert re.search(rf"'broken' of plugin 'plug' at \S+plug\.py:{line}\b", message), message
    for part in broken.words:
        assert part in message
    late = broken.kind == "postprocess" or kind == "output raises when closed"  # the dream itself was done, and is kept
    assert [path.suffix for path in out.iterdir()] == [".checkpoint"] * late


def test_interruption_before_the_first_step_leaves_no_picture(folder, tmp_path):
    text = (folder / "my_objective.py").read_text()
    (folder / "my_objective.py").write_text(
        text.replace("lambda activations:", "lambda activations: (_ for _ in ()).throw(KeyboardInterrupt) or")
    )
    with pytest.raises(KeyboardInterrupt):
        run(folder / "run.yaml", folder=tmp_path / "folder")
    assert not list(folder.glob("*dream*"))
