"""``python -m kerasdream``."""

from kerasdream.cli import main

main()
