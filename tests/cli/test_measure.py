"""Measuring memory and time per step, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from kerasdream import GradientStep
from kerasdream import _memory as memory
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.cli.measure import bytes_per_pixel, candidates, dream_of, timings
from kerasdream.errors import ConfigError, DreamError
from kerasdream.plan.tile_size import LARGEST, SMALLEST


def test_candidates_fit_into_memory():
    assert candidates(2 * 1000 * 700**2, 1000) == [256, 384, 512, 640, 700]
    assert candidates(2 * 1000 * 512**2, 1000) == [256, 384, 512]
    assert candidates(10**12, 1000)[-1] == LARGEST
    assert candidates(1, 1000) == [SMALLEST]


def test_default_dream_is_measured():
    layers = [entry.values["layer"] for entry in dream_of("inception_v3").objectives]
    assert layers == ["mixed3", "mixed5"]
    assert dream_of("inception_v3").model.values["weights"] is None
    assert dream_of("resnet50").objectives
    assert [entry.name for entry in dream_of("vgg16", ["block3_conv1"]).priors] == ["total_variation"]
    with pytest.raises(ConfigError, match="vgg16 has no layer 'block3_convl'; did you mean"):
        dream_of("vgg16", ["block3_convl"])
    with pytest.raises(ConfigError, match="unknown model 'vgg61'; did you mean 'vgg19' or 'vgg16'"):
        dream_of("vgg61", ["block3_conv1"])
    assert dream_of("tiny.keras", ["c2"]).model.values["file"] == Path("tiny.keras").absolute()


@pytest.fixture
def step(tiny):
    return GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1))


def test_sizes_are_timed_in_turns_and_same_tiles_once(step, monkeypatch):
    seen, at = [], step.evaluate

    def watched(picture, plan, progress):
        seen.append(plan.cutting.size)
        return at(picture, plan, progress)

    monkeypatch.setattr(step, "evaluate", watched)
    rows = timings(step, [600, 128, 64, 620], side=200, rounds=3)
    assert [row.size for row in rows] == [64, 128, 600]
    assert seen == [64, 128, 600] * 4
    assert [row.views for row in rows] == sorted((row.views for row in rows), reverse=True)
    assert rows[-1].views == 1
    assert all(row.computed >= 1 and row.nanoseconds > 0 for row in rows)
    assert step.engine.traces == 1


def test_sizes_that_run_out_of_memory_are_left_out(step, monkeypatch):
    computed, most = step.engine._step, 128**2

    def limited(views, *rest):
        if views.shape[1] * views.shape[2] > most:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return computed(views, *rest)

    monkeypatch.setattr(step.engine, "_step", limited)
    assert [row.size for row in timings(step, [64, 128, 600], side=200, rounds=1)] == [64, 128]
    most = 0
    with pytest.raises(DreamError, match="even with the smallest tiles"):
        timings(step, [64, 600], side=200, rounds=1)


def test_memory_is_not_measured_without_a_peak(step, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")  # as on other systems
    assert bytes_per_pixel(step) is None
    monkeypatch.undo()
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "no" / "clear_refs")  # the peak cannot be reset
    assert bytes_per_pixel(step) is None
