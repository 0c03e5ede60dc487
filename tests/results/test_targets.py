"""Existing outputs of a run that is resumed: finished ones are left alone, others are an error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

import kerasdream
from kerasdream import OutputError
from kerasdream.config.resolve import load
from kerasdream.events import Stepped
from kerasdream.results.checkpoint import checkpoint_path


def test_finished_run_is_left_alone(run):
    fresh, _ = run(resume=True)
    written = run.dream.stat().st_mtime_ns
    again, steps = run(resume=True)
    assert steps == []
    assert again.paths == fresh.paths
    assert again.manifest == fresh.manifest
    np.testing.assert_allclose(again.image, fresh.image, atol=0.004)
    assert run.dream.stat().st_mtime_ns == written


def test_output_by_another_recipe_is_not_overwritten(run):
    run()
    with pytest.raises(OutputError, match=r"cat-dream.png exists and is a different picture \(recipe.seed is 1, was 0"):
        run(resume=True, seed=1)
    assert len(run(resume=True, overwrite=True, seed=1)[1]) == 12
    Image.new("RGB", (8, 8)).save(run.dream)
    with pytest.raises(OutputError, match=r"cat-dream.png exists and is a different picture \(it has no recipe\)"):
        run(resume=True)


def test_resume_with_one_output_missing(run):
    outputs = ["png", {"jpeg": {"path": "cat.jpg"}}]
    whole, _ = run(outputs=outputs)
    (run.folder / "cat.jpg").unlink()
    result, steps = run(outputs=outputs, resume=True)
    assert len(steps) == 12
    assert [path.exists() for path in result.paths] == [True, True]
    np.testing.assert_array_equal(result.image, whole.image)


TABLE = """\
from contextlib import contextmanager

from kerasdream import Output, hookimpl, images
from kerasdream.events import Finished


def table(*, path: str = "{stem}.csv") -> Output:
    '''Write the last score.'''

    @contextmanager
    def opened(path):
        def receive(event):
            if isinstance(event, Finished):
                with images.replacing(path) as file:
                    file.write(str(event.result.scores[-1]).encode())

        yield receive

    return Output(path, opened)


@hookimpl
def register_outputs(register):
    register(table)
"""


def test_finished_run_with_a_file_that_cannot_have_a_recipe(run, monkeypatch):
    """Such a file only has to be there."""
    monkeypatch.chdir(run.folder)  # whose plugins are trusted
    (run.folder / "table.py").write_text(TABLE)
    keys = {"outputs": ["table", "png"], "plugins": [str(run.folder / "table.py")]}
    assert len(run(**keys)[1]) == 12
    again, steps = run(**keys, resume=True)
    assert (steps, again.paths[1]) == ([], run.dream)
    (run.folder / "cat.csv").unlink()
    assert len(run(**keys, resume=True)[1]) == 12
    assert (run.folder / "cat.csv").exists()


AGAIN = """\
import sys
from kerasdream.cli.main import main

sys.argv = ["kerasdream", "run", "run.yaml", "--resume", "--json"]
try:
    main()
except SystemExit as leaving:
    print(leaving.code, [module for module in ("tensorflow", "keras") if module in sys.modules])
"""


def test_folder_is_resumed_at_the_unfinished_picture(tmp_path, tiny, here, monkeypatch):
    """Photos and dreams are in one folder. Finished dreams are neither dreamed again nor dreamed on."""
    tiny.save(tmp_path / "tiny.keras")
    for name, photo in {"a": skimage.data.chelsea(), "b": skimage.data.coffee()}.items():
        Image.fromarray(photo).save(tmp_path / f"{name}.png")
    (tmp_path / "run.yaml").write_text(
        "image: {source: '*.png', max_side: 128}\nmodel: {file: tiny.keras, input_range: [-1, 1]}\n"
        "objectives: {l2: c3}\noctaves: {count: 2, steps: 4}\n"
    )

    def stop(event):
        if isinstance(event, Stepped) and event.progress.run_step == 5:
            raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    kerasdream.run(load(Path("run.yaml"), ["image.source=a.png"]))
    kerasdream.run(load(Path("run.yaml"), ["image.source=b.png"]), on_event=stop)
    first, second = tmp_path / "a-dream.png", tmp_path / "b-dream.png"
    assert checkpoint_path(second).exists()
    written = first.stat().st_mtime_ns
    code, out, err = here("run", "run.yaml", "--resume")
    assert (code, out) == (0, "a-dream.png\nb-dream.png\n"), err
    assert "a.png: already done" in err
    assert "b.png: resuming after step 6 of 8" in err
    assert first.stat().st_mtime_ns == written
    assert not checkpoint_path(second).exists()
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["a-dream.png", "a.png", "b-dream.png", "b.png"]

    done = subprocess.run([sys.executable, "-c", AGAIN], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    *rows, end = done.stdout.splitlines()
    assert end == "0 []", done.stderr  # nothing is left to do, so TensorFlow is not even imported
    assert [(json.loads(row)["paths"], json.loads(row)["size"]) for row in rows] == [
        (["a-dream.png"], [128, 85]),
        (["b-dream.png"], [128, 85]),
    ]
