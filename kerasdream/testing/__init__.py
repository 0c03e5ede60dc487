"""Checks for plugin authors: one for each kind of part, a real photo and a tiny network.

A check takes the factory and its parameters as in a run file. It raises ``AssertionError``, saying what is wrong and
what was expected, or the ``PluginError`` that a user would see. The built-in parts pass the same checks. Two pytest
fixtures come with kerasdream: ``photo`` and ``tiny_network``.

>>> from kerasdream.testing import check_objective
>>> def test_sparkle():
...     check_objective(sparkle, {"layer": "conv2", "sharpness": 3.0})
"""

from kerasdream.testing.command import check_command
from kerasdream.testing.differentiable import check_model, check_prior, check_transform
from kerasdream.testing.finished import check_output, check_postprocess
from kerasdream.testing.material import PHOTO, photo, tiny_network
from kerasdream.testing.moving import check_parametrization, check_rule
from kerasdream.testing.objectives import check_objective
from kerasdream.testing.registered import check_plugin, check_schema

__all__ = [
    "PHOTO",
    "check_command",
    "check_model",
    "check_objective",
    "check_output",
    "check_parametrization",
    "check_plugin",
    "check_postprocess",
    "check_prior",
    "check_rule",
    "check_schema",
    "check_transform",
    "photo",
    "tiny_network",
]
