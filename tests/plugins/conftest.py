"""The command line in this process, as if started afresh: plugins are loaded anew and their commands removed."""

from __future__ import annotations

import pytest


@pytest.fixture
def here(here, monkeypatch):
    from kerasdream.cli.main import cli
    from kerasdream.cli.options import discovered

    built_in = dict(cli.commands)

    def call(*arguments):
        monkeypatch.setattr(cli, "commands", dict(built_in))
        discovered.cache_clear()
        return here(*arguments)

    yield call
    discovered.cache_clear()
