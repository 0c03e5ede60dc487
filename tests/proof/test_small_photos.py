"""The smallest picture that a network can take follows from its layers."""

import pytest
from PIL import Image


@pytest.mark.proof
def test_photo_smaller_than_inception_v3_can_take(here, tmp_path):
    Image.new("RGB", (64, 48)).save(tmp_path / "small.png")
    (tmp_path / "f.yaml").write_text("image: small.png\nmodel: {name: inception_v3, weights: null}\n")
    code, _, err = here("run", "f.yaml", "-o", "out", cwd=tmp_path)
    assert code == 1
    (error,) = (line for line in err.splitlines() if line.startswith("kerasdream: "))
    assert "small.png: the picture is 64×48 pixels; expected at least 59 on its shorter side" in error
    assert list((tmp_path / "out").iterdir()) == []
