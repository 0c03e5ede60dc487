"""How fast kerasdream's gradient step is, and how much memory it takes, beside the two published ways to dream.

``make bench`` runs it; ``python -m benchmarks --help`` says what can be chosen. Every measurement runs in a process of
its own, one after the other:

=============  ========================================================================================================
``speed.py``   the contestants take turns on one picture: time per covered pixel, and how many times faster
``alone.py``   one contestant, one size: time to the first step, peak memory, whether the cost stays flat
``loop.py``    whole dreams: how much of the octave loop's time is gradient
``peak.py``    what this machine's convolutions can do, and how many operations the gradient of a pixel needs
=============  ========================================================================================================

The contestants are in ``contestants.py``; ``figures.py`` makes numbers of the measurements and ``table.py`` Markdown.
"""
