"""Recipes of strangers, in PNG, JPEG and GIF: they name files next to the picture, as it was made, and no others."""

import json

import numpy as np
import PIL.Image
import pytest

from kerasdream import images
from kerasdream.config import recorded
from kerasdream.config.recipes import load_any, run_file_in
from kerasdream.config.recorded import checksum
from kerasdream.config.resolve import load
from kerasdream.errors import ConfigError, ImageError

GREY = np.zeros((8, 8, 3), "float32")
L2 = {"l2": {"layer": "block5_expand"}}


@pytest.fixture
def place(tmp_path):
    """A folder with what is not the stranger's, and one inside it with a photo, a mask and the picture."""
    inside = tmp_path / "inside"
    inside.mkdir()
    for file in (tmp_path / "secret.png", inside / "photo.png", inside / "mask.png"):
        images.save(file, GREY, format="png")
    np.save(tmp_path / "secret.npy", np.ones(4))
    return inside


@pytest.fixture(params=["png", "jpeg", "gif"])
def made(place, request):
    """Make a picture with a recipe in it; by default one that may be run."""

    def make(recipe=(), *, source=None, files=(), plugins=()):
        facts = {"name": "photo.png", "sha256": checksum(place / "photo.png")}
        manifest = {
            "recipe": {"image": "photo.png", "objectives": [L2], **dict(recipe)},
            "source": facts if source is None else source,
            "files": dict(files),
            "plugins": dict(plugins),
        }
        picture, text = place / f"dream.{request.param}", json.dumps(manifest)
        if request.param == "gif":
            PIL.Image.new("L", (8, 8)).save(picture, comment=images.as_gif_comment(text))
        else:
            images.save(picture, GREY, recipe=text, format=request.param)
        return picture

    return make


def objective(**parameters):
    return {"objectives": [{"guide": {"layer": "block5_expand", **parameters}}]}


def masked(mask):
    return {"objectives": [{"l2": {"layer": "block5_expand", "mask": mask}}]}


def test_a_recipe_with_its_own_files_is_run(made, place):
    sums = {"mask.png": checksum(place / "mask.png")}
    config = load_any(made(masked("mask.png"), files=sums))
    assert config.objectives[0].mask.path == place / "mask.png"
    assert config.image.source == "photo.png"


@pytest.mark.parametrize(
    "recipe",
    [
        masked("{outside}/secret.png"),
        masked("../secret.png"),
        masked({"path": "../secret.png"}),
        masked("~/secret.png"),
        masked(".."),
        masked("..\\secret.png"),
        {"objectives": [{"sum": {"of": [L2], "mask": "../secret.png"}}]},
        objective(image="../secret.png"),
        objective(image="/**"),
        objective(image="*.png"),
        objective(image=["mask.png", "../secret.png"]),
        {"objectives": [{"direction": {"layer": "block5_expand", "direction": "../secret.npy"}}]},
        {"model": {"file": "../net.keras"}},
        {"model": "../net.keras"},
        {"model": {"name": "resnet50", "weights": "/dev/zero"}},
        {"model": {"file": "net.keras", "inputs": {"mask": "../secret.npy"}}},
        {"model": {"ensemble": ["vgg16", {"file": "../net.keras"}]}},
        {"outputs": [{"png": "../stolen.png"}]},
        {"outputs": [{"png": "{outside}/stolen.png"}]},
        {"outputs": [{"gif": "~/stolen.gif"}]},
        {"outputs": [{"png": "a/{stem}.png"}]},
    ],
    ids=repr,
)
def test_no_path_leads_out_of_the_folder(made, place, recipe):
    recipe = json.loads(json.dumps(recipe).replace("{outside}", str(place.parent)))
    with pytest.raises(ConfigError, match=r"no name of a file next to the picture|records no checksum of") as caught:
        load_any(made(recipe, files={"mask.png": checksum(place / "mask.png")}))
    assert " (its recipe):1:" in str(caught.value)


def test_a_file_must_be_the_one_that_was_recorded(made, place):
    with pytest.raises(
        ConfigError, match=r"records no checksum of mask\.png, so it may be any file; .*show --run-file"
    ):
        load_any(made(masked("mask.png")))
    with pytest.raises(ConfigError, match=r"mask\.png is not the file that dream\.\w+ was made with"):
        load_any(made(masked("mask.png"), files={"mask.png": "0" * 64}))
    with pytest.raises(
        ConfigError, match=r"the file 'gone\.png', which dream\.\w+ was made with, is not in its folder"
    ):
        load_any(made(masked("gone.png"), files={"gone.png": "0" * 64}))


