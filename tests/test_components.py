"""The parts as values: the algebra of objectives, input ranges, and the sizes that parts declare."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from kerasdream.components import Network, Objective, Postprocess, from_range


def test_algebra_leaves_its_operands_unchanged():
    a, b = Objective("x", lambda activations: 1.0), Objective(("y", "x"), lambda activations: 2.0)
    total = 2 * a + 3 * b - a
    assert [term.weight for term in total.terms] == [2.0, 3.0, -1.0]
    assert total.layers == ("x", "y")
    assert [term.weight for term in (-(total * 2)).terms] == [-4.0, -6.0, 2.0]
    assert a.terms[0].weight == b.terms[0].weight == 1.0
    with pytest.raises(TypeError):
        a * b
    with pytest.raises(TypeError):
        a + 1


def test_from_range_is_linear():
    preprocess = from_range(0, 255)
    np.testing.assert_allclose(preprocess(np.array([-1.0, 0.0, 1.0])), [0, 127.5, 255])
    np.testing.assert_allclose(from_range(-1, 1)(np.array([-1.0, 0.3])), [-1.0, 0.3])


@pytest.mark.parametrize(("size", "side", "expected"), [(96, None, 96), (None, 64, 64), (None, None, 224)])
def test_side_of_a_network(size, side, expected):
    picture = keras.Input((side, side, 3))
    assert Network("net", keras.Model(picture, picture), from_range(-1, 1), size=size).side == expected


def test_enlarged_shape_is_rounded():
    assert Postprocess(lambda picture, source: picture, scale=1.5).enlarged((5, 7)) == (8, 10)
