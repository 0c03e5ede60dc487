"""Outputs: files that a run writes."""

from kerasdream.builtin.outputs.gif import gif
from kerasdream.builtin.outputs.pictures import jpeg, png

OUTPUTS = {"png": png, "jpeg": jpeg, "gif": gif}
"""Name in a run file -> factory, in the order in which ``kerasdream list`` shows them."""