@pytest.mark.parametrize(
    ("image", "source", "words"),
    [
        ("photo.png", {"name": "photo.png", "sha256": "0" * 64}, "is not the photo that dream"),
        ("mask.png", None, "its recipe dreams mask.png, but it was made from photo.png"),
        ({"source": ["photo.png", "mask.png"]}, None, "but it was made from photo.png"),
        ("*.png", None, "its recipe dreams '*.png'"),
        ("../secret.png", {"name": "noise"}, "was dreamed from an array"),
        ("../secret.png", {"name": "../secret.png", "sha256": "0" * 64}, "is no name of a file next to the picture"),
        ("/dev/zero", {"name": "/dev/zero", "sha256": "0" * 64}, "is no name of a file next to the picture"),
        ("noise", None, "its recipe dreams noise"),
        ("photo.png", [], "was dreamed from an array"),
    ],
)
def test_no_other_photo_is_dreamed(made, image, source, words):
    with pytest.raises(ConfigError) as caught:
        load_any(made({"image": image}, source=source))
    assert words in str(caught.value)
    assert "image.source=" in str(caught.value)


@pytest.mark.parametrize("recipe", [{"model": "../secret.png"}, {"preset": "../a.yaml"}, {"model": "/etc/passwd"}])
def test_nothing_else_of_a_recipe_looks_at_files(made, recipe):
    with pytest.raises(ConfigError, match=r"unknown model|which a recipe does not start from"):
        load_any(made(recipe))


def test_the_user_may_name_what_the_recipe_may_not(made, place):
    outside = place.parent
    picture = made({"image": "x.png", **masked("../secret.png"), "outputs": [{"png": "../a.png"}]})
    config = load_any(
        picture,
        [
            f"image.source={outside / 'secret.png'}",
            f"objectives.0.l2.mask={outside / 'secret.png'}",
            "outputs.0.png.path=../a.png",
        ],
    )
    assert config.objectives[0].mask.path == outside / "secret.png"
    (place / "mine.yaml").write_text(run_file_in(picture))
    config = load(place / "mine.yaml")
    assert config.objectives[0].mask.path == place / ".." / "secret.png"


def test_code_runs_with_trust_alone_and_only_if_it_is_recorded(made, place):
    marker = place / "it_ran"
    for file in (place / "evil.py", place.parent / "evil.py"):
        file.write_text(f"open({str(marker)!r}, 'w')\n")
    (place / "net.keras").write_bytes(b"PK")
    sums = {"evil.py": checksum(place / "evil.py")}
    with pytest.raises(ConfigError, match="a recipe from a picture does not load it"):
        load_any(made({"plugins": ["evil.py"]}, plugins=sums))
    coded = {"model": {"file": "net.keras", "code": "evil.py"}}
    with pytest.raises(ConfigError, match="a recipe from a picture does not run it"):
        load_any(made(coded, files={**sums, "net.keras": checksum(place / "net.keras")}))
    for name, listed, words in [
        ("../evil.py", sums, "is no name of a file next to the picture"),
        ("evil.py", {}, "records no checksum of the plugin evil.py"),
        ("evil.py", {"evil.py": "0" * 64}, "is not the plugin"),
    ]:
        with pytest.raises(ConfigError, match=words):
            load_any(made({"plugins": [name]}, plugins=listed), trust=True)
    assert not marker.exists()
    with pytest.raises(ConfigError, match="has no hooks"):  # it ran
        load_any(made({"plugins": ["evil.py"]}, plugins=sums), trust=True)
    assert marker.exists()


def test_a_recipe_is_no_longer_than_a_run_file(made):
    with pytest.raises((ConfigError, ImageError), match="more than 500,000 characters"):
        load_any(made({"seed": "9" * 600_000}))


def test_a_checksum_of_a_folder_does_not_walk_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(recorded, "MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.png").touch()
    with pytest.raises(ConfigError, match="has more than 3 files"):
        checksum(tmp_path)
