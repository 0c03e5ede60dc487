"""The command ``concept``: the file it writes, what it prints, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from kerasdream import images
from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.resolve import resolve


@pytest.fixture
def photos(folder, monkeypatch):
    """The current folder: red photos in a/, blue ones in b/, and a network."""
    random = np.random.default_rng(0)
    for name, channel in (("a", 0), ("b", 2)):
        (folder / name).mkdir()
        for number in range(3):
            photo = random.uniform(-0.5, 0, (48, 64, 3)).astype("float32")
            photo[..., channel] += 0.9
            images.save(folder / name / f"{number}.png", photo, format="png")
    monkeypatch.chdir(folder)
    return folder


TINY = ("--model", "tiny.keras", "-s", "model.input_range=[-1,1]", "--layer", "c2", "--crops", "2")


def test_concept_writes_a_direction_and_says_how_to_draw_it(photos, here):
    (photos / "a" / "photo.cr2").write_bytes(b"raw")
    code, out, err = here("concept", "a", "b", *TINY, "-o", "red.npy")
    assert code == 0, err
    assert "kerasdream: left out of a: 1 file, photo.cr2: a camera's raw file" in err
    first, auc, _, line = out.splitlines()
    assert first == "red.npy: a direction of c2, tiny, from 3 photos with it, 3 without"
    assert auc == "AUC on photos held out: 1.000 (1 is perfect, 0.5 is chance)"
    assert np.load("red.npy").shape == (8,)
    data = parse(line, "printed").data
    (entry,) = resolve(
        YamlDocument({"image": "noise", "model": {"file": "tiny.keras", "input_range": [-1, 1]}, **data}, "run"), photos
    ).objectives
    assert (entry.name, entry.values["direction"]) == ("cosine", photos / "red.npy")
    entry.make()


def test_existing_files_other_endings_and_other_keys_are_refused_before_anything_is_computed(photos, here):
    (photos / "red.npy").write_bytes(b"")
    for more, words in {
        ("-o", "red.npy"): "red.npy: exists already; choose another name, or replace it with --overwrite",
        ("-o", "red.txt"): "red.txt: a concept is written as an array of NumPy; expected a name that ends in .npy",
        ("-s", "seed=3"): "expected a key of the model, such as model.input_range=[0,255], not seed=3",
        ("-s", "model.name=resnet50"): "the network is given by --model, not by model.name=resnet50",
        ("--layer", "c22"): "tiny has no layer 'c22'; did you mean 'c2'",
    }.items():
        code, out, err = here("concept", "a", "b", *TINY, *more)
        assert code != 0
        assert words in err
        assert out == ""
    assert (photos / "red.npy").read_bytes() == b""
    code, out, err = here("concept", "a", "b", *TINY, "-o", "red.npy", "--overwrite", "-q")
    assert (code, out, err) == (0, "", "")
    assert np.load("red.npy").any()
