"""Reading and writing pictures is silent."""

import warnings

import pytest


@pytest.fixture(autouse=True)
def quiet(capfd, request):
    """No warning and no output, not even from the C libraries; but libtiff tells stderr about a broken file."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    out, err = capfd.readouterr()
    assert not out
    assert not err or "TIFF" in request.node.name
