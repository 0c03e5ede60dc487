"""Results: saved, and shown by a notebook."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import kerasdream
from kerasdream import OutputError, Result, images


@pytest.fixture(scope="module")
def result(tiny, chelsea):
    """A dream by a small network."""
    options = {"objectives": {"l2": "c3"}, "input_range": (-1, 1), "octaves": {"count": 2, "steps": 3}}
    return kerasdream.dream(chelsea[:64, :96], model=tiny, **options)


class Page(HTMLParser):
    """The elements of a page, each with its attributes, and its text; an unclosed element is an error."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open, self.text = [], [], ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def embedded(attributes):
    kind, _, data = attributes["src"].partition(",")
    assert kind == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data, validate=True))))


def test_notebook_shows_before_after_curve_and_recipe(result, chelsea):
    page = Page(result._repr_html_())
    before, after = map(embedded, page.all("img"))
    np.testing.assert_array_equal(before, images.to_uint8(chelsea[:64, :96]))
    np.testing.assert_array_equal(after, result.to_uint8())
    (line,) = page.all("polyline")
    points = np.array([point.split(",") for point in line["points"].split()], float)
    assert len(points) == len(result.scores) == 6
    assert (np.diff(points[:, 0]) > 0).all()
    np.testing.assert_array_equal(np.argsort(-points[:, 1], kind="stable"), np.argsort(result.scores, kind="stable"))
    assert result.recipe in page.text
    assert "dreamed in" in page.text
    assert "before, 96×64" in page.text


def test_notebook_shows_large_pictures_smaller_with_alpha_and_notes_escaped():
    alpha = np.linspace(0, 1, 1000, dtype="float32")[None].repeat(400, 0)
    image = np.zeros((400, 1000, 3), "float32")
    page = Page(Result(image, (1.0,), {}, {}, alpha, "<cat>.png", interrupted=True, notes=("a < b",))._repr_html_())
    (after,) = map(embedded, page.all("img"))
    assert after.shape == (307, 768, 4)
    np.testing.assert_allclose(after[0, [100, 700], 3], np.array([100, 700]) / 767 * 255, atol=1.5)
    assert page.all("img")[0]["alt"] == "dream of <cat>.png"
    assert "note: a < b" in page.text
    assert "interrupted" in page.text
    assert page.all("polyline") == page.all("details") == []


def test_score_that_is_not_finite_or_constant_is_drawn():
    image = np.zeros((4, 4, 3), "float32")
    for scores in ((1.0, float("nan"), 2.0), (3.0, 3.0), ()):
        html = Result(image, scores, {}, {})._repr_html_()
        assert "nan" not in re.sub('base64,[^"]*', "", html)
        assert len(Page(html).all("polyline")) == bool(scores)


@pytest.mark.parametrize("name", ["dream.png", "dream.jpg", "dream.webp", "dream.tif"])
def test_saved_picture_has_the_recipe_inside(result, tmp_path, name):
    path = result.save(tmp_path / name)
    assert path == tmp_path / name
    assert images.read_recipe(path) == result.recipe
    assert np.abs(images.read(path).pixels - result.image).mean() < 0.1


def test_saving_replaces_a_file_only_if_asked(result, tmp_path):
    (tmp_path / "a.png").write_text("precious")
    with pytest.raises(OutputError, match=r"a\.png exists; pass overwrite=True to replace it"):
        result.save(str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_text() == "precious"
    result.save(tmp_path / "a.png", overwrite=True)
    assert images.read(tmp_path / "a.png").stored.shape == (64, 96, 3)
    with pytest.raises(OutputError, match=r"a\.gif: expected a name that ends in \.png"):
        result.save(tmp_path / "a.gif")
    with pytest.raises(OutputError, match="there is no folder"):
        result.save(tmp_path / "nowhere" / "a.png")


def test_a_dream_one_can_see_through_is_saved_if_it_was_attributed(result, tiny, chelsea, tmp_path):
    with pytest.raises(OutputError, match="no attribution; pass attribution=True to"):
        result.save(tmp_path / "dream.png", alpha="attribution")
    pulls = np.linspace(0, 1, 64 * 96, dtype="float32").reshape(64, 96)
    path = replace(result, attribution=pulls).save(tmp_path / "dream.png", alpha="attribution")
    alpha = images.read(path).alpha
    np.testing.assert_allclose(alpha, images.opacity(pulls), atol=1 / 255)
