"""``python -m kerasdream``."""

from kerasdream.cli.main import main

main()
