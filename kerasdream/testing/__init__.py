"""What plugin authors test a plugin with: one check for each kind of part, a real photo, a tiny network.

A check takes the factory, and its parameters as they would stand in a run file. It raises ``AssertionError`` with what
is wrong and what was expected, or the ``PluginError`` that a user would see. The built-in parts are tested with the
same checks. Two pytest fixtures come with kerasdream: ``photo`` and ``tiny_network``.

>>> from kerasdream.testing import check_objective
>>> def test_sparkle():
...     check_objective(sparkle, {"layer": "conv2", "sharpness": 3.0})
"""

from kerasdream.testing.command import check_command
from kerasdream.testing.finished import check_output, check_postprocess
from kerasdream.testing.material import PHOTO, photo, tiny_network
from kerasdream.testing.moving import check_parametrization, check_rule
from kerasdream.testing.registered import check_plugin, check_schema
from kerasdream.testing.seen import check_model, check_objective, check_prior, check_transform

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
